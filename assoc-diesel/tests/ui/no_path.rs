use assoc_repo::prelude::*;

#[derive(Model, Debug, Clone)]
#[model(diesel = "users")]
pub struct User {
    pub id: i64,
}

fn main() {}
