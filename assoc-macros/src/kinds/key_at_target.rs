//! A `has_one` or `has_many` whose foreign key is a column of the target.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::LitStr;

use super::{Keys, one_for_one};
use crate::attributes::{FieldName, Inverse};
use crate::errors::Errors;
use crate::expand::{foreign_key_of, generated, missing, outside, own_column, target_column};
use crate::names::{self, listed, token};
use crate::parse::AssociationInput;
use crate::validate::{Association, Model, Owner};

/// Why this side is not `polymorphic`.
pub(super) const NOT_POLYMORPHIC: &str =
    "it belongs to the side with the foreign key, `belongs_to`; this side says `as = \"…\"`";
/// Why there is no `join_table`.
pub(super) const NO_JOIN_TABLE: &str = "only a `has_and_belongs_to_many` has a join table without model";
/// Why SQL writes no links.
pub(super) const NO_LINKS: &str = "only a `has_and_belongs_to_many` has links without a model, which SQL writes; the rows here have one: its callbacks run when \
     they are written";

/// The keys.
pub(super) struct KeyAtTarget {
    pub(super) owner_key: Vec<usize>,
    pub(super) foreign_key: ForeignKey,
    pub(super) target_type: Option<TargetType>,
}

/// The columns of the target that refer to the model.
pub(super) enum ForeignKey {
    Named(Vec<Ident>),
    /// Those of the `belongs_to` that `inverse_of` names.
    OfInverse(Ident),
}

/// The name of the owner's type at the target: `as`.
pub(super) struct TargetType {
    // The target's column.
    column: Ident,
    tag: String,
    // What leads back, if it has the name in `as`.
    other_side: Ident,
    // Whether a key is named that both sides must agree on.
    key_is_named: bool,
    // Whether the tag is the model's name, because no other is given.
    tag_is_name: bool,
}

/// Checks the options.
pub(super) fn keys(
    owner: &Owner<'_>,
    input: &AssociationInput,
    primary_key: Option<&[usize]>,
    errors: &mut Errors,
) -> Option<Box<dyn Keys>> {
    let options = &input.options;
    if input.given("as").is_none() {
        let why = "says more about the other side of a polymorphic association, and this one has no `as = \"…\"`";
        input.refuse(&["foreign_type", "tag"], why, errors);
    }
    let owner_key = match &options.primary_key {
        Some(names) => owner.columns(names, "primary_key", errors)?,
        None => primary_key?.to_vec(),
    };
    if owner_key.is_empty() {
        let message = format!(
            "`{}` refers to the primary key of `{}`, which has none: add a field `id`, or name the key with \
             `#[model(primary_key = \"…\")]`, or another column with `#[{0}(primary_key = \"…\")]`",
            input.kind, owner.name
        );
        errors.at(input.span, message);
        return None;
    }
    let own = || listed(owner_key.iter().map(|index| owner.columns[*index].name.as_str()));
    let inverse = match &options.scope_def.inverse {
        Some(Inverse::Named(inverse)) if options.as_.is_none() => Some(inverse),
        _ => None,
    };
    let foreign_key = match (&options.foreign_key, inverse) {
        (Some(names), _) if names.names.len() != owner_key.len() => {
            errors.at(names.span, one_for_one(&names.listed(), &own()));
            return None;
        }
        (Some(names), _) => ForeignKey::Named(names.names.iter().map(|name| token(name, names.span)).collect()),
        (None, Some(inverse)) => ForeignKey::OfInverse(token(&inverse.name, inverse.span)),
        (None, None) if owner_key.len() > 1 => {
            let message = format!(
                "the key of `{}` is {}: name as many columns of the target with `foreign_key = \"…\"`",
                owner.name,
                own()
            );
            errors.at(input.span, message);
            return None;
        }
        (None, None) => ForeignKey::Named(vec![match &options.as_ {
            Some(as_) => token(&format!("{}_id", as_.name), as_.span),
            None => token(&names::foreign_key(owner.name), input.span),
        }]),
    };
    let target_type = options.as_.as_ref().map(|as_| TargetType {
        column: match &options.foreign_type {
            Some(FieldName { name, span }) => token(name, *span),
            None => token(&format!("{}_type", as_.name), as_.span),
        },
        tag: options.tag.as_ref().map_or_else(|| owner.name.to_owned(), LitStr::value),
        other_side: token(&as_.name, options.primary_key.as_ref().map_or(as_.span, |names| names.span)),
        key_is_named: options.primary_key.is_some(),
        tag_is_name: options.tag.is_none() && options.foreign_type.is_none(),
    });
    Some(Box::new(KeyAtTarget { owner_key, foreign_key, target_type }))
}

impl Keys for KeyAtTarget {
    fn behavior(&self, _model: &Model, association: &Association) -> TokenStream {
        let KeyAtTarget { owner_key, foreign_key, target_type } = self;
        let kind = format_ident!("{}Kind", association.holder.name());
        let target = association.target.to_token_stream();
        let foreign_key = foreign_key.columns(&target, |token| target_column(association, token));
        let target_type = match target_type {
            None => quote!(__assoc::Option::None),
            Some(TargetType { column, tag, .. }) => {
                let column = target_column(association, column);
                quote!(__assoc::Option::Some(__assoc::Discriminator { column: #column.index(), tag: #tag }))
            }
        };
        quote! {
            &__assoc::#kind {
                owner_key: &[#(#owner_key),*],
                foreign_key: #foreign_key,
                target_type: #target_type,
            }
        }
    }

    fn type_checks(&self, model: &Model, association: &Association) -> TokenStream {
        let KeyAtTarget { owner_key, foreign_key, target_type } = self;
        let at = generated(association.key_span);
        let keys: TokenStream = match foreign_key {
            ForeignKey::Named(names) => owner_key
                .iter()
                .zip(names)
                .map(|(index, token)| {
                    let (own, column) = (own_column(model, *index, at), target_column(association, token));
                    quote_spanned!(at=> __assoc::check_foreign_key(#column, #own);)
                })
                .collect(),
            ForeignKey::OfInverse(inverse) => {
                let (owner, target) = (&model.ident, &association.target);
                let types: Vec<_> = owner_key.iter().map(|index| &model.columns[*index].ty).collect();
                let key = match &types[..] {
                    [one] => quote!(#one),
                    several => quote!((#(#several),*)),
                };
                let at = generated(inverse.span());
                let constant = foreign_key_of(inverse, at);
                let missing = missing(&format_ident!("__Inverse"), std::slice::from_ref(&constant));
                quote_spanned!(at=> {
                    #missing
                    __assoc::check_key_of_inverse::<#owner, #key, _>(&<#target>::#constant);
                })
            }
        };
        let target_type = target_type.iter().map(|TargetType { column, .. }| {
            let at = generated(column.span());
            let column = target_column(association, column);
            quote_spanned!(at=> __assoc::check_type_column(#column);)
        });
        std::iter::once(keys).chain(target_type).collect()
    }

    fn value_check(&self, model: &Model, association: &Association) -> Option<TokenStream> {
        let TargetType { tag, other_side, key_is_named, tag_is_name, .. } = self.target_type.as_ref()?;
        if !key_is_named && !tag_is_name {
            return None;
        }
        let target = outside(model, &association.target);
        let (owner, owner_key) = (&model.ident, &self.owner_key);
        let at = generated(other_side.span());
        let constant = Ident::new(&other_side.to_string(), at);
        let missing = missing(&format_ident!("__OtherSide"), std::slice::from_ref(&constant));
        let key = if *key_is_named { quote!(Some(&[#(#owner_key),*])) } else { quote!(None) };
        let tag = if *tag_is_name { quote!(Some(#tag)) } else { quote!(None) };
        let check = quote_spanned! {at=>
            __assoc::check_other_side::<#owner, _>(|| <#target>::#constant, __assoc::Option::#key, __assoc::Option::#tag);
        };
        Some(quote! {
            const _: () = {
                #missing
                #check
            };
        })
    }

    fn referring_of_target(&self, target: &TokenStream, at: Span) -> Option<TokenStream> {
        (!self.owner_key.is_empty()).then(|| {
            self.foreign_key.columns(target, |token| {
                let token = Ident::new(&token.to_string(), at);
                quote_spanned!(at=> <#target>::#token)
            })
        })
    }

    fn inverse_check(&self) -> Option<&'static str> {
        match (&self.foreign_key, &self.target_type) {
            // It is checked with the key.
            (ForeignKey::OfInverse(_), _) => None,
            (ForeignKey::Named(_), Some(_)) => Some("check_polymorphic_inverse"),
            (ForeignKey::Named(_), None) => Some("check_inverse"),
        }
    }
}

impl ForeignKey {
    // The columns, of which `named` is the constant of one that is named.
    fn columns(&self, target: &TokenStream, named: impl Fn(&Ident) -> TokenStream) -> TokenStream {
        match self {
            ForeignKey::Named(tokens) => {
                let columns = tokens.iter().map(named);
                quote!(&[#(#columns.index()),*])
            }
            ForeignKey::OfInverse(inverse) => {
                let at = generated(inverse.span());
                let constant = foreign_key_of(inverse, at);
                let missing = missing(&format_ident!("__Inverse"), std::slice::from_ref(&constant));
                quote_spanned!(at=> { #missing <#target>::#constant.columns() })
            }
        }
    }
}
