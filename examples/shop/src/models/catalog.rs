//! What a shop sells.

use assoc_repo::prelude::*;
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{Note, OrderLine, Review};

/// A tenant.
#[derive(Model, Debug, Clone)]
#[model(serde)]
pub struct Shop {
    /// The key.
    pub id: i64,
    /// The name in the header `x-shop`.
    pub slug: String,
    /// The name on pages.
    pub name: String,
}

/// A node of the tree of categories.
#[derive(Model, Debug, Clone)]
#[model(serde)]
pub struct Category {
    /// The key.
    pub id: i64,
    /// The tenant.
    pub shop_id: i64,
    /// The node above, unless this is a root.
    pub parent_id: Option<i64>,
    /// The name.
    pub name: String,
    /// The node above.
    #[belongs_to]
    pub parent: BelongsTo<Option<Category>>,
    /// The nodes below, by name.
    #[has_many(foreign_key = "parent_id", order = Category::NAME.asc())]
    pub children: HasMany<Category>,
    /// The products of this node, without those of the nodes below.
    #[has_many]
    pub products: HasMany<Product>,
}

/// Whether a product can be ordered. The column holds `active` or `discontinued`.
#[derive(ColumnType, Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It can.
    Active,
    /// It is shown, and cannot be ordered.
    Discontinued,
}

/// Something to buy.
#[derive(Model, Debug, Clone)]
#[model(serde, rules = Self::rules)]
pub struct Product {
    /// The key.
    pub id: i64,
    /// The tenant.
    pub shop_id: i64,
    /// Where it stands.
    pub category_id: Option<i64>,
    /// The number in the shop's own list.
    pub sku: String,
    /// The name.
    pub name: String,
    /// The price of one.
    #[column(precision = 12, scale = 2)]
    pub price: Decimal,
    /// Whether it can be ordered.
    #[column(default = "'active'")]
    pub status: Status,
    /// The number of reviews, which the library keeps.
    #[column(counter_cache)]
    pub reviews_count: i64,
    /// When it was deleted. Such a product is seen in old orders only.
    pub deleted_at: Option<DateTime<Utc>>,
    /// The tenant.
    #[belongs_to]
    pub shop: BelongsTo<Shop>,
    /// Where it stands.
    #[belongs_to]
    pub category: BelongsTo<Option<Category>>,
    /// The labels, by name.
    #[has_and_belongs_to_many(order = Tag::NAME.asc())]
    pub tags: HasAndBelongsToMany<Tag>,
    /// What customers say.
    #[has_many(dependent = "delete")]
    pub reviews: HasMany<Review>,
    /// How many there are.
    #[has_one(dependent = "delete")]
    pub stock: HasOne<Option<Stock>>,
    /// The order lines that name it.
    #[has_many(dependent = "restrict_with_error")]
    pub lines: HasMany<OrderLine>,
    /// What the shop has written about it.
    #[has_many(as = "subject", dependent = "delete")]
    pub notes: HasMany<Note>,
    /// The mean of the stars.
    pub rating: Aggregated<Option<f64>>,
}

impl Product {
    fn rules(rules: Rules<Product>) -> Rules<Product> {
        rules
            .length(Product::NAME, 1..=120)
            .length(Product::SKU, 1..=40)
            // Fifty lines of a hundred pieces at this price fit into the total of an order.
            .range(Product::PRICE, Decimal::ZERO..=Decimal::ONE_THOUSAND * Decimal::ONE_THOUSAND)
            .custom(
                Product::PRICE,
                |price| {
                    if price.normalize().scale() <= 2 { Ok(()) } else { Err("has parts of a cent") }
                },
            )
            .unique((Product::SKU, Product::SHOP_ID))
            .message("is the number of another product")
    }

    /// The products of a category and of all categories below it.
    pub fn below(category: i64) -> Filter<Product> {
        let tree = "products.category_id IN (
            WITH RECURSIVE tree (id) AS (
                SELECT id FROM categories WHERE id = ?
                UNION ALL
                SELECT categories.id FROM categories INNER JOIN tree ON categories.parent_id = tree.id
            ) SELECT id FROM tree)";
        Filter::raw(tree, [Value::Int(category)])
    }

    /// The products with a text in their name.
    pub fn named(text: &str) -> Filter<Product> {
        Product::NAME.like(format!("%{}%", escape_like(text)))
    }
}

/// A label of products.
#[derive(Model, Debug, Clone)]
#[model(serde)]
pub struct Tag {
    /// The key.
    pub id: i64,
    /// The tenant.
    pub shop_id: i64,
    /// The label.
    pub name: String,
    /// The products that have it.
    #[has_and_belongs_to_many]
    pub products: HasAndBelongsToMany<Product>,
}

/// How many of a product there are.
#[derive(Model, Debug, Clone)]
#[model(serde, primary_key = "product_id", auto_increment = false, rules = Self::rules)]
pub struct Stock {
    /// The product, and the key.
    pub product_id: i64,
    /// The number.
    pub quantity: i32,
    /// The product.
    #[belongs_to]
    pub product: BelongsTo<Product>,
}

impl Stock {
    fn rules(rules: Rules<Stock>) -> Rules<Stock> {
        rules.range(Stock::QUANTITY, 0..)
    }
}
