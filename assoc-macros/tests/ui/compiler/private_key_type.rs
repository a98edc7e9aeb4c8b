use assoc_macros::{ColumnType, Model};

mod inner {
    use super::*;

    #[derive(ColumnType, Clone, Debug, PartialEq)]
    #[column_type(key)]
    struct UserId(i64);

    #[derive(Model, Clone)]
    pub struct User {
        id: UserId,
    }
}

fn main() {
    let _ = |user: inner::User| user;
}
