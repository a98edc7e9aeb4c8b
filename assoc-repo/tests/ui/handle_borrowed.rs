// The owner is borrowed by its handle as long as that lives, and the handle by each call.
use assoc_repo::prelude::*;

#[derive(Model, Debug, Clone)]
pub struct User {
    pub id: i64,
    pub name: String,
    #[has_many]
    pub posts: HasMany<Post>,
}

#[derive(Model, Debug, Clone)]
pub struct Post {
    pub id: i64,
    pub user_id: i64,
}

async fn two_handles_at_once(repo: &Repo, mut user: User) -> Result<()> {
    let mut first = repo.association(&mut user, User::POSTS);
    let mut second = repo.association(&mut user, User::POSTS);
    first.push(Post::build()).await?;
    second.push(Post::build()).await
}

async fn the_owner_while_its_handle_lives(repo: &Repo, mut user: User) -> Result<()> {
    let mut posts = repo.association(&mut user, User::POSTS);
    println!("{}", user.name);
    posts.push(Post::build()).await
}

async fn two_calls_at_once(repo: &Repo, mut user: User) -> Result<()> {
    let mut posts = repo.association(&mut user, User::POSTS);
    let first = posts.push(Post::build());
    let second = posts.push(Post::build());
    first.await?;
    second.await
}

fn main() {}
