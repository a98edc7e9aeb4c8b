//! What distance costs: `--latency`. The peers go through a proxy that delays, and count their turns.

use std::fmt::Write as _;
use std::process::{Command, ExitCode};

use super::report::{Facts, Line, distinct};
use super::targets::Database;
use super::{Request, benchmarks, build, feature, write};
use crate::Outcome;
use crate::runner::Runner;

/// The names of what is measured beside the workloads, and of groups of it.
pub(super) const CASES: [&str; 12] = [
    "page",
    "inserts",
    "updates",
    "saves",
    "transaction-3",
    "transaction-20",
    "transaction",
    "insert_all",
    "tree-narrow",
    "tree",
    "tree-wide",
    "trees",
];

/// The levels of the page.
const DEPTH_OF_PAGE: f64 = 4.0;

/// Measures on one database after the other.
pub(super) fn run(request: &Request) -> Outcome {
    if request.databases.contains(&Database::Sqlite) {
        return Err("SQLite has no distance: `--latency` is for mariadb and postgres".into());
    }
    let peers_features: Vec<&str> = request.databases.iter().map(|one| feature(*one)).collect();
    let program = build(&peers_features)?;
    let mut runner = Runner::new()?;
    for database in &request.databases {
        match database {
            Database::MariaDb => runner.start_mysql()?,
            _ => runner.start_postgres()?,
        };
        let mut command = Command::new(&program);
        command.args(["latency", database.key()]).args(&request.workloads);
        if let Some(rounds) = &request.rounds {
            command.args(["--rounds", rounds]);
        }
        let mut facts = Facts::of_this_machine();
        let lines = match request.measured(&runner, command, &mut facts)? {
            Ok(lines) => lines,
            Err(code) => return Ok(code),
        };
        let report = Report { database: *database, facts, lines };
        println!("\n{}", report.markdown());
        if request.is_full() {
            report.write()?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

struct Report {
    database: Database,
    facts: Facts,
    lines: Vec<Line>,
}

impl Report {
    fn of(&self, case: &str, peer: &str, round_trip: f64) -> Option<&Line> {
        let is_it =
            |line: &&Line| line.workload == case && line.peer == peer && line.figure("round-trip") == Some(round_trip);
        self.lines.iter().find(is_it)
    }

    fn round_trips(&self) -> Vec<f64> {
        let mut all: Vec<f64> = self.lines.iter().filter_map(|line| line.figure("round-trip")).collect();
        all.sort_by(f64::total_cmp);
        all.dedup();
        all
    }

    fn cases(&self) -> Vec<&str> {
        distinct(self.lines.iter().map(|line| line.workload.as_str()))
    }

    fn peers(&self) -> Vec<&str> {
        distinct(self.lines.iter().map(|line| line.peer.as_str()))
    }

    fn markdown(&self) -> String {
        let name = self.database.name();
        let mut page = format!("# What distance costs on {name}\n\n{}\n\n", self.facts.sentence());
        page.push_str(
            "A turn is a burst of the client after the server has spoken; where statements run on several connections at once, the turns \
             are those that wait for each other. Turns are counted at 1 ms, behind the slash those of the first run, which prepares its \
             statements. Times are medians in milliseconds, by the time for the way there and back. `–`: the peer has no such form.\n",
        );
        let round_trips = self.round_trips();
        let times: String = round_trips.iter().map(|time| format!(" {time} ms |")).collect();
        // Writing to a String cannot fail.
        let _ = write!(page, "\n| | | turns / first |{times}\n|---|---|---:|{}\n", "---:|".repeat(round_trips.len()));
        for case in self.cases() {
            for peer in self.peers() {
                let Some(line) = self.counted(case, peer) else {
                    let _ = writeln!(page, "| {case} | {peer} | – |{}", " – |".repeat(round_trips.len()));
                    continue;
                };
                let figure = |name| line.figure(name).unwrap_or_default();
                let _ = write!(page, "| {case} | {peer} | {} / {} |", figure("turns"), figure("turns-of-first-use"));
                for round_trip in &round_trips {
                    let _ = match self.of(case, peer, *round_trip).and_then(|line| line.figure("wall")) {
                        Some(wall) => write!(page, " {wall:.1} |"),
                        None => write!(page, " – |"),
                    };
                }
                page.push('\n');
            }
        }
        self.goals(&mut page);
        page
    }

    /// The line whose turns are shown: that at 1 ms, where it was measured.
    fn counted(&self, case: &str, peer: &str) -> Option<&Line> {
        self.of(case, peer, 1.0)
    }

    fn goals(&self, page: &mut String) {
        let turns = |case: &str, peer: &str| self.counted(case, peer)?.figure("turns");
        let mut goals = Vec::new();
        if let Some(turns) = turns("page", "assoc") {
            let most = 1.2 * DEPTH_OF_PAGE;
            goals.push((format!("page: {turns} turns, at most {most:.1} (1.2 times its depth)"), turns <= most));
        }
        for case in ["W3", "W5", "W7"] {
            if let (Some(own), Some(by_hand)) = (turns(case, "assoc"), turns(case, "hand")) {
                goals.push((
                    format!("{case}: {own} turns, at most {} (by hand and one more)", by_hand + 1.0),
                    own <= by_hand + 1.0,
                ));
            }
        }
        for (at, (goal, is_met)) in goals.into_iter().enumerate() {
            let title = if at == 0 { "\nGoals at 1 ms:\n\n" } else { "" };
            let _ = writeln!(page, "{title}* {goal}: {}", if is_met { "met" } else { "missed" });
        }
    }

    fn json(&self) -> String {
        let lines: Vec<String> = self.lines.iter().map(|line| format!("    {}", line.json())).collect();
        format!(
            "{{\n  \"database\": \"{}\",\n  \"facts\": {},\n  \"unit\": \"ms\",\n  \"lines\": [\n{}\n  ]\n}}\n",
            self.database.name(),
            self.facts.json(),
            lines.join(",\n")
        )
    }

    /// Replaces the report of the last full run.
    fn write(&self) -> Result<(), String> {
        let name = format!("latency-{}", self.database.key());
        write(&benchmarks()?.join(format!("{name}.json")), &self.json())?;
        write(&benchmarks()?.join(format!("{name}.md")), &self.markdown())
    }
}
