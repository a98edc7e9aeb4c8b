//! What a group has one value of: what its rows are grouped by, and every column of a row whose primary key is among that.
//!
//! Of any other column a group has as many values as rows. SQLite and MariaDB answer with one of them, whichever they come
//! by, and PostgreSQL refuses the statement. So a query that asks for such a column is refused before it is written. The rule
//! is PostgreSQL's: that a column is unique, or equal to one of another table, decides nothing.

use super::RootSelect;
use crate::error::{Error, ErrorKind, GroupedUse, Result};
use crate::metadata::association::Chain;
use crate::metadata::expr::{ColumnRef, Expr, Operand, OrderTerm};
use crate::metadata::model::ModelDef;
use crate::metadata::request::ScopeDef;

impl RootSelect {
    /// Whether its answer is about groups of rows, not about rows.
    pub(crate) fn makes_groups(&self) -> bool {
        let aggregates = || self.operands.iter().flatten().any(Operand::is_aggregate);
        !self.group.is_empty() || !self.having.is_always() || aggregates()
    }

    /// Whether all rows are one group, so that there is nothing to sort.
    pub(crate) fn is_one_group(&self) -> bool {
        self.group.is_empty() && self.makes_groups()
    }

    /// Refuses a query of groups that reads, compares or sorts by a column of which a group may have several values. Hand-written
    /// SQL may name anything, so it is the database that judges it, and groups that are made by it.
    ///
    /// # Errors
    /// [`ErrorKind::NotGrouped`].
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use assoc_core::metadata::{ColumnRef, Operand};
    /// use assoc_core::select::RootSelect;
    ///
    /// let by = |name| vec![Operand::Column(ColumnRef::own(name))];
    /// let by_author = RootSelect { group: by("user_id"), ..RootSelect::new(Post::DEF) };
    /// let error = by_author.require_grouped().unwrap_err();
    /// assert!(error.to_string().starts_with("Post: a group has no single value of `id`: "));
    /// RootSelect { operands: Some(by("user_id")), ..by_author }.require_grouped()?;
    /// // A group by the primary key is a row.
    /// RootSelect { group: by("id"), ..RootSelect::new(Post::DEF) }.require_grouped()?;
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    pub fn require_grouped(&self) -> Result<()> {
        if !self.makes_groups() || self.group.iter().any(Operand::is_raw) {
            return Ok(());
        }
        let groups = Groups::of(self);
        match &self.operands {
            None => {
                let mut columns = self.model.columns.iter();
                columns.try_for_each(|column| groups.require_column(&[], column.name, GroupedUse::Row))?;
            }
            Some(operands) => operands.iter().try_for_each(|operand| groups.require(operand, GroupedUse::Value))?,
        }
        self.carried.iter().try_for_each(|operand| groups.require(operand, GroupedUse::Value))?;
        groups.visit_condition(&self.having, &[], &mut |path, name| {
            groups.require_column(path, name, GroupedUse::Condition)
        })?;
        if self.is_one_group() {
            return self.refuse_limited_rows();
        }
        self.order.iter().try_for_each(|term| groups.require(&term.operand, GroupedUse::Order))
    }

    /// What the condition on groups names and they are not grouped by, because they have one value of it anyway. MariaDB and
    /// MySQL know such a column in `HAVING` only if it is grouped by or read, and a group by it as well is the same group.
    ///
    /// # Errors
    /// When an association in the condition contradicts itself.
    pub(crate) fn grouped_for_condition(&self) -> Result<Vec<Operand>> {
        let mut added: Vec<Operand> = Vec::new();
        if self.group.is_empty() || self.having.is_always() || self.group.iter().any(Operand::is_raw) {
            return Ok(added);
        }
        let groups = Groups::of(self);
        groups.visit_condition(&self.having, &[], &mut |path, name| {
            let column = Operand::Column(ColumnRef { path: path.to_vec().into(), ..ColumnRef::own(name) });
            let known = groups.table(path).is_none_or(|table| groups.by.contains(&(table, name)));
            if !known && !added.contains(&column) {
                added.push(column);
            }
            Ok(())
        })?;
        Ok(added)
    }

    // What sorts rows of which a limit takes the first was meant to choose what is added up.
    fn refuse_limited_rows(&self) -> Result<()> {
        if self.order.is_empty() || self.limit.is_none() && self.offset.is_none() {
            return Ok(());
        }
        let message = "aggregates that are not grouped are one row, of which there is no first: an aggregate of the first \
                       rows is read with `repo.aggregate`";
        Err(Error::invalid_query(self.model.name, message))
    }
}

/// What of an order that a declaration says for rows sorts groups as well: the terms that have one value in a group, as far as
/// the model's own columns tell, hand-written SQL, and those that were `asked` for. Without groups it is the whole order.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use assoc_core::metadata::{ColumnRef, Operand};
/// use assoc_core::select::keep_order_of_groups;
///
/// let by_author = [Operand::Column(ColumnRef::own("user_id"))];
/// let mut order = vec![Post::USER_ID.desc().into_term(), Post::ID.asc().into_term()];
/// keep_order_of_groups(Post::DEF, &[], &mut order, &[]);
/// assert_eq!(order.len(), 2);
/// keep_order_of_groups(Post::DEF, &by_author, &mut order, &[]);
/// assert_eq!(order, [Post::USER_ID.desc().into_term()]);
/// ```
pub fn keep_order_of_groups(model: &ModelDef, group: &[Operand], order: &mut Vec<OrderTerm>, asked: &[OrderTerm]) {
    if group.is_empty() {
        return;
    }
    let grouped = |name: &str| {
        group.iter().any(|by| matches!(by, Operand::Column(column) if column.path.is_empty() && column.name == name))
    };
    let key = !model.primary_key.is_empty() && model.primary_key_names().all(grouped);
    let of_one_value =
        |column: &ColumnRef| (key && column.path.is_empty()) || group.contains(&Operand::Column(column.clone()));
    order.retain(|term| {
        let OrderTerm { operand, .. } = term;
        let known = operand.is_aggregate() || operand.columns().iter().all(of_one_value);
        known || asked.iter().any(|asked| asked.operand == *operand)
    });
}

// The columns that rows are grouped by, as columns of the statement's tables: `None` is the model's own.
struct Groups<'s> {
    select: &'s RootSelect,
    by: Vec<(Option<usize>, &'static str)>,
}

impl<'s> Groups<'s> {
    fn of(select: &'s RootSelect) -> Groups<'s> {
        let mut groups = Groups { select, by: Vec::new() };
        let columns = select.group.iter().flat_map(Operand::columns);
        groups.by = columns.filter_map(|column| Some((groups.table(&column.path)?, column.name))).collect();
        groups
    }

    // The table that a path leads to. What leads to none is refused where it is written.
    fn table(&self, path: &[&'static str]) -> Option<Option<usize>> {
        if path.is_empty() { Some(None) } else { self.select.joins.find(path).map(Some) }
    }

    fn model(&self, table: Option<usize>) -> &'static ModelDef {
        table.map_or(self.select.model, |table| self.select.joins.tables()[table].hop.model)
    }

    fn has_one(&self, path: &[&'static str], name: &'static str) -> bool {
        let Some(table) = self.table(path) else { return true };
        let model = self.model(table);
        let grouped = |name| self.by.contains(&(table, name));
        grouped(name) || (!model.primary_key.is_empty() && model.primary_key_names().all(grouped))
    }

    fn require_column(&self, path: &[&'static str], name: &'static str, asked: GroupedUse) -> Result<()> {
        if self.has_one(path, name) {
            return Ok(());
        }
        let column = ColumnRef { path: path.to_vec().into(), ..ColumnRef::own(name) };
        let column = Operand::Column(column).shown().into_owned();
        Err(ErrorKind::NotGrouped { model: self.select.model.name, column, asked }.into())
    }

    fn require(&self, operand: &Operand, asked: GroupedUse) -> Result<()> {
        columns_of(operand).iter().try_for_each(|column| self.require_column(&column.path, column.name, asked))
    }

    // Calls with each column that a condition names, except in aggregates. The path leads to what the condition is about.
    fn visit_condition(&self, condition: &Expr, path: &[&'static str], each: &mut EachColumn<'_>) -> Result<()> {
        let mut visit = |operand: &Operand| {
            let mut columns = columns_of(operand).iter();
            columns.try_for_each(|column| each(&[path, &column.path].concat(), column.name))
        };
        match condition {
            Expr::All(parts) | Expr::Any(parts) => {
                parts.iter().try_for_each(|part| self.visit_condition(part, path, each))
            }
            Expr::Not(inner) => self.visit_condition(inner, path, each),
            Expr::Compare { left, right, .. } => {
                visit(left)?;
                visit(right)
            }
            Expr::In { operand, .. }
            | Expr::Between { operand, .. }
            | Expr::Like { operand, .. }
            | Expr::IsNull(operand) => visit(operand),
            Expr::Joined { association, filter } => {
                self.visit_condition(filter, &[path, &[association.name]].concat(), each)
            }
            // The subquery refers to its owner's key.
            Expr::Related { association, only_type, .. } => {
                let chain = Chain::scoped_to(association, ScopeDef::default(), *only_type)?;
                let Some(table) = self.table(path) else { return Ok(()) };
                let model = self.model(table);
                chain.owner_columns().into_iter().try_for_each(|column| each(path, model.columns[column].name))
            }
            Expr::Limited(limited) => {
                let mut columns = limited.key.iter().chain(limited.model.primary_key);
                columns.try_for_each(|column| each(path, limited.model.columns[*column].name))
            }
            Expr::Tagged { column, .. } => each(path, column),
            Expr::Raw { .. } | Expr::TooDeep => Ok(()),
        }
    }
}

type EachColumn<'e> = dyn FnMut(&[&'static str], &'static str) -> Result<()> + 'e;

// The columns whose single values an operand needs.
fn columns_of(operand: &Operand) -> &[ColumnRef] {
    if operand.is_aggregate() { &[] } else { operand.columns() }
}
