// A changeset that nothing saves.
#![deny(unused_must_use)]
use assoc_repo::prelude::*;

#[derive(Model, Debug, Clone)]
struct User {
    id: i64,
    name: String,
}

fn rename(before: &User, after: &User) {
    before.change().set(User::NAME, "x");
    before.change_to(after);
}

fn main() {}
