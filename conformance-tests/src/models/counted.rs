//! Rows with counters and times that follow others, of every kind of key.

use assoc_core::Result;
use assoc_repo::Repo;
use assoc_repo::prelude::*;
use assoc_repo::{CallbackContext, Callbacks, Change, callbacks};

type Time = chrono::NaiveDateTime;

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "writers")]
pub(crate) struct Writer {
    pub(crate) id: i64,
    pub(crate) name: String,
    #[column(counter_cache)]
    pub(crate) articles_count: i64,
    #[column(counter_cache)]
    pub(crate) marks_count: u16,
    // The comments that a writer wrote.
    #[column(counter_cache)]
    pub(crate) said_count: Option<i32>,
    #[column(updated_at)]
    pub(crate) updated_at: Time,
    #[column(lock_version)]
    pub(crate) version: i32,
    #[has_many(dependent = "destroy")]
    pub(crate) articles: HasMany<Article>,
    #[has_many(dependent = "nullify", foreign_key = "author_id", counter_cache = "said_count")]
    pub(crate) comments: HasMany<Comment>,
    #[has_many(as = "markable", dependent = "delete")]
    pub(crate) marks: HasMany<Mark>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "articles")]
pub(crate) struct Article {
    pub(crate) id: i64,
    pub(crate) writer_id: Option<i64>,
    pub(crate) title: String,
    // NULL until something is counted, in rows that were there before.
    #[column(counter_cache)]
    pub(crate) comments_count: Option<i64>,
    #[column(counter_cache)]
    pub(crate) marks_count: i32,
    pub(crate) discussed_at: Option<Time>,
    #[column(updated_at)]
    pub(crate) updated_at: Time,
    #[belongs_to(counter_cache, touch)]
    pub(crate) writer: BelongsTo<Option<Writer>>,
    #[has_many(dependent = "delete")]
    pub(crate) comments: HasMany<Comment>,
    #[has_many(as = "markable", tag = "essay", dependent = "nullify")]
    pub(crate) marks: HasMany<Mark>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "comments")]
pub(crate) struct Comment {
    pub(crate) id: i64,
    pub(crate) article_id: i64,
    pub(crate) author_id: Option<i64>,
    pub(crate) body: String,
    #[belongs_to(counter_cache, touch = "discussed_at")]
    pub(crate) article: BelongsTo<Article>,
    #[belongs_to(counter_cache = "said_count")]
    pub(crate) author: BelongsTo<Option<Writer>>,
}

#[derive(Polymorphic, Debug, Clone, PartialEq)]
pub(crate) enum Markable {
    Writer(Writer),
    #[polymorphic(tag = "essay")]
    Article(Article),
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "marks")]
pub(crate) struct Mark {
    pub(crate) id: i64,
    pub(crate) markable_id: Option<i64>,
    #[column(length = 40)]
    pub(crate) markable_type: Option<String>,
    #[belongs_to(polymorphic, counter_cache, touch)]
    pub(crate) markable: BelongsTo<Option<Markable>>,
}

pub(crate) async fn fixture(repo: &Repo) -> Result<()> {
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
pub(crate) struct Room {
    pub(crate) tenant_id: i64,
    pub(crate) number: i32,
    #[column(counter_cache)]
    pub(crate) chairs_count: u32,
    #[has_many(foreign_key = "tenant_id, room_number", dependent = "nullify")]
    pub(crate) chairs: HasMany<Chair>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "chairs")]
pub(crate) struct Chair {
    pub(crate) id: i64,
    pub(crate) tenant_id: i64,
    pub(crate) room_number: Option<i32>,
    #[belongs_to(foreign_key = "tenant_id, room_number", counter_cache)]
    pub(crate) room: BelongsTo<Option<Room>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "firms")]
pub(crate) struct Firm {
    pub(crate) id: i64,
    #[column(length = 20)]
    pub(crate) code: String,
    #[column(counter_cache)]
    pub(crate) staff_count: i64,
    #[has_many(primary_key = "code", foreign_key = "firm_code", dependent = "destroy")]
    pub(crate) workers: HasMany<Worker>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "workers")]
pub(crate) struct Worker {
    pub(crate) id: i64,
    #[column(length = 20)]
    pub(crate) firm_code: Option<String>,
    #[belongs_to(foreign_key = "firm_code", primary_key = "code", counter_cache = "staff_count")]
    pub(crate) firm: BelongsTo<Option<Firm>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "branches")]
pub(crate) struct Branch {
    pub(crate) id: i64,
    pub(crate) parent_id: Option<i64>,
    #[column(counter_cache)]
    pub(crate) branches_count: i64,
    #[column(updated_at)]
    pub(crate) updated_at: Time,
    #[belongs_to(counter_cache, touch)]
    pub(crate) parent: BelongsTo<Option<Branch>>,
    #[has_many(foreign_key = "parent_id", dependent = "destroy")]
    pub(crate) branches: HasMany<Branch>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "players")]
pub(crate) struct Player {
    pub(crate) id: i64,
    #[column(counter_cache)]
    pub(crate) teams_count: i64,
    #[has_many(dependent = "delete")]
    pub(crate) contracts: HasMany<Contract>,
    #[has_many(through = "contracts", counter_cache = "teams_count")]
    pub(crate) teams: HasManyThrough<Team>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "teams")]
pub(crate) struct Team {
    pub(crate) id: i64,
    #[column(counter_cache)]
    pub(crate) contracts_count: i64,
    #[has_many]
    pub(crate) contracts: HasMany<Contract>,
}

/// A join row, without a key.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "contracts")]
pub(crate) struct Contract {
    pub(crate) player_id: i64,
    pub(crate) team_id: i64,
    #[belongs_to(counter_cache = "teams_count")]
    pub(crate) player: BelongsTo<Player>,
    #[belongs_to(counter_cache, counter_cache_active = false)]
    pub(crate) team: BelongsTo<Team>,
}

/// Its category is the first unless it says otherwise, which the database does.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "shelves")]
pub(crate) struct Shelf {
    pub(crate) id: i64,
    pub(crate) open: bool,
    #[column(counter_cache)]
    pub(crate) volumes_count: i64,
    // Of shelves that are open only.
    #[column(counter_cache)]
    pub(crate) lent_count: i64,
    #[has_many(counter_cache = "volumes_count")]
    pub(crate) volumes: HasMany<Volume>,
    #[has_many(foreign_key = "shelf_id", counter_cache = "lent_count")]
    pub(crate) lent_volumes: HasMany<Volume>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "volumes")]
pub(crate) struct Volume {
    pub(crate) id: i64,
    #[column(default = "1")]
    pub(crate) shelf_id: i64,
    #[belongs_to(counter_cache)]
    pub(crate) shelf: BelongsTo<Shelf>,
    #[belongs_to(foreign_key = "shelf_id", filter = Shelf::OPEN.eq(true), counter_cache = "lent_count")]
    pub(crate) open_shelf: BelongsTo<Option<Shelf>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "queues", callbacks)]
pub(crate) struct Queue {
    pub(crate) id: i64,
    pub(crate) name: String,
    #[column(counter_cache)]
    pub(crate) jobs_count: i64,
    #[has_many(dependent = "destroy")]
    pub(crate) jobs: HasMany<Job>,
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
pub(crate) struct Job {
    pub(crate) id: i64,
    pub(crate) queue_id: Option<i64>,
    pub(crate) text: String,
    #[belongs_to(counter_cache)]
    pub(crate) queue: BelongsTo<Option<Queue>>,
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
