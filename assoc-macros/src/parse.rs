//! From syntax to data: what the struct and its attributes say, each option read on its own. What they mean together
//! is for [`validate`](crate::validate).

use proc_macro2::{Ident, Span};
use quote::ToTokens;
use syn::{
    Attribute, Data, DeriveInput, Field, Fields, GenericArgument, LitStr, Path, PathArguments, Type, TypePath,
    Visibility,
};

use crate::attributes::{Argument, FieldNames, arguments};
use crate::errors::Errors;
use crate::names::plain;
use crate::options::{self, Kind};

/// A struct with `#[derive(Model)]`.
pub(crate) struct ModelInput {
    pub(crate) ident: Ident,
    pub(crate) root: Option<Path>,
    pub(crate) table: Option<LitStr>,
    pub(crate) primary_key: Option<FieldNames>,
    pub(crate) auto_increment: Option<(bool, Span)>,
    pub(crate) fields: Vec<FieldInput>,
}

/// A field of it.
pub(crate) struct FieldInput {
    pub(crate) ident: Ident,
    pub(crate) vis: Visibility,
    pub(crate) ty: Type,
    pub(crate) role: Role,
}

/// What a field is for.
pub(crate) enum Role {
    Column(ColumnInput),
    Association(Box<AssociationInput>),
    /// Not stored.
    Skipped,
    /// Wrong, and reported.
    Unknown,
}

/// `#[column(…)]`.
#[derive(Default)]
pub(crate) struct ColumnInput {
    pub(crate) name: Option<LitStr>,
    pub(crate) default: DefaultInput,
    pub(crate) length: Option<u32>,
}

/// What the database fills in.
#[derive(Default)]
pub(crate) enum DefaultInput {
    #[default]
    None,
    Database,
    Sql(LitStr),
}

/// `#[has_many(…)]` and the like.
pub(crate) struct AssociationInput {
    pub(crate) kind: Kind,
    pub(crate) span: Span,
    pub(crate) holder: Holder,
    pub(crate) foreign_key: Option<FieldNames>,
    pub(crate) primary_key: Option<FieldNames>,
}

/// The type of an association's field.
pub(crate) struct Holder {
    pub(crate) kind: Kind,
    /// What is between the angle brackets: `User` or `Option<User>`.
    pub(crate) slot: Type,
    /// The target: `User`.
    pub(crate) target: Type,
}

/// Reads a struct. `None` if it is nothing that can be a model at all.
pub(crate) fn model(input: DeriveInput, errors: &mut Errors) -> Option<ModelInput> {
    let fields = match input.data {
        Data::Struct(data) => match data.fields {
            Fields::Named(fields) => fields.named,
            fields => {
                let what = if matches!(fields, Fields::Unit) { "has no fields" } else { "has fields without names" };
                let message = format!("a model is a struct with named fields, one a column; `{}` {what}", input.ident);
                errors.on(&input.ident, message);
                return None;
            }
        },
        Data::Enum(data) => {
            let message = format!("a model is a struct with named fields; `{}` is an enum", input.ident);
            errors.at(data.enum_token.span, message);
            return None;
        }
        Data::Union(data) => {
            let message = format!("a model is a struct with named fields; `{}` is a union", input.ident);
            errors.at(data.union_token.span, message);
            return None;
        }
    };
    let generic = !input.generics.params.is_empty();
    if generic {
        let message = format!(
            "a model cannot be generic, because its table is one constant: write one struct for each `{}`",
            input.ident
        );
        errors.on(&input.generics, message);
    }
    let mut model = ModelInput {
        ident: input.ident,
        root: None,
        table: None,
        primary_key: None,
        auto_increment: None,
        fields: Vec::new(),
    };
    for argument in all_arguments(&input.attrs, &options::MODEL, errors) {
        match argument.name().as_str() {
            "table" => model.table = argument.text(errors),
            "primary_key" => model.primary_key = argument.fields(errors),
            "auto_increment" => model.auto_increment = argument.boolean(errors).map(|is| (is, argument.span())),
            _ => model.root = argument.path(errors),
        }
    }
    for attribute in &input.attrs {
        let on_fields = Kind::ALL.map(Kind::attribute).into_iter().chain(["column"]);
        if let Some(name) = on_fields.into_iter().find(|name| attribute.path().is_ident(name)) {
            errors.on(attribute, format!("`#[{name}]` belongs on a field, not on the struct"));
        }
    }
    model.fields = fields.into_iter().filter_map(|field| self::field(field, errors)).collect();
    (!generic).then_some(model)
}

// The options of all attributes of a name, as if they stood in one.
fn all_arguments(attributes: &[Attribute], table: &options::OptionTable, errors: &mut Errors) -> Vec<Argument> {
    let mut all: Vec<Argument> = Vec::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident(table.attribute)) {
        for argument in arguments(attribute, table, errors) {
            if all.iter().any(|earlier| earlier.name() == argument.name()) {
                errors.at(argument.span(), format!("`{}` is given twice", argument.name()));
            } else {
                all.push(argument);
            }
        }
    }
    all
}

fn field(field: Field, errors: &mut Errors) -> Option<FieldInput> {
    let ident = field.ident?;
    let role = role(&ident, &field.ty, &field.attrs, errors);
    Some(FieldInput { ident, vis: field.vis, ty: field.ty, role })
}

fn role(ident: &Ident, ty: &Type, attributes: &[Attribute], errors: &mut Errors) -> Role {
    let name = plain(ident);
    let mut skipped = false;
    for argument in all_arguments(attributes, &options::FIELD, errors) {
        skipped |= argument.flag(errors);
    }
    let column_attribute = attributes.iter().find(|attribute| attribute.path().is_ident("column"));
    let kinds: Vec<(Kind, &Attribute)> = attributes
        .iter()
        .filter_map(|attribute| {
            Kind::ALL.into_iter().find(|kind| attribute.path().is_ident(kind.attribute())).map(|kind| (kind, attribute))
        })
        .collect();

    if let [(kind, attribute), others @ ..] = kinds.as_slice() {
        for (other, again) in others {
            let message = if other == kind {
                format!("`{kind}` is given twice on `{name}`")
            } else {
                format!("`{name}` is already a `{kind}`; a field is one association, so it cannot be a `{other}` too")
            };
            errors.at(span_of(again), message);
        }
        if let Some(column) = column_attribute {
            errors.at(span_of(column), format!("`#[column]` is for columns; `{name}` is an association"));
        }
        if skipped {
            errors.at(
                span_of(attribute),
                format!("an association is never stored in its own column: remove `#[model(skip)]` from `{name}`"),
            );
        }
        return association(*kind, attribute, ty, errors)
            .map_or(Role::Unknown, |association| Role::Association(Box::new(association)));
    }
    if skipped {
        if let Some(column) = column_attribute {
            errors.at(span_of(column), format!("`{name}` is not stored (`#[model(skip)]`), so it has no column"));
        }
        return Role::Skipped;
    }
    if let Some((kind, _)) = holder_name(ty) {
        let message = format!(
            "`{name}` is a `{}`, so say where its foreign key is: add `#[{kind}]` to the field, or `#[model(skip)]` if \
             it is no association",
            kind.holder()
        );
        errors.on(ty, message);
        return Role::Unknown;
    }
    Role::Column(column(attributes, errors))
}

fn column(attributes: &[Attribute], errors: &mut Errors) -> ColumnInput {
    let mut column = ColumnInput::default();
    for argument in all_arguments(attributes, &options::COLUMN, errors) {
        match argument.name().as_str() {
            "name" => column.name = argument.text(errors),
            "length" => column.length = argument.number(errors),
            _ => {
                column.default = match argument.optional_text(errors) {
                    None => DefaultInput::None,
                    Some(None) => DefaultInput::Database,
                    Some(Some(sql)) => DefaultInput::Sql(sql),
                }
            }
        }
    }
    column
}

fn association(kind: Kind, attribute: &Attribute, ty: &Type, errors: &mut Errors) -> Option<AssociationInput> {
    let mut foreign_key = None;
    let mut primary_key = None;
    for argument in arguments(attribute, kind.table(), errors) {
        match argument.name().as_str() {
            "foreign_key" => foreign_key = argument.fields(errors),
            _ => primary_key = argument.fields(errors),
        }
    }
    let holder = holder(kind, attribute, ty, errors)?;
    Some(AssociationInput { kind, span: span_of(attribute), holder, foreign_key, primary_key })
}

/// Where an attribute is: its name.
fn span_of(attribute: &Attribute) -> Span {
    attribute.path().get_ident().map_or_else(Span::call_site, Ident::span)
}

// The holder a type's name says it is, and the last segment of its path.
fn holder_name(ty: &Type) -> Option<(Kind, &syn::PathSegment)> {
    let Type::Path(TypePath { path, .. }) = unwrapped(ty) else { return None };
    let segment = path.segments.last()?;
    Kind::ALL.into_iter().find(|kind| segment.ident == kind.holder()).map(|kind| (kind, segment))
}

fn holder(kind: Kind, attribute: &Attribute, ty: &Type, errors: &mut Errors) -> Option<Holder> {
    let Some((found, segment)) = holder_name(ty) else {
        let message = format!("`{kind}` needs a field of type `{}<…>`, this one is `{}`", kind.holder(), shown(ty));
        errors.at(span_of(attribute), message);
        return None;
    };
    if found != kind {
        let message = format!(
            "`{kind}` needs a field of type `{}<…>`, this one is `{}`: change one of them, `{}` goes with `#[{found}]`",
            kind.holder(),
            shown(ty),
            found.holder(),
        );
        errors.at(span_of(attribute), message);
        return None;
    }
    let Some(slot) = only_argument(&segment.arguments) else {
        errors.on(ty, format!("`{0}` names its target between angle brackets: `{0}<Post>`", kind.holder()));
        return None;
    };
    let inner = optional(slot);
    if let Some(inner) = inner
        && !kind.is_to_one()
    {
        let message = format!("a list has no absent rows: write `{}<{}>`", kind.holder(), shown(inner));
        errors.on(slot, message);
        return None;
    }
    Some(Holder { kind, slot: slot.clone(), target: inner.unwrap_or(slot).clone() })
}

// The `T` of `Option<T>`.
fn optional(ty: &Type) -> Option<&Type> {
    let Type::Path(TypePath { path, .. }) = unwrapped(ty) else { return None };
    let segment = path.segments.last()?;
    if segment.ident == "Option" { only_argument(&segment.arguments) } else { None }
}

fn only_argument(arguments: &PathArguments) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = arguments else { return None };
    match arguments.args.first() {
        Some(GenericArgument::Type(ty)) if arguments.args.len() == 1 => Some(ty),
        _ => None,
    }
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
