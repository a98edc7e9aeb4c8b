//! Who buys, and what is written.

use assoc_repo::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Order, OrderLine, Product};

/// Somebody who orders.
#[derive(Model, Debug, Clone)]
#[model(serde, rules = Self::rules)]
pub struct Customer {
    /// The key.
    pub id: i64,
    /// The tenant.
    pub shop_id: i64,
    /// The name.
    pub name: String,
    /// The address for mail, once in a shop.
    pub email: String,
    /// Where the parcels go.
    #[has_one(dependent = "delete")]
    pub address: HasOne<Option<Address>>,
    /// The orders, the newest first.
    #[has_many(order = Order::ID.desc(), dependent = "restrict_with_error")]
    pub orders: HasMany<Order>,
    /// What this customer says of products.
    #[has_many(dependent = "destroy")]
    pub reviews: HasMany<Review>,
    /// The lines of all orders.
    #[has_many(through = "orders", source = "lines")]
    pub lines: HasManyThrough<OrderLine>,
    /// What this customer has ordered, each product once: two steps away.
    #[has_many(through = "lines", source = "product", distinct, order = Product::NAME.asc())]
    pub products: HasManyThrough<Product>,
    /// What the shop has written about this customer.
    #[has_many(as = "subject", dependent = "delete")]
    pub notes: HasMany<Note>,
}

impl Customer {
    fn rules(rules: Rules<Customer>) -> Rules<Customer> {
        rules.length(Customer::NAME, 1..=120).unique((Customer::EMAIL, Customer::SHOP_ID))
    }
}

/// Where a customer lives.
#[derive(Model, Debug, Clone)]
#[model(serde)]
pub struct Address {
    /// The key.
    pub id: i64,
    /// Who lives there.
    pub customer_id: i64,
    /// Street and number.
    pub street: String,
    /// The city.
    pub city: String,
}

/// What a customer says of a product.
#[derive(Model, Debug, Clone)]
#[model(serde, rules = Self::rules)]
pub struct Review {
    /// The key.
    pub id: i64,
    /// The product.
    pub product_id: i64,
    /// Who says it.
    pub customer_id: i64,
    /// From 1 to 5.
    pub stars: i16,
    /// The text.
    pub body: String,
    /// The product, which counts its reviews.
    #[belongs_to(counter_cache)]
    pub product: BelongsTo<Product>,
    /// Who says it.
    #[belongs_to]
    pub customer: BelongsTo<Customer>,
}

impl Review {
    fn rules(rules: Rules<Review>) -> Rules<Review> {
        rules.range(Review::STARS, 1..=5).length(Review::BODY, 1..=2000).exists(Review::CUSTOMER)
    }
}

/// What a note can be about.
#[derive(Polymorphic, Serialize, Deserialize, Debug, Clone)]
pub enum Subject {
    /// A customer.
    Customer(Customer),
    /// An order.
    Order(Order),
    /// A product.
    Product(Product),
}

/// A remark of the shop's staff.
#[derive(Model, Debug, Clone)]
#[model(serde)]
pub struct Note {
    /// The key.
    pub id: i64,
    /// Whose staff has made it.
    pub shop_id: i64,
    /// The model of the subject.
    pub subject_type: String,
    /// The key of the subject.
    pub subject_id: i64,
    /// The text.
    pub body: String,
    /// What it is about.
    #[belongs_to(polymorphic)]
    pub subject: BelongsTo<Option<Subject>>,
}
