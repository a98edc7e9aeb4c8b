use assoc_macros::Model;

#[derive(Model)]
struct User {
    id: i64,
}

fn main() {}
