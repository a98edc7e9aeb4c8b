//! Rows that are touched with the row they belong to: `touch` of a `has_one`.

use assoc_core::Result;
use assoc_repo::Repo;
use assoc_repo::prelude::*;

type Time = chrono::NaiveDateTime;

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "keepers")]
pub struct Keeper {
    pub id: i64,
    pub name: String,
    #[column(updated_at)]
    pub updated_at: Time,
    #[has_one(touch = "seen_at", dependent = "nullify")]
    pub badge: HasOne<Badge>,
    #[has_one(touch, dependent = "destroy")]
    pub locker: HasOne<Locker>,
    #[has_one(touch, as = "subject")]
    pub photo: HasOne<Photo>,
}

/// It touches its keeper, who touches it.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "badges")]
pub struct Badge {
    pub id: i64,
    pub keeper_id: Option<i64>,
    pub text: String,
    pub seen_at: Option<Time>,
    #[column(updated_at)]
    pub updated_at: Time,
    #[belongs_to(touch)]
    pub keeper: BelongsTo<Option<Keeper>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "lockers")]
pub struct Locker {
    pub id: i64,
    pub keeper_id: i64,
    #[column(updated_at)]
    pub updated_at: Time,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "albums")]
pub struct Album {
    pub id: i64,
    pub title: String,
    #[has_one(touch, as = "subject")]
    pub photo: HasOne<Photo>,
}

#[derive(Polymorphic, Debug, Clone, PartialEq)]
pub enum Subject {
    Keeper(Keeper),
    Album(Album),
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "photos")]
pub struct Photo {
    pub id: i64,
    pub subject_id: Option<i64>,
    #[column(length = 40)]
    pub subject_type: Option<String>,
    #[column(updated_at)]
    pub updated_at: Time,
    #[belongs_to(polymorphic)]
    pub subject: BelongsTo<Option<Subject>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "desks", primary_key = "tenant_id, number")]
pub struct Desk {
    pub tenant_id: i64,
    pub number: i32,
    pub text: String,
    #[has_one(touch, foreign_key = "tenant_id, desk_number", dependent = "nullify", filter = Lamp::LIT.eq(true))]
    pub lamp: HasOne<Lamp>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "lamps")]
pub struct Lamp {
    pub id: i64,
    pub tenant_id: i64,
    pub desk_number: Option<i32>,
    pub lit: bool,
    #[column(updated_at)]
    pub updated_at: Time,
}

/// Each stands behind another.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "wagons")]
pub struct Wagon {
    pub id: i64,
    pub after_id: Option<i64>,
    pub load: String,
    #[column(updated_at)]
    pub updated_at: Time,
    #[has_one(touch, foreign_key = "after_id")]
    pub next: HasOne<Wagon>,
}

pub async fn tables(repo: &Repo) -> Result<()> {
    repo.create_table::<Keeper>().await?;
    repo.create_table::<Badge>().await?;
    repo.create_table::<Locker>().await?;
    repo.create_table::<Album>().await?;
    repo.create_table::<Photo>().await?;
    repo.create_table::<Desk>().await?;
    repo.create_table::<Lamp>().await?;
    repo.create_table::<Wagon>().await
}
