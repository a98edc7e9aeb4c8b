//! What the peers printed, as Markdown and JSON.

use std::fmt::Write as _;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use super::chart::chart;
use super::targets::Database;
use super::{benchmarks, write};

/// Threads of a quiet machine wait for a processor no longer than this share of the time.
const QUIET: f64 = 0.02;

/// What the client computed at least. A busy machine adds to a time by its caches, and takes nothing away: the least of all rounds is
/// nearest to a quiet one.
fn client(line: &Line) -> Option<f64> {
    line.figure("cpu-least")
}

/// What the client and, where it is known, the server computed, by their medians.
fn both(line: &Line) -> Option<f64> {
    Some(line.figure("cpu")? + line.figure("server").unwrap_or(0.0))
}

/// A line of the peers' output.
pub(super) struct Line {
    pub(super) workload: String,
    pub(super) peer: String,
    figures: Vec<(String, f64)>,
}

impl Line {
    /// `W2`, the peer and `name=figure`s, with tabs between.
    pub(super) fn of(text: &str) -> Option<Line> {
        let mut parts = text.split('\t');
        let (workload, peer) = (parts.next()?.to_owned(), parts.next()?.to_owned());
        let figure = |part: &str| {
            let (name, figure) = part.split_once('=')?;
            Some((name.to_owned(), figure.parse().ok()?))
        };
        let figures: Vec<(String, f64)> = parts.filter_map(figure).collect();
        (!figures.is_empty()).then_some(Line { workload, peer, figures })
    }

    pub(super) fn figure(&self, name: &str) -> Option<f64> {
        self.figures.iter().find(|(own, _)| own == name).map(|(_, figure)| *figure)
    }

    pub(super) fn json(&self) -> String {
        let figures: String = self.figures.iter().map(|(name, figure)| format!(", \"{name}\": {figure}")).collect();
        format!("{{\"workload\": \"{}\", \"peer\": \"{}\"{figures}}}", self.workload, self.peer)
    }
}

/// Reads what [`Line::json`] and [`Facts::json`] write: names and values.
#[cfg(test)]
fn entries(json: &str) -> impl Iterator<Item = (String, String)> {
    let inner = json.trim().trim_end_matches(',').trim_matches(['{', '}']);
    inner.split(", \"").filter_map(|entry| {
        let (name, value) = entry.split_once("\": ")?;
        Some((name.trim_matches('"').to_owned(), value.trim_matches('"').to_owned()))
    })
}

#[cfg(test)]
impl Line {
    /// A line that was kept as JSON.
    pub(super) fn kept(json: &str) -> Option<Line> {
        let mut entries = entries(json);
        let workload = entries.next().filter(|(name, _)| name == "workload")?.1;
        let peer = entries.next()?.1;
        let figures = entries.filter_map(|(name, value)| Some((name, value.parse().ok()?))).collect();
        Some(Line { workload, peer, figures })
    }
}

/// What was compared: versions and the machine.
pub(super) struct Facts(Vec<(String, String)>);

impl Facts {
    pub(super) fn of_this_machine() -> Facts {
        let mut facts = vec![("date".to_owned(), today())];
        let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
        facts.push(("cores".to_owned(), cores.to_string()));
        let rustc = Command::new("rustc").arg("--version").output();
        let rustc = rustc.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
        facts.push(("rustc".to_owned(), rustc.split(' ').nth(1).unwrap_or("unknown").to_owned()));
        Facts(facts)
    }

    /// Takes a line that the peers print about their database.
    pub(super) fn note(&mut self, text: &str) {
        if let ["fact", name, value] = text.split('\t').collect::<Vec<_>>()[..]
            && self.get(name).is_none()
        {
            self.0.push((name.to_owned(), value.to_owned()));
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// In one sentence.
    pub(super) fn sentence(&self) -> String {
        let facts: Vec<String> = self.0.iter().map(|(name, value)| format!("{name} {value}")).collect();
        format!("{}.", facts.join(", "))
    }

    pub(super) fn json(&self) -> String {
        let facts: Vec<String> = self.0.iter().map(|(name, value)| format!("\"{name}\": \"{value}\"")).collect();
        format!("{{{}}}", facts.join(", "))
    }
}

#[cfg(test)]
impl Facts {
    /// Facts that were kept as JSON.
    pub(super) fn kept(json: &str) -> Facts {
        Facts(entries(json).collect())
    }
}

/// The day, in the time zone of Greenwich.
fn today() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let mut days = seconds / 86_400;
    let is_leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let mut year = 1970;
    while days >= 365 + u64::from(is_leap(year)) {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let lengths = [31, 28 + u64::from(is_leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 1;
    for length in lengths {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    format!("{year}-{month:02}-{:02}", days + 1)
}

/// All workloads under one policy of the heap.
pub(super) struct Run {
    pub(super) heap: &'static str,
    pub(super) lines: Vec<Line>,
}

impl Run {
    pub(super) fn of(&self, workload: &str, peer: &str) -> Option<&Line> {
        self.lines.iter().find(|line| line.workload == workload && line.peer == peer)
    }

    pub(super) fn peers(&self) -> Vec<&str> {
        distinct(self.lines.iter().map(|line| line.peer.as_str()))
    }

    pub(super) fn workloads(&self) -> Vec<&str> {
        distinct(self.lines.iter().map(|line| line.workload.as_str()))
    }

    /// The ratio of a peer to SQL by hand.
    pub(super) fn ratio(&self, figure: impl Fn(&Line) -> Option<f64>, workload: &str, peer: &str) -> Option<f64> {
        Some(figure(self.of(workload, peer)?)? / figure(self.of(workload, "hand")?)?)
    }

    /// The share of the time in which threads waited for a processor, over all lines.
    fn waited(&self) -> f64 {
        let shares: Vec<f64> = self.lines.iter().filter_map(|line| line.figure("waited")).collect();
        shares.iter().sum::<f64>() / shares.len().max(1) as f64
    }
}

/// Each once, in the order in which they come.
pub(super) fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut found = Vec::new();
    for name in names {
        if !found.contains(&name) {
            found.push(name);
        }
    }
    found
}

/// Whether a table says what is to be reached.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Targets {
    Shown,
    Hidden,
}

impl Targets {
    fn shown_if(condition: bool) -> Targets {
        if condition { Targets::Shown } else { Targets::Hidden }
    }
}

/// What came out on one database.
pub(super) struct Report<'a> {
    pub(super) database: Database,
    pub(super) shape: &'a [&'static str],
    pub(super) facts: Facts,
    pub(super) runs: Vec<Run>,
}

impl Report<'_> {
    pub(super) fn markdown(&self) -> String {
        let mut page = format!("# {}{}\n\n{}\n", self.database.name(), self.shape_in_words(), self.facts.sentence());
        for run in &self.runs {
            let waited = run.waited();
            let verdict = if waited <= QUIET {
                "The machine was quiet: both times count."
            } else {
                "The machine was busy: the processor's time counts, the wall clock says little."
            };
            // Writing to a String cannot fail.
            let _ = write!(
                page,
                "\n## {}\n\nThreads waited for a processor in {:.1} % of the time. {verdict}\n",
                capital(run.heap),
                waited * 100.0
            );
            // What is to reach a target is the whole: on a server, both sides of it.
            let has_server = run.lines.iter().any(|line| line.figure("server").is_some());
            let of_client = "Processor time of the client, the least of all rounds";
            self.table(&mut page, run, (of_client, Targets::shown_if(!has_server)), client);
            if has_server {
                self.table(&mut page, run, ("Processor time of the server, the median", Targets::Hidden), |line| {
                    line.figure("server")
                });
                self.table(&mut page, run, ("Processor time of both, the medians", Targets::Shown), both);
            }
            self.table(&mut page, run, ("Wall clock, the median", Targets::shown_if(waited <= QUIET)), |line| {
                line.figure("wall")
            });
        }
        page
    }

    fn shape_in_words(&self) -> &'static str {
        match (self.shape.contains(&"--gaps"), self.shape.contains(&"--scattered")) {
            (true, true) => ", gapped and scattered rows",
            (true, false) => ", gapped rows",
            (false, true) => ", scattered rows",
            (false, false) => "",
        }
    }

    // Figures of SQL by hand, and ratios of all others.
    fn table(
        &self,
        page: &mut String,
        run: &Run,
        (title, targets): (&str, Targets),
        figure: impl Fn(&Line) -> Option<f64>,
    ) {
        let peers = run.peers();
        let bracket = if targets == Targets::Shown { "; in brackets the target" } else { "" };
        let _ = write!(page, "\n{title}: `hand` in µs, the others as ratios to it{bracket}.\n\n");
        let _ = writeln!(page, "| | {} |\n|---|{}", peers.join(" | "), "---:|".repeat(peers.len()));
        for workload in run.workloads() {
            let _ = write!(page, "| {workload} |");
            for peer in &peers {
                let ratio = run.ratio(&figure, workload, peer).filter(|_| *peer != "hand");
                let plain = run.of(workload, peer).and_then(&figure);
                let target = self.database.target(peer, workload).filter(|_| targets == Targets::Shown);
                let _ = match (ratio, plain, target) {
                    (Some(ratio), _, Some(target)) => write!(page, " {ratio:.2} ({target:.2}) |"),
                    (Some(ratio), _, None) => write!(page, " {ratio:.2} |"),
                    (None, Some(plain), _) => write!(page, " {plain:.0} |"),
                    (None, None, _) => write!(page, " – |"),
                };
            }
            page.push('\n');
        }
    }

    fn json(&self) -> String {
        let runs = self.runs.iter().map(|run| {
            let lines: Vec<String> = run.lines.iter().map(|line| format!("      {}", line.json())).collect();
            format!("    {{\"heap\": \"{}\", \"lines\": [\n{}\n    ]}}", run.heap, lines.join(",\n"))
        });
        let runs: Vec<String> = runs.collect();
        let shape: Vec<String> = self.shape.iter().map(|shape| format!("\"{}\"", shape.trim_matches('-'))).collect();
        format!(
            "{{\n  \"database\": \"{}\",\n  \"shape\": [{}],\n  \"facts\": {},\n  \"unit\": \"µs\",\n  \"runs\": [\n{}\n  ]\n}}\n",
            self.database.name(),
            shape.join(", "),
            self.facts.json(),
            runs.join(",\n")
        )
    }

    /// Replaces the report of the last full run.
    pub(super) fn write(&self) -> Result<(), String> {
        let name = format!("{}{}", self.database.key(), self.shape.concat().replace("--", "-"));
        let file = |ending: &str| Ok::<_, String>(benchmarks()?.join(format!("{name}.{ending}")));
        write(&file("json")?, &self.json())?;
        write(&file("md")?, &format!("{}\n![Ratios to SQL by hand]({name}.svg)\n", self.markdown()))?;
        // The last policy keeps freed memory, so that the kernel's work is not among it.
        let Some(run) = self.runs.last() else { return Ok(()) };
        let title = format!("{}{}: processor time, SQL by hand = 1", self.database.name(), self.shape_in_words());
        let cost = if self.database == Database::Sqlite { client } else { both };
        write(&file("svg")?, &chart(&title, run, self.database, cost))
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
