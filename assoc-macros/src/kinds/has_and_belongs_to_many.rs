//! `has_and_belongs_to_many`: a join table refers to both models.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::{Keys, custom_sql, last_name, one_for_one};
use crate::errors::Errors;
use crate::expand::{function, generated, join_columns, outside, own_column, target_key};
use crate::names::{self, listed};
use crate::options::OptionTable;
use crate::parse::{AssociationInput, shown};
use crate::validate::{Association, Model, Owner, table_name};

/// What the attribute takes.
pub(super) const OPTIONS: OptionTable = OptionTable {
    attribute: "has_and_belongs_to_many",
    place: "",
    options: &[
        "join_table",
        "foreign_key",
        "association_foreign_key",
        "scope",
        "filter",
        "order",
        "limit",
        "offset",
        "distinct",
        "scope_by_owner",
        "readonly",
        "inverse_of",
        "include",
        "accessor",
        "finder_sql",
        "counter_sql",
        "insert_sql",
        "delete_sql",
        "before_add",
        "after_add",
        "before_remove",
        "after_remove",
    ],
    planned: &["extend"],
    refused: &[
        ("primary_key", "the join table refers to the primary keys of both models"),
        ("join", "the model of the join table's rows stands in the field's type: `HasAndBelongsToMany<Tag, PostTag>`"),
        ("through", "it goes through a table without model; with one, write `#[has_many(through = \"…\")]`"),
        ("as", "a join table has no column for a type; a model of its own can: `#[has_many(through = \"…\")]`"),
        ("dependent", "the links of a row always go with it, and never the rows they lead to"),
        (
            "counter_cache",
            "a `belongs_to` counts, and a join table has none; a join model can: `#[has_many(through = \"…\")]`",
        ),
    ],
};

// With a model of the join table's rows, the columns are fields of that.
struct JoinTable {
    table: Option<(Option<String>, String)>,
    owner_columns: Vec<String>,
    target_columns: Vec<String>,
}

/// Its keys.
pub(super) fn keys(
    owner: &Owner<'_>,
    input: &AssociationInput,
    primary_key: Option<&[usize]>,
    errors: &mut Errors,
) -> Option<Box<dyn Keys>> {
    if input.given("finder_sql").is_some() {
        return custom_sql::keys(input, errors);
    }
    let options = &input.options;
    let owner_key = primary_key?;
    if owner_key.is_empty() {
        let message = format!(
            "a join table refers to the primary key of `{}`, which has none: add a field `id`, or name the key with \
             `#[model(primary_key = \"…\")]`",
            owner.name
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
    let own = || listed(owner_key.iter().map(|index| owner.columns[*index].name.as_str()));
    let owner_columns = match &options.foreign_key {
        Some(names) if names.names.len() != owner_key.len() => {
            errors.at(names.span, one_for_one(&names.listed(), &own()));
            return None;
        }
        Some(names) => names.names.clone(),
        None if owner_key.len() > 1 => {
            let message = format!(
                "the key of `{}` is {}: name as many columns of the join table with `foreign_key = \"…\"`",
                owner.name,
                own()
            );
            errors.at(input.span, message);
            return None;
        }
        None => vec![names::foreign_key(owner.name)],
    };
    let target = last_name(&input.field.target)
        .map(|name| if name == "Self" { owner.name.to_owned() } else { name })
        .unwrap_or_default();
    let target_columns = match &options.association_foreign_key {
        Some(names) => names.names.clone(),
        None => vec![names::foreign_key(&target)],
    };
    if let Some(both) = owner_columns.iter().find(|column| target_columns.contains(column)) {
        let given = options.association_foreign_key.as_ref().or(options.foreign_key.as_ref());
        let message = if given.is_some() && target != owner.name {
            format!("the column `{both}` of the join table cannot refer to both models")
        } else {
            format!(
                "the join table would refer to both sides with the column `{both}`: name a column for each with \
                 `foreign_key = \"…\"` (this `{0}`) and `association_foreign_key = \"…\"` (the other `{target}`)",
                owner.name
            )
        };
        errors.at(given.map_or(input.span, |names| names.span), message);
        return None;
    }
    Some(Box::new(JoinTable { table, owner_columns, target_columns }))
}

impl JoinTable {
    fn with_join_rows(&self, model: &Model, association: &Association) -> TokenStream {
        let owner = &model.ident;
        let JoinTable { owner_columns, target_columns, .. } = self;
        let join_row = &association.join_row;
        let table = quote_spanned!(generated(join_row.span())=> <#join_row as __assoc::Model>::definition);
        let owner_columns = join_columns(association, owner_columns, association.key_span);
        let target_columns = join_columns(association, target_columns, association.association_key_span);
        let target_key = target_key(association);
        quote! {
            &__assoc::HasAndBelongsToManyKind {
                join_table: #table,
                owner_key: <#owner as __assoc::Model>::PRIMARY_KEY,
                owner_columns: &[#(#owner_columns.index()),*],
                target_columns: &[#(#target_columns.index()),*],
                target_key: #target_key,
            }
        }
    }

    fn without_model(&self, model: &Model, association: &Association) -> TokenStream {
        let (owner, target) = (&model.ident, &association.target);
        let JoinTable { table, owner_columns, target_columns } = self;
        let table = match table {
            None => quote!(__assoc::Option::None),
            Some((schema, name)) => {
                let schema = match schema {
                    Some(schema) => quote!(__assoc::Option::Some(#schema)),
                    None => quote!(__assoc::Option::None),
                };
                quote!(__assoc::Option::Some(__assoc::TableRef { schema: #schema, name: #name }))
            }
        };
        let target_key = target_key(association);
        let own = 0..owner_columns.len();
        let others = owner_columns.len()..owner_columns.len() + target_columns.len();
        // The two models outside of the closure: it is used by a generic function, which the compiler counts.
        let made = quote! {
            static __TABLE: __assoc::OnceLock<__assoc::ModelDef> = __assoc::OnceLock::new();
            let __owner: fn() -> &'static __assoc::ModelDef = <#owner as __assoc::Model>::definition;
            let __target: fn() -> &'static __assoc::ModelDef = <#target as __assoc::Model>::definition;
            __TABLE.get_or_init(|| {
                __assoc::join_table_def(
                    __owner(),
                    __target(),
                    #table,
                    &[#(#owner_columns),*],
                    &[#(#target_columns),*],
                )
            })
        };
        let join_table = function(owner, &quote!(() -> &'static __assoc::ModelDef), &made);
        quote! {
            &__assoc::HasAndBelongsToManyKind {
                join_table: #join_table,
                owner_key: <#owner as __assoc::Model>::PRIMARY_KEY,
                owner_columns: &[#(#own),*],
                target_columns: &[#(#others),*],
                target_key: #target_key,
            }
        }
    }
}

impl Keys for JoinTable {
    fn behavior(&self, model: &Model, association: &Association) -> TokenStream {
        match association.join_row {
            Some(_) => self.with_join_rows(model, association),
            None => self.without_model(model, association),
        }
    }

    fn type_checks(&self, model: &Model, association: &Association) -> TokenStream {
        if association.join_row.is_none() {
            return TokenStream::new();
        }
        let JoinTable { owner_columns, target_columns, .. } = self;
        let target = &association.target;
        let at = generated(association.key_span);
        let keys = model.primary_key.iter().map(|index| own_column(model, *index, at)).collect::<Vec<_>>();
        let columns = join_columns(association, owner_columns, association.key_span);
        let owner_checks = columns
            .iter()
            .zip(keys)
            .map(|(column, key)| quote_spanned!(at=> __assoc::check_foreign_key(#column, #key);));
        let join_row = &association.join_row;
        let at = generated(association.association_key_span);
        let columns = join_columns(association, target_columns, association.association_key_span);
        let check = match columns.len() {
            1 => Ident::new("check_reference", at),
            width => Ident::new(&format!("check_reference_{width}"), at),
        };
        let types = columns.iter().map(|_| quote_spanned!(at=> _));
        let target_check = quote_spanned!(at=> __assoc::#check::<#join_row, #target, #(#types),*>(#(#columns),*););
        owner_checks.chain([target_check]).collect()
    }

    // The join table must have as many columns as the target's key. If its rows have a model, the named table must be that
    // of the model.
    fn value_check(&self, model: &Model, association: &Association) -> Option<TokenStream> {
        let JoinTable { table, target_columns, .. } = self;
        if let Some(join_row) = &association.join_row {
            let (schema, name) = table.as_ref()?;
            let at = generated(association.join_table_span?);
            let schema = match schema {
                Some(schema) => quote!(__assoc::Option::Some(#schema)),
                None => quote!(__assoc::Option::None),
            };
            return Some(quote_spanned! {at=>
                const _: () = __assoc::check_join_table::<#join_row>(__assoc::TableRef { schema: #schema, name: #name });
            });
        }
        let width = target_columns.len();
        let at = generated(association.association_key_span);
        let target = outside(model, &association.target);
        Some(quote_spanned!(at=> const _: () = __assoc::check_join_columns::<#target>(#width);))
    }
}
