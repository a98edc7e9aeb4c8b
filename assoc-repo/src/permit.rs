//! What of the input from outside of the program may become a changeset.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use assoc_core::change::{PermitDef, RowChange, UnknownKeys};
use assoc_core::metadata::AssociationDef;
use assoc_core::{Association, BelongsTo, Column, ColumnType, Input, IntoInput, Limits, Model, ToOne};

use crate::changeset::{Changeset, Clearable};

#[cfg(doc)]
use assoc_core::{ErrorKind, Rules};

/// What of some input may become values of a row of model `M`, and members of its associations: everything else of the
/// input is ignored. Nothing is permitted that is not named: no key, no foreign key, no discriminator, no column that the
/// library fills in.
///
/// [`permit!`](crate::permit) writes it shorter.
///
/// ```
/// # use assoc_repo::prelude::*;
/// # use assoc_repo::Permit;
/// # #[derive(Model, Debug, Clone)]
/// # pub struct User { pub id: i64, pub name: String, pub is_admin: bool, #[has_many] pub posts: HasMany<Post> }
/// # #[derive(Model, Debug, Clone)]
/// # pub struct Post { pub id: i64, pub user_id: i64, pub title: String }
/// let posts = Permit::new().column(Post::TITLE).allow_destroy().reject_all_blank().limit(20);
/// let permit = Permit::new().column(User::NAME).nested(User::POSTS, posts);
/// let form = [("name", "Ada"), ("is_admin", "1"), ("posts[0][title]", "On engines"), ("posts[1][title]", "")];
/// let draft = User::cast(form, &permit);
/// assert_eq!(draft.value_of(User::NAME), Some(&Value::from("Ada")));
/// assert_eq!(draft.value_of(User::IS_ADMIN), None);
/// ```
#[must_use]
pub struct Permit<M> {
    def: PermitDef,
    model: PhantomData<fn() -> M>,
}

impl<M> Clone for Permit<M> {
    fn clone(&self) -> Self {
        Permit { def: self.def.clone(), model: PhantomData }
    }
}

impl<M> Default for Permit<M> {
    fn default() -> Self {
        Permit::new()
    }
}

impl<M> fmt::Debug for Permit<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.def, f)
    }
}

impl<M> Permit<M> {
    /// Nothing is permitted.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// use assoc_repo::Permit;
    ///
    /// let draft = Post::cast([("title", "Cards")], &Permit::new());
    /// assert_eq!(draft.value_of(Post::TITLE), None);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn new() -> Self {
        Permit { def: PermitDef::new(), model: PhantomData }
    }

    /// Reports keys that are not permitted as problems, with their paths. Without it they are ignored.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// use assoc_repo::Permit;
    ///
    /// let permit = Permit::new().column(Post::TITLE).report_unknown();
    /// let draft = Post::cast([("title", "Cards"), ("stars", "5")], &permit);
    /// assert_eq!(draft.errors()[0].path, "stars");
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn report_unknown(mut self) -> Self {
        self.def.unknown = UnknownKeys::Reported;
        self
    }

    /// Sets how large the input may be. What counts are the limits of the permit that is given to `cast`.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// use assoc_repo::{Limits, Permit};
    ///
    /// let permit = Permit::new().column(Post::TITLE).limits(Limits::new().bytes(100));
    /// assert!(Post::cast([("title", "Cards")], &permit).errors().is_empty());
    /// assert!(!Post::cast([("title", "Cards ".repeat(100))], &permit).errors().is_empty());
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn limits(mut self, limits: Limits) -> Self {
        self.def.limits = limits;
        self
    }

    /// Lets entries of members say `_destroy: true`. A member that holds its owner's key is destroyed, with what depends on
    /// it; a member to which other rows lead is unlinked ([`Changeset::remove`]); the target of a `belongs_to` is dissociated
    /// ([`Changeset::dissociate`]). Entries without a key are left out then.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// use assoc_repo::Permit;
    ///
    /// let permit = Permit::new().nested(User::POSTS, Permit::new().allow_destroy());
    /// let form = [("posts[0][id]", "1"), ("posts[0][_destroy]", "true")];
    /// repo.update(user.change().cast(form, &permit)).await?;
    /// assert!(repo.get::<Post>(1, Query::new()).await?.is_none());
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn allow_destroy(mut self) -> Self {
        self.def.members.allow_destroy = true;
        self
    }

    /// Changes the target of an association to one in place, whatever key the entry names, and builds one if there is
    /// none. Without it an entry without key replaces the target.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// use assoc_repo::Permit;
    ///
    /// let account = Permit::new().column(Account::NUMBER).update_only();
    /// let permit = Permit::new().nested(User::ACCOUNT, account);
    /// repo.update(user.change().cast([("account[number]", "2")], &permit)).await?;
    /// let accounts = repo.all(Query::<Account>::new()).await?;
    /// assert_eq!((accounts[0].id, &*accounts[0].number), (1, "2"));
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn update_only(mut self) -> Self {
        self.def.members.update_only = true;
        self
    }

    /// Refuses more entries of members at a time than this.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// use assoc_repo::Permit;
    ///
    /// let permit = Permit::new().nested(User::POSTS, Permit::new().column(Post::TITLE).limit(1));
    /// assert!(User::cast([("posts[0][title]", "Cards")], &permit).errors().is_empty());
    /// let form = [("posts[0][title]", "Cards"), ("posts[1][title]", "Drums")];
    /// assert!(!User::cast(form, &permit).errors().is_empty());
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn limit(mut self, entries: usize) -> Self {
        self.def.members.limit = Some(entries);
        self
    }

    /// Leaves out entries of members for which a function answers `true`. An entry that takes its member away is not asked
    /// about.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// use assoc_repo::{Input, Permit};
    ///
    /// let posts = Permit::new()
    ///     .column(Post::TITLE)
    ///     .column(Post::STARS)
    ///     .reject_if(|post| post.get("title").is_none_or(Input::is_blank));
    /// let permit = Permit::new().nested(User::POSTS, posts);
    /// let form = [("posts[0][title]", "Cards"), ("posts[1][title]", ""), ("posts[1][stars]", "5")];
    /// assert_eq!(repo.insert(User::cast(form, &permit)).await?.posts()?.len(), 1);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn reject_if(mut self, reject: impl Fn(&Input) -> bool + Send + Sync + 'static) -> Self {
        self.def.members.reject_if.push(Arc::new(reject));
        self
    }

    /// Leaves out entries of members in which everything is blank, as the empty last line of a form is.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// use assoc_repo::Permit;
    ///
    /// let posts = Permit::new().column(Post::TITLE).reject_all_blank();
    /// let permit = Permit::new().nested(User::POSTS, posts);
    /// let form = [("posts[0][title]", "Cards"), ("posts[1][title]", "")];
    /// assert_eq!(repo.insert(User::cast(form, &permit)).await?.posts()?.len(), 1);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn reject_all_blank(self) -> Self {
        self.reject_if(Input::is_blank)
    }

    /// Permits the acceptance of something that is not stored, for a rule of [`acceptance`](Rules::acceptance). If the input
    /// does not say `true`, it is not accepted.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// use assoc_repo::Permit;
    ///
    /// let permit = Permit::new().column(Post::TITLE).acceptance("terms");
    /// let draft = Post::cast([("title", "Cards")], &permit).rules(|rules| rules.acceptance("terms"));
    /// assert_eq!(draft.errors()[0].path, "terms");
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn acceptance(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.def.acceptance(name);
        self
    }
}

impl<M: Model> Permit<M> {
    /// Permits a column, under its field's name.
    ///
    /// A `#[column(lock_version)]` is the version of the row that the input was made from: it is not written, and saving fails
    /// with [`ErrorKind::Stale`] if the row has another version by then. Of a new row it says nothing.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// use assoc_repo::Permit;
    ///
    /// let permit = Permit::new().column(Post::TITLE);
    /// let draft = Post::cast([("title", "Cards"), ("stars", "5")], &permit);
    /// assert_eq!(draft.value_of(Post::TITLE), Some(&Value::from("Cards")));
    /// assert_eq!(draft.value_of(Post::STARS), None);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn column<V: ColumnType>(self, column: Column<M, V>) -> Self {
        self.column_as(M::DEF.columns[column.index()].field, column)
    }

    /// Permits a column under another key: `column_as("userName", User::NAME)`.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// use assoc_repo::Permit;
    ///
    /// let permit = Permit::new().column_as("headline", Post::TITLE);
    /// let draft = Post::cast([("headline", "Cards")], &permit);
    /// assert_eq!(draft.value_of(Post::TITLE), Some(&Value::from("Cards")));
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn column_as<V: ColumnType>(mut self, key: impl Into<Cow<'static, str>>, column: Column<M, V>) -> Self {
        self.def.column::<V>(key, column.index());
        self
    }

    /// Permits the second entry of a column's value, under `password_confirmation`, for a rule of
    /// [`confirmation`](Rules::confirmation).
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// use assoc_repo::Permit;
    ///
    /// let permit = Permit::new().column(Post::TITLE).confirmation(Post::TITLE);
    /// let form = [("title", "Cards"), ("title_confirmation", "Crads")];
    /// let draft = Post::cast(form, &permit).rules(|rules| rules.confirmation(Post::TITLE));
    /// assert_eq!(draft.errors()[0].path, "title_confirmation");
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn confirmation<V: ColumnType>(mut self, column: Column<M, V>) -> Self {
        self.def.confirmation::<V>(M::DEF.columns[column.index()].field, column.index());
        self
    }

    /// Permits members of an association, or its target, under the association's name, and of them what `permit` says.
    ///
    /// An entry without the key of a row is a new member. An entry with one changes that member, if it is the owner's;
    /// saving fails with [`ErrorKind::NotMember`] otherwise. A key that `permit` permits as a column is the key of a new
    /// row.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// use assoc_repo::Permit;
    ///
    /// let permit = Permit::new().nested(User::POSTS, Permit::new().column(Post::TITLE));
    /// let form = [("posts[0][title]", "Cards"), ("posts[1][title]", "Drums")];
    /// assert_eq!(repo.insert(User::cast(form, &permit)).await?.posts()?[1].title, "Drums");
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn nested<T: Model, How>(self, association: impl NestedIn<M, T, How>, permit: Permit<T>) -> Self {
        let name = association.association().name;
        self.nested_as(name, association, permit)
    }

    /// As [`nested`](Self::nested), under another key: `posts_attributes`.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// use assoc_repo::Permit;
    ///
    /// let posts = Permit::new().column(Post::TITLE);
    /// let permit = Permit::new().nested_as("posts_attributes", User::POSTS, posts);
    /// let draft = User::cast([("posts_attributes[0][title]", "Cards")], &permit);
    /// assert_eq!(repo.insert(draft).await?.posts()?[0].title, "Cards");
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn nested_as<T: Model, How>(
        mut self,
        key: impl Into<Cow<'static, str>>,
        association: impl NestedIn<M, T, How>,
        permit: Permit<T>,
    ) -> Self {
        self.def.nested(key, association.association(), permit.def);
        self
    }

    pub(crate) fn cast(&self, change: &mut RowChange, input: impl IntoInput) {
        match input.into_input(self.def.limits) {
            Ok(input) => change.cast(&input, &self.def),
            Err(error) => change.add_input_error(error),
        }
    }
}

/// An association whose members input may name: one that can be written, to rows of one model.
#[diagnostic::on_unimplemented(
    message = "input cannot name members of this field",
    label = "a column, or an association that is read-only or polymorphic",
    note = "a column has no members: its name alone permits it, `permit!(User {{ name }})`",
    note = "a polymorphic `belongs_to` does not say of which model a new target is: cast the target by itself and give it with \
            `associate`",
    note = "a `has_many through` can be written where it goes through a `has_many` whose rows belong to both owner and member"
)]
pub trait NestedIn<O, T, How> {
    /// The association as data.
    #[doc(hidden)]
    fn association(&self) -> &'static AssociationDef;
}

/// An association whose members hold the owner's key, or are linked by other rows.
#[doc(hidden)]
pub struct OfMembers<How>(PhantomData<How>);

/// An association whose key the owner holds.
#[doc(hidden)]
pub struct OfOwner(());

#[diagnostic::do_not_recommend]
impl<O, T: Model, How, A: Clearable<O, T, How>> NestedIn<O, T, OfMembers<How>> for A {
    fn association(&self) -> &'static AssociationDef {
        Clearable::association(self)
    }
}

#[diagnostic::do_not_recommend]
impl<O, T: Model, S: ToOne<Target = T>> NestedIn<O, T, OfOwner> for Association<O, T, BelongsTo<S>> {
    fn association(&self) -> &'static AssociationDef {
        (*self).def()
    }
}

impl<M: Model> Changeset<M> {
    /// Takes what is permitted of some input: JSON, the fields of a form, or an [`Input`] of any other format.
    ///
    /// Text is converted to numbers, booleans, dates, decimals, UUIDs and the program's types. What is missing stays as it
    /// is; `null`, and the empty field of a form, are `NULL`. A value of a wrong type is a problem of its field, and saving
    /// fails with all of them.
    ///
    /// Members that exist are named by their keys and found when the changeset is saved. It costs nothing for members that
    /// the row has loaded, and otherwise 1 statement per association and level (2 over a join table), before all rules are
    /// run. That they are the owner's is checked again by the save.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_repo::Permit;
    /// # use assoc_sqlite::Sqlite;
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct User { pub id: i64, pub name: String, #[has_many] pub posts: HasMany<Post> }
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct Post { pub id: i64, pub user_id: i64, pub title: String }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<User>().await?;
    /// # repo.create_table::<Post>().await?;
    /// # let draft = User::build().set(User::NAME, "Ada").push(User::POSTS, Post::build().set(Post::TITLE, "On engines"));
    /// # let ada = repo.insert(draft).await?;
    /// let permit = Permit::new().nested(User::POSTS, Permit::new().column(Post::TITLE));
    /// let fields = [("posts[0][id]", "1"), ("posts[0][title]", "On looms"), ("posts[1][title]", "New")];
    /// let ada = repo.update(ada.change().cast(fields, &permit)).await?;
    /// assert_eq!(repo.count(Query::<Post>::new()).await?, 2);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn cast(self, input: impl IntoInput, permit: &Permit<M>) -> Self {
        let mut change = self.into_row_change();
        permit.cast(&mut change, input);
        Changeset::from_row_change(change)
    }
}
