//! The program on Diesel's connections, run as a user runs it.

// Helpers of tests fail as tests do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::process::Command;
use std::sync::OnceLock;

use tempfile::NamedTempFile;

/// This workspace's dependency graph, in a file.
fn metadata() -> &'static (NamedTempFile, usize) {
    static METADATA: OnceLock<(NamedTempFile, usize)> = OnceLock::new();
    METADATA.get_or_init(|| {
        let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        let mut cargo = Command::new(env!("CARGO"));
        let output = cargo.args(["metadata", "--format-version", "1", "--manifest-path", manifest]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let graph: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let file = NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &output.stdout).unwrap();
        (file, graph["packages"].as_array().unwrap().len())
    })
}

/// What the program reports on a database, up to where times and SQL are shown.
fn report(database: &str) -> String {
    let mut program = Command::new(env!("CARGO_BIN_EXE_crates-on-diesel"));
    program.args(["--database", database, "--metadata"]).arg(metadata().0.path());
    let output = program.output().unwrap();
    let (report, errors) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{errors}");
    report.split("\nWhat the preloads did").next().unwrap_or_default().to_owned()
}

#[test]
fn sqlite_in_memory_and_in_a_file() {
    let in_memory = report("sqlite::memory:");
    assert!(in_memory.contains(&format!("{} packages", metadata().1)), "{in_memory}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("crates.sqlite");
    for _ in 0..2 {
        assert_eq!(report(path.to_str().unwrap()), in_memory);
        assert_eq!(report(&format!("sqlite:{}", path.display())), in_memory);
    }
}

#[test]
fn what_is_wrong_is_one_line() {
    for (database, message) in [
        ("oracle://ada:secret@localhost/crates", "without a driver for `oracle:` URLs"),
        ("env:CRATES_NO_SUCH_VARIABLE", "environment variable `CRATES_NO_SUCH_VARIABLE`"),
    ] {
        let program = Command::new(env!("CARGO_BIN_EXE_crates-on-diesel")).args(["--database", database]).output();
        let errors = String::from_utf8(program.unwrap().stderr).unwrap();
        assert!(errors.contains(message) && errors.lines().count() == 1 && !errors.contains("secret"), "{errors}");
    }
}

#[cfg(feature = "mysql")]
mod mariadb {
    use super::*;
    use assoc_diesel::diesel::connection::{Connection, SimpleConnection};
    use assoc_diesel::diesel::mysql::MysqlConnection;

    #[test]
    fn the_same_report() {
        let server = std::env::var("ASSOC_MYSQL_URL").expect("run the tests with `cargo xtask test`");
        let mut connection = MysqlConnection::establish(&server).unwrap();
        let name = format!("assoc_crates_on_diesel_{}", std::process::id());
        connection.batch_execute(&format!("CREATE DATABASE {name} CHARACTER SET utf8mb4")).unwrap();
        // `mysql://user:password@host:port/database`
        let (address, parameters) = server.split_once('?').unwrap_or((&server, ""));
        let parts: Vec<&str> = address.splitn(4, '/').take(3).collect();
        let url = format!("{}/{name}?{parameters}", parts.join("/"));
        let reported = std::panic::catch_unwind(|| report(url.trim_end_matches('?')));
        connection.batch_execute(&format!("DROP DATABASE {name}")).unwrap();
        // The counts: names are sorted by another collation there.
        let counts = |report: String| report.split("\n\n").next().map(str::to_owned);
        assert_eq!(counts(reported.unwrap()), counts(report("sqlite::memory:")));
    }
}

#[cfg(feature = "postgres")]
mod postgres {
    use super::*;
    use assoc_diesel::diesel::connection::{Connection, SimpleConnection};
    use assoc_diesel::diesel::pg::PgConnection;

    #[test]
    fn the_same_report() {
        let server = std::env::var("ASSOC_POSTGRES_URL").expect("run the tests with `cargo xtask test`");
        let mut connection = PgConnection::establish(&server).unwrap();
        let name = format!("assoc_crates_on_diesel_{}", std::process::id());
        connection.batch_execute(&format!("CREATE SCHEMA {name}")).unwrap();
        let separator = if server.contains('?') { '&' } else { '?' };
        let url = format!("{server}{separator}options=-csearch_path%3D{name}");
        let reported = std::panic::catch_unwind(|| report(&url));
        connection.batch_execute(&format!("DROP SCHEMA {name} CASCADE")).unwrap();
        assert_eq!(reported.unwrap(), report("sqlite::memory:"));
    }
}
