//! Who gets which connection, when, and in what state.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use assoc_core::driver::{Access, Driver, PoolStatus, Statement, TransactionMode};
use assoc_core::{DriverErrorKind, Value};
use assoc_sqlite::{Execution, Sqlite};
use support::{Scratch, ints, kind, scalar, statement};

#[test]
fn connections_are_opened_when_needed_and_counted() {
    let scratch = Scratch::new();
    let sqlite = scratch.builder().readers(2).open().unwrap();
    pollster::block_on(async {
        assert_eq!(sqlite.pool_status(), Some(PoolStatus::new(1, 1, 3)));
        let first = sqlite.acquire(Access::Read).await.unwrap();
        let second = sqlite.acquire(Access::Read).await.unwrap();
        assert_eq!(sqlite.pool_status(), Some(PoolStatus::new(3, 1, 3)));
        drop((first, second));
        assert_eq!(sqlite.pool_status(), Some(PoolStatus::new(3, 3, 3)));
    });
}

#[test]
fn a_new_file_can_be_opened_by_several_at_once() {
    for _ in 0..40 {
        let scratch = Scratch::new();
        let start = std::sync::Barrier::new(8);
        std::thread::scope(|scope| {
            let opened: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        start.wait();
                        scratch.builder().open().map(drop)
                    })
                })
                .collect();
            for opened in opened {
                opened.join().unwrap().unwrap();
            }
        });
    }
}

#[test]
fn waiting_ends_with_the_time_limit_with_and_without_a_runtime() {
    let limit = Duration::from_millis(50);
    let scenario = |sqlite: Sqlite| async move {
        let held = sqlite.acquire(Access::Write).await.unwrap();
        let started = Instant::now();
        let error = sqlite.acquire(Access::Write).await.err().unwrap();
        assert_eq!(kind(&error), DriverErrorKind::PoolTimeout);
        assert!(error.to_string().contains("did not become free within 50ms"), "{error}");
        assert!(started.elapsed() >= limit);
        drop(held);
        sqlite.acquire(Access::Write).await.unwrap();
    };
    let opened = || Sqlite::builder(":memory:").acquire_timeout(limit).open().unwrap();
    pollster::block_on(scenario(opened()));
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(scenario(opened()));
    tokio::runtime::Builder::new_multi_thread().build().unwrap().block_on(scenario(opened()));
}

#[test]
fn waiters_are_served_in_order_and_may_leave() {
    let sqlite = Sqlite::memory().unwrap();
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
        let held = sqlite.acquire(Access::Write).await.unwrap();
        let order = Arc::new(std::sync::Mutex::new(Vec::new()));
        let mut tasks = Vec::new();
        for number in 0..10 {
            let (sqlite, order) = (sqlite.clone(), Arc::clone(&order));
            tasks.push(tokio::spawn(async move {
                let _connection = sqlite.acquire(Access::Write).await.unwrap();
                order.lock().unwrap().push(number);
            }));
            tokio::task::yield_now().await;
        }
        for gone in [2, 5] {
            tasks[gone].abort();
        }
        drop(held);
        // One that was granted the connection and is cancelled before it notices passes it on.
        tasks[0].abort();
        for task in tasks {
            let _ = task.await;
        }
        assert_eq!(*order.lock().unwrap(), [1, 3, 4, 6, 7, 8, 9]);
        assert_eq!(sqlite.pool_status(), Some(PoolStatus::new(1, 1, 1)));
    });
}

#[test]
fn a_hundred_tasks_share_two_readers_and_a_writer() {
    for (threads, execution) in [(1, Execution::Auto), (2, Execution::Auto), (2, Execution::Offload)] {
        let scratch = Scratch::new();
        let sqlite = scratch.builder().readers(2).execution(execution).open().unwrap();
        let runtime = if threads == 1 {
            tokio::runtime::Builder::new_current_thread().build().unwrap()
        } else {
            tokio::runtime::Builder::new_multi_thread().worker_threads(threads).build().unwrap()
        };
        runtime.block_on(async {
            sqlite.execute_batch("CREATE TABLE t(id INTEGER PRIMARY KEY, n INT)").await.unwrap();
            let read = Arc::new(AtomicUsize::new(0));
            let mut tasks = Vec::new();
            for task in 0..100 {
                let (sqlite, read) = (sqlite.clone(), Arc::clone(&read));
                tasks.push(tokio::spawn(async move {
                    for round in 0..5 {
                        if task % 4 == 0 {
                            let mut writer = sqlite.acquire(Access::Write).await.unwrap();
                            writer.begin(TransactionMode::Write).await.unwrap();
                            let insert =
                                statement("INSERT INTO t(n) VALUES (?), (?)", [Value::Int(round), Value::Int(task)]);
                            assert_eq!(writer.execute(&insert).await.unwrap().affected, 2);
                            writer.commit().await.unwrap();
                        } else {
                            let mut reader = sqlite.acquire(Access::Read).await.unwrap();
                            let count = ints(&mut *reader, &Statement::plain("SELECT count(*) FROM t")).await.unwrap();
                            assert_eq!(count[0] % 2, 0, "a reader saw half a transaction");
                            read.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                }));
            }
            for task in tasks {
                task.await.unwrap();
            }
            assert_eq!(read.load(Ordering::Relaxed), 75 * 5);
            assert_eq!(scalar(&sqlite, "SELECT count(*) FROM t").await, Value::Int(25 * 5 * 2));
        });
    }
}

#[test]
fn threads_without_a_runtime_share_it_too() {
    let scratch = Scratch::new();
    let sqlite = scratch.builder().readers(2).open().unwrap();
    pollster::block_on(sqlite.execute_batch("CREATE TABLE t(id INTEGER PRIMARY KEY)")).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..20 {
                    pollster::block_on(async {
                        let mut writer = sqlite.acquire(Access::Write).await.unwrap();
                        writer.execute(&Statement::plain("INSERT INTO t DEFAULT VALUES")).await.unwrap();
                        drop(writer);
                        assert_ne!(scalar(&sqlite, "SELECT count(*) FROM t").await, Value::Int(0));
                    });
                }
            });
        }
    });
    assert_eq!(pollster::block_on(scalar(&sqlite, "SELECT count(*) FROM t")), Value::Int(160));
}

#[test]
fn a_transaction_that_was_dropped_is_rolled_back() {
    let scratch = Scratch::new();
    let sqlite = scratch.builder().open().unwrap();
    pollster::block_on(async {
        sqlite.execute_batch("CREATE TABLE t(id INTEGER PRIMARY KEY)").await.unwrap();
        let mut writer = sqlite.acquire(Access::Write).await.unwrap();
        writer.begin(TransactionMode::Write).await.unwrap();
        writer.execute(&Statement::plain("INSERT INTO t VALUES (1)")).await.unwrap();
        writer.savepoint(1).await.unwrap();
        drop(writer);
        let mut writer = sqlite.acquire(Access::Write).await.unwrap();
        writer.begin(TransactionMode::Write).await.unwrap();
        assert_eq!(ints(&mut *writer, &Statement::plain("SELECT count(*) FROM t")).await.unwrap(), [0]);
        writer.commit().await.unwrap();
    });
}

#[test]
fn readers_cannot_write() {
    let scratch = Scratch::new();
    let sqlite = scratch.builder().open().unwrap();
    pollster::block_on(async {
        sqlite.execute_batch("CREATE TABLE t(id INTEGER PRIMARY KEY)").await.unwrap();
        let mut reader = sqlite.acquire(Access::Read).await.unwrap();
        let error = reader.execute(&Statement::plain("INSERT INTO t VALUES (1)")).await.unwrap_err();
        assert_eq!(
            (kind(&error), error.driver().unwrap().code()),
            (DriverErrorKind::ReadOnly, Some("SQLITE_READONLY"))
        );
    });
}

#[test]
fn opening() {
    let scratch = Scratch::new();
    let missing = scratch.builder().create_if_missing(false).open().unwrap_err();
    assert_eq!(kind(&missing), DriverErrorKind::Unavailable);
    assert!(missing.to_string().contains("test.db"), "{missing}");
    std::fs::write(scratch.path(), "this is not a database, and long enough to be looked at".repeat(100)).unwrap();
    assert_eq!(kind(&scratch.builder().open().unwrap_err()), DriverErrorKind::Unavailable);

    let scratch = Scratch::new();
    let url = format!("sqlite://{}", scratch.path().display());
    let sqlite = Sqlite::from_url(&url).unwrap();
    pollster::block_on(sqlite.execute_batch("CREATE TABLE t(id INTEGER PRIMARY KEY); INSERT INTO t VALUES (7)"))
        .unwrap();
    let reading = scratch.builder().read_only(true).open().unwrap();
    pollster::block_on(async {
        assert_eq!(scalar(&reading, "SELECT id FROM t").await, Value::Int(7));
        assert!(reading.execute_batch("DELETE FROM t").await.is_err());
    });
    let hooked = scratch.builder().on_connect(|conn| conn.pragma_update(None, "cache_size", -123)).open().unwrap();
    assert_eq!(pollster::block_on(scalar(&hooked, "PRAGMA cache_size")), Value::Int(-123));
    let failing = scratch.builder().on_connect(|conn| conn.execute_batch("nonsense")).open();
    assert_eq!(kind(&failing.unwrap_err()), DriverErrorKind::Unavailable);
    assert!(format!("{hooked:?}").contains("on_connect: true"));
}

#[test]
fn a_connection_that_cannot_be_opened_does_not_use_up_the_pool() {
    let scratch = Scratch::new();
    let broken = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let switch = Arc::clone(&broken);
    let sqlite = scratch
        .builder()
        .readers(1)
        .on_connect(move |conn| conn.execute_batch(if switch.load(Ordering::Relaxed) { "nonsense" } else { "" }))
        .open()
        .unwrap();
    pollster::block_on(async {
        broken.store(true, Ordering::Relaxed);
        for _ in 0..3 {
            assert_eq!(kind(&sqlite.acquire(Access::Read).await.err().unwrap()), DriverErrorKind::Unavailable);
        }
        broken.store(false, Ordering::Relaxed);
        assert_eq!(scalar(&sqlite, "SELECT 1").await, Value::Int(1));
    });
}
