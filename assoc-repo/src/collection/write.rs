//! Writing a collection: members are added, let go, destroyed and replaced by saves of the owner.

use std::collections::HashSet;

use assoc_core::change::RowChange;
use assoc_core::driver::BoxFuture;
use assoc_core::{Error, Model, Result};

use super::Collection;
use super::given_rows::IntoRows;
use crate::association_handle::{OwnerMut, OwnerRef, ToManyAssociation};
use crate::callbacks::Firing;
use crate::changeset::{Changeset, IntoMembers, IntoTarget, ModelExt, WritableMany};
use crate::get_association::{OwnQuery, own_query, rows};
use crate::query::Query;

#[cfg(doc)]
use assoc_core::ErrorKind;

impl<R: OwnerRef, T: Model, A: ToManyAssociation<R::Owner, T>> Collection<'_, R, T, A> {
    /// Adds members: rows, changesets, or iterators of them, all or none. They are saved at once, as
    /// [`Changeset::push`] says.
    ///
    /// Statements, loaded or not: 1 for new rows, or as many as they need batches, and 1 for the links of a join table; 1 for
    /// rows that exist and hold their owner's key. What is loaded stays so, with the new members at its end. What is not
    /// loaded becomes a part: the members that were added.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] with all problems, before any SQL: of the members, of an owner whose key is `NULL`, of members
    /// that contradict the association's conditions. The other errors of [`Repo::update`](crate::Repo::update). The owner and
    /// the database are as before then, and the error [gives the changeset of the owner back](Changeset::refused_by).
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// let mut posts = repo.association(&mut user, User::POSTS);
    /// posts.load().await?;
    /// let letters = ["First letter", "Second letter"].map(|title| Post::build().set(Post::TITLE, title));
    /// let (pushed, statements) = repo.count_statements(posts.push(letters)).await;
    /// pushed?;
    /// assert_eq!(statements, 1);
    /// assert_eq!(user.posts()?[4].title, "Second letter");
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn push<How>(&mut self, members: impl IntoMembers<T, How>) -> BoxFuture<'_, Result<()>>
    where
        R: OwnerMut,
        A: WritableMany<R::Owner, T>,
    {
        let change = self.owner().change().push(self.handle.association, members);
        self.handle.save(change)
    }

    /// Adds members: [`push`](Self::push).
    ///
    /// # Errors
    /// As [`push`](Self::push).
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// let other = repo.insert(Post::build().set(Post::TITLE, "Without a user")).await?;
    /// repo.association(&mut user, User::POSTS).append(&other).await?;
    /// assert_eq!(repo.association(&user, User::POSTS).count().await?, 4);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn append<How>(&mut self, members: impl IntoMembers<T, How>) -> BoxFuture<'_, Result<()>>
    where
        R: OwnerMut,
        A: WritableMany<R::Owner, T>,
    {
        self.push(members)
    }

    /// Adds a member of an association through a join model, and sets columns of the join row: [`Changeset::push_with`]. It
    /// costs what [`push`](Self::push) costs.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// let group = repo.insert(Group::build().set(Group::NAME, "Weavers")).await?;
    /// let mut groups = repo.association(&mut user, User::GROUPS);
    /// groups.push_with::<Membership, _>(&group, |membership| membership.set(Membership::ROLE, "chair")).await?;
    /// let role = repo.association(&user, User::MEMBERSHIPS).pluck(Membership::ROLE).await?;
    /// assert_eq!(role, [Some("chair".to_owned())]);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn push_with<J: Model, How>(
        &mut self,
        member: impl IntoTarget<T, How>,
        join: impl FnOnce(Changeset<J>) -> Changeset<J>,
    ) -> BoxFuture<'_, Result<()>>
    where
        R: OwnerMut,
        A: WritableMany<R::Owner, T>,
    {
        let change = self.owner().change().push_with::<T, J, A, How>(self.handle.association, member, join);
        self.handle.save(change)
    }

    /// Makes these rows the only members: [`Changeset::replace`]. The database says which members there are. Others are let go
    /// as [`delete`](Self::delete) does, before new ones are stored; members that stay keep their rows and links; new ones are
    /// inserted in the order given.
    ///
    /// Statements, loaded or not: 1 that reads which members there are, 1 that lets go, and those of [`push`](Self::push); only
    /// the first if nothing has to change. The association is loaded then, with these members in this order; in part, if it
    /// has an order or conditions other than equality.
    ///
    /// # Errors
    /// As [`push`](Self::push), and if a member cannot be let go. An association with a limit, or whose conditions depend on
    /// the owner, cannot be replaced.
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// let mut posts = repo.association(&mut user, User::POSTS);
    /// let first = posts.find(1).await?;
    /// posts.replace([first.change(), Post::build().set(Post::TITLE, "Letters")]).await?;
    /// let titles: Vec<_> = user.posts()?.iter().map(|post| &*post.title).collect();
    /// assert_eq!(titles, ["Looms", "Letters"]);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn replace<How>(&mut self, members: impl IntoMembers<T, How>) -> BoxFuture<'_, Result<()>>
    where
        R: OwnerMut,
        A: WritableMany<R::Owner, T>,
    {
        let change = self.owner().change().replace(self.handle.association, members);
        self.handle.save(change)
    }

    /// Lets members go, by the association's `dependent`: they lose their owner's key, or are deleted, or destroyed. Behind a
    /// join table the links go, and the rows stay. See [`Changeset::remove`].
    ///
    /// Statements, loaded or not: 1 that reads whether they are members, and 1 that writes; with `dependent = "destroy"` those
    /// of a [destroy](crate::Repo::destroy).
    ///
    /// # Errors
    /// [`ErrorKind::NotMember`] if one of them is no member, or is another owner's; [`ErrorKind::Stale`] if the stored row has
    /// another `lock_version`; [`ErrorKind::Invalid`] if the key of the owner cannot be `NULL`; [`ErrorKind::Restricted`]. Nothing is
    /// written then, and the owner stays as it is.
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// let mut posts = repo.association(&mut user, User::POSTS);
    /// let two = posts.take(2).await?;
    /// posts.delete(&two).await?;
    /// assert_eq!(posts.ids().await?, [3]);
    /// // The rows stay, without an owner.
    /// assert_eq!(repo.count(Query::filter(Post::USER_ID.is_null())).await?, 2);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn delete<How>(&mut self, members: impl IntoRows<T, How>) -> BoxFuture<'_, Result<()>>
    where
        R: OwnerMut,
        A: WritableMany<R::Owner, T>,
    {
        let change = self.without(members);
        self.handle.save(change)
    }

    /// Destroys members, whatever the association's `dependent` says, with their callbacks and what depends on them. Behind a
    /// join table the rows between are destroyed, and the members stay. See [`Changeset::mark_for_destruction`].
    ///
    /// Statements, loaded or not: 1 that reads whether they are members, and those of a [destroy](crate::Repo::destroy).
    ///
    /// # Errors
    /// [`ErrorKind::NotMember`] if one of them is no member, or is another owner's; [`ErrorKind::Stale`] if the stored row has
    /// another `lock_version`; [`ErrorKind::Restricted`]; the errors of [`Repo::destroy`](crate::Repo::destroy). Nothing is written
    /// then, and the owner stays as it is.
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// let mut posts = repo.association(&mut user, User::POSTS);
    /// let first = posts.find(1).await?;
    /// posts.destroy(&first).await?;
    /// assert_eq!(repo.count(Query::<Post>::new()).await?, 2);
    /// assert!(posts.destroy(&first).await.is_err(), "it is no member any longer");
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn destroy<How>(&mut self, members: impl IntoRows<T, How>) -> BoxFuture<'_, Result<()>>
    where
        R: OwnerMut,
        A: WritableMany<R::Owner, T>,
    {
        let change = self.destroying(members);
        self.handle.save(change)
    }

    /// Removes all members by one UPDATE or DELETE, and returns how many there were: they lose their owner's key, or are deleted
    /// where `dependent` is `"delete"` or `"destroy"`. No callback runs, neither of the members nor of the association
    /// (`before_remove`), and what depends on deleted rows stays. Behind a join table all links are deleted, and counted. See
    /// [`Changeset::clear`].
    ///
    /// Statements, loaded or not: 1 that reads which members there are, and 1 that writes. The association is loaded then, and
    /// empty.
    ///
    /// # Errors
    /// As [`replace`](Self::replace).
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_sqlite::Sqlite;
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct User { pub id: i64, #[has_many] pub posts: HasMany<Post> }
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct Post { pub id: i64, pub user_id: Option<i64> }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<User>().await?;
    /// # repo.create_table::<Post>().await?;
    /// let mut user = repo.insert(User::build().push(User::POSTS, [Post::build(), Post::build()])).await?;
    /// assert_eq!(repo.association(&mut user, User::POSTS).delete_all().await?, 2);
    /// assert!(user.posts()?.is_empty());
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn delete_all(&mut self) -> BoxFuture<'_, Result<u64>>
    where
        R: OwnerMut,
        A: WritableMany<R::Owner, T>,
    {
        let change = self.owner().change().clear::<T, _>(self.handle.association);
        self.handle.save_counted(change, Firing::Callbacks)
    }

    /// Removes all members, as [`delete_all`](Self::delete_all) does and at its cost.
    ///
    /// # Errors
    /// As [`delete_all`](Self::delete_all).
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// repo.association(&mut user, User::POSTS).clear().await?;
    /// assert!(user.posts()?.is_empty());
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn clear(&mut self) -> BoxFuture<'_, Result<()>>
    where
        R: OwnerMut,
        A: WritableMany<R::Owner, T>,
    {
        let deleting = self.delete_all();
        Box::pin(async move { deleting.await.map(|_| ()) })
    }

    /// Destroys all members as [`destroy`](Self::destroy) does, and answers how many there were. All of it is one transaction.
    ///
    /// Statements, loaded or not: 1 that reads the members, and those of [`destroy`](Self::destroy).
    ///
    /// # Errors
    /// As [`destroy`](Self::destroy). An association with a limit or groups is refused, because it never has all rows of its
    /// owner.
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// assert_eq!(repo.association(&mut user, User::POSTS).destroy_all().await?, 3);
    /// assert_eq!(repo.count(Query::<Post>::new()).await?, 0);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn destroy_all(&mut self) -> BoxFuture<'_, Result<u64>>
    where
        R: OwnerMut,
        A: WritableMany<R::Owner, T>,
    {
        Box::pin(async move {
            let definition = self.reflection();
            // An owner without a key is refused before any SQL.
            RowChange::new_member(definition, self.owner())?;
            let limited = match own_query::<R::Owner, T>(self.handle.repo, definition, self.owner(), Query::new())? {
                OwnQuery::One(query) => query.parts.spec.limit.is_some() || query.parts.spec.offset.is_some(),
                OwnQuery::Nothing => false,
                OwnQuery::Parts(_) => true,
            };
            if limited {
                let message = format!(
                    "`{}` never has all rows of its owner, because it has a limit, an offset or groups: destroy the rows that \
                     are meant by `destroy`",
                    definition.qualified_name()
                );
                return Err(Error::invalid_query(R::Owner::DEF.name, message));
            }
            let (owner, association) = (self.owner(), self.handle.association);
            let (saved, destroyed) = self
                .handle
                .repo
                .transaction(async |tx| {
                    let members: Vec<T> = rows(tx, definition, owner, Query::new()).await?;
                    let mut change = owner.change();
                    let mut seen = HashSet::new();
                    for row in &members {
                        if T::DEF.key_of(row).is_some_and(|key| seen.insert(key)) {
                            change = change.edit(association, row.change().mark_for_destruction());
                        }
                    }
                    // They are all that the database has, and none was given.
                    Ok::<_, Error>((tx.update(change.by_keys()).await?, members.len() as u64))
                })
                .await?;
            *self.handle.owner.owner_mut() = saved;
            Ok(destroyed)
        })
    }

    /// A changeset of the owner that lets rows go.
    pub(super) fn without<How>(&self, rows: impl IntoRows<T, How>) -> Changeset<R::Owner>
    where
        A: WritableMany<R::Owner, T>,
    {
        let association = self.handle.association;
        self.of_each(rows, |change, row| change.remove(association, row))
    }

    /// A changeset of the owner that destroys rows.
    pub(super) fn destroying<How>(&self, rows: impl IntoRows<T, How>) -> Changeset<R::Owner>
    where
        A: WritableMany<R::Owner, T>,
    {
        let association = self.handle.association;
        self.of_each(rows, |change, row| change.edit(association, row.change().mark_for_destruction()))
    }

    // A changeset of the owner that says something of each given row.
    fn of_each<How>(
        &self,
        rows: impl IntoRows<T, How>,
        say: impl Fn(Changeset<R::Owner>, &T) -> Changeset<R::Owner>,
    ) -> Changeset<R::Owner> {
        let mut change = Some(self.owner().change());
        rows.each_row(&mut |row| change = change.take().map(|change| say(change, row)));
        change.unwrap_or_else(|| self.owner().change())
    }
}
