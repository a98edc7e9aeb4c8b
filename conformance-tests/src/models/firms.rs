//! Firms and persons: owners whose key may be `NULL`, limits, and a target behind a row between.

use assoc_core::Result;
use assoc_repo::Repo;
use assoc_repo::prelude::*;

/// Its code is the key of its members, and may be missing.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "firms")]
pub(crate) struct Firm {
    pub(crate) id: i64,
    #[column(length = 20)]
    pub(crate) code: Option<String>,
    #[has_many(foreign_key = "firm_code", primary_key = "code")]
    pub(crate) clients: HasMany<Client>,
    #[has_many(foreign_key = "firm_code", primary_key = "code", order = Client::NAME.asc(), limit = 2)]
    pub(crate) first_clients: HasMany<Client>,
    #[has_one(foreign_key = "firm_code", primary_key = "code")]
    pub(crate) seal: HasOne<Option<Seal>>,
}

/// Names are unique.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "clients")]
pub(crate) struct Client {
    pub(crate) id: i64,
    #[column(length = 20)]
    pub(crate) firm_code: Option<String>,
    #[column(length = 20)]
    pub(crate) name: String,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "seals")]
pub(crate) struct Seal {
    pub(crate) id: i64,
    #[column(length = 20)]
    pub(crate) firm_code: Option<String>,
    pub(crate) wax: String,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "persons")]
pub(crate) struct Person {
    pub(crate) id: i64,
    pub(crate) name: String,
    #[has_one]
    pub(crate) seat: HasOne<Option<Seat>>,
    #[has_one(through = "seat")]
    pub(crate) club: HasOne<Option<Club>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "seats")]
pub(crate) struct Seat {
    pub(crate) id: i64,
    pub(crate) person_id: i64,
    pub(crate) club_id: i64,
    #[belongs_to]
    pub(crate) club: BelongsTo<Club>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "clubs")]
pub(crate) struct Club {
    pub(crate) id: i64,
    pub(crate) name: String,
}

/// Makes the tables.
pub(crate) async fn tables(repo: &Repo) -> Result<()> {
    repo.create_table::<Firm>().await?;
    repo.create_table::<Client>().await?;
    repo.create_table::<Seal>().await?;
    repo.create_table::<Person>().await?;
    repo.create_table::<Seat>().await?;
    repo.create_table::<Club>().await?;
    repo.execute_raw("CREATE UNIQUE INDEX one_name ON clients (name)", []).await?;
    Ok(())
}
