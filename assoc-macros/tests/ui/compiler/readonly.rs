use assoc_core::{BelongsTo, HasAndBelongsToMany, HasMany, RowOrigin};
use assoc_macros::{Model, Polymorphic};

#[derive(Model, Clone)]
struct User {
    id: i64,
    origin: RowOrigin,
    #[has_many(readonly)]
    posts: HasMany<Post>,
    #[has_and_belongs_to_many(foreign_key = "one_id", association_foreign_key = "other_id", readonly)]
    friends: HasAndBelongsToMany<User>,
}

#[derive(Model, Clone)]
struct Post {
    id: i64,
    user_id: i64,
}

#[derive(Polymorphic, Clone)]
enum Subject {
    User(User),
    Post(Post),
}

#[derive(Model, Clone)]
struct Note {
    id: i64,
    subject_id: i64,
    subject_type: String,
    #[belongs_to(polymorphic, readonly)]
    subject: BelongsTo<Subject>,
}

fn main() {}
