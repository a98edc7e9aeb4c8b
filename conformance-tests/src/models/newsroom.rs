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
pub(crate) struct Section {
    #[column(length = 20)]
    pub(crate) code: String,
    #[has_many(foreign_key = "section_code")]
    pub(crate) stories: HasMany<Story>,
    // What its condition says is known as well.
    #[has_many(foreign_key = "section_code", filter = Story::KIND.eq("brief"))]
    pub(crate) briefs: HasMany<Story>,
    #[has_one(foreign_key = "section_code")]
    pub(crate) cover: HasOne<Option<Story>>,
    #[has_many(foreign_key = "section_code")]
    pub(crate) postings: HasMany<Posting>,
    #[has_many(through = "postings", source = "reporter")]
    pub(crate) reporters: HasManyThrough<Reporter>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "stories", callbacks)]
pub(crate) struct Story {
    pub(crate) id: i64,
    #[column(length = 20)]
    pub(crate) section_code: Option<String>,
    pub(crate) edition_year: Option<i32>,
    #[column(length = 20)]
    pub(crate) edition_code: Option<String>,
    #[column(length = 20, default = "'long'")]
    pub(crate) kind: String,
    pub(crate) title: String,
    pub(crate) seen: Option<String>,
    #[belongs_to(foreign_key = "section_code", primary_key = "code")]
    pub(crate) section: BelongsTo<Option<Section>>,
    #[belongs_to(foreign_key = "edition_year, edition_code")]
    pub(crate) edition: BelongsTo<Option<Edition>>,
    #[has_many(as = "subject", dependent = "destroy")]
    pub(crate) letters: HasMany<Letter>,
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
pub(crate) struct Edition {
    pub(crate) year: i32,
    #[column(length = 20)]
    pub(crate) code: String,
    #[has_many(foreign_key = "edition_year, edition_code")]
    pub(crate) stories: HasMany<Story>,
}

#[derive(Polymorphic, Debug, Clone, PartialEq)]
pub(crate) enum Subject {
    Story(Story),
    Reporter(Reporter),
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "letters", callbacks)]
pub(crate) struct Letter {
    pub(crate) id: i64,
    pub(crate) subject_id: Option<i64>,
    #[column(length = 20)]
    pub(crate) subject_type: Option<String>,
    pub(crate) seen: Option<String>,
    #[belongs_to(polymorphic)]
    pub(crate) subject: BelongsTo<Option<Subject>>,
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
pub(crate) struct Posting {
    pub(crate) id: i64,
    #[column(length = 20)]
    pub(crate) section_code: String,
    pub(crate) reporter_id: i64,
    pub(crate) seen: Option<String>,
    #[belongs_to]
    pub(crate) reporter: BelongsTo<Reporter>,
}

#[callbacks]
impl Callbacks for Posting {
    async fn before_validate(posting: &mut Change<Self>, _: &CallbackContext<'_>) -> Result<()> {
        let reporter = if posting.get(Posting::REPORTER_ID)?.is_some() { "a reporter" } else { "no reporter" };
        let columns = [seen(posting, Posting::SECTION_CODE), reporter.to_owned()];
        if posting.get(Posting::SECTION_CODE)?.as_deref() == Some("closed") {
            posting.add_error(FieldError::new("section_code", "takes nobody"));
        }
        note(posting, Posting::SEEN, &columns);
        Ok(())
    }
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "reporters")]
pub(crate) struct Reporter {
    pub(crate) id: i64,
    pub(crate) name: String,
    #[has_many(as = "subject")]
    pub(crate) letters: HasMany<Letter>,
}

/// The tables of the models above.
pub(crate) async fn tables(repo: &Repo) -> Result<()> {
    repo.create_table::<Section>().await?;
    repo.create_table::<Story>().await?;
    repo.create_table::<Edition>().await?;
    repo.create_table::<Letter>().await?;
    repo.create_table::<Posting>().await?;
    repo.create_table::<Reporter>().await
}
