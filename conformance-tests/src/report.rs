//! The report card: what became of each case, by level, as text, JSON and Markdown.

use std::fmt::Write;

use serde_json::json;

use conformance_harness::Level;

/// What became of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It behaves as the golden says.
    Passed {
        /// How many statements its steps took.
        statements: usize,
        /// Whether their text was compared too.
        sql: SqlCheck,
    },
    /// It does not, or could not end. The text says how.
    Failed(String),
    /// The backend lacks this, by what it says of itself.
    Skipped(&'static str),
}

/// Whether the SQL of a case was compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SqlCheck {
    /// With the backend's own golden.
    Compared,
    /// The backend has no golden of its SQL for this case.
    None,
    /// It was written down now.
    Recorded,
}

/// A case and its verdict.
#[derive(Debug, Clone)]
pub struct CaseReport {
    /// The name of the case.
    pub id: &'static str,
    /// Its level.
    pub level: Level,
    /// What became of it.
    pub verdict: Verdict,
}

/// All cases that were selected, and what the backend says of itself.
#[derive(Debug, Clone)]
pub struct ReportCard {
    backend: String,
    version: String,
    capabilities: String,
    cases: Vec<CaseReport>,
}

/// How many cases of a level passed, failed, and were skipped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Cases that passed.
    pub passed: usize,
    /// Cases that failed.
    pub failed: usize,
    /// Cases that did not run.
    pub skipped: usize,
}

impl ReportCard {
    pub(crate) fn new(backend: String, version: String, capabilities: String, mut cases: Vec<CaseReport>) -> Self {
        cases.sort_by_key(|case| (case.level, case.id));
        ReportCard { backend, version, capabilities, cases }
    }

    /// The cases, by level and name.
    #[must_use]
    pub fn cases(&self) -> &[CaseReport] {
        &self.cases
    }

    /// The totals of a level, or of all levels.
    #[must_use]
    pub fn totals(&self, level: Option<Level>) -> Totals {
        let mut totals = Totals::default();
        for case in self.cases.iter().filter(|case| level.is_none_or(|level| case.level == level)) {
            match case.verdict {
                Verdict::Passed { .. } => totals.passed += 1,
                Verdict::Failed(_) => totals.failed += 1,
                Verdict::Skipped(_) => totals.skipped += 1,
            }
        }
        totals
    }

    fn statements(&self) -> usize {
        self.passed().map(|(statements, _)| statements).sum()
    }

    fn with_sql(&self, check: SqlCheck) -> usize {
        self.passed().filter(|(_, sql)| *sql == check).count()
    }

    fn passed(&self) -> impl Iterator<Item = (usize, SqlCheck)> {
        self.cases.iter().filter_map(|case| match case.verdict {
            Verdict::Passed { statements, sql } => Some((statements, sql)),
            Verdict::Failed(_) | Verdict::Skipped(_) => None,
        })
    }

    // One sentence about the SQL, because "passed" does not say whether it was looked at.
    fn of_sql(&self) -> String {
        let (compared, recorded) = (self.with_sql(SqlCheck::Compared), self.with_sql(SqlCheck::Recorded));
        let none = self.with_sql(SqlCheck::None);
        format!("SQL compared in {compared} cases, recorded in {recorded}, without a golden in {none}")
    }

    /// The report for a terminal.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let Totals { passed, failed, skipped } = self.totals(None);
        let _ = writeln!(
            text,
            "{}: {passed} of {} cases passed, {skipped} skipped for want of a capability",
            self.backend,
            passed + failed
        );
        for level in Level::ALL {
            let Totals { passed, failed, skipped } = self.totals(Some(level));
            if passed + failed + skipped > 0 {
                let name = level.title();
                let _ = writeln!(text, "  {name:<24} {passed:>4} passed {failed:>4} failed {skipped:>4} skipped");
            }
        }
        let _ = writeln!(text, "  {} statements counted; {}", self.statements(), self.of_sql());
        for case in &self.cases {
            if let Verdict::Skipped(lacking) = case.verdict {
                let _ = writeln!(text, "  skipped {}: {} has no {lacking}", case.id, self.backend);
            }
        }
        text
    }

    /// The report as JSON.
    #[must_use]
    pub fn json(&self) -> String {
        let levels: Vec<_> = Level::ALL
            .map(|level| {
                let Totals { passed, failed, skipped } = self.totals(Some(level));
                json!({ "level": level.title(), "passed": passed, "failed": failed, "skipped": skipped })
            })
            .into();
        let cases: Vec<_> = self
            .cases
            .iter()
            .map(|case| match &case.verdict {
                Verdict::Passed { statements, sql } => json!({
                    "case": case.id,
                    "verdict": "passed",
                    "statements": statements,
                    "sql": match sql {
                        SqlCheck::Compared => "compared",
                        SqlCheck::None => "no golden",
                        SqlCheck::Recorded => "recorded",
                    },
                }),
                Verdict::Failed(why) => json!({ "case": case.id, "verdict": "failed", "why": why }),
                Verdict::Skipped(lacking) => json!({ "case": case.id, "verdict": "skipped", "lacks": lacking }),
            })
            .collect();
        let card = json!({
            "backend": self.backend,
            "version": self.version,
            "suite": env!("CARGO_PKG_VERSION"),
            "capabilities": self.capabilities,
            "statements": self.statements(),
            "levels": levels,
            "cases": cases,
        });
        format!("{card:#}\n")
    }

    /// The report as Markdown, with a badge for a README.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut text = String::new();
        let Totals { passed, failed, skipped } = self.totals(None);
        let _ = writeln!(text, "# {}\n\n{}\n", self.backend, self.badge());
        if !self.version.is_empty() {
            let _ = writeln!(text, "{}, suite {}.\n", self.version, env!("CARGO_PKG_VERSION"));
        }
        let _ = writeln!(
            text,
            "{passed} of {} cases passed, {skipped} skipped. {} statements counted; {}.\n",
            passed + failed,
            self.statements(),
            self.of_sql()
        );
        text.push_str("| level | passed | failed | skipped |\n|---|---:|---:|---:|\n");
        for level in Level::ALL {
            let Totals { passed, failed, skipped } = self.totals(Some(level));
            let _ = writeln!(text, "| {} | {passed} | {failed} | {skipped} |", level.title());
        }
        let _ = writeln!(text, "\nCapabilities:\n\n```text\n{}\n```", self.capabilities);
        let mut title = "\nSkipped:\n\n";
        for case in &self.cases {
            if let Verdict::Skipped(lacking) = case.verdict {
                let _ = writeln!(text, "{title}* `{}`: no {lacking}", case.id);
                title = "";
            }
        }
        let mut title = "\nFailed:\n\n";
        for case in &self.cases {
            if let Verdict::Failed(why) = &case.verdict {
                let first = why.lines().next().unwrap_or_default();
                let _ = writeln!(text, "{title}* `{}`: {first}", case.id);
                title = "";
            }
        }
        text
    }

    /// A badge, as Markdown.
    #[must_use]
    pub fn badge(&self) -> String {
        let Totals { passed, failed, .. } = self.totals(None);
        let colour = if failed == 0 { "brightgreen" } else { "red" };
        let all = passed + failed;
        format!(
            "![assoc conformance: {passed} of {all}](https://img.shields.io/badge/assoc_conformance-{passed}_of_{all}-{colour})"
        )
    }
}
