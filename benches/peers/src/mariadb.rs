//! The workloads on MariaDB: by hand over mysql_async, by assoc, by Diesel over the system's client library, by assoc over a pool of
//! its connections, by SeaORM over sqlx. All in one thread, in turn.
//!
//! `ASSOC_MYSQL_URL` names the server, on which two databases are made, one to read and one to write: `cargo xtask db mysql -- …`
//! gives a server of its own.

use std::sync::Arc;

use assoc_repo::Repo;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Params, Value};
use tokio::runtime::{Builder, Runtime};

use crate::data::{self, Rows, Shape};
use crate::ours::{Application, Loading, Ours};
use crate::rounds::{Peer, Store};
use crate::workload::{Inputs, Workload};
use crate::{Options, Outcome};

pub(crate) mod concurrency;
#[cfg(feature = "diesel-mysql")]
mod diesel;
mod hand;
pub(crate) mod latency;
mod shop;

/// The database that is filled, and the one that is inserted into.
const DATABASES: [&str; 2] = ["assoc_peers", "assoc_peers_written"];

/// In the order of the columns of the tables that are printed.
const PEERS: &[&str] = &["hand", "assoc", "assoc-joined", "assoc-diesel", "diesel", "seaorm"];

const TABLES: &[&str] = &[
    "CREATE TABLE users (id BIGINT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(255) NOT NULL, email VARCHAR(255) NOT NULL, \
     age BIGINT NOT NULL, created_at VARCHAR(255) NOT NULL)",
    "CREATE TABLE posts (id BIGINT AUTO_INCREMENT PRIMARY KEY, user_id BIGINT NOT NULL, title VARCHAR(255) NOT NULL, \
     body TEXT NOT NULL, published BOOLEAN NOT NULL, KEY (user_id))",
    "CREATE TABLE comments (id BIGINT AUTO_INCREMENT PRIMARY KEY, post_id BIGINT NOT NULL, author_id BIGINT NOT NULL, \
     body TEXT NOT NULL, KEY (post_id))",
    "CREATE TABLE tags (id BIGINT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(255) NOT NULL)",
    "CREATE TABLE posts_tags (post_id BIGINT NOT NULL, tag_id BIGINT NOT NULL, KEY (post_id, tag_id), KEY (tag_id))",
    "CREATE TABLE profiles (id BIGINT AUTO_INCREMENT PRIMARY KEY, user_id BIGINT NOT NULL UNIQUE, bio TEXT NOT NULL)",
];

/// What the database holds after the save of any peer.
const SUM: &str = "SELECT CAST(SUM(CRC32(CONCAT_WS('|', u.name, u.email, u.age, u.created_at, p.title, p.body, p.published, \
                   t.name))) AS UNSIGNED) FROM users u JOIN posts p ON p.user_id = u.id \
                   LEFT JOIN posts_tags l ON l.post_id = p.id LEFT JOIN tags t ON t.id = l.tag_id";

/// Measures.
pub(crate) fn run(options: &Options) -> Outcome<()> {
    let url = std::env::var("ASSOC_MYSQL_URL")?;
    let [reading, writing] = DATABASES.map(|database| with_database(&url, database));
    let inputs = Arc::new(Inputs::new(options.shape));
    let runtime = Arc::new(Builder::new_current_thread().enable_all().build()?);
    let cleaner = runtime.block_on(fill_all(&url, options.shape, &inputs))?;
    let mut peers: Vec<Box<dyn Peer>> = Vec::new();
    for name in PEERS.iter().filter(|name| options.has(name)) {
        peers.extend(open_usual(name, &reading, &writing, &runtime)?);
    }
    options.measure(&inputs, &mut peers, &mut Written { cleaner, runtime })
}

/// Makes and fills the databases, and answers a connection to the one that is written.
async fn fill_all(url: &str, shape: Shape, inputs: &Inputs) -> Outcome<Conn> {
    let mut conn = Conn::from_url(url).await?;
    let version: Option<String> = conn.query_first("SELECT VERSION()").await?;
    let version = version.unwrap_or_default();
    println!("fact\tMariaDB\t{}", version.split('-').next().unwrap_or(&version));
    for database in DATABASES.iter().rev() {
        conn.query_drop(format!("DROP DATABASE IF EXISTS {database}")).await?;
        conn.query_drop(format!("CREATE DATABASE {database} CHARACTER SET utf8mb4")).await?;
        conn.query_drop(format!("USE {database}")).await?;
        for table in TABLES {
            conn.query_drop(*table).await?;
        }
    }
    fill(&mut conn, &data::rows(shape, &inputs.new_users)).await?;
    conn.query_drop(format!("USE {}", DATABASES[1])).await?;
    conn.exec_batch("INSERT INTO tags VALUES (?, ?)", data::tags()).await?;
    Ok(conn)
}

/// A peer that reads one database and writes the other, unless its feature is off.
fn open_usual(name: &str, reading: &str, writing: &str, runtime: &Arc<Runtime>) -> Outcome<Option<Box<dyn Peer>>> {
    let runtime = Arc::clone(runtime);
    Ok(match name {
        "hand" => {
            let open = |url: &str| runtime.block_on(hand::Hand::open(url));
            Some(Box::new(Hand { reading: open(reading)?, writing: open(writing)?, runtime }))
        }
        "assoc" | "assoc-joined" => {
            let loading = if name == "assoc" { Loading::Preload } else { Loading::Join };
            let repo = |url: &str| -> Outcome<Repo> {
                Ok(Repo::new(runtime.block_on(async { assoc_mysql::MySql::builder(url)?.connect().await })?))
            };
            let (reading, writing) = (repo(reading)?, Some(repo(writing)?));
            let application = Application::InRuntime(runtime);
            Some(Box::new(Ours { name: loading.peer(), loading, application, reading, writing }))
        }
        #[cfg(feature = "diesel-mysql")]
        "assoc-diesel" => Some(Box::new(diesel::pooled(reading, writing)?)),
        #[cfg(feature = "diesel-mysql")]
        "diesel" => Some(Box::new(diesel::open(reading)?)),
        #[cfg(feature = "seaorm")]
        "seaorm" => Some(Box::new(crate::by_seaorm::SeaOrm::connect(runtime, sea_orm::ConnectOptions::new(reading))?)),
        _ => None,
    })
}

/// The URL with another database.
fn with_database(url: &str, database: &str) -> String {
    let (place, options) =
        url.split_once('?').map_or((url, String::new()), |(place, rest)| (place, format!("?{rest}")));
    let server = place.rsplit_once('/').map_or(place, |(server, _)| server);
    format!("{server}/{database}{options}")
}

struct Hand {
    reading: hand::Hand,
    writing: hand::Hand,
    runtime: Arc<Runtime>,
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
        self.runtime.block_on(hand.run(workload, inputs, check))
    }
}

/// The database that is inserted into.
struct Written {
    cleaner: Conn,
    runtime: Arc<Runtime>,
}

impl Store for Written {
    fn inserted(&mut self, _: &str) -> Outcome<u64> {
        let sum: Option<u64> = self.runtime.block_on(self.cleaner.query_first(SUM))?;
        sum.ok_or_else(|| "nothing was inserted".into())
    }

    fn clean(&mut self, _: &str) -> Outcome<()> {
        for table in ["posts_tags", "posts", "users"] {
            self.runtime.block_on(self.cleaner.query_drop(format!("TRUNCATE TABLE {table}")))?;
        }
        Ok(())
    }
}

async fn fill(conn: &mut Conn, rows: &Rows) -> Outcome<()> {
    let user = |user: &crate::rows::User| -> Vec<Value> {
        vec![
            user.id.into(),
            user.name.as_str().into(),
            user.email.as_str().into(),
            user.age.into(),
            user.created_at.as_str().into(),
        ]
    };
    insert(conn, "users", &rows.users, user).await?;
    let profile = |own: &crate::rows::Profile| vec![own.id.into(), own.user_id.into(), own.bio.as_str().into()];
    insert(conn, "profiles", &rows.profiles, profile).await?;
    let post = |post: &crate::rows::Post| -> Vec<Value> {
        let (title, body) = (post.title.as_str().into(), post.body.as_str().into());
        vec![post.id.into(), post.user_id.into(), title, body, post.published.into()]
    };
    insert(conn, "posts", &rows.posts, post).await?;
    let comment = |own: &crate::rows::Comment| -> Vec<Value> {
        vec![own.id.into(), own.post_id.into(), own.author_id.into(), own.body.as_str().into()]
    };
    insert(conn, "comments", &rows.comments, comment).await?;
    insert(conn, "tags", &rows.tags, |tag| vec![tag.id.into(), tag.name.as_str().into()]).await?;
    insert(conn, "posts_tags", &rows.links, |link| vec![link.0.into(), link.1.into()]).await?;
    conn.query_drop("ANALYZE TABLE users, profiles, posts, comments, tags, posts_tags").await?;
    Ok(())
}

async fn insert<T>(conn: &mut Conn, table: &str, rows: &[T], values: impl Fn(&T) -> Vec<Value>) -> Outcome<()> {
    for chunk in rows.chunks(1_000) {
        let values: Vec<Vec<Value>> = chunk.iter().map(&values).collect();
        let row = format!("({})", vec!["?"; values.first().map_or(0, Vec::len)].join(", "));
        let text = format!("INSERT INTO {table} VALUES {}", vec![row; chunk.len()].join(", "));
        conn.exec_drop(text, Params::Positional(values.into_iter().flatten().collect())).await?;
    }
    Ok(())
}
