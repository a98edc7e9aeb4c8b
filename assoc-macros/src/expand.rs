//! From the validated declaration to code: constant tables and thin functions, which compile fast.
//!
//! The core contains all code that a model runs; the derived code only names it. The derived code is in an anonymous
//! constant, in which `__assoc` is the module that the core keeps for it, so a program that defines another `Option` or
//! `Vec` is not affected.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{quote, quote_spanned};
use syn::Path;
use syn::spanned::Spanned;

mod aggregated;
mod association;
mod callbacks;
mod checks;
mod column_type;
mod diesel;
mod model;
mod polymorphic;
mod serial;

pub(crate) use association::{
    foreign_key_of, join_columns, missing, own_column, target_column, target_columns, target_key,
};
pub(crate) use checks::{outside, placed};
pub(crate) use column_type::column_type;
pub(crate) use model::{model, stand_in};
pub(crate) use polymorphic::polymorphic;

/// The crate whose `__private` the code refers to, unless the attribute `crate` names another.
#[derive(Clone, Copy)]
pub(crate) enum Root {
    Core,
    Repo,
}

impl Root {
    fn path(self, named: Option<&Path>) -> TokenStream {
        match (named, self) {
            (Some(path), _) => quote!(#path::__private),
            (None, Root::Core) => quote!(::assoc_core::__private),
            (None, Root::Repo) => quote!(::assoc_repo::__private),
        }
    }
}

fn in_anonymous_constant(root: &TokenStream, items: &TokenStream) -> TokenStream {
    quote! {
        const _: () = {
            use #root as __assoc;
            #items
        };
    }
}

/// Where `span` is, but known to be generated, so that lints leave the code alone.
pub(crate) fn generated(span: Span) -> Span {
    Span::call_site().located_at(span)
}

/// The traits of a target. They are found here, where the target is a named type: a constant of `TraitsOf` itself,
/// which exists if the target has the trait, takes precedence over that of `MissingTraits`.
fn row_traits(target: &Ident) -> TokenStream {
    quote! {
        const ROW_TRAITS: __assoc::RowTraits<Self> = {
            #[allow(unused_imports)]
            use __assoc::MissingTraits as _;
            __assoc::RowTraits::new(__assoc::TraitsOf::<#target>::EQ, __assoc::TraitsOf::<#target>::DEBUG)
        };
    }
}

/// A function as a value, in a model's constants: `fn(…) -> …`, with code in which `Self` is the model.
///
/// It is not a closure, because the compiler turns all closures into functions by one generic shim and counts its
/// nested instantiations. A long row of models that refer to each other would reach the compiler's recursion limit.
pub(crate) fn function(model: &Ident, signature: &TokenStream, body: &TokenStream) -> TokenStream {
    let body = without_self(body.clone(), model);
    quote!({ fn __function #signature { #body } __function })
}

/// A call of a function of the program that an option names. It is taken as a function of the wanted signature first, so
/// the compiler says of another function, at its name, which one is wanted and which one it is.
pub(crate) fn called(path: &Path, signature: &TokenStream, arguments: &TokenStream) -> TokenStream {
    quote_spanned!(generated(path.span())=> {
        let __wanted: #signature = #path;
        __wanted(#arguments)
    })
}

/// Code outside of the model's `impl`, where `Self` is nothing.
fn without_self(code: TokenStream, model: &Ident) -> TokenStream {
    let one = |token: TokenTree| match token {
        TokenTree::Ident(ident) if ident == "Self" => {
            let mut model = model.clone();
            model.set_span(model.span().located_at(ident.span()));
            TokenTree::Ident(model)
        }
        TokenTree::Group(group) => {
            let mut inner = Group::new(group.delimiter(), without_self(group.stream(), model));
            inner.set_span(group.span());
            TokenTree::Group(inner)
        }
        other => other,
    };
    code.into_iter().map(one).collect()
}
