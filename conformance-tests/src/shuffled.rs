//! A driver that gives the rows of a statement without an order in another order.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use assoc_core::driver::{AnswerColumn, BoxFuture, Connection, RowSink, Statement};
use assoc_core::{Result, Value};

use conformance_harness::{Backend, Database};
use conformance_harness::{Interceptor, Wrapped};

/// A backend whose statements without ORDER BY return their rows in any order, which a seed determines.
pub struct Shuffled<B> {
    inner: B,
    seed: u64,
}

impl<B: Backend> Shuffled<B> {
    /// The backend with its rows shuffled.
    #[must_use]
    pub fn new(inner: B, seed: u64) -> Self {
        Shuffled { inner, seed }
    }
}

impl<B: Backend> Backend for Shuffled<B> {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn version(&self) -> String {
        format!("{}, shuffled by {}", self.inner.version(), self.seed)
    }

    fn overlay(&self) -> Option<std::path::PathBuf> {
        self.inner.overlay()
    }

    fn fresh(&self) -> BoxFuture<'_, Result<Database>> {
        Box::pin(async {
            let shuffle = Shuffle(AtomicU64::new(self.seed));
            Ok(self.inner.fresh().await?.wrapped(|driver| Arc::new(Wrapped::new(driver, shuffle))))
        })
    }
}

// The state of a random number generator.
struct Shuffle(AtomicU64);

impl Shuffle {
    // SplitMix64.
    fn below(&self, count: usize) -> usize {
        let state = self.0.fetch_add(0x9E37_79B9_7F4A_7C15, Relaxed);
        let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % count.max(1) as u64).unwrap_or(0)
    }

    fn shuffle<T>(&self, rows: &mut [T]) {
        for last in (1..rows.len()).rev() {
            rows.swap(last, self.below(last + 1));
        }
    }
}

impl Interceptor for Shuffle {
    fn query<'a>(
        &'a self,
        inner: &'a mut dyn Connection,
        statement: &'a Statement,
        sink: &'a mut dyn RowSink,
    ) -> BoxFuture<'a, Result<()>> {
        if is_ordered(statement.sql()) {
            return inner.query(statement, sink);
        }
        Box::pin(async move {
            let mut collected = Collected { sink, rows: Vec::new() };
            inner.query(statement, &mut collected).await?;
            let Collected { sink, mut rows } = collected;
            self.shuffle(&mut rows);
            rows.iter_mut().try_for_each(|row| sink.row(row))
        })
    }
}

/// Rows on their way to a sink, which sees the columns at once.
pub(crate) struct Collected<'s> {
    pub(crate) sink: &'s mut dyn RowSink,
    pub(crate) rows: Vec<Vec<Value<'static>>>,
}

impl RowSink for Collected<'_> {
    fn row(&mut self, values: &mut [Value<'_>]) -> Result<()> {
        self.rows.push(values.iter_mut().map(|value| std::mem::take(value).into_owned()).collect());
        Ok(())
    }

    fn wants_columns(&self) -> bool {
        self.sink.wants_columns()
    }

    fn columns(&mut self, columns: &[AnswerColumn<'_>]) -> Result<()> {
        self.sink.columns(columns)
    }
}

// Whether a statement has an ORDER BY of its own: outside of parentheses and quotes.
fn is_ordered(sql: &str) -> bool {
    let mut depth = 0;
    let mut quote = None;
    for (at, byte) in sql.bytes().enumerate() {
        match (quote, byte) {
            (Some(open), byte) if open == byte => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'`' | b'\'') => quote = Some(byte),
            (None, b'(') => depth += 1,
            (None, b')') => depth -= 1,
            (None, b'o' | b'O') if depth == 0 && starts_an_order(sql, at) => return true,
            _ => {}
        }
    }
    false
}

fn starts_an_order(sql: &str, at: usize) -> bool {
    sql.get(at..at + 9).is_some_and(|words| words.eq_ignore_ascii_case("ORDER BY "))
}

#[cfg(test)]
mod tests {
    use super::is_ordered;

    #[test]
    fn an_order_counts_where_it_is_the_statements() {
        assert!(is_ordered("SELECT a FROM t ORDER BY a"));
        assert!(is_ordered("SELECT a FROM (SELECT 1) AS t order by a LIMIT 1"));
        assert!(!is_ordered("SELECT a FROM (SELECT a FROM t ORDER BY a) AS t"));
        assert!(!is_ordered("SELECT ROW_NUMBER() OVER (ORDER BY a) FROM t"));
        assert!(!is_ordered("SELECT 'x ORDER BY y', \" ORDER BY z\" FROM t"));
        assert!(!is_ordered("INSERT INTO t (a) VALUES (?) RETURNING a"));
    }
}
