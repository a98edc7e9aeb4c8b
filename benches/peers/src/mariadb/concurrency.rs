//! Many tasks on MariaDB: the pool of mysql_async by hand, and assoc.

use std::sync::Arc;

use assoc_repo::Repo;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, OptsBuilder, Params, Pool, PoolConstraints, PoolOpts, Value};

use super::{DATABASES, fill_all, with_database};
use crate::Outcome;
use crate::concurrency::{Options, OurServer, SHOWN, Served, Server, runtime};
use crate::data::Shape;
use crate::rows::{Comment, Post, User, group};
use crate::workload::Inputs;

/// As many as the driver has.
const CONNECTIONS: usize = 10;

/// Measures.
pub(crate) fn run(options: &Options) -> Outcome<()> {
    let url = std::env::var("ASSOC_MYSQL_URL")?;
    let runtime = runtime()?;
    println!("fact\tconnections\t{CONNECTIONS}");
    // Anew for each peer: the pages of one would read what the writes of another have left for the server to clean up.
    let filled = || -> Outcome<String> {
        drop(runtime.block_on(fill_all(&url, Shape::default(), &Inputs::new(Shape::default())))?);
        Ok(with_database(&url, DATABASES[0]))
    };
    let guard = runtime.enter();
    // The default resets a connection that comes back, which forgets its prepared statements.
    for (name, resets, is_usual) in [("hand", false, true), ("hand-with-reset", true, false)] {
        if options.has(name, is_usual) {
            let constraints = PoolConstraints::new(CONNECTIONS, CONNECTIONS).ok_or("a pool of no connections")?;
            let pool = PoolOpts::default().with_constraints(constraints).with_reset_connection(resets);
            let opts = OptsBuilder::from_opts(mysql_async::Opts::from_url(&filled()?)?).pool_opts(pool);
            options.measure(&runtime, &HandServer { name, pool: Pool::new(opts) })?;
        }
    }
    drop(guard);
    if options.has("assoc", true) {
        let url = filled()?;
        let driver = runtime.block_on(async { assoc_mysql::MySql::builder(&url)?.connect().await })?;
        options.measure(&runtime, &OurServer { name: "assoc", repo: Arc::new(Repo::new(driver)) })?;
    }
    Ok(())
}

#[derive(Clone)]
struct HandServer {
    name: &'static str,
    pool: Pool,
}

impl Server for HandServer {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn get(&self, key: i64) -> Served {
        let sql = "SELECT id, name, email, age, created_at FROM users WHERE id = ?";
        let found: Option<(i64, String, String, i64, String)> =
            self.pool.get_conn().await?.exec_first(sql, (key,)).await?;
        std::hint::black_box(user(found.ok_or("there is no such user")?));
        Ok(())
    }

    async fn page(&self, from: i64) -> Served {
        let mut conn = self.pool.get_conn().await?;
        let users = "SELECT id, name, email, age, created_at FROM users WHERE id BETWEEN ? AND ? ORDER BY id";
        let users: Vec<User> = conn.exec_map(users, (from, from + SHOWN - 1), user).await?;
        let posts = "SELECT id, user_id, title, body, published FROM posts WHERE user_id IN ";
        let read = |(id, user_id, title, body, published)| Post { id, user_id, title, body, published };
        let posts: Vec<Post> = of(&mut conn, posts, users.iter().map(|user| user.id), read).await?;
        let comments = "SELECT id, post_id, author_id, body FROM comments WHERE post_id IN ";
        let read = |(id, post_id, author_id, body)| Comment { id, post_id, author_id, body };
        let comments: Vec<Comment> = of(&mut conn, comments, posts.iter().map(|post| post.id), read).await?;
        drop(conn);
        let posts = group(posts, comments, 5, |post| post.id, |comment| comment.post_id);
        std::hint::black_box(group(users, posts, 10, |user| user.id, |(post, _): &(Post, Vec<Comment>)| post.user_id));
        Ok(())
    }

    async fn write(&self, key: i64) -> Served {
        let mut conn = self.pool.get_conn().await?;
        Ok(conn.exec_drop("UPDATE users SET age = age + 1 WHERE id = ?", (key,)).await?)
    }
}

fn user((id, name, email, age, created_at): (i64, String, String, i64, String)) -> User {
    User { id, name, email, age, created_at }
}

async fn of<R, T>(
    conn: &mut Conn,
    sql: &str,
    keys: impl Iterator<Item = i64>,
    read: fn(R) -> T,
) -> Result<Vec<T>, mysql_async::Error>
where
    R: mysql_async::prelude::FromRow + Send + 'static,
    T: Send,
{
    let keys: Vec<Value> = keys.map(Value::from).collect();
    let text = format!("{sql}({}) ORDER BY id", vec!["?"; keys.len()].join(", "));
    conn.exec_map(text, Params::Positional(keys), read).await
}
