//! Runs a plan part by part: where a deep request goes on below rows that were found, the next part is planned.
//!
//! The first part is the whole plan of all but very deep or wide requests. What a request asks for below rows that are not
//! there is never planned, so a recursion without end over a small tree costs what the tree costs.
//!
//! # Rows that lead back to themselves
//!
//! A recursion over rows that are a cycle (a row that is its own parent) has no end. It is found by its rows: from a row of
//! the deepest level the way back to the beginning of the recursion comes by some row twice. The way is gone after
//! [`LEVELS_BEFORE_CYCLES`] levels, and again each time the depth has doubled, which costs no more than to load the rows
//! did. Where the way is free of repetitions though the rows have a cycle somewhere, the next time finds it: rows that lie
//! in no cycle come to an end.
//!
//! The alternative that lost is to end the recursion quietly at a row that was seen: what such a row's association holds
//! would then depend on where the row was found.

use std::collections::HashSet;

use assoc_core::execution::KeyTuple;
use assoc_core::metadata::AssociationDef;
use assoc_core::planner::Plan;
use assoc_core::{ErrorKind, Result};

use super::fetch::{RootRows, Run};
use super::recursions::Begun;
use super::reuse::{Collecting, Reused};
use super::{NodeRows, Reload, aggregates, through};
use crate::session::Session;

/// Levels of a recursion that are loaded whether or not rows are found again.
const LEVELS_BEFORE_CYCLES: usize = 32;

/// Ways back that are looked at at a time: of recursions in recursions there may be many, and a cycle that is missed ends at
/// the limit of levels.
const MOST_WALKS: usize = 16;

/// Levels that rows can be loaded below the root's.
const MOST_LEVELS: usize = 10_000;

/// What a plan loaded.
pub(super) struct Loaded {
    /// The plan with the parts that were added while it ran, if there are any.
    pub(super) grown: Option<Box<Plan>>,
    pub(super) nodes: Vec<Option<NodeRows>>,
}

/// Runs all parts of a plan.
pub(super) async fn fetch(
    session: &mut Session<'_>,
    plan: &Plan,
    root: RootRows<'_>,
    reload: Option<&Reload>,
) -> Result<Loaded> {
    let mut run = Run::new(session, plan, root, reload)?;
    run.run_steps(0).await?;
    if plan.deferred().is_empty() {
        run.compose_links();
        let Run { session, existing, mut nodes, .. } = run;
        aggregates::run(session, plan, existing, &mut nodes).await?;
        return Ok(Loaded { grown: None, nodes });
    }
    // Boxed: other requests need not carry its state.
    Box::pin(go_on(run)).await
}

async fn go_on(run: Run<'_, '_>) -> Result<Loaded> {
    let Run { session, plan, existing, reload, mut reused, mut nodes, .. } = run;
    let mut grown = Box::new(plan.clone());
    let mut check_at = LEVELS_BEFORE_CYCLES;
    loop {
        let has_rows =
            |node: usize| nodes[node].as_ref().is_some_and(|rows| rows.existing > 0 || !rows.fetched.is_empty());
        refuse_cycles(&grown, &nodes, &reused, &has_rows, &mut check_at)?;
        let begun: Vec<usize> =
            grown.deferred().iter().map(|deferred| deferred.node).filter(|node| has_rows(*node)).collect();
        let (ran, known) = (grown.steps().len(), grown.nodes().len());
        if !session.plan_context().plan_deferred(&mut grown, &has_rows)? {
            break;
        }
        nodes.resize_with(grown.nodes().len(), || None);
        for node in begun {
            if let Some(rows) = &mut nodes[node] {
                rows.links.resize_with(grown.nodes()[node].edges.len(), || None);
            }
        }
        if let (Some(root), None) = (existing, reload) {
            // The nodes before are the same ones, and have their rows.
            reused = Collecting::of_structs(&grown, root)?;
            reused.forget_rows(known);
        }
        let begun = Begun::default();
        let mut run = Run { session: &mut *session, plan: &grown, existing, reload, reused, nodes, begun };
        run.run_steps(ran).await?;
        (nodes, reused) = (run.nodes, run.reused);
        refuse_too_deep(&grown, &nodes, known)?;
    }
    let mut run = Run { session, plan: &grown, existing, reload, reused, nodes, begun: Begun::default() };
    run.compose_links();
    let Run { session, existing, mut nodes, .. } = run;
    aggregates::run(session, &grown, existing, &mut nodes).await?;
    Ok(Loaded { grown: Some(grown), nodes })
}

// Refuses rows that lie deeper than any may, among the nodes from one on.
fn refuse_too_deep(plan: &Plan, nodes: &[Option<NodeRows>], from: usize) -> Result<()> {
    for (node, rows) in plan.nodes().iter().zip(nodes).skip(from) {
        let too_many = node.level > MOST_LEVELS && rows.as_ref().is_some_and(|rows| !rows.fetched.is_empty());
        if let (true, Some(id)) = (too_many, node.stored_by) {
            return Err(too_deep(plan.edge(id).association, MOST_LEVELS, None));
        }
    }
    Ok(())
}

// Refuses to go on in a cycle.
fn refuse_cycles(
    plan: &Plan,
    nodes: &[Option<NodeRows>],
    reused: &Reused,
    has_rows: &dyn Fn(usize) -> bool,
    check_at: &mut usize,
) -> Result<()> {
    let (mut deepest, mut walks) = (0, 0);
    for deferred in plan.deferred().iter().filter(|deferred| has_rows(deferred.node)) {
        let level = plan.nodes()[deferred.node].level;
        deepest = deepest.max(level);
        if level >= *check_at {
            for recursion in deferred.requests.iter().filter(|request| request.levels > 1) {
                walks += 1;
                if walks > MOST_WALKS {
                    break;
                }
                if let Some(row) = repeated_row(plan, nodes, reused, deferred.node, recursion.association) {
                    return Err(too_deep(recursion.association, level, Some(row)));
                }
            }
        }
    }
    if deepest >= *check_at {
        *check_at = deepest.saturating_mul(2);
    }
    Ok(())
}

// A row that occurs twice in the chain of owners from one row of a node back to the beginning of the recursion.
fn repeated_row(
    plan: &Plan,
    nodes: &[Option<NodeRows>],
    reused: &Reused,
    mut node: usize,
    association: &AssociationDef,
) -> Option<String> {
    let mut at = 0;
    let mut seen: HashSet<KeyTuple> = HashSet::new();
    loop {
        let rows = nodes[node].as_ref()?;
        let model = plan.nodes()[node].model;
        let key = model.key_in(rows.fetched.row(at)?, model.primary_key)?;
        let shown = format!("{} {key}", model.name);
        if !seen.insert(key) {
            return Some(shown);
        }
        // A recursion's rows are all of one model, and each level is stored by the association.
        let id = plan.nodes()[node].stored_by.filter(|id| plan.edge(*id).association == association)?;
        let links = through::links_of(plan, nodes, reused, id)?;
        let owner = links.by_owner().find_map(|(owner, mut own)| own.any(|row| row == at).then_some(owner))?;
        // Owners that the application holds come first; their way ends here.
        at = owner.checked_sub(nodes[id.node].as_ref()?.existing)?;
        node = id.node;
    }
}

#[cold]
fn too_deep(association: &AssociationDef, levels: usize, cycle: Option<String>) -> assoc_core::Error {
    let model = (association.owner)().name;
    ErrorKind::PreloadTooDeep { model, association: association.name, levels, cycle }.into()
}
