//! From data to SQL text: [`SqlWriter`] collects text and binds together, so that a value can only ever become a bind
//! parameter and an identifier can only ever be quoted by the dialect.

use std::borrow::Cow;
use std::ops::Range;

use crate::dialect::{Comparable, Dialect, NullPlacement};
use crate::error::{Error, ErrorKind, Result};
use crate::metadata::expr::{ColumnRef, Comparison, Direction, Expr, Operand, OrderTerm};
use crate::metadata::model::{ModelDef, TableRef};
use crate::statement::{Bind, BindList, Statement, StatementKind};
use crate::value::Value;

mod bulk;
mod chain_select;
mod comparison;
mod control;
mod counters;
mod custom_statement;
mod join_clause;
mod joined;
mod key_list;
mod keyed;
mod keyed_aggregate;
mod keyed_rows;
mod limited;
mod page;
mod per_owner;
mod raw;
mod read_by_keys;
mod recursion;
mod related;
mod select;
mod upsert;
mod write;

pub use crate::error::excerpt;
pub use control::{TransactionControl, transaction_control};
pub(crate) use counters::ends_at;
pub use counters::{CounterDrift, FollowedColumn, FollowedRows, Moved};
pub use key_list::padded_length;
pub use keyed_rows::KeyedRows;
pub use raw::{RawSyntax, ScanError, Scanned, scan};
pub use read_by_keys::{select_by, select_locked, select_matched};
pub use upsert::{OnConflict, upsert};
pub use write::{
    delete_by, delete_by_keys, delete_row, delete_rows, insert, insert_statement, insert_text, update_by_key,
    update_by_keys, update_row, update_rows,
};

/// Up to this number of terms is written flat; more terms are written as a tree.
const FLAT: usize = 64;

/// What was added to a list.
#[derive(Debug)]
struct Padding {
    sql: Range<usize>,
    binds: Range<usize>,
}

fn too_deep() -> Error {
    let message =
        format!("a condition is nested more than {} deep: use `Filter::any` and `Filter::all`", Expr::MAX_DEPTH);
    Error::invalid_query("filter", message)
}

/// Text and binds of a statement in the making.
///
/// A statement by hand, of names, data and conditions:
///
/// ```
#[doc = include_str!("../docs/blog.txt")]
/// use assoc_core::Value;
/// use assoc_core::driver::StatementKind;
/// use assoc_core::sql::SqlWriter;
///
/// let dialect = StandardSql::default();
/// let mut writer = SqlWriter::of_kind(&dialect, StatementKind::Update);
/// writer.push("UPDATE ");
/// writer.table(&Post::DEF.table);
/// writer.push(" SET ");
/// let set = [("title", Value::from("A")), ("user_id", Value::Int(7))];
/// writer.separated(", ", set, |writer, (name, value)| {
///     writer.identifier(name);
///     writer.push(" = ");
///     writer.bind(value);
/// });
/// writer.where_clause(&Post::ID.eq(1).into_expr())?;
/// let statement = writer.finish();
/// assert_eq!(statement.sql(), "UPDATE posts SET title = ?, user_id = ? WHERE id = ?");
/// assert_eq!((statement.kind(), statement.binds().len()), (StatementKind::Update, 3));
///
/// // Columns of the model have the table's name in front where others are beside it.
/// let mut writer = SqlWriter::new(&dialect);
/// writer.qualify("posts");
/// writer.columns(Tag::DEF);
/// writer.order_by(&[Tag::NAME.desc().into_term()])?;
/// assert_eq!(writer.text(), "posts.id, posts.name ORDER BY posts.name DESC");
///
/// let mut writer = SqlWriter::new(&dialect);
/// writer.condition(&(Post::TITLE.is_null() & Post::USER_ID.ne(7)).into_expr())?;
/// writer.push(" OR ");
/// writer.own_column("id");
/// writer.push(" = ");
/// writer.operand(&Post::USER_ID.max().into_operand())?;
/// assert_eq!(writer.text(), "(title IS NULL) AND (user_id <> ?) OR id = MAX(user_id)");
/// assert_eq!(writer.dialect().name(), "standard SQL");
/// # Ok::<(), assoc_core::Error>(())
/// ```
#[derive(Debug)]
pub struct SqlWriter<'d> {
    dialect: &'d dyn Dialect,
    sql: String,
    binds: Vec<Bind>,
    kind: StatementKind,
    qualifier: Option<Cow<'d, str>>,
    // Aliases given so far, and how deep conditions on associations are nested here.
    related: usize,
    nested: usize,
    // How deep the condition is that is being written.
    depth: usize,
    // What was added to lists to bring them to common lengths.
    padding: Vec<Padding>,
    joined: join_clause::JoinedNames,
}

impl<'d> SqlWriter<'d> {
    /// An empty statement that will read rows.
    #[must_use]
    pub fn new(dialect: &'d dyn Dialect) -> Self {
        SqlWriter::of_kind(dialect, StatementKind::Select)
    }

    /// An empty statement of a kind.
    #[must_use]
    pub fn of_kind(dialect: &'d dyn Dialect, kind: StatementKind) -> Self {
        SqlWriter {
            dialect,
            sql: String::with_capacity(128),
            binds: Vec::new(),
            kind,
            qualifier: None,
            related: 0,
            nested: 0,
            depth: 0,
            padding: Vec::new(),
            joined: join_clause::JoinedNames::default(),
        }
    }

    /// Writes this table in front of the columns of the query's model from now on.
    pub fn qualify(&mut self, table: impl Into<Cow<'d, str>>) {
        self.qualifier = Some(table.into());
    }

    /// The dialect.
    #[must_use]
    pub fn dialect(&self) -> &'d dyn Dialect {
        self.dialect
    }

    /// The text so far, to append to.
    pub fn text(&mut self) -> &mut String {
        &mut self.sql
    }

    /// Appends text that is not data: keywords and punctuation.
    pub fn push(&mut self, sql: &str) {
        self.sql.push_str(sql);
    }

    /// Appends a quoted identifier.
    pub fn identifier(&mut self, name: &str) {
        self.dialect.quote(name, &mut self.sql);
    }

    /// Appends a quoted table name, with its schema if it has one.
    pub fn table(&mut self, table: &TableRef) {
        if let Some(schema) = table.schema {
            self.identifier(schema);
            self.sql.push('.');
        }
        self.identifier(table.name);
    }

    /// Appends a placeholder for a value.
    pub fn bind(&mut self, value: Value<'static>) {
        self.push_bind(Bind::Value(value));
    }

    /// Appends a placeholder for a whole list, for dialects whose driver can bind one.
    ///
    /// ```
    #[doc = include_str!("../docs/blog.txt")]
    /// use assoc_core::driver::{Bind, BindList};
    /// use assoc_core::sql::SqlWriter;
    ///
    /// let dialect = StandardSql::default();
    /// let mut writer = SqlWriter::new(&dialect);
    /// writer.push("id = ANY(");
    /// writer.bind_list(BindList::Ints([4, 7].into()));
    /// writer.push(")");
    /// let statement = writer.finish();
    /// assert_eq!(statement.sql(), "id = ANY(?)");
    /// assert!(matches!(statement.binds(), [Bind::List(ids)] if ids.len() == 2));
    /// ```
    pub fn bind_list(&mut self, list: BindList) {
        self.push_bind(Bind::List(list));
    }

    fn push_bind(&mut self, bind: Bind) {
        self.binds.push(bind);
        self.dialect.placeholder(self.binds.len(), &mut self.sql);
    }

    /// The finished statement.
    #[must_use]
    pub fn finish(self) -> Statement {
        Statement::new(self.sql, self.binds).of_kind(self.kind)
    }

    /// The finished statement, if the database takes its number of binds. Lists lose their padding if that would exceed
    /// the number.
    ///
    /// # Errors
    /// When there are more binds than the database takes.
    ///
    /// ```
    #[doc = include_str!("../docs/blog.txt")]
    /// use assoc_core::sql::SqlWriter;
    ///
    /// let dialect = StandardSql::default(); // It takes 999.
    /// let written = |keys: std::ops::Range<i64>| {
    ///     let mut writer = SqlWriter::new(&dialect);
    ///     writer.where_clause(&Post::ID.is_in(keys).into_expr())?;
    ///     writer.finish_within_limit()
    /// };
    /// // A list has as many binds as a power of two, unless that would be too many.
    /// assert_eq!(written(0..500)?.binds().len(), 512);
    /// assert_eq!(written(0..999)?.binds().len(), 999);
    /// assert!(written(0..1_000).is_err());
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    pub fn finish_within_limit(mut self) -> Result<Statement> {
        let limit = self.dialect.capabilities().max_binds;
        if self.binds.len() > limit {
            self.take_padding_out();
        }
        if self.binds.len() <= limit {
            return Ok(self.finish());
        }
        let given = self.binds.len();
        Err(ErrorKind::TooManyBinds { backend: self.dialect.name(), given, limit }.into())
    }

    fn take_padding_out(&mut self) {
        let mut placeholders = [String::new(), String::new()];
        placeholders.iter_mut().zip([1, 2]).for_each(|(text, at)| self.dialect.placeholder(at, text));
        if placeholders[0] != placeholders[1] {
            // Numbered ones would have to be numbered anew.
            return;
        }
        for padding in std::mem::take(&mut self.padding).into_iter().rev() {
            self.sql.replace_range(padding.sql, "");
            self.binds.drain(padding.binds);
        }
    }

    /// Appends items with a separator between them.
    pub fn separated<T>(
        &mut self,
        separator: &str,
        items: impl IntoIterator<Item = T>,
        mut each: impl FnMut(&mut Self, T),
    ) {
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                self.push(separator);
            }
            each(self, item);
        }
    }

    /// Appends a column of the query's model, qualified if the statement needs it.
    pub fn own_column(&mut self, name: &str) {
        if let Some(table) = &self.qualifier {
            self.dialect.quote(table, &mut self.sql);
            self.sql.push('.');
        }
        self.identifier(name);
    }

    /// Appends all columns of a model.
    pub fn columns(&mut self, model: &ModelDef) {
        self.separated(", ", model.columns, |writer, column| writer.own_column(column.name));
    }

    fn column(&mut self, column: &ColumnRef) -> Result<()> {
        if column.path.is_empty() {
            self.own_column(column.name);
            return Ok(());
        }
        let path = [&self.joined.prefix[..], &column.path].concat();
        let table = self.joined_name(&path)?;
        self.identifier(&table);
        self.sql.push('.');
        self.identifier(column.name);
        Ok(())
    }

    /// Appends an operand.
    ///
    /// # Errors
    /// When it names a column the statement cannot reach.
    pub fn operand(&mut self, operand: &Operand) -> Result<()> {
        match operand {
            Operand::Column(column) => self.column(column)?,
            Operand::Value(value) => self.bind(value.clone()),
            Operand::Number(column) => {
                self.column(column)?;
                self.push(" + 0");
            }
            Operand::Stored(value) => self.dialect.write_stored(self, value),
            Operand::Raw { sql, binds } => self.raw_condition(sql, binds)?,
            Operand::Aggregate { function, column, distinct } => {
                let Some(column) = column else {
                    self.push(function.sql());
                    self.push("(*)");
                    return Ok(());
                };
                let sql_type = self.type_of(column);
                let form = self.dialect.aggregate(*function, sql_type);
                self.push(form.function);
                self.push(if *distinct { "(DISTINCT " } else { "(" });
                self.push(form.column.0);
                // What differs in its text only is one value.
                let comparable = sql_type.filter(|_| *distinct).and_then(|of| self.dialect.comparable(of));
                self.wrapped(comparable.map(Comparable::column), |writer| writer.column(column))?;
                self.push(form.column.1);
                self.push(")");
            }
            Operand::Occurrence(columns) => {
                self.push("ROW_NUMBER() OVER (PARTITION BY ");
                for (at, column) in columns.iter().enumerate() {
                    self.push(if at > 0 { ", " } else { "" });
                    self.comparable_operand(&Operand::Column(column.clone()))?;
                }
                self.push(")");
            }
        }
        Ok(())
    }

    /// Appends a condition.
    ///
    /// # Errors
    /// When it names a column the statement cannot reach, or raw SQL has another number of `?` than of binds.
    pub fn condition(&mut self, expr: &Expr) -> Result<()> {
        // Only one that was put together by hand is deeper, or one that scopes and filters came on top of.
        if self.depth > 2 * Expr::MAX_DEPTH {
            return Err(too_deep());
        }
        self.depth += 1;
        let result = self.condition_at_depth(expr);
        self.depth -= 1;
        result
    }

    fn condition_at_depth(&mut self, expr: &Expr) -> Result<()> {
        match expr {
            Expr::All(all) => self.connected(all, " AND ", "1 = 1"),
            Expr::Any(any) => self.connected(any, " OR ", "1 = 0"),
            Expr::Not(inner) => {
                self.push("NOT (");
                self.condition(inner)?;
                self.push(")");
                Ok(())
            }
            Expr::Compare { left, op, right: Operand::Value(Value::Null) } => {
                self.operand(left)?;
                self.push(match op {
                    Comparison::Eq => " IS NULL",
                    Comparison::Ne => " IS NOT NULL",
                    // Neither true nor false, so that its negation is not true either. A bind would have no type.
                    Comparison::Lt => " < NULL",
                    Comparison::Le => " <= NULL",
                    Comparison::Gt => " > NULL",
                    Comparison::Ge => " >= NULL",
                });
                Ok(())
            }
            Expr::Compare { left, op, right } => self.comparison(left, *op, right),
            Expr::In { operand, values } => self.in_list(operand, values),
            Expr::Between { operand, low, high } => self.between(operand, low, high),
            Expr::Like { operand, pattern } => {
                self.operand(operand)?;
                self.dialect.write_like(self, pattern)
            }
            Expr::IsNull(operand) => {
                self.operand(operand)?;
                self.push(" IS NULL");
                Ok(())
            }
            Expr::Related { association, filter, only_type, filters } => {
                self.related(association, filter, *only_type, filters.as_ref())
            }
            Expr::Joined { association, filter } => self.joined_condition(association, filter),
            Expr::Limited(limited) => self.limited(limited),
            Expr::Tagged { column, tag } => {
                self.holds_tag(|writer| writer.own_column(column), tag);
                Ok(())
            }
            Expr::Raw { sql, binds } => self.raw_condition(sql, binds),
            Expr::TooDeep => Err(too_deep()),
        }
    }

    fn connected(&mut self, parts: &[Expr], connector: &str, empty: &str) -> Result<()> {
        match parts {
            [] => {
                self.push(empty);
                Ok(())
            }
            [single] => self.condition(single),
            // Databases count each term of `a OR b OR c` as one level more. As a balanced tree n terms are log n deep.
            parts if parts.len() > FLAT => {
                let (left, right) = parts.split_at(parts.len() / 2);
                self.push("(");
                self.connected(left, connector, empty)?;
                self.push(")");
                self.push(connector);
                self.push("(");
                self.connected(right, connector, empty)?;
                self.push(")");
                Ok(())
            }
            parts => {
                for (index, part) in parts.iter().enumerate() {
                    if index > 0 {
                        self.push(connector);
                    }
                    self.push("(");
                    self.condition(part)?;
                    self.push(")");
                }
                Ok(())
            }
        }
    }

    fn in_list(&mut self, operand: &Operand, values: &[Value<'static>]) -> Result<()> {
        let (present, null): (Vec<_>, Vec<_>) = values.iter().cloned().partition(|value| !value.is_null());
        match (present.as_slice(), null.is_empty()) {
            ([], true) => self.push("1 = 0"),
            ([], false) => {
                self.operand(operand)?;
                self.push(" IS NULL");
            }
            (present, no_null) => {
                if !no_null {
                    self.push("(");
                }
                match present {
                    [single] => self.comparison(operand, Comparison::Eq, &Operand::Value(single.clone()))?,
                    several => self.one_of(operand, several)?,
                }
                if !no_null {
                    self.push(" OR ");
                    self.operand(operand)?;
                    self.push(" IS NULL)");
                }
            }
        }
        Ok(())
    }

    /// Appends ` WHERE …`, unless the condition always holds.
    ///
    /// # Errors
    /// As [`condition`](Self::condition).
    pub fn where_clause(&mut self, filter: &Expr) -> Result<()> {
        if filter.is_always() {
            return Ok(());
        }
        self.push(" WHERE ");
        self.condition(filter)
    }

    /// Appends ` AND (…)`, unless the condition always holds.
    pub(crate) fn and_condition(&mut self, filter: &Expr) -> Result<()> {
        if filter.is_always() {
            return Ok(());
        }
        self.push(" AND (");
        self.condition(filter)?;
        self.push(")");
        Ok(())
    }

    /// Appends ` ORDER BY …`, unless there is no term.
    ///
    /// # Errors
    /// When a term names a column the statement cannot reach.
    pub fn order_by(&mut self, order: &[OrderTerm]) -> Result<()> {
        for (index, term) in order.iter().enumerate() {
            self.push(if index == 0 { " ORDER BY " } else { ", " });
            self.order_term(term)?;
        }
        Ok(())
    }

    /// Appends one term of an order.
    fn order_term(&mut self, term: &OrderTerm) -> Result<()> {
        let direction = if term.direction == Direction::Desc { " DESC" } else { "" };
        if let Operand::Raw { sql, .. } = &term.operand {
            raw::refuse_direction(sql)?;
        }
        // Where the database puts `NULL` in the right place by itself, saying so could keep it from using an index.
        let capabilities = self.dialect.capabilities();
        let last = capabilities.null_order.puts_last(term);
        let placed = last != capabilities.null_order.is_last(term.direction);
        let clause = match capabilities.null_placement {
            NullPlacement::Clause if placed && last => " NULLS LAST",
            NullPlacement::Clause if placed => " NULLS FIRST",
            NullPlacement::Condition if placed => {
                self.operand(&term.operand)?;
                self.push(if last { " IS NULL, " } else { " IS NOT NULL, " });
                ""
            }
            _ => "",
        };
        if let Some(index) = self.comparable_of(&term.operand).and_then(Comparable::index)
            && matches!(term.operand, Operand::Column(_))
        {
            self.wrapped(Some(index), |writer| writer.operand(&term.operand))?;
            self.push(direction);
            self.push(clause);
            self.push(", ");
        }
        self.comparable_operand(&term.operand)?;
        self.push(direction);
        self.push(clause);
        Ok(())
    }
}
