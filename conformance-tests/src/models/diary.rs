//! Associations whose conditions depend on their owner, and rows between with conditions.

use assoc_core::Result;
use assoc_repo::Repo;
use assoc_repo::prelude::*;

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "persons")]
pub(crate) struct Person {
    pub(crate) id: i64,
    pub(crate) tenant_id: i64,
    pub(crate) birth_year: i64,
    #[has_many]
    pub(crate) all_events: HasMany<Event>,
    #[has_many(scope_by_owner = of_birth_year)]
    pub(crate) events: HasMany<Event>,
    #[has_one(scope_by_owner = of_birth_year, filter = Event::MAIN.eq(true))]
    pub(crate) birth: HasOne<Option<Event>>,
    #[has_many]
    pub(crate) readings: HasMany<Reading>,
    #[has_many(filter = Reading::SKIMMER.eq(true))]
    pub(crate) skims: HasMany<Reading>,
    #[has_many(through = "skims", source = "article")]
    pub(crate) skimmed: HasManyThrough<Article>,
    #[has_many(scope_by_owner = of_own_tenant)]
    pub(crate) own_readings: HasMany<Reading>,
    #[has_many(through = "own_readings", source = "article", scope_by_owner = published_then)]
    pub(crate) own_articles: HasManyThrough<Article>,
}

fn of_birth_year(person: &Person, events: Scope<Event>) -> Scope<Event> {
    events.filter(Event::YEAR.eq(person.birth_year))
}

fn of_own_tenant(person: &Person, readings: Scope<Reading>) -> Scope<Reading> {
    readings.filter(Reading::TENANT_ID.eq(person.tenant_id))
}

fn published_then(person: &Person, articles: Scope<Article>) -> Scope<Article> {
    articles.filter(Article::YEAR.eq(person.birth_year))
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "events")]
pub(crate) struct Event {
    pub(crate) id: i64,
    pub(crate) person_id: Option<i64>,
    #[column(default = "0")]
    pub(crate) year: i64,
    #[column(default = "FALSE")]
    pub(crate) main: bool,
    pub(crate) text: String,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "readings")]
pub(crate) struct Reading {
    pub(crate) id: i64,
    pub(crate) person_id: i64,
    pub(crate) article_id: i64,
    #[column(default = "FALSE")]
    pub(crate) skimmer: bool,
    #[column(default = "0")]
    pub(crate) tenant_id: i64,
    #[belongs_to]
    pub(crate) person: BelongsTo<Person>,
    #[belongs_to]
    pub(crate) article: BelongsTo<Article>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "articles")]
pub(crate) struct Article {
    pub(crate) id: i64,
    #[column(default = "0")]
    pub(crate) year: i64,
    pub(crate) title: String,
}

pub(crate) async fn tables(repo: &Repo) -> Result<()> {
    repo.create_table::<Person>().await?;
    repo.create_table::<Event>().await?;
    repo.create_table::<Reading>().await?;
    repo.create_table::<Article>().await
}
