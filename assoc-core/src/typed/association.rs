//! The typed face of an association: the constant `User::POSTS`.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

use crate::error::{AssociationNotLoaded, NotLoadedReason};
use crate::metadata::association::AssociationDef;
use crate::typed::sealed;

/// An association of model `O` to model `T`, whose field has type `H`. The derive makes one constant per association,
/// such as `User::POSTS`.
pub struct Association<O, T, H> {
    def: &'static AssociationDef,
    types: PhantomData<fn() -> (O, T, H)>,
}

impl<O, T, H> Clone for Association<O, T, H> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<O, T, H> Copy for Association<O, T, H> {}

impl<O, T, H> Association<O, T, H> {
    /// Makes the token of an association. The derive calls this, and checks that the types are those of `def`.
    #[doc(hidden)]
    #[must_use]
    pub const fn new(def: &'static AssociationDef) -> Self {
        Association { def, types: PhantomData }
    }

    /// The association as data.
    ///
    /// ```
    #[doc = include_str!("../../docs/users.txt")]
    /// assert_eq!(User::POSTS.def().qualified_name(), "User.posts");
    /// ```
    #[must_use]
    pub const fn def(self) -> &'static AssociationDef {
        self.def
    }

    /// The name of the association.
    ///
    /// ```
    #[doc = include_str!("../../docs/users.txt")]
    /// assert_eq!(User::POSTS.name(), "posts");
    /// ```
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.def.name
    }

    /// The error of reading the association while it is not loaded. An accessor written by hand returns it, as the
    /// derived accessor does.
    ///
    /// ```
    #[doc = include_str!("../../docs/users.txt")]
    /// # let user = User { id: 1, name: "Ada".to_owned(), age: None, posts: HasMany::default() };
    /// let posts = user.posts.get().map_err(|reason| User::POSTS.not_loaded(reason));
    /// assert!(posts.unwrap_err().to_string().starts_with("association `User.posts` is not loaded"));
    /// ```
    #[cold]
    #[must_use]
    pub fn not_loaded(self, reason: NotLoadedReason) -> AssociationNotLoaded {
        AssociationNotLoaded::new((self.def.owner)().name, self.def.name, reason)
    }
}

/// Two tokens are equal if they name the same association of the same model.
impl<O, T, H> PartialEq for Association<O, T, H> {
    fn eq(&self, other: &Self) -> bool {
        self.def == other.def
    }
}

impl<O, T, H> Eq for Association<O, T, H> {}

impl<O, T, H> Hash for Association<O, T, H> {
    fn hash<S: Hasher>(&self, state: &mut S) {
        self.def.hash(state);
    }
}

impl<O, T, H> fmt::Debug for Association<O, T, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.def, f)
    }
}

/// A foreign key column of this type can refer to a key of type `K`. The types are the same, or one is an `Option` of
/// the other.
#[diagnostic::on_unimplemented(
    message = "a foreign key of type `{Self}` cannot refer to a key of type `{K}`",
    label = "this association's foreign key has another type than the key it refers to",
    note = "make the column `{K}` or `Option<{K}>`, or name another column with `foreign_key = \"…\"` or `primary_key = \"…\"`"
)]
pub trait ForeignKeyFor<K>: sealed::ForeignKeyFor<K> {}

impl<K> ForeignKeyFor<K> for K {}
impl<K> ForeignKeyFor<K> for Option<K> {}
impl<K> ForeignKeyFor<Option<K>> for K {}
