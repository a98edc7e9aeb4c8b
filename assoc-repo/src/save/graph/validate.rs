//! `before_validate` of everything that is part of a save, before its problems are looked for.

use std::collections::HashMap;
use std::sync::Arc;

use assoc_core::Result;
use assoc_core::change::RowChange;
use assoc_core::driver::BoxFuture;
use assoc_core::metadata::CallbackPoint;

use crate::callbacks::{CallbackContext, Cause, RowAction, model_functions};
use crate::repo::Repo;

/// Shared drafts by their addresses, which are theirs as long as they are kept here, each with what has become of it.
type SharedDrafts = HashMap<usize, (Arc<RowChange>, Arc<RowChange>)>;

/// Runs it for changes with all that is part of them, owners before members. A row that nothing is written to has none.
pub(super) async fn before_validate(repo: &Repo, changes: &mut [RowChange]) -> Result<()> {
    let mut shared = SharedDrafts::new();
    for change in changes {
        of_change(repo, change, Cause::OwnCall, &mut shared).await?;
    }
    Ok(())
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
        for (association, nested) in change.nested_mut() {
            of_change(repo, nested, Cause::Member(association), shared).await?;
        }
        for (association, draft) in change.shared_mut() {
            let address = Arc::as_ptr(draft) as usize;
            if let Some((_, known)) = shared.get(&address) {
                *draft = Arc::clone(known);
                continue;
            }
            let mut own = (**draft).clone();
            of_change(repo, &mut own, Cause::Member(association), shared).await?;
            let (given, own) = (Arc::clone(draft), Arc::new(own));
            *draft = Arc::clone(&own);
            shared.insert(address, (given, own));
        }
        Ok(())
    })
}
