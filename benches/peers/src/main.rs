//! The workloads of `docs/performance.md`, by several peers over the same rows, in turn.
//!
//! ```text
//! peers <sqlite|mariadb|postgres> [--peers <name,…>] [--rounds <n>] [--gaps] [--scattered] [<workload>…]
//! peers latency <mariadb|postgres> [--peers <name,…>] [--rounds <n>] [<case>…]
//! peers concurrency <sqlite|mariadb> [--peers <name,…>] [--seconds <n>] [<mix>…]
//! peers fill <file> [--gaps] [--scattered]
//! peers iterate <file> <peer> <workload> <rounds>
//! peers allocations <file> <peer> <workload>
//! ```
//!
//! The first prints a line for each workload and peer. `latency` does so for several distances of the server, and
//! `concurrency` for several numbers of tasks. `fill` makes a file of SQLite, `iterate` runs one workload on it some times and
//! once before, and prints the peak of the resident memory; `allocations` counts those of one round. `cargo xtask bench` makes tables of
//! all this. The servers are those that `ASSOC_MYSQL_URL` and `ASSOC_POSTGRES_URL` name.

use std::path::Path;
use std::sync::Arc;

mod allocations;
#[cfg(feature = "diesel")]
mod by_diesel;
#[cfg(feature = "seaorm")]
mod by_seaorm;
mod clock;
mod concurrency;
mod data;
#[cfg(any(feature = "mariadb", feature = "postgres"))]
mod latency;
#[cfg(feature = "mariadb")]
mod mariadb;
mod ours;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(any(feature = "mariadb", feature = "postgres"))]
mod proxy;
mod rounds;
mod rows;
mod sqlite;
mod workload;

use data::Shape;
use rounds::{Peer, Store, measure};
use workload::{Inputs, WORKLOADS, Workload};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// What the command line asks for.
struct Options {
    peers: Option<Vec<String>>,
    rounds: usize,
    shape: Shape,
    workloads: Vec<Workload>,
}

impl Options {
    fn of(args: &[String]) -> Outcome<Options> {
        let mut options = Options { peers: None, rounds: 30, shape: Shape::default(), workloads: Vec::new() };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or_else(|| format!("`{arg}` needs a value"));
            match arg.as_str() {
                "--peers" => options.peers = Some(value()?.split(',').map(str::to_owned).collect()),
                "--rounds" => options.rounds = value()?.parse()?,
                "--gaps" => options.shape.gaps = true,
                "--scattered" => options.shape.scattered = true,
                name => {
                    let workload = Workload::named(name).ok_or_else(|| format!("there is no workload `{name}`"))?;
                    options.workloads.push(workload);
                }
            }
        }
        if options.workloads.is_empty() {
            options.workloads = WORKLOADS.to_vec();
        }
        Ok(options)
    }

    /// Whether a peer takes part.
    fn has(&self, peer: &str) -> bool {
        self.peers.as_ref().is_none_or(|peers| peers.iter().any(|one| one == peer))
    }

    /// Measures all workloads that any of the peers does.
    fn measure(&self, inputs: &Arc<Inputs>, peers: &mut [Box<dyn Peer>], store: &mut dyn Store) -> Outcome<()> {
        for workload in &self.workloads {
            measure(*workload, inputs, peers, store, self.rounds)?;
        }
        Ok(())
    }
}

fn main() -> Outcome<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["sqlite", rest @ ..] => sqlite::run(&options(rest)?),
        ["mariadb", rest @ ..] => on_mariadb(&options(rest)?),
        ["postgres", rest @ ..] => on_postgres(&options(rest)?),
        ["latency", database, rest @ ..] => latency_on(database, rest),
        ["concurrency", database, rest @ ..] => concurrency_on(database, rest),
        ["fill", path, rest @ ..] => sqlite::fill_file(Path::new(path), options(rest)?.shape),
        ["iterate", path, peer, workload, rounds] => {
            sqlite::iterate(Path::new(path), peer, one(workload)?, rounds.parse()?)
        }
        ["allocations", path, peer, workload] => allocations::count(Path::new(path), peer, one(workload)?),
        _ => Err("usage: peers <sqlite|mariadb|postgres|latency|concurrency|fill|iterate|allocations> …".into()),
    }
}

fn options(args: &[&str]) -> Outcome<Options> {
    Options::of(&args.iter().map(|arg| (*arg).to_owned()).collect::<Vec<_>>())
}

fn one(workload: &str) -> Outcome<Workload> {
    Workload::named(workload).ok_or_else(|| format!("there is no workload `{workload}`").into())
}

fn latency_on(database: &str, args: &[&str]) -> Outcome<()> {
    match database {
        #[cfg(feature = "mariadb")]
        "mariadb" => mariadb::latency::run(&latency::Options::of(args)?),
        #[cfg(feature = "postgres")]
        "postgres" => postgres::latency::run(&latency::Options::of(args)?),
        other => Err(format!("the peers were built without a server `{other}` to be far from, with {args:?}").into()),
    }
}

fn concurrency_on(database: &str, args: &[&str]) -> Outcome<()> {
    let options = concurrency::Options::of(args)?;
    match database {
        "sqlite" => sqlite::concurrency::run(&options),
        #[cfg(feature = "mariadb")]
        "mariadb" => mariadb::concurrency::run(&options),
        other => Err(format!("the peers were built without tasks on `{other}`").into()),
    }
}

#[cfg(feature = "mariadb")]
fn on_mariadb(options: &Options) -> Outcome<()> {
    mariadb::run(options)
}

#[cfg(not(feature = "mariadb"))]
fn on_mariadb(_: &Options) -> Outcome<()> {
    Err("the peers were built without `--features mariadb`".into())
}

#[cfg(feature = "postgres")]
fn on_postgres(options: &Options) -> Outcome<()> {
    postgres::run(options)
}

#[cfg(not(feature = "postgres"))]
fn on_postgres(_: &Options) -> Outcome<()> {
    Err("the peers were built without `--features postgres`".into())
}
