//! What the program is doing, for someone who waits at a terminal.

use std::io::{self, IsTerminal, Write};

/// One line on stderr that is overwritten by the next and gone in the end, so that an error stands alone. Where stderr
/// is no terminal, nothing: a log file has no use for it.
pub(crate) struct Progress {
    visible: bool,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Progress { visible: io::stderr().is_terminal() }
    }

    pub(crate) fn say(&self, what: &str) {
        self.write(&format!("{what} …"));
    }

    pub(crate) fn clear(&self) {
        self.write("");
    }

    fn write(&self, line: &str) {
        if self.visible {
            // To the line's beginning, erase it, then the text. Progress that cannot be shown is no reason to stop.
            let _ = write!(io::stderr(), "\r\x1b[K{line}");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}
