//! Statements that are sent together take one turn, seen by a proxy before the server.

use std::net::ToSocketAddrs;
use std::time::Duration;

use assoc_core::driver::{
    Connection, IndependentQuery, RowSink, Statement, StatementKind, StatementWatch, TransactionMode,
};
use assoc_core::{DriverErrorKind, Error, ErrorKind, Result, Value};
use assoc_postgres::tokio_postgres::config::Host;
use assoc_postgres::{Postgres, PostgresBuilder};

use crate::proxy::Proxy;
use crate::support::{TestDb, acquire, one, run, try_run};

/// Counts what is begun and ended.
#[derive(Default)]
struct Seen {
    begun: Vec<usize>,
    ended: Vec<(usize, bool)>,
    // The statement that is refused.
    refused: Option<usize>,
}

impl StatementWatch for Seen {
    fn begins(&mut self, at: usize) -> Result<()> {
        if self.refused == Some(at) {
            return Err(Error::other("refused"));
        }
        self.begun.push(at);
        Ok(())
    }

    fn ended(&mut self, at: usize, result: &Result<()>) {
        self.ended.push((at, result.is_ok()));
    }
}

async fn through_a_proxy(db: &TestDb) -> (Proxy, Postgres) {
    let server = db.config();
    let (Some(Host::Tcp(host)), Some(port)) = (server.get_hosts().first(), server.get_ports().first()) else {
        panic!("a server that is reached by TCP")
    };
    let server_address = (host.as_str(), *port).to_socket_addrs().expect("an address").next().expect("one");
    let proxy = Proxy::new(server_address, Duration::from_millis(2));
    let mut config = assoc_postgres::tokio_postgres::Config::new();
    config.host(proxy.address.ip().to_string()).port(proxy.address.port());
    config.user(server.get_user().unwrap_or("assoc")).dbname(server.get_dbname().unwrap_or("assoc"));
    config.options(server.get_options().unwrap_or_default()).ssl_mode(server.get_ssl_mode());
    if let Some(password) = server.get_password() {
        config.password(password);
    }
    let driver = PostgresBuilder::from_config(config).max_connections(1).connect().await.expect("a driver");
    (proxy, driver)
}

fn select(sql: &str) -> Statement {
    Statement::plain(sql).of_kind(StatementKind::Select)
}

/// The integers that each statement returns.
async fn together(connection: &mut dyn Connection, texts: &[&str], watch: &mut Seen) -> (Vec<Vec<i64>>, Result<()>) {
    let statements: Vec<Statement> = texts.iter().map(|sql| select(sql)).collect();
    let mut found: Vec<Vec<i64>> = vec![Vec::new(); texts.len()];
    let mut sinks: Vec<_> = found
        .iter_mut()
        .map(|found| {
            move |values: &mut [Value<'_>]| {
                match values {
                    [Value::Int(number), ..] => found.push(*number),
                    _ => return Err(Error::other("an integer is expected")),
                }
                Ok(())
            }
        })
        .collect();
    let sinks = sinks.iter_mut().map(|sink| sink as &mut dyn RowSink);
    let queries = statements.iter().zip(sinks).map(|(statement, sink)| IndependentQuery::new(statement, sink));
    let result = connection.query_together(queries.collect(), watch).await;
    (found, result)
}

const SERIES: [&str; 5] = [
    "SELECT n::bigint FROM generate_series(1, 3) AS n",
    // More than one packet, and more than the client keeps unread.
    "SELECT n::bigint, repeat('x', 100) FROM generate_series(1, 50000) AS n",
    "SELECT 7::bigint WHERE false",
    "SELECT n::bigint, repeat('y', 100) FROM generate_series(1, 50000) AS n",
    "SELECT 9::bigint",
];

#[tokio::test]
async fn together_they_take_one_turn() {
    let db = TestDb::new().await;
    let (proxy, driver) = through_a_proxy(&db).await;
    let mut connection = acquire(&driver).await;
    for inside in [false, true] {
        if inside {
            connection.begin(TransactionMode::Read).await.unwrap();
        }
        proxy.turns();
        for is_known in [inside, true] {
            let mut watch = Seen::default();
            let (found, result) = together(&mut *connection, &SERIES, &mut watch).await;
            result.unwrap();
            assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [3, 50_000, 0, 50_000, 1]);
            assert_eq!(found[1], (1..=50_000).collect::<Vec<i64>>());
            assert_eq!(watch.begun, [0, 1, 2, 3, 4]);
            assert_eq!(watch.ended, [0, 1, 2, 3, 4].map(|at| (at, true)));
            // What is not prepared is prepared first, all of it at once.
            assert_eq!(proxy.turns(), if is_known { 1 } else { 2 });
        }
    }
    connection.commit().await.unwrap();
}

/// Their order is the order of the errors, whenever the server finds them.
#[tokio::test]
async fn the_error_is_the_first_one() {
    let db = TestDb::new().await;
    let driver = db.driver().await;
    let mut connection = acquire(&driver).await;
    for inside in [false, true] {
        for (text, kind) in [("SELECT 1 / 0", DriverErrorKind::Value), ("SELEKT 1", DriverErrorKind::Statement)] {
            if inside {
                connection.begin(TransactionMode::Write).await.unwrap();
            }
            let mut watch = Seen::default();
            let texts = ["SELECT 1::bigint", text, "SELECT 2::bigint", "SELECT 1 / 0"];
            let (_, result) = together(&mut *connection, &texts, &mut watch).await;
            let error = result.unwrap_err();
            assert_eq!(error.driver().unwrap().kind(), kind, "{error}");
            assert_eq!(error.driver().unwrap().sql(), Some(text));
            assert!(watch.ended.contains(&(1, false)), "{:?}", watch.ended);
            if inside {
                let error = connection.commit().await.unwrap_err();
                assert!(matches!(error.kind(), ErrorKind::Transaction(_)), "{error}");
            }
            assert_eq!(one(&mut *connection, "SELECT 8").await, Value::Int(8));
        }
    }
}

/// A sink refuses a row. Its statement fails, the statements beside it run, and the transaction goes on.
#[tokio::test]
async fn a_sink_that_fails() {
    let db = TestDb::new().await;
    let driver = db.driver().await;
    let mut connection = acquire(&driver).await;
    run(&mut *connection, "CREATE TABLE t (id INT PRIMARY KEY)").await;
    for inside in [false, true] {
        if inside {
            connection.begin(TransactionMode::Write).await.unwrap();
            run(&mut *connection, "INSERT INTO t VALUES (1)").await;
        }
        let texts = ["SELECT 1::bigint", "SELECT 'x' FROM generate_series(1, 50000)", SERIES[1]];
        let (_, result) = together(&mut *connection, &texts, &mut Seen::default()).await;
        assert_eq!(result.unwrap_err().to_string(), "an integer is expected");
        if inside {
            connection.commit().await.unwrap();
        }
        assert_eq!(one(&mut *connection, "SELECT COUNT(*) FROM t").await, Value::Int(inside.into()));
    }
}

#[tokio::test]
async fn what_is_refused_is_not_sent() {
    let db = TestDb::new().await;
    let driver = db.driver().await;
    let mut connection = acquire(&driver).await;
    run(&mut *connection, "CREATE SEQUENCE s").await;
    let next = "SELECT nextval('s')";
    let mut watch = Seen { refused: Some(2), ..Seen::default() };
    let (found, result) = together(&mut *connection, &[next; 4], &mut watch).await;
    assert_eq!(result.unwrap_err().to_string(), "refused");
    assert_eq!((found, watch.ended), (vec![vec![1], vec![2], vec![], vec![]], vec![(0, true), (1, true)]));
    assert_eq!(one(&mut *connection, "SELECT last_value FROM s").await, Value::Int(2));
}

/// A table has changed since the statements were prepared, by another program.
#[tokio::test]
async fn outdated_statements_run_again() {
    let db = TestDb::new().await;
    let (driver, other) = (db.driver().await, db.driver().await);
    let (mut connection, mut stranger) = (acquire(&driver).await, acquire(&other).await);
    run(&mut *connection, "CREATE TABLE t (id BIGINT PRIMARY KEY)").await;
    run(&mut *connection, "INSERT INTO t VALUES (5)").await;
    let texts = [SERIES[1], "SELECT * FROM t", SERIES[3], "SELECT * FROM t"];
    for change in [None, Some("ALTER TABLE t ADD COLUMN word TEXT"), Some("ALTER TABLE t DROP COLUMN word")] {
        if let Some(change) = change {
            run(&mut *stranger, change).await;
        }
        let mut watch = Seen::default();
        let (found, result) = together(&mut *connection, &texts, &mut watch).await;
        result.unwrap();
        assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [50_000, 1, 50_000, 1]);
        assert_eq!(watch.ended, [0, 1, 2, 3].map(|at| (at, true)));
    }
}

/// The next call of the same connection waits for what was begun, and no answer is another statement's.
#[tokio::test]
async fn dropped_half_way() {
    let db = TestDb::new().await;
    let driver = db.driver().await;
    for inside in [false, true] {
        let mut connection = acquire(&driver).await;
        if inside {
            connection.begin(TransactionMode::Read).await.unwrap();
        }
        let mut watch = Seen::default();
        let texts = ["SELECT 1::bigint", "SELECT 2::bigint, pg_sleep(0.2)", SERIES[1]];
        let dropped =
            tokio::time::timeout(Duration::from_millis(60), together(&mut *connection, &texts, &mut watch)).await;
        assert!(dropped.is_err());
        assert_eq!(one(&mut *connection, "SELECT 8").await, Value::Int(8));
        drop(connection);
        let mut next = acquire(&driver).await;
        assert_eq!(one(&mut *next, "SELECT 9").await, Value::Int(9));
        next.begin(TransactionMode::Write).await.unwrap();
        next.rollback().await.unwrap();
    }
}

/// `BEGIN` and savepoints go with the statement after them.
#[tokio::test]
async fn a_transaction_takes_the_turn_of_its_commit() {
    let db = TestDb::new().await;
    let (proxy, driver) = through_a_proxy(&db).await;
    let mut connection = acquire(&driver).await;
    run(&mut *connection, "CREATE TABLE t (id INT)").await;
    let insert = "INSERT INTO t VALUES (1)";
    run(&mut *connection, insert).await;
    proxy.turns();
    for (nested, turns) in [(0, 2), (1, 2), (3, 4)] {
        connection.begin(TransactionMode::Write).await.unwrap();
        for _ in 0..nested {
            connection.savepoint(1).await.unwrap();
            run(&mut *connection, insert).await;
            connection.release_savepoint(1).await.unwrap();
        }
        if nested == 0 {
            run(&mut *connection, insert).await;
        }
        connection.commit().await.unwrap();
        assert_eq!(proxy.turns(), turns, "{nested} nested");
    }
    // One that is undone takes a turn of its own, and one without statements none.
    connection.begin(TransactionMode::Write).await.unwrap();
    connection.savepoint(1).await.unwrap();
    connection.release_savepoint(1).await.unwrap();
    connection.commit().await.unwrap();
    assert_eq!(proxy.turns(), 0);
    connection.begin(TransactionMode::Write).await.unwrap();
    connection.savepoint(1).await.unwrap();
    run(&mut *connection, insert).await;
    connection.rollback_to_savepoint(1).await.unwrap();
    connection.rollback().await.unwrap();
    assert_eq!(proxy.turns(), 3);
    assert_eq!(one(&mut *connection, "SELECT COUNT(*) FROM t").await, Value::Int(6));
}

/// A statement behind a `BEGIN` that the server refuses runs by itself, which the errors say if it may have written.
#[tokio::test]
async fn a_begin_that_is_refused() {
    use DriverErrorKind::{AmbiguousCommit, Statement};
    const SLOW: &str = "INSERT INTO t SELECT 2 FROM pg_sleep(0.5)";
    let db = TestDb::new().await;
    let (proxy, driver) = through_a_proxy(&db).await;
    let other = db.driver().await;
    run(&mut *acquire(&other).await, "CREATE TABLE t (id INT PRIMARY KEY)").await;
    let written = async || one(&mut *acquire(&other).await, "SELECT COUNT(*) FROM t").await;
    // What is not prepared waits for the answer to `BEGIN`.
    let mut connection = acquire(&driver).await;
    connection.begin(TransactionMode::Write).await.unwrap();
    run(&mut *connection, "INSERT INTO t VALUES (1)").await;
    run(&mut *connection, SLOW).await;
    connection.rollback().await.unwrap();
    drop(connection);
    let kind = |error: &Error| error.driver().map(assoc_core::DriverError::kind);
    for (at, (first, expected, rows)) in [
        ("INSERT INTO t VALUES (0)", Statement, 0),
        ("INSERT INTO t VALUES (1)", AmbiguousCommit, 1),
        ("INSERT INTO t VALUES (1)", Statement, 1),
        ("together", Statement, 1),
        (SLOW, AmbiguousCommit, 2),
    ]
    .into_iter()
    .enumerate()
    {
        let mut connection = acquire(&driver).await;
        connection.begin(TransactionMode::Write).await.unwrap();
        proxy.spoil_begin(true);
        if first == "together" {
            let mut watch = Seen::default();
            let (_, result) = together(&mut *connection, &["SELECT 1::bigint"; 2], &mut watch).await;
            assert_eq!(kind(&result.unwrap_err()), Some(expected));
            assert_eq!(watch.ended.first(), Some(&(0, false)));
        } else if first == SLOW {
            // Its answer is never seen.
            let slow = try_run(&mut *connection, first, []);
            assert!(tokio::time::timeout(Duration::from_millis(30), slow).await.is_err());
        } else {
            assert_eq!(kind(&try_run(&mut *connection, first, []).await.unwrap_err()), Some(expected));
        }
        proxy.spoil_begin(false);
        // Nothing else runs by itself.
        let next = match at % 2 {
            0 => try_run(&mut *connection, "INSERT INTO t VALUES (3)", []).await.unwrap_err(),
            _ => connection.savepoint(1).await.unwrap_err(),
        };
        for error in [next, connection.commit().await.unwrap_err()] {
            match expected {
                AmbiguousCommit => assert_eq!(kind(&error), Some(AmbiguousCommit)),
                _ => assert!(matches!(error.kind(), ErrorKind::Transaction(_)), "{error}"),
            }
        }
        assert_eq!(one(&mut *connection, "SELECT 8").await, Value::Int(8));
        assert_eq!(written().await, Value::Int(rows));
    }
}

/// A transaction whose end was not waited for takes no statement, which would run by itself.
#[tokio::test]
async fn the_end_of_a_transaction_can_be_dropped() {
    let db = TestDb::new().await;
    let (proxy, driver) = through_a_proxy(&db).await;
    let mut connection = acquire(&driver).await;
    run(&mut *connection, "CREATE TABLE t (id INT)").await;
    for commits in [true, false] {
        connection.begin(TransactionMode::Write).await.unwrap();
        run(&mut *connection, "INSERT INTO t VALUES (1)").await;
        {
            let end = if commits { connection.commit() } else { connection.rollback() };
            assert!(tokio::time::timeout(Duration::ZERO, end).await.is_err());
        }
        let error = try_run(&mut *connection, "INSERT INTO t VALUES (2)", []).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Transaction(_)), "{error}");
        let error = connection.commit().await.unwrap_err();
        assert_eq!(error.driver().map(assoc_core::DriverError::kind), Some(DriverErrorKind::AmbiguousCommit));
        assert_eq!(one(&mut *connection, "SELECT COUNT(*) FROM t").await, Value::Int(1));
    }
    assert!(proxy.turns() > 0);
}

/// What was released stays when the next savepoint of the same depth is undone.
#[tokio::test]
async fn a_savepoint_is_not_taken_for_an_earlier_one() {
    let db = TestDb::new().await;
    let driver = db.driver().await;
    let mut connection = acquire(&driver).await;
    run(&mut *connection, "CREATE TABLE t (id INT PRIMARY KEY)").await;
    connection.begin(TransactionMode::Write).await.unwrap();
    connection.savepoint(1).await.unwrap();
    run(&mut *connection, "INSERT INTO t VALUES (1)").await;
    connection.release_savepoint(1).await.unwrap();
    connection.savepoint(1).await.unwrap();
    run(&mut *connection, "INSERT INTO t VALUES (2)").await;
    try_run(&mut *connection, "INSERT INTO t VALUES (2)", []).await.unwrap_err();
    connection.rollback_to_savepoint(1).await.unwrap();
    connection.commit().await.unwrap();
    assert_eq!(one(&mut *connection, "SELECT COUNT(*) FROM t").await, Value::Int(1));
}
