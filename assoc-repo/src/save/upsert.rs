//! Running upserts: in few statements, all or none, and each row known to be the one that was meant.
//!
//! Only the database knows which keys are equal: `X` and `x`, in a column that ignores case. So two given rows may be one. What
//! comes back tells: rows that hold the same key are the same row. Where a statement of several rows does not tell, or the
//! database refuses it (PostgreSQL writes no row twice in a statement), the rows are written one by one.

use std::collections::{HashMap, HashSet};

use assoc_core::change::{RowChange, same_value};
use assoc_core::dialect::Upsert;
use assoc_core::driver::{Access, Bind, StatementRole, TransactionMode};
use assoc_core::execution::KeyTuple;
use assoc_core::execution::rows::Rows;
use assoc_core::metadata::{Expr, ModelDef};
use assoc_core::save::{InsertBatch, InsertPlan};
use assoc_core::select::RootSelect;
use assoc_core::sql::OnConflict;
use assoc_core::{DriverError, DriverErrorKind, Error, ErrorKind, Result, Value, sql};

use super::known::exists;
use super::{insert, read_by_keys};
use crate::repo::Repo;
use crate::session::Session;
use crate::touched_rows::Written;
use crate::upsert::Updates;

/// Inserts or updates rows of a model and returns them in the given order, as the database has them.
pub(crate) async fn upsert(repo: &Repo, mut changes: Vec<RowChange>, updates: &Updates<'_>) -> Result<Box<dyn Rows>> {
    let model = updates.model;
    insert::check(model, &changes)?;
    if changes.iter().any(RowChange::has_members) {
        let message = "`upsert` writes rows alone, and a changeset says something of associated rows: `insert` or `update` it, or \
                       `associate` a row that exists";
        return Err(Error::invalid_query(model.name, message));
    }
    if let Some(guard) = &updates.guard {
        guard.check_new(&changes)?;
    }
    let given: Vec<Vec<usize>> = changes.iter().map(set_columns).collect();
    let now = repo.now();
    changes.iter_mut().for_each(|change| change.fill(now));
    let keys = changes.iter().map(|change| {
        let value = |column: &usize| change.values()[*column].clone().unwrap_or_default();
        KeyTuple::new(updates.conflict.iter().map(value))
    });
    let keys: Vec<Option<KeyTuple>> = keys.collect();
    require_different(model, updates.conflict, &keys, &keys)?;
    // What is written over a row depends on what was given, not on what was filled in: such rows share a statement.
    let mut groups: HashMap<Vec<usize>, (OnConflict, InsertPlan, Vec<u32>)> = HashMap::new();
    let mut order: Vec<Vec<usize>> = Vec::new();
    for ((change, given), input) in changes.into_iter().zip(given).zip(0_u32..) {
        if !groups.contains_key(&given) {
            let update = updates.of(&given, &set_columns(&change))?;
            let conflict = OnConflict { columns: updates.conflict.to_vec(), update, version: model.lock_version() };
            groups.insert(given.clone(), (conflict, InsertPlan::new(model, repo.dialect()), Vec::new()));
            order.push(given.clone());
        }
        if let Some((_, plan, inputs)) = groups.get_mut(&given) {
            plan.push(&mut change.into_parts().1);
            inputs.push(input);
        }
    }
    let mut batches: Vec<Batch<'_>> = Vec::new();
    for (conflict, plan, inputs) in order.iter().filter_map(|given| groups.get(given)) {
        batches.extend(plan.batches.iter().map(|batch| Batch { conflict, batch, inputs }));
    }
    let mut one_by_one: HashSet<usize> = HashSet::new();
    loop {
        let mut session = repo.session(Access::Write).await?;
        session.begin(TransactionMode::Write).await?;
        let mut run = Run { model, rows: model.rows.new_rows(), inputs: Vec::new(), is_told: true };
        let result = match run.all(&mut session, &batches, &one_by_one).await {
            Ok(Told::Each) => run.checked(&mut session, updates, &keys).await,
            Ok(Told::Nothing { batch }) => {
                // All is undone, and said once more.
                let _ = session.finish::<()>(Err(insert::unproven(model))).await;
                one_by_one.insert(batch);
                continue;
            }
            Err(error) => Err(error),
        };
        session.finish(result).await?;
        return Ok(run.in_given_order());
    }
}

fn set_columns(change: &RowChange) -> Vec<usize> {
    change.values().iter().enumerate().filter(|(_, value)| value.is_some()).map(|(at, _)| at).collect()
}

// Two rows of one call that are the same row would overwrite each other. `keys` are those that tell rows apart, `given` those
// that were given.
fn require_different(
    model: &ModelDef,
    conflict: &[usize],
    keys: &[Option<KeyTuple>],
    given: &[Option<KeyTuple>],
) -> Result<()> {
    let mut seen: HashMap<&KeyTuple, usize> = HashMap::new();
    for (at, key) in keys.iter().enumerate() {
        // What is NULL is never there already.
        let Some(key) = key else { continue };
        if let Some(earlier) = seen.insert(key, at) {
            let shown = |at: usize| given[at].as_ref().unwrap_or(key).to_string();
            let columns = conflict.iter().map(|column| model.columns[*column].field).collect();
            let keys = [shown(earlier), shown(at)];
            return Err(ErrorKind::SameRow { model: model.name, columns, rows: [earlier, at], keys }.into());
        }
    }
    Ok(())
}

/// Rows that one statement writes.
struct Batch<'u> {
    conflict: &'u OnConflict,
    batch: &'u InsertBatch,
    // Which of the given rows each row of the group is.
    inputs: &'u [u32],
}

/// What the answers tell.
enum Told {
    /// Which of the given rows each is.
    Each,
    /// Not which rows of this batch: they have to be written one by one, once all is undone.
    Nothing { batch: usize },
}

struct Run {
    model: &'static ModelDef,
    rows: Box<dyn Rows>,
    // Which of the given rows each is.
    inputs: Vec<u32>,
    // Whether each row holds the values that were given for the conflicting columns.
    is_told: bool,
}

impl Run {
    async fn all(
        &mut self,
        session: &mut Session<'_>,
        batches: &[Batch<'_>],
        one_by_one: &HashSet<usize>,
    ) -> Result<Told> {
        for (at, batch) in batches.iter().enumerate() {
            let is_whole = batch.batch.inputs.len() > 1 && !one_by_one.contains(&at);
            if is_whole {
                match self.together(session, batch).await? {
                    Some(true) => continue,
                    Some(false) => {}
                    None => return Ok(Told::Nothing { batch: at }),
                }
            }
            self.each(session, batch).await?;
        }
        Ok(Told::Each)
    }

    // By one statement. Whether it is known which row is whose; if not, the rows may be written again, one by one: an upsert may be
    // done twice, and a savepoint would cost two journeys each time. `None` if all has to be undone before.
    async fn together(
        &mut self,
        session: &mut Session<'_>,
        Batch { conflict, batch, inputs }: &Batch<'_>,
    ) -> Result<Option<bool>> {
        let rows = match self.write(session, conflict, batch, &batch.binds).await {
            // Perhaps two rows are one. Whatever else it is, it fails again.
            Err(error) if error.driver().is_some_and(|error| error.kind() == DriverErrorKind::Other) => {
                return Ok(None);
            }
            rows => rows?,
        };
        let Some(found) = self.matched(conflict, batch, &*rows) else {
            // A version would count both times.
            let counts = conflict.version.is_some() && !conflict.update.is_empty();
            return Ok((!counts).then_some(false));
        };
        for (at, row) in found.into_iter().enumerate() {
            self.rows.push_from(&*rows, at);
            self.inputs.push(inputs[batch.inputs[row] as usize]);
        }
        Ok(Some(true))
    }

    async fn each(&mut self, session: &mut Session<'_>, Batch { conflict, batch, inputs }: &Batch<'_>) -> Result<()> {
        self.is_told = false;
        let width = batch.columns.len().max(1);
        for (row, input) in batch.binds.chunks(width).zip(&batch.inputs) {
            let rows = self.write(session, conflict, batch, row).await?;
            self.require_meant(session, conflict, batch, row, &*rows).await?;
            self.rows.push_from(&*rows, 0);
            self.inputs.push(inputs[*input as usize]);
        }
        Ok(())
    }

    // What can only be known once all is written.
    async fn checked(
        &mut self,
        session: &mut Session<'_>,
        updates: &Updates<'_>,
        given: &[Option<KeyTuple>],
    ) -> Result<()> {
        let model = self.model;
        // Different rows hold different keys, and all hold those that were given, unless it is not told.
        if !self.is_told && given.len() > 1 {
            let mut stored: Vec<Option<KeyTuple>> = vec![None; given.len()];
            for (input, key) in self.inputs.iter().zip(self.rows.keys(updates.conflict, 0).into_tuples()) {
                stored[*input as usize] = key;
            }
            require_different(model, updates.conflict, &stored, given)?;
        }
        if let Some(guard) = &updates.guard {
            guard.check_written(session, &*self.rows, None).await?;
        }
        if model.read_back {
            let keys = self.rows.keys(model.primary_key, 0);
            self.rows = read_by_keys(session, model, keys, StatementRole::Requested).await?;
        }
        Ok(())
    }

    fn in_given_order(mut self) -> Box<dyn Rows> {
        let mut places = vec![0; self.inputs.len()];
        for (at, input) in self.inputs.iter().enumerate() {
            places[*input as usize] = u32::try_from(at).unwrap_or(u32::MAX);
        }
        self.rows.reorder(&places);
        self.rows
    }

    async fn write(
        &self,
        session: &mut Session<'_>,
        conflict: &OnConflict,
        batch: &InsertBatch,
        binds: &[Bind],
    ) -> Result<Box<dyn Rows>> {
        let statement =
            sql::upsert(session.dialect(), self.model, &batch.columns, binds, conflict)?.in_role(batch.role);
        let mut rows = self.model.rows.new_rows();
        session.note_written(self.model, Written::Changed);
        session.query(&statement, &mut *rows).await?;
        let (given, returned) = (binds.len() / batch.columns.len().max(1), rows.len());
        if returned != given {
            let message = format!("{given} rows were upserted and {returned} came back");
            return Err(Error::invalid_query(self.model.name, message));
        }
        Ok(rows)
    }

    // Which row of the batch each returned one is, by the conflicting columns; `None` if one of them is none.
    fn matched(&self, conflict: &OnConflict, batch: &InsertBatch, rows: &dyn Rows) -> Option<Vec<usize>> {
        let width = batch.columns.len();
        let places: Vec<usize> = conflict
            .columns
            .iter()
            .map(|column| batch.columns.iter().position(|set| set == column))
            .collect::<Option<_>>()?;
        let mut given: HashMap<KeyTuple, usize> = HashMap::new();
        for (at, row) in batch.binds.chunks(width).enumerate() {
            let key = KeyTuple::new(places.iter().map(|place| value_of(&row[*place]).clone()))?;
            given.insert(key, at);
        }
        (0..rows.len())
            .map(|at| {
                let row = rows.row(at)?;
                self.is_own(row).then_some(())?;
                given.remove(&self.model.key_in(row, &conflict.columns)?)
            })
            .collect()
    }

    // Of several models of a table, whether it is this one's.
    fn is_own(&self, row: &dyn std::any::Any) -> bool {
        let model = self.model;
        model.discriminator.is_none_or(|own| model.rows.value(row, own.column) == Value::from(own.tag))
    }

    // The row that came back has the values by which it is known, or another unique index was met.
    async fn require_meant(
        &self,
        session: &mut Session<'_>,
        conflict: &OnConflict,
        batch: &InsertBatch,
        given: &[Bind],
        rows: &dyn Rows,
    ) -> Result<()> {
        let model = self.model;
        let Some(row) = rows.row(0) else { return Ok(()) };
        if !self.is_own(row) {
            let message = "the row that is there is another model's of the same table";
            return Err(other_row(message));
        }
        if session.dialect().capabilities().upsert == Upsert::NamedIndex {
            return Ok(());
        }
        let values = conflict.columns.iter().filter_map(|column| {
            let place = batch.columns.iter().position(|set| set == column)?;
            Some((*column, value_of(&given[place]).clone()))
        });
        let differing: Vec<(usize, Value<'static>)> = values
            .filter(|(column, value)| !same_value(&model.columns[*column], &model.rows.value(row, *column), value))
            .collect();
        if differing.is_empty() {
            return Ok(());
        }
        // Perhaps the database calls them equal all the same.
        let message = "the row that is there has other values in the conflicting columns: another unique index was met";
        let Some(key) = model.key_of(row) else { return Err(other_row(message)) };
        let mut select = RootSelect::new(model);
        let equal = differing.into_iter().map(|(column, value)| Expr::column_equals(&model.columns[column], value));
        select.filter = Expr::all_of(equal.collect());
        if exists(session, select.with_key(key.values().to_vec())).await? { Ok(()) } else { Err(other_row(message)) }
    }
}

fn value_of(bind: &Bind) -> &Value<'static> {
    match bind {
        Bind::Value(value) => value,
        _ => &Value::Null,
    }
}

#[cold]
fn other_row(message: &str) -> Error {
    DriverError::new(DriverErrorKind::UniqueViolation, message).into()
}
