//! A shop: prices, and numbers that are summed.

use assoc_repo::prelude::*;
use rust_decimal::Decimal;

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "products")]
pub struct Product {
    pub id: i64,
    #[column(precision = 12, scale = 2)]
    pub price: Decimal,
    /// Of no declared precision.
    pub weight: Option<Decimal>,
    pub stars: u8,
    pub stock: i32,
    pub views: i64,
    #[has_many]
    pub reviews: HasMany<Review>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "reviews")]
pub struct Review {
    pub id: i64,
    pub product_id: i64,
    pub stars: u8,
    #[column(precision = 12, scale = 2)]
    pub tip: Decimal,
}
