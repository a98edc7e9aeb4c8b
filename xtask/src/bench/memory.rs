//! `cargo xtask bench --memory`: the peak of the resident memory of a process that runs one workload once, and how much of the heap an
//! iteration takes, on SQLite.

use std::fmt::Write as _;
use std::process::{Command, ExitCode};

use super::report::{Line, Run};
use super::{Filled, benchmarks, chosen, printed, write};
use crate::Outcome;

const PEERS: [&str; 4] = ["hand", "assoc", "assoc-current-thread", "assoc-two-threads"];

/// Title, name, how many of what the peers print are one of the table.
const FIGURES: [(&str, &str, f64); 4] = [
    ("Peak of the resident memory of a process, MiB", "resident", 1024.0),
    ("Allocations of an iteration, thousands", "blocks", 1e3),
    ("Bytes allocated by an iteration, MiB", "bytes", 1_048_576.0),
    ("Most that an iteration has at once, MiB", "peak", 1_048_576.0),
];

pub(super) fn run(workloads: &[String]) -> Outcome {
    let mut lines = Vec::new();
    let filled = Filled::new(&["allocations"])?;
    let mut each = |command: &str, rounds: Option<&str>| -> Result<(), String> {
        for workload in chosen(workloads) {
            for peer in PEERS {
                let mut measured = Command::new(&filled.program);
                measured.arg(command).arg(&filled.file).args([peer, workload]).args(rounds);
                let found = printed(&mut measured)?;
                print!("{found}");
                lines.extend(found.lines().filter_map(Line::of));
            }
        }
        Ok(())
    };
    each("iterate", Some("0"))?;
    each("allocations", None)?;
    let run = Run { heap: "glibc's default heap", lines };
    let page = page(&filled, &run);
    println!("\n{page}");
    if workloads.is_empty() {
        write(&benchmarks()?.join("memory.md"), &page)?;
        let lines: Vec<String> = run.lines.iter().map(|line| format!("    {}", line.json())).collect();
        let json =
            format!("{{\n  \"facts\": {},\n  \"lines\": [\n{}\n  ]\n}}\n", filled.facts.json(), lines.join(",\n"));
        write(&benchmarks()?.join("memory.json"), &json)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn page(filled: &Filled, run: &Run) -> String {
    let peers = run.peers();
    let mut page = format!(
        "# Memory on SQLite\n\n{}\n\nThe resident memory has 8 MiB of SQLite's pages in it at most. Allocations are those of Rust code, SQLite's own are \
         not among them.\n",
        filled.facts.sentence()
    );
    for (title, name, unit) in FIGURES {
        // Writing to a String cannot fail.
        let _ = write!(page, "\n{title}:\n\n| | {} |\n|---|{}\n", peers.join(" | "), "---:|".repeat(peers.len()));
        for workload in run.workloads() {
            let _ = write!(page, "| {workload} |");
            for peer in &peers {
                // The two kinds of figures are in lines of their own.
                let own = run.lines.iter().filter(|line| line.workload == workload && line.peer == *peer);
                let _ = match own.filter_map(|line| line.figure(name)).next() {
                    Some(figure) => write!(page, " {:.1} |", figure / unit),
                    None => write!(page, " – |"),
                };
            }
            page.push('\n');
        }
    }
    page
}
