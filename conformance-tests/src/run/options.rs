//! The options of the suite's program, beside those that every test program has.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// How long a case may take, if nothing is said.
pub(super) const LIMIT: Duration = Duration::from_secs(60);

/// What `--case-limit`, `--bless` and `--report` say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) limit: Duration,
    pub(super) bless: bool,
    pub(super) reports: Vec<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Options { limit: LIMIT, bless: false, reports: Vec::new() }
    }
}

impl Options {
    /// Takes the suite's own options out of the arguments. The others belong to the test program.
    ///
    /// # Errors
    /// With a sentence, when an option lacks its value or has one that cannot be read.
    pub(super) fn take(arguments: impl IntoIterator<Item = OsString>) -> Result<(Self, Vec<OsString>), String> {
        let mut options = Options::default();
        let mut others = Vec::new();
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let text = argument.to_string_lossy().into_owned();
            let (name, value) = match text.split_once('=') {
                Some((name, value)) => (name, Some(OsString::from(value))),
                None => (text.as_str(), None),
            };
            let mut value = || value.clone().or_else(|| arguments.next()).ok_or(format!("{name} needs a value"));
            match name {
                "--bless" => options.bless = true,
                "--report" => options.reports.push(PathBuf::from(value()?)),
                "--case-limit" => {
                    let seconds = value()?.to_string_lossy().parse::<f32>().ok();
                    let limit = seconds.and_then(|seconds| Duration::try_from_secs_f32(seconds).ok());
                    options.limit = limit
                        .filter(|limit| !limit.is_zero())
                        .ok_or("--case-limit is a number of seconds above zero")?;
                }
                _ => others.push(argument),
            }
        }
        Ok((options, others))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(arguments: &[&str]) -> Result<(Options, Vec<OsString>), String> {
        Options::take(arguments.iter().map(OsString::from))
    }

    #[test]
    fn own_options_are_taken_and_others_left() {
        let arguments = ["suite", "--case-limit", "2.5", "values.", "--report=a.json", "--report", "b.md", "--exact"];
        let (options, others) = take(&arguments).expect("options that can be read");
        assert_eq!(options.limit, Duration::from_millis(2500));
        assert_eq!(options.reports, [PathBuf::from("a.json"), PathBuf::from("b.md")]);
        assert!(!options.bless);
        assert_eq!(others, ["suite", "values.", "--exact"]);
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        for arguments in [&["--case-limit"][..], &["--case-limit", "soon"], &["--case-limit=0"], &["--report"]] {
            assert!(take(arguments).is_err(), "{arguments:?}");
        }
    }
}
