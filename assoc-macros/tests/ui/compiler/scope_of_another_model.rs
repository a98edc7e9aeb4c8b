use assoc_core::{HasMany, Scope};
use assoc_macros::Model;

#[derive(Model, Clone)]
#[model(discriminator = "id")]
struct User {
    id: i64,
    #[has_many(scope = users)]
    posts: HasMany<Post>,
    #[has_many(filter = User::ID.eq(1), order = Post::ID)]
    drafts: HasMany<Post>,
    #[has_many(include = User::POSTS)]
    included: HasMany<Post>,
    #[has_many(scope_by_owner = users)]
    by_owner: HasMany<Post>,
    #[has_many(scope = missing)]
    not_there: HasMany<Post>,
}

fn users(users: Scope<User>) -> Scope<User> {
    users
}

#[derive(Model, Clone)]
struct Post {
    id: i64,
    user_id: i64,
}

fn main() {}
