use assoc_core::HasAndBelongsToMany;
use assoc_macros::Model;

#[derive(Model, Clone)]
struct Post {
    id: i64,
    #[has_and_belongs_to_many(join_table = "posts_tags")]
    tags: HasAndBelongsToMany<Tag, PostTag>,
    #[has_and_belongs_to_many(join_table = "post_tags")]
    same: HasAndBelongsToMany<Tag, PostTag>,
}

#[derive(Model, Clone)]
struct Tag {
    id: i64,
}

#[derive(Model, Clone)]
struct PostTag {
    post_id: i64,
    tag_id: i64,
}

fn main() {}
