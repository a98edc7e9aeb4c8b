// Mistakes in `build!`.
use assoc_repo::prelude::*;

#[derive(Model, Debug, Clone)]
struct User {
    id: i64,
    name: String,
    data: Vec<u8>,
    #[has_many]
    posts: HasMany<Post>,
    #[has_many(through = "posts")]
    comments: HasManyThrough<Comment>,
}

#[derive(Model, Debug, Clone)]
struct Post {
    id: i64,
    user_id: i64,
    title: String,
    #[belongs_to]
    user: BelongsTo<User>,
    #[has_many]
    comments: HasMany<Comment>,
}

#[derive(Model, Debug, Clone)]
struct Comment {
    id: i64,
    post_id: i64,
}

fn drafts(post: &Post) {
    // Right.
    let _ = build!(User { name: "Ada", data: vec![1], posts: [Post { title: "On engines" }, post] });
    // A misspelt column, and a misspelt association.
    let _ = build!(User { nmae: "Ada" });
    let _ = build!(User { pots: [Post { title: "On engines" }] });
    let _ = build!(User { pots: [] });
    // Misspelt below.
    let _ = build!(User { posts: [Post { titel: "On engines" }] });
    // A value of another type.
    let _ = build!(User { name: 7 });
    // A row of another model.
    let _ = build!(Post { user: post });
    // A list for a column.
    let _ = build!(User { data: [1, 2] });
    // What cannot be written.
    let _ = build!(User { comments: [Comment {}] });
    // No literal.
    let _ = build!(7);
    let _ = build!(User { name: "Ada" name: "Eda" });
}

fn main() {}
