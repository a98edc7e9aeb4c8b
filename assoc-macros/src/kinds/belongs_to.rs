//! `belongs_to`: the foreign key is a column of the model.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};

use super::{AT_MOST_ONE, BY_TYPE, Keys, key_at_target, one_for_one, polymorphic_belongs_to};
use crate::errors::Errors;
use crate::expand::{foreign_key_of, generated, own_column, target_column, target_columns, target_key};
use crate::names::{listed, plain, token};
use crate::options::OptionTable;
use crate::parse::{AssociationInput, FieldInput};
use crate::validate::{Association, Model, Owner};

const OF_MANY: &str = "it is for associations to many: the callbacks of a single target are those of its model";
/// What the attribute takes.
pub(super) const OPTIONS: OptionTable = OptionTable {
    attribute: "belongs_to",
    place: "",
    options: &[
        "foreign_key",
        "primary_key",
        "polymorphic",
        "foreign_type",
        "unknown_type",
        "scope",
        "filter",
        "order",
        "scope_by_owner",
        "readonly",
        "inverse_of",
        "include",
        "accessor",
        "dependent",
        "counter_cache",
        "counter_cache_active",
        "touch",
    ],
    planned: &[],
    refused: &[
        ("before_add", OF_MANY),
        ("after_add", OF_MANY),
        ("before_remove", OF_MANY),
        ("after_remove", OF_MANY),
        ("limit", AT_MOST_ONE),
        ("offset", AT_MOST_ONE),
        ("distinct", AT_MOST_ONE),
        ("optional", BY_TYPE),
        ("required", BY_TYPE),
        ("as", "it belongs to the other side, `has_many` or `has_one`; this side says `polymorphic`"),
        ("through", "only `has_one` and `has_many` go through another association"),
        ("insert_sql", key_at_target::NO_LINKS),
        ("delete_sql", key_at_target::NO_LINKS),
    ],
};

struct BelongsTo {
    foreign_key: Vec<usize>,
    target_key: TargetKey,
}

// The columns that the foreign key refers to.
enum TargetKey {
    Primary,
    Named(Vec<Ident>),
}

/// Its keys.
pub(super) fn keys(
    owner: &Owner<'_>,
    field: &FieldInput,
    input: &AssociationInput,
    errors: &mut Errors,
) -> Option<Box<dyn Keys>> {
    if input.given("polymorphic").is_some() {
        return polymorphic_belongs_to::keys(owner, field, input, errors);
    }
    let why = "names the column of a `polymorphic` association's type, and this one says no `polymorphic`";
    input.refuse(&["foreign_type"], why, errors);
    let why = "is about the types of a `polymorphic` association, and this one says no `polymorphic`";
    input.refuse(&["unknown_type"], why, errors);
    let foreign_key = foreign_key(owner, &plain(&field.ident), input, errors)?;
    let target_key = match &input.options.primary_key {
        None => TargetKey::Primary,
        Some(names) if names.names.len() != foreign_key.len() => {
            let own = foreign_key.iter().map(|index| owner.columns[*index].name.as_str());
            errors.at(names.span, one_for_one(&listed(own), &names.listed()));
            return None;
        }
        Some(names) => TargetKey::Named(names.names.iter().map(|name| token(name, names.span)).collect()),
    };
    Some(Box::new(BelongsTo { foreign_key, target_key }))
}

/// The model's foreign key, `imageable_id` of `imageable` unless it says otherwise.
pub(super) fn foreign_key(
    owner: &Owner<'_>,
    name: &str,
    input: &AssociationInput,
    errors: &mut Errors,
) -> Option<Vec<usize>> {
    match &input.options.foreign_key {
        Some(names) => owner.columns(names, "foreign_key", errors),
        None => default_column(owner, "foreign_key", "foreign key", &format!("{name}_id"), name, input, errors),
    }
}

pub(super) fn default_column(
    owner: &Owner<'_>,
    option: &str,
    what: &str,
    default: &str,
    name: &str,
    input: &AssociationInput,
    errors: &mut Errors,
) -> Option<Vec<usize>> {
    let index = owner.index(default);
    if index.is_none() {
        let message = format!(
            "the {what} of the `belongs_to` association `{name}` is the field `{default}` unless it says otherwise: \
             add that field, or name another with `{option} = \"…\"` ({})",
            owner.no_column(default)
        );
        errors.at(input.span, message);
    }
    index.map(|index| vec![index])
}

impl Keys for BelongsTo {
    fn behavior(&self, _model: &Model, association: &Association) -> TokenStream {
        let BelongsTo { foreign_key, target_key: named } = self;
        let target_key = match named {
            TargetKey::Primary => target_key(association),
            TargetKey::Named(tokens) => target_columns(association, tokens),
        };
        quote!(&__assoc::BelongsToKind { foreign_key: &[#(#foreign_key),*], target_key: #target_key })
    }

    fn type_checks(&self, model: &Model, association: &Association) -> TokenStream {
        let (owner, target, foreign_key) = (&model.ident, &association.target, &self.foreign_key);
        let at = generated(association.key_span);
        match &self.target_key {
            TargetKey::Primary => {
                let columns = foreign_key.iter().map(|index| own_column(model, *index, at));
                match foreign_key.len() {
                    1 => quote_spanned!(at=> __assoc::check_reference::<#owner, #target, _>(#(#columns),*);),
                    width => {
                        let check = Ident::new(&format!("check_reference_{width}"), at);
                        let types = foreign_key.iter().map(|index| &model.columns[*index].ty);
                        quote_spanned!(at=> __assoc::#check::<#owner, #target, #(#types),*>(#(#columns),*);)
                    }
                }
            }
            TargetKey::Named(tokens) => foreign_key
                .iter()
                .zip(tokens)
                .map(|(index, token)| {
                    let (own, key) = (own_column(model, *index, at), target_column(association, token));
                    quote_spanned!(at=> __assoc::check_foreign_key(#own, #key);)
                })
                .collect(),
        }
    }

    fn referring(&self) -> &[usize] {
        &self.foreign_key
    }

    fn foreign_key_constant(&self, model: &Model, association: &Association) -> Option<TokenStream> {
        let Association { vis, name, field, target, .. } = association;
        let at = generated(field.span());
        let (constant, foreign_key) = (foreign_key_of(&token(name, at), at), &self.foreign_key);
        let types = foreign_key.iter().map(|index| &model.columns[*index].ty);
        Some(quote! {
            #[doc(hidden)]
            #[allow(dead_code)]
            #vis const #constant: __assoc::KeyOfInverse<#target, (#(#types,)*)> =
                __assoc::KeyOfInverse::new(&[#(#foreign_key),*]);
        })
    }
}
