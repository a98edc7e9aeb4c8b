//! Running upserts: in few statements, all or none, and each row known to be the one that was meant.

use std::collections::HashMap;

use assoc_core::change::{RowChange, same_value};
use assoc_core::dialect::Upsert;
use assoc_core::driver::{Access, Bind, StatementRole, TransactionMode};
use assoc_core::execution::KeyTuple;
use assoc_core::execution::rows::Rows;
use assoc_core::metadata::{Expr, ModelDef};
use assoc_core::save::{InsertBatch, InsertPlan};
use assoc_core::select::RootSelect;
use assoc_core::sql::OnConflict;
use assoc_core::{DriverError, DriverErrorKind, Error, Result, Value, sql};

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
    require_different(model, &changes, updates.conflict)?;
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
    let mut run = Run { model, rows: model.rows.new_rows(), inputs: Vec::new() };
    let mut session = repo.session(Access::Write).await?;
    session.begin(TransactionMode::Write).await?;
    let mut result = Ok(());
    'groups: for (conflict, plan, inputs) in order.iter().filter_map(|given| groups.get(given)) {
        for batch in &plan.batches {
            result = run.batch(&mut session, conflict, batch, inputs).await;
            if result.is_err() {
                break 'groups;
            }
        }
    }
    if let (Ok(()), Some(guard)) = (&result, &updates.guard) {
        result = guard.check_written(&mut session, &*run.rows, None).await;
    }
    if result.is_ok() && model.read_back {
        let keys = run.rows.keys(model.primary_key, 0);
        match read_by_keys(&mut session, model, keys, StatementRole::Requested).await {
            Ok(rows) => run.rows = rows,
            Err(error) => result = Err(error),
        }
    }
    session.finish(result).await?;
    let mut places = vec![0; run.inputs.len()];
    for (at, input) in run.inputs.iter().enumerate() {
        places[*input as usize] = u32::try_from(at).unwrap_or(u32::MAX);
    }
    run.rows.reorder(&places);
    Ok(run.rows)
}

fn set_columns(change: &RowChange) -> Vec<usize> {
    change.values().iter().enumerate().filter(|(_, value)| value.is_some()).map(|(at, _)| at).collect()
}

// Two rows of one call that are the same row would overwrite each other.
fn require_different(model: &ModelDef, changes: &[RowChange], conflict: &[usize]) -> Result<()> {
    let mut seen: HashMap<KeyTuple, usize> = HashMap::new();
    for (at, change) in changes.iter().enumerate() {
        let values = conflict.iter().map(|column| change.values()[*column].clone().unwrap_or_default());
        // What is NULL is never there already.
        let Some(key) = KeyTuple::new(values) else { continue };
        if let Some(earlier) = seen.insert(key.clone(), at) {
            let message = format!("rows {earlier} and {at} are the same row, {key}: give each row once");
            return Err(Error::invalid_query(model.name, message));
        }
    }
    Ok(())
}

struct Run {
    model: &'static ModelDef,
    rows: Box<dyn Rows>,
    // Which of the given rows each is.
    inputs: Vec<u32>,
}

impl Run {
    async fn batch(
        &mut self,
        session: &mut Session<'_>,
        conflict: &OnConflict,
        batch: &InsertBatch,
        inputs: &[u32],
    ) -> Result<()> {
        let width = batch.columns.len().max(1);
        if batch.inputs.len() > 1 {
            // A savepoint would cost two journeys each time; so an answer that does not tell is repeated row by row: an
            // upsert may be done twice.
            let rows = self.write(session, conflict, batch, &batch.binds).await?;
            if let Some(found) = self.matched(conflict, batch, &*rows) {
                for (at, row) in found.into_iter().enumerate() {
                    self.rows.push_from(&*rows, at);
                    self.inputs.push(inputs[batch.inputs[row] as usize]);
                }
                return Ok(());
            }
            if conflict.version.is_some() && !conflict.update.is_empty() {
                let message = "the database gives back the conflicting columns in another form than they were given, so \
                               that rows with a `lock_version` can only be upserted one at a time";
                return Err(Error::invalid_query(self.model.name, message));
            }
        }
        for (row, input) in batch.binds.chunks(width).zip(&batch.inputs) {
            let rows = self.write(session, conflict, batch, row).await?;
            self.require_meant(session, conflict, batch, row, &*rows).await?;
            self.rows.push_from(&*rows, 0);
            self.inputs.push(inputs[*input as usize]);
        }
        Ok(())
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
