//! `cargo xtask features`: makes `docs/features.md` of `docs/features.in.md` and the case table of the conformance suite.

use std::process::ExitCode;

use crate::Outcome;
use crate::runner::Runner;
use crate::workspace::cargo;

/// Tells the test that compares the table to write it.
const WRITE: &str = "ASSOC_WRITE_FEATURES";

/// Runs `features`: fails when a row has neither a case nor a reason, or names a test that does not exist.
pub(crate) fn run(args: &[String]) -> Outcome {
    if !args.is_empty() {
        return Err("usage: cargo xtask features".to_owned());
    }
    let runner = Runner::new()?;
    for write in [true, false] {
        let mut test = cargo();
        test.args(["test", "--quiet", "--package", "conformance-tests", "--all-features", "--test", "features"]);
        if write {
            test.args(["--", "--exact", "the_table_is_made_of_its_source_and_the_cases"]).env(WRITE, "1");
        }
        let code = runner.run(&mut test)?;
        if code != 0 {
            return Ok(ExitCode::from(code));
        }
    }
    Ok(ExitCode::SUCCESS)
}
