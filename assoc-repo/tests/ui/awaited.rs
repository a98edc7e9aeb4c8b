// Each wrong argument of a call that is awaited is one error, and not one more at the call and at the `.await`.
use assoc_repo::prelude::*;

#[derive(Model, Debug, Clone)]
pub struct User {
    pub id: i64,
    pub name: String,
    #[has_many]
    pub posts: HasMany<Post>,
    #[has_one]
    pub card: HasOne<Option<Card>>,
}

#[derive(Model, Debug, Clone)]
pub struct Post {
    pub id: i64,
    pub user_id: i64,
    #[belongs_to]
    pub user: BelongsTo<User>,
}

#[derive(Model, Debug, Clone)]
pub struct Card {
    pub id: i64,
    pub user_id: i64,
}

pub struct Plain;

async fn reads(repo: &Repo, user: &User) -> Result<()> {
    repo.all::<Plain>(Query::new()).await?;
    repo.one::<Plain>(Query::new()).await?;
    repo.count::<Plain>(Query::new()).await?;
    repo.exists::<Plain>(Query::new()).await?;
    repo.get::<Plain>(1, Query::new()).await?;
    repo.pluck("name", Query::<User>::new()).await?;
    repo.aggregate(User::NAME, Query::new()).await?;
    repo.query_raw::<User>("SELECT 1", ["x"]).await?;
    repo.query_raw::<Plain>("SELECT 1", []).await?;
    repo.get_association(user, User::NAME, Query::new()).await?;
    repo.get_polymorphic(user, User::POSTS).await?;
    Ok(())
}

async fn preloads(repo: &Repo, users: &mut Vec<User>, plain: &mut Vec<Plain>) -> Result<()> {
    repo.preload(users, "posts").await?;
    repo.preload(users, Post::USER).await?;
    repo.preload(plain, User::POSTS).await?;
    repo.reload(users, User::NAME).await?;
    repo.load_separately(users, "posts").await?;
    repo.count_for(users, User::NAME).await?;
    repo.aggregate_for(users, User::POSTS, User::NAME).await?;
    Ok(())
}

async fn writes(repo: &Repo, plain: &Plain) -> Result<()> {
    repo.delete(plain).await?;
    repo.execute_raw("SELECT 1", ["x"]).await?;
    repo.create_table::<Plain>().await?;
    repo.drop_table::<Plain>().await?;
    Ok(())
}

async fn handles(repo: &Repo, user: &User, owner: &mut User) -> Result<()> {
    repo.association(user, User::POSTS).load().await?;
    repo.association(user, User::POSTS).reload().await?;
    repo.association(user, User::CARD).load().await?;
    repo.association(user, User::CARD).reload().await?;
    let posts = repo.association(owner, User::POSTS);
    posts.find("1").await?;
    posts.find_all(["1"]).await?;
    posts.exists(User::NAME.eq("a")).await?;
    posts.pluck("name").await?;
    posts.sum(User::NAME).await?;
    Ok(())
}

fn main() {}
