#![deny(deprecated)]

use assoc_core::{HasAndBelongsToMany, HasMany};
use assoc_macros::Model;

#[derive(Model, Clone)]
struct User {
    id: i64,
    #[deprecated(since = "2.0.0", note = "read `articles`")]
    #[has_many]
    posts: HasMany<Post>,
    #[has_many]
    articles: HasMany<Post>,
    #[deprecated]
    #[has_and_belongs_to_many]
    groups: HasAndBelongsToMany<Group, Membership>,
}

#[derive(Model, Clone)]
struct Post {
    id: i64,
    user_id: i64,
}

#[derive(Model, Clone)]
struct Group {
    id: i64,
}

#[derive(Model, Clone)]
#[model(table = "groups_users")]
struct Membership {
    user_id: i64,
    group_id: i64,
}

fn main() {
    let _ = User::POSTS;
    let _ = User::ARTICLES;
}

fn read(user: &User) {
    let _ = user.posts();
    let _ = user.posts.loaded();
    let _ = user.groups_with_join_rows();
}
