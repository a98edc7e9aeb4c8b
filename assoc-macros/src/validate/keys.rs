//! How an association connects two models, with one function per kind.

use proc_macro2::Span;
use syn::{LitStr, Type};

use super::{Keys, Owner, TargetKey, TargetType, Through, table_name};
use crate::attributes::{FieldName, FieldNames, Inverse};
use crate::errors::Errors;
use crate::names::{self, listed, nearest, plain, token};
use crate::options::Kind;
use crate::parse::{AssociationInput, FieldInput, Role, shown};

impl Keys {
    /// For as long as it takes to report why they are not known.
    pub(super) fn unknown() -> Self {
        Keys::Theirs { owner_key: Vec::new(), foreign_key: Vec::new(), target_type: None }
    }
}

impl AssociationInput {
    fn given(&self, option: &str) -> Option<Span> {
        self.given.iter().find(|(name, _)| name == option).map(|(_, span)| *span)
    }

    // Reports options that make no sense here.
    fn refuse(&self, options: &[&str], why: &str, errors: &mut Errors) {
        for option in options {
            if let Some(span) = self.given(option) {
                errors.at(span, format!("`{option}` {why}"));
            }
        }
    }
}

impl Owner<'_> {
    /// The keys of an association.
    pub(super) fn keys(
        &self,
        field: &FieldInput,
        input: &AssociationInput,
        primary_key: Option<&[usize]>,
        errors: &mut Errors,
    ) -> Option<Keys> {
        let through = input.given("through").is_some();
        if !through {
            let why = "says more about a `through` association, and this one has no `through = \"…\"`";
            input.refuse(&["source", "source_type"], why, errors);
            if input.kind == Kind::HasMany {
                let why = "is for associations that may lead to a row several times, by `through` or a join table; \
                           a `has_many` never does";
                input.refuse(&["distinct"], why, errors);
            }
        }
        if input.given("finder_sql").is_none() {
            let why = "counts what `finder_sql` finds, and this one has no `finder_sql = …`";
            input.refuse(&["counter_sql"], why, errors);
        }
        let name = plain(&field.ident);
        if let Some(Inverse::Named(inverse)) = &input.options.scope_def.inverse
            && inverse.name == name
            && last_name(&input.field.target).is_some_and(|target| target == self.name || target == "Self")
        {
            let message = format!(
                "`{name}` cannot be its own inverse: name the one that leads back, or say that there is none with \
                 `inverse_of = false`"
            );
            errors.at(inverse.span, message);
        }
        match input.kind {
            Kind::BelongsTo if input.given("polymorphic").is_some() => self.polymorphic_keys(field, input, errors),
            Kind::BelongsTo => {
                let why = "names the column of a `polymorphic` association's type, and this one says no `polymorphic`";
                input.refuse(&["foreign_type"], why, errors);
                let why = "is about the types of a `polymorphic` association, and this one says no `polymorphic`";
                input.refuse(&["unknown_type"], why, errors);
                self.own_keys(field, input, errors)
            }
            Kind::HasMany | Kind::HasAndBelongsToMany if input.given("finder_sql").is_some() => {
                finder_keys(input, errors)
            }
            Kind::HasOne | Kind::HasMany if through => self.through(field, input, errors),
            Kind::HasOne | Kind::HasMany => self.their_keys(input, primary_key, errors),
            Kind::HasAndBelongsToMany => self.join_table(input, primary_key, errors),
        }
    }

    // The owner's foreign key, `imageable_id` of `imageable` unless it says otherwise.
    fn foreign_key(&self, name: &str, input: &AssociationInput, errors: &mut Errors) -> Option<Vec<usize>> {
        match &input.options.foreign_key {
            Some(names) => self.columns(names, "foreign_key", errors),
            None => self.default_column("foreign_key", "foreign key", &format!("{name}_id"), name, input, errors),
        }
    }

    fn default_column(
        &self,
        option: &str,
        what: &str,
        default: &str,
        name: &str,
        input: &AssociationInput,
        errors: &mut Errors,
    ) -> Option<Vec<usize>> {
        let index = self.index(default);
        if index.is_none() {
            let message = format!(
                "the {what} of the `belongs_to` association `{name}` is the field `{default}` unless it says otherwise: \
                 add that field, or name another with `{option} = \"…\"` ({})",
                self.no_column(default)
            );
            errors.at(input.span, message);
        }
        index.map(|index| vec![index])
    }

    // The foreign key is here.
    fn own_keys(&self, field: &FieldInput, input: &AssociationInput, errors: &mut Errors) -> Option<Keys> {
        let foreign_key = self.foreign_key(&plain(&field.ident), input, errors)?;
        let target_key = match &input.options.primary_key {
            None => TargetKey::Primary,
            Some(names) if names.names.len() != foreign_key.len() => {
                let own = foreign_key.iter().map(|index| self.columns[*index].name.as_str());
                errors.at(names.span, one_for_one(&listed(own), &names.listed()));
                return None;
            }
            Some(names) => TargetKey::Named(names.names.iter().map(|name| token(name, names.span)).collect()),
        };
        Some(Keys::Own { foreign_key, target_key })
    }

    // The foreign key is here, and so is the type of what it refers to.
    fn polymorphic_keys(&self, field: &FieldInput, input: &AssociationInput, errors: &mut Errors) -> Option<Keys> {
        let why = "has no place on a polymorphic `belongs_to`, which refers to a key of each of its models: where that is not \
                   the primary key, name it at the variant, `#[polymorphic(primary_key = \"…\")]`";
        input.refuse(&["primary_key"], why, errors);
        let why = "has no place on a polymorphic `belongs_to`: its targets are of several models, and a column only of \
                   one; give a model a scope of its own with `#[model(default_scope = …)]`";
        input.refuse(&["scope", "filter", "order", "scope_by_owner"], why, errors);
        if let Some(Inverse::Named(inverse)) = &input.options.scope_def.inverse {
            let message = "a polymorphic `belongs_to` has an inverse in each of its models: name this association with \
                           `inverse_of` there";
            errors.at(inverse.span, message);
        }
        let name = plain(&field.ident);
        let foreign_key = self.foreign_key(&name, input, errors);
        let (foreign_type, type_span) = match &input.options.foreign_type {
            Some(FieldName { name, span }) => {
                let names = FieldNames { names: vec![name.clone()], span: *span };
                (self.columns(&names, "foreign_type", errors), *span)
            }
            None => {
                let default = format!("{name}_type");
                let column = self.default_column("foreign_type", "type column", &default, &name, input, errors);
                (column, input.span)
            }
        };
        Some(Keys::Polymorphic { foreign_key: foreign_key?, foreign_type: *foreign_type?.first()?, type_span })
    }

    // The foreign key is at the target.
    fn their_keys(&self, input: &AssociationInput, primary_key: Option<&[usize]>, errors: &mut Errors) -> Option<Keys> {
        let options = &input.options;
        if input.given("as").is_none() {
            let why = "says more about the other side of a polymorphic association, and this one has no `as = \"…\"`";
            input.refuse(&["foreign_type", "tag"], why, errors);
        }
        let owner_key = match &options.primary_key {
            Some(names) => self.columns(names, "primary_key", errors)?,
            None => primary_key?.to_vec(),
        };
        if owner_key.is_empty() {
            let message = format!(
                "`{}` refers to the primary key of `{}`, which has none: add a field `id`, or name the key with \
                 `#[model(primary_key = \"…\")]`, or another column with `#[{0}(primary_key = \"…\")]`",
                input.kind, self.name
            );
            errors.at(input.span, message);
            return None;
        }
        let own = || listed(owner_key.iter().map(|index| self.columns[*index].name.as_str()));
        let foreign_key = match (&options.foreign_key, &options.as_) {
            (Some(names), _) if names.names.len() != owner_key.len() => {
                errors.at(names.span, one_for_one(&names.listed(), &own()));
                return None;
            }
            (Some(names), _) => names.names.iter().map(|name| token(name, names.span)).collect(),
            (None, _) if owner_key.len() > 1 => {
                let message = format!(
                    "the key of `{}` is {}: name as many columns of the target with `foreign_key = \"…\"`",
                    self.name,
                    own()
                );
                errors.at(input.span, message);
                return None;
            }
            (None, Some(as_)) => vec![token(&format!("{}_id", as_.name), as_.span)],
            (None, None) => vec![token(&names::foreign_key(self.name), input.span)],
        };
        let target_type = options.as_.as_ref().map(|as_| TargetType {
            column: match &options.foreign_type {
                Some(FieldName { name, span }) => token(name, *span),
                None => token(&format!("{}_type", as_.name), as_.span),
            },
            tag: options.tag.as_ref().map_or_else(|| self.name.to_owned(), LitStr::value),
            other_side: options.primary_key.as_ref().map(|names| token(&as_.name, names.span)),
        });
        Some(Keys::Theirs { owner_key, foreign_key, target_type })
    }

    // There is a table between the two.
    fn join_table(&self, input: &AssociationInput, primary_key: Option<&[usize]>, errors: &mut Errors) -> Option<Keys> {
        let options = &input.options;
        let owner_key = primary_key?;
        if owner_key.is_empty() {
            let message = format!(
                "a join table refers to the primary key of `{}`, which has none: add a field `id`, or name the key with \
                 `#[model(primary_key = \"…\")]`",
                self.name
            );
            errors.at(input.span, message);
            return None;
        }
        let table = options.join_table.as_ref().map(|text| table_name(text, "join_table", "posts_tags", errors));
        if let Some(join_row) = &input.field.join_row {
            for names in [&options.foreign_key, &options.association_foreign_key].into_iter().flatten() {
                if let Some(wrong) = names.names.iter().find(|name| !names::is_field_name(name)) {
                    let message = format!(
                        "`{wrong}` is not the name of a field: the rows of the join table are a `{}`, whose fields are named",
                        shown(join_row)
                    );
                    errors.at(names.span, message);
                    return None;
                }
            }
        }
        let own = || listed(owner_key.iter().map(|index| self.columns[*index].name.as_str()));
        let owner_columns = match &options.foreign_key {
            Some(names) if names.names.len() != owner_key.len() => {
                errors.at(names.span, one_for_one(&names.listed(), &own()));
                return None;
            }
            Some(names) => names.names.clone(),
            None if owner_key.len() > 1 => {
                let message = format!(
                    "the key of `{}` is {}: name as many columns of the join table with `foreign_key = \"…\"`",
                    self.name,
                    own()
                );
                errors.at(input.span, message);
                return None;
            }
            None => vec![names::foreign_key(self.name)],
        };
        let target = last_name(&input.field.target)
            .map(|name| if name == "Self" { self.name.to_owned() } else { name })
            .unwrap_or_default();
        let target_columns = match &options.association_foreign_key {
            Some(names) => names.names.clone(),
            None => vec![names::foreign_key(&target)],
        };
        if let Some(both) = owner_columns.iter().find(|column| target_columns.contains(column)) {
            let given = options.association_foreign_key.as_ref().or(options.foreign_key.as_ref());
            let message = if given.is_some() && target != self.name {
                format!("the column `{both}` of the join table cannot refer to both models")
            } else {
                format!(
                    "the join table would refer to both sides with the column `{both}`: name a column for each with \
                     `foreign_key = \"…\"` (this `{0}`) and `association_foreign_key = \"…\"` (the other `{target}`)",
                    self.name
                )
            };
            errors.at(given.map_or(input.span, |names| names.span), message);
            return None;
        }
        Some(Keys::JoinTable { table, owner_columns, target_columns })
    }

    // There is an association between the two.
    fn through(&self, field: &FieldInput, input: &AssociationInput, errors: &mut Errors) -> Option<Keys> {
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
        let middle = self.association(&plain(&field.ident), through, errors)?;
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
        if self.leads_back(&plain(&field.ident), middle) {
            let message = format!("`{}` goes through this association itself, so it leads nowhere", through.name);
            errors.at(through.span, message);
            return None;
        }
        let name = plain(&field.ident);
        let to_itself = last_name(&middle.field.target).is_some_and(|middle| middle == self.name || middle == "Self");
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
                // What is found must not be this association itself.
                sources.retain(|source| !(to_itself && *source == name));
                if sources.is_empty() {
                    let message = format!(
                        "`{name}` goes through other rows of `{}`, so its source needs another name: give it with \
                         `source = \"…\"`",
                        self.name
                    );
                    errors.at(input.span, message);
                    return None;
                }
                sources.iter().map(|name| token(name, input.span)).collect()
            }
        };
        Some(Keys::Through(Box::new(Through {
            through: token(&through.name, through.span),
            middle: middle.field.target.clone(),
            sources,
            named: options.source.is_some(),
            source_type: options.source_type.clone(),
        })))
    }

    // Another association of this struct.
    fn association(&self, of: &str, named: &FieldName, errors: &mut Errors) -> Option<&AssociationInput> {
        let name = &named.name;
        let others = || {
            let others = self.fields.iter().filter(|field| matches!(field.role, Role::Association(_)));
            others.map(|field| plain(&field.ident)).filter(|other| other != of).collect::<Vec<_>>()
        };
        let why = match self.fields.iter().find(|field| plain(&field.ident) == *name).map(|field| &field.role) {
            _ if name == of => format!("`{name}` is this one"),
            Some(Role::Association(association)) => return Some(association),
            // Reported there.
            Some(Role::Unknown) => return None,
            Some(Role::Column(_)) => format!("`{name}` is a column"),
            Some(Role::Skipped | Role::Origin) => format!("`{name}` is none"),
            None => format!("there is no `{name}`"),
        };
        let others = others();
        let known = || others.iter().map(String::as_str);
        let which = match nearest(name, known()) {
            _ if others.is_empty() => ", and there is no other association".to_owned(),
            Some(near) => format!("; choose from {}, did you mean `{near}`?", listed(known())),
            None => format!("; choose from {}", listed(known())),
        };
        errors.at(named.span, format!("`through` names another association of `{}`: {why}{which}", self.name));
        None
    }

    // Whether a chain of through associations returns to its beginning.
    fn leads_back(&self, start: &str, from: &AssociationInput) -> bool {
        let mut at = from;
        for _ in 0..self.fields.len() {
            let Some(next) = &at.options.through else { return false };
            if next.name == start {
                return true;
            }
            let Some(field) = self.fields.iter().find(|field| plain(&field.ident) == next.name) else { return false };
            let Role::Association(association) = &field.role else { return false };
            at = association;
        }
        // In a circle, but not back to here: reported where it is.
        false
    }
}

// A statement says which rows there are.
fn finder_keys(input: &AssociationInput, errors: &mut Errors) -> Option<Keys> {
    let why = "has no place beside `finder_sql`: the SQL says which rows an owner has, by whatever key";
    let ways = [
        "foreign_key",
        "primary_key",
        "through",
        "source",
        "source_type",
        "as",
        "foreign_type",
        "tag",
        "join_table",
        "association_foreign_key",
    ];
    input.refuse(&ways, why, errors);
    if input.kind == Kind::HasAndBelongsToMany {
        input.refuse(&["distinct"], "has no place beside `finder_sql`: say `DISTINCT` in the SQL", errors);
        if let Some(join_row) = &input.field.join_row {
            let message = "with `finder_sql` no row of a join table stands beside a target: name the target alone";
            errors.on(join_row, message);
        }
    }
    let why = "has no place beside `finder_sql`, whose function has the owner";
    input.refuse(&["scope_by_owner"], why, errors);
    let why = "has no place beside `finder_sql`: nothing says that its rows lead back to the owner";
    input.refuse(&["inverse_of"], why, errors);
    let options = &input.options;
    Some(Keys::CustomSql { find: options.finder_sql.clone()?, count: options.counter_sql.clone() })
}

// The last word of a type's path.
fn last_name(ty: &Type) -> Option<String> {
    match ty {
        Type::Path(path) => path.path.segments.last().map(|segment| plain(&segment.ident)),
        Type::Group(group) => last_name(&group.elem),
        Type::Paren(paren) => last_name(&paren.elem),
        _ => None,
    }
}

fn one_for_one(foreign_key: &str, key: &str) -> String {
    format!("a foreign key has a column for each column of the key: {foreign_key} cannot refer to {key}")
}
