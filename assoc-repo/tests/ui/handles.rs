//! What handles do not have: writing methods where no single row links members, and on a handle of `&owner`.

use assoc_repo::prelude::*;

#[derive(Model, Debug, Clone)]
struct User {
    id: i64,
    #[has_many]
    posts: HasMany<Post>,
    // The source is a `has_many`.
    #[has_many(through = "posts")]
    comments: HasManyThrough<Comment>,
    // Nested: what it goes through goes through others as well.
    #[has_many(through = "comments", source = "likes")]
    likes: HasManyThrough<Like>,
    // The source is a `has_one`.
    #[has_many(through = "posts", source = "cover")]
    covers: HasManyThrough<Cover>,
    #[has_one]
    account: HasOne<Option<Account>>,
    #[has_one(through = "account", source = "history")]
    history: HasOne<Option<History>>,
}

#[derive(Model, Debug, Clone)]
struct Post {
    id: i64,
    user_id: Option<i64>,
    #[has_many]
    comments: HasMany<Comment>,
    #[has_one]
    cover: HasOne<Option<Cover>>,
}

#[derive(Model, Debug, Clone)]
struct Cover {
    id: i64,
    post_id: i64,
}

#[derive(Model, Debug, Clone)]
struct Comment {
    id: i64,
    post_id: i64,
    #[has_many]
    likes: HasMany<Like>,
}

#[derive(Model, Debug, Clone)]
struct Like {
    id: i64,
    comment_id: i64,
}

#[derive(Model, Debug, Clone)]
struct Account {
    id: i64,
    user_id: Option<i64>,
    #[has_one]
    history: HasOne<Option<History>>,
}

#[derive(Model, Debug, Clone)]
struct History {
    id: i64,
    account_id: i64,
}

async fn behind_has_many(repo: &Repo, mut user: User, comment: Comment) -> Result<()> {
    repo.association(&mut user, User::COMMENTS).push(&comment).await
}

async fn nested(repo: &Repo, mut user: User) -> Result<Like> {
    repo.association(&mut user, User::LIKES).create(Like::build()).await
}

async fn behind_has_one(repo: &Repo, mut user: User) -> Result<()> {
    repo.association(&mut user, User::COVERS).set_ids([1]).await
}

async fn single_behind_has_one(repo: &Repo, mut user: User, history: History) -> Result<()> {
    repo.association(&mut user, User::HISTORY).set(&history).await
}

async fn of_a_shared_owner(repo: &Repo, user: User, post: Post) -> Result<()> {
    repo.association(&user, User::POSTS).push(&post).await
}

async fn of_another_model(repo: &Repo, post: Post) {
    let _ = repo.association(&post, User::POSTS);
}

async fn of_no_reference(repo: &Repo, user: User) {
    let _ = repo.association(user, User::POSTS);
}

async fn a_changeset_is_not_deleted(repo: &Repo, mut user: User) -> Result<()> {
    repo.association(&mut user, User::POSTS).delete(Post::build()).await
}

async fn a_row_of_another_model(repo: &Repo, mut user: User, comment: Comment) -> Result<()> {
    repo.association(&mut user, User::POSTS).push(&comment).await
}

async fn a_single_target_of_another_model(repo: &Repo, mut user: User, comment: Comment) -> Result<()> {
    repo.association(&mut user, User::ACCOUNT).set(&comment).await
}

async fn no_struct_is_set(repo: &Repo, mut user: User, account: Account) -> Result<()> {
    repo.association(&mut user, User::ACCOUNT).set(account).await
}

async fn no_set_of_many(repo: &Repo, mut user: User, post: Post) -> Result<()> {
    repo.association(&mut user, User::POSTS).set(&post).await
}

async fn no_push_to_one(repo: &Repo, mut user: User, account: Account) -> Result<()> {
    repo.association(&mut user, User::ACCOUNT).push(&account).await
}

fn main() {}
