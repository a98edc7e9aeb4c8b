//! Recursions while a plan runs: which have begun, and the rows that one statement has read for the levels below.
//!
//! The first level that has to ask the database begins a recursion. Where the database reads
//! [recursions at once](assoc_core::dialect::Recursions::AtOnce), its statement reads the levels below as well. These then take
//! their rows from here. A key that the statement did not come by is asked for as always: a level in memory may lead to rows
//! that the database would not have found.

use std::collections::HashMap;

use assoc_core::Value;
use assoc_core::dialect::Recursions;
use assoc_core::driver::{Dialect, KeySet, Lack, Statement, StatementRole};
use assoc_core::execution::RowKeys;
use assoc_core::execution::rows::Rows;
use assoc_core::planner::{RecursionLevel, Step};

use super::fetch::{new_rows, position};

/// Keys up to which the levels below them are read at once. Of many keys the rows outweigh the round trips.
const MOST_KEYS: usize = 256;

/// The recursions that have begun, by the step of their first level.
#[derive(Default)]
pub(super) struct Begun(HashMap<usize, Levels>);

/// How the levels of a recursion are read.
pub(super) enum Levels {
    /// Each by a statement.
    OneByOne,
    /// All by the statement of the first.
    AtOnce(RowsBelow),
}

/// The rows of all levels.
pub(super) struct RowsBelow {
    rows: Box<dyn Rows>,
    // Those of each key that the statement came by.
    of_key: HashMap<i64, Vec<u32>>,
}

/// What a look-up is to its recursion.
pub(super) enum Level {
    /// It belongs to none.
    Alone,
    /// The first that has to ask the database.
    First(Option<Reading>),
    /// One below.
    Below(StatementRole),
}

/// A statement that reads all levels, and the rows that have come.
pub(super) struct Reading {
    pub(super) statement: Statement,
    pub(super) rows: Box<dyn Rows>,
    recursion: RecursionLevel,
}

impl Level {
    /// Whether its statement reads the levels below as well.
    pub(super) fn reads_below(&self) -> bool {
        matches!(self, Level::First(Some(_)))
    }
}

impl Begun {
    /// The rows that were read for a level.
    pub(super) fn rows_for(&self, step: &Step) -> Option<&RowsBelow> {
        match self.0.get(&step.recursion?.first)? {
            Levels::OneByOne => None,
            Levels::AtOnce(rows) => Some(rows),
        }
    }

    /// What a look-up of these keys is, which are not in memory.
    pub(super) fn level(&self, step: &Step, missing: &KeySet, dialect: &dyn Dialect) -> Level {
        let Some(recursion) = step.recursion else { return Level::Alone };
        match self.0.get(&recursion.first) {
            Some(Levels::OneByOne) => Level::Below(StatementRole::StandIn(Lack::RecursiveSelect)),
            // What its statement did not come by.
            Some(Levels::AtOnce(_)) => Level::Below(StatementRole::Continued),
            None if recursion.below == 0 || missing.is_empty() || missing.len() > MOST_KEYS => Level::Alone,
            None => Level::First(Reading::of(step, recursion, missing, dialect)),
        }
    }

    /// Notes that a level has run, and what it has begun. The rows of a recursion are forgotten behind its last level.
    pub(super) fn ran(&mut self, step: &Step, begun: Option<Levels>) {
        let Some(RecursionLevel { first, below, .. }) = step.recursion else { return };
        if below == 0 {
            self.0.remove(&first);
        } else if let Some(levels) = begun {
            self.0.insert(first, levels);
        }
    }
}

impl Reading {
    // `None` where each level is a statement.
    fn of(step: &Step, recursion: RecursionLevel, keys: &KeySet, dialect: &dyn Dialect) -> Option<Self> {
        let at_once = dialect.capabilities().recursions == Recursions::AtOnce;
        // A key that is no signed integer may come from another association that the step serves.
        let fits = matches!(keys, KeySet::Ints(_)) && keys.len() <= dialect.keys_per_statement(1);
        if !at_once || !fits {
            return None;
        }
        // The condition's binds are in it twice, so it may have too many.
        let statement = step.select.levels_statement(dialect, keys, recursion.onward, recursion.below + 1);
        Some(Reading { statement: statement.ok()?, rows: new_rows(&step.select), recursion })
    }
}

impl RowsBelow {
    /// The rows by their keys, from the keys that were asked for down through all levels.
    pub(super) fn new(reading: Reading, columns: &[usize], asked_for: &KeySet) -> Self {
        let Reading { rows, recursion: RecursionLevel { onward, below, .. }, .. } = reading;
        let mut rows_of: HashMap<i64, Vec<u32>> = HashMap::new();
        for (at, key) in integers(rows.keys(columns, 0)).into_iter().enumerate() {
            if let Some(key) = key {
                rows_of.entry(key).or_default().push(position(at));
            }
        }
        let onward = integers(rows.keys(&[onward], 0));
        let mut of_key: HashMap<i64, Vec<u32>> = HashMap::new();
        let mut level: Vec<i64> = match asked_for {
            KeySet::Ints(keys) => keys.to_vec(),
            KeySet::Tuples(_) => Vec::new(),
        };
        for _ in 0..=below {
            let mut next = Vec::new();
            for key in level {
                if of_key.contains_key(&key) {
                    continue;
                }
                let rows = rows_of.remove(&key).unwrap_or_default();
                next.extend(rows.iter().filter_map(|row| onward[*row as usize]));
                of_key.insert(key, rows);
            }
            level = next;
        }
        RowsBelow { rows, of_key }
    }

    /// Copies the rows of the keys that the statement came by, with the place of each row's key, and leaves the other keys.
    pub(super) fn answer(&self, keys: &KeySet, into: &mut dyn Rows, mut place: impl FnMut(i64)) -> KeySet {
        let KeySet::Ints(keys) = keys else { return keys.clone() };
        let mut others = Vec::new();
        for key in keys.iter() {
            let Some(rows) = self.of_key.get(key) else {
                others.push(*key);
                continue;
            };
            for row in rows {
                into.push_from(&*self.rows, *row as usize);
                place(*key);
            }
        }
        KeySet::Ints(others.into())
    }
}

// Keys of one integer column.
fn integers(keys: RowKeys) -> Vec<Option<i64>> {
    match keys {
        RowKeys::Ints(keys) => keys,
        RowKeys::Tuples(keys) => keys
            .iter()
            .map(|key| match key.as_ref()?.values() {
                [Value::Int(key)] => Some(*key),
                _ => None,
            })
            .collect(),
    }
}
