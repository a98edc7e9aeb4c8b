// What input cannot be permitted to name.
use assoc_repo::prelude::*;

#[derive(Model, Debug, Clone)]
struct User {
    id: i64,
    name: String,
    #[has_many]
    posts: HasMany<Post>,
    #[has_many(through = "posts")]
    notes: HasManyThrough<Note>,
}

#[derive(Model, Debug, Clone)]
struct Post {
    id: i64,
    user_id: i64,
    title: String,
    #[has_many(as = "subject")]
    notes: HasMany<Note>,
}

#[derive(Polymorphic, Debug, Clone)]
enum Subject {
    Post(Post),
}

#[derive(Model, Debug, Clone)]
struct Note {
    id: i64,
    subject_id: i64,
    subject_type: String,
    #[belongs_to(polymorphic)]
    subject: BelongsTo<Subject>,
}

fn permits() {
    // Right.
    let _ = permit!(User { name, posts: Post { title } });
    // A misspelt column.
    let _ = permit!(User { nmae });
    // An association is no column.
    let _ = permit!(User { posts });
    // A column has no members.
    let _ = permit!(User { name: Post { title } });
    // Another model's permit.
    let _ = permit!(User { posts: User { name } });
    // Nothing says of which model a new target is.
    let _ = permit!(Note { subject: Post { title } });
    // Members that cannot be written.
    let _ = permit!(User { notes: Note {} });
    // Everything else.
    let _ = permit!(User { name, ..permit!(User {}) });
    // Neither JSON nor a form.
    let _ = User::cast(7, &permit!(User { name }));
}

fn main() {}
