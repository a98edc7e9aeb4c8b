// Assignments of a bulk update that do not fit.
use assoc_repo::prelude::*;

#[derive(Model, Debug, Clone)]
pub struct User {
    pub id: i64,
    pub name: String,
    pub active: bool,
    pub age: i32,
}

#[derive(Model, Debug, Clone)]
pub struct Post {
    pub id: i64,
    pub stars: i32,
}

async fn add_to_text(repo: &Repo) -> Result<u64> {
    repo.update_all(Query::new(), [User::NAME.add("x")]).await
}

async fn add_to_bool(repo: &Repo) -> Result<u64> {
    repo.update_all(Query::new(), [User::ACTIVE.add(true)]).await
}

async fn column_of_another_model(repo: &Repo) -> Result<u64> {
    repo.update_all(Query::<User>::new(), [Post::STARS.add(1)]).await
}

fn main() {}
