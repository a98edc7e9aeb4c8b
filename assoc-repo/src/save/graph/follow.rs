//! The counters and times that follow the rows of a save.
//!
//! They are written before the rows: rows that exist and change are read first, under a lock, because what they belong to is
//! decided by the database and not by a struct. Only what cannot be known before (a key that the database makes, or a key of a
//! parent that the save changes) follows afterwards.

use std::any::TypeId;
use std::collections::{HashMap, HashSet};

use assoc_core::change::Row;
use assoc_core::counters::{Children, ParentChanges, ParentGroup, Timing};
use assoc_core::driver::{BoxFuture, KeySet, StatementRole};
use assoc_core::execution::rows::Rows;
use assoc_core::execution::{KeyTuple, RowKeys};
use assoc_core::metadata::{Expr, KeySide, ModelDef};
use assoc_core::save::{LoadedRow, Lookup, PlannedRow, Resolved, SavePlan, Step, Unlink};
use assoc_core::value::DateTime;
use assoc_core::{Result, Value};

use super::Run;
use super::held::{Existing, HeldRows, follows};
use crate::counters::{Followed, Mode, apply, children_of, followed_values, read_locked};
use crate::destroy::StoredRow;
use crate::save::read_by_keys;
use crate::save::update::adds_to_counter;
use crate::session::Session;

/// What follows rows that a save writes.
pub(super) struct Following {
    models: Vec<(&'static ModelDef, Option<Children>)>,
    // Rows that exist, as they were before, by their models and keys.
    before: HashMap<(TypeId, KeyTuple), StoredRow>,
    // What has followed before the rows were written.
    earlier: Vec<Followed>,
    // What has followed afterwards.
    later: Followed,
}

impl Following {
    pub(super) fn new(now: DateTime) -> Self {
        let later = Followed::nothing(now);
        Following { models: Vec::new(), before: HashMap::new(), earlier: Vec::new(), later }
    }

    /// Takes in what has followed when members that were let go were destroyed.
    pub(super) fn note(&mut self, followed: Followed) {
        self.earlier.push(followed);
    }

    fn children(&self, model: &'static ModelDef) -> Option<&Children> {
        self.models.iter().find(|(known, _)| *known == model).and_then(|(_, children)| children.as_ref())
    }

    /// Writes what follows before the rows are written.
    // A boxed future, here and below: of a save inside a callback inside a save, each level would take up stack for it.
    pub(super) fn before_writing<'f>(
        &'f mut self,
        run: &'f Run<'_>,
        session: &'f mut Session<'_>,
        let_go: &'f [(&Lookup, Resolved)],
        unneeded: &'f HashSet<u32>,
    ) -> BoxFuture<'f, Result<()>> {
        Box::pin(async move {
            for model in run.plan.models() {
                if !self.models.iter().any(|(known, _)| *known == model) {
                    let children = Children::of(model).map(|children| children_of(run.repo, children)).transpose()?;
                    self.models.push((model, children.flatten()));
                }
            }
            if self.models.iter().all(|(_, children)| children.is_none()) {
                return Ok(());
            }
            let mut changes = ParentChanges::new(run.repo.touches);
            for (model, children) in &self.models {
                let Some(children) = children else { continue };
                let existing = Existing::of(run, children, let_go, unneeded);
                let mut after: HashMap<KeyTuple, Option<StoredRow>> = HashMap::new();
                let mut note = |rows: Vec<StoredRow>| {
                    for row in rows {
                        let Some(key) = children.key(&row) else { continue };
                        after.insert(key.clone(), Some(row.clone()));
                        self.before.insert((model.type_id(), key), row);
                    }
                };
                // What another owner holds by now is not let go.
                let mut lost: HashMap<usize, HashSet<KeyTuple>> = HashMap::new();
                for (at, HeldRows { keys, condition }) in existing.to_read(session.dialect(), model, let_go) {
                    let rows = read_locked(session, children, model.primary_key, &keys, &condition).await?;
                    if let Some(at) = at {
                        let found: HashSet<KeyTuple> = rows.iter().filter_map(|row| children.key(row)).collect();
                        lost.entry(at)
                            .or_default()
                            .extend(keys.tuples().into_iter().filter(|key| !found.contains(key)));
                    }
                    note(rows);
                }
                let mut silent: HashSet<KeyTuple> = HashSet::new();
                for at in existing.lookups {
                    let (lookup, resolved) = &let_go[at];
                    let is_lost = |key: &KeyTuple| lost.get(&at).is_some_and(|lost| lost.contains(key));
                    for key in resolved.let_go.iter().filter(|key| !is_lost(key)) {
                        let Some(known) = after.get_mut(key) else { continue };
                        *known = match &lookup.unlink {
                            Unlink::Nullify(cleared) => known.take().map(|row| children.without(&row, cleared)),
                            _ => None,
                        };
                        if !lookup.moves_times {
                            silent.insert(key.clone());
                        }
                    }
                }
                let mut planned: HashMap<KeyTuple, u32> = HashMap::new();
                for (row, key) in existing.updated {
                    if let Some(Some(known)) = after.get_mut(&key) {
                        *known = overlaid(children, known, run.plan, row);
                        planned.insert(key, row);
                    }
                }
                for (key, after) in &after {
                    let before = self.before.get(&(model.type_id(), key.clone())).map(|row| &**row);
                    let row = planned.get(key).copied();
                    if row.is_none() && silent.contains(key) {
                        changes.count_removed(children, before, after.as_deref());
                        continue;
                    }
                    let is_meant = |place: usize, is_new: bool| match row.and_then(|row| run.timing(row, place)) {
                        Some(Timing::After) => false,
                        Some(Timing::Inserted) => !is_new,
                        _ => true,
                    };
                    changes.change(children, before, after.as_deref(), is_meant);
                }
                self.keyless(session, children, let_go, &mut changes).await?;
            }
            for (row, planned) in run.written_rows(unneeded).filter(|(_, planned)| planned.base.is_none()) {
                let Some(children) = self.children(planned.model) else { continue };
                let values = run.plan.rows().values(planned);
                let after = children.row(|column| values[column].clone().unwrap_or_default());
                let is_meant = |place: usize, _| run.timing(row, place) == Some(Timing::Before);
                changes.change(children, None, Some(&after), is_meant);
            }
            leave_out(run, &mut changes);
            self.earlier.push(apply(run.repo, session, changes, run.now, Mode::Write).await?);
            Ok(())
        })
    }

    // Rows without a primary key that are let go: nothing else happens to them.
    async fn keyless(
        &self,
        session: &mut Session<'_>,
        children: &Children,
        let_go: &[(&Lookup, Resolved)],
        changes: &mut ParentChanges,
    ) -> Result<()> {
        let of_table = |lookup: &Lookup| {
            lookup.table == children.model && children.model.primary_key.is_empty() && follows(lookup, children)
        };
        for (lookup, resolved) in let_go.iter().filter(|(lookup, _)| of_table(lookup)) {
            let keys = KeySet::from_iter(resolved.let_go.iter().cloned());
            for row in read_locked(session, children, lookup.identity(), &keys, &Expr::always()).await? {
                let cleared = match &lookup.unlink {
                    Unlink::Nullify(cleared) => Some(children.without(&row, cleared)),
                    _ => None,
                };
                if lookup.moves_times {
                    changes.change(children, Some(&row), cleared.as_deref(), |_, _| true);
                } else {
                    changes.count_removed(children, Some(&row), cleared.as_deref());
                }
            }
        }
        Ok(())
    }

    /// Writes what could not be known before.
    pub(super) fn after_writing<'f>(
        &'f mut self,
        run: &'f Run<'_>,
        session: &'f mut Session<'_>,
        unneeded: &'f HashSet<u32>,
    ) -> BoxFuture<'f, Result<()>> {
        Box::pin(async move {
            if self.models.iter().all(|(_, children)| children.is_none()) {
                return Ok(());
            }
            let mut changes = ParentChanges::new(run.repo.touches);
            for (row, planned) in run.written_rows(unneeded) {
                let Some(children) = self.children(planned.model) else { continue };
                let is_late = |place: usize| run.timing(row, place) == Some(Timing::After);
                let may_change = run.may_change(planned.model);
                if !may_change && !(0..children.parents.len()).any(is_late) {
                    continue;
                }
                let values = run.values(planned)?;
                let written = run.row(row).filter(|_| run.places[row as usize].is_some());
                let after = children.row(|column| match (written, &values[column], &planned.base) {
                    (Some(written), _, _) => planned.model.rows.value(written, column).into_owned(),
                    (None, Some(value), _) => value.clone(),
                    (None, None, Some(base)) => planned.model.rows.value(&**base, column).into_owned(),
                    (None, None, None) => Value::Null,
                });
                let key = planned.base.as_ref().and_then(|base| planned.model.key_of(&**base));
                let before = key.and_then(|key| self.before.get(&(planned.model.type_id(), key)));
                // Of a row that exists and was not read, no key that it holds has changed.
                let is_unchanged = planned.base.is_some() && before.is_none();
                let is_meant = |place: usize, _| {
                    is_late(place) && !(is_unchanged && children.parents[place].key_side == KeySide::Owner)
                };
                changes.change(children, before.map(|row| &**row), Some(&after), is_meant);
                if may_change {
                    // It was counted where it was planned to belong to.
                    let expected = children.row(|column| values[column].clone().unwrap_or_default());
                    let is_elsewhere = |place: usize, _| {
                        let of = |row| children.parent_key(&children.parents[place], row);
                        let is_planned = run.timing(row, place) == Some(Timing::Inserted);
                        let is_counted = children.parents[place].key_side == KeySide::Owner;
                        is_planned && is_counted && of(&expected) != of(&after)
                    };
                    changes.change(children, Some(&expected), Some(&after), is_elsewhere);
                }
            }
            if !changes.is_empty() {
                changes.rename(|group| run.rekeyed(group, unneeded));
                leave_out(run, &mut changes);
                self.later = apply(run.repo, session, changes, run.now, Mode::Write).await?;
            }
            Ok(())
        })
    }

    // Whether a counter counts only in rows that satisfy a condition, so that what is added to it is up to the database.
    fn counts_some(&self, model: &'static ModelDef, column: usize) -> bool {
        let groups = self.earlier.iter().chain([&self.later]).flat_map(|followed| &followed.groups);
        groups
            .filter(|group| group.model == model && !group.conditions.is_always())
            .any(|group| group.rows.values().any(|row| row.counters.contains_key(&column)))
    }

    /// What has followed in rows that come back, as columns with their values.
    pub(super) fn in_returned<'f>(
        &'f self,
        run: &'f Run<'_>,
        session: &'f mut Session<'_>,
    ) -> BoxFuture<'f, Result<Adjusted>> {
        Box::pin(async move {
            let mut adjusted = Adjusted::default();
            let all = || self.earlier.iter().map(|followed| (followed, true)).chain([(&self.later, false)]);
            if all().all(|(followed, _)| followed.groups.is_empty()) {
                return Ok(adjusted);
            }
            let dialect = session.dialect();
            let mut unkept: Vec<(&'static ModelDef, Vec<KeyTuple>)> = Vec::new();
            for group in run.plan.groups() {
                let model = group.model;
                for row in &group.rows {
                    let (row, base, is_fresh) = match row {
                        LoadedRow::Existing(row) => (Some(&**row as &dyn std::any::Any), None, false),
                        LoadedRow::Planned(at) => {
                            (run.row(*at), run.plan.rows()[*at as usize].base.as_deref(), run.fresh.contains(at))
                        }
                        _ => continue,
                    };
                    let Some(row) = row else { continue };
                    // What has followed before the row was written followed in the row with its key of then.
                    let row_before = base.map_or(row, |base| base as &dyn std::any::Any);
                    let Some(key) = model.key_of(row) else { continue };
                    let mut values: HashMap<usize, Value<'static>> = HashMap::new();
                    for (followed, is_earlier) in all() {
                        let before = |column: usize| match values.get(&column) {
                            Some(value) => value.clone(),
                            None => model.rows.value(row, column).into_owned(),
                        };
                        let then = if is_earlier { row_before } else { row };
                        let now = followed_values(followed, model, |key| model.key_in(then, key), before);
                        // A row that was read since has its times, but not its counters.
                        let is_read = |column: usize| is_earlier && is_fresh && !adds_to_counter(model, column);
                        values.extend(now.into_iter().filter(|(column, _)| !is_read(*column)));
                    }
                    if values.is_empty() {
                        continue;
                    }
                    // Whether the row satisfies the conditions of an association is up to the database.
                    let may_not = |followed: &Followed| {
                        followed.groups.iter().any(|group| group.model == model && !group.conditions.is_always())
                    };
                    let is_unsure = all().any(|(followed, _)| may_not(followed));
                    if is_unsure || values.iter().any(|(column, value)| !dialect.keeps(&model.columns[*column], value))
                    {
                        match unkept.iter_mut().find(|(known, _)| *known == model) {
                            Some((_, keys)) => keys.push(key.clone()),
                            None => unkept.push((model, vec![key.clone()])),
                        }
                    }
                    adjusted.0.insert((model.type_id(), key), values.into_iter().collect());
                }
            }
            for (model, keys) in unkept {
                let rows = read_by_keys(
                    session,
                    model,
                    RowKeys::Tuples(keys.iter().cloned().map(Some).collect()),
                    StatementRole::Requested,
                )
                .await?;
                for (at, key) in keys.into_iter().enumerate() {
                    let (Some(row), Some(values)) = (rows.row(at), adjusted.0.get_mut(&(model.type_id(), key))) else {
                        continue;
                    };
                    for (column, value) in values {
                        if adds_to_counter(model, *column) && !self.counts_some(model, *column) {
                            continue;
                        }
                        *value = model.rows.value(row, *column).into_owned();
                    }
                }
            }
            Ok(adjusted)
        })
    }
}

/// Columns of rows that come back, in which something has followed.
#[derive(Default)]
pub(super) struct Adjusted(HashMap<(TypeId, KeyTuple), Vec<(usize, Value<'static>)>>);

impl Adjusted {
    /// Adds columns of a row.
    pub(super) fn add(&mut self, model: &'static ModelDef, key: KeyTuple, values: Vec<(usize, Value<'static>)>) {
        if !values.is_empty() {
            self.0.entry((model.type_id(), key)).or_default().extend(values);
        }
    }

    /// Takes the columns of rows that were read once more, because callbacks have written after what followed.
    pub(super) fn renew(&mut self, model: &'static ModelDef, fresh: &dyn Rows) {
        for row in (0..fresh.len()).filter_map(|at| fresh.row(at)) {
            let Some(values) = model.key_of(row).and_then(|key| self.0.get_mut(&(model.type_id(), key))) else {
                continue;
            };
            for (column, value) in values {
                *value = model.rows.value(row, *column).into_owned();
            }
        }
    }

    /// Sets them.
    pub(super) fn set(&self, model: &'static ModelDef, list: &mut dyn Rows) -> Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        for at in 0..list.len() {
            let key = Rows::row(list, at).and_then(|row| model.key_of(row));
            let Some(values) = key.and_then(|key| self.0.get(&(model.type_id(), key))) else { continue };
            let Some(row) = list.owners().owner(at) else { continue };
            for (column, value) in values {
                model.rows.set_value(row, *column, &mut value.clone())?;
            }
        }
        Ok(())
    }
}

// A row with what the save sets in it. A key that is still to be made is left out: its parent is new.
fn overlaid(children: &Children, row: &StoredRow, plan: &SavePlan, planned: u32) -> StoredRow {
    let planned = &plan.rows()[planned as usize];
    let values = plan.rows().values(planned);
    children.row(|column| {
        let is_awaited = planned.awaits.iter().any(|awaited| awaited.column == column);
        match &values[column] {
            _ if is_awaited => Value::Null,
            Some(value) => value.clone(),
            None => children.value(row, column).clone(),
        }
    })
}

// The columns that the save sets itself in a row keep that value.
fn leave_out(run: &Run<'_>, changes: &mut ParentChanges) {
    let models: Vec<&'static ModelDef> = changes.models().collect();
    let own = run.plan.rows().written().map(|(_, row)| row).filter(|row| models.contains(&row.model));
    let own: Vec<(&PlannedRow, &Row)> = own.filter_map(|row| Some((row, row.base.as_ref()?))).collect();
    if own.is_empty() {
        return;
    }
    let mut by_key: HashMap<(TypeId, &'static [usize]), HashMap<KeyTuple, &PlannedRow>> = HashMap::new();
    changes.retain(|group, key, row| {
        if row.touched.is_empty() {
            return true;
        }
        let known = by_key.entry((group.model.type_id(), group.key)).or_insert_with(|| {
            let of_model = own.iter().filter(|(planned, _)| planned.model == group.model);
            of_model.filter_map(|(planned, base)| Some((group.model.key_in(&***base, group.key)?, *planned))).collect()
        });
        if let Some(planned) = known.get(key) {
            row.touched.retain(|column| run.plan.rows().values(planned)[*column].is_none());
        }
        true
    });
}

impl Run<'_> {
    /// The rows that are written.
    pub(super) fn written_rows<'u>(
        &'u self,
        unneeded: &'u HashSet<u32>,
    ) -> impl Iterator<Item = (u32, &'u PlannedRow)> {
        let steps = self.plan.steps().iter().flat_map(|step| match step {
            Step::Insert { rows, .. } | Step::Update { rows, .. } => &rows[..],
            _ => &[],
        });
        let rows = steps.copied().filter(|row| !unneeded.contains(row));
        rows.map(|row| (row, &self.plan.rows()[row as usize]))
    }

    // The keys that rows had which the save has given other ones, with these: what leaves such a row leaves it under its new key.
    // A key that went from one row to another would be ambiguous.
    fn rekeyed(&self, group: &ParentGroup, unneeded: &HashSet<u32>) -> HashMap<KeyTuple, KeyTuple> {
        let of_model = self.written_rows(unneeded).filter(|(_, planned)| planned.model == group.model);
        let keys = of_model.filter_map(|(row, planned)| {
            let before = group.model.key_in(&**planned.base.as_ref()?, group.key)?;
            let now = group.model.key_in(self.row(row)?, group.key)?;
            (before != now).then_some((before, now))
        });
        let mut keys: HashMap<KeyTuple, KeyTuple> = keys.collect();
        let now: HashSet<KeyTuple> = keys.values().cloned().collect();
        keys.retain(|before, _| !now.contains(before));
        keys
    }

    /// Whether callbacks may change rows of a model before they are written.
    pub(super) fn may_change(&self, model: &ModelDef) -> bool {
        self.callbacks.is_some() && model.has_save_callbacks()
    }

    fn timing(&self, row: u32, place: usize) -> Option<Timing> {
        let timing = self.plan.timings().get(&row)?.get(place).copied()?;
        let is_late = timing == Timing::Before && self.may_change(self.plan.rows()[row as usize].model);
        Some(if is_late { Timing::After } else { timing })
    }
}
