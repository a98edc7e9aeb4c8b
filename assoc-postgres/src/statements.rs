//! The statements that a connection keeps prepared, by their text.

use std::collections::HashMap;
use std::sync::Arc;

use tokio_postgres::Statement;

/// Prepared statements, of which the one that was not used for the longest time makes room.
#[derive(Debug)]
pub(crate) struct Statements {
    known: HashMap<Arc<str>, (Statement, u64)>,
    most: usize,
    // Counts uses.
    clock: u64,
    // The state of the schema that they were prepared for.
    schema: u64,
}

impl Statements {
    pub(crate) fn new(most: usize) -> Self {
        Statements { known: HashMap::new(), most, clock: 0, schema: 0 }
    }

    /// Forgets all of them if the schema has changed since.
    pub(crate) fn follow(&mut self, schema: u64) {
        if schema != self.schema {
            self.known.clear();
            self.schema = schema;
        }
    }

    pub(crate) fn get(&mut self, sql: &str) -> Option<Statement> {
        self.clock += 1;
        let (statement, used) = self.known.get_mut(sql)?;
        *used = self.clock;
        Some(statement.clone())
    }

    pub(crate) fn keep(&mut self, sql: &Arc<str>, statement: Statement) {
        if self.known.len() >= self.most {
            let oldest = self.known.iter().min_by_key(|(_, (_, used))| *used).map(|(sql, _)| Arc::clone(sql));
            // The server forgets a statement when its last copy is dropped.
            oldest.and_then(|sql| self.known.remove(&sql));
        }
        self.known.insert(Arc::clone(sql), (statement, self.clock));
    }

    pub(crate) fn forget(&mut self, sql: &str) {
        self.known.remove(sql);
    }

    pub(crate) fn clear(&mut self) {
        self.known.clear();
    }
}
