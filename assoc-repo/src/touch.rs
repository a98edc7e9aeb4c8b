//! Moving the times of a row, and of those that are touched with it.

use assoc_core::change::timestamp;
use assoc_core::counters::ParentChanges;
use assoc_core::driver::{Access, BoxFuture, Lack, StatementRole, TransactionMode};
use assoc_core::execution::{KeyTuple, RowKeys};
use assoc_core::metadata::ModelDef;
use assoc_core::value::DateTime;
use assoc_core::{ColumnList, Error, Model, Result, SqlType, Value};

use crate::changeset::refuse_read_only;
use crate::counters::{Mode, apply};
use crate::one_row::OneRow;
use crate::repo::Repo;
use crate::save;
use crate::session::Session;

#[cfg(doc)]
use assoc_core::ErrorKind;

impl Repo {
    /// A handle of the same repo that touches nothing: rows that are written with it move no times of those they belong to
    /// (`touch`), and [`touch`](Self::touch) does nothing. Counters follow, and `updated_at` of the written rows themselves.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_sqlite::Sqlite;
    /// # let repo = Repo::new(Sqlite::memory().unwrap());
    /// let import = repo.no_touching();
    /// ```
    #[must_use]
    pub fn no_touching(&self) -> Repo {
        Repo { touches: false, ..self.clone() }
    }

    /// Sets the `updated_at` columns of a row to the time of the repo's clock, and those that are touched with it: what its
    /// `belongs_to` associations with `touch` lead to, and what is touched with that. `row` follows; its `lock_version` does not
    /// move.
    ///
    /// 1 statement, and for each model that is touched with it 1 that reads and 1 that writes.
    ///
    /// # Errors
    /// When the model has no `#[column(updated_at)]`; [`ErrorKind::NotFound`] if the row is no longer there, or a filtered repo
    /// hides it; [`ErrorKind::ReadOnly`] if it was loaded for reading only; a failing database. Nothing has changed then.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_sqlite::Sqlite;
    /// # use std::time::{Duration, SystemTime};
    /// #[derive(Model, Debug, Clone)]
    /// pub struct Note {
    ///     pub id: i64,
    ///     #[column(updated_at)]
    ///     pub updated_at: chrono::DateTime<chrono::Utc>,
    ///     pub seen_at: Option<chrono::DateTime<chrono::Utc>>,
    /// }
    ///
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<Note>().await?;
    /// let at = |second| repo.with_clock(move || SystemTime::UNIX_EPOCH + Duration::from_secs(second));
    /// let mut note = at(10).insert(Note::build()).await?;
    /// at(20).touch(&mut note).await?;
    /// assert_eq!((note.updated_at.timestamp(), note.seen_at), (20, None));
    /// at(30).touch_columns(&mut note, Note::SEEN_AT).await?;
    /// assert_eq!(note.seen_at, Some(note.updated_at));
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn touch<'a, M: OneRow>(&'a self, row: &'a mut M) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.touch_row(row, Vec::new()))
    }

    /// As [`touch`](Self::touch), and sets these columns as well.
    ///
    /// # Errors
    /// As [`touch`](Self::touch); the model need not have an `updated_at`. When a column holds no time.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_sqlite::Sqlite;
    /// # use std::time::{Duration, SystemTime};
    /// #[derive(Model, Debug, Clone)]
    /// pub struct Note {
    ///     pub id: i64,
    ///     pub seen_at: Option<chrono::DateTime<chrono::Utc>>,
    /// }
    ///
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<Note>().await?;
    /// # let repo = repo.with_clock(|| SystemTime::UNIX_EPOCH + Duration::from_secs(30));
    /// let mut note = repo.insert(Note::build()).await?;
    /// repo.touch_columns(&mut note, Note::SEEN_AT).await?; // 1 statement
    /// assert_eq!(note.seen_at.map(|time| time.timestamp()), Some(30));
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn touch_columns<'a, M: OneRow>(
        &'a self,
        row: &'a mut M,
        columns: impl ColumnList<M>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.touch_row(row, columns.indexes()))
    }

    async fn touch_row<M: Model>(&self, row: &mut M, mut columns: Vec<usize>) -> Result<()> {
        let model = M::DEF;
        self.require_here(model)?;
        refuse_read_only(row)?;
        let is_time = |column: &usize| matches!(model.columns[*column].sql_type, SqlType::DateTime | SqlType::Date);
        if let Some(other) = columns.iter().find(|column| !is_time(column)) {
            let message = format!("`touch_columns` sets times, and `{}` holds none", model.columns[*other].field);
            return Err(Error::invalid_query(model.name, message));
        }
        columns.extend(model.updated_at());
        columns.sort_unstable();
        columns.dedup();
        if columns.is_empty() {
            let message = "`touch` sets `updated_at`, and the model has no `#[column(updated_at)]`: name columns with \
                           `touch_columns`";
            return Err(Error::invalid_query(model.name, message));
        }
        let key = save::key_of(model, row)?;
        if !self.touches {
            return Ok(());
        }
        let now = self.now();
        let mut session = self.session(Access::Write).await?;
        session.begin(TransactionMode::Write).await?;
        let written = touch_in(self, &mut session, model, key, &columns, now).await;
        let values = session.finish(written).await?;
        for (column, mut value) in values {
            row.set_value(column, &mut value)?;
        }
        Ok(())
    }
}

// The columns as they are stored then.
async fn touch_in(
    repo: &Repo,
    session: &mut Session<'_>,
    model: &'static ModelDef,
    key: KeyTuple,
    columns: &[usize],
    now: DateTime,
) -> Result<Vec<(usize, Value<'static>)>> {
    let mut changes = ParentChanges::new(true);
    changes.touch(model, key.clone(), columns.iter().copied());
    apply(repo, session, changes, now, Mode::Write).await?;
    let time = |column: &usize| (*column, timestamp(model.columns[*column].sql_type, now));
    let values: Vec<(usize, Value<'static>)> = columns.iter().map(time).collect();
    let dialect = session.dialect();
    if values.iter().all(|(column, value)| dialect.keeps(&model.columns[*column], value)) {
        return Ok(values);
    }
    // Another column keeps the time as it is given.
    let role = StatementRole::StandIn(Lack::UpdateReturning);
    let rows = save::read_by_keys(session, model, RowKeys::Tuples(vec![Some(key)]), role).await?;
    let row = rows.row(0);
    Ok(columns.iter().filter_map(|column| Some((*column, model.rows.value(row?, *column).into_owned()))).collect())
}
