use assoc_core::HasAndBelongsToMany;
use assoc_macros::Model;

#[derive(Model, Clone)]
struct Post {
    id: i64,
    // The columns are not there.
    #[has_and_belongs_to_many]
    tags: HasAndBelongsToMany<Tag, Tag>,
    #[has_and_belongs_to_many(association_foreign_key = "label_id")]
    labels: HasAndBelongsToMany<Tag, PostTag>,
    // They are of other types.
    #[has_and_belongs_to_many(foreign_key = "position")]
    typed: HasAndBelongsToMany<Tag, PostTag>,
    #[has_and_belongs_to_many(association_foreign_key = "position")]
    typed_too: HasAndBelongsToMany<Tag, PostTag>,
}

#[derive(Model, Clone)]
struct Tag {
    id: i64,
}

#[derive(Model, Clone)]
#[model(table = "posts_tags")]
struct PostTag {
    post_id: i64,
    tag_id: i64,
    position: String,
}

fn main() {}
