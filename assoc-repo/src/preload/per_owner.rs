//! Rows that each owner says: by a scope that depends on it (F104, F106), or by its SQL (F114). Owners that say the same
//! share a look-up.
//!
//! A row that several scopes let through is one row, as it is for owners that share it under one scope.

use std::any::Any;
use std::collections::HashMap;
use std::fmt::Debug;

use assoc_core::driver::{KeySet, RowSink};
use assoc_core::execution::rows::Rows;
use assoc_core::execution::{KeyTuple, Links, RowKeys};
use assoc_core::metadata::{Cardinality, CustomSql, ModelDef};
use assoc_core::planner::{EdgeId, Onward, OwnerScope, Plan, Source, Step};
use assoc_core::select::{KeyedSelect, PerOwner};
use assoc_core::{Result, Value};

use super::existing::{self, Owners};
use super::fetch::{Fetched, FoundRows, Groups, RootRows, Run, new_rows, position};
use super::index::KeyIndex;
use super::reuse::Reused;
use super::through::Targets;
use super::{EdgeLinks, NodeRows, through};
use crate::read::Named;

struct Borrowed<'r>(&'r mut dyn Rows);

impl RowSink for Borrowed<'_> {
    fn row(&mut self, values: &mut [Value<'_>]) -> Result<()> {
        RowSink::row(self.0, values)
    }
}

impl Run<'_, '_> {
    /// By key, one look-up for each distinct scope.
    pub(super) async fn by_owner_scope(
        &mut self,
        step: &Step,
        owners: &[Owners],
        scope: &OwnerScope,
    ) -> Result<FoundRows> {
        let mut all = Collected::new(step.select.model, new_rows(&step.select), step.select.only.is_none());
        let mut lists: Vec<Vec<u32>> = Vec::new();
        let mut places = Vec::with_capacity(owners.len());
        let mut count = 0;
        for (served, owners) in step.serves.iter().zip(owners) {
            let (scopes, scope_of) = self.distinct(served.node, |_, row| Some(scope.scope_of(row)));
            let mut own: Vec<Option<usize>> = vec![None; owners.keys.len()];
            for (at, scope_def) in scopes.iter().enumerate() {
                let members = |owner: usize| scope_of.get(owner) == Some(&Some(at));
                let keys = keys_where(&owners.keys, members);
                let set = KeySet::distinct([&keys]);
                let select = scope.select(self.plan, step, scope_def)?;
                self.session.require_condition(&select)?;
                let found = self.rows_of(step, &select, &set).await?;
                let rows = all.add(found.rows);
                for key in 0..set.len() {
                    let mut own = Vec::new();
                    found.groups.push_to(key, u32::MAX, &mut own);
                    lists.push(own.into_iter().map(|row| rows[row as usize]).collect());
                }
                for (owner, place) in KeyIndex::new(&set).of_rows(&keys).into_iter().enumerate() {
                    if let Some(place) = place {
                        own[owner] = Some(count + place);
                    }
                }
                count += set.len();
            }
            places.push(own);
        }
        let fetched = Fetched { rows: all.rows, groups: Groups::Lists(lists), group_of: Vec::new() };
        Ok(FoundRows { fetched, keys: count, places })
    }

    /// Loads a through association whose scope depends on the owner. The intermediate rows are loaded; a separate plan
    /// per scope looks up the targets from them, for the owners of the scope.
    pub(super) async fn by_owner_scope_through(&mut self, id: EdgeId, scope: &OwnerScope) -> Result<()> {
        if self.nodes[id.node].is_none() {
            return Ok(());
        }
        let kept = self.kept_owners(id);
        let plan = self.plan;
        let edge = plan.edge(id);
        let Source::OwnerStep { behind: Some(behind), .. } = edge.source else { return Ok(()) };
        let target = plan.nodes()[edge.child].model;
        let mut all = Collected::new(target, target.rows.new_rows(), true);
        let owners = self.nodes[id.node].as_ref().map_or(0, |rows| rows.existing + rows.fetched.len());
        let known = self.reused.known(id, owners);
        let is = |marks: &[bool], at: usize| marks.get(at).copied().unwrap_or(false);
        let wanted = |at: usize, row: &dyn Any| (!is(&kept, at) && !is(&known, at)).then(|| scope.scope_of(row));
        let (scopes, scope_of) = self.distinct(id.node, wanted);
        // For each owner its targets, and the intermediate rows that reach them where the holder keeps join rows.
        let mut own: Vec<(Vec<u32>, Vec<u32>)> = vec![Default::default(); scope_of.len()];
        let mut keeps_links = false;
        let Some(between) = Between::of(plan, &self.nodes, &self.reused, behind) else { return Ok(()) };
        for (at, scope_def) in scopes.iter().enumerate() {
            let members: Vec<usize> = (0..scope_of.len()).filter(|owner| scope_of[*owner] == Some(at)).collect();
            let (first, rows, copied) = between.of_owners(&members);
            let Some(Onward { plan: onward, edge: second, limits }) = scope.onward(scope_def)? else { continue };
            keeps_links |= limits.join_rows;
            if rows.is_empty() {
                continue;
            }
            onward.steps().iter().try_for_each(|step| self.session.require_condition(&step.select))?;
            // Boxed, because it is what is running.
            let run = Run::new(self.session, &onward, RootRows::Fetched(rows), None)?;
            let mut found = Box::pin(run.fetch()).await?;
            let Some(to_targets) = through::links_of(&onward, &found, &Reused::default(), second) else { continue };
            let Some(targets) = found[onward.edge(second).child].take() else { continue };
            let reached = Targets::new(targets.fetched.len(), &targets.group_of);
            let composed = through::finished(&first, &to_targets, limits, edge.cardinality, reached);
            let places = all.add(targets.fetched);
            let mut via = composed.via.iter().flatten();
            for (at, positions) in composed.links.by_owner() {
                let Some((list, between)) = members.get(at).and_then(|owner| own.get_mut(*owner)) else { continue };
                for row in positions {
                    list.extend(places.get(row));
                    between.extend(via.next().and_then(|row| copied.get(*row as usize)));
                }
            }
        }
        let via = keeps_links.then(|| own.iter().flat_map(|(_, between)| between).copied().collect());
        let links = match edge.cardinality {
            Cardinality::One => Links::One(own.into_iter().map(|(rows, _)| rows.first().copied()).collect()),
            Cardinality::Many => {
                let mut ends = Vec::with_capacity(own.len());
                let mut rows = Vec::new();
                for (list, _) in own {
                    rows.extend(list);
                    ends.push(position(rows.len()));
                }
                Links::Many { rows, ends }
            }
        };
        self.reused.append_to(edge.child, &mut all.rows);
        self.nodes[edge.child] = Some(NodeRows::new(plan, edge.child, self.existing_in(edge.child), all.rows));
        let links = self.reused.complete(plan, &self.nodes, id, links);
        if let Some(rows) = &mut self.nodes[id.node] {
            let mut kept = kept;
            kept.resize(links.owners(), false);
            rows.links[id.edge] = Some(EdgeLinks { links, kept, via, forgotten: Vec::new() });
        }
        Ok(())
    }

    /// Each distinct statement of the owners.
    pub(super) async fn by_custom_sql(
        &mut self,
        step: &Step,
        owners: &[Owners],
        custom_sql: CustomSql,
    ) -> Result<FoundRows> {
        let mut all = new_rows(&step.select);
        let mut lists: Vec<Vec<u32>> = Vec::new();
        let mut places = Vec::with_capacity(owners.len());
        for (served, owners) in step.serves.iter().zip(owners) {
            let wanted = |at: usize, row: &dyn Any| (!owners.takes_nothing_new(at)).then(|| (custom_sql.find)(row));
            let (statements, of_owner) = self.distinct(served.node, wanted);
            let first = lists.len();
            for raw in &statements {
                let statement = step.select.custom_sql(self.session.dialect_of(step.select.model), raw)?;
                let mut rows = new_rows(&step.select);
                let model = step.select.model;
                if step.select.reads_custom_sql_as_it_is() {
                    let mut named = Named { model, rows: Borrowed(&mut *rows) };
                    self.session.query_at(model, &statement, &mut named).await?;
                } else {
                    self.session.query_at(model, &statement, &mut *rows).await?;
                }
                if let Some(PerOwner { limit, offset }) = step.select.cut_afterwards() {
                    let skip = usize::try_from(offset).unwrap_or(usize::MAX);
                    let most = limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
                    let last = skip.saturating_add(most);
                    rows.keep(&(0..rows.len()).map(|at| at >= skip && at < last).collect::<Vec<_>>());
                }
                lists.push((all.len()..all.len() + rows.len()).map(position).collect());
                (0..rows.len()).for_each(|at| all.push_from(&*rows, at));
            }
            places.push(of_owner.into_iter().map(|statement| statement.map(|at| first + at)).collect());
        }
        let keys = lists.len();
        Ok(FoundRows {
            fetched: Fetched { rows: all, groups: Groups::Lists(lists), group_of: Vec::new() },
            keys,
            places,
        })
    }

    // What a node's owners want, each thing once, and which of them each owner does: its place, `None` for nothing.
    fn distinct<T: Debug>(
        &self,
        node: usize,
        wanted: impl Fn(usize, &dyn Any) -> Option<T>,
    ) -> (Vec<T>, Vec<Option<usize>>) {
        let mut all: Vec<T> = Vec::new();
        let mut known: HashMap<String, usize> = HashMap::new();
        let mut of_owner = Vec::new();
        let mut take = |row: &dyn Any| {
            let own = wanted(of_owner.len(), row).map(|own| {
                // Conditions and values compare but do not hash; their printed form is as good.
                *known.entry(format!("{own:?}")).or_insert_with(|| {
                    all.push(own);
                    all.len() - 1
                })
            });
            of_owner.push(own);
        };
        if let Some(rows) = &self.nodes[node] {
            if let (Some(root), true) = (self.existing, rows.existing > 0) {
                existing::visit(self.plan, root, node, &mut take);
            }
            for row in (0..rows.fetched.len()).filter_map(|at| rows.fetched.row(at)) {
                take(row);
            }
        }
        (all, of_owner)
    }
}

/// The rows between owners and targets. Owners that keep their existing targets have no links to them.
struct Between<'n> {
    rows: &'n dyn Rows,
    select: &'n KeyedSelect,
    // Of each owner.
    positions: Vec<Vec<usize>>,
}

impl<'n> Between<'n> {
    fn of(plan: &'n Plan, nodes: &'n [Option<NodeRows>], reused: &Reused, first: EdgeId) -> Option<Self> {
        let between = plan.edge(first).child;
        let Source::Step { step, .. } = plan.edge(plan.nodes()[between].fetched_by?).source else { return None };
        let positions = through::links_of(plan, nodes, reused, first)?.positions();
        Some(Between { rows: &*nodes[between].as_ref()?.fetched, select: &plan.steps()[step].select, positions })
    }

    // The links of some owners to copies of their intermediate rows, the copies, and the original position of each
    // copy.
    fn of_owners(&self, members: &[usize]) -> (Links, Box<dyn Rows>, Vec<u32>) {
        let mut copies = new_rows(self.select);
        let mut place: Vec<Option<u32>> = vec![None; self.rows.len()];
        let (mut rows, mut ends, mut copied) = (Vec::new(), Vec::with_capacity(members.len()), Vec::new());
        for own in members.iter().map(|owner| self.positions.get(*owner)) {
            for row in own.into_iter().flatten() {
                let next = position(copied.len());
                let Some(place) = place.get_mut(*row) else { continue };
                rows.push(*place.get_or_insert_with(|| {
                    copies.push_from(self.rows, *row);
                    copied.push(position(*row));
                    next
                }));
            }
            ends.push(position(rows.len()));
        }
        (Links::Many { rows, ends }, copies, copied)
    }
}

/// The rows of several look-ups, each once where they have a key to know them by.
struct Collected {
    model: &'static ModelDef,
    rows: Box<dyn Rows>,
    known: Option<HashMap<KeyTuple, u32>>,
}

impl Collected {
    fn new(model: &'static ModelDef, rows: Box<dyn Rows>, whole: bool) -> Self {
        let known = (whole && !model.primary_key.is_empty()).then(HashMap::new);
        Collected { model, rows, known }
    }

    // Adds rows and says where each is.
    fn add(&mut self, more: Box<dyn Rows>) -> Vec<u32> {
        let next = |rows: &dyn Rows| position(rows.len());
        let keys = match &self.known {
            Some(_) => more.keys(self.model.primary_key, 0).into_tuples(),
            None => vec![None; more.len()],
        };
        let mut places = Vec::with_capacity(more.len());
        for (at, key) in keys.into_iter().enumerate() {
            let place = next(&*self.rows);
            let place = match (&mut self.known, key) {
                (Some(known), Some(key)) => *known.entry(key).or_insert(place),
                _ => place,
            };
            if place == next(&*self.rows) {
                self.rows.push_from(&*more, at);
            }
            places.push(place);
        }
        places
    }
}

fn keys_where(keys: &RowKeys, wanted: impl Fn(usize) -> bool) -> RowKeys {
    match keys {
        RowKeys::Ints(keys) => {
            RowKeys::Ints(keys.iter().enumerate().map(|(at, key)| key.filter(|_| wanted(at))).collect())
        }
        RowKeys::Tuples(keys) => {
            RowKeys::Tuples(keys.iter().enumerate().map(|(at, key)| key.clone().filter(|_| wanted(at))).collect())
        }
    }
}
