//! Updating a row, so that the struct equals the stored row.

use std::any::Any;

use assoc_core::change::same_value;
use assoc_core::driver::{Access, TransactionMode};
use assoc_core::{Chain, Error, ErrorKind, KeyTuple, ModelDef, Result, RowKeys, Statement, Value, save, sql};

use super::read_by_keys;
use crate::repo::Repo;
use crate::session::Session;

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
    let key = key_of(model, row)?;
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
    let statement = sql::update_by_key(dialect, model, &changes, key.values(), how == ReadBack::Returning);
    let mut changed: Vec<usize> = changes.into_iter().map(|(column, _)| column).collect();
    if how == ReadBack::No {
        require_written(model, &key, session.execute(&statement).await?.affected)?;
    } else {
        // What comes back may be unreadable; then nothing is written.
        session.begin(TransactionMode::Write).await?;
        let result = write_and_read(&mut session, model, &statement, &key, how, row).await;
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

/// Writes the row and takes over what the database holds then. Returns the columns that differ from what was known.
async fn write_and_read(
    session: &mut Session<'_>,
    model: &'static ModelDef,
    statement: &Statement,
    key: &KeyTuple,
    how: ReadBack,
    row: &mut (dyn Any + Send),
) -> Result<Vec<usize>> {
    let fresh = if how == ReadBack::Returning {
        let mut fresh = model.rows.new_rows();
        session.query(statement, &mut *fresh).await?;
        require_written(model, key, fresh.len() as u64)?;
        fresh
    } else {
        require_written(model, key, session.execute(statement).await?.affected)?;
        // Under its key as it is now.
        read_by_keys(session, model, RowKeys::Tuples(vec![Some(key_of(model, row)?)])).await?
    };
    fresh.row(0).map_or_else(|| Ok(Vec::new()), |fresh| absorb(model, fresh, row))
}

pub(super) fn absorb(model: &ModelDef, fresh: &dyn Any, row: &mut dyn Any) -> Result<Vec<usize>> {
    let mut differing = Vec::new();
    for (at, column) in model.columns.iter().enumerate() {
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

/// Refuses that no row has been written.
pub(crate) fn require_written(model: &ModelDef, key: &KeyTuple, affected: u64) -> Result<()> {
    if affected == 0 { Err(ErrorKind::NotFound { model: model.name, key: key.to_string() }.into()) } else { Ok(()) }
}
