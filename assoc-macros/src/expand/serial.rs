//! `#[model(serde)]`: the names of a model's fields, and a line for each of them. The rest is in the library.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

use super::checks::placed;
use super::generated;
use crate::validate::{AggregatedField, Association, Model};

pub(super) fn implementations(model: &Model) -> Option<TokenStream> {
    let names = model.serial_names.as_ref()?;
    let ident = &model.ident;
    let columns = model.columns.len();
    let (mut left_out, mut written, mut read, mut unread) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (at, column) in model.columns.iter().enumerate() {
        let (field, ty) = (&column.field, &column.ty);
        let span = generated(ty.span());
        if let Some(at_option) = column.serde_leaves_out {
            let span = generated(at_option);
            let ty = placed(quote!(#ty), span);
            left_out.push(quote!(#at => true));
            unread.push(quote_spanned!(span=> #at => __assoc::Option::Some(__assoc::serial::unread::<#ty>())));
            continue;
        }
        written.push(quote_spanned!(span=> #at => __assoc::serial::part::<Self, __S>(#at, &self.#field, __out)));
        read.push(quote_spanned!(span=> #at => __assoc::serial::column::<Self, #ty, __A>(__map)));
    }
    let associations = model.associations.iter().map(|association| {
        let Association { field, slot, join_row, holder, .. } = association;
        let holder = format_ident!("{}", holder.name());
        // Rows of a join table are not written, so the association cannot be read.
        let held = join_row.is_none().then(|| quote_spanned!(generated(slot.span())=> __assoc::#holder<#slot>));
        (field, held)
    });
    let aggregated = model.aggregated.iter().map(|AggregatedField { field, value, .. }| {
        (field, Some(quote_spanned!(generated(value.span())=> __assoc::Aggregated<#value>)))
    });
    for (at, (field, held)) in (columns..).zip(associations.chain(aggregated)) {
        let span = generated(field.span());
        left_out.push(quote_spanned!(span=> #at => self.#field.is_not_loaded()));
        written.push(quote_spanned!(span=> #at => __assoc::serial::part::<Self, __S>(#at, &self.#field, __out)));
        read.push(match held {
            None => quote_spanned!(span=> #at => __assoc::serial::passed_over::<Self, __A>(__map)),
            // A function, not a closure, which would exist once for each format.
            Some(held) => quote_spanned! {span=>
                #at => {
                    fn __put(__row: &mut #ident, __held: #held) {
                        __row.#field = __held;
                    }
                    __assoc::serial::loaded(__map, __put)
                }
            },
        });
    }
    Some(quote! {
        #[automatically_derived]
        impl __assoc::serial::SerialModel for #ident {
            const NAMES: &'static [&'static str] = &[#(#names),*];

            fn is_left_out(&self, __at: usize) -> bool {
                match __at {
                    #(#left_out,)*
                    _ => false,
                }
            }

            fn unread(__at: usize) -> __assoc::Option<__assoc::Value<'static>> {
                match __at {
                    #(#unread,)*
                    _ => __assoc::Option::None,
                }
            }

            fn write<__S: __assoc::serde::ser::SerializeStruct>(
                &self,
                __at: usize,
                __out: &mut __S,
            ) -> __assoc::StdResult<(), __S::Error> {
                match __at {
                    #(#written,)*
                    _ => __assoc::StdResult::Ok(()),
                }
            }

            fn read<'__de, __A: __assoc::serde::de::MapAccess<'__de>>(
                __at: usize,
                __map: &mut __A,
            ) -> __assoc::StdResult<__assoc::serial::Part<Self>, __A::Error> {
                match __at {
                    #(#read,)*
                    _ => __assoc::serial::passed_over::<Self, __A>(__map),
                }
            }
        }

        #[automatically_derived]
        impl __assoc::serde::Serialize for #ident {
            fn serialize<__S: __assoc::serde::Serializer>(
                &self,
                __serializer: __S,
            ) -> __assoc::StdResult<__S::Ok, __S::Error> {
                __assoc::serial::serialize(self, __serializer)
            }
        }

        #[automatically_derived]
        impl<'__de> __assoc::serde::Deserialize<'__de> for #ident {
            fn deserialize<__D: __assoc::serde::Deserializer<'__de>>(
                __deserializer: __D,
            ) -> __assoc::StdResult<Self, __D::Error> {
                __assoc::serial::deserialize(__deserializer)
            }
        }
    })
}
