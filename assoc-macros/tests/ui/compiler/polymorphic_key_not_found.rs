use assoc_macros::{Model, Polymorphic};

#[derive(Polymorphic, Clone)]
enum Recipient {
    #[polymorphic(primary_key = "pasport")]
    Citizen(Citizen),
}

#[derive(Model, Clone)]
struct Citizen {
    id: i64,
    passport: String,
}

fn main() {}
