//! Rows that exist and take the same values: written together, and as the database has them afterwards.

use std::any::Any;
use std::collections::HashMap;

use assoc_core::change::Row;
use assoc_core::driver::KeySet;
use assoc_core::execution::KeyTuple;
use assoc_core::execution::rows::Rows;
use assoc_core::metadata::{Chain, Expr, ModelDef};
use assoc_core::save;
use assoc_core::{Error, ErrorKind, LoadState, Result, Value, sql};

use crate::row_guard::RowGuard;
use crate::save::known::Known;
use crate::save::read_by_keys;
use crate::save::update::{absorb, absorb_updated, key_of, role_of_reading};
use crate::session::Session;
use crate::touched_rows::Written;

/// Writes the same values to rows that exist, and answers with them as the database has them, in their order, with what
/// stays loaded in them; and whether all their columns were read.
pub(super) async fn update_alike(
    session: &mut Session<'_>,
    model: &'static ModelDef,
    set: &[(usize, Value<'static>)],
    bases: &[&Row],
    guard: Option<&RowGuard<'_>>,
) -> Result<(Box<dyn Rows>, bool)> {
    model.require_primary_key("saving an existing row")?;
    let dialect = session.dialect();
    let keys: Vec<KeyTuple> = bases.iter().map(|base| key_of(model, &***base)).collect::<Result<_>>()?;
    let mut rows = model.rows.new_rows();
    for base in bases {
        rows.push_whole(&***base);
    }
    for at in 0..bases.len() {
        if let Some(row) = rows.owners().owner(at) {
            for (column, value) in set {
                model.rows.set_value(row, *column, &mut value.clone())?;
            }
        }
    }
    // All have one version.
    let known = bases.first().map(|base| Known::of(model, &***base, guard));
    let condition = known.as_ref().map_or_else(Expr::always, |known| known.condition.clone());
    let returning = dialect.capabilities().update_returning && !model.read_back;
    let all = KeySet::from_iter(keys.iter().cloned());
    let mut fresh = model.rows.new_rows();
    let mut affected = 0;
    session.note_written(model, Written::Changed);
    for (part, chunk) in all.chunks(dialect.keys_per_condition(all.width())).iter().enumerate() {
        let statement = match &keys[..] {
            [key] => sql::update_row(dialect, model, set, key.values(), &condition, returning)?,
            _ => sql::update_rows(dialect, model, set, chunk, &condition, returning)?,
        }
        .as_part(part);
        if returning {
            let first = fresh.len();
            session.query(&statement, &mut *fresh).await?;
            affected += (fresh.len() - first) as u64;
        } else {
            affected += session.execute(&statement).await?.affected;
        }
    }
    if affected != all.len() as u64 {
        return Err(missing(session, model, keys, bases, guard).await);
    }
    let reads = save::reads_back(model, dialect, set);
    if !returning && reads {
        // Under their keys as they are now.
        fresh = read_by_keys(session, model, rows.keys(model.primary_key, 0), role_of_reading(model)).await?;
    }
    let by_key: HashMap<KeyTuple, usize> = fresh
        .keys(model.primary_key, 0)
        .into_tuples()
        .into_iter()
        .enumerate()
        .filter_map(|(at, key)| Some((key?, at)))
        .collect();
    for (at, key) in rows.keys(model.primary_key, 0).into_tuples().into_iter().enumerate() {
        let mut changed: Vec<usize> = set.iter().map(|(column, _)| *column).collect();
        let Some(row) = rows.owners().owner(at) else { continue };
        if let Some(fresh) = key.and_then(|key| by_key.get(&key)).and_then(|at| fresh.row(*at)) {
            changed.extend(absorb_updated(model, fresh, row)?);
        }
        forget(model, row, &changed);
    }
    Ok((rows, returning || reads))
}

/// Takes over what the database holds in rows that were read again, in their order.
pub(super) fn absorb_all(model: &'static ModelDef, fresh: &dyn Rows, rows: &mut dyn Rows) -> Result<()> {
    for at in 0..rows.len() {
        let (Some(fresh), Some(row)) = (fresh.row(at), rows.owners().owner(at)) else { continue };
        let changed = absorb(model, fresh, row)?;
        forget(model, row, &changed);
    }
    Ok(())
}

// Makes associations not loaded that depend on changed columns.
fn forget(model: &'static ModelDef, row: &mut dyn Any, changed: &[usize]) {
    for association in model.associations {
        let depends = |chain: Chain| changed.iter().any(|column| chain.depends_on(*column));
        if association.field_access.state(row) != LoadState::NotLoaded && Chain::keys(association).is_ok_and(depends) {
            association.field_access.clear(row);
        }
    }
}

// Finds the row that was deleted meanwhile, or has another version.
#[cold]
async fn missing(
    session: &mut Session<'_>,
    model: &'static ModelDef,
    keys: Vec<KeyTuple>,
    bases: &[&Row],
    guard: Option<&RowGuard<'_>>,
) -> Error {
    let alone = keys.len() == 1;
    let lost = keys.first().map(ToString::to_string).unwrap_or_default();
    for (key, base) in keys.iter().zip(bases) {
        let known = Known::of(model, &***base, guard);
        let there = if alone { Ok(false) } else { known.is_there(session, model, key).await };
        let there = there.map(u64::from);
        let result = match there {
            Ok(there) => known.require_written(session, model, key, there).await,
            Err(error) => Err(error),
        };
        if let Err(error) = result {
            return error;
        }
    }
    ErrorKind::NotFound { model: model.name, key: lost }.into()
}
