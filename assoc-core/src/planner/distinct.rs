//! What distinct rows are sorted by.

use crate::error::{Error, Result};
use crate::metadata::expr::{Operand, OrderTerm};
use crate::select::RootSelect;

/// Distinct rows are sorted by what is selected. A column of a single target belongs to the row, so it can be selected too.
/// Of a collection there are several, and the rows would no longer be distinct.
pub(super) fn with_distinct_order(mut select: RootSelect) -> Result<RootSelect> {
    if !select.distinct {
        return Ok(select);
    }
    if select.has_raw_order() {
        let message = "distinct rows are sorted by what is selected, and hand-written SQL is not: leave out `distinct`, and \
                       say by a condition (`User::POSTS.any(…)`) what a join says";
        return Err(Error::invalid_query(select.model.name, message));
    }
    let model = select.model;
    let joined = |operand: &Operand| {
        let mut joined = false;
        operand.visit_path(&[], &mut |path| joined |= !path.is_empty());
        joined
    };
    let left_out = |operand: &Operand| select.operands.as_ref().is_some_and(|selected| !selected.contains(operand));
    let unread = |term: &&OrderTerm| joined(&term.operand) || left_out(&term.operand);
    let unread: Vec<Operand> = select.order.iter().filter(unread).map(|term| term.operand.clone()).collect();
    if unread.is_empty() {
        return Ok(select);
    }
    if select.is_sorted_by_collection() {
        let message = "distinct rows have no order by a collection, of which each has several: load it with `eager_load` \
                       instead of `join` and `distinct`, and each row comes once, where its first one is";
        return Err(Error::invalid_query(model.name, message));
    }
    if !select.selects_key() {
        let message = "distinct values of some columns can only be sorted by these: add the primary key to `select`, or \
                       leave out the order by a column that is not selected";
        return Err(Error::invalid_query(model.name, message));
    }
    for operand in unread {
        if !select.carried.contains(&operand) {
            select.carried.push(operand);
        }
    }
    Ok(select)
}
