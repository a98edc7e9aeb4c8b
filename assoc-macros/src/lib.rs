//! Derives for assoc: Model and ColumnType.

use proc_macro::TokenStream;
use syn::DeriveInput;

mod attributes;
mod column_type;
mod errors;
mod expand;
mod names;
mod options;
mod parse;
#[cfg(test)]
mod snapshots;
mod validate;

use errors::Errors;
use expand::Root;

/// A struct that is a row.
#[proc_macro_derive(Model, attributes(model, column, belongs_to, has_one, has_many))]
pub fn derive_model(input: TokenStream) -> TokenStream {
    expand_model(input.into(), Root::Core).into()
}

#[doc(hidden)]
#[proc_macro_derive(RepoModel, attributes(model, column, belongs_to, has_one, has_many))]
pub fn derive_repo_model(input: TokenStream) -> TokenStream {
    expand_model(input.into(), Root::Repo).into()
}

/// A newtype that is a column.
#[proc_macro_derive(ColumnType, attributes(column_type))]
pub fn derive_column_type(input: TokenStream) -> TokenStream {
    expand_column_type(input.into(), Root::Core).into()
}

#[doc(hidden)]
#[proc_macro_derive(RepoColumnType, attributes(column_type))]
pub fn derive_repo_column_type(input: TokenStream) -> TokenStream {
    expand_column_type(input.into(), Root::Repo).into()
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
        let newtype = column_type::newtype(input, errors)?;
        Some(expand::column_type(&newtype, root))
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
