//! Rows to be inserted, grouped into as few statements as their columns allow.

use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;

use crate::change::key_on_owner;
use crate::dialect::Dialect;
use crate::key::KeyTuple;
use crate::metadata::model::{ColumnDefault, ModelDef};
use crate::metadata::rows::Rows;
use crate::sql;
use crate::statement::{Bind, Lack, StatementRole};
use crate::value::Value;

/// The statements that insert some rows of a model, in order.
///
/// Rows that set the same columns share statements, wherever they are in the list. A row that refers to an earlier one
/// of the same plan (a tree with its keys) is never written before it.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use assoc_core::save::InsertPlan;
///
/// let mut dialect = StandardSql::default();
/// dialect.0.insert_returning = true;
/// dialect.0.insert_rows = 2;
/// let mut plan = InsertPlan::new(Tag::DEF, &dialect).expecting(3);
/// for name in ["rust", "sql", "web"] {
///     plan.push(&mut [None, Some(name.into())]);
/// }
/// assert_eq!((plan.model(), plan.rows(), plan.batches.len()), (Tag::DEF, 3, 2));
/// assert_eq!(&*plan.text(0, &dialect, true), "INSERT INTO tags (name) VALUES (?), (?) RETURNING id, name");
/// assert_eq!(&*plan.text(1, &dialect, true), "INSERT INTO tags (name) VALUES (?) RETURNING id, name");
///
/// // Where the rows of one statement cannot be told apart, each has one.
/// let mut plan = plan.one_by_one();
/// assert_eq!(plan.batches.len(), 3);
/// // Values that were moved into rows are read from there; these are still here.
/// plan.restore(&Vec::<Tag>::new());
/// let rows: Vec<_> = plan.into_rows(None).map(|(input, values)| (input, values[1].clone())).collect();
/// assert_eq!(rows[2], (2, Some("web".into())));
/// ```
#[derive(Debug)]
pub struct InsertPlan {
    model: &'static ModelDef,
    // Whether rows of several can be told apart once they are inserted, or need not be.
    returning: bool,
    unread: bool,
    // How many rows, and how many binds, a statement may have.
    rows_per_statement: usize,
    max_binds: usize,
    /// The statements.
    pub batches: Vec<InsertBatch>,
    rows: u32,
    // How many more rows are expected.
    expected: usize,
    last_text: Option<InsertText>,
    // For each set of columns the last batch of such rows.
    open: HashMap<Box<[usize]>, usize>,
    // Associations of the model to itself: the referring columns, the columns they refer to, and the rows so far by
    // those.
    trees: Vec<(&'static [usize], &'static [usize], HashMap<KeyTuple, usize>)>,
}

/// One statement of an [`InsertPlan`]: rows that set the same columns.
#[derive(Debug)]
pub struct InsertBatch {
    /// The columns, in ascending order.
    pub columns: Box<[usize]>,
    /// Which of all rows these are, in the order of the statement.
    pub inputs: Vec<u32>,
    /// Their values, row by row.
    pub binds: Vec<Bind>,
    /// Why there is a statement for them.
    pub role: StatementRole,
    most: usize,
    // The first batch of the rows that would be one statement if statements took any number of rows.
    head: usize,
    // Whether there is room for the rows that were expected.
    has_room: bool,
}

// The text of a statement that inserts this number of rows into these columns.
#[derive(Debug)]
struct InsertText {
    columns: Box<[usize]>,
    rows: usize,
    returning: bool,
    text: Arc<str>,
}

// A database may take 1,000 rows per statement, where only two follow.
const MOST_RESERVED: usize = 64;

impl InsertPlan {
    /// A plan without rows.
    #[must_use]
    pub fn new(model: &'static ModelDef, dialect: &dyn Dialect) -> Self {
        let capabilities = dialect.capabilities();
        let to_itself = model.associations.iter().filter(|association| (association.target)() == model);
        let trees = to_itself.filter_map(|association| {
            let (own, theirs) = key_on_owner(association)?;
            Some((own, theirs, HashMap::new()))
        });
        InsertPlan {
            model,
            returning: capabilities.insert_returning,
            unread: false,
            rows_per_statement: capabilities.insert_rows.max(1),
            max_binds: capabilities.max_binds,
            batches: Vec::new(),
            rows: 0,
            expected: 0,
            last_text: None,
            open: HashMap::new(),
            trees: trees.collect(),
        }
    }

    /// A plan without rows, whose rows are not read back: those of a join table. What the database makes of them stays
    /// unknown, so they need not be told apart.
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use assoc_core::save::InsertPlan;
    ///
    /// // Two keys: nothing of it has to come back.
    /// let mut dialect = StandardSql::default();
    /// dialect.0.insert_returning = true;
    /// let mut plan = InsertPlan::unread(Tag::DEF, &dialect);
    /// plan.push(&mut [None, Some("rust".into())]);
    /// assert_eq!(&*plan.text(0, &dialect, true), "INSERT INTO tags (name) VALUES (?)");
    /// ```
    #[must_use]
    pub fn unread(model: &'static ModelDef, dialect: &dyn Dialect) -> Self {
        InsertPlan { unread: true, ..InsertPlan::new(model, dialect) }
    }

    /// Says how many rows will be added, so that there is room for them at once.
    #[must_use]
    pub fn expecting(mut self, rows: usize) -> Self {
        self.expected = rows;
        self
    }

    /// The model.
    #[must_use]
    pub fn model(&self) -> &'static ModelDef {
        self.model
    }

    /// The number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows as usize
    }

    /// The text of a batch's statement, whose rows are read back or not. Full batches of the same columns have the same
    /// text, so the text of the last batch serves the next one.
    #[must_use]
    pub fn text(&mut self, at: usize, dialect: &dyn Dialect, read: bool) -> Arc<str> {
        let InsertBatch { columns, inputs, .. } = &self.batches[at];
        let (rows, returning) = (inputs.len(), read && self.returning && !self.unread);
        match self.last_text.take() {
            Some(last) if last.columns == *columns && last.rows == rows && last.returning == returning => {
                self.last_text.insert(last)
            }
            _ => {
                let text = sql::insert_text(dialect, self.model, columns, rows, returning);
                self.last_text.insert(InsertText { columns: columns.clone(), rows, returning, text })
            }
        }
        .text
        .clone()
    }

    /// Adds a row, whose values it takes: one entry per column, `None` where it is not set.
    pub fn push(&mut self, row: &mut [Option<Value<'static>>]) {
        let (mut earliest, mut earliest_head) = (0, 0);
        for (own, _, seen) in &self.trees {
            if let Some(batch) = key_in(row, own).and_then(|key| seen.get(&key)) {
                earliest = earliest.max(*batch);
                earliest_head = earliest_head.max(self.batches[*batch].head);
            }
        }
        let columns = || row.iter().enumerate().filter(|(_, value)| value.is_some()).map(|(at, _)| at);
        // Most rows set what the last one set.
        let last = self.batches.len().wrapping_sub(1);
        let like_last = self.batches.last().is_some_and(|batch| columns().eq(batch.columns.iter().copied()));
        let open = if like_last { Some(last) } else { self.open.get(&*columns().collect::<Vec<_>>()).copied() };
        let takes = |at: &usize| *at >= earliest && self.batches[*at].inputs.len() < self.batches[*at].most;
        let at = match open.filter(takes) {
            Some(at) => at,
            None => {
                let columns: Box<[usize]> = columns().collect();
                let (most, role_of_next) = self.most_rows(&columns);
                let head = open.map(|full| self.batches[full].head).filter(|head| *head >= earliest_head);
                let role = if head.is_some() { role_of_next } else { StatementRole::Requested };
                let head = head.unwrap_or(self.batches.len());
                self.open.insert(columns.clone(), self.batches.len());
                let room = self.expected.min(most);
                let (inputs, binds) = (Vec::with_capacity(room), Vec::with_capacity(room * columns.len()));
                self.batches.push(InsertBatch { columns, inputs, binds, role, most, head, has_room: room > 1 });
                self.batches.len() - 1
            }
        };
        for (_, theirs, seen) in &mut self.trees {
            if let Some(key) = key_in(row, theirs) {
                seen.insert(key, at);
            }
        }
        self.batches[at].push(self.rows, row);
        self.rows += 1;
        self.expected = self.expected.saturating_sub(1);
    }

    /// Takes the values again that were moved into rows, which are these, in the order of the statements.
    pub fn restore(&mut self, rows: &dyn Rows) {
        let mut first = 0;
        for batch in &mut self.batches {
            batch.restore(self.model, |at| rows.row(first + at));
            first += batch.inputs.len();
        }
    }

    /// The values of all rows, with the position at which each was given. Values that were moved into rows are read from
    /// these, which are in the order in which they were given.
    pub fn into_rows(self, rows: Option<&dyn Rows>) -> impl Iterator<Item = (u32, Vec<Option<Value<'static>>>)> {
        let InsertPlan { model, batches, .. } = self;
        batches.into_iter().flat_map(move |mut batch| {
            if let Some(rows) = rows {
                let inputs = batch.inputs.clone();
                batch.restore(model, |at| rows.row(inputs[at] as usize));
            }
            let mut binds = batch.binds.into_iter();
            batch.inputs.into_iter().map(move |input| {
                let mut values = vec![None; model.columns.len()];
                for (column, bind) in batch.columns.iter().zip(&mut binds) {
                    if let Bind::Value(value) = bind {
                        values[*column] = Some(value);
                    }
                }
                (input, values)
            })
        })
    }

    /// The same rows in the same order, with one statement each, for a database that changes rows so that several
    /// cannot be distinguished.
    #[must_use]
    pub fn one_by_one(mut self) -> Self {
        let mut batches: Vec<InsertBatch> = Vec::with_capacity(self.rows());
        for InsertBatch { columns, inputs, binds, .. } in self.batches {
            let mut binds = binds.into_iter();
            for input in inputs {
                let own = binds.by_ref().take(columns.len()).collect();
                batches.push(InsertBatch {
                    columns: columns.clone(),
                    inputs: vec![input],
                    binds: own,
                    role: StatementRole::Requested,
                    most: 1,
                    head: batches.len(),
                    has_room: true,
                });
            }
        }
        batches.sort_by_key(|batch| batch.inputs[0]);
        self.batches = batches;
        self
    }

    // How many rows a statement takes, and why there are further ones.
    fn most_rows(&self, columns: &[usize]) -> (usize, StatementRole) {
        let key = self.model.primary_key;
        let has_key = !key.is_empty() && key.iter().all(|key| columns.contains(key));
        let counts = match key {
            [key] => self.model.columns[*key].default == ColumnDefault::AutoIncrement,
            _ => false,
        };
        // Without columns, a statement inserts one row. Without RETURNING, rows are found again by their keys. Rows
        // that triggers change are identified by their keys only.
        let read = !self.unread && !has_key;
        if columns.is_empty() || (read && !counts && self.model.read_back) {
            return (1, StatementRole::Requested);
        }
        if read && !self.returning {
            return (1, StatementRole::StandIn(Lack::InsertReturning));
        }
        (self.rows_per_statement.min(self.max_binds / columns.len().max(1)).max(1), StatementRole::Continued)
    }
}

impl InsertBatch {
    /// Takes the values again that were moved into its rows ([`CountedKeys::take`](super::CountedKeys::take)), of which
    /// `row` gives the one of a position in the statement. A column type reads what it wrote, so the values are as they were.
    fn restore<'r>(&mut self, model: &'static ModelDef, row: impl Fn(usize) -> Option<&'r dyn Any>) {
        if !self.binds.is_empty() {
            return;
        }
        for row in (0..self.inputs.len()).filter_map(row) {
            let values = self.columns.iter().map(|column| model.rows.value(row, *column).into_owned());
            self.binds.extend(values.map(Bind::Value));
        }
    }

    fn push(&mut self, input: u32, row: &mut [Option<Value<'static>>]) {
        if self.inputs.len() == 1 && !self.has_room {
            // There are several rows: most likely the largest number that fits.
            self.binds.reserve_exact(self.columns.len() * (self.most - 1).min(MOST_RESERVED));
        }
        self.inputs.push(input);
        self.binds.extend(row.iter_mut().filter_map(Option::take).map(Bind::Value));
    }
}

fn key_in(row: &[Option<Value<'static>>], columns: &[usize]) -> Option<KeyTuple> {
    let values: Option<Vec<_>> = columns.iter().map(|column| row.get(*column)?.clone()).collect();
    KeyTuple::new(values?)
}
