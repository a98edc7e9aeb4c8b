//! A crate that denies every lint it can: what the derives write must not trip one. Being a library, its public items
//! count as documented or not; built and linted with everything else.
#![deny(missing_docs, unused, unreachable_pub, missing_debug_implementations, clippy::all, clippy::pedantic)]

use assoc_core::{BelongsTo, HasMany, HasOne};
use assoc_macros::{ColumnType, Model};

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
}

/// A book.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "books", primary_key = "author_id, title")]
pub struct Book {
    /// By whom.
    pub author_id: AuthorId,
    /// The title.
    pub title: String,
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
