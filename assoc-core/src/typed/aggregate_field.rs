//! Aggregates beside rows, as a program asks for them: `User::POSTS.count_into(User::POSTS_COUNT)`.

use std::fmt;
use std::marker::PhantomData;

use super::aggregate::Aggregate;
use super::association::Association;
use super::preload::{IntoPreload, Preload};
use crate::metadata::aggregate_field::{AggregateFieldDef, RequestedAggregate};
use crate::metadata::request::Request;

#[cfg(doc)]
use crate::holder::Aggregated;

/// A field of model `O` that holds an aggregate read as `V`: the constant `User::POSTS_COUNT` of a field of type
/// [`Aggregated`].
pub struct AggregateField<O, V> {
    def: AggregateFieldDef,
    types: PhantomData<fn() -> (O, V)>,
}

impl<O, V> AggregateField<O, V> {
    /// Made by the derive.
    #[doc(hidden)]
    #[must_use]
    pub const fn new(def: AggregateFieldDef) -> Self {
        AggregateField { def, types: PhantomData }
    }

    /// The field as data.
    ///
    /// ```
    /// # use assoc_core::{Aggregated, HasMany, Model};
    /// # #[derive(assoc_macros::Model, Clone)]
    /// # struct User { id: i64, #[has_many] posts: HasMany<Post>, posts_count: Aggregated<i64> }
    /// # #[derive(assoc_macros::Model, Clone)]
    /// # struct Post { id: i64, user_id: i64 }
    /// assert_eq!(User::POSTS_COUNT.def().name, "posts_count");
    /// ```
    #[must_use]
    pub const fn def(self) -> AggregateFieldDef {
        self.def
    }
}

impl<O, V> Clone for AggregateField<O, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<O, V> Copy for AggregateField<O, V> {}

impl<O, V> fmt::Debug for AggregateField<O, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.def, f)
    }
}

/// A request for an aggregate of an association's rows, which goes into a field of the owners. It stands where preloads
/// stand.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "it is a part of a query: give it to `Query::preload` or `repo.preload`"]
pub struct AggregatePreload<O> {
    request: Request,
    owner: PhantomData<fn() -> O>,
}

impl<O> IntoPreload<O> for AggregatePreload<O> {
    fn into_requests(self) -> Vec<Request> {
        vec![self.request]
    }
}

impl<O, T> Preload<O, T> {
    /// Counts the rows that this preload would load, in place of loading them. The count of each owner goes into a field of
    /// type [`Aggregated<i64>`](Aggregated); an owner without rows has 0.
    ///
    /// All owners cost one grouped statement. Aggregates of one level over the same rows (the same association with the same
    /// conditions) share it. Where only loading says which rows an owner has (a scope that depends on the owner, a
    /// polymorphic `belongs_to`, a limit on an association through others, tables in several databases), the rows are loaded
    /// and counted in memory.
    ///
    /// # Errors
    /// A request fails before any SQL if this preload loads associations of the rows (`with`), or if a field is given two
    /// different aggregates.
    ///
    /// ```
    /// # use assoc_core as assoc_repo;
    /// # use assoc_core::{Aggregated, HasMany, IntoPreload, Model};
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # pub struct User { pub id: i64, #[has_many] pub posts: HasMany<Post>, pub drafts_count: Aggregated<i64> }
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # pub struct Post { pub id: i64, pub user_id: i64, pub draft: bool }
    /// let drafts = User::POSTS.filter(Post::DRAFT.eq(true)).count_into(User::DRAFTS_COUNT);
    /// # let _ = drafts.into_requests();
    /// ```
    pub fn count_into(self, field: AggregateField<O, i64>) -> AggregatePreload<O> {
        self.aggregate_into(field, Aggregate::count_all())
    }

    /// Computes an aggregate over the rows that this preload would load, in place of loading them. The value of each owner
    /// goes into a field of type [`Aggregated`]. Of an owner without rows a count is 0, and any other aggregate `None`.
    ///
    /// It costs what [`count_into`](Self::count_into) costs.
    ///
    /// # Errors
    /// As [`count_into`](Self::count_into). Also if the aggregate is of a joined column, and if rows that have to be loaded
    /// would be compared as text, which only the database does.
    ///
    /// ```
    /// # use assoc_core as assoc_repo;
    /// # use assoc_core::{Aggregated, HasMany, IntoPreload, Model};
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # pub struct User { pub id: i64, #[has_many] pub orders: HasMany<Order>, pub spent: Aggregated<Option<i64>> }
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # pub struct Order { pub id: i64, pub user_id: i64, pub cents: i32 }
    /// let spent = User::ORDERS.aggregate_into(User::SPENT, Order::CENTS.sum());
    /// # let _ = spent.into_requests();
    /// ```
    pub fn aggregate_into<V>(self, field: AggregateField<O, V>, aggregate: Aggregate<T, V>) -> AggregatePreload<O> {
        let Preload { mut request, .. } = self;
        request.aggregate = Some(RequestedAggregate { operand: aggregate.into_operand(), field: Some(field.def) });
        AggregatePreload { request, owner: PhantomData }
    }
}

impl<O, T, H> Association<O, T, H> {
    /// Counts the association's rows into a field, in place of loading them: [`Preload::count_into`].
    ///
    /// ```
    /// # use assoc_core as assoc_repo;
    /// # use assoc_core::{Aggregated, HasMany, IntoPreload, Model};
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # pub struct User {
    /// #     pub id: i64,
    /// #     #[has_many]
    /// #     pub orders: HasMany<Order>,
    /// #     pub orders_count: Aggregated<i64>,
    /// #     pub spent: Aggregated<Option<i64>>,
    /// # }
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # pub struct Order { pub id: i64, pub user_id: i64, pub cents: i32 }
    /// let counted = User::ORDERS.count_into(User::ORDERS_COUNT);
    /// # let _ = counted.into_requests();
    /// ```
    pub fn count_into(self, field: AggregateField<O, i64>) -> AggregatePreload<O> {
        self.preload().count_into(field)
    }

    /// Computes an aggregate over the association's rows into a field, in place of loading them:
    /// [`Preload::aggregate_into`].
    ///
    /// ```
    /// # use assoc_core as assoc_repo;
    /// # use assoc_core::{Aggregated, HasMany, IntoPreload, Model};
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # pub struct User {
    /// #     pub id: i64,
    /// #     #[has_many]
    /// #     pub orders: HasMany<Order>,
    /// #     pub orders_count: Aggregated<i64>,
    /// #     pub spent: Aggregated<Option<i64>>,
    /// # }
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # pub struct Order { pub id: i64, pub user_id: i64, pub cents: i32 }
    /// let spent = User::ORDERS.aggregate_into(User::SPENT, Order::CENTS.sum());
    /// # let _ = spent.into_requests();
    /// ```
    pub fn aggregate_into<V>(self, field: AggregateField<O, V>, aggregate: Aggregate<T, V>) -> AggregatePreload<O> {
        self.preload().aggregate_into(field, aggregate)
    }
}
