//! Models whose keys are not a single integer, or not the primary key.

use assoc_core::Result;
use assoc_repo::Repo;
use assoc_repo::prelude::*;

/// A composite key of an integer and a text.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "shelves", primary_key = "room, code")]
pub(crate) struct Shelf {
    pub(crate) room: i64,
    #[column(length = 20)]
    pub(crate) code: String,
    pub(crate) label: String,
    #[has_many(foreign_key = "room, shelf_code")]
    pub(crate) books: HasMany<Book>,
    #[has_one(foreign_key = "room, shelf_code")]
    pub(crate) first_book: HasOne<Option<Book>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "books")]
pub(crate) struct Book {
    pub(crate) id: i64,
    pub(crate) room: Option<i64>,
    #[column(length = 20)]
    pub(crate) shelf_code: Option<String>,
    pub(crate) title: String,
    #[belongs_to(foreign_key = "room, shelf_code")]
    pub(crate) shelf: BelongsTo<Option<Shelf>>,
}

/// Its targets have a composite key.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "halls")]
pub(crate) struct Hall {
    pub(crate) id: i32,
    #[has_one(order = Seat::NAME.desc())]
    pub(crate) last_seat: HasOne<Option<Seat>>,
    #[has_many(order = Seat::NAME.asc(), limit = 2)]
    pub(crate) first_seats: HasMany<Seat>,
}

/// A composite key of two integers.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "seats", primary_key = "hall_id, number")]
pub(crate) struct Seat {
    pub(crate) hall_id: i32,
    pub(crate) number: u16,
    pub(crate) name: String,
    #[has_many(foreign_key = "hall_id, seat_number")]
    pub(crate) tickets: HasMany<Ticket>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "tickets")]
pub(crate) struct Ticket {
    pub(crate) id: i64,
    pub(crate) hall_id: i32,
    pub(crate) seat_number: Option<u16>,
    #[belongs_to(foreign_key = "hall_id, seat_number")]
    pub(crate) seat: BelongsTo<Option<Seat>>,
}

/// A text key.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "countries", primary_key = "code")]
pub(crate) struct Country {
    #[column(length = 20)]
    pub(crate) code: String,
    pub(crate) name: String,
    #[has_many(foreign_key = "country_code")]
    pub(crate) cities: HasMany<City>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "cities")]
pub(crate) struct City {
    pub(crate) id: i64,
    pub(crate) name: String,
    #[column(length = 20)]
    pub(crate) country_code: Option<String>,
    #[belongs_to(foreign_key = "country_code")]
    pub(crate) country: BelongsTo<Option<Country>>,
}

/// A key of bytes.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "objects", primary_key = "hash")]
pub(crate) struct Object {
    #[column(length = 32)]
    pub(crate) hash: Vec<u8>,
    pub(crate) size: u64,
    #[has_many(foreign_key = "object_hash")]
    pub(crate) names: HasMany<Name>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "object_names")]
pub(crate) struct Name {
    pub(crate) id: i64,
    #[column(length = 32)]
    pub(crate) object_hash: Vec<u8>,
    pub(crate) name: String,
    #[belongs_to(foreign_key = "object_hash")]
    pub(crate) object: BelongsTo<Object>,
}

/// A reference to a column that is not the primary key, and a renamed one.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "firms")]
pub(crate) struct Firm {
    pub(crate) id: i64,
    #[column(name = "firm_name", length = 40)]
    pub(crate) name: String,
    #[has_many(foreign_key = "firm_name", primary_key = "name")]
    pub(crate) clients: HasMany<Client>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "clients")]
pub(crate) struct Client {
    pub(crate) id: i64,
    #[column(name = "client_of", length = 40)]
    pub(crate) firm_name: Option<String>,
    pub(crate) name: String,
    #[belongs_to(foreign_key = "firm_name", primary_key = "name")]
    pub(crate) firm: BelongsTo<Option<Firm>>,
}

/// A newtype key.
#[derive(ColumnType, Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[column_type(key)]
pub(crate) struct AccountId(pub(crate) u32);

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "accounts")]
pub(crate) struct Account {
    pub(crate) id: AccountId,
    pub(crate) owner: String,
    #[has_many]
    pub(crate) bookings: HasMany<Booking>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "bookings")]
pub(crate) struct Booking {
    pub(crate) id: i64,
    pub(crate) account_id: AccountId,
    pub(crate) amount: i64,
    #[belongs_to]
    pub(crate) account: BelongsTo<Account>,
}

/// No primary key at all.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "readings")]
pub(crate) struct Reading {
    pub(crate) sensor: i64,
    pub(crate) level: f64,
}

/// Makes the tables.
pub(crate) async fn tables(repo: &Repo) -> Result<()> {
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
