//! What each attribute takes, as tables; those of associations are with their [kinds](crate::kinds). A new option is a name
//! in its table and an arm where it is parsed, or a row in the table of [plain options](crate::plain_options).

use crate::plain_options;

/// An attribute's options by name.
pub(crate) struct OptionTable {
    /// The attribute: `has_many`.
    pub(crate) attribute: &'static str,
    /// Its place, if other places take other options.
    pub(crate) place: &'static str,
    /// What it takes.
    pub(crate) options: &'static [&'static str],
    /// Options of a later version. Users who know them from other libraries must not believe that they misspelt them.
    pub(crate) planned: &'static [&'static str],
    /// What it does not take for a reason, and the reason.
    pub(crate) refused: &'static [(&'static str, &'static str)],
}

impl OptionTable {
    /// All options that it takes.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.options.iter().copied().chain(plain_options::of(self.attribute).map(|option| option.name))
    }

    pub(crate) const fn simple(attribute: &'static str, options: &'static [&'static str]) -> Self {
        OptionTable { attribute, place: "", options, planned: &[], refused: &[] }
    }
}

/// `#[model(…)]` on a struct.
pub(crate) const MODEL: OptionTable = OptionTable::simple(
    "model",
    &[
        "table",
        "primary_key",
        "auto_increment",
        "default_scope",
        "rules",
        "discriminator",
        "tag",
        "read_back",
        "callbacks",
        "diesel",
        "serde",
        "rename_all",
        "crate",
    ],
);

/// `#[model(…)]` on a field.
pub(crate) const FIELD: OptionTable = OptionTable { place: " on a field", ..OptionTable::simple("model", &["skip"]) };

/// `#[column(…)]`.
pub(crate) const COLUMN: OptionTable = OptionTable::simple(
    "column",
    &[
        "name",
        "default",
        "default_with",
        "length",
        "precision",
        "scale",
        "generated",
        "read_back",
        "created_at",
        "updated_at",
        "lock_version",
        "counter_cache",
        "serde",
    ],
);

/// `#[column_type(…)]`.
pub(crate) const COLUMN_TYPE: OptionTable = OptionTable::simple("column_type", &["key", "rename_all", "as", "crate"]);

/// `#[column_type(…)]` on a variant.
pub(crate) const COLUMN_TYPE_VARIANT: OptionTable =
    OptionTable { place: " on a variant", ..OptionTable::simple("column_type", &["rename"]) };

/// `#[polymorphic(…)]` on an enum.
pub(crate) const POLYMORPHIC: OptionTable = OptionTable::simple("polymorphic", &["crate"]);

/// `#[polymorphic(…)]` on a variant.
pub(crate) const VARIANT: OptionTable =
    OptionTable { place: " on a variant", ..OptionTable::simple("polymorphic", &["tag", "primary_key"]) };
