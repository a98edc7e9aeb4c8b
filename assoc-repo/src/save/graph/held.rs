//! Rows that are let go, as long as their owners hold them.
//!
//! A look-up of members does not lock what it finds. Until the rows are written, another transaction may give one of them to
//! another owner, and then it is not this save's to let go. So what writes them says whose they are. Where there is one writer at
//! a time, nothing can happen in between.

use std::collections::{HashMap, HashSet};

use assoc_core::counters::Children;
use assoc_core::dialect::RowLocks;
use assoc_core::driver::{Dialect, KeySet};
use assoc_core::execution::KeyTuple;
use assoc_core::metadata::{Expr, ModelDef};
use assoc_core::save::{Lookup, Resolved, Unlink};

use super::Run;

/// Of how many rows a statement names the owners, if there are several.
const MOST_OF_SEVERAL_OWNERS: usize = 500;

/// How many rows are read beside those that are let go, by the statement that reads these.
const MOST_BESIDE: usize = 500;

/// Some of the rows that are let go, with the condition that they are still their owners'.
pub(super) struct HeldRows {
    pub(super) keys: KeySet,
    pub(super) condition: Expr,
}

impl HeldRows {
    /// Adds rows of any owner.
    pub(super) fn add(&mut self, model: &ModelDef, keys: Vec<KeyTuple>) {
        let named = |key: &KeyTuple| model.primary_key.iter().copied().zip(key.values().iter().cloned()).collect();
        let named: Vec<Vec<_>> = keys.iter().map(named).collect();
        let held = std::mem::replace(&mut self.condition, Expr::always());
        self.condition = Expr::any_of(vec![held, Expr::has_one_of(model, &named)]);
        self.keys = KeySet::from_iter(self.keys.tuples().into_iter().chain(keys));
    }
}

/// The rows that a look-up lets go and that are `meant`, in as few parts as there can be.
pub(super) fn held_rows(
    dialect: &dyn Dialect,
    lookup: &Lookup,
    resolved: &Resolved,
    meant: impl Fn(&KeyTuple) -> bool,
) -> Vec<HeldRows> {
    let rows = resolved.let_go.iter().zip(&resolved.members).filter(|(key, _)| meant(key));
    let rows: Vec<(&KeyTuple, u32)> = rows.map(|(key, (owner, _))| (key, *owner)).collect();
    let owners: HashMap<u32, &KeyTuple> =
        lookup.questions.iter().map(|question| (question.row, &question.owner)).collect();
    let is_alone = dialect.capabilities().row_locks == RowLocks::OfWriters;
    let part = |rows: &[(&KeyTuple, u32)]| {
        let mut of_rows: Vec<&KeyTuple> = rows.iter().filter_map(|(_, owner)| owners.get(owner).copied()).collect();
        of_rows.dedup();
        let condition = if is_alone { Expr::always() } else { lookup.still_held_by(&of_rows) };
        HeldRows { keys: KeySet::from_iter(rows.iter().map(|(key, _)| (*key).clone())), condition }
    };
    let of_one_owner = rows.windows(2).all(|pair| pair[0].1 == pair[1].1);
    match rows.len() {
        0 => Vec::new(),
        all if is_alone || of_one_owner => rows.chunks(all).map(part).collect(),
        _ => rows.chunks(MOST_OF_SEVERAL_OWNERS).map(part).collect(),
    }
}

/// Rows that exist and change, of one model.
#[derive(Default)]
pub(super) struct Existing {
    /// The lookups whose rows are let go.
    pub(super) lookups: Vec<usize>,
    /// Those that are updated, by planned row.
    pub(super) updated: Vec<(u32, KeyTuple)>,
}

impl Existing {
    /// Those of a model, as far as something follows.
    pub(super) fn of(
        run: &Run<'_>,
        children: &Children,
        let_go: &[(&Lookup, Resolved)],
        unneeded: &HashSet<u32>,
    ) -> Self {
        let mut existing = Existing::default();
        let model = children.model;
        for (at, (lookup, _)) in let_go.iter().enumerate() {
            if lookup.table == model && !model.primary_key.is_empty() && follows(lookup, children) {
                existing.lookups.push(at);
            }
        }
        // A callback may still say anything of a row, so all of them are read.
        let may_change = run.may_change(model);
        for (row, planned) in run.written_rows(unneeded).filter(|(_, planned)| planned.model == model) {
            let Some(key) = planned.base.as_ref().and_then(|base| model.key_of(&**base)) else { continue };
            let is_set = |column: usize| run.plan.rows().is_set(planned, column);
            if may_change || children.is_read_first(run.repo.touches, is_set) {
                existing.updated.push((row, key));
            }
        }
        existing
    }

    /// The rows to be read, with the lookup whose rows are only read if their owners still hold them.
    pub(super) fn to_read(
        &self,
        dialect: &dyn Dialect,
        model: &'static ModelDef,
        let_go: &[(&Lookup, Resolved)],
    ) -> Vec<(Option<usize>, HeldRows)> {
        let parts = self.lookups.iter().flat_map(|at| {
            let (lookup, resolved) = &let_go[*at];
            held_rows(dialect, lookup, resolved, |_| true).into_iter().map(move |part| (Some(*at), part))
        });
        let (others, mut held): (Vec<_>, Vec<_>) = parts.partition(|(_, part)| part.condition.is_always());
        let mut others: Vec<KeyTuple> = others.iter().flat_map(|(_, part)| part.keys.tuples()).collect();
        others.extend(self.updated.iter().map(|(_, key)| key.clone()));
        // Few others are read by the same statement.
        if let [(_, only)] = &mut held[..]
            && !others.is_empty()
            && others.len() <= MOST_BESIDE
        {
            only.add(model, std::mem::take(&mut others));
        }
        if !others.is_empty() {
            held.push((None, HeldRows { keys: KeySet::from_iter(others), condition: Expr::always() }));
        }
        held
    }
}

/// Whether counters or times of parents depend on the rows that a lookup removes. A destroy updates them itself.
pub(super) fn follows(lookup: &Lookup, children: &Children) -> bool {
    let counts = || children.parents.iter().any(|parent| parent.counter.is_some());
    lookup.unlink != Unlink::Destroy && (lookup.moves_times || counts())
}
