//! `cargo xtask db`: runs a command beside a private database server.
//!
//! The server lives exactly as long as the command: it is stopped when the command ends, when this process is
//! interrupted (Ctrl-C, SIGTERM, SIGHUP), and even when it is killed outright, because the server hangs on a pipe of
//! this process (see [`server`](crate::server)).

use std::process::{Command, ExitCode};

use crate::Outcome;
use crate::runner::Runner;

const USAGE: &str = "usage: cargo xtask db mysql [--server <url, program or folder>] -- <command> [args...]\n       \
                     cargo xtask db postgres -- <command> [args...]\n       \
                     cargo xtask db all -- <command> [args...]";

/// Runs `db <kind> [--server <where>] -- <command> [args...]` with `ASSOC_MYSQL_URL` or `ASSOC_POSTGRES_URL` set, or both: to the
/// URL of the server at a place; to what it is already; or to a private server's.
pub(crate) fn run(args: &[String]) -> Outcome {
    let (kind, place, command) = match args {
        [kind, option, place, rest @ ..] if option == "--server" => (kind, Some(place.as_str()), rest),
        [kind, rest @ ..] => (kind, None, rest),
        [] => return Err(USAGE.to_owned()),
    };
    let command = command.strip_prefix(&["--".to_owned()]).unwrap_or(command);
    let [program, args @ ..] = command else { return Err(USAGE.to_owned()) };
    let mut runner = Runner::new()?;
    match (kind.as_str(), place) {
        ("mysql" | "mariadb", Some(place)) => runner.change_mysql(place)?,
        ("mysql" | "mariadb", None) => {
            runner.start_mysql()?;
        }
        ("postgres" | "postgresql", None) => {
            runner.start_postgres()?;
        }
        ("all", None) => {
            runner.start_mysql()?;
            runner.start_postgres()?;
        }
        (_, Some(_)) => return Err(format!("`--server` is for `mysql`\n{USAGE}")),
        (other, None) => {
            return Err(format!("no private server for `{other}`, only for `mysql` and `postgres`\n{USAGE}"));
        }
    }
    runner.run(Command::new(program).args(args)).map(ExitCode::from)
}
