//! What handles do not have: writing methods where no single row links members, and on a handle of `&owner`.

use assoc_repo::prelude::*;

#[derive(Model, Debug, Clone)]
struct User {
    id: i64,
    #[has_many]
    posts: HasMany<Post>,
    #[has_many(through = "posts")]
    comments: HasManyThrough<Comment>,
    #[has_one]
    account: HasOne<Option<Account>>,
}

#[derive(Model, Debug, Clone)]
struct Post {
    id: i64,
    user_id: Option<i64>,
    #[has_many]
    comments: HasMany<Comment>,
}

#[derive(Model, Debug, Clone)]
struct Comment {
    id: i64,
    post_id: i64,
}

#[derive(Model, Debug, Clone)]
struct Account {
    id: i64,
    user_id: Option<i64>,
}

async fn behind_others(repo: &Repo, mut user: User, comment: Comment) -> Result<()> {
    repo.association(&mut user, User::COMMENTS).push(&comment).await
}

async fn of_a_shared_owner(repo: &Repo, user: User, post: Post) -> Result<()> {
    repo.association(&user, User::POSTS).push(&post).await
}

async fn another_owners_association(repo: &Repo, post: Post) {
    let _ = repo.association(&post, User::POSTS);
}

async fn a_changeset_is_not_deleted(repo: &Repo, mut user: User) -> Result<()> {
    repo.association(&mut user, User::POSTS).delete(Post::build()).await
}

async fn a_row_of_another_model(repo: &Repo, mut user: User, comment: Comment) -> Result<()> {
    repo.association(&mut user, User::POSTS).push(&comment).await
}

async fn no_struct_is_set(repo: &Repo, mut user: User, account: Account) -> Result<()> {
    repo.association(&mut user, User::ACCOUNT).set(account).await
}

fn main() {}
