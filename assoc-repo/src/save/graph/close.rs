//! New rows that need each other's keys: the last key is set once all rows are written.

use std::collections::{BTreeMap, HashMap};

use assoc_core::driver::{BoxFuture, KeySet};
use assoc_core::execution::KeyTuple;
use assoc_core::metadata::{Expr, ModelDef};
use assoc_core::sql::{FollowedColumn, FollowedRows, Moved};
use assoc_core::{Error, Result, Value};

use super::Run;
use crate::row_guard::RowGuard;
use crate::session::Session;
use crate::touched_rows::Written;

/// How many rows one statement closes: each takes another value, which is a branch of a `CASE`.
const MOST: usize = 500;

/// Rows of one model that take values in the same columns.
struct Alike {
    model: &'static ModelDef,
    columns: Vec<usize>,
    // The list and the place of each row, its key, and the values.
    rows: Vec<((u32, u32), KeyTuple, Vec<Value<'static>>)>,
}

impl Run<'_> {
    /// Sets the columns that could not be written before. 1 statement for each model and set of columns, for a chunk of keys.
    // Boxed, because a save inside a callback inside a save would take up stack for it at each level.
    pub(super) fn close<'f>(&'f mut self, session: &'f mut Session<'_>) -> BoxFuture<'f, Result<()>> {
        Box::pin(self.close_rows(session))
    }

    async fn close_rows(&mut self, session: &mut Session<'_>) -> Result<()> {
        for Alike { model, columns, rows } in self.open_rows()? {
            let dialect = session.dialect();
            let key = model.primary_key;
            session.note_written(model, Written::Changed);
            let always = Expr::always();
            let most = FollowedRows::keys_per_statement(dialect, key.len(), columns.len()).min(MOST);
            for (part, chunk) in rows.chunks(most).enumerate() {
                let keys = KeySet::from_iter(chunk.iter().map(|(_, key, _)| key.clone()));
                let set: Vec<FollowedColumn> = columns
                    .iter()
                    .enumerate()
                    .map(|(place, column)| {
                        let to = |(_, key, values): &(_, KeyTuple, Vec<Value<'static>>)| {
                            (Moved::To(values[place].clone()), KeySet::from_iter([key.clone()]))
                        };
                        FollowedColumn { column: *column, moved: chunk.iter().map(to).collect() }
                    })
                    .collect();
                let followed = FollowedRows { model, key, keys: &keys, filter: &always };
                session.execute(&followed.update(dialect, &set)?.as_part(part)).await?;
            }
            let mut lists: BTreeMap<u32, HashMap<u32, &[Value<'static>]>> = BTreeMap::new();
            for ((list, at), _, values) in &rows {
                lists.entry(*list).or_default().insert(*at, values);
            }
            for (list, closed) in lists {
                let (mut at, mut result) = (0, Ok(()));
                self.lists[list as usize].visit_mut(&mut |row| {
                    for (column, value) in columns.iter().zip(closed.get(&at).copied().unwrap_or_default()) {
                        let written = model.rows.set_value(row, *column, &mut value.clone());
                        result = std::mem::replace(&mut result, Ok(())).and(written);
                    }
                    at += 1;
                });
                result?;
                if let Some(guard) = RowGuard::of(self.repo, model)? {
                    guard.check_written(session, &*self.lists[list as usize], Some(&columns)).await?;
                }
            }
        }
        Ok(())
    }

    // What is to be set, now that all rows are written.
    fn open_rows(&self) -> Result<Vec<Alike>> {
        let mut alike: Vec<Alike> = Vec::new();
        for closing in self.plan.closings() {
            let model = self.plan.rows()[closing.row as usize].model;
            // A row that was not inserted, because it was linked already, holds the key.
            let Some(place) = self.places[closing.row as usize] else { continue };
            let mut values = Vec::new();
            for awaited in &closing.columns {
                let from = self.plan.rows()[awaited.row as usize].model;
                let value = self.row(awaited.row).map(|row| from.rows.value(row, awaited.of).into_owned());
                let Some(value) = value.filter(|value| !value.is_null()) else {
                    let field = from.columns[awaited.of].field;
                    let message = format!("`{field}` of a saved row is NULL, and a {} needs it", model.name);
                    return Err(Error::invalid_query(from.name, message));
                };
                values.push(value);
            }
            let Some(key) = self.row(closing.row).and_then(|row| model.key_of(row)) else {
                let message = "a row without primary key needs a key that comes later: give its model a primary key";
                return Err(Error::invalid_query(model.name, message));
            };
            let columns: Vec<usize> = closing.columns.iter().map(|awaited| awaited.column).collect();
            match alike.iter_mut().find(|known| known.model == model && known.columns == columns) {
                Some(known) => known.rows.push((place, key, values)),
                None => alike.push(Alike { model, columns, rows: vec![(place, key, values)] }),
            }
        }
        Ok(alike)
    }
}
