//! The scopes of a chain's tables: the part about the targets, default scopes, and the rows of a join table.

use super::super::{AssociationDef, KeyJoin};
use crate::error::{Error, Result};
use crate::metadata::aggregates::refuse_in_rows;
use crate::metadata::expr::{Direction, Operand, OrderTerm};
use crate::metadata::model::ModelDef;
use crate::metadata::request::ScopeDef;
use crate::metadata::request_list::RequestList;

/// The part of a scope that describes the targets themselves. Limit and offset per owner belong to the whole chain.
pub(super) fn of_targets(scope: &ScopeDef) -> ScopeDef {
    let ScopeDef { filter, order, select, unscoped, .. } = scope.clone();
    ScopeDef { filter, order, select, unscoped, ..ScopeDef::default() }
}

/// A scope on top of the base scope of every read of a model. Conditions add up; the rest of the default scope holds
/// where the scope says nothing.
pub(super) fn on_default_scope(model: &'static ModelDef, scope: &ScopeDef) -> Result<ScopeDef> {
    let base = model.base_scope(scope.unscoped);
    model.check_default_group(&base.group)?;
    let scope = scope.clone();
    let scope = ScopeDef {
        filter: base.filter.and(scope.filter),
        order: if scope.order.is_empty() { base.order } else { scope.order },
        limit: scope.limit.or(base.limit),
        offset: scope.offset.or(base.offset),
        select: scope.select.or(base.select),
        includes: RequestList::new(),
        ..scope
    };
    refuse_in_rows(model.name, &scope.filter, &scope.order)?;
    Ok(scope)
}

/// Which rows of a join table count, and their order per owner: the default order of their model, then the order of the
/// targets' keys. Join rows of one target may differ in their other columns, so they have an order as well.
pub(super) fn scope_of_join_rows(
    association: &AssociationDef,
    table: &'static ModelDef,
    links: KeyJoin,
    targets: KeyJoin,
) -> Result<ScopeDef> {
    let mut base = table.base_scope(false);
    if base.limit.is_some() || base.offset.is_some() || !base.includes.is_empty() {
        let message = format!(
            "`{}` has `{}` as the rows of its join table, whose default scope may have conditions and an order, but \
             neither limit, offset nor preloads: go through it with `#[has_many(through = \"…\")]`",
            association.name, table.name
        );
        return Err(Error::invalid_query((association.owner)().name, message));
    }
    let others = (0..table.columns.len())
        .filter(|column| table.primary_key.is_empty() && !links.target_columns.contains(column));
    for column in targets.owner_columns.iter().copied().chain(others) {
        let operand = Operand::Column(table.columns[column].column_ref());
        if !base.order.iter().any(|term| term.operand == operand) {
            base.order.push(OrderTerm::new(operand, Direction::Asc));
        }
    }
    let (filter, order) = (base.filter, base.order);
    Ok(ScopeDef { filter, order, ..ScopeDef::default() })
}
