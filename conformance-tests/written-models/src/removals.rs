//! Albums whose photos are destroyed when they are let go, with what depends on them; versions and tenants.

use assoc_core::Result;
use assoc_repo::Repo;
use assoc_repo::prelude::*;

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "albums")]
pub struct Album {
    pub id: i64,
    pub tenant_id: i64,
    #[column(lock_version)]
    pub version: i64,
    #[has_many(dependent = "destroy")]
    pub photos: HasMany<Photo>,
    // The same rows, of which none is saved with an album.
    #[has_many(foreign_key = "album_id", autosave = false)]
    pub seen_photos: HasMany<Photo>,
    #[has_one(dependent = "destroy")]
    pub cover: HasOne<Option<Cover>>,
    #[has_one(foreign_key = "album_id", dependent = "delete")]
    pub back: HasOne<Option<Back>>,
    #[has_many]
    pub loans: HasMany<Loan>,
    #[has_many(through = "loans", source = "reader", dependent = "destroy")]
    pub readers: HasManyThrough<Reader>,
    #[has_many(through = "loans", source = "reader", dependent = "nullify")]
    pub kept_readers: HasManyThrough<Reader>,
    #[has_many(through = "loans", source = "reader")]
    pub plain_readers: HasManyThrough<Reader>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "photos")]
pub struct Photo {
    pub id: i64,
    pub tenant_id: i64,
    pub album_id: Option<i64>,
    #[column(length = 20)]
    pub code: String,
    #[has_many(dependent = "destroy")]
    pub remarks: HasMany<Remark>,
    #[has_many(dependent = "restrict_with_error")]
    pub prints: HasMany<Print>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "photo_remarks")]
pub struct Remark {
    pub id: i64,
    pub photo_id: i64,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "prints")]
pub struct Print {
    pub id: i64,
    pub photo_id: i64,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "covers")]
pub struct Cover {
    pub id: i64,
    pub album_id: Option<i64>,
    #[has_many(dependent = "destroy")]
    pub stickers: HasMany<Sticker>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "stickers")]
pub struct Sticker {
    pub id: i64,
    pub cover_id: i64,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "backs")]
pub struct Back {
    pub id: i64,
    pub album_id: i64,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "loans")]
pub struct Loan {
    pub id: i64,
    pub album_id: Option<i64>,
    pub reader_id: Option<i64>,
    #[belongs_to]
    pub reader: BelongsTo<Option<Reader>>,
    #[has_many(dependent = "destroy")]
    pub reminders: HasMany<Reminder>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "reminders")]
pub struct Reminder {
    pub id: i64,
    pub loan_id: i64,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "readers")]
pub struct Reader {
    pub id: i64,
}

/// The tables; codes of photos are unique.
pub async fn tables(repo: &Repo) -> Result<()> {
    repo.create_table::<Album>().await?;
    repo.create_table::<Photo>().await?;
    repo.create_table::<Remark>().await?;
    repo.create_table::<Print>().await?;
    repo.create_table::<Cover>().await?;
    repo.create_table::<Sticker>().await?;
    repo.create_table::<Back>().await?;
    repo.create_table::<Loan>().await?;
    repo.create_table::<Reminder>().await?;
    repo.create_table::<Reader>().await?;
    repo.execute_raw("CREATE UNIQUE INDEX one_code ON photos (code)", []).await?;
    Ok(())
}

/// The tables whose rows have keys from the fixture.
pub const TABLES: [&str; 9] =
    ["albums", "photos", "photo_remarks", "covers", "stickers", "backs", "readers", "loans", "reminders"];

/// Two albums of one tenant and one of another.
pub async fn fixture(repo: &Repo) -> Result<()> {
    tables(repo).await?;
    for sql in [
        "INSERT INTO albums (id, tenant_id, version) VALUES (1, 1, 0), (2, 1, 0), (3, 2, 0)",
        "INSERT INTO photos (id, tenant_id, album_id, code) VALUES (1, 1, 1, 'a'), (2, 1, 1, 'b'), (3, 1, 1, 'c'), \
         (4, 1, 2, 'd'), (5, 2, 3, 'e'), (6, 2, 1, 'f')",
        "INSERT INTO photo_remarks (id, photo_id) VALUES (1, 1), (2, 1), (3, 2), (4, 4), (5, 6)",
        "INSERT INTO covers (id, album_id) VALUES (1, 1), (2, 2)",
        "INSERT INTO stickers (id, cover_id) VALUES (1, 1), (2, 2)",
        "INSERT INTO backs (id, album_id) VALUES (1, 1), (2, 2)",
        "INSERT INTO readers (id) VALUES (1), (2), (3)",
        "INSERT INTO loans (id, album_id, reader_id) VALUES (1, 1, 1), (2, 1, 2), (3, 1, 2), (4, 2, 1)",
        "INSERT INTO reminders (id, loan_id) VALUES (1, 1), (2, 2), (3, 4)",
    ] {
        repo.execute_raw(sql, []).await?;
    }
    Ok(())
}
