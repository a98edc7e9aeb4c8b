//! The clocks: time that passes, what this process computes and how long it waits for a processor, and what the server computes.

use std::fs;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// Names the process whose descendants are the database server, where it is a private one.
const SERVER: &str = "PEERS_SERVER";

/// Readings of all clocks before something, or what passed on each.
#[derive(Clone, Copy)]
pub(crate) struct Passed {
    pub(crate) wall: Duration,
    /// Of all threads, kernel included: it repeats on a busy machine.
    pub(crate) processor: Duration,
    /// What the server's processes computed.
    pub(crate) server: Option<Duration>,
}

pub(crate) struct Clock {
    // The server's processes: those of this moment, which include the connections of all peers.
    server: Option<Vec<String>>,
}

impl Clock {
    pub(crate) fn new() -> Clock {
        let server = std::env::var(SERVER).ok().and_then(|keeper| keeper.parse().ok());
        Clock { server: server.map(descendants) }
    }

    /// Runs something and reads what passed.
    pub(crate) fn time<T>(&self, run: impl FnOnce() -> T) -> (T, Passed) {
        let server = self.server();
        let (started, processor) = (Instant::now(), processor_time());
        let outcome = run();
        let wall = started.elapsed();
        let processor = processor_time().saturating_sub(processor);
        let server = self.server().zip(server).map(|(after, before)| after.saturating_sub(before));
        (outcome, Passed { wall, processor, server })
    }

    fn server(&self) -> Option<Duration> {
        let processes = self.server.as_ref()?;
        Some(processes.iter().map(|process| of_threads(process, 0)).sum())
    }
}

/// Of all threads so far.
fn processor_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap_or_default()
}

/// How long the threads of this process that could run have waited so far until a processor was free.
pub(crate) fn waited() -> Duration {
    of_threads("self", 1)
}

/// The sum of a field of the scheduler's statistics over the threads of a process: what they ran (0) or waited (1).
fn of_threads(process: &str, field: usize) -> Duration {
    let threads = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let of = |statistics: String| -> Option<u64> { statistics.split(' ').nth(field)?.trim().parse().ok() };
    let nanos = threads.filter_map(|thread| of(fs::read_to_string(thread.path().join("schedstat")).ok()?)).sum();
    Duration::from_nanos(nanos)
}

/// The processes that a process has started, and those that they have.
fn descendants(ancestor: u32) -> Vec<String> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let parent = |entry: &fs::DirEntry| -> Option<(u32, u32)> {
        let own = entry.file_name().to_str()?.parse().ok()?;
        let status = fs::read_to_string(entry.path().join("stat")).ok()?;
        // Behind the name, which may hold anything, stand the state and the parent.
        let parent = status.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
        Some((own, parent))
    };
    let parents: Vec<(u32, u32)> = processes.filter_map(|entry| parent(&entry)).collect();
    let mut found = vec![ancestor];
    let mut next = 0;
    while let Some(one) = found.get(next).copied() {
        next += 1;
        found.extend(parents.iter().filter(|(_, parent)| *parent == one).map(|(own, _)| *own));
    }
    found.iter().skip(1).map(u32::to_string).collect()
}

/// The peak of this process's resident memory, in KiB.
pub(crate) fn peak_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    peak.trim().trim_end_matches(" kB").parse().ok()
}
