//! `BEGIN` and savepoints that wait for the next statement and are sent with it, so that they take no turn.
//!
//! The server works in order. A savepoint that it refuses aborts the transaction, and then it refuses the statement behind it as
//! well. A `BEGIN` that it refuses leaves no transaction: the statement behind it runs by itself, and the connection says
//! that what it wrote may stay. A savepoint that nothing ran in is never sent, and neither is a transaction.

use std::fmt::Write as _;

/// What is to be sent before the next statement, and the savepoints that are open.
#[derive(Debug, Default)]
pub(crate) struct Deferred {
    begin: Option<String>,
    steps: Vec<Step>,
    open: Vec<Savepoint>,
    // The number of the last savepoint. None is used twice: if the server aborts the transaction before it has released one, a
    // later one of the same name would be taken for it.
    last: u64,
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
    Set(u64),
    Release(u64),
}

#[derive(Debug, Clone, Copy)]
struct Savepoint {
    depth: u32,
    number: u64,
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
        self.last += 1;
        self.open.push(Savepoint { depth, number: self.last });
        self.steps.push(Step::Set(self.last));
    }

    /// Releases the savepoint of a depth.
    pub(crate) fn release(&mut self, depth: u32) {
        let Some(Savepoint { number, .. }) = self.close(depth) else { return };
        match self.unsent(number) {
            Some(at) => self.steps.truncate(at),
            None => self.steps.push(Step::Release(number)),
        }
    }

    /// Undoes what came since the savepoint of a depth, as far as the server does not know of it. Answers the savepoint's name if
    /// the server has it. It is open until it is [undone](Self::undone).
    pub(crate) fn undo(&mut self, depth: u32) -> Option<String> {
        let number = self.open.iter().rfind(|open| open.depth == depth)?.number;
        if let Some(at) = self.unsent(number) {
            self.steps.truncate(at);
            self.close(depth);
            return None;
        }
        // All of these are inside of it.
        self.steps.clear();
        Some(name(number))
    }

    /// The server has undone what came since the savepoint of a depth.
    pub(crate) fn undone(&mut self, depth: u32) {
        self.close(depth);
    }

    /// Forgets all: the transaction is over.
    pub(crate) fn clear(&mut self) {
        self.begin = None;
        self.steps.clear();
        self.open.clear();
    }

    /// Takes what is to be sent.
    pub(crate) fn take(&mut self) -> Option<Before> {
        if self.begin.is_none() && self.steps.is_empty() {
            return None;
        }
        let begins = self.begin.is_some();
        let mut sql = self.begin.take().unwrap_or_default();
        for step in self.steps.drain(..) {
            let separator = if sql.is_empty() { "" } else { "; " };
            // Writing to a String cannot fail.
            let _ = match step {
                Step::Set(number) => write!(sql, "{separator}SAVEPOINT {}", name(number)),
                Step::Release(number) => write!(sql, "{separator}RELEASE SAVEPOINT {}", name(number)),
            };
        }
        Some(Before { sql, begins })
    }

    // Takes the savepoint of a depth from those that are open, with those inside of it.
    fn close(&mut self, depth: u32) -> Option<Savepoint> {
        let at = self.open.iter().rposition(|open| open.depth == depth)?;
        self.open.drain(at..).next()
    }

    // The step that sets a savepoint, if it was not sent.
    fn unsent(&self, number: u64) -> Option<usize> {
        self.steps.iter().rposition(|step| *step == Step::Set(number))
    }
}

fn name(number: u64) -> String {
    format!("assoc_{number}")
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
        let sql = "RELEASE SAVEPOINT assoc_2; SAVEPOINT assoc_3".to_owned();
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
        deferred.set(3);
        assert!(deferred.take().is_some());
        deferred.release(3);
        deferred.set(3);
        assert_eq!(deferred.undo(3), None);
        assert_eq!(taken(&mut deferred).as_deref(), Some("RELEASE SAVEPOINT assoc_3"));
        deferred.begin("BEGIN".to_owned());
        deferred.clear();
        assert_eq!(deferred.take(), None);
    }

    #[test]
    fn undoing_an_outer_savepoint_forgets_those_inside() {
        let mut deferred = Deferred::default();
        (1..=3).for_each(|depth| deferred.set(depth));
        assert!(deferred.take().is_some());
        deferred.release(3);
        deferred.release(2);
        deferred.set(2);
        // It can be asked again until the server has answered.
        assert_eq!(deferred.undo(1).as_deref(), Some("assoc_1"));
        assert_eq!(deferred.undo(1).as_deref(), Some("assoc_1"));
        deferred.undone(1);
        assert_eq!(deferred.undo(1), None);
        assert_eq!(deferred.take(), None);
    }

    #[test]
    fn a_savepoint_that_is_gone_is_not_undone() {
        let mut deferred = Deferred::default();
        deferred.set(1);
        assert!(deferred.take().is_some());
        deferred.release(1);
        assert_eq!(deferred.undo(1), None);
        assert_eq!(taken(&mut deferred).as_deref(), Some("RELEASE SAVEPOINT assoc_1"));
        deferred.set(1);
        deferred.set(2);
        assert_eq!((deferred.undo(2), deferred.undo(2)), (None, None));
        assert_eq!(taken(&mut deferred).as_deref(), Some("SAVEPOINT assoc_2"));
        deferred.begin("BEGIN".to_owned());
        assert_eq!(deferred.undo(3), None);
        assert_eq!(taken(&mut deferred).as_deref(), Some("BEGIN"));
    }
}
