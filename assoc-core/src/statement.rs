//! A statement as a driver receives it: text and binds, nothing interpolated.

use std::fmt;
use std::sync::Arc;

use crate::value::Value;

/// SQL text with its bind parameters, in the order of their placeholders.
///
/// The text is shared: an application runs few different statements, and drivers cache prepared ones by text.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    sql: Arc<str>,
    binds: Vec<Bind>,
}

/// One bind parameter.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Bind {
    /// One value.
    Value(Value<'static>),
    /// A whole list as one parameter. A driver receives one only if its dialect wrote it.
    List(BindList),
}

/// A list bound as one parameter.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum BindList {
    /// Integers.
    Ints(Arc<[i64]>),
    /// Values of any kind.
    Values(Arc<[Value<'static>]>),
}

impl BindList {
    /// The number of elements.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            BindList::Ints(ints) => ints.len(),
            BindList::Values(values) => values.len(),
        }
    }

    /// Whether the list has no elements.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Statement {
    /// A statement of text and binds.
    pub fn new(sql: impl Into<Arc<str>>, binds: Vec<Bind>) -> Self {
        Statement { sql: sql.into(), binds }
    }

    /// A statement without binds.
    pub fn plain(sql: impl Into<Arc<str>>) -> Self {
        Statement { sql: sql.into(), binds: Vec::new() }
    }

    /// The text.
    #[must_use]
    pub fn sql(&self) -> &str {
        &self.sql
    }

    /// The text, shared.
    #[must_use]
    pub fn shared_sql(&self) -> &Arc<str> {
        &self.sql
    }

    /// The binds.
    #[must_use]
    pub fn binds(&self) -> &[Bind] {
        &self.binds
    }

    /// The binds, given up.
    #[must_use]
    pub fn into_binds(self) -> Vec<Bind> {
        self.binds
    }

    /// How many values are bound, counting the elements of lists.
    #[must_use]
    pub fn bound_values(&self) -> usize {
        self.binds
            .iter()
            .map(|bind| match bind {
                Bind::Value(_) => 1,
                Bind::List(list) => list.len(),
            })
            .sum()
    }
}

/// The text, as it is sent. Bound values are not shown: they may be private.
impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sql)
    }
}

impl From<Value<'static>> for Bind {
    fn from(value: Value<'static>) -> Self {
        Bind::Value(value)
    }
}
