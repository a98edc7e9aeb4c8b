use assoc_core::{HasMany, RawSql};
use assoc_macros::Model;

#[derive(Model, Clone)]
struct Member {
    id: i64,
    #[has_many(finder_sql = of_message)]
    mentions: HasMany<Message>,
    #[has_many(finder_sql = plain_text)]
    others: HasMany<Message>,
}

#[derive(Model, Clone)]
struct Message {
    id: i64,
}

fn of_message(_: &Message) -> RawSql {
    RawSql::default()
}

fn plain_text(_: &Member) -> &'static str {
    "SELECT 1"
}

fn main() {}
