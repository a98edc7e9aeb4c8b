//! Requests for one association become one request. What lies below is merged when that level is planned.
//!
//! A tree of requests may hold one list of children in many places, twice as many on each level, which written out would
//! be more than any memory. So a list that several requests for one association share is merged once.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::error::{ErrorKind, Result};
use crate::metadata::request::{Request, Strategy};
use crate::metadata::request_list::RequestList;

/// Merges a list of requests for rows of one model.
///
/// # Errors
/// When two requests ask for one association with different scopes.
pub(super) fn merge(requests: Vec<Request>) -> Result<Vec<Request>> {
    let mut merged: Vec<Request> = Vec::with_capacity(requests.len());
    let mut below = ListsBelow::default();
    for request in requests {
        match merged.iter().position(|known| known.association == request.association) {
            None => merged.push(request),
            Some(at) => {
                let known = &mut merged[at];
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
                    if below.add(at, known, &request) {
                        known.merge_children(request);
                    }
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

/// Which lists of children are merged into each request, by where they are and what is said of them, and for how many levels.
#[derive(Default)]
struct ListsBelow(HashMap<usize, HashMap<ListKey, (RequestList, usize)>>);

type ListKey = (*const Request, Option<Strategy>, bool);

impl ListsBelow {
    // Notes what a request says is below; `false` if another one for the same association said as much.
    fn add(&mut self, at: usize, known: &Request, request: &Request) -> bool {
        let key = |request: &Request| (request.children.as_ptr(), request.strategy_below, request.included);
        let lists = self.0.entry(at).or_insert_with(|| {
            // The first of them was alone until now.
            HashMap::from([(key(known), (known.children.clone(), known.levels))])
        });
        match lists.entry(key(request)) {
            Entry::Occupied(mut entry) => {
                let (_, levels) = entry.get_mut();
                let deeper = request.levels > *levels;
                *levels = request.levels.max(*levels);
                deeper
            }
            Entry::Vacant(entry) => {
                // The list is kept, so that no other one comes to lie where it is.
                entry.insert((request.children.clone(), request.levels));
                true
            }
        }
    }
}
