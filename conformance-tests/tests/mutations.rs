//! Does the suite notice? Drivers that are broken on purpose, and the cases that must fail on each.

// Helpers fail a test by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use Fault::*;
use assoc_core::driver::{Bind, BindList, BoxFuture, Connection, ExecResult, RowSink, Statement};
use assoc_core::{DriverError, DriverErrorKind, Result, Value};
use assoc_sqlite::Sqlite;
use conformance_tests::{Backend, Case, Control, Database, Interceptor, Outcome, Wrapped, all, execute, golden};
use rstest::rstest;

/// What is wrong with a driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    LosesTheLastOfSeveralRows,
    RepeatsTheLastRow,
    ReversesRows,
    LosesTheLastKey,
    CutsText,
    CutsIntegers,
    ReadsNullAsZero,
    ReadsNothingOnError,
    ForgetsTheKindOfError,
    GoesOnAfterTheSinkFailed,
    ReportsNothingAffected,
    IgnoresFilters,
    IgnoresFiltersOfWrites,
    IgnoresDescending,
    IgnoresLimits,
    IgnoresOffsets,
    IgnoresDistinct,
    IgnoresBegin,
    RollsBackInsteadOfCommit,
    CommitsInsteadOfRollback,
    KeepsWhatASavepointUndoes,
    CommitsWhenDropped,
    CommitsNothingAfterAnError,
    ForgetsSavepoints,
}

#[rstest]
#[case(LosesTheLastOfSeveralRows, &["queries.all_in_order", "preload_has_many.empty_and_full", "batches.stream"])]
#[case(RepeatsTheLastRow, &["queries.get_by_and_one", "preload_has_many.empty_and_full", "queries.pluck"])]
#[case(ReversesRows, &["queries.all_in_order", "preload_has_many.ordered", "preload_has_one.the_first_of_several"])]
#[case(LosesTheLastKey, &["preload_has_one.present_and_absent", "preload_belongs_to.c1_distinct_keys_without_null"])]
#[case(CutsText, &["values.long_text_and_bytes"])]
#[case(CutsIntegers, &["values.extremes"])]
#[case(ReadsNullAsZero, &["values.none", "preload_belongs_to.null_key_asks_nothing", "aggregates.over_nothing"])]
#[case(ReadsNothingOnError, &["errors.statement_refused", "writes.insert_all_is_all_or_nothing"])]
#[case(ForgetsTheKindOfError, &["errors.unique_violation", "errors.not_null_violation"])]
#[case(GoesOnAfterTheSinkFailed, &["errors.wrong_type_in_the_database", "queries.raw"])]
#[case(ReportsNothingAffected, &["writes.update_writes_what_changed", "writes.delete", "writes.raw"])]
#[case(IgnoresFilters, &["filters.comparisons", "preload_has_many.filtered_is_partial", "queries.get"])]
#[case(IgnoresFiltersOfWrites, &["writes.update_writes_what_changed", "writes.delete"])]
#[case(IgnoresDescending, &["queries.all_in_order", "preload_has_many.ordered", "batches.by_an_order_with_null"])]
#[case(IgnoresLimits, &["queries.limit_and_offset", "batches.by_primary_key", "aggregates.over_a_part"])]
#[case(IgnoresOffsets, &["queries.limit_and_offset", "batches.limit_is_the_total"])]
#[case(IgnoresDistinct, &["queries.pluck", "aggregates.all_five"])]
#[case(IgnoresBegin, &["transactions.error_rolls_back", "transactions.drop_rolls_back"])]
#[case(RollsBackInsteadOfCommit, &["transactions.commit", "transactions.by_hand", "transactions.nested"])]
#[case(CommitsInsteadOfRollback, &["transactions.error_rolls_back", "transactions.by_hand"])]
#[case(KeepsWhatASavepointUndoes, &["transactions.nested", "transactions.nested_dropped"])]
#[case(CommitsWhenDropped, &["transactions.drop_rolls_back"])]
#[case(CommitsNothingAfterAnError, &["transactions.a_failed_statement_that_was_swallowed"])]
#[case(ForgetsSavepoints, &["transactions.nested", "nested_transactions.a_stale_handle_harms_no_other_level"])]
fn is_noticed(#[case] fault: Fault, #[case] cases: &[&str]) {
    for id in cases {
        assert_eq!(judge(Fault::None, id), Ok(()), "a sound driver passes");
        assert!(judge(fault, id).is_err(), "`{id}` passes on a driver that {fault:?}");
    }
}

/// Runs a case as the suite does and compares its behaviour.
fn judge(fault: Fault, id: &str) -> std::result::Result<(), String> {
    let case: &Case = all().find(|case| case.id == id).unwrap_or_else(|| panic!("there is no case `{id}`"));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    match runtime.block_on(execute(&BrokenSqlite(fault), case)) {
        Ok(Outcome::Ran(transcript)) => {
            let golden = golden::behaviour(id).expect("a golden");
            let same = golden == transcript.behaviour.trim_end();
            if same { Ok(()) } else { Err(golden::difference(&golden, &transcript.behaviour)) }
        }
        Ok(Outcome::Skipped(lacking)) => panic!("`{id}` is skipped for want of {lacking}"),
        Err(error) => Err(error.to_string()),
    }
}

struct BrokenSqlite(Fault);

impl Backend for BrokenSqlite {
    fn name(&self) -> &'static str {
        "sqlite"
    }

    fn fresh(&self) -> BoxFuture<'_, Result<Database>> {
        let broken = Broken { fault: self.0, in_transaction: AtomicBool::new(false), failed: AtomicBool::new(false) };
        Box::pin(async { Ok(Database::new(Wrapped::new(Arc::new(Sqlite::memory()?), broken))) })
    }
}

// There is one connection.
struct Broken {
    fault: Fault,
    in_transaction: AtomicBool,
    // A statement of the transaction has failed.
    failed: AtomicBool,
}

impl Broken {
    fn spoiled(&self, statement: &Statement) -> Statement {
        let reads = statement.sql().starts_with("SELECT");
        let mut sql = statement.sql().to_owned();
        let mut binds = statement.binds().to_vec();
        match self.fault {
            // Whatever follows is joined by AND or stands in parentheses.
            IgnoresFilters if reads => sql = sql.replace(" WHERE ", " WHERE 1 = 1 OR "),
            IgnoresFiltersOfWrites if !reads => sql = sql.replace(" WHERE ", " WHERE 1 = 1 OR "),
            IgnoresDescending => sql = sql.replace(" DESC", ""),
            IgnoresLimits => sql = sql.replace(" LIMIT ", " LIMIT 1000000 + "),
            IgnoresOffsets => sql = sql.replace(" OFFSET ", " OFFSET 0 * "),
            IgnoresDistinct => sql = sql.replace("DISTINCT ", ""),
            LosesTheLastKey => {
                for bind in &mut binds {
                    match bind {
                        Bind::List(BindList::Ints(keys)) if keys.len() > 1 => *keys = keys[..keys.len() - 1].into(),
                        Bind::List(BindList::Values(keys)) if keys.len() > 1 => *keys = keys[..keys.len() - 1].into(),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
        Statement::new(sql, binds)
    }

    fn spoiled_error(&self, error: assoc_core::Error) -> assoc_core::Error {
        match error.driver() {
            Some(driver) if self.fault == ForgetsTheKindOfError => {
                DriverError::new(DriverErrorKind::Other, driver.message()).into()
            }
            _ => error,
        }
    }
}

type Row = Vec<Value<'static>>;

fn spoil(fault: Fault, value: Value<'static>) -> Value<'static> {
    match (fault, value) {
        (CutsText, Value::Text(text)) => Value::Text(text.chars().take(255).collect::<String>().into()),
        (CutsIntegers, Value::Int(int)) => Value::Int(i64::from(int as i32)),
        (ReadsNullAsZero, Value::Null) => Value::Int(0),
        (_, value) => value,
    }
}

impl Interceptor for Broken {
    fn query<'a>(
        &'a self,
        inner: &'a mut dyn Connection,
        statement: &'a Statement,
        sink: &'a mut dyn RowSink,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let (spoiled, fault) = (self.spoiled(statement), self.fault);
            let mut rows: Vec<Row> = Vec::new();
            let mut collect = |values: &mut [Value<'_>]| {
                rows.push(values.iter_mut().map(|value| spoil(fault, std::mem::take(value).into_owned())).collect());
                Ok(())
            };
            let queried = inner.query(&spoiled, &mut collect).await;
            self.failed.fetch_or(queried.is_err(), Relaxed);
            match queried {
                Err(_) if fault == ReadsNothingOnError => return Ok(()),
                Err(error) => return Err(self.spoiled_error(error)),
                Ok(()) => {}
            }
            match fault {
                LosesTheLastOfSeveralRows if rows.len() > 1 => drop(rows.pop()),
                RepeatsTheLastRow => rows.extend(rows.last().cloned()),
                ReversesRows => rows.reverse(),
                _ => {}
            }
            for row in &mut rows {
                match sink.row(row) {
                    Err(_) if fault == GoesOnAfterTheSinkFailed => {}
                    outcome => outcome?,
                }
            }
            Ok(())
        })
    }

    fn execute<'a>(
        &'a self,
        inner: &'a mut dyn Connection,
        statement: &'a Statement,
    ) -> BoxFuture<'a, Result<ExecResult>> {
        Box::pin(async move {
            let spoiled = self.spoiled(statement);
            let executed = inner.execute(&spoiled).await;
            self.failed.fetch_or(executed.is_err(), Relaxed);
            let executed = executed.map_err(|error| self.spoiled_error(error))?;
            let affected = if self.fault == ReportsNothingAffected { 0 } else { executed.affected };
            Ok(ExecResult::new(affected, executed.last_insert_id))
        })
    }

    fn control<'a>(&'a self, inner: &'a mut dyn Connection, call: Control) -> BoxFuture<'a, Result<()>> {
        let failed = self.failed.load(Relaxed);
        match call {
            Control::Begin(..) => {
                self.in_transaction.store(true, Relaxed);
                self.failed.store(false, Relaxed);
            }
            Control::Commit | Control::Rollback => self.in_transaction.store(false, Relaxed),
            _ => {}
        }
        match (self.fault, call) {
            (IgnoresBegin, Control::Begin(..) | Control::Commit | Control::Rollback)
            | (
                ForgetsSavepoints,
                Control::Savepoint(_) | Control::ReleaseSavepoint(_) | Control::RollbackToSavepoint(_),
            ) => Box::pin(async { Ok(()) }),
            (RollsBackInsteadOfCommit, Control::Commit) => inner.rollback(),
            (CommitsNothingAfterAnError, Control::Commit) if failed => inner.rollback(),
            (CommitsInsteadOfRollback, Control::Rollback) => inner.commit(),
            (KeepsWhatASavepointUndoes, Control::RollbackToSavepoint(depth)) => inner.release_savepoint(depth),
            (_, call) => call.run(inner),
        }
    }

    fn dropped(&self, mut inner: Box<dyn Connection>) {
        if self.fault == CommitsWhenDropped && self.in_transaction.swap(false, Relaxed) {
            // Whoever comes next waits for the only connection, and so for this.
            tokio::spawn(async move { inner.commit().await });
        }
    }
}
