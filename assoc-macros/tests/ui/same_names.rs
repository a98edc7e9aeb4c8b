#![allow(non_snake_case)]

use assoc_macros::Model;

#[derive(Model, Clone)]
struct User {
    id: i64,
    name: String,
    NAME: String,
    #[column(name = "name")]
    nick: String,
    #[column(name = "")]
    empty: String,
}

fn main() {}
