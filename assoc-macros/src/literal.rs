//! `build!` and `permit!`: struct literals that stand for calls of a changeset and of a permit.
//!
//! Each field is written as the constant of its name, `User::NAME`, so the derive emits nothing for these macros, and the
//! compiler reports a misspelt field at the field, with the constants that exist.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, ExprStruct, FieldValue, Member};

use crate::attributes::ungrouped;
use crate::errors::Errors;
use crate::names::{plain, token};

/// The crate's path, a semicolon, and the literal.
fn parts(input: TokenStream) -> (TokenStream, TokenStream) {
    let mut tokens = input.into_iter();
    let root = tokens.by_ref().take_while(|token| !matches!(token, TokenTree::Punct(punct) if punct.as_char() == ';'));
    (root.collect(), tokens.collect())
}

fn literal(input: TokenStream, example: &str, errors: &mut Errors) -> Option<ExprStruct> {
    match syn::parse2::<Expr>(input).map(ungrouped) {
        Ok(Expr::Struct(literal)) => Some(literal),
        Ok(other) => {
            errors.on(&other, format!("name the model and its fields: `{example}`"));
            None
        }
        Err(error) => {
            errors.push(error);
            None
        }
    }
}

/// The changeset of `root; User { name: "Ada" }`.
pub(crate) fn build(input: TokenStream, errors: &mut Errors) -> Option<TokenStream> {
    let (root, input) = parts(input);
    let literal = literal(input, "build!(User { name: \"Ada\" })", errors)?;
    Some(draft(&root, &literal, errors))
}

fn draft(root: &TokenStream, literal: &ExprStruct, errors: &mut Errors) -> TokenStream {
    let model = &literal.path;
    // Out of sight of the expressions.
    let draft = Ident::new("draft", Span::mixed_site());
    let members = Ident::new("members", Span::mixed_site());
    let begin = match &literal.rest {
        Some(rest) => quote_spanned!(rest.span()=> #root::__build::begin::<#model>(#rest)),
        None => quote_spanned!(model.span()=> <#model as #root::ModelExt>::build()),
    };
    let mut steps = TokenStream::new();
    for field in &literal.fields {
        let Some((at, column)) = constant(field, errors) else { continue };
        let (owner, root_here) = (placed(quote!(#model), at), placed(root.clone(), at));
        match ungrouped(field.expr.clone()) {
            // Without elements it is a check of the name alone.
            Expr::Array(list) => {
                let begin = quote_spanned!(at=> #root_here::__build::Lists.members(#owner::#column));
                steps.extend(if list.elems.is_empty() {
                    quote!(let _ = #begin;)
                } else {
                    quote!(let #members = #begin;)
                });
                for element in list.elems {
                    let element = value(root, ungrouped(element), errors);
                    steps.extend(quote_spanned!(at=> let #draft = #members.add(#draft, #element);));
                }
            }
            other => {
                let given = value(root, other, errors);
                let call = quote_spanned!(at=> #root_here::__build::field(#owner::#column, #draft, #given));
                steps.extend(quote_spanned!(at=> let #draft = #call;));
            }
        }
    }
    quote!({ let #draft = #begin; #steps #draft })
}

// A literal within is a draft too.
fn value(root: &TokenStream, value: Expr, errors: &mut Errors) -> TokenStream {
    match value {
        Expr::Struct(literal) => draft(root, &literal, errors),
        other => quote!(#other),
    }
}

/// The permit of `root; User { name, posts: Post { title } }`.
pub(crate) fn permit(input: TokenStream, errors: &mut Errors) -> Option<TokenStream> {
    let (root, input) = parts(input);
    let literal = literal(input, "permit!(User { name, email })", errors)?;
    Some(permitted(&root, &literal, errors))
}

fn permitted(root: &TokenStream, literal: &ExprStruct, errors: &mut Errors) -> TokenStream {
    let model = &literal.path;
    if let Some(rest) = &literal.rest {
        errors.on(rest, "nothing is permitted that is not named: name the fields".to_owned());
    }
    // At the model's name, which is what does not fit if it is the permit of another model.
    let of = Span::mixed_site().located_at(model.span());
    let permit = Ident::new("permit", of);
    let mut steps = TokenStream::new();
    for field in &literal.fields {
        let Some((at, column)) = constant(field, errors) else { continue };
        let (owner, root_here) = (placed(quote!(#model), at), placed(root.clone(), at));
        let step = match (&field.colon_token, &ungrouped(field.expr.clone())) {
            (None, _) => quote_spanned!(at=> #root_here::__build::permitted(#owner::#column, #permit)),
            (Some(_), Expr::Struct(below)) => {
                let below = permitted(root, below, errors);
                quote_spanned!(at=> #permit.nested(#owner::#column, #below))
            }
            (Some(_), below) => quote_spanned!(at=> #permit.nested(#owner::#column, #below)),
        };
        steps.extend(quote!(let #permit = #step;));
    }
    let begin = quote_spanned!(model.span()=> #root::Permit::<#model>::new());
    quote_spanned!(of=> { let #permit = #begin; #steps #permit })
}

// A path at the place of a field, so that what the compiler says of the field's constant is there alone.
fn placed(path: TokenStream, at: Span) -> TokenStream {
    let one = |mut token: TokenTree| {
        token.set_span(token.span().located_at(at));
        token
    };
    path.into_iter().map(one).collect()
}

// The constant of a field, and where it stands.
fn constant(field: &FieldValue, errors: &mut Errors) -> Option<(Span, Ident)> {
    match &field.member {
        Member::Named(name) => Some((name.span(), token(&plain(name), name.span()))),
        Member::Unnamed(index) => {
            errors.on(index, "a model has no numbered fields".to_owned());
            None
        }
    }
}
