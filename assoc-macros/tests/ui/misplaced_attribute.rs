use assoc_core::HasMany;
use assoc_macros::Model;

#[derive(Model, Clone)]
#[has_many]
#[column(name = "users")]
struct User {
    id: i64,
    #[has_many]
    #[column(name = "posts")]
    posts: HasMany<Post>,
    #[has_many]
    #[model(skip)]
    drafts: HasMany<Post>,
    #[column(length = 40)]
    #[model(skip)]
    rank: i64,
    #[model(table = "names")]
    name: String,
}

#[derive(Model, Clone)]
struct Post {
    id: i64,
    user_id: i64,
}

fn main() {}
