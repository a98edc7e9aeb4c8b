//! Orders: created with their lines in one document, and checked out.

use std::collections::HashMap;

use assoc_repo::prelude::*;
use assoc_repo::{RetryPolicy, TransactionOptions};
use axum::Json;
use axum::extract::Path;
use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use rust_decimal::Decimal;
use serde_json::Value as JsonValue;

use crate::failure::{Answer, Failure};
use crate::models::{Customer, Note, Order, OrderLine, OrderStatus, Product, Status, Stock, Subject};
use crate::pages;
use crate::tenant::Tenant;

/// What an order is shown with.
pub fn whole_order() -> Select<Order> {
    let products = OrderLine::PRODUCT.with((Product::CATEGORY, Product::TAGS));
    Query::preload((Order::CUSTOMER.with(Customer::ADDRESS), Order::LINES.with(products), Order::NOTES))
}

/// `GET /orders/{id}` as JSON, and `GET /orders/{id}.html` as a page.
///
/// # Errors
/// No such order: 404.
pub async fn show(tenant: Tenant, name: Result<Path<String>, PathRejection>) -> Answer<Response> {
    let Path(name) = name?;
    let number =
        |text: &str| text.parse().map_err(|_| Failure::Malformed(format!("`{name}` is no number of an order")));
    match name.strip_suffix(".html") {
        Some(id) => Ok(pages::order(&tenant, number(id)?).await?.into_response()),
        None => Ok(Json(tenant.all.get_or_fail::<Order>(number(&name)?, whole_order()).await?).into_response()),
    }
}

/// `POST /orders`: an order with its lines.
///
/// # Errors
/// What the rules refuse, and a product or customer that does not exist: 422. Nothing is written then.
pub async fn create(
    tenant: Tenant,
    input: Result<Json<JsonValue>, JsonRejection>,
) -> Answer<(StatusCode, Json<Order>)> {
    let permit = permit!(Order { customer_id, lines: permit!(OrderLine { product_id, quantity }).limit(50) });
    let draft = Order::cast(&input?.0, &permit).set(Order::SHOP_ID, tenant.shop.id);
    Ok((StatusCode::CREATED, Json(tenant.offered.insert(draft).await?)))
}

/// `POST /orders/{id}/checkout`
///
/// # Errors
/// No such order: 404. An order that is placed already, a product that is not sold any more, or too little in stock: 409, and
/// nothing has changed.
pub async fn check_out(tenant: Tenant, id: Result<Path<i64>, PathRejection>) -> Answer<Json<Order>> {
    let Path(id) = id?;
    let options = TransactionOptions::new().retry(RetryPolicy::new(5));
    Ok(Json(tenant.all.transaction_with(options, async |tx| place(tx, id).await).await?))
}

// The goods of an order, at today's prices. The order is locked first, so that it is not placed twice; then the stock, by key, so
// that two orders of the same products wait for each other and do not deadlock.
async fn place(tx: &Repo, id: i64) -> Answer<Order> {
    let mut order = tx.get_or_fail::<Order>(id, Query::new().for_update()).await?;
    if order.status == OrderStatus::Placed {
        return Err(Failure::AlreadyPlaced(id));
    }
    tx.preload(&mut order, Order::LINES.with(OrderLine::PRODUCT)).await?;
    let lines = order.lines()?;
    let products = lines.iter().map(|line| line.product_id);
    let wanted = Query::filter(Stock::PRODUCT_ID.is_in(products)).order_by(Stock::PRODUCT_ID.asc());
    let stocks = tx.all(wanted.for_update()).await?;
    let stocks: HashMap<i64, Stock> = stocks.into_iter().map(|stock| (stock.product_id, stock)).collect();
    let mut total = Decimal::ZERO;
    let mut change = order.change();
    for line in lines {
        let product = line.product()?;
        if product.status == Status::Discontinued || product.deleted_at.is_some() {
            return Err(Failure::NotSold(product.name.clone()));
        }
        let stock = stocks.get(&line.product_id);
        let left = stock.map_or(0, |stock| stock.quantity);
        let Some(stock) = stock.filter(|stock| stock.quantity >= line.quantity) else {
            return Err(Failure::SoldOut { product: product.name.clone(), left });
        };
        tx.update(stock.change().set(Stock::QUANTITY, left - line.quantity)).await?;
        change = change.edit(Order::LINES, line.change().set(OrderLine::PRICE, product.price));
        total += product.price * Decimal::from(line.quantity);
    }
    Ok(tx.update(change.set(Order::STATUS, OrderStatus::Placed).set(Order::TOTAL, total)).await?)
}

/// `GET /notes`: the newest remarks, each with what it is about.
///
/// # Errors
/// None but those of the database.
pub async fn notes(tenant: Tenant) -> Answer<Json<Vec<JsonValue>>> {
    let newest = Query::preload(Note::SUBJECT).order_by(Note::ID.desc()).limit(20);
    let mut shown = Vec::new();
    for note in tenant.all.all(newest).await? {
        // What it is about may be gone.
        let about = match note.subject()? {
            Some(Subject::Customer(customer)) => format!("customer {}", customer.name),
            Some(Subject::Order(order)) => format!("order {}", order.id),
            Some(Subject::Product(product)) => format!("product {}", product.name),
            None => continue,
        };
        shown.push(serde_json::json!({ "about": about, "body": note.body }));
    }
    Ok(Json(shown))
}
