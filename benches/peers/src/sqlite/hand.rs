//! SQL by hand over rusqlite: for each workload the fastest portable safe way that was found.

use std::collections::HashMap;
use std::hint::black_box;
use std::rc::Rc;

use rusqlite::types::Value;
use rusqlite::{Connection, Row, params_from_iter};

use super::SETTINGS;
use crate::Outcome;
use crate::data::{self, NewUser, PAGE, sum};
use crate::rows::{
    Comment, Multiply, Post, Profile, Summed, Tag, User, by_links, merge, saved, tags_of, total, total_of_graph,
};
use crate::workload::{Inputs, Workload};

fn user(row: &Row<'_>) -> rusqlite::Result<User> {
    Ok(User { id: row.get(0)?, name: row.get(1)?, email: row.get(2)?, age: row.get(3)?, created_at: row.get(4)? })
}

fn post(row: &Row<'_>) -> rusqlite::Result<Post> {
    Ok(Post { id: row.get(0)?, user_id: row.get(1)?, title: row.get(2)?, body: row.get(3)?, published: row.get(4)? })
}

fn comment(row: &Row<'_>) -> rusqlite::Result<Comment> {
    Ok(Comment { id: row.get(0)?, post_id: row.get(1)?, author_id: row.get(2)?, body: row.get(3)? })
}

const USERS: &str = "SELECT id, name, email, age, created_at FROM users ORDER BY id";
const POSTS: &str = "SELECT id, user_id, title, body, published FROM posts ORDER BY id";
const POSTS_OF: &str =
    "SELECT id, user_id, title, body, published FROM posts WHERE user_id IN rarray(?1) ORDER BY user_id, id";
const COMMENTS_OF: &str =
    "SELECT id, post_id, author_id, body FROM comments WHERE post_id IN rarray(?1) ORDER BY post_id, id";

/// One connection and its statement cache.
pub(crate) struct Hand {
    conn: Connection,
    // What W11 links, as an application has read it before.
    tags: Rc<[Rc<Tag>]>,
}

impl Hand {
    pub(crate) fn open(path: &std::path::Path) -> Outcome<Self> {
        let conn = Connection::open(path)?;
        conn.execute_batch(SETTINGS)?;
        conn.set_prepared_statement_cache_capacity(64);
        rusqlite::vtab::array::load_module(&conn)?;
        let tags = data::tags().into_iter().map(|(id, name)| Rc::new(Tag { id, name })).collect();
        Ok(Hand { conn, tags })
    }

    pub(crate) fn run(&mut self, workload: Workload, inputs: &Inputs, check: bool) -> Outcome<u64> {
        match workload {
            Workload::W1 => self.gets(&inputs.keys, check),
            Workload::W2 => self.users_posts(check),
            Workload::W3 => self.graph(None, check),
            Workload::W4 => self.posts_user(check),
            Workload::W5 => self.posts_tags(check),
            Workload::W6 => self.users_profile(check),
            Workload::W7 => self.users_comments(check),
            Workload::W8 => self.insert(&inputs.new_users),
            Workload::W11 => self.insert_linked(&inputs.new_users, &self.tags.clone()),
            Workload::W9 => self.graph(Some(PAGE), check),
            Workload::W10 => self.latest_comments(check),
        }
    }

    fn all<T>(&self, sql: &str, expected: usize, read: fn(&Row<'_>) -> rusqlite::Result<T>) -> Outcome<Vec<T>> {
        let mut statement = self.conn.prepare_cached(sql)?;
        let mut rows = statement.query([])?;
        let mut all = Vec::with_capacity(expected);
        while let Some(row) = rows.next()? {
            all.push(read(row)?);
        }
        Ok(all)
    }

    // Rows of sorted keys, in the keys' order: each owner's are a run.
    fn children<T>(
        &self,
        sql: &str,
        keys: impl Iterator<Item = i64>,
        expected: usize,
        read: fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Outcome<Vec<T>> {
        let keys: Vec<Value> = keys.map(Value::Integer).collect();
        let mut children = Vec::with_capacity(keys.len() * expected);
        let mut statement = self.conn.prepare_cached(sql)?;
        let mut rows = statement.query([Rc::new(keys)])?;
        while let Some(row) = rows.next()? {
            children.push(read(row)?);
        }
        Ok(children)
    }

    fn gets(&self, keys: &[i64], check: bool) -> Outcome<u64> {
        let mut total = 0_u64;
        let mut statement = self.conn.prepare("SELECT id, name, email, age, created_at FROM users WHERE id = ?")?;
        for key in keys {
            let user = statement.query_row([key], user)?;
            if check {
                total = total.wrapping_add(user.sum(0));
            }
            black_box(&user);
        }
        Ok(total)
    }

    fn users_posts(&self, check: bool) -> Outcome<u64> {
        let users = self.all(USERS, 1_000, user)?;
        let posts = self.children(POSTS_OF, users.iter().map(|user| user.id), 10, post)?;
        let owned = merge(users, posts, 10, |user| user.id, |post| post.user_id);
        black_box(&owned);
        Ok(total(&owned, check))
    }

    fn graph(&self, page: Option<(i64, i64)>, check: bool) -> Outcome<u64> {
        let users = match page {
            None => self.all(USERS, 1_000, user)?,
            Some((from, to)) => {
                let sql = "SELECT id, name, email, age, created_at FROM users WHERE id BETWEEN ? AND ? ORDER BY id";
                let mut statement = self.conn.prepare_cached(sql)?;
                let mut rows = statement.query([from, to])?;
                let mut users = Vec::with_capacity(20);
                while let Some(row) = rows.next()? {
                    users.push(user(row)?);
                }
                users
            }
        };
        let posts = self.children(POSTS_OF, users.iter().map(|user| user.id), 10, post)?;
        let comments = self.children(COMMENTS_OF, posts.iter().map(|post| post.id), 5, comment)?;
        let posts = merge(posts, comments, 5, |post| post.id, |comment| comment.post_id);
        let graph = merge(users, posts, 10, |user| user.id, |(post, _): &(Post, Vec<Comment>)| post.user_id);
        black_box(&graph);
        Ok(total_of_graph(&graph, check))
    }

    fn posts_user(&self, check: bool) -> Outcome<u64> {
        let posts = self.all(POSTS, 10_000, post)?;
        let mut places: HashMap<i64, usize, Multiply> = HashMap::default();
        let mut keys = Vec::with_capacity(1_000);
        for post in &posts {
            places.entry(post.user_id).or_insert_with(|| {
                keys.push(post.user_id);
                keys.len() - 1
            });
        }
        let sql = "SELECT id, name, email, age, created_at FROM users WHERE id IN rarray(?1)";
        let mut users: Vec<Option<User>> = vec![None; keys.len()];
        for user in self.children(sql, keys.into_iter(), 1, user)? {
            if let Some(place) = places.get(&user.id) {
                users[*place] = Some(user);
            }
        }
        let owned: Vec<(Post, Option<User>)> = posts
            .into_iter()
            .map(|post| {
                let user = places.get(&post.user_id).and_then(|place| users[*place].clone());
                (post, user)
            })
            .collect();
        black_box(&owned);
        Ok(total(&owned, check))
    }

    fn posts_tags(&self, check: bool) -> Outcome<u64> {
        let posts = self.all(POSTS, 10_000, post)?;
        let sql = "SELECT post_id, tag_id FROM posts_tags WHERE post_id IN rarray(?1) ORDER BY post_id, tag_id";
        let links: Vec<(i64, i64)> =
            self.children(sql, posts.iter().map(|post| post.id), 3, |row| Ok((row.get(0)?, row.get(1)?)))?;
        let keys = tags_of(&links);
        let sql = "SELECT id, name FROM tags WHERE id IN rarray(?1)";
        let tags = self.children(sql, keys.into_iter(), 1, |row| Ok(Tag { id: row.get(0)?, name: row.get(1)? }))?;
        let owned = by_links(posts, links, tags);
        black_box(&owned);
        Ok(total(&owned, check))
    }

    fn users_profile(&self, check: bool) -> Outcome<u64> {
        let sql = "SELECT u.id, u.name, u.email, u.age, u.created_at, p.id, p.user_id, p.bio \
                   FROM users u LEFT JOIN profiles p ON p.user_id = u.id ORDER BY u.id";
        let owned = self.all(sql, 1_000, |row| {
            let profile = match row.get::<_, Option<i64>>(5)? {
                Some(id) => Some(Profile { id, user_id: row.get(6)?, bio: row.get(7)? }),
                None => None,
            };
            Ok((user(row)?, profile))
        })?;
        black_box(&owned);
        Ok(total(&owned, check))
    }

    fn users_comments(&self, check: bool) -> Outcome<u64> {
        let users = self.all(USERS, 1_000, user)?;
        let sql = "SELECT c.id, c.post_id, c.author_id, c.body, p.user_id FROM posts p \
                   JOIN comments c ON c.post_id = p.id WHERE p.user_id IN rarray(?1) ORDER BY p.user_id";
        let keys = users.iter().map(|user| user.id);
        let comments = self.children(sql, keys, 50, |row| Ok((row.get::<_, i64>(4)?, comment(row)?)))?;
        let mut comments = comments.into_iter().peekable();
        let owned: Vec<(User, Vec<Comment>)> = users
            .into_iter()
            .map(|user| {
                let mut own = Vec::with_capacity(50);
                while let Some((_, comment)) = comments.next_if(|comment| comment.0 == user.id) {
                    own.push(comment);
                }
                (user, own)
            })
            .collect();
        black_box(&owned);
        Ok(total(&owned, check))
    }

    fn latest_comments(&self, check: bool) -> Outcome<u64> {
        let sql = "SELECT id, user_id, title, body, published FROM posts WHERE id <= 1000 ORDER BY id";
        let posts = self.all(sql, 1_000, post)?;
        let sql = "SELECT c.id, c.post_id, c.author_id, c.body FROM posts p CROSS JOIN comments c ON c.id IN \
                   (SELECT id FROM comments WHERE post_id = p.id ORDER BY id DESC LIMIT 3) \
                   WHERE p.id IN rarray(?1) ORDER BY p.id, c.id DESC";
        let comments = self.children(sql, posts.iter().map(|post| post.id), 3, comment)?;
        let owned = merge(posts, comments, 3, |post| post.id, |comment| comment.post_id);
        black_box(&owned);
        Ok(total(&owned, check))
    }

    fn insert(&mut self, new: &[NewUser]) -> Outcome<u64> {
        const ROWS: usize = 50;
        let text = |head: &str, row: &str| format!("{head} VALUES {}", vec![row; ROWS].join(", "));
        let users_sql = text("INSERT INTO users (name, email, age, created_at)", "(?, ?, ?, ?)");
        let posts_sql = text("INSERT INTO posts (user_id, title, body, published)", "(?, ?, ?, ?)");
        let tx = self.conn.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let mut ids = Vec::with_capacity(new.len());
        let mut posts = Vec::with_capacity(new.len() * 10);
        {
            let mut insert = tx.prepare_cached(&users_sql)?;
            for chunk in new.chunks(ROWS) {
                bind_users(&mut insert, chunk)?;
                insert.raw_execute()?;
                let last = tx.last_insert_rowid();
                ids.extend(last - chunk.len() as i64 + 1..=last);
            }
            let rows: Vec<(i64, &data::NewPost)> =
                ids.iter().zip(new).flat_map(|(id, user)| user.posts.iter().map(|post| (*id, post))).collect();
            let mut insert = tx.prepare_cached(&posts_sql)?;
            for chunk in rows.chunks(ROWS) {
                bind_posts(&mut insert, chunk)?;
                insert.raw_execute()?;
                let last = tx.last_insert_rowid();
                posts.extend(last - chunk.len() as i64 + 1..=last);
            }
        }
        tx.commit()?;
        black_box(saved(new, &ids, &posts, |_| ()));
        Ok(0)
    }

    fn insert_linked(&mut self, new: &[NewUser], tags: &[Rc<Tag>]) -> Outcome<u64> {
        const ROWS: usize = 50;
        let text = |head: &str, row: &str, tail: &str| format!("{head} VALUES {}{tail}", vec![row; ROWS].join(", "));
        let users_sql = text("INSERT INTO users (name, email, age, created_at)", "(?, ?, ?, ?)", " RETURNING id");
        let posts_sql = text("INSERT INTO posts (user_id, title, body, published)", "(?, ?, ?, ?)", " RETURNING id");
        let links_sql = text("INSERT INTO posts_tags (post_id, tag_id)", "(?, ?)", "");
        let tx = self.conn.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let mut ids: Vec<i64> = Vec::with_capacity(new.len());
        let mut posts: Vec<i64> = Vec::with_capacity(new.len() * 10);
        {
            let mut insert = tx.prepare_cached(&users_sql)?;
            for chunk in new.chunks(ROWS) {
                bind_users(&mut insert, chunk)?;
                let mut rows = insert.raw_query();
                while let Some(row) = rows.next()? {
                    ids.push(row.get(0)?);
                }
            }
            let rows: Vec<(i64, &data::NewPost)> =
                ids.iter().zip(new).flat_map(|(id, user)| user.posts.iter().map(|post| (*id, post))).collect();
            let mut insert = tx.prepare_cached(&posts_sql)?;
            for chunk in rows.chunks(ROWS) {
                bind_posts(&mut insert, chunk)?;
                let mut rows = insert.raw_query();
                while let Some(row) = rows.next()? {
                    posts.push(row.get(0)?);
                }
            }
            let links: Vec<(i64, i64)> = posts
                .iter()
                .enumerate()
                .flat_map(|(number, post)| data::tags_of(number).map(|tag| (*post, tags[tag].id)))
                .collect();
            let mut insert = tx.prepare_cached(&links_sql)?;
            for chunk in links.chunks(ROWS) {
                let mut at = 0;
                for (post, tag) in chunk {
                    insert.raw_bind_parameter(at + 1, post)?;
                    insert.raw_bind_parameter(at + 2, tag)?;
                    at += 2;
                }
                insert.raw_execute()?;
            }
        }
        tx.commit()?;
        black_box(saved(new, &ids, &posts, |number| data::tags_beside(tags, number)));
        Ok(0)
    }
}

/// What W8 or W11 left in the database.
pub(crate) fn inserted(conn: &Connection) -> Outcome<u64> {
    let mut total = 0_u64;
    let mut users = conn.prepare(USERS)?;
    let mut rows = users.query(params_from_iter([0_i64; 0]))?;
    while let Some(row) = rows.next()? {
        total = total.wrapping_add(user(row)?.sum(0));
    }
    let mut posts = conn.prepare(POSTS)?;
    let mut rows = posts.query([])?;
    while let Some(row) = rows.next()? {
        let post = post(row)?;
        total = total.wrapping_add(post.sum(post.user_id));
    }
    let mut links = conn.prepare("SELECT post_id, tag_id FROM posts_tags")?;
    let mut rows = links.query([])?;
    while let Some(row) = rows.next()? {
        total = total.wrapping_add(sum(row.get(0)?, &[row.get(1)?], &[]));
    }
    Ok(total)
}

fn bind_users(insert: &mut rusqlite::CachedStatement<'_>, users: &[NewUser]) -> Outcome<()> {
    let mut at = 0;
    for user in users {
        insert.raw_bind_parameter(at + 1, &user.name)?;
        insert.raw_bind_parameter(at + 2, &user.email)?;
        insert.raw_bind_parameter(at + 3, user.age)?;
        insert.raw_bind_parameter(at + 4, &user.created_at)?;
        at += 4;
    }
    Ok(())
}

fn bind_posts(insert: &mut rusqlite::CachedStatement<'_>, posts: &[(i64, &data::NewPost)]) -> Outcome<()> {
    let mut at = 0;
    for (user_id, post) in posts {
        insert.raw_bind_parameter(at + 1, user_id)?;
        insert.raw_bind_parameter(at + 2, &post.title)?;
        insert.raw_bind_parameter(at + 3, &post.body)?;
        insert.raw_bind_parameter(at + 4, post.published)?;
        at += 4;
    }
    Ok(())
}
