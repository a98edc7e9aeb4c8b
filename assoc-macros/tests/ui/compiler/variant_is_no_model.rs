use assoc_macros::{Model, Polymorphic};

#[derive(Polymorphic, Clone)]
enum Subject {
    User(User),
    Text(String),
}

#[derive(Model, Clone)]
struct User {
    id: i64,
}

fn main() {}
