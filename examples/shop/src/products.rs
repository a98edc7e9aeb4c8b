//! Products: listed by pages, searched, shown with what the client wants included, created, reviewed and deleted softly.

use assoc_repo::Include;
use assoc_repo::prelude::*;
use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{Path, Query as UrlQuery};
use axum::http::StatusCode;
use chrono::Utc;
use serde::Deserialize;
use serde_json::{Value as JsonValue, json};

use crate::failure::Answer;
use crate::models::{Product, Review, Stock, Tag};
use crate::tenant::Tenant;

/// What a list can be asked for.
#[derive(Deserialize, Debug, Default)]
pub struct Listing {
    /// A text in the name.
    q: Option<String>,
    /// The name of a tag.
    tag: Option<String>,
    /// A category, with those below it.
    category: Option<i64>,
    /// `name` (the default), `price` or `-price`.
    sort: Option<String>,
    /// The cursor of the page before.
    after: Option<String>,
    /// The cursor of the page after.
    before: Option<String>,
    /// How many products a page has.
    size: Option<u64>,
    /// What comes with each product.
    include: Option<String>,
}

/// What a single product can be asked for.
#[derive(Deserialize, Debug, Default)]
pub struct Including {
    /// What comes with it.
    pub(crate) include: Option<String>,
}

// A client gets each part in this shape: three reviews, never a thousand.
fn includes() -> Result<Include<Product>> {
    let newest_reviews = Product::REVIEWS.order_by(Review::ID.desc()).limit(3);
    Include::of((
        Product::CATEGORY,
        Product::TAGS,
        Product::STOCK,
        newest_reviews.with(Review::CUSTOMER),
        Product::REVIEWS.aggregate_into(Product::RATING, Review::STARS.avg()),
    ))
}

/// `GET /products`
///
/// # Errors
/// A cursor, an include or a parameter that cannot be read: 400.
pub async fn list(tenant: Tenant, asked: Result<UrlQuery<Listing>, QueryRejection>) -> Answer<Json<JsonValue>> {
    let UrlQuery(asked) = asked?;
    let mut query = Query::<Product>::new();
    if let Some(text) = &asked.q {
        query = query.filter(Product::named(text));
    }
    if let Some(tag) = asked.tag {
        query = query.filter(Product::TAGS.any(Tag::NAME.eq(tag)));
    }
    if let Some(category) = asked.category {
        query = query.filter(Product::below(category));
    }
    query = match asked.sort.as_deref() {
        Some("price") => query.order_by(Product::PRICE.asc()),
        Some("-price") => query.order_by(Product::PRICE.desc()),
        _ => query.order_by(Product::NAME.asc()),
    };
    if let Some(include) = &asked.include {
        query = query.preload(includes()?.parse(include)?);
    }
    let size = asked.size.unwrap_or(20).clamp(1, 100);
    let page = match (asked.after, asked.before) {
        (Some(cursor), _) => Page::after(cursor, size),
        (None, Some(cursor)) => Page::before(cursor, size),
        (None, None) => Page::first(size),
    };
    let page = tenant.offered.page(query, page).await?;
    Ok(Json(json!({
        "next": page.next().map(|cursor| cursor.to_string()),
        "previous": page.previous().map(|cursor| cursor.to_string()),
        "products": page.rows,
    })))
}

/// `GET /products/{id}`
///
/// # Errors
/// No such product: 404. An include that is not allowed: 400.
pub async fn show(
    tenant: Tenant,
    id: Result<Path<i64>, PathRejection>,
    asked: Result<UrlQuery<Including>, QueryRejection>,
) -> Answer<Json<Product>> {
    let UrlQuery(asked) = asked?;
    let mut query = Query::new();
    if let Some(include) = &asked.include {
        query = query.preload(includes()?.parse(include)?);
    }
    Ok(Json(tenant.offered.get_or_fail::<Product>(id?.0, query).await?))
}

/// `POST /products`: with the stock in the same document.
///
/// # Errors
/// What the rules refuse: 422. A number that another product has: 409.
pub async fn create(
    tenant: Tenant,
    input: Result<Json<JsonValue>, JsonRejection>,
) -> Answer<(StatusCode, Json<Product>)> {
    let permit = permit!(Product { sku, name, price, status, category_id, stock: permit!(Stock { quantity }) });
    let draft = Product::cast(&input?.0, &permit).set(Product::SHOP_ID, tenant.shop.id);
    Ok((StatusCode::CREATED, Json(tenant.offered.insert(draft).await?)))
}

/// `POST /products/{id}/reviews`
///
/// # Errors
/// No such product: 404. What the rules refuse: 422.
pub async fn review(
    tenant: Tenant,
    id: Result<Path<i64>, PathRejection>,
    input: Result<Json<JsonValue>, JsonRejection>,
) -> Answer<(StatusCode, Json<Review>)> {
    let product = tenant.offered.get_or_fail::<Product>(id?.0, Query::new()).await?;
    let review = Review::cast(&input?.0, &permit!(Review { customer_id, stars, body }));
    let review = tenant.offered.insert(review.associate(Review::PRODUCT, &product)).await?;
    Ok((StatusCode::CREATED, Json(review)))
}

/// `DELETE /products/{id}`: the row stays, because orders refer to it.
///
/// # Errors
/// No such product, or one that was deleted before: 404.
pub async fn remove(tenant: Tenant, id: Result<Path<i64>, PathRejection>) -> Answer<StatusCode> {
    let product = tenant.offered.get_or_fail::<Product>(id?.0, Query::new()).await?;
    // By the repo that sees deleted products: the other one refuses to write what it would not see afterwards.
    tenant.all.update(product.change().set(Product::DELETED_AT, Utc::now())).await?;
    Ok(StatusCode::NO_CONTENT)
}
