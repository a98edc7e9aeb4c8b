//! Input from outside of the program, before it is known what of it is permitted: JSON, forms, anything that serde reads.
//!
//! An [`Input`] is a tree that is bounded in depth, number of entries and bytes ([`Limits`]), so code may walk over it by
//! recursion.

use std::collections::HashMap;

use crate::error::FieldError;

mod convert;
#[cfg(feature = "serde")]
mod deserialize;
mod form;
#[cfg(feature = "serde_json")]
mod json;

pub(crate) use convert::{Mismatch, convert};

/// Input from outside of the program: made of JSON, of the fields of a form, or by any `Deserializer`.
#[derive(Debug, Clone, PartialEq)]
pub struct Input(pub(crate) Node);

/// What stands at one place of the input.
// Forms have two of them; the others come of the features.
#[cfg_attr(not(all(feature = "serde", feature = "serde_json")), allow(dead_code))]
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    Null,
    Bool(bool),
    Int(i64),
    UInt(u64),
    Real(f64),
    // A number in its text form, exact.
    Number(String),
    Text(String),
    Bytes(Vec<u8>),
    // A field of a form, which has no type: what it means is up to the column.
    Field(String),
    List(Vec<Input>),
    Map(Vec<(String, Input)>),
}

/// How large input may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// How many levels of objects and lists lie in each other, up to [`MAX_DEPTH`](Self::MAX_DEPTH).
    pub depth: usize,
    /// How many values and keys there are, at all places together.
    pub entries: usize,
    /// How many bytes text and keys have, together.
    pub bytes: usize,
}

impl Limits {
    /// The deepest input that there is.
    pub const MAX_DEPTH: usize = 64;

    /// 32 levels, 10,000 entries, 8 MiB.
    ///
    /// ```
    /// use assoc_core::Limits;
    ///
    /// assert_eq!(Limits::new().depth, 32);
    /// ```
    #[must_use]
    pub const fn new() -> Self {
        Limits { depth: 32, entries: 10_000, bytes: 8 * 1024 * 1024 }
    }

    /// Sets the number of levels, at most [`MAX_DEPTH`](Self::MAX_DEPTH).
    ///
    /// ```
    /// use assoc_core::Limits;
    ///
    /// assert_eq!(Limits::new().depth(4).depth, 4);
    /// assert_eq!(Limits::new().depth(1_000).depth, Limits::MAX_DEPTH);
    /// ```
    #[must_use]
    pub const fn depth(mut self, levels: usize) -> Self {
        self.depth = if levels > Self::MAX_DEPTH { Self::MAX_DEPTH } else { levels };
        self
    }

    /// Sets the number of entries.
    ///
    /// ```
    /// use assoc_core::Limits;
    ///
    /// assert_eq!(Limits::new().entries(100).entries, 100);
    /// ```
    #[must_use]
    pub const fn entries(mut self, entries: usize) -> Self {
        self.entries = entries;
        self
    }

    /// Sets the number of bytes.
    ///
    /// ```
    /// use assoc_core::Limits;
    ///
    /// assert_eq!(Limits::new().bytes(4_096).bytes, 4_096);
    /// ```
    #[must_use]
    pub const fn bytes(mut self, bytes: usize) -> Self {
        self.bytes = bytes;
        self
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits::new()
    }
}

/// What is left of the limits.
pub(crate) struct Budget {
    limits: Limits,
    left: Limits,
}

impl Budget {
    pub(crate) fn new(limits: Limits) -> Self {
        Budget { limits, left: limits }
    }

    /// Counts one entry at this depth, with the bytes of its text, against the limits of the input.
    pub(crate) fn take(&mut self, depth: usize, bytes: usize) -> Result<(), FieldError> {
        let refuse = |what: String| {
            let message = format!("is too large: {what}");
            Err(FieldError::new(ROOT, message).with_code(FieldError::TOO_MANY))
        };
        if depth > self.limits.depth.min(Limits::MAX_DEPTH) {
            return refuse(format!("more than {} levels", self.limits.depth));
        }
        let (Some(entries), Some(bytes)) = (self.left.entries.checked_sub(1), self.left.bytes.checked_sub(bytes))
        else {
            return refuse(format!("more than {} entries or {} bytes", self.limits.entries, self.limits.bytes));
        };
        (self.left.entries, self.left.bytes) = (entries, bytes);
        Ok(())
    }
}

/// The path of problems that concern the input as a whole.
pub(crate) const ROOT: &str = "input";

impl Input {
    /// The value of a key, of an object or of a group of a form's fields.
    ///
    /// ```
    /// use assoc_core::{IntoInput, Limits};
    ///
    /// let input = [("post[title]", "Looms")].into_input(Limits::new()).unwrap();
    /// assert_eq!(input.get("post").and_then(|post| post.get("title")?.as_str()), Some("Looms"));
    /// assert!(input.get("stars").is_none());
    /// ```
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Input> {
        match &self.0 {
            // The last one counts.
            Node::Map(entries) => entries.iter().rev().find(|(known, _)| known == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// Text, or the field of a form.
    ///
    /// ```
    /// use assoc_core::{IntoInput, Limits};
    ///
    /// let input = [("title", "Looms")].into_input(Limits::new()).unwrap();
    /// assert_eq!(input.get("title").and_then(|title| title.as_str()), Some("Looms"));
    /// assert_eq!(input.as_str(), None); // it has fields
    /// ```
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match &self.0 {
            Node::Text(text) | Node::Field(text) => Some(text),
            _ => None,
        }
    }

    /// Whether it says nothing: null, text of blanks, `false`, or a list or object of nothing else.
    ///
    /// ```
    /// use assoc_core::{IntoInput, Limits};
    ///
    /// let input = [("title", " "), ("body", "")].into_input(Limits::new()).unwrap();
    /// assert!(input.is_blank());
    /// ```
    #[must_use]
    pub fn is_blank(&self) -> bool {
        match &self.0 {
            Node::Null | Node::Bool(false) => true,
            Node::Text(text) | Node::Field(text) => text.trim().is_empty(),
            Node::Bytes(bytes) => bytes.is_empty(),
            Node::List(items) => items.iter().all(Input::is_blank),
            Node::Map(entries) => entries.iter().all(|(_, value)| value.is_blank()),
            _ => false,
        }
    }

    /// Whether it says yes: `true`, `1`, or a field of a form with one of `true`, `1`, `on`, `yes`.
    ///
    /// ```
    /// use assoc_core::{IntoInput, Limits};
    ///
    /// let input = [("adult", "on"), ("terms", "0")].into_input(Limits::new()).unwrap();
    /// assert!(input.get("adult").is_some_and(|adult| adult.is_yes()));
    /// assert!(!input.get("terms").is_some_and(|terms| terms.is_yes()));
    /// ```
    #[must_use]
    pub fn is_yes(&self) -> bool {
        convert::yes_or_no(&self.0) == Some(true)
    }

    /// Checks it against limits.
    pub(crate) fn check(&self, limits: Limits) -> Result<(), FieldError> {
        fn walk(input: &Input, depth: usize, budget: &mut Budget) -> Result<(), FieldError> {
            match &input.0 {
                Node::Text(text) | Node::Field(text) | Node::Number(text) => budget.take(depth, text.len()),
                Node::Bytes(bytes) => budget.take(depth, bytes.len()),
                Node::List(items) => {
                    budget.take(depth + 1, 0)?;
                    items.iter().try_for_each(|item| walk(item, depth + 1, budget))
                }
                Node::Map(entries) => {
                    budget.take(depth + 1, 0)?;
                    entries.iter().try_for_each(|(key, value)| {
                        budget.take(depth + 1, key.len())?;
                        walk(value, depth + 1, budget)
                    })
                }
                _ => budget.take(depth, 0),
            }
        }
        walk(self, 0, &mut Budget::new(limits))
    }
}

/// What a cast takes: an [`Input`], a `serde_json::Value` (feature `serde_json`), or the fields of a form as pairs of name
/// and text (`posts[0][title]`), in a `Vec`, a slice, an array or a `HashMap`.
///
/// ```
/// use assoc_core::change::{IntoInput, Limits};
///
/// let form = [("title", "On looms"), ("tags[0]", "weaving")];
/// let input = form.into_input(Limits::default()).unwrap();
/// assert!(input.get("title").is_some() && input.get("tags").is_some());
/// assert!([("a", "x"), ("a[b]", "y")].into_input(Limits::default()).is_err());
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be cast to a changeset",
    label = "neither JSON nor the fields of a form",
    note = "give an `Input`, a `serde_json::Value`, or pairs of names and texts; `Input` implements `Deserialize` (feature \
            `serde`), so that any other format becomes one"
)]
pub trait IntoInput {
    /// The input.
    ///
    /// # Errors
    /// If it is larger than the limits, or contradicts itself.
    fn into_input(self, limits: Limits) -> Result<Input, FieldError>;
}

impl IntoInput for Input {
    fn into_input(self, limits: Limits) -> Result<Input, FieldError> {
        self.check(limits)?;
        Ok(self)
    }
}

impl IntoInput for &Input {
    fn into_input(self, limits: Limits) -> Result<Input, FieldError> {
        self.check(limits)?;
        Ok(self.clone())
    }
}

impl<K: AsRef<str>, V: AsRef<str>> IntoInput for Vec<(K, V)> {
    fn into_input(self, limits: Limits) -> Result<Input, FieldError> {
        form::parse(self.iter(), limits)
    }
}

impl<K: AsRef<str>, V: AsRef<str>> IntoInput for &Vec<(K, V)> {
    fn into_input(self, limits: Limits) -> Result<Input, FieldError> {
        form::parse(self.iter(), limits)
    }
}

impl<K: AsRef<str>, V: AsRef<str>> IntoInput for &[(K, V)] {
    fn into_input(self, limits: Limits) -> Result<Input, FieldError> {
        form::parse(self.iter(), limits)
    }
}

impl<K: AsRef<str>, V: AsRef<str>, const N: usize> IntoInput for [(K, V); N] {
    fn into_input(self, limits: Limits) -> Result<Input, FieldError> {
        form::parse(self.iter(), limits)
    }
}

impl<K: AsRef<str> + Ord, V: AsRef<str>, S> IntoInput for HashMap<K, V, S> {
    fn into_input(self, limits: Limits) -> Result<Input, FieldError> {
        // In an order that is the same each time.
        let mut pairs: Vec<(K, V)> = self.into_iter().collect();
        pairs.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        form::parse(pairs.iter(), limits)
    }
}
