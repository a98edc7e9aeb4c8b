// Associations that take their foreign key from an inverse which has none for them.
use assoc_core::{BelongsTo, HasMany, HasOne};
use assoc_macros::{Model, Polymorphic};

#[derive(Model, Clone)]
struct User {
    id: i64,
    // A `has_many` holds no key.
    #[has_one(inverse_of = "users")]
    card: HasOne<Card>,
    // Its key is another model's.
    #[has_many(inverse_of = "place")]
    visits: HasMany<Visit>,
    // What is polymorphic is named by `as`.
    #[has_many(inverse_of = "subject")]
    marks: HasMany<Mark>,
}

#[derive(Model, Clone)]
struct Card {
    id: i64,
    #[has_many(foreign_key = "id")]
    users: HasMany<User>,
}

#[derive(Model, Clone)]
#[model(primary_key = "hall, number")]
struct Place {
    hall: i64,
    number: i32,
    #[has_many(inverse_of = "place")]
    visits: HasMany<Visit>,
    // One column refers to one.
    #[has_many(primary_key = "hall", inverse_of = "place")]
    of_the_hall: HasMany<Visit>,
}

#[derive(Model, Clone)]
struct Visit {
    id: i64,
    hall: i64,
    number: i32,
    #[belongs_to(foreign_key = "hall, number")]
    place: BelongsTo<Place>,
}

// The key is text, and the primary key a number.
#[derive(Model, Clone)]
struct Firm {
    id: i64,
    code: String,
    #[has_many(inverse_of = "firm")]
    workers: HasMany<Worker>,
}

#[derive(Model, Clone)]
struct Worker {
    id: i64,
    firm_code: String,
    #[belongs_to(foreign_key = "firm_code", primary_key = "code")]
    firm: BelongsTo<Firm>,
}

#[derive(Polymorphic, Clone)]
enum Subject {
    User(User),
}

#[derive(Model, Clone)]
struct Mark {
    id: i64,
    subject_id: i64,
    subject_type: String,
    #[belongs_to(polymorphic)]
    subject: BelongsTo<Subject>,
}

fn main() {}
