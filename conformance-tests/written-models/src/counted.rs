//! Rows with counters and times that follow others, of every kind of key.

use assoc_core::Result;
use assoc_repo::Repo;
use assoc_repo::prelude::*;
use assoc_repo::{CallbackContext, Callbacks, Change, callbacks};

type Time = chrono::NaiveDateTime;

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "writers")]
pub struct Writer {
    pub id: i64,
    pub name: String,
    #[column(counter_cache)]
    pub articles_count: i64,
    #[column(counter_cache)]
    pub marks_count: u16,
    // The comments that a writer wrote.
    #[column(counter_cache)]
    pub said_count: Option<i32>,
    #[column(updated_at)]
    pub updated_at: Time,
    #[column(lock_version)]
    pub version: i32,
    #[has_many(dependent = "destroy")]
    pub articles: HasMany<Article>,
    #[has_many(dependent = "nullify", foreign_key = "author_id", counter_cache = "said_count")]
    pub comments: HasMany<Comment>,
    #[has_many(as = "markable", dependent = "delete")]
    pub marks: HasMany<Mark>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "articles")]
pub struct Article {
    pub id: i64,
    pub writer_id: Option<i64>,
    pub title: String,
    // NULL until something is counted, in rows that were there before.
    #[column(counter_cache)]
    pub comments_count: Option<i64>,
    #[column(counter_cache)]
    pub marks_count: i32,
    pub discussed_at: Option<Time>,
    #[column(updated_at)]
    pub updated_at: Time,
    #[belongs_to(counter_cache, touch)]
    pub writer: BelongsTo<Option<Writer>>,
    #[has_many(dependent = "delete")]
    pub comments: HasMany<Comment>,
    #[has_many(as = "markable", tag = "essay", dependent = "nullify")]
    pub marks: HasMany<Mark>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "comments")]
pub struct Comment {
    pub id: i64,
    pub article_id: i64,
    pub author_id: Option<i64>,
    pub body: String,
    #[belongs_to(counter_cache, touch = "discussed_at")]
    pub article: BelongsTo<Article>,
    #[belongs_to(counter_cache = "said_count")]
    pub author: BelongsTo<Option<Writer>>,
}

#[derive(Polymorphic, Debug, Clone, PartialEq)]
pub enum Markable {
    Writer(Writer),
    #[polymorphic(tag = "essay")]
    Article(Article),
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "marks")]
pub struct Mark {
    pub id: i64,
    pub markable_id: Option<i64>,
    #[column(length = 40)]
    pub markable_type: Option<String>,
    #[belongs_to(polymorphic, counter_cache, touch)]
    pub markable: BelongsTo<Option<Markable>>,
}

pub async fn fixture(repo: &Repo) -> Result<()> {
    repo.create_table::<Writer>().await?;
    repo.create_table::<Article>().await?;
    repo.create_table::<Comment>().await?;
    repo.create_table::<Mark>().await?;
    repo.insert_all(["Ada", "Grace"].map(|name| Writer::build().set(Writer::NAME, name))).await?;
    let articles = [("On looms", Some(1)), ("On bugs", Some(2)), ("On nothing", None)];
    repo.insert_all(
        articles.map(|(title, writer)| Article::build().set(Article::TITLE, title).set(Article::WRITER_ID, writer)),
    )
    .await?;
    Ok(())
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "rooms", primary_key = "tenant_id, number")]
pub struct Room {
    pub tenant_id: i64,
    pub number: i32,
    #[column(counter_cache)]
    pub chairs_count: u32,
    #[has_many(foreign_key = "tenant_id, room_number", dependent = "nullify")]
    pub chairs: HasMany<Chair>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "chairs")]
pub struct Chair {
    pub id: i64,
    pub tenant_id: i64,
    pub room_number: Option<i32>,
    #[belongs_to(foreign_key = "tenant_id, room_number", counter_cache)]
    pub room: BelongsTo<Option<Room>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "firms")]
pub struct Firm {
    pub id: i64,
    #[column(length = 20)]
    pub code: String,
    #[column(counter_cache)]
    pub staff_count: i64,
    #[has_many(primary_key = "code", foreign_key = "firm_code", dependent = "destroy")]
    pub workers: HasMany<Worker>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "workers")]
pub struct Worker {
    pub id: i64,
    #[column(length = 20)]
    pub firm_code: Option<String>,
    #[belongs_to(foreign_key = "firm_code", primary_key = "code", counter_cache = "staff_count")]
    pub firm: BelongsTo<Option<Firm>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "branches")]
pub struct Branch {
    pub id: i64,
    pub parent_id: Option<i64>,
    #[column(counter_cache)]
    pub branches_count: i64,
    #[column(updated_at)]
    pub updated_at: Time,
    #[belongs_to(counter_cache, touch)]
    pub parent: BelongsTo<Option<Branch>>,
    #[has_many(foreign_key = "parent_id", dependent = "destroy")]
    pub branches: HasMany<Branch>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "players")]
pub struct Player {
    pub id: i64,
    #[column(counter_cache)]
    pub teams_count: i64,
    #[has_many(dependent = "delete")]
    pub contracts: HasMany<Contract>,
    #[has_many(through = "contracts", counter_cache = "teams_count")]
    pub teams: HasManyThrough<Team>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "teams")]
pub struct Team {
    pub id: i64,
    #[column(counter_cache)]
    pub contracts_count: i64,
    #[has_many]
    pub contracts: HasMany<Contract>,
}

/// A join row, without a key.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "contracts")]
pub struct Contract {
    pub player_id: i64,
    pub team_id: i64,
    #[belongs_to(counter_cache = "teams_count")]
    pub player: BelongsTo<Player>,
    #[belongs_to(counter_cache, counter_cache_active = false)]
    pub team: BelongsTo<Team>,
}

/// Its category is the first unless it says otherwise, which the database does.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "shelves")]
pub struct Shelf {
    pub id: i64,
    pub open: bool,
    #[column(counter_cache)]
    pub volumes_count: i64,
    // Of shelves that are open only.
    #[column(counter_cache)]
    pub lent_count: i64,
    #[has_many(counter_cache = "volumes_count")]
    pub volumes: HasMany<Volume>,
    #[has_many(foreign_key = "shelf_id", counter_cache = "lent_count")]
    pub lent_volumes: HasMany<Volume>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "volumes")]
pub struct Volume {
    pub id: i64,
    #[column(default = "1")]
    pub shelf_id: i64,
    #[belongs_to(counter_cache)]
    pub shelf: BelongsTo<Shelf>,
    #[belongs_to(foreign_key = "shelf_id", filter = Shelf::OPEN.eq(true), counter_cache = "lent_count")]
    pub open_shelf: BelongsTo<Option<Shelf>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "queues", callbacks)]
pub struct Queue {
    pub id: i64,
    pub name: String,
    #[column(counter_cache)]
    pub jobs_count: i64,
    #[has_many(dependent = "destroy")]
    pub jobs: HasMany<Job>,
}

#[callbacks]
impl Callbacks for Queue {
    async fn before_save(queue: &mut Change<Self>, _: &CallbackContext<'_>) -> Result<()> {
        if queue.get(Queue::NAME)?.is_some_and(|name| name == "forged") {
            queue.set(Queue::JOBS_COUNT, 9);
        }
        Ok(())
    }
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "jobs", callbacks)]
pub struct Job {
    pub id: i64,
    pub queue_id: Option<i64>,
    pub text: String,
    #[belongs_to(counter_cache)]
    pub queue: BelongsTo<Option<Queue>>,
}

#[callbacks]
impl Callbacks for Job {
    // Whatever was said: what is urgent belongs to the first queue.
    async fn before_save(job: &mut Change<Self>, _: &CallbackContext<'_>) -> Result<()> {
        if job.get(Job::TEXT)?.is_some_and(|text| text == "urgent") {
            job.set(Job::QUEUE_ID, 1);
        }
        Ok(())
    }

    async fn before_destroy(job: &Self, _: &CallbackContext<'_>) -> Result<()> {
        if job.text == "kept" { Err(Error::other("it stays")) } else { Ok(()) }
    }
}
