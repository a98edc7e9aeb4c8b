use assoc_core::HasAndBelongsToMany;
use assoc_macros::Model;

#[derive(Model, Clone)]
struct Person {
    id: i64,
    #[has_and_belongs_to_many]
    places: HasAndBelongsToMany<Place>,
}

#[derive(Model, Clone)]
#[model(primary_key = "shelf, number")]
struct Place {
    shelf: i64,
    number: i64,
}

fn main() {}
