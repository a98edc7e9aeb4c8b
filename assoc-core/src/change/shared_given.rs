//! What all owners of a shared draft give it, so that its problems are judged once and with everything: as a member of one
//! association alone, the keys that the others give would be missing.

use std::collections::HashMap;
use std::sync::Arc;

use super::check::Final;
use super::members::{GivenValues, Members};
use super::{ChildOp, Member, RowChange};

/// Columns that owners give to shared drafts, by the drafts' addresses.
#[derive(Debug, Default)]
pub(super) struct SharedGiven(HashMap<usize, GivenValues>);

impl SharedGiven {
    /// Of all that is part of a change.
    pub(super) fn of(change: &RowChange) -> Self {
        let mut found = SharedGiven::default();
        let mut visited = Vec::new();
        found.collect(change, &mut visited);
        found
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What a member is given, if it is a shared draft.
    pub(super) fn to(&self, member: &Member) -> &[(usize, Option<crate::Value<'static>>)] {
        let Member::Shared(draft) = member else { return &[] };
        self.0.get(&address(draft)).map_or(&[], Vec::as_slice)
    }

    // Changes are nested at most `RowChange::MAX_DEPTH` levels deep, and each draft is looked at once.
    fn collect(&mut self, change: &RowChange, visited: &mut Vec<usize>) {
        for child in &change.children {
            let nested = match &child.op {
                ChildOp::Edit(edited) => Some(&**edited),
                ChildOp::Push { join, .. } => join.as_deref(),
                _ => None,
            };
            nested.into_iter().for_each(|nested| self.collect(nested, visited));
            for member in child.op.members() {
                match member {
                    Member::Row { .. } => {}
                    Member::Change(nested) => self.collect(nested, visited),
                    Member::Shared(draft) => {
                        let is_member = matches!(child.op, ChildOp::Push { .. } | ChildOp::Replace(_));
                        let row = Final { change, given: &[], is_judged: true, shared: None };
                        if is_member && let Ok(members) = Members::of(row, child.association) {
                            self.0.entry(address(draft)).or_default().extend(members.given(draft).iter().cloned());
                        }
                        if !visited.contains(&address(draft)) {
                            visited.push(address(draft));
                            self.collect(draft, visited);
                        }
                    }
                }
            }
        }
    }
}

fn address(draft: &Arc<RowChange>) -> usize {
    Arc::as_ptr(draft) as usize
}
