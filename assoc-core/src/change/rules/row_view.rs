//! A row as a rule sees it: its final values, as far as they are known before the save.

use crate::change::check::Final;
use crate::change::{ChildOp, Row};
use crate::metadata::association::AssociationDef;
use crate::metadata::model::ModelDef;
use crate::value::Value;

/// A row as it will be once it is saved.
#[derive(Clone, Copy)]
pub struct RowView<'r> {
    row: Final<'r>,
}

impl<'r> RowView<'r> {
    pub(super) fn of(row: Final<'r>) -> Self {
        RowView { row }
    }

    /// Its model.
    #[must_use]
    pub fn model(&self) -> &'static ModelDef {
        self.row.change.model
    }

    /// The value that a column will have; `None` if only the database knows.
    #[must_use]
    pub fn value(&self, column: usize) -> Option<Value<'_>> {
        self.row.value(column)
    }

    /// Whether the row is inserted.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.row.change.is_new()
    }

    /// Whether the save writes a column.
    #[must_use]
    pub fn is_changed(&self, column: usize) -> bool {
        self.row.is_changed(column)
    }

    /// The row as it is, if it exists.
    #[must_use]
    pub fn before(&self) -> Option<&'r Row> {
        self.row.change.base.as_ref()
    }

    /// What was entered beside the columns: a confirmation, an acceptance.
    #[must_use]
    pub fn entered(&self, name: &str) -> Option<&Value<'static>> {
        self.row.change.entered(name)
    }

    /// The number of members that the association will have: of a new row those that are given, of a row that exists those
    /// that replace all others. `None` if the save does not decide it.
    #[must_use]
    pub fn members(&self, association: &AssociationDef) -> Option<usize> {
        let ops = || self.row.change.children.iter().filter(|child| child.association == association);
        let is_replaced = ops().any(|child| matches!(child.op, ChildOp::Replace(_)));
        if !self.is_new() && !is_replaced {
            return None;
        }
        let added = |child: &ChildOp| match child {
            ChildOp::Push { .. } | ChildOp::AssociateWith { .. } | ChildOp::Associate { .. } => 1,
            ChildOp::Replace(members) => members.len(),
            _ => 0,
        };
        Some(ops().map(|child| added(&child.op)).sum())
    }
}
