//! The counters and times that follow rows which are destroyed, deleted or cleared.
//!
//! Which rows these are the statements that delete them say, by `RETURNING`; where they cannot, and of rows that are cleared,
//! it is read once more under a lock. So what another transaction has taken away meanwhile is not counted twice. What
//! stays is written when all rows are gone, so rows that go themselves are not written.

use std::collections::{BTreeMap, HashSet};

use assoc_core::counters::{Children, ParentChanges};
use assoc_core::destroy::{DestroyEdge, DestroyPlan, Effect};
use assoc_core::driver::{KeySet, Lack, StatementRole};
use assoc_core::execution::KeyTuple;
use assoc_core::metadata::{Expr, KeySide, ModelDef, Parent};
use assoc_core::value::DateTime;
use assoc_core::{Result, Value};

use super::StoredRow;
use super::explore::{Consequences, key_in};
use super::stored;
use crate::counters::{Followed, Lock, Mode, apply, children_of, read_children};
use crate::repo::Repo;
use crate::session::Session;

/// What follows, as far as it is known.
#[derive(Debug)]
pub(super) struct Following {
    models: Vec<Children>,
    // Models whose DELETE returns the parents' keys, if the database returns deleted rows.
    returned: Vec<&'static ModelDef>,
    returns: bool,
    changes: ParentChanges,
    now: DateTime,
}

impl Following {
    pub(super) fn new(repo: &Repo, plan: &DestroyPlan) -> Result<Following> {
        let mut models = Vec::new();
        for children in plan.followed() {
            if let Some(own) = children_of(repo, children.clone())? {
                models.push(own);
            }
        }
        let is_returned = |children: &&Children| {
            plan.deletes_returning(children.model) && !children.parents.iter().any(is_found_before)
        };
        let returned = models.iter().filter(is_returned).map(|children| children.model).collect();
        let returns = repo.dialect().capabilities().delete_returning;
        Ok(Following { models, returned, returns, changes: ParentChanges::new(repo.touches), now: repo.now() })
    }

    /// Whether anything follows the rows of a model.
    pub(super) fn concerns(&self, model: &'static ModelDef) -> bool {
        self.models.iter().any(|children| children.model == model)
    }

    /// The columns that a statement which deletes rows of a model is to return; `None` if nothing follows them, or if they
    /// are read before.
    pub(super) fn returned(&self, model: &'static ModelDef) -> Option<&[usize]> {
        let children = self.models.iter().find(|children| children.model == model)?;
        self.is_returned(model).then_some(&children.columns[..])
    }

    fn is_returned(&self, model: &'static ModelDef) -> bool {
        self.returns && self.returned.contains(&model)
    }

    // Why rows of a model that go are read.
    fn role_of_reading(&self, model: &'static ModelDef, lock: Lock) -> StatementRole {
        if lock == Lock::Taken && self.returned.contains(&model) {
            StatementRole::StandIn(Lack::DeleteReturning)
        } else {
            StatementRole::Requested
        }
    }

    /// Takes in rows of a model as their `DELETE` has returned them.
    pub(super) fn deleted(&mut self, model: &'static ModelDef, rows: &[StoredRow]) {
        let Some(children) = self.models.iter().find(|children| children.model == model) else { return };
        for row in rows {
            self.changes.change(children, Some(row), None, |_, _| true);
        }
    }

    /// Takes in the rows whose keys are known, as far as no `DELETE` will return them: those that go, and those that are
    /// cleared and stay.
    pub(super) async fn read(
        &mut self,
        session: &mut Session<'_>,
        consequences: &Consequences<'_>,
        lock: Lock,
    ) -> Result<()> {
        let plan = consequences.plan;
        for children in self.models.iter().filter(|children| !children.model.primary_key.is_empty()) {
            let model = children.model;
            let mut going: HashSet<&KeyTuple> = HashSet::new();
            for (node, rows) in plan.nodes().iter().zip(&consequences.of_nodes).filter(|(node, _)| node.model == model)
            {
                debug_assert!(node.read || rows.is_empty());
                if lock == Lock::Taken && self.is_returned(model) {
                    continue;
                }
                going.extend(rows.iter().map(|row| &consequences.rows[row.row].key));
            }
            let mut cleared: BTreeMap<String, (KeyTuple, Vec<usize>)> = BTreeMap::new();
            for (at, keys) in consequences.staying() {
                let edge = &plan.edges()[at];
                let Effect::Clear { columns, .. } = &edge.effect else { continue };
                if edge.rows.model != model {
                    continue;
                }
                for key in keys.tuples() {
                    let known = cleared.entry(key.to_string()).or_insert_with(|| (key, Vec::new()));
                    known.1.extend(columns);
                }
            }
            let of_owners = children.parents.iter().filter(|parent| is_found_before(parent));
            let mut touched: Vec<(&Parent, Vec<KeyTuple>)> = of_owners.map(|parent| (parent, Vec::new())).collect();
            let keys = KeySet::from_iter(going.iter().copied().chain(cleared.values().map(|(key, _)| key)).cloned());
            let always = Expr::always();
            // Rows that are cleared are read in any case.
            let role = if cleared.is_empty() { self.role_of_reading(model, lock) } else { StatementRole::Requested };
            for row in read_in_role(session, role, children, model.primary_key, &keys, &always, lock).await? {
                let Some(key) = children.key(&row) else { continue };
                let after = cleared
                    .get(&key.to_string())
                    .filter(|_| !going.contains(&key))
                    .map(|(_, columns)| children.without(&row, columns));
                let is_meant = |place: usize, _| !is_found_before(&children.parents[place]);
                self.changes.change(children, Some(&row), after.as_deref(), is_meant);
                for (parent, owners) in &mut touched {
                    owners.extend(children.parent_key(parent, &row));
                }
            }
            for (parent, owners) in touched.into_iter().filter(|(_, owners)| !owners.is_empty()) {
                let (key, owners) = (parent.model.primary_key, KeySet::from_iter(owners));
                let mut found = Vec::new();
                let mut sink = |values: &mut [Value<'_>]| {
                    found.push(KeyTuple::of_row(stored(parent.model, key, values)));
                    Ok(())
                };
                session.query_keyed(parent.model, key, parent.key, &owners, &parent.conditions, &mut sink).await?;
                found.into_iter().for_each(|row| self.changes.touch_with(parent, row));
            }
        }
        Ok(())
    }

    /// Takes in rows without primary key that go or are cleared by the keys of their owners. It is called just before, so
    /// that rows to which two associations lead are met once.
    pub(super) async fn read_by_owners(
        &mut self,
        session: &mut Session<'_>,
        edge: &DestroyEdge,
        keys: &KeySet,
        lock: Lock,
    ) -> Result<()> {
        let model = edge.rows.model;
        let keyless = model.primary_key.is_empty();
        let Some(children) = self.models.iter().find(|children| keyless && children.model == model) else {
            return Ok(());
        };
        let goes = matches!(edge.effect, Effect::Remove { .. });
        if lock == Lock::Taken && goes && self.is_returned(model) {
            return Ok(());
        }
        let (by, filter) = (edge.rows.key.target_columns, &edge.rows.filter);
        let role = if goes { self.role_of_reading(model, lock) } else { StatementRole::Requested };
        for row in read_in_role(session, role, children, by, keys, filter, lock).await? {
            let after = match &edge.effect {
                Effect::Clear { columns, .. } => Some(children.without(&row, columns)),
                _ => None,
            };
            self.changes.change(children, Some(&row), after.as_deref(), |_, _| true);
        }
        Ok(())
    }

    /// Writes what follows in rows that stay, and adds them to the report.
    pub(super) async fn finish(
        self,
        repo: &Repo,
        session: &mut Session<'_>,
        consequences: &mut Consequences<'_>,
        mode: Mode<'_>,
    ) -> Result<Followed> {
        let Following { mut changes, now, .. } = self;
        if changes.is_empty() {
            return Ok(Followed::nothing(now));
        }
        let mut gone: BTreeMap<(String, &'static [usize]), HashSet<KeyTuple>> = BTreeMap::new();
        changes.retain(|group, key, _| {
            let known = gone.entry((group.model.table.to_string(), group.key));
            !known.or_insert_with(|| keys_gone(consequences, group.model, group.key)).contains(key)
        });
        let followed = apply(repo, session, changes, now, mode).await?;
        for (model, rows) in &followed.written {
            consequences.report.entry(model).updated += rows;
        }
        Ok(followed)
    }
}

// Reads rows that go or are cleared, in statements of a role.
async fn read_in_role(
    session: &mut Session<'_>,
    role: StatementRole,
    children: &Children,
    by: &[usize],
    keys: &KeySet,
    filter: &Expr,
    lock: Lock,
) -> Result<Vec<StoredRow>> {
    session.look_up_in_role(role);
    let read = read_children(session, children, by, keys, filter, lock).await;
    session.look_up_in_role(StatementRole::Requested);
    read
}

// Whether a row must be found before its owner goes, because it may lose the owner's key then.
fn is_found_before(parent: &Parent) -> bool {
    parent.key_side == KeySide::Target && !parent.touched.is_empty() && !parent.model.primary_key.is_empty()
}

// What rows of a table that go hold in some columns, as far as it is known.
fn keys_gone(consequences: &Consequences<'_>, model: &'static ModelDef, columns: &[usize]) -> HashSet<KeyTuple> {
    let mut gone = HashSet::new();
    for (node, rows) in consequences.plan.nodes().iter().zip(&consequences.of_nodes) {
        if node.model.table != model.table {
            continue;
        }
        let place = |column: &usize| {
            let name = model.columns[*column].name;
            node.model.columns.iter().position(|own| own.name == name).filter(|at| node.columns.contains(at))
        };
        let Some(columns) = columns.iter().map(place).collect::<Option<Vec<_>>>() else { continue };
        gone.extend(rows.iter().filter_map(|row| key_in(&row.values, &node.columns, &columns)));
    }
    gone
}
