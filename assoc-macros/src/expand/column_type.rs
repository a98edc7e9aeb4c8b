//! `impl ColumnType`: of a newtype everything is what its field does, of an enum each variant has its text or number.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::{Root, generated, in_anonymous_constant};
use crate::column_type::{ColumnType, Form, Newtype};
use crate::enumeration::Enumeration;

/// All code of a column type.
pub(crate) fn column_type(column_type: &ColumnType, root: Root) -> TokenStream {
    let ColumnType { ident, key, form, .. } = column_type;
    let root = root.path(column_type.root.as_ref());
    let key = key.then(|| {
        quote! {
            #[automatically_derived]
            impl __assoc::Key for #ident {
                const WIDTH: usize = 1;

                fn push_values(&self, __out: &mut __assoc::Vec<__assoc::Value<'static>>) {
                    __out.push(__assoc::ColumnType::to_value(self).into_owned());
                }

                fn from_values(
                    __values: &[__assoc::Value<'static>],
                ) -> __assoc::StdResult<Self, __assoc::DecodeError> {
                    __assoc::single_key(__values)
                }
            }
        }
    });
    let (checks, body) = match form {
        Form::Newtype(newtype) => (TokenStream::new(), of_newtype(ident, newtype)),
        Form::Enumeration(Enumeration::Texts(texts)) => (TokenStream::new(), of_texts(ident, texts)),
        Form::Enumeration(Enumeration::Numbers { integer, variants, shown }) => {
            (fitting(ident, integer, variants), of_numbers(ident, integer, variants, shown))
        }
    };
    let items = quote! {
        #checks

        #[automatically_derived]
        impl __assoc::ColumnType for #ident {
            #body
        }

        #[automatically_derived]
        impl __assoc::MaybeNull for #ident {
            type Nullable = __assoc::Option<#ident>;
        }

        #key
    };
    in_anonymous_constant(&root, &items)
}

fn of_newtype(ident: &Ident, newtype: &Newtype) -> TokenStream {
    let Newtype { member, inner } = newtype;
    let column_type = quote_spanned!(generated(inner.span())=> <#inner as __assoc::ColumnType>);
    quote! {
        const SQL_TYPE: __assoc::SqlType = #column_type::SQL_TYPE;

        const NULLABLE: bool = #column_type::NULLABLE;

        #[inline]
        fn from_value(__value: &mut __assoc::Value<'_>) -> __assoc::StdResult<Self, __assoc::DecodeError> {
            __assoc::StdResult::map(#column_type::from_value(__value), |__inner| #ident { #member: __inner })
        }

        #[inline]
        fn to_value(&self) -> __assoc::Value<'_> {
            #column_type::to_value(&self.#member)
        }

        #[inline]
        fn absent() -> __assoc::Option<Self> {
            __assoc::Option::map(#column_type::absent(), |__inner| #ident { #member: __inner })
        }
    }
}

fn of_texts(ident: &Ident, texts: &[(Ident, String)]) -> TokenStream {
    let variants = texts.iter().map(|(variant, _)| variant).collect::<Vec<_>>();
    let stored = texts.iter().map(|(_, text)| text).collect::<Vec<_>>();
    let shown = stored.iter().map(|text| format!("`{text}`")).collect::<Vec<_>>().join(", ");
    let expected = format!("one of {shown}");
    quote! {
        const SQL_TYPE: __assoc::SqlType = __assoc::SqlType::Text;

        fn from_value(__value: &mut __assoc::Value<'_>) -> __assoc::StdResult<Self, __assoc::DecodeError> {
            match __assoc::text_of(__value) {
                #(__assoc::Option::Some(#stored) => __assoc::StdResult::Ok(#ident::#variants),)*
                _ => __assoc::StdResult::Err(__assoc::DecodeError::new(#expected, __value)),
            }
        }

        #[inline]
        fn to_value(&self) -> __assoc::Value<'_> {
            __assoc::From::from(match self {
                #(#ident::#variants => #stored,)*
            })
        }
    }
}

fn of_numbers(ident: &Ident, integer: &Ident, variants: &[Ident], shown: &str) -> TokenStream {
    let integer = quote!(::core::primitive::#integer);
    let expected = format!("one of {shown}");
    quote! {
        const SQL_TYPE: __assoc::SqlType = <#integer as __assoc::ColumnType>::SQL_TYPE;

        fn from_value(__value: &mut __assoc::Value<'_>) -> __assoc::StdResult<Self, __assoc::DecodeError> {
            let __number = match <#integer as __assoc::ColumnType>::from_value(__value) {
                __assoc::StdResult::Ok(__number) => __number,
                __assoc::StdResult::Err(_) => {
                    return __assoc::StdResult::Err(__assoc::DecodeError::new(#expected, __value));
                }
            };
            #(
                if __number == #ident::#variants as #integer {
                    return __assoc::StdResult::Ok(#ident::#variants);
                }
            )*
            __assoc::StdResult::Err(__assoc::DecodeError::new(#expected, __value))
        }

        #[inline]
        fn to_value(&self) -> __assoc::Value<'_> {
            let __number: #integer = match self {
                #(#ident::#variants => #ident::#variants as #integer,)*
            };
            <#integer as __assoc::ColumnType>::into_value(__number)
        }
    }
}

// Requires that each number fits: the conversion with `as` would cut it.
fn fitting(ident: &Ident, integer: &Ident, variants: &[Ident]) -> TokenStream {
    let fits = variants.iter().map(|variant| {
        let message = format!("the number of `{variant}` does not fit `{integer}`");
        quote_spanned! {generated(variant.span())=>
            const _: () = ::core::assert!(
                ((#ident::#variant as ::core::primitive::#integer) as ::core::primitive::i128)
                    == (#ident::#variant as ::core::primitive::i128),
                #message
            );
        }
    });
    quote!(#(#fits)*)
}
