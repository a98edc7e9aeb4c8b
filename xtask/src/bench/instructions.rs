//! `cargo xtask bench --instructions`: how many instructions an iteration of each workload takes on SQLite, counted by callgrind. A count
//! repeats on any machine, so it is the figure that tells regressions.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use super::{Filled, benchmarks, chosen, target, write};
use crate::Outcome;
use crate::system::find;
use crate::workspace::root;

const PEERS: [&str; 2] = ["hand", "assoc"];

/// What changes by more than this is told.
const TOLERANCE: f64 = 0.02;

/// Iterations of the two runs, whose difference has neither the start of the process nor what is done once.
const ITERATIONS: [u64; 2] = [1, 3];

/// Instructions by workload and peer.
type Counts = BTreeMap<(String, String), u64>;

pub(super) fn run(workloads: &[String], bless: bool) -> Outcome {
    if find(&["valgrind"]).is_none() {
        return Err("there is no `valgrind`, which counts instructions: install its package".to_owned());
    }
    let filled = Filled::new(&[])?;
    let mut counts = Counts::new();
    for workload in chosen(workloads) {
        for peer in PEERS {
            let mut totals = [0; 2];
            for (total, iterations) in totals.iter_mut().zip(ITERATIONS) {
                *total = count(&filled, workload, peer, iterations)?;
            }
            let of_one = totals[1].saturating_sub(totals[0]) / (ITERATIONS[1] - ITERATIONS[0]);
            println!("{workload}\t{peer}\t{of_one}");
            counts.insert((workload.to_owned(), peer.to_owned()), of_one);
        }
    }
    let baseline = Baseline::read();
    let page = page(&filled, &counts, &baseline);
    println!("\n{page}");
    if workloads.is_empty() {
        write(&benchmarks()?.join("instructions.md"), &page)?;
        write(&benchmarks()?.join("instructions.json"), &json(&filled, &counts))?;
    }
    if bless {
        let mut all = baseline.counts;
        all.extend(counts);
        let path = baseline_path();
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        write(&path, &json(&filled, &all))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The instructions of a whole process. What callgrind found stays beside the build, for `callgrind_annotate`.
fn count(filled: &Filled, workload: &str, peer: &str, iterations: u64) -> Result<u64, String> {
    let folder = target().join("callgrind");
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let profile = folder.join(format!("{workload}.{peer}.{iterations}"));
    let mut command = Command::new("valgrind");
    command.arg("--tool=callgrind").arg(format!("--callgrind-out-file={}", profile.display())).arg(&filled.program);
    command.arg("iterate").arg(&filled.file).args([peer, workload, &iterations.to_string()]);
    let output = command.output().map_err(|error| format!("valgrind: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let collected = said.lines().find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok());
    match (output.status.success(), collected) {
        (true, Some(collected)) => Ok(collected),
        _ => Err(format!("{command:?} counted nothing:\n{said}")),
    }
}

fn page(filled: &Filled, counts: &Counts, baseline: &Baseline) -> String {
    let mut page = format!(
        "# Instructions on SQLite\n\n{}\n\nMillions an iteration, counted by callgrind: the difference of two runs, without the kernel. \
         `assoc` runs without a runtime.\n\n| | hand | assoc | ratio | assoc, against the baseline |\n|---|---:|---:|---:|---:|\n",
        filled.facts.sentence()
    );
    let mut changes = String::new();
    for ((workload, peer), own) in in_order(counts) {
        let before = baseline.counts.get(&(workload.clone(), peer.clone()));
        let change = before.map(|before| *own as f64 / *before as f64 - 1.0);
        // Writing to a String cannot fail.
        if let Some(change) = change.filter(|change| change.abs() > TOLERANCE) {
            let _ = writeln!(changes, "* {workload} of `{peer}`: {:+.1} %", change * 100.0);
        }
        if peer == "assoc"
            && let Some(hand) = counts.get(&(workload.clone(), "hand".to_owned()))
        {
            let change = change.map_or("new".to_owned(), |change| format!("{:+.1} %", change * 100.0));
            let [by_hand, ours] = [*hand as f64 / 1e6, *own as f64 / 1e6];
            let _ = writeln!(page, "| {workload} | {by_hand:.2} | {ours:.2} | {:.2} | {change} |", ours / by_hand);
        }
    }
    page.push_str("\nChanged by more than 2 % against the baseline:");
    match (baseline.counts.is_empty(), changes.is_empty()) {
        (true, _) => page.push_str(" there is no baseline.\n"),
        (false, true) => page.push_str(" nothing.\n"),
        (false, false) => {
            let _ = write!(page, "\n\n{changes}");
        }
    }
    for (name, before) in &baseline.versions {
        if let Some(now) = filled.facts.get(name).filter(|now| now != before) {
            let _ = writeln!(page, "\nThe baseline was counted with {name} {before}, this is {now}.");
        }
    }
    page
}

/// W2 before W10.
fn in_order(counts: &Counts) -> Vec<(&(String, String), &u64)> {
    let mut sorted: Vec<_> = counts.iter().collect();
    sorted.sort_by_key(|((workload, _), _)| super::WORKLOADS.iter().position(|name| name == workload));
    sorted
}

fn json(filled: &Filled, counts: &Counts) -> String {
    let versions = VERSIONS.map(|name| format!("  \"{name}\": \"{}\"", filled.facts.get(name).unwrap_or("unknown")));
    let lines: Vec<String> =
        in_order(counts).iter().map(|((workload, peer), count)| format!("  \"{workload} {peer}\": {count}")).collect();
    format!("{{\n{},\n{}\n}}\n", versions.join(",\n"), lines.join(",\n"))
}

/// What instruction counts depend on beside the code.
const VERSIONS: [&str; 2] = ["rustc", "SQLite"];

fn baseline_path() -> PathBuf {
    root().join("benches/peers/baseline/instructions.json")
}

/// What was stored by `--bless`.
struct Baseline {
    versions: Vec<(String, String)>,
    counts: Counts,
}

impl Baseline {
    /// Reads what [`json`] writes: an entry a line.
    fn read() -> Baseline {
        let text = fs::read_to_string(baseline_path()).unwrap_or_default();
        let mut baseline = Baseline { versions: Vec::new(), counts: Counts::new() };
        for line in text.lines() {
            let Some((name, value)) = line.split_once(": ") else { continue };
            let [name, value] = [name, value].map(|part| part.trim().trim_end_matches(',').trim_matches('"'));
            match (name.split_once(' '), value.parse()) {
                (Some((workload, peer)), Ok(count)) => {
                    baseline.counts.insert((workload.to_owned(), peer.to_owned()), count);
                }
                _ => baseline.versions.push((name.to_owned(), value.to_owned())),
            }
        }
        baseline
    }
}
