//! One problem of a changeset, as data.

use std::borrow::Cow;
use std::fmt;

/// One problem of a changeset: its place, its code, and an English sentence about it.
///
/// The path is the field of the faulty column (`title`). If the fault is a link as a whole and not one value, the path
/// is the association (`user`). A row among several has its position in front (`[2].title`).
///
/// The code and its parameters are for programs: a translation looks them up, a form decides by them. The codes of this
/// library are constants of this type; programs may add others.
///
/// ```
/// use assoc_core::FieldError;
///
/// let error = FieldError::new("age", "must be at least 18").with_code("too_small").with_param("min", 18);
/// assert_eq!(error.to_string(), "age must be at least 18");
/// assert_eq!((&*error.code, error.param("min")), ("too_small", Some("18")));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FieldError {
    /// The place: a column's field or an association, perhaps behind a path.
    pub path: String,
    /// The code, for programs.
    pub code: Cow<'static, str>,
    /// The parameters of the code, by name.
    pub params: Vec<(Cow<'static, str>, String)>,
    /// The problem in English: "is missing".
    pub message: String,
}

/// What a refusal by a repo's filter says.
pub(super) fn outside_filter(association: Option<&str>, reason: &str) -> String {
    association.map_or_else(|| reason.to_owned(), |name| format!("`{name}` {reason}"))
}

impl FieldError {
    /// The code of a problem that has no other.
    pub const INVALID: &'static str = "invalid";
    /// A column that must be set is not.
    pub const MISSING: &'static str = "missing";
    /// An association that needs a target has none. Parameter: `columns`, the fields of its key that are missing.
    pub const REQUIRED: &'static str = "required";
    /// An association was dissociated, and none of its key columns can be cleared. Parameter: `columns`.
    pub const NOT_CLEARABLE: &'static str = "not_clearable";
    /// What the save destroys leads back to the row that it links others to, which would be destroyed as well.
    pub const OWNER_DESTROYED: &'static str = "owner_destroyed";
    /// The save writes a row, or keeps it, that it destroys or deletes, because another association drops it. Parameters: `model`
    /// and `key`, the row's.
    pub const DESTROYED: &'static str = "destroyed";
    /// The row is marked for destruction where a change is saved that destroys no row.
    pub const MARKED: &'static str = "marked";
    /// The target of an association has no key. Parameters: `model` and `columns`, the target's.
    pub const TARGET_WITHOUT_KEY: &'static str = "target_without_key";
    /// Two associations share a column and need different values of it. Parameters: `association`, the other one, and
    /// `column`.
    pub const CONTRADICTION: &'static str = "contradiction";
    /// The target's model is no variant of the polymorphic association. Parameter: `model`.
    pub const UNKNOWN_TYPE: &'static str = "unknown_type";
    /// The discriminator of a model that shares its table must keep the model's value. Parameter: `value`.
    pub const DISCRIMINATOR: &'static str = "discriminator";
    /// The database computes the column, so a changeset cannot set it.
    pub const GENERATED: &'static str = "generated";
    /// A bulk update assigns a column twice.
    pub const ASSIGNED_TWICE: &'static str = "assigned_twice";
    /// The column holds the version of its row.
    pub const LOCK_VERSION: &'static str = "lock_version";
    /// The column counts the rows that belong to its row.
    pub const COUNTER_CACHE: &'static str = "counter_cache";
    /// A member of an association contradicts a condition of it: the association would not see it afterwards. Parameter:
    /// `association`.
    pub const OUTSIDE_SCOPE: &'static str = "outside_scope";
    /// Members of the association cannot be written.
    pub const READ_ONLY: &'static str = "read_only";
    /// The association does not take such a member: its `autosave` option says so, or its owner is new.
    pub const NO_MEMBER: &'static str = "no_member";
    /// The association cannot be replaced or cleared as a whole.
    pub const NOT_REPLACEABLE: &'static str = "not_replaceable";
    /// The owner has no key, so it has no members.
    pub const OWNER_WITHOUT_KEY: &'static str = "owner_without_key";
    /// New rows need each other's keys.
    pub const CIRCLE: &'static str = "circle";
    /// Members are nested too deep.
    pub const TOO_DEEP: &'static str = "too_deep";
    /// The two rows that were compared have different primary keys.
    pub const OTHER_ROW: &'static str = "other_row";

    /// A value must not be empty: it is `NULL`, or text of blanks.
    pub const BLANK: &'static str = "blank";
    /// Too few characters or bytes. Parameters: `min` and `length`.
    pub const TOO_SHORT: &'static str = "too_short";
    /// Too many characters or bytes. Parameters: `max` and `length`.
    pub const TOO_LONG: &'static str = "too_long";
    /// Another number of characters or bytes than the one that it must have. Parameters: `is` and `length`.
    pub const WRONG_LENGTH: &'static str = "wrong_length";
    /// Below the smallest value. Parameter: `min`.
    pub const TOO_SMALL: &'static str = "too_small";
    /// Above the largest value. Parameter: `max`.
    pub const TOO_LARGE: &'static str = "too_large";
    /// Not greater than a value. Parameter: `min`.
    pub const NOT_GREATER: &'static str = "not_greater";
    /// Not less than a value. Parameter: `max`.
    pub const NOT_LESS: &'static str = "not_less";
    /// Not odd.
    pub const ODD: &'static str = "odd";
    /// Not even.
    pub const EVEN: &'static str = "even";
    /// Not a multiple of a number. Parameter: `of`.
    pub const MULTIPLE: &'static str = "multiple";
    /// Not in the form that a pattern describes.
    pub const FORMAT: &'static str = "format";
    /// Not an e-mail address.
    pub const EMAIL: &'static str = "email";
    /// Not a URL.
    pub const URL: &'static str = "url";
    /// None of the allowed values. Parameter: `values`.
    pub const INCLUSION: &'static str = "inclusion";
    /// A value that is not allowed. Parameter: `value`.
    pub const EXCLUSION: &'static str = "exclusion";
    /// The second entry of a value differs from the first. Parameter: `column`.
    pub const CONFIRMATION: &'static str = "confirmation";
    /// Something was not accepted.
    pub const ACCEPTANCE: &'static str = "acceptance";
    /// An association has too few members. Parameters: `min` and `count`.
    pub const TOO_FEW: &'static str = "too_few";
    /// An association has too many members, or input has too many entries. Parameters: `max` and `count`.
    pub const TOO_MANY: &'static str = "too_many";
    /// Another row has the same values.
    pub const TAKEN: &'static str = "taken";
    /// The row to which a key refers does not exist.
    pub const TARGET_MISSING: &'static str = "target_missing";
    /// The database refuses the value by a check. Parameter: `constraint`.
    pub const CHECK: &'static str = "check";
    /// A rule itself is wrong.
    pub const RULE: &'static str = "rule";
    /// Input is not of the column's type. Parameter: `expected`.
    pub const WRONG_TYPE: &'static str = "wrong_type";
    /// Input names something that is not permitted.
    pub const NOT_PERMITTED: &'static str = "not_permitted";

    /// A problem of one column or path, with the code [`INVALID`](Self::INVALID).
    ///
    /// ```
    /// use assoc_core::FieldError;
    ///
    /// let error = FieldError::new("posts[2].title", "is taken");
    /// assert_eq!((error.to_string().as_str(), &*error.code), ("posts[2].title is taken", FieldError::INVALID));
    /// ```
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        FieldError {
            path: path.into(),
            code: Cow::Borrowed(Self::INVALID),
            params: Vec::new(),
            message: message.into(),
        }
    }

    /// Sets the code.
    ///
    /// ```
    /// use assoc_core::FieldError;
    ///
    /// let error = FieldError::new("title", "is taken").with_code("taken");
    /// assert_eq!(error.code, "taken");
    /// ```
    #[must_use]
    pub fn with_code(mut self, code: impl Into<Cow<'static, str>>) -> Self {
        self.code = code.into();
        self
    }

    /// Adds one parameter.
    ///
    /// ```
    /// use assoc_core::FieldError;
    ///
    /// let error = FieldError::new("title", "is long").with_param("max", 80);
    /// assert_eq!(error.param("max"), Some("80"));
    /// ```
    #[must_use]
    pub fn with_param(mut self, name: impl Into<Cow<'static, str>>, value: impl fmt::Display) -> Self {
        self.params.push((name.into(), value.to_string()));
        self
    }

    /// The value of a parameter.
    ///
    /// ```
    /// use assoc_core::FieldError;
    ///
    /// assert_eq!(FieldError::new("title", "is long").param("max"), None);
    /// ```
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The same problem at another path.
    ///
    /// ```
    /// use assoc_core::FieldError;
    ///
    /// assert_eq!(FieldError::new("title", "is taken").at("name").to_string(), "name is taken");
    /// ```
    #[must_use]
    pub fn at(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// The same problem, in a row at some place: `[2]` makes `[2].title` of `title`.
    ///
    /// ```
    /// use assoc_core::FieldError;
    ///
    /// assert_eq!(FieldError::new("title", "is taken").within("posts[2]").path, "posts[2].title");
    /// ```
    #[must_use]
    pub fn within(mut self, place: &str) -> Self {
        self.path = format!("{place}.{}", self.path);
        self
    }
}

impl FieldError {
    /// The same problem in other words: those that `translate` has for it. Code and parameters are what it looks up.
    ///
    /// ```
    /// use assoc_core::FieldError;
    ///
    /// fn german(error: &FieldError) -> Option<String> {
    ///     match &*error.code {
    ///         FieldError::TOO_SHORT => Some(format!("muss mindestens {} Zeichen haben", error.param("min")?)),
    ///         _ => None,
    ///     }
    /// }
    /// let error = FieldError::new("name", "is too short").with_code(FieldError::TOO_SHORT).with_param("min", 3);
    /// assert_eq!(error.translated(german).to_string(), "name muss mindestens 3 Zeichen haben");
    /// ```
    #[must_use]
    pub fn translated(mut self, translate: impl FnOnce(&FieldError) -> Option<String>) -> Self {
        if let Some(message) = translate(&self) {
            self.message = message;
        }
        self
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.path, self.message)
    }
}

/// As an object of `path`, `code`, `params` and `message`.
#[cfg(feature = "serde")]
impl serde::Serialize for FieldError {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;

        struct Params<'e>(&'e [(Cow<'static, str>, String)]);
        impl serde::Serialize for Params<'_> {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
            }
        }
        let mut error = serializer.serialize_struct("FieldError", 4)?;
        error.serialize_field("path", &self.path)?;
        error.serialize_field("code", &self.code)?;
        error.serialize_field("params", &Params(&self.params))?;
        error.serialize_field("message", &self.message)?;
        error.end()
    }
}

// A message about thousands of rows names the first problems and the number of the others.
const MOST_SHOWN: usize = 20;

pub(super) fn listed(errors: &[FieldError]) -> String {
    let mut text = errors.iter().take(MOST_SHOWN).map(ToString::to_string).collect::<Vec<_>>().join("; ");
    if let Some(more) = errors.len().checked_sub(MOST_SHOWN).filter(|more| *more > 0) {
        text.push_str(&format!("; and {more} more"));
    }
    text
}
