//! How this program fails: one line on stderr and an exit code, never a panic.

use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

use assoc_repo::AssociationNotLoaded;

/// Why the program ends early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line makes no sense: exit code 2.
    Usage(String),
    /// Something else went wrong: exit code 1.
    Run(String),
    /// The reader of our output has gone, as in `crates | head`. That is not worth a word.
    OutputClosed,
    /// The user has pressed Ctrl-C: exit code 130, as shells have it.
    Interrupted,
}

impl Failure {
    pub(crate) fn run(message: impl fmt::Display) -> Self {
        Failure::Run(message.to_string())
    }

    /// Tells the user and says what to exit with.
    pub(crate) fn report(self) -> ExitCode {
        let (message, code) = match self {
            Failure::Usage(message) => (format!("{message} (see --help)"), 2),
            Failure::Run(message) => (message, 1),
            Failure::OutputClosed => return ExitCode::SUCCESS,
            Failure::Interrupted => return ExitCode::from(130),
        };
        // Some messages come from elsewhere and have several lines; ours is one, whatever is in it.
        let line = message.split_whitespace().collect::<Vec<_>>().join(" ");
        // Without a stderr the exit code has to do.
        let _ = writeln!(io::stderr(), "error: {line}");
        ExitCode::from(code)
    }
}

impl From<assoc_repo::Error> for Failure {
    fn from(error: assoc_repo::Error) -> Self {
        Failure::run(error)
    }
}

impl From<AssociationNotLoaded> for Failure {
    fn from(error: AssociationNotLoaded) -> Self {
        Failure::run(error)
    }
}

/// Of writing the report: what reads and starts other programs names the file or program in a message of its own.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::OutputClosed,
            _ => Failure::run(format_args!("cannot write the report: {error}")),
        }
    }
}
