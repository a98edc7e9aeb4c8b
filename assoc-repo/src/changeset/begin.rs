//! Where changesets begin: a new row, or a row that exists.

use std::borrow::Borrow;
use std::sync::Arc;

use assoc_core::change::{RowChange, same_value};
use assoc_core::metadata::ColumnDefault;
use assoc_core::{FieldError, IntoInput, Model};

use super::Changeset;
use crate::permit::Permit;

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

    /// A changeset that inserts a new row with what is permitted of some input: [`Changeset::cast`].
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// use assoc_repo::Permit;
    ///
    /// let post = Post::cast([("title", "Cards"), ("id", "1")], &Permit::new().column(Post::TITLE));
    /// let post = repo.insert(post).await?;
    /// assert_eq!((post.id, &*post.title), (4, "Cards"));
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    fn cast(input: impl IntoInput, permit: &Permit<Self>) -> Changeset<Self> {
        Self::build().cast(input, permit)
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
