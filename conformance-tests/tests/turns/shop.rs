//! Orders with what a page shows of them.

use assoc_repo::IntoPreload;
use assoc_repo::prelude::*;

macro_rules! model {
    ($(#[$of:meta])* $name:ident { $($(#[$field_of:meta])* $field:ident: $kind:ty,)* }) => {
        #[derive(Model, Debug, Clone, PartialEq)]
        $(#[$of])*
        pub(crate) struct $name { pub(crate) id: i64, $($(#[$field_of])* pub(crate) $field: $kind,)* }
    };
}

model! { #[model(table = "page_orders")] Order {
    customer_id: i64,
    #[belongs_to] customer: BelongsTo<Customer>,
    #[has_many] items: HasMany<Item>,
    #[has_many] payments: HasMany<Payment>,
    #[has_one] shipment: HasOne<Option<Shipment>>,
    #[has_many] notes: HasMany<Note>,
    #[has_and_belongs_to_many(join_table = "page_coupons_orders")] coupons: HasAndBelongsToMany<Coupon>,
} }
model! { #[model(table = "page_customers")] Customer {
    name: String,
    #[has_one] address: HasOne<Option<Address>>,
} }
model! { #[model(table = "page_addresses")] Address { customer_id: i64, city: String, } }
model! { #[model(table = "page_items")] Item {
    order_id: i64,
    product_id: i64,
    #[belongs_to] product: BelongsTo<Product>,
} }
model! { #[model(table = "page_products")] Product {
    name: String,
    category_id: i64,
    #[belongs_to] category: BelongsTo<Category>,
} }
model! { #[model(table = "page_categories")] Category { name: String, } }
model! { #[model(table = "page_payments")] Payment { order_id: i64, cents: i64, } }
model! { #[model(table = "page_shipments")] Shipment { order_id: i64, code: String, } }
model! { #[model(table = "page_notes")] Note {
    order_id: i64,
    author_id: i64,
    #[belongs_to] author: BelongsTo<Author>,
} }
model! { #[model(table = "page_authors")] Author { name: String, } }
model! { #[model(table = "page_coupons")] Coupon { code: String, } }

pub(crate) fn associations() -> impl IntoPreload<Order> {
    (
        Order::CUSTOMER.with(Customer::ADDRESS),
        Order::ITEMS.with(Item::PRODUCT.with(Product::CATEGORY)),
        Order::PAYMENTS,
        Order::SHIPMENT,
        Order::NOTES.with(Note::AUTHOR),
        Order::COUPONS,
    )
}

/// The first 20 orders with ten associations.
pub(crate) fn page() -> Select<Order> {
    Query::preload(associations()).order_by(Order::ID.asc()).limit(20)
}

pub(crate) async fn fill(repo: &Repo) -> Result<()> {
    repo.create_table::<Order>().await?;
    repo.create_table::<Customer>().await?;
    repo.create_table::<Address>().await?;
    repo.create_table::<Item>().await?;
    repo.create_table::<Product>().await?;
    repo.create_table::<Category>().await?;
    repo.create_table::<Payment>().await?;
    repo.create_table::<Shipment>().await?;
    repo.create_table::<Note>().await?;
    repo.create_table::<Author>().await?;
    repo.create_table::<Coupon>().await?;
    let mut statements =
        vec!["CREATE TABLE page_coupons_orders (coupon_id BIGINT NOT NULL, order_id BIGINT NOT NULL)".to_owned()];
    for id in 1..=30 {
        let (seven, five, three) = (id % 7 + 1, id % 5 + 1, id % 3 + 1);
        statements.extend([
            format!("INSERT INTO page_orders (id, customer_id) VALUES ({id}, {seven})"),
            format!("INSERT INTO page_items (id, order_id, product_id) VALUES ({id}, {id}, {seven})"),
            format!("INSERT INTO page_items (id, order_id, product_id) VALUES ({}, {id}, {five})", id + 100),
            format!("INSERT INTO page_payments (id, order_id, cents) VALUES ({id}, {five}, {id}00)"),
            format!("INSERT INTO page_notes (id, order_id, author_id) VALUES ({id}, {seven}, {three})"),
            format!("INSERT INTO page_coupons_orders (coupon_id, order_id) VALUES ({three}, {id})"),
        ]);
        if id <= 7 {
            statements.extend([
                format!("INSERT INTO page_customers (id, name) VALUES ({id}, 'c{id}')"),
                format!("INSERT INTO page_addresses (id, customer_id, city) VALUES ({id}, {five}, 'a{id}')"),
                format!("INSERT INTO page_products (id, name, category_id) VALUES ({id}, 'p{id}', {three})"),
                format!("INSERT INTO page_categories (id, name) VALUES ({id}, 'k{id}')"),
                format!("INSERT INTO page_shipments (id, order_id, code) VALUES ({id}, {}, 's{id}')", id * 2),
                format!("INSERT INTO page_authors (id, name) VALUES ({id}, 'w{id}')"),
                format!("INSERT INTO page_coupons (id, code) VALUES ({id}, 'x{id}')"),
            ]);
        }
    }
    for sql in statements {
        repo.execute_raw(&sql, []).await?;
    }
    Ok(())
}
