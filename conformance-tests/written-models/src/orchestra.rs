//! An orchestra: rows between that refuse to go, that are one of several types of their table, and that have callbacks, a version
//! or a rule; and links with `delete_sql`.

use assoc_core::{Error, RawSql, Result, Value};
use assoc_repo::Repo;
use assoc_repo::prelude::*;
use assoc_repo::{CallbackContext, Callbacks, callbacks};

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "musicians")]
pub struct Musician {
    pub id: i64,
    #[column(length = 20)]
    pub name: String,
    pub mentor_id: Option<i64>,
    // Rows between are destroyed, with their callbacks.
    #[has_many(dependent = "destroy")]
    pub engagements: HasMany<Engagement>,
    #[has_many(through = "engagements", source = "ensemble", dependent = "destroy")]
    pub ensembles: HasManyThrough<Ensemble>,
    // The same rows are deleted.
    #[has_many(foreign_key = "musician_id", dependent = "database")]
    pub plain_engagements: HasMany<Engagement>,
    #[has_many(through = "plain_engagements", source = "ensemble")]
    pub plain_ensembles: HasManyThrough<Ensemble>,
    // One type of the rows of a table.
    #[has_many]
    pub solos: HasMany<Solo>,
    #[has_many(through = "solos", source = "concert")]
    pub solo_concerts: HasManyThrough<Concert>,
    #[has_many]
    pub rehearsals: HasMany<Rehearsal>,
    // Rows between with callbacks, with a version, and with a rule that refuses.
    #[has_one]
    pub contract: HasOne<Option<Contract>>,
    #[has_one(through = "contract", source = "ensemble", dependent = "destroy")]
    pub employer: HasOne<Option<Ensemble>>,
    #[has_one]
    pub lease: HasOne<Option<Lease>>,
    #[has_one(through = "lease", source = "concert")]
    pub leased: HasOne<Option<Concert>>,
    #[has_one(dependent = "restrict_with_error")]
    pub pledge: HasOne<Option<Pledge>>,
    #[has_one(through = "pledge", source = "concert")]
    pub pledged: HasOne<Option<Concert>>,
    // Links that are kept under another number.
    #[has_and_belongs_to_many(delete_sql = archive)]
    pub pieces: HasAndBelongsToMany<Piece>,
    #[has_many(foreign_key = "mentor_id", dependent = "destroy")]
    pub pupils: HasMany<Musician>,
}

fn archive(musician: &Musician, piece: &Piece) -> RawSql {
    let sql = "UPDATE musicians_pieces SET musician_id = -musician_id, note = ? WHERE musician_id = ? AND piece_id = ?";
    let note = format!("{} played {}", musician.name, piece.title);
    RawSql::new(sql, [Value::from(note), Value::from(musician.id), Value::from(piece.id)])
}

/// One whose part is `kept` refuses to be destroyed.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "engagements", callbacks)]
pub struct Engagement {
    pub id: i64,
    pub musician_id: i64,
    pub ensemble_id: i64,
    #[column(length = 20)]
    pub part: Option<String>,
    #[belongs_to(counter_cache)]
    pub ensemble: BelongsTo<Ensemble>,
}

#[callbacks]
impl Callbacks for Engagement {
    async fn before_destroy(engagement: &Self, _: &CallbackContext<'_>) -> Result<()> {
        refuse_kept(engagement.part.as_deref())
    }
}

fn refuse_kept(part: Option<&str>) -> Result<()> {
    if part == Some("kept") { Err(Error::other("it stays")) } else { Ok(()) }
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "ensembles")]
pub struct Ensemble {
    pub id: i64,
    #[column(length = 20)]
    pub name: String,
    #[column(counter_cache)]
    pub engagements_count: i64,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "performances", discriminator = "kind", tag = "solo")]
pub struct Solo {
    pub id: i64,
    #[column(length = 20)]
    pub kind: String,
    pub musician_id: i64,
    pub concert_id: i64,
    #[belongs_to]
    pub concert: BelongsTo<Concert>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "performances", discriminator = "kind", tag = "rehearsal")]
pub struct Rehearsal {
    pub id: i64,
    #[column(length = 20)]
    pub kind: String,
    pub musician_id: i64,
    pub concert_id: i64,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "concerts")]
pub struct Concert {
    pub id: i64,
    #[column(length = 20)]
    pub title: String,
}

/// One whose role is `kept` refuses to be destroyed.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "contracts", callbacks)]
pub struct Contract {
    pub id: i64,
    pub musician_id: Option<i64>,
    pub ensemble_id: i64,
    #[column(length = 20)]
    pub role: Option<String>,
    #[belongs_to]
    pub ensemble: BelongsTo<Ensemble>,
}

#[callbacks]
impl Callbacks for Contract {
    async fn before_destroy(contract: &Self, _: &CallbackContext<'_>) -> Result<()> {
        refuse_kept(contract.role.as_deref())
    }
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "leases")]
pub struct Lease {
    pub id: i64,
    pub musician_id: Option<i64>,
    pub concert_id: i64,
    #[column(length = 20)]
    pub note: Option<String>,
    #[column(lock_version)]
    pub version: i64,
    #[belongs_to]
    pub concert: BelongsTo<Concert>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "pledges")]
pub struct Pledge {
    pub id: i64,
    pub musician_id: Option<i64>,
    pub concert_id: i64,
    #[column(length = 20)]
    pub note: Option<String>,
    #[belongs_to]
    pub concert: BelongsTo<Concert>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "pieces")]
pub struct Piece {
    pub id: i64,
    #[column(length = 20)]
    pub title: String,
    // The same links, deleted by their key.
    #[has_and_belongs_to_many]
    pub musicians: HasAndBelongsToMany<Musician>,
}

pub async fn tables(repo: &Repo) -> Result<()> {
    repo.create_table::<Musician>().await?;
    repo.create_table::<Engagement>().await?;
    repo.create_table::<Ensemble>().await?;
    repo.create_table::<Solo>().await?;
    repo.create_table::<Concert>().await?;
    repo.create_table::<Contract>().await?;
    repo.create_table::<Lease>().await?;
    repo.create_table::<Pledge>().await?;
    repo.create_table::<Piece>().await?;
    let sql = "CREATE TABLE musicians_pieces (musician_id BIGINT NOT NULL, piece_id BIGINT NOT NULL, note VARCHAR(60))";
    repo.execute_raw(sql, []).await?;
    Ok(())
}
