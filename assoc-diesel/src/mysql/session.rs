//! The settings that sessions need.

use assoc_dialects::mysql::settings::SET_UP;
use diesel::connection::SimpleConnection;
use diesel::mysql::MysqlConnection;
use diesel::result::QueryResult;

/// Makes a session what the dialect relies on: strict, in UTC, `utf8mb4`, with the modes that `assoc-mysql` has.
///
/// A pool takes it as its customizer, with the feature `r2d2`, and so it is applied to each connection that is opened. A connection
/// that the application opens itself takes [`set_up`](Self::set_up).
///
/// ```no_run
/// # #[cfg(feature = "r2d2")] {
/// use assoc_diesel::{MysqlSession, Pooled};
/// use diesel::mysql::MysqlConnection;
/// use diesel::r2d2::{ConnectionManager, Pool};
///
/// let pool = Pool::builder()
///     .connection_customizer(Box::new(MysqlSession))
///     .build(ConnectionManager::<MysqlConnection>::new("mysql://app:secret@localhost/blog"))
///     .unwrap();
/// let driver = Pooled::new(pool)?;
/// # }
/// # Ok::<(), assoc_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct MysqlSession;

impl MysqlSession {
    /// Sets a connection up.
    ///
    /// # Errors
    /// Diesel's, when the server refuses a setting or does not answer.
    pub fn set_up(self, connection: &mut MysqlConnection) -> QueryResult<()> {
        connection.batch_execute(SET_UP)
    }
}

#[cfg(feature = "r2d2")]
impl diesel::r2d2::CustomizeConnection<MysqlConnection, diesel::r2d2::Error> for MysqlSession {
    fn on_acquire(&self, connection: &mut MysqlConnection) -> Result<(), diesel::r2d2::Error> {
        self.set_up(connection).map_err(diesel::r2d2::Error::QueryError)
    }
}
