//! `cargo xtask bench compile`: what a program pays for a library before it runs. Generated programs of assoc, Diesel and SeaORM are
//! compiled, and processor times of cargo and all its children are taken. `docs/performance.md` tells what the figures are.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use super::report::{Facts, Line, Run};
use super::{Peers, benchmarks, write};
use crate::workspace::{root, target};
use crate::{Outcome, crates};

mod diesel;
mod ours;
mod page;
mod program;
mod seaorm;

use page::{CLEAN, page};
use program::{Edited, Library, Program};

/// How many models the programs have that are edited.
const SIZES: [usize; 2] = [30, 100];

pub(super) fn run(peers: &Peers, rounds: Option<&str>) -> Outcome {
    let rounds = match rounds {
        Some(rounds) => rounds.parse().ok().filter(|rounds| *rounds > 0).ok_or("`--rounds` takes a number from 1")?,
        None => 5,
    };
    let libraries = chosen(peers)?;
    let mut facts = Facts::of_this_machine();
    facts.note(&format!("fact\tload\t{}", load()));
    for library in &libraries {
        facts.note(&format!("fact\t{}\t{}", library.key(), library.version()?));
    }
    let mut run = Run { heap: "", lines: Vec::new() };
    for library in &libraries {
        for size in SIZES {
            for (figure, cost) in edited(*library, size, rounds)? {
                tell(&mut run, &format!("{figure}-{size}\t{}\t{cost}\trounds={rounds}", library.key()));
            }
        }
    }
    // Clean builds take longest. A run that is ended before leaves what it has found.
    keep(peers, &facts, &run)?;
    for library in &libraries {
        let program = Program::running(*library)?;
        let count = crates::compiled(Cargo::new(&program).command.arg("tree"))?.len() - 1;
        tell(&mut run, &format!("crates\t{}\tcrates={count}", library.key()));
    }
    // By turns, so that what else the machine does meets them alike.
    let builds = builds(rounds);
    for (figure, command, _) in CLEAN {
        for library in &libraries {
            let cost = clean(*library, command, builds)?;
            tell(&mut run, &format!("{figure}\t{}\t{}\trounds={builds}", library.key(), cost.figures()));
        }
    }
    facts.note(&format!("fact\tload at the end\t{}", load()));
    println!("\n{}", page(&facts, &run));
    keep(peers, &facts, &run)?;
    Ok(ExitCode::SUCCESS)
}

/// Prints a line and adds it to the run.
fn tell(run: &mut Run, line: &str) {
    println!("{line}");
    run.lines.extend(Line::of(line));
}

/// Replaces what the last run of all found, or all but SeaORM.
fn keep(peers: &Peers, facts: &Facts, run: &Run) -> Result<(), String> {
    if matches!(peers, Peers::Named(_)) {
        return Ok(());
    }
    write(&benchmarks()?.join("compile.md"), &page(facts, run))?;
    let lines: Vec<String> = run.lines.iter().map(|line| format!("    {}", line.json())).collect();
    let json = format!(
        "{{\n  \"facts\": {},\n  \"unit\": \"s\",\n  \"lines\": [\n{}\n  ]\n}}\n",
        facts.json(),
        lines.join(",\n")
    );
    write(&benchmarks()?.join("compile.json"), &json)
}

/// How often all is built from nothing, which takes long.
fn builds(rounds: usize) -> usize {
    rounds.div_ceil(3)
}

fn chosen(peers: &Peers) -> Result<Vec<Library>, String> {
    match peers {
        Peers::Usual => Ok(vec![Library::Ours, Library::Diesel]),
        Peers::All => Ok(vec![Library::Ours, Library::Diesel, Library::SeaOrm]),
        Peers::Named(names) => {
            let find = |name: &str| {
                let known = [Library::Ours, Library::Diesel, Library::SeaOrm];
                let found = known.into_iter().find(|library| library.key() == name);
                found.ok_or_else(|| format!("`bench compile` has no peer `{name}`: it has assoc, diesel and seaorm"))
            };
            names.split(',').map(find).collect()
        }
    }
}

/// The mean number of processes that want a processor, of the last minute. Empty where the system does not tell.
fn load() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().unwrap_or_default().to_owned()
}

/// Compiles a program with three models and all its dependencies.
fn clean(library: Library, command: &[&str], rounds: usize) -> Result<Cost, String> {
    let program = Program::running(library)?;
    let mut costs = Vec::new();
    for _ in 0..rounds {
        program.clean()?;
        costs.push(Cargo::new(&program).timed(command)?);
    }
    program.clean()?;
    Ok(Cost::least(costs))
}

/// Checks of a program with many models: of all of it, and after one model has been edited.
fn edited(library: Library, size: usize, rounds: usize) -> Result<Vec<(&'static str, String)>, String> {
    let program = Program::of_models(library, size)?;
    // Dependencies first. Their folder is shared by all sizes.
    Cargo::new(&program).timed(&["check"])?;
    let mut clean = Vec::new();
    for _ in 0..rounds {
        Cargo::new(&program).timed(&["clean", "--package", program.name()])?;
        clean.push(Cargo::new(&program).timed(&["check"])?);
    }
    let edit = |edited: &dyn Fn(usize) -> Edited| {
        let mut costs = Vec::new();
        for round in 1..=rounds {
            program.write_model(size / 2, edited(round))?;
            costs.push(Cargo::new(&program).timed(&["check"])?);
        }
        Ok::<_, String>(Cost::median(costs).figures())
    };
    let function = edit(&|function| Edited { function, ..Edited::default() })?;
    let column = edit(&|column| Edited { column, ..Edited::default() })?;
    Ok(vec![("check", Cost::median(clean).figures()), ("function", function), ("column", column)])
}

/// Cargo in the folder of a program, with the defaults that a new program has.
struct Cargo {
    command: Command,
}

impl Cargo {
    fn new(program: &Program) -> Cargo {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.current_dir(program.folder()).env("CARGO_TARGET_DIR", program.target());
        // What the caller has set for its own builds.
        for variable in
            ["CARGO_INCREMENTAL", "RUSTC_WRAPPER", "RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_JOBS"]
        {
            command.env_remove(variable);
        }
        Cargo { command }
    }

    /// Runs cargo and takes the time of it and all its children. The shell is who can tell.
    fn timed(self, args: &[&str]) -> Result<Cost, String> {
        let cargo = self.command;
        let mut shell = Command::new("sh");
        shell
            .args(["-c", "\"$@\"; code=$?; times; exit $code", "sh"])
            .arg(cargo.get_program())
            .args(args)
            .arg("--quiet");
        if let Some(folder) = cargo.get_current_dir() {
            shell.current_dir(folder);
        }
        for (name, value) in cargo.get_envs() {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        let began = Instant::now();
        let output = shell.stderr(Stdio::inherit()).output().map_err(|error| format!("cannot run a shell: {error}"))?;
        let wall = began.elapsed().as_secs_f64();
        if !output.status.success() {
            return Err(format!(
                "cargo {} failed in {}",
                args.join(" "),
                cargo.get_current_dir().unwrap_or(Path::new("")).display()
            ));
        }
        let told = String::from_utf8_lossy(&output.stdout);
        let cpu = of_children(&told).ok_or_else(|| format!("the shell told no times: {told}"))?;
        Ok(Cost { cpu, wall })
    }
}

// `times` tells the shell's own on the first line, those of its children on the second: `1m2.34s 0m5.67s`.
fn of_children(times: &str) -> Option<f64> {
    let seconds = |time: &str| {
        let (minutes, seconds) = time.trim_end_matches('s').split_once('m')?;
        Some(minutes.parse::<f64>().ok()? * 60.0 + seconds.parse::<f64>().ok()?)
    };
    times.lines().next_back()?.split_whitespace().map(seconds).sum()
}

/// Seconds.
#[derive(Clone, Copy)]
struct Cost {
    cpu: f64,
    wall: f64,
}

impl Cost {
    /// By processor time: a busy machine adds to it by its caches, and takes nothing away.
    fn least(costs: Vec<Cost>) -> Cost {
        Cost::sorted(costs)[0]
    }

    fn median(costs: Vec<Cost>) -> Cost {
        let costs = Cost::sorted(costs);
        costs[costs.len() / 2]
    }

    fn sorted(mut costs: Vec<Cost>) -> Vec<Cost> {
        costs.sort_by(|one, other| one.cpu.total_cmp(&other.cpu));
        costs
    }

    fn figures(self) -> String {
        format!("cpu={:.2}\twall={:.2}", self.cpu, self.wall)
    }
}

/// Where programs are written and compiled.
fn folder() -> PathBuf {
    root().join(target()).join("bench-compile")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_children_are_on_the_last_line() {
        assert_eq!(of_children("0m0.01s 0m0.02s\n1m2.50s 0m0.25s\n"), Some(62.75));
        assert_eq!(of_children("0m0.010000s 0m0.020000s\n0m2.500000s 2m0.250000s\n"), Some(122.75));
        assert_eq!(of_children(""), None);
        assert_eq!(of_children("what?"), None);
    }

    #[test]
    fn the_median_is_by_processor_time() {
        let costs = |cpus: &[f64]| cpus.iter().map(|cpu| Cost { cpu: *cpu, wall: 1.0 }).collect();
        assert_eq!(Cost::median(costs(&[5.0, 1.0, 3.0])).cpu, 3.0);
        assert_eq!(Cost::least(costs(&[5.0, 1.0, 3.0])).cpu, 1.0);
    }
}
