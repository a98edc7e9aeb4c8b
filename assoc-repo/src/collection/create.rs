//! New members of a collection.

use assoc_core::change::RowChange;
use assoc_core::driver::BoxFuture;
use assoc_core::{DriverErrorKind, Error, Filter, Model, Result};

use super::Collection;
use crate::association_handle::{OwnerMut, OwnerRef, ToManyAssociation};
use crate::callbacks::Firing;
use crate::changeset::{Changeset, IntoChangeset, ModelExt, WritableMany};
use crate::get_association::rows;
use crate::query::Query;

#[cfg(doc)]
use assoc_core::ErrorKind;

impl<R: OwnerRef, T: Model, A: ToManyAssociation<R::Owner, T>> Collection<'_, R, T, A> {
    /// A changeset of a new member: with the owner's key and type if the row holds them, and with the values that the
    /// association's conditions require by `=`. It costs no statement.
    ///
    /// Give it to [`push`](Self::push) or [`create`](Self::create), which link it whatever is set afterwards. A row that holds
    /// its owner's key can also be inserted by itself; the owner's list does not follow then.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if the owner's key is `NULL`: it has no members.
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// let posts = repo.association(&user, User::POSTS);
    /// let draft = posts.build()?.set(Post::TITLE, "Letters");
    /// assert_eq!(draft.value_of(Post::USER_ID), Some(&Value::from(user.id)));
    /// let post = repo.insert(draft).await?;
    /// assert!(posts.contains(&post).await?);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn build(&self) -> Result<Changeset<T>>
    where
        A: WritableMany<R::Owner, T>,
    {
        Ok(Changeset::from(RowChange::new_member(self.reflection(), self.owner())?))
    }
}

impl<R: OwnerRef, T: Model, A: ToManyAssociation<R::Owner, T>> Collection<'_, R, T, A> {
    /// Inserts a new member, and answers with it as the database stores it. It costs what [`push`](Self::push) costs, and the
    /// owner follows as there. What the changeset says of its owner's key does not count.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// let mut posts = repo.association(&mut user, User::POSTS);
    /// let post = posts.create(Post::build().set(Post::TITLE, "Letters")).await?;
    /// assert_eq!((post.user_id, posts.count().await?), (Some(1), 4));
    /// assert!(posts.create(Post::build()).await.is_err(), "it has no title");
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn create(&mut self, changeset: impl IntoChangeset<T>) -> BoxFuture<'_, Result<T>>
    where
        R: OwnerMut,
        A: WritableMany<R::Owner, T>,
    {
        let created = self.create_all([changeset]);
        Box::pin(
            async move { created.await?.pop().ok_or_else(|| Error::invalid_query(T::DEF.name, "nothing was saved")) },
        )
    }

    /// Inserts new members, all or none, and answers with them in the given order. It costs what [`push`](Self::push) costs.
    ///
    /// # Errors
    /// As [`push`](Self::push). The path of a problem says which member has it: `posts[1].title`.
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// let mut posts = repo.association(&mut user, User::POSTS);
    /// let letters = ["First letter", "Second letter"].map(|title| Post::build().set(Post::TITLE, title));
    /// let (created, statements) = repo.count_statements(posts.create_all(letters)).await;
    /// assert_eq!((created?.len(), statements), (2, 1));
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn create_all(&mut self, changesets: impl IntoIterator<Item: IntoChangeset<T>>) -> BoxFuture<'_, Result<Vec<T>>>
    where
        R: OwnerMut,
        A: WritableMany<R::Owner, T>,
    {
        let changesets = changesets.into_iter().map(IntoChangeset::into_changeset).collect();
        self.insert_rows("create", changesets, Firing::Callbacks)
    }

    /// The changes of the first member that satisfies a condition; if there is none, a new one that is not saved: the changeset
    /// with key and conditions of [`build`](Self::build). [`Changeset::is_new`] tells which; [`push`](Self::push) saves either.
    /// What the changeset says counts for a new member only.
    ///
    /// Statements, loaded or not: 1 that looks.
    ///
    /// # Errors
    /// As [`all`](Self::all) and [`build`](Self::build).
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_sqlite::Sqlite;
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct User { pub id: i64, #[has_many] pub posts: HasMany<Post> }
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct Post { pub id: i64, pub user_id: i64, pub title: String, pub text: String }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<User>().await?;
    /// # repo.create_table::<Post>().await?;
    /// # let mut user = repo.insert(User::build()).await?;
    /// let mut posts = repo.association(&mut user, User::POSTS);
    /// for text in ["Wheels.", "Wheels and levers."] {
    ///     let post = posts.find_or_build_by(Post::TITLE.eq("Engines"), Post::build().set(Post::TITLE, "Engines")).await?;
    ///     posts.push(post.set(Post::TEXT, text)).await?;
    /// }
    /// assert_eq!(posts.count().await?, 1);
    /// assert_eq!(user.posts()?[0].text, "Wheels and levers.");
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn find_or_build_by(
        &self,
        filter: Filter<T>,
        changeset: impl IntoChangeset<T>,
    ) -> BoxFuture<'_, Result<Changeset<T>>>
    where
        R: OwnerMut,
        A: WritableMany<R::Owner, T>,
    {
        let changeset = changeset.into_changeset();
        Box::pin(async move {
            let built = self.completed(changeset)?;
            Ok(self.first_of(filter, false).await?.map_or(built, |found| found.change()))
        })
    }

    /// The first member that satisfies a condition; if there is none, a new one.
    ///
    /// Several tasks may do this at once. Then a unique index on what identifies a member decides: the task that is late
    /// finds the row of the other. Without such an index there may be two.
    ///
    /// Statements, loaded or not: 1 that looks, 2 if the association has a limit or an offset; if there is none those of [`create`](Self::create); if another task was
    /// faster 1 more. A member that is found is not added to what is loaded.
    ///
    /// # Errors
    /// As [`all`](Self::all) and [`create`](Self::create). The violated index if it is violated by a row that is no such
    /// member.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_sqlite::Sqlite;
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct User { pub id: i64, #[has_many] pub posts: HasMany<Post> }
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct Post { pub id: i64, pub user_id: i64, pub title: String }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<User>().await?;
    /// # repo.create_table::<Post>().await?;
    /// # let mut user = repo.insert(User::build()).await?;
    /// let mut posts = repo.association(&mut user, User::POSTS);
    /// let title = "On engines";
    /// let first = posts.find_or_create_by(Post::TITLE.eq(title), Post::build().set(Post::TITLE, title)).await?;
    /// let again = posts.find_or_create_by(Post::TITLE.eq(title), Post::build().set(Post::TITLE, title)).await?;
    /// assert_eq!(first.id, again.id);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn find_or_create_by(&mut self, filter: Filter<T>, changeset: impl IntoChangeset<T>) -> BoxFuture<'_, Result<T>>
    where
        R: OwnerMut,
        A: WritableMany<R::Owner, T>,
    {
        let changeset = changeset.into_changeset();
        Box::pin(async move {
            // An owner without a key is refused before any SQL.
            RowChange::new_member(self.reflection(), self.owner())?;
            if let Some(found) = self.first_of(filter.clone(), false).await? {
                return Ok(found);
            }
            let error = match self.create(changeset).await {
                Ok(created) => return Ok(created),
                Err(error) => error,
            };
            let is_late = error.driver().is_some_and(|error| error.kind() == DriverErrorKind::UniqueViolation);
            if !is_late {
                return Err(error);
            }
            // A transaction may have a state of the database before the other task's.
            let for_share = self.handle.repo.in_transaction();
            self.first_of(filter, for_share).await?.ok_or(error)
        })
    }

    async fn first_of(&self, filter: Filter<T>, for_share: bool) -> Result<Option<T>> {
        if let Some(query) = self.own_choice()? {
            return Ok(self.chosen(query, filter, for_share).await?.into_iter().next());
        }
        let query = Query::filter(filter);
        let query = if for_share { query.for_share() } else { query };
        Ok(rows(self.handle.repo, self.reflection(), self.owner(), query.limit(1)).await?.into_iter().next())
    }
}
