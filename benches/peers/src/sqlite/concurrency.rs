//! Many tasks on SQLite: connections by hand behind a semaphore, on the runtime's blocking threads or in place, and assoc.

use std::path::Path;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use assoc_repo::Repo;
use assoc_sqlite::{Execution, Sqlite, SqliteBuilder};
use rusqlite::types::Value;
use rusqlite::{Connection, Row};
use tokio::sync::Semaphore;

use super::{Directory, SETTINGS, create, fill};
use crate::Outcome;
use crate::concurrency::{Options, OurServer, SHOWN, Served, Server, runtime};
use crate::data::{self, Shape};
use crate::rows::{Comment, Post, User, merge};

/// Connections by hand: the last one stalls all other tasks of its thread, and shows what the processors can do.
const HANDS: [(&str, RequestThread, bool); 3] = [
    ("hand-spawn-blocking", RequestThread::Blocking, true),
    ("hand-in-place", RequestThread::InPlace, true),
    ("hand-in-task", RequestThread::InTask, false),
];

/// assoc with the driver's defaults, and with other options by name.
const OURS: [(&str, fn(SqliteBuilder) -> SqliteBuilder, bool); 7] = [
    ("assoc", |builder| builder, true),
    ("assoc-inline", |builder| builder.execution(Execution::Inline), false),
    ("assoc-offload", |builder| builder.execution(Execution::Offload), false),
    ("assoc-readers-4", |builder| builder.readers(4), false),
    ("assoc-readers-8", |builder| builder.readers(8), false),
    ("assoc-short-200us", |builder| builder.short_statement(Duration::from_micros(200)), false),
    ("assoc-short-1ms", |builder| builder.short_statement(Duration::from_millis(1)), false),
];

/// Measures.
pub(crate) fn run(options: &Options) -> Outcome<()> {
    println!("fact\tSQLite\t{}", rusqlite::version());
    let directory = Directory::new()?;
    let runtime = runtime()?;
    let rows = data::rows(Shape::default(), &data::new_users());
    // As many as the driver has.
    let connections = std::thread::available_parallelism().map_or(2, usize::from).clamp(2, 8);
    println!("fact\tconnections that read\t{connections}");
    let filled = |name: &str| -> Outcome<_> {
        let path = directory.0.join(format!("{name}.db"));
        fill(&mut create(&path)?, &rows)?;
        Ok(path)
    };
    for (name, thread, is_usual) in HANDS {
        if options.has(name, is_usual) {
            options.measure(&runtime, &HandServer::open(name, &filled(name)?, connections, thread)?)?;
        }
    }
    for (name, change, is_usual) in OURS {
        if options.has(name, is_usual) {
            let driver = change(Sqlite::builder(filled(name)?)).open()?;
            options.measure(&runtime, &OurServer { name, repo: Arc::new(Repo::new(driver)) })?;
        }
    }
    Ok(())
}

/// The thread on which a request runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RequestThread {
    Blocking,
    InPlace,
    InTask,
}

/// Connections that read, and one that writes.
#[derive(Clone)]
struct HandServer {
    name: &'static str,
    thread: RequestThread,
    readers: Arc<Lane>,
    writer: Arc<Lane>,
}

struct Lane {
    free: Arc<Semaphore>,
    connections: Mutex<Vec<Connection>>,
}

impl Lane {
    fn open(path: &Path, count: usize) -> Outcome<Arc<Lane>> {
        let connect = || -> rusqlite::Result<Connection> {
            let connection = Connection::open(path)?;
            connection.execute_batch(SETTINGS)?;
            connection.set_prepared_statement_cache_capacity(64);
            rusqlite::vtab::array::load_module(&connection)?;
            Ok(connection)
        };
        let connections = (0..count).map(|_| connect()).collect::<Result<_, _>>()?;
        Ok(Arc::new(Lane { free: Arc::new(Semaphore::new(count)), connections: Mutex::new(connections) }))
    }

    // The permit is held meanwhile, so there is a connection.
    fn with(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<()>) -> Served {
        let connection =
            self.connections.lock().unwrap_or_else(PoisonError::into_inner).pop().ok_or("no connection")?;
        let outcome = work(&connection);
        self.connections.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        Ok(outcome?)
    }
}

impl HandServer {
    fn open(name: &'static str, path: &Path, readers: usize, thread: RequestThread) -> Outcome<HandServer> {
        Ok(HandServer { name, thread, readers: Lane::open(path, readers)?, writer: Lane::open(path, 1)? })
    }

    async fn run(
        &self,
        lane: &Arc<Lane>,
        work: impl FnOnce(&Connection) -> rusqlite::Result<()> + Send + 'static,
    ) -> Served {
        let permit = Arc::clone(&lane.free).acquire_owned().await?;
        let lane = Arc::clone(lane);
        match self.thread {
            RequestThread::Blocking => {
                let work = move || {
                    let outcome = lane.with(work);
                    drop(permit);
                    outcome
                };
                tokio::task::spawn_blocking(work).await?
            }
            RequestThread::InPlace => {
                let outcome = tokio::task::block_in_place(|| lane.with(work));
                drop(permit);
                outcome
            }
            RequestThread::InTask => {
                let outcome = lane.with(work);
                drop(permit);
                outcome
            }
        }
    }
}

impl Server for HandServer {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn get(&self, key: i64) -> Served {
        self.run(&self.readers, move |connection| {
            let sql = "SELECT id, name, email, age, created_at FROM users WHERE id = ?";
            std::hint::black_box(connection.prepare_cached(sql)?.query_row([key], user)?);
            Ok(())
        })
        .await
    }

    async fn page(&self, from: i64) -> Served {
        self.run(&self.readers, move |connection| page(connection, from)).await
    }

    async fn write(&self, key: i64) -> Served {
        self.run(&self.writer, move |connection| {
            connection.prepare_cached("UPDATE users SET age = age + 1 WHERE id = ?")?.execute([key]).map(drop)
        })
        .await
    }
}

fn user(row: &Row<'_>) -> rusqlite::Result<User> {
    Ok(User { id: row.get(0)?, name: row.get(1)?, email: row.get(2)?, age: row.get(3)?, created_at: row.get(4)? })
}

fn page(connection: &Connection, from: i64) -> rusqlite::Result<()> {
    // One transaction, as a preload is one.
    connection.prepare_cached("BEGIN")?.execute([])?;
    let users = "SELECT id, name, email, age, created_at FROM users WHERE id BETWEEN ? AND ? ORDER BY id";
    let users: Vec<User> =
        connection.prepare_cached(users)?.query_map([from, from + SHOWN - 1], user)?.collect::<Result<_, _>>()?;
    let posts =
        "SELECT id, user_id, title, body, published FROM posts WHERE user_id IN rarray(?1) ORDER BY user_id, id";
    let posts: Vec<Post> = of(connection, posts, users.iter().map(|user| user.id), |row| {
        Ok(Post {
            id: row.get(0)?,
            user_id: row.get(1)?,
            title: row.get(2)?,
            body: row.get(3)?,
            published: row.get(4)?,
        })
    })?;
    let comments = "SELECT id, post_id, author_id, body FROM comments WHERE post_id IN rarray(?1) ORDER BY post_id, id";
    let comments: Vec<Comment> = of(connection, comments, posts.iter().map(|post| post.id), |row| {
        Ok(Comment { id: row.get(0)?, post_id: row.get(1)?, author_id: row.get(2)?, body: row.get(3)? })
    })?;
    connection.prepare_cached("COMMIT")?.execute([])?;
    let posts = merge(posts, comments, 5, |post| post.id, |comment| comment.post_id);
    std::hint::black_box(merge(users, posts, 10, |user| user.id, |(post, _): &(Post, Vec<Comment>)| post.user_id));
    Ok(())
}

fn of<T>(
    connection: &Connection,
    sql: &str,
    keys: impl Iterator<Item = i64>,
    read: fn(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    let keys: Vec<Value> = keys.map(Value::Integer).collect();
    connection.prepare_cached(sql)?.query_map([Rc::new(keys)], read)?.collect()
}
