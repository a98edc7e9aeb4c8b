//! `cargo xtask mutants`: which cases of the conformance suite notice which planted fault.

use std::process::ExitCode;

use crate::Outcome;
use crate::runner::Runner;
use crate::workspace::cargo;

/// Runs `mutants [--all] [<fault>...]`.
pub(crate) fn run(args: &[String]) -> Outcome {
    let mut command = cargo();
    command.args(["test", "-p", "conformance-tests", "--all-features", "--test", "mutants", "--"]);
    if !args.iter().any(|argument| argument == "--all") {
        command.arg("--search");
    }
    Ok(ExitCode::from(Runner::new()?.run(command.args(args))?))
}
