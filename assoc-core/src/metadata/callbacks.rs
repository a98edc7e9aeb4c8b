//! Which functions of the application run when rows are written, as data. What these functions are, only the layer that
//! runs them knows: the definitions keep them behind [`Any`].

use std::any::Any;
use std::fmt;

/// When a callback of a model runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CallbackPoint {
    /// Before the problems of a change are looked for.
    BeforeValidate,
    /// Before a row is inserted or updated.
    BeforeSave,
    /// Before a row is inserted, after `BeforeSave`.
    BeforeInsert,
    /// Before a row is updated, after `BeforeSave`.
    BeforeUpdate,
    /// After a row is inserted.
    AfterInsert,
    /// After a row is updated.
    AfterUpdate,
    /// After all rows of a save are written.
    AfterSave,
    /// Before a row is destroyed, and what depends on it.
    BeforeDestroy,
    /// After a row is destroyed, and what depends on it.
    AfterDestroy,
    /// After the outermost transaction is committed.
    AfterCommit,
    /// After what was done to the row is undone.
    AfterRollback,
}

impl CallbackPoint {
    /// The name of the function: `before_save`.
    ///
    /// ```
    /// assert_eq!(assoc_core::metadata::CallbackPoint::BeforeSave.name(), "before_save");
    /// ```
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            CallbackPoint::BeforeValidate => "before_validate",
            CallbackPoint::BeforeSave => "before_save",
            CallbackPoint::BeforeInsert => "before_insert",
            CallbackPoint::BeforeUpdate => "before_update",
            CallbackPoint::AfterInsert => "after_insert",
            CallbackPoint::AfterUpdate => "after_update",
            CallbackPoint::AfterSave => "after_save",
            CallbackPoint::BeforeDestroy => "before_destroy",
            CallbackPoint::AfterDestroy => "after_destroy",
            CallbackPoint::AfterCommit => "after_commit",
            CallbackPoint::AfterRollback => "after_rollback",
        }
    }

    // Whether it concerns rows that are inserted or updated.
    const fn is_of_saves(self) -> bool {
        !matches!(self, CallbackPoint::BeforeDestroy | CallbackPoint::AfterDestroy)
    }

    // Whether it concerns rows that are destroyed.
    const fn is_of_destroys(self) -> bool {
        matches!(
            self,
            CallbackPoint::BeforeDestroy
                | CallbackPoint::AfterDestroy
                | CallbackPoint::AfterCommit
                | CallbackPoint::AfterRollback
        )
    }
}

/// The callbacks of a model: at which points it has one, and the functions.
///
/// ```
/// use assoc_core::metadata::{CallbackPoint, ModelCallbacks};
///
/// let callbacks = ModelCallbacks::new(&[CallbackPoint::AfterDestroy], &"functions");
/// assert!(callbacks.has(CallbackPoint::AfterDestroy) && !callbacks.has(CallbackPoint::BeforeSave));
/// // A destroy has to read whole rows for it; a save has nothing to do.
/// assert!(callbacks.concern_destroys() && !callbacks.concern_saves());
/// assert_eq!(callbacks.functions().downcast_ref(), Some(&"functions"));
/// ```
#[derive(Clone, Copy)]
pub struct ModelCallbacks {
    points: &'static [CallbackPoint],
    functions: &'static (dyn Any + Send + Sync),
}

impl ModelCallbacks {
    /// Makes them. The attribute `#[callbacks]` calls this.
    #[must_use]
    pub const fn new(points: &'static [CallbackPoint], functions: &'static (dyn Any + Send + Sync)) -> Self {
        ModelCallbacks { points, functions }
    }

    /// Whether there is a function for a point.
    #[must_use]
    pub fn has(&self, point: CallbackPoint) -> bool {
        self.points.contains(&point)
    }

    /// Whether there is a function that a save runs.
    #[must_use]
    pub fn concern_saves(&self) -> bool {
        self.points.iter().any(|point| point.is_of_saves())
    }

    /// Whether there is a function that a destroy runs, which must see whole rows then.
    #[must_use]
    pub fn concern_destroys(&self) -> bool {
        self.points.iter().any(|point| point.is_of_destroys())
    }

    /// The functions, for the layer that runs them.
    #[must_use]
    pub fn functions(&self) -> &'static (dyn Any + Send + Sync) {
        self.functions
    }
}

impl fmt::Debug for ModelCallbacks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.points).finish()
    }
}

/// The callbacks of an association to many: when rows become its members, and when they are its members no longer.
///
/// ```
/// use assoc_core::metadata::MemberCallbacks;
///
/// // Only `before_add` is there: what is removed need not be read.
/// let callbacks = MemberCallbacks::new(true, false, &"functions");
/// assert!(callbacks.concern_adds() && !callbacks.concern_removals());
/// assert_eq!(callbacks.functions().downcast_ref(), Some(&"functions"));
/// ```
#[derive(Clone, Copy)]
pub struct MemberCallbacks {
    concern_adds: bool,
    concern_removals: bool,
    functions: &'static (dyn Any + Send + Sync),
}

impl MemberCallbacks {
    /// Makes them. The derive calls this.
    #[must_use]
    pub const fn new(concern_adds: bool, concern_removals: bool, functions: &'static (dyn Any + Send + Sync)) -> Self {
        MemberCallbacks { concern_adds, concern_removals, functions }
    }

    /// Whether there is a `before_add` or `after_add`.
    #[must_use]
    pub fn concern_adds(&self) -> bool {
        self.concern_adds
    }

    /// Whether there is a `before_remove` or `after_remove`, which must see whole rows.
    #[must_use]
    pub fn concern_removals(&self) -> bool {
        self.concern_removals
    }

    /// The functions, for the layer that runs them.
    #[must_use]
    pub fn functions(&self) -> &'static (dyn Any + Send + Sync) {
        self.functions
    }
}

impl fmt::Debug for MemberCallbacks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemberCallbacks")
            .field("concern_adds", &self.concern_adds)
            .field("concern_removals", &self.concern_removals)
            .finish_non_exhaustive()
    }
}

/// The callbacks of a model, as the attribute `#[callbacks]` declares them: the model says `#[model(callbacks)]`.
#[diagnostic::on_unimplemented(
    message = "the callbacks of `{Self}` are not declared",
    label = "no `#[callbacks]` stands above `impl Callbacks for {Self}`",
    note = "`#[model(callbacks)]` on the struct and `#[callbacks] impl Callbacks for {Self} {{ … }}` go together"
)]
pub trait HasCallbacks {
    /// The functions, with the points at which they run.
    #[doc(hidden)]
    const CALLBACKS: ModelCallbacks;
}
