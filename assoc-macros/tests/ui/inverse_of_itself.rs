use assoc_core::{BelongsTo, HasMany};
use assoc_macros::Model;

#[derive(Model, Clone)]
struct Person {
    id: i64,
    mentor_id: Option<i64>,
    #[belongs_to(inverse_of = "mentor")]
    mentor: BelongsTo<Option<Person>>,
    #[has_many(foreign_key = "mentor_id", inverse_of = "students")]
    students: HasMany<Self>,
}

// Another model's association may have the same name.
#[derive(Model, Clone)]
struct Left {
    id: i64,
    partner_id: i64,
    #[belongs_to(inverse_of = "partner")]
    partner: BelongsTo<Right>,
}

#[derive(Model, Clone)]
struct Right {
    id: i64,
    #[has_many(foreign_key = "partner_id", inverse_of = "partner")]
    partner: HasMany<Left>,
}

fn main() {}
