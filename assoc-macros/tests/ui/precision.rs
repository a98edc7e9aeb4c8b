use assoc_macros::Model;

type Decimal = f64;

#[derive(Model, Clone)]
struct Product {
    id: i64,
    #[column(scale = 2)]
    price: Decimal,
    #[column(precision = 0)]
    tax: Decimal,
    #[column(precision = 4, scale = 6)]
    rate: Decimal,
    #[column(precision = 40, scale = 29)]
    share: Decimal,
    #[column(precision = 66)]
    total: Decimal,
    #[column(precision = "12", scale = 2)]
    discount: Decimal,
}

fn main() {}
