//! Runs queries and remembers what each one cost, to be shown at the end.

use std::io;
use std::time::{Duration, Instant};

use assoc_repo::prelude::*;

use crate::terminal::{Style, Terminal};

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
        let (plan, sql) = done(plan.trim_end(), sql.trim_end(), statements);
        let cost = Cost { what, plan, sql, rows: rows.len(), statements, duration };
        Ok((rows, cost))
    }

    pub(crate) fn millis(&self) -> f64 {
        self.duration.as_secs_f64() * 1000.0
    }

    /// `2 statements`, or `2 of 3 statements`.
    fn ran(&self) -> String {
        match (self.statements, planned(&self.sql).count()) {
            (ran, planned) if ran < planned => format!("{ran} of {planned} statements"),
            (ran, _) => format!("{ran} statements"),
        }
    }
}

/// The statements of a plan.
fn planned(sql: &str) -> impl DoubleEndedIterator<Item = &str> {
    sql.lines().filter(|line| line.starts_with('['))
}

/// A plan and its SQL as they were carried out, by `ran` statements. One that looks up what is not in memory may have had no rows
/// to look up. Which it was is known if it is the last one, because that needs the rows of those before it.
fn done(plan: &str, sql: &str, ran: usize) -> (String, String) {
    const FROM_MEMORY: &str = ", from memory where the row is known";
    const IF_NEEDED: &str = "for rows not in memory: ";
    const NOT_RUN: &str = "not run: its rows were in memory";
    let (all, last) = (planned(sql).count(), planned(sql).next_back().unwrap_or_default());
    match last.split_once(IF_NEEDED) {
        Some((number, _)) if ran + 1 == all => {
            let number = number.trim_end();
            let plan = plan.replace(&format!("{number}{FROM_MEMORY}"), &format!("{number} {NOT_RUN}"));
            (plan, sql.replace(last, &format!("{number} {NOT_RUN}")))
        }
        _ if ran < all => (plan.to_owned(), sql.replace(IF_NEEDED, "if rows are not in memory: ")),
        _ => (plan.to_owned(), sql.replace(IF_NEEDED, "")),
    }
}

impl Costs {
    /// `repo.all(query)`, measured and remembered.
    pub(crate) async fn all<M: Model>(&mut self, repo: &Repo, what: &'static str, query: Select<M>) -> Result<Vec<M>> {
        let (rows, cost) = Cost::of(repo, what, query).await?;
        self.0.push(cost);
        Ok(rows)
    }

    pub(crate) fn write(&self, detail: Detail, out: &mut Terminal) -> io::Result<()> {
        for (at, cost) in self.0.iter().enumerate() {
            if at > 0 {
                out.blank()?;
            }
            let (ran, rows, millis) = (cost.ran(), cost.rows, cost.millis());
            out.line(&[
                (Style::Plain, "  "),
                (Style::Name, cost.what),
                (Style::Plain, &format!(" ({ran}, {rows} rows at the root, {millis:.1} ms)")),
            ])?;
            for line in cost.plan.lines() {
                out.text(Style::Plain, &format!("    {line}"))?;
            }
            if detail == Detail::PlanAndSql {
                out.blank()?;
                for line in cost.sql.lines() {
                    out.folded(Style::Quiet, format!("    {line}").trim_end(), 8)?;
                }
            }
        }
        Ok(())
    }
}
