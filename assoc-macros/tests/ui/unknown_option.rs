use assoc_core::HasMany;
use assoc_macros::Model;

#[derive(Model, Clone)]
struct User {
    id: i64,
    #[has_many(class_name = "Post")]
    posts: HasMany<Post>,
    #[column(unique)]
    email: String,
}

#[derive(Model, Clone)]
struct Post {
    id: i64,
    user_id: i64,
}

fn main() {}
