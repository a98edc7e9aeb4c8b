use assoc_macros::Model;

#[derive(Model, Clone)]
struct Product {
    id: i64,
    #[column(precision = 12, scale = 2)]
    price: f64,
}

fn main() {}
