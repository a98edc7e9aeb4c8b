//! What is said of an association of a row: the operations.

use super::{Member, NewMembers, Row, RowChange, Wanted};
use crate::error::FieldError;
use crate::metadata::association::AssociationDef;
use crate::value::Value;

/// What is said of one association of the row.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ChildChange {
    /// The association.
    pub association: &'static AssociationDef,
    /// What is said of it.
    pub op: ChildOp,
    // Columns of its key that a later call has set again.
    pub(super) overridden: Vec<usize>,
    // Where the member stood in the input.
    pub(super) place: Option<usize>,
    // How a row that goes was named.
    pub(super) named_by: NamedBy,
}

/// How a member that goes was named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NamedBy {
    /// Its struct says of which version it was when it was read.
    Struct,
    /// Its version is not known.
    Key,
}

impl ChildChange {
    pub(super) fn new(association: &'static AssociationDef, op: ChildOp) -> Self {
        ChildChange { association, op, overridden: Vec::new(), place: None, named_by: NamedBy::Struct }
    }

    pub(crate) fn named_by(&self) -> NamedBy {
        self.named_by
    }
}

/// The operations on an association.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ChildOp {
    /// The row belongs to a row that exists: these columns hold its key, and its type.
    Associate {
        /// Columns of the owner with their values.
        key: Vec<(usize, Value<'static>)>,
    },
    /// The row belongs to no row.
    Dissociate,
    /// The operation is refused for this reason, unless a later call overrides it.
    Refused(Box<FieldError>),
    /// The row belongs to a row that is saved first.
    AssociateWith {
        /// That row.
        target: Member,
        /// Columns of the owner whose values are known before: what was given to the target, and its type.
        key: Vec<(usize, Value<'static>)>,
    },
    /// A member more.
    Push {
        /// The member.
        member: Member,
        /// What is to be written to the row between, where there is one.
        join: Option<Box<RowChange>>,
    },
    /// New members, of which nothing is said but their columns.
    PushNew(NewMembers),
    /// Changes of a member.
    Edit(Box<RowChange>),
    /// A member, which is one no longer.
    Remove(Row),
    /// These are the members, and no others.
    Replace(Vec<Member>),
    /// A member that is to be found among the owner's before something is done with it.
    Find(Box<Wanted>),
    /// One UPDATE or DELETE removes all members: no callback runs, and members with `dependent = "destroy"` are deleted without
    /// being destroyed. Replacing the members by an empty list runs callbacks and destroys.
    Clear,
}

impl ChildOp {
    /// The members that it brings, in their order. Those of [`PushNew`](Self::PushNew) are not among them.
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use assoc_core::change::{ChildOp, Member};
    ///
    /// let row = Member::Row { model: Post::DEF, row: std::sync::Arc::new(post(7, 1, "On looms")) };
    /// assert_eq!(ChildOp::Replace(vec![row.clone(), row]).members().len(), 2);
    /// assert!(ChildOp::Clear.members().is_empty());
    /// ```
    #[must_use]
    pub fn members(&self) -> &[Member] {
        match self {
            ChildOp::AssociateWith { target: member, .. } | ChildOp::Push { member, .. } => {
                std::slice::from_ref(member)
            }
            ChildOp::Replace(members) => members,
            ChildOp::Associate { .. }
            | ChildOp::Dissociate
            | ChildOp::Refused(_)
            | ChildOp::PushNew(_)
            | ChildOp::Edit(_)
            | ChildOp::Remove(_)
            | ChildOp::Clear
            | ChildOp::Find(_) => &[],
        }
    }

    /// How many things are said: of each member one.
    pub(crate) fn count(&self) -> usize {
        match self {
            ChildOp::PushNew(members) => members.len(),
            _ => 1,
        }
    }

    // Whether it gives the row's own key columns values that another association may need to be different.
    pub(super) fn is_association(&self) -> bool {
        matches!(self, ChildOp::Associate { .. } | ChildOp::AssociateWith { .. })
    }
}
