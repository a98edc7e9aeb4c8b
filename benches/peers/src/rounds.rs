//! Peers take turns, and each turn is timed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::Outcome;
use crate::clock::{Clock, Passed, waited};
use crate::workload::{Inputs, Workload};

/// One way to do the workloads.
pub(crate) trait Peer {
    fn name(&self) -> &'static str;

    /// Whether this peer has a workload.
    fn does(&self, workload: Workload) -> bool;

    /// The checksum of what was read, if it is asked for.
    fn run(&mut self, workload: Workload, inputs: &Arc<Inputs>, check: bool) -> Outcome<u64>;
}

/// What peers insert into.
pub(crate) trait Store {
    /// A checksum of what a peer has inserted.
    fn inserted(&mut self, peer: &str) -> Outcome<u64>;

    /// Removes it.
    fn clean(&mut self, peer: &str) -> Outcome<()>;
}

/// Lets all peers do a workload in turn, and prints a line for each: the workload, the peer and named figures, with tabs between.
/// Times are in microseconds.
pub(crate) fn measure(
    workload: Workload,
    inputs: &Arc<Inputs>,
    peers: &mut [Box<dyn Peer>],
    store: &mut dyn Store,
    rounds: usize,
) -> Outcome<()> {
    const WARM_UP: usize = 3;
    let mut peers: Vec<_> = peers.iter_mut().filter(|peer| peer.does(workload)).collect();
    let mut passed: Vec<Vec<Passed>> = peers.iter().map(|_| Vec::with_capacity(rounds)).collect();
    let mut expected = None;
    for peer in &mut peers {
        let mut found = peer.run(workload, inputs, true)?;
        if workload.writes() {
            found = store.inserted(peer.name())?;
            store.clean(peer.name())?;
        }
        if *expected.get_or_insert(found) != found {
            return Err(format!("{workload:?}: {} did other work than the first peer", peer.name()).into());
        }
        for _ in 0..WARM_UP {
            peer.run(workload, inputs, false)?;
            if workload.writes() {
                store.clean(peer.name())?;
            }
        }
    }
    // The connections are open now, and on a server each may be a process.
    let clock = Clock::new();
    let (started, before) = (Instant::now(), waited());
    for round in 0..rounds {
        for turn in 0..peers.len() {
            // No one always comes after the same neighbour.
            let at = if round % 2 == 0 { turn } else { peers.len() - 1 - turn };
            let (outcome, times) = clock.time(|| peers[at].run(workload, inputs, false));
            outcome?;
            passed[at].push(times);
            if workload.writes() {
                store.clean(peers[at].name())?;
            }
        }
    }
    // Over all rounds: a thread that waits is noted when it goes on.
    let waited = waited().saturating_sub(before).as_secs_f64() / started.elapsed().as_secs_f64();
    for (peer, passed) in peers.iter().zip(&passed) {
        print_line(workload, peer.name(), passed, waited);
    }
    Ok(())
}

fn print_line(workload: Workload, peer: &str, passed: &[Passed], waited: f64) {
    let sorted = |of: fn(&Passed) -> Duration| {
        let mut times: Vec<Duration> = passed.iter().map(of).collect();
        times.sort_unstable();
        times
    };
    let at = |times: &[Duration], tenths: usize| {
        times.get((times.len().saturating_sub(1)) * tenths / 10).map_or(0.0, |time| time.as_secs_f64() * 1e6)
    };
    let (wall, processor) = (sorted(|one| one.wall), sorted(|one| one.processor));
    print!("{workload:?}\t{peer}");
    print!("\twall={:.1}\twall-low={:.1}\twall-high={:.1}", at(&wall, 5), at(&wall, 1), at(&wall, 9));
    print!("\tcpu={:.1}\tcpu-least={:.1}", at(&processor, 5), at(&processor, 0));
    print!("\twaited={:.4}", waited);
    if passed.iter().all(|one| one.server.is_some()) {
        let server = sorted(|one| one.server.unwrap_or_default());
        print!("\tserver={:.1}\tserver-least={:.1}", at(&server, 5), at(&server, 0));
    }
    println!();
}
