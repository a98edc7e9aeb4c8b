//! Albums whose photos are destroyed when they are let go, with what depends on them; versions and tenants.

use assoc_core::Result;
use assoc_repo::Repo;
use assoc_repo::prelude::*;

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "albums")]
pub(crate) struct Album {
    pub(crate) id: i64,
    pub(crate) tenant_id: i64,
    #[column(lock_version)]
    pub(crate) version: i64,
    #[has_many(dependent = "destroy")]
    pub(crate) photos: HasMany<Photo>,
    // The same rows, of which none is saved with an album.
    #[has_many(foreign_key = "album_id", autosave = false)]
    pub(crate) seen_photos: HasMany<Photo>,
    #[has_one(dependent = "destroy")]
    pub(crate) cover: HasOne<Option<Cover>>,
    #[has_one(foreign_key = "album_id", dependent = "delete")]
    pub(crate) back: HasOne<Option<Back>>,
    #[has_many]
    pub(crate) loans: HasMany<Loan>,
    #[has_many(through = "loans", source = "reader", dependent = "destroy")]
    pub(crate) readers: HasManyThrough<Reader>,
    #[has_many(through = "loans", source = "reader", dependent = "nullify")]
    pub(crate) kept_readers: HasManyThrough<Reader>,
    #[has_many(through = "loans", source = "reader")]
    pub(crate) plain_readers: HasManyThrough<Reader>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "photos")]
pub(crate) struct Photo {
    pub(crate) id: i64,
    pub(crate) tenant_id: i64,
    pub(crate) album_id: Option<i64>,
    #[column(length = 20)]
    pub(crate) code: String,
    #[has_many(dependent = "destroy")]
    pub(crate) remarks: HasMany<Remark>,
    #[has_many(dependent = "restrict_with_error")]
    pub(crate) prints: HasMany<Print>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "photo_remarks")]
pub(crate) struct Remark {
    pub(crate) id: i64,
    pub(crate) photo_id: i64,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "prints")]
pub(crate) struct Print {
    pub(crate) id: i64,
    pub(crate) photo_id: i64,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "covers")]
pub(crate) struct Cover {
    pub(crate) id: i64,
    pub(crate) album_id: Option<i64>,
    #[has_many(dependent = "destroy")]
    pub(crate) stickers: HasMany<Sticker>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "stickers")]
pub(crate) struct Sticker {
    pub(crate) id: i64,
    pub(crate) cover_id: i64,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "backs")]
pub(crate) struct Back {
    pub(crate) id: i64,
    pub(crate) album_id: i64,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "loans")]
pub(crate) struct Loan {
    pub(crate) id: i64,
    pub(crate) album_id: Option<i64>,
    pub(crate) reader_id: Option<i64>,
    #[belongs_to]
    pub(crate) reader: BelongsTo<Option<Reader>>,
    #[has_many(dependent = "destroy")]
    pub(crate) reminders: HasMany<Reminder>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "reminders")]
pub(crate) struct Reminder {
    pub(crate) id: i64,
    pub(crate) loan_id: i64,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "readers")]
pub(crate) struct Reader {
    pub(crate) id: i64,
}

/// The tables; codes of photos are unique.
pub(crate) async fn tables(repo: &Repo) -> Result<()> {
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
pub(crate) const TABLES: [&str; 9] =
    ["albums", "photos", "photo_remarks", "covers", "stickers", "backs", "readers", "loans", "reminders"];

/// Two albums of one tenant and one of another.
pub(crate) async fn fixture(repo: &Repo) -> Result<()> {
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
