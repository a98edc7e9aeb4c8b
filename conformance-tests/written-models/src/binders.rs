//! Binders whose members have versions, by every rule of `dependent`; and rows between that need more than two keys.

use assoc_core::Result;
use assoc_repo::prelude::*;
use assoc_repo::{CallbackContext, Callbacks, Change, callbacks};

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "binders")]
pub struct Binder {
    pub id: i64,
    #[column(length = 20)]
    pub name: String,
    // Its key is cleared.
    #[has_many]
    pub sheets: HasMany<Sheet>,
    #[has_many(dependent = "delete")]
    pub slips: HasMany<Slip>,
    #[has_many(dependent = "destroy")]
    pub folders: HasMany<Folder>,
    // The same rows, which are written when they go.
    #[has_many(foreign_key = "binder_id", dependent = "destroy", before_remove = Self::numbered)]
    pub numbered_folders: HasMany<Folder>,
    #[has_one(dependent = "destroy")]
    pub label: HasOne<Option<Label>>,
    #[has_many(as = "stuck_to", dependent = "nullify")]
    pub notes: HasMany<Note>,
    #[has_many]
    pub filings: HasMany<Filing>,
    #[has_many(through = "filings", source = "topic")]
    pub topics: HasManyThrough<Topic>,
    #[has_many]
    pub stamped_filings: HasMany<StampedFiling>,
    #[has_many(through = "stamped_filings", source = "topic")]
    pub stamped_topics: HasManyThrough<Topic>,
    #[has_many(scope = in_the_first_drawer)]
    pub first_filings: HasMany<Filing>,
    #[has_many(through = "first_filings", source = "topic")]
    pub first_topics: HasManyThrough<Topic>,
}

fn in_the_first_drawer(filings: Scope<Filing>) -> Scope<Filing> {
    filings.filter(Filing::DRAWER.eq("first"))
}

impl Binder {
    async fn numbered(_: &Binder, folder: &Folder, cx: &CallbackContext<'_>) -> Result<()> {
        let now = cx.repo().get_or_fail::<Folder>(folder.id, Query::new()).await?;
        cx.repo().update(now.change().set(Folder::NAME, "numbered")).await.map(|_| ())
    }
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "sheets")]
pub struct Sheet {
    pub id: i64,
    pub binder_id: Option<i64>,
    #[column(length = 20)]
    pub name: String,
    #[column(lock_version)]
    pub version: i32,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "slips")]
pub struct Slip {
    pub id: i64,
    pub binder_id: i64,
    #[column(length = 20)]
    pub name: String,
    #[column(lock_version)]
    pub version: i64,
}

/// It is written again before it is destroyed.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "folders", callbacks)]
pub struct Folder {
    pub id: i64,
    pub binder_id: i64,
    #[column(length = 20)]
    pub name: String,
    #[column(lock_version)]
    pub version: i16,
    #[has_many(dependent = "delete")]
    pub tabs: HasMany<Tab>,
}

#[callbacks]
impl Callbacks for Folder {
    async fn before_destroy(folder: &Self, cx: &CallbackContext<'_>) -> Result<()> {
        let now = cx.repo().get_or_fail::<Folder>(folder.id, Query::new()).await?;
        cx.repo().update(now.change().set(Folder::NAME, format!("{}!", now.name))).await.map(|_| ())
    }
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "tabs")]
pub struct Tab {
    pub id: i64,
    pub folder_id: i64,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "labels")]
pub struct Label {
    pub id: i64,
    pub binder_id: i64,
    #[column(length = 20)]
    pub name: String,
    #[column(lock_version)]
    pub version: u32,
}

#[derive(Polymorphic, Debug, Clone, PartialEq)]
pub enum StuckTo {
    Binder(Binder),
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "notes")]
pub struct Note {
    pub id: i64,
    pub stuck_to_id: Option<i64>,
    #[column(length = 20)]
    pub stuck_to_type: Option<String>,
    #[column(length = 20)]
    pub name: String,
    #[column(lock_version)]
    pub version: i32,
    #[belongs_to(polymorphic)]
    pub stuck_to: BelongsTo<Option<StuckTo>>,
}

/// Where a binder has a topic: a row between that needs a drawer.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "filings")]
pub struct Filing {
    pub id: i64,
    pub binder_id: i64,
    pub topic_id: i64,
    #[column(length = 20)]
    pub drawer: String,
    #[column(lock_version)]
    pub version: i32,
    #[belongs_to]
    pub topic: BelongsTo<Topic>,
}

/// The same row, whose callback says the drawer.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "filings", callbacks)]
pub struct StampedFiling {
    pub id: i64,
    pub binder_id: i64,
    pub topic_id: i64,
    #[column(length = 20)]
    pub drawer: String,
    #[column(lock_version)]
    pub version: i32,
    #[belongs_to]
    pub topic: BelongsTo<Topic>,
}

#[callbacks]
impl Callbacks for StampedFiling {
    async fn before_insert(filing: &mut Change<Self>, _: &CallbackContext<'_>) -> Result<()> {
        filing.set(StampedFiling::DRAWER, "stamped");
        Ok(())
    }
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "topics")]
pub struct Topic {
    pub id: i64,
    #[column(length = 20)]
    pub name: String,
    #[column(lock_version)]
    pub version: i32,
}

/// The tables.
pub async fn tables(repo: &Repo) -> Result<()> {
    repo.create_table::<Binder>().await?;
    repo.create_table::<Sheet>().await?;
    repo.create_table::<Slip>().await?;
    repo.create_table::<Folder>().await?;
    repo.create_table::<Tab>().await?;
    repo.create_table::<Label>().await?;
    repo.create_table::<Note>().await?;
    repo.create_table::<Filing>().await?;
    repo.create_table::<Topic>().await
}

/// The tables, and a binder with three members of each kind.
pub async fn fixture(repo: &Repo) -> Result<Binder> {
    tables(repo).await?;
    let names = ["a", "b", "c"];
    let folder = |name| Folder::build().set(Folder::NAME, name).push(Folder::TABS, Tab::build());
    let draft = Binder::build()
        .set(Binder::NAME, "blue")
        .push(Binder::SHEETS, names.map(|name| Sheet::build().set(Sheet::NAME, name)))
        .push(Binder::SLIPS, names.map(|name| Slip::build().set(Slip::NAME, name)))
        .push(Binder::FOLDERS, names.map(folder))
        .push(Binder::NOTES, names.map(|name| Note::build().set(Note::NAME, name)))
        .set_one(Binder::LABEL, Label::build().set(Label::NAME, "a"));
    repo.insert(draft).await
}
