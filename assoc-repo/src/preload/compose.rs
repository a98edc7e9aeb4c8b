//! The rows an owner reaches through others: two links one after the other, then order, distinct and limit.

use std::collections::HashMap;

use assoc_core::planner::{EdgeId, Finish, Plan, Source};
use assoc_core::{Cardinality, Links};

use super::NodeRows;

/// The links of an edge, from its owners to the rows of its child.
pub(super) fn links_of(plan: &Plan, nodes: &[Option<NodeRows>], id: EdgeId) -> Option<Links> {
    let edge = plan.edge(id);
    match edge.source {
        Source::Step { .. } | Source::Joined { .. } => {
            nodes[id.node].as_ref()?.links[id.edge].as_ref().map(|edge| edge.links.clone())
        }
        Source::Composed { first, second, finish } => {
            let (first, second) = (links_of(plan, nodes, first)?, links_of(plan, nodes, second)?);
            let rows = nodes[edge.child].as_ref().map_or(0, |rows| rows.fetched.len());
            let group_of = nodes[edge.child].as_ref().map_or(&[][..], |rows| &rows.group_of);
            Some(compose(&first, &second, finish, edge.cardinality, rows, group_of))
        }
    }
}

pub(super) fn compose(
    first: &Links,
    second: &Links,
    finish: Finish,
    cardinality: Cardinality,
    rows: usize,
    group_of: &[i64],
) -> Links {
    let (all, ends) = flat(second);
    let onward = |between: usize| {
        let start = if between == 0 { 0 } else { ends.get(between - 1).copied().unwrap_or(0) };
        let end = ends.get(between).copied().unwrap_or(start);
        &all[start as usize..end as usize]
    };
    // The owner that last took a row, to see repetitions without clearing anything between owners.
    let mut taken_by = vec![usize::MAX; if finish.distinct { rows } else { 0 }];
    let mut group_taken_by: HashMap<i64, usize> = HashMap::new();
    let mut positions: Vec<u32> = Vec::new();
    let mut own_ends = Vec::with_capacity(first.owners());
    first.each(|owner, between| {
        let start = positions.len();
        for between in between {
            positions.extend_from_slice(onward(between));
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
        own_ends.push(u32::try_from(positions.len()).unwrap_or(u32::MAX));
    });
    Links::Many { rows: positions, ends: own_ends }
}

fn size(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

// All positions in one list, and where each owner's end.
fn flat(links: &Links) -> (Vec<u32>, Vec<u32>) {
    if let Links::Many { rows, ends } = links {
        return (rows.clone(), ends.clone());
    }
    let mut rows = Vec::new();
    let mut ends = Vec::with_capacity(links.owners());
    links.each(|_, own| {
        rows.extend(own.map(|row| u32::try_from(row).unwrap_or(u32::MAX)));
        ends.push(u32::try_from(rows.len()).unwrap_or(u32::MAX));
    });
    (rows, ends)
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
}
