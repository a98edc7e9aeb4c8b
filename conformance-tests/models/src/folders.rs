//! A tree of rows with short keys, some of them hidden by a default scope.

use assoc_core::Result;
use assoc_repo::prelude::*;
use assoc_repo::{Changeset, Repo};

/// A folder among folders.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "folders", default_scope = shown)]
pub struct Folder {
    pub id: i32,
    pub parent_id: Option<i32>,
    pub name: String,
    pub hidden: bool,
    pub level: Option<i64>,
    #[belongs_to]
    pub parent: BelongsTo<Option<Folder>>,
    #[has_many(foreign_key = "parent_id", order = Folder::NAME.desc())]
    pub folders: HasMany<Folder>,
    #[has_one(foreign_key = "parent_id", order = Folder::NAME.desc())]
    pub last_folder: HasOne<Option<Folder>>,
    #[has_many]
    pub documents: HasMany<Document>,
}

fn shown(folders: Scope<Folder>) -> Scope<Folder> {
    folders.filter(Folder::HIDDEN.eq(false))
}

/// What lies in a folder.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "documents")]
pub struct Document {
    pub id: i64,
    pub folder_id: i32,
    pub title: String,
}

/// Creates the tables.
///
/// # Errors
/// When the database fails.
pub async fn tables(repo: &Repo) -> Result<()> {
    repo.create_table::<Folder>().await?;
    repo.create_table::<Document>().await
}

/// A folder to insert.
pub fn folder(id: i32, parent: Option<i32>, name: &str) -> Changeset<Folder> {
    Folder::build()
        .set(Folder::ID, id)
        .set(Folder::PARENT_ID, parent)
        .set(Folder::NAME, name)
        .set(Folder::HIDDEN, false)
        .set(Folder::LEVEL, Some(i64::from(id)))
}

/// Two trees, of five and of two levels, with a hidden folder and the one below it, and a document in every second folder.
///
/// # Errors
/// When the database fails.
pub async fn fixture(repo: &Repo) -> Result<()> {
    tables(repo).await?;
    let folders = [
        folder(1, None, "home"),
        folder(2, Some(1), "letters"),
        folder(3, Some(1), "music"),
        folder(4, Some(2), "to Ann"),
        folder(5, Some(2), "to Bob").set(Folder::HIDDEN, true),
        folder(6, Some(5), "old"),
        folder(7, Some(4), "1815"),
        folder(8, Some(4), "1816"),
        folder(9, Some(8), "May"),
        folder(20, None, "office"),
        folder(21, Some(20), "bills"),
        // Its folder is gone.
        folder(30, Some(99), "lost"),
    ];
    repo.insert_all(folders).await?;
    let document = |folder: i32| {
        let title = format!("in {folder}");
        Document::build()
            .set(Document::ID, i64::from(folder))
            .set(Document::FOLDER_ID, folder)
            .set(Document::TITLE, title)
    };
    repo.insert_all([2, 4, 6, 8, 20, 30].map(document)).await?;
    Ok(())
}
