// `insert_sql` and `delete_sql` where they have no place, and what is no function.
use assoc_core::{BelongsTo, HasAndBelongsToMany, HasMany, HasManyThrough, HasOne, RawSql};
use assoc_macros::Model;

#[derive(Model, Clone)]
struct Post {
    id: i64,
    author_id: i64,
    #[has_and_belongs_to_many(insert_sql = "INSERT INTO posts_tags VALUES (1, 2)", delete_sql)]
    texts: HasAndBelongsToMany<Tag>,
    #[has_and_belongs_to_many(insert_sql = link, insert_sql = link, delete_sql = unlink)]
    twice: HasAndBelongsToMany<Tag>,
    #[has_and_belongs_to_many(finder_sql = find, insert_sql = link, delete_sql = unlink)]
    found: HasAndBelongsToMany<Tag>,
    #[has_many(insert_sql = link)]
    taggings: HasMany<Tagging>,
    #[has_many(through = "taggings", delete_sql = unlink)]
    tags: HasManyThrough<Tag>,
    #[has_one(delete_sql = unlink)]
    tagging: HasOne<Option<Tagging>>,
    #[belongs_to(insert_sql = link, delete_sql = unlink)]
    author: BelongsTo<Author>,
}

#[derive(Model, Clone)]
struct Author {
    id: i64,
}

#[derive(Model, Clone)]
struct Tag {
    id: i64,
}

#[derive(Model, Clone)]
struct Tagging {
    id: i64,
    post_id: i64,
    tag_id: i64,
    #[belongs_to]
    tag: BelongsTo<Tag>,
}

fn find(_: &Post) -> RawSql {
    RawSql::default()
}

fn link(_: &Post, _: &Tag) -> RawSql {
    RawSql::default()
}

fn unlink(_: &Post, _: &Tag) -> RawSql {
    RawSql::default()
}

fn main() {}
