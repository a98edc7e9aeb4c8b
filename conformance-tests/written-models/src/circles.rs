//! Rows that need each other's keys: two models, three, and one table with itself.

use assoc_core::Result;
use assoc_core::dialect::{ColumnRole, Dialect};
use assoc_repo::Repo;
use assoc_repo::prelude::*;
use assoc_repo::{CallbackContext, Callbacks, Change, callbacks};

/// A nation knows its capital, and the capital its nation.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "nations")]
pub struct Nation {
    pub id: i64,
    pub name: String,
    pub capital_id: Option<i64>,
    #[column(counter_cache)]
    pub towns_count: i64,
    #[belongs_to]
    pub capital: BelongsTo<Option<Town>>,
    #[has_one(foreign_key = "nation_id", dependent = "destroy")]
    pub seat: HasOne<Option<Town>>,
    #[has_many]
    pub towns: HasMany<Town>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "towns")]
pub struct Town {
    pub id: i64,
    pub name: String,
    pub nation_id: Option<i64>,
    #[belongs_to(counter_cache)]
    pub nation: BelongsTo<Option<Nation>>,
    #[has_one(foreign_key = "capital_id", dependent = "nullify")]
    pub leads: HasOne<Option<Nation>>,
}

/// A crew may lack a captain, and no sailor lacks a crew.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "crews")]
pub struct Crew {
    pub id: i64,
    pub name: String,
    pub captain_id: Option<i64>,
    #[belongs_to]
    pub captain: BelongsTo<Option<Sailor>>,
    #[has_many(dependent = "destroy")]
    pub sailors: HasMany<Sailor>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "sailors")]
pub struct Sailor {
    pub id: i64,
    pub name: String,
    pub crew_id: i64,
    #[belongs_to]
    pub crew: BelongsTo<Crew>,
}

/// From one to the next, and back.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "writs")]
pub struct Writ {
    pub id: i64,
    pub court_id: Option<i64>,
    #[belongs_to]
    pub court: BelongsTo<Option<Court>>,
    #[has_one(dependent = "destroy")]
    pub clerk: HasOne<Option<Clerk>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "courts")]
pub struct Court {
    pub id: i64,
    pub clerk_id: i64,
    #[belongs_to]
    pub clerk: BelongsTo<Clerk>,
    #[has_many(dependent = "destroy")]
    pub writs: HasMany<Writ>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "clerks")]
pub struct Clerk {
    pub id: i64,
    pub writ_id: Option<i64>,
    #[belongs_to]
    pub writ: BelongsTo<Option<Writ>>,
    #[has_many(dependent = "destroy")]
    pub courts: HasMany<Court>,
}

/// One table, and a callback that writes down whom it met.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "dancers", callbacks)]
pub struct Dancer {
    pub id: i64,
    pub name: String,
    pub partner_id: Option<i64>,
    #[belongs_to]
    pub partner: BelongsTo<Option<Dancer>>,
    #[has_one(foreign_key = "partner_id", dependent = "destroy")]
    pub led_by: HasOne<Option<Dancer>>,
}

#[callbacks]
impl Callbacks for Dancer {
    async fn before_save(dancer: &mut Change<Self>, cx: &CallbackContext<'_>) -> Result<()> {
        note(cx, "before_save", &dancer.get(Dancer::NAME)?.unwrap_or_default()).await
    }

    async fn after_save(dancer: &Self, cx: &CallbackContext<'_>) -> Result<()> {
        note(cx, "after_save", &dancer.name).await
    }

    async fn after_destroy(dancer: &Self, cx: &CallbackContext<'_>) -> Result<()> {
        note(cx, "after_destroy", &dancer.name).await
    }
}

async fn note(cx: &CallbackContext<'_>, what: &str, name: &str) -> Result<()> {
    let values = [Value::from(what.to_owned()), Value::from(name.to_owned())];
    cx.repo().execute_raw("INSERT INTO notes (what, name) VALUES (?, ?)", values).await.map(drop)
}

/// Neither can be without the other, and the database makes their keys.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "bolts")]
pub struct Bolt {
    pub id: i64,
    pub nut_id: i64,
    #[belongs_to]
    pub nut: BelongsTo<Nut>,
    #[has_one(dependent = "destroy")]
    pub other: HasOne<Option<Nut>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "nuts")]
pub struct Nut {
    pub id: i64,
    pub bolt_id: i64,
    #[belongs_to]
    pub bolt: BelongsTo<Bolt>,
}

/// The same tables, and the program makes the keys.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "bolts", auto_increment = false)]
pub struct NumberedBolt {
    pub id: i64,
    pub nut_id: i64,
    #[belongs_to]
    pub nut: BelongsTo<NumberedNut>,
    #[has_one(foreign_key = "bolt_id", dependent = "destroy")]
    pub other: HasOne<Option<NumberedNut>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "nuts", auto_increment = false)]
pub struct NumberedNut {
    pub id: i64,
    pub bolt_id: i64,
    #[belongs_to]
    pub bolt: BelongsTo<NumberedBolt>,
}

/// Makes all tables. With `foreign_keys` the database checks each key when it is written.
pub async fn tables(repo: &Repo, foreign_keys: bool) -> Result<()> {
    let id = key(repo.dialect());
    let tables = [
        (
            "nations",
            "name VARCHAR(40) NOT NULL, capital_id BIGINT NULL, towns_count BIGINT NOT NULL",
            "capital_id towns",
        ),
        ("towns", "name VARCHAR(40) NOT NULL, nation_id BIGINT NULL", "nation_id nations"),
        ("crews", "name VARCHAR(40) NOT NULL, captain_id BIGINT NULL", "captain_id sailors"),
        ("sailors", "name VARCHAR(40) NOT NULL, crew_id BIGINT NOT NULL", "crew_id crews"),
        ("writs", "court_id BIGINT NULL", "court_id courts"),
        ("courts", "clerk_id BIGINT NOT NULL", "clerk_id clerks"),
        ("clerks", "writ_id BIGINT NULL", "writ_id writs"),
        ("dancers", "name VARCHAR(40) NOT NULL, partner_id BIGINT NULL", "partner_id dancers"),
        ("bolts", "nut_id BIGINT NOT NULL", "nut_id nuts"),
        ("nuts", "bolt_id BIGINT NOT NULL", "bolt_id bolts"),
    ];
    // Some databases take a foreign key to a table that is yet to come; for the others it is added.
    let mut later = Vec::new();
    for (name, columns, refers) in tables {
        let plain = format!("CREATE TABLE {name} (id {id}, {columns}");
        let (column, to) = refers.split_once(' ').unwrap_or_default();
        let constraint = format!("FOREIGN KEY ({column}) REFERENCES {to} (id)");
        if !foreign_keys {
            repo.execute_raw(&format!("{plain})"), []).await?;
        } else if repo.execute_raw(&format!("{plain}, {constraint})"), []).await.is_err() {
            repo.execute_raw(&format!("{plain})"), []).await?;
            later.push(format!("ALTER TABLE {name} ADD {constraint}"));
        }
    }
    for sql in later {
        repo.execute_raw(&sql, []).await?;
    }
    repo.execute_raw("CREATE TABLE notes (what VARCHAR(20) NOT NULL, name VARCHAR(40) NOT NULL)", []).await.map(drop)
}

fn key(dialect: &dyn Dialect) -> String {
    let of = dialect.column_type(&Nation::COLUMNS[0], ColumnRole::AutoIncrement);
    format!("{of}{}", dialect.auto_increment())
}
