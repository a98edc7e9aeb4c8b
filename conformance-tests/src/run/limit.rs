//! Work on a thread of its own, so that a hang or a panic ends one case and not the suite.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

/// Runs `work` and waits for it at most as long as `limit`. A thread that hangs is left behind; it ends with the program.
///
/// # Errors
/// With a sentence, when the work panics or does not end in time.
pub(super) fn within<T: Send + 'static>(
    limit: Duration,
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, String> {
    let (answer, wait) = channel();
    // The receiver may be gone, because the limit has passed.
    let run = move || drop(answer.send(catch_unwind(AssertUnwindSafe(work))));
    thread::Builder::new().name(name.to_owned()).spawn(run).map_err(|error| format!("no thread: {error}"))?;
    match wait.recv_timeout(limit) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(panic)) => Err(format!("panicked: {}", said(&*panic))),
        Err(RecvTimeoutError::Timeout) => Err(format!("did not end within {} s", limit.as_secs_f32())),
        Err(RecvTimeoutError::Disconnected) => Err("ended without an answer".to_owned()),
    }
}

fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("with something that is no text")
}
