//! Running what saves rows: inserts and updates of any model, and reading rows back by their keys. Nothing here is
//! generic, so that models share the code.

use std::collections::HashMap;

use assoc_core::driver::{KeySet, StatementRole};
use assoc_core::execution::rows::Rows;
use assoc_core::execution::{KeyTuple, RowKeys};
use assoc_core::metadata::ModelDef;
use assoc_core::select::KeyedSelect;
use assoc_core::{Error, Result};

use crate::session::Session;

mod graph;
mod insert;
mod known;
mod update;
mod upsert;
mod violations;
mod wanted;

pub(crate) use graph::{Saved, explain, save as save_graph, save_validated};
pub(crate) use insert::insert;
pub(crate) use known::Known;
pub(crate) use update::{key_of, update};
pub(crate) use upsert::upsert;
pub(crate) use violations::{explain as explain_violation, needs_changes};
pub(crate) use wanted::find as find_wanted;

/// Reads rows by their primary keys, in the order of the keys. 1 statement for each chunk of keys, in a role.
pub(crate) async fn read_by_keys(
    session: &mut Session<'_>,
    model: &'static ModelDef,
    keys: RowKeys,
    role: StatementRole,
) -> Result<Box<dyn Rows>> {
    let set = KeySet::distinct([&keys]);
    let select = KeyedSelect::new(model, model.primary_key);
    let mut rows = model.rows.new_rows();
    for (part, chunk) in set.chunks(session.dialect().keys_per_condition(set.width())).iter().enumerate() {
        // By value on purpose: these keys were just written, so they come back as they are.
        let statement = select.statement_by_value(session.dialect(), chunk)?;
        session.query(&statement.in_role(role).as_part(part), &mut *rows).await?;
    }
    if keys.len() == 1 && rows.len() == 1 {
        return Ok(rows);
    }
    let found = rows.keys(model.primary_key, 0).into_tuples().into_iter().zip(0_u32..);
    let found: HashMap<KeyTuple, u32> = found.filter_map(|(key, at)| Some((key?, at))).collect();
    let places: Vec<Option<u32>> =
        keys.into_tuples().into_iter().map(|key| found.get(key.as_ref()?).copied()).collect();
    let Some(order) = places.iter().copied().collect::<Option<Vec<u32>>>() else {
        let lost = places.iter().filter(|place| place.is_none()).count();
        let message = format!(
            "{lost} of {} rows that were written cannot be read back by their primary key: the database has changed the \
             key, or removed the row",
            places.len()
        );
        return Err(Error::invalid_query(model.name, message));
    };
    rows.reorder(&order);
    Ok(rows)
}
