//! Rows that are touched with the row they belong to: `touch` of a `has_one`.

use assoc_core::Result;
use assoc_repo::Repo;
use assoc_repo::prelude::*;

type Time = chrono::NaiveDateTime;

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "keepers")]
pub(crate) struct Keeper {
    pub(crate) id: i64,
    pub(crate) name: String,
    #[column(updated_at)]
    pub(crate) updated_at: Time,
    #[has_one(touch = "seen_at", dependent = "nullify")]
    pub(crate) badge: HasOne<Badge>,
    #[has_one(touch, dependent = "destroy")]
    pub(crate) locker: HasOne<Locker>,
    #[has_one(touch, as = "subject")]
    pub(crate) photo: HasOne<Photo>,
}

/// It touches its keeper, who touches it.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "badges")]
pub(crate) struct Badge {
    pub(crate) id: i64,
    pub(crate) keeper_id: Option<i64>,
    pub(crate) text: String,
    pub(crate) seen_at: Option<Time>,
    #[column(updated_at)]
    pub(crate) updated_at: Time,
    #[belongs_to(touch)]
    pub(crate) keeper: BelongsTo<Option<Keeper>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "lockers")]
pub(crate) struct Locker {
    pub(crate) id: i64,
    pub(crate) keeper_id: i64,
    #[column(updated_at)]
    pub(crate) updated_at: Time,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "albums")]
pub(crate) struct Album {
    pub(crate) id: i64,
    pub(crate) title: String,
    #[has_one(touch, as = "subject")]
    pub(crate) photo: HasOne<Photo>,
}

#[derive(Polymorphic, Debug, Clone, PartialEq)]
pub(crate) enum Subject {
    Keeper(Keeper),
    Album(Album),
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "photos")]
pub(crate) struct Photo {
    pub(crate) id: i64,
    pub(crate) subject_id: Option<i64>,
    #[column(length = 40)]
    pub(crate) subject_type: Option<String>,
    #[column(updated_at)]
    pub(crate) updated_at: Time,
    #[belongs_to(polymorphic)]
    pub(crate) subject: BelongsTo<Option<Subject>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "desks", primary_key = "tenant_id, number")]
pub(crate) struct Desk {
    pub(crate) tenant_id: i64,
    pub(crate) number: i32,
    pub(crate) text: String,
    #[has_one(touch, foreign_key = "tenant_id, desk_number", dependent = "nullify", filter = Lamp::LIT.eq(true))]
    pub(crate) lamp: HasOne<Lamp>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "lamps")]
pub(crate) struct Lamp {
    pub(crate) id: i64,
    pub(crate) tenant_id: i64,
    pub(crate) desk_number: Option<i32>,
    pub(crate) lit: bool,
    #[column(updated_at)]
    pub(crate) updated_at: Time,
}

/// Each stands behind another.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "wagons")]
pub(crate) struct Wagon {
    pub(crate) id: i64,
    pub(crate) after_id: Option<i64>,
    pub(crate) load: String,
    #[column(updated_at)]
    pub(crate) updated_at: Time,
    #[has_one(touch, foreign_key = "after_id")]
    pub(crate) next: HasOne<Wagon>,
}

pub(crate) async fn tables(repo: &Repo) -> Result<()> {
    repo.create_table::<Keeper>().await?;
    repo.create_table::<Badge>().await?;
    repo.create_table::<Locker>().await?;
    repo.create_table::<Album>().await?;
    repo.create_table::<Photo>().await?;
    repo.create_table::<Desk>().await?;
    repo.create_table::<Lamp>().await?;
    repo.create_table::<Wagon>().await
}
