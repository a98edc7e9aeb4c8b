//! Choirs whose singers sit in rows between that have rules.

use assoc_core::Result;
use assoc_repo::prelude::*;
use assoc_repo::{CallbackContext, Callbacks, Change, FieldError, callbacks};

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "choirs")]
pub struct Choir {
    pub id: i64,
    #[column(length = 20)]
    pub name: String,
    #[has_many]
    pub seats: HasMany<Seat>,
    #[has_many(through = "seats", source = "singer")]
    pub singers: HasManyThrough<Singer>,
    // The rules of the rows between do not run.
    #[has_many(through = "seats", source = "singer", validate = false)]
    pub guests: HasManyThrough<Singer>,
    // What the condition says violates a rule.
    #[has_many(scope = that_shout)]
    pub loud_seats: HasMany<Seat>,
    #[has_many(through = "loud_seats", source = "singer")]
    pub loud_singers: HasManyThrough<Singer>,
    #[has_many]
    pub prompted_seats: HasMany<PromptedSeat>,
    #[has_many(through = "prompted_seats", source = "singer")]
    pub prompted_singers: HasManyThrough<Singer>,
    #[has_one]
    pub front_seat: HasOne<Option<Seat>>,
    #[has_one(through = "front_seat", source = "singer")]
    pub soloist: HasOne<Option<Singer>>,
}

fn that_shout(seats: Scope<Seat>) -> Scope<Seat> {
    seats.filter(Seat::PART.eq("shouts"))
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "singers")]
pub struct Singer {
    pub id: i64,
    #[column(length = 20)]
    pub name: String,
}

/// A row between, which the second singer may not have.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "seats", rules = Self::rules)]
pub struct Seat {
    pub id: i64,
    pub choir_id: i64,
    pub singer_id: i64,
    #[column(length = 20)]
    pub part: Option<String>,
    #[belongs_to]
    pub singer: BelongsTo<Singer>,
}

impl Seat {
    fn rules(rules: Rules<Seat>) -> Rules<Seat> {
        rules.inclusion(Seat::PART, ["alto", "bass"]).row(Seat::SINGER_ID, |seat| {
            let is_banned = seat.get(Seat::SINGER_ID) == Some(2);
            is_banned.then(|| FieldError::new("singer", "has been banned").with_code("banned"))
        })
    }
}

/// The same row, whose callback says the part: the third singer shouts, and the fourth is in no list.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "seats", callbacks, rules = Self::rules)]
pub struct PromptedSeat {
    pub id: i64,
    pub choir_id: i64,
    pub singer_id: i64,
    #[column(length = 20)]
    pub part: Option<String>,
    #[belongs_to]
    pub singer: BelongsTo<Singer>,
}

impl PromptedSeat {
    fn rules(rules: Rules<PromptedSeat>) -> Rules<PromptedSeat> {
        rules.required(PromptedSeat::PART).exclusion(PromptedSeat::PART, ["shouts"])
    }
}

#[callbacks]
impl Callbacks for PromptedSeat {
    async fn before_validate(seat: &mut Change<Self>, _: &CallbackContext<'_>) -> Result<()> {
        let part = match seat.get(PromptedSeat::SINGER_ID)? {
            Some(3) => Some("shouts"),
            Some(4) => None,
            _ => Some("alto"),
        };
        seat.set(PromptedSeat::PART, part.map(str::to_owned));
        Ok(())
    }
}

/// The tables, a choir, and four singers of whom none is in it.
pub async fn fixture(repo: &Repo) -> Result<Choir> {
    repo.create_table::<Choir>().await?;
    repo.create_table::<Singer>().await?;
    repo.create_table::<Seat>().await?;
    repo.insert_all(["Ada", "Ben", "Cy", "Di"].map(|name| Singer::build().set(Singer::NAME, name))).await?;
    repo.insert(Choir::build().set(Choir::NAME, "North")).await
}
