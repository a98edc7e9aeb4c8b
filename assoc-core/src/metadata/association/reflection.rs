//! Reflection on models and associations at run time, by name and without types (F35).

use super::{AssociationDef, AssociationKind, Chain, ChainHop, ChainParts, KeySide};
use crate::error::Result;
use crate::metadata::model::ModelDef;

/// Columns of one table that refer to another's.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ForeignKey {
    /// The model on whose table the columns are. That of a join table has the table's name.
    pub model: &'static ModelDef,
    /// The columns, by their names in the database.
    pub columns: Vec<&'static str>,
    /// The column that names the target's type, for a polymorphic association.
    pub type_column: Option<&'static str>,
    /// The model they refer to, or all models of a polymorphic association.
    pub refers_to: Vec<&'static ModelDef>,
}

impl ModelDef {
    /// The associations of one kind, in the order of their declaration.
    pub fn associations_of(&self, kind: AssociationKind) -> impl Iterator<Item = &'static AssociationDef> + use<> {
        self.associations.iter().filter(move |association| association.association_kind() == kind)
    }
}

impl AssociationDef {
    /// The associations from the owner to the target, one after the other: the association itself, or the parts of a
    /// through association, to any depth.
    ///
    /// # Errors
    /// When a declaration contradicts itself, or the associations go through each other in a circle.
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
        Ok(Chain::keys(self)?.leaves().iter().map(|part| part.association).collect())
    }

    /// The foreign keys between owner and target, starting at the owner: one for a key, two for a join table, those of
    /// all parts for a through association, and none where hand-written SQL finds the rows.
    ///
    /// # Errors
    /// As [`chain`](Self::chain).
    pub fn foreign_keys(&'static self) -> Result<Vec<ForeignKey>> {
        let chain = Chain::keys(self)?;
        let of_part = |part: &&Chain| match &part.parts {
            ChainParts::ByType { hops, .. } => hops
                .first()
                .map_or_else(Vec::new, |first| vec![ForeignKey { refers_to: part.targets(), ..ForeignKey::of(first) }]),
            ChainParts::Key(_)
            | ChainParts::JoinTable { .. }
            | ChainParts::Through { .. }
            | ChainParts::CustomSql(_) => part.hops().into_iter().map(ForeignKey::of).collect(),
        };
        Ok(chain.leaves().iter().flat_map(of_part).collect())
    }

    /// The association that makes the rows of this one read-only: itself, or the source of a through association.
    #[must_use]
    pub fn read_only_by(&'static self) -> Option<&'static AssociationDef> {
        if self.options.readonly {
            return Some(self);
        }
        // Only the source of a through association can say so in its place.
        self.kind.parts()?;
        Chain::keys(self).ok()?.read_only_by()
    }
}

impl ForeignKey {
    fn of(hop: &ChainHop) -> Self {
        let ChainHop { key, owner, model, owner_type, .. } = hop;
        let (holder, columns, named, refers_to) = match hop.foreign_key {
            KeySide::Owner => (*owner, key.owner_columns, *owner_type, *model),
            KeySide::Target => (*model, key.target_columns, key.target_type, *owner),
        };
        ForeignKey {
            model: holder,
            columns: columns.iter().map(|column| holder.columns[*column].name).collect(),
            type_column: named.map(|named| holder.columns[named.column].name),
            refers_to: vec![refers_to],
        }
    }
}
