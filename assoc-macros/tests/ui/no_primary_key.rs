use assoc_core::HasMany;
use assoc_macros::Model;

#[derive(Model, Clone)]
struct Visit {
    at: String,
    #[has_many]
    posts: HasMany<Post>,
}

#[derive(Model, Clone)]
struct Post {
    id: i64,
    user_id: i64,
}

fn main() {}
