// Columns that the repo fills in.
use assoc_macros::Model;

fn number() -> i64 {
    7
}

#[derive(Model, Clone)]
struct Twice {
    id: i64,
    #[column(created_at, updated_at)]
    at: i64,
    #[column(lock_version)]
    version: i32,
    #[column(lock_version)]
    revision: i32,
}

#[derive(Model, Clone)]
struct Both {
    id: i64,
    #[column(default_with = number, default = "7")]
    number: i64,
    #[column(generated, lock_version)]
    version: i32,
}

#[derive(Model, Clone)]
#[model(primary_key = "version")]
struct Key {
    #[column(lock_version)]
    version: i32,
}

#[derive(Model, Clone)]
struct Values {
    id: i64,
    #[column(created_at = "now")]
    created: i64,
    #[column(default_with)]
    number: i64,
    #[column(default_with = 7)]
    other: i64,
    #[column(lockversion)]
    version: i32,
}

fn main() {}
