use assoc_macros::{ColumnType, Model};

#[derive(ColumnType, Clone, Debug, PartialEq)]
struct UserId(i64);

#[derive(Model, Clone)]
struct User {
    id: UserId,
}

#[derive(Model, Clone)]
#[model(primary_key = "at")]
struct Reading {
    at: f64,
}

fn main() {}
