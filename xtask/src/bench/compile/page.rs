//! What the programs cost, as a page. All that it says follows from the figures and facts of the run.

use std::fmt::Write as _;

use super::super::report::{Facts, Line, Run};
use super::SIZES;
use super::program::Library;

/// What a program with three models may cost, beside Diesel's.
const TARGET: f64 = 1.15;

/// Of a program with three models, how each is compiled from nothing.
pub(super) const CLEAN: [(&str, &[&str], &str); 2] = [
    ("clean-check", &["check"], "`cargo check`"),
    ("clean-release", &["build", "--release"], "`cargo build --release`"),
];

pub(super) fn page(facts: &Facts, run: &Run) -> String {
    let peers = run.peers();
    let mut page = format!(
        "# Compile time\n\n{}\n\nSeconds of processor time, user and kernel, of cargo and all that it starts. In brackets are those of the clock. \
         Where the load is above the number of cores, the clock says little, and the processor's time is higher as well.\n\n{}\n",
        facts.sentence(),
        notes(facts, run).join(" "),
    );
    let mut table = |title: &str, rows: &[(String, String)]| {
        // Writing to a String cannot fail.
        let _ = write!(page, "\n## {title}\n\n| | {} |\n|---|{}\n", peers.join(" | "), "---:|".repeat(peers.len()));
        for (figure, what) in rows {
            let cells: Vec<String> = peers.iter().map(|peer| cell(run, figure, peer)).collect();
            let _ = writeln!(page, "| {what} | {} |", cells.join(" | "));
        }
    };
    let mut rows = vec![("crates".to_owned(), "crates, without the program".to_owned())];
    rows.extend(CLEAN.map(|(figure, _, what)| (figure.to_owned(), what.to_owned())));
    table("Three models, from nothing", &rows);
    let rows = |size: usize| {
        [("check", "all of them"), ("function", "a function beside one edited"), ("column", "a column of one renamed")]
            .map(|(figure, what)| (format!("{figure}-{size}"), format!("{size} models, {what}")))
    };
    let rows: Vec<(String, String)> = SIZES.into_iter().flat_map(rows).collect();
    table("`cargo check` of a program whose dependencies are compiled", &rows);
    let cpu = |peer: &str| run.of("clean-release", peer)?.figure("cpu");
    if let (Some(ours), Some(theirs)) = (cpu(Library::Ours.key()), cpu(Library::Diesel.key())) {
        let _ = write!(
            page,
            "\nThe release build takes {:.2} times the processor time of Diesel's; {TARGET} is the target.\n",
            ours / theirs
        );
    }
    page
}

/// How the figures came about, in sentences.
fn notes(facts: &Facts, run: &Run) -> Vec<String> {
    let mut notes = Vec::new();
    if is_busy(facts) {
        notes.push("The machine was busy.".to_owned());
    }
    let costs = || run.lines.iter().filter(|line| line.figure("cpu").is_some());
    let (clean, others): (Vec<&Line>, Vec<&Line>) = costs().partition(|line| is_clean(line));
    if let Some(runs) = runs(&others) {
        notes.push(format!("Checks with compiled dependencies are the median of {runs}."));
    }
    if let Some(runs) = runs(&clean) {
        notes.push(format!("Builds from nothing are the least of {runs}."));
    }
    let asked = CLEAN.len() * run.peers().len();
    if clean.len() < asked {
        notes.push(format!("Of {asked} builds from nothing {} came to an end.", clean.len()));
    }
    if let Some(crates) = run.of("crates", Library::Ours.key()).and_then(|line| line.figure("crates")) {
        let own = crates - 1.0;
        notes.push(format!("The program of assoc has `pollster` beside the {own:.0} crates of core, repo and SQLite."));
    }
    notes
}

fn is_clean(line: &Line) -> bool {
    CLEAN.iter().any(|(figure, ..)| *figure == line.workload)
}

/// Whether more processes wanted a processor than there are, before or after.
fn is_busy(facts: &Facts) -> bool {
    let numbers = |name: &str| -> Vec<f64> {
        facts.get(name).unwrap_or_default().split(' ').filter_map(|part| part.parse().ok()).collect()
    };
    let cores = numbers("cores").first().copied().unwrap_or(f64::INFINITY);
    ["load", "load at the end"].into_iter().flat_map(numbers).any(|load| load > cores)
}

/// From how many runs these figures come.
fn runs(lines: &[&Line]) -> Option<String> {
    let rounds = || lines.iter().filter_map(|line| line.figure("rounds"));
    let (least, most) = (rounds().min_by(f64::total_cmp)?, rounds().max_by(f64::total_cmp)?);
    Some(match (least < most, most > 1.0) {
        (true, _) => format!("{least} to {most} runs"),
        (false, true) => format!("{most} runs"),
        (false, false) => "one run".to_owned(),
    })
}

fn cell(run: &Run, figure: &str, peer: &str) -> String {
    let Some(line) = run.of(figure, peer) else { return "–".to_owned() };
    match (line.figure("crates"), line.figure("cpu"), line.figure("wall")) {
        (Some(crates), ..) => format!("{crates:.0}"),
        (None, Some(cpu), Some(wall)) => format!("{cpu:.2} ({wall:.2})"),
        _ => "–".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::root;

    fn of(facts: &str, lines: &[&str]) -> (Facts, Run) {
        let lines = lines.iter().filter_map(|line| Line::of(line)).collect();
        (Facts::kept(facts), Run { heap: "", lines })
    }

    #[test]
    fn the_page_that_is_kept_is_what_its_figures_give() -> Result<(), Box<dyn std::error::Error>> {
        let kept = |name: &str| std::fs::read_to_string(root().join("docs/benchmarks").join(name));
        let json = kept("compile.json")?;
        let facts = json.lines().find_map(|line| line.trim().strip_prefix("\"facts\": ")).ok_or("no facts")?;
        let run = Run { heap: "", lines: json.lines().filter_map(Line::kept).collect() };
        assert_eq!(page(&Facts::kept(facts), &run), kept("compile.md")?);
        Ok(())
    }

    #[test]
    fn notes_of_a_run_that_was_ended_early() {
        let lines = ["check-30\tassoc\tcpu=1\twall=1\trounds=3", "check-30\tdiesel\tcpu=1\twall=1\trounds=1"];
        let (facts, run) = of("{\"cores\": \"2\", \"load\": \"1.5\", \"load at the end\": \"2.5\"}", &lines);
        let expected = "The machine was busy. Checks with compiled dependencies are the median of 1 to 3 runs. \
                        Of 4 builds from nothing 0 came to an end.";
        assert_eq!(notes(&facts, &run).join(" "), expected);
    }

    #[test]
    fn notes_of_a_whole_run_on_a_quiet_machine() {
        let lines = [
            "check-30\tassoc\tcpu=1\twall=1\trounds=5",
            "crates\tassoc\tcrates=31",
            "clean-check\tassoc\tcpu=1\twall=1\trounds=1",
            "clean-release\tassoc\tcpu=1\twall=1\trounds=1",
        ];
        let (facts, run) = of("{\"cores\": \"2\", \"load\": \"0.5\"}", &lines);
        let expected = "Checks with compiled dependencies are the median of 5 runs. Builds from nothing are the least of one run. \
                        The program of assoc has `pollster` beside the 30 crates of core, repo and SQLite.";
        assert_eq!(notes(&facts, &run).join(" "), expected);
    }
}
