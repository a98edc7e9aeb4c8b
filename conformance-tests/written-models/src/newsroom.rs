//! Rows whose `before_validate` writes down which keys it sees: of one column and of two, with a type, and between others.

use assoc_core::{ColumnType, Result};
use assoc_repo::Repo;
use assoc_repo::prelude::*;
use assoc_repo::{CallbackContext, Callbacks, Change, FieldError, callbacks};

fn seen<M: Model, V: ColumnType + std::fmt::Debug>(change: &Change<M>, column: Column<M, V>) -> String {
    match change.get(column) {
        Ok(Some(value)) => format!("{value:?}"),
        Ok(None) => "unknown".to_owned(),
        Err(error) => error.to_string(),
    }
}

fn note<M: Model>(change: &mut Change<M>, column: Column<M, Option<String>>, text: &[String]) {
    change.set(column, text.join(", "));
}

/// Its key is text, which the program makes.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "sections", primary_key = "code")]
pub struct Section {
    #[column(length = 20)]
    pub code: String,
    #[has_many(foreign_key = "section_code")]
    pub stories: HasMany<Story>,
    // What its condition says is known as well.
    #[has_many(foreign_key = "section_code", filter = Story::KIND.eq("brief"))]
    pub briefs: HasMany<Story>,
    #[has_one(foreign_key = "section_code")]
    pub cover: HasOne<Option<Story>>,
    #[has_many(foreign_key = "section_code")]
    pub postings: HasMany<Posting>,
    #[has_many(through = "postings", source = "reporter")]
    pub reporters: HasManyThrough<Reporter>,
    // The same, and nothing asks whether they are right.
    #[has_many(through = "postings", source = "reporter", validate = false)]
    pub any_reporters: HasManyThrough<Reporter>,
    #[has_and_belongs_to_many(join_table = "sections_topics", foreign_key = "section_code")]
    pub topics: HasAndBelongsToMany<Topic>,
    #[has_and_belongs_to_many(join_table = "sections_topics", foreign_key = "section_code", validate = false)]
    pub any_topics: HasAndBelongsToMany<Topic>,
    #[has_and_belongs_to_many(
        join_table = "sections_topics",
        foreign_key = "section_code",
        filter = Topic::HOT.eq(true)
    )]
    pub hot_topics: HasAndBelongsToMany<Topic>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "topics", rules = Self::rules)]
pub struct Topic {
    pub id: i64,
    pub name: String,
    #[column(default = "FALSE")]
    pub hot: bool,
    #[has_and_belongs_to_many(join_table = "sections_topics", association_foreign_key = "section_code")]
    pub sections: HasAndBelongsToMany<Section>,
}

impl Topic {
    fn rules(rules: Rules<Topic>) -> Rules<Topic> {
        rules.length(Topic::NAME, 1..)
    }
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "stories", callbacks)]
pub struct Story {
    pub id: i64,
    #[column(length = 20)]
    pub section_code: Option<String>,
    pub edition_year: Option<i32>,
    #[column(length = 20)]
    pub edition_code: Option<String>,
    #[column(length = 20, default = "'long'")]
    pub kind: String,
    pub title: String,
    pub seen: Option<String>,
    #[belongs_to(foreign_key = "section_code", primary_key = "code")]
    pub section: BelongsTo<Option<Section>>,
    #[belongs_to(foreign_key = "edition_year, edition_code")]
    pub edition: BelongsTo<Option<Edition>>,
    #[has_many(as = "subject", dependent = "destroy")]
    pub letters: HasMany<Letter>,
}

#[callbacks]
impl Callbacks for Story {
    async fn before_validate(story: &mut Change<Self>, _: &CallbackContext<'_>) -> Result<()> {
        let columns = [
            seen(story, Story::SECTION_CODE),
            seen(story, Story::EDITION_YEAR),
            seen(story, Story::EDITION_CODE),
            seen(story, Story::KIND),
        ];
        note(story, Story::SEEN, &columns);
        Ok(())
    }
}

/// A key of two columns of different types.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "editions", primary_key = "year, code")]
pub struct Edition {
    pub year: i32,
    #[column(length = 20)]
    pub code: String,
    #[has_many(foreign_key = "edition_year, edition_code")]
    pub stories: HasMany<Story>,
}

#[derive(Polymorphic, Debug, Clone, PartialEq)]
pub enum Subject {
    Story(Story),
    Reporter(Reporter),
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "letters", callbacks)]
pub struct Letter {
    pub id: i64,
    pub subject_id: Option<i64>,
    #[column(length = 20)]
    pub subject_type: Option<String>,
    pub seen: Option<String>,
    #[belongs_to(polymorphic)]
    pub subject: BelongsTo<Option<Subject>>,
}

#[callbacks]
impl Callbacks for Letter {
    async fn before_validate(letter: &mut Change<Self>, _: &CallbackContext<'_>) -> Result<()> {
        // Numbers that the database makes are not written down: they differ once an insert was undone.
        let key = match letter.get(Letter::SUBJECT_ID)?.flatten() {
            Some(_) => "a key".to_owned(),
            None => "no key".to_owned(),
        };
        let columns = [key, seen(letter, Letter::SUBJECT_TYPE)];
        note(letter, Letter::SEEN, &columns);
        Ok(())
    }
}

/// Between sections and reporters.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "postings", callbacks)]
pub struct Posting {
    pub id: i64,
    #[column(length = 20)]
    pub section_code: String,
    pub reporter_id: i64,
    pub seen: Option<String>,
    #[belongs_to]
    pub reporter: BelongsTo<Reporter>,
}

#[callbacks]
impl Callbacks for Posting {
    async fn before_validate(posting: &mut Change<Self>, _: &CallbackContext<'_>) -> Result<()> {
        let reporter = if posting.get(Posting::REPORTER_ID)?.is_some() { "a reporter" } else { "no reporter" };
        let columns = [seen(posting, Posting::SECTION_CODE), reporter.to_owned()];
        if posting.get(Posting::SECTION_CODE)?.as_deref() == Some("closed") {
            posting.add_error(FieldError::new("section_code", "accepts no posting"));
        }
        note(posting, Posting::SEEN, &columns);
        Ok(())
    }
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "reporters", rules = Self::rules)]
pub struct Reporter {
    pub id: i64,
    pub name: String,
    #[has_many(as = "subject")]
    pub letters: HasMany<Letter>,
    #[has_many]
    pub postings: HasMany<Posting>,
}

impl Reporter {
    fn rules(rules: Rules<Reporter>) -> Rules<Reporter> {
        rules.length(Reporter::NAME, 1..)
    }
}

/// Prices whose associations have conditions of many types.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "markets")]
pub struct Market {
    pub id: i64,
    pub opened_at: chrono::NaiveDateTime,
    #[has_many(filter = Price::amount_is("1.50"))]
    pub low: HasMany<Price>,
    #[has_many(scope = Price::of_the_first_day)]
    pub first: HasMany<Price>,
    #[has_many(scope_by_owner = Price::at_the_opening)]
    pub opening: HasMany<Price>,
    #[has_many]
    pub prices: HasMany<Price>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "prices")]
pub struct Price {
    pub id: i64,
    pub market_id: i64,
    #[column(precision = 12, scale = 2, default = "0")]
    pub amount: rust_decimal::Decimal,
    pub day: Option<chrono::NaiveDate>,
    pub at: Option<chrono::NaiveDateTime>,
    pub code: Option<uuid::Uuid>,
    pub bytes: Option<Vec<u8>>,
}

impl Price {
    fn amount_is(text: &str) -> Filter<Price> {
        // A text that is no number would be met by no price.
        Price::AMOUNT.eq(text.parse::<rust_decimal::Decimal>().unwrap_or_default())
    }

    pub fn first_day() -> chrono::NaiveDate {
        chrono::NaiveDate::from_ymd_opt(2001, 2, 3).unwrap_or_default()
    }

    fn of_the_first_day(prices: Scope<Price>) -> Scope<Price> {
        let code = uuid::Uuid::from_bytes([7; 16]);
        prices.filter(Price::DAY.eq(Price::first_day()).and(Price::CODE.eq(code)).and(Price::BYTES.eq(vec![0_u8, 255])))
    }

    fn at_the_opening(market: &Market, prices: Scope<Price>) -> Scope<Price> {
        prices.filter(Price::AT.eq(market.opened_at))
    }
}

/// The tables of the models above.
pub async fn tables(repo: &Repo) -> Result<()> {
    repo.create_table::<Section>().await?;
    repo.create_table::<Story>().await?;
    repo.create_table::<Edition>().await?;
    repo.create_table::<Letter>().await?;
    repo.create_table::<Posting>().await?;
    repo.create_table::<Reporter>().await?;
    repo.create_table::<Topic>().await?;
    let links = "CREATE TABLE sections_topics (section_code VARCHAR(20) NOT NULL, topic_id BIGINT NOT NULL)";
    repo.execute_raw(links, []).await.map(drop)
}

/// The tables of markets.
pub async fn markets(repo: &Repo) -> Result<()> {
    repo.create_table::<Market>().await?;
    repo.create_table::<Price>().await
}
