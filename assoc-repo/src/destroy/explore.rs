//! Which rows go, are cleared or refuse: reading, before anything is written.

use std::collections::{BTreeMap, HashMap, HashSet};

use assoc_core::destroy::{DestroyEdge, DestroyPlan, Effect};
use assoc_core::driver::{Dialect, KeySet, Statement};
use assoc_core::execution::{KeyTuple, LinkTargets, RowKeys};
use assoc_core::metadata::ModelDef;
use assoc_core::select::{KeyedSelect, Matching};
use assoc_core::{ErrorKind, RestrictRule, Restricted, Result, Value};

use super::follow::Following;
use super::{DestroyReport, links_by_sql};
use crate::counters::{GoingRows, Lock};
use crate::session::Session;

/// The values of some columns of a row.
pub(crate) type StoredRow = Box<[Value<'static>]>;

/// How many of the rows that refuse an error names.
const NAMED: u64 = 5;

/// What is done about rows that refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusals {
    /// The first association that has any is an error.
    Fail,
    /// They are counted.
    Count,
}

/// A row that goes. The nodes of a table share it.
#[derive(Debug)]
pub(super) struct GoingRow {
    /// The first node that it was reached at.
    pub(super) node: usize,
    /// Its key.
    pub(super) key: KeyTuple,
    /// Whether it is destroyed, as one association at least says; otherwise it is deleted.
    pub(super) destroyed: bool,
    /// The edge that it was reached by first; `None` of a row that was given.
    pub(super) via: Option<usize>,
    // After how many others, one by the key of the other, it goes.
    phase: usize,
}

/// A row as a node knows it.
#[derive(Debug)]
pub(super) struct NodeRow {
    pub(super) values: StoredRow,
    /// Which of the rows that go it is.
    pub(super) row: usize,
}

/// A row that refers to another one, both by their numbers, by the key of an edge.
#[derive(Debug, Clone, Copy)]
pub(super) struct EdgeReferral {
    pub(super) owner: usize,
    pub(super) dependent: usize,
    pub(super) edge: usize,
}

/// What is known of the rows that a destroy leads to.
#[derive(Debug)]
pub(super) struct Consequences<'p> {
    pub(super) plan: &'p DestroyPlan,
    /// Rows that go, whose keys are known.
    pub(super) rows: Vec<GoingRow>,
    /// How many of the first of them are those that are destroyed, and not those that depend on them.
    pub(super) given: usize,
    /// The same, node by node.
    pub(super) of_nodes: Vec<Vec<NodeRow>>,
    /// Within stages that go in waves.
    pub(super) referrals: Vec<EdgeReferral>,
    /// Of edges whose callbacks want to know which members of which owners go.
    pub(super) removals: Vec<EdgeReferral>,
    /// By edge, the keys of owners whose rows go or are cleared without being read.
    pub(super) by_owners: BTreeMap<usize, Vec<RowKeys>>,
    /// By edge, the keys of rows that are read and cleared.
    pub(super) cleared: BTreeMap<usize, HashSet<KeyTuple>>,
    pub(super) report: DestroyReport,
    numbers: HashMap<(usize, KeyTuple), usize>,
    known_at: HashSet<(usize, usize)>,
    // Rows that are still to be followed, by phase and rank, which each node has of its own.
    frontier: BTreeMap<(usize, usize), (usize, Vec<usize>)>,
}

impl<'p> Consequences<'p> {
    /// Of the rows of the root node.
    pub(super) fn new(plan: &'p DestroyPlan, roots: Vec<StoredRow>) -> Self {
        let mut report = DestroyReport::default();
        let edges = plan.edges().iter().map(|edge| edge.rows.model);
        plan.nodes().iter().map(|node| node.model).chain(edges).for_each(|model| _ = report.entry(model));
        let mut consequences = Consequences {
            plan,
            rows: Vec::new(),
            given: 0,
            of_nodes: plan.nodes().iter().map(|_| Vec::new()).collect(),
            referrals: Vec::new(),
            removals: Vec::new(),
            by_owners: BTreeMap::new(),
            cleared: BTreeMap::new(),
            report,
            numbers: HashMap::new(),
            known_at: HashSet::new(),
            frontier: BTreeMap::new(),
        };
        for row in roots {
            consequences.add(0, row, 0, None);
        }
        consequences.given = consequences.rows.len();
        consequences
    }

    // Takes a row in, to be followed if it is new at this node. Its number among the rows that go.
    fn add(&mut self, node: usize, values: StoredRow, phase: usize, via: Option<usize>) -> Option<usize> {
        let of = &self.plan.nodes()[node];
        let key = key_in(&values, &of.columns, of.model.primary_key)?;
        let number = *self.numbers.entry((of.table, key)).or_insert_with_key(|(_, key)| {
            self.rows.push(GoingRow { node, key: key.clone(), destroyed: false, via, phase });
            self.rows.len() - 1
        });
        self.rows[number].destroyed |= of.cascades;
        if self.known_at.insert((node, number)) {
            let of_node = &mut self.of_nodes[node];
            of_node.push(NodeRow { values, row: number });
            if !of.edges.is_empty() {
                self.frontier.entry((phase, of.rank)).or_insert((node, Vec::new())).1.push(of_node.len() - 1);
            }
        }
        Some(number)
    }

    /// Follows all rows to whatever depends on them.
    pub(super) async fn explore(&mut self, session: &mut Session<'_>, refusals: Refusals) -> Result<()> {
        while let Some(((phase, _), (node, rows))) = self.frontier.pop_first() {
            for at in self.plan.nodes()[node].edges.clone() {
                let plan = self.plan;
                let edge = &plan.edges()[at];
                let keys = self.owner_keys(edge, &rows);
                let set = KeySet::distinct([&keys]);
                if set.is_empty() {
                    continue;
                }
                match &edge.effect {
                    Effect::Restrict(rule) => self.restrict(session, edge, *rule, &set, phase, refusals).await?,
                    Effect::Clear { read: true, .. } => {
                        let found = self.read_edge(session, edge, &set).await?;
                        let columns = selected(&plan.select(edge));
                        let key = |(_, row): &(KeyTuple, StoredRow)| key_in(row, &columns, edge.rows.model.primary_key);
                        self.cleared.entry(at).or_default().extend(found.iter().filter_map(key));
                    }
                    Effect::Remove { node: to }
                        if plan.nodes()[*to].read && (edge.by_sql().is_none() || refusals == Refusals::Count) =>
                    {
                        let mut found = self.read_edge(session, edge, &set).await?;
                        if edge.by_sql().is_some() {
                            let columns = selected(&plan.select(edge));
                            links_by_sql::leading_somewhere(session, edge, &mut found, &columns).await?;
                        }
                        self.take_in(at, *to, found, &rows, phase + usize::from(edge.is_after()));
                    }
                    Effect::Clear { read: false, .. } | Effect::Remove { .. } => {
                        self.by_owners.entry(at).or_default().push(keys);
                    }
                }
            }
        }
        Ok(())
    }

    /// The rows of an edge's node, by the keys by which they lead to its rows.
    pub(super) fn owners_by_key(&self, edge: &DestroyEdge) -> HashMap<KeyTuple, Vec<usize>> {
        let (node, mut owners) = (&self.plan.nodes()[edge.from], HashMap::<KeyTuple, Vec<usize>>::new());
        for NodeRow { values, row } in &self.of_nodes[edge.from] {
            if let Some(key) = key_in(values, &node.columns, edge.rows.key.owner_columns) {
                owners.entry(key).or_default().push(*row);
            }
        }
        owners
    }

    // The keys by which rows of a node lead to those of an edge.
    fn owner_keys(&self, edge: &DestroyEdge, rows: &[usize]) -> RowKeys {
        let node = &self.plan.nodes()[edge.from];
        let of = |row: &usize| {
            let values = &self.of_nodes[edge.from][*row].values;
            if let Some(named) = edge.rows.owner_type {
                let tag = node.columns.iter().position(|column| *column == named.column).map(|at| &values[at]);
                if !matches!(tag, Some(Value::Text(tag)) if tag == named.tag) {
                    return None;
                }
            }
            key_in(values, &node.columns, edge.rows.key.owner_columns)
        };
        rows.iter().filter_map(of).collect()
    }

    // Takes in the rows of an edge that were found by the keys of some rows.
    fn take_in(&mut self, at: usize, to: usize, mut found: Vec<(KeyTuple, StoredRow)>, owners: &[usize], phase: usize) {
        let plan = self.plan;
        let edge = &plan.edges()[at];
        let stage = plan.stage_of(to);
        let (from, select) = (&plan.nodes()[edge.from], plan.select(edge));
        let mut by_key: HashMap<KeyTuple, Vec<usize>> = HashMap::new();
        let (in_waves, tells) = (stage.in_waves && stage.nodes.contains(&edge.from), edge.tells());
        if in_waves || tells {
            for owner in owners {
                let NodeRow { values, row } = &self.of_nodes[edge.from][*owner];
                if let Some(key) = key_in(values, &from.columns, edge.rows.key.owner_columns) {
                    by_key.entry(key).or_default().push(*row);
                }
            }
        }
        let read = selected(&select);
        let columns = &plan.nodes()[to].columns;
        if plan.nodes()[to].whole {
            in_key_order(&mut found, &read, edge.rows.model.primary_key);
        }
        for (key, values) in found {
            let own = |column: &usize| read.iter().position(|known| known == column).map(|at| values[at].clone());
            let own: StoredRow = columns.iter().map(|column| own(column).unwrap_or_default()).collect();
            let Some(dependent) = self.add(to, own, phase, Some(at)) else { continue };
            for owner in by_key.get(&key).into_iter().flatten() {
                let referral = EdgeReferral { owner: *owner, dependent, edge: at };
                if tells {
                    self.removals.push(referral);
                }
                if in_waves {
                    self.referrals.push(referral);
                }
            }
        }
    }

    // The rows of an edge, with the owners' keys by which they were found.
    async fn read_edge(
        &self,
        session: &mut Session<'_>,
        edge: &DestroyEdge,
        keys: &KeySet,
    ) -> Result<Vec<(KeyTuple, StoredRow)>> {
        let select = self.plan.select(edge);
        let mut found = read_rows(session, &select, keys).await?;
        if let Some(LinkTargets { model, key, filter, .. }) = &edge.rows.targets {
            let read = selected(&select);
            let target = |row: &StoredRow| key_in(row, &read, key.owner_columns);
            let wanted = KeySet::from_iter(found.iter().filter_map(|(_, row)| target(row)));
            let targets = KeyedSelect {
                only: Some(key.target_columns.to_vec()),
                filter: filter.clone(),
                ..KeyedSelect::new(model, key.target_columns)
            };
            let targets: HashSet<KeyTuple> =
                read_rows(session, &targets, &wanted).await?.into_iter().map(|(key, _)| key).collect();
            found.retain(|(_, row)| target(row).is_some_and(|key| targets.contains(&key)));
        }
        Ok(found)
    }

    async fn restrict(
        &mut self,
        session: &mut Session<'_>,
        edge: &DestroyEdge,
        rule: RestrictRule,
        keys: &KeySet,
        phase: usize,
        refusals: Refusals,
    ) -> Result<()> {
        let model = edge.rows.model;
        let has_key = !model.primary_key.is_empty();
        let (count, first) = if has_key && (phase > 0 || edge.rows.targets.is_some()) {
            let read = selected(&self.plan.select(edge));
            let found = self.read_edge(session, edge, keys).await?;
            let found: HashSet<KeyTuple> =
                found.iter().filter_map(|(_, row)| key_in(row, &read, model.primary_key)).collect();
            // Rows on whose account the owner goes are gone by then.
            let goes_before = |key: &KeyTuple| self.number(model, key).is_some_and(|row| self.rows[row].phase < phase);
            let left = KeySet::from_iter(found.into_iter().filter(|key| !goes_before(key)));
            let named = left.chunks(NAMED as usize).into_iter().next().map(|first| first.tuples()).unwrap_or_default();
            (left.len() as u64, named.iter().map(ToString::to_string).collect())
        } else {
            self.count_refusing(session, edge, keys, refusals).await?
        };
        if count == 0 {
            return Ok(());
        }
        if refusals == Refusals::Count {
            self.report.entry(model).refusing += count;
            return Ok(());
        }
        let owner = (edge.association.owner)().name;
        Err(Restricted::new(owner, edge.association.name, model.name, rule).with_rows(count, first).into())
    }

    // Whether there are any is asked first: as a rule there are none.
    async fn count_refusing(
        &self,
        session: &mut Session<'_>,
        edge: &DestroyEdge,
        keys: &KeySet,
        refusals: Refusals,
    ) -> Result<(u64, Vec<String>)> {
        let (rows, dialect) = (edge.keyed_rows(), session.dialect());
        let chunks = keys.chunks(rows.keys_per_statement(dialect));
        let mut any = refusals == Refusals::Count;
        for (part, chunk) in chunks.iter().enumerate() {
            any = any || !read(session, &rows.exists(dialect, chunk)?.as_part(part)).await?.is_empty();
        }
        let (mut count, mut first) = (0, Vec::new());
        for (part, chunk) in chunks.iter().enumerate().filter(|_| any) {
            let counted = number_in(&read(session, &rows.count(dialect, chunk)?.as_part(part)).await?);
            count += counted;
            if counted > 0 && refusals == Refusals::Fail && !rows.model.primary_key.is_empty() {
                let keys = read(session, &rows.first_keys(dialect, chunk, NAMED)?.as_part(first.len())).await?;
                let stored = |row: &StoredRow| {
                    let types = rows.model.primary_key.iter().map(|column| rows.model.columns[*column].sql_type);
                    KeyTuple::new(row.iter().cloned().zip(types).map(|(value, of)| of.as_key(value)))
                };
                first.extend(keys.iter().filter_map(stored).map(|key| key.to_string()));
            }
        }
        first.truncate(NAMED as usize);
        Ok((count, first))
    }

    /// The keys of the rows that go, as far as they are known.
    pub(super) fn going(&self) -> GoingRows {
        let mut going = GoingRows::default();
        self.rows.iter().for_each(|row| going.add(self.plan.nodes()[row.node].model, row.key.clone()));
        going
    }

    /// The number of a row among those that go.
    pub(super) fn number(&self, model: &ModelDef, key: &KeyTuple) -> Option<usize> {
        let node = self.plan.nodes().iter().find(|node| {
            node.model.table == model.table && node.model.primary_key_names().eq(model.primary_key_names())
        })?;
        self.numbers.get(&(node.table, key.clone())).copied()
    }

    /// Counts, for a preview, rows without keys, which are found by those of their owners. A row that several associations
    /// lead to counts once: equal rows are found together, so each association finds all of them or none.
    pub(super) async fn count_unread(&mut self, session: &mut Session<'_>, following: &mut Following) -> Result<()> {
        let mut tables: BTreeMap<String, (usize, HashMap<KeyTuple, u64>)> = BTreeMap::new();
        for (at, keys) in std::mem::take(&mut self.by_owners) {
            let edge = &self.plan.edges()[at];
            let model = edge.rows.model;
            following.read_by_owners(session, edge, &KeySet::distinct(&keys), Lock::None).await?;
            let mut columns: Vec<usize> = (0..model.columns.len()).collect();
            // Two definitions of one join table may name its columns in another order.
            columns.sort_by_key(|column| model.columns[*column].name);
            let select = KeyedSelect { only: Some(columns.clone()), ..self.plan.select(edge) };
            let mut rows = read_rows(session, &select, &KeySet::distinct(&keys)).await?;
            if edge.by_sql().is_some() {
                links_by_sql::leading_somewhere(session, edge, &mut rows, &columns).await?;
            }
            let mut found: HashMap<KeyTuple, u64> = HashMap::new();
            for (_, row) in rows {
                *found.entry(KeyTuple::of_row(row)).or_default() += 1;
            }
            let name = format!("{} {:?}", model.table, edge.rows.rule);
            let (_, rows) = tables.entry(name).or_insert_with(|| (at, HashMap::new()));
            for (row, count) in found {
                let most = rows.entry(row).or_default();
                *most = count.max(*most);
            }
        }
        for (at, rows) in tables.into_values() {
            self.note(&self.plan.edges()[at], rows.into_values().sum());
        }
        Ok(())
    }

    /// Adds rows of an edge to the report, that were not read.
    pub(super) fn note(&mut self, edge: &DestroyEdge, count: u64) {
        let entry = self.report.entry(edge.rows.model);
        match edge.effect {
            Effect::Remove { node } if self.plan.nodes()[node].cascades => entry.destroyed += count,
            Effect::Remove { .. } => entry.deleted += count,
            Effect::Clear { .. } => entry.nullified += count,
            Effect::Restrict(_) => entry.refusing += count,
        }
    }

    /// By columns and model, the keys of rows that are read, cleared, and stay.
    pub(super) fn staying(&self) -> Vec<(usize, KeySet)> {
        let mut known: HashSet<(&str, &[usize], &KeyTuple)> = HashSet::new();
        let mut staying = Vec::new();
        for (at, keys) in &self.cleared {
            let edge = &self.plan.edges()[*at];
            let Effect::Clear { columns, .. } = &edge.effect else { continue };
            let model = edge.rows.model;
            let stays = keys.iter().filter(|key| self.number(model, key).is_none());
            let new = stays.filter(|key| known.insert((model.name, columns, key)));
            staying.push((*at, KeySet::from_iter(new.cloned().collect::<Vec<_>>())));
        }
        staying
    }

    /// What was done, or would be.
    pub(super) fn into_report(mut self) -> DestroyReport {
        for (at, keys) in self.staying() {
            self.report.entry(self.plan.edges()[at].rows.model).nullified += keys.len() as u64;
        }
        for row in &self.rows {
            let entry = self.report.entry(self.plan.nodes()[row.node].model);
            *(if row.destroyed { &mut entry.destroyed } else { &mut entry.deleted }) += 1;
        }
        self.report.without_untouched()
    }
}

/// Columns of rows by keys, each with the key that it was found by.
pub(crate) async fn read_rows(
    session: &mut Session<'_>,
    select: &KeyedSelect,
    keys: &KeySet,
) -> Result<Vec<(KeyTuple, StoredRow)>> {
    let dialect: &dyn Dialect = session.dialect();
    let by_ordinal = select.matching(dialect) == Matching::ByOrdinal;
    let columns = selected(select);
    let mut found = Vec::new();
    for (part, chunk) in keys.chunks(select.keys_per_statement(dialect)).iter().enumerate() {
        let tuples = if by_ordinal { chunk.tuples() } else { Vec::new() };
        let statement = select.statement(dialect, chunk)?.as_part(part);
        let mut sink = |values: &mut [Value<'_>]| {
            let width = columns.len() + usize::from(by_ordinal);
            if values.len() != width {
                return Err(
                    ErrorKind::RowWidth { model: select.model.name, expected: width, found: values.len() }.into()
                );
            }
            let (ordinal, values) = values.split_at_mut(usize::from(by_ordinal));
            let row = stored(select.model, &columns, values);
            let key = match ordinal.first() {
                Some(Value::Int(at)) => usize::try_from(*at).ok().and_then(|at| tuples.get(at).cloned()),
                Some(_) => None,
                None => key_in(&row, &columns, select.columns),
            };
            found.extend(key.map(|key| (key, row)));
            Ok(())
        };
        session.query(&statement, &mut sink).await?;
    }
    Ok(found)
}

/// The values of columns as keys compare them, whatever form the driver gives them in.
pub(crate) fn stored(model: &ModelDef, columns: &[usize], values: &mut [Value<'_>]) -> StoredRow {
    let types = columns.iter().map(|column| model.columns[*column].sql_type);
    types.zip(values).map(|(of, value)| of.as_key(std::mem::take(value).into_owned())).collect()
}

/// The key that a row holds in some columns, of those that are known of it; `None` if a part is `NULL`.
pub(super) fn key_in(values: &[Value<'static>], known: &[usize], columns: &[usize]) -> Option<KeyTuple> {
    let value = |column: &usize| known.iter().position(|known| known == column).and_then(|at| values.get(at)).cloned();
    KeyTuple::new(columns.iter().map(|column| value(column).unwrap_or_default()))
}

// Callbacks run for rows in the order of their keys: without an order, a database gives them in any.
fn in_key_order(found: &mut Vec<(KeyTuple, StoredRow)>, known: &[usize], primary_key: &[usize]) {
    let with_keys = std::mem::take(found).into_iter().map(|found| (key_in(&found.1, known, primary_key), found));
    let mut with_keys: Vec<_> = with_keys.collect();
    with_keys.sort_by(|(one, _), (other, _)| match (one, other) {
        (Some(one), Some(other)) => one.cmp_values(other),
        (one, other) => one.is_some().cmp(&other.is_some()),
    });
    found.extend(with_keys.into_iter().map(|(_, found)| found));
}

// The columns that a look-up reads.
fn selected(select: &KeyedSelect) -> Vec<usize> {
    select.only.clone().unwrap_or_else(|| (0..select.model.columns.len()).collect())
}

pub(super) async fn read(session: &mut Session<'_>, statement: &Statement) -> Result<Vec<StoredRow>> {
    let mut rows: Vec<StoredRow> = Vec::new();
    let mut sink = |values: &mut [Value<'_>]| {
        rows.push(values.iter_mut().map(|value| std::mem::take(value).into_owned()).collect());
        Ok(())
    };
    session.query(statement, &mut sink).await?;
    Ok(rows)
}

// A count, which is not negative.
pub(super) fn number_in(rows: &[StoredRow]) -> u64 {
    match rows.first().and_then(|row| row.first()) {
        Some(Value::Int(count)) => count.unsigned_abs(),
        Some(Value::UInt(count)) => *count,
        _ => 0,
    }
}
