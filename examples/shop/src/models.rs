//! The tables as structs. Rows that have a `shop_id` belong to a tenant; all others belong to such a row.

mod catalog;
mod people;
mod sales;

pub use catalog::{Category, Product, Shop, Status, Stock, Tag};
pub use people::{Address, Customer, Note, Review, Subject};
pub use sales::{Order, OrderLine, OrderStatus};
