// Handles and calls that do nothing.
#![deny(unused_must_use)]

use assoc_repo::prelude::*;

#[derive(Model, Debug, Clone)]
pub struct User {
    pub id: i64,
    #[has_many]
    pub posts: HasMany<Post>,
}

#[derive(Model, Debug, Clone)]
pub struct Post {
    pub id: i64,
    pub user_id: i64,
}

fn nothing_is_called_or_waited_for(repo: &Repo, mut user: User) {
    repo.association(&mut user, User::POSTS);
    repo.association(&mut user, User::POSTS).push(Post::build());
    repo.association(&user, User::POSTS).count();
    repo.association(&user, User::POSTS).build().unwrap();
}

fn main() {}
