//! `cargo xtask db`: runs a command beside a private database server.
//!
//! The server lives exactly as long as the command: it is stopped when the command ends, when this process is
//! interrupted (Ctrl-C, SIGTERM, SIGHUP), and even when it is killed outright, because the server hangs on a pipe of
//! this process (see [`mariadb`](crate::mariadb)).

use std::process::{Command, ExitCode};

use crate::Outcome;
use crate::runner::Runner;

const USAGE: &str = "usage: cargo xtask db mysql -- <command> [args...]";

/// Runs `db <kind> -- <command> [args...]`.
pub(crate) fn run(args: &[String]) -> Outcome {
    let (kind, command) = match args {
        [kind, dashes, command @ ..] if dashes == "--" && !command.is_empty() => (kind.as_str(), command),
        [kind, command @ ..] if !command.is_empty() && command[0] != "--" => (kind.as_str(), command),
        _ => return Err(USAGE.to_owned()),
    };
    match kind {
        "mysql" | "mariadb" => with_mysql(command),
        other => Err(format!("no private server for `{other}`, only for `mysql`\n{USAGE}")),
    }
}

/// Runs a command with `ASSOC_MYSQL_URL` set: to what it is already, or to a private server's URL.
fn with_mysql(command: &[String]) -> Outcome {
    let [program, args @ ..] = command else { return Err(USAGE.to_owned()) };
    let mut runner = Runner::new()?;
    runner.start_mysql()?;
    runner.run(Command::new(program).args(args)).map(ExitCode::from)
}
