//! Writing all rows of a query by one statement, without reading them.

use assoc_core::change::same_value;
use assoc_core::driver::{Access, BoxFuture, Statement};
use assoc_core::execution::{AssignedValue, ColumnAssignment};
use assoc_core::metadata::{ColumnDefault, Discriminator, ModelDef};
use assoc_core::planner::QueryRequest;
use assoc_core::{Assignment, Error, ErrorKind, FieldError, Model, Result, Value};

use crate::query::Select;
use crate::repo::Repo;
use crate::row_guard::RowGuard;
use crate::touched_rows::Written;

impl Repo {
    /// Assigns columns of all rows of a query, and returns how many rows there were, also those in which nothing changed. 1
    /// statement; the rows are not read.
    ///
    /// Conditions may look into associations, the query may join, sort and limit. The model's default scope, its
    /// discriminator and the repo's filters hold as in a read. There are no callbacks, counters or touches, no rule of the
    /// model runs, and `updated_at` and `lock_version` columns stay as they are, as in Rails: assign them as well if they
    /// are to move.
    ///
    /// # Errors
    /// Before any SQL: when no column is assigned, one is assigned twice or cannot be assigned
    /// ([`ErrorKind::Invalid`]), the query loads, groups or selects columns, or rows that a filtered repo sees might be
    /// hidden from it by the update ([`ErrorKind::OutsideFilter`]). Then a constraint violation, a sum that does not fit
    /// its column, a failing database. Nothing was written then.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_sqlite::Sqlite;
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct User { pub id: i64, pub name: String, pub age: i32, #[has_many] pub posts: HasMany<Post> }
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct Post { pub id: i64, pub user_id: i64 }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<User>().await?;
    /// # repo.create_table::<Post>().await?;
    /// # let ada = repo.insert(User::build().set(User::NAME, "Ada").set(User::AGE, 36)).await?;
    /// # repo.insert(Post::build().set(Post::USER_ID, ada.id)).await?;
    /// let authors = Query::filter(User::POSTS.associated());
    /// assert_eq!(repo.update_all(authors, [User::AGE.add(1), User::NAME.to("author")]).await?, 1);
    /// # let ada = repo.get_or_fail::<User>(1, Query::new()).await?;
    /// # assert_eq!((ada.age, &*ada.name), (37, "author"));
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn update_all<M: Model>(
        &self,
        query: Select<M>,
        assignments: impl IntoIterator<Item = Assignment<M>>,
    ) -> BoxFuture<'_, Result<u64>> {
        let assignments = assignments.into_iter().map(Assignment::into_assignment).collect();
        let limit = query.parts.most_statements;
        self.update_requested(M::DEF, query.into_request(), assignments, limit)
    }

    fn update_requested(
        &self,
        model: &'static ModelDef,
        rows: QueryRequest,
        assignments: Vec<ColumnAssignment>,
        limit: Option<usize>,
    ) -> BoxFuture<'_, Result<u64>> {
        Box::pin(async move {
            self.require_here(model)?;
            check_assignments(model, &assignments)?;
            if let Some(guard) = RowGuard::of(self, model)? {
                guard.require_kept(&assignments)?;
            }
            let rows = rows.compile_write(&self.context())?;
            self.write_rows(model, &rows.update_statement(self.dialect(), &assignments, false)?, limit).await
        })
    }

    async fn write_rows(&self, model: &'static ModelDef, statement: &Statement, limit: Option<usize>) -> Result<u64> {
        let mut session = self.session(Access::Write).await?;
        if limit.is_some() {
            session.limit_statements(limit);
        }
        session.note_written(model, Written::Changed);
        Ok(session.execute(statement).await?.affected)
    }

    /// Deletes all rows of a query, and returns how many there were. 1 statement; the rows are not read.
    ///
    /// The query is understood as by [`update_all`](Self::update_all). No dependents, callbacks, counters or touches: rows
    /// that refer to the deleted ones are the business of the database's foreign keys.
    ///
    /// # Errors
    /// Before any SQL, when the query loads, groups or selects columns; a constraint that forbids it; a failing database.
    /// Nothing was deleted then.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_sqlite::Sqlite;
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct User { pub id: i64, pub name: String }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<User>().await?;
    /// # repo.insert(User::build().set(User::NAME, "Ada")).await?;
    /// assert_eq!(repo.delete_all(Query::filter(User::NAME.eq("Ada"))).await?, 1);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn delete_all<M: Model>(&self, query: Select<M>) -> BoxFuture<'_, Result<u64>> {
        let limit = query.parts.most_statements;
        self.delete_requested(M::DEF, query.into_request(), limit)
    }

    fn delete_requested(
        &self,
        model: &'static ModelDef,
        rows: QueryRequest,
        limit: Option<usize>,
    ) -> BoxFuture<'_, Result<u64>> {
        Box::pin(async move {
            self.require_here(model)?;
            let rows = rows.compile_write(&self.context())?;
            self.write_rows(model, &rows.delete_statement(self.dialect())?, limit).await
        })
    }
}

// Everything that is wrong with the assignments.
fn check_assignments(model: &'static ModelDef, assignments: &[ColumnAssignment]) -> Result<()> {
    if assignments.is_empty() {
        let message = "`update_all` assigns no column: give it `[User::NAME.to(…)]`";
        return Err(Error::invalid_query(model.name, message));
    }
    let mut errors = Vec::new();
    for (index, assignment) in assignments.iter().enumerate() {
        let column = &model.columns[assignment.column];
        if matches!(column.default, ColumnDefault::Generated(_)) {
            let message = "is computed by the database and cannot be set";
            errors.push(FieldError::new(column.field, message).with_code(FieldError::GENERATED));
        }
        if assignments[..index].iter().any(|earlier| earlier.column == assignment.column) {
            let message = "is assigned twice, and databases disagree which assignment counts";
            errors.push(FieldError::new(column.field, message).with_code(FieldError::ASSIGNED_TWICE));
        }
        if let Some(Discriminator { column: own, tag }) = model.discriminator
            && own == assignment.column
            && !matches!(&assignment.value, AssignedValue::Value(value) if same_value(column, value, &Value::from(tag)))
        {
            // The rows would be another model's.
            errors.push(
                FieldError::new(column.field, format!("must be \"{tag}\""))
                    .with_code(FieldError::DISCRIMINATOR)
                    .with_param("value", tag),
            );
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(ErrorKind::Invalid { model: model.name, errors }.into()) }
}
