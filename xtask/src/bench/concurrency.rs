//! Many tasks at once: `--concurrency`.

use std::fmt::Write as _;
use std::process::{Command, ExitCode};

use super::report::{Facts, Line, distinct};
use super::targets::Database;
use super::{Request, SERVER, benchmarks, build, feature, write};
use crate::Outcome;
use crate::runner::Runner;

/// What the tasks ask for.
pub(super) const MIXES: [&str; 3] = ["gets", "pages", "mixed"];

/// Measures on one database after the other.
pub(super) fn run(request: &Request) -> Outcome {
    if request.databases.contains(&Database::Postgres) {
        return Err("`--concurrency` is for sqlite and mariadb".into());
    }
    let peers_features: Vec<&str> = request.databases.iter().map(|one| feature(*one)).collect();
    let program = build(&peers_features)?;
    let mut runner = Runner::new()?;
    for database in &request.databases {
        let server = if *database == Database::MariaDb { runner.start_mysql()? } else { None };
        let mut command = Command::new(&program);
        command.args(["concurrency", database.key()]).args(&request.workloads);
        command.envs(server.map(|process| (SERVER, process.to_string())));
        if let Some(seconds) = &request.seconds {
            command.args(["--seconds", seconds]);
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

/// What a table shows: its title, the figure, what it is divided by, and the places behind the point.
const TABLES: [(&str, &str, f64, usize); 4] = [
    ("Requests a second", "rate", 1.0, 0),
    ("Half of the requests took no longer than this, in ms", "p50", 1e3, 2),
    ("99 % of the requests took no longer than this, in ms", "p99", 1e3, 2),
    ("Processors that the client used", "client", 1.0, 2),
];

struct Report {
    database: Database,
    facts: Facts,
    lines: Vec<Line>,
}

impl Report {
    fn markdown(&self) -> String {
        let mut page = format!(
            "# Many tasks on {}\n\n{}\n\nTasks of tokio's multi-threaded runtime, each of which asks again as soon as it has its answer. \
             `gets` read a user by key, `pages` 20 users with their posts and the comments of these, `mixed` are 80 % gets, 15 % pages and \
             5 % writes of a user.\n",
            self.database.name(),
            self.facts.sentence()
        );
        for mix in distinct(self.lines.iter().map(|line| line.workload.as_str())) {
            // Writing to a String cannot fail.
            let _ = write!(page, "\n## {mix}\n");
            for (title, figure, unit, places) in TABLES {
                self.table(&mut page, mix, title, |line| Some(format!("{:.places$}", line.figure(figure)? / unit)));
            }
            if self.lines.iter().any(|line| line.figure("server").is_some()) {
                self.table(&mut page, mix, "Processors that the server used", |line| {
                    Some(format!("{:.2}", line.figure("server")?))
                });
            }
        }
        page
    }

    fn table(&self, page: &mut String, mix: &str, title: &str, figure: impl Fn(&Line) -> Option<String>) {
        let of_mix = || self.lines.iter().filter(|line| line.workload == mix);
        let peers = distinct(of_mix().map(|line| line.peer.as_str()));
        let _ =
            write!(page, "\n{title}:\n\n| tasks | {} |\n|---:|{}\n", peers.join(" | "), "---:|".repeat(peers.len()));
        let mut tasks: Vec<f64> = of_mix().filter_map(|line| line.figure("tasks")).collect();
        tasks.sort_by(f64::total_cmp);
        tasks.dedup();
        for tasks in tasks {
            let _ = write!(page, "| {tasks} |");
            for peer in &peers {
                let line = of_mix().find(|line| line.peer == *peer && line.figure("tasks") == Some(tasks));
                let _ = write!(page, " {} |", line.and_then(&figure).unwrap_or_else(|| "–".to_owned()));
            }
            page.push('\n');
        }
    }

    fn json(&self) -> String {
        let lines: Vec<String> = self.lines.iter().map(|line| format!("    {}", line.json())).collect();
        format!(
            "{{\n  \"database\": \"{}\",\n  \"facts\": {},\n  \"unit\": \"µs\",\n  \"lines\": [\n{}\n  ]\n}}\n",
            self.database.name(),
            self.facts.json(),
            lines.join(",\n")
        )
    }

    /// Replaces the report of the last full run.
    fn write(&self) -> Result<(), String> {
        let name = format!("concurrency-{}", self.database.key());
        write(&benchmarks()?.join(format!("{name}.json")), &self.json())?;
        write(&benchmarks()?.join(format!("{name}.md")), &self.markdown())
    }
}
