//! Recent run times of statements, so that short ones can stay on the calling thread.
//!
//! Leaving a runtime's thread can cost more than a point query (figures: [`Execution`](crate::Execution)). The text of
//! a statement does not say whether it is short, but a program has few statements and repeats them, so their times can
//! be remembered. The memory is a fixed table with one slot per hash. A collision overwrites a slot, and a statement
//! without a time counts as long. One text serves any number of keys, so the magnitude of that number is part of a
//! statement's identity.
//!
//! An estimate rises at once and falls by an eighth per run, so a statement that is long occasionally counts as long.
//! The first run of a statement always counts as long.

use std::time::Duration;

use assoc_core::driver::Statement;

const SLOTS: usize = 256;

/// What is remembered of one connection's statements.
#[derive(Debug, Default)]
pub(crate) struct Costs(Vec<Slot>);

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    key: u64,
    nanos: u64,
}

/// A statement and the magnitude of its binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CostKey(u64);

impl CostKey {
    pub(crate) fn of(statement: &Statement) -> CostKey {
        let magnitude = usize::BITS - statement.bound_values().leading_zeros();
        CostKey(hash(statement.sql().as_bytes(), u64::from(magnitude)))
    }
}

impl Costs {
    /// Whether the recent runs of the statement were shorter than `limit`.
    pub(crate) fn is_short(&self, key: CostKey, limit: Duration) -> bool {
        let slot = self.0.get(key.0 as usize % SLOTS);
        slot.is_some_and(|slot| slot.key == key.0 && u128::from(slot.nanos) < limit.as_nanos())
    }

    /// Remembers how long a statement took.
    pub(crate) fn record(&mut self, key: CostKey, took: Duration) {
        if self.0.is_empty() {
            self.0.resize(SLOTS, Slot::default());
        }
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        if let Some(slot) = self.0.get_mut(key.0 as usize % SLOTS) {
            let before = if slot.key == key.0 { slot.nanos } else { 0 };
            *slot = Slot { key: key.0, nanos: nanos.max(before - before / 8) };
        }
    }
}

// Any mixing does: eight bytes at a time, multiply and rotate. Never zero, which marks an empty slot.
fn hash(bytes: &[u8], seed: u64) -> u64 {
    const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut state = seed ^ bytes.len() as u64;
    for chunk in bytes.chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        state = (state ^ u64::from_le_bytes(word)).wrapping_mul(FACTOR).rotate_left(29);
    }
    (state ^ (state >> 32)) | 1 << 63
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn estimates_rise_at_once_and_fall_slowly() {
        let limit = Duration::from_micros(50);
        let key = CostKey::of(&Statement::plain("SELECT 1"));
        let mut costs = Costs::default();
        assert!(!costs.is_short(key, limit));
        costs.record(key, Duration::from_micros(3));
        assert!(costs.is_short(key, limit));
        costs.record(key, Duration::from_millis(1));
        assert!(!costs.is_short(key, limit));
        costs.record(key, Duration::from_micros(3));
        assert!(!costs.is_short(key, limit));
        for _ in 0..40 {
            costs.record(key, Duration::from_micros(3));
        }
        assert!(costs.is_short(key, limit));
    }

    #[test]
    fn many_keys_are_another_statement() {
        use assoc_core::driver::{Bind, BindList};
        let statement = |n: i64| {
            Statement::new("SELECT * FROM t WHERE id IN rarray(?)", vec![Bind::List(BindList::Ints((0..n).collect()))])
        };
        assert_eq!(CostKey::of(&statement(9)), CostKey::of(&statement(12)));
        assert_ne!(CostKey::of(&statement(1)), CostKey::of(&statement(1_000)));
    }
}
