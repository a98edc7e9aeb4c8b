//! Workspace tasks, run as `cargo xtask <task>`. Each task is a module with a `run` that answers the exit code.

use std::process::ExitCode;

mod bench;
mod db;
mod mariadb;

/// What a task answers: its exit code, or why it could not be carried out.
type Outcome = Result<ExitCode, String>;

const USAGE: &str = "\
Usage: cargo xtask <task>

  bench [-- <workload>...]          measure against SQL by hand, on SQLite: W1 to W10, rss (docs/performance.md).
  db mysql -- <command> [args...]   run a command against a private MariaDB server: its URL is in ASSOC_MYSQL_URL.
                                    If that is set already, the command runs against the server it names.
";

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let task = args.next();
    let rest: Vec<String> = args.collect();
    let outcome = match task.as_deref() {
        Some("bench") => bench::run(&rest),
        Some("db") => db::run(&rest),
        Some("help" | "--help" | "-h") => {
            print!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        Some(other) => Err(format!("there is no task `{other}`\n\n{USAGE}")),
        None => Err(USAGE.to_owned()),
    };
    outcome.unwrap_or_else(|message| {
        eprintln!("xtask: {message}");
        ExitCode::from(2)
    })
}
