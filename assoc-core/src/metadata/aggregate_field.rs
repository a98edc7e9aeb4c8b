//! Fields that hold an aggregate of an association's rows, as data: what the planner and the executor know of them.

use std::any::Any;
use std::fmt;

use crate::error::DecodeError;
use crate::metadata::expr::Operand;
use crate::metadata::model::ModelDef;
use crate::value::Value;

/// A field of a model that holds an aggregate. The derive makes it.
///
/// ```
/// # use assoc_core::{HasMany, Model};
/// # #[derive(assoc_macros::Model, Clone)]
/// # struct User { id: i64, #[has_many] posts: HasMany<Post>, posts_count: Aggregated<i64> }
/// # use assoc_core::Aggregated;
/// # #[derive(assoc_macros::Model, Clone)]
/// # struct Post { id: i64, user_id: i64 }
/// let field = User::POSTS_COUNT.def();
/// assert_eq!(field.qualified_name(), "User.posts_count");
///
/// // Values of two owners, as a statement gives them.
/// let mut values = field.slot.new_values();
/// values.push(&mut 3_i64.into()).unwrap();
/// assert!(values.push(&mut "three".into()).is_err());
/// let mut ada = User { id: 1, posts: HasMany::default(), posts_count: Aggregated::default() };
/// values.give(0, &mut ada);
/// assert_eq!(ada.posts_count().ok(), Some(&3));
/// ```
#[derive(Clone, Copy)]
pub struct AggregateFieldDef {
    /// The field's name.
    pub name: &'static str,
    /// The model that has the field.
    pub owner: fn() -> &'static ModelDef,
    /// The way to the field.
    pub slot: &'static dyn AggregateSlot,
}

/// The way to a field that holds an aggregate.
///
/// The example of [`AggregateFieldDef`] fills a field by it.
///
/// ```
/// # use assoc_core::{Aggregated, HasMany, Model};
/// # #[derive(assoc_macros::Model, Clone)]
/// # struct User { id: i64, #[has_many] posts: HasMany<Post>, posts_count: Aggregated<i64> }
/// # #[derive(assoc_macros::Model, Clone)]
/// # struct Post { id: i64, user_id: i64 }
/// let mut counts = User::POSTS_COUNT.def().slot.new_values();
/// assert!(counts.push(&mut 3_i64.into()).is_ok() && counts.push(&mut "three".into()).is_err());
/// ```
pub trait AggregateSlot: Send + Sync {
    /// A list for the values of several owners.
    fn new_values(&self) -> Box<dyn AggregateValues>;
}

/// Decoded values of one aggregate, in the order of their owners.
///
/// ```
/// # use assoc_core::{Aggregated, HasMany, Model};
/// # #[derive(assoc_macros::Model, Clone)]
/// # struct User { id: i64, #[has_many] posts: HasMany<Post>, posts_count: Aggregated<i64> }
/// # #[derive(assoc_macros::Model, Clone)]
/// # struct Post { id: i64, user_id: i64 }
/// let mut counts = User::POSTS_COUNT.def().slot.new_values();
/// counts.push(&mut 3_i64.into()).unwrap();
/// let mut ada = User { id: 1, posts: HasMany::default(), posts_count: Aggregated::default() };
/// counts.give(1, &mut ada); // Of the second owner nothing is known.
/// assert!(ada.posts_count().is_err());
/// counts.give(0, &mut ada);
/// assert_eq!(ada.posts_count().ok(), Some(&3));
/// ```
pub trait AggregateValues: Send + Sync {
    /// Decodes the value of the next owner.
    ///
    /// # Errors
    /// When it does not fit the field.
    fn push(&mut self, value: &mut Value<'_>) -> Result<(), DecodeError>;

    /// Gives an owner the value at a position. Rows of other models and positions without a value are ignored.
    fn give(&self, at: usize, owner: &mut dyn Any);
}

impl AggregateFieldDef {
    /// The field with its model: `User.posts_count`.
    #[must_use]
    pub fn qualified_name(&self) -> String {
        format!("{}.{}", (self.owner)().name, self.name)
    }
}

impl PartialEq for AggregateFieldDef {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && (self.owner)() == (other.owner)()
    }
}

impl Eq for AggregateFieldDef {}

impl fmt::Debug for AggregateFieldDef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.qualified_name())
    }
}

/// An aggregate that a request asks for in place of an association's rows, and the field that it goes to.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestedAggregate {
    /// The aggregate, over columns of the targets.
    pub operand: Operand,
    /// The field of the owners; `None` if the values go nowhere but to the program.
    pub field: Option<AggregateFieldDef>,
}
