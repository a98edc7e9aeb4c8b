//! The rows an owner reaches through others: two links one after the other, then order, distinct and limit.

use std::collections::HashMap;

use assoc_core::execution::{KeyTuple, Links};
use assoc_core::joins::OwnerLimits;
use assoc_core::metadata::Cardinality;
use assoc_core::planner::{EdgeId, Plan, Source};

use super::NodeRows;
use super::fetch::position;
use super::reuse::Reused;

/// What an edge's owners reach through others.
pub(super) struct Through {
    pub(super) links: Links,
    /// For each link, owner by owner, the row between, if those are kept.
    pub(super) via: Option<Vec<u32>>,
}

/// The links of an edge that goes through others, from its owners to the rows of its child.
pub(super) fn composed(plan: &Plan, nodes: &[Option<NodeRows>], reused: &Reused, id: EdgeId) -> Option<Through> {
    let edge = plan.edge(id);
    let Source::Through { first, second, limits, .. } = edge.source else { return None };
    let (first, second) = (links_of(plan, nodes, reused, first)?, links_of(plan, nodes, reused, second)?);
    let rows = nodes[edge.child].as_ref().map_or(0, |rows| rows.fetched.len());
    let group_of = nodes[edge.child].as_ref().map_or(&[][..], |rows| &rows.group_of);
    // A row may be there twice: as a copy of what a struct holds, and fetched for another owner.
    let same_as = match &nodes[edge.child] {
        Some(child) if limits.distinct && reused.count(edge.child) > 0 => first_with_key(plan, edge.child, child),
        _ => Vec::new(),
    };
    let targets = Targets { count: rows, group_of, same_as: &same_as };
    let Through { links, via } = finished(&first, &second, limits, edge.cardinality, targets);
    Some(Through { links: reused.complete(plan, nodes, id, links), via })
}

/// The rows that owners reach.
#[derive(Clone, Copy)]
pub(super) struct Targets<'t> {
    pub(super) count: usize,
    /// For each row to which group it belongs, if they are grouped.
    pub(super) group_of: &'t [i64],
    /// For each row the first that is the same one. Empty where none is there twice.
    pub(super) same_as: &'t [u32],
}

impl<'t> Targets<'t> {
    pub(super) fn new(count: usize, group_of: &'t [i64]) -> Self {
        Targets { count, group_of, same_as: &[] }
    }
}

// For each row of a node the first with its primary key.
fn first_with_key(plan: &Plan, node: usize, rows: &NodeRows) -> Vec<u32> {
    let key = plan.nodes()[node].model.primary_key;
    if key.is_empty() {
        return Vec::new();
    }
    let mut first: HashMap<KeyTuple, u32> = HashMap::new();
    let keys = rows.fetched.keys(key, 0).into_tuples();
    let place = |(at, key): (usize, Option<KeyTuple>)| {
        key.map_or(position(at), |key| *first.entry(key).or_insert(position(at)))
    };
    keys.into_iter().enumerate().map(place).collect()
}

/// The links of the first edge continued by those of the second.
pub(super) fn finished(
    first: &Links,
    second: &Links,
    limits: OwnerLimits,
    cardinality: Cardinality,
    targets: Targets<'_>,
) -> Through {
    let mut per_owner = PerOwnerRows::new(limits, cardinality, targets);
    let onward = Onward::new(second);
    let mut ends = Vec::with_capacity(first.owners());
    let mut rows: Vec<u32> = Vec::new();
    if !limits.join_rows {
        let mut own: Vec<u32> = Vec::new();
        for (owner, between) in first.by_owner() {
            own.clear();
            between.for_each(|between| own.extend_from_slice(onward.of(between)));
            rows.extend_from_slice(per_owner.finish(owner, &mut own, |row| *row));
            ends.push(position(rows.len()));
        }
        return Through { links: Links::Many { rows, ends }, via: None };
    }
    // The intermediate row of each link is kept beside it. A row that is reached several times keeps its first link,
    // because the sort is stable.
    let mut via: Vec<u32> = Vec::new();
    let mut own: Vec<(u32, u32)> = Vec::new();
    for (owner, between) in first.by_owner() {
        own.clear();
        for between in between {
            own.extend(onward.of(between).iter().map(|row| (*row, position(between))));
        }
        for (row, between) in per_owner.finish(owner, &mut own, |(row, _)| *row) {
            rows.push(*row);
            via.push(*between);
        }
        ends.push(position(rows.len()));
    }
    Through { links: Links::Many { rows, ends }, via: Some(via) }
}

/// What an association says about the rows of one owner: their order, each once, one of each group, an offset and a limit.
/// The one place where that is done in memory.
pub(super) struct PerOwnerRows<'g> {
    limits: OwnerLimits,
    skip: usize,
    most: usize,
    targets: Targets<'g>,
    // The owner that last took a row, or a row of a group. It shows repetitions without a reset between owners.
    taken_by: Vec<usize>,
    group_taken_by: HashMap<i64, usize>,
}

impl<'g> PerOwnerRows<'g> {
    /// For positions of these targets.
    pub(super) fn new(limits: OwnerLimits, cardinality: Cardinality, targets: Targets<'g>) -> Self {
        let size = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        let one = if cardinality == Cardinality::One { 1 } else { usize::MAX };
        PerOwnerRows {
            limits,
            skip: size(limits.offset),
            most: limits.limit.map_or(one, |limit| size(limit).min(one)),
            targets,
            taken_by: vec![usize::MAX; if limits.distinct { targets.count } else { 0 }],
            group_taken_by: HashMap::new(),
        }
    }

    /// The rows of an owner that distinct, group, offset and limit leave. `row` gives the position of each. The caller
    /// passes each owner once.
    pub(super) fn finish<'l, T>(&mut self, owner: usize, own: &'l mut Vec<T>, row: impl Fn(&T) -> u32) -> &'l [T] {
        if self.limits.globally_ordered {
            own.sort_by_key(&row);
        }
        if self.limits.distinct {
            let last = &mut self.taken_by;
            let same_as = self.targets.same_as;
            own.retain(|link| {
                let row = row(link);
                let row = same_as.get(row as usize).copied().unwrap_or(row);
                last.get_mut(row as usize).is_some_and(|last| std::mem::replace(last, owner) != owner)
            });
        }
        if self.limits.grouped {
            // A step that serves this has a group for each of its rows.
            own.retain(|link| {
                let group = self.targets.group_of.get(row(link) as usize);
                group.is_none_or(|group| self.group_taken_by.insert(*group, owner) != Some(owner))
            });
        }
        let from = self.skip.min(own.len());
        let to = from + self.most.min(own.len() - from);
        &own[from..to]
    }
}

pub(super) fn links_of(plan: &Plan, nodes: &[Option<NodeRows>], reused: &Reused, id: EdgeId) -> Option<Links> {
    match plan.edge(id).source {
        Source::Step { .. } | Source::OwnerStep { .. } | Source::Joined { .. } => {
            nodes[id.node].as_ref()?.links[id.edge].as_ref().map(|edge| edge.links.clone())
        }
        Source::Through { .. } => composed(plan, nodes, reused, id).map(|composed| composed.links),
    }
}

/// The targets that the intermediate rows reach.
struct Onward {
    rows: Vec<u32>,
    ends: Vec<u32>,
}

impl Onward {
    fn new(links: &Links) -> Self {
        let (rows, ends) = flat(links);
        Onward { rows, ends }
    }

    fn of(&self, between: usize) -> &[u32] {
        let start = if between == 0 { 0 } else { self.ends.get(between - 1).copied().unwrap_or(0) };
        let end = self.ends.get(between).copied().unwrap_or(start);
        &self.rows[start as usize..end as usize]
    }
}

// All positions in one list, and where each owner's end.
fn flat(links: &Links) -> (Vec<u32>, Vec<u32>) {
    match links {
        Links::Many { rows, ends } => (rows.clone(), ends.clone()),
        Links::Runs(runs) => {
            let mut end = 0;
            let ends = runs.iter().map(|run| {
                end += *run;
                end
            });
            let ends = ends.collect();
            ((0..end).collect(), ends)
        }
        Links::One(ones) => {
            let mut rows = Vec::with_capacity(ones.len());
            let mut ends = Vec::with_capacity(ones.len());
            for one in ones {
                rows.extend(*one);
                ends.push(position(rows.len()));
            }
            (rows, ends)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn many(lists: &[&[u32]]) -> Links {
        let mut rows = Vec::new();
        let mut ends = Vec::new();
        for list in lists {
            rows.extend_from_slice(list);
            ends.push(rows.len() as u32);
        }
        Links::Many { rows, ends }
    }

    fn composed(limits: OwnerLimits, cardinality: Cardinality) -> Vec<Vec<usize>> {
        // Owner 0 has links 0 and 1, owner 1 none, owner 2 link 2; the links refer to rows.
        let first = Links::Runs(vec![2, 0, 1]);
        let second = many(&[&[3, 1], &[1, 0], &[2]]);
        finished(&first, &second, limits, cardinality, Targets::new(4, &[1, 2, 1, 2])).links.positions()
    }

    #[test]
    fn flattens_in_the_order_of_the_way() {
        assert_eq!(composed(OwnerLimits::default(), Cardinality::Many), [vec![3, 1, 1, 0], vec![], vec![2]]);
    }

    #[test]
    fn finishes_per_owner() {
        let distinct = OwnerLimits { distinct: true, ..OwnerLimits::default() };
        assert_eq!(composed(distinct, Cardinality::Many), [vec![3, 1, 0], vec![], vec![2]]);
        let globally_ordered = OwnerLimits { globally_ordered: true, distinct: true, ..OwnerLimits::default() };
        assert_eq!(composed(globally_ordered, Cardinality::Many), [vec![0, 1, 3], vec![], vec![2]]);
        let cut = OwnerLimits { offset: 1, limit: Some(2), ..OwnerLimits::default() };
        assert_eq!(composed(cut, Cardinality::Many), [vec![1, 1], vec![], vec![]]);
        assert_eq!(composed(OwnerLimits::default(), Cardinality::One), [vec![3], vec![], vec![2]]);
        let grouped = OwnerLimits { grouped: true, ..OwnerLimits::default() };
        assert_eq!(composed(grouped, Cardinality::Many), [vec![3, 0], vec![], vec![2]]);
        let limited = OwnerLimits { grouped: true, limit: Some(1), offset: 1, ..OwnerLimits::default() };
        assert_eq!(composed(limited, Cardinality::Many), [vec![0], vec![], vec![]]);
    }

    #[test]
    fn rows_between_stay_with_what_they_lead_to() {
        // Owner 0 has links 0 to 3, owner 1 link 4; link 2 leads nowhere.
        let first = Links::Runs(vec![4, 1]);
        let second = Links::One(vec![Some(2), Some(0), None, Some(2), Some(0)]);
        let composed = |limits: OwnerLimits| {
            let limits = OwnerLimits { join_rows: true, ..limits };
            let Through { links, via } = finished(&first, &second, limits, Cardinality::Many, Targets::new(3, &[]));
            (links.positions(), via.unwrap())
        };
        assert_eq!(composed(OwnerLimits::default()), (vec![vec![2, 0, 2], vec![0]], vec![0, 1, 3, 4]));
        let globally_ordered = OwnerLimits { globally_ordered: true, ..OwnerLimits::default() };
        assert_eq!(composed(globally_ordered), (vec![vec![0, 2, 2], vec![0]], vec![1, 0, 3, 4]));
        let distinct = OwnerLimits { distinct: true, ..OwnerLimits::default() };
        assert_eq!(composed(distinct), (vec![vec![2, 0], vec![0]], vec![0, 1, 4]));
        let cut = OwnerLimits { globally_ordered: true, offset: 1, limit: Some(1), ..OwnerLimits::default() };
        assert_eq!(composed(cut), (vec![vec![2], vec![]], vec![0]));
    }
}
