//! A museum: rows that a default scope, a condition of a source or a type hides from an association.

use assoc_core::{Result, Value};
use assoc_repo::prelude::*;

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "rooms")]
pub struct Room {
    pub id: i64,
    #[column(length = 20)]
    pub name: String,
    #[has_many]
    pub exhibits: HasMany<Exhibit>,
    #[has_many(scope = with_withdrawn)]
    pub all_exhibits: HasMany<Exhibit>,
    #[has_many]
    pub statues: HasMany<Statue>,
    #[has_one]
    pub exhibit: HasOne<Option<Exhibit>>,
    #[has_many]
    pub placards: HasMany<Placard>,
    #[has_many(through = "placards", source = "work")]
    pub works: HasManyThrough<Work>,
    #[has_many(through = "placards", source = "lit_work")]
    pub lit_works: HasManyThrough<Work>,
    #[has_many(through = "placards", source = "sculpture")]
    pub sculptures: HasManyThrough<Sculpture>,
    #[has_and_belongs_to_many]
    pub topics: HasAndBelongsToMany<Topic>,
    #[has_many]
    pub visits: HasMany<Visit>,
}

fn with_withdrawn(exhibits: Scope<Exhibit>) -> Scope<Exhibit> {
    exhibits.unscoped()
}

/// What stands in a room, unless it is withdrawn.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "exhibits", default_scope = shown)]
pub struct Exhibit {
    pub id: i64,
    pub room_id: Option<i64>,
    #[column(length = 20)]
    pub kind: Option<String>,
    #[column(length = 20)]
    pub name: String,
    pub withdrawn: bool,
}

fn shown(exhibits: Scope<Exhibit>) -> Scope<Exhibit> {
    exhibits.filter(Exhibit::WITHDRAWN.eq(false))
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "exhibits", discriminator = "kind", tag = "statue")]
pub struct Statue {
    pub id: i64,
    pub room_id: Option<i64>,
    #[column(length = 20)]
    pub kind: Option<String>,
    #[column(length = 20)]
    pub name: String,
    pub withdrawn: bool,
}

/// That a work is named in a room, unless the placard was taken off.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "placards", default_scope = hanging)]
pub struct Placard {
    pub id: i64,
    pub room_id: i64,
    pub work_id: i64,
    #[column(default = "FALSE")]
    pub taken_off: bool,
    #[belongs_to]
    pub work: BelongsTo<Option<Work>>,
    #[belongs_to(foreign_key = "work_id", scope = lit)]
    pub lit_work: BelongsTo<Option<Work>>,
    #[belongs_to(foreign_key = "work_id")]
    pub sculpture: BelongsTo<Option<Sculpture>>,
}

fn hanging(placards: Scope<Placard>) -> Scope<Placard> {
    placards.filter(Placard::TAKEN_OFF.eq(false))
}

fn lit(works: Scope<Work>) -> Scope<Work> {
    works.filter(Work::LIT.eq(true))
}

/// A work, unless it is lent.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "works", default_scope = here)]
pub struct Work {
    pub id: i64,
    #[column(length = 20)]
    pub kind: Option<String>,
    #[column(length = 20)]
    pub name: String,
    pub lit: bool,
    pub lent: bool,
}

fn here(works: Scope<Work>) -> Scope<Work> {
    works.filter(Work::LENT.eq(false))
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "works", discriminator = "kind", tag = "sculpture")]
pub struct Sculpture {
    pub id: i64,
    #[column(length = 20)]
    pub kind: Option<String>,
    #[column(length = 20)]
    pub name: String,
    pub lit: bool,
    pub lent: bool,
}

/// A topic of rooms, unless it was dropped.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "topics", default_scope = kept)]
pub struct Topic {
    pub id: i64,
    #[column(length = 20)]
    pub name: String,
    pub dropped: bool,
}

fn kept(topics: Scope<Topic>) -> Scope<Topic> {
    topics.filter(Topic::DROPPED.eq(false))
}

/// The last two visits.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "visits", default_scope = last)]
pub struct Visit {
    pub id: i64,
    pub room_id: Option<i64>,
    #[column(length = 20)]
    pub visitor: String,
}

fn last(visits: Scope<Visit>) -> Scope<Visit> {
    visits.order_by(Visit::ID.desc()).limit(2)
}

/// The tables, and three rooms of which each has rows of every kind: shown and hidden.
pub async fn fixture(repo: &Repo) -> Result<()> {
    repo.create_table::<Room>().await?;
    repo.create_table::<Exhibit>().await?;
    repo.create_table::<Placard>().await?;
    repo.create_table::<Work>().await?;
    repo.create_table::<Topic>().await?;
    repo.create_table::<Visit>().await?;
    repo.execute_raw("CREATE TABLE rooms_topics (room_id BIGINT NOT NULL, topic_id BIGINT NOT NULL)", []).await?;
    repo.insert_all(["east", "west", "north"].map(|name| Room::build().set(Room::NAME, name))).await?;
    let work = |name: &str, kind: Option<&str>, lit: bool, lent: bool| {
        let work = Work::build().set(Work::NAME, name).set(Work::KIND, kind.map(str::to_owned));
        work.set(Work::LIT, lit).set(Work::LENT, lent)
    };
    repo.insert_all([
        work("lit", None, true, false),
        work("dim", None, false, false),
        work("lent", None, true, true),
        work("taken off", None, true, false),
        work("sculpture", Some("sculpture"), false, false),
    ])
    .await?;
    let topic = |name: &str, dropped: bool| Topic::build().set(Topic::NAME, name).set(Topic::DROPPED, dropped);
    repo.insert_all([topic("light", false), topic("lead", true)]).await?;
    for room in repo.all(Query::order_by(Room::ID.asc())).await? {
        let exhibit = |name: &str, kind: Option<&str>, withdrawn: bool| {
            let exhibit = Exhibit::build().set(Exhibit::NAME, name).set(Exhibit::KIND, kind.map(str::to_owned));
            exhibit.set(Exhibit::WITHDRAWN, withdrawn).set(Exhibit::ROOM_ID, room.id)
        };
        let statue = Some("statue");
        repo.insert_all([
            exhibit("vase", None, false),
            exhibit("cracked vase", None, true),
            exhibit("statue", statue, false),
            exhibit("cracked statue", statue, true),
        ])
        .await?;
        let placard = |work: i64, taken_off: bool| {
            let placard = Placard::build().set(Placard::WORK_ID, work).set(Placard::ROOM_ID, room.id);
            placard.set(Placard::TAKEN_OFF, taken_off)
        };
        // The first work had another placard before.
        let placards = [(1, false), (1, true), (2, false), (3, false), (4, true), (5, false)];
        repo.insert_all(placards.map(|(work, taken_off)| placard(work, taken_off))).await?;
        for topic in [1, 2] {
            let link = [Value::Int(room.id), Value::Int(topic)];
            repo.execute_raw("INSERT INTO rooms_topics (room_id, topic_id) VALUES (?, ?)", link).await?;
        }
        let visit = |visitor: &str| Visit::build().set(Visit::VISITOR, visitor).set(Visit::ROOM_ID, room.id);
        repo.insert_all(["Ada", "Bob", "Cyd"].map(visit)).await?;
    }
    Ok(())
}
