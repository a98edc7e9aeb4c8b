//! The plan of a save: a graph of changes as the fewest ordered statements. Pure: nothing here runs anything.
//!
//! A row waits for the rows whose keys it takes, and for nothing else: how deep it is nested does not count. So rows have
//! levels, and the rows of a level are written together, model by model. Of each model and level, rows that set the same
//! columns share statements ([`InsertPlan`](super::InsertPlan)).
//!
//! What is said of members of rows that exist is first looked up ([`Lookup`]), because the database decides what an owner
//! has, not what happens to be loaded. Then rows are unlinked, then the levels are written.

use std::collections::HashMap;
use std::fmt::Write;

use super::members::Lookup;
use super::unlink::Unlink;
use crate::change::{Row, RowChange, fill};
use crate::counters::{self, NewParents, Timings};
use crate::error::Result;
use crate::metadata::association::AssociationDef;
use crate::metadata::model::{ColumnDefault, ModelDef};
use crate::value::DateTime;

mod awaits;
mod builder;
mod circles;
mod followed;
mod incomplete;
mod levels;
mod links;
mod loaded;
mod rows;

pub use awaits::Awaits;
pub use loaded::{LoadedGroup, LoadedOwner, LoadedRow};
use rows::ValuesAt;
pub use rows::{PlannedRows, RowValues};

/// A row that a save writes.
#[derive(Clone)]
pub struct PlannedRow {
    /// Its model, or the join table it is a row of.
    pub model: &'static ModelDef,
    /// The row as it is, if it exists.
    pub base: Option<Row>,
    // Where its values are.
    at: ValuesAt,
    /// The columns that take their values of other planned rows.
    pub awaits: Awaits,
    /// Which of the levels it belongs to.
    pub level: u32,
    /// Whether nothing needs what the database makes of it: the row of a join table.
    pub unread: bool,
    /// Whether it is a row between of which nothing was said: it holds the link alone.
    pub is_bare_link: bool,
    /// The association of another row by which it is saved; `None` if it was given to be saved itself.
    pub association: Option<&'static AssociationDef>,
}

/// A row that becomes a member of an association.
#[derive(Clone)]
pub struct Added {
    /// The association.
    pub association: &'static AssociationDef,
    /// The planned row that is its owner.
    pub owner: u32,
    /// The member.
    pub member: LoadedRow,
    /// The planned row that links the two: the member, or the row between.
    pub link: u32,
}

/// A column of a planned row that takes the value of another row's column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Awaited {
    /// The column.
    pub column: usize,
    /// The other row.
    pub row: u32,
    /// The other row's column.
    pub of: usize,
}

/// Columns of a new row that are set once all rows are written, because the row that gives their values needs its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closing {
    /// The row.
    pub row: u32,
    /// The columns.
    pub columns: Vec<Awaited>,
}

/// Rows that are written together.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// Rows that exist are changed.
    Update {
        /// Their model.
        model: &'static ModelDef,
        /// Which they are.
        rows: Vec<u32>,
    },
    /// New rows.
    Insert {
        /// Their model.
        model: &'static ModelDef,
        /// Which they are.
        rows: Vec<u32>,
        /// Whether they are not read back.
        unread: bool,
    },
}

/// The plan of a save.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// # use assoc_core::value::{Date, DateTime, Time};
/// # let date = Date { year: 2024, month: 2, day: 29 };
/// # let now = DateTime { date, time: Time { negative: false, hour: 12, minute: 0, second: 0, micros: 0 } };
/// use assoc_core::change::{Member, RowChange};
/// use assoc_core::save::{SavePlan, Step};
///
/// // A new user with two posts.
/// let mut ada = RowChange::with_values(User::DEF, None, vec![None, Some("Ada".into()), None]);
/// for (title, more) in [("On looms", 1), ("On engines", 0)] {
///     let post = RowChange::with_values(Post::DEF, None, vec![None, None, Some(title.into())]);
///     ada.push_member(User::POSTS.def(), Member::Change(post), more);
/// }
/// let mut plan = SavePlan::new(User::DEF, vec![ada])?;
/// plan.fill(now, true);
///
/// // The posts take the key of the user, so the user is inserted first.
/// let inserted = |step: &Step| match step {
///     Step::Insert { model, rows, .. } => (model.name, rows.len()),
///     _ => panic!("nothing exists"),
/// };
/// assert_eq!(plan.steps().iter().map(inserted).collect::<Vec<_>>(), [("User", 1), ("Post", 2)]);
/// assert_eq!((plan.models(), plan.written_models()), (vec![User::DEF, Post::DEF], vec![User::DEF, Post::DEF]));
/// assert!(plan.explain(true).lines().count() >= 2);
/// // Nothing is looked up, set afterwards, linked by hand-written SQL or told to a callback.
/// assert!(plan.lookups().is_empty() && plan.closings().is_empty());
/// assert!(plan.by_sql().is_empty() && plan.added().is_empty());
/// // What comes back is loaded: the user, and the posts in it.
/// assert_eq!(plan.groups().len(), 2);
///
/// // The executor takes the values out, and writes them.
/// let values = plan.take_values(&[User::DEF, Post::DEF]);
/// assert!(!values.is_empty() && plan.rows().written().count() == 3);
/// # let _ = plan.timings();
/// # Ok::<(), assoc_core::Error>(())
/// ```
pub struct SavePlan {
    rows: PlannedRows,
    lookups: Vec<Lookup>,
    steps: Vec<Step>,
    closings: Vec<Closing>,
    groups: Vec<LoadedGroup>,
    new_parents: NewParents,
    added: Vec<Added>,
    by_sql: Vec<Added>,
}

impl SavePlan {
    /// Plans the save of some rows of a model with all their members. Expects changes [without
    /// problems](RowChange::problems).
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) if new rows need each other's keys and none can come later, if a shared
    /// row is given two owners, or if a member is removed that the association cannot let go; a declaration that does not hold together.
    pub fn new(model: &'static ModelDef, changes: Vec<RowChange>) -> Result<Self> {
        // Most rows are those that are given, and their members.
        let expected = changes.iter().map(|change| change.said() + 1).sum();
        let mut builder = builder::Builder::new(model, expected);
        for change in changes {
            builder.add_root(change)?;
        }
        let builder::Parts { mut rows, lookups, mut groups, added, by_sql } = builder.finish();
        let new_parents = NewParents::count(&mut rows);
        let (steps, closings) = levels::arrange(model, &mut rows)?;
        loaded::settle(&rows, &mut groups);
        Ok(SavePlan { rows, lookups, steps, closings, groups, new_parents, added, by_sql })
    }

    /// Fills in the columns of written rows to which nothing was given: [`RowChange::fill`]. With `touches` also those that
    /// rows touch which belong to new ones.
    pub fn fill(&mut self, now: DateTime, touches: bool) {
        if touches {
            self.new_parents.touch(&mut self.rows, now);
        }
        let is_filled = |model: &'static ModelDef| {
            model.columns.iter().any(|column| matches!(column.default, ColumnDefault::Filled(_)))
        };
        if !self.rows.models().any(is_filled) {
            return;
        }
        // The model of the last row, and whether columns of it are filled in.
        let mut last: Option<(&'static ModelDef, bool)> = None;
        for at in 0..self.rows.len() {
            let row = &self.rows[at];
            let fills = match last {
                Some((model, fills)) if std::ptr::eq(model, row.model) => fills,
                _ => last.insert((row.model, is_filled(row.model))).1,
            };
            if fills && self.rows.is_written(row) {
                let (row, values) = self.rows.parts_mut(at as u32);
                fill(row.model, row.base.is_none(), values, now);
            }
        }
    }

    /// The values of new rows of some models, given up by the plan. It keeps those of others.
    pub fn take_values(&mut self, models: &[&'static ModelDef]) -> RowValues {
        self.rows.take_values(models)
    }

    /// The rows that are written, and those that are only led to.
    #[must_use]
    pub fn rows(&self) -> &PlannedRows {
        &self.rows
    }

    /// For each row that belongs to others, when these follow it.
    #[must_use]
    pub fn timings(&self) -> &Timings {
        &self.new_parents.timings
    }

    /// What is looked up before anything is written.
    #[must_use]
    pub fn lookups(&self) -> &[Lookup] {
        &self.lookups
    }

    /// What is written, in order.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// What is set once all of that is written.
    #[must_use]
    pub fn closings(&self) -> &[Closing] {
        &self.closings
    }

    /// What is loaded in the rows that come back: the rows themselves first, then those of their associations.
    #[must_use]
    pub fn groups(&self) -> &[LoadedGroup] {
        &self.groups
    }

    /// The rows that become members of associations whose callbacks want to know it.
    #[must_use]
    pub fn added(&self) -> &[Added] {
        &self.added
    }

    /// The links that are written by hand-written SQL, in place of the planned row between.
    #[must_use]
    pub fn by_sql(&self) -> &[Added] {
        &self.by_sql
    }

    /// The models whose tables are written or looked at, each once.
    #[must_use]
    pub fn models(&self) -> Vec<&'static ModelDef> {
        let mut models: Vec<_> = self.rows.models().collect();
        for lookup in &self.lookups {
            for model in [lookup.table].into_iter().chain(lookup.targets.as_ref().map(|targets| targets.model)) {
                if !models.contains(&model) {
                    models.push(model);
                }
            }
        }
        models
    }

    /// The models whose rows are written, each once.
    #[must_use]
    pub fn written_models(&self) -> Vec<&'static ModelDef> {
        self.rows.written_models()
    }

    /// The plan as text, a line for each kind of statement. With `touches` times follow as well as counters.
    #[must_use]
    pub fn explain(&self, touches: bool) -> String {
        let mut text = String::new();
        let mut line = 0;
        let mut write = |what: std::fmt::Arguments<'_>| {
            line += 1;
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{line}. {what}");
        };
        let shown = |count: usize| if count == 1 { "1 row".to_owned() } else { format!("{count} rows") };
        for lookup in &self.lookups {
            let (table, name) = (lookup.table.table, lookup.association.qualified_name());
            let owners = lookup.questions.len();
            write(format_args!("SELECT {table}: members of `{name}`, {owners} asked for"));
            if let Some(targets) = &lookup.targets {
                write(format_args!("SELECT {}: which of them `{name}` sees", targets.model.table));
            }
        }
        let written = self.written_children(touches);
        for known in written.iter().filter(|known| known.locked > 0) {
            let table = known.children.model.table;
            write(format_args!(
                "SELECT {table}: what {} belong{} to, locked",
                shown(known.locked),
                if known.locked == 1 { "s" } else { "" }
            ));
        }
        for line in counters::lines(touches, written.iter().map(|known| (&known.children, known.meant.clone()))) {
            write(format_args!("{line}"));
        }
        for lookup in self.lookups.iter().filter(|lookup| lookup.removes()) {
            let table = lookup.table.table;
            if lookup.may_relink() {
                let names = names(lookup.table, lookup.member_columns());
                write(format_args!(
                    "UPDATE {table} ({names}): one that is let go leads to the new target, and is not inserted"
                ));
            }
            match &lookup.unlink {
                Unlink::Delete => write(format_args!("DELETE {table}: those that are let go")),
                Unlink::Destroy => {
                    write(format_args!("DELETE {table} and what depends on its rows: those that are let go"));
                }
                Unlink::Nullify(columns) => {
                    write(format_args!("UPDATE {table} ({}): those that are let go", names(lookup.table, columns)));
                }
                Unlink::Refused(_) => write(format_args!("refused if {table} has others")),
            }
        }
        for step in &self.steps {
            match step {
                Step::Update { model, rows } => {
                    for (columns, count) in self.by_columns(rows) {
                        let (table, names) = (model.table, names(model, &columns));
                        write(format_args!("UPDATE {table} ({names}): {}", shown(count)));
                    }
                }
                Step::Insert { model, rows, .. } => {
                    for (columns, count) in self.by_columns(rows) {
                        let (table, names) = (model.table, names(model, &columns));
                        write(format_args!("INSERT {table} ({names}): {}", shown(count)));
                    }
                }
            }
        }
        let mut closed: Vec<(&ModelDef, Vec<usize>, usize)> = Vec::new();
        for closing in &self.closings {
            let model = self.rows[closing.row as usize].model;
            let columns: Vec<usize> = closing.columns.iter().map(|awaited| awaited.column).collect();
            match closed.iter_mut().find(|known| known.0 == model && known.1 == columns) {
                Some((_, _, count)) => *count += 1,
                None => closed.push((model, columns, 1)),
            }
        }
        for (model, columns, count) in closed {
            let (table, names) = (model.table, names(model, &columns));
            write(format_args!("UPDATE {table} ({names}): {}, with keys that were not known before", shown(count)));
        }
        text
    }

    // Sets of columns with the number of rows that set them, in the order of the first.
    fn by_columns(&self, rows: &[u32]) -> Vec<(Vec<usize>, usize)> {
        let mut sets: Vec<(Vec<usize>, usize)> = Vec::new();
        let mut known: HashMap<Vec<usize>, usize> = HashMap::new();
        for row in rows {
            let row = &self.rows[*row as usize];
            let is_set = |column: &usize| self.rows.is_set(row, *column);
            let columns: Vec<usize> = (0..row.model.columns.len()).filter(is_set).collect();
            let at = *known.entry(columns).or_insert_with_key(|columns| {
                sets.push((columns.clone(), 0));
                sets.len() - 1
            });
            sets[at].1 += 1;
        }
        sets
    }
}

fn names(model: &ModelDef, columns: &[usize]) -> String {
    columns.iter().map(|column| model.columns[*column].name).collect::<Vec<_>>().join(", ")
}

/// The association by which rows came to be among the loaded ones.
type Path = Option<(usize, &'static AssociationDef)>;
