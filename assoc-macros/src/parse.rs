//! From syntax to data: the struct and its attributes, each option by itself. [`validate`](crate::validate) checks them
//! together.

use proc_macro2::Ident;
use syn::{Attribute, Data, DeriveInput, Field, Fields, Type};

use crate::attributes::{Argument, arguments};
use crate::dependent::dependent;
use crate::errors::Errors;
use crate::holder::Holder;
use crate::kinds::Kind;
use crate::names::plain;
use crate::options;
use crate::plain_options;

mod column;
mod field_type;
mod input;

use column::column;
pub(crate) use field_type::shown;
use field_type::{aggregated, field_type, holder_name, is_origin, span_of};
pub(crate) use input::{
    AssociationInput, AssociationOptions, ColumnInput, DefaultInput, FieldInput, FieldType, FilledInput, LinkSqlInput,
    MemberCallbacksInput, ModelInput, Precision, Role, ScopeInput,
};

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
        default_scope: None,
        rules: None,
        discriminator: None,
        tag: None,
        read_back: None,
        callbacks: None,
        diesel: None,
        serde: None,
        rename_all: None,
        fields: Vec::new(),
    };
    for argument in all_arguments(&input.attrs, &options::MODEL, errors) {
        match argument.name().as_str() {
            "table" => model.table = argument.text(errors),
            "primary_key" => model.primary_key = argument.fields(errors),
            "auto_increment" => model.auto_increment = argument.boolean(errors).map(|is| (is, argument.span())),
            "default_scope" => model.default_scope = argument.function(errors),
            "rules" => model.rules = argument.function(errors),
            "discriminator" => model.discriminator = argument.field(errors),
            "tag" => model.tag = argument.text(errors),
            "read_back" => model.read_back = argument.flag(errors).then(|| argument.span()),
            "callbacks" => model.callbacks = argument.flag(errors).then(|| argument.span()),
            "serde" => model.serde = argument.flag(errors).then(|| argument.span()),
            "rename_all" => model.rename_all = argument.text(errors),
            "diesel" => model.diesel = argument.module(errors),
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
        let deprecated = attributes.iter().find(|attribute| attribute.path().is_ident("deprecated")).cloned();
        return association(*kind, attribute, ty, errors).map_or(Role::Unknown, |association| {
            Role::Association(Box::new(AssociationInput { deprecated, ..association }))
        });
    }
    if skipped {
        if let Some(column) = column_attribute {
            errors.at(span_of(column), format!("`{name}` is not stored (`#[model(skip)]`), so it has no column"));
        }
        return Role::Skipped;
    }
    if is_origin(ty) {
        if let Some(column) = column_attribute {
            errors.at(
                span_of(column),
                format!("`{name}` says where a row came from and is not stored: it has no column"),
            );
        }
        return Role::Origin;
    }
    if let Some(value) = aggregated(ty) {
        if let Some(column) = column_attribute {
            errors.at(
                span_of(column),
                format!("`{name}` is computed from an association's rows and is not stored: it has no column"),
            );
        }
        return match value {
            Some(value) => Role::Aggregated(Box::new(value.clone())),
            None => {
                errors.on(ty, "`Aggregated` names the type of its value between angle brackets: `Aggregated<i64>`");
                Role::Unknown
            }
        };
    }
    if let Some((holder, _)) = holder_name(ty) {
        let message = format!(
            "`{name}` is a `{holder}`, so say {}: add `{}` to the field, or `#[model(skip)]` if it is no association",
            match holder {
                Holder::HasManyThrough => "what it goes through",
                Holder::HasAndBelongsToMany => "what joins the two tables",
                _ => "where its foreign key is",
            },
            holder.attribute()
        );
        errors.on(ty, message);
        return Role::Unknown;
    }
    Role::Column(column(attributes, errors))
}

fn association(kind: Kind, attribute: &Attribute, ty: &Type, errors: &mut Errors) -> Option<AssociationInput> {
    let mut options = AssociationOptions::default();
    let mut given = Vec::new();
    for argument in arguments(attribute, kind.table(), errors) {
        option(kind, &argument, &mut options, errors);
        given.push((argument.name(), argument.span()));
    }
    let through = given.iter().any(|(name, _)| name == "through");
    let field = field_type(kind, through, attribute, ty, errors)?;
    Some(AssociationInput { kind, span: span_of(attribute), field, options, given, deprecated: None })
}

fn option(kind: Kind, argument: &Argument, options: &mut AssociationOptions, errors: &mut Errors) {
    if let Some(call) = plain_options::read(argument, errors) {
        options.plain.push(call);
        return;
    }
    let scope_def = &mut options.scope_def;
    match argument.name().as_str() {
        "foreign_key" if kind == Kind::HasAndBelongsToMany => options.foreign_key = argument.columns(errors),
        "foreign_key" => options.foreign_key = argument.fields(errors),
        "primary_key" => options.primary_key = argument.fields(errors),
        "association_foreign_key" => options.association_foreign_key = argument.columns(errors),
        "join_table" => options.join_table = argument.text(errors),
        "through" => options.through = argument.field(errors),
        "source" => options.source = argument.field(errors),
        "source_type" => options.source_type = argument.text(errors),
        "polymorphic" => options.polymorphic = argument.flag(errors),
        "as" => options.as_ = argument.field(errors),
        "foreign_type" => options.foreign_type = argument.field(errors),
        "unknown_type" => options.leaves_unknown = leaves_unknown(argument, errors),
        "tag" => options.tag = argument.text(errors),
        "accessor" => options.own_accessor = argument.boolean(errors) == Some(false),
        "finder_sql" => options.finder_sql = argument.function(errors),
        "counter_sql" => options.counter_sql = argument.function(errors),
        "insert_sql" => options.link_sql.insert = argument.function(errors),
        "delete_sql" => options.link_sql.delete = argument.function(errors),
        "dependent" => options.dependent = dependent(kind, argument, errors),
        "counter_cache" => options.follow.counter(kind, argument, errors),
        "counter_cache_active" => options.follow.active(argument, errors),
        "touch" => options.follow.touch(argument, errors),
        "before_add" => options.callbacks.before_add = argument.functions(errors),
        "after_add" => options.callbacks.after_add = argument.functions(errors),
        "before_remove" => options.callbacks.before_remove = argument.functions(errors),
        "after_remove" => options.callbacks.after_remove = argument.functions(errors),
        "scope" => scope_def.scope = argument.function(errors),
        "filter" => scope_def.filter = argument.expression(errors),
        "order" => scope_def.order = argument.expression(errors),
        "limit" => scope_def.limit = argument.number(errors),
        "offset" => scope_def.offset = argument.number(errors),
        "distinct" => scope_def.distinct = argument.flag(errors),
        "include" => scope_def.include = argument.expression(errors),
        "scope_by_owner" => scope_def.owner_scope = argument.function(errors),
        "readonly" => scope_def.readonly = argument.flag(errors).then(|| argument.span()),
        _ => scope_def.inverse = argument.inverse(errors),
    }
}

// Of the two things that can be done about an unknown type, whether it is the one that is no error.
fn leaves_unknown(argument: &Argument, errors: &mut Errors) -> bool {
    let Some(text) = argument.text(errors) else { return false };
    match text.value().as_str() {
        "not_loaded" => return true,
        "error" => {}
        other => {
            let message = format!(
                "`unknown_type` is what happens to rows whose type is no variant, and that is not `{other}`: write \
                 `unknown_type = \"not_loaded\"` to leave them not loaded, or `unknown_type = \"error\"`, as without it"
            );
            errors.on(&text, message);
        }
    }
    false
}
