//! How a target is linked to its owner, and so what a write changes.

use std::borrow::Cow;

use super::{AssociationDef, KeyJoin, KeySide, VariantDef};
use crate::error::Result;
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
#[derive(Debug, Clone, Copy)]
pub struct JoinRecord {
    /// Its table.
    pub table: &'static ModelDef,
    /// The association of the owner to these rows, if there is one.
    pub rows: Option<&'static AssociationDef>,
    /// The key from the owner to the row, which contains it. It includes the owner's type where the key [has
    /// one](KeyJoin::target_type).
    pub owner: KeyJoin,
    /// The key from the row, which contains it, to the target.
    pub target: KeyJoin,
    /// The column of the row that names the target's type, and the tag.
    pub target_type: Option<Discriminator>,
}

impl Linkage {
    /// The key between owner and target, seen from the owner, and which of the two rows contains it. `None` where more
    /// than a key links them.
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
