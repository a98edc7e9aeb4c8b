//! The derives of `assoc`: [`Model`](macro@Model) for structs that are rows, [`Polymorphic`](macro@Polymorphic) for
//! enums of models, [`ColumnType`](macro@ColumnType) for newtypes that are columns.
//!
//! Programs use them through `assoc-repo`, which re-exports them; this documentation holds there too. The derives write
//! constants and thin functions: no attribute costs anything at run time, and each costs little at compile time.
//!
//! A derive reports all mistakes at once, each at its attribute or field. The compiler finds mistakes that concern
//! another struct (its foreign key column, the column's type) in the constants, and reports them at the same places.

use errors::Errors;
use expand::Root;
use proc_macro::TokenStream;
use syn::DeriveInput;

mod attributes;
mod callbacks;
mod column_type;
mod dependent;
mod enumeration;
mod errors;
mod expand;
mod follow;
mod holder;
mod kinds;
mod literal;
mod names;
mod options;
mod parse;
mod plain_options;
mod polymorphic;
#[cfg(test)]
mod snapshots;
mod validate;

#[doc = include_str!("../docs/model.md")]
#[proc_macro_derive(Model, attributes(model, column, belongs_to, has_one, has_many, has_and_belongs_to_many))]
pub fn derive_model(input: TokenStream) -> TokenStream {
    expand_model(input.into(), Root::Core).into()
}

#[doc(hidden)]
#[proc_macro_derive(RepoModel, attributes(model, column, belongs_to, has_one, has_many, has_and_belongs_to_many))]
pub fn derive_repo_model(input: TokenStream) -> TokenStream {
    expand_model(input.into(), Root::Repo).into()
}

/// Makes a newtype or an enum a column type. Of a newtype the database stores the wrapped value.
///
/// ```
/// use assoc_core::{BelongsTo, ColumnType, Model, SqlType};
/// use assoc_macros::{ColumnType, Model};
///
/// #[derive(ColumnType, Debug, Clone, Copy, PartialEq, Eq)]
/// #[column_type(key)]
/// struct UserId(i64);
///
/// #[derive(ColumnType, Debug, Clone)]
/// struct Email(String);
///
/// #[derive(Model, Clone)]
/// struct User {
///     id: UserId,
///     email: Option<Email>,
/// }
///
/// #[derive(Model, Clone)]
/// struct Post {
///     id: i64,
///     user_id: UserId, // An `i64` would not compile: it is no key of a user.
///     #[belongs_to]
///     user: BelongsTo<User>,
/// }
///
/// assert_eq!(UserId::SQL_TYPE, SqlType::Int(64));
/// assert_eq!(User { id: UserId(7), email: None }.key(), UserId(7));
/// ```
///
/// # Enums
///
/// Each variant is stored as a text: its name in snake case, if nothing else is said. Reading another text is an error that
/// names the model, the column, the text and what it could be. The column may be an `ENUM` of MySQL or PostgreSQL as well.
/// With `as`, each variant is stored as its number; a number that does not fit is an error of the compiler.
///
/// ```
/// use assoc_core::{ColumnType, SqlType, Value};
/// use assoc_macros::ColumnType;
///
/// #[derive(ColumnType, Debug, Clone, Copy, PartialEq)]
/// enum Status {
///     Draft, // draft
///     InReview, // in_review
///     #[column_type(rename = "live")]
///     Published,
/// }
///
/// #[derive(ColumnType, Debug, Clone, Copy, PartialEq)]
/// #[column_type(as = "i16")]
/// enum Priority {
///     Low = -10,
///     High = 10,
/// }
///
/// assert_eq!(Status::InReview.to_value(), Value::from("in_review"));
/// assert_eq!(Priority::from_value(&mut Value::Int(10)), Ok(Priority::High));
/// assert_eq!(Priority::SQL_TYPE, SqlType::Int(16));
/// ```
///
/// # `#[column_type(…)]`
///
/// | option | meaning |
/// |---|---|
/// | `rename_all = "kebab-case"` | on an enum: how the names of variants become texts. `snake_case`, `kebab-case`, `lowercase`, `UPPERCASE`, `SCREAMING_SNAKE_CASE`, `SCREAMING-KEBAB-CASE`, `PascalCase` or `camelCase` |
/// | `rename = "live"` | on a variant: its text |
/// | `as = "i16"` | on an enum: variants are stored as numbers of this type |
/// | `key` | the type can be a primary key; it must then be `Clone`, `PartialEq` and `Debug` |
/// | `crate = "my_orm::assoc"` | where the core (or a crate that re-exports its `__private` module) is |
#[proc_macro_derive(ColumnType, attributes(column_type))]
pub fn derive_column_type(input: TokenStream) -> TokenStream {
    expand_column_type(input.into(), Root::Core).into()
}

#[doc(hidden)]
#[proc_macro_derive(RepoColumnType, attributes(column_type))]
pub fn derive_repo_column_type(input: TokenStream) -> TokenStream {
    expand_column_type(input.into(), Root::Repo).into()
}

#[doc = include_str!("../docs/polymorphic.md")]
#[proc_macro_derive(Polymorphic, attributes(polymorphic))]
pub fn derive_polymorphic(input: TokenStream) -> TokenStream {
    expand_polymorphic(input.into(), Root::Core).into()
}

#[doc(hidden)]
#[proc_macro_derive(RepoPolymorphic, attributes(polymorphic))]
pub fn derive_repo_polymorphic(input: TokenStream) -> TokenStream {
    expand_polymorphic(input.into(), Root::Repo).into()
}

#[doc(hidden)]
#[proc_macro]
pub fn build(input: TokenStream) -> TokenStream {
    expand_literal(input.into(), literal::build).into()
}

#[doc(hidden)]
#[proc_macro]
pub fn permit(input: TokenStream) -> TokenStream {
    expand_literal(input.into(), literal::permit).into()
}

// As an expression, also where there are mistakes.
fn expand_literal(
    input: proc_macro2::TokenStream,
    expand: fn(proc_macro2::TokenStream, &mut Errors) -> Option<proc_macro2::TokenStream>,
) -> proc_macro2::TokenStream {
    let mut errors = Errors::default();
    let code = expand(input, &mut errors);
    let errors = errors.into_compile_errors();
    if errors.is_empty() { quote::quote!(#code) } else { quote::quote!({ #errors }) }
}

/// Above `impl Callbacks for User`: declares which callbacks the model has. The struct says `#[model(callbacks)]`.
///
/// It leaves the `impl` as it is, and writes a constant table of the functions that are there. So a save or a destroy knows,
/// before it runs, whether a callback must see the rows, and a function that is misspelt is an error.
///
/// `#[callbacks(crate = "my_orm::repo")]` says where `assoc_repo` is, for a program that has it under another name.
///
/// ```ignore
/// use assoc_repo::prelude::*;
///
/// #[callbacks]
/// impl Callbacks for User {
///     async fn before_save(user: &mut Change<Self>, cx: &CallbackContext<'_>) -> Result<()> {
///         // …
///         Ok(())
///     }
/// }
/// ```
#[proc_macro_attribute]
pub fn callbacks(options: TokenStream, item: TokenStream) -> TokenStream {
    callbacks::expand(options.into(), item.into()).into()
}

fn expand_model(input: proc_macro2::TokenStream, root: Root) -> proc_macro2::TokenStream {
    expanded(input, |input, errors| {
        let model = parse::model(input, errors)?;
        let model = validate::model(model, errors);
        Some(if errors.is_empty() { expand::model(&model, root) } else { expand::stand_in(&model, root) })
    })
}

fn expand_column_type(input: proc_macro2::TokenStream, root: Root) -> proc_macro2::TokenStream {
    expanded(input, |input, errors| {
        let column_type = column_type::column_type(input, errors)?;
        Some(expand::column_type(&column_type, root))
    })
}

fn expand_polymorphic(input: proc_macro2::TokenStream, root: Root) -> proc_macro2::TokenStream {
    expanded(input, |input, errors| {
        let polymorphic = polymorphic::polymorphic(input, errors)?;
        Some(expand::polymorphic(&polymorphic, root, !errors.is_empty()))
    })
}

fn expanded(
    input: proc_macro2::TokenStream,
    expand: impl FnOnce(DeriveInput, &mut Errors) -> Option<proc_macro2::TokenStream>,
) -> proc_macro2::TokenStream {
    let mut errors = Errors::default();
    let code = match syn::parse2(input) {
        Ok(input) => expand(input, &mut errors),
        Err(error) => {
            errors.push(error);
            None
        }
    };
    let mut output = errors.into_compile_errors();
    output.extend(code);
    output
}
