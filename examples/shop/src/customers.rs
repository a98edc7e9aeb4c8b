//! Customers, with what the client wants included.

use assoc_repo::Include;
use assoc_repo::prelude::*;
use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query as UrlQuery};

use crate::failure::Answer;
use crate::models::{Customer, Order, OrderLine};
use crate::products::Including;
use crate::tenant::Tenant;

fn includes() -> Result<Include<Customer>> {
    let lines = Order::LINES.with(OrderLine::PRODUCT);
    Include::of((Customer::ADDRESS, Customer::ORDERS.limit(10).with(lines), Customer::PRODUCTS, Customer::NOTES))
}

/// `GET /customers/{id}`
///
/// # Errors
/// No such customer: 404. An include that is not allowed: 400.
pub async fn show(
    tenant: Tenant,
    id: Result<Path<i64>, PathRejection>,
    asked: Result<UrlQuery<Including>, QueryRejection>,
) -> Answer<Json<Customer>> {
    let UrlQuery(asked) = asked?;
    let mut query = Query::new();
    if let Some(include) = &asked.include {
        query = query.preload(includes()?.parse(include)?);
    }
    // What was ordered stays visible after it was deleted.
    Ok(Json(tenant.all.get_or_fail::<Customer>(id?.0, query).await?))
}
