//! What a query of groups asks of a column that has several values in a group.

/// What a query asks of a column of which a group may hold several values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GroupedUse {
    /// To be in a whole row of the model.
    Row,
    /// To be read as a value.
    Value,
    /// To sort the groups.
    Order,
    /// To say which groups are kept (`having`).
    Condition,
}

impl GroupedUse {
    pub(super) const fn remedy(self) -> &'static str {
        match self {
            GroupedUse::Row => {
                "read values and aggregates of the groups with `repo.pluck`, or group by the primary key to read whole rows"
            }
            GroupedUse::Value => {
                "add it to `group_by`, or read an aggregate of it with `repo.pluck` (`min`, `max`, `count`)"
            }
            GroupedUse::Order => "sort by a column of `group_by` or by an aggregate",
            GroupedUse::Condition => {
                "say in `having` something of an aggregate or of a column of `group_by`, and in `filter` what holds for rows"
            }
        }
    }
}
