//! `has_one`.

use super::{AT_MOST_ONE, BY_TYPE, Keys, key_at_target, through};
use crate::errors::Errors;
use crate::options::OptionTable;
use crate::parse::{AssociationInput, FieldInput};
use crate::validate::Owner;

const OF_MANY: &str = "it is for associations to many: the callbacks of a single target are those of its model";
const NOTHING_TO_COUNT: &str = "there is at most one row, so there is nothing to count: a `has_many` is counted, and its `belongs_to` says \
     `counter_cache`";

/// What the attribute takes.
pub(super) const OPTIONS: OptionTable = OptionTable {
    attribute: "has_one",
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
        "scope_by_owner",
        "readonly",
        "inverse_of",
        "include",
        "accessor",
        "dependent",
        "touch",
    ],
    planned: &[],
    refused: &[
        ("before_add", OF_MANY),
        ("after_add", OF_MANY),
        ("before_remove", OF_MANY),
        ("after_remove", OF_MANY),
        ("limit", AT_MOST_ONE),
        ("offset", AT_MOST_ONE),
        ("distinct", AT_MOST_ONE),
        ("optional", BY_TYPE),
        ("required", BY_TYPE),
        ("polymorphic", key_at_target::NOT_POLYMORPHIC),
        ("join_table", key_at_target::NO_JOIN_TABLE),
        ("counter_cache", NOTHING_TO_COUNT),
        ("counter_cache_active", NOTHING_TO_COUNT),
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
    match input.given("through") {
        Some(_) => through::keys(owner, field, input, errors),
        None => key_at_target::keys(owner, input, primary_key, errors),
    }
}
