//! Statements that run together, on connections that are idle.

use std::collections::BTreeSet;

use assoc_core::driver::{
    Connection, IndependentQuery, RowSink, Statement, StatementKind, StatementWatch, TransactionMode,
};
use assoc_core::{DriverErrorKind, Error, Result, Value};
use assoc_mysql::MySql;

use crate::support::{TestDb, acquire, pool_becomes, rows, run, status};

/// What was told of each statement, in order.
#[derive(Default)]
struct Told {
    begun: Vec<usize>,
    ended: Vec<(usize, bool)>,
    most: Option<usize>,
}

impl StatementWatch for Told {
    fn begins(&mut self, at: usize) -> Result<()> {
        if self.most == Some(at) {
            return Err(Error::other("no more statements"));
        }
        self.begun.push(at);
        Ok(())
    }

    fn ended(&mut self, at: usize, result: &Result<()>) {
        self.ended.push((at, result.is_ok()));
    }
}

#[derive(Default)]
struct Texts(Vec<String>);

impl RowSink for Texts {
    fn row(&mut self, values: &mut [Value<'_>]) -> Result<()> {
        self.0.extend(values.iter().map(ToString::to_string));
        Ok(())
    }
}

async fn together(connection: &mut dyn Connection, texts: &[&str], told: &mut Told) -> Result<Vec<Vec<String>>> {
    let select = |sql: &&str| Statement::plain(*sql).of_kind(StatementKind::Select);
    let statements: Vec<Statement> = texts.iter().map(select).collect();
    let mut found: Vec<Texts> = texts.iter().map(|_| Texts::default()).collect();
    let queries = statements.iter().zip(&mut found).map(|(statement, sink)| IndependentQuery::new(statement, sink));
    connection.query_together(queries.collect(), told).await?;
    Ok(found.into_iter().map(|Texts(rows)| rows).collect())
}

// Each connection has begun one of three before the first answer comes.
const WHOSE: [&str; 3] = ["SELECT CONNECTION_ID() FROM (SELECT SLEEP(0.02)) AS s"; 3];

async fn connections_of(connection: &mut dyn Connection) -> usize {
    let found = together(connection, &WHOSE, &mut Told::default()).await.unwrap();
    assert!(found.iter().all(|rows| rows.len() == 1), "{found:?}");
    found.into_iter().flatten().collect::<BTreeSet<_>>().len()
}

/// Opens some connections and gives them back.
async fn warm(driver: &MySql, count: usize) {
    let mut connections = Vec::new();
    for _ in 0..count {
        connections.push(acquire(driver).await);
    }
}

#[tokio::test]
async fn idle_connections_are_used_and_no_others() {
    let db = TestDb::new().await;
    let driver = db.driver().await;
    let mut connection = acquire(&driver).await;
    assert_eq!(connections_of(&mut *connection).await, 1, "none is opened");
    drop(connection);
    warm(&driver, 4).await;
    let mut connection = acquire(&driver).await;
    assert_eq!(connections_of(&mut *connection).await, 3, "two beside its own");
    let second = acquire(&driver).await;
    let third = acquire(&driver).await;
    assert_eq!(connections_of(&mut *connection).await, 2, "one is idle");
    let fourth = acquire(&driver).await;
    assert_eq!(connections_of(&mut *connection).await, 1, "none is: nothing waits");
    drop((connection, second, third, fourth));
    assert_eq!((status(&driver).open, status(&driver).idle), (4, 4));
}

#[tokio::test]
async fn what_one_connection_sees_alone_stays_on_it() {
    let db = TestDb::new().await;
    let driver = db.driver().await;
    warm(&driver, 4).await;
    let mut connection = acquire(&driver).await;
    for mode in [TransactionMode::Read, TransactionMode::Write] {
        connection.begin(mode).await.unwrap();
        assert_eq!(connections_of(&mut *connection).await, 1, "a transaction");
        connection.commit().await.unwrap();
    }
    run(&mut *connection, "SET @mine = 5").await;
    let found = together(&mut *connection, &["SELECT @mine"; 3], &mut Told::default()).await.unwrap();
    assert_eq!(found, [["5"], ["5"], ["5"]], "an altered session");
    drop(connection);
    pool_becomes(&driver, |pool| pool.idle == pool.open).await;

    let alone = db.builder().spare_connections(0).connect().await.unwrap();
    warm(&alone, 4).await;
    assert_eq!(connections_of(&mut *acquire(&alone).await).await, 1, "switched off");
}

#[tokio::test]
async fn what_is_told_has_the_order_of_the_statements() {
    let db = TestDb::new().await;
    let driver = db.driver().await;
    warm(&driver, 4).await;
    let mut connection = acquire(&driver).await;
    // The later ones are answered first.
    let texts = ["SELECT SLEEP(0.05)", "SELECT SLEEP(0.02)", "SELECT 1", "SELECT 2", "SELECT 3"];
    let mut told = Told::default();
    let found = together(&mut *connection, &texts, &mut told).await.unwrap();
    assert_eq!(found, [["0"], ["0"], ["1"], ["2"], ["3"]]);
    assert_eq!(told.begun, [0, 1, 2, 3, 4]);
    assert_eq!(told.ended, [(0, true), (1, true), (2, true), (3, true), (4, true)]);

    // The first error in their order, whichever comes first.
    let texts = ["SELECT SLEEP(0.05), nothing", "SELECT 1", "SELECT wrong FROM nowhere", "SELECT 2"];
    let error = together(&mut *connection, &texts, &mut Told::default()).await.unwrap_err();
    assert!(error.to_string().contains("nothing"), "{error}");

    let mut told = Told { most: Some(2), ..Told::default() };
    let error = together(&mut *connection, &["SELECT 1"; 5], &mut told).await.unwrap_err();
    assert!(error.to_string().contains("no more statements"), "{error}");
    assert_eq!((told.begun.as_slice(), told.ended.as_slice()), ([0, 1].as_slice(), [(0, true), (1, true)].as_slice()));
    assert_eq!(rows(&mut *connection, "SELECT 7", []).await, [[Value::Int(7)]], "the connection goes on");
    drop(connection);
    assert_eq!((status(&driver).open, status(&driver).idle), (4, 4));
}

#[tokio::test]
async fn a_call_that_is_dropped_leaves_a_sound_pool() {
    let db = TestDb::new().await;
    let driver = db.driver().await;
    warm(&driver, 4).await;
    let mut connection = acquire(&driver).await;
    let mut told = Told::default();
    let slow = together(&mut *connection, &["SELECT SLEEP(5)"; 3], &mut told);
    assert!(tokio::time::timeout(std::time::Duration::from_millis(50), slow).await.is_err());
    drop(connection);
    pool_becomes(&driver, |pool| pool.open == pool.idle && pool.open <= 2).await;
    warm(&driver, 4).await;
    assert_eq!(connections_of(&mut *acquire(&driver).await).await, 3);
}

#[tokio::test]
async fn what_a_closed_connection_was_to_run_runs_on_the_first() {
    let db = TestDb::new().await;
    let driver = db.driver().await;
    warm(&driver, 3).await;
    let mut connection = acquire(&driver).await;
    let mut ids = together(&mut *connection, &WHOSE, &mut Told::default()).await.unwrap().concat();
    ids.remove(0);
    for id in ids {
        run(&mut *connection, &format!("KILL {id}")).await;
    }
    // None takes their place: the first connection runs all.
    assert_eq!(connections_of(&mut *connection).await, 1);
    drop(connection);
    pool_becomes(&driver, |pool| (pool.open, pool.idle) == (1, 1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_that_all_want_more_than_one_do_not_stand_still() {
    let db = TestDb::new().await;
    let driver = std::sync::Arc::new(db.builder().max_connections(4).connect().await.unwrap());
    warm(&driver, 4).await;
    let tasks = (0..40).map(|_| {
        let driver = std::sync::Arc::clone(&driver);
        tokio::spawn(async move {
            for _ in 0..5 {
                let mut connection = acquire(&driver).await;
                let texts = ["SELECT 1", "SELECT 2", "SELECT 3"];
                let found = together(&mut *connection, &texts, &mut Told::default()).await.unwrap();
                assert_eq!(found, [["1"], ["2"], ["3"]]);
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    assert_eq!(status(&driver).open, status(&driver).idle);
}

#[tokio::test]
async fn a_trusted_connection_that_dies_fails_the_write_and_does_not_repeat_it() {
    let db = TestDb::new().await;
    let driver = db.builder().max_connections(1).connect().await.unwrap();
    let other = db.driver().await;
    let mut killer = acquire(&other).await;
    run(&mut *killer, "CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, v INT)").await;
    let mut lost = 0;
    for _ in 0..10 {
        let mut connection = acquire(&driver).await;
        let id = &rows(&mut *connection, "SELECT CONNECTION_ID()", []).await[0][0];
        drop(connection);
        run(&mut *killer, &format!("KILL {id}")).await;
        let outcome = crate::support::try_run(&mut *acquire(&driver).await, "INSERT INTO t (v) VALUES (7)", []).await;
        match outcome {
            Ok(_) => {}
            Err(error) => {
                assert_eq!(error.driver().unwrap().kind(), DriverErrorKind::ConnectionLost, "{error}");
                lost += 1;
            }
        }
        assert_eq!(rows(&mut *acquire(&driver).await, "SELECT 1", []).await, [[Value::Int(1)]], "the pool is sound");
    }
    assert!(lost > 0, "over TCP a write does not notice before");
    let stored = &rows(&mut *killer, "SELECT COUNT(*) FROM t", []).await[0][0];
    assert_eq!(*stored, Value::Int(10 - lost));
}

#[tokio::test]
async fn a_spare_connection_is_free_when_nothing_waits_for_it() {
    let db = TestDb::new().await;
    let driver = db.builder().max_connections(3).connect().await.unwrap();
    warm(&driver, 3).await;
    let mut connection = acquire(&driver).await;
    let mut told = Told::default();
    let mut slow = Box::pin(together(&mut *connection, &["SELECT SLEEP(2)", "SELECT 1", "SELECT 2"], &mut told));
    let others = async {
        pool_becomes(&driver, |pool| pool.idle == 2).await;
        assert_eq!(rows(&mut *acquire(&driver).await, "SELECT 3", []).await, [[Value::Int(3)]]);
    };
    tokio::select! {
        _ = &mut slow => panic!("the others are given back before the end"),
        () = others => {}
    }
    assert_eq!(slow.await.unwrap(), [["0"], ["1"], ["2"]]);
}

#[tokio::test]
async fn a_connection_that_was_asked_nothing_has_not_answered() {
    let db = TestDb::new().await;
    let driver =
        db.builder().max_connections(1).trust_window(std::time::Duration::from_millis(300)).connect().await.unwrap();
    run(&mut *acquire(&driver).await, "CREATE TABLE t (v INT)").await;
    let before = pinged(&driver).await;
    for _ in 0..5 {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        drop(acquire(&driver).await);
    }
    run(&mut *acquire(&driver).await, "INSERT INTO t VALUES (1)").await;
    assert_eq!(pinged(&driver).await - before, 1);
}

#[tokio::test]
async fn a_write_after_another_statement_is_not_pinged() {
    let db = TestDb::new().await;
    for (window, pings) in [(std::time::Duration::ZERO, 5), (std::time::Duration::from_secs(60), 0)] {
        let driver = db.builder().max_connections(1).trust_window(window).connect().await.unwrap();
        run(&mut *acquire(&driver).await, "CREATE TABLE IF NOT EXISTS t (v INT)").await;
        let before = pinged(&driver).await;
        for _ in 0..5 {
            run(&mut *acquire(&driver).await, "INSERT INTO t VALUES (1)").await;
        }
        assert_eq!(pinged(&driver).await - before, pings, "{window:?}");
    }
}

/// How often the one connection of a pool was pinged.
async fn pinged(driver: &MySql) -> i64 {
    let found = rows(&mut *acquire(driver).await, "SHOW SESSION STATUS LIKE 'Com_admin_commands'", []).await;
    found[0][1].to_string().trim_matches('"').parse().unwrap()
}
