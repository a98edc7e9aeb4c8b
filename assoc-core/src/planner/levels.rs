//! From requests to nodes, level by level.
//!
//! # What is loaded by default
//!
//! The scope of an association and the default scope of a model may include associations, whose own scopes may include
//! more, and such includes may form circles. So below each association that was asked for, an include is followed once
//! on its way: where the way of includes already has the association, it ends, and the association is not loaded there.
//! What was asked for always counts, and begins a new way. That is also what the reader of that association loads, and
//! it is finite whatever scopes include.

use std::collections::VecDeque;

use super::build::{Columns, PlanRequest, Role};
use super::loader::check_loader;
use super::merge::merge;
use super::whole_chain::is_between_loaded;
use super::{Deferred, Plan, Root, Source};
use crate::error::{ErrorKind, Result};
use crate::joins::{MOST_JOINED_TABLES, hops_of, too_many_tables};
use crate::metadata::association::{AssociationDef, Chain, LoadState};
use crate::metadata::request::{Request, Strategy};

/// Levels below the root, or below the nodes that a part of a plan begins at, that are planned at once.
const LEVELS_AT_ONCE: usize = 32;

/// Nodes of a part of a plan, after which it ends with the level it is on.
const NODES_AT_ONCE: usize = 256;

impl Plan {
    // Level by level, so that siblings keep the order they were asked for in.
    // The number counts levels from where this part of the plan begins.
    pub(super) fn add_all(&mut self, mut pending: VecDeque<(usize, Deferred)>) -> Result<()> {
        let first = self.nodes.len();
        let (mut level, mut full) = (0, false);
        while let Some((at, Deferred { node, requests, included_by })) = pending.pop_front() {
            if at > level {
                full = at >= LEVELS_AT_ONCE || self.nodes.len() - first >= NODES_AT_ONCE;
                level = at;
            }
            // What the root's statement joins is known before it runs.
            let joins = |request: &Request| request.strategy == Strategy::Joined;
            if full && !(self.is_joined(node) && requests.iter().any(joins)) {
                self.deferred.push(Deferred { node, requests, included_by });
                continue;
            }
            let (aggregates, requests): (Vec<Request>, Vec<Request>) =
                requests.into_iter().partition(|request| request.aggregate.is_some());
            self.ask(node, aggregates)?;
            let requests = merge(requests)?;
            let siblings = loaded_whole(&requests);
            for mut request in requests {
                let association = request.association;
                // Below rows of another statement there is nothing to join to.
                let joined = request.strategy == Strategy::Joined && self.is_joined(node);
                let mut children = request.take_children();
                let mut chain = Chain::scoped(association, request.scope)?;
                if let Some(loader) = &request.loader {
                    check_loader(&chain, loader, joined)?;
                }
                if joined {
                    hops_of(&chain)?;
                    if self.joined.len() >= MOST_JOINED_TABLES {
                        return Err(too_many_tables((association.owner)(), association));
                    }
                }
                let mut included_by = if request.included { included_by.clone() } else { Vec::new() };
                included_by.extend(request.included.then_some(association));
                children.extend(std::mem::take(&mut chain.scope.includes).into_iter().map(Request::into_include));
                let unscoped = chain.scope.unscoped;
                let role = Role::Stored {
                    state: if is_whole(&chain) { LoadState::Loaded } else { LoadState::Partial },
                    reordered: !chain.requested.order.is_empty(),
                    may_join: !self.single_table_only
                        && !self.by_hops.contains(&association)
                        && !chain.scope.filter.is_always()
                        && !is_between_loaded(association, &siblings),
                };
                let edges = match request.loader {
                    Some(loader) => vec![self.add_loader(node, &chain, loader)?],
                    None => self.add(
                        node,
                        PlanRequest { role, columns: Columns::OfRows, joined, ..PlanRequest::part(&chain) },
                    )?,
                };
                for edge in &edges {
                    let model = self.nodes[self.nodes[node].edges[*edge].child].model;
                    children.extend(model.base_scope(unscoped).includes.into_iter().map(Request::into_include));
                }
                children.retain(|child| !(child.included && included_by.contains(&child.association)));
                for edge in &edges {
                    let child = self.nodes[node].edges[*edge].child;
                    let model = self.nodes[child].model;
                    // Below a polymorphic association each type takes the requests that are its own.
                    let own: Vec<Request> = if edges.len() == 1 {
                        std::mem::take(&mut children)
                    } else {
                        children.extract_if(.., |request| (request.association.owner)() == model).collect()
                    };
                    if !own.is_empty() {
                        pending.push_back((
                            at + 1,
                            Deferred { node: child, requests: own, included_by: included_by.clone() },
                        ));
                    }
                }
                if let Some(foreign) = children.first() {
                    return Err(ErrorKind::UnknownAssociation {
                        model: (association.owner)().name,
                        name: format!("{}.{}", association.name, foreign.association.name),
                        known: Vec::new(),
                    }
                    .into());
                }
            }
        }
        Ok(())
    }

    // Whether a node's rows come with the root's own statement.
    pub(super) fn is_joined(&self, node: usize) -> bool {
        match self.nodes[node].fetched_by {
            None => self.root == Root::Fetched,
            Some(edge) => matches!(self.edge(edge).source, Source::Joined { .. }),
        }
    }
}

// Whether a request gives all that the association declares. Where that is a selection, another order selects other
// rows: the first of a `has_one`, of a group, the first few of an association with a limit.
fn is_whole(chain: &Chain) -> bool {
    let Chain { association, scope, requested, .. } = chain;
    // A scope that depends on the owner may cut as well.
    let cuts = || scope.limit.is_some() || scope.offset.is_some() || association.options.owner_scope.is_some();
    let selects = || cuts() || !scope.group.is_empty() || chain.takes_first();
    requested.is_whole() && (requested.order.is_empty() || !selects())
}

// The associations among these requests that are loaded as they are, by statements of their own.
fn loaded_whole(requests: &[Request]) -> Vec<&'static AssociationDef> {
    let is_whole = |request: &&Request| {
        request.strategy != Strategy::Joined
            && request.loader.is_none()
            && request.scope.is_whole()
            && request.scope.order.is_empty()
    };
    requests.iter().filter(is_whole).map(|request| request.association).collect()
}
