// Handles of another owner, of several, and of none: each is one error.
use assoc_repo::prelude::*;

#[derive(Model, Debug, Clone)]
pub struct User {
    pub id: i64,
    #[has_many]
    pub posts: HasMany<Post>,
    #[has_one]
    pub account: HasOne<Option<Account>>,
}

#[derive(Model, Debug, Clone)]
pub struct Post {
    pub id: i64,
    pub user_id: i64,
    #[has_many]
    pub comments: HasMany<Comment>,
}

#[derive(Model, Debug, Clone)]
pub struct Comment {
    pub id: i64,
    pub post_id: i64,
}

#[derive(Model, Debug, Clone)]
pub struct Account {
    pub id: i64,
    pub user_id: i64,
}

async fn handles(repo: &Repo, user: &mut User, users: &mut Vec<User>, maybe: Option<User>) -> Result<()> {
    repo.association(user, Post::COMMENTS).load().await?;
    repo.association(users, User::POSTS).load().await?;
    repo.association(&maybe, User::ACCOUNT).get().await?;
    repo.association(&mut user.posts, User::POSTS).push(Post::build()).await?;
    repo.association(user, "posts").load().await?;
    repo.association(user.clone(), User::POSTS).load().await?;
    repo.association(user, User::ACCOUNT).set(None).await?;
    Ok(())
}

fn changesets() {
    let _ = User::build().push(Post::COMMENTS, Comment::build());
    let _ = User::build().push(User::ACCOUNT, Account::build());
    let _ = User::build().set_one(User::POSTS, Post::build());
}

fn main() {}
