//! What each attribute takes, as tables. A new option is a name in its table and an arm where it is parsed.

use std::fmt;

/// An attribute's options by name.
pub(crate) struct OptionTable {
    /// The attribute: `has_many`.
    pub(crate) attribute: &'static str,
    /// Where it stands, if it takes something else elsewhere.
    pub(crate) place: &'static str,
    /// What it takes.
    pub(crate) options: &'static [&'static str],
    /// What it will take. Nobody who knows these from elsewhere should think that they misspelt them.
    pub(crate) planned: &'static [&'static str],
}

/// `#[model(…)]` on a struct.
pub(crate) const MODEL: OptionTable = OptionTable {
    attribute: "model",
    place: "",
    options: &["table", "primary_key", "auto_increment", "crate"],
    planned: &[],
};

/// `#[model(…)]` on a field.
pub(crate) const FIELD: OptionTable =
    OptionTable { attribute: "model", place: " on a field", options: &["skip"], planned: &[] };

/// `#[column(…)]`.
pub(crate) const COLUMN: OptionTable =
    OptionTable { attribute: "column", place: "", options: &["name", "default", "length"], planned: &[] };

/// `#[column_type(…)]`.
pub(crate) const COLUMN_TYPE: OptionTable =
    OptionTable { attribute: "column_type", place: "", options: &["key", "crate"], planned: &[] };

const BELONGS_TO: OptionTable = OptionTable {
    attribute: "belongs_to",
    place: "",
    options: &["foreign_key", "primary_key"],
    planned: &[
        "polymorphic",
        "dependent",
        "inverse_of",
        "counter_cache",
        "touch",
        "autosave",
        "validate",
        "scope",
        "foreign_type",
    ],
};

const HAS_ONE: OptionTable = OptionTable {
    attribute: "has_one",
    place: "",
    options: &["foreign_key", "primary_key"],
    planned: &[
        "through",
        "source",
        "source_type",
        "as",
        "dependent",
        "inverse_of",
        "touch",
        "autosave",
        "validate",
        "order",
        "scope",
    ],
};

const HAS_MANY: OptionTable = OptionTable {
    attribute: "has_many",
    place: "",
    options: &["foreign_key", "primary_key"],
    planned: &[
        "through",
        "source",
        "source_type",
        "as",
        "dependent",
        "inverse_of",
        "counter_cache",
        "autosave",
        "validate",
        "order",
        "scope",
        "limit",
        "distinct",
        "before_add",
        "after_add",
        "before_remove",
        "after_remove",
    ],
};

/// The kinds of associations.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    BelongsTo,
    HasOne,
    HasMany,
}

impl Kind {
    pub(crate) const ALL: [Kind; 3] = [Kind::BelongsTo, Kind::HasOne, Kind::HasMany];

    /// What its attribute takes.
    pub(crate) const fn table(self) -> &'static OptionTable {
        match self {
            Kind::BelongsTo => &BELONGS_TO,
            Kind::HasOne => &HAS_ONE,
            Kind::HasMany => &HAS_MANY,
        }
    }

    /// Its attribute's name: `has_many`.
    pub(crate) const fn attribute(self) -> &'static str {
        self.table().attribute
    }

    /// The type its field has: `HasMany`.
    pub(crate) const fn holder(self) -> &'static str {
        match self {
            Kind::BelongsTo => "BelongsTo",
            Kind::HasOne => "HasOne",
            Kind::HasMany => "HasMany",
        }
    }

    /// Whether there is at most one target.
    pub(crate) const fn is_to_one(self) -> bool {
        !matches!(self, Kind::HasMany)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.attribute())
    }
}
