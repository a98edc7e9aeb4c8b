use assoc_core::{BelongsTo, HasMany};
use assoc_macros::{Model, Polymorphic};

#[derive(Model, Clone)]
struct Parcel {
    id: i64,
    to_number: i64,
    to_type: String,
    room: Option<i64>,
    code: Option<String>,
    spot_type: Option<String>,
    // Of another type than a passport.
    #[belongs_to(polymorphic, foreign_key = "to_number")]
    to: BelongsTo<Recipient>,
    // One column for a key of two.
    #[belongs_to(polymorphic, foreign_key = "code")]
    spot: BelongsTo<Option<Spot>>,
    #[belongs_to(polymorphic, foreign_key = "room, code", foreign_type = "spot_type")]
    place: BelongsTo<Option<Spot>>,
    #[belongs_to(polymorphic, foreign_key = "code, room", foreign_type = "spot_type")]
    turned: BelongsTo<Option<Spot>>,
}

#[derive(Polymorphic, Clone)]
enum Recipient {
    #[polymorphic(primary_key = "passport")]
    Citizen(Citizen),
}

#[derive(Model, Clone)]
struct Citizen {
    id: i64,
    passport: String,
}

#[derive(Polymorphic, Clone)]
enum Spot {
    #[polymorphic(primary_key = "room, code", tag = "locker")]
    Locker(Locker),
}

#[derive(Model, Clone)]
struct Locker {
    id: i64,
    room: i64,
    code: String,
    floor: i64,
    // By another key than `Spot` says.
    #[has_many(
        as = "place",
        primary_key = "floor, code",
        foreign_key = "room, code",
        foreign_type = "spot_type",
        tag = "locker"
    )]
    parcels: HasMany<Parcel>,
    // There is nothing to agree with.
    #[has_many(as = "shelf", primary_key = "floor, code", foreign_key = "room, code", foreign_type = "spot_type")]
    others: HasMany<Parcel>,
}

#[derive(Model, Clone)]
struct Rack {
    id: i64,
    code: Option<String>,
    // Leads to other models.
    #[has_many(as = "spot", primary_key = "code", foreign_key = "code")]
    parcels: HasMany<Parcel>,
}

fn main() {}
