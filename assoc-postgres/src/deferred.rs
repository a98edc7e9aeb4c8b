//! `BEGIN` and savepoints that wait for the next statement and are sent with it, so that they take no turn.
//!
//! The server works in order. A savepoint that it refuses aborts the transaction, and then it refuses the statement behind it as
//! well. A `BEGIN` that it refuses leaves no transaction: the statement behind it runs by itself, and the connection says
//! that what it wrote may stay. A savepoint that nothing ran in is never sent, and neither is a transaction.

use std::fmt::Write as _;

/// What is to be sent before the next statement.
#[derive(Debug, Default)]
pub(crate) struct Deferred {
    begin: Option<String>,
    savepoints: Vec<Step>,
}

/// What goes before a statement, in the same turn.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Before {
    pub(crate) sql: String,
    /// Whether it begins the transaction.
    pub(crate) begins: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Set(u32),
    Release(u32),
}

impl Step {
    fn depth(self) -> u32 {
        match self {
            Step::Set(depth) | Step::Release(depth) => depth,
        }
    }
}

impl Deferred {
    /// Begins a transaction.
    pub(crate) fn begin(&mut self, sql: String) {
        self.begin = Some(sql);
    }

    /// Whether the server knows nothing of the transaction.
    pub(crate) fn is_unsent(&self) -> bool {
        self.begin.is_some()
    }

    /// Sets the savepoint of a depth.
    pub(crate) fn set(&mut self, depth: u32) {
        self.savepoints.push(Step::Set(depth));
    }

    /// Releases the savepoint of a depth.
    pub(crate) fn release(&mut self, depth: u32) {
        match self.savepoints.iter().rposition(|step| *step == Step::Set(depth)) {
            Some(at) => self.savepoints.truncate(at),
            None => self.savepoints.push(Step::Release(depth)),
        }
    }

    /// Undoes what came since the savepoint of a depth. Answers whether that is all. Otherwise the server may have the savepoint.
    pub(crate) fn undo(&mut self, depth: u32) -> bool {
        // What happened last to it, or to a savepoint that it is inside of, says whether it is there.
        match self.savepoints.iter().rposition(|step| step.depth() <= depth) {
            Some(at) if self.savepoints[at] == Step::Set(depth) => {
                self.savepoints.truncate(at);
                true
            }
            // It is released, or was never set.
            Some(_) => true,
            None => {
                self.savepoints.clear();
                self.begin.is_some()
            }
        }
    }

    /// Forgets all: the transaction is over.
    pub(crate) fn clear(&mut self) {
        self.begin = None;
        self.savepoints.clear();
    }

    /// Takes what is to be sent.
    pub(crate) fn take(&mut self) -> Option<Before> {
        if self.begin.is_none() && self.savepoints.is_empty() {
            return None;
        }
        let begins = self.begin.is_some();
        let mut sql = self.begin.take().unwrap_or_default();
        for step in self.savepoints.drain(..) {
            let separator = if sql.is_empty() { "" } else { "; " };
            // Writing to a String cannot fail.
            let _ = match step {
                Step::Set(depth) => write!(sql, "{separator}SAVEPOINT assoc_{depth}"),
                Step::Release(depth) => write!(sql, "{separator}RELEASE SAVEPOINT assoc_{depth}"),
            };
        }
        Some(Before { sql, begins })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(deferred: &mut Deferred) -> Option<String> {
        deferred.take().map(|before| before.sql)
    }

    #[test]
    fn steps_are_sent_in_their_order() {
        let mut deferred = Deferred::default();
        assert_eq!(deferred.take(), None);
        deferred.begin("BEGIN".to_owned());
        deferred.set(1);
        deferred.set(2);
        let sql = "BEGIN; SAVEPOINT assoc_1; SAVEPOINT assoc_2".to_owned();
        assert_eq!(deferred.take(), Some(Before { sql, begins: true }));
        deferred.release(2);
        deferred.set(2);
        let sql = "RELEASE SAVEPOINT assoc_2; SAVEPOINT assoc_2".to_owned();
        assert_eq!(deferred.take(), Some(Before { sql, begins: false }));
        assert_eq!(deferred.take(), None);
    }

    #[test]
    fn what_nothing_ran_in_is_not_sent() {
        let mut deferred = Deferred::default();
        deferred.set(1);
        deferred.set(2);
        deferred.release(2);
        deferred.release(1);
        assert_eq!(deferred.take(), None);
        deferred.release(3);
        deferred.set(3);
        assert!(deferred.undo(3));
        assert_eq!(taken(&mut deferred).as_deref(), Some("RELEASE SAVEPOINT assoc_3"));
        deferred.begin("BEGIN".to_owned());
        deferred.clear();
        assert_eq!(deferred.take(), None);
    }

    #[test]
    fn undoing_an_outer_savepoint_forgets_those_inside() {
        let mut deferred = Deferred::default();
        deferred.release(3);
        deferred.release(2);
        deferred.set(2);
        assert!(!deferred.undo(1));
        assert_eq!(deferred.take(), None);
    }

    #[test]
    fn a_savepoint_that_is_gone_is_not_undone() {
        let mut deferred = Deferred::default();
        deferred.release(1);
        assert!(deferred.undo(1));
        assert_eq!(taken(&mut deferred).as_deref(), Some("RELEASE SAVEPOINT assoc_1"));
        deferred.set(1);
        deferred.set(2);
        assert!(deferred.undo(2) && deferred.undo(2));
        assert_eq!(taken(&mut deferred).as_deref(), Some("SAVEPOINT assoc_1"));
        deferred.begin("BEGIN".to_owned());
        assert!(deferred.undo(1));
        assert_eq!(taken(&mut deferred).as_deref(), Some("BEGIN"));
    }
}
