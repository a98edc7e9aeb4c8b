//! What the system has: its programs, its accounts, its packages.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a thing is called by the package managers that are known here. An empty list: the system has it without a package.
pub(crate) struct Packages {
    pub(crate) apt: &'static [&'static str],
    pub(crate) dnf: &'static [&'static str],
    pub(crate) brew: &'static [&'static str],
}

/// Installs packages by the system's package manager. Where none is known, the error is `remedy`.
pub(crate) fn install(packages: &Packages, remedy: &str) -> Result<(), String> {
    if has_apt() {
        let apt = |args: &[&str]| {
            let mut command = as_root("apt-get");
            command.args(args).env("DEBIAN_FRONTEND", "noninteractive");
            command
        };
        let bare = [&["install", "-y", "--no-install-recommends"], packages.apt].concat();
        if succeed(&mut apt(&bare)).is_ok() {
            return Ok(());
        }
        succeed(&mut apt(&["update"]))?;
        return succeed(&mut apt(&bare));
    }
    if find(&["dnf"]).is_some() {
        return succeed(as_root("dnf").args(["install", "-y"]).args(packages.dnf));
    }
    if find(&["brew"]).is_some() {
        return succeed(Command::new("brew").arg("install").args(packages.brew));
    }
    Err(format!("no package manager is known here: {remedy}"))
}

/// Whether the system's packages are Debian's.
pub(crate) fn has_apt() -> bool {
    find(&["apt-get"]).is_some()
}

/// Finds a program on PATH or where Debian and Homebrew keep servers.
pub(crate) fn find(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let more =
        ["/usr/sbin", "/usr/local/sbin", "/usr/libexec", "/opt/homebrew/bin", "/usr/local/bin"].map(PathBuf::from);
    let folders: Vec<PathBuf> = std::env::split_paths(&path).chain(more).collect();
    names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name))).find(|program| program.is_file())
}

/// A command that runs as root, if this process may choose.
pub(crate) fn as_root(program: &str) -> Command {
    if is_root() || find(&["sudo"]).is_none() {
        return Command::new(program);
    }
    let mut command = Command::new("sudo");
    command.args(["--preserve-env=DEBIAN_FRONTEND", program]);
    command
}

/// Whether this process is root's.
pub(crate) fn is_root() -> bool {
    output(Command::new("id").arg("-u")).is_some_and(|id| id.trim() == "0")
}

/// How much is left on the disk of a folder, if the system says so.
pub(crate) fn megabytes_left(folder: &Path) -> Option<u64> {
    // The second line has the disk's name, its size, what is used and what is left, in kilobytes.
    let said = output(Command::new("df").arg("-Pk").arg(folder))?;
    let kilobytes: u64 = said.lines().nth(1)?.split_whitespace().nth(3)?.parse().ok()?;
    Some(kilobytes / 1024)
}

/// What a command answers, if it succeeds.
pub(crate) fn output(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs a command quietly; if it fails, what it said is the error.
pub(crate) fn succeed(command: &mut Command) -> Result<(), String> {
    let shown = format!("{command:?}");
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{shown}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(format!("{shown} failed ({}):\n{}", output.status, String::from_utf8_lossy(&said)))
}
