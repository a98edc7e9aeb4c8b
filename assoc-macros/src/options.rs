//! What each attribute takes, as tables. A new option is a name in its table and an arm where it is parsed.

use std::fmt;

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
    const fn simple(attribute: &'static str, options: &'static [&'static str]) -> Self {
        OptionTable { attribute, place: "", options, planned: &[], refused: &[] }
    }
}

/// `#[model(…)]` on a struct.
pub(crate) const MODEL: OptionTable = OptionTable::simple(
    "model",
    &["table", "primary_key", "auto_increment", "default_scope", "rules", "discriminator", "tag", "read_back", "crate"],
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
    ],
);

/// `#[column_type(…)]`.
pub(crate) const COLUMN_TYPE: OptionTable = OptionTable::simple("column_type", &["key", "crate"]);

/// `#[polymorphic(…)]` on an enum.
pub(crate) const POLYMORPHIC: OptionTable = OptionTable::simple("polymorphic", &["crate"]);

/// `#[polymorphic(…)]` on a variant.
pub(crate) const VARIANT: OptionTable =
    OptionTable { place: " on a variant", ..OptionTable::simple("polymorphic", &["tag", "primary_key"]) };

const AT_MOST_ONE: &str = "there is at most one target";
const BY_TYPE: &str = "write the field's type as `Option`, or not: `BelongsTo<Option<User>>`";
const AT_THE_KEY: &str = "it belongs to the side with the foreign key, `belongs_to`; this side says `as = \"…\"`";
const JOIN_TABLE: &str = "only a `has_and_belongs_to_many` has a join table without model";

const BELONGS_TO: OptionTable = OptionTable {
    attribute: "belongs_to",
    place: "",
    options: &[
        "foreign_key",
        "primary_key",
        "polymorphic",
        "foreign_type",
        "unknown_type",
        "scope",
        "filter",
        "order",
        "scope_by_owner",
        "readonly",
        "inverse_of",
        "include",
        "autosave",
        "validate",
        "accessor",
        "dependent",
    ],
    planned: &["counter_cache", "touch"],
    refused: &[
        ("limit", AT_MOST_ONE),
        ("offset", AT_MOST_ONE),
        ("distinct", AT_MOST_ONE),
        ("optional", BY_TYPE),
        ("required", BY_TYPE),
        ("as", "it belongs to the other side, `has_many` or `has_one`; this side says `polymorphic`"),
        ("through", "only `has_one` and `has_many` go through another association"),
    ],
};

const HAS_ONE: OptionTable = OptionTable {
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
        "autosave",
        "validate",
        "accessor",
        "dependent",
    ],
    planned: &["touch"],
    refused: &[
        ("limit", AT_MOST_ONE),
        ("offset", AT_MOST_ONE),
        ("distinct", AT_MOST_ONE),
        ("optional", BY_TYPE),
        ("required", BY_TYPE),
        ("polymorphic", AT_THE_KEY),
        ("join_table", JOIN_TABLE),
    ],
};

const HAS_MANY: OptionTable = OptionTable {
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
        "autosave",
        "validate",
        "accessor",
        "finder_sql",
        "counter_sql",
        "dependent",
    ],
    planned: &["counter_cache", "before_add", "after_add", "before_remove", "after_remove", "extend"],
    refused: &[("polymorphic", AT_THE_KEY), ("join_table", JOIN_TABLE)],
};

const HAS_AND_BELONGS_TO_MANY: OptionTable = OptionTable {
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
        "autosave",
        "validate",
        "accessor",
        "finder_sql",
        "counter_sql",
    ],
    planned: &["before_add", "after_add", "before_remove", "after_remove", "delete_sql", "insert_sql", "extend"],
    refused: &[
        ("primary_key", "the join table refers to the primary keys of both models"),
        ("join", "the model of the join table's rows stands in the field's type: `HasAndBelongsToMany<Tag, PostTag>`"),
        ("through", "it goes through a table without model; with one, write `#[has_many(through = \"…\")]`"),
        ("as", "a join table has no column for a type; a model of its own can: `#[has_many(through = \"…\")]`"),
        ("dependent", "the links of a row always go with it, and never the rows they lead to"),
    ],
};

/// The kinds of associations.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    BelongsTo,
    HasOne,
    HasMany,
    HasAndBelongsToMany,
}

impl Kind {
    pub(crate) const ALL: [Kind; 4] = [Kind::BelongsTo, Kind::HasOne, Kind::HasMany, Kind::HasAndBelongsToMany];

    /// What its attribute takes.
    pub(crate) const fn table(self) -> &'static OptionTable {
        match self {
            Kind::BelongsTo => &BELONGS_TO,
            Kind::HasOne => &HAS_ONE,
            Kind::HasMany => &HAS_MANY,
            Kind::HasAndBelongsToMany => &HAS_AND_BELONGS_TO_MANY,
        }
    }

    /// Its attribute's name: `has_many`.
    pub(crate) const fn attribute(self) -> &'static str {
        self.table().attribute
    }

    /// The type its field has.
    pub(crate) const fn holder(self, through: bool) -> Holder {
        match self {
            Kind::BelongsTo => Holder::BelongsTo,
            Kind::HasOne => Holder::HasOne,
            Kind::HasMany if through => Holder::HasManyThrough,
            Kind::HasMany => Holder::HasMany,
            Kind::HasAndBelongsToMany => Holder::HasAndBelongsToMany,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.attribute())
    }
}

/// The types that associations' fields have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Holder {
    BelongsTo,
    HasOne,
    HasMany,
    HasManyThrough,
    HasAndBelongsToMany,
}

impl Holder {
    pub(crate) const ALL: [Holder; 5] =
        [Holder::BelongsTo, Holder::HasOne, Holder::HasMany, Holder::HasManyThrough, Holder::HasAndBelongsToMany];

    /// The type: `HasMany`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Holder::BelongsTo => "BelongsTo",
            Holder::HasOne => "HasOne",
            Holder::HasMany => "HasMany",
            Holder::HasManyThrough => "HasManyThrough",
            Holder::HasAndBelongsToMany => "HasAndBelongsToMany",
        }
    }

    /// The attribute that goes with it, as one writes it.
    pub(crate) const fn attribute(self) -> &'static str {
        match self {
            Holder::BelongsTo => "#[belongs_to]",
            Holder::HasOne => "#[has_one]",
            Holder::HasMany => "#[has_many]",
            Holder::HasManyThrough => "#[has_many(through = \"…\")]",
            Holder::HasAndBelongsToMany => "#[has_and_belongs_to_many]",
        }
    }

    /// Whether an owner has at most one target.
    pub(crate) const fn is_to_one(self) -> bool {
        matches!(self, Holder::BelongsTo | Holder::HasOne)
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
