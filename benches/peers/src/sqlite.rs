//! The workloads on SQLite: by hand over rusqlite, by assoc without a runtime and as a task of two kinds of runtime, by Diesel, by assoc
//! over a pool of Diesel's connections, by SeaORM.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use assoc_repo::Repo;
use assoc_sqlite::Sqlite;
use rusqlite::{Connection, params};
use tokio::runtime::Builder;

use crate::data::{self, Rows, Shape};
use crate::ours::{Application, Loading, Ours};
use crate::rounds::{Peer, Store};
use crate::workload::{Inputs, Workload};
use crate::{Options, Outcome};

pub(crate) mod concurrency;
#[cfg(feature = "diesel")]
mod diesel;
mod hand;

const SCHEMA: &str = "
    CREATE TABLE users (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL, age INTEGER NOT NULL, created_at TEXT NOT NULL
    );
    CREATE TABLE posts (
        id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL, title TEXT NOT NULL, body TEXT NOT NULL,
        published INTEGER NOT NULL
    );
    CREATE INDEX posts_user_id ON posts (user_id);
    CREATE TABLE comments (
        id INTEGER PRIMARY KEY, post_id INTEGER NOT NULL, author_id INTEGER NOT NULL, body TEXT NOT NULL
    );
    CREATE INDEX comments_post_id ON comments (post_id);
    CREATE TABLE tags (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
    CREATE TABLE posts_tags (post_id INTEGER NOT NULL, tag_id INTEGER NOT NULL);
    CREATE INDEX posts_tags_post_id ON posts_tags (post_id, tag_id);
    CREATE INDEX posts_tags_tag_id ON posts_tags (tag_id);
    CREATE TABLE profiles (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL UNIQUE, bio TEXT NOT NULL);
";

/// What all peers' connections have.
const SETTINGS: &str = "PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -8192";

/// In the order of the columns of the tables that are printed.
const PEERS: &[&str] =
    &["hand", "assoc", "assoc-joined", "assoc-current-thread", "assoc-two-threads", "assoc-diesel", "diesel", "seaorm"];

/// Measures.
pub(crate) fn run(options: &Options) -> Outcome<()> {
    println!("fact\tSQLite\t{}", rusqlite::version());
    let inputs = Arc::new(Inputs::new(options.shape));
    let directory = Directory::new()?;
    let main = directory.0.join("main.db");
    fill(&mut create(&main)?, &data::rows(options.shape, &inputs.new_users))?;
    let mut store = Stores(HashMap::new());
    let mut peers = Vec::new();
    for name in PEERS.iter().filter(|name| options.has(name)) {
        let own = directory.0.join(format!("{name}.db"));
        let cleaner = create(&own)?;
        fill_tags(&cleaner)?;
        store.0.insert(name, cleaner);
        peers.extend(open(name, &main, &own)?);
    }
    options.measure(&inputs, &mut peers, &mut store)
}

/// Makes a file of the rows, for [`iterate`].
pub(crate) fn fill_file(path: &Path, shape: Shape) -> Outcome<()> {
    println!("fact\tSQLite\t{}", rusqlite::version());
    fill(&mut create(path)?, &data::rows(shape, &data::new_users()))
}

/// Runs a workload some times, and once before.
pub(crate) fn iterate(path: &Path, peer: &str, workload: Workload, rounds: usize) -> Outcome<()> {
    let inputs = inputs_of(workload);
    let mut peer = open_alone(path, peer)?;
    for _ in 0..=rounds {
        peer.run(workload, &inputs, false)?;
    }
    println!("{workload:?}\t{}\tresident={}", peer.name(), crate::clock::peak_memory().unwrap_or_default());
    Ok(())
}

/// What a workload needs, and nothing else: the memory of the process counts.
pub(crate) fn inputs_of(workload: Workload) -> Arc<Inputs> {
    let mut inputs = Inputs { keys: Vec::new(), new_users: Vec::new(), tags: Vec::new() };
    if workload.writes() || workload == Workload::W1 {
        inputs = Inputs::new(Shape::default());
    }
    Arc::new(inputs)
}

/// One peer on a file, with an empty one beside it to write into.
pub(crate) fn open_alone(path: &Path, peer: &str) -> Outcome<Box<dyn Peer>> {
    let own = path.with_extension(format!("{peer}.{}", std::process::id()));
    fill_tags(&create(&own)?)?;
    let opened = open(peer, path, &own)?.ok_or_else(|| format!("the peer `{peer}` is not compiled in"))?;
    // The connections have it open.
    std::fs::remove_file(&own)?;
    Ok(opened)
}

/// A peer that reads one file and writes the other, unless its feature is off.
fn open(name: &str, reading: &Path, writing: &Path) -> Outcome<Option<Box<dyn Peer>>> {
    let loaded = |name, loading, application| -> Outcome<Option<Box<dyn Peer>>> {
        let [reading, writing] = [reading, writing].map(|path| Sqlite::open(path).map(Repo::new));
        Ok(Some(Box::new(Ours { name, loading, application, reading: reading?, writing: Some(writing?) })))
    };
    let ours = |name, application| loaded(name, Loading::Preload, application);
    Ok(match name {
        "hand" => Some(Box::new(Hand { reading: hand::Hand::open(reading)?, writing: hand::Hand::open(writing)? })),
        "assoc" => ours("assoc", Application::Plain)?,
        "assoc-joined" => loaded("assoc-joined", Loading::Join, Application::Plain)?,
        "assoc-current-thread" => {
            let runtime = Builder::new_current_thread().build()?;
            ours("assoc-current-thread", Application::Task(Arc::new(runtime)))?
        }
        "assoc-two-threads" => {
            let runtime = Builder::new_multi_thread().worker_threads(2).build()?;
            ours("assoc-two-threads", Application::Task(Arc::new(runtime)))?
        }
        #[cfg(feature = "diesel")]
        "diesel" => Some(Box::new(diesel::open(reading)?)),
        #[cfg(feature = "diesel")]
        "assoc-diesel" => Some(Box::new(diesel::pooled(reading, writing)?)),
        #[cfg(feature = "seaorm")]
        "seaorm" => Some(Box::new(open_seaorm(reading)?)),
        _ => None,
    })
}

#[cfg(feature = "seaorm")]
fn open_seaorm(path: &Path) -> Outcome<crate::by_seaorm::SeaOrm> {
    let mut options = sea_orm::ConnectOptions::new(format!("sqlite://{}", path.display()));
    // `SETTINGS`, as sqlx takes them.
    options.map_sqlx_sqlite_opts(|options| {
        options.pragma("synchronous", "NORMAL").pragma("temp_store", "MEMORY").pragma("cache_size", "-8192")
    });
    let runtime = Arc::new(Builder::new_current_thread().enable_all().build()?);
    crate::by_seaorm::SeaOrm::connect(runtime, options)
}

struct Hand {
    reading: hand::Hand,
    writing: hand::Hand,
}

impl Peer for Hand {
    fn name(&self) -> &'static str {
        "hand"
    }

    fn does(&self, _: Workload) -> bool {
        true
    }

    fn run(&mut self, workload: Workload, inputs: &Arc<Inputs>, check: bool) -> Outcome<u64> {
        let hand = if workload.writes() { &mut self.writing } else { &mut self.reading };
        hand.run(workload, inputs, check)
    }
}

/// The files that the peers write into, each by its own.
struct Stores(HashMap<&'static str, Connection>);

impl Stores {
    fn of(&self, peer: &str) -> Outcome<&Connection> {
        self.0.get(peer).ok_or_else(|| format!("`{peer}` has nothing to write into").into())
    }
}

impl Store for Stores {
    fn inserted(&mut self, peer: &str) -> Outcome<u64> {
        hand::inserted(self.of(peer)?)
    }

    fn clean(&mut self, peer: &str) -> Outcome<()> {
        let statements =
            "DELETE FROM posts_tags; DELETE FROM posts; DELETE FROM users; PRAGMA wal_checkpoint(TRUNCATE)";
        Ok(self.of(peer)?.execute_batch(statements)?)
    }
}

/// Databases in memory-backed storage, gone at the end.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Outcome<Self> {
        let base = Path::new("/dev/shm");
        let base = if base.is_dir() { base.to_owned() } else { std::env::temp_dir() };
        let path = base.join(format!("assoc-peers-{}", std::process::id()));
        std::fs::create_dir_all(&path)?;
        Ok(Directory(path))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// An empty database.
fn create(path: &Path) -> Outcome<Connection> {
    let conn = Connection::open(path)?;
    conn.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    conn.execute_batch(SCHEMA)?;
    Ok(conn)
}

/// Stores the tags that new posts are linked to.
fn fill_tags(conn: &Connection) -> Outcome<()> {
    let mut insert = conn.prepare("INSERT INTO tags VALUES (?, ?)")?;
    for (id, name) in data::tags() {
        insert.execute(params![id, name])?;
    }
    Ok(())
}

fn fill(conn: &mut Connection, rows: &Rows) -> Outcome<()> {
    let tx = conn.transaction()?;
    {
        let mut insert = tx.prepare("INSERT INTO tags VALUES (?, ?)")?;
        for tag in &rows.tags {
            insert.execute(params![tag.id, tag.name])?;
        }
        let mut insert = tx.prepare("INSERT INTO users VALUES (?, ?, ?, ?, ?)")?;
        for user in &rows.users {
            insert.execute(params![user.id, user.name, user.email, user.age, user.created_at])?;
        }
        let mut insert = tx.prepare("INSERT INTO profiles VALUES (?, ?, ?)")?;
        for profile in &rows.profiles {
            insert.execute(params![profile.id, profile.user_id, profile.bio])?;
        }
        let mut insert = tx.prepare("INSERT INTO posts VALUES (?, ?, ?, ?, ?)")?;
        for post in &rows.posts {
            insert.execute(params![post.id, post.user_id, post.title, post.body, post.published])?;
        }
        let mut insert = tx.prepare("INSERT INTO posts_tags VALUES (?, ?)")?;
        for (post, tag) in &rows.links {
            insert.execute([post, tag])?;
        }
        let mut insert = tx.prepare("INSERT INTO comments VALUES (?, ?, ?, ?)")?;
        for comment in &rows.comments {
            insert.execute(params![comment.id, comment.post_id, comment.author_id, comment.body])?;
        }
    }
    tx.commit()?;
    conn.execute_batch("ANALYZE; PRAGMA wal_checkpoint(TRUNCATE)")?;
    Ok(())
}
