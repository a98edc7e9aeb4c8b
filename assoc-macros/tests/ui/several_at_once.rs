use assoc_core::{BelongsTo, HasMany};
use assoc_macros::Model;

#[derive(Model, Clone)]
#[model(table = "a.b.c", colour = "red")]
struct User {
    id: i64,
    posts_count: i64,
    def: String,
    posts: HasMany<Post>,
    #[belongs_to]
    company: BelongsTo<Post>,
    #[has_one(touch)]
    address: HasMany<Post>,
}

#[derive(Model, Clone)]
struct Post {
    id: i64,
    user_id: i64,
}

// What uses the model is not complained about as well.
fn main() {
    let _ = (User::ID, User::POSTS_COUNT, User::COMPANY);
    let _ = |user: User| user.company().is_ok();
}
