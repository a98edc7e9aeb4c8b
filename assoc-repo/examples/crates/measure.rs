//! Runs queries and remembers what each one cost, to be shown at the end.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use assoc_repo::prelude::*;

/// How much of a query is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    Plan,
    PlanAndSql,
}

/// What was read, and how.
#[derive(Default)]
pub(crate) struct Costs(Vec<Cost>);

/// One query.
pub(crate) struct Cost {
    what: &'static str,
    /// What `explain` says, without the SQL.
    pub(crate) plan: String,
    /// The statements of the plan, by their numbers in it.
    pub(crate) sql: String,
    rows: usize,
    pub(crate) statements: usize,
    duration: Duration,
}

impl Cost {
    /// `repo.all(query)`, measured.
    pub(crate) async fn of<M: Model>(repo: &Repo, what: &'static str, query: Select<M>) -> Result<(Vec<M>, Cost)> {
        // What the library says it would do, and then what it did.
        let explained = repo.explain(&query)?;
        // A blank line stands between the plan and its statements.
        let (plan, sql) = explained.split_once("\n\n").unwrap_or((&explained, ""));
        let start = Instant::now();
        let (rows, statements) = repo.count_statements(repo.all(query)).await;
        let (rows, duration) = (rows?, start.elapsed());
        let (plan, sql) = (plan.trim_end().to_owned(), sql.trim_end().to_owned());
        let cost = Cost { what, plan, sql, rows: rows.len(), statements, duration };
        Ok((rows, cost))
    }

    pub(crate) fn millis(&self) -> f64 {
        self.duration.as_secs_f64() * 1000.0
    }
}

impl Costs {
    /// `repo.all(query)`, measured and remembered.
    pub(crate) async fn all<M: Model>(&mut self, repo: &Repo, what: &'static str, query: Select<M>) -> Result<Vec<M>> {
        let (rows, cost) = Cost::of(repo, what, query).await?;
        self.0.push(cost);
        Ok(rows)
    }

    pub(crate) fn write(&self, detail: Detail, out: &mut impl Write) -> io::Result<()> {
        for (at, cost) in self.0.iter().enumerate() {
            let (Cost { what, plan, sql, rows, statements, .. }, millis) = (cost, cost.millis());
            if at > 0 {
                writeln!(out)?;
            }
            writeln!(out, "  {what} ({statements} statements, {rows} rows at the root, {millis:.1} ms)")?;
            let sql = match detail {
                Detail::Plan => String::new(),
                Detail::PlanAndSql => format!("\n{sql}"),
            };
            for line in plan.lines().chain(sql.lines()) {
                writeln!(out, "{}", format!("    {line}").trim_end())?;
            }
        }
        Ok(())
    }
}
