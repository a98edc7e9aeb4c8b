//! `cargo xtask bench`: builds the peers in release, runs them under two heap policies and prints ratios beside the
//! targets. `cargo xtask bench postgres` runs those that preload on a private PostgreSQL server. What is measured is told in
//! `docs/performance.md`.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use crate::Outcome;
use crate::runner::Runner;
use crate::workspace::{cargo, root};

/// How the allocator treats freed memory. glibc's default gives it back to the kernel and faults it in again with the
/// next large result; with raised thresholds the process keeps it. Which is nearer to a real server depends on the
/// server, so both are shown.
const HEAPS: [(&str, &[(&str, &str)]); 2] = [
    ("Median, heap: glibc's default", &[]),
    (
        "Median, heap: thresholds raised",
        &[("MALLOC_TRIM_THRESHOLD_", "1073741824"), ("MALLOC_MMAP_THRESHOLD_", "33554432")],
    ),
];

/// The ratio to SQL by hand that each workload is to reach.
const TARGETS: [(&str, f64); 11] = [
    ("W1", 1.10),
    ("W2", 1.00),
    ("W3", 1.00),
    ("W4", 0.85),
    ("W5", 0.65),
    ("W6", 1.05),
    ("W7", 1.00),
    ("W8", 1.50),
    ("W9", 1.05),
    ("W10", 1.00),
    ("W11", 1.50),
];

/// The workloads that are measured on PostgreSQL.
const ON_POSTGRES: [&str; 6] = ["W2", "W3", "W4", "W5", "W6", "W7"];

/// One line of the peers' output.
struct Line {
    workload: String,
    peer: String,
    median: f64,
    /// The least time of the processor, where it is printed.
    least: Option<f64>,
}

pub(crate) fn run(args: &[String]) -> Outcome {
    let mut filter: &[String] = args;
    if let [first, rest @ ..] = filter
        && first == "--"
    {
        filter = rest;
    }
    if let [first, rest @ ..] = filter
        && first == "postgres"
    {
        return on_postgres(rest);
    }
    let known = |name: &String| name == "rss" || TARGETS.iter().any(|(workload, _)| workload == name);
    if let Some(unknown) = filter.iter().find(|name| !known(name)) {
        return Err(format!("there is no workload `{unknown}`: they are W1 to W11, and rss"));
    }
    let program = build(&[])?;
    for (heap, variables) in HEAPS {
        let output = Command::new(&program)
            .args(filter)
            .envs(variables.iter().copied())
            .stderr(std::process::Stdio::inherit())
            .output()
            .map_err(|error| format!("cannot run {}: {error}", program.display()))?;
        if !output.status.success() {
            return Ok(ExitCode::FAILURE);
        }
        print_table(heap, &parse(&String::from_utf8_lossy(&output.stdout)));
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs the workloads on a private PostgreSQL server, beside tokio-postgres by hand and, where there is libpq, Diesel.
fn on_postgres(filter: &[String]) -> Outcome {
    if let Some(unknown) = filter.iter().find(|name| !ON_POSTGRES.contains(&name.as_str())) {
        return Err(format!("there is no workload `{unknown}` on PostgreSQL: they are W2 to W7"));
    }
    let has_libpq =
        Command::new("pkg-config").args(["--exists", "libpq"]).status().is_ok_and(|status| status.success());
    let program = build(&["--features", if has_libpq { "diesel" } else { "postgres" }])?;
    let mut runner = Runner::new()?;
    runner.start_postgres()?;
    let mut output = String::new();
    let mut command = Command::new(program);
    let code = runner.run_reading(command.arg("postgres").args(filter), |line| {
        output.push_str(line);
        output.push('\n');
    })?;
    if code == 0 {
        let lines: Vec<Line> = parse(&output);
        print_table("PostgreSQL, wall clock", &lines);
        let computed = lines.into_iter().filter_map(|line| Some(Line { median: line.least?, ..line }));
        print_table("PostgreSQL, least processor time", &computed.collect::<Vec<_>>());
    }
    Ok(ExitCode::from(code))
}

fn build(features: &[&str]) -> Result<PathBuf, String> {
    let directory = root().join("benches/peers");
    let status = cargo()
        .args(["build", "--release", "--locked"])
        .args(features)
        .current_dir(&directory)
        .status()
        .map_err(|error| format!("cannot run cargo: {error}"))?;
    if !status.success() {
        return Err("the peers do not build".to_owned());
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| directory.join("target"), |own| root().join(own));
    Ok(target.join("release/peers"))
}

fn parse(output: &str) -> Vec<Line> {
    let line = |line: &str| {
        let mut parts = line.split('\t');
        let (workload, peer) = (parts.next()?.to_owned(), parts.next()?.to_owned());
        let median = parts.next()?.parse().ok()?;
        // Behind the deciles and the median of the processor's time.
        Some(Line { workload, peer, median, least: parts.nth(3).and_then(|least| least.parse().ok()) })
    };
    output.lines().filter_map(line).collect()
}

fn print_table(heap: &str, lines: &[Line]) {
    let mut peers: Vec<&str> = Vec::new();
    let mut workloads: Vec<&str> = Vec::new();
    for line in lines {
        if !peers.contains(&line.peer.as_str()) {
            peers.push(&line.peer);
        }
        if !workloads.contains(&line.workload.as_str()) {
            workloads.push(&line.workload);
        }
    }
    println!("\n{heap}. `hand` in µs (rss: KiB), the others as ratios to it.\n");
    println!("| | {} | target |\n|---|{}", peers.join(" | "), "---:|".repeat(peers.len() + 1));
    for workload in workloads {
        let of = |peer: &str| lines.iter().find(|line| line.workload == workload && line.peer == peer);
        let base = of("hand").map(|line| line.median);
        print!("| {workload} |");
        for peer in &peers {
            match (of(peer).map(|line| line.median), base) {
                (Some(median), Some(base)) if *peer != "hand" => print!(" {:.2} |", median / base),
                (Some(median), _) => print!(" {median:.0} |"),
                (None, _) => print!(" – |"),
            }
        }
        match TARGETS.iter().find(|(name, _)| *name == workload) {
            Some((_, target)) => println!(" {target:.2} |"),
            None => println!(" |"),
        }
    }
}
