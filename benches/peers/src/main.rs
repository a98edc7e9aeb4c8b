//! The workloads of `docs/performance.md`, by several peers over the same SQLite file, interleaved.
//!
//! `peers [workload…]` prints one line a workload and peer: workload, peer, and the median, first and last decile in
//! microseconds, and the median of the processor time, separated by tabs. `peers rss <peer> <file>` runs W3 once and prints the peak of the resident memory
//! in KiB. `cargo xtask bench` makes tables of both. `peers mariadb [W8 W11]` measures the two
//! workloads that insert on MariaDB, `peers postgres [W2 … W7]` those that preload on PostgreSQL.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use assoc_repo::Repo;
use assoc_sqlite::Sqlite;

mod data;
mod hand;
#[cfg(feature = "mariadb")]
mod mariadb;
mod ours;
#[cfg(feature = "postgres")]
mod postgres;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Workload {
    W1,
    W2,
    W3,
    W4,
    W5,
    W6,
    W7,
    W8,
    W9,
    W10,
    W11,
}

use Workload::{W1, W2, W3, W4, W5, W6, W7, W8, W9, W10, W11};

const WORKLOADS: [Workload; 11] = [W1, W2, W3, W4, W5, W6, W7, W8, W9, W10, W11];

impl Workload {
    /// Whether it inserts, into an empty database of its peer.
    fn writes(self) -> bool {
        matches!(self, W8 | W11)
    }
}

/// What the workloads are given, made before the clock starts.
struct Inputs {
    keys: Vec<i64>,
    new_users: Vec<data::NewUser>,
    // What an application has read before: the tags that new posts are linked to.
    tags: Vec<Arc<ours::Tag>>,
}

enum Peer {
    Hand(hand::Hand),
    Assoc(Repo),
    AssocTokio(tokio::runtime::Runtime, Repo),
}

const PEERS: &[&str] = &["hand", "assoc", "assoc-tokio"];

impl Peer {
    fn open(name: &str, path: &Path) -> Outcome<Peer> {
        Ok(match name {
            "hand" => Peer::Hand(hand::Hand::open(path)?),
            "assoc" => Peer::Assoc(Repo::new(Sqlite::open(path)?)),
            "assoc-tokio" => {
                let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build()?;
                Peer::AssocTokio(runtime, Repo::new(Sqlite::open(path)?))
            }
            other => return Err(format!("there is no peer `{other}`").into()),
        })
    }

    /// The checksum.
    fn run(&mut self, workload: Workload, inputs: &Arc<Inputs>, check: bool) -> Outcome<u64> {
        Ok(match self {
            Peer::Hand(hand) => hand.run(workload, inputs, check)?,
            Peer::Assoc(repo) => pollster::block_on(ours::run(repo, workload, inputs, check))?,
            Peer::AssocTokio(runtime, repo) => {
                let (repo, inputs) = (repo.clone(), Arc::clone(inputs));
                // As a task: that is where servers run their handlers.
                let task = async move { ours::run(&repo, workload, &inputs, check).await };
                runtime.block_on(async { tokio::spawn(task).await })??
            }
        })
    }
}

/// Databases in memory-backed storage, gone at the end.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Outcome<Self> {
        let base = Path::new("/dev/shm");
        let base = if base.is_dir() { base.to_owned() } else { std::env::temp_dir() };
        let path = base.join(format!("assoc-peers-{}", std::process::id()));
        std::fs::create_dir_all(&path)?;
        Ok(Directory(path))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A peer, the database it inserts into, and someone who empties it again.
struct Runner {
    name: &'static str,
    reading: Peer,
    writing: Peer,
    cleaner: rusqlite::Connection,
    times: Vec<Duration>,
    // What the process computed, kernel included: it repeats on a busy machine.
    computed: Vec<Duration>,
}

fn main() -> Outcome<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [command, peer, path] = args.as_slice()
        && command == "rss"
    {
        return resident_memory(peer, Path::new(path));
    }
    let tags = data::tags().into_iter().map(|(id, name)| Arc::new(ours::Tag { id, name })).collect();
    let inputs = Arc::new(Inputs { keys: data::keys(), new_users: data::new_users(), tags });
    let rounds: usize = std::env::var("PEERS_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(30);
    if args.first().is_some_and(|first| first == "mariadb") {
        let known = [W8, W11].into_iter().filter(|known| args.len() == 1 || args.contains(&format!("{known:?}")));
        return on_mariadb(&known.collect::<Vec<_>>(), &inputs, rounds);
    }
    if args.first().is_some_and(|first| first == "postgres") {
        let known = [W2, W3, W4, W5, W6, W7];
        let known = known.into_iter().filter(|known| args.len() == 1 || args.contains(&format!("{known:?}")));
        return on_postgres(&known.collect::<Vec<_>>(), &inputs, rounds);
    }
    let only = std::env::var("PEERS_ONLY").ok();
    let directory = Directory::new()?;
    let main = directory.0.join("main.db");
    data::fill(&mut data::create(&main)?, &inputs.new_users)?;
    let mut runners = Vec::new();
    for name in PEERS.iter().filter(|name| only.as_ref().is_none_or(|only| only.split(',').any(|one| one == **name))) {
        let own = directory.0.join(format!("{name}.db"));
        let cleaner = data::create(&own)?;
        data::fill_tags(&cleaner)?;
        let (reading, writing) = (Peer::open(name, &main)?, Peer::open(name, &own)?);
        runners.push(Runner { name, reading, writing, cleaner, times: Vec::new(), computed: Vec::new() });
    }
    for workload in WORKLOADS {
        let name = format!("{workload:?}");
        if args.is_empty() || args.contains(&name) {
            measure(workload, &inputs, &mut runners, rounds)?;
        }
    }
    if args.is_empty() || args.iter().any(|arg| arg == "rss") {
        for peer in &runners {
            let program = std::env::current_exe()?;
            let output = std::process::Command::new(program).args(["rss", peer.name]).arg(&main).output()?;
            print!("rss\t{}\t{}", peer.name, String::from_utf8(output.stdout)?);
        }
    }
    Ok(())
}

#[cfg(feature = "mariadb")]
fn on_mariadb(workloads: &[Workload], inputs: &Inputs, rounds: usize) -> Outcome<()> {
    mariadb::measure(workloads, inputs, rounds)
}

#[cfg(not(feature = "mariadb"))]
fn on_mariadb(_: &[Workload], _: &Inputs, _: usize) -> Outcome<()> {
    Err("the peers were built without `--features mariadb`".into())
}

#[cfg(feature = "postgres")]
fn on_postgres(workloads: &[Workload], inputs: &Arc<Inputs>, rounds: usize) -> Outcome<()> {
    postgres::measure(workloads, inputs, rounds)
}

#[cfg(not(feature = "postgres"))]
fn on_postgres(_: &[Workload], _: &Arc<Inputs>, _: usize) -> Outcome<()> {
    Err("the peers were built without `--features postgres`".into())
}

fn measure(workload: Workload, inputs: &Arc<Inputs>, runners: &mut Vec<Runner>, rounds: usize) -> Outcome<()> {
    const WARM_UP: usize = 3;
    let mut expected = None;
    for runner in runners.iter_mut() {
        runner.times.clear();
        runner.computed.clear();
        let mut found = once(runner, workload, inputs, true)?;
        if workload.writes() {
            found = hand::inserted(&runner.cleaner)?;
            clean(runner)?;
        }
        if *expected.get_or_insert(found) != found {
            return Err(format!("{workload:?}: {} did other work than the first peer", runner.name).into());
        }
        for _ in 0..WARM_UP {
            once(runner, workload, inputs, false)?;
            clean(runner)?;
        }
    }
    for round in 0..rounds {
        for turn in 0..runners.len() {
            // No one always comes after the same neighbour.
            let at = if round % 2 == 0 { turn } else { runners.len() - 1 - turn };
            let runner = &mut runners[at];
            let (started, computed) = (Instant::now(), processor_time());
            once(runner, workload, inputs, false)?;
            runner.times.push(started.elapsed());
            runner.computed.push(processor_time().saturating_sub(computed));
            if workload.writes() {
                clean(runner)?;
            }
        }
    }
    for runner in runners {
        runner.times.sort_unstable();
        runner.computed.sort_unstable();
        let at = |times: &[Duration], tenths: usize| times[(times.len() - 1) * tenths / 10].as_secs_f64() * 1e6;
        let [middle, low, high] = [5, 1, 9].map(|tenths| at(&runner.times, tenths));
        let computed = at(&runner.computed, 5);
        println!("{workload:?}\t{}\t{middle:.1}\t{low:.1}\t{high:.1}\t{computed:.1}", runner.name);
    }
    Ok(())
}

fn once(runner: &mut Runner, workload: Workload, inputs: &Arc<Inputs>, check: bool) -> Outcome<u64> {
    let peer = if workload.writes() { &mut runner.writing } else { &mut runner.reading };
    peer.run(workload, inputs, check)
}

/// Of all threads so far.
pub(crate) fn processor_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap_or_default()
}

fn clean(runner: &Runner) -> Outcome<()> {
    runner.cleaner.execute_batch(
        "DELETE FROM posts_tags; DELETE FROM posts; DELETE FROM users; PRAGMA wal_checkpoint(TRUNCATE)",
    )?;
    Ok(())
}

// Nothing but the one load: the inputs are empty, and the process is fresh.
fn resident_memory(peer: &str, path: &Path) -> Outcome<()> {
    let inputs = Arc::new(Inputs { keys: Vec::new(), new_users: Vec::new(), tags: Vec::new() });
    Peer::open(peer, path)?.run(W3, &inputs, false)?;
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("?");
    println!("{}", peak.trim().trim_end_matches(" kB"));
    Ok(())
}
