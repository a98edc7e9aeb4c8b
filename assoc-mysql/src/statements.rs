//! Prepared statements of one connection, by their text.
//!
//! mysql_async has a cache as well, which scans the text for `:name` placeholders before every look-up. This one looks
//! up the text as it is and returns a statement that is ready to run, so a list of 1,024 placeholders is scanned only
//! once.
//!
//! A new statement replaces any other. The least recently used one is the wrong choice where a program runs one text after the
//! other and has one more than the cache holds: each text is dropped just before its turn, and every statement costs two round
//! trips. With a random choice nearly all of them stay (the tests below count both). Walking to it costs little beside the
//! round trip of preparing.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use mysql_async::Statement as Prepared;

/// How often the connections of one driver have changed tables.
///
/// MySQL prepares a statement anew if a table that it names has changed, but keeps what it made of the types of the
/// parameters. An `INSERT` that was prepared for a `DATE` then stores something else in what is a `DECIMAL` now.
#[derive(Debug, Clone, Default)]
pub(crate) struct SchemaChanges(Arc<AtomicU64>);

impl SchemaChanges {
    pub(crate) fn count(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    /// Notes one.
    pub(crate) fn note(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}

#[derive(Debug)]
pub(crate) struct Statements {
    capacity: usize,
    // What chooses the statement to replace.
    dice: u64,
    changes: SchemaChanges,
    // How many of them these statements know.
    known: u64,
    by_text: HashMap<Arc<str>, Entry>,
}

#[derive(Debug)]
struct Entry {
    statement: Prepared,
    alters_session: bool,
}

impl Statements {
    pub(crate) fn new(capacity: usize, changes: SchemaChanges) -> Self {
        Statements { capacity, dice: 0, known: changes.count(), changes, by_text: HashMap::new() }
    }

    /// Takes the statements out that were prepared before tables have changed. The caller closes them on the server.
    pub(crate) fn take_outdated(&mut self) -> Vec<Prepared> {
        let count = self.changes.count();
        if self.known == count {
            return Vec::new();
        }
        self.known = count;
        self.by_text.drain().map(|(_, entry)| entry.statement).collect()
    }

    /// Notes that a statement may have changed tables.
    pub(crate) fn note_change(&self) {
        self.changes.note();
    }

    /// A statement, and whether it alters its session.
    pub(crate) fn get(&self, sql: &str) -> Option<(Prepared, bool)> {
        let entry = self.by_text.get(sql)?;
        Some((entry.statement.clone(), entry.alters_session))
    }

    pub(crate) fn contains(&self, sql: &str) -> bool {
        self.known == self.changes.count() && self.by_text.contains_key(sql)
    }

    /// Keeps a statement. The caller must close the returned statement on the server: the replaced one, or, if the
    /// cache keeps nothing, the statement itself after it has run.
    #[must_use]
    pub(crate) fn put(&mut self, sql: Arc<str>, statement: Prepared, alters_session: bool) -> Option<Prepared> {
        if self.capacity == 0 {
            return None;
        }
        let evicted = if self.by_text.len() < self.capacity { None } else { self.take_any() };
        self.by_text.insert(sql, Entry { statement, alters_session });
        evicted
    }

    /// Takes half of the statements out, at least one if there are any: the server has no room for more. The caller closes them
    /// there.
    pub(crate) fn take_half(&mut self) -> Vec<Prepared> {
        let count = self.by_text.len().div_ceil(2);
        (0..count).filter_map(|_| self.take_any()).collect()
    }

    fn take_any(&mut self) -> Option<Prepared> {
        let at = throw(&mut self.dice, self.by_text.len());
        let text = self.by_text.keys().nth(at).map(Arc::clone)?;
        self.remove(&text)
    }

    pub(crate) fn remove(&mut self, sql: &str) -> Option<Prepared> {
        self.by_text.remove(sql).map(|entry| entry.statement)
    }

    /// Forgets all of them: the server has.
    pub(crate) fn clear(&mut self) {
        self.by_text.clear();
    }

    /// Whether statements are closed as soon as they have run.
    pub(crate) fn is_off(&self) -> bool {
        self.capacity == 0
    }
}

/// A number below `sides`, by a linear congruential generator: nothing depends on its being unpredictable.
fn throw(dice: &mut u64, sides: usize) -> usize {
    *dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    // The high bits are the random ones. Less than `sides`, so it fits.
    ((u128::from(*dice) * sides as u128) >> 64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;

    // How many of the texts are prepared, by random replacement and by that of the least recently used. `mysql_async` makes
    // statements of a connection only, so the texts stand for them.
    fn prepared(capacity: usize, texts: impl Iterator<Item = usize>) -> (usize, usize) {
        let (mut dice, mut random, mut least) = (0, Vec::new(), VecDeque::new());
        let (mut by_random, mut by_age) = (0, 0);
        for text in texts {
            if !random.contains(&text) {
                by_random += 1;
                if random.len() == capacity {
                    random.swap_remove(throw(&mut dice, capacity));
                }
                random.push(text);
            }
            match least.iter().position(|kept| *kept == text) {
                Some(at) => drop(least.remove(at)),
                None => {
                    by_age += 1;
                    if least.len() == capacity {
                        least.pop_front();
                    }
                }
            }
            least.push_back(text);
        }
        (by_random, by_age)
    }

    #[test]
    fn one_text_too_many_is_not_the_end_of_the_cache() {
        let rounds = 50;
        for (texts, at_most) in [(257, 0.05), (288, 0.25), (384, 0.65)] {
            let (by_random, by_age) = prepared(256, (0..rounds).flat_map(|_| 0..texts));
            let runs = rounds * texts;
            assert_eq!(by_age, runs, "the least recently used is always the next");
            assert!((by_random as f64) < runs as f64 * at_most, "{by_random} of {runs} with {texts} texts");
        }
    }

    #[test]
    fn frequent_texts_are_rarely_prepared_again() {
        // Ten texts between two of a thousand others.
        let texts = (0..10_000).flat_map(|at| (0..10).chain([10 + at % 1_000]));
        let (by_random, by_age) = prepared(256, texts);
        assert!(by_random < by_age + by_age / 10, "{by_random} and {by_age}");
    }

    #[test]
    fn every_side_of_the_dice_comes() {
        let mut dice = 0;
        for sides in [1, 2, 7, 256] {
            let seen: std::collections::BTreeSet<usize> = (0..sides * 20).map(|_| throw(&mut dice, sides)).collect();
            assert_eq!(seen.into_iter().collect::<Vec<_>>(), (0..sides).collect::<Vec<_>>());
        }
    }
}
