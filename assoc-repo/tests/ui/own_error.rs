// Errors of a program in a transaction.
use assoc_repo::prelude::*;

#[derive(Model, Debug, Clone)]
pub struct User {
    pub id: i64,
}

#[derive(Debug)]
pub struct OwnError;

async fn work(repo: &Repo) -> std::result::Result<(), OwnError> {
    repo.transaction(async |tx| {
        tx.insert(User::build()).await?;
        Err(OwnError)
    })
    .await
}

fn main() {}
