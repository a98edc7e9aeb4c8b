//! Runs a [`Plan`]: fetches downwards, attaches upwards.
//!
//! # Fetch
//!
//! The steps run in the plan's order; neighbours that do not depend on one another run [together]. For each step the executor collects the distinct keys of all owners that it
//! serves, takes rows from memory where that is allowed, and fetches the others. Rows are decoded straight into a flat
//! `Vec` of their model and assigned to keys; each owner gets a run of positions in that vector. No struct changes in
//! this phase, so the program's structs stay unchanged if a statement fails or the caller drops the future.
//!
//! # Attach
//!
//! From the leaves to the root, each node's rows receive their own associations and are then moved into their owners
//! (or wrapped in an `Arc` and shared). This part has no `await` and cannot fail.
//!
//! # Existing rows
//!
//! `repo.preload` works on existing structs of the program, some of whose associations may be loaded. A node's rows are
//! then the loaded ones, in the order in which a walk from the root finds them, followed by the fetched ones. The fetch
//! phase reads their keys, and the attach phase walks them again to attach what was missing.
//!
//! The intermediate rows of a through association may be loaded. They are [reused](reuse) unless they are [stale].

pub(crate) mod aggregates;
mod attach;
mod by_join_chain;
mod existing;
mod fetch;
mod fold;
mod index;
mod joined_rows;
mod key_look_up;
mod order;
mod parts;
mod per_owner;
mod recursions;
mod reuse;
mod stale;
mod through;
mod together;

use assoc_core::driver::{KeySet, Statement};
use assoc_core::execution::rows::Rows;
use assoc_core::execution::{Links, RowKeys};
use assoc_core::metadata::{AggregateValues, AssociationDef, Request};
use assoc_core::planner::Plan;
use assoc_core::select::{JoinedSelect, RootSelect};
use assoc_core::{LoadState, Result};

use self::fetch::RootRows;
use self::parts::Loaded;
use crate::carried::{TakeCarried, query_carrying};
use crate::session::Session;

pub(crate) use existing::{ErasedRows, Existing, ExistingRows};

/// The rows of one node while a plan runs: those the application holds, then those that were fetched.
struct NodeRows {
    existing: usize,
    fetched: Box<dyn Rows>,
    // The group of each fetched row, if the step selects groups.
    group_of: Vec<i64>,
    // One entry an edge, once its step has run.
    links: Vec<Option<EdgeLinks>>,
    // The aggregates that the rows get.
    given: Vec<Box<dyn AggregateValues>>,
}

/// What an edge's owners get. Positions count fetched rows of the child node.
struct EdgeLinks {
    links: Links,
    // Owners that this edge leaves alone: they keep what they hold, or another type of the association is theirs.
    kept: Vec<bool>,
    // For each link the row between, of a join table whose rows are kept.
    via: Option<Vec<u32>>,
    // Owners that forget what they hold: their type is none that the association knows.
    forgotten: Vec<usize>,
}

impl NodeRows {
    fn new(plan: &Plan, node: usize, existing: usize, fetched: Box<dyn Rows>) -> Self {
        NodeRows {
            existing,
            fetched,
            group_of: Vec::new(),
            links: plan.nodes()[node].edges.iter().map(|_| None).collect(),
            given: Vec::new(),
        }
    }
}

/// Loads associations of rows that the request itself fetched.
pub(crate) async fn load_fetched(session: &mut Session<'_>, plan: &Plan, rows: Box<dyn Rows>) -> Result<Box<dyn Rows>> {
    if rows.is_empty() {
        return Ok(rows);
    }
    let loaded = parts::fetch(session, plan, RootRows::Fetched(rows), None).await?;
    Ok(complete(plan, loaded))
}

/// Runs a statement that loads joined associations with the root, and loads the others.
pub(crate) async fn load_joined(
    session: &mut Session<'_>,
    plan: &Plan,
    load: &JoinedSelect,
    spec: &RootSelect,
    statement: &Statement,
    carried: &mut dyn TakeCarried,
) -> Result<Box<dyn Rows>> {
    let mut rows = joined_rows::Assembly::new(plan, load, &spec.joins);
    query_carrying(session, statement, &mut rows, spec.carried.len(), carried).await?;
    let loaded = parts::fetch(session, plan, RootRows::Joined(rows.finish()?), None).await?;
    Ok(complete(plan, loaded))
}

fn complete(plan: &Plan, mut loaded: Loaded) -> Box<dyn Rows> {
    attach::run(loaded.grown.as_deref().unwrap_or(plan), &mut loaded.nodes, None)
}

/// Loads every requested association of existing rows again, also those that are loaded.
///
/// An association through others is loaded again together with the rows between, where a struct holds those: the two agree
/// afterwards.
#[derive(Default)]
pub(crate) struct Reload {
    // The associations between, with the root whose rows hold them; they are loaded for rows that hold them.
    between: Vec<(usize, &'static AssociationDef)>,
}

impl Reload {
    /// Adds the loaded associations between to the requests of a root.
    pub(crate) fn add_rows_between(&mut self, existing: &dyn Existing, root: usize, requests: &mut Vec<Request>) {
        let mut next = 0;
        while let Some(request) = requests.get(next) {
            next += 1;
            let Some([through, _]) = request.association.kind.parts().filter(|_| request.aggregate.is_none()) else {
                continue;
            };
            let mut is_loaded = false;
            let field = through.field_access;
            existing.visit(root, &mut |row| is_loaded |= field.state(row) == LoadState::Loaded);
            if is_loaded && !requests.iter().any(|other| other.association == through) {
                requests.push(Request::new(through));
                self.between.push((root, through));
            }
        }
    }

    fn is_only_where_loaded(&self, node: usize, association: &'static AssociationDef) -> bool {
        self.between.contains(&(node, association))
    }
}

/// The associations of a plan that one statement joins as a whole, though structs hold the rows between: those are to be
/// planned table by table.
pub(crate) fn joined_in_vain(plan: &Plan, existing: &dyn Existing) -> Vec<&'static AssociationDef> {
    reuse::joined_in_vain(plan, existing)
}

/// What was fetched for rows the application holds, which are unchanged as yet.
pub(crate) struct Fetched(Loaded);

impl Fetched {
    /// Gives the rows what was fetched for them. Cannot fail, so that they get all of it or nothing.
    pub(crate) fn attach(mut self, plan: &Plan, existing: &mut (dyn Existing + '_)) {
        let Loaded { grown, nodes } = &mut self.0;
        attach::run(grown.as_deref().unwrap_or(plan), nodes, Some(existing));
    }
}

/// Fetches associations of rows the application holds: what is missing, or everything that is reloaded.
pub(crate) async fn fetch_existing(
    session: &mut Session<'_>,
    plan: &Plan,
    existing: &mut (dyn Existing + '_),
    reload: Option<&Reload>,
) -> Result<Fetched> {
    parts::fetch(session, plan, RootRows::Existing(existing), reload).await.map(Fetched)
}

/// Which of the distinct keys each owner's is.
pub(crate) fn places_of(keys: &KeySet, owners: &RowKeys) -> Vec<Option<usize>> {
    index::KeyIndex::new(keys).of_rows(owners)
}
