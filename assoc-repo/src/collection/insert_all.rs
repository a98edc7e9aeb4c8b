//! Many new members at once, without callbacks: `insert_all` and `upsert_all` of a collection.

use assoc_core::change::RowChange;
use assoc_core::counters::CountedCollection;
use assoc_core::driver::BoxFuture;
use assoc_core::metadata::{Linkage, Request};
use assoc_core::{Association, Error, HasMany, Model, Result};

use super::Collection;
use super::ids::require_members;
use crate::association_handle::{OwnerMut, OwnerRef, ToManyAssociation};
use crate::callbacks::Firing;
use crate::changeset::{Changeset, IntoChangeset, ModelExt, WritableMany};
use crate::upsert::OnConflict;

#[cfg(doc)]
use assoc_core::ErrorKind;

mod sealed {
    use assoc_core::{Association, HasMany};

    pub trait MembersWithKey {}
    impl<O, T> MembersWithKey for Association<O, T, HasMany<T>> {}
}

/// An association to many whose members hold their owner's key: a `has_many` that goes through no other association.
#[diagnostic::on_unimplemented(
    message = "the members of this association do not hold their owner's key",
    label = "an upsert writes rows that hold it",
    note = "upsert the rows with `repo.upsert_all`, and link them with `push`"
)]
pub trait MembersWithKey<O, T>: WritableMany<O, T> + sealed::MembersWithKey {}

#[diagnostic::do_not_recommend]
impl<O, T: Model> MembersWithKey<O, T> for Association<O, T, HasMany<T>> {}

impl<R: OwnerRef, T: Model, A: ToManyAssociation<R::Owner, T>> Collection<'_, R, T, A> {
    /// Inserts new members, all or none, without callbacks of models and of the association, and answers with them in the given
    /// order. The rules of the model hold, the association's conditions are preset, and counters follow, as by
    /// [`create_all`](Self::create_all); behind a join table the links are inserted as well.
    ///
    /// Statements, loaded or not: those of [`push`](Self::push). The owner follows as there.
    ///
    /// # Errors
    /// As [`create_all`](Self::create_all).
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
    /// let drafts = (0..100).map(|at| Post::build().set(Post::TITLE, format!("No. {at}")));
    /// let (inserted, statements) = repo.count_statements(posts.insert_all(drafts)).await;
    /// // An INSERT carries 50 rows on SQLite.
    /// assert_eq!((inserted?.len(), statements), (100, 2));
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn insert_all(&mut self, changesets: impl IntoIterator<Item: IntoChangeset<T>>) -> BoxFuture<'_, Result<Vec<T>>>
    where
        R: OwnerMut,
        A: WritableMany<R::Owner, T>,
    {
        self.insert_rows(
            "insert_all",
            changesets.into_iter().map(IntoChangeset::into_changeset).collect(),
            Firing::Silent,
        )
    }

    pub(super) fn insert_rows(
        &mut self,
        call: &'static str,
        changesets: Vec<Changeset<T>>,
        firing: Firing,
    ) -> BoxFuture<'_, Result<Vec<T>>>
    where
        R: OwnerMut,
        A: WritableMany<R::Owner, T>,
    {
        let count = changesets.len();
        let existing = changesets.iter().any(|changeset| !changeset.as_row_change().is_new());
        let change = self.owner().change().push(self.handle.association, changesets);
        Box::pin(async move {
            if existing {
                let message =
                    format!("`{call}` takes new rows (`Post::build()`): give changes of existing rows to `push`");
                return Err(Error::invalid_query(T::DEF.name, message));
            }
            self.handle.save_counted(change, firing).await?;
            // New members are the last ones.
            let rows = self.target().unwrap_or_default();
            Ok(rows[rows.len().saturating_sub(count)..].iter().copied().cloned().collect())
        })
    }
}

impl<R: OwnerRef, T: Model, A: ToManyAssociation<R::Owner, T>> Collection<'_, R, T, A> {
    /// Inserts new members, or, where a row with the same values in the [conflicting columns](crate::on_conflict) is there
    /// already, updates that, or leaves it: [`Repo::upsert_all`](crate::Repo::upsert_all) of rows that belong to the owner.
    /// Answers with them in the given order. No callbacks run, and no times follow. It is a method of a `has_many` whose rows
    /// hold their owner's key.
    ///
    /// A row that is there and belongs to another owner stays there: the call is refused, and nothing is written.
    ///
    /// Statements: 1 that writes, if it is not loaded; 1 more that loads the members again, if it is. What was loaded in part is
    /// not loaded afterwards.
    ///
    /// # Errors
    /// [`ErrorKind::NotMember`] if a row that is there is another owner's; [`ErrorKind::Invalid`] with all problems, before any
    /// SQL; [`ErrorKind::InvalidQuery`] for members that a counter cache counts, because an upsert does not say which rows are
    /// new; the errors of [`Repo::upsert_all`](crate::Repo::upsert_all). The owner stays as it is then.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_repo::on_conflict;
    /// # use assoc_sqlite::Sqlite;
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct User { pub id: i64, #[has_many] pub pages: HasMany<Page> }
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct Page { pub id: i64, pub user_id: i64, pub path: String, pub title: String }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<User>().await?;
    /// # repo.create_table::<Page>().await?;
    /// # repo.execute_raw("CREATE UNIQUE INDEX one_path ON pages (user_id, path)", []).await?;
    /// # let mut user = repo.insert(User::build()).await?;
    /// let mut pages = repo.association(&mut user, User::PAGES);
    /// let page = |title| Page::build().set(Page::PATH, "/").set(Page::TITLE, title);
    /// pages.upsert_all([page("Home")], on_conflict((Page::USER_ID, Page::PATH))).await?;
    /// let again = pages.upsert_all([page("Start")], on_conflict((Page::USER_ID, Page::PATH))).await?;
    /// assert_eq!((&*again[0].title, pages.count().await?), ("Start", 1));
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn upsert_all(
        &mut self,
        changesets: impl IntoIterator<Item: IntoChangeset<T>>,
        conflict: OnConflict<T>,
    ) -> BoxFuture<'_, Result<Vec<T>>>
    where
        R: OwnerMut,
        A: MembersWithKey<R::Owner, T>,
    {
        let changesets: Vec<Changeset<T>> = changesets.into_iter().map(IntoChangeset::into_changeset).collect();
        Box::pin(async move {
            let definition = self.reflection();
            let owner = self.owner();
            // Problems are those of members, with their paths.
            owner.change().push(self.handle.association, changesets.clone()).as_row_change().check()?;
            let Linkage::TargetKey(key) = definition.linkage()? else {
                let message = format!("the rows of `{}` do not hold their owner's key", definition.qualified_name());
                return Err(Error::invalid_query(R::Owner::DEF.name, message));
            };
            if let Ok(counted) = CountedCollection::of(definition) {
                let message = format!(
                    "`{}` is counted by `{}`, and an upsert does not say which rows are new: `push` or `insert_all` new rows, or \
                     call `repo.upsert_all` and `repo.reset_counters`",
                    definition.qualified_name(),
                    R::Owner::DEF.columns[counted.counter].field
                );
                return Err(Error::invalid_query(R::Owner::DEF.name, message));
            }
            let rows = changesets.into_iter().map(|changeset| self.completed(changeset)).collect::<Result<Vec<_>>>()?;
            let named = key.target_type.map(|named| named.column);
            let conflict = conflict.keeping(key.target_columns.iter().copied().chain(named));
            let whole = self.whole().is_some();
            let (loaded, upserted) = self
                .handle
                .repo
                .transaction(async |tx| {
                    let upserted: Vec<T> = tx.upsert_all(rows, conflict).await?;
                    require_members(tx, definition, key, owner, &upserted.iter().collect::<Vec<_>>()).await?;
                    let mut loaded = None;
                    if whole {
                        let mut copy = owner.clone();
                        let requests = vec![Request::new(definition)];
                        tx.reload_rows(std::slice::from_mut(&mut copy), requests).await?;
                        loaded = Some(copy);
                    }
                    Ok::<_, Error>((loaded, upserted))
                })
                .await?;
            match loaded {
                Some(loaded) => *self.handle.owner.owner_mut() = loaded,
                None => self.reset(),
            }
            self.handle.forget_others(T::DEF.table);
            Ok(upserted)
        })
    }
}

impl<R: OwnerRef, T: Model, A: ToManyAssociation<R::Owner, T>> Collection<'_, R, T, A> {
    /// A changeset with the owner's key and type, whatever it says of them, and with the values that the association's
    /// conditions require by `=`, where it says nothing of them.
    pub(super) fn completed(&self, changeset: Changeset<T>) -> Result<Changeset<T>> {
        let mut change = changeset.into_row_change();
        let (own, key) = (RowChange::new_member(self.reflection(), self.owner())?, self.reflection().linkage()?);
        let of_owner = |column: usize| match &key {
            Linkage::TargetKey(key) => {
                key.target_columns.contains(&column) || key.target_type.is_some_and(|named| named.column == column)
            }
            _ => false,
        };
        for (column, value) in own.values().iter().enumerate() {
            if let Some(value) = value
                && (of_owner(column) || change.values()[column].is_none())
            {
                change.set(column, value.clone());
            }
        }
        change.link_as(&own);
        Ok(Changeset::from(change))
    }
}
