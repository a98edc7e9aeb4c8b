//! Runs commands: passes interruptions on to them, and keeps a private database server beside them if they want one.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use signal_hook::consts::signal;

use crate::server::Server;

/// The variables that tests and examples find their databases in.
pub(crate) const MYSQL_URL: &str = "ASSOC_MYSQL_URL";
pub(crate) const POSTGRES_URL: &str = "ASSOC_POSTGRES_URL";

/// The signals that ask this process to end.
#[cfg(unix)]
const ENDING: &[i32] = &[signal::SIGINT, signal::SIGTERM, signal::SIGHUP];
#[cfg(not(unix))]
const ENDING: &[i32] = &[signal::SIGINT, signal::SIGTERM];

/// How long an interrupted command may take to end before it is killed.
const GRACE: Duration = Duration::from_secs(10);

/// Runs one command after the other. The servers that were started end with it.
pub(crate) struct Runner {
    interrupted: Interrupted,
    server: Option<Server>,
    /// The URL of a server that is not ours.
    url: Option<String>,
    /// Connections are encrypted.
    tls: bool,
    postgres: Option<Server>,
}

impl Runner {
    pub(crate) fn new() -> Result<Self, String> {
        Ok(Runner { interrupted: Interrupted::watch()?, server: None, url: None, tls: false, postgres: None })
    }

    /// Gives the commands that follow [`MYSQL_URL`]: what it is already, or a private server's. Answers the process that has started
    /// the private server.
    pub(crate) fn start_mysql(&mut self) -> Result<Option<u32>, String> {
        if !is_given(MYSQL_URL) && self.server.is_none() {
            self.server = Some(self.start(None)?);
        }
        Ok(self.server.as_ref().map(Server::keeper))
    }

    /// Gives the commands that follow [`POSTGRES_URL`]: what it is already, or a private server's. Answers the process that has started
    /// the private server.
    pub(crate) fn start_postgres(&mut self) -> Result<Option<u32>, String> {
        if !is_given(POSTGRES_URL) && self.postgres.is_none() {
            self.postgres = Some(Server::start_postgres(&|| self.interrupted.signal().is_some())?);
        }
        Ok(self.postgres.as_ref().map(Server::keeper))
    }

    /// Gives the commands that follow the server at a place instead: one with this URL, or a private one of this
    /// program or folder.
    pub(crate) fn change_mysql(&mut self, place: &str) -> Result<(), String> {
        // The former server ends first, so that two do not share the memory.
        self.server = None;
        self.url = place.contains("://").then(|| place.to_owned());
        if self.url.is_none() {
            self.server = Some(self.start(Some(Path::new(place)))?);
        }
        Ok(())
    }

    /// Has the commands that follow connect by TLS, and take any certificate of the server.
    pub(crate) fn require_tls(&mut self) {
        self.tls = true;
    }

    fn start(&self, path: Option<&Path>) -> Result<Server, String> {
        Server::start(path, &|| self.interrupted.signal().is_some())
    }

    /// Runs a command to its end and answers its exit code.
    pub(crate) fn run(&self, command: &mut Command) -> Result<u8, String> {
        let child = self.spawn(command)?;
        self.wait(child, command)
    }

    /// The same, showing each line it prints to `line` as well.
    pub(crate) fn run_reading(&self, command: &mut Command, mut line: impl FnMut(&str) + Send) -> Result<u8, String> {
        let mut child = self.spawn(command.stdout(Stdio::piped()))?;
        let stdout = child.stdout.take();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                for text in stdout.into_iter().flat_map(|stdout| BufReader::new(stdout).split(b'\n')) {
                    let Ok(text) = text else { break };
                    let text = String::from_utf8_lossy(&text);
                    println!("{text}");
                    line(&text);
                }
            });
            self.wait(child, command)
        })
    }

    fn spawn(&self, command: &mut Command) -> Result<Child, String> {
        if let Some(url) = self.server.as_ref().map(Server::url).or(self.url.as_deref()) {
            command.env(MYSQL_URL, if self.tls { encrypted(url) } else { url.to_owned() });
        }
        command.envs(self.postgres.as_ref().map(|server| (POSTGRES_URL, server.url())));
        command.spawn().map_err(|error| format!("`{}` cannot be run: {error}", command.get_program().display()))
    }

    fn wait(&self, mut child: Child, command: &Command) -> Result<u8, String> {
        let mut passed_on: Option<Instant> = None;
        loop {
            let ended = child.try_wait();
            if let Some(status) =
                ended.map_err(|error| format!("`{}` is lost: {error}", command.get_program().display()))?
            {
                return Ok(self.interrupted.signal().map_or_else(|| exit_code(status), interrupted_code));
            }
            match (self.interrupted.signal(), passed_on) {
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
}

fn is_given(variable: &str) -> bool {
    std::env::var_os(variable).is_some_and(|url| !url.is_empty())
}

/// The URL, with TLS.
fn encrypted(url: &str) -> String {
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}require_ssl=true&verify_ca=false&verify_identity=false&prefer_socket=false")
}

/// Sends a signal to a child; the standard library can only kill.
fn terminate(child: &Child, signal: usize) {
    let sent = Command::new("kill").arg(format!("-{signal}")).arg(child.id().to_string()).status();
    if !sent.is_ok_and(|status| status.success()) {
        eprintln!("xtask: signal {signal} could not be passed on to process {}", child.id());
    }
}

fn exit_code(status: ExitStatus) -> u8 {
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    let signal: Option<i32> = None;
    // A shell's convention: 128 + signal.
    let code = status.code().or(signal.map(|signal| 128 + signal)).unwrap_or(1);
    u8::try_from(code & 0xff).unwrap_or(1)
}

fn interrupted_code(signal: usize) -> u8 {
    u8::try_from(128 + signal).unwrap_or(1)
}

/// Remembers the signal that asked this process to end, so that it ends in order.
struct Interrupted(Arc<AtomicUsize>);

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
