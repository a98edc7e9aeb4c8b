//! `cargo xtask db`: runs a command beside a private database server.
//!
//! The server lives exactly as long as the command: it is stopped when the command ends, when this process is
//! interrupted (Ctrl-C, SIGTERM, SIGHUP), and even when it is killed outright, because the server hangs on a pipe of
//! this process (see [`mariadb`](crate::mariadb)).

use std::process::{Child, Command, ExitCode, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use signal_hook::consts::signal;

use crate::Outcome;
use crate::mariadb::Server;

/// The variable tests and examples find their database in.
pub(crate) const MYSQL_URL: &str = "ASSOC_MYSQL_URL";

/// The signals that ask this process to end.
#[cfg(unix)]
const ENDING: &[i32] = &[signal::SIGINT, signal::SIGTERM, signal::SIGHUP];
#[cfg(not(unix))]
const ENDING: &[i32] = &[signal::SIGINT, signal::SIGTERM];

/// How long an interrupted command may take to end before it is killed.
const GRACE: Duration = Duration::from_secs(10);

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

/// Runs a command with [`MYSQL_URL`] set: to what it is already, or to a private server's URL.
pub(crate) fn with_mysql(command: &[String]) -> Outcome {
    let interrupted = Interrupted::watch()?;
    if std::env::var_os(MYSQL_URL).is_some_and(|url| !url.is_empty()) {
        return run_command(command, None, &interrupted);
    }
    let server = Server::start(&|| interrupted.signal().is_some())?;
    let outcome = run_command(command, Some(server.url()), &interrupted);
    drop(server);
    outcome
}

/// Runs a command to its end, passing interruptions on to it.
fn run_command(command: &[String], url: Option<&str>, interrupted: &Interrupted) -> Outcome {
    let [program, args @ ..] = command else { return Err(USAGE.to_owned()) };
    let mut child = Command::new(program);
    child.args(args);
    if let Some(url) = url {
        child.env(MYSQL_URL, url);
    }
    let mut child = child.spawn().map_err(|error| format!("`{program}` cannot be run: {error}"))?;
    let mut passed_on: Option<Instant> = None;
    loop {
        if let Some(status) = child.try_wait().map_err(|error| format!("`{program}` is lost: {error}"))? {
            return Ok(interrupted.signal().map_or_else(|| exit_code(status), interrupted_code));
        }
        match (interrupted.signal(), passed_on) {
            (Some(signal), None) => {
                // After Ctrl-C the terminal has told the command already; a second signal does no harm.
                terminate(&child, signal);
                passed_on = Some(Instant::now());
            }
            (Some(_), Some(since)) if since.elapsed() > GRACE => {
                let _ = child.kill();
            }
            _ => {}
        }
        sleep(Duration::from_millis(20));
    }
}

/// Sends a signal to a child; the standard library can only kill.
fn terminate(child: &Child, signal: usize) {
    let sent = Command::new("kill").arg(format!("-{signal}")).arg(child.id().to_string()).status();
    if !sent.is_ok_and(|status| status.success()) {
        eprintln!("xtask: signal {signal} could not be passed on to process {}", child.id());
    }
}

fn exit_code(status: ExitStatus) -> ExitCode {
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    let signal: Option<i32> = None;
    // A shell's convention: 128 + signal.
    let code = status.code().or(signal.map(|signal| 128 + signal)).unwrap_or(1);
    ExitCode::from(u8::try_from(code & 0xff).unwrap_or(1))
}

fn interrupted_code(signal: usize) -> ExitCode {
    ExitCode::from(u8::try_from(128 + signal).unwrap_or(1))
}

/// Remembers the signal that asked this process to end, so that it ends in order.
pub(crate) struct Interrupted(Arc<AtomicUsize>);

impl Interrupted {
    fn watch() -> Result<Self, String> {
        let seen = Arc::new(AtomicUsize::new(0));
        for &signal in ENDING {
            signal_hook::flag::register_usize(signal, Arc::clone(&seen), signal.unsigned_abs() as usize)
                .map_err(|error| format!("signal {signal} cannot be watched: {error}"))?;
        }
        Ok(Interrupted(seen))
    }

    fn signal(&self) -> Option<usize> {
        match self.0.load(Ordering::Relaxed) {
            0 => None,
            signal => Some(signal),
        }
    }
}
