//! Associations whose conditions depend on their owner, and rows between with conditions.

use assoc_core::Result;
use assoc_repo::Repo;
use assoc_repo::prelude::*;

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "persons")]
pub struct Person {
    pub id: i64,
    pub tenant_id: i64,
    pub birth_year: i64,
    #[has_many]
    pub all_events: HasMany<Event>,
    #[has_many(scope_by_owner = of_birth_year)]
    pub events: HasMany<Event>,
    #[has_one(scope_by_owner = of_birth_year, filter = Event::MAIN.eq(true))]
    pub birth: HasOne<Option<Event>>,
    #[has_many]
    pub readings: HasMany<Reading>,
    #[has_many(filter = Reading::SKIMMER.eq(true))]
    pub skims: HasMany<Reading>,
    #[has_many(through = "skims", source = "article")]
    pub skimmed: HasManyThrough<Article>,
    #[has_many(scope_by_owner = of_own_tenant)]
    pub own_readings: HasMany<Reading>,
    #[has_many(through = "own_readings", source = "article", scope_by_owner = published_then)]
    pub own_articles: HasManyThrough<Article>,
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
pub struct Event {
    pub id: i64,
    pub person_id: Option<i64>,
    #[column(default = "0")]
    pub year: i64,
    #[column(default = "FALSE")]
    pub main: bool,
    pub text: String,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "readings")]
pub struct Reading {
    pub id: i64,
    pub person_id: i64,
    pub article_id: i64,
    #[column(default = "FALSE")]
    pub skimmer: bool,
    #[column(default = "0")]
    pub tenant_id: i64,
    #[belongs_to]
    pub person: BelongsTo<Person>,
    #[belongs_to]
    pub article: BelongsTo<Article>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "articles")]
pub struct Article {
    pub id: i64,
    #[column(default = "0")]
    pub year: i64,
    pub title: String,
}

pub async fn tables(repo: &Repo) -> Result<()> {
    repo.create_table::<Person>().await?;
    repo.create_table::<Event>().await?;
    repo.create_table::<Reading>().await?;
    repo.create_table::<Article>().await
}
