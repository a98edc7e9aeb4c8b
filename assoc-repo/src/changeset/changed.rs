//! Whether a row belongs to another row than before: of a changeset, of a change in a callback, and once it was written.

use assoc_core::change::RowChange;
use assoc_core::{Association, BelongsTo, Model, ToOne};

use super::Changeset;
use crate::callbacks::{CallbackContext, Change};

impl<M: Model> Changeset<M> {
    /// Whether saving would make the row belong to another row by this association, or to none.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct User { pub id: i64 }
    /// #[derive(Model, Debug, Clone)]
    /// pub struct Post {
    ///     pub id: i64,
    ///     pub user_id: Option<i64>,
    ///     #[belongs_to]
    ///     pub user: BelongsTo<Option<User>>,
    /// }
    ///
    /// let post = Post { id: 1, user_id: Some(7), user: BelongsTo::default() };
    /// assert!(!post.change().associate(Post::USER, &User { id: 7 }).changes_target(Post::USER));
    /// assert!(post.change().associate(Post::USER, &User { id: 8 }).changes_target(Post::USER));
    /// assert!(post.change().associate(Post::USER, User::build()).changes_target(Post::USER));
    /// assert!(post.change().dissociate(Post::USER).changes_target(Post::USER));
    /// ```
    #[must_use]
    pub fn changes_target<T, S: ToOne<Target = T>>(&self, association: Association<M, T, BelongsTo<S>>) -> bool {
        self.as_row_change().changes_target(association.def())
    }
}

impl<M: Model> Change<M> {
    /// Whether the row will belong to another row by this association, or to none.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_repo::{CallbackContext, Callbacks, Change, callbacks};
    /// # use assoc_sqlite::Sqlite;
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct User { pub id: i64 }
    /// # #[derive(Model, Debug, Clone)]
    /// # #[model(callbacks)]
    /// # pub struct Post {
    /// #     pub id: i64,
    /// #     pub user_id: Option<i64>,
    /// #     #[belongs_to]
    /// #     pub user: BelongsTo<Option<User>>,
    /// # }
    /// #[callbacks]
    /// impl Callbacks for Post {
    ///     async fn before_update(post: &mut Change<Self>, _: &CallbackContext<'_>) -> Result<()> {
    ///         if post.changes_target(Post::USER) { Err(Error::other("it stays where it is")) } else { Ok(()) }
    ///     }
    /// }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<User>().await?;
    /// # repo.create_table::<Post>().await?;
    /// let ada = repo.insert(User::build()).await?;
    /// let post = repo.insert(Post::build()).await?;
    /// assert!(repo.update(post.change().associate(Post::USER, &ada)).await.is_err());
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn changes_target<T, S: ToOne<Target = T>>(&self, association: Association<M, T, BelongsTo<S>>) -> bool {
        self.row.changes_target(association.def())
    }
}

impl CallbackContext<'_> {
    /// Whether the row that was written belongs to another row by this association than before, or to none.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_repo::{CallbackContext, Callbacks, callbacks};
    /// # use assoc_sqlite::Sqlite;
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct User { pub id: i64 }
    /// # #[derive(Model, Debug, Clone)]
    /// # #[model(callbacks)]
    /// # pub struct Post {
    /// #     pub id: i64,
    /// #     pub user_id: Option<i64>,
    /// #     #[belongs_to]
    /// #     pub user: BelongsTo<Option<User>>,
    /// # }
    /// #[callbacks]
    /// impl Callbacks for Post {
    ///     async fn after_update(_: &Self, cx: &CallbackContext<'_>) -> Result<()> {
    ///         if cx.changed_target(Post::USER) { Err(Error::other("it stays where it is")) } else { Ok(()) }
    ///     }
    /// }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<User>().await?;
    /// # repo.create_table::<Post>().await?;
    /// let ada = repo.insert(User::build()).await?;
    /// let post = repo.insert(Post::build()).await?;
    /// assert!(repo.update(post.change().associate(Post::USER, &ada)).await.is_err());
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn changed_target<M: Model, T, S: ToOne<Target = T>>(
        &self,
        association: Association<M, T, BelongsTo<S>>,
    ) -> bool {
        let columns = RowChange::key_columns(association.def());
        let names: Vec<&str> = columns.into_iter().map(|column| M::DEF.columns[column].name).collect();
        self.changes().iter().any(|change| names.contains(&change.column.name))
    }
}
