//! The same workloads as Diesel's guide writes them: `belonging_to` and `grouped_by`, or a join.

use std::collections::HashMap;
use std::hint::black_box;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use crate::data::sum;
use crate::{Outcome, Workload};

diesel::table! { users (id) { id -> BigInt, name -> Text, email -> Text, age -> BigInt, created_at -> Text, } }
diesel::table! { posts (id) { id -> BigInt, user_id -> BigInt, title -> Text, body -> Text, published -> Bool, } }
diesel::table! { comments (id) { id -> BigInt, post_id -> BigInt, author_id -> BigInt, body -> Text, } }
diesel::table! { tags (id) { id -> BigInt, name -> Text, } }
diesel::table! { posts_tags (post_id, tag_id) { post_id -> BigInt, tag_id -> BigInt, } }
diesel::table! { profiles (id) { id -> BigInt, user_id -> BigInt, bio -> Text, } }
diesel::joinable!(posts_tags -> tags (tag_id));
diesel::joinable!(profiles -> users (user_id));
diesel::joinable!(comments -> posts (post_id));
diesel::allow_tables_to_appear_in_same_query!(users, posts, comments, tags, posts_tags, profiles);

#[derive(Queryable, Selectable, Identifiable, Clone)]
#[diesel(table_name = users)]
struct User {
    id: i64,
    name: String,
    email: String,
    age: i64,
    created_at: String,
}

#[derive(Queryable, Selectable, Identifiable, Associations)]
#[diesel(table_name = posts, belongs_to(User))]
struct Post {
    id: i64,
    user_id: i64,
    title: String,
    body: String,
    published: bool,
}

#[derive(Queryable, Selectable, Identifiable, Associations)]
#[diesel(table_name = comments, belongs_to(Post))]
struct Comment {
    id: i64,
    post_id: i64,
    author_id: i64,
    body: String,
}

#[derive(Queryable, Selectable, Identifiable)]
#[diesel(table_name = tags)]
struct Tag {
    id: i64,
    name: String,
}

#[derive(Queryable, Selectable, Identifiable, Associations)]
#[diesel(table_name = posts_tags, primary_key(post_id, tag_id), belongs_to(Post))]
struct PostTag {
    post_id: i64,
    #[allow(dead_code)] // It is selected, as in the guide.
    tag_id: i64,
}

#[derive(Queryable, Selectable, Identifiable)]
#[diesel(table_name = profiles)]
struct Profile {
    id: i64,
    user_id: i64,
    bio: String,
}

impl User {
    fn sum(&self, owner: i64) -> u64 {
        sum(owner, &[self.id, self.age], &[&self.name, &self.email, &self.created_at])
    }
}

impl Post {
    fn sum(&self, owner: i64) -> u64 {
        sum(owner, &[self.id, self.user_id, self.published.into()], &[&self.title, &self.body])
    }
}

impl Comment {
    fn sum(&self, owner: i64) -> u64 {
        sum(owner, &[self.id, self.post_id, self.author_id], &[&self.body])
    }
}

pub(super) struct Diesel(PgConnection);

impl Diesel {
    pub(super) fn open(url: &str) -> Outcome<Self> {
        let mut connection = PgConnection::establish(url)?;
        connection.batch_execute("SET search_path = assoc_peers")?;
        Ok(Diesel(connection))
    }

    pub(super) fn run(&mut self, workload: Workload, check: bool) -> Outcome<u64> {
        let total = match workload {
            Workload::W2 => self.users_posts(check)?,
            Workload::W3 => self.graph(check)?,
            Workload::W4 => self.posts_user(check)?,
            Workload::W5 => self.posts_tags(check)?,
            Workload::W6 => self.users_profile(check)?,
            Workload::W7 => self.users_comments(check)?,
            other => return Err(format!("{other:?} is not measured on PostgreSQL").into()),
        };
        Ok(total)
    }

    fn users(&mut self) -> QueryResult<Vec<User>> {
        users::table.order(users::id).select(User::as_select()).load(&mut self.0)
    }

    fn posts(&mut self) -> QueryResult<Vec<Post>> {
        posts::table.order(posts::id).select(Post::as_select()).load(&mut self.0)
    }

    fn posts_of(&mut self, users: &[User]) -> QueryResult<Vec<Post>> {
        Post::belonging_to(users).order((posts::user_id, posts::id)).select(Post::as_select()).load(&mut self.0)
    }

    fn users_posts(&mut self, check: bool) -> QueryResult<u64> {
        let users = self.users()?;
        let posts = self.posts_of(&users)?.grouped_by(&users);
        let owned: Vec<(User, Vec<Post>)> = users.into_iter().zip(posts).collect();
        black_box(&owned);
        let total = |(user, posts): &(User, Vec<Post>)| {
            posts.iter().fold(user.sum(0), |total, post| total.wrapping_add(post.sum(user.id)))
        };
        Ok(if check { owned.iter().map(total).fold(0, u64::wrapping_add) } else { 0 })
    }

    fn graph(&mut self, check: bool) -> QueryResult<u64> {
        let users = self.users()?;
        let posts = self.posts_of(&users)?;
        let comments = Comment::belonging_to(&posts)
            .order((comments::post_id, comments::id))
            .select(Comment::as_select())
            .load(&mut self.0)?
            .grouped_by(&posts);
        let posts: Vec<Vec<(Post, Vec<Comment>)>> = posts.into_iter().zip(comments).grouped_by(&users);
        let graph: Vec<(User, Vec<(Post, Vec<Comment>)>)> = users.into_iter().zip(posts).collect();
        black_box(&graph);
        let mut total = 0_u64;
        if check {
            for (user, posts) in &graph {
                total = total.wrapping_add(user.sum(0));
                for (post, comments) in posts {
                    total = total.wrapping_add(post.sum(user.id));
                    total = comments.iter().fold(total, |total, comment| total.wrapping_add(comment.sum(post.id)));
                }
            }
        }
        Ok(total)
    }

    fn posts_user(&mut self, check: bool) -> QueryResult<u64> {
        let posts = self.posts()?;
        let mut keys: Vec<i64> = posts.iter().map(|post| post.user_id).collect();
        keys.sort_unstable();
        keys.dedup();
        let users: Vec<User> =
            users::table.filter(users::id.eq_any(&keys)).select(User::as_select()).load(&mut self.0)?;
        let users: HashMap<i64, User> = users.into_iter().map(|user| (user.id, user)).collect();
        let owned: Vec<(Post, Option<User>)> = posts
            .into_iter()
            .map(|post| {
                let user = users.get(&post.user_id).cloned();
                (post, user)
            })
            .collect();
        black_box(&owned);
        let total = |(post, user): &(Post, Option<User>)| {
            post.sum(0).wrapping_add(user.as_ref().map_or(0, |user| user.sum(post.id)))
        };
        Ok(if check { owned.iter().map(total).fold(0, u64::wrapping_add) } else { 0 })
    }

    fn posts_tags(&mut self, check: bool) -> QueryResult<u64> {
        let posts = self.posts()?;
        let tags: Vec<(PostTag, Tag)> = PostTag::belonging_to(&posts)
            .inner_join(tags::table)
            .order((posts_tags::post_id, posts_tags::tag_id))
            .select((PostTag::as_select(), Tag::as_select()))
            .load(&mut self.0)?;
        let owned: Vec<(Post, Vec<(PostTag, Tag)>)> = {
            let grouped = tags.grouped_by(&posts);
            posts.into_iter().zip(grouped).collect()
        };
        black_box(&owned);
        let total = |(post, tags): &(Post, Vec<(PostTag, Tag)>)| {
            let own = |total: u64, (_, tag): &(PostTag, Tag)| total.wrapping_add(sum(post.id, &[tag.id], &[&tag.name]));
            tags.iter().fold(post.sum(0), own)
        };
        Ok(if check { owned.iter().map(total).fold(0, u64::wrapping_add) } else { 0 })
    }

    fn users_profile(&mut self, check: bool) -> QueryResult<u64> {
        let owned: Vec<(User, Option<Profile>)> = users::table
            .left_join(profiles::table)
            .order(users::id)
            .select((User::as_select(), Option::<Profile>::as_select()))
            .load(&mut self.0)?;
        black_box(&owned);
        let total = |(user, profile): &(User, Option<Profile>)| {
            let own = profile.as_ref().map_or(0, |own| sum(user.id, &[own.id, own.user_id], &[&own.bio]));
            user.sum(0).wrapping_add(own)
        };
        Ok(if check { owned.iter().map(total).fold(0, u64::wrapping_add) } else { 0 })
    }

    fn users_comments(&mut self, check: bool) -> QueryResult<u64> {
        let users = self.users()?;
        let keys: Vec<i64> = users.iter().map(|user| user.id).collect();
        let comments: Vec<(i64, Comment)> = posts::table
            .inner_join(comments::table)
            .filter(posts::user_id.eq_any(&keys))
            .order(posts::user_id)
            .select((posts::user_id, Comment::as_select()))
            .load(&mut self.0)?;
        let mut comments = comments.into_iter().peekable();
        let owned: Vec<(User, Vec<(i64, Comment)>)> = users
            .into_iter()
            .map(|user| {
                let mut own = Vec::new();
                while let Some(comment) = comments.next_if(|(owner, _)| *owner == user.id) {
                    own.push(comment);
                }
                (user, own)
            })
            .collect();
        black_box(&owned);
        let total = |(user, comments): &(User, Vec<(i64, Comment)>)| {
            comments.iter().fold(user.sum(0), |total, (_, comment)| total.wrapping_add(comment.sum(user.id)))
        };
        Ok(if check { owned.iter().map(total).fold(0, u64::wrapping_add) } else { 0 })
    }
}
