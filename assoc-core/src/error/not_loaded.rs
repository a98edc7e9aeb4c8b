//! The error of reading an association that is not in memory.

use std::fmt;

/// Why an association cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NotLoadedReason {
    /// The association was not requested.
    NotRequested,
    /// The field holds an aggregate ([`Aggregated`](crate::Aggregated)), and no request computed it.
    NotComputed,
    /// The association is loaded, but the row that it must have does not exist: its key is dangling or `NULL`.
    NoRow,
    /// The association is loaded under a filter, and no row that it must have is found there. The row may exist, hidden by the
    /// filter.
    Hidden(HiddenBy),
    /// The row names a type that is none of the polymorphic association's variants, and the association leaves such
    /// rows not loaded.
    UnknownType,
}

/// Whose filter a row was looked up under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HiddenBy {
    /// The repo's: `repo.filtered`.
    FilteredRepo,
    /// The default scope or the tag of a model.
    ModelScope,
    /// The association's: its scope, or that of one it goes through.
    Declared,
    /// The request's: it may leave rows out, by a condition, a limit, `unscoped`, columns or a joined query. Also the state of
    /// what was read back by serde or made by `partial`.
    Requested,
    /// More than one of the first three.
    Several,
}

impl HiddenBy {
    const fn filter(self) -> &'static str {
        match self {
            HiddenBy::FilteredRepo => "the filter of `repo.filtered`",
            HiddenBy::ModelScope => "the default scope or tag of a model",
            HiddenBy::Declared => "the condition that the association declares",
            HiddenBy::Requested => "a request that may leave rows out",
            HiddenBy::Several => "the filters of repo, model and association",
        }
    }
}

/// The error of reading an association that is not in memory. Accessors never run a query: they return this error,
/// which names the model, the association and the remedy.
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssociationNotLoaded {
    model: &'static str,
    association: &'static str,
    reason: NotLoadedReason,
    tag: Option<Box<str>>,
}

impl AssociationNotLoaded {
    /// Makes the error of an association, with the reason.
    ///
    /// ```
    /// use assoc_core::{AssociationNotLoaded, NotLoadedReason};
    ///
    /// let error = AssociationNotLoaded::new("User", "posts", NotLoadedReason::NotRequested);
    /// assert!(error.to_string().contains("Query::preload(User::POSTS)"));
    /// ```
    #[cold]
    #[must_use]
    pub fn new(model: &'static str, association: &'static str, reason: NotLoadedReason) -> Self {
        AssociationNotLoaded { model, association, reason, tag: None }
    }

    /// Makes the error of an association whose row names an unknown type.
    ///
    /// ```
    /// use assoc_core::{AssociationNotLoaded, NotLoadedReason};
    ///
    /// let error = AssociationNotLoaded::unknown_type("Note", "on", "Ticket");
    /// assert_eq!((error.reason(), error.tag()), (NotLoadedReason::UnknownType, Some("Ticket")));
    /// ```
    #[cold]
    #[must_use]
    pub fn unknown_type(model: &'static str, association: &'static str, tag: &str) -> Self {
        let reason = NotLoadedReason::UnknownType;
        AssociationNotLoaded { model, association, reason, tag: Some(tag.into()) }
    }

    /// The unknown type that the row names, if that is the reason.
    ///
    /// ```
    /// use assoc_core::{AssociationNotLoaded, NotLoadedReason};
    ///
    /// let error = AssociationNotLoaded::new("User", "posts", NotLoadedReason::NotRequested);
    /// assert_eq!(error.tag(), None);
    /// ```
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The owner's model.
    ///
    /// ```
    /// use assoc_core::{AssociationNotLoaded, NotLoadedReason};
    ///
    /// let error = AssociationNotLoaded::new("User", "posts", NotLoadedReason::NotRequested);
    /// assert_eq!(error.model(), "User");
    /// ```
    #[must_use]
    pub fn model(&self) -> &'static str {
        self.model
    }

    /// The association's name.
    ///
    /// ```
    /// use assoc_core::{AssociationNotLoaded, NotLoadedReason};
    ///
    /// let error = AssociationNotLoaded::new("User", "posts", NotLoadedReason::NotRequested);
    /// assert_eq!(error.association(), "posts");
    /// ```
    #[must_use]
    pub fn association(&self) -> &'static str {
        self.association
    }

    /// Why it cannot be read.
    ///
    /// ```
    /// use assoc_core::{AssociationNotLoaded, NotLoadedReason};
    ///
    /// let error = AssociationNotLoaded::new("User", "posts", NotLoadedReason::NotRequested);
    /// assert_eq!(error.reason(), NotLoadedReason::NotRequested);
    /// ```
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
            NotLoadedReason::NotComputed => {
                let field = association.to_uppercase();
                write!(
                    f,
                    "aggregate `{model}.{association}` is not loaded: add `.count_into({model}::{field})` or \
                     `.aggregate_into({model}::{field}, …)` of an association to the preloads"
                )
            }
            NotLoadedReason::NoRow => write!(
                f,
                "association `{model}.{association}` was loaded, but its row does not exist: make the field's type \
                 optional, or read it with `.loaded()`"
            ),
            NotLoadedReason::Hidden(by) => write!(
                f,
                "association `{model}.{association}` was loaded, but no row is found under {}; it may exist: `reload` it without \
                 the filter, make the field's type optional, or read it with `.loaded()`",
                by.filter()
            ),
            NotLoadedReason::UnknownType => {
                write!(f, "association `{model}.{association}` stays not loaded: its type ")?;
                if let Some(tag) = &self.tag {
                    write!(f, "`{tag}` ")?;
                }
                f.write_str("is none that it knows; add a variant for it to the enum, or leave such rows out")
            }
        }
    }
}

impl std::error::Error for AssociationNotLoaded {}
