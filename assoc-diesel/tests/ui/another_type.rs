use assoc_repo::prelude::*;

mod schema {
    diesel::table! {
        users (id) {
            id -> Integer,
            age -> Nullable<Integer>,
        }
    }
}

#[derive(Model, Debug, Clone)]
#[model(diesel = crate::schema::users)]
pub struct User {
    pub id: i64,
    pub age: i32,
}

fn main() {}
