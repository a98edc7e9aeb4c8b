//! In which order rows that refer to each other go.

/// A row that refers to another. Both are numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Referral {
    /// The row that holds the key.
    pub from: usize,
    /// The row that it refers to.
    pub to: usize,
    /// Whether the key can be cleared.
    pub clearable: bool,
}

/// An order in which rows go.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RemovalOrder {
    /// Keys that are cleared first, by their place in the list of referrals: of rows in a ring.
    pub cleared: Vec<usize>,
    /// The rows, wave by wave: nothing that is still there refers to a row of a wave.
    pub waves: Vec<Vec<usize>>,
}

/// In which order rows go so that none goes before one that refers to it. Rows that refer to each other in a ring have no
/// such order: their keys are cleared, and if they cannot be, the rows go in one wave. So is the key of a row that refers
/// to itself, because InnoDB does not delete such a row in every case.
///
/// ```
/// use assoc_core::destroy::{Referral, removal_order};
///
/// // A tree: 1 and 2 are below 0, and 3 is below 2.
/// let below = |from, to| Referral { from, to, clearable: true };
/// let order = removal_order(4, &[below(1, 0), below(2, 0), below(3, 2)]);
/// assert_eq!(order.waves, [vec![1, 3], vec![2], vec![0]]);
/// // A ring has no order: its keys are cleared first.
/// let ring = removal_order(2, &[below(0, 1), below(1, 0)]);
/// assert_eq!((ring.cleared, ring.waves), (vec![0, 1], vec![vec![0, 1]]));
/// ```
#[must_use]
pub fn removal_order(rows: usize, referrals: &[Referral]) -> RemovalOrder {
    let (all, to_itself): (Vec<usize>, Vec<usize>) =
        (0..referrals.len()).partition(|at| referrals[*at].from != referrals[*at].to);
    let mut order = RemovalOrder::default();
    order.cleared.extend(to_itself.into_iter().filter(|at| referrals[*at].clearable));
    let mut remaining = waves(rows, referrals, &all, vec![true; rows], &mut order.waves);
    if !remaining.contains(&true) {
        return order;
    }
    let in_ring = |at: &usize| remaining[referrals[*at].from] && remaining[referrals[*at].to];
    let (cleared, kept): (Vec<usize>, Vec<usize>) =
        all.into_iter().filter(in_ring).partition(|at| referrals[*at].clearable);
    order.cleared.extend(cleared);
    remaining = waves(rows, referrals, &kept, remaining, &mut order.waves);
    let rest: Vec<usize> = (0..rows).filter(|row| remaining[*row]).collect();
    if !rest.is_empty() {
        order.waves.push(rest);
    }
    order
}

// Appends waves of those of the rows that have an order, and returns which have none.
fn waves(
    rows: usize,
    referrals: &[Referral],
    used: &[usize],
    mut remaining: Vec<bool>,
    waves: &mut Vec<Vec<usize>>,
) -> Vec<bool> {
    let mut refers_to: Vec<Vec<usize>> = vec![Vec::new(); rows];
    let mut referred = vec![0_usize; rows];
    for at in used {
        let Referral { from, to, .. } = referrals[*at];
        refers_to[from].push(to);
        referred[to] += 1;
    }
    let mut wave: Vec<usize> = (0..rows).filter(|row| remaining[*row] && referred[*row] == 0).collect();
    while !wave.is_empty() {
        let mut next = Vec::new();
        for row in &wave {
            remaining[*row] = false;
            for to in &refers_to[*row] {
                referred[*to] -= 1;
                if referred[*to] == 0 {
                    next.push(*to);
                }
            }
        }
        next.sort_unstable();
        waves.push(std::mem::replace(&mut wave, next));
    }
    remaining
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refer(pairs: &[(usize, usize)], clearable: bool) -> Vec<Referral> {
        pairs.iter().map(|(from, to)| Referral { from: *from, to: *to, clearable }).collect()
    }

    #[test]
    fn the_deepest_go_first_and_a_row_waits_for_all_that_refer_to_it() {
        // 1 and 2 are children of 0, 3 is a child of 2 and of 1, 4 is alone.
        let order = removal_order(5, &refer(&[(1, 0), (2, 0), (3, 2), (3, 1)], false));
        assert_eq!(order.waves, [vec![3, 4], vec![1, 2], vec![0]]);
        assert!(order.cleared.is_empty());
    }

    #[test]
    fn the_longest_way_counts() {
        // 3 refers to the root itself, and to the deepest row.
        let order = removal_order(4, &refer(&[(1, 0), (2, 1), (3, 0), (3, 2)], false));
        assert_eq!(order.waves, [[3], [2], [1], [0]]);
    }

    #[test]
    fn a_ring_is_cleared_where_it_can_be() {
        let ring = [(0, 1), (1, 2), (2, 0), (3, 0)];
        let order = removal_order(4, &refer(&ring, true));
        assert_eq!(order.cleared, [0, 1, 2]);
        assert_eq!(order.waves, [vec![3], vec![0, 1, 2]]);
        let order = removal_order(4, &refer(&ring, false));
        assert!(order.cleared.is_empty());
        assert_eq!(order.waves, [vec![3], vec![0, 1, 2]]);
    }

    #[test]
    fn what_remains_of_a_ring_has_an_order_again() {
        // 0 refers to 1, which refers back by a key that can be cleared.
        let mut both = refer(&[(0, 1)], false);
        both.extend(refer(&[(1, 0)], true));
        let order = removal_order(2, &both);
        assert_eq!((order.cleared, order.waves), (vec![1], vec![vec![0], vec![1]]));
    }

    #[test]
    fn a_row_that_refers_to_itself_is_no_obstacle() {
        let order = removal_order(1, &refer(&[(0, 0)], true));
        assert_eq!((order.cleared, order.waves), (vec![0], vec![vec![0]]));
        let order = removal_order(1, &refer(&[(0, 0)], false));
        assert_eq!((order.cleared, order.waves), (Vec::new(), vec![vec![0]]));
    }

    #[test]
    fn a_long_chain_needs_no_stack() {
        let chain: Vec<(usize, usize)> = (1..100_000).map(|row| (row, row - 1)).collect();
        assert_eq!(removal_order(100_000, &refer(&chain, false)).waves.len(), 100_000);
    }
}
