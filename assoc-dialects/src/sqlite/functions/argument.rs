//! What a function of SQLite is given and what it answers, whatever client calls it.

use std::fmt;

/// A value as SQLite gives it to a function.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Argument<'a> {
    /// `NULL`.
    Null,
    /// An integer.
    Integer(i64),
    /// A float.
    Real(f64),
    /// Text, which need not be UTF-8.
    Text(&'a [u8]),
    /// Bytes.
    Blob(&'a [u8]),
}

impl Argument<'_> {
    /// The storage class, as messages name it.
    pub(super) fn class(self) -> &'static str {
        match self {
            Argument::Null => "Null",
            Argument::Integer(_) => "Integer",
            Argument::Real(_) => "Real",
            Argument::Text(_) => "Text",
            Argument::Blob(_) => "Blob",
        }
    }

    /// The same value, as an answer.
    pub(super) fn to_answer(self) -> Answer {
        match self {
            Argument::Null => Answer::Null,
            Argument::Integer(number) => Answer::Integer(number),
            Argument::Real(number) => Answer::Real(number),
            Argument::Text(text) => Answer::Text(String::from_utf8_lossy(text).into_owned()),
            Argument::Blob(bytes) => Answer::Blob(bytes.to_vec()),
        }
    }
}

/// A value that a function answers.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Answer {
    /// `NULL`.
    #[default]
    Null,
    /// An integer.
    Integer(i64),
    /// A float.
    Real(f64),
    /// Text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

impl From<Option<String>> for Answer {
    fn from(text: Option<String>) -> Self {
        text.map_or(Answer::Null, Answer::Text)
    }
}

impl From<Option<i64>> for Answer {
    fn from(number: Option<i64>) -> Self {
        number.map_or(Answer::Null, Answer::Integer)
    }
}

/// Why a function does not answer. A client makes it the error of the statement, with this text as its message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused(String);

/// How the messages begin, by which [`class_of_message`](crate::sqlite::class_of_message) knows them.
pub(crate) const REFUSED: &str = "numbers: ";

impl Refused {
    pub(super) fn new(message: impl fmt::Display) -> Self {
        Refused(format!("{REFUSED}{message}"))
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}
