use assoc_core::BelongsTo;
use assoc_macros::Model;

#[derive(Clone)]
struct Post;

#[derive(Model, Clone)]
struct User {
    id: i64,
    post_id: i64,
    #[belongs_to]
    post: BelongsTo<Option<Post>>,
}

fn main() {}
