//! Updating a row, so that the struct equals the stored row.

use std::any::Any;

use assoc_core::change::same_value;
use assoc_core::driver::{Access, Lack, Statement, StatementRole, TransactionMode};
use assoc_core::execution::{KeyTuple, RowKeys};
use assoc_core::metadata::{Chain, ModelDef};
use assoc_core::{Error, Result, Value, save, sql};

use super::known::Known;
use super::read_by_keys;
use crate::repo::Repo;
use crate::row_guard::RowGuard;
use crate::session::Session;
use crate::touched_rows::Written;

/// Writes columns of a row, and makes `row` equal to the stored row. Associations that depend on changed columns become
/// not loaded.
pub(crate) async fn update(
    repo: &Repo,
    model: &'static ModelDef,
    changes: Vec<(usize, Value<'static>)>,
    row: &mut (dyn Any + Send),
) -> Result<()> {
    if changes.is_empty() {
        return Ok(());
    }
    let mut changes = changes;
    let key = key_of(model, row)?;
    let guard = RowGuard::of(repo, model)?;
    let known = Known::of(model, row, guard.as_ref());
    changes.extend(known.next_version(model)?);
    // Before anything is written: a field may refuse its value.
    for (column, value) in &changes {
        model.rows.set_value(row, *column, &mut value.clone())?;
    }
    let dialect = repo.dialect();
    let how = match dialect.capabilities().update_returning {
        _ if model.read_back => ReadBack::ByKey,
        true => ReadBack::Returning,
        false if save::reads_back(model, dialect, &changes) => ReadBack::ByKey,
        false => ReadBack::No,
    };
    let mut session = repo.session(Access::Write).await?;
    let returning = how == ReadBack::Returning;
    let statement = sql::update_row(dialect, model, &changes, key.values(), &known.condition, returning)?;
    session.note_written(model, Written::Changed);
    let mut changed: Vec<usize> = changes.into_iter().map(|(column, _)| column).collect();
    let update = Update { model, key: &key, known: &known, statement: &statement, how };
    if how == ReadBack::No && guard.is_none() {
        let affected = session.execute(&statement).await?.affected;
        known.require_written(&mut session, model, &key, affected).await?;
    } else {
        // What comes back may be unreadable, or hidden from a filtered repo; then nothing is written.
        session.begin(TransactionMode::Write).await?;
        let mut result = update.write_and_read(&mut session, row).await;
        if let (Ok(_), Some(guard)) = (&result, &guard) {
            let mut written = model.rows.new_rows();
            written.push_bare(row);
            if let Err(error) = guard.check_written(&mut session, &*written, Some(&changed)).await {
                result = Err(error);
            }
        }
        changed.extend(session.finish(result).await?);
    }
    for column in changed {
        for association in model
            .associations
            .iter()
            .filter(|association| Chain::keys(association).is_ok_and(|chain| chain.depends_on(column)))
        {
            association.field_access.clear(row);
        }
    }
    Ok(())
}

/// How the row is read once it is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ReadBack {
    No,
    Returning,
    ByKey,
}

struct Update<'u> {
    model: &'static ModelDef,
    key: &'u KeyTuple,
    known: &'u Known,
    statement: &'u Statement,
    how: ReadBack,
}

impl Update<'_> {
    /// Writes the row and takes over what the database holds then. Returns the columns that differ from what was known.
    async fn write_and_read(&self, session: &mut Session<'_>, row: &mut (dyn Any + Send)) -> Result<Vec<usize>> {
        let Update { model, key, known, statement, how } = *self;
        let fresh = if how == ReadBack::Returning {
            let mut fresh = model.rows.new_rows();
            session.query(statement, &mut *fresh).await?;
            known.require_written(session, model, key, fresh.len() as u64).await?;
            fresh
        } else {
            let affected = session.execute(statement).await?.affected;
            known.require_written(session, model, key, affected).await?;
            if how == ReadBack::No {
                return Ok(Vec::new());
            }
            // Under its key as it is now.
            let keys = RowKeys::Tuples(vec![Some(key_of(model, row)?)]);
            read_by_keys(session, model, keys, role_of_reading(model)).await?
        };
        fresh.row(0).map_or_else(|| Ok(Vec::new()), |fresh| absorb_updated(model, fresh, row))
    }
}

/// Why rows of a model are read once an update has written them.
pub(super) fn role_of_reading(model: &ModelDef) -> StatementRole {
    if model.read_back { StatementRole::Requested } else { StatementRole::StandIn(Lack::UpdateReturning) }
}

/// Whether a counter moves in memory by what is added to it, and is not read with its row. A struct whose number is old then
/// says the same on a database that returns the rows it updates and on one that does not.
pub(super) fn adds_to_counter(model: &ModelDef, column: usize) -> bool {
    model.is_counter(column) && !model.read_back && !model.columns[column].read_back
}

/// Takes over what the database holds in a row that was updated. Returns the columns that differ from what was known.
pub(super) fn absorb_updated(model: &ModelDef, fresh: &dyn Any, row: &mut dyn Any) -> Result<Vec<usize>> {
    absorb_columns(model, fresh, row, |column| !adds_to_counter(model, column))
}

/// As [`absorb_updated`], with its counters.
pub(super) fn absorb(model: &ModelDef, fresh: &dyn Any, row: &mut dyn Any) -> Result<Vec<usize>> {
    absorb_columns(model, fresh, row, |_| true)
}

fn absorb_columns(
    model: &ModelDef,
    fresh: &dyn Any,
    row: &mut dyn Any,
    is_taken: impl Fn(usize) -> bool,
) -> Result<Vec<usize>> {
    let mut differing = Vec::new();
    for (at, column) in model.columns.iter().enumerate().filter(|(at, _)| is_taken(*at)) {
        let value = model.rows.value(fresh, at);
        let known = model.rows.value(row, at);
        if value == known {
            continue;
        }
        // An equal number in another form reaches the same rows.
        if !same_value(column, &value, &known) {
            differing.push(at);
        }
        let mut value = value.into_owned();
        model.rows.set_value(row, at, &mut value)?;
    }
    Ok(differing)
}

pub(crate) fn key_of(model: &ModelDef, row: &dyn Any) -> Result<KeyTuple> {
    model.key_of(row).ok_or_else(|| Error::invalid_query(model.name, "the row's primary key is NULL"))
}
