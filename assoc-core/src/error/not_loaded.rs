//! Reading an association that is not in memory.

use std::fmt;

/// Why an association cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NotLoadedReason {
    /// Nothing asked for it.
    NotRequested,
    /// It was loaded, the row it must have does not exist: a dangling key, or a `NULL` one.
    NoRow,
}

/// An association was read that is not in memory. Accessors never query: they answer with this error, which names
/// the model, the association and the remedy.
///
/// ```
/// use assoc_core::{AssociationNotLoaded, NotLoadedReason};
///
/// let error = AssociationNotLoaded::new("User", "posts", NotLoadedReason::NotRequested);
/// assert_eq!(
///     error.to_string(),
///     "association `User.posts` is not loaded: add `Query::preload(User::POSTS)` or call `repo.preload`",
/// );
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AssociationNotLoaded {
    model: &'static str,
    association: &'static str,
    reason: NotLoadedReason,
}

impl AssociationNotLoaded {
    /// Names the association and the reason.
    #[cold]
    #[must_use]
    pub fn new(model: &'static str, association: &'static str, reason: NotLoadedReason) -> Self {
        AssociationNotLoaded { model, association, reason }
    }

    /// The owner's model.
    #[must_use]
    pub fn model(&self) -> &'static str {
        self.model
    }

    /// The association's name.
    #[must_use]
    pub fn association(&self) -> &'static str {
        self.association
    }

    /// Why it cannot be read.
    #[must_use]
    pub fn reason(&self) -> NotLoadedReason {
        self.reason
    }
}

impl fmt::Display for AssociationNotLoaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (model, association) = (self.model, self.association);
        match self.reason {
            NotLoadedReason::NotRequested => write!(
                f,
                "association `{model}.{association}` is not loaded: add `Query::preload({model}::{})` or call `repo.preload`",
                association.to_uppercase()
            ),
            NotLoadedReason::NoRow => write!(
                f,
                "association `{model}.{association}` was loaded, but its row does not exist: make the field's type \
                 optional, or read it with `.loaded()`"
            ),
        }
    }
}

impl std::error::Error for AssociationNotLoaded {}
