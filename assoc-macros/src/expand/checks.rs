//! The compiler's checks of an association beside its constant: keys exist and fit, and join tables and inverses agree
//! with the associations that name them.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::Type;

use super::association::{join_columns, missing, target_column};
use super::{generated, without_self};
use crate::attributes::Inverse;
use crate::dependent::Rule;
use crate::follow;
use crate::names::token;
use crate::validate::{Association, Keys, Model, TargetKey, TargetType};

/// Calls that only compile if the types of foreign key and key fit.
pub(super) fn checks(model: &Model, association: &Association) -> TokenStream {
    let owner = &model.ident;
    let target = &association.target;
    let at = generated(association.key_span);
    let own = |index: &usize| {
        let token = token(&model.columns[*index].name, at);
        quote_spanned!(at=> <#owner>::#token)
    };
    let mut checks: TokenStream = match &association.keys {
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
        Keys::Theirs { owner_key, foreign_key, target_type } => {
            let keys = owner_key.iter().zip(foreign_key).map(|(index, token)| {
                let (own, column) = (own(index), target_column(association, token));
                quote_spanned!(at=> __assoc::check_foreign_key(#column, #own);)
            });
            let target_type = target_type.iter().map(|TargetType { column, .. }| {
                let at = generated(column.span());
                let column = target_column(association, column);
                quote_spanned!(at=> __assoc::check_type_column(#column);)
            });
            keys.chain(target_type).collect()
        }
        // For the key there is `key_check`.
        Keys::Polymorphic { foreign_type, type_span, .. } => {
            let at = generated(*type_span);
            let column = token(&model.columns[*foreign_type].name, at);
            quote_spanned!(at=> __assoc::check_type_column(<#owner>::#column);)
        }
        Keys::JoinTable { owner_columns, target_columns, .. } if association.join_row.is_some() => {
            let keys = model.primary_key.iter().map(own).collect::<Vec<_>>();
            let columns = join_columns(association, owner_columns, association.key_span);
            let owner_checks = columns
                .iter()
                .zip(keys)
                .map(|(column, key)| quote_spanned!(at=> __assoc::check_foreign_key(#column, #key);));
            let join_row = &association.join_row;
            let at = generated(association.association_key_span);
            let columns = join_columns(association, target_columns, association.association_key_span);
            let check = match columns.len() {
                1 => Ident::new("check_reference", at),
                width => Ident::new(&format!("check_reference_{width}"), at),
            };
            let types = columns.iter().map(|_| quote_spanned!(at=> _));
            let target_check = quote_spanned!(at=> __assoc::#check::<#join_row, #target, #(#types),*>(#(#columns),*););
            owner_checks.chain([target_check]).collect()
        }
        // The compiler looks where the definition names the two associations, or the function. For the join table there is
        // `key_check`.
        Keys::Through(_) | Keys::JoinTable { .. } | Keys::CustomSql { .. } => TokenStream::new(),
    };
    if let Some(span) = association.scope_def.readonly {
        let at = generated(span);
        let target = placed(target.to_token_stream(), at);
        checks.extend(quote_spanned!(at=> __assoc::check_readonly::<#target>();));
    }
    if let Some(Inverse::Named(inverse)) = &association.scope_def.inverse {
        checks.extend(inverse_check(model, association, &inverse.name, inverse.span));
    }
    checks
}

// The same code, but at another place.
fn placed(code: TokenStream, at: Span) -> TokenStream {
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
    let keys = own_key_check(model, association);
    let follow = follow::check(model, association);
    (nullify.is_some() || keys.is_some() || follow.is_some()).then(|| quote!(#nullify #keys #follow))
}

// A constant that can only be computed if `nullify` has a column to clear.
fn nullify_check(model: &Model, association: &Association) -> Option<TokenStream> {
    let dependent = association.dependent.filter(|dependent| dependent.rule == Rule::Nullify)?;
    let Keys::Theirs { foreign_key, .. } = &association.keys else { return None };
    let at = generated(dependent.span);
    let target = placed(outside(model, &association.target), at);
    let columns = foreign_key.iter().map(|token| {
        let token = Ident::new(&token.to_string(), at);
        quote_spanned!(at=> <#target>::#token.index())
    });
    Some(quote_spanned!(at=> const _: () = __assoc::check_nullify::<#target>(&[#(#columns),*]);))
}

fn own_key_check(model: &Model, association: &Association) -> Option<TokenStream> {
    let target = outside(model, &association.target);
    match &association.keys {
        Keys::JoinTable { .. } => join_check(model, association),
        Keys::Polymorphic { foreign_key, .. } => {
            let at = generated(association.key_span);
            let types = || foreign_key.iter().map(|index| &model.columns[*index].ty);
            let (types, stored) = (types(), types().map(|ty| quote!(<#ty as __assoc::ColumnType>::SQL_TYPE)));
            // Of two types that do not fit, the compiler complains at the first, and that is to be at the key.
            let target = placed(target, at);
            Some(quote_spanned! {at=>
                const _: () = __assoc::check_polymorphic_key::<#target, (#(#types,)*)>(&[#(#stored),*]);
            })
        }
        Keys::Theirs { owner_key, target_type: Some(TargetType { other_side: Some(other_side), .. }), .. } => {
            let owner = &model.ident;
            let at = generated(other_side.span());
            let constant = Ident::new(&other_side.to_string(), at);
            let missing = missing(&format_ident!("__OtherSide"), std::slice::from_ref(&constant));
            let check = quote_spanned! {at=>
                __assoc::check_other_side::<#owner, _>(|| <#target>::#constant, &[#(#owner_key),*]);
            };
            Some(quote! {
                const _: () = {
                    #missing
                    #check
                };
            })
        }
        _ => None,
    }
}

// A target's type outside of the model's `impl`.
fn outside(model: &Model, target: &Type) -> TokenStream {
    without_self(target.to_token_stream(), &model.ident)
}

// A constant that compiles only if the join table has as many columns as the target's key. If its rows have a model,
// the named table must be that of the model.
fn join_check(model: &Model, association: &Association) -> Option<TokenStream> {
    let Keys::JoinTable { table, target_columns, .. } = &association.keys else { return None };
    if let Some(join_row) = &association.join_row {
        let (schema, name) = table.as_ref()?;
        let at = generated(association.join_table_span?);
        let schema = match schema {
            Some(schema) => quote!(__assoc::Option::Some(#schema)),
            None => quote!(__assoc::Option::None),
        };
        return Some(quote_spanned! {at=>
            const _: () = __assoc::check_join_table::<#join_row>(__assoc::TableRef { schema: #schema, name: #name });
        });
    }
    let width = target_columns.len();
    let at = generated(association.association_key_span);
    let target = outside(model, &association.target);
    Some(quote_spanned!(at=> const _: () = __assoc::check_join_columns::<#target>(#width);))
}

// It is in a function that is never called: the inverse's constant is checked likewise, and two constants cannot be
// computed from each other.
fn inverse_check(model: &Model, association: &Association, inverse: &str, span: Span) -> TokenStream {
    let (owner, target) = (&model.ident, &association.target);
    let at = generated(span);
    let constant = token(inverse, at);
    let check = match &association.keys {
        Keys::Theirs { target_type: Some(_), .. } => "check_polymorphic_inverse",
        _ => "check_inverse",
    };
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
