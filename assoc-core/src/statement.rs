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
    kind: StatementKind,
    role: StatementRole,
}

/// What a statement does, as far as its writer knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StatementKind {
    /// It reads rows.
    Select,
    /// It inserts rows, or updates those that are there already.
    Insert,
    /// It updates rows.
    Update,
    /// It deletes rows.
    Delete,
    /// It makes or removes a table or an index.
    Schema,
    /// The program wrote it, so it may do anything.
    Raw,
}

/// Why a statement is sent. On a database with all capabilities, and with room for all binds, every statement is
/// [requested](StatementRole::Requested).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum StatementRole {
    /// The request needs it on every database.
    #[default]
    Requested,
    /// It goes on where the statement before it ended, because a statement takes fewer keys or rows here than were given, or because
    /// a recursion did not come by some keys.
    Continued,
    /// It does what another database does in a statement before or after it.
    StandIn(Lack),
}

/// A capability that a database lacks, and whose want costs statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Lack {
    /// It does not return inserted rows: they are inserted one by one where the database makes their keys, and read back.
    InsertReturning,
    /// It does not return updated rows: they are read back.
    UpdateReturning,
    /// It does not return deleted rows: they are read before.
    DeleteReturning,
    /// It has no window functions: targets whose statement would number rows are read step by step.
    WindowFunctions,
    /// It reads a recursion [level by level](crate::dialect::Recursions::LevelByLevel).
    RecursiveSelect,
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
    ///
    /// ```
    /// use assoc_core::driver::BindList;
    ///
    /// assert_eq!(BindList::Ints([4, 7].into()).len(), 2);
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            BindList::Ints(ints) => ints.len(),
            BindList::Values(values) => values.len(),
        }
    }

    /// Whether the list has no elements.
    ///
    /// ```
    /// use assoc_core::driver::BindList;
    ///
    /// assert!(BindList::Ints([].into()).is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Statement {
    /// A [raw](StatementKind::Raw) statement of text and binds.
    ///
    /// ```
    /// use assoc_core::driver::{Bind, Statement};
    /// use assoc_core::Value;
    ///
    /// let statement = Statement::new("SELECT ?", vec![Bind::from(Value::Int(1))]);
    /// assert_eq!((statement.sql(), statement.binds().len()), ("SELECT ?", 1));
    /// ```
    pub fn new(sql: impl Into<Arc<str>>, binds: Vec<Bind>) -> Self {
        Statement { sql: sql.into(), binds, kind: StatementKind::Raw, role: StatementRole::Requested }
    }

    /// A [raw](StatementKind::Raw) statement without binds.
    ///
    /// ```
    /// use assoc_core::driver::Statement;
    ///
    /// assert!(Statement::plain("SELECT 1").binds().is_empty());
    /// ```
    pub fn plain(sql: impl Into<Arc<str>>) -> Self {
        Statement::new(sql, Vec::new())
    }

    /// The same statement, of a kind.
    ///
    /// ```
    /// use assoc_core::driver::{Statement, StatementKind};
    ///
    /// let statement = Statement::plain("SELECT 1").of_kind(StatementKind::Select);
    /// assert_eq!(statement.kind(), StatementKind::Select);
    /// ```
    #[must_use]
    pub fn of_kind(mut self, kind: StatementKind) -> Self {
        self.kind = kind;
        self
    }

    /// The same statement, sent for another reason.
    ///
    /// ```
    /// use assoc_core::driver::{Statement, StatementRole};
    ///
    /// let statement = Statement::plain("SELECT 1").in_role(StatementRole::Continued);
    /// assert_eq!(statement.role(), StatementRole::Continued);
    /// ```
    #[must_use]
    pub fn in_role(mut self, role: StatementRole) -> Self {
        self.role = role;
        self
    }

    /// The same statement as part of a list that takes several; the parts are counted from 0. All but the first are
    /// [continued](StatementRole::Continued), unless they stand in for something.
    ///
    /// ```
    /// use assoc_core::driver::{Statement, StatementRole};
    ///
    /// assert_eq!(Statement::plain("SELECT 1").as_part(0).role(), StatementRole::Requested);
    /// assert_eq!(Statement::plain("SELECT 1").as_part(1).role(), StatementRole::Continued);
    /// ```
    #[must_use]
    pub fn as_part(self, part: usize) -> Self {
        let role = if part > 0 && self.role == StatementRole::Requested { StatementRole::Continued } else { self.role };
        self.in_role(role)
    }

    /// What the statement does, as far as its writer knows.
    ///
    /// ```
    /// use assoc_core::driver::{Statement, StatementKind};
    ///
    /// assert_eq!(Statement::plain("SELECT 1").kind(), StatementKind::Raw);
    /// ```
    #[must_use]
    pub fn kind(&self) -> StatementKind {
        self.kind
    }

    /// Why the statement is sent.
    ///
    /// ```
    /// use assoc_core::driver::{Statement, StatementRole};
    ///
    /// assert_eq!(Statement::plain("SELECT 1").role(), StatementRole::Requested);
    /// ```
    #[must_use]
    pub fn role(&self) -> StatementRole {
        self.role
    }

    /// The text.
    ///
    /// ```
    /// use assoc_core::driver::{Bind, Statement};
    /// use assoc_core::Value;
    ///
    /// let statement = Statement::new("SELECT ?", vec![Bind::from(Value::Int(1))]);
    /// assert_eq!(statement.sql(), "SELECT ?");
    /// ```
    #[must_use]
    pub fn sql(&self) -> &str {
        &self.sql
    }

    /// The text, shared.
    ///
    /// ```
    /// use assoc_core::driver::{Bind, Statement};
    /// use assoc_core::Value;
    ///
    /// let statement = Statement::new("SELECT ?", vec![Bind::from(Value::Int(1))]);
    /// let text = statement.shared_sql().clone(); // for a cache: no copy of the text
    /// assert_eq!(&*text, "SELECT ?");
    /// ```
    #[must_use]
    pub fn shared_sql(&self) -> &Arc<str> {
        &self.sql
    }

    /// The binds.
    ///
    /// ```
    /// use assoc_core::driver::{Bind, Statement};
    /// use assoc_core::Value;
    ///
    /// let statement = Statement::new("SELECT ?", vec![Bind::from(Value::Int(1))]);
    /// assert!(matches!(statement.binds(), [Bind::Value(Value::Int(1))]));
    /// ```
    #[must_use]
    pub fn binds(&self) -> &[Bind] {
        &self.binds
    }

    /// The binds, given up.
    ///
    /// ```
    /// use assoc_core::driver::{Bind, Statement};
    /// use assoc_core::Value;
    ///
    /// let statement = Statement::new("SELECT ?", vec![Bind::from(Value::Int(1))]);
    /// assert_eq!(statement.into_binds().len(), 1);
    /// ```
    #[must_use]
    pub fn into_binds(self) -> Vec<Bind> {
        self.binds
    }

    /// How many values are bound, counting the elements of lists.
    ///
    /// ```
    /// use assoc_core::driver::{Bind, Statement};
    /// use assoc_core::driver::BindList;
    ///
    /// let keys = Bind::List(BindList::Ints([4, 7, 9].into()));
    /// assert_eq!(Statement::new("SELECT … = ANY(?)", vec![keys]).bound_values(), 3);
    /// ```
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
