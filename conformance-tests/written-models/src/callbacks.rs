//! Models with callbacks, each of which writes down that it has run, and refuses if it is told to.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use assoc_core::{Error, Result};
use assoc_repo::prelude::*;
use assoc_repo::{CallbackContext, Callbacks, Change, ColumnChange, FieldError, RowAction, callbacks};

/// What has run on a database, and what is to refuse there. Callbacks are functions without state, and cases run beside
/// each other, so it is kept by the address of the driver.
#[derive(Default)]
struct Log {
    lines: Vec<String>,
    refused: Option<String>,
}

static LOGS: Mutex<Option<HashMap<usize, Log>>> = Mutex::new(None);

fn logs() -> MutexGuard<'static, Option<HashMap<usize, Log>>> {
    LOGS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn of(repo: &Repo) -> usize {
    Arc::as_ptr(repo.driver()).cast::<()>() as usize
}

/// What has run since the last time.
pub fn take(repo: &Repo) -> Vec<String> {
    let mut logs = logs();
    std::mem::take(&mut logs.get_or_insert_default().entry(of(repo)).or_default().lines)
}

/// Makes a callback refuse: `Article.before_save`.
pub fn refuse(repo: &Repo, what: &str) {
    logs().get_or_insert_default().entry(of(repo)).or_default().refused = Some(what.to_owned());
}

/// Makes none refuse any more; whether one was to.
pub fn refuse_none(repo: &Repo) -> bool {
    logs().get_or_insert_default().entry(of(repo)).or_default().refused.take().is_some()
}

pub(crate) fn ran(repo: &Repo, what: &str, detail: &str) -> Result<()> {
    let mut logs = logs();
    let log = logs.get_or_insert_default().entry(of(repo)).or_default();
    log.lines.push(if detail.is_empty() { what.to_owned() } else { format!("{what} {detail}") });
    if log.refused.as_deref() == Some(what) {
        log.refused = None;
        return Err(Error::other(format!("{what} refuses")));
    }
    Ok(())
}

fn columns(changes: &[ColumnChange]) -> String {
    let one = |change: &ColumnChange| match &change.before {
        Some(before) => format!("{}: {before} -> {}", change.column.name, change.after),
        None => change.column.name.to_owned(),
    };
    changes.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn detail(name: &str, cx: &CallbackContext<'_>, changes: &[ColumnChange]) -> String {
    let action = match cx.action() {
        RowAction::Insert => "insert",
        RowAction::Update => "update",
        RowAction::Destroy => "destroy",
    };
    let columns = columns(changes);
    let columns = if columns.is_empty() { columns } else { format!(" ({columns})") };
    format!("`{name}`: {action}, {}{columns}", cx.cause())
}

/// Every callback of a model: it writes down the column that names the row.
macro_rules! all_callbacks {
    ($model:ident, $column:ident, $field:ident $(, before_validate: $validate:expr)?) => {
        #[callbacks]
        impl Callbacks for $model {
            async fn before_validate(change: &mut Change<Self>, cx: &CallbackContext<'_>) -> Result<()> {
                $($validate(change)?;)?
                before::<Self>("before_validate", change, cx, change.get($model::$column)?.unwrap_or_default())
            }
            async fn before_save(change: &mut Change<Self>, cx: &CallbackContext<'_>) -> Result<()> {
                before::<Self>("before_save", change, cx, change.get($model::$column)?.unwrap_or_default())
            }
            async fn before_insert(change: &mut Change<Self>, cx: &CallbackContext<'_>) -> Result<()> {
                before::<Self>("before_insert", change, cx, change.get($model::$column)?.unwrap_or_default())
            }
            async fn before_update(change: &mut Change<Self>, cx: &CallbackContext<'_>) -> Result<()> {
                before::<Self>("before_update", change, cx, change.get($model::$column)?.unwrap_or_default())
            }
            async fn after_insert(row: &Self, cx: &CallbackContext<'_>) -> Result<()> {
                after::<Self>("after_insert", cx, &row.$field)
            }
            async fn after_update(row: &Self, cx: &CallbackContext<'_>) -> Result<()> {
                after::<Self>("after_update", cx, &row.$field)
            }
            async fn after_save(row: &Self, cx: &CallbackContext<'_>) -> Result<()> {
                after::<Self>("after_save", cx, &row.$field)
            }
            async fn before_destroy(row: &Self, cx: &CallbackContext<'_>) -> Result<()> {
                after::<Self>("before_destroy", cx, &row.$field)
            }
            async fn after_destroy(row: &Self, cx: &CallbackContext<'_>) -> Result<()> {
                after::<Self>("after_destroy", cx, &row.$field)
            }
            async fn after_commit(row: &Self, cx: &CallbackContext<'_>) -> Result<()> {
                after::<Self>("after_commit", cx, &row.$field)
            }
            async fn after_rollback(row: &Self, cx: &CallbackContext<'_>) -> Result<()> {
                after::<Self>("after_rollback", cx, &row.$field)
            }
        }
    };
}

fn before<M: Model>(point: &str, change: &Change<M>, cx: &CallbackContext<'_>, name: String) -> Result<()> {
    ran(cx.repo(), &format!("{}.{point}", M::DEF.name), &detail(&name, cx, &change.changed()))
}

fn after<M: Model>(point: &str, cx: &CallbackContext<'_>, name: &str) -> Result<()> {
    // Ids differ between databases once an insert was undone, so of new rows only the names of columns are noted.
    ran(cx.repo(), &format!("{}.{point}", M::DEF.name), &detail(name, cx, cx.changes()))
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "authors", callbacks)]
pub struct Author {
    pub id: i64,
    pub name: String,
    #[has_many(
        dependent = "destroy",
        before_add = [Self::check_article, Self::count_article],
        after_add = Self::added_article,
        before_remove = Self::check_removed,
        after_remove = [Self::removed_article, Self::removed_once_more]
    )]
    pub articles: HasMany<Article>,
    #[has_one(dependent = "destroy")]
    pub profile: HasOne<Option<Profile>>,
    #[has_many]
    pub memberships: HasMany<Membership>,
    #[has_many(
        through = "memberships",
        before_add = Self::check_club,
        after_add = Self::added_club,
        before_remove = Self::check_removed_club,
        after_remove = Self::removed_club
    )]
    pub clubs: HasManyThrough<Club>,
    #[has_and_belongs_to_many(
        before_add = Self::check_label,
        after_add = Self::added_label,
        before_remove = Self::check_removed_label,
        after_remove = Self::removed_label
    )]
    pub labels: HasAndBelongsToMany<Label>,
}

/// The callbacks of an association: each is named after what it does.
macro_rules! member_callbacks {
    ($($name:ident: $point:literal of $target:ident by $field:ident;)+) => {
        impl Author {
            $(
                async fn $name(owner: &Author, member: &$target, cx: &CallbackContext<'_>) -> Result<()> {
                    let detail = format!("`{}` `{}`", owner.name, member.$field);
                    ran(cx.repo(), concat!("Author.", $point), &detail)
                }
            )+
        }
    };
}

impl Author {
    async fn check_article(owner: &Author, article: &Change<Article>, cx: &CallbackContext<'_>) -> Result<()> {
        let new = if article.is_new() { "new " } else { "" };
        let detail = format!("`{}` {new}`{}`", owner.name, article.get(Article::TITLE)?.unwrap_or_default());
        // The owner exists by then, and the transaction sees it.
        let known = cx.repo().exists(Query::filter(Author::ID.eq(owner.id))).await?;
        if !known || article.get(Article::AUTHOR_ID)?.flatten() != Some(owner.id) {
            return Err(Error::other("the owner is not there"));
        }
        ran(cx.repo(), "Author.before_add", &detail)
    }

    async fn count_article(_: &Author, article: &Change<Article>, cx: &CallbackContext<'_>) -> Result<()> {
        ran(cx.repo(), "Author.before_add_2", &format!("`{}`", article.get(Article::TITLE)?.unwrap_or_default()))
    }

    async fn check_club(owner: &Author, club: &Change<Club>, cx: &CallbackContext<'_>) -> Result<()> {
        let detail = format!("`{}` `{}`", owner.name, club.get(Club::NAME)?.unwrap_or_default());
        ran(cx.repo(), "Author.before_add_club", &detail)
    }

    async fn check_label(owner: &Author, label: &Change<Label>, cx: &CallbackContext<'_>) -> Result<()> {
        let detail = format!("`{}` `{}`", owner.name, label.get(Label::NAME)?.unwrap_or_default());
        ran(cx.repo(), "Author.before_add_label", &detail)
    }
}

member_callbacks! {
    added_article: "after_add" of Article by title;
    check_removed: "before_remove" of Article by title;
    removed_article: "after_remove" of Article by title;
    removed_once_more: "after_remove_2" of Article by title;
    added_club: "after_add_club" of Club by name;
    check_removed_club: "before_remove_club" of Club by name;
    removed_club: "after_remove_club" of Club by name;
    added_label: "after_add_label" of Label by name;
    check_removed_label: "before_remove_label" of Label by name;
    removed_label: "after_remove_label" of Label by name;
}

all_callbacks!(Author, NAME, name);

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "articles", callbacks)]
pub struct Article {
    pub id: i64,
    pub author_id: Option<i64>,
    #[column(length = 40)]
    pub title: String,
    #[column(length = 40)]
    pub slug: String,
    #[belongs_to]
    pub author: BelongsTo<Option<Author>>,
    #[has_many(dependent = "destroy")]
    pub remarks: HasMany<Remark>,
}

// A slug is made of the title, and a title without letters has none.
fn slug(article: &mut Change<Article>) -> Result<()> {
    let title = article.get(Article::TITLE)?.unwrap_or_default();
    if article.is_changed(Article::TITLE) {
        article.set(Article::SLUG, title.to_lowercase());
    }
    if title.starts_with('?') {
        article.add_error(FieldError::new("title", "has no letters").with_code("letters"));
    }
    Ok(())
}

all_callbacks!(Article, TITLE, title, before_validate: slug);

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "remarks", callbacks)]
pub struct Remark {
    pub id: i64,
    pub article_id: i64,
    #[column(length = 40)]
    pub body: String,
}

all_callbacks!(Remark, BODY, body);

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "profiles", callbacks)]
pub struct Profile {
    pub id: i64,
    pub author_id: Option<i64>,
    #[column(length = 40)]
    pub motto: String,
}

all_callbacks!(Profile, MOTTO, motto);

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "memberships", callbacks)]
pub struct Membership {
    pub id: i64,
    pub author_id: i64,
    pub club_id: i64,
    #[column(length = 40, default = "'plain'")]
    pub role: String,
    #[belongs_to]
    pub club: BelongsTo<Club>,
}

all_callbacks!(Membership, ROLE, role);

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "clubs")]
pub struct Club {
    pub id: i64,
    #[column(length = 40)]
    pub name: String,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "labels")]
pub struct Label {
    pub id: i64,
    #[column(length = 40)]
    pub name: String,
}

/// The tables of the models above; titles are unique.
pub async fn tables(repo: &Repo) -> Result<()> {
    let _ = (take(repo), refuse_none(repo));
    repo.create_table::<Author>().await?;
    repo.create_table::<Article>().await?;
    repo.create_table::<Remark>().await?;
    repo.create_table::<Profile>().await?;
    repo.create_table::<Membership>().await?;
    repo.create_table::<Club>().await?;
    repo.create_table::<Label>().await?;
    repo.execute_raw("CREATE TABLE authors_labels (author_id BIGINT NOT NULL, label_id BIGINT NOT NULL)", []).await?;
    repo.execute_raw("CREATE UNIQUE INDEX one_title ON articles (title)", []).await?;
    Ok(())
}

/// A page whose callbacks write themselves: they log, keep a digest, and save it once more.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "pages", callbacks)]
pub struct Page {
    pub id: i64,
    pub book_id: Option<i64>,
    #[column(length = 40)]
    pub text: String,
    #[column(length = 40)]
    pub digest: Option<String>,
    #[belongs_to]
    pub book: BelongsTo<Option<Book>>,
}

#[callbacks]
impl Callbacks for Page {
    async fn after_insert(page: &Self, cx: &CallbackContext<'_>) -> Result<()> {
        let digest = format!("{} of {}", page.id, page.text.len());
        cx.repo().update(page.change().set(Page::DIGEST, digest)).await?;
        if let Some(book) = page.book_id {
            cx.repo().update_all(Query::filter(Book::ID.eq(book)), [Book::PAGES.add(1)]).await?;
        }
        Ok(())
    }

    async fn after_update(page: &Self, cx: &CallbackContext<'_>) -> Result<()> {
        // Without end, unless something stops it.
        if let Some(times) = cx.change_of(Page::TEXT).and(page.text.strip_prefix("again")) {
            let change = page.change().set(Page::TEXT, format!("again{times}!"));
            cx.repo().update(change).await?;
        }
        Ok(())
    }
}

/// A book whose first pages are kept when it is destroyed, and which writes down what happens.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "books", callbacks)]
pub struct Book {
    pub id: i64,
    #[column(length = 40)]
    pub name: String,
    pub pages: i64,
    #[has_many(dependent = "destroy", foreign_key = "book_id")]
    pub sheets: HasMany<Page>,
    #[has_many(dependent = "destroy")]
    pub sales: HasMany<Sale>,
}

#[callbacks]
impl Callbacks for Book {
    async fn before_destroy(book: &Self, cx: &CallbackContext<'_>) -> Result<()> {
        let kept = Query::filter(Page::BOOK_ID.eq(book.id).and(Page::TEXT.eq("kept")));
        cx.repo().update_all(kept, [Page::BOOK_ID.to(None)]).await?;
        // One more row that is destroyed as well.
        cx.repo().insert(Sale::build().set(Sale::BOOK_ID, book.id).set(Sale::AMOUNT, 0)).await?;
        Ok(())
    }
}

/// A sale: each that is destroyed is written down in a row of its own.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "sales", callbacks)]
pub struct Sale {
    pub id: i64,
    pub book_id: i64,
    pub amount: i64,
}

#[callbacks]
impl Callbacks for Sale {
    async fn before_destroy(sale: &Self, cx: &CallbackContext<'_>) -> Result<()> {
        cx.repo().insert(Audit::build().set(Audit::AMOUNT, sale.amount)).await?;
        Ok(())
    }
}

/// What was written down.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "audits")]
pub struct Audit {
    pub id: i64,
    pub amount: i64,
}

/// The tables of books.
pub async fn books(repo: &Repo) -> Result<()> {
    repo.create_table::<Book>().await?;
    repo.create_table::<Page>().await?;
    repo.create_table::<Sale>().await?;
    repo.create_table::<Audit>().await
}

/// Coins of a purse, whose amounts a database may round: then rows that were inserted together cannot be told apart.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "purses")]
pub struct Purse {
    pub id: i64,
    #[has_many]
    pub coins: HasMany<Coin>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "coins", callbacks)]
pub struct Coin {
    pub id: i64,
    pub purse_id: i64,
    #[column(precision = 12, scale = 2)]
    pub amount: rust_decimal::Decimal,
}

#[callbacks]
impl Callbacks for Coin {
    async fn before_insert(_: &mut Change<Self>, cx: &CallbackContext<'_>) -> Result<()> {
        ran(cx.repo(), "Coin.before_insert", "")
    }
    async fn after_insert(_: &Self, cx: &CallbackContext<'_>) -> Result<()> {
        ran(cx.repo(), "Coin.after_insert", "")
    }
    async fn after_commit(_: &Self, cx: &CallbackContext<'_>) -> Result<()> {
        ran(cx.repo(), "Coin.after_commit", "")
    }
}
