//! What the ways of running a statement cost: `cargo run --release -p assoc-sqlite --example measure`.
//!
//! Prints medians over interleaved rounds. The tables in the documentation of `Execution` and of the statement cache
//! are this program's output.

use std::hint::black_box;
use std::time::{Duration, Instant};

use assoc_core::driver::{Access, Bind, Connection, Driver, Statement};
use assoc_core::{Result, Value};
use assoc_sqlite::{Execution, Sqlite, rusqlite};

const SCHEMA: &str = "
    CREATE TABLE posts (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL, title TEXT NOT NULL, body TEXT NOT NULL);
    CREATE INDEX posts_user_id ON posts (user_id);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
    INSERT INTO posts SELECT i, (i - 1) / 10 + 1, 'title ' || i, printf('%0120d', i) FROM n;
";
const POINT: &str = "SELECT id, user_id, title, body FROM posts WHERE id = ?";
const ALL: &str = "SELECT id, user_id, title, body FROM posts";
const POINTS: i64 = 200;
const ROUNDS: usize = 30;

async fn points(connection: &mut dyn Connection) -> Result<()> {
    for id in 1..=POINTS {
        let statement = Statement::new(POINT, vec![Bind::Value(Value::Int(id * 37 % 10_000 + 1))]);
        let mut sink = |values: &mut [Value<'_>]| {
            black_box(owned(values));
            Ok(())
        };
        connection.query(&statement, &mut sink).await?;
    }
    Ok(())
}

async fn all(connection: &mut dyn Connection) -> Result<()> {
    let mut posts = Vec::with_capacity(10_000);
    let mut sink = |values: &mut [Value<'_>]| {
        posts.push(owned(values));
        Ok(())
    };
    connection.query(&Statement::plain(ALL), &mut sink).await?;
    black_box(posts);
    Ok(())
}

fn owned(values: &mut [Value<'_>]) -> (i64, i64, String, String) {
    let int = |value: &Value<'_>| if let Value::Int(number) = value { *number } else { 0 };
    let text = |value: &mut Value<'_>| match std::mem::take(value) {
        Value::Text(text) => text.into_owned(),
        _ => String::new(),
    };
    (int(&values[0]), int(&values[1]), text(&mut values[2]), text(&mut values[3]))
}

struct Way {
    name: &'static str,
    runtime: Option<tokio::runtime::Runtime>,
    sqlite: Sqlite,
    point: Vec<Duration>,
    all: Vec<Duration>,
}

impl Way {
    fn new(name: &'static str, path: &std::path::Path, threads: Option<usize>, execution: Execution) -> Result<Self> {
        let runtime = threads.map(|threads| {
            if threads > 1 {
                tokio::runtime::Builder::new_multi_thread().worker_threads(threads).build()
            } else {
                tokio::runtime::Builder::new_current_thread().build()
            }
        });
        let runtime = runtime.transpose().map_err(assoc_core::Error::other)?;
        let sqlite = Sqlite::builder(path).execution(execution).open()?;
        Ok(Way { name, runtime, sqlite, point: Vec::new(), all: Vec::new() })
    }

    fn round(&mut self) -> Result<()> {
        let sqlite = self.sqlite.clone();
        let work = async move {
            let mut connection = sqlite.acquire(Access::Read).await?;
            let started = Instant::now();
            points(&mut *connection).await?;
            let point = started.elapsed() / u32::try_from(POINTS).unwrap_or(1);
            let started = Instant::now();
            all(&mut *connection).await?;
            Ok::<_, assoc_core::Error>((point, started.elapsed()))
        };
        // As a task, where a runtime has workers: that is where servers run their handlers.
        let (point, all) = match &self.runtime {
            None => pollster::block_on(work),
            Some(runtime) => runtime.block_on(async { tokio::spawn(work).await.map_err(assoc_core::Error::other)? }),
        }?;
        self.point.push(point);
        self.all.push(all);
        Ok(())
    }
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1e6
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let directory = tempfile::tempdir_in(std::env::var_os("MEASURE_IN").unwrap_or_else(|| "/dev/shm".into()))?;
    let path = directory.path().join("measure.db");
    pollster::block_on(Sqlite::open(&path)?.execute_batch(SCHEMA))?;

    let mut by_hand = (Vec::new(), Vec::new());
    let conn = rusqlite::Connection::open(&path)?;
    let mut ways = vec![
        Way::new("no runtime, inline", &path, None, Execution::Auto)?,
        Way::new("2 threads, inline", &path, Some(2), Execution::Inline)?,
        Way::new("2 threads, auto", &path, Some(2), Execution::Auto)?,
        Way::new("2 threads, in place", &path, Some(2), Execution::BlockInPlace)?,
        Way::new("2 threads, offload", &path, Some(2), Execution::Offload)?,
        Way::new("1 thread, auto", &path, Some(1), Execution::Auto)?,
        Way::new("1 thread, offload", &path, Some(1), Execution::Offload)?,
    ];
    for round in 0..ROUNDS {
        let started = Instant::now();
        let mut point = conn.prepare(POINT)?;
        for id in 1..=POINTS {
            let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
            let post: (i64, i64, String, String) = point.query_row([id * 37 % 10_000 + 1], read)?;
            black_box(post);
        }
        by_hand.0.push(started.elapsed() / u32::try_from(POINTS)?);
        let started = Instant::now();
        let mut posts: Vec<(i64, i64, String, String)> = Vec::with_capacity(10_000);
        let mut all = conn.prepare(ALL)?;
        let mut rows = all.query([])?;
        while let Some(row) = rows.next()? {
            posts.push((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
        }
        black_box(posts);
        by_hand.1.push(started.elapsed());
        for way in &mut ways {
            way.round()?;
        }
        if round == 4 {
            // The first rounds only warm up.
            by_hand = (Vec::new(), Vec::new());
            ways.iter_mut().for_each(|way| (way.point, way.all) = (Vec::new(), Vec::new()));
        }
    }
    println!("| | point query | | 10,000 rows | |\n|---|---:|---:|---:|---:|");
    let base = (median(by_hand.0), median(by_hand.1));
    println!("| rusqlite by hand, statement held | {:.1} µs | 1.00 | {:.0} µs | 1.00 |", base.0, base.1);
    for way in ways {
        let (point, all) = (median(way.point), median(way.all));
        println!("| {} | {point:.1} µs | {:.2} | {all:.0} µs | {:.2} |", way.name, point / base.0, all / base.1);
    }
    prepare_again(&conn)
}

// The trap that the documentation of the statement cache tells of.
fn prepare_again(conn: &rusqlite::Connection) -> std::result::Result<(), Box<dyn std::error::Error>> {
    println!("\n| `WHERE user_id = ? LIMIT ?` | µs | re-prepared |\n|---|---:|---:|");
    for guarantee in [false, true] {
        conn.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, guarantee)?;
        conn.flush_prepared_statement_cache();
        let sql = "SELECT id FROM posts WHERE user_id = ? ORDER BY id DESC LIMIT ?";
        let mut times = Vec::new();
        for run in 0..2_000_i64 {
            let started = Instant::now();
            let mut statement = conn.prepare_cached(sql)?;
            let mut rows = statement.query([run % 1_000, 3])?;
            while let Some(row) = rows.next()? {
                black_box(row.get::<_, i64>(0)?);
            }
            drop(rows);
            drop(statement);
            times.push(started.elapsed());
        }
        let again = conn.prepare_cached(sql)?.get_status(rusqlite::StatementStatus::RePrepare);
        println!("| planner guarantee {} | {:.1} | {again} |", if guarantee { "on" } else { "off" }, median(times));
    }
    Ok(())
}
