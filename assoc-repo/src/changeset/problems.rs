//! What is wrong with a changeset: the rules that judge it, and the problems that they find.

use assoc_core::change::RowChange;
use assoc_core::{Column, ColumnType, Error, FieldError, IntoColumn, Model, Rules, Value};

use super::Changeset;

impl<M: Model> Changeset<M> {
    /// Adds rules to this changeset, beside those of its model.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct User { pub id: i64, pub name: String }
    /// let draft = User::build().set(User::NAME, "A").rules(|rules| rules.length(User::NAME, 2..));
    /// assert_eq!(draft.errors()[0].to_string(), "name is too short: at least 2 characters");
    /// ```
    pub fn rules(mut self, rules: impl FnOnce(Rules<M>) -> Rules<M>) -> Self {
        self.row.add_rules(rules(Rules::new()).into_set());
        self
    }

    /// Notes the second entry of a column's value, for a rule of [`confirmation`](Rules::confirmation). It is not stored.
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// let draft = Post::build().set(Post::TITLE, "Cards").rules(|rules| rules.confirmation(Post::TITLE));
    /// assert!(draft.clone().confirm(Post::TITLE, "Cards").errors().is_empty());
    /// assert_eq!(draft.confirm(Post::TITLE, "Crads").errors()[0].path, "title_confirmation");
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn confirm<V: ColumnType>(mut self, column: Column<M, V>, value: impl IntoColumn<V>) -> Self {
        let name = format!("{}_confirmation", M::DEF.columns[column.index()].field);
        self.row.enter(name, value.into_column().into_value());
        self
    }

    /// Notes whether something that is not stored was accepted, for a rule of [`acceptance`](Rules::acceptance).
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// let draft = Post::build().set(Post::TITLE, "Cards").rules(|rules| rules.acceptance("terms"));
    /// assert!(draft.clone().accept("terms", true).errors().is_empty());
    /// assert_eq!(draft.accept("terms", false).errors()[0].path, "terms");
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn accept(mut self, name: impl Into<String>, accepted: bool) -> Self {
        self.row.enter(name, Value::Bool(accepted));
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
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// let problems = Post::build().set(Post::STARS, 1).errors();
    /// assert_eq!(problems[0].to_string(), "title is missing");
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn errors(&self) -> Vec<FieldError> {
        self.row.problems()
    }

    /// The changeset that a failed `insert` or `update` of this model returns with its error, to change and save it again;
    /// `None` for any other error.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_repo::Changeset;
    /// # use assoc_sqlite::Sqlite;
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct User { pub id: i64, pub name: String }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<User>().await?;
    /// let error = repo.insert(User::build()).await.unwrap_err();
    /// let again = Changeset::<User>::refused_by(&error).expect("the changeset");
    /// let ada = repo.insert(again.set(User::NAME, "Ada")).await?;
    /// # assert_eq!(ada.name, "Ada");
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn refused_by(error: &Error) -> Option<Self> {
        let row = error.refused()?.downcast_ref::<RowChange>()?;
        (row.model() == M::DEF).then(|| Changeset::from(row.clone()))
    }
}
