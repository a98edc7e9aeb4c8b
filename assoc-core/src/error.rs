//! The one error type, its kinds, and the two errors with their own data: [`AssociationNotLoaded`] and [`DriverError`].
//!
//! An [`Error`] is one pointer wide, so that `Result`s stay small where nothing fails. Its content is data: match on
//! [`Error::kind`], or call one of the `is_…` methods. Every message names the model, the association or column, the
//! key where there is one, and the remedy.

use std::any::Any;
use std::fmt;

mod cursor;
mod decode;
mod driver;
mod excerpt;
mod field;
mod grouped;
mod include;
mod kind;
mod not_loaded;
mod restricted;

pub use cursor::CursorProblem;
pub use decode::DecodeError;
pub use driver::{DriverError, DriverErrorKind};
pub use excerpt::excerpt;
pub use field::FieldError;
pub use grouped::GroupedUse;
pub use include::{IncludeProblem, InvalidInclude};
pub use kind::ErrorKind;
pub use not_loaded::{AssociationNotLoaded, HiddenBy, NotLoadedReason};
pub use restricted::{RestrictRule, Restricted};

/// A result whose error is an [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The error of every operation of this library.
///
/// ```
/// use assoc_core::{Error, ErrorKind};
///
/// let error = Error::from(ErrorKind::NotFound { model: "User", key: "7".into() });
/// assert!(error.is_not_found());
/// assert_eq!(error.to_string(), "no User with key 7");
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    // What was refused.
    refused: Option<Box<dyn Any + Send + Sync>>,
    // What a violated constraint says of fields.
    fields: Vec<FieldError>,
    // The error that this one explains.
    cause: Option<Error>,
}

impl Error {
    /// What failed, as data.
    ///
    /// ```
    /// use assoc_core::{Error, ErrorKind};
    ///
    /// let error = Error::invalid_query("User", "a limit of a count");
    /// assert!(matches!(error.kind(), ErrorKind::InvalidQuery { model: "User", .. }));
    /// ```
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// What failed, by value.
    ///
    /// ```
    /// use assoc_core::{Error, ErrorKind};
    ///
    /// #[derive(Debug, thiserror::Error)]
    /// #[error("sold out")]
    /// struct SoldOut;
    ///
    /// let ErrorKind::Other(own) = Error::other(SoldOut).into_kind() else { panic!("another kind") };
    /// assert!(own.downcast_ref::<SoldOut>().is_some());
    /// ```
    #[must_use]
    pub fn into_kind(self) -> ErrorKind {
        self.0.kind
    }

    /// The same error with what it refused.
    ///
    /// ```
    /// use assoc_core::Error;
    ///
    /// let error = Error::other("no").with_refused("what a form had");
    /// assert_eq!(error.refused().and_then(|refused| refused.downcast_ref::<&str>()), Some(&"what a form had"));
    /// ```
    #[must_use]
    pub fn with_refused(mut self, refused: impl Any + Send + Sync) -> Self {
        self.0.refused = Some(Box::new(refused));
        self
    }

    /// What was refused: of a save the changes, so that a form can be shown again.
    ///
    /// ```
    /// # use assoc_core::Error;
    /// assert!(Error::other("no").refused().is_none());
    /// ```
    #[must_use]
    pub fn refused(&self) -> Option<&(dyn Any + Send + Sync)> {
        self.0.refused.as_deref()
    }

    /// The problems of fields: those of an invalid changeset, and of a violated constraint as far as the database says which
    /// columns it has. Empty for all other errors.
    ///
    /// ```
    /// use assoc_core::{Error, ErrorKind, FieldError};
    ///
    /// let errors = vec![FieldError::new("posts[1].title", "is missing").with_code(FieldError::MISSING)];
    /// let error = Error::from(ErrorKind::Invalid { model: "User", errors });
    /// assert_eq!(error.field_errors()[0].path, "posts[1].title");
    /// ```
    #[must_use]
    pub fn field_errors(&self) -> &[FieldError] {
        match self.kind() {
            ErrorKind::Invalid { errors, .. } => errors,
            ErrorKind::Step { source, .. } => source.field_errors(),
            _ => &self.0.fields,
        }
    }

    /// The same error with what it says of fields.
    ///
    /// ```
    /// use assoc_core::{DriverError, DriverErrorKind, Error, FieldError};
    ///
    /// let error = Error::from(DriverError::new(DriverErrorKind::UniqueViolation, "users.email"));
    /// let error = error.with_field_errors(vec![FieldError::new("email", "is taken")]);
    /// assert_eq!(error.field_errors()[0].path, "email");
    /// ```
    #[must_use]
    pub fn with_field_errors(mut self, errors: Vec<FieldError>) -> Self {
        self.0.fields = errors;
        self
    }

    /// The refusal of a changeset that this error, of the database, stands for. It keeps the error as its source.
    ///
    /// ```
    /// use assoc_core::{DriverError, DriverErrorKind, Error, ErrorKind, FieldError};
    ///
    /// let violation = Error::from(DriverError::new(DriverErrorKind::UniqueViolation, "users.email"));
    /// let invalid = violation.into_invalid("User", vec![FieldError::new("email", "is taken")]);
    /// assert!(matches!(invalid.kind(), ErrorKind::Invalid { .. }));
    /// assert!(invalid.is_unique_violation()); // its source is
    /// ```
    #[must_use]
    pub fn into_invalid(self, model: &'static str, errors: Vec<FieldError>) -> Self {
        let mut invalid = Error::from(ErrorKind::Invalid { model, errors });
        invalid.0.cause = Some(self);
        invalid
    }

    /// Wraps an error of the program, so that `?` works in callbacks and transactions.
    ///
    /// ```
    /// # use assoc_core::Error;
    /// assert_eq!(Error::other("sold out").to_string(), "sold out");
    /// ```
    pub fn other(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        ErrorKind::Other(error.into()).into()
    }

    /// An error for a query that contradicts itself.
    ///
    /// ```
    /// # use assoc_core::Error;
    /// let error = Error::invalid_query("User", "a cursor needs an order");
    /// assert!(error.to_string().contains("a cursor needs an order"));
    /// ```
    pub fn invalid_query(model: &'static str, message: impl Into<String>) -> Self {
        ErrorKind::InvalidQuery { model, message: message.into() }.into()
    }

    /// An error for a feature that the backend lacks.
    ///
    /// ```
    /// # use assoc_core::Error;
    /// let error = Error::unsupported("SQLite", "row locks");
    /// assert!(error.to_string().contains("row locks"));
    /// ```
    pub fn unsupported(backend: &'static str, what: impl Into<String>) -> Self {
        ErrorKind::Unsupported { backend, what: what.into() }.into()
    }

    /// Whether the program read an association that is not loaded.
    ///
    /// ```
    /// use assoc_core::{AssociationNotLoaded, Error, NotLoadedReason};
    ///
    /// let error = Error::from(AssociationNotLoaded::new("User", "posts", NotLoadedReason::NotRequested));
    /// assert!(error.is_not_loaded());
    /// ```
    #[must_use]
    pub fn is_not_loaded(&self) -> bool {
        matches!(self.kind(), ErrorKind::NotLoaded(_))
    }

    /// Whether a row that must exist does not.
    ///
    /// ```
    /// use assoc_core::{Error, ErrorKind};
    ///
    /// let error = Error::from(ErrorKind::NotFound { model: "User", key: "7".to_owned() });
    /// assert!(error.is_not_found());
    /// ```
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self.kind(), ErrorKind::NotFound { .. } | ErrorKind::NotMember { .. })
    }

    /// Whether a cursor says no place in the order of the query. A web application answers that the request is wrong, or
    /// shows the first page.
    ///
    /// ```
    /// # use assoc_core::Error;
    /// fn status_of(error: &Error) -> u16 {
    ///     if error.is_invalid_cursor() || error.is_invalid_include() { 400 } else { 500 }
    /// }
    /// # assert_eq!(status_of(&Error::other("no")), 500);
    /// ```
    #[must_use]
    pub fn is_invalid_cursor(&self) -> bool {
        matches!(self.kind(), ErrorKind::InvalidCursor { .. })
    }

    /// Whether a client asked for associations by names that it may not have. A web application answers that the request is
    /// wrong: [`InvalidInclude`] says which part, and what is allowed there.
    ///
    /// ```
    /// use assoc_core::{Error, ErrorKind, IncludeProblem, InvalidInclude};
    ///
    /// let invalid = InvalidInclude::new("posts..comments", "", IncludeProblem::EmptyName);
    /// assert!(Error::from(ErrorKind::InvalidInclude(invalid)).is_invalid_include());
    /// ```
    #[must_use]
    pub fn is_invalid_include(&self) -> bool {
        matches!(self.kind(), ErrorKind::InvalidInclude(_))
    }

    /// Whether a row was to be written that another update has changed since it was read.
    ///
    /// ```
    /// # use assoc_core::Error;
    /// fn status_of(error: &Error) -> u16 {
    ///     if error.is_stale() { 409 } else { 500 }
    /// }
    /// # assert_eq!(status_of(&Error::other("no")), 500);
    /// ```
    #[must_use]
    pub fn is_stale(&self) -> bool {
        matches!(self.kind(), ErrorKind::Stale { .. })
    }

    /// Whether a row was written or deleted that was loaded as read-only.
    ///
    /// ```
    /// # use assoc_core::Error;
    /// assert!(!Error::other("no").is_read_only());
    /// ```
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        matches!(self.kind(), ErrorKind::ReadOnly { .. })
    }

    /// Whether a row was to be destroyed while an association that restricts it has rows.
    ///
    /// ```
    /// use assoc_core::{Error, RestrictRule, Restricted};
    ///
    /// let posts = Restricted::new("User", "posts", "Post", RestrictRule::WithError);
    /// assert!(Error::from(posts).is_restricted());
    /// ```
    #[must_use]
    pub fn is_restricted(&self) -> bool {
        matches!(self.kind(), ErrorKind::Restricted(_))
    }

    /// The driver's error, if the database or the driver failed.
    ///
    /// ```
    /// use assoc_core::{DriverError, DriverErrorKind, Error};
    ///
    /// let error = Error::from(DriverError::new(DriverErrorKind::CheckViolation, "price > 0").with_table("products"));
    /// assert_eq!(error.driver().and_then(DriverError::table), Some("products"));
    /// assert!(Error::other("no").driver().is_none());
    /// ```
    #[must_use]
    pub fn driver(&self) -> Option<&DriverError> {
        match self.kind() {
            ErrorKind::Driver(error) => Some(error),
            ErrorKind::Step { source, .. } => source.driver(),
            _ => self.0.cause.as_ref().and_then(Error::driver),
        }
    }

    /// Whether running the whole transaction again may succeed: deadlock, lock timeout, a busy database.
    ///
    /// ```
    /// use assoc_core::{DriverError, DriverErrorKind, Error};
    ///
    /// let deadlock = DriverError::new(DriverErrorKind::Retryable, "Deadlock found");
    /// assert!(Error::from(deadlock).is_retryable());
    /// ```
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.driver().is_some_and(|error| error.kind() == DriverErrorKind::Retryable)
    }

    /// Whether a unique constraint was violated.
    ///
    /// ```
    /// use assoc_core::{DriverError, DriverErrorKind, Error};
    ///
    /// let violation = DriverError::new(DriverErrorKind::UniqueViolation, "users.email");
    /// assert!(Error::from(violation).is_unique_violation());
    /// ```
    #[must_use]
    pub fn is_unique_violation(&self) -> bool {
        self.driver().is_some_and(|error| error.kind() == DriverErrorKind::UniqueViolation)
    }

    /// Whether a foreign key constraint was violated.
    ///
    /// ```
    /// use assoc_core::{DriverError, DriverErrorKind, Error};
    ///
    /// let violation = DriverError::new(DriverErrorKind::ForeignKeyViolation, "posts.user_id");
    /// assert!(Error::from(violation).is_foreign_key_violation());
    /// ```
    #[must_use]
    pub fn is_foreign_key_violation(&self) -> bool {
        self.driver().is_some_and(|error| error.kind() == DriverErrorKind::ForeignKeyViolation)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0.kind, f)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0.kind, f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0.cause {
            Some(cause) => Some(cause),
            None => std::error::Error::source(&self.0.kind),
        }
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Error(Box::new(Inner { kind, refused: None, fields: Vec::new(), cause: None }))
    }
}

impl From<AssociationNotLoaded> for Error {
    fn from(error: AssociationNotLoaded) -> Self {
        ErrorKind::NotLoaded(error).into()
    }
}

impl From<Restricted> for Error {
    fn from(error: Restricted) -> Self {
        ErrorKind::Restricted(error).into()
    }
}

impl From<DriverError> for Error {
    fn from(error: DriverError) -> Self {
        ErrorKind::Driver(error).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Value;

    #[test]
    fn an_error_is_one_pointer() {
        assert_eq!(size_of::<Result<()>>(), size_of::<usize>());
    }

    #[test]
    fn unknown_names_answer_with_the_known_ones() {
        let error = Error::from(ErrorKind::UnknownAssociation {
            model: "User",
            name: "postz".into(),
            known: vec!["posts", "address"],
        });
        assert_eq!(error.to_string(), "model User has no association `postz`; it has: posts, address");
    }

    #[test]
    fn long_data_is_cut_in_messages() {
        let error = DecodeError::new("an integer", &Value::Text("x".repeat(100).into())).at("User", "age");
        assert!(error.to_string().contains("text (\"xxx"), "{error}");
        assert!(error.to_string().len() < 160);
    }
}
