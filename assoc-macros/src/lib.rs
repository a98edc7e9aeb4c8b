//! The derives of `assoc`: [`Model`](macro@Model) for structs that are rows, [`Polymorphic`](macro@Polymorphic) for
//! enums of models, [`ColumnType`](macro@ColumnType) for newtypes that are columns.
//!
//! Programs use them through `assoc-repo`, which re-exports them and documents them: an example needs the crate that it is about.
//! The derives write constants and thin functions: no attribute costs anything at run time, and each costs little at compile time.
//!
//! A derive reports all mistakes at once, each at its attribute or field. The compiler finds mistakes that concern
//! another struct (its foreign key column, the column's type) in the constants, and reports them at the same places.
// Crates that are documented before this one link to it all the same.
#![doc(html_root_url = "https://docs.rs/assoc-macros/latest")]

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
mod inflection;
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

/// Makes a struct with named fields a model, for a crate that depends on `assoc-core` alone. Programs take the same derive from
/// `assoc_repo`, whose page about `Model` has the options and examples.
#[proc_macro_derive(Model, attributes(model, column, belongs_to, has_one, has_many, has_and_belongs_to_many))]
pub fn derive_model(input: TokenStream) -> TokenStream {
    expand_model(input.into(), Root::Core).into()
}

#[doc(hidden)]
#[proc_macro_derive(RepoModel, attributes(model, column, belongs_to, has_one, has_many, has_and_belongs_to_many))]
pub fn derive_repo_model(input: TokenStream) -> TokenStream {
    expand_model(input.into(), Root::Repo).into()
}

/// Makes a newtype or an enum a column type, for a crate that depends on `assoc-core` alone. Programs take the same derive from
/// `assoc_repo`, whose page about `ColumnType` has the options and examples.
#[proc_macro_derive(ColumnType, attributes(column_type))]
pub fn derive_column_type(input: TokenStream) -> TokenStream {
    expand_column_type(input.into(), Root::Core).into()
}

#[doc(hidden)]
#[proc_macro_derive(RepoColumnType, attributes(column_type))]
pub fn derive_repo_column_type(input: TokenStream) -> TokenStream {
    expand_column_type(input.into(), Root::Repo).into()
}

/// Makes an enum of models the target of a polymorphic association, for a crate that depends on `assoc-core` alone. Programs take
/// the same derive from `assoc_repo`, whose page about `Polymorphic` has the options and examples.
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

/// Above `impl Callbacks for User`: declares which callbacks the model has. `assoc_repo`, which has the trait, has its page.
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
