//! How a target is linked to its owner: what a write has to change.

use std::borrow::Cow;

use super::{AssociationDef, KeyJoin, KeySide, VariantDef};
use crate::error::Result;
use crate::metadata::model::{Discriminator, ModelDef};

/// How a target is linked to its owner. Each kind of association answers for itself.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Linkage {
    /// The owner's row holds the target's key: linking writes the owner.
    OwnerKey(KeyJoin),
    /// The owner's row holds the target's key, and its type: linking writes both.
    OwnerKeyAndType {
        /// The owner's columns that hold the key.
        owner_columns: &'static [usize],
        /// The owner's column that names the type.
        type_column: usize,
        /// The types, each with its tag and the columns that the key refers to.
        variants: &'static [VariantDef],
    },
    /// The target's row holds the owner's key, and its type if the key [has one](KeyJoin::target_type): linking writes the
    /// target.
    TargetKey(KeyJoin),
    /// A row of a table between holds both keys: linking inserts such a row, unlinking deletes it.
    JoinRecord(JoinRecord),
    /// There is no single row to write.
    ReadOnly(Cow<'static, str>),
}

/// The row between an owner and its target, which holds the keys of both.
#[derive(Debug, Clone, Copy)]
pub struct JoinRecord {
    /// Its table.
    pub table: &'static ModelDef,
    /// The association of the owner that leads to the rows, where they have one.
    pub rows: Option<&'static AssociationDef>,
    /// The key from the owner to the row, which holds it, and the owner's type where the key
    /// [has one](KeyJoin::target_type).
    pub owner: KeyJoin,
    /// The key from the row, which holds it, to the target.
    pub target: KeyJoin,
    /// The column of the row that names the target's type, and the tag.
    pub target_type: Option<Discriminator>,
}

impl Linkage {
    /// The key between owner and target, seen from the owner, and which of the two rows holds it. None where there is
    /// more to it than a key.
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
    /// When the declaration does not hold together.
    ///
    /// ```
    /// # use assoc_core::{BelongsTo, HasMany, HasManyThrough, Linkage, Model};
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
