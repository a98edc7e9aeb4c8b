//! `cargo xtask guide`: writes what the tests of the guide compare.

use std::process::ExitCode;

use crate::Outcome;
use crate::runner::Runner;
use crate::workspace::cargo;

/// Tells the tests to write.
const WRITE: &str = "ASSOC_WRITE_GUIDE";

/// Runs `guide`: fails when an example does.
pub(crate) fn run(args: &[String]) -> Outcome {
    if !args.is_empty() {
        return Err("usage: cargo xtask guide".to_owned());
    }
    let runner = Runner::new()?;
    // One example after the other, because several write the same page. The copy is made of the pages as they are then.
    for tests in [&["--doc", "--", "--test-threads=1"][..], &["--test", "in_rustdoc"]] {
        let mut test = cargo();
        test.args(["test", "--quiet", "--package", "guide", "--all-features"]).args(tests).env(WRITE, "1");
        let code = runner.run(&mut test)?;
        if code != 0 {
            return Ok(ExitCode::from(code));
        }
    }
    Ok(ExitCode::SUCCESS)
}
