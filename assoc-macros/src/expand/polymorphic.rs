//! `impl Polymorphic` of an enum: its models as a constant, and a token for each.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::{Root, generated, in_anonymous_constant, row_traits};
use crate::attributes::FieldNames;
use crate::names::token;
use crate::parse::shown;
use crate::polymorphic::{Polymorphic, Variant};

/// All code of an enum. An enum with mistakes gets empty definitions, so that the compiler does not also report that it
/// is no polymorphic target.
pub(crate) fn polymorphic(polymorphic: &Polymorphic, root: Root, mistakes: bool) -> TokenStream {
    let Polymorphic { ident, vis, variants, .. } = polymorphic;
    let root = root.path(polymorphic.root.as_ref());
    let definitions = variants.iter().filter(|_| !mistakes).map(|variant| definition(ident, variant));
    let of_primary_key = |variant: &&Variant| !mistakes && variant.key.is_none();
    let keys = variants.iter().filter(of_primary_key).map(|variant| {
        let model = &variant.model;
        quote_spanned!(generated(model.span())=> __F: __assoc::CompositeForeignKeyFor<<#model as __assoc::Model>::Key>)
    });
    let named = variants.iter().filter(|_| !mistakes).filter_map(named_key).collect::<Vec<_>>();
    let named = (!named.is_empty()).then(|| quote!(const NAMED: &'static [__assoc::NamedKey] = &[#(#named),*];));
    let targets = variants.iter().filter(|_| !mistakes).map(|variant| {
        let model = &variant.model;
        quote_spanned!(generated(model.span())=> #model: __assoc::ReadonlyTarget<__X>)
    });
    let each = variants.iter().map(|variant| {
        let Variant { ident: name, model, tag, constant, .. } = variant;
        let at = generated(model.span());
        let method = |verb: &str| Ident::new(&format!("{verb}_{}", constant.to_lowercase()), generated(name.span()));
        let (is, row) = (method("is"), method("as"));
        let constant = Ident::new(constant, generated(name.span()));
        let doc = format!("The variant [`{name}`]({ident}::{name}).");
        let is_doc = format!("Whether this is [`{name}`]({ident}::{name}).");
        let row_doc = format!("The row of [`{name}`]({ident}::{name}), or `None`.");
        let token = quote! {
            #[automatically_derived]
            #[allow(dead_code)]
            impl #ident {
                #[doc = #doc]
                #vis const #constant: __assoc::Variant<#ident, #model> = __assoc::Variant::new();

                #[doc = #is_doc]
                #[must_use]
                #vis fn #is(&self) -> bool {
                    self.#row().is_some()
                }

                #[doc = #row_doc]
                #[must_use]
                #vis fn #row(&self) -> __assoc::Option<&#model> {
                    match self {
                        #ident::#name(__row) => __assoc::Option::Some(__row),
                        #[allow(unreachable_patterns)]
                        _ => __assoc::Option::None,
                    }
                }
            }
        };
        if mistakes {
            return token;
        }
        let key = key(variant);
        quote_spanned! {at=>
            #token

            #[automatically_derived]
            impl __assoc::HasVariant<#model> for #ident {
                const KEY: &'static [usize] = #key;
                const TAG: &'static str = #tag;
            }
            impl __assoc::OfType<#model> for #ident {}

            #[automatically_derived]
            impl __assoc::From<#model> for #ident {
                fn from(__row: #model) -> Self {
                    #ident::#name(__row)
                }
            }
        }
    });
    let row_traits = row_traits(ident);
    let items = quote! {
        #[automatically_derived]
        impl __assoc::Polymorphic for #ident {
            const VARIANTS: &'static [__assoc::VariantDef] = &[#(#definitions),*];
        }

        #[automatically_derived]
        impl __assoc::TargetRow for #ident {
            #row_traits
        }

        #[automatically_derived]
        impl<__F> __assoc::PolymorphicKey<__F> for #ident
        where
            #(#keys,)*
        {
            #named
        }

        #[automatically_derived]
        impl<__X> __assoc::ReadonlyTarget<__X> for #ident
        where
            #(#targets,)*
        {
        }

        #(#each)*
    };
    in_anonymous_constant(&root, &items)
}

// The model's columns that rows of a type are found by.
fn key(variant: &Variant) -> TokenStream {
    let model = &variant.model;
    match columns(variant) {
        Some(columns) => quote!(&[#(#columns.index()),*]),
        None => quote_spanned!(generated(model.span())=> <#model as __assoc::Model>::PRIMARY_KEY),
    }
}

// The constants of the columns that are named, where they are named.
fn columns(variant: &Variant) -> Option<Vec<TokenStream>> {
    let Variant { model, key, .. } = variant;
    let FieldNames { names, span } = key.as_ref()?;
    let at = generated(*span);
    let column = |name: &String| {
        let column = token(name, at);
        quote_spanned!(at=> <#model>::#column)
    };
    Some(names.iter().map(column).collect())
}

// For the check that a foreign key fits columns whose types are only known to the compiler.
fn named_key(variant: &Variant) -> Option<TokenStream> {
    let columns = columns(variant)?;
    let names = variant.key.as_ref()?.listed();
    let model = shown(&variant.model);
    let misfit = format!(
        "this foreign key cannot refer to {names} of `{model}`, the key that the variant names: it needs as many columns, each \
         of the type of the key's or an `Option` of it"
    );
    Some(quote!(__assoc::NamedKey { columns: &[#(__assoc::stored_in(#columns)),*], misfit: #misfit }))
}

fn definition(ident: &Ident, variant: &Variant) -> TokenStream {
    let Variant { ident: name, model, tag, .. } = variant;
    let at = generated(model.span());
    let model_of = quote_spanned!(at=> <#model as __assoc::Model>);
    // The variant's row, by reference.
    let row = |downcast: TokenStream| {
        quote! {
            |__row| match __row.#downcast::<#ident>() {
                __assoc::Option::Some(#ident::#name(__row)) => __assoc::Option::Some(__row),
                _ => __assoc::Option::None,
            }
        }
    };
    let (shared, mutable) = (row(quote!(downcast_ref)), row(quote!(downcast_mut)));
    quote! {
        __assoc::VariantDef {
            tag: #tag,
            model: #model_of::definition,
            columns: #model_of::COLUMNS,
            key: <#ident as __assoc::HasVariant<#model>>::KEY,
            share: |__rows| __assoc::share_variant::<#model, #ident>(__rows, #ident::#name),
            row: #shared,
            row_mut: #mutable,
        }
    }
}
