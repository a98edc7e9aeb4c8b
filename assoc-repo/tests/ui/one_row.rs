// Lists, keys and options where one row is wanted.
use assoc_repo::prelude::*;
use assoc_repo::Changeset;

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
    #[belongs_to]
    pub user: BelongsTo<User>,
}

async fn lists(repo: &Repo, users: &mut Vec<User>, drafts: Vec<Changeset<User>>) -> Result<()> {
    // Right.
    repo.destroy_rows(&*users).await?;
    repo.destroy(users).await?;
    repo.destroy(&users[..]).await?;
    repo.delete(users).await?;
    repo.touch(users).await?;
    repo.insert(drafts).await?;
    Ok(())
}

async fn keys(repo: &Repo, id: i64) -> Result<()> {
    repo.destroy(&id).await?;
    repo.preview_destroy(&id).await?;
    Ok(())
}

async fn options(repo: &Repo, user: Option<User>) -> Result<()> {
    repo.delete(&user).await?;
    let _ = Post::build().associate(Post::USER, &user);
    Ok(())
}

fn main() {}
