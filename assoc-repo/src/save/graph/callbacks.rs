//! Callbacks of the rows that a save writes, and of the associations whose members they become.

use std::any::Any;
use std::collections::HashMap;

use assoc_core::change::{Row, RowChange, same_value};
use assoc_core::driver::StatementRole;
use assoc_core::execution::RowKeys;
use assoc_core::metadata::{CallbackPoint, Linkage, ModelDef};
use assoc_core::save::{Added, LoadedGroup, LoadedRow};
use assoc_core::{Error, ErrorKind, FieldError, Result, Value};

use super::Run;
use super::alike::absorb_all;
use super::follow::Adjusted;
use crate::callbacks::{CallbackContext, Cause, RowAction, changes_of, member_functions, model_functions};
use crate::save::read_by_keys;
use crate::session::Session;
use crate::transaction::RowHook;

/// The values of a planned row, as they are written.
pub(super) type Values = Vec<Option<Value<'static>>>;

/// What callbacks have to know of a save.
#[derive(Default)]
pub(super) struct Callbacks {
    // The rows that become members, by the planned rows that link them.
    added: HashMap<u32, Vec<usize>>,
    // Rows that are written, and those whose `after_save` is to come.
    written: Vec<u32>,
    // Owners, which have many members.
    owners: HashMap<u32, Row>,
    // How many requests that write the transaction had seen when the save began.
    writes: usize,
}

impl Run<'_> {
    /// Gets ready to run callbacks.
    pub(super) fn with_callbacks(mut self) -> Self {
        let mut callbacks = Callbacks { writes: self.repo.writes(), ..Callbacks::default() };
        for (at, added) in self.plan.added().iter().enumerate() {
            callbacks.added.entry(added.link).or_default().push(at);
        }
        self.callbacks = Some(callbacks);
        self
    }

    fn cause(&self, row: u32) -> Cause {
        self.plan.rows()[row as usize].association.map_or(Cause::OwnCall, Cause::Member)
    }

    /// Whether a callback concerns rows of a model that are written.
    pub(super) fn concerns(&self, model: &'static ModelDef, rows: &[u32]) -> bool {
        self.callbacks.as_ref().is_some_and(|callbacks| {
            model.has_save_callbacks() || rows.iter().any(|row| callbacks.added.contains_key(row))
        })
    }

    /// Runs what is to run before rows are written, which may change their values.
    pub(super) async fn before_writing(
        &mut self,
        session: &mut Session<'_>,
        model: &'static ModelDef,
        rows: &[u32],
        values: &mut [Values],
        action: RowAction,
    ) -> Result<()> {
        let own = match action {
            RowAction::Insert => CallbackPoint::BeforeInsert,
            _ => CallbackPoint::BeforeUpdate,
        };
        let of_model = |points: &[CallbackPoint]| -> Vec<_> {
            let functions = model_functions(model);
            functions
                .map(|functions| points.iter().filter_map(|point| functions.before(*point)).collect())
                .unwrap_or_default()
        };
        let own = of_model(&[CallbackPoint::BeforeSave, own]);
        // A row between of which nothing was said was no part of the change before.
        let of_link = of_model(&[CallbackPoint::BeforeValidate]);
        for (row, values) in rows.iter().zip(values) {
            for at in self.added_by(*row, values) {
                self.before_add(session, &self.plan.added()[at], values, action).await?;
            }
            let planned = &self.plan.rows()[*row as usize];
            let first = if planned.is_bare_link { &*of_link } else { &[] };
            if own.is_empty() && first.is_empty() {
                continue;
            }
            let base = planned.base.clone();
            // Counters are the save's: no callback sets them.
            let counters: Values = values
                .iter_mut()
                .enumerate()
                .map(|(column, value)| value.take_if(|_| model.is_counter(column)))
                .collect();
            let mut change = RowChange::with_values(model, base, std::mem::take(values));
            let cx = CallbackContext::new(self.repo, self.cause(*row), action, &[]);
            let refuse = |errors: Vec<FieldError>| match errors.is_empty() {
                true => Ok(()),
                false => Err(Error::from(ErrorKind::Invalid { model: model.name, errors })),
            };
            for function in first {
                session.aside(function(&mut change, &cx)).await?;
            }
            if !first.is_empty() && planned.is_judged_link() {
                refuse(change.rule_problems())?;
            }
            for function in &own {
                session.aside(function(&mut change, &cx)).await?;
            }
            refuse(change.column_problems())?;
            *values = change.into_parts().1;
            for (value, counter) in values.iter_mut().zip(counters) {
                if counter.is_some() {
                    *value = counter;
                }
            }
        }
        Ok(())
    }

    // What becomes a member when a planned row is written, and is none yet.
    fn added_by(&self, row: u32, values: &Values) -> Vec<usize> {
        let Some(callbacks) = &self.callbacks else { return Vec::new() };
        let Some(added) = callbacks.added.get(&row) else { return Vec::new() };
        let planned = &self.plan.rows()[row as usize];
        let is_new = |at: &usize| {
            let Added { association, .. } = self.plan.added()[*at];
            if self.linked.contains(&row) {
                return false;
            }
            let (Some(base), Ok(Linkage::TargetKey(key))) = (&planned.base, association.linkage()) else {
                return true;
            };
            let named = key.target_type.map(|named| named.column);
            !key.target_columns.iter().copied().chain(named).all(|column| {
                values[column].as_ref().is_none_or(|value| {
                    let known = planned.model.rows.value(&**base, column);
                    same_value(&planned.model.columns[column], &known, value)
                })
            })
        };
        added.iter().copied().filter(is_new).collect()
    }

    async fn before_add(
        &self,
        session: &mut Session<'_>,
        added: &Added,
        values: &Values,
        action: RowAction,
    ) -> Result<()> {
        let Some(functions) = member_functions(added.association) else { return Ok(()) };
        if functions.before_add.is_empty() {
            return Ok(());
        }
        let owner = self.whole_row(added.owner)?;
        let target = (added.association.target)();
        let member = match &added.member {
            LoadedRow::Planned(row) if *row == added.link => {
                let base = self.plan.rows()[*row as usize].base.clone();
                RowChange::with_values(target, base, values.clone())
            }
            LoadedRow::Planned(row) => RowChange::of(target, self.whole_row(*row)?),
            LoadedRow::Existing(row) => RowChange::of(target, row.clone()),
            _ => return Ok(()),
        };
        let cx = CallbackContext::new(self.repo, Cause::Member(added.association), action, &[]);
        for function in functions.before_add {
            session.aside(function(&owner, &member, &cx)).await?;
        }
        Ok(())
    }

    /// Runs what is to run after rows were written. `added` are those that have become members by it.
    pub(super) async fn after_writing(
        &mut self,
        session: &mut Session<'_>,
        model: &'static ModelDef,
        rows: &[u32],
        added: Vec<usize>,
        action: RowAction,
    ) -> Result<()> {
        let point = match action {
            RowAction::Insert => CallbackPoint::AfterInsert,
            _ => CallbackPoint::AfterUpdate,
        };
        if let Some(functions) = model_functions(model) {
            // All of them are written, so that all are told of if one refuses.
            for row in rows {
                self.after_transaction(*row, action)?;
            }
            if let Some(function) = functions.after(point) {
                for row in rows {
                    let own = self.whole_row(*row)?;
                    let base = self.plan.rows()[*row as usize].base.clone();
                    let changes = changes_of(model, base.as_deref().map(|row| row as &dyn Any), &*own);
                    let cx = CallbackContext::new(self.repo, self.cause(*row), action, &changes);
                    session.aside(function(&own, &cx)).await?;
                }
            }
            if let Some(callbacks) = &mut self.callbacks {
                callbacks.written.extend(rows);
            }
        }
        for at in added {
            let added = &self.plan.added()[at];
            let Some(functions) = member_functions(added.association) else { continue };
            if functions.after_add.is_empty() {
                continue;
            }
            let member = match &added.member {
                LoadedRow::Planned(row) => self.whole_row(*row)?,
                LoadedRow::Existing(row) => row.clone(),
                _ => continue,
            };
            let owner = self.whole_row(added.owner)?;
            let cx = CallbackContext::new(self.repo, Cause::Member(added.association), action, &[]);
            for function in functions.after_add {
                session.aside(function(&owner, &member, &cx)).await?;
            }
        }
        Ok(())
    }

    /// Which rows become members when some planned rows are written.
    pub(super) fn all_added_by(&self, rows: &[u32], values: &[Values]) -> Vec<usize> {
        rows.iter().zip(values).flat_map(|(row, values)| self.added_by(*row, values)).collect()
    }

    fn after_transaction(&self, row: u32, action: RowAction) -> Result<()> {
        let planned = &self.plan.rows()[row as usize];
        let model = planned.model;
        self.repo.after_transaction(model, |function| {
            let own = self.whole_row(row)?;
            Ok(RowHook {
                identity: model.key_of(&*own).map(|key| (model.type_id(), key)),
                function,
                repo: self.repo.outside(),
                cause: self.cause(row),
                action,
                changes: changes_of(model, planned.base.as_deref().map(|row| row as &dyn Any), &*own),
                row: own,
            })
        })
    }

    /// Runs `after_save` of all rows, in the order in which they were written. If callbacks have written anything, the rows
    /// that are returned are read again.
    pub(super) async fn after_save(&mut self, session: &mut Session<'_>, adjusted: &mut Adjusted) -> Result<()> {
        let Some(callbacks) = &mut self.callbacks else { return Ok(()) };
        for row in std::mem::take(&mut callbacks.written) {
            let planned = &self.plan.rows()[row as usize];
            let functions = model_functions(planned.model);
            let Some(function) = functions.and_then(|functions| functions.after(CallbackPoint::AfterSave)) else {
                continue;
            };
            let own = self.whole_row(row)?;
            let base = planned.base.clone();
            let changes = changes_of(planned.model, base.as_deref().map(|row| row as &dyn Any), &*own);
            let action = if base.is_some() { RowAction::Update } else { RowAction::Insert };
            let cx = CallbackContext::new(self.repo, self.cause(row), action, &changes);
            session.aside(function(&own, &cx)).await?;
        }
        let known = self.callbacks.as_ref().map_or(0, |callbacks| callbacks.writes);
        if self.repo.writes() == known { Ok(()) } else { self.read_again(session, adjusted).await }
    }

    // What callbacks have written to the rows that are returned. 1 statement for each model and batch.
    async fn read_again(&mut self, session: &mut Session<'_>, adjusted: &mut Adjusted) -> Result<()> {
        // Rows that are returned though nothing was written to them have no list yet.
        for group in self.plan.groups() {
            self.place_unwritten(group);
        }
        let mut models: Vec<Option<&'static ModelDef>> = vec![None; self.lists.len()];
        for (planned, place) in self.plan.rows().iter().zip(&self.places) {
            if let Some((list, _)) = place {
                models[*list as usize] = Some(planned.model);
            }
        }
        for (list, model) in models.into_iter().enumerate() {
            let Some(model) = model.filter(|model| !model.primary_key.is_empty()) else { continue };
            if self.lists[list].is_empty() {
                continue;
            }
            let keys: RowKeys = self.lists[list].keys(model.primary_key, 0);
            let fresh = read_by_keys(session, model, keys, StatementRole::Requested).await?;
            absorb_all(model, &*fresh, &mut *self.lists[list])?;
            adjusted.renew(model, &*fresh);
        }
        Ok(())
    }

    fn place_unwritten(&mut self, group: &LoadedGroup) {
        let mut rows = group.model.rows.new_rows();
        for row in &group.rows {
            let LoadedRow::Planned(planned) = row else { continue };
            let at = *planned as usize;
            if let (None, Some(base)) = (self.places[at], &self.plan.rows()[at].base) {
                rows.push_whole(&**base);
                self.places[at] = Some((self.lists.len() as u32, rows.len() as u32 - 1));
            }
        }
        if !rows.is_empty() {
            self.lists.push(rows);
        }
    }

    /// A planned row as the database has it, for callbacks.
    ///
    /// # Errors
    /// When it is not there yet, which would be a defect of the plan.
    pub(super) fn whole_row(&self, row: u32) -> Result<Row> {
        if let Some(known) = self.callbacks.as_ref().and_then(|callbacks| callbacks.owners.get(&row)) {
            return Ok(Row::clone(known));
        }
        let model = self.plan.rows()[row as usize].model;
        let copy = self.row(row).and_then(|row| model.rows.bare_copy(row));
        copy.ok_or_else(|| Error::invalid_query(model.name, "a callback needs a row that is not read back"))
    }

    /// Keeps the owners of rows that become members, so that they are copied once.
    pub(super) fn keep_owners(&mut self, added: &[usize]) -> Result<()> {
        for at in added {
            let owner = self.plan.added()[*at].owner;
            let row = self.whole_row(owner)?;
            if let Some(callbacks) = &mut self.callbacks {
                callbacks.owners.entry(owner).or_insert(row);
            }
        }
        Ok(())
    }
}
