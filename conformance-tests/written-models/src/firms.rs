//! Firms and persons: owners whose key may be `NULL`, limits, and a target behind a row between.

use assoc_core::Result;
use assoc_repo::Repo;
use assoc_repo::prelude::*;

/// Its code is the key of its members, and may be missing.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "firms")]
pub struct Firm {
    pub id: i64,
    #[column(length = 20)]
    pub code: Option<String>,
    #[has_many(foreign_key = "firm_code", primary_key = "code")]
    pub clients: HasMany<Client>,
    #[has_many(foreign_key = "firm_code", primary_key = "code", order = Client::NAME.asc(), limit = 2)]
    pub first_clients: HasMany<Client>,
    #[has_one(foreign_key = "firm_code", primary_key = "code")]
    pub seal: HasOne<Option<Seal>>,
}

/// Names are unique.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "clients")]
pub struct Client {
    pub id: i64,
    #[column(length = 20)]
    pub firm_code: Option<String>,
    #[column(length = 20)]
    pub name: String,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "seals")]
pub struct Seal {
    pub id: i64,
    #[column(length = 20)]
    pub firm_code: Option<String>,
    pub wax: String,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "persons")]
pub struct Person {
    pub id: i64,
    pub name: String,
    #[has_one]
    pub seat: HasOne<Option<Seat>>,
    #[has_one(through = "seat")]
    pub club: HasOne<Option<Club>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "seats")]
pub struct Seat {
    pub id: i64,
    pub person_id: i64,
    pub club_id: i64,
    #[belongs_to]
    pub club: BelongsTo<Club>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "clubs")]
pub struct Club {
    pub id: i64,
    pub name: String,
}

/// Makes the tables.
pub async fn tables(repo: &Repo) -> Result<()> {
    repo.create_table::<Firm>().await?;
    repo.create_table::<Client>().await?;
    repo.create_table::<Seal>().await?;
    repo.create_table::<Person>().await?;
    repo.create_table::<Seat>().await?;
    repo.create_table::<Club>().await?;
    repo.execute_raw("CREATE UNIQUE INDEX one_name ON clients (name)", []).await?;
    Ok(())
}
