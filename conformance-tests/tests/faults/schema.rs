//! Rows with members of every kind, and what depends on them by every rule.

use std::cell::Cell;

use assoc_core::{ColumnType, DecodeError, SqlType};
use assoc_repo::prelude::*;

/// Text that cannot always be read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fragile(pub(crate) String);

/// What reading a [`Fragile`] value does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    Fails,
    Panics,
}

thread_local! {
    // The reads until one breaks. Rows are decoded in the thread of their task.
    static BREAKS: Cell<Option<(usize, Reading)>> = const { Cell::new(None) };
}

/// Lets this number of values be read, and breaks at the next one.
pub(crate) fn break_reading(after: usize, how: Reading) {
    BREAKS.set(Some((after, how)));
}

/// Lets all values be read again; whether there was one at which reading broke.
pub(crate) fn mend_reading() -> bool {
    BREAKS.take().is_none()
}

impl ColumnType for Fragile {
    const SQL_TYPE: SqlType = SqlType::Text;

    fn from_value(value: &mut Value<'_>) -> Result<Self, DecodeError> {
        match BREAKS.get() {
            Some((0, how)) => {
                BREAKS.set(None);
                match how {
                    Reading::Fails => return Err(DecodeError::new("injected failure", value)),
                    Reading::Panics => std::panic::panic_any("injected panic"),
                }
            }
            Some((left, how)) => BREAKS.set(Some((left - 1, how))),
            None => {}
        }
        String::from_value(value).map(Fragile)
    }

    fn to_value(&self) -> Value<'_> {
        self.0.to_value()
    }
}

#[derive(Model, Debug, Clone, PartialEq)]
pub(crate) struct Company {
    pub(crate) id: i64,
    pub(crate) name: Fragile,
}

#[derive(Model, Debug, Clone, PartialEq)]
pub(crate) struct Author {
    pub(crate) id: i64,
    pub(crate) company_id: Option<i64>,
    pub(crate) name: Fragile,
    #[belongs_to]
    pub(crate) company: BelongsTo<Option<Company>>,
    #[has_many(dependent = "destroy")]
    pub(crate) posts: HasMany<Post>,
    #[has_one(dependent = "delete")]
    pub(crate) account: HasOne<Option<Account>>,
    #[has_many(dependent = "destroy")]
    pub(crate) memberships: HasMany<Membership>,
    #[has_many(through = "memberships")]
    pub(crate) groups: HasManyThrough<Group>,
    #[has_many(as = "subject", dependent = "nullify")]
    pub(crate) pictures: HasMany<Picture>,
    #[has_many(dependent = "restrict_with_error")]
    pub(crate) contracts: HasMany<Contract>,
    #[has_many(foreign_key = "author_id")]
    pub(crate) letters: HasMany<Letter>,
}

#[derive(Model, Debug, Clone, PartialEq)]
pub(crate) struct Account {
    pub(crate) id: i64,
    pub(crate) author_id: Option<i64>,
    pub(crate) number: Fragile,
}

#[derive(Model, Debug, Clone, PartialEq)]
pub(crate) struct Post {
    pub(crate) id: i64,
    pub(crate) author_id: i64,
    pub(crate) title: Fragile,
    #[has_many(dependent = "destroy")]
    pub(crate) comments: HasMany<Comment>,
    #[has_and_belongs_to_many]
    pub(crate) tags: HasAndBelongsToMany<Tag>,
}

#[derive(Model, Debug, Clone, PartialEq)]
pub(crate) struct Comment {
    pub(crate) id: i64,
    pub(crate) post_id: i64,
    // Comments on comments, so that they go level by level.
    pub(crate) answers_id: Option<i64>,
    pub(crate) body: Fragile,
    #[has_many(foreign_key = "answers_id", dependent = "destroy")]
    pub(crate) answers: HasMany<Comment>,
}

#[derive(Model, Debug, Clone, PartialEq)]
pub(crate) struct Tag {
    pub(crate) id: i64,
    pub(crate) name: Fragile,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "posts_tags", primary_key = "post_id, tag_id")]
pub(crate) struct PostTag {
    pub(crate) post_id: i64,
    pub(crate) tag_id: i64,
}

#[derive(Model, Debug, Clone, PartialEq)]
pub(crate) struct Membership {
    pub(crate) id: i64,
    pub(crate) author_id: i64,
    pub(crate) group_id: i64,
    pub(crate) role: Option<String>,
    #[belongs_to]
    pub(crate) group: BelongsTo<Group>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "guilds")]
pub(crate) struct Group {
    pub(crate) id: i64,
    pub(crate) name: Fragile,
}

#[derive(Polymorphic, Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "models of a test are as large as they are")]
pub(crate) enum Subject {
    Author(Author),
    Post(Post),
}

#[derive(Model, Debug, Clone, PartialEq)]
pub(crate) struct Picture {
    pub(crate) id: i64,
    pub(crate) name: Fragile,
    pub(crate) subject_id: Option<i64>,
    #[column(length = 20)]
    pub(crate) subject_type: Option<String>,
    #[belongs_to(polymorphic)]
    pub(crate) subject: BelongsTo<Option<Subject>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
pub(crate) struct Contract {
    pub(crate) id: i64,
    pub(crate) author_id: i64,
}

/// Its key has two columns, one of which is a part of its own.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(primary_key = "year, number")]
pub(crate) struct Letter {
    pub(crate) year: i64,
    pub(crate) number: i64,
    pub(crate) author_id: Option<i64>,
}

pub(crate) async fn make_tables(repo: &Repo) -> Result<()> {
    repo.create_table::<Company>().await?;
    repo.create_table::<Author>().await?;
    repo.create_table::<Account>().await?;
    repo.create_table::<Post>().await?;
    repo.create_table::<Comment>().await?;
    repo.create_table::<Tag>().await?;
    repo.create_table::<PostTag>().await?;
    repo.create_table::<Group>().await?;
    repo.create_table::<Membership>().await?;
    repo.create_table::<Picture>().await?;
    repo.create_table::<Contract>().await?;
    repo.create_table::<Letter>().await
}

/// Adds the rows of a table, as text.
pub(crate) async fn table<M: Model + std::fmt::Debug>(repo: &Repo, rows: &mut Vec<String>) -> Result<()> {
    let mut own: Vec<String> = repo.all(Query::<M>::new()).await?.into_iter().map(|row| format!("{row:?}")).collect();
    own.sort();
    rows.extend(own);
    Ok(())
}

/// All rows, as text.
pub(crate) async fn dump(repo: &Repo) -> Result<Vec<String>> {
    let mut rows = Vec::new();
    table::<Company>(repo, &mut rows).await?;
    table::<Author>(repo, &mut rows).await?;
    table::<Account>(repo, &mut rows).await?;
    table::<Post>(repo, &mut rows).await?;
    table::<Comment>(repo, &mut rows).await?;
    table::<Tag>(repo, &mut rows).await?;
    table::<PostTag>(repo, &mut rows).await?;
    table::<Group>(repo, &mut rows).await?;
    table::<Membership>(repo, &mut rows).await?;
    table::<Picture>(repo, &mut rows).await?;
    table::<Contract>(repo, &mut rows).await?;
    table::<Letter>(repo, &mut rows).await?;
    Ok(rows)
}
