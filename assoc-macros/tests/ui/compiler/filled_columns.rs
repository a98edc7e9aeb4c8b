// Columns that the repo fills in, of types that do not fit.
use assoc_macros::Model;

fn text() -> String {
    String::new()
}

#[derive(Model, Clone)]
struct Created {
    id: i64,
    #[column(created_at)]
    created_at: String,
}

#[derive(Model, Clone)]
struct Updated {
    id: i64,
    #[column(updated_at)]
    updated_at: Option<i64>,
}

#[derive(Model, Clone)]
struct Version {
    id: i64,
    #[column(lock_version)]
    version: Option<i32>,
}

#[derive(Model, Clone)]
struct Revision {
    id: i64,
    #[column(lock_version)]
    revision: String,
}

#[derive(Model, Clone)]
struct Made {
    id: i64,
    #[column(default_with = text)]
    number: i64,
}

fn main() {}
