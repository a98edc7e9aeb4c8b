//! Requests for one association become one request. What lies below is merged when that level is planned.

use crate::error::{ErrorKind, Result};
use crate::metadata::request::Request;

/// Merges a list of requests for rows of one model.
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
                    let (strategy, included) = (request.strategy, request.included);
                    known.merge_children(request);
                    known.strategy = known.strategy.max(strategy);
                    known.included &= included;
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
    Ok(merged)
}
