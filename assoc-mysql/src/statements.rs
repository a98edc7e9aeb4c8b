//! Prepared statements of one connection, by their text.
//!
//! mysql_async has a cache as well, which scans the text for `:name` placeholders before every look-up. This one looks
//! up the text as it is and returns a statement that is ready to run, so a list of 1,024 placeholders is scanned only
//! once. A new statement replaces the least recently used one. Finding that one is a walk over the cache, which only a
//! statement that must be prepared pays for, and that costs a round trip anyway.

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
    clock: u64,
    changes: SchemaChanges,
    // How many of them these statements know.
    known: u64,
    by_text: HashMap<Arc<str>, Entry>,
}

#[derive(Debug)]
struct Entry {
    statement: Prepared,
    alters_session: bool,
    used: u64,
}

impl Statements {
    pub(crate) fn new(capacity: usize, changes: SchemaChanges) -> Self {
        Statements { capacity, clock: 0, known: changes.count(), changes, by_text: HashMap::new() }
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
    pub(crate) fn get(&mut self, sql: &str) -> Option<(Prepared, bool)> {
        self.clock += 1;
        let entry = self.by_text.get_mut(sql)?;
        entry.used = self.clock;
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
        let evicted = if self.by_text.len() < self.capacity {
            None
        } else {
            let oldest = self.by_text.iter().min_by_key(|(_, entry)| entry.used).map(|(text, _)| Arc::clone(text));
            oldest.and_then(|text| self.by_text.remove(&text)).map(|entry| entry.statement)
        };
        self.by_text.insert(sql, Entry { statement, alters_session, used: self.clock });
        evicted
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
