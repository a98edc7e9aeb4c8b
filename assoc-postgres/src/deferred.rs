//! Savepoints that wait for the next statement and are sent with it, so that they take no turn.
//!
//! The server works in order. A savepoint that it refuses aborts the transaction, and then it refuses the statement behind it as
//! well. A savepoint that nothing ran in is never sent, and the end of a transaction needs none of them.

use std::fmt::Write as _;

/// What is to be sent before the next statement, in this order.
#[derive(Debug, Default)]
pub(crate) struct Deferred(Vec<Step>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Set(u32),
    Release(u32),
}

impl Deferred {
    /// Sets the savepoint of a depth.
    pub(crate) fn set(&mut self, depth: u32) {
        self.0.push(Step::Set(depth));
    }

    /// Releases the savepoint of a depth.
    pub(crate) fn release(&mut self, depth: u32) {
        match self.position(depth) {
            Some(at) => self.0.truncate(at),
            None => self.0.push(Step::Release(depth)),
        }
    }

    /// Undoes what came since the savepoint of a depth. Whether that is all: otherwise the server has the savepoint.
    pub(crate) fn undo(&mut self, depth: u32) -> bool {
        let position = self.position(depth);
        // Those inside of it go with it.
        self.0.truncate(position.unwrap_or(0));
        position.is_some()
    }

    /// Forgets all: the transaction is over.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Takes the text that is to be sent.
    pub(crate) fn take(&mut self) -> Option<String> {
        if self.0.is_empty() {
            return None;
        }
        let mut text = String::new();
        for step in self.0.drain(..) {
            let separator = if text.is_empty() { "" } else { "; " };
            // Writing to a String cannot fail.
            let _ = match step {
                Step::Set(depth) => write!(text, "{separator}SAVEPOINT assoc_{depth}"),
                Step::Release(depth) => write!(text, "{separator}RELEASE SAVEPOINT assoc_{depth}"),
            };
        }
        Some(text)
    }

    // Where a savepoint is set that the server does not have yet.
    fn position(&self, depth: u32) -> Option<usize> {
        self.0.iter().rposition(|step| *step == Step::Set(depth))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_sent_in_their_order() {
        let mut deferred = Deferred::default();
        assert_eq!(deferred.take(), None);
        deferred.set(1);
        deferred.set(2);
        assert_eq!(deferred.take().as_deref(), Some("SAVEPOINT assoc_1; SAVEPOINT assoc_2"));
        deferred.release(2);
        deferred.set(2);
        assert_eq!(deferred.take().as_deref(), Some("RELEASE SAVEPOINT assoc_2; SAVEPOINT assoc_2"));
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
        assert_eq!(deferred.take().as_deref(), Some("RELEASE SAVEPOINT assoc_3"));
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
}
