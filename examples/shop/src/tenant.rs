//! Which rows a request sees.

use assoc_repo::Repo;
use assoc_repo::prelude::*;
use axum::extract::{FromRequestParts, Query as UrlQuery};
use axum::http::request::Parts;
use serde::Deserialize;

use crate::failure::Failure;
use crate::models::{Category, Customer, Note, Order, Product, Shop, Tag};

/// The header that names the shop. A browser names it in the query: `?shop=tea`.
pub const HEADER: &str = "x-shop";

/// The part of the repo that belongs to the shop of a request.
pub struct Tenant {
    /// The shop.
    pub shop: Shop,
    /// The rows of the shop, with deleted products: for orders, which keep what was ordered, and for deleting.
    pub all: Repo,
    /// The same without deleted products: for everything that is offered.
    pub offered: Repo,
}

impl Tenant {
    /// The part of the repo that belongs to a shop.
    #[must_use]
    pub fn of(repo: &Repo, shop: Shop) -> Self {
        let id = shop.id;
        let all = repo.filtered(move |model| {
            if *model == *Product::DEF {
                Some(Product::SHOP_ID.eq(id).into_expr())
            } else if *model == *Category::DEF {
                Some(Category::SHOP_ID.eq(id).into_expr())
            } else if *model == *Tag::DEF {
                Some(Tag::SHOP_ID.eq(id).into_expr())
            } else if *model == *Customer::DEF {
                Some(Customer::SHOP_ID.eq(id).into_expr())
            } else if *model == *Order::DEF {
                Some(Order::SHOP_ID.eq(id).into_expr())
            } else if *model == *Note::DEF {
                Some(Note::SHOP_ID.eq(id).into_expr())
            } else {
                // No handler reads the other models but through these.
                None
            }
        });
        let offered =
            all.filtered(|model| (*model == *Product::DEF).then(|| Product::DELETED_AT.is_null().into_expr()));
        Tenant { shop, all, offered }
    }
}

#[derive(Deserialize)]
struct Named {
    shop: String,
}

impl FromRequestParts<Repo> for Tenant {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, repo: &Repo) -> Result<Self, Failure> {
        let header = parts.headers.get(HEADER).and_then(|value| value.to_str().ok());
        let slug = match header {
            Some(slug) => slug.to_owned(),
            None => UrlQuery::<Named>::try_from_uri(&parts.uri).map_err(|_| Failure::NoShop)?.0.shop,
        };
        let shop = repo.get_by(Shop::SLUG.eq(&slug), Query::new()).await?;
        Ok(Tenant::of(repo, shop.ok_or_else(|| Failure::UnknownShop(slug))?))
    }
}
