//! SQL by hand over mysql_async: prepared statements that are kept, keys as a list of binds, and no order where the server would have to
//! sort whole rows: they are grouped in memory.

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::Arc;

use mysql_async::prelude::{FromRow, Queryable};
use mysql_async::{Conn, Params, Statement, TxOpts, Value};

use crate::data::{self, NewPost, NewUser, PAGE};
use crate::rows::{
    Comment, Multiply, Post, Profile, Summed, Tag, User, by_links, group, saved, tags_of, total, total_of_graph,
};
use crate::workload::{Inputs, Workload};
use crate::{Outcome, ours};

/// As many as assoc writes.
const ROWS: usize = 1_000;

const USER: &str = "SELECT id, name, email, age, created_at FROM users WHERE id = ?";
const USERS: &str = "SELECT id, name, email, age, created_at FROM users ORDER BY id";
const USERS_BETWEEN: &str = "SELECT id, name, email, age, created_at FROM users WHERE id BETWEEN ? AND ? ORDER BY id";
const USERS_BY_ID: &str = "SELECT id, name, email, age, created_at FROM users WHERE id IN ";
const POSTS: &str = "SELECT id, user_id, title, body, published FROM posts ORDER BY id";
const FIRST_POSTS: &str = "SELECT id, user_id, title, body, published FROM posts WHERE id <= 1000 ORDER BY id";
const POSTS_OF: &str = "SELECT id, user_id, title, body, published FROM posts WHERE user_id IN ";
const COMMENTS_OF: &str = "SELECT id, post_id, author_id, body FROM comments WHERE post_id IN ";
const LINKS_OF: &str = "SELECT post_id, tag_id FROM posts_tags WHERE post_id IN ";
const TAGS_BY_ID: &str = "SELECT id, name FROM tags WHERE id IN ";
const USERS_WITH_PROFILE: &str = "SELECT u.id, u.name, u.email, u.age, u.created_at, p.id, p.user_id, p.bio \
                                  FROM users u LEFT JOIN profiles p ON p.user_id = u.id ORDER BY u.id";
const COMMENTS_OF_USERS: &str = "SELECT p.user_id, c.id, c.post_id, c.author_id, c.body FROM posts p \
                                 JOIN comments c ON c.post_id = p.id WHERE p.user_id IN ";
const LATEST_COMMENTS: &str = "SELECT id, post_id, author_id, body FROM (SELECT id, post_id, author_id, body, \
                               ROW_NUMBER() OVER (PARTITION BY post_id ORDER BY id DESC) AS n FROM comments \
                               WHERE post_id IN ";

/// The columns of a row, in the order they are selected.
type UserColumns = (i64, String, String, i64, String);
type PostColumns = (i64, i64, String, String, bool);
type CommentColumns = (i64, i64, i64, String);

fn user((id, name, email, age, created_at): UserColumns) -> User {
    User { id, name, email, age, created_at }
}

fn post((id, user_id, title, body, published): PostColumns) -> Post {
    Post { id, user_id, title, body, published }
}

fn comment((id, post_id, author_id, body): CommentColumns) -> Comment {
    Comment { id, post_id, author_id, body }
}

/// One connection and its prepared statements, by their texts and how many keys they take.
pub(super) struct Hand {
    conn: Conn,
    prepared: HashMap<(&'static str, usize), Statement>,
}

impl Hand {
    pub(super) async fn open(url: &str) -> Outcome<Self> {
        Ok(Hand { conn: Conn::from_url(url).await?, prepared: HashMap::new() })
    }

    pub(super) async fn run(&mut self, workload: Workload, inputs: &Inputs, check: bool) -> Outcome<u64> {
        match workload {
            Workload::W1 => self.gets(&inputs.keys, check).await,
            Workload::W2 => self.users_posts(check).await,
            Workload::W3 => self.graph(None, check).await,
            Workload::W4 => self.posts_user(check).await,
            Workload::W5 => self.posts_tags(check).await,
            Workload::W6 => self.users_profile(check).await,
            Workload::W7 => self.users_comments(check).await,
            Workload::W8 => insert(&mut self.conn, &inputs.new_users, None).await,
            Workload::W9 => self.graph(Some(PAGE), check).await,
            Workload::W10 => self.latest_comments(check).await,
            Workload::W11 => insert(&mut self.conn, &inputs.new_users, Some(&inputs.tags)).await,
        }
    }

    async fn rows<R: FromRow + Send + 'static, T: Send>(
        &mut self,
        statement: &Statement,
        binds: Vec<i64>,
        expected: usize,
        read: fn(R) -> T,
    ) -> Outcome<Vec<T>> {
        let binds = Params::Positional(binds.into_iter().map(Value::Int).collect());
        let collect = |mut all: Vec<T>, row: R| {
            all.push(read(row));
            all
        };
        Ok(self.conn.exec_fold(statement, binds, Vec::with_capacity(expected), collect).await?)
    }

    async fn all<R: FromRow + Send + 'static, T: Send>(
        &mut self,
        sql: &'static str,
        binds: Vec<i64>,
        expected: usize,
        read: fn(R) -> T,
    ) -> Outcome<Vec<T>> {
        let statement = self.conn.prep(sql).await?;
        self.rows(&statement, binds, expected, read).await
    }

    // The rows of these keys, `expected` of each.
    async fn of_keys<R: FromRow + Send + 'static, T: Send>(
        &mut self,
        sql: &'static str,
        tail: &str,
        keys: Vec<i64>,
        expected: usize,
        read: fn(R) -> T,
    ) -> Outcome<Vec<T>> {
        let place = (sql, keys.len());
        let statement = match self.prepared.get(&place) {
            Some(statement) => statement.clone(),
            None => {
                let text = format!("{sql}({}){tail}", vec!["?"; keys.len()].join(", "));
                let statement = self.conn.prep(text).await?;
                self.prepared.entry(place).or_insert(statement).clone()
            }
        };
        let expected = keys.len() * expected;
        self.rows(&statement, keys, expected, read).await
    }

    async fn gets(&mut self, keys: &[i64], check: bool) -> Outcome<u64> {
        let statement = self.conn.prep(USER).await?;
        let mut total = 0_u64;
        for key in keys {
            let columns: Option<UserColumns> = self.conn.exec_first(&statement, (*key,)).await?;
            let user = user(columns.ok_or("there is no such user")?);
            if check {
                total = total.wrapping_add(user.sum(0));
            }
            black_box(&user);
        }
        Ok(total)
    }

    async fn users_posts(&mut self, check: bool) -> Outcome<u64> {
        let users = self.all(USERS, Vec::new(), 1_000, user).await?;
        let keys = users.iter().map(|user| user.id).collect();
        let posts = self.of_keys(POSTS_OF, " ORDER BY id", keys, 10, post).await?;
        let owned = group(users, posts, 10, |user| user.id, |post| post.user_id);
        black_box(&owned);
        Ok(total(&owned, check))
    }

    async fn graph(&mut self, page: Option<(i64, i64)>, check: bool) -> Outcome<u64> {
        let users = match page {
            None => self.all(USERS, Vec::new(), 1_000, user).await?,
            Some((from, to)) => self.all(USERS_BETWEEN, vec![from, to], 20, user).await?,
        };
        let keys = users.iter().map(|user| user.id).collect();
        let posts = self.of_keys(POSTS_OF, " ORDER BY id", keys, 10, post).await?;
        let keys = posts.iter().map(|post| post.id).collect();
        let comments = self.of_keys(COMMENTS_OF, " ORDER BY id", keys, 5, comment).await?;
        let posts = group(posts, comments, 5, |post| post.id, |comment| comment.post_id);
        let graph = group(users, posts, 10, |user| user.id, |(post, _): &(Post, Vec<Comment>)| post.user_id);
        black_box(&graph);
        Ok(total_of_graph(&graph, check))
    }

    async fn posts_user(&mut self, check: bool) -> Outcome<u64> {
        let posts = self.all(POSTS, Vec::new(), 10_000, post).await?;
        let mut places: HashMap<i64, usize, Multiply> = HashMap::default();
        let mut keys = Vec::with_capacity(1_000);
        for post in &posts {
            places.entry(post.user_id).or_insert_with(|| {
                keys.push(post.user_id);
                keys.len() - 1
            });
        }
        let mut users: Vec<Option<User>> = vec![None; keys.len()];
        for user in self.of_keys(USERS_BY_ID, "", keys, 1, user).await? {
            if let Some(place) = places.get(&user.id) {
                users[*place] = Some(user);
            }
        }
        let of = |post: &Post| places.get(&post.user_id).and_then(|place| users[*place].clone());
        let owned: Vec<(Post, Option<User>)> = posts
            .into_iter()
            .map(|post| {
                let user = of(&post);
                (post, user)
            })
            .collect();
        black_box(&owned);
        Ok(total(&owned, check))
    }

    async fn posts_tags(&mut self, check: bool) -> Outcome<u64> {
        let posts = self.all(POSTS, Vec::new(), 10_000, post).await?;
        let keys = posts.iter().map(|post| post.id).collect();
        // The index has both columns in this order.
        let tail = " ORDER BY post_id, tag_id";
        let links = self.of_keys(LINKS_OF, tail, keys, 3, |link: (i64, i64)| link).await?;
        let keys = tags_of(&links);
        let tags = self.of_keys(TAGS_BY_ID, "", keys, 1, |(id, name): (i64, String)| Tag { id, name }).await?;
        let owned = by_links(posts, links, tags);
        black_box(&owned);
        Ok(total(&owned, check))
    }

    async fn users_profile(&mut self, check: bool) -> Outcome<u64> {
        type Columns = (i64, String, String, i64, String, Option<i64>, Option<i64>, Option<String>);
        let read = |(id, name, email, age, created_at, own, user_id, bio): Columns| {
            let profile = own.zip(user_id).zip(bio).map(|((id, user_id), bio)| Profile { id, user_id, bio });
            (User { id, name, email, age, created_at }, profile)
        };
        let owned = self.all(USERS_WITH_PROFILE, Vec::new(), 1_000, read).await?;
        black_box(&owned);
        Ok(total(&owned, check))
    }

    async fn users_comments(&mut self, check: bool) -> Outcome<u64> {
        let users = self.all(USERS, Vec::new(), 1_000, user).await?;
        let keys = users.iter().map(|user| user.id).collect();
        type Columns = (i64, i64, i64, i64, String);
        let read = |(owner, id, post_id, author_id, body): Columns| (owner, Comment { id, post_id, author_id, body });
        let comments = self.of_keys(COMMENTS_OF_USERS, "", keys, 50, read).await?;
        let owned = group(users, comments, 50, |user| user.id, |(owner, _)| *owner);
        black_box(&owned);
        Ok(total(&owned, check))
    }

    async fn latest_comments(&mut self, check: bool) -> Outcome<u64> {
        let posts = self.all(FIRST_POSTS, Vec::new(), 1_000, post).await?;
        let keys = posts.iter().map(|post| post.id).collect();
        let comments = self.of_keys(LATEST_COMMENTS, ") AS numbered WHERE n <= 3", keys, 3, comment).await?;
        let mut owned = group(posts, comments, 3, |post| post.id, |comment| comment.post_id);
        owned.iter_mut().for_each(|(_, own)| own.sort_unstable_by_key(|comment| std::cmp::Reverse(comment.id)));
        black_box(&owned);
        Ok(total(&owned, check))
    }
}

async fn insert(conn: &mut Conn, new: &[NewUser], tags: Option<&[Arc<ours::Tag>]>) -> Outcome<u64> {
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
    let beside = |number| tags.map_or_else(Vec::new, |tags| data::tags_beside(tags, number));
    black_box(saved(new, &user_ids, &post_ids, beside));
    Ok(0)
}
