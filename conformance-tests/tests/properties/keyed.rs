//! Models whose keys are not a single integer: composite keys, text without regard to case, bytes, newtypes.

use assoc_repo::prelude::*;

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "shelves", primary_key = "room, code")]
pub(crate) struct Shelf {
    pub(crate) room: i64,
    pub(crate) code: String,
    pub(crate) title: String,
    #[has_many(foreign_key = "room, shelf_code")]
    pub(crate) books: HasMany<Book>,
    #[has_many(foreign_key = "room, shelf_code", order = Book::TITLE.desc(), limit = 2)]
    pub(crate) last_books: HasMany<Book>,
    #[has_one(foreign_key = "room, shelf_code", order = Book::TITLE.asc())]
    pub(crate) first_book: HasOne<Option<Book>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "books")]
pub(crate) struct Book {
    pub(crate) id: i64,
    pub(crate) room: Option<i64>,
    pub(crate) shelf_code: Option<String>,
    pub(crate) title: String,
    #[belongs_to(foreign_key = "room, shelf_code")]
    pub(crate) shelf: BelongsTo<Option<Shelf>>,
    #[has_many(through = "shelf", source = "books")]
    pub(crate) neighbours: HasManyThrough<Book>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "halls")]
pub(crate) struct Hall {
    pub(crate) id: i32,
    pub(crate) name: String,
    #[has_many]
    pub(crate) seats: HasMany<Seat>,
    #[has_one(order = Seat::NAME.desc())]
    pub(crate) last_seat: HasOne<Option<Seat>>,
    #[has_many(order = Seat::NAME.asc(), limit = 2)]
    pub(crate) first_seats: HasMany<Seat>,
    // Brings its hall, which brings its seats again, which end there.
    #[has_many(include = Seat::HALL_AGAIN)]
    pub(crate) seats_again: HasMany<Seat>,
    #[has_many(through = "seats")]
    pub(crate) tickets: HasManyThrough<Ticket>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "seats", primary_key = "hall_id, number")]
pub(crate) struct Seat {
    pub(crate) hall_id: i32,
    pub(crate) number: u16,
    pub(crate) name: String,
    #[belongs_to]
    pub(crate) hall: BelongsTo<Hall>,
    #[belongs_to(foreign_key = "hall_id", include = (Hall::SEATS_AGAIN, Hall::TICKETS))]
    pub(crate) hall_again: BelongsTo<Hall>,
    #[has_many(foreign_key = "hall_id, seat_number")]
    pub(crate) tickets: HasMany<Ticket>,
    #[has_many(foreign_key = "hall_id, seat_number", offset = 1)]
    pub(crate) further_tickets: HasMany<Ticket>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "tickets")]
pub(crate) struct Ticket {
    pub(crate) id: i64,
    pub(crate) hall_id: i32,
    pub(crate) seat_number: Option<u16>,
    #[belongs_to(foreign_key = "hall_id, seat_number")]
    pub(crate) seat: BelongsTo<Option<Seat>>,
    #[has_one(through = "seat")]
    pub(crate) hall: HasOne<Option<Hall>>,
}

/// Its key ignores case; the table is not made from the model.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "countries", primary_key = "code")]
pub(crate) struct Country {
    pub(crate) code: String,
    pub(crate) name: String,
    #[has_many(foreign_key = "country_code")]
    pub(crate) cities: HasMany<City>,
    #[has_many(foreign_key = "country_code", order = City::NAME.desc(), limit = 2)]
    pub(crate) last_cities: HasMany<City>,
    #[has_many(through = "cities")]
    pub(crate) streets: HasManyThrough<Street>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "cities")]
pub(crate) struct City {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) country_code: Option<String>,
    #[belongs_to(foreign_key = "country_code")]
    pub(crate) country: BelongsTo<Option<Country>>,
    #[has_many]
    pub(crate) streets: HasMany<Street>,
    #[has_many(through = "country", source = "cities", order = City::NAME.asc())]
    pub(crate) neighbours: HasManyThrough<City>,
    #[has_one(through = "country", source = "cities", order = City::NAME.desc())]
    pub(crate) last_neighbour: HasOne<Option<City>>,
    #[has_many(through = "neighbours", source = "streets", limit = 2)]
    pub(crate) near_streets: HasManyThrough<Street>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "streets")]
pub(crate) struct Street {
    pub(crate) id: i64,
    pub(crate) city_id: Option<i64>,
    pub(crate) name: String,
    #[belongs_to]
    pub(crate) city: BelongsTo<Option<City>>,
    #[has_one(through = "city")]
    pub(crate) country: HasOne<Option<Country>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "objects", primary_key = "hash")]
pub(crate) struct Object {
    pub(crate) hash: Vec<u8>,
    pub(crate) rank: Option<i64>,
    #[has_many(foreign_key = "object_hash")]
    pub(crate) names: HasMany<ObjectName>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "object_names")]
pub(crate) struct ObjectName {
    pub(crate) id: i64,
    pub(crate) object_hash: Option<Vec<u8>>,
    pub(crate) name: String,
    #[belongs_to(foreign_key = "object_hash")]
    pub(crate) object: BelongsTo<Option<Object>>,
}

#[derive(ColumnType, Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[column_type(key)]
pub(crate) struct AccountId(pub(crate) i64);

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "accounts")]
pub(crate) struct Account {
    pub(crate) id: AccountId,
    pub(crate) name: String,
    #[has_many]
    pub(crate) bookings: HasMany<Booking>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "bookings", default_scope = largest)]
pub(crate) struct Booking {
    pub(crate) id: i64,
    pub(crate) account_id: Option<AccountId>,
    pub(crate) level: i64,
    #[belongs_to]
    pub(crate) account: BelongsTo<Option<Account>>,
}

fn largest(bookings: Scope<Booking>) -> Scope<Booking> {
    bookings.order_by(Booking::LEVEL.desc()).limit(2)
}
