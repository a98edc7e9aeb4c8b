use assoc_core::{HasAndBelongsToMany, HasManyThrough, HasMany};
use assoc_macros::Model;

#[derive(Model, Clone)]
struct Post {
    id: i64,
    #[has_and_belongs_to_many(join = "PostTag")]
    option: HasAndBelongsToMany<Tag>,
    #[has_and_belongs_to_many(foreign_key = "post id")]
    no_field: HasAndBelongsToMany<Tag, PostTag>,
    #[has_many]
    comments: HasMany<Comment>,
    #[has_many(through = "comments", source = "tags")]
    through: HasManyThrough<Tag, Comment>,
}

#[derive(Model, Clone)]
struct Tag {
    id: i64,
}

#[derive(Model, Clone)]
struct Comment {
    id: i64,
    post_id: i64,
    tag_id: i64,
}

#[derive(Model, Clone)]
struct PostTag {
    post_id: i64,
    tag_id: i64,
}

fn main() {}
