//! `cargo xtask test`: everything that is checked before a change is accepted, in order, up to the first failure.

use std::fs;
use std::process::{Command, ExitCode};
use std::time::Instant;

use crate::package::Outside;
use crate::runner::{MYSQL_URL, POSTGRES_URL, Runner};
use crate::system::megabytes_left;
use crate::system_libraries::LIBRARIES;
use crate::workspace::{cargo, root, target};
use crate::{Outcome, crates, layers};

const USAGE: &str = "usage: cargo xtask test [--quick | --with-mysql <url, program or folder>]";

/// The combinations of features that one might forget: the all-or-nothing builds are part of the other stages.
const FEATURES: &[&[&str]] = &[
    &["-p", "assoc-core"],
    &["-p", "assoc-core", "--features", "serde"],
    &["-p", "assoc-core", "--features", "chrono"],
    &["-p", "assoc-core", "--features", "jiff"],
    &["-p", "assoc-core", "--features", "rust_decimal"],
    &["-p", "assoc-core", "--features", "serde_json"],
    &["-p", "assoc-core", "--features", "time"],
    &["-p", "assoc-core", "--features", "uuid"],
    &["-p", "assoc-sqlite", "--no-default-features", "--features", "bundled"],
    &["-p", "assoc-diesel"],
    &["-p", "assoc-diesel", "--features", "r2d2"],
    &["-p", "assoc-diesel", "--no-default-features", "--features", "postgres,r2d2"],
    &["-p", "assoc-diesel", "--no-default-features", "--features", "mysql,r2d2"],
    &["-p", "assoc-mysql"],
    &["-p", "assoc-repo"],
    &["-p", "assoc-repo", "--features", "sqlite"],
    &["-p", "assoc-repo", "--features", "mysql"],
    &["-p", "assoc-postgres"],
    &["-p", "assoc-repo", "--features", "postgres"],
];

/// The tests that need a server: those in modules of these names. Those of [`DRIVERS`] are left out as a whole.
const NEEDS_SERVER: [&str; 2] = ["mariadb::", "postgres::"];

/// The drivers whose tests need their servers.
const DRIVERS: [&str; 2] = ["assoc-mysql", "assoc-postgres"];

/// The megabytes of a disk below which a failed build may have failed for want of them.
const SCARCE: u64 = 2_000;

/// Programs that our SQLite driver has to resolve beside.
const PEERS: &[(&str, &str)] =
    &[("Diesel 2.3", include_str!("../resolve/diesel.toml")), ("sqlx 0.9", include_str!("../resolve/sqlx.toml"))];

/// Runs `test [--quick | --with-mysql <where>]`.
pub(crate) fn run(args: &[String]) -> Outcome {
    let (quick, mysql) = match args {
        [] => (false, None),
        [only] if only == "--quick" => (true, None),
        [option, place] if option == "--with-mysql" => (false, Some(place.as_str())),
        _ => return Err(USAGE.to_owned()),
    };
    let mut gate = Gate { runner: Runner::new()?, counts: Counts::default(), stage: None };
    let code = gate.all(quick, mysql)?;
    gate.end_stage();
    let counts = &gate.counts;
    if code != 0 {
        println!("\nfailed: the stages after this one did not run");
        // A linker that finds the disk full dies of a bus error, which names no reason.
        if let Some(left) = megabytes_left(&target()).filter(|left| *left < SCARCE) {
            println!("the disk has {left} MB left: that may be the reason");
        }
    }
    if code != 0 && *counts == Counts::default() {
        println!("no test has run");
    } else if quick {
        println!("\nquick, so neither the servers, nor the packages, nor the dependencies of others: {counts}");
    } else {
        println!("\n{counts}");
    }
    Ok(ExitCode::from(code))
}

struct Gate {
    runner: Runner,
    counts: Counts,
    stage: Option<Instant>,
}

impl Gate {
    /// The exit code of the first command that fails, or 0.
    fn all(&mut self, quick: bool, mysql: Option<&str>) -> Result<u8, String> {
        for library in &LIBRARIES {
            library.provide()?;
        }
        self.stage("Formatting");
        let mut code = self.runner.run(cargo().args(["fmt", "--all", "--check"]))?;
        if code == 0 {
            self.stage("Layers");
            code = layers()?;
        }
        if code == 0 {
            self.stage("Lints");
            let lints = ["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"];
            code = self.runner.run(cargo().args(lints))?;
        }
        if code == 0 {
            self.stage("Documentation");
            let doc = ["doc", "--workspace", "--no-deps", "--all-features"];
            code = self.runner.run(cargo().args(doc).env("RUSTDOCFLAGS", "-D warnings"))?;
        }
        if code == 0 {
            self.stage("Features");
            code = self.features()?;
        }
        if code == 0 {
            self.stage("Oldest compiler");
            code = self.oldest_compiler()?;
        }
        if code == 0 && !quick {
            self.stage("Dependencies of others");
            for (peer, manifest) in PEERS {
                if code == 0 {
                    code = self.resolves(peer, manifest)?;
                }
            }
            // A test of this package fails when there are more.
            println!("  core, repo and SQLite: {} crates, {} at most", crates::of_a_user()?.len(), crates::AT_MOST);
        }
        if code == 0 {
            self.stage(if quick { "Tests on SQLite" } else { "Tests on SQLite, MariaDB and PostgreSQL" });
            code = self.tests(quick)?;
        }
        if code == 0 {
            self.stage("Examples in the documentation");
            code = self.test(cargo().args(["test", "--workspace", "--all-features", "--no-fail-fast", "--doc"]))?;
        }
        if code == 0 && !quick {
            self.stage("Packages, and the template backend built from them");
            let outside = Outside::new();
            code = outside.unpacked(&self.runner)?;
            for mut test in outside.tests() {
                if code == 0 {
                    code = self.test(&mut test)?;
                }
            }
        }
        if let (0, Some(place)) = (code, mysql) {
            self.stage("Tests on MySQL");
            self.runner.change_mysql(place)?;
            let mut test = cargo();
            test.args([
                "test",
                "--package",
                "assoc-mysql",
                "--package",
                "conformance-tests",
                "--package",
                "assoc-repo",
            ]);
            test.args(["--all-features", "--no-fail-fast", "--lib", "--tests", "--", "--skip", "postgres::"]);
            code = self.test(&mut test)?;
        }
        if code == 0 && mysql.is_some() {
            self.stage("The driver on MySQL over TLS");
            self.runner.require_tls();
            let mut test = cargo();
            // The system's TLS, which needs no further compiler. MySQL makes a certificate when it is set up.
            test.args([
                "test",
                "--package",
                "assoc-mysql",
                "--features",
                "mysql_async/native-tls-tls",
                "--no-fail-fast",
            ]);
            code = self.test(test.args(["--test", "mysql"]))?;
        }
        Ok(code)
    }

    fn features(&mut self) -> Result<u8, String> {
        for features in FEATURES {
            println!("  cargo check {}", features.join(" "));
            let code = self.runner.run(cargo().arg("check").arg("--quiet").args(*features))?;
            if code != 0 {
                return Ok(code);
            }
        }
        // What `Repo::connect` says without drivers cannot be seen where all features are on.
        self.test(cargo().args(["test", "--package", "assoc-repo", "--test", "connect"]))
    }

    fn oldest_compiler(&mut self) -> Result<u8, String> {
        let manifest = root().join("Cargo.toml");
        let manifest = fs::read_to_string(&manifest).map_err(|error| format!("{}: {error}", manifest.display()))?;
        let version = manifest.lines().find_map(|line| line.strip_prefix("rust-version = "));
        let toolchain = format!("+{}", version.ok_or("the workspace has no rust-version")?.trim_matches('"'));
        let there = Command::new("cargo").args([&toolchain, "--version"]).output();
        if !there.is_ok_and(|output| output.status.success()) {
            println!("cargo {toolchain} is not installed: relying on clippy's incompatible_msrv");
            return Ok(0);
        }
        // In a folder of its own, so that the two compilers do not undo each other's work.
        let folder = target().join("msrv");
        let check = [&toolchain, "check", "--workspace", "--all-features"];
        self.runner.run(Command::new("cargo").args(check).env("CARGO_TARGET_DIR", folder))
    }

    /// Resolves a program's dependencies, without building or even downloading them.
    fn resolves(&mut self, peer: &str, manifest: &str) -> Result<u8, String> {
        let folder = std::env::temp_dir().join(format!("assoc-resolve-{}", std::process::id()));
        let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
        let workspace = root().display().to_string().replace('\\', "/");
        fs::create_dir_all(&folder).map_err(failed)?;
        let written = fs::write(folder.join("Cargo.toml"), manifest.replace("{workspace}", &workspace))
            .and_then(|()| fs::write(folder.join("lib.rs"), ""));
        let code = written
            .map_err(failed)
            .and_then(|()| self.runner.run(cargo().args(["generate-lockfile", "--quiet"]).current_dir(&folder)));
        let lock = fs::read_to_string(folder.join("Cargo.lock")).unwrap_or_default();
        let _ = fs::remove_dir_all(&folder);
        if let Ok(0) = code {
            let (ours, linked) = (versions(&lock, "rusqlite"), versions(&lock, "libsqlite3-sys"));
            println!("  {peer}: rusqlite {}, libsqlite3-sys {}", ours.join(", "), linked.join(", "));
            if linked.len() != 1 {
                return Err(format!("{peer}: one libsqlite3-sys was expected"));
            }
        }
        code
    }

    fn tests(&mut self, quick: bool) -> Result<u8, String> {
        let mut test = cargo();
        test.args(["test", "--workspace", "--all-features", "--no-fail-fast"]);
        test.args(["--lib", "--bins", "--tests", "--examples"]);
        if !quick {
            self.runner.start_mysql()?;
            self.runner.start_postgres()?;
            return self.test(&mut test);
        }
        // No test that needs the server may find one by chance: those outside of such modules fail and say what to do.
        test.env(MYSQL_URL, "").env(POSTGRES_URL, "");
        test.args(DRIVERS.iter().flat_map(|driver| ["--exclude", driver])).arg("--");
        test.args(NEEDS_SERVER.iter().flat_map(|module| ["--skip", module]));
        let code = self.test(&mut test)?;
        if code != 0 {
            return Ok(code);
        }
        // All of their other tests need the servers.
        let mut drivers = cargo();
        drivers.arg("test").args(DRIVERS.iter().flat_map(|driver| ["--package", driver]));
        self.test(drivers.args(["--all-features", "--lib"]))
    }

    /// Runs a test command and adds up what it counts.
    fn test(&mut self, command: &mut Command) -> Result<u8, String> {
        let counts = &mut self.counts;
        self.runner.run_reading(command, |line| counts.add(line))
    }

    fn stage(&mut self, title: &str) {
        self.end_stage();
        println!("\n=== {title}");
        self.stage = Some(Instant::now());
    }

    fn end_stage(&mut self) {
        if let Some(began) = self.stage.take() {
            println!("=== {:.0} s", began.elapsed().as_secs_f64());
        }
    }
}

/// Whether every import of the core follows the order of its layers.
pub(crate) fn layers() -> Result<u8, String> {
    let found = layers::violations(&root().join("assoc-core/src"), &root().join("docs/design/house.md"))?;
    for violation in &found {
        println!("{violation}");
    }
    Ok(u8::from(!found.is_empty()))
}

/// The versions of a package in a lock file.
fn versions<'l>(lock: &'l str, package: &str) -> Vec<&'l str> {
    let name = format!("name = \"{package}\"");
    let mut versions = Vec::new();
    let mut lines = lock.lines();
    while let Some(line) = lines.next() {
        if line == name {
            versions.extend(lines.next().and_then(|line| line.strip_prefix("version = \"")?.strip_suffix('"')));
        }
    }
    versions
}

/// What test programs have counted.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    passed: u64,
    failed: u64,
    skipped: u64,
}

impl Counts {
    /// Adds a line like `test result: ok. 14 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 1 s`.
    fn add(&mut self, line: &str) {
        let Some(result) = line.strip_prefix("test result: ") else { return };
        let Some((_, counts)) = result.split_once(". ") else { return };
        for part in counts.split("; ") {
            let Some((number, what)) = part.split_once(' ') else { continue };
            let Ok(number) = number.parse::<u64>() else { continue };
            match what {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" | "filtered out" => self.skipped += number,
                _ => {}
            }
        }
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_added_up() {
        let mut counts = Counts::default();
        for line in [
            "running 3 tests",
            "test result: ok. 14 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.10s",
            "test result: FAILED. 2 passed; 3 failed; 0 ignored; 0 measured; 4 filtered out; finished in 0.00s",
            "test test result: ok. 1 passed ... ok",
        ] {
            counts.add(line);
        }
        assert_eq!(counts, Counts { passed: 16, failed: 3, skipped: 5 });
        assert_eq!(counts.to_string(), "16 passed, 3 failed, 5 skipped");
    }

    #[test]
    fn what_a_disk_has_left() {
        assert!(megabytes_left(root()).is_some() || !cfg!(unix), "df is on every Unix");
        assert_eq!(megabytes_left(&root().join("no such folder")), None);
    }

    #[test]
    fn versions_of_a_lock_file() {
        let lock = "[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n\n[[package]]\nname = \"a\"\nversion = \"2.0.0\"\n\n\
                    [[package]]\nname = \"ab\"\nversion = \"3.0.0\"\n";
        assert_eq!(versions(lock, "a"), ["1.0.0", "2.0.0"]);
        assert_eq!(versions(lock, "b"), Vec::<&str>::new());
    }
}
