//! Links that hand-written SQL writes: `insert_sql` and `delete_sql` of a join table.

use std::any::Any;
use std::collections::{HashMap, HashSet};

use assoc_core::Result;
use assoc_core::driver::{BoxFuture, KeySet};
use assoc_core::execution::KeyTuple;
use assoc_core::metadata::{LinkSql, Linkage};
use assoc_core::save::{Added, LoadedRow, Lookup, Resolved};

use super::Run;
use super::removal::read_members;
use crate::destroy::run_sql;
use crate::session::Session;

impl Run<'_> {
    /// Writes the links among these rows that SQL writes, one statement each, and answers with the other rows.
    // Boxed, here and below, because a save inside a callback inside a save would take up stack for it at each level.
    pub(super) fn link_by_sql<'f>(
        &'f self,
        session: &'f mut Session<'_>,
        rows: Vec<u32>,
    ) -> BoxFuture<'f, Result<Vec<u32>>> {
        Box::pin(self.write_links(session, rows))
    }

    async fn write_links(&self, session: &mut Session<'_>, rows: Vec<u32>) -> Result<Vec<u32>> {
        let links: HashMap<u32, &Added> = self.plan.by_sql().iter().map(|link| (link.link, link)).collect();
        let mut others = Vec::new();
        for row in rows {
            let written = links.get(&row).and_then(|link| {
                let member: &dyn Any = match &link.member {
                    LoadedRow::Planned(row) => self.row(*row)?,
                    LoadedRow::Existing(row) => &**row,
                    _ => return None,
                };
                Some((link.association.options.insert_sql?)(self.row(link.owner)?, member))
            });
            match written {
                Some(sql) => {
                    run_sql(self.repo, session, &sql).await?;
                }
                None => others.push(row),
            }
        }
        Ok(others)
    }

    /// Unlinks members by SQL, one statement for each that an owner lets go, and answers how many rows it says there were.
    pub(super) fn unlink_by_sql<'f>(
        &'f self,
        session: &'f mut Session<'_>,
        lookup: &'f Lookup,
        resolved: &'f Resolved,
        sql: LinkSql,
    ) -> BoxFuture<'f, Result<u64>> {
        Box::pin(self.remove_links(session, lookup, resolved, sql))
    }

    async fn remove_links(
        &self,
        session: &mut Session<'_>,
        lookup: &Lookup,
        resolved: &Resolved,
        sql: LinkSql,
    ) -> Result<u64> {
        if resolved.members.is_empty() {
            return Ok(0);
        }
        let Linkage::JoinRecord(record) = lookup.association.linkage()? else { return Ok(0) };
        let keys = KeySet::from_iter(resolved.members.iter().map(|(_, member)| member.clone()));
        let target = (lookup.association.target)();
        let members = read_members(session, target, record.target.target_columns, &keys).await?;
        let mut written = 0;
        let mut done: HashSet<(u32, &KeyTuple)> = HashSet::new();
        for (owner, key) in &resolved.members {
            // All links between the two go at once. One that leads nowhere has no member to be unlinked.
            if !done.insert((*owner, key)) {
                continue;
            }
            if let (Some(owner), Some(member)) = (self.row(*owner), members.get(key)) {
                written += run_sql(self.repo, session, &sql(owner, &**member)).await?;
            }
        }
        Ok(written)
    }
}
