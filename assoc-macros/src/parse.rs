//! From syntax to data: the struct and its attributes, each option by itself. [`validate`](crate::validate) checks them
//! together.

use proc_macro2::{Ident, Span, TokenStream};
use quote::ToTokens;
use syn::{
    Attribute, Data, DeriveInput, Expr, Field, Fields, GenericArgument, LitStr, Path, PathArguments, Type, TypePath,
    Visibility,
};

use crate::attributes::{Argument, FieldName, FieldNames, Inverse, arguments};
use crate::dependent::{DependentInput, dependent};
use crate::errors::Errors;
use crate::follow::FollowInput;
use crate::holder::Holder;
use crate::kinds::Kind;
use crate::names::plain;
use crate::options;
use crate::plain_options;

/// A struct with `#[derive(Model)]`.
pub(crate) struct ModelInput {
    pub(crate) ident: Ident,
    pub(crate) root: Option<Path>,
    pub(crate) table: Option<LitStr>,
    pub(crate) primary_key: Option<FieldNames>,
    pub(crate) auto_increment: Option<(bool, Span)>,
    pub(crate) default_scope: Option<Path>,
    pub(crate) rules: Option<Path>,
    pub(crate) discriminator: Option<FieldName>,
    pub(crate) tag: Option<LitStr>,
    /// Where `read_back` is declared, if it is.
    pub(crate) read_back: Option<Span>,
    /// Where it is said that there are callbacks.
    pub(crate) callbacks: Option<Span>,
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
    /// Where the row came from: not stored, and known by its type.
    Origin,
    /// Wrong, and reported.
    Unknown,
}

/// `#[column(…)]`.
#[derive(Default)]
pub(crate) struct ColumnInput {
    pub(crate) name: Option<LitStr>,
    pub(crate) default: DefaultInput,
    pub(crate) length: Option<u32>,
    pub(crate) precision: Option<Precision>,
    /// Where it is said that the database computes it.
    pub(crate) generated: Option<(Span, Option<LitStr>)>,
    pub(crate) read_back: bool,
    /// What fills it in when a row is written, and where it is said.
    pub(crate) filled: Option<(FilledInput, Span)>,
}

/// What fills a column in when a row is written.
#[derive(Clone)]
pub(crate) enum FilledInput {
    CreatedAt,
    UpdatedAt,
    LockVersion,
    CounterCache,
    /// A function of the application.
    With(Path),
}

impl FilledInput {
    /// The option's name.
    pub(crate) fn option(&self) -> &'static str {
        match self {
            FilledInput::CreatedAt => "created_at",
            FilledInput::UpdatedAt => "updated_at",
            FilledInput::LockVersion => "lock_version",
            FilledInput::CounterCache => "counter_cache",
            FilledInput::With(_) => "default_with",
        }
    }
}

/// How many digits a decimal has, and how many of them behind the point.
#[derive(Clone)]
pub(crate) struct Precision {
    pub(crate) precision: u8,
    pub(crate) scale: u8,
    pub(crate) span: Span,
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
    pub(crate) field: FieldType,
    pub(crate) options: AssociationOptions,
    /// All options that are given, and where.
    pub(crate) given: Vec<(String, Span)>,
    /// `#[deprecated]` beside it.
    pub(crate) deprecated: Option<Attribute>,
}

/// The declared options about keys and the association's path.
#[derive(Default)]
pub(crate) struct AssociationOptions {
    pub(crate) foreign_key: Option<FieldNames>,
    pub(crate) primary_key: Option<FieldNames>,
    pub(crate) association_foreign_key: Option<FieldNames>,
    pub(crate) join_table: Option<LitStr>,
    pub(crate) through: Option<FieldName>,
    pub(crate) source: Option<FieldName>,
    pub(crate) source_type: Option<LitStr>,
    pub(crate) polymorphic: bool,
    pub(crate) as_: Option<FieldName>,
    pub(crate) foreign_type: Option<FieldName>,
    /// Whether the association leaves rows with unknown types not loaded.
    pub(crate) leaves_unknown: bool,
    pub(crate) tag: Option<LitStr>,
    /// Whether the accessor is hand-written.
    pub(crate) own_accessor: bool,
    pub(crate) finder_sql: Option<Path>,
    pub(crate) counter_sql: Option<Path>,
    pub(crate) dependent: Option<DependentInput>,
    pub(crate) follow: FollowInput,
    pub(crate) callbacks: MemberCallbacksInput,
    pub(crate) scope_def: ScopeInput,
    /// Calls on the definition, one for each plain option.
    pub(crate) plain: Vec<TokenStream>,
}

/// The functions that run when rows become members, and when they are members no longer.
#[derive(Default, Clone)]
pub(crate) struct MemberCallbacksInput {
    pub(crate) before_add: Vec<Path>,
    pub(crate) after_add: Vec<Path>,
    pub(crate) before_remove: Vec<Path>,
    pub(crate) after_remove: Vec<Path>,
}

/// What is given about which rows there are.
#[derive(Default, Clone)]
pub(crate) struct ScopeInput {
    pub(crate) scope: Option<Path>,
    pub(crate) filter: Option<Expr>,
    pub(crate) order: Option<Expr>,
    pub(crate) limit: Option<u32>,
    pub(crate) offset: Option<u32>,
    pub(crate) distinct: bool,
    pub(crate) include: Option<Expr>,
    pub(crate) owner_scope: Option<Path>,
    /// Where it is said.
    pub(crate) readonly: Option<Span>,
    pub(crate) inverse: Option<Inverse>,
}

/// The type of an association's field.
pub(crate) struct FieldType {
    pub(crate) holder: Holder,
    /// What is between the angle brackets: `User` or `Option<User>`.
    pub(crate) slot: Type,
    /// The target: `User`.
    pub(crate) target: Type,
    /// The model of a join table's rows: `PostTag`.
    pub(crate) join_row: Option<Type>,
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
        default_scope: None,
        rules: None,
        discriminator: None,
        tag: None,
        read_back: None,
        callbacks: None,
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

fn column(attributes: &[Attribute], errors: &mut Errors) -> ColumnInput {
    let mut column = ColumnInput::default();
    let (mut precision, mut scale) = (None, None);
    for argument in all_arguments(attributes, &options::COLUMN, errors) {
        match argument.name().as_str() {
            "name" => column.name = argument.text(errors),
            "length" => column.length = argument.number(errors),
            "precision" => precision = Some((argument.number(errors), argument.span())),
            "scale" => scale = Some((argument.number(errors), argument.span())),
            "generated" => {
                column.generated = argument.optional_text(errors).map(|expression| (argument.span(), expression));
            }
            "read_back" => column.read_back = argument.flag(errors),
            option @ ("created_at" | "updated_at" | "lock_version" | "counter_cache" | "default_with") => {
                let filled = match option {
                    "created_at" => argument.flag(errors).then_some(FilledInput::CreatedAt),
                    "updated_at" => argument.flag(errors).then_some(FilledInput::UpdatedAt),
                    "lock_version" => argument.flag(errors).then_some(FilledInput::LockVersion),
                    "counter_cache" => argument.flag(errors).then_some(FilledInput::CounterCache),
                    _ => argument.function(errors).map(FilledInput::With),
                };
                match &column.filled {
                    Some((earlier, _)) => errors.at(
                        argument.span(),
                        format!("`{option}` and `{}` both fill the column in: write one of them", earlier.option()),
                    ),
                    None => column.filled = filled.map(|filled| (filled, argument.span())),
                }
            }
            _ => {
                column.default = match argument.optional_text(errors) {
                    None => DefaultInput::None,
                    Some(None) => DefaultInput::Database,
                    Some(Some(sql)) => DefaultInput::Sql(sql),
                }
            }
        }
    }
    column.precision = precision_of(precision, scale, errors);
    column
}

type Given = Option<(Option<u32>, Span)>;

// Of a number that could not be read is said so already.
fn precision_of(precision: Given, scale: Given, errors: &mut Errors) -> Option<Precision> {
    let Some((precision, span)) = precision else {
        if let Some((_, span)) = scale {
            errors.at(span, "`scale` needs the number of digits as well: write `precision = 12, scale = 2`".to_owned());
        }
        return None;
    };
    let (scale, scale_span) = scale.map_or((Some(0), span), |(scale, span)| (scale, span));
    let (precision, scale) = (precision?, scale?);
    if !(1..=65).contains(&precision) {
        errors.at(span, "a decimal has 1 to 65 digits: write `precision = 12`".to_owned());
        return None;
    }
    if scale > precision.min(28) {
        let message = if scale > precision {
            format!("{scale} of {precision} digits cannot be behind the point: `scale` is at most `precision`")
        } else {
            "a decimal has at most 28 decimal places".to_owned()
        };
        errors.at(scale_span, message);
        return None;
    }
    // Both are small.
    Some(Precision { precision: u8::try_from(precision).ok()?, scale: u8::try_from(scale).ok()?, span })
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

/// Where an attribute is: its name.
fn span_of(attribute: &Attribute) -> Span {
    attribute.path().get_ident().map_or_else(Span::call_site, Ident::span)
}

// The holder a type's name says it is, and the last segment of its path.
fn holder_name(ty: &Type) -> Option<(Holder, &syn::PathSegment)> {
    let Type::Path(TypePath { path, .. }) = unwrapped(ty) else { return None };
    let segment = path.segments.last()?;
    Holder::ALL.into_iter().find(|holder| segment.ident == holder.name()).map(|holder| (holder, segment))
}

fn is_origin(ty: &Type) -> bool {
    let Type::Path(TypePath { path, .. }) = unwrapped(ty) else { return false };
    path.segments.last().is_some_and(|segment| segment.ident == "RowOrigin")
}

fn field_type(kind: Kind, through: bool, attribute: &Attribute, ty: &Type, errors: &mut Errors) -> Option<FieldType> {
    let holder = kind.holder(through);
    let way = if through && !holder.is_to_one() { " with `through`" } else { "" };
    let Some((found, segment)) = holder_name(ty) else {
        let message = format!("`{kind}`{way} needs a field of type `{holder}<…>`, this one is `{}`", shown(ty));
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
