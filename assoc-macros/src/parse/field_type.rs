//! The type of an association's field: its holder, its target, and the row of its join table.

use proc_macro2::{Ident, Span};
use quote::ToTokens;
use syn::{Attribute, GenericArgument, PathArguments, Type, TypePath};

use super::FieldType;
use crate::errors::Errors;
use crate::holder::Holder;
use crate::kinds::Kind;

/// Where an attribute is: its name.
pub(super) fn span_of(attribute: &Attribute) -> Span {
    attribute.path().get_ident().map_or_else(Span::call_site, Ident::span)
}

// The holder a type's name says it is, and the last segment of its path.
pub(super) fn holder_name(ty: &Type) -> Option<(Holder, &syn::PathSegment)> {
    let Type::Path(TypePath { path, .. }) = unwrapped(ty) else { return None };
    let segment = path.segments.last()?;
    Holder::ALL.into_iter().find(|holder| segment.ident == holder.name()).map(|holder| (holder, segment))
}

// The name of a type, without its path and arguments.
fn last_name(ty: &Type) -> Option<&Ident> {
    let Type::Path(TypePath { path, .. }) = unwrapped(ty) else { return None };
    path.segments.last().map(|segment| &segment.ident)
}

pub(super) fn is_origin(ty: &Type) -> bool {
    last_name(ty).is_some_and(|name| name == "RowOrigin")
}

/// The `V` of `Aggregated<V>`; `Some(None)` if it names none.
pub(super) fn aggregated(ty: &Type) -> Option<Option<&Type>> {
    let Type::Path(TypePath { path, .. }) = unwrapped(ty) else { return None };
    let segment = path.segments.last()?;
    (segment.ident == "Aggregated").then(|| only_argument(&segment.arguments))
}

pub(super) fn field_type(
    kind: Kind,
    through: bool,
    attribute: &Attribute,
    ty: &Type,
    errors: &mut Errors,
) -> Option<FieldType> {
    let holder = kind.holder(through);
    let way = if through && !holder.is_to_one() { " with `through`" } else { "" };
    let Some((found, segment)) = holder_name(ty) else {
        // By analogy with `HasManyThrough`.
        let named_through = last_name(ty).is_some_and(|name| name == "HasOneThrough");
        let remedy = if named_through { ": `HasOne` is the type with `through` as well" } else { "" };
        let message = format!("`{kind}`{way} needs a field of type `{holder}<…>`, this one is `{}`{remedy}", shown(ty));
        errors.at(span_of(attribute), message);
        return None;
    };
    if found != holder {
        let remedy = match (holder, found) {
            (Holder::HasManyThrough, Holder::HasMany) => {
                "make it a `HasManyThrough`, whose rows are shared by all owners that have them".to_owned()
            }
            (Holder::HasMany, Holder::HasManyThrough) => {
                "say what it goes through with `through = \"…\"`, or make it a `HasMany`".to_owned()
            }
            _ => format!("change one of them, `{found}` goes with `{}`", found.attribute()),
        };
        let message =
            format!("`{kind}`{way} needs a field of type `{holder}<…>`, this one is `{}`: {remedy}", shown(ty));
        errors.at(span_of(attribute), message);
        return None;
    }
    let (slot, join_row) = match &type_arguments(&segment.arguments)[..] {
        [slot] => (*slot, None),
        [slot, join_row] if holder == Holder::HasAndBelongsToMany => (*slot, Some(*join_row)),
        [_, _] if holder == Holder::HasManyThrough => {
            let message = format!(
                "`{kind}`{way} names its target alone: the rows between are those of the association it goes through, \
                 which can be loaded as well"
            );
            errors.on(ty, message);
            return None;
        }
        _ => {
            errors.on(ty, format!("`{holder}` names its target between angle brackets: `{holder}<Post>`"));
            return None;
        }
    };
    let nothing = |ty: &Type| matches!(unwrapped(ty), Type::Tuple(tuple) if tuple.elems.is_empty());
    let join_row = join_row.filter(|join_row| !nothing(join_row)).cloned();
    let inner = optional(slot);
    if let Some(inner) = inner
        && !holder.is_to_one()
    {
        let message = format!("a list has no absent rows: write `{holder}<{}>`", shown(inner));
        errors.on(slot, message);
        return None;
    }
    Some(FieldType { holder, slot: slot.clone(), target: inner.unwrap_or(slot).clone(), join_row })
}

// The `T` of `Option<T>`.
fn optional(ty: &Type) -> Option<&Type> {
    let Type::Path(TypePath { path, .. }) = unwrapped(ty) else { return None };
    let segment = path.segments.last()?;
    if segment.ident == "Option" { only_argument(&segment.arguments) } else { None }
}

fn only_argument(arguments: &PathArguments) -> Option<&Type> {
    match type_arguments(arguments)[..] {
        [only] => Some(only),
        _ => None,
    }
}

// All arguments, if they are types; none if one of them is something else.
fn type_arguments(arguments: &PathArguments) -> Vec<&Type> {
    let PathArguments::AngleBracketed(arguments) = arguments else { return Vec::new() };
    let types = arguments.args.iter().map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    });
    types.collect::<Option<_>>().unwrap_or_default()
}

// Without the invisible delimiters that a type has which a `macro_rules!` macro was given.
fn unwrapped(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => unwrapped(&group.elem),
        Type::Paren(paren) => unwrapped(&paren.elem),
        other => other,
    }
}

/// A type as its author would write it.
pub(crate) fn shown(ty: &Type) -> String {
    let spaced = ty.to_token_stream().to_string();
    spaced.replace(" :: ", "::").replace(" < ", "<").replace(" >", ">").replace(" ,", ",").replace(":: ", "::")
}
