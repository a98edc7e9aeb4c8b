//! Runs queries and remembers what each one cost, to be shown at the end.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use assoc_repo::prelude::*;

/// What was read, and how.
#[derive(Default)]
pub(crate) struct Costs(Vec<Cost>);

struct Cost {
    what: &'static str,
    plan: String,
    rows: usize,
    statements: usize,
    duration: Duration,
}

impl Costs {
    /// `repo.all(query)`, measured.
    pub(crate) async fn all<M: Model>(&mut self, repo: &Repo, what: &'static str, query: Select<M>) -> Result<Vec<M>> {
        // What the library says it would do, and then what it did.
        let plan = repo.explain(&query)?;
        let start = Instant::now();
        let (rows, statements) = repo.count_statements(repo.all(query)).await;
        let rows = rows?;
        self.0.push(Cost { what, plan, rows: rows.len(), statements, duration: start.elapsed() });
        Ok(rows)
    }

    pub(crate) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        for (at, Cost { what, plan, rows, statements, duration }) in self.0.iter().enumerate() {
            let millis = duration.as_secs_f64() * 1000.0;
            if at > 0 {
                writeln!(out)?;
            }
            writeln!(out, "  {what} ({statements} statements, {rows} rows at the root, {millis:.1} ms)")?;
            for line in plan.lines() {
                writeln!(out, "{}", format!("    {line}").trim_end())?;
            }
        }
        Ok(())
    }
}
