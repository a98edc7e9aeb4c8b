//! What can be given to an association: rows that exist, new rows, changes of rows.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use super::{Row, RowChange};
use crate::metadata::model::ModelDef;

/// A member of an association, as it was given.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use std::sync::Arc;
///
/// use assoc_core::change::{Member, RowChange};
///
/// let row = Member::Row { model: Post::DEF, row: Arc::new(post(7, 1, "On looms")) };
/// assert!(row.model() == Post::DEF && row.existing().is_some() && row.change().is_none());
/// let new = Member::Change(RowChange::new(Post::DEF));
/// assert!(new.existing().is_none() && new.change().is_some_and(RowChange::is_new));
/// ```
#[derive(Clone)]
#[non_exhaustive]
// Most members of large saves are changes. A `Box` around each would cost one more allocation per member.
#[allow(clippy::large_enum_variant)]
pub enum Member {
    /// A row that exists. Nothing is said of its own columns.
    Row {
        /// Its model.
        model: &'static ModelDef,
        /// The row.
        row: Row,
    },
    /// A new row, or changes of one that exists.
    Change(RowChange),
    /// A new row that is given to several associations: it is inserted once.
    Shared(Arc<RowChange>),
}

impl Member {
    /// The row's model.
    #[must_use]
    pub fn model(&self) -> &'static ModelDef {
        match self {
            Member::Row { model, .. } => model,
            Member::Change(change) => change.model(),
            Member::Shared(change) => change.model(),
        }
    }

    /// What is to be written to the row.
    #[must_use]
    pub fn change(&self) -> Option<&RowChange> {
        match self {
            Member::Row { .. } => None,
            Member::Change(change) => Some(change),
            Member::Shared(change) => Some(change),
        }
    }

    /// The row as it is, if it exists.
    #[must_use]
    pub fn existing(&self) -> Option<&Row> {
        match self {
            Member::Row { row, .. } => Some(row),
            Member::Change(change) => change.base(),
            Member::Shared(change) => change.base(),
        }
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Member::Row { model, row } => match model.key_of(&**row) {
                Some(key) => write!(f, "{} {key}", model.name),
                None => f.write_str(model.name),
            },
            Member::Change(change) => fmt::Debug::fmt(change, f),
            Member::Shared(change) => fmt::Debug::fmt(change, f),
        }
    }
}

/// A member on its way into a change. A row that only lends its key need not be copied.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use assoc_core::change::Given;
///
/// let row = post(7, 1, "On looms");
/// let member = Given::Row(Post::DEF, &row).into_member().expect("a post");
/// assert_eq!(format!("{member:?}"), "Post 7");
/// // It is no row of users.
/// assert!(Given::Row(User::DEF, &row).into_member().is_none());
/// ```
#[non_exhaustive]
pub enum Given<'r> {
    /// A row that exists.
    Row(&'static ModelDef, &'r dyn Any),
    /// Anything else.
    Member(Member),
}

impl Given<'_> {
    /// The member, for which a row is copied with what is loaded in it: the owner's target in memory is that row then.
    #[must_use]
    pub fn into_member(self) -> Option<Member> {
        match self {
            Given::Row(model, row) => Some(Member::Row { model, row: model.rows.whole_copy(row)? }),
            Given::Member(member) => Some(member),
        }
    }
}
