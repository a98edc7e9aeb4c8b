//! `through`: two other associations, one after the other.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{LitStr, Type};

use super::{Keys, Kind, last_name};
use crate::attributes::FieldName;
use crate::errors::Errors;
use crate::expand::{function, generated, missing};
use crate::names::{self, listed, nearest, plain, token};
use crate::parse::{AssociationInput, FieldInput, Role};
use crate::validate::{Association, Model, Owner};

/// The two associations that a third is made of.
pub(crate) struct Through {
    /// The owner's association, as its field has it.
    pub(crate) name: String,
    /// The constant of that association.
    pub(crate) through: Ident,
    /// The target of that association.
    pub(crate) middle: Type,
    /// The constants that may be its source, in the order of preference.
    pub(crate) sources: Vec<Ident>,
    // Whether `source` names it.
    named: bool,
    source_type: Option<LitStr>,
}

/// Checks the options.
pub(super) fn keys(
    owner: &Owner<'_>,
    field: &FieldInput,
    input: &AssociationInput,
    errors: &mut Errors,
) -> Option<Box<dyn Keys>> {
    let options = &input.options;
    let through = options.through.as_ref();
    let why = match through {
        Some(through) => format!(
            "has no place beside `through`: the keys are those of `{}` and of what leads on from there",
            through.name
        ),
        None => "has no place beside `through`".to_owned(),
    };
    input.refuse(&["foreign_key", "primary_key", "as", "foreign_type", "tag"], &why, errors);
    let through = through?;
    let middle = association(owner, &plain(&field.ident), through, errors)?;
    if input.kind == Kind::HasOne && !middle.field.holder.is_to_one() {
        let message = format!(
            "a `has_one` cannot go through `{}`, a `{}`, which leads to many rows: go through a `has_one` or \
             `belongs_to`, or make this a `has_many`",
            through.name, middle.kind
        );
        errors.at(through.span, message);
        return None;
    }
    if middle.given("polymorphic").is_some() {
        let message = format!(
            "`{}` is polymorphic: it leads to several models, and an association goes on from one; associations of \
             each model are loaded below it",
            through.name
        );
        errors.at(through.span, message);
        return None;
    }
    if middle.given("finder_sql").is_some() {
        let message = format!(
            "`{}` has SQL of its own (`finder_sql`), which no association can go through: go through one that has a key",
            through.name
        );
        errors.at(through.span, message);
        return None;
    }
    if leads_back(owner, &plain(&field.ident), middle) {
        let message = format!("`{}` goes through this association itself, so it leads nowhere", through.name);
        errors.at(through.span, message);
        return None;
    }
    let name = plain(&field.ident);
    let to_itself = last_name(&middle.field.target).is_some_and(|middle| middle == owner.name || middle == "Self");
    let sources = match &options.source {
        Some(source) if to_itself && source.name == name => {
            errors.at(source.span, format!("`{name}` cannot be its own source: name the one that leads on"));
            return None;
        }
        Some(source) => vec![token(&source.name, source.span)],
        None => {
            // The name itself is one of the two, because the pluraliser's result is not always a word.
            let mut sources = match input.kind {
                Kind::HasOne => vec![name.clone(), names::plural(&name)],
                _ => vec![names::singular(&name), name.clone()],
            };
            sources.dedup();
            // What is found must not be this association itowner.
            sources.retain(|source| !(to_itself && *source == name));
            if sources.is_empty() {
                let message = format!(
                    "`{name}` goes through other rows of `{}`, so its source needs another name: give it with \
                     `source = \"…\"`",
                    owner.name
                );
                errors.at(input.span, message);
                return None;
            }
            sources.iter().map(|name| token(name, input.span)).collect()
        }
    };
    Some(Box::new(Through {
        name: through.name.clone(),
        through: token(&through.name, through.span),
        middle: middle.field.target.clone(),
        sources,
        named: options.source.is_some(),
        source_type: options.source_type.clone(),
    }))
}

// Another association of this struct.
fn association<'o>(
    owner: &Owner<'o>,
    of: &str,
    named: &FieldName,
    errors: &mut Errors,
) -> Option<&'o AssociationInput> {
    let name = &named.name;
    let others = || {
        let others = owner.fields.iter().filter(|field| matches!(field.role, Role::Association(_)));
        others.map(|field| plain(&field.ident)).filter(|other| other != of).collect::<Vec<_>>()
    };
    let why = match owner.fields.iter().find(|field| plain(&field.ident) == *name).map(|field| &field.role) {
        _ if name == of => format!("`{name}` is this one"),
        Some(Role::Association(association)) => return Some(association),
        // Reported there.
        Some(Role::Unknown) => return None,
        Some(Role::Column(_)) => format!("`{name}` is a column"),
        Some(Role::Skipped | Role::Origin | Role::Aggregated(_)) => format!("`{name}` is none"),
        None => format!("there is no `{name}`"),
    };
    let others = others();
    let known = || others.iter().map(String::as_str);
    let which = match nearest(name, known()) {
        _ if others.is_empty() => ", and there is no other association".to_owned(),
        Some(near) => format!("; choose from {}, did you mean `{near}`?", listed(known())),
        None => format!("; choose from {}", listed(known())),
    };
    errors.at(named.span, format!("`through` names another association of `{}`: {why}{which}", owner.name));
    None
}

// Whether a chain of through associations returns to its beginning.
fn leads_back(owner: &Owner<'_>, start: &str, from: &AssociationInput) -> bool {
    let mut at = from;
    for _ in 0..owner.fields.len() {
        let Some(next) = &at.options.through else { return false };
        if next.name == start {
            return true;
        }
        let Some(field) = owner.fields.iter().find(|field| plain(&field.ident) == next.name) else { return false };
        let Role::Association(association) = &field.role else { return false };
        at = association;
    }
    // In a circle, but not back to here: reported where it is.
    false
}

impl Keys for Through {
    fn behavior(&self, model: &Model, association: &Association) -> TokenStream {
        let owner = &model.ident;
        let target = &association.target;
        let Through { name: _, through: token, middle, sources, named, source_type } = self;
        let at = generated(token.span());
        let token = Ident::new(&token.to_string(), at);
        let by = quote_spanned!(at=> <#owner>::#token.def());
        let at = generated(sources.first().map_or(association.span, Ident::span));
        // One that is named has the place of the program's text, where the compiler says which name is near.
        let sources: Vec<Ident> = match named {
            true => sources.clone(),
            false => sources.iter().map(|source| Ident::new(&source.to_string(), at)).collect(),
        };
        let (first, second) = match sources.as_slice() {
            [first, second] => (quote_spanned!(at=> <#middle>::#first), quote_spanned!(at=> <#middle>::#second)),
            sources => (quote_spanned!(at=> <#middle>::#(#sources)*), quote_spanned!(at=> __assoc::Missing)),
        };
        let pick = if source_type.is_some() { "PickTypedSource" } else { "PickSource" };
        let pick = Ident::new(pick, at);
        let source = quote_spanned!(at=> __assoc::#pick::<#target>::def((#first, #second)));
        // A constant of the model itself wins over one of a trait, so this is what there is if the model has none.
        let otherwise = if *named { TokenStream::new() } else { missing(&format_ident!("__Source"), &sources) };
        let source_type = match source_type {
            None => quote!(__assoc::Option::None),
            Some(tag) => quote!(__assoc::Option::Some(#tag)),
        };
        let one = association.holder.is_to_one();
        let signature = quote!(() -> &'static __assoc::AssociationDef);
        let by = function(owner, &signature, &by);
        let source = function(owner, &signature, &quote!(#otherwise #source));
        quote! {
            &__assoc::ThroughKind {
                through: #by,
                source: #source,
                source_type: #source_type,
                one: #one,
            }
        }
    }

    fn through(&self) -> Option<&Through> {
        Some(self)
    }
}
