//! Rows nested in each other to any depth, on a stack of any size.
//!
//! A row contains rows that contain rows. Dropping, copying, comparing and showing the outermost row reach all of them,
//! one inside the other. 50,000 nested rows (a self-join that was loaded to the end) would overflow the stack, which no
//! program survives. Two measures prevent that. Both cost one counter per holder where data is not that deep:
//!
//! * Content dropped below [`LEVELS`] levels waits until the stack is free again.
//! * Below [`LEVELS`] levels all other work continues on a new thread with its own stack, while the first thread waits.
//!   Each further [`OWN_LEVELS`] levels take one more thread. If no thread can start, the work continues on the current
//!   one.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt::{self, Write};
use std::panic::resume_unwind;
use std::thread;

/// Levels on a stack of unknown size. A level takes about 1 KiB, and 10 KiB for a model of 50 columns in a build
/// without optimisation.
const LEVELS: u32 = 64;

/// Levels on the stack of a thread started here.
const OWN_LEVELS: u32 = 4_096;

const OWN_STACK: usize = 64 << 20;

thread_local! {
    static DROPPING: Cell<u32> = const { Cell::new(0) };
    static HAS_WAITING: Cell<bool> = const { Cell::new(false) };
    static WAITING: RefCell<Vec<Box<dyn Any>>> = const { RefCell::new(Vec::new()) };
    static WORKING: Cell<u32> = const { Cell::new(0) };
    static LIMIT: Cell<u32> = const { Cell::new(LEVELS) };
}

/// One more level of some work, until it is dropped.
struct Level(&'static thread::LocalKey<Cell<u32>>);

impl Level {
    fn below(counter: &'static thread::LocalKey<Cell<u32>>, limit: u32) -> Option<Self> {
        // At the end of a thread its counters are gone, and levels are not counted any more.
        let level = counter.try_with(Cell::get).unwrap_or(0);
        if level >= limit {
            return None;
        }
        let _ = counter.try_with(|counter| counter.set(level + 1));
        Some(Level(counter))
    }
}

impl Drop for Level {
    fn drop(&mut self) {
        let _ = self.0.try_with(|counter| counter.set(counter.get().saturating_sub(1)));
    }
}

/// Drops the content of a holder: at once, or, below many other holders, after the outermost of them.
pub(super) fn release<C>(content: C, erase: fn(C) -> Box<dyn Any>) {
    match Level::below(&DROPPING, LEVELS) {
        Some(level) => {
            drop(content);
            drop(level);
            if HAS_WAITING.try_with(Cell::get).unwrap_or(false) && DROPPING.try_with(Cell::get) == Ok(0) {
                release_waiting();
            }
        }
        None => wait(erase(content)),
    }
}

#[cold]
fn wait(content: Box<dyn Any>) {
    let mut content = Some(content);
    let waits = WAITING.try_with(|waiting| {
        let mut waiting = waiting.try_borrow_mut().ok()?;
        waiting.push(content.take()?);
        Some(())
    });
    if let Ok(Some(())) = waits {
        let _ = HAS_WAITING.try_with(|has| has.set(true));
    }
    // At the end of a thread there is no list any more, so the content is dropped here.
}

#[cold]
fn release_waiting() {
    while let Some(content) = WAITING.try_with(|waiting| waiting.try_borrow_mut().ok()?.pop()).ok().flatten() {
        // This counts as a level, so that content dropped within it does not come here as well.
        let level = Level::below(&DROPPING, LEVELS);
        drop(content);
        drop(level);
    }
    let _ = HAS_WAITING.try_with(|has| has.set(false));
}

/// Does some work on the content of a holder, which may do the same for nested holders.
pub(super) fn run(work: &mut (dyn FnMut() + Send)) {
    match Level::below(&WORKING, limit()) {
        Some(_level) => work(),
        None => run_on_own_stack(work),
    }
}

fn limit() -> u32 {
    LIMIT.try_with(Cell::get).unwrap_or(LEVELS)
}

#[cold]
fn run_on_own_stack(work: &mut (dyn FnMut() + Send)) {
    let done = thread::scope(|scope| {
        let own = thread::Builder::new().stack_size(OWN_STACK).spawn_scoped(scope, || {
            let _ = LIMIT.try_with(|limit| limit.set(OWN_LEVELS));
            work();
        });
        own.ok().map(thread::ScopedJoinHandle::join)
    });
    match done {
        Some(Ok(())) => {}
        Some(Err(panic)) => resume_unwind(panic),
        None => work(),
    }
}

/// Shows the content of a holder.
pub(super) fn show(value: &(dyn fmt::Debug + Sync), f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if let Some(_level) = Level::below(&WORKING, limit()) {
        return value.fmt(f);
    }
    // A formatter cannot go to another thread; text can come back.
    let (mut text, mut done, pretty) = (String::new(), Ok(()), f.alternate());
    run_on_own_stack(&mut || {
        done = if pretty { write!(text, "{value:#?}") } else { write!(text, "{value:?}") };
    });
    done.and_then(|()| f.write_str(&text))
}

/// Levels that are serialised. A serialiser cannot go to another thread, and most JSON readers refuse more levels.
#[cfg(feature = "serde")]
const SERIALIZED_LEVELS: u32 = 512;

/// Serialises the content of a holder.
#[cfg(feature = "serde")]
pub(super) fn serialize<S: serde::Serializer>(
    serializer: S,
    work: impl FnOnce(S) -> Result<S::Ok, S::Error>,
) -> Result<S::Ok, S::Error> {
    thread_local!(static SERIALIZING: Cell<u32> = const { Cell::new(0) });
    match Level::below(&SERIALIZING, SERIALIZED_LEVELS) {
        Some(_level) => work(serializer),
        None => Err(serde::ser::Error::custom(format_args!(
            "rows are loaded more than {SERIALIZED_LEVELS} levels deep in each other: serialise them as a list"
        ))),
    }
}

/// Levels that are read back: as many as JSON readers read, and few enough for the stack of a thread.
#[cfg(feature = "serde")]
const DESERIALIZED_LEVELS: u32 = 64;

/// Reads the content of a holder.
#[cfg(feature = "serde")]
pub(super) fn deserialize<'de, D: serde::Deserializer<'de>, V>(
    deserializer: D,
    work: impl FnOnce(D) -> Result<V, D::Error>,
) -> Result<V, D::Error> {
    thread_local!(static DESERIALIZING: Cell<u32> = const { Cell::new(0) });
    match Level::below(&DESERIALIZING, DESERIALIZED_LEVELS) {
        Some(_level) => work(deserializer),
        None => Err(serde::de::Error::custom(format_args!(
            "rows lie more than {DESERIALIZED_LEVELS} levels deep in each other"
        ))),
    }
}
