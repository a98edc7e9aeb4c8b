//! Splits the rows of a statement that loads joined associations. Such a row contains one row of each table, and every
//! row of a table comes as often as its owners and siblings repeat it.
//!
//! The primary key identifies a row, so each row is decoded once for all readers of the same columns. An owner has the
//! set of rows that it appeared with. Their order is not that of the statement but that of the association ([`Rank`]).
//! The later phases are the same as if each table had been a separate statement: rows with positions, links from owners
//! to positions, and the same code for through associations.
//!
//! A table without a primary key (a join table) may contain equal rows, and an owner then has its target as often. Such
//! rows are counted: for one combination of all other tables' rows, the statement returns one row for each of them. Two
//! such tables in one statement would leave open whose rows repeat. That is an error only if rows do repeat.

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasherDefault;

use assoc_core::driver::RowSink;
use assoc_core::execution::Links;
use assoc_core::execution::rows::{LinkRows, Rows};
use assoc_core::joins::{Joins, OwnerLimits};
use assoc_core::metadata::{Cardinality, Direction};
use assoc_core::planner::{Edge, JoinedEdge, Plan};
use assoc_core::select::{JoinedSelect, LoadedTable, PerOwner, Rank};
use assoc_core::{Error, Result, Value};

use super::index::{IntHasher, RowDedup};
use super::through::{PerOwnerRows, Targets};
use super::{EdgeLinks, NodeRows};

const NONE: u32 = u32::MAX;

/// The sink of a statement that loads joined associations.
pub(super) struct Assembly<'p> {
    plan: &'p Plan,
    load: &'p JoinedSelect,
    tables: Vec<TableRows<'p>>,
    // How often each combination of rows came, where a table has no key.
    combinations: Option<HashMap<Box<[u32]>, u32>>,
}

/// The rows of one table as associations that select the same of its columns read them.
struct Reading {
    selected: Option<Vec<usize>>,
    // For each column of the model where it is among the table's, if it is read; `None` for whole rows.
    places: Option<Vec<Option<usize>>>,
    rows: Box<dyn Rows>,
}

impl Reading {
    fn new(loaded: &LoadedTable, selected: Option<&[usize]>) -> Self {
        let places = loaded.places_of(selected);
        Reading { selected: selected.map(<[_]>::to_vec), places, rows: loaded.model.rows.new_rows() }
    }

    fn decode(&mut self, values: &mut [Value<'_>]) -> Result<()> {
        let Some(places) = &self.places else { return RowSink::row(&mut *self.rows, values) };
        let read = |place: &Option<usize>| place.map_or(Value::Null, |at| std::mem::take(&mut values[at]));
        let mut row: Vec<Value<'_>> = places.iter().map(read).collect();
        RowSink::row(&mut *self.rows, &mut row)
    }
}

/// The distinct rows of one table.
struct TableRows<'p> {
    loaded: &'p LoadedTable,
    // Where in a row its key is, and where what says that there is a row at all.
    key: Vec<usize>,
    present: Vec<usize>,
    // Empty where only the links are needed; several where associations select different columns.
    readings: Vec<Reading>,
    dedup: RowDedup,
    // The table it hangs on, among those that are loaded, and who was seen with whom.
    from: Option<usize>,
    pairs: Vec<(u32, u32)>,
    seen: HashSet<u64, BuildHasherDefault<IntHasher>>,
    // For each order of the rows, the values to sort by.
    ranks: Vec<(Rank, Vec<i128>)>,
    current: u32,
}

impl<'p> Assembly<'p> {
    pub(super) fn new(plan: &'p Plan, load: &'p JoinedSelect, joins: &Joins) -> Self {
        let loaded = load.tables();
        let mut tables: Vec<TableRows<'p>> = loaded
            .iter()
            .map(|loaded| {
                let places = |columns: &[usize]| columns.iter().filter_map(|at| loaded.place_of(*at)).collect();
                let table = loaded.table.map(|table| &joins.tables()[table]);
                let mut readings: Vec<Reading> = Vec::new();
                if loaded.table.is_none() {
                    readings.push(Reading::new(loaded, load.selected()));
                }
                for joined in plan.joined().iter().filter(|joined| Some(joined.table) == loaded.table) {
                    let selected = joined.select.selected.as_deref();
                    let dedup = readings.iter().any(|reading| reading.selected.as_deref() == selected);
                    if !dedup && !is_link(plan, joined) {
                        readings.push(Reading::new(loaded, selected));
                    }
                }
                let from = table.map(|table| table.from);
                TableRows {
                    loaded,
                    key: places(&loaded.key),
                    present: match table {
                        Some(table) if loaded.is_keyless() => places(table.hop.hop.target_columns),
                        _ => places(&loaded.key),
                    },
                    readings,
                    dedup: RowDedup::default(),
                    from: from.and_then(|from| load.tables().iter().position(|other| other.table == from)),
                    pairs: Vec::new(),
                    seen: HashSet::default(),
                    ranks: Vec::new(),
                    current: NONE,
                }
            })
            .collect();
        for (joined, rank) in plan.joined().iter().zip(load.ranks()) {
            if let Some(table) = tables.iter_mut().find(|table| table.loaded.table == Some(joined.table))
                && *rank != Rank::Single
                && !table.ranks.iter().any(|(dedup, _)| dedup == rank)
            {
                table.ranks.push((rank.clone(), Vec::new()));
            }
        }
        let keyless = loaded.iter().any(LoadedTable::is_keyless) && !load.has_raw_joins();
        Assembly { plan, load, tables, combinations: keyless.then(HashMap::new) }
    }

    /// The nodes whose rows came with the statement.
    pub(super) fn finish(mut self) -> Result<Vec<Option<NodeRows>>> {
        let plan = self.plan;
        let times = self.times()?;
        let mut nodes: Vec<Option<NodeRows>> = plan.nodes().iter().map(|_| None).collect();
        // The statement always loads the root, for one reader.
        let root = self.tables[0].readings.pop().map(|reading| reading.rows);
        let root = root.unwrap_or_else(|| plan.nodes()[0].model.rows.new_rows());
        nodes[0] = Some(NodeRows::new(plan, 0, 0, root));
        // For each node where the rows of its table went; the root's stay.
        let mut moved: Vec<Option<Vec<u32>>> = vec![None; nodes.len()];
        for (joined, rank) in plan.joined().iter().zip(self.load.ranks()) {
            let Some(at) = self.tables.iter().position(|table| table.loaded.table == Some(joined.table)) else {
                continue;
            };
            let edge = plan.edge(joined.edge);
            let table = &mut self.tables[at];
            let order = table.order(rank);
            let place = inverse(&order);
            let rows: Box<dyn Rows> = if is_link(plan, joined) {
                Box::new(LinkRows::unread(order.len()))
            } else {
                let selected = &joined.select.selected;
                let same = |other: &&JoinedEdge| other.table == joined.table && other.select.selected == *selected;
                let last = plan.joined().iter().filter(same).rfind(|other| !is_link(plan, other));
                let is_last = last.is_some_and(|last| last.edge == joined.edge);
                table.rows_in(selected.as_deref(), &order, is_last)
            };
            let owners = nodes[joined.edge.node].as_ref().map_or(0, |rows| rows.fetched.len());
            let owner_place = moved[joined.edge.node].as_deref();
            let links = links(edge, owners, &table.pairs, owner_place, &place, &times[at], joined.select.per_owner);
            if let Some(owner) = &mut nodes[joined.edge.node] {
                let (kept, forgotten) = (Vec::new(), Vec::new());
                owner.links[joined.edge.edge] = Some(EdgeLinks { links, kept, via: None, forgotten });
            }
            nodes[edge.child] = Some(NodeRows::new(plan, edge.child, 0, rows));
            moved[edge.child] = Some(place);
        }
        Ok(nodes)
    }

    // The number of occurrences of each row of each table, which exceeds one only without a key.
    fn times(&self) -> Result<Vec<HashMap<u32, u32>>> {
        let mut times = vec![HashMap::new(); self.tables.len()];
        let Some(combinations) = &self.combinations else { return Ok(times) };
        let keyless: Vec<usize> = (0..self.tables.len()).filter(|at| self.tables[*at].loaded.is_keyless()).collect();
        for (rows, count) in combinations.iter().filter(|(_, count)| **count > 1) {
            let [at] = keyless[..] else {
                let tables: Vec<&str> = keyless.iter().map(|at| self.tables[*at].loaded.model.table.name).collect();
                let message = format!(
                    "`{}` are joined in one statement, have no primary keys, and one of them holds a row twice: which one \
                     cannot be told; load one of these associations with `preload`",
                    tables.join("` and `")
                );
                return Err(Error::invalid_query(self.plan.nodes()[0].model.name, message));
            };
            let dedup = times[at].entry(rows[at]).or_insert(1);
            *dedup = (*dedup).max(*count);
        }
        Ok(times)
    }
}

impl RowSink for Assembly<'_> {
    fn row(&mut self, values: &mut [Value<'_>]) -> Result<()> {
        if values.len() != self.load.width() {
            let (model, expected) = (self.plan.nodes()[0].model.name, self.load.width());
            return Err(assoc_core::ErrorKind::RowWidth { model, expected, found: values.len() }.into());
        }
        let single_roots = self.load.roots_are_single();
        // All identifying values are read before the first row is decoded, because decoding takes values out.
        let mut new = Vec::with_capacity(self.tables.len());
        for table in &mut self.tables {
            let is_new = table.find(values, single_roots && table.loaded.table.is_none());
            new.push(is_new);
        }
        if let Some(combinations) = &mut self.combinations {
            let rows: Box<[u32]> = self.tables.iter().map(|table| table.current).collect();
            *combinations.entry(rows).or_insert(0) += 1;
        }
        for (at, is_new) in new.iter().enumerate() {
            if let Some(from) = self.tables[at].from {
                let owner = self.tables[from].current;
                self.tables[at].pair(owner, *is_new);
            }
            if *is_new {
                self.tables[at].decode(values)?;
            }
        }
        Ok(())
    }
}

impl TableRows<'_> {
    // Which of the table's rows is in this row, and whether it is the first time.
    fn find(&mut self, values: &[Value<'_>], always_new: bool) -> bool {
        if self.present.iter().any(|at| values[*at].is_null()) {
            self.current = NONE;
            return false;
        }
        let (at, new) = if always_new { self.dedup.next() } else { self.dedup.position(values, &self.key) };
        self.current = at;
        if new {
            for (rank, of_rows) in &mut self.ranks {
                match rank {
                    Rank::Values(places) => {
                        of_rows.extend(places.iter().map(|(at, direction)| sortable(&values[*at], *direction)));
                    }
                    Rank::Selected(at) => of_rows.push(sortable(&values[*at], Direction::Asc)),
                    Rank::Single => {}
                }
            }
        }
        new
    }

    fn pair(&mut self, owner: u32, is_new: bool) {
        if owner == NONE || self.current == NONE {
            return;
        }
        // A new row has no pair yet. Most other rows are repetitions caused by a sibling.
        let pair = u64::from(owner) << 32 | u64::from(self.current);
        if self.seen.insert(pair) || is_new {
            self.pairs.push((owner, self.current));
        }
    }

    fn decode(&mut self, values: &mut [Value<'_>]) -> Result<()> {
        let Some((last, others)) = self.readings.split_last_mut() else { return Ok(()) };
        let first = self.loaded.first;
        let own = &mut values[first..first + self.loaded.columns.len()];
        // Decoding takes the values out.
        others.iter_mut().try_for_each(|reading| reading.decode(&mut own.to_vec()))?;
        last.decode(own)
    }

    // The positions of the rows in an order.
    fn order(&self, rank: &Rank) -> Vec<u32> {
        let mut order: Vec<u32> = (0..self.dedup.count).collect();
        if let Some((rank, of_rows)) = self.ranks.iter().find(|(dedup, _)| dedup == rank) {
            let width = match rank {
                Rank::Values(places) => places.len(),
                _ => 1,
            };
            let of = |row: &u32| &of_rows[*row as usize * width..(*row as usize + 1) * width];
            order.sort_by(|one, other| of(one).cmp(of(other)));
        }
        order
    }

    fn rows_in(&mut self, selected: Option<&[usize]>, order: &[u32], take: bool) -> Box<dyn Rows> {
        let reading = self.readings.iter_mut().find(|reading| reading.selected.as_deref() == selected);
        let Some(Reading { rows, .. }) = reading else { return self.loaded.model.rows.new_rows() };
        if take {
            let mut taken = std::mem::replace(rows, self.loaded.model.rows.new_rows());
            taken.reorder(order);
            return taken;
        }
        let mut copy = self.loaded.model.rows.new_rows();
        order.iter().for_each(|row| copy.push_from(&**rows, *row as usize));
        copy
    }
}

// Whether only keys are needed of an edge's rows.
fn is_link(plan: &Plan, joined: &JoinedEdge) -> bool {
    plan.nodes()[plan.edge(joined.edge).child].links_only
}

// A number that sorts as the database sorts the value, for the types that `Rank` names.
fn sortable(value: &Value<'_>, direction: Direction) -> i128 {
    let number = match value {
        Value::Bool(flag) => i128::from(*flag),
        Value::Int(number) => i128::from(*number),
        Value::UInt(number) => i128::from(*number),
        _ => i128::MIN + 1,
    };
    if direction == Direction::Desc { -number } else { number }
}

fn inverse(order: &[u32]) -> Vec<u32> {
    let mut places = vec![0; order.len()];
    for (place, row) in (0..).zip(order) {
        places[*row as usize] = place;
    }
    places
}

fn links(
    edge: &Edge,
    owners: usize,
    pairs: &[(u32, u32)],
    owner_place: Option<&[u32]>,
    place: &[u32],
    times: &HashMap<u32, u32>,
    per_owner: Option<PerOwner>,
) -> Links {
    let owner_at = |owner: u32| owner_place.map_or(owner, |places| places[owner as usize]);
    let mut sorted: Vec<(u32, u32)> = Vec::with_capacity(pairs.len());
    for (owner, row) in pairs {
        let count = times.get(row).copied().unwrap_or(1);
        sorted.extend((0..count).map(|_| (owner_at(*owner), place[*row as usize])));
    }
    sorted.sort_unstable();
    let PerOwner { limit, offset } = per_owner.unwrap_or(PerOwner { limit: None, offset: 0 });
    let mut per_owner = PerOwnerRows::new(
        OwnerLimits { limit, offset, ..OwnerLimits::default() },
        edge.cardinality,
        Targets::new(0, &[]),
    );
    let mut rows = Vec::with_capacity(sorted.len());
    let mut ends = Vec::with_capacity(owners);
    let mut list = Vec::new();
    let mut rest = &sorted[..];
    for owner in 0..owners {
        let end = rest.iter().take_while(|(own, _)| *own as usize == owner).count();
        let (own, others) = rest.split_at(end);
        list.clear();
        list.extend(own.iter().map(|(_, row)| *row));
        rows.extend_from_slice(per_owner.finish(owner, &mut list, |row| *row));
        ends.push(u32::try_from(rows.len()).unwrap_or(u32::MAX));
        rest = others;
    }
    if edge.cardinality == Cardinality::One {
        return Links::first_of(&rows, &ends);
    }
    Links::Many { rows, ends }
}
