//! The derives do not depend on what names mean around them, nor on what the core crate is called.
#![no_implicit_prelude]
#![allow(dead_code)]

// Everything the prelude has, with another meaning.
struct Option<T>(T);
struct Result;
struct Vec;
struct String;
struct Box;
struct Some;
struct None;
struct Ok;
struct Err;
trait Clone {}
trait Default {}
trait Into {}
trait From {}
trait Iterator {}
mod std {}
mod core {}

// What an application would have that depends on a crate which re-exports the core.
mod orm {
    pub(crate) mod inner {
        pub(crate) use ::assoc_core::{__private, BelongsTo, HasMany};
    }
}

mod shadowed {
    #[allow(unused_imports)] // What the derives write must not use it.
    use super::*;

    #[derive(::assoc_macros::Model, ::std::clone::Clone)]
    pub(super) struct Author {
        pub(super) id: i64,
        name: ::std::string::String,
        bio: ::std::option::Option<::std::string::String>,
        #[has_many]
        books: ::assoc_core::HasMany<Book>,
        #[has_one]
        latest: ::assoc_core::HasOne<::std::option::Option<Book>>,
    }

    #[derive(::assoc_macros::Model, ::std::clone::Clone)]
    pub(super) struct Book {
        id: BookId,
        pub(super) author_id: i64,
        #[belongs_to]
        pub(super) author: ::assoc_core::BelongsTo<Author>,
    }

    #[derive(
        ::assoc_macros::ColumnType, ::std::clone::Clone, ::std::marker::Copy, ::std::fmt::Debug, ::std::cmp::PartialEq,
    )]
    #[column_type(key)]
    pub(super) struct BookId(i64);
}

mod renamed {
    use super::orm;

    #[derive(::assoc_macros::RepoModel, ::std::clone::Clone)]
    #[model(crate = "orm::inner")]
    pub(super) struct Author {
        pub(super) id: AuthorId,
        #[has_many]
        books: orm::inner::HasMany<Book>,
    }

    #[derive(::assoc_macros::Model, ::std::clone::Clone)]
    #[model(crate = "crate::orm::inner")]
    pub(super) struct Book {
        id: i64,
        author_id: AuthorId,
        #[belongs_to]
        author: orm::inner::BelongsTo<Author>,
    }

    #[derive(::assoc_macros::RepoColumnType, ::std::clone::Clone, ::std::fmt::Debug, ::std::cmp::PartialEq)]
    #[column_type(key, crate = "crate::orm::inner")]
    pub(super) struct AuthorId(i64);
}

// A struct whose fields come out of a macro, types in invisible brackets and all.
macro_rules! row {
    ($name:ident, $key:ident: $id:ty, $association:ident: $holder:ty) => {
        #[derive(::assoc_macros::Model, ::std::clone::Clone)]
        struct $name {
            $key: $id,
            author_id: i64,
            #[belongs_to]
            $association: $holder,
        }
    };
}

row!(Essay, id: i64, author: ::assoc_core::BelongsTo<shadowed::Author>);

#[::std::prelude::v1::test]
fn names_are_found() {
    use ::assoc_core::Model;
    ::std::assert_eq!(shadowed::Author::DEF.table.name, "authors");
    ::std::assert_eq!(shadowed::Book::AUTHOR_ID.index(), 1);
    ::std::assert_eq!(renamed::Author::DEF.associations[0].name, "books");
    ::std::assert_eq!(Essay::AUTHOR.name(), "author");
    let book = shadowed::Book::from_values(&mut [::assoc_core::Value::Int(1), ::assoc_core::Value::Int(2)]);
    ::std::assert!(book.is_ok_and(|book| book.author_id == 2 && book.author().is_err()));
}

// A model inside a function.
#[::std::prelude::v1::test]
fn models_can_be_local() {
    use ::assoc_core::Model;

    #[derive(::assoc_macros::Model, ::std::clone::Clone)]
    struct Local {
        id: i64,
        #[has_many(foreign_key = "parent_id")]
        children: ::assoc_core::HasMany<Child>,
    }

    #[derive(::assoc_macros::Model, ::std::clone::Clone)]
    struct Child {
        id: i64,
        parent_id: i64,
    }

    ::std::assert_eq!(Local::DEF.associations.len(), 1);
}
