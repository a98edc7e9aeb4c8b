//! How a target is linked to its owner, and so what a write changes.

use std::borrow::Cow;

use super::{AssociationDef, KeyJoin, KeySide, VariantDef};
use crate::error::Result;
use crate::metadata::expr::Expr;
use crate::metadata::model::{Discriminator, ModelDef};

/// How a target is linked to its owner. Each kind of association answers for itself.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Linkage {
    /// The owner's row contains the target's key. Linking writes the owner.
    OwnerKey(KeyJoin),
    /// The owner's row contains the target's key and type. Linking writes both.
    OwnerKeyAndType {
        /// The owner's key columns.
        owner_columns: &'static [usize],
        /// The owner's column that names the type.
        type_column: usize,
        /// The types, each with its tag and the columns that the key refers to.
        variants: &'static [VariantDef],
    },
    /// The target's row contains the owner's key, and its type if the key [has one](KeyJoin::target_type). Linking
    /// writes the target.
    TargetKey(KeyJoin),
    /// A join row contains both keys. Linking inserts such a row, and unlinking deletes it.
    JoinRecord(JoinRecord),
    /// No single row links the two, for this reason.
    ReadOnly(Cow<'static, str>),
}

/// The row between an owner and its target, which contains the keys of both.
///
/// ```
#[doc = include_str!("../../../docs/blog.txt")]
/// use assoc_core::metadata::{DefaultScope, Linkage};
///
/// let tags = Post::TAGS.def();
/// let Linkage::JoinRecord(record) = tags.linkage()? else { panic!("a row between") };
/// assert_eq!(record.table.table.name, "posts_tags");
/// // Neither the association nor a default scope says more.
/// assert!(record.conditions_on_rows().is_always());
/// assert!(record.conditions_on_targets(tags, DefaultScope::Kept).is_always());
/// assert!(DefaultScope::Kept.of_members(tags).is_always());
/// # Ok::<(), assoc_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct JoinRecord {
    /// Its table.
    pub table: &'static ModelDef,
    /// The association of the owner to these rows, if there is one.
    pub rows: Option<&'static AssociationDef>,
    /// The association of these rows to the target, if there is one.
    pub source: Option<&'static AssociationDef>,
    /// The key from the owner to the row, which contains it. It includes the owner's type where the key [has
    /// one](KeyJoin::target_type).
    pub owner: KeyJoin,
    /// The key from the row, which contains it, to the target.
    pub target: KeyJoin,
    /// The column of the row that names the target's type, and the tag.
    pub target_type: Option<Discriminator>,
}

impl JoinRecord {
    /// Which rows between an association reads: by the conditions of the association to them and the default scope of their model.
    /// The type of their model is no part of it: each statement on its table has that.
    #[must_use]
    pub fn conditions_on_rows(&self) -> Expr {
        let scope = self.rows.map(AssociationDef::scope).unwrap_or_default();
        let own = DefaultScope::unless(scope.unscoped).filter(self.table).and(scope.filter);
        match self.target_type {
            Some(named) => Expr::tagged(&self.table.columns[named.column], named.tag).and(own),
            None => own,
        }
    }

    /// Which targets an association of these rows sees: by its conditions, those of its source, and the default scope of their
    /// model. The type of their model is no part of it: each statement on its table has that.
    #[must_use]
    pub fn conditions_on_targets(&self, association: &AssociationDef, default_scope: DefaultScope) -> Expr {
        let source = self.source.map(AssociationDef::scope).unwrap_or_default();
        let default_scope = if source.unscoped { DefaultScope::LeftOut } else { default_scope };
        default_scope.of_members(association).and(source.filter).and(association.scope().filter)
    }
}

/// Whether the default scope of a model decides which of its rows are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DefaultScope {
    /// It does, unless the association leaves it out.
    Kept,
    /// It does not: the rows are named.
    LeftOut,
}

impl DefaultScope {
    fn unless(left_out: bool) -> Self {
        if left_out { DefaultScope::LeftOut } else { DefaultScope::Kept }
    }

    /// The condition of the default scope of an association's target.
    ///
    /// ```
    #[doc = include_str!("../../../docs/blog.txt")]
    /// use assoc_core::Scope;
    /// use assoc_core::metadata::DefaultScope;
    /// #[derive(assoc_macros::Model, Clone)]
    /// struct Account {
    ///     id: i64,
    ///     #[has_many]
    ///     notes: assoc_core::HasMany<Note>,
    /// }
    ///
    /// #[derive(assoc_macros::Model, Clone)]
    /// #[model(default_scope = kept)]
    /// struct Note {
    ///     id: i64,
    ///     account_id: i64,
    ///     kept: bool,
    /// }
    ///
    /// fn kept(notes: Scope<Note>) -> Scope<Note> {
    ///     notes.filter(Note::KEPT.eq(true))
    /// }
    ///
    /// assert_eq!(DefaultScope::Kept.of_members(Account::NOTES.def()), Note::KEPT.eq(true).into_expr());
    /// assert!(DefaultScope::LeftOut.of_members(Account::NOTES.def()).is_always());
    /// ```
    #[must_use]
    pub fn of_members(self, association: &AssociationDef) -> Expr {
        let kept = if association.scope().unscoped { DefaultScope::LeftOut } else { self };
        kept.filter((association.target)())
    }

    fn filter(self, model: &ModelDef) -> Expr {
        match model.default_scope {
            Some(scope) if self == DefaultScope::Kept => scope().filter,
            _ => Expr::always(),
        }
    }
}

impl Linkage {
    /// The key between owner and target, seen from the owner, and which of the two rows contains it. `None` where more
    /// than a key links them.
    ///
    /// ```
    #[doc = include_str!("../../../docs/blog.txt")]
    /// use assoc_core::metadata::KeySide;
    ///
    /// let side = |association: &'static assoc_core::metadata::AssociationDef| {
    ///     Ok::<_, assoc_core::Error>(association.linkage()?.key().map(|(side, _)| side))
    /// };
    /// assert_eq!(side(Post::USER.def())?, Some(KeySide::Owner));
    /// assert_eq!(side(User::POSTS.def())?, Some(KeySide::Target));
    /// assert_eq!(side(Post::TAGS.def())?, None, "a row between holds both keys");
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    #[must_use]
    pub fn key(&self) -> Option<(KeySide, KeyJoin)> {
        match self {
            Linkage::OwnerKey(key) => Some((KeySide::Owner, *key)),
            Linkage::TargetKey(key) => Some((KeySide::Target, *key)),
            Linkage::OwnerKeyAndType { .. } | Linkage::JoinRecord(_) | Linkage::ReadOnly(_) => None,
        }
    }
}

impl AssociationDef {
    /// How a target is linked to its owner.
    ///
    /// # Errors
    /// When the declaration contradicts itself.
    ///
    /// ```
    /// # use assoc_core::metadata::Linkage;
    /// # use assoc_core::{BelongsTo, HasMany, HasManyThrough, Model};
    /// # use assoc_macros::Model;
    /// # #[derive(Model, Clone)]
    /// # struct User {
    /// #     id: i64,
    /// #     #[has_many]
    /// #     memberships: HasMany<Membership>,
    /// #     #[has_many(through = "memberships")]
    /// #     groups: HasManyThrough<Group>,
    /// # }
    /// # #[derive(Model, Clone)]
    /// # struct Membership {
    /// #     id: i64,
    /// #     user_id: i64,
    /// #     group_id: i64,
    /// #     #[belongs_to]
    /// #     group: BelongsTo<Group>,
    /// # }
    /// # #[derive(Model, Clone)]
    /// # struct Group { id: i64 }
    /// assert!(matches!(Membership::GROUP.def().linkage()?, Linkage::OwnerKey(_)));
    /// assert!(matches!(User::MEMBERSHIPS.def().linkage()?, Linkage::TargetKey(_)));
    /// let Linkage::JoinRecord(row) = User::GROUPS.def().linkage()? else { panic!("a row between") };
    /// assert_eq!(row.table, Membership::DEF);
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    pub fn linkage(&self) -> Result<Linkage> {
        self.kind.linkage(self)
    }
}
