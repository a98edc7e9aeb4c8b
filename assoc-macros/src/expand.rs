//! From what was meant to code: constant tables and thin functions, nothing that takes long to compile.
//!
//! Everything that a model's code does at run time is in the core; what is written here only names it. The code sits
//! in an anonymous constant, in which `__assoc` is the module the core keeps for it: a program that has its own
//! `Option` or `Vec` does not notice.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::Path;

mod association;
mod checks;
mod column_type;
mod model;
mod polymorphic;

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
fn generated(span: Span) -> Span {
    Span::call_site().located_at(span)
}
