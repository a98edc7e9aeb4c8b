//! Writing the target of an association to one.

use assoc_core::change::RowChange;
use assoc_core::driver::BoxFuture;
use assoc_core::{Association, BelongsTo, Error, HasOne, Model, Result, TargetRow, Through, ToOne};

use super::Singular;
use crate::association_handle::{OwnerMut, OwnerRef, ToOneAssociation};
use crate::changeset::{Changeset, IntoChangeset, IntoTarget, ModelExt};

#[cfg(doc)]
use assoc_core::ErrorKind;

mod sealed {
    use assoc_core::{Association, BelongsTo, HasOne, Through, ToOne};

    pub trait WritableTarget {}
    impl<O, T, S: ToOne<Target = T>> WritableTarget for Association<O, T, HasOne<S>> {}
    impl<O, T, S: ToOne<Target = T>> WritableTarget for Association<O, T, Through<HasOne<S>, true>> {}
    impl<O, T, S: ToOne<Target = T>> WritableTarget for Association<O, T, BelongsTo<S>> {}
}

/// An association to one whose target can be written: a `belongs_to`, a `has_one`, and a `has_one through` a `has_one` whose
/// row belongs to both owner and target.
#[diagnostic::on_unimplemented(
    message = "the target of this association cannot be written",
    label = "read-only: there is no single row that links the target to its owner",
    note = "a `has_one through` can be written where it goes through a `has_one` whose row belongs to both owner and target; otherwise write the association that it goes through"
)]
pub trait WritableTarget<O, T>: sealed::WritableTarget {
    /// A change of the owner that makes a row its target.
    #[doc(hidden)]
    fn set<How>(self, owner: Changeset<O>, target: impl IntoTarget<T, How>) -> Changeset<O>;

    /// A change of the owner after which it has no target.
    #[doc(hidden)]
    fn clear(self, owner: Changeset<O>) -> Changeset<O>;
}

/// A target whose rows are of one model, so that a new one can be built: every target but that of a polymorphic `belongs_to`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` stands for rows of several models, so the compiler cannot know the model of a new row",
    label = "which model?",
    note = "build a row of one of them, and give it to `set`: `repo.association(&mut note, Note::SUBJECT).set(Photo::build())`"
)]
pub trait SingleModel: Model {}

#[diagnostic::do_not_recommend]
impl<T: Model> SingleModel for T {}

impl<O: Model, T, S: ToOne<Target = T>> WritableTarget<O, T> for Association<O, T, HasOne<S>> {
    fn set<How>(self, owner: Changeset<O>, target: impl IntoTarget<T, How>) -> Changeset<O> {
        owner.set_one(self, target)
    }

    fn clear(self, owner: Changeset<O>) -> Changeset<O> {
        owner.clear(self)
    }
}

impl<O: Model, T, S: ToOne<Target = T>> WritableTarget<O, T> for Association<O, T, Through<HasOne<S>, true>> {
    fn set<How>(self, owner: Changeset<O>, target: impl IntoTarget<T, How>) -> Changeset<O> {
        owner.set_one(self, target)
    }

    fn clear(self, owner: Changeset<O>) -> Changeset<O> {
        owner.clear(self)
    }
}

impl<O: Model, T, S: ToOne<Target = T>> WritableTarget<O, T> for Association<O, T, BelongsTo<S>> {
    fn set<How>(self, owner: Changeset<O>, target: impl IntoTarget<T, How>) -> Changeset<O> {
        owner.associate_loaded(self, target)
    }

    fn clear(self, owner: Changeset<O>) -> Changeset<O> {
        owner.dissociate(self)
    }
}

impl<R: OwnerRef, T: TargetRow, A: ToOneAssociation<R::Owner, T>> Singular<'_, R, T, A> {
    /// A changeset of a new target: of a `has_one` with the owner's key and type, and with the values that the association's
    /// conditions require by `=`. It unlinks nothing and costs no statement: give it to [`set`](Self::set) or
    /// [`create`](Self::create).
    ///
    /// A polymorphic `belongs_to` has no single model to build: build a row of one of its models, and give it to `set`.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] if the key of the owner of a `has_one` is `NULL`.
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// let draft = repo.association(&user, User::ACCOUNT).build()?;
    /// assert_eq!(draft.value_of(Account::USER_ID), Some(&Value::from(user.id)));
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn build(&self) -> Result<Changeset<T>>
    where
        T: SingleModel,
        A: WritableTarget<R::Owner, T>,
    {
        Ok(Changeset::from(RowChange::new_member(self.reflection(), self.owner())?))
    }
}

impl<R: OwnerRef, T: TargetRow, A: ToOneAssociation<R::Owner, T>> Singular<'_, R, T, A> {
    /// Makes a row the target: `&row`, a changeset that is saved as well, a value of a polymorphic enum. Of a `has_one` another
    /// target is let go first, by the association's `dependent`, in the same transaction; of a `belongs_to` the owner's key is
    /// written. The target is loaded then.
    ///
    /// Statements, loaded or not: of a `has_one` 1 that reads which target there is, 1 that lets it go, and 1 that writes the
    /// new one; only the first if it is the target already. Of a `has_one through` 1 that reads the row between, 1 that makes it
    /// lead to the target, and 1 that inserts a new target; the row keeps its other columns, unless its model has callbacks or a
    /// version: then another row takes its place. Of a `belongs_to` 1 that writes the owner, and 1 that inserts a new target.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] with all problems, before any SQL; if the present target cannot be let go; the other errors of
    /// [`Repo::update`](crate::Repo::update). The owner and the database are as before then.
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// let other = repo.insert(Account::build().set(Account::NUMBER, "2")).await?;
    /// let mut account = repo.association(&mut user, User::ACCOUNT);
    /// account.set(&other).await?; // the first one loses its owner
    /// account.set(Account::build().set(Account::NUMBER, "3")).await?;
    /// assert_eq!(user.account()?.map(|account| &*account.number), Some("3"));
    /// // Of a `belongs_to`, the owner of the handle is written.
    /// let mut post = repo.insert(Post::build().set(Post::TITLE, "Letters")).await?;
    /// repo.association(&mut post, Post::USER).set(&user).await?;
    /// assert_eq!(post.user_id, Some(user.id));
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn set<How>(&mut self, target: impl IntoTarget<T, How>) -> BoxFuture<'_, Result<()>>
    where
        R: OwnerMut,
        A: WritableTarget<R::Owner, T>,
    {
        let change = self.handle.association.set(self.owner().change(), target);
        self.handle.save(change)
    }

    /// Leaves the owner without a target. Of a `has_one` it is let go by the association's `dependent`; of a `belongs_to` the
    /// owner's key is cleared, and its type. The association is loaded then, and there is no target.
    ///
    /// Statements, loaded or not: of a `has_one` 1 that reads which target there is, and 1 that lets it go; of a `belongs_to` 1,
    /// or none if the key is `NULL` already.
    ///
    /// # Errors
    /// As [`set`](Self::set); [`ErrorKind::Invalid`] if a `belongs_to` is not optional.
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// repo.association(&mut user, User::ACCOUNT).clear().await?;
    /// assert!(user.account()?.is_none());
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn clear(&mut self) -> BoxFuture<'_, Result<()>>
    where
        R: OwnerMut,
        A: WritableTarget<R::Owner, T>,
    {
        let change = self.handle.association.clear(self.owner().change());
        Box::pin(async move {
            self.handle.save(change).await?;
            // A `belongs_to` whose key is `NULL` now: loading it runs no statement.
            self.handle.load().await
        })
    }

    /// Inserts a new target, and answers with it as the database stores it. It costs what [`set`](Self::set) costs.
    ///
    /// # Errors
    /// As [`set`](Self::set). If the new target is refused, the present one stays.
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// let mut account = repo.association(&mut user, User::ACCOUNT);
    /// let created = account.create(Account::build().set(Account::NUMBER, "2")).await?;
    /// assert_eq!(created.user_id, Some(1));
    /// assert!(account.create(Account::build()).await.is_err());
    /// assert_eq!(user.account()?.map(|account| &*account.number), Some("2"));
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn create(&mut self, changeset: impl IntoChangeset<T>) -> BoxFuture<'_, Result<T>>
    where
        R: OwnerMut,
        T: SingleModel,
        A: WritableTarget<R::Owner, T>,
    {
        let changeset = changeset.into_changeset();
        let existing = changeset.as_row_change().base().is_some();
        let change = self.handle.association.set(self.owner().change(), changeset);
        Box::pin(async move {
            if existing {
                let message = "`create` takes a new row (`Account::build()`): give changes of an existing row to `set`";
                return Err(Error::invalid_query(T::DEF.name, message));
            }
            self.handle.save(change).await?;
            let created = self.target().flatten().cloned();
            created.ok_or_else(|| Error::invalid_query(T::DEF.name, "nothing was saved"))
        })
    }
}
