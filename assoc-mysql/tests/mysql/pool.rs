//! The pool: limits, fairness, cancellation.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use assoc_core::driver::{Access, Driver, TransactionMode};
use assoc_core::{DriverErrorKind, Value};
use assoc_mysql::MySql;
use assoc_mysql::mysql_async::OptsBuilder;

use crate::support::{
    TestDb, acquire, connection_id, one, pool_becomes, rows, run, statement, status, try_rows, try_run,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_tasks_share_ten_connections() {
    let db = TestDb::new().await;
    let driver = Arc::new(db.builder().max_connections(10).connect().await.unwrap());
    run(&mut *acquire(&driver).await, "CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, v INT)").await;
    let most = Arc::new(AtomicUsize::new(0));
    let tasks: Vec<_> = (0..200)
        .map(|task: i64| {
            let (driver, most) = (Arc::clone(&driver), Arc::clone(&most));
            tokio::spawn(async move {
                for round in 0..5 {
                    let mut connection = driver.acquire(Access::Write).await?;
                    most.fetch_max(status(&driver).open, Ordering::Relaxed);
                    match (task + round) % 4 {
                        0 => drop(try_rows(&mut *connection, "SELECT SLEEP(0.002)", []).await?),
                        1 => drop(try_run(&mut *connection, "INSERT INTO t (v) VALUES (?)", [Value::Int(task)]).await?),
                        2 => {
                            connection.begin(TransactionMode::Write).await?;
                            try_run(&mut *connection, "INSERT INTO t (v) VALUES (?)", [Value::Int(task)]).await?;
                            connection.commit().await?;
                        }
                        // Forgotten: rolled back behind our back.
                        _ => {
                            connection.begin(TransactionMode::Write).await?;
                            try_run(&mut *connection, "INSERT INTO t (v) VALUES (?)", [Value::Int(task)]).await?;
                        }
                    }
                }
                assoc_core::Result::<()>::Ok(())
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    pool_becomes(&driver, |pool| pool.open == pool.idle).await;
    let pool = status(&driver);
    assert!(pool.open <= 10 && most.load(Ordering::Relaxed) <= 10, "{pool:?} {most:?}");
    assert_eq!(one(&mut *acquire(&driver).await, "SELECT COUNT(*) FROM t").await, Value::Int(500));
}

#[tokio::test]
async fn the_password_is_not_shown() {
    let db = TestDb::new().await;
    let root = db.driver().await;
    let user = format!("shown_{}", std::process::id());
    let mut connection = acquire(&root).await;
    run(&mut *connection, &format!("CREATE USER '{user}'@'%' IDENTIFIED BY 'hunter2hunter2'")).await;
    let options =
        |options: OptsBuilder| options.user(Some(user.as_str())).pass(Some("hunter2hunter2")).db_name(None::<String>);
    let driver = db.builder().options(options).connect().await.unwrap();
    assert_eq!(status(&driver).idle, 1);
    let shown = format!("{driver:?}");
    run(&mut *connection, &format!("DROP USER '{user}'@'%'")).await;
    assert!(shown.contains(&user) && !shown.contains("hunter2"), "{shown}");
}

#[tokio::test]
async fn who_came_first_is_served_first() {
    let db = TestDb::new().await;
    let driver = Arc::new(db.builder().max_connections(1).connect().await.unwrap());
    let held = acquire(&driver).await;
    let (order, mut served) = tokio::sync::mpsc::unbounded_channel();
    for waiter in 0..20 {
        let (driver, order) = (Arc::clone(&driver), order.clone());
        tokio::spawn(async move {
            let mut connection = acquire(&driver).await;
            one(&mut *connection, "SELECT 1").await;
            let _ = order.send(waiter);
        });
        tokio::task::yield_now().await;
    }
    drop((held, order));
    let mut seen = Vec::new();
    while let Some(waiter) = served.recv().await {
        seen.push(waiter);
    }
    assert_eq!(seen, (0..20).collect::<Vec<_>>());
}

#[tokio::test]
async fn waiting_has_a_limit_and_says_why() {
    let db = TestDb::new().await;
    let driver = db.builder().max_connections(1).acquire_timeout(Duration::from_millis(100)).connect().await.unwrap();
    let held = acquire(&driver).await;
    let began = Instant::now();
    let error = driver.acquire(Access::Read).await.map(|_| ()).unwrap_err();
    assert_eq!(error.driver().unwrap().kind(), DriverErrorKind::PoolTimeout);
    assert!(error.to_string().contains("all 1 are in use"), "{error}");
    assert!(began.elapsed() >= Duration::from_millis(100));
    drop(held);
    drop(acquire(&driver).await);
}

#[tokio::test]
async fn a_cancelled_statement_never_reaches_the_next_user() {
    let db = TestDb::new().await;
    let driver = db.builder().max_connections(1).connect().await.unwrap();
    for millis in [0, 1, 2, 5, 20, 60] {
        for sql in ["SELECT SLEEP(20), 'old answer'", "SELECT 'old answer', ?"] {
            let binds = if sql.contains('?') { vec![Value::Int(1)] } else { vec![] };
            let mut connection = acquire(&driver).await;
            let slow = try_rows(&mut *connection, sql, binds);
            let _ = tokio::time::timeout(Duration::from_millis(millis), slow).await;
            drop(connection);
            let mut connection = acquire(&driver).await;
            assert_eq!(rows(&mut *connection, "SELECT 'mine'", []).await.len(), 1);
            assert_eq!(one(&mut *connection, "SELECT 'mine'").await.to_string(), "\"mine\"");
        }
    }
    pool_becomes(&driver, |pool| pool.open == 1 && pool.idle == 1).await;
}

async fn big_table(driver: &MySql) {
    let mut connection = acquire(driver).await;
    run(&mut *connection, "CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, v LONGTEXT)").await;
    run(&mut *connection, "INSERT INTO t (v) VALUES (REPEAT('x', 100000))").await;
    for _ in 0..8 {
        run(&mut *connection, "INSERT INTO t (v) SELECT v FROM t").await;
    }
}

#[tokio::test]
async fn a_stream_dropped_half_way_does_not_come_back() {
    let db = TestDb::new().await;
    let driver = Arc::new(db.builder().max_connections(1).connect().await.unwrap());
    big_table(&driver).await;
    let mut connection = acquire(&driver).await;
    let id = connection_id(&mut *connection).await;
    let (first, mut seen) = tokio::sync::mpsc::unbounded_channel();
    let reading = tokio::spawn(async move {
        let mut sink = |_: &mut [Value<'_>]| {
            let _ = first.send(());
            Ok(())
        };
        let select = statement("SELECT v, SLEEP(0.01) FROM t", []);
        let _ = connection.query(&select, &mut sink).await;
    });
    seen.recv().await;
    reading.abort();
    let _ = reading.await;
    let mut connection = acquire(&driver).await;
    assert_ne!(connection_id(&mut *connection).await, id);
    assert_eq!(status(&driver).open, 1);
}

#[tokio::test]
async fn a_panic_in_a_sink_harms_nobody_else() {
    let db = TestDb::new().await;
    let driver = Arc::new(db.builder().max_connections(1).connect().await.unwrap());
    big_table(&driver).await;
    let panicking = Arc::clone(&driver);
    let task = tokio::spawn(async move {
        let mut connection = acquire(&panicking).await;
        connection.begin(TransactionMode::Write).await.unwrap();
        let mut sink = |_: &mut [Value<'_>]| -> assoc_core::Result<()> { panic!("a decoder's mistake") };
        let _ = connection.query(&statement("SELECT v FROM t", []), &mut sink).await;
    });
    assert!(task.await.unwrap_err().is_panic());
    let mut connection = acquire(&driver).await;
    connection.begin(TransactionMode::Write).await.unwrap();
    assert_eq!(one(&mut *connection, "SELECT COUNT(*) FROM t").await, Value::Int(256));
    connection.rollback().await.unwrap();
    assert_eq!(status(&driver).open, 1);
}

#[tokio::test]
async fn giving_up_waiting_leaks_nothing() {
    let db = TestDb::new().await;
    let driver = Arc::new(db.builder().max_connections(2).connect().await.unwrap());
    for _ in 0..50 {
        let held = (acquire(&driver).await, acquire(&driver).await);
        let waiting: Vec<_> = (0..5)
            .map(|_| {
                let driver = Arc::clone(&driver);
                tokio::spawn(async move { driver.acquire(Access::Read).await.map(drop) })
            })
            .collect();
        tokio::task::yield_now().await;
        waiting.iter().for_each(|task| task.abort());
        drop(held);
    }
    let both = (acquire(&driver).await, acquire(&driver).await);
    assert_eq!((status(&driver).open, status(&driver).idle, status(&driver).max), (2, 0, 2));
    drop(both);
}

#[tokio::test]
async fn idle_connections_are_closed_but_not_below_the_minimum() {
    let db = TestDb::new().await;
    let driver = db
        .builder()
        .max_connections(4)
        .min_connections(1)
        .idle_timeout(Duration::from_millis(50))
        .connect()
        .await
        .unwrap();
    drop((acquire(&driver).await, acquire(&driver).await, acquire(&driver).await));
    assert_eq!(status(&driver).idle, 3);
    for _ in 0..4 {
        tokio::time::sleep(Duration::from_millis(60)).await;
        drop(acquire(&driver).await);
    }
    pool_becomes(&driver, |pool| pool.open == 1 && pool.idle == 1).await;
}

#[tokio::test]
async fn a_closed_pool_hands_out_nothing() {
    let db = TestDb::new().await;
    let driver = db.driver().await;
    let mut held = acquire(&driver).await;
    drop(acquire(&driver).await);
    driver.close().await;
    assert!(driver.acquire(Access::Read).await.is_err());
    assert_eq!(one(&mut *held, "SELECT 1").await, Value::Int(1));
    drop(held);
    pool_becomes(&driver, |pool| pool.open == 0).await;
}

#[test]
fn a_connection_may_be_dropped_after_its_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (db, driver, connection) = runtime.block_on(async {
        let db = TestDb::new().await;
        let driver = db.driver().await;
        let mut connection = acquire(&driver).await;
        connection.begin(TransactionMode::Write).await.unwrap();
        (db, driver, connection)
    });
    drop(runtime);
    drop(connection);
    drop(driver);
    drop(db);
}
