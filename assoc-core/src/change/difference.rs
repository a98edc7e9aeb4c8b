//! What a change makes of its row: the values that differ, and those that the row has afterwards.

use super::link::OwnerKey;
use super::{ChildChange, ChildOp, RowChange};
use crate::metadata::model::ColumnDef;
use crate::value::Value;

impl RowChange {
    /// The columns to write: of a new row all that were given, of an existing one those that differ. A reference of several
    /// columns is written whole.
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use assoc_core::change::RowChange;
    ///
    /// let mut tag = RowChange::of(Tag::DEF, std::sync::Arc::new(Tag { id: 7, name: "rust".into() }));
    /// tag.set(Tag::NAME.index(), "rust".into());
    /// assert!(tag.changed().is_empty());
    /// tag.set(Tag::NAME.index(), "sql".into());
    /// assert_eq!(tag.changed(), [(Tag::NAME.index(), "sql".into())]);
    /// ```
    #[must_use]
    pub fn changed(&self) -> Vec<(usize, Value<'static>)> {
        let whole = self.parts_of_references();
        let given = self.values.iter().enumerate().filter_map(|(at, value)| Some((at, value.as_ref()?)));
        let written = given.filter(|(at, value)| self.differs(*at, value) || whole.contains(at));
        written.map(|(at, value)| (at, value.clone())).collect()
    }

    // The columns of references of several columns, if one of them differs. Another writer may have changed the others since the
    // row was read: two halves of two references would be a third one.
    pub(super) fn parts_of_references(&self) -> Vec<usize> {
        let mut columns = Vec::new();
        for ChildChange { association, op, .. } in self.children.iter().filter(|child| child.op.is_association()) {
            let Some(own) = OwnerKey::of(association) else { continue };
            let parts: Vec<usize> = own.columns().collect();
            // What is not known yet is the key of a target that is saved first.
            let differs = |at: &usize| match self.values.get(*at) {
                Some(Some(value)) => self.differs(*at, value),
                _ => matches!(op, ChildOp::AssociateWith { .. }),
            };
            if self.base.is_some() && parts.len() > 1 && parts.iter().any(differs) {
                columns.extend(parts.into_iter().filter(|at| !self.model.primary_key.contains(at)));
            }
        }
        columns
    }

    // Whether a column of its own differs.
    pub(super) fn has_own_changes(&self) -> bool {
        self.values.iter().enumerate().any(|(at, value)| value.as_ref().is_some_and(|value| self.differs(at, value)))
    }

    /// The key of the row in some of its columns as it will be, where that is known: the row exists, or its values were
    /// given. `None` if part of it is `NULL`, or made by the database.
    #[must_use]
    pub(crate) fn final_key(&self, columns: &[usize]) -> Option<Vec<Value<'static>>> {
        let values = columns.iter().map(|column| self.final_value(*column).map(Value::into_owned));
        values.collect::<Option<Vec<_>>>().filter(|values| !values.iter().any(Value::is_null))
    }

    pub(super) fn differs(&self, column: usize, value: &Value<'static>) -> bool {
        match &self.base {
            None => true,
            Some(row) => !same_value(&self.model.columns[column], &self.model.rows.value(&**row, column), value),
        }
    }

    // What the column holds once the change is saved; `None` if only the database knows.
    pub(super) fn final_value(&self, column: usize) -> Option<Value<'_>> {
        match (self.values.get(column)?, &self.base) {
            (Some(value), _) => Some(value.clone()),
            (None, Some(row)) => Some(self.model.rows.value(&**row, column)),
            (None, None) => None,
        }
    }
}

/// Whether two values of a column are the same, so that writing one over the other changes nothing. All comparisons of
/// a stored value with one to store use this.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use assoc_core::Value;
/// use assoc_core::change::same_value;
///
/// let column = &Post::COLUMNS[Post::ID.index()];
/// assert!(same_value(column, &Value::Decimal("9.5".into()), &Value::Decimal("9.50".into())));
/// assert!(same_value(column, &Value::Real(f64::NAN), &Value::Real(f64::NAN)));
/// assert!(!same_value(column, &Value::Real(0.0), &Value::Real(-0.0)));
/// ```
#[must_use]
pub fn same_value(column: &ColumnDef, one: &Value<'_>, other: &Value<'_>) -> bool {
    let _ = column;
    match (one, other) {
        // NaN is NaN, and a negative zero is another number than zero.
        (Value::Real(one), Value::Real(other)) => one.to_bits() == other.to_bits(),
        (one, other) => one.is_same(other),
    }
}
