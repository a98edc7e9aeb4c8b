//! `#[callbacks] impl Callbacks for User`: which functions there are, as a constant table.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Ident, ImplItem, ItemImpl, Path, Token};

use crate::errors::Errors;
use crate::names::nearest;

/// The functions that a model can have, with the points at which they run.
const FUNCTIONS: [(&str, &str); 11] = [
    ("before_validate", "BeforeValidate"),
    ("before_save", "BeforeSave"),
    ("before_insert", "BeforeInsert"),
    ("before_update", "BeforeUpdate"),
    ("after_insert", "AfterInsert"),
    ("after_update", "AfterUpdate"),
    ("after_save", "AfterSave"),
    ("before_destroy", "BeforeDestroy"),
    ("after_destroy", "AfterDestroy"),
    ("after_commit", "AfterCommit"),
    ("after_rollback", "AfterRollback"),
];

// `crate = "my_orm::repo"`.
struct Options {
    root: Option<Path>,
}

impl syn::parse::Parse for Options {
    fn parse(input: syn::parse::ParseStream<'_>) -> syn::Result<Self> {
        if input.is_empty() {
            return Ok(Options { root: None });
        }
        let unknown = "`callbacks` takes nothing but `crate = \"…\"`, the path of the repo's crate";
        if !input.peek(Token![crate]) {
            return Err(input.error(unknown));
        }
        input.parse::<Token![crate]>()?;
        input.parse::<Token![=]>()?;
        let text: syn::LitStr = input.parse().map_err(|error| syn::Error::new(error.span(), unknown))?;
        let root = text.parse_with(Path::parse_mod_style)?;
        if input.is_empty() { Ok(Options { root: Some(root) }) } else { Err(input.error(unknown)) }
    }
}

/// The `impl` as it is, and the table of its functions.
pub(crate) fn expand(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let options = match syn::parse2::<Options>(options) {
        Ok(options) => options,
        Err(error) => {
            errors.push(error);
            Options { root: None }
        }
    };
    let input = match syn::parse2::<ItemImpl>(item.clone()) {
        Ok(input) => input,
        Err(_) => {
            errors.on(&item, "`#[callbacks]` belongs above `impl Callbacks for …`".to_owned());
            let mut output = errors.into_compile_errors();
            output.extend(item);
            return output;
        }
    };
    let is_callbacks = |path: &Path| path.segments.last().is_some_and(|last| last.ident == "Callbacks");
    let is_positive = input.modifiers.polarity.is_none();
    match &input.trait_ {
        Some((path, _)) if is_callbacks(path) && is_positive => {}
        Some((path, _)) => errors.on(path, "`#[callbacks]` belongs above `impl Callbacks for …`".to_owned()),
        None => {
            let message = "`#[callbacks]` belongs above `impl Callbacks for …`, whose functions are the callbacks; write \
                           other functions in an `impl` without it";
            errors.on(&input.self_ty, message.to_owned());
        }
    }
    if !input.generics.params.is_empty() {
        errors.on(&input.generics, "a model is not generic, so its callbacks are not either".to_owned());
    }
    let mut functions: Vec<(&Ident, &str)> = Vec::new();
    for item in &input.items {
        let ImplItem::Fn(function) = item else { continue };
        let name = function.sig.ident.to_string();
        match FUNCTIONS.iter().find(|(known, _)| *known == name) {
            Some((_, point)) => functions.push((&function.sig.ident, point)),
            None => errors.on(&function.sig.ident, unknown(&name)),
        }
    }
    let table = if errors.is_empty() { table(&input, &functions, options.root.as_ref()) } else { TokenStream::new() };
    if !errors.is_empty() {
        // Without the functions that are none, of which the compiler would complain once more.
        let mut known = input.clone();
        known.items.retain(|item| match item {
            ImplItem::Fn(function) => FUNCTIONS.iter().any(|(known, _)| function.sig.ident == known),
            _ => true,
        });
        let stand_in = self::table(&known, &[], options.root.as_ref());
        let mut output = errors.into_compile_errors();
        if known.trait_.is_some() && known.generics.params.is_empty() {
            output.extend(quote!(#known #stand_in));
        }
        return output;
    }
    quote!(#input #table)
}

fn unknown(name: &str) -> String {
    let names: Vec<&str> = FUNCTIONS.iter().map(|(name, _)| *name).collect();
    // As Rails calls them.
    let renamed = match name {
        "before_create" => Some("before_insert"),
        "after_create" => Some("after_insert"),
        "before_validation" => Some("before_validate"),
        "before_delete" => Some("before_destroy"),
        "after_delete" => Some("after_destroy"),
        _ => nearest(name, names.iter().copied()),
    };
    match renamed {
        Some(near) => format!("there is no callback `{name}`, did you mean `{near}`?"),
        None => format!("there is no callback `{name}`; there are {}", names.join(", ")),
    }
}

fn table(input: &ItemImpl, functions: &[(&Ident, &str)], root: Option<&Path>) -> TokenStream {
    let model = &input.self_ty;
    let root = root.map_or_else(|| quote!(::assoc_repo), |path| quote!(#path));
    let points = functions.iter().map(|(_, point)| format_ident!("{point}"));
    let names = functions.iter().map(|(name, _)| Ident::new(&name.to_string(), proc_macro2::Span::call_site()));
    let at = proc_macro2::Span::call_site().located_at(model.span());
    let declared = quote_spanned!(at=> const _: () = __assoc::require_callbacks::<#model>(););
    quote! {
        const _: () = {
            use #root::__private as __assoc;

            #[automatically_derived]
            impl __assoc::HasCallbacks for #model {
                const CALLBACKS: __assoc::ModelCallbacks = __assoc::ModelCallbacks::new(
                    &[#(__assoc::CallbackPoint::#points),*],
                    &__assoc::ModelFunctions::new()#(.#names::<#model>())*,
                );
            }

            #declared
        };
    }
}
