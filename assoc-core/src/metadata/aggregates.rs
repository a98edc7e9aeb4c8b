//! Where aggregates may stand: in what a grouped query sorts by and says of its groups, nowhere else. A database's answer to
//! one in another place is a syntax error, or one row in place of many.

use crate::error::{Error, Result};
use crate::metadata::expr::{Expr, Operand, OrderTerm};

/// # Errors
/// When there is an aggregate in what is said of rows: by a query that makes no groups, a scope, an association, a preload.
pub(crate) fn refuse_in_rows(model: &'static str, filter: &Expr, order: &[OrderTerm]) -> Result<()> {
    refuse_in_condition(model, filter, false)?;
    let Some(aggregate) = order.iter().map(|term| &term.operand).find(|operand| operand.is_aggregate()) else {
        return Ok(());
    };
    let message =
        format!("rows cannot be sorted by the aggregate `{}`: only a query with `group_by` can", aggregate.shown());
    Err(Error::invalid_query(model, message))
}

/// # Errors
/// When there is an aggregate in what a query makes groups by, in its condition on rows, or in what its condition on groups
/// says of an association's rows.
pub(crate) fn require_of_groups(model: &'static str, filter: &Expr, group: &[Operand], having: &Expr) -> Result<()> {
    refuse_in_condition(model, filter, false)?;
    refuse_in_condition(model, having, true)?;
    let Some(aggregate) = group.iter().find(|operand| operand.is_aggregate()) else { return Ok(()) };
    let message = format!("rows cannot be grouped by `{}`, which a group has once it is made", aggregate.shown());
    Err(Error::invalid_query(model, message))
}

fn refuse_in_condition(model: &'static str, condition: &Expr, of_groups: bool) -> Result<()> {
    let Some(aggregate) = condition.misplaced_aggregate(of_groups) else { return Ok(()) };
    let message = format!(
        "`{}` is an aggregate, and this condition is about single rows: conditions on aggregates are for `having`, in a \
         query with `group_by`",
        aggregate.shown()
    );
    Err(Error::invalid_query(model, message))
}
