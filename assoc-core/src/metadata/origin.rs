//! Where a row came from, for rows that may not be changed.
//!
//! A model is a plain struct, so it remembers nothing it has no field for. A field of type [`RowOrigin`] is that memory: it
//! is no column, and what loads the row writes into it.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use crate::metadata::association::AssociationDef;

/// Where a row came from, in a field of its model. Not a column; the derive knows it by its type.
///
/// Rows loaded by a `readonly` query or through a `readonly` association are marked here, and saving or deleting them is
/// refused then. Everything else leaves it empty: also another copy of the same row, loaded by another way. Whoever
/// wants to change a marked row all the same loads it again, or clears the mark: `post.origin = RowOrigin::default()`.
///
/// Any two are equal, so that comparing two rows compares their columns. With serde, add `#[serde(skip)]`.
///
/// ```
/// use assoc_core::{HasMany, Model, RowOrigin};
/// # use assoc_macros::Model;
///
/// #[derive(Model, Debug, Clone, PartialEq)]
/// struct User {
///     id: i64,
///     #[has_many(readonly)]
///     posts: HasMany<Post>,
/// }
///
/// #[derive(Model, Debug, Clone, PartialEq)]
/// struct Post {
///     id: i64,
///     user_id: i64,
///     origin: RowOrigin,
/// }
///
/// assert_eq!(Post::DEF.columns.len(), 2);
/// let post = Post { id: 1, user_id: 1, origin: RowOrigin::default() };
/// assert!(!post.origin.is_read_only());
///
/// let marked = Post { origin: RowOrigin::read_only(Some(User::POSTS.def())), ..post.clone() };
/// assert!(marked.origin.is_read_only());
/// assert_eq!(marked, post);
/// ```
#[derive(Clone, Copy, Default)]
pub struct RowOrigin(Origin);

#[derive(Clone, Copy, Default)]
enum Origin {
    #[default]
    Free,
    ReadOnly(Option<&'static AssociationDef>),
}

impl RowOrigin {
    /// The mark of a row that may not be changed: loaded through an association, or by a query that said so.
    #[must_use]
    pub const fn read_only(by: Option<&'static AssociationDef>) -> Self {
        RowOrigin(Origin::ReadOnly(by))
    }

    /// Whether saving and deleting the row is refused.
    #[must_use]
    pub const fn is_read_only(&self) -> bool {
        matches!(self.0, Origin::ReadOnly(_))
    }

    /// The `readonly` association that loaded it.
    #[must_use]
    pub const fn association(&self) -> Option<&'static AssociationDef> {
        match self.0 {
            Origin::Free => None,
            Origin::ReadOnly(by) => by,
        }
    }
}

impl fmt::Debug for RowOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Origin::Free => f.write_str("RowOrigin"),
            Origin::ReadOnly(None) => f.write_str("ReadOnly"),
            Origin::ReadOnly(Some(by)) => write!(f, "ReadOnly({})", by.qualified_name()),
        }
    }
}

impl PartialEq for RowOrigin {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for RowOrigin {}

impl PartialOrd for RowOrigin {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for RowOrigin {
    fn cmp(&self, _: &Self) -> Ordering {
        Ordering::Equal
    }
}

impl Hash for RowOrigin {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

/// A model with a field of type [`RowOrigin`]. Derived.
#[diagnostic::on_unimplemented(
    message = "`readonly` needs a field of type `RowOrigin` in `{Self}`",
    label = "the rows of `{Self}` cannot say that they are read-only",
    note = "add `origin: RowOrigin` to `{Self}`: it is not stored"
)]
pub trait HasRowOrigin {}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::RowOrigin;

    #[test]
    fn a_mark_makes_no_row_another() {
        let (free, marked) = (RowOrigin::default(), RowOrigin::read_only(None));
        assert!(free == marked && free.cmp(&marked).is_eq());
        assert_eq!(HashSet::from([free, marked]).len(), 1);
        assert_eq!(format!("{free:?} {marked:?}"), "RowOrigin ReadOnly");
    }
}
