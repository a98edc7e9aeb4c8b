//! Changesets: values to write. A struct is always a row that the database returned; a row that is not saved yet, or
//! not yet in this form, is a [`Changeset`]. So "new record" is a type, not a guess from the primary key.

use std::borrow::Borrow;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use assoc_core::change::{RowChange, same_value};
use assoc_core::{
    Association, BelongsTo, Column, ColumnDefault, ColumnType, ErrorKind, FieldError, IntoColumn, Model, Result, ToOne,
    Value,
};

mod target;

pub use target::IntoTarget;

/// Begins changesets. The prelude exports it, so that `User::build()` and `user.change()` work.
pub trait ModelExt: Model {
    /// A changeset that inserts a new row.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct User { pub id: i64, pub name: String }
    /// let ada = User::build().set(User::NAME, "Ada");
    /// ```
    fn build() -> Changeset<Self> {
        Changeset::from(RowChange::new(Self::DEF))
    }

    /// A changeset that updates this row. The row that an update returns has the loaded associations of this one.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct User { pub id: i64, pub name: String }
    /// # fn rename(ada: User) {
    /// let renamed = ada.change().set(User::NAME, "Ada Lovelace");
    /// # }
    /// ```
    fn change(&self) -> Changeset<Self> {
        Changeset::from(RowChange::of(Self::DEF, Arc::new(self.clone())))
    }

    /// A changeset with every column in which an edited copy of this row differs from it. It compares values, so it
    /// does not notice a column that was set to the same value.
    ///
    /// Associations are not compared. A copy with another key, where the database makes the keys, is not the same row:
    /// saving fails.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_sqlite::Sqlite;
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct User { pub id: i64, pub name: String }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<User>().await?;
    /// let before = repo.insert(User::build().set(User::NAME, "Ada")).await?;
    /// let mut after = before.clone();
    /// after.name = "Ada Lovelace".to_owned();
    /// let saved = repo.update(before.change_to(&after)).await?;
    /// assert_eq!(saved.name, "Ada Lovelace");
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    fn change_to(&self, after: impl Borrow<Self>) -> Changeset<Self> {
        let after = after.borrow();
        let mut changeset = self.change();
        for (at, column) in Self::DEF.columns.iter().enumerate() {
            let value = after.value(at);
            if same_value(column, &self.value(at), &value) {
                continue;
            }
            if column.default == ColumnDefault::AutoIncrement && Self::PRIMARY_KEY == [at] {
                let message = format!("is {value} and was {}: that is another row", self.value(at));
                changeset.row.add_error(FieldError::new(column.field, message).with_code(FieldError::OTHER_ROW));
            }
            changeset.row.set(at, value.into_owned());
        }
        changeset
    }
}

impl<M: Model> ModelExt for M {}

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
    fn from(row: RowChange) -> Self {
        Changeset { row, model: PhantomData }
    }
}

impl<M: Model> Changeset<M> {
    /// Sets a column. An `Option` column also takes the bare value, and a `String` column a `&str`.
    pub fn set<V: ColumnType>(mut self, column: Column<M, V>, value: impl IntoColumn<V>) -> Self {
        self.row.set(column.index(), value.into_column().into_value());
        self
    }

    /// Makes the row belong to `target`: copies its key into the foreign key.
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
        target.visit(&mut |model, row| self.row.associate(association.def(), model, row));
        self
    }

    /// Makes the row belong to no row: clears the foreign key, and the type of a polymorphic association.
    ///
    /// Of a key of several columns it clears those that can be `NULL`, are not part of the row's primary key and are
    /// used by no other association. Saving fails if there is no such column, or if the association is not optional,
    /// unless a later call sets the key again.
    pub fn dissociate<T, S: ToOne<Target = T>>(mut self, association: Association<M, T, BelongsTo<S>>) -> Self {
        self.row.dissociate(association.def());
        self
    }

    /// Adds a problem that the program found. Saving fails with it and all other problems.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_repo::FieldError;
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct User { pub id: i64, pub name: String }
    /// let refused = User::build().add_error(FieldError::new("name", "is taken").with_code("taken"));
    /// let codes: Vec<_> = refused.errors().into_iter().map(|error| error.code).collect();
    /// assert_eq!(codes, ["taken", "missing"]);
    /// ```
    pub fn add_error(mut self, error: FieldError) -> Self {
        self.row.add_error(error);
        self
    }

    /// All problems of the final values, with which saving would fail. It costs no statement; problems that only the
    /// database finds are not among them.
    #[must_use]
    pub fn errors(&self) -> Vec<FieldError> {
        self.row.problems()
    }

    /// The value set for a column, if there is one.
    #[must_use]
    pub fn value_of<V: ColumnType>(&self, column: Column<M, V>) -> Option<&Value<'static>> {
        self.row.values().get(column.index())?.as_ref()
    }

    /// Whether saving would write a column.
    #[must_use]
    pub fn has_changes(&self) -> bool {
        self.row.has_changes()
    }

    /// The change without the model's type.
    #[must_use]
    pub fn as_row_change(&self) -> &RowChange {
        &self.row
    }

    /// The change without the model's type, by value.
    #[must_use]
    pub fn into_row_change(self) -> RowChange {
        self.row
    }
}

/// The argument of [`Repo::insert`](crate::Repo::insert) and [`Repo::update`](crate::Repo::update): a [`Changeset`].
///
/// It is a trait so that the compiler can say what to write in place of a plain struct, and so that a program can
/// implement it for its types, such as a form:
///
/// ```
/// # use assoc_repo::prelude::*;
/// # use assoc_repo::{Changeset, IntoChangeset};
/// # #[derive(Model, Debug, Clone)]
/// # pub struct User { pub id: i64, pub name: String }
/// struct SignUp {
///     name: String,
/// }
///
/// impl IntoChangeset<User> for SignUp {
///     fn into_changeset(self) -> Changeset<User> {
///         User::build().set(User::NAME, self.name)
///     }
/// }
/// # async fn sign_up(repo: &Repo, form: SignUp) -> Result<User> {
/// let user = repo.insert(form).await?;
/// # Ok(user) }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a changeset",
    label = "says nothing of what is to be written",
    note = "a new row is built: `repo.insert(User::build().set(User::NAME, \"Ada\"))`",
    note = "a row that exists is changed: `repo.update(user.change().set(User::NAME, \"Ada\"))`; after editing a struct, `repo.update(before.change_to(&after))`"
)]
pub trait IntoChangeset<M> {
    /// The changeset.
    fn into_changeset(self) -> Changeset<M>;
}

impl<M> IntoChangeset<M> for Changeset<M> {
    fn into_changeset(self) -> Changeset<M> {
        self
    }
}

/// Refuses to write a row that was loaded as read-only.
pub(crate) fn refuse_read_only<M: Model>(row: &M) -> Result<()> {
    match row.row_origin() {
        Some(origin) if origin.is_read_only() => Err(ErrorKind::ReadOnly {
            model: M::DEF.name,
            key: M::DEF.key_of(row).map_or_else(|| "without key".to_owned(), |key| key.to_string()),
            association: origin.association().map(assoc_core::AssociationDef::qualified_name),
        }
        .into()),
        _ => Ok(()),
    }
}
