//! An association: its definition, its constant with the compile-time checks, its accessor.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

use super::generated;
use crate::names::token;
use crate::options::Kind;
use crate::validate::{Association, Keys, Model, TargetKey};

/// The `AssociationDef`.
pub(super) fn definition(model: &Model, association: &Association) -> TokenStream {
    let Association { name, field, slot, target, .. } = association;
    let owner = &model.ident;
    // At the target's name: what is wrong with it is said there.
    let at = generated(slot.span());
    let kind = kind(association);
    let slot_type = format_ident!("{}Slot", association.kind.holder());
    let options = if association.kind.is_to_one() {
        quote_spanned!(at=> .optional(<#slot as __assoc::ToOne>::OPTIONAL))
    } else {
        TokenStream::new()
    };
    let target = quote_spanned!(at=> || <#target as __assoc::Model>::DEF);
    let stored = quote_spanned! {at=>
        &__assoc::#slot_type::<#owner, #slot>::new(|__owner| &__owner.#field, |__owner| &mut __owner.#field)
    };
    quote! {
        __assoc::AssociationDef::new(
            #name,
            || <#owner as __assoc::Model>::DEF,
            #target,
            #kind,
            #stored,
            __assoc::Options::new() #options,
        )
    }
}

fn kind(association: &Association) -> TokenStream {
    let target = &association.target;
    let at = generated(target.span());
    let columns = |tokens: &[Ident]| {
        let columns = tokens.iter().map(|token| target_column(association, token));
        quote!(&[#(#columns.index()),*])
    };
    let kind = format_ident!("{}Kind", association.kind.holder());
    match &association.keys {
        Keys::Own { foreign_key, target_key } => {
            let target_key = match target_key {
                TargetKey::Primary => quote_spanned!(at=> <#target as __assoc::Model>::PRIMARY_KEY),
                TargetKey::Named(tokens) => columns(tokens),
            };
            quote!(&__assoc::#kind { foreign_key: &[#(#foreign_key),*], target_key: #target_key })
        }
        Keys::Theirs { owner_key, foreign_key } => {
            let foreign_key = columns(foreign_key);
            quote! {
                &__assoc::#kind {
                    owner_key: &[#(#owner_key),*],
                    foreign_key: #foreign_key,
                    target_type: __assoc::Option::None,
                }
            }
        }
    }
}

// A column of the target. It all stands where the association's author named it, or would have.
fn target_column(association: &Association, token: &Ident) -> TokenStream {
    let target = &association.target;
    let at = generated(token.span());
    let token = Ident::new(&token.to_string(), at);
    quote_spanned!(at=> <#target>::#token)
}

/// The association's constant: `User::POSTS`.
pub(super) fn constant(model: &Model, index: usize, association: &Association, checks: &TokenStream) -> TokenStream {
    let Association { vis, name, slot, target, field, .. } = association;
    let owner = &model.ident;
    let constant = token(name, generated(field.span()));
    let holder = format_ident!("{}", association.kind.holder());
    let ty = quote_spanned!(generated(slot.span())=> __assoc::Association<#owner, #target, __assoc::#holder<#slot>>);
    let doc = format!("The association [`{name}`]({0}#structfield.{name}), a `{1}`.", model.name, association.kind);
    quote! {
        #[doc = #doc]
        #vis const #constant: #ty = {
            #checks
            __assoc::Association::new(&<#owner as __assoc::Model>::DEF.associations[#index])
        };
    }
}

/// Calls that only compile if the types of foreign key and key fit.
pub(super) fn checks(model: &Model, association: &Association) -> TokenStream {
    let owner = &model.ident;
    let target = &association.target;
    let at = generated(association.key_span);
    let own = |index: &usize| {
        let token = token(&model.columns[*index].name, at);
        quote_spanned!(at=> <#owner>::#token)
    };
    match &association.keys {
        Keys::Own { foreign_key, target_key: TargetKey::Primary } => {
            let columns = foreign_key.iter().map(own);
            match foreign_key.len() {
                1 => quote_spanned!(at=> __assoc::check_reference::<#owner, #target, _>(#(#columns),*);),
                width => {
                    let check = Ident::new(&format!("check_reference_{width}"), at);
                    let types = foreign_key.iter().map(|index| &model.columns[*index].ty);
                    quote_spanned!(at=> __assoc::#check::<#owner, #target, #(#types),*>(#(#columns),*);)
                }
            }
        }
        Keys::Own { foreign_key, target_key: TargetKey::Named(tokens) } => foreign_key
            .iter()
            .zip(tokens)
            .map(|(index, token)| {
                let (own, key) = (own(index), target_column(association, token));
                quote_spanned!(at=> __assoc::check_foreign_key(#own, #key);)
            })
            .collect(),
        Keys::Theirs { owner_key, foreign_key } => owner_key
            .iter()
            .zip(foreign_key)
            .map(|(index, token)| {
                let (own, column) = (own(index), target_column(association, token));
                quote_spanned!(at=> __assoc::check_foreign_key(#column, #own);)
            })
            .collect(),
    }
}

/// The association's accessor: `user.posts()`.
pub(super) fn accessor(model: &Model, association: &Association) -> TokenStream {
    let Association { vis, name, field, slot, target, .. } = association;
    let model_name = &model.name;
    let holder = format_ident!("{}", association.kind.holder());
    let read = match association.kind {
        Kind::HasMany => quote!(&[#target]),
        Kind::BelongsTo | Kind::HasOne => {
            quote_spanned!(generated(slot.span())=> <#slot as __assoc::ToOne>::Read<'_>)
        }
    };
    let get = quote_spanned!(generated(slot.span())=> __assoc::#holder::get);
    let doc = format!("What is loaded of [`{name}`]({model_name}#structfield.{name}). Never queries.");
    quote! {
        #[doc = #doc]
        ///
        /// # Errors
        /// When nothing asked for it, or when a row that must exist does not.
        #vis fn #field(&self) -> __assoc::StdResult<#read, __assoc::AssociationNotLoaded> {
            __assoc::StdResult::map_err(#get(&self.#field), |__reason| {
                __assoc::AssociationNotLoaded::new(#model_name, #name, __reason)
            })
        }
    }
}
