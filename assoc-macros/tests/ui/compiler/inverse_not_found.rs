use assoc_core::{BelongsTo, HasMany};
use assoc_macros::{Model, Polymorphic};

#[derive(Model, Clone)]
struct User {
    id: i64,
    #[has_many(inverse_of = "author")]
    posts: HasMany<Post>,
    #[has_many(inverse_of = "editor")]
    edited: HasMany<Post>,
    #[has_many(as = "subject", inverse_of = "user")]
    about: HasMany<Post>,
    #[has_many(as = "subject", inverse_of = "subject")]
    not_in_the_enum: HasMany<Post>,
}

#[derive(Model, Clone)]
struct Post {
    id: i64,
    user_id: i64,
    editor_id: i64,
    subject_id: i64,
    subject_type: String,
    #[belongs_to]
    user: BelongsTo<User>,
    #[belongs_to]
    editor: BelongsTo<Post>,
    #[belongs_to(polymorphic)]
    subject: BelongsTo<Subject>,
}

#[derive(Polymorphic, Clone)]
enum Subject {
    Post(Post),
}

fn main() {}
