use assoc_core::{HasAndBelongsToMany, HasManyThrough};
use assoc_macros::Model;

#[derive(Model, Clone)]
struct Person {
    id: i64,
    #[has_and_belongs_to_many]
    friends: HasAndBelongsToMany<Person>,
    #[has_and_belongs_to_many(foreign_key = "friend_id", association_foreign_key = "friend_id")]
    enemies: HasAndBelongsToMany<Self>,
    #[has_and_belongs_to_many(join_table = "a.b.c")]
    tags: HasAndBelongsToMany<Tag>,
    #[has_and_belongs_to_many(foreign_key = "a, b")]
    two: HasAndBelongsToMany<Tag>,
    #[has_and_belongs_to_many(primary_key = "id", dependent = "destroy", join = "PersonTag")]
    options: HasAndBelongsToMany<Tag>,
    #[has_and_belongs_to_many(foreign_key = "x", association_foreign_key = "x")]
    same: HasAndBelongsToMany<Tag>,
    #[has_and_belongs_to_many]
    holder: HasManyThrough<Tag>,
    unmarked: HasAndBelongsToMany<Tag>,
}

#[derive(Model, Clone)]
struct Tag {
    name: String,
    #[has_and_belongs_to_many]
    people: HasAndBelongsToMany<Person>,
}

#[derive(Model, Clone)]
#[model(primary_key = "shelf, number")]
struct Place {
    shelf: i64,
    number: i64,
    #[has_and_belongs_to_many]
    people: HasAndBelongsToMany<Person>,
}

fn main() {}
