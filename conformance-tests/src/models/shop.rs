//! A shop: prices, and numbers that are summed.

use assoc_repo::prelude::*;
use rust_decimal::Decimal;

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "products")]
pub(crate) struct Product {
    pub(crate) id: i64,
    #[column(precision = 12, scale = 2)]
    pub(crate) price: Decimal,
    /// Of no declared precision.
    pub(crate) weight: Option<Decimal>,
    pub(crate) stars: u8,
    pub(crate) stock: i32,
    pub(crate) views: i64,
    #[has_many]
    pub(crate) reviews: HasMany<Review>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "reviews")]
pub(crate) struct Review {
    pub(crate) id: i64,
    pub(crate) product_id: i64,
    pub(crate) stars: u8,
    #[column(precision = 12, scale = 2)]
    pub(crate) tip: Decimal,
}
