//! A polymorphic `belongs_to`: the model has a foreign key and a column that names the type of its target.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::Keys;
use super::belongs_to::{default_column, foreign_key};
use crate::attributes::{FieldName, FieldNames, Inverse};
use crate::errors::Errors;
use crate::expand::{function, generated, outside, placed};
use crate::names::{plain, token};
use crate::parse::{AssociationInput, FieldInput};
use crate::validate::{Association, Model, Owner};

struct PolymorphicBelongsTo {
    foreign_key: Vec<usize>,
    foreign_type: usize,
    type_span: Span,
}

/// Its keys.
pub(super) fn keys(
    owner: &Owner<'_>,
    field: &FieldInput,
    input: &AssociationInput,
    errors: &mut Errors,
) -> Option<Box<dyn Keys>> {
    let why = "has no place on a polymorphic `belongs_to`, which refers to a key of each of its models: where that is not \
               the primary key, name it at the variant, `#[polymorphic(primary_key = \"…\")]`";
    input.refuse(&["primary_key"], why, errors);
    let why = "has no place on a polymorphic `belongs_to`: its targets are of several models, and a column only of \
               one; give a model a scope of its own with `#[model(default_scope = …)]`";
    input.refuse(&["scope", "filter", "order", "scope_by_owner"], why, errors);
    if let Some(Inverse::Named(inverse)) = &input.options.scope_def.inverse {
        let message = "a polymorphic `belongs_to` has an inverse in each of its models: name this association with \
                       `inverse_of` there";
        errors.at(inverse.span, message);
    }
    let name = plain(&field.ident);
    let foreign_key = foreign_key(owner, &name, input, errors);
    let (foreign_type, type_span) = match &input.options.foreign_type {
        Some(FieldName { name, span }) => {
            let names = FieldNames { names: vec![name.clone()], span: *span };
            (owner.columns(&names, "foreign_type", errors), *span)
        }
        None => {
            let default = format!("{name}_type");
            let column = default_column(owner, "foreign_type", "type column", &default, &name, input, errors);
            (column, input.span)
        }
    };
    let (foreign_key, foreign_type) = (foreign_key?, *foreign_type?.first()?);
    Some(Box::new(PolymorphicBelongsTo { foreign_key, foreign_type, type_span }))
}

impl Keys for PolymorphicBelongsTo {
    fn behavior(&self, _model: &Model, association: &Association) -> TokenStream {
        let target = &association.target;
        let at = generated(target.span());
        let PolymorphicBelongsTo { foreign_key, foreign_type, .. } = self;
        let variants = quote_spanned!(at=> <#target as __assoc::Polymorphic>::VARIANTS);
        quote! {
            &__assoc::PolymorphicBelongsToKind {
                foreign_key: &[#(#foreign_key),*],
                foreign_type: #foreign_type,
                variants: #variants,
            }
        }
    }

    fn target_definition(&self, model: &Model, association: &Association) -> TokenStream {
        let (owner, target) = (&model.ident, &association.target);
        let variants = quote_spanned!(generated(association.slot.span())=> <#target as __assoc::Polymorphic>::VARIANTS);
        function(owner, &quote!(() -> &'static __assoc::ModelDef), &quote!(__assoc::first_variant(#variants)))
    }

    fn type_checks(&self, model: &Model, _association: &Association) -> TokenStream {
        let owner = &model.ident;
        let at = generated(self.type_span);
        let column = token(&model.columns[self.foreign_type].name, at);
        quote_spanned!(at=> __assoc::check_type_column(<#owner>::#column);)
    }

    fn value_check(&self, model: &Model, association: &Association) -> Option<TokenStream> {
        let target = outside(model, &association.target);
        let at = generated(association.key_span);
        let types = || self.foreign_key.iter().map(|index| &model.columns[*index].ty);
        let (types, stored) = (types(), types().map(|ty| quote!(<#ty as __assoc::ColumnType>::SQL_TYPE)));
        // Of two types that do not fit, the compiler complains at the first, and that is to be at the key.
        let target = placed(target, at);
        Some(quote_spanned! {at=>
            const _: () = __assoc::check_polymorphic_key::<#target, (#(#types,)*)>(&[#(#stored),*]);
        })
    }

    fn referring(&self) -> &[usize] {
        &self.foreign_key
    }

    fn type_column(&self) -> Option<usize> {
        Some(self.foreign_type)
    }
}
