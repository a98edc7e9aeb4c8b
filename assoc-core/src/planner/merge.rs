//! Requests for one association become one request, at every level of the tree.

use crate::error::{ErrorKind, Result};
use crate::metadata::request::Request;

/// Merges a list of requests.
///
/// # Errors
/// When two requests ask for one association with different scopes.
pub(super) fn merge(requests: Vec<Request>) -> Result<Vec<Request>> {
    let mut merged: Vec<Request> = Vec::with_capacity(requests.len());
    for request in requests {
        match merged.iter_mut().find(|known| known.association == request.association) {
            None => merged.push(request),
            Some(known) => {
                let what = if known.loader != request.loader {
                    "functions to load it with"
                } else if known.scope.filter != request.scope.filter {
                    "filters"
                } else if known.scope.order != request.scope.order {
                    "orders"
                } else if known.scope.select != request.scope.select {
                    "columns"
                } else if known.scope.group != request.scope.group {
                    "groups"
                } else if known.scope != request.scope {
                    "limits"
                } else {
                    known.strategy = known.strategy.max(request.strategy);
                    known.children.extend(request.children);
                    known.included &= request.included;
                    continue;
                };
                let association = request.association;
                return Err(ErrorKind::ConflictingPreload {
                    model: (association.owner)().name,
                    association: association.name,
                    what,
                }
                .into());
            }
        }
    }
    for request in &mut merged {
        request.children = merge(std::mem::take(&mut request.children))?;
    }
    Ok(merged)
}
