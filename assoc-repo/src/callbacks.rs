//! Functions of the application that run when rows are saved and destroyed: the callbacks of models ([`Callbacks`]) and
//! those of associations to many (`before_add` and its like).
//!
//! A model's definition holds them behind `Any`, because the core does not know [`Repo`]. Here they have their types again:
//! [`ModelFunctions`] and [`MemberFunctions`] are tables of plain function pointers, which executors call for rows of whose
//! type they know nothing.
//!
//! Callbacks use the transaction of the write that they are a part of. A request keeps its connection to itself, so the
//! executors let go of it while a callback runs.

use std::any::Any;

use assoc_core::change::{RowChange, same_value};
use assoc_core::metadata::{CallbackPoint, ColumnDef, ModelDef};
use assoc_core::{ErrorKind, Result, Value};

use crate::levels::LevelHandle;
use crate::repo::Repo;

mod change;
mod context;
mod functions;
mod hooks;

pub use change::Change;
pub use context::{CallbackContext, Cause, RowAction};
pub use functions::{
    AddFunction, MemberCallback, MemberFunction, MemberFunctions, ModelFunctions, callback_future, change_as, row_as,
};
pub(crate) use functions::{AfterFunction, member_functions, model_functions};
pub use hooks::Callbacks;

/// Whether a call runs callbacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Firing {
    /// It does, where rows have any.
    Callbacks,
    /// It writes rows in bulk.
    Silent,
}

impl Firing {
    /// Whether rows of a model are saved with callbacks.
    pub(crate) fn concerns(self, model: &'static ModelDef) -> bool {
        self == Firing::Callbacks && model.has_save_callbacks()
    }

    /// Whether a `before_validate` belongs to a row that is part of a change.
    pub(crate) fn validates(self, change: &RowChange) -> bool {
        let has = |model: &'static ModelDef| model.has_callback(CallbackPoint::BeforeValidate);
        self == Firing::Callbacks && change.any_model(&has)
    }
}

/// How deep callbacks may run inside each other.
const DEEPEST: u16 = 16;

/// A column that is written.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ColumnChange {
    /// The column.
    pub column: &'static ColumnDef,
    /// What it held before; `None` of a new row.
    pub before: Option<Value<'static>>,
    /// What it holds afterwards.
    pub after: Value<'static>,
}

/// What differs between a row and the row that it was; of a new row, what is not `NULL`.
pub(crate) fn changes_of(model: &'static ModelDef, before: Option<&dyn Any>, after: &dyn Any) -> Vec<ColumnChange> {
    let mut changes = Vec::new();
    for (at, column) in model.columns.iter().enumerate() {
        let value = model.rows.value(after, at);
        let known = before.map(|before| model.rows.value(before, at));
        let differs = known.as_ref().map_or(!value.is_null(), |known| !same_value(column, known, &value));
        if differs {
            let (before, after) = (known.map(Value::into_owned), value.into_owned());
            changes.push(ColumnChange { column, before, after });
        }
    }
    changes
}

/// What a change is about to write.
pub(crate) fn changes_to_come(change: &RowChange) -> Vec<ColumnChange> {
    let model = change.model();
    let changed = change.changed().into_iter().map(|(at, after)| {
        let before = change.base().map(|row| model.rows.value(&**row, at).into_owned());
        ColumnChange { column: &model.columns[at], before, after }
    });
    changed.collect()
}

impl Repo {
    /// The repo of a transaction, for the callbacks of a write.
    ///
    /// # Errors
    /// [`ErrorKind::CallbackDepth`] if too many callbacks run inside each other already.
    pub(crate) fn for_callbacks(&self, model: &'static ModelDef) -> Result<Repo> {
        if self.callback_depth >= DEEPEST {
            return Err(ErrorKind::CallbackDepth { model: model.name, limit: DEEPEST }.into());
        }
        Ok(Repo { callback_depth: self.callback_depth + 1, ..self.clone() })
    }

    /// The same repo, outside of the transaction.
    pub(crate) fn outside(&self) -> Repo {
        Repo { transaction: None, ..self.clone() }
    }

    /// How many requests that may write have begun in the transaction.
    pub(crate) fn writes(&self) -> usize {
        self.transaction.as_ref().map_or(0, LevelHandle::writes)
    }
}
