//! What customers buy.

use assoc_repo::prelude::*;
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{Customer, Note, Product};

/// How far an order is. The column holds `open` or `placed`.
#[derive(ColumnType, Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    /// It can still change; prices and stock are not touched.
    Open,
    /// It is checked out: its prices are fixed, and its goods are taken from the stock.
    Placed,
}

/// An order.
#[derive(Model, Debug, Clone)]
#[model(serde, rules = Self::rules)]
pub struct Order {
    /// The key.
    pub id: i64,
    /// The tenant.
    pub shop_id: i64,
    /// Who orders.
    pub customer_id: i64,
    /// How far it is.
    #[column(default = "'open'")]
    pub status: OrderStatus,
    /// What it costs, once it is placed.
    #[column(precision = 12, scale = 2)]
    pub total: Option<Decimal>,
    /// When it was begun.
    #[column(created_at)]
    pub created_at: DateTime<Utc>,
    /// Who orders.
    #[belongs_to]
    pub customer: BelongsTo<Customer>,
    /// What is ordered.
    #[has_many(dependent = "delete")]
    pub lines: HasMany<OrderLine>,
    /// The products of the lines.
    #[has_many(through = "lines")]
    pub products: HasManyThrough<Product>,
    /// What the shop has written about it.
    #[has_many(as = "subject", dependent = "delete")]
    pub notes: HasMany<Note>,
}

impl Order {
    fn rules(rules: Rules<Order>) -> Rules<Order> {
        rules.on_insert(|rules| rules.members(Order::LINES, 1..=50))
    }
}

/// A product in an order: one line for each product.
#[derive(Model, Debug, Clone)]
#[model(serde, primary_key = "order_id, product_id", rules = Self::rules)]
pub struct OrderLine {
    /// The order.
    pub order_id: i64,
    /// The product.
    pub product_id: i64,
    /// How many.
    pub quantity: i32,
    /// The price of one, once the order is placed.
    #[column(precision = 12, scale = 2)]
    pub price: Option<Decimal>,
    /// The order.
    #[belongs_to]
    pub order: BelongsTo<Order>,
    /// The product, also if it was deleted since.
    #[belongs_to]
    pub product: BelongsTo<Product>,
}

impl OrderLine {
    fn rules(rules: Rules<OrderLine>) -> Rules<OrderLine> {
        rules
            .range(OrderLine::QUANTITY, 1..=100)
            .exists(OrderLine::PRODUCT)
            .unique((OrderLine::PRODUCT_ID, OrderLine::ORDER_ID))
            .message("is in the order already")
    }
}
