use assoc_core::{BelongsTo, HasMany, HasManyThrough};
use assoc_macros::{Model, Polymorphic};

#[derive(Model, Clone)]
struct Post {
    id: i64,
    // The enum stores its posts as `article`.
    #[has_many(as = "subject")]
    notes: HasMany<Note>,
    #[has_many(as = "subjekt")]
    misspelt: HasMany<Note>,
    #[has_many]
    comments: HasMany<Comment>,
    #[has_many(through = "comments", source = "autor")]
    authors: HasManyThrough<User>,
}

#[derive(Model, Clone)]
struct Note {
    id: i64,
    subject_id: i64,
    subject_type: String,
    #[belongs_to(polymorphic)]
    subject: BelongsTo<Subject>,
}

#[derive(Polymorphic, Clone)]
enum Subject {
    #[polymorphic(tag = "article")]
    Post(Post),
}

#[derive(Model, Clone)]
struct Comment {
    id: i64,
    post_id: i64,
    author_id: i64,
    #[belongs_to]
    author: BelongsTo<User>,
}

#[derive(Model, Clone)]
struct User {
    id: i64,
}

fn main() {}
