use assoc_core::HasMany;
use assoc_macros::Model;

#[derive(Model, Clone)]
#[model(primary_key = "user_id, nme")]
struct User {
    id: i64,
    name: String,
    #[has_many]
    posts: HasMany<Post>,
    #[has_many(primary_key = "uuid")]
    others: HasMany<Post>,
}

#[derive(Model, Clone)]
#[model(primary_key = "a, b, c, d, e")]
struct Wide {
    a: i64,
}

#[derive(Model, Clone)]
#[model(primary_key = "a, a")]
struct Twice {
    a: i64,
}

#[derive(Model, Clone)]
#[model(primary_key = "a, b", auto_increment)]
struct Counting {
    a: i64,
    b: i64,
}

#[derive(Model, Clone)]
struct Post {
    id: i64,
    user_id: i64,
}

fn main() {}
