//! The tree of categories.

use assoc_repo::prelude::*;
use axum::Json;

use crate::failure::Answer;
use crate::models::Category;
use crate::tenant::Tenant;

/// Deeper levels are not shown.
const LEVELS: usize = 8;

/// `GET /categories`: the whole tree. SQLite reads it by one statement for each level, the servers by two statements.
///
/// # Errors
/// None but those of the database.
pub async fn tree(tenant: Tenant) -> Answer<Json<Vec<Category>>> {
    let roots = Query::filter(Category::PARENT_ID.is_null())
        .order_by(Category::NAME.asc())
        .preload(Category::CHILDREN.recursive(LEVELS));
    Ok(Json(tenant.offered.all(roots).await?))
}
