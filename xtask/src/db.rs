//! `cargo xtask db`: runs a command beside a private database server.
//!
//! The server lives exactly as long as the command: it is stopped when the command ends, when this process is
//! interrupted (Ctrl-C, SIGTERM, SIGHUP), and even when it is killed outright, because the server hangs on a pipe of
//! this process (see [`server`](crate::server)).

use std::process::{Command, ExitCode};

use crate::Outcome;
use crate::runner::Runner;

const USAGE: &str = "usage: cargo xtask db mysql [--server <url, program or folder>] -- <command> [args...]";

/// Runs `db <kind> [--server <where>] -- <command> [args...]`.
pub(crate) fn run(args: &[String]) -> Outcome {
    let (kind, place, command) = match args {
        [kind, option, place, rest @ ..] if option == "--server" => (kind, Some(place.as_str()), rest),
        [kind, rest @ ..] => (kind, None, rest),
        [] => return Err(USAGE.to_owned()),
    };
    let command = command.strip_prefix(&["--".to_owned()]).unwrap_or(command);
    match kind.as_str() {
        "mysql" | "mariadb" => with_mysql(place, command),
        other => Err(format!("no private server for `{other}`, only for `mysql`\n{USAGE}")),
    }
}

/// Runs a command with `ASSOC_MYSQL_URL` set: to that of the server at a place; to what it is already; or to a private
/// server's.
fn with_mysql(place: Option<&str>, command: &[String]) -> Outcome {
    let [program, args @ ..] = command else { return Err(USAGE.to_owned()) };
    let mut runner = Runner::new()?;
    match place {
        Some(place) => runner.change_mysql(place)?,
        None => runner.start_mysql()?,
    }
    runner.run(Command::new(program).args(args)).map(ExitCode::from)
}
