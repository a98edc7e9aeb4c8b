//! Random trees that are written as JSON and read back: they hold what they held, preloads complete them to what those of the rows
//! give, and handles and saves of them do what those of a struct do that has loaded nothing.
//!
//! `ASSOC_PROPERTY_SEED` begins elsewhere, `ASSOC_PROPERTY_CASES` sets the number of trees.

#![cfg(feature = "serde")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use assoc_repo::Changeset;
use assoc_repo::prelude::*;
use assoc_sqlite::Sqlite;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

#[derive(Model, Debug, Clone, PartialEq)]
#[model(serde)]
struct Team {
    id: i64,
    name: String,
    #[column(counter_cache)]
    people_count: i64,
    #[has_many(dependent = "nullify")]
    people: HasMany<Person>,
    #[has_many(through = "people", source = "tags")]
    tags: HasManyThrough<Tag>,
    #[has_many(as = "about", dependent = "delete")]
    notes: HasMany<Note>,
    people_number: Aggregated<i64>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(serde)]
struct Person {
    id: i64,
    team_id: Option<i64>,
    boss_id: Option<i64>,
    name: String,
    #[belongs_to(counter_cache = "people_count")]
    team: BelongsTo<Option<Team>>,
    #[belongs_to]
    boss: BelongsTo<Option<Person>>,
    #[has_many(foreign_key = "boss_id")]
    staff: HasMany<Person>,
    #[has_one(dependent = "destroy")]
    badge: HasOne<Option<Badge>>,
    #[has_and_belongs_to_many(join_table = "people_tags")]
    tags: HasAndBelongsToMany<Tag>,
    #[has_many(as = "about", dependent = "delete")]
    notes: HasMany<Note>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(serde)]
struct Badge {
    id: i64,
    person_id: Option<i64>,
    code: String,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(serde)]
struct Tag {
    id: i64,
    word: String,
    #[has_and_belongs_to_many(join_table = "people_tags")]
    people: HasAndBelongsToMany<Person>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "people_tags")]
struct Link {
    person_id: i64,
    tag_id: i64,
}

#[derive(Polymorphic, Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(clippy::large_enum_variant)]
enum About {
    Person(Person),
    Team(Team),
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(serde)]
struct Note {
    id: i64,
    about_id: Option<i64>,
    about_type: Option<String>,
    body: String,
    #[belongs_to(polymorphic)]
    about: BelongsTo<Option<About>>,
}

/// splitmix64.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % end.max(1) as u64) as usize
    }

    fn id(&mut self, of: usize) -> Option<i64> {
        (self.below(4) > 0).then(|| 1 + self.below(of) as i64)
    }
}

const TEAMS: usize = 3;
const PEOPLE: usize = 7;
const TAGS: usize = 4;

async fn fill(repo: &Repo, random: &mut Random) -> Result<()> {
    repo.create_table::<Team>().await?;
    repo.create_table::<Person>().await?;
    repo.create_table::<Badge>().await?;
    repo.create_table::<Tag>().await?;
    repo.create_table::<Note>().await?;
    repo.create_table::<Link>().await?;
    repo.insert_all((0..TEAMS).map(|n| Team::build().set(Team::NAME, format!("t{n}")))).await?;
    repo.insert_all((0..TAGS).map(|n| Tag::build().set(Tag::WORD, format!("w{n}")))).await?;
    for n in 0..PEOPLE {
        let person = Person::build().set(Person::TEAM_ID, random.id(TEAMS)).set(Person::NAME, format!("p{n}"));
        let person = repo.insert(person.set(Person::BOSS_ID, random.id(n).filter(|_| n > 0))).await?;
        if random.below(2) == 0 {
            repo.insert(Badge::build().set(Badge::PERSON_ID, person.id).set(Badge::CODE, format!("b{n}"))).await?;
        }
        for tag in 1..=TAGS as i64 {
            if random.below(3) == 0 {
                repo.insert_all([Link::build().set(Link::PERSON_ID, person.id).set(Link::TAG_ID, tag)]).await?;
            }
        }
    }
    for n in 0..8 {
        let (kind, id) = if random.below(2) == 0 { ("Person", PEOPLE) } else { ("Team", TEAMS) };
        let note = Note::build().set(Note::ABOUT_ID, 1 + random.below(id) as i64).set(Note::ABOUT_TYPE, kind);
        repo.insert(note.set(Note::BODY, format!("n{n}"))).await?;
    }
    Ok(())
}

fn again<M: Serialize + DeserializeOwned>(row: &M) -> M {
    serde_json::from_str(&serde_json::to_string(row).unwrap()).unwrap()
}

fn json<M: Serialize>(row: &M) -> serde_json::Value {
    serde_json::to_value(row).unwrap()
}

// Some of what a team has, perhaps a part of it.
fn some(random: &mut Random) -> Select<Team> {
    let mut query = Query::order_by(Team::ID.asc());
    if random.below(2) == 0 {
        query = match random.below(5) {
            0 => query.preload(Team::PEOPLE),
            1 => query.preload(Team::PEOPLE.limit(1)),
            2 => query.preload(Team::PEOPLE.filter(Person::ID.gt(3)).with((Person::BADGE, Person::TAGS))),
            3 => query.preload(Team::PEOPLE.with((Person::BOSS.with(Person::TEAM), Person::STAFF, Person::NOTES))),
            _ => query.preload(Team::PEOPLE.with(Person::TAGS.with(Tag::PEOPLE))),
        };
    }
    if random.below(2) == 0 {
        query = query.preload(Team::TAGS);
    }
    if random.below(2) == 0 {
        query = query.preload(Team::NOTES.with(Note::ABOUT));
    }
    if random.below(3) == 0 {
        query = query.preload(Team::PEOPLE.count_into(Team::PEOPLE_NUMBER));
    }
    query
}

async fn complete(repo: &Repo, teams: &mut Vec<Team>) -> Result<()> {
    let people = Team::PEOPLE.with((Person::BADGE, Person::TAGS, Person::STAFF, Person::NOTES, Person::BOSS));
    repo.preload(teams, (people, Team::TAGS, Team::NOTES)).await
}

async fn dump(repo: &Repo) -> Result<Vec<String>> {
    let mut rows = Vec::new();
    rows.extend(repo.all(Query::<Team>::new()).await?.iter().map(|row| format!("{row:?}")));
    rows.extend(repo.all(Query::<Person>::new()).await?.iter().map(|row| format!("{row:?}")));
    rows.extend(repo.all(Query::<Badge>::new()).await?.iter().map(|row| format!("{row:?}")));
    rows.extend(repo.all(Query::<Tag>::new()).await?.iter().map(|row| format!("{row:?}")));
    rows.extend(repo.all(Query::<Note>::new()).await?.iter().map(|row| format!("{row:?}")));
    rows.extend(repo.all(Query::<Link>::new()).await?.iter().map(|row| format!("{row:?}")));
    rows.sort();
    Ok(rows)
}

// The answers of handles of a team, as text.
async fn said(repo: &Repo, team: &mut Team) -> Result<String> {
    let (mut size, mut ids) = (Vec::new(), Vec::new());
    let mut people = repo.association(&mut *team, Team::PEOPLE);
    size.push(people.size().await?);
    size.push(people.len().await? as u64);
    size.push(people.count().await?);
    size.push(u64::from(people.is_empty().await?));
    size.push(u64::from(people.many().await?));
    let mut found = people.ids().await?;
    found.sort_unstable();
    ids.push(found);
    let first = people.first().await?.map(|person| person.name);
    let last = people.last().await?.map(|person| person.name);
    let second = repo.get_or_fail::<Person>(2, Query::new()).await?;
    let contains = people.contains(&second).await?;
    let mut found = repo.association(&mut *team, Team::TAGS).ids().await?;
    found.sort_unstable();
    ids.push(found);
    let notes = repo.association(&mut *team, Team::NOTES).count().await?;
    Ok(format!("{size:?} {ids:?} {first:?} {last:?} {contains} {notes}"))
}

// One write, of a team that has loaded whatever it has.
async fn write(repo: &Repo, team: &mut Team, what: usize, other: i64) -> Result<()> {
    let person = repo.get_or_fail::<Person>(other, Query::new()).await?;
    let new = |name: &str| Person::build().set(Person::NAME, name);
    match what {
        0 => *team = repo.update(team.change().set(Team::NAME, "renamed").push(Team::PEOPLE, new("new"))).await?,
        1 => repo.association(team, Team::PEOPLE).push(&person).await?,
        2 => repo.association(team, Team::PEOPLE).replace([person.change(), new("new")]).await?,
        3 => repo.association(team, Team::PEOPLE).clear().await?,
        4 => *team = repo.update(team.change().replace(Team::PEOPLE, [&person])).await?,
        5 => {
            repo.association(team, Team::PEOPLE).set_ids([other]).await?;
        }
        6 => {
            repo.destroy(&*team).await?;
        }
        7 => {
            let change: Changeset<Team> = team.change().set(Team::PEOPLE_COUNT, team.people_count);
            *team = repo.update(change.clear(Team::NOTES)).await?;
        }
        8 => {
            repo.association(team, Team::PEOPLE).create(new("made")).await?;
        }
        _ => {
            repo.association(team, Team::NOTES).destroy_all().await?;
        }
    }
    Ok(())
}

async fn one(seed: u64) -> std::result::Result<(), String> {
    let random = &mut Random(seed);
    let said_of = |error: Error| error.to_string();
    let repo = Repo::new(Sqlite::memory().map_err(said_of)?);
    fill(&repo, random).await.map_err(said_of)?;
    for _ in 0..4 {
        let mut rows = repo.all(some(random)).await.map_err(said_of)?;
        let mut read = again(&rows);
        if json(&read) != json(&rows) {
            return Err(format!("written as {}\nread as {}", json(&rows), json(&read)));
        }
        if again(&read) != read {
            return Err("a second time".to_owned());
        }
        // A struct that was read from JSON has handles that answer as those of one from the database.
        for at in 0..rows.len() {
            let mut bare = repo.get_or_fail::<Team>(rows[at].id, Query::new()).await.map_err(said_of)?;
            let expected = said(&repo, &mut bare).await.map_err(said_of)?;
            let found = said(&repo, &mut again(&read[at])).await.map_err(said_of)?;
            if found != expected {
                return Err(format!("handles of {}: {found}, not {expected}", json(&read[at])));
            }
        }
        let (at, what, other) = (random.below(rows.len()), random.below(10), 1 + random.below(PEOPLE) as i64);
        let bare = repo.get_or_fail::<Team>(rows[at].id, Query::new()).await.map_err(said_of)?;
        let mut ended = Vec::new();
        for mut team in [bare, again(&read[at]), rows[at].clone()] {
            let undone = repo.transaction(async |tx| {
                let result = write(tx, &mut team, what, other).await;
                let done = result.map_err(|error| error.to_string());
                let tables = dump(tx).await?;
                let mut teams = vec![team];
                // Of a team that is gone nothing is loaded.
                let shown = if what == 6 {
                    String::new()
                } else {
                    tx.reload(&mut teams, (Team::PEOPLE.with(Person::TAGS), Team::TAGS, Team::NOTES)).await?;
                    let stored = tx.get_or_fail::<Team>(teams[0].id, Query::new()).await?;
                    let counted = (&teams[0].name, teams[0].people_count) == (&stored.name, stored.people_count);
                    format!("{counted} {:?}", teams[0].people()?.iter().map(|person| person.id).collect::<Vec<_>>())
                };
                ended.push((done, tables, shown));
                Err::<(), _>(Error::other("undone"))
            });
            let undone = undone.await.unwrap_err().to_string();
            if undone != "undone" {
                return Err(format!("write {what}: {undone}"));
            }
        }
        for other in &ended[1..] {
            if *other != ended[0] {
                return Err(format!("write {what} of {}: {other:#?}\nnot {:#?}", json(&read[at]), ended[0]));
            }
        }
        // What is missing is loaded, of both.
        complete(&repo, &mut rows).await.map_err(said_of)?;
        complete(&repo, &mut read).await.map_err(said_of)?;
        let fresh = &mut repo.all(Query::<Team>::order_by(Team::ID.asc())).await.map_err(said_of)?;
        complete(&repo, fresh).await.map_err(said_of)?;
        for ((row, read), fresh) in rows.iter().zip(&read).zip(&*fresh) {
            let ids = |team: &Team| -> Result<_> {
                let mut ids = Vec::new();
                for person in team.people()? {
                    let tags: Vec<_> = person.tags()?.iter().map(|tag| tag.id).collect();
                    let staff: Vec<_> = person.staff()?.iter().map(|one| one.id).collect();
                    let notes: Vec<_> = person.notes()?.iter().map(|note| note.id).collect();
                    let badge = person.badge()?.map(|badge| badge.id);
                    ids.push((person.id, tags, staff, notes, badge, person.boss()?.map(|boss| boss.id)));
                }
                let tags: Vec<_> = team.tags()?.iter().map(|tag| tag.id).collect();
                Ok((ids, tags, team.notes()?.iter().map(|note| note.id).collect::<Vec<_>>()))
            };
            let (row, read, fresh) = (ids(row), ids(read), ids(fresh));
            let (row, read, fresh) = (format!("{row:?}"), format!("{read:?}"), format!("{fresh:?}"));
            if row != fresh || read != fresh {
                return Err(format!("completed: {row}\nread: {read}\nfresh: {fresh}"));
            }
        }
    }
    Ok(())
}

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).ok().and_then(|value| value.parse().ok()).unwrap_or(otherwise)
}

#[test]
fn trees_read_back() {
    let first = number("ASSOC_PROPERTY_SEED", 1);
    for seed in first..first + number("ASSOC_PROPERTY_CASES", 100) {
        if let Err(what) = pollster::block_on(one(seed)) {
            panic!("ASSOC_PROPERTY_SEED={seed}\n{what}");
        }
    }
}
