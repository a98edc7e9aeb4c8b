//! Fields that hold an aggregate of an association's rows, as data: what the planner and the executor know of them.

use std::any::Any;
use std::fmt;

use crate::error::DecodeError;
use crate::metadata::expr::Operand;
use crate::metadata::model::ModelDef;
use crate::value::Value;

/// A field of a model that holds an aggregate. The derive makes it.
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
pub trait AggregateSlot: Send + Sync {
    /// A list for the values of several owners.
    fn new_values(&self) -> Box<dyn AggregateValues>;
}

/// Decoded values of one aggregate, in the order of their owners.
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
