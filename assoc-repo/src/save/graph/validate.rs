//! `before_validate` of everything that is part of a save, before its problems are looked for.
//!
//! The keys that a row takes of others are in its columns by then, as far as they are known: those of rows that exist, and those
//! that were given to new ones.

use std::collections::HashMap;
use std::sync::Arc;

use assoc_core::Result;
use assoc_core::change::{KnownValues, RowChange};
use assoc_core::driver::BoxFuture;
use assoc_core::metadata::CallbackPoint;

use crate::callbacks::{CallbackContext, Cause, RowAction, model_functions};
use crate::repo::Repo;

/// Shared drafts by their addresses.
#[derive(Default)]
struct SharedDrafts {
    // What their owners give them, before any callback has run.
    given: HashMap<usize, Vec<KnownValues>>,
    // Each with what has become of it. An address is the draft's as long as it is kept here.
    done: HashMap<usize, (Arc<RowChange>, Arc<RowChange>)>,
}

impl SharedDrafts {
    fn note(&mut self, change: &RowChange) {
        for (draft, known) in change.known_keys_of_shared() {
            self.given.entry(address(draft)).or_default().push(known);
        }
    }
}

fn address(draft: &Arc<RowChange>) -> usize {
    Arc::as_ptr(draft) as usize
}

/// Runs it for changes with all that is part of them, owners before members. A row that nothing is written to has none.
pub(super) async fn before_validate(repo: &Repo, changes: &mut [RowChange]) -> Result<()> {
    let mut shared = SharedDrafts::default();
    changes.iter_mut().for_each(|change| note_shared(change, &mut shared));
    for change in changes {
        of_change(repo, change, Cause::OwnCall, &mut shared).await?;
    }
    Ok(())
}

fn note_shared(change: &mut RowChange, shared: &mut SharedDrafts) {
    shared.note(change);
    change.nested_mut().into_iter().for_each(|(_, nested)| note_shared(nested, shared));
}

// Changes are nested at most `RowChange::MAX_DEPTH` levels deep.
fn of_change<'a>(
    repo: &'a Repo,
    change: &'a mut RowChange,
    cause: Cause,
    shared: &'a mut SharedDrafts,
) -> BoxFuture<'a, Result<()>> {
    Box::pin(async move {
        if change.is_marked_for_destruction() {
            return Ok(());
        }
        let action = if change.base().is_some() { RowAction::Update } else { RowAction::Insert };
        let is_written = action == RowAction::Insert || !change.changed().is_empty();
        let functions = model_functions(change.model()).filter(|_| is_written);
        if let Some(function) = functions.and_then(|functions| functions.before(CallbackPoint::BeforeValidate)) {
            function(change, &CallbackContext::new(repo, cause, action, &[])).await?;
        }
        change.give_known_keys();
        for (association, nested) in change.nested_mut() {
            of_change(repo, nested, Cause::Member(association), shared).await?;
        }
        for (association, draft) in change.shared_mut() {
            let address = address(draft);
            if let Some((_, known)) = shared.done.get(&address) {
                *draft = Arc::clone(known);
                continue;
            }
            let mut own = (**draft).clone();
            note_shared(&mut own, shared);
            shared.given.remove(&address).into_iter().flatten().for_each(|known| own.take_known(known));
            of_change(repo, &mut own, Cause::Member(association), shared).await?;
            let (given, own) = (Arc::clone(draft), Arc::new(own));
            *draft = Arc::clone(&own);
            shared.done.insert(address, (given, own));
        }
        Ok(())
    })
}
