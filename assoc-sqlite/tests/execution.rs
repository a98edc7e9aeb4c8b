//! Where statements run: with and without runtimes, cancelled half-way, with a sink that panics.
#![cfg(feature = "tokio")]
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use assoc_core::driver::{Access, AnswerColumn, Driver, RowSink, Statement, StatementKind, TransactionMode};
use assoc_core::{DriverErrorKind, Error, Value};
use assoc_sqlite::{Execution, Sqlite};
use support::{Scratch, ints, kind, scalar, statement};

const COUNT_TO: &str =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) SELECT i, 'row ' || i FROM n";
const LONG: &str =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000) SELECT max(i) FROM n";

const EXECUTIONS: [Execution; 4] = [Execution::Auto, Execution::Inline, Execution::BlockInPlace, Execution::Offload];

fn current_thread() -> tokio::runtime::Runtime {
    // Without timers and I/O: the driver must need neither.
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

fn multi_thread() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap()
}

/// Runs the scenario under every way of execution, in both runtimes and without one.
fn everywhere<F: Future<Output = ()> + Send + 'static>(scenario: impl Fn(Sqlite) -> F) {
    for execution in EXECUTIONS {
        for place in 0..4 {
            let scratch = Scratch::new();
            let sqlite = scratch.builder().readers(2).execution(execution).open().unwrap();
            let scenario = scenario(sqlite);
            match place {
                0 => pollster::block_on(scenario),
                1 => current_thread().block_on(scenario),
                2 => multi_thread().block_on(scenario),
                _ => multi_thread().block_on(async { tokio::spawn(scenario).await.unwrap() }),
            }
        }
    }
}

#[test]
fn statements_work_everywhere() {
    everywhere(|sqlite| async move {
        sqlite.execute_batch("CREATE TABLE t(id INTEGER PRIMARY KEY, s TEXT)").await.unwrap();
        let mut writer = sqlite.acquire(Access::Write).await.unwrap();
        for run in 1..=3 {
            writer.begin(TransactionMode::Write).await.unwrap();
            let insert = statement("INSERT INTO t(s) VALUES (?)", [Value::Text("x".into())]);
            let done = writer.execute(&insert).await.unwrap();
            assert_eq!((done.affected, done.last_insert_id), (1, Some(run)));
            writer.commit().await.unwrap();
        }
        drop(writer);
        let mut reader = sqlite.acquire(Access::Read).await.unwrap();
        // Twice, so that what was measured in the first run is used in the second.
        for _ in 0..2 {
            for count in [0, 1, 255, 256, 257, 10_000] {
                let found = ints(&mut *reader, &statement(COUNT_TO, [Value::Int(count)])).await.unwrap();
                assert_eq!(found.len() as i64, count.max(1));
                assert!(found.windows(2).all(|pair| pair[0] + 1 == pair[1]));
            }
            assert_eq!(ints(&mut *reader, &Statement::plain("SELECT id FROM t")).await.unwrap(), [1, 2, 3]);
        }
    });
}

#[test]
fn a_failing_sink_stops_the_statement_and_its_error_comes_back() {
    everywhere(|sqlite| async move {
        let mut reader = sqlite.acquire(Access::Read).await.unwrap();
        let mut seen = 0;
        let mut sink = |_: &mut [Value<'_>]| {
            seen += 1;
            if seen == 300 { Err(Error::other("enough")) } else { Ok(()) }
        };
        let error = reader.query(&statement(COUNT_TO, [Value::Int(100_000_000)]), &mut sink).await.unwrap_err();
        assert_eq!(error.to_string(), "enough");
        assert_eq!(seen, 300);
        assert_eq!(ints(&mut *reader, &Statement::plain("SELECT 7")).await.unwrap(), [7]);
    });
}

#[test]
fn a_panicking_sink_leaves_pool_and_connection_usable() {
    everywhere(|sqlite| async move {
        for _ in 0..5 {
            let mut reader = sqlite.acquire(Access::Read).await.unwrap();
            let mut sink =
                |_: &mut [Value<'_>]| -> assoc_core::Result<()> { std::panic::resume_unwind(Box::new("sink")) };
            let statement = statement(COUNT_TO, [Value::Int(5_000)]);
            let mut query = Some(reader.query(&statement, &mut sink));
            let outcome = std::future::poll_fn(|cx| {
                let polled = std::panic::catch_unwind(AssertUnwindSafe(|| query.as_mut().unwrap().as_mut().poll(cx)));
                match polled {
                    Ok(std::task::Poll::Pending) => std::task::Poll::Pending,
                    Ok(std::task::Poll::Ready(done)) => std::task::Poll::Ready(Ok(done)),
                    Err(panic) => std::task::Poll::Ready(Err(panic)),
                }
            })
            .await;
            assert!(outcome.is_err());
            drop(query);
            assert_eq!(ints(&mut *reader, &Statement::plain("SELECT 7")).await.unwrap(), [7]);
        }
        assert_eq!(scalar(&sqlite, "SELECT 8").await, Value::Int(8));
    });
}

#[test]
fn a_cancelled_query_gives_its_connection_back() {
    for runtime in [current_thread(), multi_thread()] {
        let scratch = Scratch::new();
        let sqlite = scratch.builder().readers(1).execution(Execution::Offload).open().unwrap();
        runtime.block_on(async {
            sqlite.execute_batch("CREATE TABLE t(id INTEGER PRIMARY KEY)").await.unwrap();
            let started = Instant::now();
            for _ in 0..3 {
                let mut reader = sqlite.acquire(Access::Read).await.unwrap();
                let long = Statement::plain(LONG);
                let mut sink = |_: &mut [Value<'_>]| Ok(());
                abandon(reader.query(&long, &mut sink)).await;
                drop(reader);
            }
            // Only one reader exists: it must have come back each time.
            assert_eq!(scalar(&sqlite, "SELECT 1").await, Value::Int(1));

            // The connection outlives the future: it waits for its thread, and goes on.
            let mut reader = sqlite.acquire(Access::Read).await.unwrap();
            let long = Statement::plain(LONG);
            let mut sink = |_: &mut [Value<'_>]| Ok(());
            abandon(reader.query(&long, &mut sink)).await;
            assert_eq!(ints(&mut *reader, &Statement::plain("SELECT 2")).await.unwrap(), [2]);
            drop(reader);

            // A write that was interrupted takes its transaction with it; nothing may run outside of it by mistake.
            let mut writer = sqlite.acquire(Access::Write).await.unwrap();
            writer.begin(TransactionMode::Write).await.unwrap();
            writer.execute(&Statement::plain("INSERT INTO t VALUES (1)")).await.unwrap();
            let long = Statement::plain(format!("INSERT INTO t {LONG}"));
            abandon(writer.execute(&long)).await;
            let error = writer.execute(&Statement::plain("INSERT INTO t VALUES (2)")).await.unwrap_err();
            assert!(error.to_string().contains("rolled the transaction back by itself"), "{error}");
            writer.rollback().await.unwrap();
            drop(writer);
            assert_eq!(scalar(&sqlite, "SELECT count(*) FROM t").await, Value::Int(0));
            assert!(started.elapsed() < Duration::from_secs(20), "the statements were interrupted");
        });
    }
}

/// Polls a future until a blocking thread works for it, then drops it.
async fn abandon<T>(future: impl Future<Output = T>) {
    let mut future = Box::pin(future);
    for _ in 0..20 {
        let polled = std::future::poll_fn(|cx| std::task::Poll::Ready(future.as_mut().poll(cx).is_pending())).await;
        assert!(polled, "the statement must still be running");
        std::thread::sleep(Duration::from_millis(1));
        tokio::task::yield_now().await;
    }
}

#[test]
fn long_statements_do_not_stall_the_runtime() {
    for runtime in [current_thread(), multi_thread()] {
        let scratch = Scratch::new();
        let sqlite = scratch.builder().open().unwrap();
        runtime.block_on(async {
            let (done, ticks) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
            let ticker = tokio::spawn({
                let (done, ticks) = (Arc::clone(&done), Arc::clone(&ticks));
                async move {
                    while !done.load(Ordering::Relaxed) {
                        ticks.fetch_add(1, Ordering::Relaxed);
                        tokio::task::yield_now().await;
                    }
                }
            });
            let task = tokio::spawn(async move {
                let mut reader = sqlite.acquire(Access::Read).await.unwrap();
                let long = statement(COUNT_TO, [Value::Int(300_000)]);
                let before = ticks.load(Ordering::Relaxed);
                let found = ints(&mut *reader, &long).await.unwrap();
                (found.len(), ticks.load(Ordering::Relaxed) - before)
            });
            let (rows, ticks) = task.await.unwrap();
            done.store(true, Ordering::Relaxed);
            ticker.await.unwrap();
            assert_eq!(rows, 300_000);
            assert!(ticks > 10, "other tasks ran meanwhile: {ticks}");
        });
    }
}

/// The names of an answer's columns, and how many rows it has.
#[derive(Default)]
struct Named {
    names: Vec<String>,
    rows: usize,
    refuses: bool,
}

impl RowSink for Named {
    fn row(&mut self, values: &mut [Value<'_>]) -> assoc_core::Result<()> {
        assert_eq!(values.len(), self.names.len(), "the columns come before the rows");
        self.rows += 1;
        Ok(())
    }

    fn wants_columns(&self) -> bool {
        true
    }

    fn columns(&mut self, columns: &[AnswerColumn<'_>]) -> assoc_core::Result<()> {
        self.names = columns.iter().map(|column| column.name.to_owned()).collect();
        if self.refuses { Err(Error::other("other columns")) } else { Ok(()) }
    }
}

#[test]
fn columns_are_told_everywhere() {
    everywhere(|sqlite| async move {
        let mut connection = sqlite.acquire(Access::Read).await.unwrap();
        for (condition, rows) in [("1", 2), ("0", 0)] {
            let select =
                format!("SELECT 1 AS one, 'x' AS two WHERE {condition} UNION ALL SELECT 2, 'y' WHERE {condition}");
            for _ in 0..3 {
                let mut named = Named::default();
                connection.query(&Statement::plain(select.as_str()), &mut named).await.unwrap();
                assert_eq!((named.names, named.rows), (vec!["one".to_owned(), "two".to_owned()], rows));
                let mut refusing = Named { refuses: true, ..Named::default() };
                let refused = connection.query(&Statement::plain(select.as_str()), &mut refusing).await.unwrap_err();
                assert!(refused.to_string().contains("other columns"), "{refused}");
                assert_eq!(refusing.rows, 0);
            }
        }
    });
}

#[test]
fn short_statements_leave_room_for_other_tasks() {
    for execution in [Execution::Auto, Execution::Inline] {
        let scratch = Scratch::new();
        let sqlite = scratch.builder().execution(execution).open().unwrap();
        current_thread().block_on(async {
            let other = Arc::new(AtomicBool::new(false));
            let set = Arc::clone(&other);
            tokio::spawn(async move { set.store(true, Ordering::Relaxed) });
            let mut connection = sqlite.acquire(Access::Read).await.unwrap();
            let mut runs = 0;
            while !other.load(Ordering::Relaxed) {
                assert_eq!(ints(&mut *connection, &Statement::plain("SELECT 1")).await.unwrap(), [1]);
                runs += 1;
                assert!(runs < 10_000, "the task never yielded under {execution:?}");
            }
        });
    }
}

#[test]
fn the_limit_of_short_statements_is_an_option() {
    let forever = Duration::from_secs(3_600);
    for (limit, stays) in [(Duration::ZERO, false), (forever, true)] {
        let scratch = Scratch::new();
        let sqlite = scratch.builder().short_statement(limit).open().unwrap();
        // What leaves waits for the only thread it could run on, so it cannot be ready at once by chance.
        let one_thread = tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).build().unwrap();
        one_thread.block_on(async {
            let mut reader = sqlite.acquire(Access::Read).await.unwrap();
            let plain = Statement::plain("SELECT 1");
            // What begins with WITH may write; the library says of its own statements that they do not.
            let counting = statement(COUNT_TO, [Value::Int(1_000)]).of_kind(StatementKind::Select);
            for (read, rows) in [(plain, 1), (counting, 1_000)] {
                // The first run of a statement leaves: nothing is known of it yet.
                assert_eq!(ints(&mut *reader, &read).await.unwrap().len(), rows);
                let (release, released) = std::sync::mpsc::channel::<()>();
                let occupied = tokio::task::spawn_blocking(move || released.recv());
                let mut again = Box::pin(ints(&mut *reader, &read));
                let at_once =
                    std::future::poll_fn(|cx| std::task::Poll::Ready(again.as_mut().poll(cx).is_ready())).await;
                assert_eq!(at_once, stays, "{limit:?}");
                drop(release);
                assert!(occupied.await.unwrap().is_err());
                if !stays {
                    assert_eq!(again.await.unwrap().len(), rows);
                }
            }
        });
    }
}

#[test]
fn a_runtime_that_ends_does_not_keep_the_connection() {
    let scratch = Scratch::new();
    let sqlite = scratch.builder().readers(1).execution(Execution::Offload).open().unwrap();
    let runtime = current_thread();
    let mut reader = runtime.block_on(sqlite.acquire(Access::Read)).unwrap();
    runtime.block_on(async {
        let mut sink = |_: &mut [Value<'_>]| Ok(());
        let long = Statement::plain(LONG);
        abandon(reader.query(&long, &mut sink)).await;
    });
    runtime.shutdown_background();
    match pollster::block_on(ints(&mut *reader, &Statement::plain("SELECT 1"))) {
        Ok(found) => assert_eq!(found, [1]),
        Err(error) => assert_eq!(kind(&error), DriverErrorKind::ConnectionLost),
    }
    drop(reader);
    assert_eq!(pollster::block_on(scalar(&sqlite, "SELECT 3")), Value::Int(3));
}
