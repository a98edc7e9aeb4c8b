//! `cargo xtask bench`: builds the peers in release, lets them take turns on one database or several, and prints their ratios to SQL by
//! hand beside the targets. What is measured is told in `docs/performance.md`; the last full runs are in `docs/benchmarks`.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use crate::Outcome;
use crate::runner::Runner;
use crate::workspace::{cargo, root};

mod chart;
mod compile;
mod concurrency;
mod instructions;
mod latency;
mod memory;
mod report;
mod targets;

use report::{Facts, Line, Report, Run};
use targets::Database;

/// How the allocator treats freed memory. glibc's default gives it back to the kernel and faults it in again with the
/// next large result; with raised thresholds the process keeps it. Which is nearer to a real server depends on the
/// server, so both are shown.
const HEAPS: [(&str, &[(&str, &str)]); 2] = [
    ("glibc's default heap", &[]),
    (
        "heap with thresholds raised",
        &[("MALLOC_TRIM_THRESHOLD_", "1073741824"), ("MALLOC_MMAP_THRESHOLD_", "33554432")],
    ),
];

/// The names of the workloads.
const WORKLOADS: [&str; 11] = ["W1", "W2", "W3", "W4", "W5", "W6", "W7", "W8", "W9", "W10", "W11"];

/// Names the process whose descendants are the server.
const SERVER: &str = "PEERS_SERVER";

/// Which peers run.
enum Peers {
    /// All. SeaORM, which takes long to compile, is among them only where PostgreSQL is measured: a target names it there.
    Usual,
    All,
    /// These, with commas between.
    Named(String),
}

impl Peers {
    /// Whether SeaORM is compiled in, which then takes part on all of these databases.
    fn have_seaorm(&self, databases: &[Database]) -> bool {
        match self {
            Peers::Usual => databases.contains(&Database::Postgres),
            Peers::All => true,
            Peers::Named(names) => names.split(',').any(|name| name == "seaorm"),
        }
    }
}

/// What the command line asks for.
struct Request {
    databases: Vec<Database>,
    peers: Peers,
    rounds: Option<String>,
    /// How long each number of tasks runs.
    seconds: Option<String>,
    /// How the rows lie: options of the peers.
    shape: Vec<&'static str>,
    /// Of the figure that is measured.
    workloads: Vec<String>,
}

impl Request {
    /// Whether all is asked for: what was asked for in part does not replace a full run.
    fn is_full(&self) -> bool {
        self.workloads.is_empty() && !matches!(self.peers, Peers::Named(_))
    }

    /// Runs the peers, and reads the lines and the facts that they print. `Err` is the exit code of a run that failed.
    fn measured(
        &self,
        runner: &Runner,
        mut command: Command,
        facts: &mut Facts,
    ) -> Result<Result<Vec<Line>, ExitCode>, String> {
        if let Peers::Named(peers) = &self.peers {
            command.args(["--peers", peers]);
        }
        let mut lines = Vec::new();
        let code = runner.run_reading(&mut command, |text| {
            lines.extend(Line::of(text));
            facts.note(text);
        })?;
        Ok(if code == 0 { Ok(lines) } else { Err(ExitCode::from(code)) })
    }
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Figure {
    Times,
    Instructions,
    Memory,
    Latency,
    Concurrency,
    /// Of the compiler.
    Compile,
}

const FIGURES: [(&str, Figure); 5] = [
    ("--instructions", Figure::Instructions),
    ("--memory", Figure::Memory),
    ("--latency", Figure::Latency),
    ("--concurrency", Figure::Concurrency),
    ("compile", Figure::Compile),
];

impl Figure {
    /// Whether a name stands for something that is measured so.
    fn has(self, name: &str) -> bool {
        match self {
            Figure::Times | Figure::Instructions | Figure::Memory => WORKLOADS.contains(&name),
            Figure::Latency => latency::CASES.contains(&name) || (WORKLOADS.contains(&name) && name != "W11"),
            Figure::Concurrency => concurrency::MIXES.contains(&name),
            Figure::Compile => false,
        }
    }
}

pub(crate) fn run(args: &[String]) -> Outcome {
    let (figure, bless, request) = read(args)?;
    match figure {
        Figure::Instructions => instructions::run(&request.workloads, bless),
        Figure::Memory => memory::run(&request.workloads),
        Figure::Times => times(&request),
        Figure::Latency => latency::run(&request),
        Figure::Concurrency => concurrency::run(&request),
        Figure::Compile => compile::run(&request.peers, request.rounds.as_deref()),
    }
}

fn read(args: &[String]) -> Result<(Figure, bool, Request), String> {
    let mut request = Request {
        databases: Vec::new(),
        peers: Peers::Usual,
        rounds: None,
        seconds: None,
        shape: Vec::new(),
        workloads: Vec::new(),
    };
    let (mut figure, mut bless) = (Figure::Times, false);
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let mut value = || args.next().cloned().ok_or_else(|| format!("`{arg}` needs a value"));
        match arg.as_str() {
            "--" => {}
            "sqlite" => request.databases.push(Database::Sqlite),
            "mariadb" | "mysql" => request.databases.push(Database::MariaDb),
            "postgres" | "postgresql" => request.databases.push(Database::Postgres),
            "all" => request.databases.extend([Database::Sqlite, Database::MariaDb, Database::Postgres]),
            "--peers" => {
                let peers = value()?;
                request.peers = if peers == "all" { Peers::All } else { Peers::Named(peers) };
            }
            "--rounds" => request.rounds = Some(value()?),
            "--seconds" => request.seconds = Some(value()?),
            "--gaps" => request.shape.push("--gaps"),
            "--scattered" => request.shape.push("--scattered"),
            "--bless" => bless = true,
            other => match FIGURES.iter().find(|(option, _)| *option == other) {
                Some((_, asked)) if figure == Figure::Times => figure = *asked,
                Some(_) => return Err(format!("`{other}` is a run of its own")),
                None => request.workloads.push(other.to_owned()),
            },
        }
    }
    // Names may stand before the option that says what they are names of.
    if let Some(unknown) = request.workloads.iter().find(|name| !figure.has(name)) {
        return Err(format!("`bench` knows no `{unknown}` here; `cargo xtask` lists what it knows"));
    }
    let only_sqlite = request.databases.is_empty() || request.databases == [Database::Sqlite];
    let is_plain = request.shape.is_empty() && matches!(request.peers, Peers::Usual);
    match figure {
        Figure::Instructions | Figure::Memory if !(only_sqlite && is_plain) => {
            Err("instructions and memory are measured on SQLite, without `--peers`, `--gaps` and `--scattered`"
                .to_owned())
        }
        Figure::Latency | Figure::Concurrency if !request.shape.is_empty() => {
            Err("`--gaps` and `--scattered` are for the workloads without distance, by one task".into())
        }
        Figure::Compile if !(request.databases.is_empty() && request.shape.is_empty()) => {
            Err("`compile` takes `--peers` and `--rounds`: its programs do not run".into())
        }
        _ if bless && figure != Figure::Instructions => Err("`--bless` stores the baseline of `--instructions`".into()),
        _ => Ok(()),
    }?;
    if request.databases.is_empty() {
        match figure {
            Figure::Latency => request.databases.extend([Database::MariaDb, Database::Postgres]),
            _ => request.databases.push(Database::Sqlite),
        }
    }
    Ok((figure, bless, request))
}

/// Times, on one database after the other.
fn times(request: &Request) -> Outcome {
    // One program for all of them.
    let mut features: Vec<&str> = request.databases.iter().map(|database| feature(*database)).collect();
    if request.peers.have_seaorm(&request.databases) {
        features.push("seaorm");
    }
    let program = build(&features)?;
    let mut runner = Runner::new()?;
    for database in &request.databases {
        let mut facts = Facts::of_this_machine();
        let mut runs = Vec::new();
        let heaps = if *database == Database::Sqlite { &HEAPS[..] } else { &HEAPS[..1] };
        let server = match database {
            Database::Sqlite => None,
            Database::MariaDb => runner.start_mysql()?,
            Database::Postgres => runner.start_postgres()?,
        };
        for (heap, variables) in heaps {
            let mut command = Command::new(&program);
            command.arg(database.key()).args(&request.shape).args(&request.workloads).envs(variables.iter().copied());
            if let Some(rounds) = &request.rounds {
                command.args(["--rounds", rounds]);
            }
            command.envs(server.map(|process| (SERVER, process.to_string())));
            match request.measured(&runner, command, &mut facts)? {
                Ok(lines) => runs.push(Run { heap, lines }),
                Err(code) => return Ok(code),
            }
        }
        let report = Report { database: *database, shape: &request.shape, facts, runs };
        println!("\n{}", report.markdown());
        if request.is_full() {
            report.write()?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The feature of the peers for a database. Diesel is part of it where its library is there.
fn feature(database: Database) -> &'static str {
    let has =
        |library: &str| Command::new("pkg-config").args(["--exists", library]).status().is_ok_and(|s| s.success());
    match database {
        Database::Sqlite => "diesel",
        Database::MariaDb if has("libmariadb") || has("mysqlclient") => "diesel-mysql",
        Database::MariaDb => "mariadb",
        Database::Postgres if has("libpq") => "diesel-postgres",
        Database::Postgres => "postgres",
    }
}

/// Builds the peers and answers the program: a copy, which a build with other features does not replace while it runs.
fn build(features: &[&str]) -> Result<PathBuf, String> {
    let directory = root().join("benches/peers");
    let status = cargo()
        .args(["build", "--release", "--locked", "--features", &features.join(",")])
        .current_dir(&directory)
        .status()
        .map_err(|error| format!("cannot run cargo: {error}"))?;
    if !status.success() {
        return Err("the peers do not build".to_owned());
    }
    let release = target().join("release");
    let (built, own) = (release.join("peers"), release.join(format!("peers-for-{}", features.join("-"))));
    // A program that runs cannot be written, but it can be removed.
    let _ = fs::remove_file(&own);
    fs::copy(&built, &own).map_err(|error| format!("{}: {error}", built.display()))?;
    Ok(own)
}

/// Where the peers are built.
fn target() -> PathBuf {
    let own = || root().join("benches/peers/target");
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(own, |target| root().join(target))
}

/// The directory of what full runs found.
fn benchmarks() -> Result<PathBuf, String> {
    let folder = root().join("docs/benchmarks");
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(folder)
}

fn write(path: &std::path::Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    eprintln!("xtask: {} is written", path.strip_prefix(root()).unwrap_or(path).display());
    Ok(())
}

/// Runs the peers for what they print.
fn printed(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{command:?} failed: {}", String::from_utf8_lossy(&output.stderr)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The workloads that are asked for, or all.
fn chosen(workloads: &[String]) -> Vec<&str> {
    if workloads.is_empty() { WORKLOADS.to_vec() } else { workloads.iter().map(String::as_str).collect() }
}

/// A file of SQLite that the peers have filled.
struct Filled {
    folder: PathBuf,
    program: PathBuf,
    file: PathBuf,
    facts: Facts,
}

impl Filled {
    fn new(features: &[&str]) -> Result<Filled, String> {
        let program = build(features)?;
        let folder = target().join(format!("bench-{}", std::process::id()));
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let mut filled = Filled { file: folder.join("main.db"), folder, program, facts: Facts::of_this_machine() };
        let found = printed(Command::new(&filled.program).arg("fill").arg(&filled.file))?;
        found.lines().for_each(|line| filled.facts.note(line));
        Ok(filled)
    }
}

impl Drop for Filled {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}
