//! Page, saves, transactions and trees by hand over mysql_async: one statement after the other, prepared and kept.

use std::sync::Arc;

use mysql_async::prelude::{FromRow, Queryable};
use mysql_async::{Conn, Params, TxOpts, Value};
use tokio::runtime::Runtime;

use crate::Outcome;
use crate::latency::page::{
    Address, Author, Category, Coupon, Customer, Found, Item, Note, ORDERS, Order, Payment, Product, Shipment, distinct,
};
use crate::latency::tables::{Tree, whole_tree};
use crate::latency::trees::{self, Folder};
use crate::latency::{Case, SAVED, Shop};

const INSERT: &str = "INSERT INTO parcels (code, weight) VALUES (?, ?) RETURNING id";
const UPDATE: &str = "UPDATE parcels SET weight = ? WHERE id = ?";

/// One connection, which keeps its statements.
pub(super) struct HandShop {
    conn: Conn,
    runtime: Arc<Runtime>,
    weight: i64,
}

impl HandShop {
    pub(super) fn open(url: &str, runtime: Arc<Runtime>) -> Outcome<HandShop> {
        let options = mysql_async::OptsBuilder::from_opts(mysql_async::Opts::from_url(url)?).stmt_cache_size(256);
        Ok(HandShop { conn: runtime.block_on(Conn::new(options))?, runtime, weight: 0 })
    }
}

impl Shop for HandShop {
    fn does(&self, _: Case) -> bool {
        true
    }

    fn run(&mut self, case: Case) -> Outcome<u64> {
        self.weight += 1;
        let HandShop { conn, runtime, weight } = self;
        runtime.block_on(async {
            match case {
                Case::Page => return page(conn).await,
                Case::Tree(of) => return tree(conn, of).await,
                Case::Inserts => {
                    for weight in 0..SAVED as i64 {
                        conn.exec_first::<i64, _, _>(INSERT, ("new", weight)).await?;
                    }
                }
                Case::Updates => updates(conn, *weight).await?,
                Case::TransactionOfThree => {
                    let mut tx = conn.start_transaction(TxOpts::default()).await?;
                    let read: Option<(i64, String, i64)> =
                        tx.exec_first("SELECT id, code, weight FROM parcels WHERE id = ?", (1,)).await?;
                    tx.exec_drop(UPDATE, (read.map_or(0, |read| read.2) + 1, 1)).await?;
                    tx.exec_first::<i64, _, _>(INSERT, ("new", *weight)).await?;
                    tx.commit().await?;
                }
                Case::TransactionOfTwenty => {
                    let mut tx = conn.start_transaction(TxOpts::default()).await?;
                    updates(&mut tx, *weight).await?;
                    tx.commit().await?;
                }
                Case::InsertAll => {
                    let text = format!(
                        "INSERT INTO parcels (code, weight) VALUES {} RETURNING id",
                        vec!["(?, ?)"; SAVED].join(", ")
                    );
                    let values = (0..SAVED as i64).flat_map(|weight| [Value::from("new"), Value::from(weight)]);
                    conn.exec::<i64, _, _>(text, Params::Positional(values.collect())).await?;
                }
                Case::Usual(_) => {}
            }
            Ok(0)
        })
    }
}

async fn updates(conn: &mut impl Queryable, weight: i64) -> Outcome<()> {
    for id in 1..=SAVED as i64 {
        conn.exec_drop(UPDATE, (weight, id)).await?;
    }
    Ok(())
}

// The rows of some keys.
async fn of<R: FromRow + Send + 'static, T: Send>(
    conn: &mut Conn,
    sql: &str,
    keys: Vec<i64>,
    read: fn(R) -> T,
) -> Outcome<Vec<T>> {
    // A text for each power of two, so that the server's statement is found again.
    let room = keys.len().next_power_of_two();
    let last = keys.last().copied().unwrap_or_default();
    let mut binds: Vec<Value> = keys.into_iter().map(Value::from).collect();
    binds.resize(room, Value::from(last));
    let text = sql.replace("(?)", &format!("({})", vec!["?"; room].join(", ")));
    Ok(conn.exec_map(text, Params::Positional(binds), read).await?)
}

async fn page(conn: &mut Conn) -> Outcome<u64> {
    let first = "SELECT id, customer_id FROM orders ORDER BY id LIMIT ?";
    let order = |(id, customer_id)| Order { id, customer_id };
    let orders: Vec<Order> = conn.exec_map(first, (ORDERS,), order).await?;
    let keys: Vec<i64> = orders.iter().map(|order| order.id).collect();
    let of_order = |columns: &str, table: &str| {
        format!("SELECT {columns} FROM {table} WHERE order_id IN (?) ORDER BY order_id, id")
    };
    let by_id = |columns: &str, table: &str| format!("SELECT {columns} FROM {table} WHERE id IN (?)");
    let customer_ids = distinct(&orders, |order| order.customer_id);
    let customers =
        of(conn, &by_id("id, name", "customers"), customer_ids.clone(), |(id, name)| Customer { id, name }).await?;
    let of_customers = "SELECT id, customer_id, city FROM addresses WHERE customer_id IN (?)";
    let addresses =
        of(conn, of_customers, customer_ids, |(id, customer_id, city)| Address { id, customer_id, city }).await?;
    let item = |(id, order_id, product_id)| Item { id, order_id, product_id };
    let items = of(conn, &of_order("id, order_id, product_id", "items"), keys.clone(), item).await?;
    let product = |(id, name, category_id)| Product { id, name, category_id };
    let product_ids = distinct(&items, |item: &Item| item.product_id);
    let products = of(conn, &by_id("id, name, category_id", "products"), product_ids, product).await?;
    let category_ids = distinct(&products, |product: &Product| product.category_id);
    let categories =
        of(conn, &by_id("id, name", "categories"), category_ids, |(id, name)| Category { id, name }).await?;
    let payment = |(id, order_id, cents)| Payment { id, order_id, cents };
    let payments = of(conn, &of_order("id, order_id, cents", "payments"), keys.clone(), payment).await?;
    let shipment = |(id, order_id, code)| Shipment { id, order_id, code };
    let shipments = of(conn, &of_order("id, order_id, code", "shipments"), keys.clone(), shipment).await?;
    let note = |(id, order_id, author_id)| Note { id, order_id, author_id };
    let notes = of(conn, &of_order("id, order_id, author_id", "notes"), keys.clone(), note).await?;
    let author_ids = distinct(&notes, |note: &Note| note.author_id);
    let authors = of(conn, &by_id("id, name", "authors"), author_ids, |(id, name)| Author { id, name }).await?;
    let linked = "SELECT l.order_id, c.id, c.code FROM coupons_orders l JOIN coupons c ON c.id = l.coupon_id \
                  WHERE l.order_id IN (?) ORDER BY l.order_id, c.id";
    let coupons = of(conn, linked, keys, |(order_id, id, code)| (order_id, Coupon { id, code })).await?;
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

async fn tree(conn: &mut Conn, of: Tree) -> Outcome<u64> {
    let folder = |(id, parent_id, name)| Folder { id, parent_id, name };
    let rows = conn.exec_map(whole_tree("?"), (of.root,), folder).await?;
    Ok(trees::assembled(rows, of.root).as_ref().map_or(0, trees::total))
}
