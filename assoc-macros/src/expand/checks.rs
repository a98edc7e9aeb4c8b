//! The compiler's checks of an association beside its constant: keys exist and fit, and join tables and inverses agree
//! with the associations that name them.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::Type;

use super::association::missing;
use super::{generated, without_self};
use crate::attributes::Inverse;
use crate::dependent::Rule;
use crate::follow;
use crate::names::token;
use crate::validate::{Association, Model};

/// Calls that only compile if the types of foreign key and key fit.
pub(super) fn checks(model: &Model, association: &Association) -> TokenStream {
    let target = &association.target;
    let mut checks = association.keys.type_checks(model, association);
    if let Some(span) = association.scope_def.readonly {
        let at = generated(span);
        let target = placed(target.to_token_stream(), at);
        checks.extend(quote_spanned!(at=> __assoc::check_readonly::<#target>();));
    }
    if let (Some(Inverse::Named(inverse)), Some(check)) =
        (&association.scope_def.inverse, association.keys.inverse_check())
    {
        checks.extend(inverse_check(model, association, check, &inverse.name, inverse.span));
    }
    checks
}

/// The same code, but at another place.
pub(crate) fn placed(code: TokenStream, at: Span) -> TokenStream {
    let one = |token: TokenTree| {
        let mut token = match token {
            TokenTree::Group(group) => TokenTree::Group(Group::new(group.delimiter(), placed(group.stream(), at))),
            other => other,
        };
        token.set_span(token.span().located_at(at));
        token
    };
    code.into_iter().map(one).collect()
}

/// Constants that can only be computed if what two structs say of their keys agrees, where types alone do not tell. They
/// stand beside the model's `impl`, because the compiler computes them there whether or not the association is used.
pub(super) fn key_check(model: &Model, association: &Association) -> Option<TokenStream> {
    let nullify = nullify_check(model, association);
    let keys = association.keys.value_check(model, association);
    let follow = follow::check(model, association);
    (nullify.is_some() || keys.is_some() || follow.is_some()).then(|| quote!(#nullify #keys #follow))
}

// A constant that can only be computed if `nullify` has a column to clear.
fn nullify_check(model: &Model, association: &Association) -> Option<TokenStream> {
    let dependent = association.dependent.filter(|dependent| dependent.rule == Rule::Nullify)?;
    let at = generated(dependent.span);
    let target = placed(outside(model, &association.target), at);
    let foreign_key = association.keys.referring_of_target(&target, at)?;
    Some(quote_spanned!(at=> const _: () = __assoc::check_nullify::<#target>(#foreign_key);))
}

/// A target's type outside of the model's `impl`.
pub(crate) fn outside(model: &Model, target: &Type) -> TokenStream {
    without_self(target.to_token_stream(), &model.ident)
}

// It is in a function that is never called: the inverse's constant is checked likewise, and two constants cannot be
// computed from each other.
fn inverse_check(model: &Model, association: &Association, check: &str, inverse: &str, span: Span) -> TokenStream {
    let (owner, target) = (&model.ident, &association.target);
    let at = generated(span);
    let constant = token(inverse, at);
    let check = Ident::new(check, at);
    let missing = missing(&format_ident!("__Inverse"), std::slice::from_ref(&constant));
    let check = quote_spanned!(at=> __assoc::#check::<#owner, _>(<#target>::#constant));
    quote! {
        let _: fn() = || {
            #missing
            #check
        };
    }
}
