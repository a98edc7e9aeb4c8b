//! Join tables whose rows are models: positions and notes beside the keys, over integer, text and composite keys.

use assoc_core::Result;
use assoc_repo::Repo;
use assoc_repo::prelude::*;

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "playlists")]
pub struct Playlist {
    pub id: i64,
    pub name: String,
    #[has_and_belongs_to_many]
    pub songs: HasAndBelongsToMany<Song, Entry>,
    #[has_and_belongs_to_many(order = Song::TITLE.desc(), limit = 2)]
    pub last_songs: HasAndBelongsToMany<Song, Entry>,
    #[has_and_belongs_to_many(distinct)]
    pub different_songs: HasAndBelongsToMany<Song, Entry>,
    // The same table in its model's own order.
    #[has_and_belongs_to_many]
    pub in_order: HasAndBelongsToMany<Song, PlacedEntry>,
    // The same table without its rows.
    #[has_and_belongs_to_many(join_table = "entries")]
    pub bare_songs: HasAndBelongsToMany<Song>,
    #[has_many(through = "songs", source = "writers")]
    pub writers: HasManyThrough<Writer>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "entries")]
pub struct Entry {
    pub playlist_id: i64,
    pub song_id: Option<i64>,
    pub position: i64,
    #[column(length = 20)]
    pub note: Option<String>,
}

/// The same rows in a declared order, and without the hidden ones.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "entries", default_scope = placed)]
pub struct PlacedEntry {
    pub playlist_id: i64,
    pub song_id: Option<i64>,
    pub position: i64,
    #[column(length = 20)]
    pub note: Option<String>,
}

fn placed(entries: Scope<PlacedEntry>) -> Scope<PlacedEntry> {
    entries.filter(PlacedEntry::POSITION.gt(0)).order_by(PlacedEntry::POSITION.asc())
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "songs")]
pub struct Song {
    pub id: i64,
    pub title: String,
    #[has_and_belongs_to_many(foreign_key = "song", association_foreign_key = "writer_nation, writer_name")]
    pub writers: HasAndBelongsToMany<Writer, Credit>,
    #[has_many]
    pub takes: HasMany<Take>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "takes")]
pub struct Take {
    pub id: i64,
    pub song_id: i64,
}

/// A composite key with a text in it.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "writers", primary_key = "nation, name")]
pub struct Writer {
    pub nation: i64,
    #[column(length = 20)]
    pub name: String,
    #[has_and_belongs_to_many(foreign_key = "writer_nation, writer_name", association_foreign_key = "song")]
    pub songs: HasAndBelongsToMany<Song, Credit>,
}

/// A join row with a primary key and a renamed column.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "credits")]
pub struct Credit {
    pub id: i64,
    #[column(name = "song_id")]
    pub song: i64,
    pub writer_nation: i64,
    #[column(length = 20)]
    pub writer_name: String,
    pub share: i64,
}

/// Makes the tables and fills them.
pub async fn fixture(repo: &Repo) -> Result<()> {
    repo.create_table::<Playlist>().await?;
    repo.create_table::<Song>().await?;
    repo.create_table::<Take>().await?;
    repo.create_table::<Writer>().await?;
    repo.create_table::<Entry>().await?;
    repo.create_table::<Credit>().await?;
    repo.insert_all(["P1", "P2", "P3"].map(|name| Playlist::build().set(Playlist::NAME, name))).await?;
    repo.insert_all(["a", "b", "c"].map(|title| Song::build().set(Song::TITLE, title))).await?;
    repo.insert_all([1, 1, 3].map(|song: i64| Take::build().set(Take::SONG_ID, song))).await?;
    // The first list has a song twice and an entry for none, the second one that leads nowhere; the third is empty.
    let entries = "INSERT INTO entries (playlist_id, song_id, position, note) VALUES (1, 2, 3, 'end'), (1, 1, 2, NULL), \
         (1, 2, 1, 'begin'), (1, NULL, 4, 'gap'), (2, 9, 1, NULL), (2, 3, 0, 'hidden'), (2, 1, 2, NULL)";
    repo.execute_raw(entries, []).await?;
    let writer = |nation: i64, name| Writer::build().set(Writer::NATION, nation).set(Writer::NAME, name);
    repo.insert_all([writer(1, "Ann"), writer(2, "Ann"), writer(2, "Bob")]).await?;
    let credit = |song: i64, nation: i64, name, share: i64| {
        Credit::build()
            .set(Credit::SONG, song)
            .set(Credit::WRITER_NATION, nation)
            .set(Credit::WRITER_NAME, name)
            .set(Credit::SHARE, share)
    };
    repo.insert_all([credit(1, 2, "Ann", 40), credit(1, 1, "Ann", 60), credit(2, 2, "Bob", 100)]).await?;
    Ok(())
}
