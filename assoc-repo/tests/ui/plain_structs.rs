// A struct says nothing of what is to be written.
use assoc_repo::prelude::*;

#[derive(Model, Debug, Clone)]
struct User {
    id: i64,
    name: String,
}

async fn write(repo: &Repo, user: User) -> Result<()> {
    repo.update(user.clone()).await?;
    repo.update(&user).await?;
    repo.insert(User { id: 1, name: String::new() }).await?;
    repo.insert_all([user]).await?;
    Ok(())
}

fn main() {}
