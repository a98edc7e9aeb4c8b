//! `cargo xtask mutants`: which cases of the conformance suite notice which planted fault.

use std::process::{Command, ExitCode};

use crate::Outcome;
use crate::runner::Runner;

/// Runs `mutants [--all] [<fault>...]`.
pub(crate) fn run(args: &[String]) -> Outcome {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["test", "-p", "conformance-tests", "--all-features", "--test", "mutants", "--"]);
    if !args.iter().any(|argument| argument == "--all") {
        command.arg("--search");
    }
    Ok(ExitCode::from(Runner::new()?.run(command.args(args))?))
}
