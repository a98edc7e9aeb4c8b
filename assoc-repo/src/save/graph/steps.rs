//! Running the steps of a plan: what it inserts and updates, level by level.

use std::collections::HashMap;

use assoc_core::change::Row;
use assoc_core::driver::TransactionMode;
use assoc_core::execution::KeyTuple;
use assoc_core::execution::rows::Rows;
use assoc_core::metadata::ModelDef;
use assoc_core::save::InsertPlan;
use assoc_core::{Result, Value, sql};

use super::super::insert::{run as insert_rows, unproven};
use super::super::known::Known;
use super::Run;
use super::alike::update_alike;
use crate::callbacks::RowAction;
use crate::row_guard::RowGuard;
use crate::session::Session;
use crate::touched_rows::Written;

impl Run<'_> {
    pub(super) async fn insert(
        &mut self,
        session: &mut Session<'_>,
        model: &'static ModelDef,
        rows: Vec<u32>,
        unread: bool,
    ) -> Result<bool> {
        let rows = if self.plan.by_sql().is_empty() { rows } else { self.link_by_sql(session, rows).await? };
        let dialect = session.dialect();
        let tells = self.concerns(model, &rows);
        // Of a filtered repo they are read, so that it is known whether it sees them; and for the callbacks of a join model.
        let mut unread = unread && self.repo.filters.is_none() && !(tells && model.has_save_callbacks());
        unread &= self.beside.is_empty() || !rows.iter().any(|row| self.beside.contains(row));
        let mut plan = if unread { InsertPlan::unread(model, dialect) } else { InsertPlan::new(model, dialect) };
        let mut added = Vec::new();
        if tells {
            let mut values: Vec<_> =
                rows.iter().map(|row| self.values(&self.plan.rows()[*row as usize])).collect::<Result<_>>()?;
            added = self.all_added_by(&rows, &values);
            self.keep_owners(&added)?;
            self.before_writing(session, model, &rows, &mut values, RowAction::Insert).await?;
            values.iter_mut().for_each(|values| plan.push(values));
        } else {
            plan = plan.expecting(rows.len());
            for row in &rows {
                self.push_to(&mut plan, *row)?;
            }
        }
        if unread {
            insert_unread(session, &mut plan).await?;
            self.note_inserted(plan, &rows, None);
            self.after_writing(session, model, &rows, added, RowAction::Insert).await?;
            return Ok(true);
        }
        if self.one_by_one {
            plan = plan.one_by_one();
        }
        let Some(written) = self.insert_proven(session, &mut plan).await? else {
            self.note_inserted(plan, &rows, None);
            return Ok(false);
        };
        self.note_inserted(plan, &rows, Some(self.lists.len() as u32));
        if let Some(guard) = RowGuard::of(self.repo, model)? {
            guard.check_written(session, &*written, None).await?;
        }
        for (at, row) in rows.iter().enumerate() {
            self.places[*row as usize] = Some((self.lists.len() as u32, at as u32));
        }
        self.lists.push(written);
        if tells {
            self.after_writing(session, model, &rows, added, RowAction::Insert).await?;
        }
        Ok(true)
    }

    // Inserts rows. Callbacks have run, and run once: so where it cannot be proven which returned row is whose, only these rows
    // are undone and inserted one by one, and not the whole save.
    async fn insert_proven(&self, session: &mut Session<'_>, plan: &mut InsertPlan) -> Result<Option<Box<dyn Rows>>> {
        let together = plan.batches.iter().any(|batch| batch.inputs.len() > 1);
        if self.callbacks.is_none() || !together || !session.dialect().capabilities().insert_returning {
            return insert_rows(session, plan).await;
        }
        session.begin(TransactionMode::Write).await?;
        match insert_rows(session, plan).await {
            Ok(Some(rows)) => session.finish(Ok(Some(rows))).await,
            Ok(None) => {
                let _ = session.finish::<()>(Err(unproven(plan.model()))).await;
                let alone = std::mem::replace(plan, InsertPlan::new(plan.model(), session.dialect())).one_by_one();
                *plan = alone;
                insert_rows(session, plan).await
            }
            Err(error) => session.finish(Err(error)).await,
        }
    }

    // Keeps the statements that took values from the plan, in case that the rows are inserted otherwise.
    fn note_inserted(&mut self, plan: InsertPlan, rows: &[u32], list: Option<u32>) {
        if !self.given.is_empty() && !self.one_by_one {
            self.inserted.push((plan, rows.to_vec(), list));
        }
    }

    // Rows that take the same values share statements.
    pub(super) async fn update(
        &mut self,
        session: &mut Session<'_>,
        model: &'static ModelDef,
        rows: Vec<u32>,
    ) -> Result<()> {
        let mut alike: Vec<(Vec<(usize, Value<'static>)>, Vec<u32>)> = Vec::new();
        let mut known: HashMap<(Vec<usize>, KeyTuple), usize> = HashMap::new();
        let tells = self.concerns(model, &rows);
        let mut given: Vec<_> =
            rows.iter().map(|row| self.values(&self.plan.rows()[*row as usize])).collect::<Result<_>>()?;
        let mut added = Vec::new();
        if tells {
            added = self.all_added_by(&rows, &given);
            self.keep_owners(&added)?;
            self.before_writing(session, model, &rows, &mut given, RowAction::Update).await?;
        }
        for (row, values) in rows.iter().copied().zip(given) {
            let mut set: Vec<(usize, Value<'static>)> =
                values.into_iter().enumerate().filter_map(|(at, value)| Some((at, value?))).collect();
            if let Some(base) = &self.plan.rows()[row as usize].base {
                // Rows of different versions take different ones, so they are not alike.
                set.extend(Known::of(model, &**base, None).next_version(model)?);
            }
            let columns = set.iter().map(|(column, _)| *column).collect();
            let key = KeyTuple::of_row(set.iter().map(|(_, value)| value.clone()));
            let at = *known.entry((columns, key)).or_insert_with(|| {
                alike.push((set, Vec::new()));
                alike.len() - 1
            });
            alike[at].1.push(row);
        }
        let guard = RowGuard::of(self.repo, model)?;
        for (set, alike) in alike {
            let bases: Vec<&Row> =
                alike.iter().filter_map(|row| self.plan.rows()[*row as usize].base.as_ref()).collect();
            let (written, is_fresh) = update_alike(session, model, &set, &bases, guard.as_ref()).await?;
            if is_fresh {
                self.fresh.extend(&alike);
            }
            if let Some(guard) = &guard {
                let changed: Vec<usize> = set.iter().map(|(column, _)| *column).collect();
                guard.check_written(session, &*written, Some(&changed)).await?;
            }
            for (at, row) in alike.into_iter().enumerate() {
                self.places[row as usize] = Some((self.lists.len() as u32, at as u32));
            }
            self.lists.push(written);
        }
        if tells {
            self.after_writing(session, model, &rows, added, RowAction::Update).await?;
        }
        Ok(())
    }
}

// Rows of a join table: nothing of them is read.
async fn insert_unread(session: &mut Session<'_>, plan: &mut InsertPlan) -> Result<()> {
    session.note_written(plan.model(), Written::Inserted);
    for at in 0..plan.batches.len() {
        let text = plan.text(at, session.dialect(), false);
        let batch = &mut plan.batches[at];
        let statement = sql::insert_statement(text, std::mem::take(&mut batch.binds)).in_role(batch.role);
        session.execute(&statement).await?;
        plan.batches[at].binds = statement.into_binds();
    }
    Ok(())
}
