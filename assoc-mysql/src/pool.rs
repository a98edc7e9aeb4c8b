//! The connections of one driver.
//!
//! One semaphore provides fairness and the upper bound. Tasks wait in order, and each keeps a permit from
//! [`Pool::acquire`] until the connection is back (a rollback in the background still keeps it). A session carries a
//! counter of open sessions ([`Counted`]), so the count is right however the session ends.
//!
//! mysql_async's pool is not used. It returns connections through a background task of the runtime that made the first
//! call, has no time limit for waiting, considers a connection clean if it did not start the open transaction itself,
//! and does not notice dead local sockets.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use assoc_core::driver::PoolStatus;
use assoc_core::{DriverError, DriverErrorKind, Error, Result};
use mysql_async::Conn;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::error::{is_full, of_connect};
use crate::options::Builder;
use crate::session::{Counted, Session};
use crate::statements::SchemaChanges;

/// How long a ping of an idle connection may take.
const PING_LIMIT: Duration = Duration::from_secs(3);
/// How long to wait for a session of this pool before asking the server again for one more.
const FULL_PAUSE: Duration = Duration::from_millis(250);

#[derive(Debug)]
pub(crate) struct Pool {
    options: Builder,
    permits: Arc<Semaphore>,
    open: Arc<AtomicUsize>,
    changes: SchemaChanges,
    /// How many tasks have a permit and found the server full.
    starved: Arc<AtomicUsize>,
    idle: Mutex<VecDeque<Idle>>,
    /// Told when a session comes back, for those that have a permit and found the server full.
    returned: Notify,
}

#[derive(Debug)]
struct Idle {
    session: Session,
    since: Instant,
}

/// A session that was handed out, and the right to it.
#[derive(Debug)]
pub(crate) struct Acquired {
    pub(crate) session: Session,
    pub(crate) permit: OwnedSemaphorePermit,
    /// Since when it was idle, so that the server may have closed it meanwhile. `None` if it is new.
    pub(crate) idle_since: Option<Instant>,
}

impl Pool {
    pub(crate) fn new(options: Builder) -> Self {
        Pool {
            permits: Arc::new(Semaphore::new(options.max)),
            open: Arc::default(),
            changes: SchemaChanges::default(),
            starved: Arc::default(),
            idle: Mutex::default(),
            returned: Notify::new(),
            options,
        }
    }

    pub(crate) fn options(&self) -> &Builder {
        &self.options
    }

    pub(crate) async fn acquire(&self) -> Result<Acquired> {
        let limit = self.options.acquire_timeout;
        let mut waiting = true;
        let mut full = None;
        let acquired = timeout(limit, async {
            let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| closed())?;
            waiting = false;
            let mut starved = None;
            loop {
                while let Some(Idle { mut session, since }) = self.pop_idle() {
                    if since.elapsed() < self.options.ping_after {
                        return Ok(Acquired { session, permit, idle_since: Some(since) });
                    }
                    if matches!(timeout(PING_LIMIT, session.ping()).await, Ok(Ok(()))) {
                        return Ok(Acquired { session, permit, idle_since: Some(Instant::now()) });
                    }
                    session.abandon();
                }
                match self.connect().await {
                    Ok(session) => return Ok(Acquired { session, permit, idle_since: None }),
                    // The server has no room for one more; one of ours will do, or another try.
                    Err(error) if is_full(&error) && self.open.load(Ordering::Relaxed) > 0 => full = Some(error),
                    Err(error) => return Err(error),
                }
                starved.get_or_insert_with(|| Counted::new(&self.starved));
                let _ = timeout(FULL_PAUSE, self.returned.notified()).await;
            }
        })
        .await;
        acquired.unwrap_or_else(|_| {
            if waiting {
                let message = format!(
                    "no connection became free within {limit:?}: all {} are in use; shorten what holds them or raise \
                     `max_connections`",
                    self.options.max
                );
                return Err(DriverError::new(DriverErrorKind::PoolTimeout, message).into());
            }
            let silent = || {
                let message = format!("the database server did not answer within {limit:?}");
                DriverError::new(DriverErrorKind::Unavailable, message).into()
            };
            Err(full.unwrap_or_else(silent))
        })
    }

    /// Up to `most` sessions that are idle now and need no ping, first for each text one that has prepared it. It never waits: a
    /// task that holds a connection and waits for a second one may wait for another task that does the same.
    pub(crate) fn spare(&self, most: usize, texts: &[&str]) -> Vec<Acquired> {
        // They take the next session that comes back.
        if self.starved.load(Ordering::Relaxed) > 0 {
            return Vec::new();
        }
        let mut spare: Vec<Acquired> = Vec::new();
        for text in texts {
            if spare.len() < most {
                spare.extend(self.take_fresh(|session| session.has_prepared(text)));
            }
        }
        let any = std::iter::from_fn(|| self.take_fresh(|_| true));
        let missing = most.saturating_sub(spare.len());
        spare.extend(any.take(missing));
        spare
    }

    /// The session that came back last of those that are idle, need no ping and are as wanted.
    fn take_fresh(&self, is_wanted: impl Fn(&Session) -> bool) -> Option<Acquired> {
        let permit = Arc::clone(&self.permits).try_acquire_owned().ok()?;
        let mut idle = self.idle();
        let mut fresh =
            idle.iter().enumerate().rev().take_while(|(_, idle)| idle.since.elapsed() < self.options.ping_after);
        let at = fresh.find(|(_, idle)| is_wanted(&idle.session))?.0;
        let Idle { session, since } = idle.remove(at)?;
        Some(Acquired { session, permit, idle_since: Some(since) })
    }

    /// A new session; the caller holds a permit.
    pub(crate) async fn connect(&self) -> Result<Session> {
        let counted = Counted::new(&self.open);
        let connected = async {
            let mut conn = Conn::new(self.options.session_opts()).await?;
            self.options.set_up(&mut conn).await?;
            Ok(conn)
        };
        let conn = connected.await.map_err(of_connect)?;
        Ok(Session::new(conn, &self.options, self.changes.clone(), counted))
    }

    /// A new session instead of one that was lost, within the time limit.
    pub(crate) async fn reconnect(&self) -> Result<Session> {
        let limit = self.options.acquire_timeout;
        timeout(limit, self.connect()).await.unwrap_or_else(|_| {
            let message = format!("the database server did not answer within {limit:?}");
            Err(DriverError::new(DriverErrorKind::Unavailable, message).into())
        })
    }

    /// Takes a clean session back, which has answered last at this time. Call it before the permit is given up.
    pub(crate) fn give_back(&self, session: Session, answered: Instant) {
        let mut idle = self.idle();
        let superfluous = if self.permits.is_closed() {
            Some(session)
        } else {
            idle.push_back(Idle { session, since: answered });
            let has_more = idle.len() > self.options.min;
            let is_old = |idle: &Idle| idle.since.elapsed() > self.options.idle_timeout;
            // The one that was idle longest: the others have been in use since.
            if has_more && idle.front().is_some_and(is_old) { idle.pop_front().map(|idle| idle.session) } else { None }
        };
        drop(idle);
        self.returned.notify_one();
        // Says goodbye in the background, if there is a runtime.
        drop(superfluous);
    }

    /// The session that was used last: the others may grow old and be closed.
    fn pop_idle(&self) -> Option<Idle> {
        self.idle().pop_back()
    }

    pub(crate) async fn close(&self) {
        self.permits.close();
        let idle = std::mem::take(&mut *self.idle());
        for Idle { session, .. } in idle {
            session.close().await;
        }
    }

    pub(crate) fn status(&self) -> PoolStatus {
        let idle = self.idle().len();
        PoolStatus::new(self.open.load(Ordering::Relaxed), idle, self.options.max)
    }

    // Nothing that can panic happens under this lock.
    fn idle(&self) -> MutexGuard<'_, VecDeque<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn closed() -> Error {
    DriverError::new(DriverErrorKind::Unavailable, "the connection pool was closed").into()
}
