//! Errors as answers. Nothing of SQL, and no name of a table, reaches a client.

use assoc_repo::FieldError;
use assoc_repo::prelude::*;
use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value as JsonValue, json};

/// Why a request was not answered as asked.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The request names no shop.
    #[error("name a shop by the header `x-shop`, or by `?shop=`")]
    NoShop,
    /// There is no shop of that name.
    #[error("there is no shop `{0}`")]
    UnknownShop(String),
    /// The request cannot be read.
    #[error("{0}")]
    Malformed(String),
    /// An order was to be checked out again.
    #[error("order {0} is placed already")]
    AlreadyPlaced(i64),
    /// There is less of a product than an order wants.
    #[error("there are only {left} of {product}")]
    SoldOut {
        /// The product's name.
        product: String,
        /// How many there are.
        left: i32,
    },
    /// A product of an order is not sold any more.
    #[error("{0} is not sold any more")]
    NotSold(String),
    /// What the library says.
    #[error(transparent)]
    Library(#[from] Error),
}

/// The answer of a handler.
pub type Answer<T> = Result<T, Failure>;

impl Failure {
    /// The status, and what a client may read.
    #[must_use]
    pub fn told(&self) -> (StatusCode, String) {
        let status = match self {
            Failure::NoShop | Failure::Malformed(_) => StatusCode::BAD_REQUEST,
            Failure::UnknownShop(_) => StatusCode::NOT_FOUND,
            Failure::AlreadyPlaced(_) | Failure::NotSold(_) | Failure::SoldOut { .. } => StatusCode::CONFLICT,
            Failure::Library(error) => return told_of(error),
        };
        (status, self.to_string())
    }
}

fn told_of(error: &Error) -> (StatusCode, String) {
    let own_words = || error.to_string();
    match error.kind() {
        ErrorKind::NotFound { .. } | ErrorKind::NotMember { .. } => (StatusCode::NOT_FOUND, own_words()),
        ErrorKind::InvalidInclude(_) | ErrorKind::InvalidCursor { .. } => (StatusCode::BAD_REQUEST, own_words()),
        // A rule about a unique index or a foreign key has already made `Invalid` of what the database said.
        ErrorKind::Invalid { .. } if error.is_unique_violation() => (StatusCode::CONFLICT, own_words()),
        ErrorKind::Invalid { .. } => (StatusCode::UNPROCESSABLE_ENTITY, own_words()),
        ErrorKind::Stale { .. } | ErrorKind::Restricted(_) => (StatusCode::CONFLICT, own_words()),
        ErrorKind::OutsideFilter { .. } | ErrorKind::ParentMissing { .. } => {
            (StatusCode::UNPROCESSABLE_ENTITY, "it refers to a row that does not exist".to_owned())
        }
        _ if error.is_unique_violation() => (StatusCode::CONFLICT, "it is there already".to_owned()),
        _ if error.is_foreign_key_violation() => {
            (StatusCode::UNPROCESSABLE_ENTITY, "it refers to a row that does not exist".to_owned())
        }
        _ if error.is_retryable() => (StatusCode::SERVICE_UNAVAILABLE, "try again".to_owned()),
        _ => (StatusCode::INTERNAL_SERVER_ERROR, "the shop has a problem".to_owned()),
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let (status, message) = self.told();
        let mut body = json!({ "error": message });
        if let Failure::Library(error) = &self {
            if status.is_server_error() {
                tracing::error!(%error, "a request failed");
            } else if !error.field_errors().is_empty() {
                body["fields"] = error.field_errors().iter().map(problem).collect();
            }
        }
        (status, Json(body)).into_response()
    }
}

fn problem(field: &FieldError) -> JsonValue {
    json!({ "path": field.path, "code": field.code, "message": field.message })
}

// Accessors return the error by itself.
impl From<AssociationNotLoaded> for Failure {
    fn from(error: AssociationNotLoaded) -> Self {
        Failure::Library(error.into())
    }
}

impl From<JsonRejection> for Failure {
    fn from(rejection: JsonRejection) -> Self {
        Failure::Malformed(rejection.body_text())
    }
}

impl From<QueryRejection> for Failure {
    fn from(rejection: QueryRejection) -> Self {
        Failure::Malformed(rejection.body_text())
    }
}

impl From<PathRejection> for Failure {
    fn from(rejection: PathRejection) -> Self {
        Failure::Malformed(rejection.body_text())
    }
}
