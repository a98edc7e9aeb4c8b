//! Links of new rows to the owners that they were built for.

use super::Builder;
use crate::change::BuiltLink;
use crate::error::Result;
use crate::metadata::association::Linkage;
use crate::save::graph::links::Side;
use crate::save::graph::{Added, LoadedRow};

impl Builder {
    /// Plans the row between a new row and the owner that it was built for, unless the owner's side of the save links the two.
    pub(super) fn link_built(&mut self, row: u32, built: BuiltLink) -> Result<()> {
        let BuiltLink { association, owner } = built;
        let linkage = self.linkage(association)?;
        let Linkage::JoinRecord(record) = &*linkage else { return Ok(()) };
        let model = (association.owner)();
        let owner = self.reserve(model, Some(owner), [], None)?;
        let mut given = self.given_to_link(owner, record);
        self.take_key(owner, record.owner.owner_columns, record.owner.target_columns, &mut given);
        self.take_key(row, record.target.target_columns, record.target.owner_columns, &mut given);
        let (own, end) = (self.end(owner, record.owner.owner_columns), self.end(row, record.target.target_columns));
        if self.links.is_linked(Side::Built(association), record, own, end) {
            return Ok(());
        }
        let link = self.reserve_link(association, record)?;
        self.give(link, given)?;
        self.note_link(Added { association, owner, member: LoadedRow::Planned(row), link });
        Ok(())
    }
}
