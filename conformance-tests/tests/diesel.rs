//! Every case on SQLite, PostgreSQL and MariaDB through Diesel: on a pool, and on one connection that is lent, outside and inside of a transaction that
//! the application has begun with Diesel. Rows and statement counts are those of the goldens. The SQL is another one, because
//! Diesel sends keys in another form.

// Helpers fail a test by panicking.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use assoc_core::Result;
use assoc_core::driver::BoxFuture;
use assoc_diesel::diesel::connection::{
    AnsiTransactionManager, Connection, SimpleConnection, TransactionManager, TransactionManagerStatus,
};
use assoc_diesel::diesel::mysql::MysqlConnection;
use assoc_diesel::diesel::pg::PgConnection;
use assoc_diesel::diesel::sqlite::SqliteConnection;
use assoc_diesel::{Client, Lent, MysqlSession};
use backends::{DieselMariaDbPool, DieselPool, DieselPostgresPool, TemporaryDatabase, TemporarySchema};
use behaviour::{Judged, judge, judge_on};
use conformance_tests::{Backend, Case, Database, Level, NativeSql, Outcome, all, execute, golden};

// Other backends are not asked here.
#[allow(dead_code)]
mod backends;
mod behaviour;

// In two halves, which run side by side.
#[test]
fn pooled() {
    run_pooled(&DieselPool, all().filter(|case| case.level <= Level::Kind));
}

#[test]
fn pooled_with_writes() {
    run_pooled(&DieselPool, all().filter(|case| case.level > Level::Kind));
}

// Where statements leave for a thread of their own.
#[test]
fn pooled_on_a_runtime_of_one_thread() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let Judged { passed, skipped, failed } =
        judge_on(&runtime, &DieselPool, all().filter(|case| matches!(case.level, Level::Driver | Level::Transaction)));
    println!("{passed} passed, {skipped} skipped");
    assert!(failed.is_empty(), "{passed} pass, and these fail: {failed:#?}");
}

// All cases on a pool, in parts, which run side by side.
macro_rules! pooled_in_parts {
    ($pool:expr) => {
        #[test]
        fn pooled_reading() {
            run_pooled(&$pool, all().filter(|case| case.level < Level::Kind));
        }

        #[test]
        fn pooled_kinds() {
            run_pooled(&$pool, all().filter(|case| case.level == Level::Kind));
        }

        #[test]
        fn pooled_with_writes() {
            run_pooled(&$pool, all().filter(|case| case.level > Level::Kind));
        }
    };
}

mod postgres {
    use super::*;

    pooled_in_parts!(DieselPostgresPool);

    #[test]
    fn lent() {
        // Two workers hold a transaction each.
        run_lent(&OnPostgres, Application::HasNoTransaction, &["row_locks.workers_take_different_rows"]);
    }

    #[test]
    fn lent_inside_a_transaction_of_diesel() {
        let refused = [&OUTERMOST_ON_POSTGRES[..], &ABORTED_INSIDE[..]].concat();
        run_lent(&OnPostgres, Application::IsInsideATransaction, &refused);
    }
}

mod mariadb {
    use super::*;

    pooled_in_parts!(DieselMariaDbPool);

    #[test]
    fn lent() {
        // Two workers hold a transaction each.
        run_lent(&OnMariaDb, Application::HasNoTransaction, &["row_locks.workers_take_different_rows"]);
    }

    // Not inside of a transaction: every case makes its tables, and making one commits. `assoc-diesel`'s own tests are inside.
}

fn run_pooled<'c>(backend: &dyn Backend, cases: impl Iterator<Item = &'c Case>) {
    let Judged { passed, skipped, failed } = judge(backend, cases);
    println!("{passed} passed, {skipped} skipped");
    assert!(failed.is_empty(), "{passed} pass, and these fail: {failed:#?}");
}

/// A database whose connections are lent, one for each case.
trait Lending {
    type Connection: Client + Connection<TransactionManager = AnsiTransactionManager>;

    type Place;

    fn driver(&self, connection: &mut Self::Connection) -> Lent;

    fn sql(&self) -> NativeSql;

    /// A connection to an empty database, and what removes it.
    fn connect(&self) -> (Self::Connection, Self::Place);
}

struct OnSqlite;

impl Lending for OnSqlite {
    type Connection = SqliteConnection;
    type Place = ();

    fn driver(&self, _: &mut SqliteConnection) -> Lent {
        Lent::sqlite()
    }

    fn sql(&self) -> NativeSql {
        backends::sqlite_sql()
    }

    fn connect(&self) -> (SqliteConnection, ()) {
        let mut connection = SqliteConnection::establish(":memory:").unwrap();
        connection.batch_execute("PRAGMA foreign_keys = ON").unwrap();
        (connection, ())
    }
}

struct OnPostgres;

impl Lending for OnPostgres {
    type Connection = PgConnection;
    type Place = TemporarySchema;

    fn driver(&self, _: &mut PgConnection) -> Lent {
        Lent::postgres()
    }

    fn sql(&self) -> NativeSql {
        backends::postgres_sql()
    }

    fn connect(&self) -> (PgConnection, TemporarySchema) {
        let (url, schema) = backends::postgres_schema().unwrap();
        (PgConnection::establish(&url).unwrap(), schema)
    }
}

struct OnMariaDb;

impl Lending for OnMariaDb {
    type Connection = MysqlConnection;
    type Place = TemporaryDatabase;

    fn driver(&self, connection: &mut MysqlConnection) -> Lent {
        Lent::of(connection).unwrap()
    }

    fn sql(&self) -> NativeSql {
        backends::mariadb_sql()
    }

    fn connect(&self) -> (MysqlConnection, TemporaryDatabase) {
        let (url, database) = backends::mariadb_database().unwrap();
        let mut connection = MysqlConnection::establish(&url).unwrap();
        MysqlSession.set_up(&mut connection).unwrap();
        (connection, database)
    }
}

/// The driver that is lent a connection for each case.
struct DieselLent(Lent, NativeSql);

impl Backend for DieselLent {
    fn name(&self) -> &'static str {
        "diesel-lent"
    }

    fn fresh(&self) -> BoxFuture<'_, Result<Database>> {
        Box::pin(async { Ok(Database::new(self.0.clone()).with_native_sql(self.1.clone())) })
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Application {
    HasNoTransaction,
    IsInsideATransaction,
}

#[test]
fn lent() {
    run_lent(&OnSqlite, Application::HasNoTransaction, &[]);
}

#[test]
fn lent_inside_a_transaction_of_diesel() {
    run_lent(&OnSqlite, Application::IsInsideATransaction, &OUTERMOST);
}

/// What gives a connection to a task of its own, which a lent one refuses: `assoc-diesel`'s own tests have such cases.
const IN_TASKS: [&str; 8] = [
    "contract_connections.sinks_that_panic",
    "handles_write.find_or_create_at_once",
    "nested_transactions.tasks_beside_each_other",
    "read_back.panicking_decoder",
    "transaction_options.deadlocks_are_retried",
    "transactions.an_error_of_the_application",
    "transactions.many_tasks",
    "transactions.two_hundred_tasks_on_one_pool",
];

/// What the outermost transaction does, and a savepoint does not: a savepoint checks no deferred foreign key when it is released,
/// and SQLite does not tell that another one is open.
const OUTERMOST: [&str; 2] = ["contract.errors_at_commit", "contract_errors.transactions_that_statements_leave"];

/// What PostgreSQL does in an outermost transaction only. A savepoint checks no deferred foreign key when it is released, the isolation
/// level cannot change any more, and two workers cannot hold a transaction each.
const OUTERMOST_ON_POSTGRES: [&str; 3] =
    ["contract.errors_at_commit", "transaction_options.isolation_levels", "row_locks.workers_take_different_rows"];

/// Where a statement fails outside of `assoc`'s transactions and savepoints. Inside a transaction of the application's, PostgreSQL
/// then refuses every statement that follows: "current transaction is aborted". The cases that compare kinds of errors see that
/// one in place of the kind they expect: `sums_beyond_a_column`, `no_table_is_made` and `unique_indexes_without_rules`.
const ABORTED_INSIDE: [&str; 27] = [
    "contract.texts_that_failed_before",
    "contract.classes_of_errors",
    "contract_values.sums_beyond_a_column",
    "contract_errors.of_values",
    "contract_errors.of_native_statements",
    "contract_connections.given_back",
    "errors.no_table_is_made",
    "contract_together.the_first_error",
    "filters.raw_stays_in_its_place",
    "equal_keys.texts",
    "equal_keys.bytes",
    "equal_keys.decimals",
    "equal_keys.dates",
    "equal_keys.integers_in_other_columns",
    "acceptance.unique_indexes_without_rules",
    "circles.both_keys_may_be_null",
    "circles.one_key_may_be_null",
    "circles.of_three_models",
    "circles.of_one_table_with_callbacks",
    "circles.no_key_may_be_null",
    "circles.keys_that_the_program_makes",
    "circles.below_others_and_many",
    "circles.filtered",
    "circles.a_failure_at_each_statement",
    "circles.destroyed_with_foreign_keys",
    "bulk_writes.sums_that_do_not_fit",
    "strained_writes.a_circle_with_a_shared_row",
];

fn run_lent<L: Lending>(lending: &L, application: Application, inside: &[&'static str]) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let _entered = runtime.enter();
    let mut refused = IN_TASKS.to_vec();
    refused.extend(inside);
    let (mut passed, mut skipped, mut failed) = (0, 0, Vec::new());
    // One connection is one database.
    for case in all().filter(|case| !case.two_databases) {
        match run_case(lending, case, application) {
            Ok(true) => passed += 1,
            Ok(false) => skipped += 1,
            Err(why) if refused.contains(&case.id) => {
                println!("refused {}: {why}", case.id);
                refused.retain(|refused| *refused != case.id);
            }
            Err(why) => {
                println!("{}: {why}", case.id);
                failed.push(case.id);
            }
        }
    }
    println!("{passed} passed, {skipped} skipped");
    assert!(failed.is_empty(), "{passed} pass, and these fail: {failed:#?}");
    assert!(refused.is_empty(), "these pass, and are listed as what cannot: {refused:#?}");
}

fn run_case<L: Lending>(lending: &L, case: &Case, application: Application) -> std::result::Result<bool, String> {
    let (mut connection, place) = lending.connect();
    if application == Application::IsInsideATransaction {
        AnsiTransactionManager::begin_transaction(&mut connection).unwrap();
    }
    let before = depth(&mut connection);
    let lent = lending.driver(&mut connection).with_patience(Duration::from_secs(2));
    let backend = DieselLent(lent.clone(), lending.sql());
    let ran = lent.block_on(&mut connection, async {
        tokio::time::timeout(Duration::from_secs(30), execute(&backend, case)).await
    });
    let after = depth(&mut connection);
    drop(connection);
    drop(place);
    let transcript = match ran.map_err(|_| "it waits for ever".to_owned())?.map_err(|error| error.to_string())? {
        Outcome::Skipped(_) => return Ok(false),
        Outcome::Ran(transcript) => transcript,
    };
    let golden = golden::behaviour(case.id, transcript.nulls).unwrap();
    if golden != transcript.behaviour.trim_end() {
        return Err(golden::difference(&golden, &transcript.behaviour));
    }
    if before != after {
        return Err(format!("Diesel was at depth {before} before and is at {after} after"));
    }
    Ok(true)
}

fn depth<C: Connection<TransactionManager = AnsiTransactionManager>>(connection: &mut C) -> u32 {
    let status: &mut TransactionManagerStatus =
        <AnsiTransactionManager as TransactionManager<C>>::transaction_manager_status_mut(connection);
    status.transaction_depth().unwrap().map_or(0, std::num::NonZero::get)
}
