//! The connections of one database.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use assoc_core::driver::PoolStatus;
use assoc_core::{Error, Result};
use deadpool::Runtime;
use deadpool::managed::{Manager, Metrics, Object, Pool as Managed, RecycleError, RecycleResult};

use crate::error;
use crate::options::PostgresBuilder;
use crate::session::Session;

/// A session that was handed out. It goes back to its pool when it is dropped.
pub(crate) type Pooled = Object<Sessions>;

pub(crate) struct Pool {
    sessions: Managed<Sessions>,
    max: usize,
    limit: Duration,
}

impl Pool {
    pub(crate) fn new(options: PostgresBuilder) -> Result<Self> {
        let (max, limit) = (options.max, options.acquire_timeout);
        let sessions = Managed::builder(Sessions { options: options.clone(), schema: Arc::default() })
            .max_size(max)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(limit))
            .create_timeout(Some(options.connect_timeout))
            .recycle_timeout(Some(options.connect_timeout))
            .build()
            .map_err(Error::other)?;
        Ok(Pool { sessions, max, limit })
    }

    pub(crate) async fn acquire(&self) -> Result<Pooled> {
        self.sessions.get().await.map_err(|error| error::of_pool(error, self.max, self.limit))
    }

    pub(crate) fn status(&self) -> PoolStatus {
        let status = self.sessions.status();
        PoolStatus::new(status.size, status.available, self.max)
    }

    pub(crate) fn close(&self) {
        self.sessions.close();
    }
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Pool").field(&self.status()).finish()
    }
}

/// Makes sessions, and looks at those that come back.
pub(crate) struct Sessions {
    options: PostgresBuilder,
    schema: Arc<AtomicU64>,
}

impl Manager for Sessions {
    type Type = Session;
    type Error = Error;

    async fn create(&self) -> Result<Session> {
        Session::open(&self.options, Arc::clone(&self.schema)).await
    }

    async fn recycle(&self, session: &mut Session, metrics: &Metrics) -> RecycleResult<Error> {
        if !session.is_usable() {
            return Err(RecycleError::message("it is closed, or was left in the middle of something"));
        }
        if metrics.last_used() >= self.options.ping_after {
            session.simple("").await?;
        }
        session.reset().await?;
        Ok(())
    }
}
