//! The rows whose times a transaction has moved, so that it moves them once (F159).
//!
//! The first write of a transaction that touches a row sets its times; what follows in the same transaction leaves them. So a
//! row is written once, has one time, and is read as it will be committed at any moment in between. Rails collects touches
//! until COMMIT instead; then what is read inside of the transaction, and what a save returns, is not what will be stored.
//!
//! What is known belongs to the level (the transaction, or a savepoint in it) in which it was written. When a savepoint is kept,
//! it belongs to the level around it; when it is undone, it is forgotten, because the times are the old ones again. Whatever else
//! writes rows of a table makes the transaction forget what it knows of that table.

use std::collections::{BTreeMap, HashMap};

use assoc_core::counters::ParentGroup;
use assoc_core::driver::KeySet;
use assoc_core::execution::KeyTuple;
use assoc_core::metadata::{Expr, ModelDef};
use assoc_core::value::DateTime;

/// Of each open level, the outermost first.
#[derive(Default)]
pub(crate) struct TouchedRows {
    levels: Vec<Vec<OfOneKey>>,
}

/// The rows of one model, found by one key.
struct OfOneKey {
    model: &'static ModelDef,
    key: &'static [usize],
    conditions: Expr,
    rows: HashMap<KeyTuple, BTreeMap<usize, DateTime>>,
}

impl OfOneKey {
    fn is_of(&self, group: &ParentGroup) -> bool {
        self.model == group.model && self.key == group.key && self.conditions == group.conditions
    }
}

/// What a write does to rows of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    /// New rows come: what is known by primary keys stays true.
    Inserted,
    /// Rows change, or go.
    Changed,
}

impl TouchedRows {
    /// Takes what was touched before out of what is to be touched.
    pub(crate) fn skip(&self, group: &mut ParentGroup) {
        for known in self.levels.iter().flatten() {
            if known.is_of(group) {
                group.leave_out(|key| known.rows.get(key));
            }
        }
    }

    /// Notes rows that were touched in the level at some depth.
    pub(crate) fn note(&mut self, depth: usize, group: &ParentGroup, keys: &KeySet, now: DateTime) {
        if self.levels.len() <= depth {
            self.levels.resize_with(depth + 1, Vec::new);
        }
        let level = &mut self.levels[depth];
        let at = level.iter().position(|known| known.is_of(group)).unwrap_or_else(|| {
            let (conditions, rows) = (group.conditions.clone(), HashMap::new());
            level.push(OfOneKey { model: group.model, key: group.key, conditions, rows });
            level.len() - 1
        });
        for key in keys.tuples() {
            let Some(row) = group.rows.get(&key).filter(|row| !row.touched.is_empty()) else { continue };
            level[at].rows.entry(key).or_default().extend(row.touched.iter().map(|column| (*column, now)));
        }
    }

    /// Forgets what another write may have changed.
    pub(crate) fn forget(&mut self, model: &ModelDef, written: Written) {
        for level in &mut self.levels {
            level.retain(|known| {
                let by_primary_key = known.key == known.model.primary_key && known.conditions.is_always();
                known.model.table != model.table || written == Written::Inserted && by_primary_key
            });
        }
    }

    /// Forgets everything.
    pub(crate) fn forget_all(&mut self) {
        self.levels.clear();
    }

    /// The savepoint at some depth, which is the innermost, is kept.
    pub(crate) fn keep(&mut self, depth: usize) {
        if depth == 0 || self.levels.len() <= depth {
            return;
        }
        for inner in self.levels.drain(depth..).flatten().collect::<Vec<_>>() {
            let outer = &mut self.levels[depth - 1];
            let is_same = |known: &OfOneKey| {
                (known.model, known.key) == (inner.model, inner.key) && known.conditions == inner.conditions
            };
            match outer.iter().position(is_same) {
                None => outer.push(inner),
                Some(at) => inner.rows.into_iter().for_each(|(key, columns)| {
                    outer[at].rows.entry(key).or_default().extend(columns);
                }),
            }
        }
    }

    /// The levels from some depth on are undone.
    pub(crate) fn undo(&mut self, depth: usize) {
        self.levels.truncate(depth);
    }
}
