//! `impl Polymorphic` of an enum: its models as a constant, and a token for each.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::{Root, generated, in_anonymous_constant};
use crate::polymorphic::{Polymorphic, Variant};

/// All code of an enum. Without definitions if there are mistakes in it, so that nobody complains that it is no
/// polymorphic target.
pub(crate) fn polymorphic(polymorphic: &Polymorphic, root: Root, mistakes: bool) -> TokenStream {
    let Polymorphic { ident, vis, variants, .. } = polymorphic;
    let root = root.path(polymorphic.root.as_ref());
    let definitions = variants.iter().filter(|_| !mistakes).map(|variant| definition(ident, variant));
    let keys = variants.iter().filter(|_| !mistakes).map(|variant| {
        let model = &variant.model;
        quote_spanned!(generated(model.span())=> __F: __assoc::CompositeForeignKeyFor<<#model as __assoc::Model>::Key>)
    });
    let targets = variants.iter().filter(|_| !mistakes).map(|variant| {
        let model = &variant.model;
        quote_spanned!(generated(model.span())=> #model: __assoc::ReadonlyTarget<__X>)
    });
    let each = variants.iter().map(|variant| {
        let Variant { ident: name, model, constant, .. } = variant;
        let at = generated(model.span());
        let constant = Ident::new(constant, generated(name.span()));
        let doc = format!("The variant [`{name}`]({ident}::{name}).");
        let token = quote! {
            #[automatically_derived]
            #[allow(dead_code)]
            impl #ident {
                #[doc = #doc]
                #vis const #constant: __assoc::Variant<#ident, #model> = __assoc::Variant::new();
            }
        };
        if mistakes {
            return token;
        }
        quote_spanned! {at=>
            #token

            #[automatically_derived]
            impl __assoc::HasVariant<#model> for #ident {}
            impl __assoc::OfType<#model> for #ident {}

            #[automatically_derived]
            impl __assoc::From<#model> for #ident {
                fn from(__row: #model) -> Self {
                    #ident::#name(__row)
                }
            }
        }
    });
    let items = quote! {
        #[automatically_derived]
        impl __assoc::Polymorphic for #ident {
            const VARIANTS: &'static [__assoc::VariantDef] = &[#(#definitions),*];
        }

        #[automatically_derived]
        impl __assoc::TargetRow for #ident {}

        #[automatically_derived]
        impl<__F> __assoc::PolymorphicKey<__F> for #ident
        where
            #(#keys,)*
        {
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
            model: || #model_of::DEF,
            key: #model_of::PRIMARY_KEY,
            share: |__rows| __assoc::share_variant::<#model, #ident>(__rows, #ident::#name),
            row: #shared,
            row_mut: #mutable,
        }
    }
}
