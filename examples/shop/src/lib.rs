//! A shop: a web application on axum that stores its data through `assoc`.
//!
//! | file | contains |
//! |---|---|
//! | [`models`] | the tables as structs, with their associations and rules |
//! | [`database`] | a repo by URL, and the migrations |
//! | [`tenant`] | which rows a request sees: those of its shop, without deleted products |
//! | [`failure`] | errors as answers |
//! | [`products`], [`orders`], [`customers`], [`categories`] | the handlers that answer with JSON |
//! | [`pages`] | the handlers that answer with HTML, and show the plan of what they load |
//! | [`seed`] | rows to look at |
//!
//! `cargo run --example shop` starts it. The README beside it has requests to try.

use assoc_repo::Repo;
use axum::Router;
use axum::routing::{get, post};

pub mod categories;
pub mod customers;
pub mod database;
pub mod failure;
pub mod models;
pub mod orders;
pub mod pages;
pub mod products;
pub mod seed;
pub mod tenant;

/// The routes. Every handler works with its tenant's part of the repo.
pub fn router(repo: Repo) -> Router {
    Router::new()
        .route("/", get(pages::front))
        .route("/products", get(products::list).post(products::create))
        .route("/products/{id}", get(products::show).delete(products::remove))
        .route("/products/{id}/reviews", post(products::review))
        .route("/categories", get(categories::tree))
        .route("/customers/{id}", get(customers::show))
        .route("/orders", post(orders::create))
        .route("/orders/{id}", get(orders::show))
        .route("/orders/{id}/checkout", post(orders::check_out))
        .route("/notes", get(orders::notes))
        .with_state(repo)
}
