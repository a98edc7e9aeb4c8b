//! From a tree of requested associations to the fewest statements that load it. Pure: no I/O, no database.
//!
//! # Nodes and steps
//!
//! The request is a tree: the root's rows, and under each [`Node`] one [`Edge`] an association. A node is where rows
//! will lie in memory; a [`Step`] is a statement that fetches rows. The two are different things, because one
//! statement can serve several nodes: `posts → author` and `posts → comments → author` are two nodes and one step.
//!
//! ```text
//!   request                        nodes            steps
//!   Post ─┬─ author                1 User           1 comments by post_id   feeds 2
//!         └─ comments ── author    2 Comment        2 users by id           feeds 1 and 3
//!                                  3 User
//! ```
//!
//! Two nodes may share a step if they ask for the same rows of the same model by the same columns, under the same
//! filter and in the same order, and if neither waits for the other. Whether that holds is decided greedily, parents
//! before children: a node joins the first step that loads the same and that its parent's step does not have to wait
//! for; otherwise it gets a step of its own. So steps never form a cycle, and running them in the order of
//! [`Plan::steps`] finds every step's keys ready.
//!
//! # Rows that are in memory already
//!
//! A look-up by primary key first takes the rows that earlier steps (or the root query) fetched: the inverse of a
//! `has_many` is always among them, so `users → posts → user` costs no third statement. Rows the *application* holds
//! (`repo.preload`) may be stale; only true inverses are taken from those.
//!
//! Property 4 of the design asks for the fewest statements. Finding the minimum for any tree is a hard problem; the
//! greedy choice is the minimum for every case of the reference table, and never worse than one step a node.

mod explain;
mod request;
mod steps;

pub use request::{IntoPreload, Preload, Request, Scope, Shape};

use crate::association::{AssociationDef, Cardinality, Hop, LoadState, Route};
use crate::error::Result;
use crate::model::ModelDef;
use crate::sql::KeyedSelect;

/// Where a node's rows come from at the root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Root {
    /// The request's own query fetches them.
    Fetched,
    /// The application holds them.
    Held,
}

/// What to load, in which steps.
#[derive(Debug, Clone)]
pub struct Plan {
    pub(crate) root: Root,
    pub(crate) nodes: Vec<Node>,
    pub(crate) steps: Vec<Step>,
}

/// Rows of one model at one place of the request. Node 0 is the root.
#[derive(Debug, Clone)]
pub struct Node {
    /// The model.
    pub model: &'static ModelDef,
    /// The node above and which of its edges leads here; `None` for the root.
    pub parent: Option<(usize, usize)>,
    /// The associations to load for these rows.
    pub edges: Vec<Edge>,
}

/// An association to load for the rows of a node.
#[derive(Debug, Clone)]
pub struct Edge {
    /// The association.
    pub association: &'static AssociationDef,
    /// The key it goes by.
    pub hop: Hop,
    /// How many targets an owner has.
    pub cardinality: Cardinality,
    /// The node its rows go to.
    pub child: usize,
    /// The state it leaves the association in.
    pub state: LoadState,
    /// The step that fetches its rows.
    pub step: usize,
}

/// One statement (or one per chunk of keys) and what it serves.
#[derive(Debug, Clone)]
pub struct Step {
    /// What is selected.
    pub select: KeyedSelect,
    /// The edges it serves, as node and edge.
    pub serves: Vec<(usize, usize)>,
    /// Nodes in whose rows keys are looked for before asking the database.
    pub memory: Vec<usize>,
}

impl Plan {
    /// Plans a request: the associations to load for rows of `model`.
    ///
    /// # Errors
    /// When one association is asked for twice in different ways, or a declaration does not hold together. Both are
    /// found before any SQL runs.
    pub fn new(model: &'static ModelDef, root: Root, requests: Vec<Request>) -> Result<Plan> {
        let requests = request::merge(requests)?;
        let mut plan = Plan { root, nodes: vec![Node { model, parent: None, edges: Vec::new() }], steps: Vec::new() };
        plan.add_edges(0, requests)?;
        plan.assign_steps();
        Ok(plan)
    }

    /// The nodes; the root is the first, and every node comes after the one above it.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The steps, in an order in which they can run.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Where the root's rows come from.
    #[must_use]
    pub fn root(&self) -> Root {
        self.root
    }

    // Level by level, so that parents precede children and siblings keep the order they were asked for in.
    fn add_edges(&mut self, node: usize, requests: Vec<Request>) -> Result<()> {
        let mut queue = std::collections::VecDeque::from([(node, requests)]);
        while let Some((node, requests)) = queue.pop_front() {
            for request in requests {
                let association = request.association;
                let Route::Direct(hop) = association.kind.route(association)? else { continue };
                let child = self.nodes.len();
                let edge = self.nodes[node].edges.len();
                self.nodes.push(Node { model: (association.target)(), parent: Some((node, edge)), edges: Vec::new() });
                let whole = request.shape.is_whole();
                self.nodes[node].edges.push(Edge {
                    association,
                    hop,
                    cardinality: association.kind.cardinality(),
                    child,
                    state: if whole { LoadState::Loaded } else { LoadState::Partial },
                    step: usize::MAX,
                });
                let select = KeyedSelect {
                    model: (association.target)(),
                    columns: hop.target_columns,
                    filter: request.shape.filter,
                    order: request.shape.order,
                    ordered: !hop.unique,
                };
                self.steps.push(Step { select, serves: vec![(node, edge)], memory: Vec::new() });
                queue.push_back((child, request.children));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
