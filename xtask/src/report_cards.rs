//! `cargo xtask report-cards`: runs the conformance suite on each backend of the workspace and writes down what came of it.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::Outcome;
use crate::runner::Runner;
use crate::system_libraries::{LIBPQ, MYSQL_CLIENT};
use crate::workspace::{cargo, root};

const USAGE: &str = "usage: cargo xtask report-cards [--mysql <url, program or folder>]";

/// Names what the program of the suite runs on, instead of `assoc-sqlite`.
const ON_SERVER: &str = "CONFORMANCE_SERVER";

/// The lines of the README between these are the badges.
const BADGES: (&str, &str) = ("<!-- badges: made by `cargo xtask report-cards` -->\n", "<!-- end of badges -->");

/// The cards, in the order of the page that lists them.
const CARDS: [(&str, &str); 7] = [
    ("sqlite", "SQLite"),
    ("diesel", "SQLite through Diesel"),
    ("mariadb", "MariaDB"),
    ("mysql", "MySQL"),
    ("postgres", "PostgreSQL"),
    ("diesel-postgres", "PostgreSQL through Diesel"),
    ("diesel-mariadb", "MariaDB through Diesel"),
];

/// Runs `report-cards [--mysql <where>]`. The card of MySQL is made anew only where one is named.
pub(crate) fn run(args: &[String]) -> Outcome {
    let mysql = match args {
        [] => None,
        [option, place] if option == "--mysql" => Some(place.as_str()),
        _ => return Err(USAGE.to_owned()),
    };
    let folder = root().join("docs/report-cards");
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    LIBPQ.provide()?;
    MYSQL_CLIENT.provide()?;
    let mut runner = Runner::new()?;
    let mut code = runner.run(&mut suite(&folder, "sqlite"))?;
    code = code.max(runner.run(suite(&folder, "diesel").env(ON_SERVER, "diesel"))?);
    runner.start_mysql()?;
    code = code.max(runner.run(suite(&folder, "mariadb").env(ON_SERVER, "mysql"))?);
    code = code.max(runner.run(suite(&folder, "diesel-mariadb").env(ON_SERVER, "diesel-mysql"))?);
    runner.start_postgres()?;
    code = code.max(runner.run(suite(&folder, "postgres").env(ON_SERVER, "postgres"))?);
    code = code.max(runner.run(suite(&folder, "diesel-postgres").env(ON_SERVER, "diesel-postgres"))?);
    if let Some(place) = mysql {
        runner.change_mysql(place)?;
        code = code.max(runner.run(suite(&folder, "mysql").env(ON_SERVER, "mysql"))?);
    }
    list(&folder)?;
    Ok(ExitCode::from(code))
}

fn suite(folder: &Path, card: &str) -> Command {
    let mut command = cargo();
    command.args(["test", "--package", "conformance-tests", "--all-features", "--test", "report_card", "--"]);
    // A card is about what a backend does, and not about how fast this machine is.
    command.args(["--case-limit", "600"]).arg("--report").arg(file(folder, card));
    command
}

fn file(folder: &Path, card: &str) -> PathBuf {
    folder.join(format!("{card}.md"))
}

/// Writes the page that lists the cards, and the badges of the README.
fn list(folder: &Path) -> Result<(), String> {
    let mut page = "# Report cards\n\nWhat the conformance suite found on each backend of this repository. \
                    `cargo xtask report-cards` writes these pages.\n\n"
        .to_owned();
    let mut badges = String::new();
    for (card, name) in CARDS {
        let Ok(text) = fs::read_to_string(file(folder, card)) else { continue };
        let badge = text.lines().find(|line| line.starts_with("![")).unwrap_or_default();
        // Writing to a String cannot fail.
        let _ = writeln!(page, "* [{name}]({card}.md) {badge}");
        let _ = writeln!(badges, "[{}](docs/report-cards/{card}.md)", badge.replace("![assoc", &format!("![{name}")));
    }
    let pages = folder.join("README.md");
    fs::write(&pages, page).map_err(|error| format!("{}: {error}", pages.display()))?;
    let readme = root().join("README.md");
    let failed = |error: std::io::Error| format!("{}: {error}", readme.display());
    let text = fs::read_to_string(&readme).map_err(failed)?;
    let between = text.split_once(BADGES.0).and_then(|(before, rest)| Some((before, rest.split_once(BADGES.1)?.1)));
    let (before, behind) = between.ok_or("the README has no place for badges")?;
    fs::write(&readme, format!("{before}{}{badges}{}{behind}", BADGES.0, BADGES.1)).map_err(failed)
}
