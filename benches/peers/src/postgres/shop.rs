//! Page, saves, transactions and trees by hand over tokio-postgres: prepared statements, those of a level sent together.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::future::{try_join, try_join_all};
use tokio::runtime::Runtime;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row, Statement};

use crate::Outcome;
use crate::latency::page::{
    Address, Author, Category, Coupon, Customer, Found, Item, Note, ORDERS, Order, Payment, Product, Shipment, distinct,
};
use crate::latency::tables::{Tree, whole_tree};
use crate::latency::trees::{self, Folder};
use crate::latency::{Case, SAVED, Shop};

const INSERT: &str = "INSERT INTO parcels (code, weight) VALUES ($1, $2) RETURNING id";
const INSERT_ALL: &str =
    "INSERT INTO parcels (code, weight) SELECT * FROM unnest($1::text[], $2::bigint[]) RETURNING id";
const UPDATE: &str = "UPDATE parcels SET weight = $1 WHERE id = $2";
const PARCEL: &str = "SELECT id, code, weight FROM parcels WHERE id = $1";

const ORDERS_OF_PAGE: &str = "SELECT id, customer_id FROM orders ORDER BY id LIMIT $1";
const CUSTOMERS: &str = "SELECT id, name FROM customers WHERE id = ANY($1)";
const ADDRESSES: &str = "SELECT id, customer_id, city FROM addresses WHERE customer_id = ANY($1)";
const ITEMS: &str = "SELECT id, order_id, product_id FROM items WHERE order_id = ANY($1) ORDER BY order_id, id";
const PRODUCTS: &str = "SELECT id, name, category_id FROM products WHERE id = ANY($1)";
const CATEGORIES: &str = "SELECT id, name FROM categories WHERE id = ANY($1)";
const PAYMENTS: &str = "SELECT id, order_id, cents FROM payments WHERE order_id = ANY($1) ORDER BY order_id, id";
const SHIPMENTS: &str = "SELECT id, order_id, code FROM shipments WHERE order_id = ANY($1) ORDER BY order_id, id";
const NOTES: &str = "SELECT id, order_id, author_id FROM notes WHERE order_id = ANY($1) ORDER BY order_id, id";
const AUTHORS: &str = "SELECT id, name FROM authors WHERE id = ANY($1)";
const COUPONS: &str = "SELECT l.order_id, c.id, c.code FROM coupons_orders l JOIN coupons c ON c.id = l.coupon_id \
                       WHERE l.order_id = ANY($1) ORDER BY l.order_id, c.id";

/// One connection and its prepared statements.
pub(super) struct HandShop {
    runtime: Arc<Runtime>,
    prepared: Prepared,
    weight: i64,
}

struct Prepared {
    client: Client,
    statements: HashMap<String, Statement>,
}

impl HandShop {
    pub(super) fn open(config: &tokio_postgres::Config, runtime: Arc<Runtime>) -> Outcome<HandShop> {
        let client = runtime.block_on(super::connect(config))?;
        Ok(HandShop { runtime, prepared: Prepared { client, statements: HashMap::new() }, weight: 0 })
    }
}

impl Shop for HandShop {
    fn does(&self, _: Case) -> bool {
        true
    }

    fn run(&mut self, case: Case) -> Outcome<u64> {
        self.weight += 1;
        let HandShop { prepared, runtime, weight } = self;
        runtime.block_on(async {
            prepared.prepare(&[INSERT, INSERT_ALL, UPDATE, PARCEL]).await?;
            match case {
                Case::Page => return prepared.page().await,
                Case::Tree(of) => return prepared.tree(of).await,
                Case::Inserts => {
                    for weight in 0..SAVED as i64 {
                        prepared.query(INSERT, &[&"new", &weight], |row| row.get::<_, i64>(0)).await?;
                    }
                }
                Case::Updates => prepared.updates(*weight).await?,
                Case::TransactionOfThree => {
                    prepared.client.batch_execute("BEGIN").await?;
                    let read = prepared.query(PARCEL, &[&1_i64], |row| row.get::<_, i64>(2)).await?;
                    prepared.query(UPDATE, &[&(read.first().copied().unwrap_or_default() + 1), &1_i64], |_| ()).await?;
                    prepared.query(INSERT, &[&"new", weight], |row| row.get::<_, i64>(0)).await?;
                    prepared.client.batch_execute("COMMIT").await?;
                }
                Case::TransactionOfTwenty => {
                    prepared.client.batch_execute("BEGIN").await?;
                    prepared.updates(*weight).await?;
                    prepared.client.batch_execute("COMMIT").await?;
                }
                Case::InsertAll => {
                    let weights: Vec<i64> = (0..SAVED as i64).collect();
                    prepared.query(INSERT_ALL, &[&vec!["new"; SAVED], &weights], |row| row.get::<_, i64>(0)).await?;
                }
                Case::Usual(_) => {}
            }
            Ok(0)
        })
    }
}

impl Prepared {
    /// Prepares what is not prepared yet, together.
    async fn prepare(&mut self, texts: &[&str]) -> Outcome<()> {
        let absent: Vec<&str> = texts.iter().copied().filter(|text| !self.statements.contains_key(*text)).collect();
        let statements = try_join_all(absent.iter().map(|text| self.client.prepare(text))).await?;
        self.statements.extend(absent.into_iter().map(str::to_owned).zip(statements));
        Ok(())
    }

    // Several of these may wait at the same time: the connection sends them one after the other, and waits for none.
    async fn query<T>(&self, text: &str, binds: &[&(dyn ToSql + Sync)], read: fn(&Row) -> T) -> Outcome<Vec<T>> {
        let statement = self.statements.get(text).ok_or("a statement is not prepared")?;
        Ok(self.client.query(statement, binds).await?.iter().map(read).collect())
    }

    async fn updates(&self, weight: i64) -> Outcome<()> {
        for id in 1..=SAVED as i64 {
            self.query(UPDATE, &[&weight, &id], |_| ()).await?;
        }
        Ok(())
    }

    async fn page(&mut self) -> Outcome<u64> {
        self.prepare(&[
            ORDERS_OF_PAGE,
            CUSTOMERS,
            ADDRESSES,
            ITEMS,
            PRODUCTS,
            CATEGORIES,
            PAYMENTS,
            SHIPMENTS,
            NOTES,
            AUTHORS,
            COUPONS,
        ])
        .await?;
        let orders =
            self.query(ORDERS_OF_PAGE, &[&ORDERS], |row| Order { id: row.get(0), customer_id: row.get(1) }).await?;
        let keys: Vec<i64> = orders.iter().map(|order| order.id).collect();
        let customer_ids = distinct(&orders, |order| order.customer_id);
        let keys_bound: &[&(dyn ToSql + Sync)] = &[&keys];
        let customers_bound: &[&(dyn ToSql + Sync)] = &[&customer_ids];
        let of_orders = try_join(
            try_join(
                self.query(ITEMS, keys_bound, |row| Item {
                    id: row.get(0),
                    order_id: row.get(1),
                    product_id: row.get(2),
                }),
                self.query(NOTES, keys_bound, |row| Note {
                    id: row.get(0),
                    order_id: row.get(1),
                    author_id: row.get(2),
                }),
            ),
            try_join(
                self.query(PAYMENTS, keys_bound, |row| Payment {
                    id: row.get(0),
                    order_id: row.get(1),
                    cents: row.get(2),
                }),
                self.query(SHIPMENTS, keys_bound, |row| Shipment {
                    id: row.get(0),
                    order_id: row.get(1),
                    code: row.get(2),
                }),
            ),
        );
        // The addresses need the customers' keys, which the orders have.
        let of_customers = try_join(
            self.query(CUSTOMERS, customers_bound, |row| Customer { id: row.get(0), name: row.get(1) }),
            self.query(ADDRESSES, customers_bound, |row| Address {
                id: row.get(0),
                customer_id: row.get(1),
                city: row.get(2),
            }),
        );
        let coupons = self.query(COUPONS, keys_bound, |row| (row.get(0), Coupon { id: row.get(1), code: row.get(2) }));
        let (((items, notes), (payments, shipments)), ((customers, addresses), coupons)) =
            try_join(of_orders, try_join(of_customers, coupons)).await?;
        let (product_ids, author_ids) =
            (distinct(&items, |item| item.product_id), distinct(&notes, |note| note.author_id));
        let (bound_products, bound_authors): (&[&(dyn ToSql + Sync)], &[&(dyn ToSql + Sync)]) =
            (&[&product_ids], &[&author_ids]);
        let (products, authors) = try_join(
            self.query(PRODUCTS, bound_products, |row| Product {
                id: row.get(0),
                name: row.get(1),
                category_id: row.get(2),
            }),
            self.query(AUTHORS, bound_authors, |row| Author { id: row.get(0), name: row.get(1) }),
        )
        .await?;
        let category_ids = distinct(&products, |product| product.category_id);
        let categories =
            self.query(CATEGORIES, &[&category_ids], |row| Category { id: row.get(0), name: row.get(1) }).await?;
        let found = Found {
            orders,
            customers,
            addresses,
            items,
            products,
            categories,
            payments,
            shipments,
            notes,
            authors,
            coupons,
        };
        Ok(found.total())
    }

    async fn tree(&mut self, of: Tree) -> Outcome<u64> {
        let text = whole_tree("$1");
        self.prepare(&[&text]).await?;
        let folder = |row: &Row| Folder { id: row.get(0), parent_id: row.get(1), name: row.get(2) };
        let rows = self.query(&text, &[&of.root], folder).await?;
        Ok(trees::assembled(rows, of.root).as_ref().map_or(0, trees::total))
    }
}
