//! Callbacks as function pointers that do not name the model: what a definition holds, and executors call.

use std::any::Any;

use assoc_core::change::{Row, RowChange};
use assoc_core::driver::BoxFuture;
use assoc_core::metadata::{AssociationDef, CallbackPoint, ModelDef};
use assoc_core::{Error, Model, Result};

use super::{CallbackContext, Callbacks, Change};

/// A callback that may change what is to be written.
pub(crate) type BeforeFunction = for<'a> fn(&'a mut RowChange, &'a CallbackContext<'a>) -> BoxFuture<'a, Result<()>>;

/// A callback that is given a row.
pub(crate) type AfterFunction = for<'a> fn(&'a Row, &'a CallbackContext<'a>) -> BoxFuture<'a, Result<()>>;

/// A callback that is given an owner and what is about to become its member.
pub type AddFunction = for<'a> fn(&'a Row, &'a RowChange, &'a CallbackContext<'a>) -> BoxFuture<'a, Result<()>>;

/// A callback that is given an owner and its member.
pub type MemberFunction = for<'a> fn(&'a Row, &'a Row, &'a CallbackContext<'a>) -> BoxFuture<'a, Result<()>>;

/// The functions of a model. The attribute `#[callbacks]` writes this table.
#[derive(Clone, Copy)]
pub struct ModelFunctions {
    before: [Option<BeforeFunction>; 4],
    after: [Option<AfterFunction>; 7],
}

macro_rules! before {
    ($($name:ident => $at:literal),*) => {$(
        /// Puts the function in.
        #[must_use]
        pub const fn $name<M: Callbacks>(mut self) -> Self {
            fn erased<'a, M: Callbacks>(row: &'a mut RowChange, cx: &'a CallbackContext<'a>) -> BoxFuture<'a, Result<()>> {
                Box::pin(async move {
                    let mut change = Change::<M>::new(std::mem::replace(row, RowChange::new(M::DEF)));
                    let result = M::$name(&mut change, cx).await;
                    *row = change.row;
                    result
                })
            }
            self.before[$at] = Some(erased::<M>);
            self
        }
    )*};
}

macro_rules! after {
    ($($name:ident => $at:literal),*) => {$(
        /// Puts the function in.
        #[must_use]
        pub const fn $name<M: Callbacks>(mut self) -> Self {
            fn erased<'a, M: Callbacks>(row: &'a Row, cx: &'a CallbackContext<'a>) -> BoxFuture<'a, Result<()>> {
                match row_as::<M>(row) {
                    Ok(row) => Box::pin(M::$name(row, cx)),
                    Err(error) => Box::pin(std::future::ready(Err(error))),
                }
            }
            self.after[$at] = Some(erased::<M>);
            self
        }
    )*};
}

impl ModelFunctions {
    /// No functions.
    #[must_use]
    #[allow(clippy::new_without_default)] // Only ever used in constants.
    pub const fn new() -> Self {
        ModelFunctions { before: [None; 4], after: [None; 7] }
    }

    before!(before_validate => 0, before_save => 1, before_insert => 2, before_update => 3);
    after!(
        after_insert => 0, after_update => 1, after_save => 2, before_destroy => 3, after_destroy => 4,
        after_commit => 5, after_rollback => 6
    );

    pub(crate) fn before(&self, point: CallbackPoint) -> Option<BeforeFunction> {
        match point {
            CallbackPoint::BeforeValidate => self.before[0],
            CallbackPoint::BeforeSave => self.before[1],
            CallbackPoint::BeforeInsert => self.before[2],
            CallbackPoint::BeforeUpdate => self.before[3],
            _ => None,
        }
    }

    pub(crate) fn after(&self, point: CallbackPoint) -> Option<AfterFunction> {
        match point {
            CallbackPoint::AfterInsert => self.after[0],
            CallbackPoint::AfterUpdate => self.after[1],
            CallbackPoint::AfterSave => self.after[2],
            CallbackPoint::BeforeDestroy => self.after[3],
            CallbackPoint::AfterDestroy => self.after[4],
            CallbackPoint::AfterCommit => self.after[5],
            CallbackPoint::AfterRollback => self.after[6],
            _ => None,
        }
    }
}

/// The functions of an association, each list in the order of its declaration. The derive writes this table.
#[derive(Clone, Copy)]
pub struct MemberFunctions {
    /// Before a row becomes a member.
    pub before_add: &'static [AddFunction],
    /// After it.
    pub after_add: &'static [MemberFunction],
    /// Before a row is a member no longer.
    pub before_remove: &'static [MemberFunction],
    /// After it.
    pub after_remove: &'static [MemberFunction],
}

/// The functions of a model, if it has any.
pub(crate) fn model_functions(model: &ModelDef) -> Option<&'static ModelFunctions> {
    model.callbacks?.functions().downcast_ref()
}

/// The functions of an association, if it has any.
pub(crate) fn member_functions(association: &AssociationDef) -> Option<&'static MemberFunctions> {
    association.options.callbacks?.functions().downcast_ref()
}

/// A row of a model, with its type again.
///
/// # Errors
/// When it is a row of another model, which would be a defect.
pub fn row_as<M: Model>(row: &Row) -> Result<&M> {
    let row: &(dyn Any + Send + Sync) = &**row;
    row.downcast_ref().ok_or_else(|| Error::invalid_query(M::DEF.name, "a callback was given a row of another model"))
}

/// What is about to become a member, with its type again.
#[must_use]
pub fn change_as<M: Model>(change: &RowChange) -> Change<M> {
    Change::new(change.clone())
}

/// What a callback of an association returns.
#[diagnostic::on_unimplemented(
    message = "a callback of an association is an `async fn` that returns `Result<()>`",
    label = "returns `{Self}`",
    note = "write `async fn added(owner: &User, member: &Post, cx: &CallbackContext<'_>) -> Result<()>`; of `before_add` the member is \
            a `&Change<Post>`"
)]
pub trait CallbackFuture: Future<Output = Result<()>> {}

#[diagnostic::do_not_recommend]
impl<F: Future<Output = Result<()>>> CallbackFuture for F {}

/// Requires that a callback is one.
pub fn callback_future<F: CallbackFuture>(future: F) -> impl Future<Output = Result<()>> {
    future
}

/// A callback of an association, as the derive calls it. A function of another signature is told both.
pub type MemberCallback<'a, 'c, O, T, F> = fn(&'a O, &'a T, &'a CallbackContext<'c>) -> F;
