//! `select` and `group_by` of scopes and preloads: which columns of an association are read, and the first row of each
//! group.

use super::association::Association;
use super::column::ColumnList;
use super::preload::Preload;
use super::scope::Scope;

impl<T> Scope<T> {
    /// Reads these columns only, several calls add more. The fields of the others must be `Option`s and are `None`. The
    /// primary key, the key the association goes by and those of what is loaded below must be among them.
    ///
    /// ```
    /// # use assoc_core::{HasMany, Model, planner::Scope};
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
        self.shape.select.get_or_insert_default().extend(columns.indexes());
        self
    }
}

impl<O, T> Preload<O, T> {
    /// Reads these columns of the rows only, several calls add more; as [`Scope::select`]. The association is
    /// [partial](crate::LoadState::Partial) then.
    #[must_use]
    pub fn select(mut self, columns: impl ColumnList<T>) -> Self {
        self.request.shape.select.get_or_insert_default().extend(columns.indexes());
        self
    }
}

impl<O, T, H> Association<O, T, H> {
    /// Reads these columns of the rows only: [`Preload::select`].
    #[must_use]
    pub fn select(self, columns: impl ColumnList<T>) -> Preload<O, T> {
        self.preload().select(columns)
    }
}

impl<T> Scope<T> {
    /// Of each owner's rows one for each combination of values of these columns, several calls add more: the first by the
    /// association's order, then by primary key. Limit and offset count what is left. For lists, on databases with
    /// window functions.
    ///
    /// ```
    /// # use assoc_core::{HasMany, Model, planner::Scope};
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
        self.shape.group.extend(columns.indexes());
        self
    }
}

impl<O, T> Preload<O, T> {
    /// Of each owner's rows one for each combination of values of these columns, several calls add more; as
    /// [`Scope::group_by`]. The association is [partial](crate::LoadState::Partial) then.
    #[must_use]
    pub fn group_by(mut self, columns: impl ColumnList<T>) -> Self {
        self.request.shape.group.extend(columns.indexes());
        self
    }
}

impl<O, T, H> Association<O, T, H> {
    /// Of each owner's rows one for each combination of values of these columns: [`Preload::group_by`].
    #[must_use]
    pub fn group_by(self, columns: impl ColumnList<T>) -> Preload<O, T> {
        self.preload().group_by(columns)
    }
}
