use assoc_core::{BelongsTo, HasAndBelongsToMany, HasMany, HasManyThrough, HasOne, RawSql};
use assoc_macros::Model;

#[derive(Model, Clone)]
struct Member {
    id: i64,
    #[has_many(finder_sql = mentions, foreign_key = "member_id", primary_key = "id", inverse_of = "member")]
    mentions: HasMany<Message>,
    #[has_many(finder_sql = mentions, as = "subject", tag = "x", scope_by_owner = some, distinct)]
    others: HasMany<Message>,
    #[has_many(counter_sql = mentions)]
    counted: HasMany<Message>,
    #[has_many(finder_sql = "SELECT 1")]
    text: HasMany<Message>,
    #[has_many(finder_sql)]
    nothing: HasMany<Message>,
    #[has_many(through = "mentions", source = "member")]
    authors: HasManyThrough<Member>,
    #[has_one(finder_sql = mentions)]
    first: HasOne<Message>,
    #[has_and_belongs_to_many(finder_sql = mentions, join_table = "tags", distinct)]
    tags: HasAndBelongsToMany<Message, Member>,
}

#[derive(Model, Clone)]
struct Message {
    id: i64,
    member_id: i64,
    #[belongs_to]
    member: BelongsTo<Member>,
}

fn mentions(_: &Member) -> RawSql {
    RawSql::default()
}

fn main() {}
