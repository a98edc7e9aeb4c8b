//! A destroy that runs step by step: it reads, runs the callbacks before, writes, and runs the callbacks after. `repo.destroy`
//! runs all steps one after the other. A save that lets members go does other work between the steps.
//!
//! Callbacks before run from the owner to what depends on it, those after in reverse. A callback may write, and what it
//! writes decides what goes. The rows that one association leads to have their callbacks together; if these have written,
//! everything is read again before the next ones run. A row's callback runs once.

use std::collections::{HashMap, HashSet};

use assoc_core::change::Row;
use assoc_core::destroy::{DestroyPlan, Effect};
use assoc_core::driver::{BoxFuture, RowSink};
use assoc_core::execution::KeyTuple;
use assoc_core::metadata::{CallbackPoint, ModelDef, TableRef};
use assoc_core::{Error, ErrorKind, Result, Value};

use super::explore::{Consequences, EdgeReferral, NodeRow, Refusals, StoredRow, key_in};
use super::follow::Following;
use super::keyless::{KeylessRow, read_shown};
use super::{DestroyReport, links_by_sql, remove};
use crate::callbacks::{CallbackContext, Cause, RowAction, member_functions, model_functions};
use crate::counters::{Followed, Lock, Mode};
use crate::repo::Repo;
use crate::session::Session;
use crate::transaction::RowHook;

/// How often callbacks that write may make a destroy read again what goes.
const MOST_READINGS: usize = 100;

/// A destroy of some rows, of which a part is done.
pub(crate) struct Destruction<'p> {
    plan: &'p DestroyPlan,
    roots: Vec<KeyTuple>,
    existence: remove::Roots,
    // Of rows that are not given to a call, why they go.
    causes: HashMap<KeyTuple, Cause>,
    consequences: Consequences<'p>,
    // Rows without a primary key, and the edges that lead to them.
    keyless: Vec<(usize, KeylessRow)>,
    told: Vec<Told>,
}

/// Rows that stay and lose the keys of owners that go.
pub(crate) struct ClearedMembers {
    /// Their table.
    pub(crate) table: TableRef,
    /// The columns that hold an owner's key.
    pub(crate) by: Vec<&'static str>,
    /// The keys of the owners.
    pub(crate) owners: HashSet<KeyTuple>,
    /// The columns that are cleared.
    pub(crate) columns: Vec<&'static str>,
}

/// A callback that has run before rows go, so that its counterpart runs afterwards.
struct Told {
    what: Happening,
    row: Row,
    owner: Option<Row>,
    cause: Cause,
    model: &'static ModelDef,
    // The edge that led to the row.
    via: Option<usize>,
}

/// What callbacks are told of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Happening {
    /// A row is destroyed: its table, as the plan numbers it, and its key. A row without one has the values of all its columns.
    Destroyed(usize, KeyTuple),
    /// A member goes because its row is destroyed: the edge, the owner's key, and the row's key or values.
    Removed(usize, KeyTuple, KeyTuple),
}

impl<'p> Destruction<'p> {
    /// Reads what goes with some rows, whose columns are known.
    pub(super) async fn of(
        session: &mut Session<'_>,
        plan: &'p DestroyPlan,
        roots: Vec<StoredRow>,
        existence: remove::Roots,
    ) -> Result<Self> {
        let mut consequences = Consequences::new(plan, roots);
        consequences.explore(session, Refusals::Fail).await?;
        let keyless = read_shown(session, &consequences).await?;
        let roots = consequences.rows[..consequences.given].iter().map(|row| row.key.clone()).collect();
        Ok(Destruction { plan, roots, existence, causes: HashMap::new(), consequences, keyless, told: Vec::new() })
    }

    /// Reads what goes with rows of which the keys are known, each with the reason why it goes. What is gone already need
    /// not be there.
    pub(crate) async fn of_keys(
        session: &mut Session<'_>,
        plan: &'p DestroyPlan,
        causes: HashMap<KeyTuple, Cause>,
    ) -> Result<Self> {
        let mut keys: Vec<KeyTuple> = causes.keys().cloned().collect();
        // In a stable order, so that statements are the same each time.
        keys.sort_by_cached_key(ToString::to_string);
        let root = &plan.nodes()[0];
        let place = |column: &usize| root.model.primary_key.iter().position(|key| key == column);
        // The save has read the keys. Where the plan needs nothing else of the rows, they are not read again.
        let roots = match root.columns.iter().map(place).collect::<Option<Vec<usize>>>() {
            Some(places) => {
                keys.iter().map(|key| places.iter().map(|at| key.values()[*at].clone()).collect()).collect()
            }
            None => super::read_by_keys(session, plan, &keys).await?,
        };
        let mut destruction = Destruction::of(session, plan, roots, remove::Roots::Queried).await?;
        destruction.causes = causes;
        Ok(destruction)
    }

    /// Whether a row goes.
    pub(crate) fn removes(&self, model: &ModelDef, key: &KeyTuple) -> bool {
        self.consequences.number(model, key).is_some()
    }

    /// Why a row goes that the destroy was asked for; `None` of one that depends on such a row.
    pub(crate) fn cause_of(&self, model: &ModelDef, key: &KeyTuple) -> Option<&Cause> {
        self.causes.get(key).filter(|_| self.plan.nodes()[0].model.table == model.table)
    }

    /// The rows that go, by their tables and keys.
    pub(crate) fn rows_gone(&self) -> impl Iterator<Item = (TableRef, KeyTuple)> {
        let rows = self.consequences.rows.iter();
        rows.map(|row| (self.plan.nodes()[row.node].model.table, row.key.clone()))
    }

    /// The rows of each association that clears the keys of those whose owners go.
    pub(crate) fn cleared_members(&self) -> Vec<ClearedMembers> {
        let mut all = Vec::new();
        for edge in self.plan.edges() {
            let Effect::Clear { columns, .. } = &edge.effect else { continue };
            let owner_columns = &self.plan.nodes()[edge.from].columns;
            let key = |row: &NodeRow| key_in(&row.values, owner_columns, edge.rows.key.owner_columns);
            let owners: HashSet<KeyTuple> = self.consequences.of_nodes[edge.from].iter().filter_map(key).collect();
            if owners.is_empty() {
                continue;
            }
            let model = edge.rows.model;
            let names = |columns: &[usize]| columns.iter().map(|column| model.columns[*column].name).collect();
            let (by, columns) = (names(edge.rows.key.target_columns), names(columns));
            all.push(ClearedMembers { table: model.table, by, owners, columns });
        }
        all
    }

    /// Runs the callbacks before anything is written. `repo` is that of the transaction.
    pub(crate) async fn before(&mut self, repo: &Repo, session: &mut Session<'_>) -> Result<()> {
        if !self.plan.has_callbacks() {
            return Ok(());
        }
        let mut known: HashSet<Happening> = HashSet::new();
        for _ in 0..MOST_READINGS {
            let writes = repo.writes();
            let mut pending = self.happenings()?;
            pending.retain(|told| !known.contains(&told.what));
            let mut together = pending.first().map(|told| told.via);
            while let Some(via) = together {
                let (now, later): (Vec<Told>, _) = pending.into_iter().partition(|told| told.via == via);
                for told in now {
                    known.insert(told.what.clone());
                    told.tell(repo, session, true).await?;
                    self.told.push(told);
                }
                pending = later;
                together = pending.first().map(|told| told.via).filter(|_| repo.writes() == writes);
            }
            if repo.writes() == writes {
                return self.after_transaction(repo);
            }
            self.read_again(session).await?;
        }
        let message =
            "callbacks before the destroy keep writing rows that are destroyed as well: there is no end to it";
        Err(Error::invalid_query(self.plan.nodes()[0].model.name, message))
    }

    async fn read_again(&mut self, session: &mut Session<'_>) -> Result<()> {
        let roots = super::read_by_keys(session, self.plan, &self.roots).await?;
        let root = &self.plan.nodes()[0];
        if roots.len() < self.roots.len() && self.existence != remove::Roots::Queried {
            let key = |row: &StoredRow| super::explore::key_in(row, &root.columns, root.model.primary_key);
            let present: HashSet<KeyTuple> = roots.iter().filter_map(key).collect();
            let gone = self.roots.iter().find(|key| !present.contains(key)).map(ToString::to_string);
            let kind = ErrorKind::NotFound { model: root.model.name, key: gone.unwrap_or_default() };
            return Err(kind.into());
        }
        self.consequences = Consequences::new(self.plan, roots);
        self.consequences.explore(session, Refusals::Fail).await?;
        self.keyless = read_shown(session, &self.consequences).await?;
        Ok(())
    }

    /// Writes, and answers with what has followed in rows that stay.
    // A boxed future: of a destroy inside a callback inside a save, each level would take up stack for it.
    pub(crate) fn write<'f>(
        &'f mut self,
        repo: &'f Repo,
        session: &'f mut Session<'_>,
    ) -> BoxFuture<'f, Result<Followed>> {
        Box::pin(async move {
            let consequences = &mut self.consequences;
            let mut following = Following::new(repo, self.plan)?;
            following.read(session, consequences, Lock::Taken).await?;
            let changed = links_by_sql::unlink(repo, session, consequences).await?;
            remove::clear(session, consequences, &mut following).await?;
            remove::remove(session, consequences, &mut following, self.existence).await?;
            links_by_sql::report(session, consequences, changed).await?;
            following.finish(repo, session, consequences, Mode::Write).await
        })
    }

    /// Runs the callbacks after everything is written.
    pub(crate) async fn after(&mut self, repo: &Repo, session: &mut Session<'_>) -> Result<()> {
        // Rows that a later callback has kept from being destroyed have no callbacks after.
        let gone: HashSet<Happening> = self.happenings()?.into_iter().map(|told| told.what).collect();
        for told in std::mem::take(&mut self.told).into_iter().rev().filter(|told| gone.contains(&told.what)) {
            told.tell(repo, session, false).await?;
        }
        Ok(())
    }

    /// What was done.
    pub(crate) fn into_report(self) -> DestroyReport {
        self.consequences.into_report()
    }

    // What happens to rows, as far as callbacks want to know: owners before what depends on them.
    fn happenings(&self) -> Result<Vec<Told>> {
        let (plan, going) = (self.plan, &self.consequences);
        // Of each row, where it is known with all its columns.
        let mut whole: HashMap<usize, Vec<(usize, &StoredRow)>> = HashMap::new();
        for (node, rows) in going.of_nodes.iter().enumerate().filter(|(node, _)| plan.nodes()[*node].whole) {
            for row in rows {
                whole.entry(row.row).or_default().push((node, &row.values));
            }
        }
        let mut removals: HashMap<usize, Vec<&EdgeReferral>> = HashMap::new();
        for removal in &going.removals {
            removals.entry(removal.dependent).or_default().push(removal);
        }
        let mut decoded: HashMap<(usize, usize), Row> = HashMap::new();
        let mut row_at = |number: usize, node: usize| -> Result<Option<Row>> {
            if let Some(row) = decoded.get(&(number, node)) {
                return Ok(Some(row.clone()));
            }
            let known = whole.get(&number).and_then(|known| known.iter().find(|(at, _)| *at == node));
            let Some((_, values)) = known else { return Ok(None) };
            let row = decode(plan.nodes()[node].model, values)?;
            if let Some(row) = &row {
                decoded.insert((number, node), row.clone());
            }
            Ok(row)
        };
        let mut all = Vec::new();
        for (number, row) in going.rows.iter().enumerate() {
            for removal in removals.get(&number).into_iter().flatten() {
                let edge = &plan.edges()[removal.edge];
                let Effect::Remove { node } = edge.effect else { continue };
                let (owner, member) = (row_at(removal.owner, edge.from)?, row_at(number, node)?);
                let (Some(owner), Some(member)) = (owner, member) else { continue };
                let owner_key = going.rows[removal.owner].key.clone();
                all.push(Told {
                    what: Happening::Removed(removal.edge, owner_key, row.key.clone()),
                    row: member,
                    owner: Some(owner),
                    cause: Cause::Dependent(edge.association),
                    model: edge.rows.model,
                    via: row.via,
                });
            }
            let told =
                whole.get(&number).into_iter().flatten().find(|(node, _)| {
                    plan.nodes()[*node].cascades && plan.nodes()[*node].model.has_destroy_callbacks()
                });
            if let Some((node, _)) = told
                && let Some(own) = row_at(number, *node)?
            {
                let cause = match row.via {
                    Some(edge) => Cause::Dependent(plan.edges()[edge].association),
                    None => self.causes.get(&row.key).copied().unwrap_or(Cause::OwnCall),
                };
                let of = &plan.nodes()[*node];
                all.push(Told {
                    what: Happening::Destroyed(of.table, row.key.clone()),
                    row: own,
                    owner: None,
                    cause,
                    model: of.model,
                    via: row.via,
                });
            }
        }
        let mut owners: HashMap<usize, HashMap<KeyTuple, Vec<usize>>> = HashMap::new();
        for (at, found) in &self.keyless {
            let edge = &plan.edges()[*at];
            let Effect::Remove { node } = edge.effect else { continue };
            let of = &plan.nodes()[node];
            let told = |what: Happening, owner: Option<Row>| Told {
                what,
                row: Row::clone(&found.row),
                owner,
                cause: Cause::Dependent(edge.association),
                model: of.model,
                via: Some(*at),
            };
            if edge.tells()
                && let Some(key) = &found.found_by
            {
                for owner in
                    owners.entry(*at).or_insert_with(|| going.owners_by_key(edge)).get(key).into_iter().flatten()
                {
                    let Some(row) = row_at(*owner, edge.from)? else { continue };
                    let key = going.rows[*owner].key.clone();
                    all.push(told(Happening::Removed(*at, key, found.identity.clone()), Some(row)));
                }
            }
            if of.cascades && of.model.has_destroy_callbacks() {
                all.push(told(Happening::Destroyed(of.table, found.identity.clone()), None));
            }
        }
        Ok(all)
    }

    // Whatever becomes of the transaction, it is told.
    fn after_transaction(&self, repo: &Repo) -> Result<()> {
        for Told { what, row, cause, model, .. } in &self.told {
            let Happening::Destroyed(_, key) = what else { continue };
            let identity = (!model.primary_key.is_empty()).then(|| key.clone());
            hook_after(repo, model, identity, row, *cause)?;
        }
        Ok(())
    }
}

impl Told {
    async fn tell(&self, repo: &Repo, session: &mut Session<'_>, before: bool) -> Result<()> {
        let cx = CallbackContext::new(repo, self.cause, RowAction::Destroy, &[]);
        match (&self.owner, self.cause.association()) {
            (Some(owner), Some(association)) => {
                let Some(functions) = member_functions(association) else { return Ok(()) };
                let functions = if before { functions.before_remove } else { functions.after_remove };
                for function in functions {
                    session.aside(function(owner, &self.row, &cx)).await?;
                }
                Ok(())
            }
            _ => {
                let point = if before { CallbackPoint::BeforeDestroy } else { CallbackPoint::AfterDestroy };
                run_callback(session, self.model, point, &self.row, &cx).await
            }
        }
    }
}

/// Runs a callback of a model that is destroyed, if it has it.
pub(crate) async fn run_callback(
    session: &mut Session<'_>,
    model: &ModelDef,
    point: CallbackPoint,
    row: &Row,
    cx: &CallbackContext<'_>,
) -> Result<()> {
    match model_functions(model).and_then(|functions| functions.after(point)) {
        Some(function) => session.aside(function(row, cx)).await,
        None => Ok(()),
    }
}

/// Has a row that is destroyed told of how the transaction ends. Its key is `None` if its model has no primary key.
pub(crate) fn hook_after(
    repo: &Repo,
    model: &'static ModelDef,
    key: Option<KeyTuple>,
    row: &Row,
    cause: Cause,
) -> Result<()> {
    repo.after_transaction(model, |function| {
        Ok(RowHook {
            identity: key.clone().map(|key| (model.type_id(), key)),
            function,
            row: row.clone(),
            repo: repo.outside(),
            cause,
            action: RowAction::Destroy,
            changes: Vec::new(),
        })
    })
}

// A row of all its columns.
pub(super) fn decode(model: &'static ModelDef, values: &StoredRow) -> Result<Option<Row>> {
    let mut rows = model.rows.new_rows();
    let mut values: Vec<Value<'static>> = values.to_vec();
    RowSink::row(&mut *rows, &mut values)?;
    Ok(rows.row(0).and_then(|row| model.rows.bare_copy(row)))
}
