//! The same workloads as Diesel's guide writes them: `belonging_to` and `grouped_by`, or a join. What is written once here is
//! compiled for the connections of each database.

use diesel::prelude::{Associations, Identifiable, Queryable, Selectable};

use crate::rows::Post;
use crate::workload::Workload;

#[cfg(any(feature = "diesel-mysql", feature = "diesel-postgres"))]
pub(crate) mod shop;

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

#[derive(Queryable, Selectable, Identifiable, Associations)]
#[diesel(table_name = posts_tags, primary_key(post_id, tag_id), belongs_to(Post))]
pub(crate) struct PostTag {
    pub(crate) post_id: i64,
    #[allow(dead_code)] // It is selected, as in the guide.
    pub(crate) tag_id: i64,
}

/// The workloads that are written for Diesel.
pub(crate) fn does(workload: Workload) -> bool {
    use Workload::{W1, W2, W3, W4, W5, W6, W7, W9};
    matches!(workload, W1 | W2 | W3 | W4 | W5 | W6 | W7 | W9)
}

/// `OnConnection`, the workloads over a connection of this type.
macro_rules! on_connection {
    ($connection:ty) => {
        use std::collections::HashMap;
        use std::hint::black_box;
        use std::sync::Arc;

        use diesel::prelude::*;

        use crate::Outcome;
        use crate::by_diesel::{PostTag, comments, does, posts, posts_tags, profiles, tags, users};
        use crate::data::PAGE;
        use crate::rounds::Peer;
        use crate::rows::{Comment, Graph, Post, Profile, Summed, Tag, User, total, total_of_graph};
        use crate::workload::{Inputs, Workload};

        pub(crate) struct OnConnection(pub(crate) $connection);

        impl Peer for OnConnection {
            fn name(&self) -> &'static str {
                "diesel"
            }

            fn does(&self, workload: Workload) -> bool {
                does(workload)
            }

            fn run(&mut self, workload: Workload, inputs: &Arc<Inputs>, check: bool) -> Outcome<u64> {
                let total = match workload {
                    Workload::W1 => self.gets(&inputs.keys, check)?,
                    Workload::W2 => self.users_posts(check)?,
                    Workload::W3 => self.graph(None, check)?,
                    Workload::W4 => self.posts_user(check)?,
                    Workload::W5 => self.posts_tags(check)?,
                    Workload::W6 => self.users_profile(check)?,
                    Workload::W7 => self.users_comments(check)?,
                    Workload::W9 => self.graph(Some(PAGE), check)?,
                    other => return Err(format!("{other:?} is not written for Diesel").into()),
                };
                Ok(total)
            }
        }

        impl OnConnection {
            fn gets(&mut self, keys: &[i64], check: bool) -> QueryResult<u64> {
                let mut total = 0_u64;
                for key in keys {
                    let user: User = users::table.find(key).select(User::as_select()).first(&mut self.0)?;
                    if check {
                        total = total.wrapping_add(user.sum(0));
                    }
                    black_box(&user);
                }
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
                Ok(total(&owned, check))
            }

            fn graph(&mut self, page: Option<(i64, i64)>, check: bool) -> QueryResult<u64> {
                let users = match page {
                    None => self.users()?,
                    Some((from, to)) => users::table
                        .filter(users::id.between(from, to))
                        .order(users::id)
                        .select(User::as_select())
                        .load(&mut self.0)?,
                };
                let posts = self.posts_of(&users)?;
                let comments = Comment::belonging_to(&posts)
                    .order((comments::post_id, comments::id))
                    .select(Comment::as_select())
                    .load(&mut self.0)?
                    .grouped_by(&posts);
                let posts: Vec<Vec<(Post, Vec<Comment>)>> = posts.into_iter().zip(comments).grouped_by(&users);
                let graph: Graph = users.into_iter().zip(posts).collect();
                black_box(&graph);
                Ok(total_of_graph(&graph, check))
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
                Ok(total(&owned, check))
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
                Ok(total(&owned, check))
            }

            fn users_profile(&mut self, check: bool) -> QueryResult<u64> {
                let owned: Vec<(User, Option<Profile>)> = users::table
                    .left_join(profiles::table)
                    .order(users::id)
                    .select((User::as_select(), Option::<Profile>::as_select()))
                    .load(&mut self.0)?;
                black_box(&owned);
                Ok(total(&owned, check))
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
                Ok(total(&owned, check))
            }
        }
    };
}

pub(crate) use on_connection;
