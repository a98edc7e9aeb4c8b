//! What a case works with: a repo over an empty database, and the transcript it writes.

use std::fmt::{Debug, Write};
use std::sync::Arc;

use assoc_core::dialect::NullOrder;
use assoc_core::driver::{Lack, StatementRole};
use assoc_core::{Error, ErrorKind, Result, Value};
use assoc_repo::Repo;

use crate::backend::Database;
use crate::native_sql::NativeSql;
use crate::recorder::{Recorded, RecordedStatement, Recorder};
use crate::refusal::refusal;

/// What a case did: the behaviour, the same on every backend, and the SQL of this one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Transcript {
    /// Steps with statement counts, results and error kinds.
    pub behaviour: String,
    /// Steps with statement texts and bind counts.
    pub sql: String,
    /// Where the database puts `NULL`s in an order, which decides what some cases give.
    pub nulls: NullOrder,
}

impl Transcript {
    /// How many statements the steps took.
    #[must_use]
    pub fn statements(&self) -> usize {
        self.behaviour.lines().filter_map(|line| line.strip_prefix("statements: ")?.parse::<usize>().ok()).sum()
    }
}

/// A repo over an empty database, and the transcript of what is done with it.
pub struct Context {
    repo: Repo,
    recorder: Recorder,
    transcript: Transcript,
    // What a step was refused, because the backend lacks it.
    refused: Option<&'static str>,
    other: Option<Repo>,
    // Removed last, after the repos let go of their connections.
    databases: Vec<Database>,
}

impl Context {
    /// Over an empty database, and another one for a case that asks for two.
    #[must_use]
    pub fn new(database: Database, other: Option<Database>) -> Self {
        let recorder = Recorder::default();
        let over = |database: &Database| Repo::new(Recorded::new(Arc::clone(database.driver()), recorder.clone()));
        let repo = over(&database);
        let second = other.as_ref().map(over);
        let databases = [Some(database), other].into_iter().flatten().collect();
        let nulls = repo.dialect().capabilities().null_order;
        let transcript = Transcript { nulls, ..Transcript::default() };
        Context { repo, recorder, transcript, refused: None, other: second, databases }
    }

    /// A repo over another empty database of the backend, for cases that ask for two.
    ///
    /// # Errors
    /// When the case asks for one only.
    pub fn other_repo(&self) -> Result<Repo> {
        self.other.clone().ok_or_else(|| Error::other("this case has one database: its table says how many"))
    }

    /// The repo.
    #[must_use]
    pub fn repo(&self) -> Repo {
        self.repo.clone()
    }

    /// What the database has for a case in SQL that only it understands.
    ///
    /// # Errors
    /// When it has no such thing: the case is then reported as not run for want of `what`.
    pub fn native_sql<T>(&mut self, what: &'static str, of: impl FnOnce(&NativeSql) -> Option<T>) -> Result<T> {
        of(self.databases[0].native_sql()).ok_or_else(|| self.lacks(what))
    }

    /// The type of a text column that ignores case, which a model cannot ask for.
    ///
    /// # Errors
    /// When the database has none.
    pub fn text_ignoring_case(&mut self) -> Result<&'static str> {
        self.native_sql("text column that ignores case", |sql| sql.text_ignoring_case)
    }

    /// Lets keys that the database makes go on behind those that a fixture has given to rows of these tables, on a database
    /// where they do not by themselves.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn keys_go_on(&self, tables: &[&str]) -> Result<()> {
        if let Some(sql) = self.databases[0].native_sql().continuing_keys {
            for table in tables {
                self.repo.execute_raw(&sql.replace("{}", table), []).await?;
            }
        }
        Ok(())
    }

    /// The error of a case that finds out what the database lacks for it: the case is then reported as not run.
    pub fn lacks(&mut self, what: &'static str) -> Error {
        self.refused = Some(what);
        Error::unsupported(self.repo.dialect().name(), what)
    }

    /// What went through the repo, for cases that fail statements on purpose.
    #[must_use]
    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// Runs a step and records the number of its statements, and the kind of the error if it fails. Statements outside
    /// a step are not recorded.
    ///
    /// Counted are those that every database is sent. What [goes on](StatementRole::Continued) in a further statement, because
    /// a statement takes fewer keys or rows here, or [stands in](StatementRole::StandIn) for a capability, is not counted: the
    /// recorded SQL shows it.
    ///
    /// # Errors
    /// The step's own error.
    pub async fn step<T>(&mut self, title: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
        let _ = self.recorder.take();
        let result = work.await;
        self.record(title, result.as_ref().err());
        result
    }

    // Knows no type of the answer, so that it is compiled once.
    fn record(&mut self, title: &str, error: Option<&Error>) {
        let statements = self.recorder.take();
        let behaviour = &mut self.transcript.behaviour;
        // Writing to a String cannot fail.
        let count = statements.iter().filter(|statement| statement.role == StatementRole::Requested).count();
        let _ = writeln!(behaviour, "## {title}\nstatements: {count}");
        if let Some(error) = error {
            self.refused = self.refused.or_else(|| refusal(self.repo.dialect(), error));
            let _ = writeln!(behaviour, "error: {}", shown(error, self.repo.dialect().name()));
        }
        let _ = writeln!(self.transcript.sql, "## {title}");
        for RecordedStatement { sql, binds, role, .. } in statements {
            let why = match role {
                StatementRole::StandIn(lack) => format!(", for want of {}", want(lack)),
                _ => String::new(),
            };
            let _ = writeln!(self.transcript.sql, "{} -- {binds}{why}", abridged(&sql));
        }
    }

    /// Runs a step that has to fail.
    ///
    /// # Errors
    /// When it succeeds.
    pub async fn fails<T>(&mut self, title: &str, work: impl Future<Output = Result<T>>) -> Result<Error> {
        match self.step(title, work).await {
            Err(error) => Ok(error),
            Ok(_) => Err(Error::other(format!("`{title}` succeeded and should have failed"))),
        }
    }

    /// Records rows, one per line, with the state of their associations.
    pub fn show<T: Debug>(&mut self, label: &str, rows: impl IntoIterator<Item = T>) {
        let _ = writeln!(self.transcript.behaviour, "{label}:");
        for row in rows {
            let _ = writeln!(self.transcript.behaviour, "  {row:?}");
        }
    }

    /// Writes down a single value or message.
    pub fn note(&mut self, label: &str, value: impl std::fmt::Display) {
        let _ = writeln!(self.transcript.behaviour, "{label}: {value}");
    }

    /// Records the rows of a table, by the case's SQL; this does not count as a step.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn rows(&mut self, label: &str, sql: &str) -> Result<()> {
        let statement = assoc_core::driver::Statement::plain(sql);
        let mut lines = Vec::new();
        let mut sink = |values: &mut [Value<'_>]| {
            // Some databases have no booleans.
            let shown = |value: &Value<'_>| match value {
                Value::Bool(flag) => i32::from(*flag).to_string(),
                value => value.to_string(),
            };
            lines.push(values.iter().map(shown).collect::<Vec<_>>().join(" | "));
            Ok(())
        };
        let mut connection = self.repo.driver().acquire(assoc_core::driver::Access::Write).await?;
        connection.query(&statement, &mut sink).await?;
        drop(connection);
        let _ = self.recorder.take();
        let _ = writeln!(self.transcript.behaviour, "{label}:");
        for line in lines {
            let _ = writeln!(self.transcript.behaviour, "  {line}");
        }
        Ok(())
    }

    /// Requires something of what a step gave.
    ///
    /// # Errors
    /// When it does not hold, with what was required.
    pub fn require(&self, holds: bool, what: &str) -> Result<()> {
        if holds { Ok(()) } else { Err(Error::other(format!("does not hold: {what}"))) }
    }

    /// What a step was refused, because the backend lacks it.
    pub fn refused(&self) -> Option<&'static str> {
        self.refused
    }

    /// The transcript, and the databases, whose connections the repos have let go.
    pub fn into_parts(self) -> (Transcript, Vec<Database>) {
        let Context { repo, other, transcript, databases, .. } = self;
        drop((repo, other));
        (transcript, databases)
    }
}

// What a database lacks, as SQL.
fn want(lack: Lack) -> &'static str {
    match lack {
        Lack::InsertReturning => "INSERT … RETURNING",
        Lack::UpdateReturning => "UPDATE … RETURNING",
        Lack::DeleteReturning => "DELETE … RETURNING",
        Lack::WindowFunctions => "window functions",
        Lack::RecursiveSelect => "a recursive SELECT",
        _ => "something that this suite does not know",
    }
}

/// Replaces long lists of placeholders by their number: `(? × 1024)`.
fn abridged(sql: &str) -> String {
    const LONG: usize = 32;
    let mut short = String::new();
    let mut rest = sql;
    while let Some(at) = rest.find('?') {
        let (before, list) = rest.split_at(at);
        let more = list.as_bytes()[1..].chunks(3).take_while(|chunk| *chunk == b", ?").count();
        let (list, after) = list.split_at(1 + 3 * more);
        short.push_str(before);
        if more < LONG {
            short.push_str(list);
        } else {
            let _ = write!(short, "? × {}", more + 1);
        }
        rest = after;
    }
    short.push_str(rest);
    short
}

// Databases word their errors differently, so only the class of an error is recorded, which must be the same on every
// backend. The library's messages name the database.
fn shown(error: &Error, database: &str) -> String {
    match error.kind() {
        ErrorKind::Driver(driver) => format!("driver: {}", driver.kind()),
        // The plan below it is in this dialect's SQL.
        ErrorKind::TooManyStatements { limit, .. } => format!("more than {limit} statements are needed"),
        _ => error.to_string().replace(database, "the database"),
    }
}
