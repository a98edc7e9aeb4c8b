//! Does the suite notice? Each planted fault, and the first case that fails for it: on SQLite, or on MariaDB or MySQL where
//! SQLite has nothing that the fault would spoil.
//!
//! `mutants.txt` names that case for each fault; of a fault that cannot be seen from outside it says why. This test tries what
//! is named there, so that it takes seconds, and fails where the file is not right any more. `cargo xtask mutants` looks
//! for it anew among all cases; with `--all` it looks for every case that notices. MariaDB or MySQL is asked where
//! `ASSOC_MYSQL_URL` is set: `cargo xtask db mysql -- cargo xtask mutants`. What the other of both notices stays on record.

// Helpers fail a test by panicking.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use backends::{MariaDb, SqliteFile, SqliteInMemory};
use conformance_tests::{Backend, Case, Fault, Outcome, Planted, all, execute, golden};
use tokio::runtime::Runtime;

mod backends;

/// Which cases are tried.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Search {
    /// Those that are on record.
    Recorded,
    /// All, until one notices.
    First,
    /// All.
    All,
}

const RECORD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/mutants.txt");
// In place of a case.
const NOTHING: &str = "nothing yet";
const HIDDEN: &str = "cannot be seen: ";

/// A database on which a fault is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    SqliteInMemory,
    // It takes several connections.
    SqliteInAFile,
    MariaDb,
    MySql,
}

impl Place {
    /// What the record says behind a case.
    const fn says(self) -> &'static str {
        match self {
            Place::SqliteInMemory => "",
            Place::SqliteInAFile => " in a file",
            Place::MariaDb => " on MariaDB",
            Place::MySql => " on MySQL",
        }
    }

    fn of(name: &str) -> (&str, Place) {
        let at = [Place::SqliteInAFile, Place::MariaDb, Place::MySql].into_iter();
        let mut named = at.filter_map(|place| Some((name.strip_suffix(place.says())?, place)));
        named.next().unwrap_or((name, Place::SqliteInMemory))
    }

    fn is_there(self) -> bool {
        match self {
            Place::SqliteInMemory | Place::SqliteInAFile => true,
            Place::MariaDb => is_served() && MariaDb.name() == "mariadb",
            Place::MySql => is_served() && MariaDb.name() == "mysql",
        }
    }

    /// Whether a case is tried here. In a file it is the same as in memory, but for what needs several connections.
    fn tries(self, case: &Case) -> bool {
        self != Place::SqliteInAFile || case.id.starts_with("contract") || case.id.contains("transaction")
    }
}

fn is_served() -> bool {
    std::env::var_os("ASSOC_MYSQL_URL").is_some_and(|url| !url.is_empty())
}

fn main() -> ExitCode {
    let mut search = Search::Recorded;
    let mut chosen = Vec::new();
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--search" => search = Search::First,
            "--all" => search = Search::All,
            // What every test program is given.
            other if other.starts_with('-') => {}
            other => chosen.push(other.to_owned()),
        }
    }
    let known: BTreeMap<String, Vec<String>> = std::fs::read_to_string(RECORD)
        .unwrap_or_default()
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(fault, cases)| {
            let is_case = |case: &&str| *case != NOTHING && !cases.starts_with(HIDDEN);
            let cases = cases.split(", ").filter(is_case).map(str::to_owned);
            (fault.to_owned(), cases.collect())
        })
        .collect();
    let faults: Vec<Fault> = Fault::ALL
        .iter()
        .copied()
        .filter(|fault| chosen.is_empty() || chosen.iter().any(|name| format!("{fault:?}").contains(name)))
        .collect();
    // Faults make cases panic, which is one way to notice.
    std::panic::set_hook(Box::new(|_| {}));
    let (next, found) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(fault) = faults.get(next.fetch_add(1, Relaxed)) {
                    let on_record = known.get(&format!("{fault:?}")).cloned().unwrap_or_default();
                    let noticed = noticed(*fault, search, &on_record);
                    found.lock().unwrap().insert(format!("{fault:?}"), (*fault, noticed));
                }
            });
        }
    });
    let found = found.into_inner().unwrap();
    let (mut unnoticed, mut is_as_recorded) = (0, true);
    let mut record = String::new();
    for (name, (fault, cases)) in &found {
        let _ = match (cases.is_empty(), fault.hidden()) {
            (false, _) => writeln!(record, "{name}: {}", cases.join(", ")),
            (true, Some(why)) => {
                println!("hidden: a driver that {}: {why}", fault.says());
                writeln!(record, "{name}: {HIDDEN}{why}")
            }
            (true, None) => {
                println!("NOT NOTICED: a driver that {}", fault.says());
                unnoticed += 1;
                is_as_recorded &= known.get(name).is_some_and(Vec::is_empty) || search != Search::Recorded;
                writeln!(record, "{name}: {NOTHING}")
            }
        };
        if search != Search::Recorded {
            println!("{name}: {}", cases.join(", "));
        } else if !cases.is_empty() && known.get(name) != Some(cases) {
            println!(
                "{name} is noticed by {} and not by what is on record: run `cargo xtask mutants`",
                cases.join(", ")
            );
            is_as_recorded = false;
        }
    }
    println!("{} faults, {unnoticed} not noticed", found.len());
    if search == Search::First && chosen.is_empty() {
        if is_served() {
            std::fs::write(RECORD, record).unwrap();
        } else {
            println!("ASSOC_MYSQL_URL is not set, so that nothing is recorded: not every fault shows on SQLite");
        }
    }
    if is_as_recorded { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn noticed(fault: Fault, search: Search, on_record: &[String]) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let mut found = Vec::new();
    if search == Search::Recorded {
        for name in on_record {
            let (id, place) = Place::of(name);
            if !place.is_there() {
                println!("not tried: {name} for a driver that {}", fault.says());
                return vec![name.clone()];
            }
            let case = all().find(|case| case.id == id);
            if case.is_some_and(|case| notices(&runtime, fault, case, place)) {
                return vec![name.clone()];
            }
        }
        return found;
    }
    for place in [Place::SqliteInMemory, Place::SqliteInAFile, Place::MariaDb, Place::MySql] {
        for case in all().filter(|case| place.is_there() && place.tries(case)) {
            if notices(&runtime, fault, case, place) {
                found.push(format!("{}{}", case.id, place.says()));
                if search != Search::All {
                    return found;
                }
            }
        }
        if !found.is_empty() {
            break;
        }
    }
    if found.is_empty() {
        found.extend(on_record.iter().filter(|name| !Place::of(name).1.is_there()).cloned());
    }
    runtime.shutdown_background();
    found
}

// Whether a case fails for the fault, and only for it.
fn notices(runtime: &Runtime, fault: Fault, case: &Case, place: Place) -> bool {
    match place {
        Place::SqliteInMemory => fails_for(runtime, fault, SqliteInMemory, case),
        Place::SqliteInAFile => fails_for(runtime, fault, SqliteFile, case),
        Place::MariaDb | Place::MySql => fails_for(runtime, fault, MariaDb, case),
    }
}

fn fails_for<B: Backend + Copy>(runtime: &Runtime, fault: Fault, backend: B, case: &Case) -> bool {
    !passes(runtime, &Planted::new(backend, fault), case) && passes(runtime, &backend, case)
}

// Whether a case behaves on a backend as it should.
fn passes(runtime: &Runtime, backend: &dyn Backend, case: &Case) -> bool {
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        runtime.block_on(async {
            match tokio::time::timeout(Duration::from_secs(20), execute(backend, case)).await {
                Ok(Ok(Outcome::Ran(transcript))) => golden::behaviour(case.id, transcript.nulls)
                    .is_some_and(|golden| golden == transcript.behaviour.trim_end()),
                Ok(Ok(Outcome::Skipped(_))) => true,
                Ok(Err(_)) | Err(_) => false,
            }
        })
    }));
    outcome.unwrap_or(false)
}
