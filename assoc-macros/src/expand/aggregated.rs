//! Fields that hold aggregates of associations' rows: a constant to ask with, and an accessor.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::generated;
use crate::names::token;
use crate::validate::{AggregatedField, Model};

pub(super) fn field(model: &Model, aggregated: &AggregatedField) -> TokenStream {
    let AggregatedField { field, vis, name, value } = aggregated;
    let (owner, model_name) = (&model.ident, &model.name);
    let constant = token(name, generated(field.span()));
    let at = generated(value.span());
    let access = quote_spanned! {at=>
        __assoc::AggregateAccess::<#owner, #value>::new({
            fn __field(__row: &mut #owner) -> &mut __assoc::Aggregated<#value> {
                &mut __row.#field
            }
            __field
        })
    };
    let asked = format!("The aggregate [`{name}`]({model_name}#structfield.{name}), to ask for it in a preload.");
    let read = format!("Reads the loaded aggregate [`{name}`]({model_name}#structfield.{name}). Runs no statement.");
    quote! {
        #[doc = #asked]
        #vis const #constant: __assoc::AggregateField<#owner, #value> =
            __assoc::AggregateField::new(__assoc::AggregateFieldDef {
                name: #name,
                owner: <#owner as __assoc::Model>::definition,
                slot: &#access,
            });

        #[doc = #read]
        ///
        /// # Errors
        /// When it is not loaded.
        #vis fn #field(&self) -> ::core::result::Result<&#value, __assoc::AssociationNotLoaded> {
            __assoc::StdResult::map_err(__assoc::Aggregated::get(&self.#field), |__reason| {
                __assoc::AssociationNotLoaded::new(#model_name, #name, __reason)
            })
        }
    }
}
