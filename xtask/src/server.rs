//! A private database server: own data directory, own socket, a free port on 127.0.0.1, gone when dropped. Here is what all
//! kinds share, and what a MariaDB (or MySQL) needs; [`postgres`] has what a PostgreSQL needs.
//!
//! The server is started through a shell that waits on a pipe from this process and stops the server when the pipe
//! closes. A pipe closes however a process ends, so there is no way to leave a server behind: not by a panic, not by
//! an interrupt, not even by `kill -9`.

use std::ffi::OsString;
use std::fs;
use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use crate::system::{self, Packages, find, is_root, output, succeed};

mod postgres;

/// How long the server may take until it greets.
const START_LIMIT: Duration = Duration::from_secs(90);
/// How long it may take to stop before it is killed.
const STOP_LIMIT: Duration = Duration::from_secs(30);

/// Starts "$@" as a child and stops it by the signal $2 when the standard input ends; then removes the data directory ($1).
const KEEPER: &str = r#"
directory=$1
signal=$2
shift 2
trap '' INT HUP TERM
"$@" &
server=$!
read -r _
kill -"$signal" "$server" 2>/dev/null
wait "$server"
rm -rf "$directory"
"#;

/// Fast and forgetful: the data lives as long as one command.
const OPTIONS: &[&str] = &[
    "--bind-address=127.0.0.1",
    "--skip-name-resolve",
    "--performance-schema=OFF",
    "--skip-log-bin",
    "--max-connections=300",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-doublewrite=0",
    // No waiting for a disk, where the data is on one.
    "--innodb-flush-method=nosync",
    "--loose-sync-frm=OFF",
    "--innodb-buffer-pool-size=128M",
    "--max-allowed-packet=64M",
    // `loose`: newer versions of MySQL do not know the one, MariaDB does not know the other.
    "--loose-innodb-log-file-size=48M",
    "--loose-mysqlx=OFF",
    // A package may name a folder that only its installation makes.
    "--secure-file-priv=",
    // Not the default, and the harder case: an error that does not say so ends the transaction.
    "--innodb-rollback-on-timeout=ON",
];

/// MariaDB's script that fills a data directory. MySQL has none: its daemon does it.
const INSTALLERS: &[&str] = &["mariadb-install-db", "mysql_install_db"];

/// A running server.
pub(crate) struct Server {
    keeper: Child,
    lifeline: Option<ChildStdin>,
    url: String,
    directory: PathBuf,
}

/// What a server is started by.
struct Daemon {
    /// The program, which may be one that loads another.
    command: Vec<OsString>,
    /// Where the program does not find its own files: the folder they are in.
    base: Option<PathBuf>,
    /// The script that fills a data directory, where the daemon does not do it.
    installer: Option<PathBuf>,
}

impl Daemon {
    /// The server this machine has, installed where it is absent: a MariaDB before a MySQL.
    fn of_the_system() -> Result<Self, String> {
        if let Some(daemon) = find_daemon() {
            return Ok(daemon);
        }
        install()?;
        find_daemon().ok_or_else(|| "MariaDB was installed, but there is no `mariadbd` on PATH or in /usr/sbin".into())
    }

    /// The MySQL server at a path: the program itself, or a folder its packages or its archive were unpacked into.
    fn at(path: &Path) -> Result<Self, String> {
        let path = fs::canonicalize(path).map_err(|error| format!("{}: {error}", path.display()))?;
        if path.is_file() {
            return Ok(Daemon { command: vec![path.into()], base: None, installer: None });
        }
        let programs = ["usr/sbin/mysqld", "usr/bin/mysqld", "bin/mysqld"].map(|inside| path.join(inside));
        let program = programs.into_iter().find(|program| program.is_file());
        let program = program.ok_or_else(|| format!("there is no `mysqld` below {}", path.display()))?;
        let base = program.parent().and_then(Path::parent).map(Path::to_owned);
        // Packages of another release of the system bring the C library they need, and its loader.
        let loader = path.join("lib64/ld-linux-x86-64.so.2");
        let mut command = Vec::new();
        if loader.is_file() {
            let libraries = ["usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu"];
            let libraries = libraries.map(|inside| path.join(inside).display().to_string()).join(":");
            command.extend([loader.into_os_string(), "--library-path".into(), libraries.into()]);
        }
        command.push(program.into_os_string());
        Ok(Daemon { command, base, installer: None })
    }

    /// The command, with the options that stand before all others.
    fn command_line(&self) -> Vec<OsString> {
        let mut line = self.command.clone();
        line.push("--no-defaults".into());
        line.extend(self.base.iter().map(|base| format!("--basedir={}", base.display()).into()));
        line
    }
}

impl Server {
    /// Sets a server up and waits until it answers. `cancelled` is asked in between. The server is the program or folder
    /// at `path`, or else what the system has.
    pub(crate) fn start(path: Option<&Path>, cancelled: &dyn Fn() -> bool) -> Result<Server, String> {
        let daemon = path.map_or_else(Daemon::of_the_system, Daemon::at)?;
        let account = account(&["mysql", "nobody"]);
        in_new_directory(cancelled, |directory| {
            prepare(&daemon, directory, account)?;
            let launch = || launch(&daemon, directory, account, cancelled);
            launch_on_free_port(launch, "Bind on TCP/IP port", cancelled)
        })
    }

    /// Sets a PostgreSQL server up and waits until it answers: the newest that the system has, installed where there is none.
    pub(crate) fn start_postgres(cancelled: &dyn Fn() -> bool) -> Result<Server, String> {
        postgres::start(cancelled)
    }

    /// Starts a server that its keeper stops by a signal, and waits until it is `ready`. What it says comes into its log, where
    /// `failed` recognizes that it will not start.
    fn keep(
        directory: &Path,
        signal: &str,
        command: &[OsString],
        url: String,
        ready: impl Fn(&str) -> bool,
        failed: impl Fn(&str) -> bool,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Server, String> {
        let log = directory.join("server.log");
        let log_file = fs::File::create(&log).map_err(|error| format!("{}: {error}", log.display()))?;
        let log_copy = log_file.try_clone().map_err(|error| format!("{}: {error}", log.display()))?;
        let mut keeper = Command::new("sh");
        keeper.args(["-c", KEEPER, "keeper"]).arg(directory).arg(signal).args(command);
        // Its own group: Ctrl-C is for the command, the server stops after it.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut keeper, 0);
        keeper.stdin(Stdio::piped()).stdout(log_copy).stderr(log_file);
        let mut keeper = keeper.spawn().map_err(|error| format!("the server cannot be started: {error}"))?;
        let lifeline = keeper.stdin.take();
        let server = Server { keeper, lifeline, url, directory: directory.to_owned() };
        let started = Instant::now();
        loop {
            let text = fs::read_to_string(&log).unwrap_or_default();
            if ready(&text) {
                return Ok(server);
            }
            if failed(&text) || started.elapsed() > START_LIMIT || cancelled() {
                let tail: Vec<&str> = text.lines().rev().take(15).collect();
                let tail: Vec<&str> = tail.into_iter().rev().collect();
                return Err(format!("the server did not start; the end of its log:\n{}", tail.join("\n")));
            }
            sleep(Duration::from_millis(25));
        }
    }

    /// The process that has started the server and stops it.
    pub(crate) fn keeper(&self) -> u32 {
        self.keeper.id()
    }

    /// The URL of its empty database, with all rights on the server.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.lifeline.take());
        let asked = Instant::now();
        while asked.elapsed() < STOP_LIMIT {
            match self.keeper.try_wait() {
                Ok(None) => sleep(Duration::from_millis(20)),
                _ => break,
            }
        }
        // Only does something if the keeper has not ended by itself.
        let _ = self.keeper.kill();
        let _ = self.keeper.wait();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// Between choosing a free port and listening on it someone else may take it; the log says so by `taken`.
fn launch_on_free_port(
    launch: impl Fn() -> Result<Server, String>,
    taken: &str,
    cancelled: &dyn Fn() -> bool,
) -> Result<Server, String> {
    let mut launched = launch();
    for _ in 0..2 {
        match &launched {
            Err(message) if message.contains(taken) && !cancelled() => launched = launch(),
            _ => break,
        }
    }
    launched
}

fn launch(
    daemon: &Daemon,
    directory: &Path,
    account: Option<&'static str>,
    cancelled: &dyn Fn() -> bool,
) -> Result<Server, String> {
    let port = free_port()?;
    let mut command = daemon.command_line();
    let files = [("--datadir=", "data"), ("--socket=", "socket"), ("--pid-file=", "pid")];
    let files = files.into_iter().chain([("--init-file=", "init.sql"), ("--tmpdir=", "tmp")]);
    command.extend(files.map(|(option, name)| in_directory(option, directory, name).into()));
    command.push(format!("--port={port}").into());
    command.extend(OPTIONS.iter().map(OsString::from));
    command.extend(account.map(|account| format!("--user={account}").into()));
    let url = format!("mysql://assoc:assoc@127.0.0.1:{port}/assoc");
    Server::keep(directory, "TERM", &command, url, |_| greets(port), |log| log.contains("Aborting"), cancelled)
}

/// Whether the server listens and says hello: it does so after its init file has run.
fn greets(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    let mut greeting = [0u8; 5];
    stream.set_read_timeout(Some(Duration::from_secs(1))).is_ok() && stream.read_exact(&mut greeting).is_ok()
}

fn free_port() -> Result<u16, String> {
    TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|error| format!("no free port on 127.0.0.1: {error}"))
}

/// Where Linux keeps files in memory. Each case makes tables and removes them, which a disk makes thirty times slower.
const IN_MEMORY: &str = "/dev/shm";

/// What must be left for a server, in KiB: 4 GiB.
const FREE_IN_MEMORY: u64 = 4 << 20;

/// Starts a server with a directory of its own: in memory, and where it does not start there, among the temporary files. A system may
/// forbid its servers the one place.
fn in_new_directory(
    cancelled: &dyn Fn() -> bool,
    start: impl Fn(&Path) -> Result<Server, String>,
) -> Result<Server, String> {
    let in_memory = has_memory().then(|| PathBuf::from(IN_MEMORY));
    let mut failed = String::new();
    for parent in in_memory.into_iter().chain([std::env::temp_dir()]) {
        let nanos = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.subsec_nanos());
        // Short, because the path of a socket may have no more than about a hundred bytes.
        let directory = parent.join(format!("assoc-db-{}-{nanos}", std::process::id()));
        let made =
            fs::create_dir_all(directory.join("tmp")).map_err(|error| format!("{}: {error}", directory.display()));
        match made.and_then(|()| start(&directory)) {
            Ok(server) => return Ok(server),
            Err(error) => failed = error,
        }
        let _ = fs::remove_dir_all(&directory);
        if cancelled() {
            break;
        }
    }
    Err(failed)
}

/// Whether there is room for the files of a server in memory, and memory for them.
fn has_memory() -> bool {
    let Ok(answer) = Command::new("df").args(["-Pk", IN_MEMORY]).stderr(Stdio::null()).output() else { return false };
    // Device, size, used, free, of which the first line holds the names.
    let text = String::from_utf8_lossy(&answer.stdout);
    let room = text.lines().nth(1).and_then(|line| line.split_whitespace().nth(3)?.parse::<u64>().ok());
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let available = memory.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    let available = available.and_then(|kib| kib.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    // Of a container. Where there is no limit, the file says `max`.
    let limit = fs::read_to_string("/sys/fs/cgroup/memory.max").ok().and_then(|limit| limit.trim().parse::<u64>().ok());
    [room, available, limit.map(|bytes| bytes >> 10).or(Some(u64::MAX))]
        .into_iter()
        .all(|kib| kib.is_some_and(|kib| kib >= FREE_IN_MEMORY))
}

/// Fills the data directory and writes the init file.
fn prepare(daemon: &Daemon, directory: &Path, account: Option<&str>) -> Result<(), String> {
    let init = directory.join("init.sql");
    let statements = "CREATE DATABASE IF NOT EXISTS assoc;\n\
        CREATE USER IF NOT EXISTS 'assoc'@'%' IDENTIFIED BY 'assoc';\n\
        GRANT ALL PRIVILEGES ON *.* TO 'assoc'@'%' WITH GRANT OPTION;\n";
    fs::write(&init, statements).map_err(|error| format!("{}: {error}", init.display()))?;
    if let Some(account) = account {
        succeed(Command::new("chown").arg("-R").arg(account).arg(directory))?;
    }
    let user = account.map(|account| format!("--user={account}"));
    let data = in_directory("--datadir=", directory, "data");
    let [program, first @ ..] = &daemon.command_line()[..] else { return Ok(()) };
    match &daemon.installer {
        Some(installer) => succeed(
            Command::new(installer)
                .args(["--no-defaults", "--skip-test-db", "--skip-name-resolve"])
                .args(["--auth-root-authentication-method=normal", "--innodb-log-file-size=48M"])
                .args(["--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0", "--skip-log-bin"])
                .arg(data)
                .args(user),
        ),
        None => succeed(Command::new(program).args(first).arg("--initialize-insecure").arg(data).args(user)),
    }
}

fn in_directory(option: &str, directory: &Path, name: &str) -> String {
    format!("{option}{}", directory.join(name).display())
}

/// The account the server runs under, if this process may choose: a server refuses to run as root. It is the first that there
/// is.
fn account(names: &[&'static str]) -> Option<&'static str> {
    let exists = |name: &&&'static str| output(Command::new("id").args(["-u", name])).is_some();
    if is_root() { names.iter().find(exists).copied() } else { None }
}

fn find_daemon() -> Option<Daemon> {
    let program = find(&["mariadbd", "mysqld"])?;
    let installer = find(INSTALLERS);
    // MariaDB's script that fills a data directory needs a program of another package.
    let complete = installer.is_none() || find(&["my_print_defaults"]).is_some();
    complete.then_some(Daemon { command: vec![program.into()], base: None, installer })
}

/// Installs the server by the system's package manager: on Debian and Ubuntu the package of the bare server, which has
/// no service in it that could start.
fn install() -> Result<(), String> {
    eprintln!("xtask: no MariaDB or MySQL server found, installing MariaDB");
    let packages =
        Packages { apt: &["mariadb-server-core", "mariadb-client-core"], dnf: &["mariadb-server"], brew: &["mariadb"] };
    let remedy = format!("install a MariaDB or MySQL server, or set {} to a server's URL", crate::runner::MYSQL_URL);
    system::install(&packages, &remedy)
}
