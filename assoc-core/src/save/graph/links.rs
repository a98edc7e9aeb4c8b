//! Which links a save has planned, so that two sides that know each other make one.
//!
//! A save may plan very many links, and as a rule one side says all those of a table: then nothing has to be compared. So links are
//! noted one after the other, and only looked for once a second side speaks of the same table.

use std::collections::HashMap;

use crate::key::KeyTuple;
use crate::metadata::association::{AssociationDef, JoinRecord};
use crate::metadata::model::TableRef;

/// Links that were planned, with how many each side has brought.
#[derive(Default)]
pub(super) struct Links {
    tables: Vec<TableLinks>,
    // Each key by its number.
    keys: HashMap<KeyTuple, u32>,
}

/// Who says that two rows are linked.
#[derive(PartialEq, Eq, Clone, Copy)]
pub(super) enum Side {
    /// An association of a row that is saved.
    Said(&'static AssociationDef),
    /// A new row, which was built for an owner of this association.
    Built(&'static AssociationDef),
}

/// A row at one end of a link.
#[derive(PartialEq, Eq, Hash, Clone, Copy)]
pub(super) enum End {
    Planned(u32),
    /// One that exists, by the number of its key.
    Existing(u32),
    /// One that exists and has no key.
    Keyless,
}

/// The rows at both ends of a link, the one first whose columns come first.
type Ends = (End, End);

/// The links of a table between, over the columns of two keys in it.
struct TableLinks {
    table: TableRef,
    columns: (&'static [usize], &'static [usize]),
    sides: Vec<Side>,
    // What the first side has brought, as long as there is no other.
    brought: Vec<Ends>,
    // How often each side has brought each link, once there are several.
    counts: HashMap<Ends, Vec<(usize, usize)>>,
}

impl Links {
    /// The end of a link that a row with this key is.
    pub(super) fn end_of(&mut self, key: Option<KeyTuple>) -> End {
        let Some(key) = key else { return End::Keyless };
        let next = self.keys.len() as u32;
        End::Existing(*self.keys.entry(key).or_insert(next))
    }

    /// Whether the other side of the save has linked the two already: both sides that know each other make one link, the same side
    /// makes as many as it says.
    pub(super) fn is_linked(&mut self, side: Side, record: &JoinRecord, owner: End, member: End) -> bool {
        let (here, there) = (record.owner.target_columns, record.target.owner_columns);
        // Named from the side whose columns come first.
        let (columns, ends) =
            if here <= there { ((here, there), (owner, member)) } else { ((there, here), (member, owner)) };
        let table = record.table.table;
        let is_known = |known: &TableLinks| known.columns == columns && known.table == table;
        let at = self.tables.iter().position(is_known).unwrap_or_else(|| {
            let (sides, brought, counts) = (Vec::new(), Vec::new(), HashMap::new());
            self.tables.push(TableLinks { table, columns, sides, brought, counts });
            self.tables.len() - 1
        });
        self.tables[at].is_linked(side, ends)
    }
}

impl TableLinks {
    fn is_linked(&mut self, side: Side, ends: Ends) -> bool {
        let own = self.sides.iter().position(|known| *known == side).unwrap_or_else(|| {
            self.sides.push(side);
            self.sides.len() - 1
        });
        if self.sides.len() == 1 {
            self.brought.push(ends);
            return false;
        }
        for ends in std::mem::take(&mut self.brought) {
            count(&mut self.counts, ends, 0);
        }
        let (links, sides) = count(&mut self.counts, ends, own);
        sides.iter().any(|(known, others)| *known != own && *others >= links)
    }
}

// Counts a link of a side. Answers with how many it has brought now, and with how many each side has.
fn count(counts: &mut HashMap<Ends, Vec<(usize, usize)>>, ends: Ends, side: usize) -> (usize, &[(usize, usize)]) {
    let sides = counts.entry(ends).or_default();
    let at = sides.iter().position(|(known, _)| *known == side).unwrap_or_else(|| {
        sides.push((side, 0));
        sides.len() - 1
    });
    sides[at].1 += 1;
    (sides[at].1, sides)
}
