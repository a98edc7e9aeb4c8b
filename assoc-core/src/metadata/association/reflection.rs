//! What can be asked of models and associations at run time, by name and without types (F35).

use super::{AssociationDef, Hop, Macro, Route};
use crate::error::Result;
use crate::metadata::model::ModelDef;

/// Columns of one table that refer to another's.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ForeignKey {
    /// The model on whose table the columns are: a join table's is named after it.
    pub model: &'static ModelDef,
    /// The columns, by their names in the database.
    pub columns: Vec<&'static str>,
    /// The column that names the type of what a polymorphic association refers to.
    pub type_column: Option<&'static str>,
    /// The model they refer to; the models, of a polymorphic association.
    pub refers_to: Vec<&'static ModelDef>,
}

impl ModelDef {
    /// The associations of one kind, in the order of their declaration.
    pub fn associations_of(&self, kind: Macro) -> impl Iterator<Item = &'static AssociationDef> + use<> {
        self.associations.iter().filter(move |association| association.association_macro() == kind)
    }
}

impl AssociationDef {
    /// The associations from the owner to the target, one after the other: the association itself, or for one that goes
    /// through others all of those, to any depth.
    ///
    /// # Errors
    /// When a declaration does not hold together, or the way goes in a circle.
    ///
    /// ```
    /// # use assoc_core::{BelongsTo, HasMany, HasManyThrough, Model};
    /// # use assoc_macros::Model;
    /// #[derive(Model, Clone)]
    /// struct User {
    ///     id: i64,
    ///     #[has_many]
    ///     memberships: HasMany<Membership>,
    ///     #[has_many(through = "memberships")]
    ///     groups: HasManyThrough<Group>,
    /// }
    ///
    /// #[derive(Model, Clone)]
    /// struct Membership {
    ///     id: i64,
    ///     user_id: i64,
    ///     group_id: i64,
    ///     #[belongs_to]
    ///     group: BelongsTo<Group>,
    /// }
    /// # #[derive(Model, Clone)]
    /// # struct Group { id: i64 }
    ///
    /// let chain = User::DEF.association("groups").and_then(|groups| groups.chain()).unwrap();
    /// assert_eq!(chain, [User::MEMBERSHIPS.def(), Membership::GROUP.def()]);
    /// ```
    pub fn chain(&'static self) -> Result<Vec<&'static AssociationDef>> {
        let mut chain = Vec::new();
        let mut ahead = vec![self];
        while let Some(next) = ahead.pop() {
            // A circle is found by the route.
            match next.kind.route(next)? {
                Route::Through { through, source, .. } => ahead.extend([source, through]),
                _ => chain.push(next),
            }
        }
        Ok(chain)
    }

    /// The foreign keys it goes by, from the owner on: one, two of a join table, one or two a part of an association that
    /// goes through others, and none of one with SQL of its own.
    ///
    /// # Errors
    /// As [`chain`](Self::chain).
    pub fn foreign_keys(&'static self) -> Result<Vec<ForeignKey>> {
        let mut keys = Vec::new();
        for part in self.chain()? {
            let (owner, target) = ((part.owner)(), (part.target)());
            match part.kind.route(part)? {
                Route::Direct(hop) if part.association_macro() == Macro::BelongsTo => {
                    keys.push(ForeignKey::of(owner, hop.owner_columns, target));
                }
                Route::Direct(Hop { target_columns, target_type, .. }) => {
                    let type_column = target_type.map(|named| target.columns[named.column].name);
                    keys.push(ForeignKey { type_column, ..ForeignKey::of(target, target_columns, owner) });
                }
                Route::JoinTable { table, links, targets } => {
                    keys.push(ForeignKey::of(table, links.target_columns, owner));
                    keys.push(ForeignKey::of(table, targets.owner_columns, target));
                }
                Route::Polymorphic { type_column, owner_columns, variants } => keys.push(ForeignKey {
                    type_column: Some(owner.columns[type_column].name),
                    refers_to: variants.iter().map(|variant| (variant.model)()).collect(),
                    ..ForeignKey::of(owner, owner_columns, target)
                }),
                Route::Through { .. } | Route::Found(_) => {}
            }
        }
        Ok(keys)
    }
}

impl ForeignKey {
    fn of(model: &'static ModelDef, columns: &[usize], refers_to: &'static ModelDef) -> Self {
        let columns = columns.iter().map(|column| model.columns[*column].name).collect();
        ForeignKey { model, columns, type_column: None, refers_to: vec![refers_to] }
    }
}
