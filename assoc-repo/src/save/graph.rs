//! Running the plan of a save: what is looked up, what is let go, then the levels. All of it is one transaction, or one
//! savepoint of an open one.
//!
//! Counters and callbacks find here what was written: the plan's `base` is each row as it was, [`Run::row`] is the row as it is
//! now, and each [`Resolved`] has the rows that were let go.

use std::any::Any;
use std::collections::HashSet;

use assoc_core::change::{Row, RowChange};
use assoc_core::counters::Children;
use assoc_core::destroy::{DestroyPlan, Reading};
use assoc_core::driver::{Access, TransactionMode};
use assoc_core::execution::rows::Rows;
use assoc_core::execution::{KeyTuple, RowKeys};
use assoc_core::metadata::ModelDef;
use assoc_core::save::{InsertPlan, LoadedRow, Lookup, PlannedRow, Resolved, RowValues, SavePlan, Step, Unlink};
use assoc_core::value::DateTime;
use assoc_core::{Error, ErrorKind, Result, Value};

use super::insert::{check, unproven};
use crate::callbacks::Firing;
use crate::repo::Repo;
use crate::row_guard::RowGuard;
use crate::session::Session;
use callbacks::{Callbacks, Values};
use follow::{Adjusted, Following};
use look_up::look_up;

mod alike;
mod assemble;
mod beside;
mod by_sql;
mod callbacks;
mod cleared;
mod close;
mod follow;
mod held;
mod look_up;
mod relink;
mod removal;
mod steps;
mod validate;

/// What a save has written.
pub(crate) struct Saved {
    /// The rows in the given order, with what was saved loaded.
    pub(crate) rows: Box<dyn Rows>,
    /// How many members, or rows between, the UPDATE or DELETE of a removal has written, as the database says.
    pub(crate) let_go: u64,
}

/// Saves rows of a model with all that is said of their members. Expects changes without problems.
pub(crate) async fn save(
    repo: &Repo,
    model: &'static ModelDef,
    changes: Vec<RowChange>,
    firing: Firing,
) -> Result<Saved> {
    let mut planned = Planned::new(repo, model, changes, firing)?;
    if planned.has_callbacks(firing) {
        let transaction = repo.begin().await?;
        let result = run_with_callbacks(&transaction, model, &planned).await;
        return transaction.finish(result).await;
    }
    // Keys that the database makes are returned in an order that is proven; where it cannot be, all is undone, and rows are
    // inserted one by one.
    let mut given = planned.take_values();
    for one_by_one in [false, true] {
        let mut session = repo.session(Access::Write).await?;
        session.begin(TransactionMode::Write).await?;
        let mut run = Run::new(repo, &planned, one_by_one).with_values(given);
        // A boxed future, here and below: of a save inside a callback inside a save, each level would take up stack for it.
        match Box::pin(run.all(&mut session)).await {
            Ok(Some(adjusted)) => return session.finish(run.assemble(&adjusted)).await,
            Ok(None) => {
                given = run.into_values();
                let _ = session.finish::<()>(Err(unproven(model))).await;
            }
            Err(error) => return session.finish(Err(error)).await,
        }
    }
    Err(unproven(model))
}

/// Saves rows of which some have a `before_validate`: it runs in the transaction, and `check` looks for problems after it.
pub(crate) async fn save_validated(
    repo: &Repo,
    model: &'static ModelDef,
    mut changes: Vec<RowChange>,
    check: impl FnOnce(&[RowChange]) -> Result<()>,
) -> Result<Saved> {
    let transaction = repo.begin().await?;
    let result = async {
        let inside = transaction.for_callbacks(model)?;
        validate::before_validate(&inside, &mut changes).await?;
        check(&changes)?;
        run_with_callbacks(&transaction, model, &Planned::new(repo, model, changes, Firing::Callbacks)?).await
    }
    .await;
    transaction.finish(result).await
}

async fn run_with_callbacks(transaction: &Repo, model: &'static ModelDef, planned: &Planned) -> Result<Saved> {
    let repo = transaction.for_callbacks(model)?;
    let mut session = repo.session(Access::Write).await?;
    let mut run = Run::new(&repo, planned, false).with_callbacks();
    let Some(adjusted) = Box::pin(run.all(&mut session)).await? else { return Err(unproven(model)) };
    run.assemble(&adjusted)
}

/// A save, with the destroys of what it lets go.
struct Planned {
    plan: SavePlan,
    // For each model of which rows are destroyed.
    destroys: Vec<DestroyPlan>,
    now: DateTime,
}

impl Planned {
    fn new(repo: &Repo, model: &'static ModelDef, changes: Vec<RowChange>, firing: Firing) -> Result<Self> {
        let mut plan = SavePlan::new(model, changes)?;
        for model in plan.models() {
            repo.require_here(model)?;
        }
        let now = repo.now();
        plan.fill(now, repo.touches);
        check_sure_links(&plan, firing)?;
        let mut destroys: Vec<DestroyPlan> = Vec::new();
        for lookup in plan.lookups().iter().filter(|lookup| lookup.removes() && lookup.unlink == Unlink::Destroy) {
            if !destroys.iter().any(|known| known.nodes()[0].model == lookup.table) {
                destroys.push(repo.destroy_plan(lookup.table, Reading::Needed)?);
            }
        }
        Ok(Planned { plan, destroys, now })
    }

    // The values of new rows that nothing follows. They are moved into the statements and from there into the rows that come
    // back, so they need not be copied.
    fn take_values(&mut self) -> RowValues {
        // What is looked up, or linked by hand-written SQL, may need the values of a row that is not inserted after all.
        if !self.plan.lookups().is_empty() || !self.plan.by_sql().is_empty() {
            return RowValues::default();
        }
        let mut models = self.plan.written_models();
        models.retain(|model| Children::of(model).is_none());
        self.plan.take_values(&models)
    }

    fn has_callbacks(&self, firing: Firing) -> bool {
        firing == Firing::Callbacks
            && (self.plan.written_models().into_iter().any(ModelDef::has_save_callbacks)
                || !self.plan.added().is_empty()
                || self.plan.lookups().iter().any(Lookup::tells)
                || self.plan.lookups().iter().any(Lookup::shows_keyless)
                || self.destroys.iter().any(DestroyPlan::has_callbacks))
    }
}

// Refuses rows between that cannot be saved, of those that are written whatever is found.
fn check_sure_links(plan: &SavePlan, firing: Firing) -> Result<()> {
    let in_question = plan.links_in_question();
    plan.check_links(firing == Firing::Callbacks, &|row| !in_question.contains(&row))
}

/// The plan of a save as text.
pub(crate) fn explain(model: &'static ModelDef, change: RowChange, touches: bool) -> Result<String> {
    if change.base().is_some() {
        change.check()?;
    } else {
        check(model, std::slice::from_ref(&change))?;
    }
    let plan = SavePlan::new(model, vec![change])?;
    check_sure_links(&plan, Firing::Callbacks)?;
    Ok(plan.explain(touches))
}

/// A save that is running.
struct Run<'p> {
    repo: &'p Repo,
    plan: &'p SavePlan,
    destroys: &'p [DestroyPlan],
    // Of a save that runs callbacks.
    callbacks: Option<Callbacks>,
    // Planned rows that link members which are linked already.
    linked: HashSet<u32>,
    // Rows as the database has them, step by step.
    lists: Vec<Box<dyn Rows>>,
    // For each planned row its list, and where it stands there.
    places: Vec<Option<(u32, u32)>>,
    // The values of planned rows that were taken from the plan.
    given: RowValues,
    // The value that a row took last of another one: rows of one owner are inserted one after the other.
    last_awaited: Option<(u32, usize, i64)>,
    // The statements that took them, with the planned rows, and the list of what they returned.
    inserted: Vec<(InsertPlan, Vec<u32>, Option<u32>)>,
    // Rows that exist and were read once they were written.
    fresh: HashSet<u32>,
    one_by_one: bool,
    // How many rows the statements that remove members have written.
    let_go: u64,
    // Rows between that are to be loaded beside the targets.
    beside: HashSet<u32>,
    now: DateTime,
}

impl<'p> Run<'p> {
    fn new(repo: &'p Repo, planned: &'p Planned, one_by_one: bool) -> Self {
        let Planned { plan, destroys, now } = planned;
        Run {
            repo,
            plan,
            destroys,
            callbacks: None,
            linked: HashSet::new(),
            lists: Vec::new(),
            places: vec![None; plan.rows().len()],
            given: RowValues::default(),
            last_awaited: None,
            inserted: Vec::new(),
            fresh: HashSet::new(),
            one_by_one,
            let_go: 0,
            beside: beside::wanted(plan, repo.dialect()),
            now: *now,
        }
    }

    // With the values of new rows that were taken from the plan.
    fn with_values(mut self, given: RowValues) -> Self {
        self.given = given;
        self
    }

    // These values again, so that the rows can be inserted otherwise.
    fn into_values(mut self) -> RowValues {
        for (plan, rows, list) in std::mem::take(&mut self.inserted) {
            let list = list.map(|list| &*self.lists[list as usize]);
            for (input, values) in plan.into_rows(list) {
                let row = &self.plan.rows()[rows[input as usize] as usize];
                // Of other rows the plan has them.
                if self.plan.rows().is_taken(row) {
                    self.given.put_back(row, values);
                }
            }
        }
        self.given
    }

    // Adds a row to those that statements insert: with the values that were taken from the plan, or with a copy.
    fn push_to(&mut self, plan: &mut InsertPlan, row: u32) -> Result<()> {
        let planned: &'p PlannedRow = &self.plan.rows()[row as usize];
        if !self.plan.rows().is_taken(planned) {
            plan.push(&mut self.values(planned)?);
            return Ok(());
        }
        let mut given = std::mem::take(&mut self.given);
        let values = given.of_mut(planned);
        let result = self.set_taken(planned, values).map(|()| plan.push(values));
        given.done_with(planned);
        self.given = given;
        result
    }

    fn set_taken(&mut self, planned: &PlannedRow, values: &mut [Option<Value<'static>>]) -> Result<()> {
        let [awaited] = &*planned.awaits else { return self.set_awaited(planned, values) };
        match self.last_awaited {
            // A new row is inserted once, so its key stays what it is.
            Some((row, of, key)) if (row, of) == (awaited.row, awaited.of) => {
                values[awaited.column] = Some(Value::Int(key));
            }
            _ => {
                self.set_awaited(planned, values)?;
                if let Some(Value::Int(key)) = &values[awaited.column] {
                    self.last_awaited = Some((awaited.row, awaited.of, *key));
                }
            }
        }
        Ok(())
    }

    fn assemble(self, adjusted: &Adjusted) -> Result<Saved> {
        let let_go = self.let_go;
        Ok(Saved { rows: assemble::assemble(self.plan, self, adjusted)?, let_go })
    }

    // Answers with what has followed in the rows that come back; `None` if it is not proven which row is whose.
    async fn all(&mut self, session: &mut Session<'_>) -> Result<Option<Adjusted>> {
        self.require_seen(session).await?;
        let mut unneeded: HashSet<u32> = HashSet::new();
        let plan = self.plan;
        let mut let_go: Vec<(&Lookup, Resolved)> = Vec::new();
        for lookup in plan.lookups() {
            let mut resolved = look_up(self.repo, session, lookup).await?;
            unneeded.extend(resolved.unneeded.drain(..));
            self.linked.extend(resolved.linked.drain(..));
            let_go.push((lookup, resolved));
        }
        let relinked = relink::Relinked::of(self.repo, &mut let_go);
        if !let_go.is_empty() {
            plan.check_links(self.callbacks.is_some(), &|row| !unneeded.contains(&row) && !relinked.has(row))?;
        }
        let mut following = Following::new(self.now);
        let cleared = self.let_go(session, &let_go, &unneeded, &mut following).await?;
        for step in plan.steps() {
            let proven = match step {
                Step::Insert { model, rows, unread } => {
                    let rows = rows.iter().copied().filter(|row| !unneeded.contains(row) && !relinked.has(*row));
                    let rows: Vec<u32> = rows.collect();
                    if !relinked.is_empty() {
                        self.relink(session, step, &relinked).await?;
                    }
                    self.insert(session, model, rows, *unread).await?
                }
                Step::Update { model, rows } => {
                    let rows: Vec<u32> = rows.iter().copied().filter(|row| !unneeded.contains(row)).collect();
                    self.update(session, model, rows).await?;
                    true
                }
                _ => return Err(Error::invalid_query("save", "the plan has a step that this version does not know")),
            };
            if !proven {
                return Ok(None);
            }
        }
        if !plan.closings().is_empty() {
            self.close(session).await?;
        }
        following.after_writing(self, session, &unneeded).await?;
        let mut adjusted = following.in_returned(self, session).await?;
        Box::pin(self.add_cleared(session, &cleared, &unneeded, &mut adjusted)).await?;
        self.after_save(session, &mut adjusted).await?;
        Ok(Some(adjusted))
    }

    // A filtered repo links rows that it sees, and no others. 1 statement for each model that is filtered.
    async fn require_seen(&self, session: &mut Session<'_>) -> Result<()> {
        if self.repo.filters.is_none() {
            return Ok(());
        }
        let mut existing: Vec<(&'static ModelDef, Vec<&Row>)> = Vec::new();
        let mut add = |model: &'static ModelDef, row| match existing.iter_mut().find(|(known, _)| *known == model) {
            Some((_, rows)) => rows.push(row),
            None => existing.push((model, vec![row])),
        };
        for group in self.plan.groups() {
            for row in &group.rows {
                if let LoadedRow::Existing(row) = row {
                    add(group.model, row);
                }
            }
        }
        for row in self.plan.rows().iter() {
            if let Some(base) = &row.base {
                add(row.model, base);
            }
        }
        for (model, rows) in existing {
            let keys = RowKeys::Tuples(rows.iter().map(|row| model.key_of(&***row)).collect());
            if let Some(guard) = RowGuard::of(self.repo, model)?
                && !guard.sees(session, &keys).await?
            {
                return Err(match self.own_unseen(session, &guard, model, rows.len()).await? {
                    Some(key) => ErrorKind::NotFound { model: model.name, key: key.to_string() }.into(),
                    None => guard.unseen(),
                });
            }
        }
        Ok(())
    }

    // Which row that the call was given is not seen, once one of several of a model is not: it is not found, as by an update
    // without members. 1 statement for each that is given, unless there is only one row.
    async fn own_unseen(
        &self,
        session: &mut Session<'_>,
        guard: &RowGuard<'_>,
        model: &'static ModelDef,
        rows: usize,
    ) -> Result<Option<KeyTuple>> {
        let own = self.plan.groups().first().filter(|group| group.model == model);
        for row in own.into_iter().flat_map(|group| &group.rows) {
            let LoadedRow::Planned(row) = row else { continue };
            let Some(key) = self.plan.rows()[*row as usize].base.as_deref().and_then(|base| model.key_of(base)) else {
                continue;
            };
            if rows == 1 || !guard.sees(session, &RowKeys::Tuples(vec![Some(key.clone())])).await? {
                return Ok(Some(key));
            }
        }
        Ok(None)
    }

    /// A planned row as the database has it; `None` of a row that is not read back.
    fn row(&self, row: u32) -> Option<&dyn Any> {
        match self.places[row as usize] {
            Some((list, at)) => self.lists[list as usize].row(at as usize),
            None => self.plan.rows()[row as usize].base.as_deref().map(|base| base as &dyn Any),
        }
    }

    // The values to write to a row, with those that it takes of rows written before.
    fn values(&self, row: &PlannedRow) -> Result<Values> {
        let mut values = self.plan.rows().values(row).to_vec();
        self.set_awaited(row, &mut values)?;
        Ok(values)
    }

    fn set_awaited(&self, row: &PlannedRow, values: &mut [Option<Value<'static>>]) -> Result<()> {
        for awaited in &row.awaits {
            let from = self.plan.rows()[awaited.row as usize].model;
            let value = self.row(awaited.row).map_or(Value::Null, |row| from.rows.value(row, awaited.of).into_owned());
            if value.is_null() {
                let message = format!(
                    "`{}` of a saved row is NULL, so that the {} that refers to it would lead nowhere",
                    from.columns[awaited.of].field, row.model.name
                );
                return Err(Error::invalid_query(from.name, message));
            }
            values[awaited.column] = Some(value);
        }
        Ok(())
    }
}
