//! SQL by hand over tokio-postgres: prepared statements, rows that are streamed into structs.

use std::collections::HashMap;
use std::hint::black_box;

use futures_util::TryStreamExt;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, Row, Statement};

use super::insert::insert;
use crate::Outcome;
use crate::data::PAGE;
use crate::rows::{
    Comment, Multiply, Post, Profile, Summed, Tag, User, by_links, merge, tags_of, total, total_of_graph,
};
use crate::workload::{Inputs, Workload};

const USERS: &str = "SELECT id, name, email, age, created_at FROM users ORDER BY id";
const USERS_BETWEEN: &str = "SELECT id, name, email, age, created_at FROM users WHERE id BETWEEN $1 AND $2 ORDER BY id";
const USER: &str = "SELECT id, name, email, age, created_at FROM users WHERE id = $1";
const FIRST_POSTS: &str = "SELECT id, user_id, title, body, published FROM posts WHERE id <= 1000 ORDER BY id";
const LATEST_COMMENTS: &str = "SELECT c.id, c.post_id, c.author_id, c.body FROM unnest($1::bigint[]) WITH ORDINALITY AS k (id, place) \
                               CROSS JOIN LATERAL (SELECT * FROM comments WHERE post_id = k.id ORDER BY id DESC LIMIT 3) AS c \
                               ORDER BY k.place, c.id DESC";
const USERS_BY_ID: &str = "SELECT id, name, email, age, created_at FROM users WHERE id = ANY($1)";
const POSTS: &str = "SELECT id, user_id, title, body, published FROM posts ORDER BY id";
const POSTS_OF: &str =
    "SELECT id, user_id, title, body, published FROM posts WHERE user_id = ANY($1) ORDER BY user_id, id";
const COMMENTS_OF: &str =
    "SELECT id, post_id, author_id, body FROM comments WHERE post_id = ANY($1) ORDER BY post_id, id";
const LINKS_OF: &str = "SELECT post_id, tag_id FROM posts_tags WHERE post_id = ANY($1) ORDER BY post_id, tag_id";
const TAGS_BY_ID: &str = "SELECT id, name FROM tags WHERE id = ANY($1)";
const USERS_WITH_PROFILE: &str = "SELECT u.id, u.name, u.email, u.age, u.created_at, p.id, p.user_id, p.bio \
                                  FROM users u LEFT JOIN profiles p ON p.user_id = u.id ORDER BY u.id";
const COMMENTS_OF_USERS: &str = "SELECT c.id, c.post_id, c.author_id, c.body, p.user_id FROM posts p \
                                 JOIN comments c ON c.post_id = p.id WHERE p.user_id = ANY($1) ORDER BY p.user_id";

/// One connection and its prepared statements.
pub(super) struct Hand {
    client: Client,
    prepared: HashMap<&'static str, Statement>,
}

fn user(row: &Row) -> User {
    User { id: row.get(0), name: row.get(1), email: row.get(2), age: row.get(3), created_at: row.get(4) }
}

fn post(row: &Row) -> Post {
    Post { id: row.get(0), user_id: row.get(1), title: row.get(2), body: row.get(3), published: row.get(4) }
}

fn comment(row: &Row) -> Comment {
    Comment { id: row.get(0), post_id: row.get(1), author_id: row.get(2), body: row.get(3) }
}

impl Hand {
    pub(super) async fn open(config: &Config) -> Outcome<Self> {
        Ok(Hand { client: super::connect(config).await?, prepared: HashMap::new() })
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
            Workload::W9 => self.graph(Some(PAGE), check).await,
            Workload::W10 => self.latest_comments(check).await,
            Workload::W8 => insert(&mut self.client, &inputs.new_users, None).await,
            Workload::W11 => insert(&mut self.client, &inputs.new_users, Some(&inputs.tags)).await,
        }
    }

    async fn rows<T>(
        &mut self,
        sql: &'static str,
        binds: &[&(dyn ToSql + Sync)],
        expected: usize,
        read: fn(&Row) -> T,
    ) -> Outcome<Vec<T>> {
        if !self.prepared.contains_key(sql) {
            let prepared = self.client.prepare(sql).await?;
            self.prepared.insert(sql, prepared);
        }
        let mut rows = std::pin::pin!(self.client.query_raw(&self.prepared[sql], binds.iter().copied()).await?);
        let mut all = Vec::with_capacity(expected);
        while let Some(row) = rows.try_next().await? {
            all.push(read(&row));
        }
        Ok(all)
    }

    async fn gets(&mut self, keys: &[i64], check: bool) -> Outcome<u64> {
        let statement = self.client.prepare(USER).await?;
        let mut total = 0_u64;
        for key in keys {
            let user = user(&self.client.query_one(&statement, &[key]).await?);
            if check {
                total = total.wrapping_add(user.sum(0));
            }
            black_box(&user);
        }
        Ok(total)
    }

    async fn latest_comments(&mut self, check: bool) -> Outcome<u64> {
        let posts = self.rows(FIRST_POSTS, &[], 1_000, post).await?;
        let keys: Vec<i64> = posts.iter().map(|post| post.id).collect();
        let comments = self.rows(LATEST_COMMENTS, &[&keys], keys.len() * 3, comment).await?;
        let owned = merge(posts, comments, 3, |post| post.id, |comment| comment.post_id);
        black_box(&owned);
        Ok(total(&owned, check))
    }

    async fn users_posts(&mut self, check: bool) -> Outcome<u64> {
        let users = self.rows(USERS, &[], 1_000, user).await?;
        let keys: Vec<i64> = users.iter().map(|user| user.id).collect();
        let posts = self.rows(POSTS_OF, &[&keys], 10_000, post).await?;
        let owned = merge(users, posts, 10, |user| user.id, |post| post.user_id);
        black_box(&owned);
        Ok(total(&owned, check))
    }

    async fn graph(&mut self, page: Option<(i64, i64)>, check: bool) -> Outcome<u64> {
        let users = match page {
            None => self.rows(USERS, &[], 1_000, user).await?,
            Some((from, to)) => self.rows(USERS_BETWEEN, &[&from, &to], 20, user).await?,
        };
        let keys: Vec<i64> = users.iter().map(|user| user.id).collect();
        let posts = self.rows(POSTS_OF, &[&keys], keys.len() * 10, post).await?;
        let keys: Vec<i64> = posts.iter().map(|post| post.id).collect();
        let comments = self.rows(COMMENTS_OF, &[&keys], keys.len() * 5, comment).await?;
        let posts = merge(posts, comments, 5, |post| post.id, |comment| comment.post_id);
        let graph = merge(users, posts, 10, |user| user.id, |(post, _): &(Post, Vec<Comment>)| post.user_id);
        black_box(&graph);
        Ok(total_of_graph(&graph, check))
    }

    async fn posts_user(&mut self, check: bool) -> Outcome<u64> {
        let posts = self.rows(POSTS, &[], 10_000, post).await?;
        let mut places: HashMap<i64, usize, Multiply> = HashMap::default();
        let mut keys = Vec::with_capacity(1_000);
        for post in &posts {
            places.entry(post.user_id).or_insert_with(|| {
                keys.push(post.user_id);
                keys.len() - 1
            });
        }
        let mut users: Vec<Option<User>> = vec![None; keys.len()];
        for user in self.rows(USERS_BY_ID, &[&keys], 1_000, user).await? {
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

    async fn posts_tags(&mut self, check: bool) -> Outcome<u64> {
        let posts = self.rows(POSTS, &[], 10_000, post).await?;
        let keys: Vec<i64> = posts.iter().map(|post| post.id).collect();
        let links: Vec<(i64, i64)> = self.rows(LINKS_OF, &[&keys], 30_000, |row| (row.get(0), row.get(1))).await?;
        let keys = tags_of(&links);
        let tags = self.rows(TAGS_BY_ID, &[&keys], 200, |row| Tag { id: row.get(0), name: row.get(1) }).await?;
        let owned = by_links(posts, links, tags);
        black_box(&owned);
        Ok(total(&owned, check))
    }

    async fn users_profile(&mut self, check: bool) -> Outcome<u64> {
        let owned = self
            .rows(USERS_WITH_PROFILE, &[], 1_000, |row| {
                let id: Option<i64> = row.get(5);
                (user(row), id.map(|id| Profile { id, user_id: row.get(6), bio: row.get(7) }))
            })
            .await?;
        black_box(&owned);
        Ok(total(&owned, check))
    }

    async fn users_comments(&mut self, check: bool) -> Outcome<u64> {
        let users = self.rows(USERS, &[], 1_000, user).await?;
        let keys: Vec<i64> = users.iter().map(|user| user.id).collect();
        let comments =
            self.rows(COMMENTS_OF_USERS, &[&keys], 50_000, |row| (comment(row), row.get::<_, i64>(4))).await?;
        let mut comments = comments.into_iter().peekable();
        let owned: Vec<(User, Vec<Comment>)> = users
            .into_iter()
            .map(|user| {
                let mut own = Vec::with_capacity(50);
                while let Some((comment, _)) = comments.next_if(|comment| comment.1 == user.id) {
                    own.push(comment);
                }
                (user, own)
            })
            .collect();
        black_box(&owned);
        Ok(total(&owned, check))
    }
}
