//! The types that associations' fields have.

use std::fmt;

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
