//! Pages for people: what is loaded, by which plan, with how many statements.

use assoc_repo::prelude::*;
use axum::extract::State;
use axum::response::{Html, IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};

use crate::failure::{Answer, Failure};
use crate::models::{Order, Product, Shop};
use crate::orders::whole_order;
use crate::tenant::Tenant;

const STYLE: &str = "
    body { font-family: sans-serif; margin: 2em }
    td, th { padding: 0.2em 1em; text-align: left }
    pre { background: #eee; padding: 1em; white-space: pre-wrap }";

/// `GET /`: the shops; with `?shop=tea`, the first products and the newest orders of that shop.
///
/// # Errors
/// No such shop: 404.
pub async fn front(State(repo): State<Repo>, tenant: Result<Tenant, Failure>) -> Answer<Response> {
    let tenant = match tenant {
        Err(Failure::NoShop) => return shops(&repo).await,
        tenant => tenant?,
    };
    let products =
        Query::preload((Product::CATEGORY, Product::TAGS, Product::STOCK)).order_by(Product::NAME.asc()).limit(20);
    let orders = Query::preload(Order::CUSTOMER).order_by(Order::ID.desc()).limit(10);
    let plans = [products.explain(&tenant.offered)?, orders.explain(&tenant.all)?];
    let load = async { Ok::<_, Error>((tenant.offered.all(products).await?, tenant.all.all(orders).await?)) };
    let (loaded, statements) = tenant.all.count_statements(load).await;
    let (products, orders) = loaded?;
    let body = html! {
        table #products {
            tr { th { "Product" } th { "Category" } th { "Tags" } th { "Price" } th { "In stock" } }
            @for product in &products {
                tr {
                    td { a href={ "/products/" (product.id) "?shop=" (tenant.shop.slug) } { (product.name) } }
                    td { @if let Some(category) = product.category()? { (category.name) } }
                    td { @for tag in product.tags()? { (tag.name) " " } }
                    td { (product.price) }
                    td { @if let Some(stock) = product.stock()? { (stock.quantity) } }
                }
            }
        }
        h2 { "Orders" }
        ul #orders {
            @for order in &orders {
                li {
                    a href={ "/orders/" (order.id) ".html?shop=" (tenant.shop.slug) } { "Order " (order.id) }
                    " of " (order.customer()?.name)
                }
            }
        }
    };
    Ok(page(&tenant.shop.name, &body, &plans, statements).into_response())
}

async fn shops(repo: &Repo) -> Answer<Response> {
    let query = Query::<Shop>::order_by(Shop::NAME.asc());
    let plan = query.explain(repo)?;
    let (shops, statements) = repo.count_statements(repo.all(query)).await;
    let list = html! {
        ul { @for shop in &shops? { li { a href={ "/?shop=" (shop.slug) } { (shop.name) } } } }
    };
    Ok(page("Shops", &list, &[plan], statements).into_response())
}

/// The page of an order.
///
/// # Errors
/// No such order: 404.
pub async fn order(tenant: &Tenant, id: i64) -> Answer<Html<String>> {
    let query = whole_order();
    let plan = query.explain(&tenant.all)?;
    let (order, statements) = tenant.all.count_statements(tenant.all.get_or_fail::<Order>(id, query)).await;
    let order = order?;
    let customer = order.customer()?;
    let body = html! {
        p #customer { (customer.name) @if let Some(address) = customer.address()? { ", " (address.street) ", " (address.city) } }
        table #lines {
            tr { th { "Product" } th { "Category" } th { "Tags" } th { "Quantity" } th { "Price" } }
            @for line in order.lines()? {
                @let product = line.product()?;
                tr {
                    td { (product.name) @if product.deleted_at.is_some() { " (no longer sold)" } }
                    td { @if let Some(category) = product.category()? { (category.name) } }
                    td { @for tag in product.tags()? { (tag.name) " " } }
                    td { (line.quantity) }
                    td { (line.price.unwrap_or(product.price)) }
                }
            }
        }
        @if let Some(total) = order.total { p #total { "Total: " (total) } }
        ul #notes { @for note in order.notes()? { li { (note.body) } } }
    };
    Ok(page(&format!("Order {id}"), &body, &[plan], statements))
}

fn page(title: &str, body: &Markup, plans: &[String], statements: usize) -> Html<String> {
    let whole = html! {
        (DOCTYPE)
        html lang="en" {
            head { meta charset="utf-8"; title { (title) } style { (STYLE) } }
            body {
                h1 { (title) }
                (body)
                h2 { "How it was loaded" }
                p #statements { (statements) @if statements == 1 { " statement" } @else { " statements" } }
                @for plan in plans { pre.plan { (plan) } }
            }
        }
    };
    Html(whole.into_string())
}
