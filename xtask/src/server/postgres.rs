//! What a private PostgreSQL server needs.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Server, account, free_port, in_directory, in_new_directory, launch_on_free_port};
use crate::system::{self, Packages, as_root, find, has_apt, succeed};

/// Fast and forgetful: the data lives as long as one command.
const SETTINGS: &[&str] = &[
    "listen_addresses=127.0.0.1",
    "fsync=off",
    // Tasks that lock each other out on purpose wait this long for each deadlock: a second is the default.
    "deadlock_timeout=20ms",
    "synchronous_commit=off",
    "full_page_writes=off",
    "max_connections=300",
    "shared_buffers=128MB",
    // Removing a schema locks everything in it.
    "max_locks_per_transaction=512",
    // What is waited for in the log is in English.
    "lc_messages=C",
    // Not the default, and the harder case: a driver that forgets its session's time zone reads other times.
    "timezone=Asia/Kathmandu",
];

/// Sets a server up and waits until it answers.
pub(super) fn start(cancelled: &dyn Fn() -> bool) -> Result<Server, String> {
    let programs = match find_programs() {
        Some(programs) => programs,
        None => {
            install()?;
            find_programs().ok_or("PostgreSQL was installed, but there is no `initdb` where its packages put it")?
        }
    };
    let account = account(&["postgres", "nobody"]);
    in_new_directory(cancelled, |directory| {
        prepare(&programs, directory, account)?;
        let launch = || launch(&programs, directory, account, cancelled);
        launch_on_free_port(launch, "could not create any TCP/IP sockets", cancelled)
    })
}

/// Fills the data directory, with a superuser and a database of the same name.
fn prepare(programs: &Path, directory: &Path, account: Option<&str>) -> Result<(), String> {
    if let Some(account) = account {
        succeed(Command::new("chown").arg("-R").arg(account).arg(directory))?;
    }
    let run = |program: &str, arguments: &[&str]| -> Result<Command, String> {
        let mut line = as_account(account)?;
        line.push(programs.join(program).into());
        let [first, rest @ ..] = &line[..] else { return Err("nothing to run".to_owned()) };
        let mut command = Command::new(first);
        // It reads the folder that it is started in, which the account may not be allowed to.
        command.args(rest).args(arguments).current_dir(directory);
        Ok(command)
    };
    let data = in_directory("", directory, "data");
    let initdb = ["--username=assoc", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "-D", &data];
    succeed(&mut run("initdb", &initdb)?)?;
    if find(&["openssl"]).is_some() {
        certify(account, directory)?;
    }
    let statement = directory.join("create.sql");
    fs::write(&statement, "CREATE DATABASE assoc;\n").map_err(|error| format!("{}: {error}", statement.display()))?;
    let statement = fs::File::open(&statement).map_err(|error| format!("{}: {error}", statement.display()))?;
    let mut create = run("postgres", &["--single", "-D", &data, "postgres"])?;
    let created = create.stdin(statement).stdout(Stdio::null()).stderr(Stdio::null()).status();
    match created {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{create:?} failed ({status})")),
        Err(error) => Err(format!("{create:?}: {error}")),
    }
}

/// Lets the server take encrypted connections as well, by a certificate that it has signed itself.
fn certify(account: Option<&str>, directory: &Path) -> Result<(), String> {
    let data = |file: &str| directory.join("data").join(file);
    let (key, certificate) = (data("server.key"), data("server.crt"));
    let mut command = Command::new("openssl");
    command.args(["req", "-new", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=localhost"]);
    command.args(["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]);
    command.arg("-keyout").arg(&key).arg("-out").arg(&certificate).stdout(Stdio::null()).stderr(Stdio::null());
    succeed(&mut command)?;
    // The server takes no key that others may read.
    succeed(Command::new("chmod").arg("600").arg(&key))?;
    if let Some(account) = account {
        succeed(Command::new("chown").arg(account).args([&key, &certificate]))?;
    }
    Ok(())
}

fn launch(
    programs: &Path,
    directory: &Path,
    account: Option<&str>,
    cancelled: &dyn Fn() -> bool,
) -> Result<Server, String> {
    let port = free_port()?;
    let mut command = as_account(account)?;
    command.extend([programs.join("postgres").into(), "-D".into(), directory.join("data").into()]);
    command.extend(["-p".into(), port.to_string().into(), "-k".into(), directory.into()]);
    command.extend(SETTINGS.iter().flat_map(|setting| ["-c".into(), setting.into()]));
    if directory.join("data/server.crt").is_file() {
        command.extend(["-c".into(), "ssl=on".into()]);
    }
    // Nothing knows the server's certificate, so what wants an encrypted connection has to say so.
    let url = format!("postgres://assoc@127.0.0.1:{port}/assoc?sslmode=disable");
    let ready = |log: &str| log.contains("database system is ready to accept connections");
    // INT: it does not wait until its clients have gone.
    Server::keep(directory, "INT", &command, url, ready, |log| log.contains("FATAL"), cancelled)
}

/// What stands before a command that an account is to run, if this process may choose.
fn as_account(account: Option<&str>) -> Result<Vec<OsString>, String> {
    let Some(account) = account else { return Ok(Vec::new()) };
    let setpriv = find(&["setpriv"]).ok_or("PostgreSQL refuses to run as root, and there is no `setpriv`")?;
    let (user, group) = (format!("--reuid={account}"), "--init-groups".to_owned());
    let output =
        Command::new("id").args(["-g", account]).output().map_err(|error| format!("id -g {account}: {error}"))?;
    let own_group = format!("--regid={}", String::from_utf8_lossy(&output.stdout).trim());
    Ok(vec![setpriv.into(), user.into(), own_group.into(), group.into()])
}

/// The folder of the newest server's programs. Debian keeps them away from PATH, in a folder for each version.
fn find_programs() -> Option<PathBuf> {
    let complete = |folder: &PathBuf| ["initdb", "postgres"].iter().all(|program| folder.join(program).is_file());
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<(u32, PathBuf)> = versions
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .filter(|(_, folder)| complete(folder))
        .collect();
    versions.sort();
    let on_path = || find(&["initdb"])?.parent().map(Path::to_owned).filter(complete);
    versions.pop().map(|(_, folder)| folder).or_else(on_path)
}

/// Installs the server by the system's package manager, without a service that starts.
fn install() -> Result<(), String> {
    eprintln!("xtask: no PostgreSQL server found, installing it");
    let remedy = format!("install a PostgreSQL server, or set {} to a server's URL", crate::runner::POSTGRES_URL);
    let install = |apt, dnf, brew| system::install(&Packages { apt, dnf, brew }, &remedy);
    let server = || install(&["postgresql"], &["postgresql-server", "postgresql-contrib"], &["postgresql"]);
    if !has_apt() {
        return server();
    }
    // Debian's package makes a cluster and starts it, unless its configuration says otherwise.
    install(&["postgresql-common"], &[], &[])?;
    let configure = |script: &str| {
        let file = "/etc/postgresql-common/createcluster.d/assoc-private-server.conf";
        succeed(as_root("sh").args(["-ec", script, "sh", file]))
    };
    configure("mkdir -p \"$(dirname \"$1\")\"; echo 'create_main_cluster = false' > \"$1\"")?;
    let installed = server();
    configure("rm -f \"$1\"")?;
    installed
}
