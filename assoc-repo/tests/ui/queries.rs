// Orders and values that a column does not have.
use assoc_repo::prelude::*;

#[derive(Model, Debug, Clone)]
struct User {
    id: i64,
    name: String,
    email: Option<String>,
}

fn main() {
    let _ = Query::<User>::order_by(User::NAME);
    let _ = Query::<User>::order_by("name desc");
    let _ = User::build().set(User::EMAIL, Some("ada@example.org"));
    let _ = Query::filter(User::ID.eq(7_i32));
    let _ = Query::filter(User::NAME.eq(7));
}
