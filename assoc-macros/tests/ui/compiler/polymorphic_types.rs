use assoc_core::{BelongsTo, HasMany};
use assoc_macros::{Model, Polymorphic};

#[derive(Model, Clone)]
struct Picture {
    id: i64,
    subject_id: String,
    subject_type: i64,
    #[belongs_to(polymorphic)]
    subject: BelongsTo<Subject>,
    #[belongs_to(polymorphic, foreign_key = "subject_id, subject_type", foreign_type = "subject_id")]
    wide: BelongsTo<Option<Subject>>,
    #[belongs_to(foreign_key = "subject_type")]
    not_said: BelongsTo<Subject>,
    #[belongs_to(polymorphic, foreign_key = "subject_type", foreign_type = "subject_id")]
    no_enum: BelongsTo<User>,
    #[has_many(as = "subject")]
    pictures: HasMany<Picture>,
    #[has_many(as = "author")]
    others: HasMany<Picture>,
}

#[derive(Polymorphic, Clone)]
enum Subject {
    User(User),
}

#[derive(Model, Clone)]
struct User {
    id: i64,
}

fn main() {}
