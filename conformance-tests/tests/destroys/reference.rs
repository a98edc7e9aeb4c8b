//! Tables in memory, and what destroying nodes makes of them, row by row: written from the documentation, and not from
//! the plan.

use std::collections::BTreeMap;

use crate::random::Random;

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) parent: Option<i64>,
    pub(crate) buddy: Option<i64>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Item {
    pub(crate) node: Option<i64>,
    pub(crate) keeper: Option<i64>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Part {
    pub(crate) item: Option<i64>,
    pub(crate) part_of: Option<i64>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Guard {
    pub(crate) node: Option<i64>,
    pub(crate) item: Option<i64>,
    pub(crate) active: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Mark {
    pub(crate) subject: Option<(&'static str, i64)>,
}

pub(crate) type Link = (i64, i64);

#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Tables {
    pub(crate) nodes: BTreeMap<i64, Node>,
    pub(crate) items: BTreeMap<i64, Item>,
    pub(crate) parts: BTreeMap<i64, Part>,
    pub(crate) guards: BTreeMap<i64, Guard>,
    pub(crate) marks: BTreeMap<i64, Mark>,
    pub(crate) links: Vec<Link>,
}

/// What a destroy comes to.
pub(crate) enum Outcome {
    Restricted,
    Done { tables: Tables, destroyed: u64, deleted: u64, nullified: u64 },
}

impl Tables {
    /// Random rows. If they are `valid`, every key leads to a row.
    pub(crate) fn random(random: &mut Random, valid: bool) -> Tables {
        let mut tables = Tables::default();
        let counts: Vec<i64> = (0..5).map(|_| random.below(7) as i64).collect();
        let key = |random: &mut Random, count: i64, often: usize| {
            let beyond = if valid { 0 } else { 2 };
            let some = count + beyond > 0 && !random.once_in(often);
            some.then(|| 1 + random.below((count + beyond) as usize) as i64)
        };
        for id in 1..=counts[0] {
            // A tree as a rule, a ring now and then.
            let parent = if random.once_in(4) { key(random, counts[0], 2) } else { key(random, (id - 1).max(0), 3) };
            let parent = parent.filter(|parent| !valid || *parent <= counts[0]);
            let buddy = if random.once_in(4) { key(random, counts[0], 2) } else { None };
            tables.nodes.insert(id, Node { parent, buddy });
        }
        for id in 1..=counts[1] {
            tables.items.insert(id, Item { node: key(random, counts[0], 4), keeper: key(random, counts[0], 3) });
        }
        for id in 1..=counts[2] {
            tables.parts.insert(id, Part { item: key(random, counts[1], 4), part_of: key(random, counts[2], 2) });
        }
        for id in 1..=counts[3] {
            let (node, item) = (key(random, counts[0], 2), key(random, counts[1], 2));
            tables.guards.insert(id, Guard { node, item, active: random.once_in(4) });
        }
        for id in 1..=counts[4] {
            let subject = match random.below(3) {
                0 => None,
                1 => key(random, counts[0], 9).map(|id| ("Node", id)),
                _ => key(random, counts[1], 9).map(|id| ("Item", id)),
            };
            tables.marks.insert(id, Mark { subject });
        }
        for _ in 0..random.below(5) {
            let ends = (key(random, counts[0], 99), key(random, counts[0], 99));
            if let (Some(one), Some(other)) = ends {
                tables.links.push((one, other));
            }
        }
        tables.links.sort_unstable();
        tables
    }

    /// A node with children, items and their parts, and of everything else something.
    pub(crate) fn three_levels() -> Tables {
        let mut tables = Tables::default();
        for (id, parent, buddy) in [
            (1, None, Some(5)),
            (2, Some(1), None),
            (3, Some(1), None),
            (4, Some(3), None),
            (5, None, None),
            (6, None, None),
        ] {
            tables.nodes.insert(id, Node { parent, buddy });
        }
        for (id, node, keeper) in [(1, Some(2), None), (2, Some(4), Some(6)), (3, Some(6), Some(4)), (4, Some(5), None)]
        {
            tables.items.insert(id, Item { node, keeper });
        }
        for (id, item, part_of) in
            [(1, Some(1), None), (2, Some(1), Some(1)), (3, Some(3), None), (4, Some(4), Some(3))]
        {
            tables.parts.insert(id, Part { item, part_of });
        }
        tables.guards.insert(1, Guard { node: None, item: Some(2), active: true });
        tables.guards.insert(2, Guard { node: Some(6), item: None, active: true });
        for (id, subject) in [(1, Some(("Node", 3))), (2, Some(("Item", 2))), (3, Some(("Node", 6))), (4, None)] {
            tables.marks.insert(id, Mark { subject });
        }
        tables.links = vec![(1, 6), (4, 5), (6, 3), (6, 6)];
        tables
    }

    /// Whether a key leads to no row.
    pub(crate) fn dangles(&self) -> bool {
        let node = |key: Option<i64>| key.is_none_or(|key| self.nodes.contains_key(&key));
        let item = |key: Option<i64>| key.is_none_or(|key| self.items.contains_key(&key));
        let part = |key: Option<i64>| key.is_none_or(|key| self.parts.contains_key(&key));
        !(self.nodes.values().all(|row| node(row.parent) && node(row.buddy))
            && self.items.values().all(|row| node(row.node) && node(row.keeper))
            && self.parts.values().all(|row| item(row.item) && part(row.part_of))
            && self.guards.values().all(|row| node(row.node) && item(row.item))
            && self.links.iter().all(|(one, other)| node(Some(*one)) && node(Some(*other))))
    }

    /// What becomes of the tables when nodes are destroyed.
    pub(crate) fn destroyed(&self, roots: &[i64]) -> Outcome {
        // When each goes: at 0 with the roots, and a buddy one later than the node that refers to it.
        let mut nodes: BTreeMap<i64, usize> = BTreeMap::new();
        let mut guards: BTreeMap<i64, usize> = BTreeMap::new();
        let mut items: Vec<i64> = Vec::new();
        let mut next = roots.to_vec();
        let mut phase = 0;
        while !next.is_empty() {
            let mut now = next.clone();
            let mut of_phase = Vec::new();
            while let Some(id) = now.pop() {
                if !self.nodes.contains_key(&id) || nodes.contains_key(&id) {
                    continue;
                }
                nodes.insert(id, phase);
                of_phase.push(id);
                now.extend(self.nodes.iter().filter(|(_, row)| row.parent == Some(id)).map(|(id, _)| *id));
            }
            // Guards that went earlier do not refuse.
            for id in &of_phase {
                let refuses = |(guard, row): (&i64, &Guard)| {
                    row.node == Some(*id) && row.active && guards.get(guard).is_none_or(|gone| *gone >= phase)
                };
                if self.guards.iter().any(refuses) {
                    return Outcome::Restricted;
                }
                for (item, _) in self.items.iter().filter(|(_, row)| row.node == Some(*id)) {
                    items.push(*item);
                    let of_item = self.guards.iter().filter(|(_, row)| row.item == Some(*item));
                    of_item.for_each(|(guard, _)| _ = guards.entry(*guard).or_insert(phase));
                }
            }
            next = of_phase.iter().filter_map(|id| self.nodes[id].buddy).collect();
            phase += 1;
        }
        let gone_item = |key: Option<i64>| key.is_some_and(|key| items.contains(&key));
        let gone_node = |key: Option<i64>| key.is_some_and(|key| nodes.contains_key(&key));
        let mut tables = self.clone();
        let mut nullified = 0;
        tables.nodes.retain(|id, _| !nodes.contains_key(id));
        tables.items.retain(|id, _| !items.contains(id));
        for item in tables.items.values_mut().filter(|item| gone_node(item.keeper)) {
            item.keeper = None;
            nullified += 1;
        }
        tables.guards.retain(|id, _| !guards.contains_key(id));
        tables.parts.retain(|_, part| !gone_item(part.item));
        tables.links.retain(|(one, other)| !nodes.contains_key(one) && !nodes.contains_key(other));
        tables.marks.retain(|_, mark| !matches!(mark.subject, Some(("Node", id)) if nodes.contains_key(&id)));
        for mark in tables.marks.values_mut() {
            if matches!(mark.subject, Some(("Item", id)) if items.contains(&id)) {
                mark.subject = None;
                nullified += 1;
            }
        }
        let lost = |before: usize, after: usize| (before - after) as u64;
        let destroyed = lost(self.nodes.len(), tables.nodes.len())
            + lost(self.items.len(), tables.items.len())
            + lost(self.guards.len(), tables.guards.len())
            + lost(self.marks.len(), tables.marks.len());
        let deleted = lost(self.parts.len(), tables.parts.len()) + lost(self.links.len(), tables.links.len());
        Outcome::Done { tables, destroyed, deleted, nullified }
    }
}
