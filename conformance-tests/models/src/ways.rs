//! Through associations with conditions, and through models with keys of all kinds.

use assoc_core::{Result, Value};
use assoc_repo::Repo;
use assoc_repo::prelude::*;
use uuid::Uuid;

use super::blog::{self, Author, Comment, Post};
use super::keys::{self, Book, Shelf};

/// An author, as the one who looks at what was said.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "authors")]
pub struct Critic {
    pub id: i64,
    pub name: String,
    #[has_many(foreign_key = "author_id")]
    pub posts: HasMany<Post>,
    #[has_one(foreign_key = "author_id", order = Post::ID.desc())]
    pub latest_post: HasOne<Option<Post>>,
    #[has_many(foreign_key = "author_id", order = Post::ID.asc(), limit = 1)]
    pub first_posts: HasMany<Post>,
    #[has_many(through = "posts")]
    pub comments: HasManyThrough<Comment>,
    #[has_many(through = "posts", source = "comments", scope = approved)]
    pub approved_comments: HasManyThrough<Comment>,
    #[has_many(through = "posts", source = "comments", scope = refused)]
    pub refused_comments: HasManyThrough<Comment>,
    #[has_many(through = "posts", source = "comments", scope = last_approved)]
    pub last_approved: HasManyThrough<Comment>,
    #[has_many(through = "posts", source = "comments", scope = by_sql)]
    pub by_sql: HasManyThrough<Comment>,
    #[has_many(through = "first_posts", source = "comments", scope = approved)]
    pub first_approved: HasManyThrough<Comment>,
    #[has_one(through = "latest_post", source = "first_comment", scope = approved)]
    pub latest_answer: HasOne<Option<Comment>>,
    #[has_many(through = "comments", source = "author")]
    pub commenters: HasManyThrough<Author>,
    #[has_many(through = "comments", source = "author", scope = not_ann)]
    pub other_commenters: HasManyThrough<Author>,
    #[has_many(through = "comments", source = "author", scope = others_by_name)]
    pub others_by_name: HasManyThrough<Author>,
    #[has_many(through = "approved_comments", source = "author", scope = not_ann)]
    pub approved_commenters: HasManyThrough<Author>,
}

/// A comment, and what else its author has written.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "comments")]
pub struct Remark {
    pub id: i64,
    pub author_id: Option<i64>,
    #[belongs_to]
    pub author: BelongsTo<Option<Author>>,
    #[has_many(through = "author", source = "posts")]
    pub authors_posts: HasManyThrough<Post>,
}

/// Two authors beside each other.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "duels")]
pub struct Duel {
    pub id: i64,
    pub first_id: i64,
    pub second_id: i64,
    #[belongs_to]
    pub first: BelongsTo<Critic>,
    #[belongs_to]
    pub second: BelongsTo<Critic>,
}

fn approved(comments: Scope<Comment>) -> Scope<Comment> {
    comments.filter(Comment::APPROVED.eq(true))
}

fn refused(comments: Scope<Comment>) -> Scope<Comment> {
    comments.filter(Comment::APPROVED.eq(false))
}

fn last_approved(comments: Scope<Comment>) -> Scope<Comment> {
    approved(comments).order_by(Comment::BODY.desc()).limit(2)
}

fn by_sql(comments: Scope<Comment>) -> Scope<Comment> {
    comments.filter(Filter::raw("approved = ?", [Value::Bool(true)]))
}

fn not_ann(authors: Scope<Author>) -> Scope<Author> {
    authors.filter(Author::NAME.ne("Ann"))
}

fn others_by_name(authors: Scope<Author>) -> Scope<Author> {
    not_ann(authors).order_by(Author::NAME.desc()).distinct()
}

/// All keys of its chain are UUIDs.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "ledgers", auto_increment = false)]
pub struct Ledger {
    pub id: Uuid,
    pub name: String,
    #[has_many]
    pub entries: HasMany<LedgerEntry>,
    #[has_many(through = "entries")]
    pub holders: HasManyThrough<Holder>,
    #[has_many(through = "entries", source = "holder", scope = living)]
    pub living_holders: HasManyThrough<Holder>,
    #[has_and_belongs_to_many(join_table = "ledger_keepers", association_foreign_key = "holder_id")]
    pub keepers: HasAndBelongsToMany<Holder>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "ledger_entries")]
pub struct LedgerEntry {
    pub id: i64,
    pub ledger_id: Uuid,
    pub holder_id: Option<Uuid>,
    #[belongs_to]
    pub holder: BelongsTo<Option<Holder>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "holders", auto_increment = false)]
pub struct Holder {
    pub id: Uuid,
    pub name: String,
    pub living: bool,
}

/// The rows of a join table, to make it.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "ledger_keepers")]
pub struct Keeping {
    pub ledger_id: Uuid,
    pub holder_id: Uuid,
}

fn living(holders: Scope<Holder>) -> Scope<Holder> {
    holders.filter(Holder::LIVING.eq(true))
}

/// A shelf, whose key is an integer and a text.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "shelves", primary_key = "room, code")]
pub struct Rack {
    pub room: i64,
    #[column(length = 20)]
    pub code: String,
    #[has_many(foreign_key = "room, shelf_code")]
    pub books: HasMany<Volume>,
    #[has_many(through = "books", source = "loans", scope = open)]
    pub open_loans: HasManyThrough<Loan>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "books")]
pub struct Volume {
    pub id: i64,
    pub room: Option<i64>,
    #[column(length = 20)]
    pub shelf_code: Option<String>,
    #[has_many(foreign_key = "book_id")]
    pub loans: HasMany<Loan>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "loans")]
pub struct Loan {
    pub id: i64,
    pub book_id: i64,
    pub open: bool,
}

/// Makes the blog, and more to say about it.
pub async fn criticism(repo: &Repo) -> Result<()> {
    blog::fixture(repo).await?;
    let comment = |post: i64, author: i64, body: &str, approved: bool| {
        Comment::build()
            .set(Comment::POST_ID, post)
            .set(Comment::AUTHOR_ID, Some(author))
            .set(Comment::BODY, body)
            .set(Comment::APPROVED, approved)
    };
    repo.create_table::<Duel>().await?;
    let duel = |first: i64, second: i64| Duel::build().set(Duel::FIRST_ID, first).set(Duel::SECOND_ID, second);
    repo.insert_all([duel(1, 2), duel(3, 1)]).await?;
    repo.insert_all([comment(2, 3, "C7", true), comment(1, 3, "C8", true), comment(2, 1, "C9", false)]).await?;
    Ok(())
}

/// Makes ledgers: one of the holders is in two of them, and twice in one.
pub async fn ledgers(repo: &Repo) -> Result<()> {
    repo.create_table::<Ledger>().await?;
    repo.create_table::<LedgerEntry>().await?;
    repo.create_table::<Holder>().await?;
    repo.create_table::<Keeping>().await?;
    repo.insert_all(
        [(1, "house"), (2, "garden"), (3, "empty")]
            .map(|(id, name)| Ledger::build().set(Ledger::ID, Uuid::from_u128(id)).set(Ledger::NAME, name)),
    )
    .await?;
    repo.insert_all([(11, "Ada", true), (12, "Ben", false), (13, "Cleo", true)].map(|(id, name, living)| {
        Holder::build().set(Holder::ID, Uuid::from_u128(id)).set(Holder::NAME, name).set(Holder::LIVING, living)
    }))
    .await?;
    let entry = |ledger: u128, holder: Option<u128>| {
        LedgerEntry::build()
            .set(LedgerEntry::LEDGER_ID, Uuid::from_u128(ledger))
            .set(LedgerEntry::HOLDER_ID, holder.map(Uuid::from_u128))
    };
    repo.insert_all([
        entry(1, Some(13)),
        entry(1, Some(11)),
        entry(1, Some(12)),
        entry(1, Some(11)),
        entry(2, Some(11)),
        entry(2, None),
    ])
    .await?;
    let keeping = |ledger, holder| {
        Keeping::build()
            .set(Keeping::LEDGER_ID, Uuid::from_u128(ledger))
            .set(Keeping::HOLDER_ID, Uuid::from_u128(holder))
    };
    repo.insert_all([keeping(1, 12), keeping(2, 12), keeping(2, 13)]).await?;
    Ok(())
}

/// Makes shelves with books that are on loan.
pub async fn loans(repo: &Repo) -> Result<()> {
    keys::tables(repo).await?;
    repo.create_table::<Loan>().await?;
    let shelf = |room: i64, code: &str| {
        Shelf::build().set(Shelf::ROOM, room).set(Shelf::CODE, code).set(Shelf::LABEL, format!("{room}{code}"))
    };
    repo.insert_all([shelf(1, "a"), shelf(1, "b"), shelf(2, "a")]).await?;
    let book = |room: i64, code: &str, title| {
        Book::build().set(Book::ROOM, Some(room)).set(Book::SHELF_CODE, Some(code.to_owned())).set(Book::TITLE, title)
    };
    repo.insert_all([book(2, "a", "B"), book(1, "a", "A"), book(1, "a", "C"), book(1, "b", "D")]).await?;
    let loan = |book: i64, open| Loan::build().set(Loan::BOOK_ID, book).set(Loan::OPEN, open);
    repo.insert_all([loan(3, true), loan(1, true), loan(2, true), loan(2, false), loan(4, false), loan(3, true)])
        .await?;
    Ok(())
}

fn open(loans: Scope<Loan>) -> Scope<Loan> {
    loans.filter(Loan::OPEN.eq(true))
}
