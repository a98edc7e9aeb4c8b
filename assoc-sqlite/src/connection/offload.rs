//! Inside a tokio runtime: which statements stay on their thread, and how the others leave it.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Instant;

use assoc_core::driver::{ExecResult, RowSink, StatementKind, TransactionMode};
use assoc_core::{DriverErrorKind, Result};
use assoc_dialects::Verb;
use rusqlite::InterruptHandle;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinError;

use super::parcel::{IN_TRANSIT, Packing, Parcel};
use super::{Place, SqliteConnection, Work};
use crate::costs::CostKey;
use crate::errors;
use crate::execution::Placement;
use crate::pool::Lease;
use crate::session::{Control, Session};

impl SqliteConnection {
    pub(crate) async fn run(&mut self, mut work: Work<'_>) -> Result<ExecResult> {
        if matches!(self.place, Place::Away(_)) {
            // Only after a future was dropped half-placement: what became of it is of no interest.
            let _ = self.come_home().await;
        }
        let Some(leaving) = self.execution.leaving() else {
            // Without a runtime there is no budget, and nothing to yield to.
            tokio::task::coop::consume_budget().await;
            return work.perform(self.lease()?.session()?, None);
        };
        tokio::task::coop::consume_budget().await;
        let key = work.cost_key();
        let lease = self.lease()?;
        if leaving.short_stays && !lease.is_empty() {
            let session = lease.session()?;
            if matches!(work, Work::Control(Control::Begin(TransactionMode::Write))) {
                match session.try_begin_write() {
                    Err(error) if error.is_retryable() => {}
                    done => return done,
                }
            } else if work.is_short(session, key) {
                let apart = matches!(leaving.placement, Placement::InPlace).then_some(in_place as fn(&mut dyn FnMut()));
                return measured(session, key, |session| work.perform(session, apart));
            }
        }
        match leaving.placement {
            Placement::InPlace => {
                tokio::task::block_in_place(|| measured(lease.session()?, key, |session| work.perform(session, None)))
            }
            Placement::Offloaded(handle) => Box::pin(self.run_offloaded(&handle, work, key)).await,
        }
    }

    fn lease(&mut self) -> Result<&mut Lease> {
        match &mut self.place {
            Place::Here(lease) => Ok(lease),
            Place::Away(_) | Place::Lost => Err(lost()),
        }
    }

    // Waits until the lease is back from its thread.
    async fn come_home(&mut self) -> Result<ExecResult> {
        let Place::Away(thread) = &mut self.place else { return Err(lost()) };
        let returned = thread.await;
        self.back(returned).map(|answer| answer.done)
    }

    fn back(&mut self, returned: Result<Return, JoinError>) -> Result<Answer> {
        match returned {
            Ok((lease, outcome)) => {
                self.place = Place::Here(lease);
                outcome
            }
            Err(_) => {
                self.place = Place::Lost;
                Err(lost())
            }
        }
    }

    // Waits until the lease is back, and gives the rows to the sink that come meanwhile. The lease stays away where the sink
    // refuses one of these.
    async fn receive(&mut self, parcels: &mut mpsc::Receiver<Parcel>, sink: &mut dyn RowSink) -> Result<ExecResult> {
        loop {
            let Place::Away(thread) = &mut self.place else { return Err(lost()) };
            // The thread's end is looked at first: what it has packed last comes with it and needs no wake of its own.
            let next = poll_fn(|context| match Pin::new(&mut *thread).poll(context) {
                Poll::Ready(returned) => Poll::Ready(Next::End(returned)),
                Poll::Pending => parcels.poll_recv(context).map(Next::Parcel),
            });
            match next.await {
                Next::Parcel(Some(parcel)) => parcel.unpack(sink)?,
                // The sender comes back with the thread, unless the statement failed or panicked.
                Next::Parcel(None) => return self.come_home().await,
                Next::End(returned) => {
                    let Answer { done, packing } = self.back(returned)?;
                    while let Ok(parcel) = parcels.try_recv() {
                        parcel.unpack(sink)?;
                    }
                    if let Some(packing) = packing {
                        packing.into_rest().unpack(sink)?;
                    }
                    return Ok(done);
                }
            }
        }
    }

    fn send_away(
        &mut self,
        handle: &Handle,
        errand: Arc<Errand>,
        key: Option<CostKey>,
        work: impl FnOnce(&mut Session) -> Result<Answer> + Send + 'static,
    ) -> Result<()> {
        let Place::Here(mut lease) = std::mem::replace(&mut self.place, Place::Lost) else { return Err(lost()) };
        self.place = Place::Away(handle.spawn_blocking(move || {
            let outcome = lease.session().and_then(|session| errand.perform(session, |s| measured(s, key, work)));
            (lease, outcome)
        }));
        Ok(())
    }

    async fn run_offloaded(&mut self, handle: &Handle, work: Work<'_>, key: Option<CostKey>) -> Result<ExecResult> {
        let errand = Arc::new(Errand::default());
        let mut recall = Recall { errand: &errand, armed: true };
        match work {
            Work::Query(statement, sink) => {
                let statement = statement.clone();
                let (sender, mut parcels) = mpsc::channel(IN_TRANSIT);
                let mut packing = Packing::new(sender, sink.wants_columns());
                self.send_away(handle, Arc::clone(&errand), key, move |session| {
                    let done = session.query(&statement, &mut packing, None)?;
                    Ok(Answer { done, packing: Some(packing) })
                })?;
                let received = self.receive(&mut parcels, sink).await;
                if matches!(self.place, Place::Away(_)) {
                    drop(parcels);
                    errand.cancel();
                    let _ = self.come_home().await;
                }
                recall.armed = false;
                return received;
            }
            Work::Execute(statement) => {
                let statement = statement.clone();
                self.send_away(handle, Arc::clone(&errand), key, move |session| {
                    session.execute(&statement).map(Answer::from)
                })?;
            }
            Work::Batch(sql) => {
                let sql = sql.to_owned();
                self.send_away(handle, Arc::clone(&errand), key, move |session| session.batch(&sql).map(Answer::from))?;
            }
            Work::Control(control) => {
                self.send_away(handle, Arc::clone(&errand), key, move |session| {
                    session.control(control).map(Answer::from)
                })?;
            }
            Work::Open => self.send_away(handle, Arc::clone(&errand), key, |_| Ok(ExecResult::default().into()))?,
        }
        let outcome = self.come_home().await;
        recall.armed = false;
        outcome
    }
}

impl Work<'_> {
    fn cost_key(&self) -> Option<CostKey> {
        match self {
            Work::Query(statement, _) | Work::Execute(statement) => Some(CostKey::of(statement)),
            Work::Open | Work::Batch(_) | Work::Control(_) => None,
        }
    }

    // Whether the statement will neither wait nor compute for long, as far as its kind and its recent runs say.
    fn is_short(&self, session: &Session, key: Option<CostKey>) -> bool {
        match self {
            Work::Query(statement, _) | Work::Execute(statement) => {
                let reads = statement.kind() == StatementKind::Select || Verb::of(statement.sql()) == Verb::Read;
                let waits = !reads && session.is_autocommit();
                !waits && key.is_some_and(|key| session.is_short(key))
            }
            // The end of a transaction that only read waits for nothing: every preload has one.
            Work::Control(Control::Commit) => session.only_reads(),
            Work::Control(Control::Begin(TransactionMode::Write)) | Work::Open | Work::Batch(_) => false,
            Work::Control(_) => true,
        }
    }
}

fn measured<T>(session: &mut Session, key: Option<CostKey>, work: impl FnOnce(&mut Session) -> Result<T>) -> Result<T> {
    let Some(key) = key else { return work(session) };
    let started = Instant::now();
    let outcome = work(session);
    session.costs.record(key, started.elapsed());
    outcome
}

fn in_place(work: &mut dyn FnMut()) {
    tokio::task::block_in_place(work);
}

#[cold]
fn lost() -> assoc_core::Error {
    let message = "the thread that ran the connection's last statement did not give it back";
    errors::plain(DriverErrorKind::ConnectionLost, message)
}

/// What a thread gives back.
pub(super) type Return = (Lease, Result<Answer>);

/// What a statement on another thread answers.
pub(super) struct Answer {
    done: ExecResult,
    /// The rows that it has packed and not sent.
    packing: Option<Packing>,
}

impl From<ExecResult> for Answer {
    fn from(done: ExecResult) -> Self {
        Answer { done, packing: None }
    }
}

enum Next {
    Parcel(Option<Parcel>),
    End(Result<Return, JoinError>),
}

// How far a statement on another thread is. Interrupting a connection hits whatever runs on it, so it must be certain
// that the statement meant is still running: both sides change the phase under its lock.
#[derive(Default)]
struct Errand(Mutex<Phase>);

#[derive(Default)]
enum Phase {
    #[default]
    Waiting,
    Running(Arc<InterruptHandle>),
    Done,
    Cancelled,
}

impl Errand {
    fn perform<T>(&self, session: &mut Session, work: impl FnOnce(&mut Session) -> Result<T>) -> Result<T> {
        // Lets `cancel` see the end of it even when a panic ends it.
        struct Running<'e>(&'e Errand);
        impl Drop for Running<'_> {
            fn drop(&mut self) {
                *self.0.phase() = Phase::Done;
            }
        }
        let running = {
            let mut phase = self.phase();
            if matches!(*phase, Phase::Cancelled) {
                return Err(cancelled());
            }
            *phase = Phase::Running(Arc::clone(session.interrupt()));
            Running(self)
        };
        let outcome = work(session);
        drop(running);
        outcome
    }

    fn cancel(&self) {
        let mut phase = self.phase();
        match &*phase {
            Phase::Waiting => *phase = Phase::Cancelled,
            Phase::Running(interrupt) => interrupt.interrupt(),
            Phase::Done | Phase::Cancelled => {}
        }
    }

    fn phase(&self) -> std::sync::MutexGuard<'_, Phase> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cold]
pub(super) fn cancelled() -> assoc_core::Error {
    errors::plain(DriverErrorKind::Interrupted, "the statement was cancelled")
}

// Cancels the errand when the future that waits for it goes away, by being dropped or by a panic in its sink.
struct Recall<'e> {
    errand: &'e Errand,
    armed: bool,
}

impl Drop for Recall<'_> {
    fn drop(&mut self) {
        if self.armed {
            self.errand.cancel();
        }
    }
}
