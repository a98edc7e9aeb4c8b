//! Pirates with ships, birds, parrots and oaths: members that have rules, and rows between that refuse to go.

use assoc_core::Result;
use assoc_repo::Repo;
use assoc_repo::prelude::*;
use assoc_repo::{CallbackContext, Callbacks, Change, callbacks};

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "pirates")]
pub struct Pirate {
    pub id: i64,
    pub name: String,
    #[column(counter_cache)]
    pub birds_count: i64,
    #[column(counter_cache)]
    pub oaths_count: Option<i64>,
    #[has_one]
    pub ship: HasOne<Option<Ship>>,
    // The same ship, and nothing asks whether it is right.
    #[has_one(foreign_key = "pirate_id", validate = false)]
    pub any_ship: HasOne<Option<Ship>>,
    #[has_many(dependent = "delete")]
    pub birds: HasMany<Bird>,
    #[has_many(foreign_key = "pirate_id", validate = false)]
    pub any_birds: HasMany<Bird>,
    #[has_many]
    pub oaths: HasMany<Oath>,
    #[has_many(through = "oaths", source = "crew", dependent = "destroy")]
    pub crews: HasManyThrough<Crew>,
    #[has_and_belongs_to_many(join_table = "parrots_pirates")]
    pub parrots: HasAndBelongsToMany<Parrot>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "ships", rules = Self::rules)]
pub struct Ship {
    pub id: i64,
    pub pirate_id: Option<i64>,
    pub name: String,
    pub masts: i64,
}

impl Ship {
    fn rules(rules: Rules<Ship>) -> Rules<Ship> {
        rules.length(Ship::NAME, 1..)
    }
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "birds", rules = Self::rules)]
pub struct Bird {
    pub id: i64,
    pub pirate_id: Option<i64>,
    pub name: String,
    #[belongs_to(counter_cache)]
    pub pirate: BelongsTo<Option<Pirate>>,
}

impl Bird {
    fn rules(rules: Rules<Bird>) -> Rules<Bird> {
        rules.length(Bird::NAME, 1..)
    }
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "parrots")]
pub struct Parrot {
    pub id: i64,
    #[column(length = 40)]
    pub name: String,
    #[has_and_belongs_to_many(join_table = "parrots_pirates")]
    pub pirates: HasAndBelongsToMany<Pirate>,
}

/// One that was sworn in blood stays.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "oaths", callbacks)]
pub struct Oath {
    pub id: i64,
    pub pirate_id: i64,
    pub crew_id: i64,
    pub in_blood: bool,
    #[belongs_to(counter_cache)]
    pub pirate: BelongsTo<Pirate>,
    #[belongs_to(counter_cache)]
    pub crew: BelongsTo<Crew>,
}

#[callbacks]
impl Callbacks for Oath {
    // An oath that names no crew is sworn to the first one.
    async fn before_validate(oath: &mut Change<Self>, cx: &CallbackContext<'_>) -> Result<()> {
        if oath.get(Oath::CREW_ID)?.is_none()
            && let Some(crew) = cx.repo().one(Query::<Crew>::order_by(Crew::ID.asc()).limit(1)).await?
        {
            oath.set(Oath::CREW_ID, crew.id);
        }
        Ok(())
    }

    async fn before_destroy(oath: &Self, _: &CallbackContext<'_>) -> Result<()> {
        if oath.in_blood { Err(Error::other("it was sworn in blood")) } else { Ok(()) }
    }
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "crews")]
pub struct Crew {
    pub id: i64,
    pub name: String,
    #[column(counter_cache)]
    pub oaths_count: i64,
}

/// Makes the tables; the join table refers to both sides by foreign keys.
pub async fn tables(repo: &Repo) -> Result<()> {
    repo.create_table::<Pirate>().await?;
    repo.create_table::<Ship>().await?;
    repo.create_table::<Bird>().await?;
    repo.create_table::<Parrot>().await?;
    repo.create_table::<Oath>().await?;
    repo.create_table::<Crew>().await?;
    repo.execute_raw(
        "CREATE TABLE parrots_pirates (parrot_id BIGINT NOT NULL, pirate_id BIGINT NOT NULL, FOREIGN KEY (parrot_id) \
         REFERENCES parrots (id), FOREIGN KEY (pirate_id) REFERENCES pirates (id))",
        [],
    )
    .await
    .map(drop)
}
