//! From what was written to what it means: defaults are filled in, names become indexes, and everything that can be
//! wrong within one struct is found.
//!
//! What another struct is needed for (does the target have that column, does its type fit) is for the compiler to
//! find, in the constants that [`expand`](crate::expand) writes.

use std::collections::HashMap;

use proc_macro2::{Ident, Span, TokenStream};
use syn::{Attribute, LitStr, Path, Type, Visibility};

use crate::attributes::FieldNames;
use crate::dependent::DependentInput;
use crate::enumeration::naming;
use crate::errors::Errors;
use crate::follow::FollowInput;
use crate::holder::Holder;
use crate::kinds::{self, Keys, Kind};
use crate::names::{self, listed, nearest, plain};
use crate::parse::{
    AssociationInput, DefaultInput, FieldInput, FilledInput, LinkSqlInput, MemberCallbacksInput, ModelInput, Precision,
    Role, ScopeInput,
};

/// A model that holds together.
pub(crate) struct Model {
    pub(crate) ident: Ident,
    pub(crate) name: String,
    pub(crate) root: Option<Path>,
    pub(crate) schema: Option<String>,
    pub(crate) table: String,
    pub(crate) columns: Vec<Column>,
    /// Indexes into `columns`.
    pub(crate) primary_key: Vec<usize>,
    pub(crate) associations: Vec<Association>,
    pub(crate) default_scope: Option<Path>,
    pub(crate) rules: Option<Path>,
    pub(crate) discriminator: Option<Discriminator>,
    /// Whether a write reads its rows back.
    pub(crate) read_back: bool,
    /// Where it is said that there are callbacks.
    pub(crate) callbacks: Option<Span>,
    /// The module of Diesel's `table!`, with which the columns are compared.
    pub(crate) diesel: Option<Path>,
    /// Fields that are not stored.
    pub(crate) skipped: Vec<Ident>,
    /// The field that says where a row came from.
    pub(crate) origin: Option<Ident>,
    /// Fields that hold aggregates of associations' rows.
    pub(crate) aggregated: Vec<AggregatedField>,
    /// If serde knows the model: how it calls columns, associations and aggregates.
    pub(crate) serial_names: Option<Vec<String>>,
}

/// A field for an aggregate.
pub(crate) struct AggregatedField {
    pub(crate) field: Ident,
    pub(crate) vis: Visibility,
    pub(crate) name: String,
    /// The type of its value.
    pub(crate) value: Type,
}

/// A stored field.
pub(crate) struct Column {
    pub(crate) field: Ident,
    pub(crate) vis: Visibility,
    pub(crate) ty: Type,
    /// The field's name.
    pub(crate) name: String,
    /// The name in the database.
    pub(crate) column: String,
    pub(crate) default: Default,
    pub(crate) length: Option<u32>,
    pub(crate) precision: Option<Precision>,
    pub(crate) read_back: bool,
    /// Where it is said that serde neither writes nor reads it.
    pub(crate) serde_leaves_out: Option<Span>,
}

/// What is filled in where nothing is set.
pub(crate) enum Default {
    None,
    /// Integers count up.
    Key,
    Database,
    Sql(LitStr),
    /// It computes the column, perhaps by this expression.
    Generated(Option<LitStr>),
    /// The repo fills it in, and where that is said.
    Filled(FilledInput, Span),
}

impl Column {
    fn is_lock_version(&self) -> bool {
        matches!(self.default, Default::Filled(FilledInput::LockVersion, _))
    }
}

/// What tells a model from others in its table.
pub(crate) struct Discriminator {
    /// The column, an index.
    pub(crate) column: usize,
    pub(crate) span: Span,
    pub(crate) tag: String,
}

/// An association.
pub(crate) struct Association {
    pub(crate) field: Ident,
    pub(crate) vis: Visibility,
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) holder: Holder,
    /// Its attribute.
    pub(crate) span: Span,
    /// Where its foreign key is named, its attribute if nowhere.
    pub(crate) key_span: Span,
    /// The same of the other foreign key of a join table.
    pub(crate) association_key_span: Span,
    /// `Option<User>`
    pub(crate) slot: Type,
    /// `User`
    pub(crate) target: Type,
    /// The model of a join table's rows: `PostTag`.
    pub(crate) join_row: Option<Type>,
    /// Where a join table is named.
    pub(crate) join_table_span: Option<Span>,
    pub(crate) keys: Box<dyn Keys>,
    pub(crate) scope_def: ScopeInput,
    /// Calls on the definition, one for each plain option.
    pub(crate) plain: Vec<TokenStream>,
    pub(crate) dependent: Option<DependentInput>,
    /// The column of this model that counts the rows of an association to many, if it says which.
    pub(crate) counted_in: Option<usize>,
    /// What follows in the rows that this model's rows belong to.
    pub(crate) follow: FollowInput,
    pub(crate) callbacks: MemberCallbacksInput,
    pub(crate) link_sql: LinkSqlInput,
    /// Whether the association leaves rows with unknown types not loaded.
    pub(crate) leaves_unknown: bool,
    /// Whether the accessor is hand-written.
    pub(crate) own_accessor: bool,
    /// What is said of everything that it is used by.
    pub(crate) deprecated: Option<Attribute>,
}

/// Checks a model.
pub(crate) fn model(input: ModelInput, errors: &mut Errors) -> Model {
    let name = plain(&input.ident);
    let (schema, table) = table(input.table.as_ref(), &name, errors);
    reserved_names(&name, &input.fields, errors);
    let columns = columns(&input.fields, errors);
    if columns.is_empty() && !input.fields.iter().any(|field| matches!(field.role, Role::Unknown)) {
        errors.on(&input.ident, format!("a model is a row of a table, and `{name}` has no columns"));
    }
    let owner = Owner { name: &name, fields: &input.fields, columns: &columns };
    let primary_key = match &input.primary_key {
        Some(names) => owner.columns(names, "primary_key", errors).unwrap_or_default(),
        None => owner.index("id").into_iter().collect(),
    };
    // Without a key that was meant to be there, its absence explains nothing.
    let key_is_known = input.primary_key.is_none() || !primary_key.is_empty();
    let mut associations = Vec::new();
    for field in &input.fields {
        if let Role::Association(association) = &field.role {
            let key = key_is_known.then_some(primary_key.as_slice());
            // Without keys only for as long as it takes to report why.
            let keys = association.kind.keys(&owner, field, association, key, errors).unwrap_or_else(kinds::unknown);
            let foreign_key = association.options.foreign_key.as_ref();
            if let Some(dependent) = association.options.dependent {
                dependent.check(association, errors);
            }
            association.options.follow.check(association, errors);
            if association.options.finder_sql.is_some() {
                let of_members = ["before_add", "after_add", "before_remove", "after_remove"];
                let given = association.given.iter().find(|(name, _)| of_members.contains(&name.as_str()));
                if let Some((name, span)) = given {
                    let why = "with `finder_sql` no key says who is a member, so nothing is added or removed";
                    errors.at(*span, format!("`{name}` never runs here: {why}"));
                }
            }
            associations.push(Association {
                field: field.ident.clone(),
                vis: field.vis.clone(),
                name: plain(&field.ident),
                kind: association.kind,
                holder: association.field.holder,
                span: association.span,
                key_span: foreign_key.map_or(association.span, |names| names.span),
                association_key_span: {
                    let names = association.options.association_foreign_key.as_ref();
                    names.map_or(association.span, |names| names.span)
                },
                slot: association.field.slot.clone(),
                target: association.field.target.clone(),
                join_row: association.field.join_row.clone(),
                join_table_span: association.options.join_table.as_ref().map(LitStr::span),
                keys,
                scope_def: association.options.scope_def.clone(),
                plain: association.options.plain.clone(),
                dependent: association.options.dependent,
                counted_in: owner.counted_in(association, errors),
                follow: association.options.follow.clone(),
                callbacks: association.options.callbacks.clone(),
                link_sql: association.options.link_sql.clone(),
                leaves_unknown: association.options.leaves_unknown,
                own_accessor: association.options.own_accessor,
                deprecated: association.deprecated.clone(),
            });
        }
    }
    if let Some((true, span)) = input.auto_increment
        && primary_key.len() != 1
        && key_is_known
    {
        let message = format!("only a primary key of one column counts up; that of `{name}` has {}", primary_key.len());
        errors.at(span, message);
    }
    let discriminator = owner.discriminator(&input, errors);
    let mut columns = columns;
    if let [key] = primary_key[..] {
        let refers = associations.iter().any(|association| association.keys.referring().contains(&key));
        let counts = input.auto_increment.map_or(!refers, |(is, _)| is);
        if counts && matches!(columns[key].default, Default::None) {
            columns[key].default = Default::Key;
        }
    }
    if let Some(Default::Filled(filled, span)) =
        primary_key.iter().map(|key| &columns[*key]).find(|column| column.is_lock_version()).map(|key| &key.default)
    {
        let message = format!("a key stays the same, and `{}` counts the updates of the row", filled.option());
        errors.at(*span, message);
    }
    if let Some(span) = input.read_back
        && primary_key.is_empty()
        && key_is_known
    {
        let message = format!("rows are read back by their primary key, and `{name}` has none");
        errors.at(span, message);
    }
    let skipped = input.fields.iter().filter(|field| matches!(field.role, Role::Skipped));
    let mut origins = input.fields.iter().filter(|field| matches!(field.role, Role::Origin)).map(|field| &field.ident);
    let origin = origins.next().cloned();
    for again in origins {
        errors.on(again, format!("a row comes from one place: `{name}` has a field of type `RowOrigin` already"));
    }
    let aggregated = input.fields.iter().filter_map(|field| match &field.role {
        Role::Aggregated(value) => Some(AggregatedField {
            field: field.ident.clone(),
            vis: field.vis.clone(),
            name: plain(&field.ident),
            value: (**value).clone(),
        }),
        _ => None,
    });
    let aggregated: Vec<AggregatedField> = aggregated.collect();
    let names =
        columns.iter().map(|column| &column.name).chain(associations.iter().map(|association| &association.name));
    let names: Vec<&String> = names.chain(aggregated.iter().map(|aggregated| &aggregated.name)).collect();
    if let (None, Some(span)) = (input.serde, columns.iter().find_map(|column| column.serde_leaves_out)) {
        errors.at(
            span,
            "`serde = false` leaves a column out of `#[model(serde)]`, which this model does not have".to_owned(),
        );
    }
    let serial_names = serial_names(input.serde, input.rename_all.as_ref(), &names, errors);
    Model {
        serial_names,
        aggregated,
        origin,
        skipped: skipped.map(|field| field.ident.clone()).collect(),
        ident: input.ident,
        name,
        root: input.root,
        schema,
        table,
        columns,
        primary_key,
        associations,
        default_scope: input.default_scope,
        rules: input.rules,
        discriminator,
        read_back: input.read_back.is_some(),
        callbacks: input.callbacks,
        diesel: input.diesel,
    }
}

fn table(text: Option<&LitStr>, name: &str, errors: &mut Errors) -> (Option<String>, String) {
    match text {
        None => (None, names::table_name(name)),
        Some(text) => table_name(text, "table", "users", errors),
    }
}

/// Reads `users` or `blog.users`.
pub(crate) fn table_name(text: &LitStr, option: &str, example: &str, errors: &mut Errors) -> (Option<String>, String) {
    let value = text.value();
    let parts: Vec<&str> = value.split('.').collect();
    let fine = parts.iter().all(|part| !part.is_empty() && part.trim() == *part && !part.contains('\0'));
    match parts[..] {
        [table] if fine => (None, table.to_owned()),
        [schema, table] if fine => (Some(schema.to_owned()), table.to_owned()),
        _ => {
            let message = format!(
                "`{value}` is not the name of a table: write `{option} = \"{example}\"` or `{option} = \"blog.{example}\"`"
            );
            errors.on(text, message);
            (None, value)
        }
    }
}

// How serde calls the fields of a model, if it is to know them.
fn serial_names(
    serde: Option<Span>,
    rename_all: Option<&LitStr>,
    names: &[&String],
    errors: &mut Errors,
) -> Option<Vec<String>> {
    let naming = rename_all.and_then(|text| naming(text, errors));
    if let (None, Some(text)) = (serde, rename_all) {
        errors.on(text, "`rename_all` says how serde calls the fields: add `serde`, as in `#[model(serde, rename_all = \"camelCase\")]`");
    }
    serde?;
    let renamed = |name: &&String| match naming {
        Some(naming) => naming(&name.split('_').filter(|word| !word.is_empty()).collect::<Vec<_>>()),
        None => (*name).clone(),
    };
    let all: Vec<String> = names.iter().map(renamed).collect();
    for (at, name) in all.iter().enumerate() {
        if let Some(other) = all[..at].iter().position(|known| known == name)
            && let Some(text) = rename_all
        {
            let message = format!("`{}` and `{}` would both be called `{name}`", names[other], names[at]);
            errors.on(text, message);
        }
    }
    Some(all)
}

// Names that the generated constants and methods cannot have.
fn reserved_names(model: &str, fields: &[FieldInput], errors: &mut Errors) {
    const CONSTANTS: [&str; 2] = ["DEF", "PRIMARY_KEY"];
    const METHODS: [&str; 11] = [
        "build",
        "change",
        "change_to",
        "key",
        "value",
        "set_value",
        "bare",
        "clone",
        "from_values",
        "row_origin",
        "row_origin_mut",
    ];
    let mut constants: HashMap<String, String> = HashMap::new();
    for field in fields {
        let name = plain(&field.ident);
        let constant = name.to_uppercase();
        let (is_association, has_accessor) = match &field.role {
            Role::Association(association) => (true, !association.options.own_accessor),
            Role::Column(_) => (false, false),
            Role::Aggregated(_) => (false, true),
            Role::Skipped | Role::Origin | Role::Unknown => continue,
        };
        if CONSTANTS.contains(&constant.as_str()) {
            let what = if is_association { "an association" } else { "a column's field" };
            let message = format!(
                "`{name}` cannot be the name of {what}: `{model}::{constant}` exists already; {}",
                remedy(field, &name)
            );
            errors.on(&field.ident, message);
        } else if has_accessor && METHODS.contains(&name.as_str()) {
            let message = format!(
                "`{name}` cannot be the name of an association: `{model}::{name}()` exists already; {}, or leave its \
                 accessor out with `accessor = false`",
                remedy(field, &name)
            );
            errors.on(&field.ident, message);
        }
        if let Some(earlier) = constants.get(&constant) {
            let message = format!(
                "the fields `{earlier}` and `{name}` would both have the constant `{model}::{constant}`: rename one of \
                 them"
            );
            errors.on(&field.ident, message);
        } else {
            constants.insert(constant, name);
        }
    }
}

fn remedy(field: &FieldInput, name: &str) -> String {
    match &field.role {
        Role::Association(association)
            if association.kind == Kind::BelongsTo && association.options.foreign_key.is_none() =>
        {
            format!("rename the field and keep the foreign key with `#[belongs_to(foreign_key = \"{name}_id\")]`")
        }
        Role::Column(_) => format!("rename the field and keep the column with `#[column(name = \"{name}\")]`"),
        _ => "rename the field".to_owned(),
    }
}

fn columns(fields: &[FieldInput], errors: &mut Errors) -> Vec<Column> {
    let mut columns: Vec<Column> = Vec::new();
    for field in fields {
        let Role::Column(input) = &field.role else { continue };
        let name = plain(&field.ident);
        let column = input.name.as_ref().map_or_else(|| name.clone(), LitStr::value);
        let at = input.name.as_ref().map_or_else(|| field.ident.span(), LitStr::span);
        if column.is_empty() || column.contains('\0') {
            errors.at(at, format!("the column of `{name}` needs a name"));
        } else if let Some(earlier) = columns.iter().find(|earlier| earlier.column == column) {
            let message =
                format!("the fields `{}` and `{name}` are both stored in the column `{column}`", earlier.name);
            errors.at(at, message);
        }
        let default = match (&input.default, &input.generated) {
            (DefaultInput::None, Some((_, expression))) => Default::Generated(expression.clone()),
            (_, Some((span, _))) => {
                let message = format!(
                    "`{name}` is computed by the database, so it has no default: write `default` or `generated`"
                );
                errors.at(*span, message);
                Default::None
            }
            (DefaultInput::None, None) => Default::None,
            (DefaultInput::Database, None) => Default::Database,
            (DefaultInput::Sql(sql), None) => Default::Sql(sql.clone()),
        };
        let default = match (&input.filled, default) {
            (Some((filled, span)), Default::None) => {
                let only = matches!(filled, FilledInput::LockVersion);
                if only && columns.iter().any(|earlier| earlier.is_lock_version()) {
                    errors.at(*span, "a row has one version: `lock_version` is given on two fields".to_owned());
                }
                Default::Filled(filled.clone(), *span)
            }
            (Some((filled, span)), _) => {
                let message = format!(
                    "`{name}` is filled in by `{0}`, so the database fills in nothing: write `{0}` alone",
                    filled.option()
                );
                errors.at(*span, message);
                Default::None
            }
            (None, default) => default,
        };
        columns.push(Column {
            field: field.ident.clone(),
            vis: field.vis.clone(),
            ty: field.ty.clone(),
            name,
            column,
            default,
            length: input.length,
            precision: input.precision.clone(),
            read_back: input.read_back,
            serde_leaves_out: input.serde_leaves_out,
        });
    }
    columns
}

/// The struct whose associations are checked.
pub(crate) struct Owner<'a> {
    pub(crate) name: &'a str,
    pub(crate) fields: &'a [FieldInput],
    pub(crate) columns: &'a [Column],
}

impl Owner<'_> {
    pub(crate) fn index(&self, field: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == field)
    }

    /// The columns of this struct that an option names.
    pub(crate) fn columns(&self, names: &FieldNames, option: &str, errors: &mut Errors) -> Option<Vec<usize>> {
        let found: Vec<Option<usize>> = names.names.iter().map(|name| self.index(name)).collect();
        for (name, _) in names.names.iter().zip(&found).filter(|(_, found)| found.is_none()) {
            errors.at(names.span, format!("`{option}` names a field of `{}`: {}", self.name, self.no_column(name)));
        }
        found.into_iter().collect()
    }

    // The column that an association to many says counts its rows.
    fn counted_in(&self, input: &AssociationInput, errors: &mut Errors) -> Option<usize> {
        let (_, Some(named)) = input.options.follow.counter.as_ref().filter(|_| input.kind != Kind::BelongsTo)? else {
            return None;
        };
        let names = FieldNames { names: vec![named.name.clone()], span: named.span };
        let column = *self.columns(&names, "counter_cache", errors)?.first()?;
        if !matches!(self.columns[column].default, Default::Filled(FilledInput::CounterCache, _)) {
            let message =
                format!("`{}` counts nothing yet: write `#[column(counter_cache)]` above the field", named.name);
            errors.at(named.span, message);
        }
        Some(column)
    }

    /// The message that a name is no column, with the names that exist.
    pub(crate) fn no_column(&self, name: &str) -> String {
        let field = self.fields.iter().find(|field| plain(&field.ident) == name);
        match field.map(|field| &field.role) {
            Some(Role::Association(_)) => return format!("`{name}` is an association, not a column"),
            Some(Role::Skipped) => return format!("`{name}` is not stored (`#[model(skip)]`)"),
            Some(Role::Aggregated(_)) => return format!("`{name}` is not stored (it is computed from an association)"),
            Some(Role::Origin) => return format!("`{name}` is not stored (it says where a row came from)"),
            Some(_) => return format!("`{name}` is not a column"),
            None => {}
        }
        let known = || self.columns.iter().map(|column| column.name.as_str());
        match nearest(name, known()) {
            _ if self.columns.is_empty() => format!("there is no field `{name}`, nor any other column"),
            Some(near) => {
                format!("there is no field `{name}` among {}; did you mean `{near}`?", listed(known()))
            }
            None => format!("there is no field `{name}` among {}", listed(known())),
        }
    }

    // The column that distinguishes the models of one table.
    fn discriminator(&self, input: &ModelInput, errors: &mut Errors) -> Option<Discriminator> {
        let Some(field) = &input.discriminator else {
            if let Some(tag) = &input.tag {
                let message = "`tag` is this model's value in a column that it shares with other models: name that \
                               column with `discriminator = \"…\"`";
                errors.on(tag, message);
            }
            return None;
        };
        let names = FieldNames { names: vec![field.name.clone()], span: field.span };
        let column = *self.columns(&names, "discriminator", errors)?.first()?;
        let tag = input.tag.as_ref().map_or_else(|| self.name.to_owned(), LitStr::value);
        Some(Discriminator { column, span: field.span, tag })
    }
}
