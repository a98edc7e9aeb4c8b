//! `has_many`.

use super::{Keys, custom_sql, key_at_target, through};
use crate::errors::Errors;
use crate::options::OptionTable;
use crate::parse::{AssociationInput, FieldInput};
use crate::validate::Owner;

/// What the attribute takes.
pub(super) const OPTIONS: OptionTable = OptionTable {
    attribute: "has_many",
    place: "",
    options: &[
        "foreign_key",
        "primary_key",
        "through",
        "source",
        "source_type",
        "as",
        "foreign_type",
        "tag",
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
        "dependent",
        "counter_cache",
        "before_add",
        "after_add",
        "before_remove",
        "after_remove",
    ],
    planned: &["extend"],
    refused: &[
        ("polymorphic", key_at_target::NOT_POLYMORPHIC),
        ("join_table", key_at_target::NO_JOIN_TABLE),
        ("insert_sql", key_at_target::NO_LINKS),
        ("delete_sql", key_at_target::NO_LINKS),
    ],
};

/// Its keys.
pub(super) fn keys(
    owner: &Owner<'_>,
    field: &FieldInput,
    input: &AssociationInput,
    primary_key: Option<&[usize]>,
    errors: &mut Errors,
) -> Option<Box<dyn Keys>> {
    if input.given("finder_sql").is_some() {
        custom_sql::keys(input, errors)
    } else if input.given("through").is_some() {
        through::keys(owner, field, input, errors)
    } else {
        key_at_target::keys(owner, input, primary_key, errors)
    }
}
