//! `cargo xtask report-cards`: runs the conformance suite on each backend of the workspace and writes down what came of it.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::Outcome;
use crate::runner::Runner;
use crate::system_libraries::{LIBPQ, MYSQL_CLIENT};
use crate::workspace::{cargo, root};

const USAGE: &str = "usage: cargo xtask report-cards [--mysql <url, program or folder>] [<card>...]";

/// Names what the program of the suite runs on, instead of `assoc-sqlite`.
const ON_SERVER: &str = "CONFORMANCE_SERVER";

/// The lines of the README between these are the badges.
const BADGES: (&str, &str) = ("<!-- badges: made by `cargo xtask report-cards` -->\n", "<!-- end of badges -->");

/// A card: the name of its file, what it is about, and what the suite runs on.
struct Card {
    file: &'static str,
    title: &'static str,
    database: Database,
    /// What `ON_SERVER` is.
    driver: &'static str,
}

/// The database that a card is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Database {
    Sqlite,
    MariaDb,
    MySql,
    Postgres,
}

const fn card(file: &'static str, title: &'static str, database: Database, driver: &'static str) -> Card {
    Card { file, title, database, driver }
}

/// The cards, in the order of the page that lists them.
const CARDS: [Card; 8] = [
    card("sqlite", "SQLite", Database::Sqlite, "sqlite"),
    card("diesel", "SQLite through Diesel", Database::Sqlite, "diesel"),
    card("mariadb", "MariaDB", Database::MariaDb, "mysql"),
    card("mysql", "MySQL", Database::MySql, "mysql"),
    card("postgres", "PostgreSQL", Database::Postgres, "postgres"),
    card("diesel-postgres", "PostgreSQL through Diesel", Database::Postgres, "diesel-postgres"),
    card("diesel-mariadb", "MariaDB through Diesel", Database::MariaDb, "diesel-mysql"),
    card("diesel-mysql", "MySQL through Diesel", Database::MySql, "diesel-mysql"),
];

/// Runs `report-cards [--mysql <where>] [<card>...]`. Without a card, all; those of MySQL only where one is named.
pub(crate) fn run(args: &[String]) -> Outcome {
    let (mysql, names) = match args {
        [option, place, names @ ..] if option == "--mysql" => (Some(place.as_str()), names),
        names => (None, names),
    };
    if let Some(unknown) = names.iter().find(|name| CARDS.iter().all(|card| card.file != **name)) {
        let known: Vec<&str> = CARDS.iter().map(|card| card.file).collect();
        return Err(format!("there is no card `{unknown}`; there are: {}\n{USAGE}", known.join(", ")));
    }
    let is_chosen = |card: &&Card| names.is_empty() || names.iter().any(|name| name == card.file);
    if let Some(card) = CARDS.iter().filter(is_chosen).find(|card| card.database == Database::MySql)
        && mysql.is_none()
        && !names.is_empty()
    {
        return Err(format!("the card `{}` is made on the MySQL that `--mysql` names\n{USAGE}", card.file));
    }
    let folder = root().join("docs/report-cards");
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    LIBPQ.provide()?;
    MYSQL_CLIENT.provide()?;
    let mut runner = Runner::new()?;
    let mut code = 0;
    // One server of MySQL's kind at a time: MySQL takes the place of MariaDB.
    for database in [Database::Sqlite, Database::MariaDb, Database::Postgres, Database::MySql] {
        let mut cards = CARDS.iter().filter(is_chosen).filter(|card| card.database == database).peekable();
        if cards.peek().is_none() {
            continue;
        }
        match (database, mysql) {
            (Database::Sqlite, _) => {}
            (Database::MariaDb, _) => drop(runner.start_mysql()?),
            (Database::Postgres, _) => drop(runner.start_postgres()?),
            (Database::MySql, Some(place)) => runner.change_mysql(place)?,
            (Database::MySql, None) => continue,
        }
        for card in cards {
            code = code.max(runner.run(&mut suite(&folder, card))?);
        }
    }
    list(&folder)?;
    Ok(ExitCode::from(code))
}

fn suite(folder: &Path, card: &Card) -> Command {
    let mut command = cargo();
    command.args(["test", "--package", "conformance-tests", "--all-features", "--test", "report_card", "--"]);
    // A card is about what a backend does, and not about how fast this machine is.
    command.args(["--case-limit", "600"]).arg("--report").arg(file(folder, card));
    command.env(ON_SERVER, card.driver);
    command
}

fn file(folder: &Path, card: &Card) -> PathBuf {
    folder.join(format!("{}.md", card.file))
}

/// Writes the page that lists the cards, and the badges of the README.
fn list(folder: &Path) -> Result<(), String> {
    let mut page = "# Report cards\n\nWhat the conformance suite found on each backend of this repository. \
                    `cargo xtask report-cards` writes these pages.\n\n"
        .to_owned();
    let mut badges = String::new();
    for card in &CARDS {
        let Card { file: name, title, .. } = card;
        let Ok(text) = fs::read_to_string(file(folder, card)) else { continue };
        let badge = text.lines().find(|line| line.starts_with("![")).unwrap_or_default();
        // Writing to a String cannot fail.
        let _ = writeln!(page, "* [{title}]({name}.md) {badge}");
        // The package's page shows the README as well, so the whole URL is needed.
        let badge = badge.replace("![assoc", &format!("![{title}"));
        let _ = writeln!(badges, "[{badge}](https://github.com/assoc-rs/assoc/blob/main/docs/report-cards/{name}.md)");
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
