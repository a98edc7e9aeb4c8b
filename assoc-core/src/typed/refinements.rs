//! What a scope, a preload and an association can say about the rows of the association: which of them, in which order,
//! which of their columns. The words are the same everywhere, so they are written once.

use super::association::Association;
use super::column::{ColumnList, Filter, IntoSort};
use super::preload::Preload;
use super::scope::Scope;

/// The methods of a builder that holds a scope. `$state` says what a refined preload leaves the association in.
macro_rules! refinements {
    ($builder:ident<$($parameter:ident),+>, $($scope:ident).+, $state:literal) => {
        impl<$($parameter),+> $builder<$($parameter),+> {
            /// Only the rows that satisfy a condition, and those before.
            #[doc = $state]
            #[must_use]
            pub fn filter(mut self, filter: Filter<T>) -> Self {
                let scope = &mut self.$($scope).+;
                scope.filter = std::mem::replace(&mut scope.filter, crate::Expr::always()).and(filter.into_expr());
                self
            }

            /// Sorts the rows, in place of an order declared further out. Several calls add less significant terms; the
            /// primary key decides between equals. Where the order decides which rows there are (of a `has_one`, or
            /// together with a limit), a preload with another order leaves the association
            /// [partial](crate::LoadState::Partial).
            #[must_use]
            pub fn order_by(mut self, sort: impl IntoSort<T>) -> Self {
                self.$($scope).+.order.extend(sort.into_terms());
                self
            }

            /// Limits the rows *per owner*: the first by the order, then by primary key.
            #[doc = $state]
            #[must_use]
            pub fn limit(mut self, limit: u64) -> Self {
                self.$($scope).+.limit = Some(limit);
                self
            }

            /// Leaves out the first rows of each owner.
            #[doc = $state]
            #[must_use]
            pub fn offset(mut self, offset: u64) -> Self {
                self.$($scope).+.offset = Some(offset);
                self
            }

            /// Each row once per owner, also where the association leads to it several times.
            #[doc = $state]
            #[must_use]
            pub fn distinct(mut self) -> Self {
                self.$($scope).+.distinct = true;
                self
            }

            /// Leaves out the target model's default scope.
            #[doc = $state]
            #[must_use]
            pub fn unscoped(mut self) -> Self {
                self.$($scope).+.unscoped = true;
                self
            }

            /// Reads these columns only; several calls add more. The fields of the others must be `Option`s and are
            /// `None`. The primary key, the key of the association and the keys of what is loaded below must be among
            /// them.
            #[doc = $state]
            ///
            /// ```
            /// # use assoc_core::{HasMany, Model, Scope};
            /// # use assoc_macros::Model;
            /// #[derive(Model, Clone)]
            /// struct User {
            ///     id: i64,
            ///     #[has_many(scope = titles)]
            ///     post_titles: HasMany<Post>,
            /// }
            ///
            /// #[derive(Model, Clone)]
            /// struct Post {
            ///     id: i64,
            ///     user_id: i64,
            ///     title: String,
            ///     body: Option<String>,
            /// }
            ///
            /// fn titles(posts: Scope<Post>) -> Scope<Post> {
            ///     posts.select((Post::ID, Post::USER_ID, Post::TITLE))
            /// }
            /// ```
            #[must_use]
            pub fn select(mut self, columns: impl ColumnList<T>) -> Self {
                self.$($scope).+.select.get_or_insert_default().extend(columns.indexes());
                self
            }

            /// Of each owner's rows the first for each combination of values of these columns; several calls add more.
            /// The first is the first by the order, then by primary key. Limit and offset count what is left. For lists,
            /// on databases with window functions.
            #[doc = $state]
            ///
            /// ```
            /// # use assoc_core::{HasMany, Model, Scope};
            /// # use assoc_macros::Model;
            /// #[derive(Model, Clone)]
            /// struct Author {
            ///     id: i64,
            ///     #[has_many(scope = latest_of_each_section)]
            ///     latest_articles: HasMany<Article>,
            /// }
            ///
            /// #[derive(Model, Clone)]
            /// struct Article {
            ///     id: i64,
            ///     author_id: i64,
            ///     section: String,
            /// }
            ///
            /// fn latest_of_each_section(articles: Scope<Article>) -> Scope<Article> {
            ///     articles.group_by(Article::SECTION).order_by(Article::ID.desc())
            /// }
            /// ```
            #[must_use]
            pub fn group_by(mut self, columns: impl ColumnList<T>) -> Self {
                self.$($scope).+.group.extend(columns.indexes());
                self
            }
        }
    };
}

refinements!(Scope<T>, scope, "");
refinements!(Preload<O, T>, request.scope, "\nThe association is [partial](crate::LoadState::Partial) then.");

/// The same words on the association itself, where they begin a preload.
macro_rules! beginnings {
    ($($method:ident($($argument:ident: $type:ty)?)),+ $(,)?) => {
        impl<O, T, H> Association<O, T, H> {
            $(
                #[doc = concat!("Begins a preload of this association with [`", stringify!($method), "`](Preload::", stringify!($method), ").")]
                #[must_use]
                pub fn $method(self $(, $argument: $type)?) -> Preload<O, T> {
                    self.preload().$method($($argument)?)
                }
            )+
        }
    };
}

beginnings! {
    filter(filter: Filter<T>),
    order_by(sort: impl IntoSort<T>),
    limit(limit: u64),
    offset(offset: u64),
    unlimited(),
    distinct(),
    unscoped(),
    select(columns: impl ColumnList<T>),
    group_by(columns: impl ColumnList<T>),
}
