use assoc_core::{HasAndBelongsToMany, HasMany, RawSql};
use assoc_macros::Model;

#[derive(Model, Clone)]
struct Post {
    id: i64,
    #[has_and_belongs_to_many(insert_sql = "INSERT INTO posts_tags VALUES (?, ?)")]
    text: HasAndBelongsToMany<Tag>,
    #[has_and_belongs_to_many(delete_sql)]
    nothing: HasAndBelongsToMany<Tag>,
    #[has_and_belongs_to_many(finder_sql = tags_of, insert_sql = link)]
    found: HasAndBelongsToMany<Tag>,
    #[has_many(insert_sql = link)]
    tags: HasMany<Tag>,
}

#[derive(Model, Clone)]
struct Tag {
    id: i64,
    post_id: i64,
}

fn tags_of(_: &Post) -> RawSql {
    RawSql::default()
}

fn link(_: &Post, _: &Tag) -> RawSql {
    RawSql::default()
}

fn main() {}
