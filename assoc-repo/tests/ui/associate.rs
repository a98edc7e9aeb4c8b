// What an association cannot lead to.
use assoc_repo::prelude::*;

#[derive(Model, Debug, Clone)]
struct User {
    id: i64,
}

#[derive(Model, Debug, Clone)]
struct Ticket {
    id: i64,
}

#[derive(Polymorphic, Debug, Clone)]
enum Subject {
    Ticket(Ticket),
}

#[derive(Model, Debug, Clone)]
struct Note {
    id: i64,
    user_id: i64,
    subject_id: i64,
    subject_type: String,
    #[belongs_to]
    user: BelongsTo<User>,
    #[belongs_to(polymorphic)]
    subject: BelongsTo<Subject>,
    #[has_many(foreign_key = "id")]
    notes: HasMany<Note>,
}

fn draft(user: User, ticket: &Ticket, note: &Note) {
    // Right.
    let _ = Note::build().associate(Note::SUBJECT, ticket);
    // Another model.
    let _ = Note::build().associate(Note::USER, ticket);
    // A model that is no variant.
    let _ = Note::build().associate(Note::SUBJECT, &user);
    // A key instead of a row.
    let _ = Note::build().associate(Note::USER, 7);
    // A row by value.
    let _ = Note::build().associate(Note::USER, user);
    // The key is on the other side.
    let _ = Note::build().associate(Note::NOTES, note);
    let _ = Note::build().dissociate(Note::NOTES);
}

fn main() {}
