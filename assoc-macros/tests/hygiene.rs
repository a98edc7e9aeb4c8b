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
        pub(crate) use ::assoc_core::{__private, BelongsTo, HasMany, HasManyThrough};
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
        #[has_many(through = "books", filter = Label::ID.gt(0), distinct)]
        pub(super) labels: ::assoc_core::HasManyThrough<Label>,
        #[has_many(as = "subject", inverse_of = "subject", scope_by_owner = noted)]
        notes: ::assoc_core::HasMany<Note>,
    }

    fn noted(_: &Author, notes: ::assoc_core::Scope<Note>) -> ::assoc_core::Scope<Note> {
        notes
    }

    #[derive(::assoc_macros::Model, ::std::clone::Clone)]
    #[model(default_scope = all, discriminator = "subject_type")]
    pub(super) struct Note {
        id: i64,
        subject_id: i64,
        subject_type: ::std::string::String,
        #[belongs_to(polymorphic)]
        subject: ::assoc_core::BelongsTo<::std::option::Option<Subject>>,
    }

    fn all(notes: ::assoc_core::Scope<Note>) -> ::assoc_core::Scope<Note> {
        notes
    }

    #[derive(::assoc_macros::Polymorphic, ::std::clone::Clone)]
    pub(super) enum Subject {
        Author(Author),
        Label(Label),
    }

    #[derive(::assoc_macros::Model, ::std::clone::Clone)]
    pub(super) struct Label {
        id: i64,
        #[has_and_belongs_to_many(join_table = "book_labels")]
        books: ::assoc_core::HasAndBelongsToMany<Book>,
    }

    #[derive(::assoc_macros::Model, ::std::clone::Clone)]
    pub(super) struct Book {
        id: BookId,
        pub(super) author_id: i64,
        #[belongs_to]
        pub(super) author: ::assoc_core::BelongsTo<Author>,
        #[has_and_belongs_to_many]
        labels: ::assoc_core::HasAndBelongsToMany<Label>,
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
        #[has_many(through = "books", source = "author")]
        pub(super) authors: orm::inner::HasManyThrough<Author>,
    }

    #[derive(::assoc_macros::RepoPolymorphic, ::std::clone::Clone)]
    #[polymorphic(crate = "orm::inner")]
    pub(super) enum Writer {
        Author(Author),
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
    ($name:ident, $table:literal, $key:ident: $id:ty, $length:literal, $association:ident: $holder:ty, $inverse:literal, $scope:path) => {
        #[derive(::assoc_macros::Model, ::std::clone::Clone)]
        #[model(table = $table)]
        struct $name {
            $key: $id,
            #[column(length = $length)]
            title: ::std::string::String,
            #[has_many(inverse_of = $inverse, foreign_key = "essay_id", scope_by_owner = $scope)]
            pages: ::assoc_core::HasMany<Page>,
            author_id: i64,
            #[belongs_to]
            $association: $holder,
        }
    };
}

row!(
    Essay, "treatises", id: i64, 40, author: ::assoc_core::BelongsTo<shadowed::Author>, false,
    self::of_essay
);

fn of_essay(_: &Essay, pages: ::assoc_core::Scope<Page>) -> ::assoc_core::Scope<Page> {
    pages
}

#[derive(::assoc_macros::Model, ::std::clone::Clone)]
struct Page {
    id: i64,
    essay_id: i64,
}

#[::std::prelude::v1::test]
fn names_are_found() {
    use ::assoc_core::Model;
    ::std::assert_eq!(shadowed::Author::DEF.table.name, "authors");
    ::std::assert_eq!(shadowed::Book::AUTHOR_ID.index(), 1);
    ::std::assert_eq!(renamed::Author::DEF.associations[0].name, "books");
    ::std::assert_eq!(Essay::AUTHOR.name(), "author");
    ::std::assert_eq!(Essay::DEF.table.name, "treatises");
    ::std::assert_eq!(Essay::DEF.columns[1].length, ::std::option::Option::Some(40));
    let book = shadowed::Book::from_values(&mut [::assoc_core::Value::Int(1), ::assoc_core::Value::Int(2)]);
    let author = ::assoc_core::Association::def(shadowed::Author::LABELS);
    ::std::assert!(author.kind.route(author).is_ok());
    let _ = (shadowed::Subject::AUTHOR, renamed::Writer::AUTHOR, renamed::Author::AUTHORS);
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
