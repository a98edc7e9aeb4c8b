//! Which links a save has planned, so that two sides that know each other make one.

use std::collections::HashMap;

use crate::key::KeyTuple;
use crate::metadata::association::{AssociationDef, JoinRecord};
use crate::metadata::model::TableRef;

/// A table between, the columns of both keys in it, and the rows at both ends.
type Link = (TableRef, Vec<usize>, End, End);

/// Links that were planned, with how many each side has brought.
#[derive(Default)]
pub(super) struct Links(HashMap<Link, Vec<(Side, usize)>>);

/// Who says that two rows are linked.
#[derive(PartialEq, Eq, Clone, Copy)]
pub(super) enum Side {
    /// An association of a row that is saved.
    Said(&'static AssociationDef),
    /// A new row, which was built for an owner of this association.
    Built(&'static AssociationDef),
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
    pub(super) fn is_linked(&mut self, side: Side, record: &JoinRecord, owner: End, member: End) -> bool {
        let (here, there) = (record.owner.target_columns, record.target.owner_columns);
        // Named from the side whose columns come first.
        let link = if here <= there {
            (record.table.table, [here, there].concat(), owner, member)
        } else {
            (record.table.table, [there, here].concat(), member, owner)
        };
        let sides = self.0.entry(link).or_default();
        let own = sides.iter().position(|(known, _)| *known == side).unwrap_or_else(|| {
            sides.push((side, 0));
            sides.len() - 1
        });
        sides[own].1 += 1;
        let count = sides[own].1;
        sides.iter().any(|(known, links)| *known != side && *links >= count)
    }
}
