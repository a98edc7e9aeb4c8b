//! The rows of a join table: which of them count, and in which order an owner has them.

use crate::association::{AssociationDef, Hop};
use crate::error::{Error, Result};
use crate::expr::{Direction, Operand, OrderTerm};
use crate::model::ModelDef;
use crate::planner::Shape;

/// What every read of a join table's rows begins with; nothing for a table without model.
pub(crate) fn join_scope(association: &AssociationDef, table: &ModelDef) -> Result<Shape> {
    let base = table.base_scope(false);
    if base.limit.is_some() || base.offset.is_some() || !base.includes.is_empty() {
        let message = format!(
            "`{}` has `{}` as the rows of its join table, whose default scope may have conditions and an order, but \
             neither limit, offset nor preloads: go through it with `#[has_many(through = \"…\")]`",
            association.name, table.name
        );
        return Err(Error::invalid_query((association.owner)().name, message));
    }
    Ok(base)
}

/// The order of an owner's links: the one their model has by default, then that of the targets' keys. Links that lead to
/// one target may differ in their other columns, and have an order all the same.
pub(crate) fn order_of_links(table: &ModelDef, links: Hop, targets: Hop, mut order: Vec<OrderTerm>) -> Vec<OrderTerm> {
    let others = (0..table.columns.len())
        .filter(|column| table.primary_key.is_empty() && !links.target_columns.contains(column));
    for column in targets.owner_columns.iter().copied().chain(others) {
        let operand = Operand::Column(table.columns[column].column_ref());
        if !order.iter().any(|term| term.operand == operand) {
            order.push(OrderTerm { operand, direction: Direction::Asc });
        }
    }
    order
}
