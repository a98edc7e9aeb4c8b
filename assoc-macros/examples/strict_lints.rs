//! A crate that denies every lint it can: what the derives write must not trip one. Being a library, its public items
//! count as documented or not; built and linted with everything else.
#![deny(missing_docs, unused, unreachable_pub, missing_debug_implementations, clippy::all, clippy::pedantic)]

use assoc_core::{BelongsTo, HasAndBelongsToMany, HasMany, HasManyThrough, HasOne, RowOrigin, Scope};
use assoc_macros::{ColumnType, Model, Polymorphic};

/// Someone who writes.
#[derive(Model, Debug, Clone, PartialEq)]
pub struct Author {
    /// The key.
    pub id: AuthorId,
    /// What it says on the cover.
    pub name: String,
    secret: Option<Vec<u8>>,
    #[model(skip)]
    draft: bool,
    /// Everything written.
    #[has_many]
    pub books: HasMany<Book>,
    #[has_one]
    favourite: HasOne<Option<Book>>,
    /// The originals of everything written.
    #[has_many(through = "books", distinct, order = Book::TITLE.asc(), limit = 10)]
    pub originals: HasManyThrough<Book>,
    #[has_one(scope = by_title, readonly, inverse_of = "author")]
    first: HasOne<Option<Book>>,
    /// Whom they read.
    #[has_and_belongs_to_many(foreign_key = "reader_id", association_foreign_key = "author_id")]
    pub reads: HasAndBelongsToMany<Author>,
    #[has_many(as = "subject", scope_by_owner = about)]
    reviews: HasMany<Review>,
}

fn by_title(books: Scope<Book>) -> Scope<Book> {
    books.order_by(Book::TITLE.asc())
}

fn about(author: &Author, reviews: Scope<Review>) -> Scope<Review> {
    reviews.filter(Review::TEXT.like(author.name.as_str()))
}

/// What somebody thinks.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(default_scope = "Review::written")]
pub struct Review {
    /// The key.
    pub id: i64,
    /// What it says.
    pub text: String,
    subject_id: AuthorId,
    subject_type: String,
    /// What it is about.
    #[belongs_to(polymorphic)]
    pub subject: BelongsTo<Subject>,
}

impl Review {
    fn written(reviews: Scope<Self>) -> Scope<Self> {
        reviews.filter(Review::TEXT.ne(""))
    }
}

/// What reviews are about.
#[derive(Polymorphic, Debug, Clone, PartialEq)]
pub enum Subject {
    /// Somebody.
    Author(Author),
}

/// A book.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "books", primary_key = "author_id, title")]
pub struct Book {
    /// By whom.
    pub author_id: AuthorId,
    /// The title.
    pub title: String,
    origin: RowOrigin,
    /// By whom, loaded.
    #[belongs_to]
    pub author: BelongsTo<Author>,
    /// The book this one is a translation of.
    #[belongs_to(foreign_key = "author_id, original_title")]
    pub original: BelongsTo<Option<Book>>,
    /// Its title.
    pub original_title: Option<String>,
}

/// An author's number.
#[derive(ColumnType, Debug, Clone, Copy, PartialEq, Eq)]
#[column_type(key)]
pub struct AuthorId(pub i64);

/// A row without a key.
#[derive(Model, Debug, Clone, Copy, PartialEq)]
pub struct Visit {
    /// Who came.
    pub author_id: i64,
}

mod inside {
    use assoc_macros::Model;

    /// Not public, with fields that look as if they were.
    #[derive(Model, Debug, Clone)]
    pub(crate) struct Draft {
        pub id: i64,
        pub(crate) r#type: String,
    }
}

/// Something that uses all of it.
#[must_use]
pub fn drafts() -> usize {
    let draft = inside::Draft { id: 1, r#type: String::new() };
    draft.r#type.len() + usize::from(draft.id > 0)
}
