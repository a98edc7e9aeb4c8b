//! W8 and W11 on MariaDB, by hand over mysql_async and by assoc, both on one runtime and in turn.
//!
//! `ASSOC_MYSQL_URL` names the database, whose tables of the workloads are dropped: `cargo xtask db mysql -- …` gives a server of
//! its own.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use assoc_repo::Repo;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Params, TxOpts, Value};

use crate::data::{self, NewPost, NewUser};
use crate::hand::saved;
use crate::{Inputs, Outcome, Workload, ours};

/// As many as assoc writes.
const ROWS: usize = 1_000;

const TABLES: &[&str] = &[
    "DROP TABLE IF EXISTS posts_tags, tags, posts, users",
    "CREATE TABLE users (id BIGINT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(255) NOT NULL, email VARCHAR(255) NOT NULL, \
     age BIGINT NOT NULL, created_at VARCHAR(255) NOT NULL)",
    "CREATE TABLE posts (id BIGINT AUTO_INCREMENT PRIMARY KEY, user_id BIGINT NOT NULL, title VARCHAR(255) NOT NULL, \
     body TEXT NOT NULL, published BOOLEAN NOT NULL, KEY (user_id))",
    "CREATE TABLE tags (id BIGINT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(255) NOT NULL)",
    "CREATE TABLE posts_tags (post_id BIGINT NOT NULL, tag_id BIGINT NOT NULL, KEY (post_id, tag_id), KEY (tag_id))",
];

/// What the database holds after the save of any peer.
const SUM: &str = "SELECT CAST(SUM(CRC32(CONCAT_WS('|', u.name, u.email, u.age, u.created_at, p.title, p.body, p.published, \
                   t.name))) AS UNSIGNED) FROM users u JOIN posts p ON p.user_id = u.id \
                   LEFT JOIN posts_tags l ON l.post_id = p.id LEFT JOIN tags t ON t.id = l.tag_id";

/// Prints lines as the workloads on SQLite do.
pub(crate) fn measure(workloads: &[Workload], inputs: &Inputs, rounds: usize) -> Outcome<()> {
    let url = std::env::var("ASSOC_MYSQL_URL")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let mut conn = Conn::from_url(&url).await?;
        for table in TABLES {
            conn.query_drop(*table).await?;
        }
        let tags = inputs.tags.iter().map(|tag| (tag.id, tag.name.as_str()));
        conn.exec_batch("INSERT INTO tags VALUES (?, ?)", tags).await?;
        let repo = Repo::new(assoc_mysql::MySql::builder(&url)?.connect().await?);
        for workload in workloads {
            in_turn(*workload, inputs, rounds, &mut conn, &repo).await?;
        }
        Ok(())
    })
}

async fn in_turn(workload: Workload, inputs: &Inputs, rounds: usize, conn: &mut Conn, repo: &Repo) -> Outcome<()> {
    const WARM_UP: usize = 3;
    let mut times: [Vec<Duration>; 2] = [Vec::new(), Vec::new()];
    let mut expected = None;
    for round in 0..WARM_UP + rounds {
        for turn in 0..2 {
            // No one always comes after the other.
            let by_hand = (round + turn) % 2 == 0;
            for table in ["posts_tags", "posts", "users"] {
                conn.query_drop(format!("TRUNCATE TABLE {table}")).await?;
            }
            let started = Instant::now();
            if by_hand {
                let tags = (workload == Workload::W11).then_some(&inputs.tags[..]);
                insert(conn, &inputs.new_users, tags).await?;
            } else {
                ours::run(repo, workload, inputs, false).await?;
            }
            let took = started.elapsed();
            if round >= WARM_UP {
                times[usize::from(!by_hand)].push(took);
                continue;
            }
            let found: Option<u64> = conn.query_first(SUM).await?;
            if *expected.get_or_insert(found) != found {
                return Err(format!("{workload:?}: the two did other work").into());
            }
        }
    }
    for (name, times) in ["hand", "assoc"].into_iter().zip(&mut times) {
        times.sort_unstable();
        let at = |tenths: usize| times[(times.len() - 1) * tenths / 10].as_secs_f64() * 1e6;
        println!("{workload:?} on MariaDB\t{name}\t{:.1}\t{:.1}\t{:.1}", at(5), at(1), at(9));
    }
    Ok(())
}

async fn insert(conn: &mut Conn, new: &[NewUser], tags: Option<&[Arc<ours::Tag>]>) -> Outcome<()> {
    let text = |head: &str, row: &str, tail: &str| format!("{head} VALUES {}{tail}", vec![row; ROWS].join(", "));
    let users = text("INSERT INTO users (name, email, age, created_at)", "(?, ?, ?, ?)", " RETURNING id");
    let posts = text("INSERT INTO posts (user_id, title, body, published)", "(?, ?, ?, ?)", " RETURNING id");
    let links = text("INSERT INTO posts_tags (post_id, tag_id)", "(?, ?)", "");
    let mut tx = conn.start_transaction(TxOpts::default()).await?;
    let mut user_ids: Vec<i64> = Vec::with_capacity(new.len());
    for chunk in new.chunks(ROWS) {
        let of = |user: &NewUser| -> [Value; 4] {
            [user.name.as_str().into(), user.email.as_str().into(), user.age.into(), user.created_at.as_str().into()]
        };
        let values: Vec<Value> = chunk.iter().flat_map(of).collect();
        user_ids.extend(tx.exec::<i64, _, _>(users.as_str(), Params::Positional(values)).await?);
    }
    let rows: Vec<(i64, &NewPost)> =
        user_ids.iter().zip(new).flat_map(|(id, user)| user.posts.iter().map(|post| (*id, post))).collect();
    let mut post_ids: Vec<i64> = Vec::with_capacity(rows.len());
    for chunk in rows.chunks(ROWS) {
        let of = |(user_id, post): &(i64, &NewPost)| -> [Value; 4] {
            [(*user_id).into(), post.title.as_str().into(), post.body.as_str().into(), post.published.into()]
        };
        let values: Vec<Value> = chunk.iter().flat_map(of).collect();
        post_ids.extend(tx.exec::<i64, _, _>(posts.as_str(), Params::Positional(values)).await?);
    }
    if let Some(tags) = tags {
        let all: Vec<(i64, i64)> = post_ids
            .iter()
            .enumerate()
            .flat_map(|(number, post)| data::tags_of(number).map(|tag| (*post, tags[tag].id)))
            .collect();
        for chunk in all.chunks(ROWS) {
            let values: Vec<Value> = chunk.iter().flat_map(|(post, tag)| [(*post).into(), (*tag).into()]).collect();
            tx.exec_drop(links.as_str(), Params::Positional(values)).await?;
        }
    }
    tx.commit().await?;
    let beside = |number| -> Vec<Arc<ours::Tag>> {
        let mut own = Vec::new();
        if let Some(tags) = tags {
            own.reserve_exact(data::TAGS_A_POST as usize);
            own.extend(data::tags_of(number).map(|tag| Arc::clone(&tags[tag])));
        }
        own
    };
    black_box(saved(new, &user_ids, &post_ids, beside));
    Ok(())
}
