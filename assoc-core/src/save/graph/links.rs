//! Which links a save has planned, so that two sides that know each other make one.

use std::collections::HashMap;

use crate::key::KeyTuple;
use crate::metadata::association::{AssociationDef, JoinRecord};
use crate::metadata::model::TableRef;

/// Links that were planned, with how many each association has brought.
#[derive(Default)]
pub(super) struct Links {
    // Tables between, each with the columns of both keys in it.
    tables: Vec<(TableRef, Vec<usize>)>,
    // The sides by which links were planned.
    sides: Vec<Side>,
    known: HashMap<(usize, End, End), Brought>,
}

/// An association that leads over a table between.
struct Side {
    association: &'static AssociationDef,
    table: usize,
    // Whether its columns come first.
    is_first: bool,
}

/// How many links an association has brought; as a rule there is one such association.
struct Brought {
    side: usize,
    links: u32,
    others: Vec<(usize, u32)>,
}

/// A row at one end of a link.
#[derive(PartialEq, Eq, Hash, Clone)]
pub(super) enum End {
    Planned(u32),
    Existing(KeyTuple),
}

impl Links {
    /// Whether the other side of the save has linked the two already: both sides that know each other make one link, the same side
    /// makes as many as it says.
    pub(super) fn is_linked(
        &mut self,
        association: &'static AssociationDef,
        record: &JoinRecord,
        owner: End,
        member: End,
    ) -> bool {
        let side = self.side(association, record);
        let Side { table, is_first, .. } = self.sides[side];
        let link = if is_first { (table, owner, member) } else { (table, member, owner) };
        let brought = self.known.entry(link).or_insert(Brought { side, links: 0, others: Vec::new() });
        let count = if brought.side == side {
            brought.links += 1;
            brought.links
        } else {
            let own = brought.others.iter().position(|(known, _)| *known == side).unwrap_or_else(|| {
                brought.others.push((side, 0));
                brought.others.len() - 1
            });
            brought.others[own].1 += 1;
            brought.others[own].1
        };
        let all = [(brought.side, brought.links)].into_iter().chain(brought.others.iter().copied());
        all.into_iter().any(|(known, links)| known != side && links >= count)
    }

    fn side(&mut self, association: &'static AssociationDef, record: &JoinRecord) -> usize {
        if let Some(known) = self.sides.iter().position(|side| side.association == association) {
            return known;
        }
        let (here, there) = (record.owner.target_columns, record.target.owner_columns);
        // Named from the side whose columns come first.
        let is_first = here <= there;
        let columns = if is_first { [here, there].concat() } else { [there, here].concat() };
        let named = (record.table.table, columns);
        let table = self.tables.iter().position(|known| *known == named).unwrap_or_else(|| {
            self.tables.push(named);
            self.tables.len() - 1
        });
        self.sides.push(Side { association, table, is_first });
        self.sides.len() - 1
    }
}
