//! What a condition compares and an order sorts by: columns, and what is computed from columns.

use std::borrow::Cow;
use std::hash::{Hash, Hasher};

use crate::column_type::SqlType;
use crate::value::Value;

/// A column of the query's model or of an association reached from it.
///
/// Two references are equal if they name the same column, whether or not its type is known.
///
/// ```
/// use assoc_core::SqlType;
/// use assoc_core::metadata::ColumnRef;
///
/// let title = ColumnRef::own("title");
/// assert!(title.path.is_empty() && title.sql_type.is_none());
/// // The type is not part of the name.
/// assert_eq!(title, ColumnRef::of_type("title", SqlType::Text));
/// ```
#[derive(Debug, Clone)]
pub struct ColumnRef {
    /// Association names from the query's model to the column's model; empty for the model itself.
    pub path: Cow<'static, [&'static str]>,
    /// The column's name in the database.
    pub name: &'static str,
    /// The type it stores, where that is known. A column of the query's model needs none.
    pub sql_type: Option<SqlType>,
}

impl PartialEq for ColumnRef {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path && self.name == other.name
    }
}

impl Eq for ColumnRef {}

impl Hash for ColumnRef {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.path.hash(state);
        self.name.hash(state);
    }
}

impl ColumnRef {
    /// A column of the query's model.
    #[must_use]
    pub const fn own(name: &'static str) -> Self {
        ColumnRef { path: Cow::Borrowed(&[]), name, sql_type: None }
    }

    /// A column of the query's model, with its type.
    #[must_use]
    pub const fn of_type(name: &'static str, sql_type: SqlType) -> Self {
        ColumnRef { path: Cow::Borrowed(&[]), name, sql_type: Some(sql_type) }
    }

    /// The same column, seen from one association further away.
    #[must_use]
    pub(crate) fn joined(self, association: &'static str) -> Self {
        let path = std::iter::once(association).chain(self.path.iter().copied()).collect();
        ColumnRef { path: Cow::Owned(path), name: self.name, sql_type: self.sql_type }
    }
}

/// A function over many rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AggregateFunction {
    /// Number of rows, or of non-`NULL` values.
    Count,
    /// Sum.
    Sum,
    /// Mean.
    Avg,
    /// Smallest.
    Min,
    /// Largest.
    Max,
}

impl AggregateFunction {
    /// Its name in SQL.
    ///
    /// ```
    /// assert_eq!(assoc_core::metadata::AggregateFunction::Avg.sql(), "AVG");
    /// ```
    #[must_use]
    pub const fn sql(self) -> &'static str {
        match self {
            AggregateFunction::Count => "COUNT",
            AggregateFunction::Sum => "SUM",
            AggregateFunction::Avg => "AVG",
            AggregateFunction::Min => "MIN",
            AggregateFunction::Max => "MAX",
        }
    }
}

/// An expression with a value: one side of a comparison, a selected expression, or a sort key.
///
/// ```
#[doc = include_str!("../../../docs/blog.txt")]
/// use assoc_core::{ColumnOf, Sort};
///
/// let title = User::POSTS.joined(Post::TITLE).into_operand();
/// let longest = Sort::<Post>::raw("length(title)", []).into_term().operand;
/// let mut paths = Vec::new();
/// title.visit_path(&[], &mut |path| paths.push(path.join(".")));
/// assert_eq!((paths, &*title.shown()), (vec!["posts".to_owned()], "posts.title"));
/// assert!(longest.is_raw() && !title.is_raw());
/// let newest = Post::ID.max().into_operand();
/// assert!(newest.is_aggregate() && newest.shown() == "MAX(id)");
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Operand {
    /// A column.
    Column(ColumnRef),
    /// A bound value.
    Value(Value<'static>),
    /// An aggregate of a column, or of whole rows (`COUNT(*)`).
    Aggregate {
        /// The function.
        function: AggregateFunction,
        /// The column; `None` for whole rows.
        column: Option<ColumnRef>,
        /// Whether equal values count once.
        distinct: bool,
    },
    /// A column as a number. The value of a MySQL `ENUM` or `SET` is its position in the declared list, by which the
    /// database sorts.
    Number(ColumnRef),
    /// A value as the driver read it from a row, to compare it with its own column.
    Stored(Value<'static>),
    /// The number of a row among the rows that are equal in these columns: 1, 2, ….
    Occurrence(Vec<ColumnRef>),
    /// Hand-written SQL, with binds for its `?`: what an order sorts by.
    Raw {
        /// The text; each `?` outside quotes is a bind.
        sql: Cow<'static, str>,
        /// Its binds.
        binds: Vec<Value<'static>>,
    },
}

impl Operand {
    /// The same operand, seen from one association further away.
    #[must_use]
    pub(crate) fn joined(self, association: &'static str) -> Self {
        match self {
            Operand::Column(column) => Operand::Column(column.joined(association)),
            Operand::Aggregate { function, column, distinct } => {
                Operand::Aggregate { function, column: column.map(|column| column.joined(association)), distinct }
            }
            other @ (Operand::Value(_) | Operand::Stored(_) | Operand::Raw { .. }) => other,
            Operand::Number(column) => Operand::Number(column.joined(association)),
            Operand::Occurrence(columns) => {
                Operand::Occurrence(columns.into_iter().map(|column| column.joined(association)).collect())
            }
        }
    }

    /// The operand as messages show it: `title`, `posts.title`, `SUM(stars)`.
    #[must_use]
    pub fn shown(&self) -> Cow<'static, str> {
        match self {
            Operand::Column(column) if column.path.is_empty() => Cow::Borrowed(column.name),
            Operand::Column(column) => Cow::Owned(format!("{}.{}", column.path.join("."), column.name)),
            Operand::Number(column) => Operand::Column(column.clone()).shown(),
            Operand::Value(_) | Operand::Stored(_) => Cow::Borrowed("a value"),
            Operand::Aggregate { function, column: None, .. } => Cow::Owned(format!("{}(*)", function.sql())),
            Operand::Aggregate { function, column: Some(column), .. } => {
                Cow::Owned(format!("{}({})", function.sql(), Operand::Column(column.clone()).shown()))
            }
            Operand::Occurrence(_) => Cow::Borrowed("the number of an equal row"),
            Operand::Raw { sql, .. } => sql.clone(),
        }
    }

    /// Whether it is about many rows.
    #[must_use]
    pub const fn is_aggregate(&self) -> bool {
        matches!(self, Operand::Aggregate { .. })
    }

    /// Whether it is hand-written SQL, which may name anything.
    #[must_use]
    pub const fn is_raw(&self) -> bool {
        matches!(self, Operand::Raw { .. })
    }

    pub(crate) fn columns(&self) -> &[ColumnRef] {
        match self {
            Operand::Column(column) | Operand::Number(column) => std::slice::from_ref(column),
            Operand::Aggregate { column, .. } => column.as_slice(),
            Operand::Value(_) | Operand::Stored(_) | Operand::Raw { .. } => &[],
            Operand::Occurrence(columns) => columns,
        }
    }

    /// Calls `each` with the association path of each column that the operand names.
    pub fn visit_path(&self, prefix: &[&'static str], each: &mut dyn FnMut(&[&'static str])) {
        self.columns().iter().for_each(|column| each(&[prefix, &column.path].concat()));
    }
}
