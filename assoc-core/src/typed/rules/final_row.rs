//! A row as a rule of the program sees it.

use std::marker::PhantomData;

use crate::column_type::ColumnType;
use crate::metadata::model::Model;
use crate::metadata::rules::FinalValues;
use crate::typed::association::Association;
use crate::typed::column::Column;
use crate::value::Value;

/// A row of model `M` as it will be once it is saved: what a rule about a whole row reads.
pub struct FinalRow<'r, M> {
    row: &'r dyn FinalValues,
    model: PhantomData<fn() -> M>,
}

impl<'r, M: Model> FinalRow<'r, M> {
    pub(super) fn of(row: &'r dyn FinalValues) -> Self {
        FinalRow { row, model: PhantomData }
    }

    /// The value that a column will have; `None` if only the database knows it, or if a rule of the save has found it
    /// missing.
    #[must_use]
    pub fn get<V: ColumnType>(&self, column: Column<M, V>) -> Option<V> {
        V::from_value(&mut self.row.value(column.index())?).ok()
    }

    /// Whether the row is inserted.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.row.is_new()
    }

    /// Whether the save writes another value to a column than the row has.
    #[must_use]
    pub fn is_changed<V>(&self, column: Column<M, V>) -> bool {
        self.row.is_changed(column.index())
    }

    /// The row as it was when it was read, if it exists.
    #[must_use]
    pub fn before(&self) -> Option<&'r M> {
        self.row.before()?.downcast_ref()
    }

    /// What was entered beside the columns, as text: a confirmation, a note that is not stored.
    #[must_use]
    pub fn entered(&self, name: &str) -> Option<String> {
        self.row.entered(name).map(|value| match value {
            Value::Text(text) => text.to_string(),
            value => value.to_string(),
        })
    }

    /// The number of members that an association will have: of a new row those that are given, of another one those that
    /// replace all others. `None` if the save does not decide it.
    #[must_use]
    pub fn members<T, H>(&self, association: Association<M, T, H>) -> Option<usize> {
        self.row.members(association.def())
    }
}
