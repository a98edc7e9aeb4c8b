//! The rules by which tasks get connections.
//!
//! SQLite has one writer and many readers, and so has the pool: two [`Lane`]s with a queue each (a database in memory
//! has one connection and one lane). Writers in this queue wait in order and without occupying a thread; SQLite's busy
//! handler would make them sleep and guess.
//!
//! A [`Lease`] is the right to one connection, and nearly always the connection too. Dropping it cleans the connection
//! (`ROLLBACK` if a transaction is open; the connection is closed if that fails) and hands it to the task that has
//! waited longest. The program may drop a lease anywhere, even inside a runtime's blocking thread after its task was
//! cancelled, so the return of a connection never depends on a living task.
//!
//! Waiting needs only a [`Waker`], so it works under any executor. Its time limit needs a clock, and a runtime's clock
//! may be absent (no runtime, or one without timers). So a thread that exists only while a task waits keeps the
//! deadlines. An uncontended pool never starts it.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use assoc_core::driver::PoolStatus;
use assoc_core::{DriverErrorKind, Result};

use crate::errors;
use crate::options::{Config, Role};
use crate::session::Session;

/// A queue before some connections of one kind.
pub(crate) struct Lane {
    config: Arc<Config>,
    role: Role,
    max: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    // Boxed for the moves between the pool and a lease, which are more frequent than allocations.
    #[allow(clippy::vec_box)]
    idle: Vec<Box<Session>>,
    /// Connections that exist, idle or not.
    open: usize,
    /// Leases that exist, granted to a waiting task or in use.
    leased: usize,
    waiters: VecDeque<Arc<Waiter>>,
    watched: bool,
}

struct Waiter {
    deadline: Instant,
    turn: Mutex<Turn>,
}

enum Turn {
    Waiting(Option<Waker>),
    /// A lease was given, with a connection if one was there.
    Granted(Option<Box<Session>>),
    Expired,
    /// The waiter took what it was given, or went away.
    Over,
}

// A panic under a lock cannot leave these structures half changed, because no code between two of their statements can
// panic. So poison means nothing here.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Lane {
    pub(crate) fn new(config: Arc<Config>, role: Role, max: usize) -> Arc<Lane> {
        Arc::new(Lane { config, role, max, state: Mutex::new(State::default()) })
    }

    /// The right to a connection, after waiting for it if need be.
    pub(crate) async fn acquire(self: &Arc<Self>) -> Result<Lease> {
        let timeout = self.config.acquire_timeout;
        let waiter = {
            let mut state = lock(&self.state);
            if state.leased < self.max {
                state.leased += 1;
                let session = state.idle.pop();
                return Ok(Lease { lane: Arc::clone(self), session });
            }
            // A date far in the future stands for never.
            let deadline = Instant::now().checked_add(timeout).unwrap_or_else(|| Instant::now() + FOREVER);
            let waiter = Arc::new(Waiter { deadline, turn: Mutex::new(Turn::Waiting(None)) });
            state.waiters.push_back(Arc::clone(&waiter));
            self.watch(&mut state);
            waiter
        };
        Wait { lane: self, waiter }.await.ok_or_else(|| {
            let message = match (self.role, self.max) {
                (Role::Writer, _) => {
                    format!("the connection that writes (SQLite has one) did not become free within {timeout:?}")
                }
                (Role::Shared, _) => format!(
                    "the only connection (a database in memory has no more) did not become free within {timeout:?}"
                ),
                (Role::Reader, max) => format!("no connection became free within {timeout:?}: all {max} are in use"),
            };
            errors::plain(DriverErrorKind::PoolTimeout, message)
        })
    }

    /// The right to a connection that is open and idle, if there is one and no task waits.
    pub(crate) fn idle(self: &Arc<Self>) -> Option<Lease> {
        let mut state = lock(&self.state);
        if state.leased >= self.max {
            return None;
        }
        let session = state.idle.pop()?;
        state.leased += 1;
        Some(Lease { lane: Arc::clone(self), session: Some(session) })
    }

    /// Opens the lane's first connection and passes it to `look`. No other task knows the lane yet.
    pub(crate) fn first_session<T>(self: &Arc<Self>, look: impl FnOnce(&Session) -> T) -> Result<T> {
        lock(&self.state).leased += 1;
        let mut lease = Lease { lane: Arc::clone(self), session: None };
        Ok(look(lease.session()?))
    }

    pub(crate) fn status(&self) -> PoolStatus {
        let state = lock(&self.state);
        PoolStatus::new(state.open, state.idle.len(), self.max)
    }

    fn give_back(&self, session: Option<Box<Session>>) {
        let mut session = session;
        let mut state = lock(&self.state);
        while let Some(waiter) = state.waiters.pop_front() {
            let mut turn = lock(&waiter.turn);
            if let Turn::Waiting(waker) = &mut *turn {
                let waker = waker.take();
                *turn = Turn::Granted(session.take());
                drop(turn);
                drop(state);
                if let Some(waker) = waker {
                    waker.wake();
                }
                return;
            }
        }
        state.leased -= 1;
        state.idle.extend(session.take());
    }

    // Starts the thread that ends waiting in time, unless it runs. All waiters of a lane wait equally long, so the
    // first in the queue is always the next to expire.
    fn watch(self: &Arc<Self>, state: &mut State) {
        if state.watched {
            return;
        }
        let lane = Arc::downgrade(self);
        let watch = std::thread::Builder::new().name("assoc-sqlite pool".to_owned()).spawn(move || watch(&lane));
        // Without a thread there is no time limit, but there is still a queue.
        state.watched = watch.is_ok();
    }

    // Ends the waits whose time is over. Returns the time of the next check, or `None` if no task waits.
    fn expire(&self) -> Option<Instant> {
        let mut wakers = Vec::new();
        let mut state = lock(&self.state);
        let next = loop {
            let Some(waiter) = state.waiters.front() else { break None };
            let mut turn = lock(&waiter.turn);
            if let Turn::Waiting(waker) = &mut *turn {
                if waiter.deadline > Instant::now() {
                    break Some(waiter.deadline);
                }
                wakers.extend(waker.take());
                *turn = Turn::Expired;
            }
            drop(turn);
            state.waiters.pop_front();
        };
        state.watched = next.is_some();
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
        next
    }
}

const FOREVER: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

fn watch(lane: &Weak<Lane>) {
    while let Some(next) = lane.upgrade().and_then(|lane| lane.expire()) {
        std::thread::sleep(next.saturating_duration_since(Instant::now()).min(Duration::from_secs(1)));
    }
}

struct Wait<'l> {
    lane: &'l Arc<Lane>,
    waiter: Arc<Waiter>,
}

impl Future for Wait<'_> {
    type Output = Option<Lease>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut turn = lock(&self.waiter.turn);
        match std::mem::replace(&mut *turn, Turn::Over) {
            Turn::Waiting(_) => {
                *turn = Turn::Waiting(Some(cx.waker().clone()));
                Poll::Pending
            }
            Turn::Granted(session) => Poll::Ready(Some(Lease { lane: Arc::clone(self.lane), session })),
            Turn::Expired | Turn::Over => Poll::Ready(None),
        }
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        let turn = std::mem::replace(&mut *lock(&self.waiter.turn), Turn::Over);
        match turn {
            // Given to a task that was cancelled before it could take it.
            Turn::Granted(session) => self.lane.give_back(session),
            Turn::Waiting(_) => lock(&self.lane.state).waiters.retain(|waiter| !Arc::ptr_eq(waiter, &self.waiter)),
            Turn::Expired | Turn::Over => {}
        }
    }
}

/// The right to one connection of a lane.
pub(crate) struct Lease {
    lane: Arc<Lane>,
    session: Option<Box<Session>>,
}

impl Lease {
    /// Whether no connection is open yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.session.is_none()
    }

    /// The connection; opened now if it is not yet.
    pub(crate) fn session(&mut self) -> Result<&mut Session> {
        match &mut self.session {
            Some(session) => Ok(session),
            empty => {
                let session = self.lane.config.connect(self.lane.role)?;
                lock(&self.lane.state).open += 1;
                Ok(empty.insert(Box::new(session)))
            }
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut session = self.session.take();
        if session.as_mut().is_some_and(|session| !session.clean()) {
            lock(&self.lane.state).open -= 1;
            session = None;
        }
        self.lane.give_back(session);
    }
}
