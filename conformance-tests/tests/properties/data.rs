//! Random rows, small enough to be read when a property does not hold, and awkward: missing and dangling keys, equal
//! values, empty tables, the ends of the integers, keys that differ by case.

use std::collections::BTreeMap;

use assoc_core::SqlType;
use assoc_core::metadata::{ColumnDef, ModelDef};
use assoc_repo::Repo;
use assoc_repo::prelude::*;
use assoc_sqlite::{Execution, Sqlite};

use crate::keyed::{Account, Book, Booking, City, Country, Hall, Object, ObjectName, Seat, Shelf, Street, Ticket};
use crate::marks::{Image, Note, Tag, Tagging};
use crate::people::{Badge, Comment, Group, Login, Membership, Post, Profile, Skill, Team, User};
pub(crate) use crate::random::Random;

pub(crate) type Row = Vec<Value<'static>>;

/// A database and what is in it.
pub(crate) struct World {
    pub(crate) repo: Repo,
    /// Whether some of the tables are in another database.
    pub(crate) is_apart: bool,
    pub(crate) tables: BTreeMap<&'static str, Vec<Row>>,
    /// Join tables as seen from their second column's side.
    pub(crate) turned: BTreeMap<&'static str, Vec<Row>>,
    ids: Vec<i64>,
}

/// Join tables have no model.
const LINKS: [(&str, &str); 2] = [("users_skills", "user_id"), ("friends", "this_id")];

/// Columns that ignore case.
pub(crate) fn ignores_case(table: &str, column: &str) -> bool {
    matches!((table, column), ("countries", "code") | ("cities", "country_code"))
}

const MODELS: [&ModelDef; 22] = [
    User::DEF,
    Team::DEF,
    Profile::DEF,
    Badge::DEF,
    Post::DEF,
    Comment::DEF,
    Membership::DEF,
    Group::DEF,
    Skill::DEF,
    Login::DEF,
    Tagging::DEF,
    Tag::DEF,
    Image::DEF,
    Note::DEF,
    Shelf::DEF,
    Book::DEF,
    Hall::DEF,
    Seat::DEF,
    Ticket::DEF,
    Street::DEF,
    Account::DEF,
    Booking::DEF,
];

impl World {
    pub(crate) async fn new(random: &mut Random) -> Result<World> {
        let repo = Repo::new(Sqlite::builder(":memory:").execution(Execution::Inline).open()?);
        make_tables(&repo).await?;
        let mut world = World::filled(random, repo);
        // Once in a while some tables are in another database.
        let moved = random.once_in(4).then(|| random.next());
        if let Some(which) = moved {
            let other = Repo::new(Sqlite::builder(":memory:").execution(Execution::Inline).open()?);
            make_tables(&other).await?;
            let is_there = move |table: &str| {
                let sum = table.bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
                which >> (sum % 64) & 1 == 1
            };
            world.insert(&other, &is_there).await?;
            world.insert(&world.repo, &|table| !is_there(table)).await?;
            world.repo = world.repo.with_database_for(&other, move |model| is_there(model.table.name));
            world.is_apart = true;
        } else {
            world.insert(&world.repo, &|_| true).await?;
        }
        Ok(world)
    }

    fn filled(random: &mut Random, repo: Repo) -> World {
        let ids = ids(random);
        let mut world = World { repo, is_apart: false, tables: BTreeMap::new(), turned: BTreeMap::new(), ids };
        for model in models_of_tables().chain([Country::DEF, City::DEF]) {
            let rows = world.rows(random, model);
            world.tables.insert(model.table.name, rows);
        }
        for (table, _) in LINKS {
            let most = random.below(14);
            let rows: Vec<Row> = (0..most).map(|_| vec![world.id(random, true), world.id(random, true)]).collect();
            let turned = |row: &Row| row.iter().rev().cloned().collect();
            world.turned.insert(table, rows.iter().map(turned).collect());
            world.tables.insert(table, rows);
        }
        world
    }

    /// The rows of a model's table, or of a join table from one of its sides.
    pub(crate) fn table(&self, model: &ModelDef) -> &[Row] {
        let name = model.table.name;
        let turned = LINKS.iter().any(|(link, first)| *link == name && model.columns[0].name != *first);
        let rows = if turned { self.turned.get(name) } else { self.tables.get(name) };
        rows.map_or(&[], Vec::as_slice)
    }

    /// All rows, for messages.
    pub(crate) fn show(&self) -> String {
        let row = |row: &Row| format!("  {}\n", row.iter().map(ToString::to_string).collect::<Vec<_>>().join(" | "));
        let table = |(name, rows): (&&str, &Vec<Row>)| format!("{name}:\n{}", rows.iter().map(row).collect::<String>());
        self.tables.iter().map(table).collect()
    }

    async fn insert(&self, repo: &Repo, there: &(dyn Fn(&str) -> bool + Sync)) -> Result<()> {
        repo.transaction(async |tx| {
            for (table, rows) in self.tables.iter().filter(|(table, _)| there(table)) {
                for row in rows {
                    let places = vec!["?"; row.len()].join(", ");
                    tx.execute_raw(&format!("INSERT INTO \"{table}\" VALUES ({places})"), row.clone()).await?;
                }
            }
            Ok(())
        })
        .await
    }

    fn rows(&self, random: &mut Random, model: &'static ModelDef) -> Vec<Row> {
        let most = if random.once_in(8) { 0 } else { 1 + random.below(9) };
        let mut rows: Vec<Row> = Vec::new();
        for _ in 0..most {
            let row: Row = model.columns.iter().map(|column| self.value(random, model, column)).collect();
            let key = |row: &Row| -> Vec<String> {
                let part = |column: &usize| match &row[*column] {
                    Value::Text(text) if ignores_case(model.table.name, model.columns[*column].name) => {
                        text.to_ascii_lowercase()
                    }
                    value => value.to_string(),
                };
                model.primary_key.iter().map(part).collect()
            };
            if !rows.iter().any(|known| key(known) == key(&row)) {
                rows.push(row);
            }
        }
        rows
    }

    fn id(&self, random: &mut Random, nullable: bool) -> Value<'static> {
        if nullable && random.once_in(6) { Value::Null } else { Value::Int(*random.pick(&self.ids)) }
    }

    /// A value such as a column may hold.
    pub(crate) fn value(&self, random: &mut Random, model: &ModelDef, column: &ColumnDef) -> Value<'static> {
        let text = |text: &str| Value::Text(text.to_owned().into());
        if column.nullable && random.once_in(5) {
            return Value::Null;
        }
        match (column.name, column.sql_type) {
            ("taggable_type", _) => {
                let tag = *random.pick(&["Post", "Comment", "crew", "Post", ""]);
                text(tag)
            }
            ("imageable_type", _) => {
                let tag = *random.pick(&["User", "Post", "Team"]);
                text(tag)
            }
            ("kind", _) => text(random.pick::<&str>(&["special", "special", "Special", "plain"])),
            ("code" | "shelf_code" | "country_code", _) => {
                text(random.pick::<&str>(&["de", "DE", "De", "1", "01", "fr", "FR"]))
            }
            ("email" | "user_email", _) => text(random.pick::<&str>(&["a@x", "A@x", "b@x", "c@x"])),
            ("room" | "hall_id" | "number" | "seat_number", _) => Value::Int(1 + random.below(3) as i64),
            ("rank" | "level", _) => Value::Int(*random.pick(&[0, 0, 1, 1, 2, -1, i64::MAX])),
            ("id", _) if model.table.name == "halls" => Value::Int(1 + random.below(3) as i64),
            (_, SqlType::Bool) => Value::Bool(random.once_in(2)),
            (_, SqlType::Blob) => {
                Value::Blob(random.pick(&[&b""[..], b"\0", b"\x01", b"\0\x01", b"\xff"]).to_vec().into())
            }
            (_, SqlType::Text) => text(random.pick::<&str>(&["a", "A", "b", "B", "ab", ""])),
            _ => self.id(random, false),
        }
    }
}

// Few, so that keys meet; of every kind that integers come in.
fn ids(random: &mut Random) -> Vec<i64> {
    const ENDS: [i64; 7] = [i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX - 1, i64::MAX];
    match random.below(4) {
        0 => ENDS.to_vec(),
        1 => (0..8).map(|at| at * 1_000_000_007 - 3).collect(),
        2 => (1..=4).collect(),
        _ => (-2..=7).collect(),
    }
}

fn models_of_tables() -> impl Iterator<Item = &'static ModelDef> {
    MODELS.into_iter().chain([Object::DEF, ObjectName::DEF])
}

pub(crate) async fn make_tables(repo: &Repo) -> Result<()> {
    for sql in [
        "CREATE TABLE countries (code TEXT COLLATE NOCASE NOT NULL PRIMARY KEY, name TEXT NOT NULL)",
        "CREATE TABLE cities (id INTEGER PRIMARY KEY, name TEXT NOT NULL, country_code TEXT COLLATE NOCASE)",
        "CREATE TABLE users_skills (user_id INTEGER, skill_id INTEGER)",
        "CREATE TABLE friends (this_id INTEGER, other_id INTEGER)",
    ] {
        repo.execute_raw(sql, []).await?;
    }
    for model in models_of_tables() {
        let [create, ..] = &assoc_core::schema::create_table(model, repo.dialect())[..] else { continue };
        repo.execute_raw(create.sql(), []).await?;
    }
    Ok(())
}
