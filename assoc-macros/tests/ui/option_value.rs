use assoc_core::HasMany;
use assoc_macros::Model;

#[derive(Model, Clone)]
#[model(table = users, auto_increment = "no", crate = "my crate")]
struct User {
    id: i64,
    #[has_many(foreign_key)]
    posts: HasMany<Post>,
    #[has_many(foreign_key = user_id)]
    drafts: HasMany<Post>,
    #[has_many = "Post"]
    notes: HasMany<Post>,
    #[has_many("user_id")]
    pages: HasMany<Post>,
    #[has_many(foreign_key: "user_id")]
    letters: HasMany<Post>,
    #[has_many(foreign_key = "user id")]
    cards: HasMany<Post>,
    #[has_many(accessor = "read_posts", foreign_key = "user_id")]
    read: HasMany<Post>,
    #[column(length = "40")]
    name: String,
    #[model(skip = true)]
    rank: i64,
}

#[derive(Model, Clone)]
struct Post {
    id: i64,
    user_id: i64,
}

fn main() {}
