//! The origin of a row, for rows that may not be changed.
//!
//! A model is a plain struct, so it remembers only what it has a field for. A field of type [`RowOrigin`] remembers the
//! origin: it is not a column, and loading the row sets it.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use crate::metadata::association::AssociationDef;

/// The origin of a row, in a field of its model. The field is not a column; the derive recognises its type.
///
/// A `readonly` query or association marks the rows it loads here, and the repo then refuses to save or delete them.
/// Every other load leaves the mark empty, even for another copy of the same row. To change a marked row, load it again
/// or clear the mark: `post.origin = RowOrigin::default()`.
///
/// All values are equal, so that comparing two rows compares their columns. With serde, add `#[serde(skip)]`.
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
    /// The mark of a row that may be changed, as [`RowOrigin::default`], in a constant.
    ///
    /// ```
    /// use assoc_core::RowOrigin;
    ///
    /// const FREE: RowOrigin = RowOrigin::free();
    /// assert!(!FREE.is_read_only());
    /// ```
    #[must_use]
    pub const fn free() -> Self {
        RowOrigin(Origin::Free)
    }

    /// The mark of a row that may not be changed, because a `readonly` query or the association `by` loaded it.
    #[must_use]
    pub const fn read_only(by: Option<&'static AssociationDef>) -> Self {
        RowOrigin(Origin::ReadOnly(by))
    }

    /// Whether the repo refuses to save and delete the row.
    #[must_use]
    pub const fn is_read_only(&self) -> bool {
        matches!(self.0, Origin::ReadOnly(_))
    }

    /// The `readonly` association that loaded it.
    ///
    /// ```
    /// # use assoc_core::{HasMany, Model};
    /// use assoc_core::RowOrigin;
    /// # #[derive(assoc_macros::Model, Clone)]
    /// # struct User { id: i64, #[has_many(readonly)] posts: HasMany<Post> }
    /// # #[derive(assoc_macros::Model, Clone)]
    /// # struct Post { id: i64, user_id: i64, origin: RowOrigin }
    ///
    /// assert_eq!(RowOrigin::read_only(Some(User::POSTS.def())).association(), Some(User::POSTS.def()));
    /// assert_eq!(RowOrigin::read_only(None).association(), None, "a `readonly` query");
    /// ```
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

/// A model with a field of type [`RowOrigin`]. The derive implements this.
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
