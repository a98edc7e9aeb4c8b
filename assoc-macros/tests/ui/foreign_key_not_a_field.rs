use assoc_core::BelongsTo;
use assoc_macros::Model;

#[derive(Model, Clone)]
struct Comment {
    id: i64,
    usr_id: i64,
    #[belongs_to]
    post: BelongsTo<Post>,
    #[belongs_to]
    user: BelongsTo<Post>,
    #[belongs_to(foreign_key = "user_id")]
    writer: BelongsTo<Post>,
    #[belongs_to(foreign_key = "post")]
    other: BelongsTo<Post>,
    #[model(skip)]
    place_id: i64,
    #[belongs_to]
    place: BelongsTo<Post>,
}

#[derive(Model, Clone)]
struct Post {
    id: i64,
    user_id: i64,
}

fn main() {}
