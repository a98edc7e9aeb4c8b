//! The rows an owner reaches through others: two links one after the other, then order, distinct and limit.

use std::collections::{HashMap, HashSet};

use assoc_core::planner::{EdgeId, Finish, Plan, Source};
use assoc_core::{Cardinality, Links};

use super::NodeRows;
use super::fetch::position;

/// What an edge's owners reach through others.
pub(super) struct Composed {
    pub(super) links: Links,
    /// For each link, owner by owner, the row between, if those are kept.
    pub(super) via: Option<Vec<u32>>,
}

/// The links of an edge that goes through others, from its owners to the rows of its child.
pub(super) fn composed(plan: &Plan, nodes: &[Option<NodeRows>], id: EdgeId) -> Option<Composed> {
    let edge = plan.edge(id);
    let Source::Composed { first, second, finish } = edge.source else { return None };
    let (first, second) = (links_of(plan, nodes, first)?, links_of(plan, nodes, second)?);
    let rows = nodes[edge.child].as_ref().map_or(0, |rows| rows.fetched.len());
    let group_of = nodes[edge.child].as_ref().map_or(&[][..], |rows| &rows.group_of);
    Some(finished(&first, &second, finish, edge.cardinality, rows, group_of))
}

/// The links of the first edge continued by those of the second.
pub(super) fn finished(
    first: &Links,
    second: &Links,
    finish: Finish,
    cardinality: Cardinality,
    rows: usize,
    group_of: &[i64],
) -> Composed {
    if finish.join_rows {
        compose_keeping_links(first, second, finish, group_of)
    } else {
        Composed { links: compose(first, second, finish, cardinality, rows, group_of), via: None }
    }
}

pub(super) fn links_of(plan: &Plan, nodes: &[Option<NodeRows>], id: EdgeId) -> Option<Links> {
    match plan.edge(id).source {
        Source::Step { .. } | Source::Joined { .. } => {
            nodes[id.node].as_ref()?.links[id.edge].as_ref().map(|edge| edge.links.clone())
        }
        Source::Composed { .. } => composed(plan, nodes, id).map(|composed| composed.links),
    }
}

fn compose(
    first: &Links,
    second: &Links,
    finish: Finish,
    cardinality: Cardinality,
    rows: usize,
    group_of: &[i64],
) -> Links {
    let onward = Onward::new(second);
    // The owner that last took a row, to see repetitions without clearing anything between owners.
    let mut taken_by = vec![usize::MAX; if finish.distinct { rows } else { 0 }];
    let mut group_taken_by: HashMap<i64, usize> = HashMap::new();
    let mut positions: Vec<u32> = Vec::new();
    let mut own_ends = Vec::with_capacity(first.owners());
    for (owner, between) in first.by_owner() {
        let start = positions.len();
        for between in between {
            positions.extend_from_slice(onward.of(between));
        }
        if finish.ranked {
            positions[start..].sort_unstable();
        }
        let mut own = positions.split_off(start);
        if finish.distinct {
            own.retain(|row| {
                taken_by.get_mut(*row as usize).is_some_and(|last| std::mem::replace(last, owner) != owner)
            });
        }
        if finish.grouped {
            // A step that serves this has a group for each of its rows.
            own.retain(|row| {
                group_of.get(*row as usize).is_none_or(|group| group_taken_by.insert(*group, owner) != Some(owner))
            });
        }
        let most = if cardinality == Cardinality::One { 1 } else { usize::MAX };
        let (skip, most) = (size(finish.offset), finish.limit.map_or(most, |limit| size(limit).min(most)));
        positions.extend(own.into_iter().skip(skip).take(most));
        own_ends.push(position(positions.len()));
    }
    Links::Many { rows: positions, ends: own_ends }
}

// The same with the row between each owner and its row. What is kept of a row that is reached several times is the first
// way to it.
fn compose_keeping_links(first: &Links, second: &Links, finish: Finish, group_of: &[i64]) -> Composed {
    let onward = Onward::new(second);
    let mut rows: Vec<u32> = Vec::new();
    let mut via: Vec<u32> = Vec::new();
    let mut ends = Vec::with_capacity(first.owners());
    let mut own: Vec<(u32, u32)> = Vec::new();
    let mut seen: HashSet<u32> = HashSet::new();
    let mut seen_groups: HashSet<i64> = HashSet::new();
    for (_, between) in first.by_owner() {
        own.clear();
        for between in between {
            own.extend(onward.of(between).iter().map(|row| (*row, position(between))));
        }
        if finish.ranked {
            // Stable: ways to one row stay in the order of the rows between.
            own.sort_by_key(|(row, _)| *row);
        }
        if finish.distinct {
            seen.clear();
            own.retain(|(row, _)| seen.insert(*row));
        }
        if finish.grouped {
            seen_groups.clear();
            own.retain(|(row, _)| group_of.get(*row as usize).is_none_or(|group| seen_groups.insert(*group)));
        }
        let most = finish.limit.map_or(usize::MAX, size);
        for (row, between) in own.iter().skip(size(finish.offset)).take(most) {
            rows.push(*row);
            via.push(*between);
        }
        ends.push(position(rows.len()));
    }
    Composed { links: Links::Many { rows, ends }, via: Some(via) }
}

/// Where the rows between lead to.
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

fn size(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
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

    fn composed(finish: Finish, cardinality: Cardinality) -> Vec<Vec<usize>> {
        // Owner 0 has links 0 and 1, owner 1 none, owner 2 link 2; links lead to rows.
        let first = Links::Runs(vec![2, 0, 1]);
        let second = many(&[&[3, 1], &[1, 0], &[2]]);
        compose(&first, &second, finish, cardinality, 4, &[1, 2, 1, 2]).positions()
    }

    #[test]
    fn flattens_in_the_order_of_the_way() {
        assert_eq!(composed(Finish::default(), Cardinality::Many), [vec![3, 1, 1, 0], vec![], vec![2]]);
    }

    #[test]
    fn finishes_per_owner() {
        let distinct = Finish { distinct: true, ..Finish::default() };
        assert_eq!(composed(distinct, Cardinality::Many), [vec![3, 1, 0], vec![], vec![2]]);
        let ranked = Finish { ranked: true, distinct: true, ..Finish::default() };
        assert_eq!(composed(ranked, Cardinality::Many), [vec![0, 1, 3], vec![], vec![2]]);
        let cut = Finish { offset: 1, limit: Some(2), ..Finish::default() };
        assert_eq!(composed(cut, Cardinality::Many), [vec![1, 1], vec![], vec![]]);
        assert_eq!(composed(Finish::default(), Cardinality::One), [vec![3], vec![], vec![2]]);
        let grouped = Finish { grouped: true, ..Finish::default() };
        assert_eq!(composed(grouped, Cardinality::Many), [vec![3, 0], vec![], vec![2]]);
        let limited = Finish { grouped: true, limit: Some(1), offset: 1, ..Finish::default() };
        assert_eq!(composed(limited, Cardinality::Many), [vec![0], vec![], vec![]]);
    }

    #[test]
    fn rows_between_stay_with_what_they_lead_to() {
        // Owner 0 has links 0 to 3, owner 1 link 4; link 2 leads nowhere.
        let first = Links::Runs(vec![4, 1]);
        let second = Links::One(vec![Some(2), Some(0), None, Some(2), Some(0)]);
        let composed = |finish: Finish| {
            let Composed { links, via } = compose_keeping_links(&first, &second, finish, &[]);
            (links.positions(), via.unwrap())
        };
        assert_eq!(composed(Finish::default()), (vec![vec![2, 0, 2], vec![0]], vec![0, 1, 3, 4]));
        let ranked = Finish { ranked: true, ..Finish::default() };
        assert_eq!(composed(ranked), (vec![vec![0, 2, 2], vec![0]], vec![1, 0, 3, 4]));
        let distinct = Finish { distinct: true, ..Finish::default() };
        assert_eq!(composed(distinct), (vec![vec![2, 0], vec![0]], vec![0, 1, 4]));
        let cut = Finish { ranked: true, offset: 1, limit: Some(1), ..Finish::default() };
        assert_eq!(composed(cut), (vec![vec![2], vec![]], vec![0]));
    }
}
