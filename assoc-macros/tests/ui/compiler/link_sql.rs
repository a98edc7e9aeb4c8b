// Functions of `insert_sql` and `delete_sql` that do not take owner and target, or do not give SQL.
use assoc_core::{HasAndBelongsToMany, RawSql};
use assoc_macros::Model;

#[derive(Model, Clone)]
struct Post {
    id: i64,
    #[has_and_belongs_to_many(insert_sql = of_the_owner)]
    one: HasAndBelongsToMany<Tag>,
    #[has_and_belongs_to_many(insert_sql = the_other_way_round)]
    two: HasAndBelongsToMany<Tag>,
    #[has_and_belongs_to_many(delete_sql = text)]
    three: HasAndBelongsToMany<Tag>,
    #[has_and_belongs_to_many(delete_sql = missing)]
    four: HasAndBelongsToMany<Tag>,
}

#[derive(Model, Clone)]
struct Tag {
    id: i64,
}

fn of_the_owner(_: &Post) -> RawSql {
    RawSql::default()
}

fn the_other_way_round(_: &Tag, _: &Post) -> RawSql {
    RawSql::default()
}

fn text(_: &Post, _: &Tag) -> String {
    String::new()
}

fn main() {}
