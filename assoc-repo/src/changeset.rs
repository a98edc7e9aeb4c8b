//! Changesets: values to write. A struct is always a row that the database returned; a row that is not saved yet, or
//! not yet in this form, is a [`Changeset`]. So "new record" is a type, not a guess from the primary key.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use assoc_core::change::{ChildOp, Given, Member, RowChange};
use assoc_core::metadata::Cardinality;
use assoc_core::{Association, BelongsTo, Column, ColumnType, IntoColumn, Model, ToOne, Value};

mod begin;
mod build;
mod changed;
mod into_changeset;
mod problems;
mod read_only;
mod target;
mod writable;

pub use begin::ModelExt;
pub use build::__build;
pub use into_changeset::IntoChangeset;
pub(crate) use read_only::{refuse_read_only, refuse_read_only_row};
pub use target::{IntoMembers, IntoTarget, SharedDraft};
pub use writable::{Clearable, WritableMany, WritableOne};

/// Values to write to a row of model `M`: a new row ([`ModelExt::build`]) or an existing one ([`ModelExt::change`]). It
/// is the typed face of a [`RowChange`].
///
/// The changeset is checked when it is saved, because a later call may replace what an earlier one set. The check
/// reports all problems at once: [`errors`](Changeset::errors).
#[must_use = "a changeset does nothing until a repo inserts or updates it"]
pub struct Changeset<M> {
    row: RowChange,
    model: PhantomData<fn() -> M>,
}

impl<M> Clone for Changeset<M> {
    fn clone(&self) -> Self {
        Changeset { row: self.row.clone(), model: PhantomData }
    }
}

impl<M> fmt::Debug for Changeset<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.row, f)
    }
}

impl<M> Changeset<M> {
    pub(crate) fn from(row: RowChange) -> Self {
        Changeset { row, model: PhantomData }
    }

    pub(crate) fn from_row_change(row: RowChange) -> Self {
        Changeset::from(row)
    }

    // The members that go were named by their keys: their versions are not compared.
    pub(crate) fn by_keys(mut self) -> Self {
        self.row.members_by_keys();
        self
    }
}

impl<M: Model> Changeset<M> {
    /// Sets a column. An `Option` column also takes the bare value, and a `String` column a `&str`.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let post = Post::build().set(Post::TITLE, "Letters").set(Post::USER_ID, 1);
    /// assert_eq!(repo.insert(post).await?.user_id, Some(1));
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn set<V: ColumnType>(mut self, column: Column<M, V>, value: impl IntoColumn<V>) -> Self {
        self.row.set(column.index(), value.into_column().into_value());
        self
    }

    /// Makes the row belong to `target`: copies its key into the foreign key. A target that is given as a changeset is saved
    /// first, in the same save, and is loaded in the row that comes back.
    ///
    /// A polymorphic association takes a row of any of its models, or a value of its enum, and sets the type with the
    /// key. Saving fails if the target's key is `NULL`, or if another association of the changeset needs another value
    /// of the same column.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct Post { pub id: i64 }
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct Photo { pub id: i64 }
    /// #[derive(Polymorphic, Debug, Clone)]
    /// pub enum Subject {
    ///     Post(Post),
    ///     Photo(Photo),
    /// }
    ///
    /// #[derive(Model, Debug, Clone)]
    /// pub struct Note {
    ///     pub id: i64,
    ///     pub subject_id: i64,
    ///     pub subject_type: String,
    ///     #[belongs_to(polymorphic)]
    ///     pub subject: BelongsTo<Subject>,
    /// }
    ///
    /// let photo = Photo { id: 7 };
    /// let note = Note::build().associate(Note::SUBJECT, &photo);
    /// assert_eq!(note.value_of(Note::SUBJECT_TYPE), Some(&Value::from("Photo")));
    /// let same = Note::build().associate(Note::SUBJECT, &Subject::Photo(photo));
    /// assert_eq!(same.value_of(Note::SUBJECT_ID), Some(&Value::from(7)));
    /// ```
    pub fn associate<T, S: ToOne<Target = T>, How>(
        mut self,
        association: Association<M, T, BelongsTo<S>>,
        target: impl IntoTarget<T, How>,
    ) -> Self {
        target.visit(&mut |given| match given {
            // Only the key is needed of a row.
            Given::Row(model, row) => self.row.associate(association.def(), model, row),
            Given::Member(Member::Row { model, row }) => self.row.associate(association.def(), model, &*row),
            given => {
                if let Some(target) = given.into_member() {
                    self.row.associate_with(association.def(), target);
                }
            }
        });
        self
    }

    /// As [`associate`](Self::associate), and the target is loaded in the row that comes back, also if it exists already.
    pub(crate) fn associate_loaded<T, S: ToOne<Target = T>, How>(
        mut self,
        association: Association<M, T, BelongsTo<S>>,
        target: impl IntoTarget<T, How>,
    ) -> Self {
        target.visit(&mut |given| {
            if let Some(target) = given.into_member() {
                self.row.associate_with(association.def(), target);
            }
        });
        self
    }

    /// Makes the row belong to no row: clears the foreign key, and the type of a polymorphic association.
    ///
    /// Of a key of several columns it clears those that can be `NULL`, are not part of the row's primary key and are
    /// used by no other association. Saving fails if there is no such column, or if the association is not optional,
    /// unless a later call sets the key again.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let post = repo.get_or_fail::<Post>(1, Query::new()).await?;
    /// let post = repo.update(post.change().dissociate(Post::USER)).await?;
    /// assert_eq!(post.user_id, None);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn dissociate<T, S: ToOne<Target = T>>(mut self, association: Association<M, T, BelongsTo<S>>) -> Self {
        self.row.dissociate(association.def());
        self
    }

    /// Adds members to a list association: rows, changesets, or iterators of them. Saving the changeset links each of
    /// them, and inserts new ones in the order given. Over a join table, a row that is pushed twice is linked twice. A row
    /// that contains its owner's key moves from its previous owner to this one.
    ///
    /// New members take the values that the association's conditions require (`published = true`). Saving fails if a member
    /// contradicts these conditions.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_sqlite::Sqlite;
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct User { pub id: i64, pub name: String, #[has_many] pub posts: HasMany<Post> }
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct Post { pub id: i64, pub user_id: i64, pub title: String }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<User>().await?;
    /// # repo.create_table::<Post>().await?;
    /// let titles = ["On engines", "On looms"];
    /// let draft = User::build().set(User::NAME, "Ada").push(User::POSTS, titles.map(|title| Post::build().set(Post::TITLE, title)));
    /// let ada = repo.insert(draft).await?;
    /// assert_eq!(ada.posts()?[1].user_id, ada.id);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn push<T: Model, How>(
        mut self,
        association: impl WritableMany<M, T>,
        members: impl IntoMembers<T, How>,
    ) -> Self {
        let association = association.association();
        members.each(&mut |given, more| {
            if let Some(member) = given.into_member() {
                self.row.push_member(association, member, more);
            }
        });
        self
    }

    /// Adds a member of an association through a join model. `join` sets the columns of the join row beside its two keys.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let group = repo.insert(Group::build().set(Group::NAME, "Weavers")).await?;
    /// let chair = |membership: assoc_repo::Changeset<Membership>| membership.set(Membership::ROLE, "chair");
    /// repo.update(user.change().push_with(User::GROUPS, &group, chair)).await?;
    /// let role = repo.association(&user, User::MEMBERSHIPS).pluck(Membership::ROLE).await?;
    /// assert_eq!(role, [Some("chair".to_owned())]);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn push_with<T: Model, J: Model, A: WritableMany<M, T>, How>(
        mut self,
        association: A,
        target: impl IntoTarget<T, How>,
        join: impl FnOnce(Changeset<J>) -> Changeset<J>,
    ) -> Self {
        let association = association.association();
        let mut join = Some(join);
        target.visit(&mut |given| {
            if let (Some(member), Some(join)) = (given.into_member(), join.take()) {
                let join = Some(Box::new(join(J::build()).into_row_change()));
                self.row.change_members(association, ChildOp::Push { member, join });
            }
        });
        self
    }

    /// Changes a member of an association. Saving checks in the database that the row is a member: it refuses a row of
    /// another owner, which stays unchanged.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let post = repo.get_or_fail::<Post>(1, Query::new()).await?;
    /// repo.update(user.change().edit(User::POSTS, post.change().set(Post::STARS, 4))).await?;
    /// assert_eq!(repo.association(&user, User::POSTS).find(post.id).await?.stars, 4);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn edit<T: Model, How>(mut self, association: impl Clearable<M, T, How>, change: Changeset<T>) -> Self {
        self.row.change_members(association.association(), ChildOp::Edit(Box::new(change.row)));
        self
    }

    /// Removes a member from an association. The row itself stays: saving clears its owner's key, or deletes the links to
    /// it in a join table. Saving refuses a row of another owner, and one that has another `lock_version` by then.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let post = repo.get_or_fail::<Post>(1, Query::new()).await?;
    /// let user = repo.update(user.change().remove(User::POSTS, &post)).await?;
    /// assert_eq!(repo.association(&user, User::POSTS).count().await?, 2);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn remove<T: Model, How>(mut self, association: impl Clearable<M, T, How>, row: &T) -> Self {
        self.row.change_members(association.association(), ChildOp::Remove(Arc::new(row.bare())));
        self
    }

    /// Makes these rows the only members of an association. Saving reads the present members from the database and removes
    /// the others before it stores new ones. Members that stay keep their rows and their links. This call replaces all
    /// earlier operations on the association.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let letters = Post::build().set(Post::TITLE, "Letters");
    /// let user = repo.update(user.change().replace(User::POSTS, letters)).await?;
    /// assert_eq!(user.posts()?.len(), 1);
    /// assert_eq!(repo.count(Query::filter(Post::USER_ID.is_null())).await?, 3);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn replace<T: Model, How>(
        mut self,
        association: impl WritableMany<M, T>,
        members: impl IntoMembers<T, How>,
    ) -> Self {
        let mut all = Vec::new();
        members.each(&mut |given, _| all.extend(given.into_member()));
        self.row.change_members(association.association(), ChildOp::Replace(all));
        self
    }

    /// Makes a row the target of a `has_one`. Saving first removes another target that the owner has in the database.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let account = Account::build().set(Account::NUMBER, "2");
    /// let user = repo.update(user.change().set_one(User::ACCOUNT, account)).await?;
    /// assert_eq!(user.account()?.map(|account| &*account.number), Some("2"));
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn set_one<T, How>(mut self, association: impl WritableOne<M, T>, target: impl IntoTarget<T, How>) -> Self {
        let mut one = Vec::new();
        target.visit(&mut |given| one.extend(given.into_member()));
        self.row.change_members(association.association(), ChildOp::Replace(one));
        self
    }

    /// Removes all members of an association when the changeset is saved. Members of an association to many are let go by
    /// one plain statement: no callback runs, and with `dependent = "destroy"` the rows are deleted, without what depends on
    /// them. To destroy them, [`replace`](Self::replace) them by none. The target of a `has_one` is let go as
    /// [`set_one`](Self::set_one) does.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let user = repo.update(user.change().clear(User::POSTS).clear(User::ACCOUNT)).await?;
    /// assert!(user.posts()?.is_empty() && user.account()?.is_none());
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn clear<T, How>(mut self, association: impl Clearable<M, T, How>) -> Self {
        let association = association.association();
        let op = match association.kind.cardinality() {
            Cardinality::Many => ChildOp::Clear,
            Cardinality::One => ChildOp::Replace(Vec::new()),
        };
        self.row.change_members(association, op);
        self
    }

    /// Marks the row to be destroyed when the row is saved whose member it is: give this changeset to [`edit`](Self::edit)
    /// of the owner's changeset. The row is destroyed in the same transaction, before anything is inserted, with its
    /// callbacks and what depends on it, whatever the association's `dependent` says; of a member behind a join table, the
    /// rows between. What else was said of it is not looked at, and need not be valid. A row that has another `lock_version` by
    /// then is refused.
    ///
    /// An association with `autosave = false` refuses it, and so does everything but `edit`.
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
    /// let draft = User::build().push(User::POSTS, ["a", "b"].map(|title| Post::build().set(Post::TITLE, title)));
    /// let user = repo.insert(draft).await?;
    /// let first = user.posts()?[0].change().mark_for_destruction();
    /// let user = repo.update(user.change().edit(User::POSTS, first)).await?;
    /// assert_eq!(user.posts()?.len(), 1);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn mark_for_destruction(mut self) -> Self {
        self.row.mark_for_destruction();
        self
    }

    /// Whether the row is [marked](Self::mark_for_destruction) to be destroyed.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let post = repo.get_or_fail::<Post>(1, Query::new()).await?;
    /// assert!(post.change().mark_for_destruction().is_marked_for_destruction());
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn is_marked_for_destruction(&self) -> bool {
        self.row.is_marked_for_destruction()
    }

    /// Whether saving inserts a row, rather than changing one that exists.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// assert!(Post::build().is_new() && !user.change().is_new());
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.row.is_new()
    }

    /// This changeset as one new row that several associations can share. Saving inserts it once.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// // One new group for two memberships.
    /// let group = Group::build().set(Group::NAME, "Weavers").shared();
    /// let member = || Membership::build().associate(Membership::GROUP, &group);
    /// let user = repo.update(user.change().push(User::MEMBERSHIPS, [member(), member()])).await?;
    /// let members = user.memberships()?;
    /// assert_eq!(members[0].group_id, members[1].group_id);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn shared(self) -> SharedDraft<M> {
        SharedDraft::new(self.row)
    }

    /// The value set for a column, if there is one.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let draft = Post::build().set(Post::TITLE, "Cards");
    /// assert_eq!(draft.value_of(Post::TITLE), Some(&Value::from("Cards")));
    /// assert_eq!(draft.value_of(Post::STARS), None);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn value_of<V: ColumnType>(&self, column: Column<M, V>) -> Option<&Value<'static>> {
        self.row.values().get(column.index())?.as_ref()
    }

    /// Whether saving would write a column.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let post = repo.get_or_fail::<Post>(1, Query::new()).await?; // it has 5 stars
    /// assert!(!post.change().set(Post::STARS, 5).has_changes());
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn has_changes(&self) -> bool {
        self.row.has_changes()
    }

    /// The change without the model's type.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let draft = Post::build().set(Post::TITLE, "Cards");
    /// assert_eq!(draft.as_row_change().model().name, "Post");
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn as_row_change(&self) -> &RowChange {
        &self.row
    }

    /// The change without the model's type, by value.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let change = Post::build().set(Post::TITLE, "Cards").into_row_change();
    /// assert!(change.is_new() && change.has_changes());
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn into_row_change(self) -> RowChange {
        self.row
    }
}
