//! What a scope, a preload and an association can say about the rows of the association: which rows, in which order,
//! with which columns. The methods are the same on all three, so one macro writes them.

use super::association::Association;
use super::column::ColumnList;
use super::filter::Filter;
use super::preload::Preload;
use super::scope::Scope;
use super::sort::IntoSort;

/// The methods of a builder that contains a scope. `$state` names the load state after a preload with the method.
macro_rules! refinements {
    ($builder:ident<$($parameter:ident),+>, $($scope:ident).+, $state:literal) => {
        impl<$($parameter),+> $builder<$($parameter),+> {
            /// Keeps the rows that satisfy a condition. Several calls combine with `AND`.
            #[doc = $state]
            ///
            /// ```
            #[doc = include_str!("../../docs/users.txt")]
            /// let good = User::POSTS.filter(Post::STARS.ge(3)).filter(Post::TITLE.like("A%"));
            /// # assert_ne!(good, User::POSTS.filter(Post::STARS.ge(3)));
            /// ```
            #[must_use]
            pub fn filter(mut self, filter: Filter<T>) -> Self {
                let scope = &mut self.$($scope).+;
                scope.filter = std::mem::take(&mut scope.filter).and(filter.into_expr());
                self
            }

            /// Sorts the rows. This order replaces the one that the association declares. Several calls add less
            /// significant terms; the primary key decides between equal rows. The order decides which rows are loaded
            /// where the association is a `has_one` or has a limit: there a preload with another order leaves the
            /// association [partial](crate::LoadState::Partial).
            ///
            /// ```
            #[doc = include_str!("../../docs/users.txt")]
            /// let best_first = User::POSTS.order_by(Post::STARS.desc()).order_by(Post::TITLE.asc());
            /// # assert_eq!(best_first, User::POSTS.order_by((Post::STARS.desc(), Post::TITLE.asc())));
            /// ```
            #[must_use]
            pub fn order_by(mut self, sort: impl IntoSort<T>) -> Self {
                self.$($scope).+.order.extend(sort.into_terms());
                self
            }

            /// Limits the rows *per owner* to the first by the order, then by primary key.
            #[doc = $state]
            ///
            /// ```
            #[doc = include_str!("../../docs/users.txt")]
            /// let best_three = User::POSTS.order_by(Post::STARS.desc()).limit(3); // of each user
            /// # assert_eq!(best_three.request().scope.limit, Some(3));
            /// ```
            #[must_use]
            pub fn limit(mut self, limit: u64) -> Self {
                self.$($scope).+.limit = Some(limit);
                self
            }

            /// Skips the first rows of each owner.
            #[doc = $state]
            ///
            /// ```
            #[doc = include_str!("../../docs/users.txt")]
            /// let others = User::POSTS.order_by(Post::STARS.desc()).offset(3); // all but the best three of each user
            /// # assert_eq!(others.request().scope.offset, Some(3));
            /// ```
            #[must_use]
            pub fn offset(mut self, offset: u64) -> Self {
                self.$($scope).+.offset = Some(offset);
                self
            }

            /// Loads each row once per owner, even if the association reaches it several times.
            #[doc = $state]
            ///
            /// ```
            #[doc = include_str!("../../docs/users.txt")]
            /// let each_once = User::POSTS.distinct();
            /// # assert!(each_once.request().scope.distinct);
            /// ```
            #[must_use]
            pub fn distinct(mut self) -> Self {
                self.$($scope).+.distinct = true;
                self
            }

            /// Leaves out the target model's default scope.
            #[doc = $state]
            ///
            /// ```
            #[doc = include_str!("../../docs/users.txt")]
            /// let with_drafts = User::POSTS.unscoped(); // where the default scope of `Post` leaves drafts out
            /// # assert!(with_drafts.request().scope.unscoped);
            /// ```
            #[must_use]
            pub fn unscoped(mut self) -> Self {
                self.$($scope).+.unscoped = true;
                self
            }

            /// Reads these columns only; several calls add more. The fields of all other columns must be `Option`s, and
            /// are `None`. The selected columns must include the primary key, the key of the association and the keys
            /// of the associations below.
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

            /// Keeps one row per owner for each combination of values of these columns: the first by the order, then by
            /// primary key. Several calls add columns. Limit and offset count the kept rows. This works for list
            /// associations, on databases with window functions.
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

/// The same methods on the association itself, where they begin a preload.
macro_rules! beginnings {
    ($($method:ident($($argument:ident: $type:ty)?) $example:literal),+ $(,)?) => {
        impl<O, T, H> Association<O, T, H> {
            $(
                #[doc = concat!("Begins a preload of this association with [`", stringify!($method), "`](Preload::", stringify!($method), ").")]
                ///
                /// ```
                #[doc = include_str!("../../docs/users.txt")]
                #[doc = concat!("let preload = User::POSTS.", $example, ";")]
                #[doc = concat!("# assert_eq!(preload, User::POSTS.preload().", $example, ");")]
                /// ```
                #[must_use]
                pub fn $method(self $(, $argument: $type)?) -> Preload<O, T> {
                    self.preload().$method($($argument)?)
                }
            )+
        }
    };
}

beginnings! {
    filter(filter: Filter<T>) "filter(Post::STARS.gt(3))",
    order_by(sort: impl IntoSort<T>) "order_by(Post::STARS.desc())",
    limit(limit: u64) "limit(3)",
    offset(offset: u64) "offset(3)",
    unlimited() "unlimited()",
    distinct() "distinct()",
    unscoped() "unscoped()",
    select(columns: impl ColumnList<T>) "select((Post::ID, Post::USER_ID))",
    group_by(columns: impl ColumnList<T>) "group_by(Post::STARS)",
}
