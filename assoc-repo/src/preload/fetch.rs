//! The fetch phase: from keys to flat rows to links, in the order of the steps.

use std::any::Any;

use assoc_core::driver::{KeySet, RowSink};
use assoc_core::execution::rows::{LinkRows, Rows};
use assoc_core::execution::{Links, RowKeys};
use assoc_core::metadata::{Cardinality, KeyJoin};
use assoc_core::planner::{Edge, EdgeId, Fetch, Plan, Source, Step};
use assoc_core::select::{KeyedSelect, RowOrder};
use assoc_core::{ColumnType, Error, ErrorKind, Loader, Result, Value};

use super::existing::{self, Existing, Owners};
use super::index::KeyIndex;
use super::key_look_up::KeyLookUp;
use super::recursions::Begun;
use super::reuse::{Collecting, Reused};
use super::through::{self, Through};
use super::{EdgeLinks, NodeRows, Reload};
use crate::session::Session;

/// The root's rows, for the fetch phase.
pub(super) enum RootRows<'r> {
    Fetched(Box<dyn Rows>),
    Existing(&'r dyn Existing),
    /// With those of joined associations.
    Joined(Vec<Option<NodeRows>>),
}

/// Rows of one step: flat, and which of them each distinct key has.
pub(super) struct Fetched {
    pub(super) rows: Box<dyn Rows>,
    pub(super) groups: Groups,
    // The group of each row, if the step selects groups.
    pub(super) group_of: Vec<i64>,
}

impl Fetched {
    /// No rows yet, for a set of keys.
    pub(super) fn empty(select: &KeyedSelect, keys: &KeySet) -> Self {
        let groups = match select.row_order {
            RowOrder::GloballyOrdered => Groups::Lists(vec![Vec::new(); keys.len()]),
            RowOrder::Any | RowOrder::ByKey => Groups::Runs(vec![(0, 0); keys.len()]),
        };
        Fetched { rows: new_rows(select), groups, group_of: Vec::new() }
    }

    /// Records which key each row belongs to. Runs come grouped by key: by the statement's order, or because a key has
    /// one row. Lists take their place where rows that are sorted later do not.
    pub(super) fn assign(
        &mut self,
        plan: &Plan,
        step: &Step,
        first_row: usize,
        places: &[Option<usize>],
        order: Arrival,
    ) -> Result<()> {
        for (at, place) in (first_row..).zip(places) {
            let added = place.is_some_and(|place| {
                self.groups.add(place, at) || (order == Arrival::InAnyOrder && self.groups.add_to_lists(place, at))
            });
            if !added {
                return Err(unmatched(plan, step, self, at));
            }
        }
        Ok(())
    }
}

/// How the rows of a statement come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrival {
    /// Those of a key one after the other, or in lists.
    AsGrouped,
    /// In any order: they are sorted when all are there.
    InAnyOrder,
}

/// What a step found: its rows, and for each edge it serves which key each owner has.
pub(super) struct FoundRows {
    pub(super) fetched: Fetched,
    pub(super) keys: usize,
    pub(super) places: Vec<Vec<Option<usize>>>,
}

/// The rows of each key.
pub(super) enum Groups {
    /// A run each: where it begins and how long it is.
    Runs(Vec<(u32, u32)>),
    /// Any positions, for rows in another order than the keys.
    Lists(Vec<Vec<u32>>),
}

impl Groups {
    pub(super) fn len_of(&self, key: usize) -> u32 {
        match self {
            Groups::Runs(runs) => runs[key].1,
            Groups::Lists(lists) => position(lists[key].len()),
        }
    }

    pub(super) fn push_to(&self, key: usize, most: u32, out: &mut Vec<u32>) {
        match self {
            Groups::Runs(runs) => out.extend(runs[key].0..runs[key].0 + runs[key].1.min(most)),
            Groups::Lists(lists) => out.extend(lists[key].iter().take(most as usize)),
        }
    }

    // Adds a row that does not follow those of its key.
    fn add_to_lists(&mut self, key: usize, at: usize) -> bool {
        *self = Groups::Lists(std::mem::replace(self, Groups::Lists(Vec::new())).into_lists());
        self.add(key, at)
    }

    /// The positions of the rows of each key.
    pub(super) fn into_lists(self) -> Vec<Vec<u32>> {
        match self {
            Groups::Lists(lists) => lists,
            Groups::Runs(runs) => runs.into_iter().map(|(start, len)| (start..start + len).collect()).collect(),
        }
    }

    // Adds a row to a key. Returns `false` if its rows must be a run and this one does not follow.
    fn add(&mut self, key: usize, at: usize) -> bool {
        match self {
            Groups::Lists(lists) => lists[key].push(position(at)),
            Groups::Runs(runs) => match &mut runs[key] {
                run if run.1 == 0 => *run = (position(at), 1),
                run if (run.0 + run.1) as usize == at => run.1 += 1,
                _ => return false,
            },
        }
        true
    }
}

/// A plan while its steps run.
pub(super) struct Run<'a, 's> {
    pub(super) session: &'a mut Session<'s>,
    pub(super) plan: &'a Plan,
    // The root's rows, if the application holds them.
    pub(super) existing: Option<&'a dyn Existing>,
    // The existing associations to load again, if there are any.
    pub(super) reload: Option<&'a Reload>,
    // The intermediate rows that are in memory.
    pub(super) reused: Reused,
    pub(super) nodes: Vec<Option<NodeRows>>,
    // The recursions of this part of the plan.
    pub(super) begun: Begun,
}

impl<'a, 's> Run<'a, 's> {
    pub(super) fn new(
        session: &'a mut Session<'s>,
        plan: &'a Plan,
        root: RootRows<'a>,
        reload: Option<&'a Reload>,
    ) -> Result<Self> {
        let mut nodes: Vec<Option<NodeRows>> = plan.nodes().iter().map(|_| None).collect();
        let mut root_existing = None;
        match root {
            RootRows::Fetched(rows) => nodes[0] = Some(NodeRows::new(plan, 0, 0, rows)),
            RootRows::Joined(joined) => nodes = joined,
            RootRows::Existing(existing) => {
                for (at, node) in nodes.iter_mut().enumerate().take(plan.roots()) {
                    *node = Some(NodeRows::new(plan, at, existing.len(at), plan.nodes()[at].model.rows.new_rows()));
                }
                root_existing = Some(existing);
            }
        }
        let reused = match root_existing {
            Some(root) if reload.is_none() => Collecting::of_structs(plan, root)?,
            Some(_) => Reused::nothing(plan),
            None => Collecting::of_joined(plan, &nodes)?,
        };
        Ok(Run { session, plan, existing: root_existing, reload, reused, nodes, begun: Begun::default() })
    }

    /// Runs the steps, and gives back the rows of each node with their links.
    pub(super) async fn fetch(mut self) -> Result<Vec<Option<NodeRows>>> {
        self.run_steps(0).await?;
        self.compose_links();
        Ok(self.nodes)
    }

    /// Runs the steps from one on.
    pub(super) async fn run_steps(&mut self, from: usize) -> Result<()> {
        let plan = self.plan;
        let mut next = from;
        while let Some(step) = plan.steps().get(next) {
            next += match &step.fetch {
                Fetch::ByKey | Fetch::JoinChain(_) => self.run_together(next).await?,
                Fetch::OwnerScopeThrough(scope) => {
                    self.by_owner_scope_through(step.serves[0], scope).await?;
                    1
                }
                Fetch::OwnerScope(_) | Fetch::CustomSql(_) | Fetch::Function(_) => {
                    let owners = self.owners_of_step(step)?;
                    let found = match &step.fetch {
                        Fetch::OwnerScope(scope) => self.by_owner_scope(step, &owners, scope).await?,
                        Fetch::CustomSql(custom_sql) => self.by_custom_sql(step, &owners, *custom_sql).await?,
                        _ => self.by_function(step, &owners).await?,
                    };
                    self.distribute_rows(step, owners, found);
                    1
                }
            };
        }
        Ok(())
    }

    /// The owners of each edge that a step serves.
    pub(super) fn owners_of_step(&self, step: &Step) -> Result<Vec<Owners>> {
        step.serves.iter().map(|served| self.owners_of(*served)).collect()
    }

    /// The links of associations that go through others, now that all parts are there.
    pub(super) fn compose_links(&mut self) {
        for node in 0..self.nodes.len() {
            for (at, edge) in self.plan.nodes()[node].edges.iter().enumerate() {
                let id = EdgeId { node, edge: at };
                if edge.hidden || !matches!(edge.source, Source::Through { .. }) {
                    continue;
                }
                let Some(Through { links, via }) = through::composed(self.plan, &self.nodes, &self.reused, id) else {
                    continue;
                };
                let mut kept = self.kept_owners(id);
                if let Some(rows) = &mut self.nodes[node] {
                    kept.resize(links.owners(), false);
                    rows.links[at] = Some(EdgeLinks { links, kept, via, forgotten: Vec::new() });
                }
            }
        }
    }

    /// How many rows of a node the application holds.
    pub(super) fn existing_in(&self, node: usize) -> usize {
        let mut existing = 0;
        let stored_by = self.plan.nodes()[node].stored_by;
        let owners = stored_by.map(|id| self.nodes[id.node].as_ref().map_or(0, |owners| owners.existing));
        // What is loaded again replaces them: they are neither owners nor targets.
        let replaced = |id: EdgeId| {
            let association = self.plan.edge(id).association;
            self.reload.is_some_and(|reload| !reload.is_only_where_loaded(id.node, association))
        };
        if owners == Some(0) || stored_by.is_some_and(replaced) {
            return 0;
        }
        if let Some(root) = self.existing {
            existing::visit(self.plan, root, node, &mut |_| existing += 1);
        }
        existing
    }

    /// The rows of a set of keys, by the step's select or one like it.
    pub(super) async fn rows_of(&mut self, step: &Step, select: &KeyedSelect, keys: &KeySet) -> Result<Fetched> {
        let look_up = KeyLookUp::begin(self, step, select, keys)?;
        Ok(self.look_up(look_up).await?.finish())
    }

    /// Runs all statements of a look-up.
    pub(super) async fn look_up<'k>(&mut self, mut look_up: KeyLookUp<'k>) -> Result<KeyLookUp<'k>> {
        for part in 0..look_up.parts() {
            let statement = look_up.statement(self.session.dialect_of(look_up.model()), part)?;
            self.session.query_at(look_up.model(), &statement, look_up.sink()).await?;
            look_up.took(part)?;
        }
        if let Some((select, fetched)) = look_up.out_of_order() {
            self.order_across(select, fetched).await?;
        }
        Ok(look_up)
    }

    async fn by_function(&mut self, step: &Step, owners: &[Owners]) -> Result<FoundRows> {
        let keys = KeySet::distinct(owners.iter().map(|owners| &owners.keys));
        let fetched = match &step.fetch {
            Fetch::Function(loader) if !keys.is_empty() => self.given_rows(step, loader, &keys).await?,
            _ => Fetched::empty(&step.select, &keys),
        };
        let places = places(&keys, &KeyIndex::new(&keys), owners);
        Ok(FoundRows { fetched, keys: keys.len(), places })
    }

    // The rows that the program's function returns for a set of keys.
    async fn given_rows(&mut self, step: &Step, loader: &Loader, keys: &KeySet) -> Result<Fetched> {
        let edge = self.plan.edge(step.serves[0]);
        let rows = self.session.aside(loader.load(edge.association, keys)).await?;
        let mut places = KeyIndex::new(keys).of_rows(&rows.keys(step.select.columns, 0));
        if let Source::Step { hop: KeyJoin { target_type: Some(named), .. }, .. } = edge.source {
            // The same key of another type is another owner's.
            let tag = Value::from(named.tag);
            for (at, place) in places.iter_mut().enumerate() {
                let value = rows.row(at).map(|row| step.select.model.rows.value(row, named.column));
                place.take_if(|_| value != Some(tag.clone()));
            }
        }
        let mut given = Fetched { rows, groups: Groups::Lists(vec![Vec::new(); keys.len()]), group_of: Vec::new() };
        given.assign(self.plan, step, 0, &places, Arrival::AsGrouped)?;
        Ok(given)
    }

    /// Rows that are in memory already stand for rows of the database, copied without their associations.
    pub(super) fn take_from_memory(&self, step: &Step, index: &KeyIndex<'_>, fetched: &mut Fetched) {
        let columns = step.select.columns;
        for node in &step.memory {
            let Some(rows) = &self.nodes[*node] else { continue };
            if let Some(root) = self.existing
                && rows.existing > 0
            {
                let places = index.of_rows(&existing::keys(self.plan, root, *node, columns));
                let mut places = places.into_iter();
                existing::visit(self.plan, root, *node, &mut |row| take(fetched, places.next().flatten(), row));
            }
            // Copies of what structs hold may be as old as these.
            let fetched_rows = rows.fetched.len() - self.reused.count(*node);
            for (at, place) in index.of_rows(&rows.fetched.keys(columns, 0)).into_iter().enumerate().take(fetched_rows)
            {
                if let Some(row) = rows.fetched.row(at) {
                    take(fetched, place, row);
                }
            }
        }
    }

    /// Gives the rows of a step to the nodes it serves, and works out which owner gets which. The last node takes the
    /// rows, those before it copies: most steps serve one.
    pub(super) fn distribute_rows(&mut self, step: &Step, owners: Vec<Owners>, found: FoundRows) {
        let FoundRows { fetched: Fetched { rows, groups, group_of }, keys, places } = found;
        let mut rows = Some(rows);
        let last = step.serves.len() - 1;
        for (at, ((id, owners), places)) in step.serves.iter().zip(owners).zip(places).enumerate() {
            let edge = self.plan.edge(*id);
            let most = if edge.cardinality == Cardinality::One { 1 } else { u32::MAX };
            let mut needed = vec![false; keys];
            places.iter().flatten().for_each(|place| needed[*place] = true);
            let whole = (0..keys).all(|key| {
                let len = groups.len_of(key);
                len == 0 || (needed[key] && len <= most)
            });
            let total = rows.as_ref().map_or(0, |rows| rows.len());
            // The position of each row of the step among the node's rows. All rows stay where they are if all are
            // needed.
            let moved = (!whole).then(|| selection(&groups, &needed, most, total));
            let mut own =
                if at == last { rows.take() } else { rows.as_deref().map(|rows| copy(step, rows, moved.as_ref())) }
                    .unwrap_or_else(|| new_rows(&step.select));
            if let Some((marks, _)) = moved.as_ref().filter(|_| at == last) {
                own.keep(marks);
            }
            let links = links(edge, &places, &groups, most, moved.as_ref().map(|(_, before)| before), own.len());
            self.reused.append_to(edge.child, &mut own);
            let mut rows = NodeRows::new(self.plan, edge.child, self.existing_in(edge.child), own);
            let mine = |at: &usize| moved.as_ref().is_none_or(|(marks, _)| marks[*at]);
            rows.group_of = (0..group_of.len()).filter(mine).map(|at| group_of[at]).collect();
            self.nodes[edge.child] = Some(rows);
            let links = self.reused.complete(self.plan, &self.nodes, *id, links);
            if let Some(rows) = &mut self.nodes[id.node] {
                let Owners { kept, forgotten, .. } = owners;
                rows.links[id.edge] = Some(EdgeLinks { links, kept, via: None, forgotten });
            }
        }
    }
}

pub(super) fn new_rows(select: &KeyedSelect) -> Box<dyn Rows> {
    match &select.only {
        Some(only) => Box::new(LinkRows::of(select.model, only.clone())),
        None => select.model.rows.new_rows(),
    }
}

/// Which of the distinct keys each owner's is.
pub(super) fn places(keys: &KeySet, index: &KeyIndex<'_>, owners: &[Owners]) -> Vec<Vec<Option<usize>>> {
    let places = owners.iter().map(|owners| match is_identity(keys, &owners.keys) {
        true => (0..keys.len()).map(Some).collect(),
        false => index.of_rows(&owners.keys),
    });
    places.collect()
}

/// The place among all keys of the key at a position among the missing ones.
pub(super) fn place_in(keys: &KeySet, index: &KeyIndex<'_>, missing: &KeySet, at: usize) -> Option<usize> {
    if keys.len() == missing.len() {
        return (at < keys.len()).then_some(at);
    }
    match missing {
        KeySet::Ints(missing) => index.of_int(*missing.get(at)?),
        KeySet::Tuples(missing) => index.of_tuple(missing.get(at)?),
    }
}

fn take(fetched: &mut Fetched, place: Option<usize>, row: &dyn Any) {
    if let Some(place) = place
        && fetched.groups.len_of(place) == 0
    {
        fetched.groups.add(place, fetched.rows.len());
        fetched.rows.push_bare(row);
    }
}

/// The keys that have no rows yet.
pub(super) fn missing_keys(keys: &KeySet, groups: &Groups) -> KeySet {
    let missing = |at: &usize| groups.len_of(*at) == 0;
    if (0..keys.len()).all(|at| missing(&at)) {
        return keys.clone();
    }
    let missing = (0..keys.len()).filter(missing);
    match keys {
        KeySet::Ints(keys) => KeySet::Ints(missing.map(|at| keys[at]).collect()),
        KeySet::Tuples(keys) => KeySet::Tuples(missing.map(|at| keys[at].clone()).collect()),
    }
}

/// Takes the key's ordinal and the row's group off each row, where the statement selects them, and decodes the rest.
pub(super) struct LeadingSink<'r> {
    pub(super) rows: &'r mut dyn Rows,
    pub(super) ordinals: Option<&'r mut Vec<i64>>,
    pub(super) groups: Option<&'r mut Vec<i64>>,
}

impl RowSink for LeadingSink<'_> {
    fn row(&mut self, mut values: &mut [Value<'_>]) -> Result<()> {
        let leading = [(self.ordinals.as_deref_mut(), "ordinal"), (self.groups.as_deref_mut(), "group")];
        for (numbers, name) in leading.into_iter().filter_map(|(numbers, name)| Some((numbers?, name))) {
            let Some((number, rest)) = values.split_first_mut() else {
                return Err(Error::invalid_query("preload", "the statement returned a row without columns"));
            };
            numbers.push(i64::from_value(number).map_err(|mismatch| mismatch.at("preload", name))?);
            values = rest;
        }
        RowSink::row(self.rows, values)
    }
}

#[cold]
fn unmatched(plan: &Plan, step: &Step, fetched: &Fetched, at: usize) -> Error {
    let association = plan.edge(step.serves[0]).association;
    let model = step.select.model;
    let by_own_key = !model.primary_key.is_empty() && step.select.only.is_none();
    let columns = if by_own_key { model.primary_key } else { step.select.columns };
    let key = fetched.rows.keys(columns, at);
    ErrorKind::UnmatchedRow {
        model: (association.owner)().name,
        association: association.name,
        target: model.name,
        key: key.show(0),
    }
    .into()
}

// Positions are kept in 32 bits: four thousand million rows do not fit into memory as structs.
pub(super) fn position(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn copy(step: &Step, rows: &dyn Rows, moved: Option<&(Vec<bool>, Vec<u32>)>) -> Box<dyn Rows> {
    let mut own = new_rows(&step.select);
    for at in (0..rows.len()).filter(|at| moved.is_none_or(|(marks, _)| marks[*at])) {
        own.push_from(rows, at);
    }
    own
}

fn is_identity(keys: &KeySet, owners: &RowKeys) -> bool {
    match (keys, owners) {
        (KeySet::Ints(keys), RowKeys::Ints(owners)) => {
            keys.len() == owners.len() && keys.iter().zip(owners).all(|(key, owner)| Some(*key) == *owner)
        }
        _ => false,
    }
}

// Marks the needed rows, at most `most` per key, and says how many marked rows precede each.
fn selection(groups: &Groups, needed: &[bool], most: u32, rows: usize) -> (Vec<bool>, Vec<u32>) {
    let mut chosen = Vec::new();
    for key in (0..needed.len()).filter(|key| needed[*key]) {
        groups.push_to(key, most, &mut chosen);
    }
    let mut marks = vec![false; rows];
    chosen.into_iter().for_each(|row| marks[row as usize] = true);
    let mut before = Vec::with_capacity(rows);
    let mut count = 0;
    for mark in &marks {
        before.push(count);
        count += u32::from(*mark);
    }
    (marks, before)
}

fn links(
    edge: &Edge,
    places: &[Option<usize>],
    groups: &Groups,
    most: u32,
    before: Option<&Vec<u32>>,
    rows: usize,
) -> Links {
    let mut positions = Vec::new();
    let mut ends = Vec::with_capacity(places.len());
    for place in places {
        if let Some(place) = place {
            groups.push_to(*place, most, &mut positions);
        }
        ends.push(position(positions.len()));
    }
    if let Some(before) = before {
        positions.iter_mut().for_each(|row| *row = before[*row as usize]);
    }
    if edge.cardinality == Cardinality::One {
        return Links::first_of(&positions, &ends);
    }
    let in_order = positions.len() == rows && positions.iter().zip(0..).all(|(row, at)| *row == at);
    if in_order {
        let mut start = 0;
        return Links::Runs(ends.into_iter().map(|end| end - std::mem::replace(&mut start, end)).collect());
    }
    Links::Many { rows: positions, ends }
}
