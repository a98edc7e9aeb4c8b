//! Judging a change by the rules of its model and by its own.

use super::check::Final;
use super::{ChildOp, Row};
use crate::error::FieldError;
use crate::metadata::association::AssociationDef;
use crate::metadata::model::ModelDef;
use crate::metadata::rules::FinalValues;
use crate::value::Value;

/// Adds the problems that the rules of a row's model and of its change find.
pub(super) fn problems(row: Final<'_>, errors: &mut Vec<FieldError>) {
    for set in row.change.rules() {
        set.problems(&row, errors);
    }
}

impl FinalValues for Final<'_> {
    fn model(&self) -> &'static ModelDef {
        self.change.model
    }

    fn value(&self, column: usize) -> Option<Value<'_>> {
        Final::value(self, column)
    }

    fn is_new(&self) -> bool {
        self.change.is_new()
    }

    fn is_changed(&self, column: usize) -> bool {
        Final::is_changed(self, column)
    }

    fn before(&self) -> Option<&Row> {
        self.change.base.as_ref()
    }

    fn entered(&self, name: &str) -> Option<&Value<'static>> {
        self.change.entered(name)
    }

    fn members(&self, association: &AssociationDef) -> Option<usize> {
        let ops = || self.change.children.iter().filter(|child| child.association == association);
        let is_replaced = ops().any(|child| matches!(child.op, ChildOp::Replace(_)));
        if !self.change.is_new() && !is_replaced {
            return None;
        }
        let added = |child: &ChildOp| match child {
            ChildOp::Push { .. } | ChildOp::AssociateWith { .. } | ChildOp::Associate { .. } => 1,
            ChildOp::PushNew(members) => members.len(),
            ChildOp::Replace(members) => members.len(),
            _ => 0,
        };
        Some(ops().map(|child| added(&child.op)).sum())
    }
}
