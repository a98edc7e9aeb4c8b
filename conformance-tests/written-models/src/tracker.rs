//! A tracker: columns and keys that are enums, and columns of JSON of a type.

use assoc_core::{Json, Result};
use assoc_repo::prelude::*;
use serde::{Deserialize, Serialize};

/// Stored as text.
#[derive(ColumnType, Debug, Clone, Copy, PartialEq, Eq)]
#[column_type(key)]
pub enum Team {
    Core,
    FrontEnd,
    #[column_type(rename = "ops & more")]
    Operations,
}

/// Stored as text.
#[derive(ColumnType, Debug, Clone, Copy, PartialEq, Eq)]
#[column_type(rename_all = "SCREAMING-KEBAB-CASE")]
pub enum State {
    New,
    InWork,
    Done,
}

/// Stored as a number.
#[derive(ColumnType, Debug, Clone, Copy, PartialEq, Eq)]
#[column_type(as = "i16")]
pub enum Priority {
    Low = -10,
    Middle = 0,
    High = 32_767,
}

/// Stored as JSON.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq, Default)]
pub struct Plan {
    pub steps: Vec<String>,
    #[serde(default)]
    pub hours: Option<u32>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "squads", primary_key = "team")]
pub struct Squad {
    #[column(length = 20)]
    pub team: Team,
    pub size: i64,
    #[has_many(foreign_key = "team")]
    pub tasks: HasMany<Task>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "tasks")]
pub struct Task {
    pub id: i64,
    #[column(length = 20, default = "'NEW'")]
    pub state: State,
    pub priority: Option<Priority>,
    pub plan: Option<Json<Plan>>,
    #[column(length = 20)]
    pub team: Option<Team>,
    #[belongs_to(foreign_key = "team")]
    pub squad: BelongsTo<Option<Squad>>,
}

/// The tables.
pub async fn tables(repo: &Repo) -> Result<()> {
    repo.create_table::<Squad>().await?;
    repo.create_table::<Task>().await
}
