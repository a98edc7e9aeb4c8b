//! Parcels to people, who are known by their passports and not by their ids, and to firms; and the places where they lie.

use assoc_core::Result;
use assoc_repo::Repo;
use assoc_repo::prelude::*;

#[derive(Polymorphic, Debug, Clone, PartialEq)]
pub enum Recipient {
    #[polymorphic(primary_key = "passport")]
    Citizen(Citizen),
    #[polymorphic(tag = "firm")]
    Firm(Firm),
}

#[derive(Polymorphic, Debug, Clone, PartialEq)]
pub enum Spot {
    #[polymorphic(primary_key = "room, code", tag = "locker")]
    Locker(Locker),
    Rack(Rack),
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "parcels")]
pub struct Parcel {
    pub id: i64,
    pub courier_id: i64,
    #[column(length = 20)]
    pub to_number: Option<String>,
    #[column(length = 20)]
    pub to_kind: Option<String>,
    pub room: Option<i64>,
    #[column(length = 20)]
    pub code: Option<String>,
    #[column(length = 20)]
    pub spot_type: Option<String>,
    #[belongs_to(polymorphic, foreign_key = "to_number", foreign_type = "to_kind")]
    pub to: BelongsTo<Option<Recipient>>,
    #[belongs_to(polymorphic, foreign_key = "room, code")]
    pub spot: BelongsTo<Option<Spot>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "citizens")]
pub struct Citizen {
    pub id: i64,
    #[column(length = 20)]
    pub passport: String,
    pub name: String,
    #[has_many(
        as = "to",
        primary_key = "passport",
        foreign_key = "to_number",
        foreign_type = "to_kind",
        inverse_of = "to"
    )]
    pub parcels: HasMany<Parcel>,
    #[has_one(
        as = "to",
        primary_key = "passport",
        foreign_key = "to_number",
        foreign_type = "to_kind",
        order = Parcel::ID.desc()
    )]
    pub last_parcel: HasOne<Option<Parcel>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "firms", primary_key = "registration")]
pub struct Firm {
    #[column(length = 20)]
    pub registration: String,
    pub name: String,
    #[has_many(as = "to", foreign_key = "to_number", foreign_type = "to_kind", tag = "firm", inverse_of = "to")]
    pub parcels: HasMany<Parcel>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "couriers")]
pub struct Courier {
    pub id: i64,
    #[has_many]
    pub parcels: HasMany<Parcel>,
    #[has_many(through = "parcels", source = "to", source_type = "Citizen")]
    pub citizens: HasManyThrough<Citizen>,
    #[has_many(through = "parcels", source = "spot", source_type = "locker", distinct)]
    pub lockers: HasManyThrough<Locker>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "lockers")]
pub struct Locker {
    pub id: i64,
    pub room: i64,
    #[column(length = 20)]
    pub code: String,
    #[has_many(
        as = "spot",
        primary_key = "room, code",
        foreign_key = "room, code",
        foreign_type = "spot_type",
        tag = "locker"
    )]
    pub parcels: HasMany<Parcel>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "racks", primary_key = "room, code")]
pub struct Rack {
    pub room: i64,
    #[column(length = 20)]
    pub code: String,
    pub height: i64,
}

/// Has a number to go by, while notes go by its passport.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "strangers")]
pub struct Stranger {
    pub id: i64,
    #[column(length = 20)]
    pub passport: String,
    #[column(length = 20)]
    pub number: String,
    #[has_many(as = "addressee", primary_key = "number", foreign_key = "to_number", foreign_type = "to_kind")]
    pub notes: HasMany<Note>,
}

/// Notes to them. The association has another name than `as` says, so the compiler cannot compare the keys.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "notes")]
pub struct Note {
    pub id: i64,
    #[column(length = 20)]
    pub to_number: Option<String>,
    #[column(length = 20)]
    pub to_kind: Option<String>,
    #[belongs_to(polymorphic, foreign_key = "to_number", foreign_type = "to_kind")]
    pub stranger: BelongsTo<Option<Reader>>,
}

#[derive(Polymorphic, Debug, Clone, PartialEq)]
pub enum Reader {
    #[polymorphic(primary_key = "passport")]
    Stranger(Stranger),
}

/// Makes the tables and fills them.
pub async fn fixture(repo: &Repo) -> Result<()> {
    repo.create_table::<Parcel>().await?;
    repo.create_table::<Citizen>().await?;
    repo.create_table::<Firm>().await?;
    repo.create_table::<Courier>().await?;
    repo.create_table::<Locker>().await?;
    repo.create_table::<Rack>().await?;
    let citizen = |passport, name| Citizen::build().set(Citizen::PASSPORT, passport).set(Citizen::NAME, name);
    // Nothing keeps two from having one passport.
    repo.insert_all([citizen("P1", "Ann"), citizen("P2", "Bob"), citizen("P2", "Ben"), citizen("P4", "Cem")]).await?;
    // Of the same number as a person.
    let firm = |number, name| Firm::build().set(Firm::REGISTRATION, number).set(Firm::NAME, name);
    repo.insert_all([firm("P1", "Acme"), firm("F1", "Fine")]).await?;
    repo.insert_all([Courier::build(), Courier::build(), Courier::build()]).await?;
    let locker = |room, code| Locker::build().set(Locker::ROOM, room).set(Locker::CODE, code);
    repo.insert_all([locker(1, "a"), locker(1, "b"), locker(2, "a")]).await?;
    let rack = |room, code| Rack::build().set(Rack::ROOM, room).set(Rack::CODE, code).set(Rack::HEIGHT, 3);
    repo.insert_all([rack(1, "a"), rack(3, "c")]).await?;
    let parcel = |courier: i64, to: Option<(&str, &str)>, spot: Option<(i64, &str, &str)>| {
        Parcel::build()
            .set(Parcel::COURIER_ID, courier)
            .set(Parcel::TO_NUMBER, to.map(|(number, _)| number.to_owned()))
            .set(Parcel::TO_KIND, to.map(|(_, kind)| kind.to_owned()))
            .set(Parcel::ROOM, spot.map(|(room, _, _)| room))
            .set(Parcel::CODE, spot.map(|(_, code, _)| code.to_owned()))
            .set(Parcel::SPOT_TYPE, spot.map(|(_, _, kind)| kind.to_owned()))
    };
    repo.insert_all([
        parcel(1, Some(("P1", "Citizen")), Some((1, "a", "locker"))),
        parcel(1, Some(("P2", "Citizen")), Some((1, "a", "Rack"))),
        parcel(1, Some(("P1", "firm")), Some((2, "a", "locker"))),
        parcel(2, None, None),
        parcel(2, Some(("Z9", "Citizen")), Some((9, "a", "locker"))),
        // An id, and no passport.
        parcel(2, Some(("1", "Citizen")), Some((3, "c", "Rack"))),
        parcel(2, Some(("F1", "firm")), Some((1, "a", "locker"))),
        parcel(2, Some(("P1", "Citizen")), None),
    ])
    .await?;
    Ok(())
}
