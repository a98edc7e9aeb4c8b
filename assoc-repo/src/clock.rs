//! The clock that `created_at` and `updated_at` columns are set by.

use std::sync::Arc;
use std::time::SystemTime;

use assoc_core::value::DateTime;

use crate::repo::Repo;

/// Tells the time.
pub(crate) type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

impl Repo {
    /// A handle of the same repo with another clock: for tests, which set the time that `created_at` and `updated_at`
    /// columns are filled in with. Transactions of the handle use this clock as well.
    ///
    /// All rows of one call have the same time, in UTC, of microseconds.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_sqlite::Sqlite;
    /// use std::time::{Duration, SystemTime};
    ///
    /// #[derive(Model, Debug, Clone)]
    /// pub struct Note {
    ///     pub id: i64,
    ///     pub text: String,
    ///     #[column(created_at)]
    ///     pub created_at: chrono::DateTime<chrono::Utc>,
    ///     #[column(updated_at)]
    ///     pub updated_at: chrono::DateTime<chrono::Utc>,
    /// }
    ///
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<Note>().await?;
    /// let at = |second| repo.with_clock(move || SystemTime::UNIX_EPOCH + Duration::from_secs(second));
    /// let note = at(10).insert(Note::build().set(Note::TEXT, "first")).await?;
    /// let note = at(20).update(note.change().set(Note::TEXT, "second")).await?;
    /// assert_eq!((note.created_at.timestamp(), note.updated_at.timestamp()), (10, 20));
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn with_clock(&self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Repo {
        Repo { clock: Some(Arc::new(clock)), ..self.clone() }
    }

    /// The time now, in UTC.
    pub(crate) fn now(&self) -> DateTime {
        let now = self.clock.as_ref().map_or_else(SystemTime::now, |clock| clock());
        let micros = |duration: std::time::Duration| i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        let since = match now.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => micros(after),
            Err(before) => -micros(before.duration()),
        };
        DateTime::from_unix_micros(since)
    }
}
