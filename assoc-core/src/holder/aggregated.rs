//! `Aggregated<V>`: a field for a number that the database computes over an association's rows.

use std::any::Any;
use std::fmt;

use crate::column_type::ColumnType;
use crate::error::{DecodeError, NotLoadedReason};
use crate::metadata::aggregate_field::{AggregateSlot, AggregateValues};
use crate::metadata::model::Model;
use crate::value::Value;

/// An aggregate of an association's rows beside its owner: a count, a sum, a mean, a least or greatest value. The field is
/// not a column. It is not loaded until a query asks for it with
/// [`count_into`](crate::Association::count_into) or [`aggregate_into`](crate::Association::aggregate_into).
///
/// Like an association it is a fact of the moment at which it was loaded: a later write does not change it.
///
/// ```
/// # use assoc_core as assoc_repo;
/// use assoc_core::{Aggregated, AssociationNotLoaded, HasMany, Model};
/// # use assoc_macros::Model;
///
/// #[derive(Model, Debug, Clone)]
/// struct User {
///     id: i64,
///     #[has_many]
///     posts: HasMany<Post>,
///     posts_count: Aggregated<i64>,
/// }
///
/// #[derive(Model, Debug, Clone)]
/// struct Post {
///     id: i64,
///     user_id: i64,
/// }
///
/// let mut user = User { id: 1, posts: HasMany::default(), posts_count: Aggregated::default() };
/// assert_eq!(
///     user.posts_count().unwrap_err().to_string(),
///     "aggregate `User.posts_count` is not loaded: add `.count_into(User::POSTS_COUNT)` or \
///      `.aggregate_into(User::POSTS_COUNT, …)` of an association to the preloads",
/// );
/// user.posts_count = Aggregated::from(3);
/// assert_eq!(*user.posts_count()?, 3);
/// # Ok::<(), AssociationNotLoaded>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Aggregated<V>(Option<V>);

impl<V> Aggregated<V> {
    /// The value.
    ///
    /// # Errors
    /// [`NotLoadedReason::NotComputed`] if no query asked for it.
    ///
    /// ```
    /// use assoc_core::{Aggregated, NotLoadedReason};
    ///
    /// assert_eq!(Aggregated::from(3).get(), Ok(&3));
    /// assert_eq!(Aggregated::<i64>::default().get(), Err(NotLoadedReason::NotComputed));
    /// ```
    pub fn get(&self) -> Result<&V, NotLoadedReason> {
        self.0.as_ref().ok_or(NotLoadedReason::NotComputed)
    }

    /// The value, or `None` if it is not loaded.
    ///
    /// ```
    /// use assoc_core::Aggregated;
    ///
    /// assert_eq!(Aggregated::from(3).loaded(), Some(&3));
    /// assert_eq!(Aggregated::<i64>::default().loaded(), None);
    /// ```
    #[must_use]
    pub fn loaded(&self) -> Option<&V> {
        self.0.as_ref()
    }

    /// Whether it is not loaded.
    ///
    /// ```
    /// use assoc_core::Aggregated;
    ///
    /// assert!(Aggregated::<i64>::default().is_not_loaded());
    /// assert!(!Aggregated::from(0).is_not_loaded());
    /// ```
    #[must_use]
    pub fn is_not_loaded(&self) -> bool {
        self.0.is_none()
    }
}

impl<V> Default for Aggregated<V> {
    fn default() -> Self {
        Aggregated(None)
    }
}

/// A loaded value: for tests of code that reads it.
impl<V> From<V> for Aggregated<V> {
    fn from(value: V) -> Self {
        Aggregated(Some(value))
    }
}

/// Shows the state: `NotLoaded`, `Loaded(3)`.
impl<V: fmt::Debug> fmt::Debug for Aggregated<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            None => f.write_str("NotLoaded"),
            Some(value) => f.debug_tuple("Loaded").field(value).finish(),
        }
    }
}

/// A loaded value serialises as itself. Leave out fields that are not loaded with
/// `#[serde(skip_serializing_if = "Aggregated::is_not_loaded")]`.
#[cfg(feature = "serde")]
impl<V: serde::Serialize> serde::Serialize for Aggregated<V> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// A value that was serialised. Nothing is one that is not loaded, except where the value itself may be nothing.
#[cfg(feature = "serde")]
impl<'de, V: serde::Deserialize<'de>> serde::Deserialize<'de> for Aggregated<V> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        V::deserialize(deserializer).map(Aggregated::from)
    }
}

/// The way to a field of this type in model `O`.
pub struct AggregateAccess<O, V> {
    field: fn(&mut O) -> &mut Aggregated<V>,
}

impl<O, V> AggregateAccess<O, V> {
    /// Made by the derive.
    #[must_use]
    pub const fn new(field: fn(&mut O) -> &mut Aggregated<V>) -> Self {
        AggregateAccess { field }
    }
}

impl<O: Model, V: ColumnType> AggregateSlot for AggregateAccess<O, V> {
    fn new_values(&self) -> Box<dyn AggregateValues> {
        Box::new(Values { field: self.field, values: Vec::new() })
    }
}

struct Values<O, V> {
    field: fn(&mut O) -> &mut Aggregated<V>,
    values: Vec<V>,
}

impl<O: Model, V: ColumnType> AggregateValues for Values<O, V> {
    fn push(&mut self, value: &mut Value<'_>) -> Result<(), DecodeError> {
        self.values.push(V::from_value(value)?);
        Ok(())
    }

    fn give(&self, at: usize, owner: &mut dyn Any) {
        if let (Some(value), Some(owner)) = (self.values.get(at), owner.downcast_mut::<O>()) {
            *(self.field)(owner) = Aggregated(Some(value.clone()));
        }
    }
}
