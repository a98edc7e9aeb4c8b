//! `impl ColumnType` of a newtype: everything is what its field does.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::{Root, generated, in_anonymous_constant};
use crate::column_type::Newtype;

/// All code of a newtype.
pub(crate) fn column_type(newtype: &Newtype, root: Root) -> TokenStream {
    let Newtype { ident, member, inner, .. } = newtype;
    let root = root.path(newtype.root.as_ref());
    let column_type = quote_spanned!(generated(inner.span())=> <#inner as __assoc::ColumnType>);
    let key = newtype.key.then(|| {
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
    let items = quote! {
        #[automatically_derived]
        impl __assoc::ColumnType for #ident {
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

        #[automatically_derived]
        impl __assoc::MaybeNull for #ident {
            type Nullable = __assoc::Option<#ident>;
        }

        #key
    };
    in_anonymous_constant(&root, &items)
}
