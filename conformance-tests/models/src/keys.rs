//! Models whose keys are not a single integer, or not the primary key.

use assoc_core::Result;
use assoc_repo::Repo;
use assoc_repo::prelude::*;

/// A composite key of an integer and a text.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "shelves", primary_key = "room, code")]
pub struct Shelf {
    pub room: i64,
    #[column(length = 20)]
    pub code: String,
    pub label: String,
    #[has_many(foreign_key = "room, shelf_code")]
    pub books: HasMany<Book>,
    #[has_one(foreign_key = "room, shelf_code")]
    pub first_book: HasOne<Option<Book>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "books")]
pub struct Book {
    pub id: i64,
    pub room: Option<i64>,
    #[column(length = 20)]
    pub shelf_code: Option<String>,
    pub title: String,
    #[belongs_to(foreign_key = "room, shelf_code")]
    pub shelf: BelongsTo<Option<Shelf>>,
}

/// Its targets have a composite key.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "halls")]
pub struct Hall {
    pub id: i32,
    #[has_one(order = Seat::NAME.desc())]
    pub last_seat: HasOne<Option<Seat>>,
    #[has_many(order = Seat::NAME.asc(), limit = 2)]
    pub first_seats: HasMany<Seat>,
}

/// A composite key of two integers.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "seats", primary_key = "hall_id, number")]
pub struct Seat {
    pub hall_id: i32,
    pub number: u16,
    pub name: String,
    #[has_many(foreign_key = "hall_id, seat_number")]
    pub tickets: HasMany<Ticket>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "tickets")]
pub struct Ticket {
    pub id: i64,
    pub hall_id: i32,
    pub seat_number: Option<u16>,
    #[belongs_to(foreign_key = "hall_id, seat_number")]
    pub seat: BelongsTo<Option<Seat>>,
}

/// A text key.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "countries", primary_key = "code")]
pub struct Country {
    #[column(length = 20)]
    pub code: String,
    pub name: String,
    #[has_many(foreign_key = "country_code")]
    pub cities: HasMany<City>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "cities")]
pub struct City {
    pub id: i64,
    pub name: String,
    #[column(length = 20)]
    pub country_code: Option<String>,
    #[belongs_to(foreign_key = "country_code")]
    pub country: BelongsTo<Option<Country>>,
}

/// A key of bytes.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "objects", primary_key = "hash")]
pub struct Object {
    #[column(length = 32)]
    pub hash: Vec<u8>,
    pub size: u64,
    #[has_many(foreign_key = "object_hash")]
    pub names: HasMany<Name>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "object_names")]
pub struct Name {
    pub id: i64,
    #[column(length = 32)]
    pub object_hash: Vec<u8>,
    pub name: String,
    #[belongs_to(foreign_key = "object_hash")]
    pub object: BelongsTo<Object>,
}

/// A reference to a column that is not the primary key, and a renamed one.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "firms")]
pub struct Firm {
    pub id: i64,
    #[column(name = "firm_name", length = 40)]
    pub name: String,
    #[has_many(foreign_key = "firm_name", primary_key = "name")]
    pub clients: HasMany<Client>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "clients")]
pub struct Client {
    pub id: i64,
    #[column(name = "client_of", length = 40)]
    pub firm_name: Option<String>,
    pub name: String,
    #[belongs_to(foreign_key = "firm_name", primary_key = "name")]
    pub firm: BelongsTo<Option<Firm>>,
}

/// A newtype key.
#[derive(ColumnType, Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[column_type(key)]
pub struct AccountId(pub u32);

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "accounts")]
pub struct Account {
    pub id: AccountId,
    pub owner: String,
    #[has_many]
    pub bookings: HasMany<Booking>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "bookings")]
pub struct Booking {
    pub id: i64,
    pub account_id: AccountId,
    pub amount: i64,
    #[belongs_to]
    pub account: BelongsTo<Account>,
}

/// No primary key at all.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "readings")]
pub struct Reading {
    pub sensor: i64,
    pub level: f64,
}

/// Makes the tables.
pub async fn tables(repo: &Repo) -> Result<()> {
    repo.create_table::<Shelf>().await?;
    repo.create_table::<Book>().await?;
    repo.create_table::<Hall>().await?;
    repo.create_table::<Seat>().await?;
    repo.create_table::<Ticket>().await?;
    repo.create_table::<Country>().await?;
    repo.create_table::<City>().await?;
    repo.create_table::<Object>().await?;
    repo.create_table::<Name>().await?;
    repo.create_table::<Firm>().await?;
    repo.create_table::<Client>().await?;
    repo.create_table::<Account>().await?;
    repo.create_table::<Booking>().await?;
    repo.create_table::<Reading>().await
}
