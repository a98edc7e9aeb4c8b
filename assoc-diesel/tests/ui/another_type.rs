use assoc_repo::prelude::*;

mod schema {
    diesel::table! {
        users (id) {
            id -> Integer,
            name -> Nullable<Text>,
        }
    }
}

#[derive(Model, Debug, Clone)]
#[model(diesel = crate::schema::users)]
pub struct User {
    pub id: i64,
    pub name: String,
}

fn main() {}
