use assoc_core::HasMany;
use assoc_macros::Model;

#[derive(Model, Clone)]
#[model(tabel = "users")]
struct User {
    id: i64,
    #[has_many(foriegn_key = "user_id")]
    posts: HasMany<Post>,
}

#[derive(Model, Clone)]
struct Post {
    id: i64,
    user_id: i64,
}

fn main() {}
