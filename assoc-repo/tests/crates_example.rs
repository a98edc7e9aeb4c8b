//! The example `crates`, run as a user runs it.

// Helpers of tests fail as tests do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use assoc_mysql::MySql;
use assoc_postgres::Postgres;
use assoc_repo::Repo;

/// Builds the example from the workspace's root, where the README says to run it, and says where the program is.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let build = Command::new(env!("CARGO"))
            .args(["build", "--example", "crates", "--message-format", "json-render-diagnostics"])
            .current_dir(root())
            .stderr(Stdio::inherit())
            .output()
            .expect("cargo runs");
        assert!(build.status.success(), "the example does not build");
        let messages = String::from_utf8(build.stdout).expect("cargo writes UTF-8");
        let built = messages.lines().find_map(|line| {
            let message: serde_json::Value = serde_json::from_str(line).ok()?;
            let of_example = message["target"]["name"] == "crates";
            message["executable"].as_str().filter(|_| of_example).map(PathBuf::from)
        });
        built.expect("cargo says where the example is")
    })
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace is above the crate")
}

/// Runs the example with a database in memory.
fn crates(arguments: &[&str]) -> Run {
    crates_reading(arguments, "")
}

fn crates_reading(arguments: &[&str], stdin: &str) -> Run {
    run(&[&["--database", "sqlite::memory:"], arguments].concat(), stdin)
}

fn run(arguments: &[&str], stdin: &str) -> Run {
    let mut command = Command::new(program());
    command.args(arguments).current_dir(root()).env("CARGO", env!("CARGO"));
    command.env("CRATES_TEST_URL", "oracle://ada:secret@localhost/crates");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the example starts");
    // It may have failed without reading.
    let _ = child.stdin.take().expect("stdin is piped").write_all(stdin.as_bytes());
    Run::of(child.wait_with_output().expect("the example ends"))
}

struct Run {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Run {
    fn of(output: Output) -> Run {
        let text = |bytes| String::from_utf8(bytes).expect("the example writes UTF-8");
        Run { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// The report, of a run that went well.
    #[track_caller]
    fn report(self) -> String {
        assert_eq!((self.code, self.err.as_str()), (Some(0), ""));
        self.out
    }

    /// The one line of a run that failed.
    #[track_caller]
    fn failure(self, code: i32) -> String {
        assert_eq!((self.code, self.out.as_str()), (Some(code), ""), "{}", self.err);
        let lines: Vec<&str> = self.err.lines().collect();
        let [line] = lines[..] else { panic!("one line, not: {}", self.err) };
        line.strip_prefix("error: ").expect("it begins with `error: `").to_owned()
    }
}

/// What `cargo metadata` would say of `count` packages, each of which needs the three before it in two ways.
/// `package-1` is there in two versions.
fn metadata(count: usize) -> String {
    let id = |number: usize| format!("registry+https://example.org#package-{number}@1.0.0");
    let mut packages = String::new();
    let mut nodes = String::new();
    for number in 0..count {
        let comma = if number == 0 { "" } else { "," };
        let (name, version) = if number == 2 { (1, "2.0.0") } else { (number, "1.0.0") };
        let own = id(number);
        let _ = write!(
            packages,
            r#"{comma}{{"id":"{own}","name":"package-{name}","version":"{version}","source":null,
                "license":"MIT/Apache-2.0","authors":["Ada <ada@example.org>","Author {number}"],
                "keywords":["graph","Graph","k{}"],"features":{{"default":["std"],"std":[]}},
                "targets":[{{"name":"lib","kind":["lib"]}}]}}"#,
            number % 7
        );
        let needed: Vec<String> = (number.saturating_sub(3)..number)
            .map(|other| {
                let ways = r#"[{"kind":null,"target":null},{"kind":"build","target":"cfg(unix)"}]"#;
                format!(r#"{{"name":"x","pkg":"{}","dep_kinds":{ways}}}"#, id(other))
            })
            .collect();
        let _ = write!(nodes, r#"{comma}{{"id":"{own}","deps":[{}],"features":["std"]}}"#, needed.join(","));
    }
    let last = id(count - 1);
    format!(r#"{{"packages":[{packages}],"workspace_members":["{last}"],"resolve":{{"nodes":[{nodes}]}}}}"#)
}

#[track_caller]
fn assert_has(report: &str, expected: &[&str]) {
    for expected in expected {
        assert!(report.contains(expected), "`{expected}` is missing in:\n{report}");
    }
}

#[test]
fn this_workspace() {
    let report = crates(&[]).report();
    assert_has(
        &report,
        &[
            "of them in the workspace",
            "\nMost depended on\n",
            "\nShared by most others\n",
            "\nSeveral versions of one package\n",
            "\nLicences\n",
            "\nKeywords\n",
            "\nAuthors\n",
            "\nMost features enabled\n",
            "  The graph (2 of 3 statements, ",
            "└─ dependencies: has_many Dependency [2]\n",
            "└─ required: belongs_to Package [3] not run: its rows were in memory\n",
            "└─ packages: has_many through Package [2, 3]\n",
            "  Packages by licence (3 statements, ",
            "error: association `Package.dependencies` is not loaded: add `Query::preload(Package::DEPENDENCIES)`",
        ],
    );
}

#[test]
fn a_manifest_by_path() {
    let report = crates(&["assoc-repo/Cargo.toml", "--tree", "assoc-repo", "--depth", "1"]).report();
    assert_has(&report, &["assoc-repo 0.1.0\n├── assoc-core 0.1.0\n│   └── …\n", "The tree (4 statements, 1 rows"]);
}

#[test]
fn six_hundred_packages() {
    let directory = tempfile::tempdir().unwrap();
    let (json, database) = (directory.path().join("metadata.json"), directory.path().join("crates.sqlite"));
    fs::write(&json, metadata(600)).unwrap();
    let (json, database) = (json.to_str().unwrap(), database.to_str().unwrap());
    let crates = |arguments: &[&str]| {
        let report = run(&[&["--database", database, "--metadata", json], arguments].concat(), "").report();
        // The tables are made anew by each run.
        assert!(Path::new(database).is_file());
        report
    };

    let report = crates(&["--top", "3"]);
    assert_has(
        &report,
        &[
            "600 packages, 1 of them in the workspace; 3588 dependencies\n\
             needed only to build others: 0; only for development: 0\n1200 features, 600 of them enabled\n",
            "targets: 600 lib\n",
            // Name, dependents, of these direct, dependencies.
            "  package-0 1.0.0         599         3          0\n",
            "  package-1 1.0.0         598         3          1\n",
            "  package-1 2.0.0         597         3          2\n",
            "needed by package-1 2.0.0, package-3 1.0.0, package-4 1.0.0\n",
            "  MIT         599  package-0, package-1, package-10, …\n",
            "  graph  599  ",
            "  Ada       599  ",
            "  … and 598 more\n",
            "  The graph (2 of 3 statements, 600 rows at the root, ",
        ],
    );

    let tree = crates(&["--tree", "package-599", "--depth", "2"]);
    let expected = "package-599 1.0.0\n├── package-596 1.0.0\n│   ├── package-593 1.0.0\n│   │   └── …\n";
    assert!(tree.starts_with(expected), "{tree}");
    assert_has(&tree, &["── package-596 1.0.0 [build] (*)\n", "The tree (6 statements, 1 rows"]);
    assert!(!tree.contains("package-595 1.0.0 (*)"), "what was cut is not above: {tree}");
    let both = crates(&["--tree", "package-1"]);
    assert_has(&both, &["package-1 1.0.0\n├── ", "\npackage-1 2.0.0\n├── "]);
    let one = crates(&["--tree", "package-1@2.0.0"]);
    assert!(one.starts_with("package-1 2.0.0\n├── package-0 1.0.0\n"), "{one}");
    let deep = crates(&["--tree", "package-599", "--depth", "32"]);
    assert_has(&deep, &["The tree (66 statements, 1 rows"]);
}

#[path = "crates_example/page.rs"]
mod page;
#[path = "crates_example/printed.rs"]
mod printed;
#[path = "crates_example/temporary.rs"]
mod temporary;

#[test]
fn the_sql_on_demand() {
    let shown = |arguments: &[&str]| {
        let report = crates_reading(&[&["--metadata", "-"], arguments].concat(), &metadata(5)).report();
        // The plan is there in any case.
        assert_has(&report, &["    Package [1]\n"]);
        report.contains("\n\n    [1] SELECT ")
    };
    for output in [&[][..], &["--tree", "package-4"], &["--why", "package-0"]] {
        assert!(!shown(output), "{output:?}");
        assert!(shown(&[output, &["--sql"]].concat()), "{output:?}");
    }
}

#[test]
fn who_needs_a_package() {
    let why = |arguments: &[&str]| {
        crates_reading(&[&["--metadata", "-", "--why"], arguments].concat(), &metadata(600)).report()
    };
    let both = why(&["package-1", "--depth", "1"]);
    let above = "├── package-3 1.0.0\n│   └── …\n├── package-4 1.0.0\n│   └── …\n";
    assert_has(&both, &[&format!("package-1 2.0.0\n{above}└── package-5 1.0.0\n    └── …\n\n")]);
    assert!(both.starts_with("package-1 1.0.0\n├── package-1 2.0.0\n│   └── …\n"), "{both}");
    let top = why(&["package-597"]);
    let expected = "package-597 1.0.0\n├── package-598 1.0.0\n│   └── package-599 1.0.0 (workspace)\n\
                    └── package-599 1.0.0 (workspace)\n\n";
    assert!(top.starts_with(expected), "{top}");
    // Thousands of ways lead up there; each package is one row of each level.
    let deep = why(&["package-0", "--depth", "32"]);
    assert_has(&deep, &["The tree (65 statements, 1 rows", " (*)\n"]);
}

mod mariadb {
    use super::*;

    /// A database of one's own on the server of `ASSOC_MYSQL_URL`.
    struct MySqlDatabase {
        server: String,
        name: String,
    }

    impl MySqlDatabase {
        fn new() -> Self {
            let url = std::env::var("ASSOC_MYSQL_URL").unwrap_or_default();
            assert!(!url.is_empty(), "ASSOC_MYSQL_URL is not set: run the tests with `cargo xtask test`");
            let database = MySqlDatabase { server: url, name: format!("assoc_crates_{}", std::process::id()) };
            database.execute(&format!("CREATE DATABASE `{}` CHARACTER SET utf8mb4", database.name));
            database
        }

        fn url(&self) -> String {
            let (address, parameters) = self.server.split_once('?').unwrap_or((&self.server, ""));
            // `mysql://user:password@host:port/database`
            let parts: Vec<&str> = address.splitn(4, '/').take(3).collect();
            format!("{}/{}?{parameters}", parts.join("/"), self.name)
        }

        fn execute(&self, sql: &str) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            let done = runtime.block_on(async {
                let repo = Repo::new(MySql::connect(&self.server).await?);
                repo.execute_raw(sql, []).await
            });
            done.expect("the server of ASSOC_MYSQL_URL lets databases be made");
        }
    }

    impl Drop for MySqlDatabase {
        fn drop(&mut self) {
            self.execute(&format!("DROP DATABASE `{}`", self.name));
        }
    }

    #[test]
    fn the_same_report() {
        let database = MySqlDatabase::new();
        the_same_report_on_a_server(&database.url());
    }
}

mod postgres {
    use super::*;

    /// A schema on the server of `ASSOC_POSTGRES_URL`.
    struct Schema {
        server: String,
        name: String,
    }

    impl Schema {
        fn new() -> Self {
            let url = std::env::var("ASSOC_POSTGRES_URL").unwrap_or_default();
            assert!(!url.is_empty(), "ASSOC_POSTGRES_URL is not set: run the tests with `cargo xtask test`");
            let schema = Schema { server: url, name: format!("assoc_crates_{}", std::process::id()) };
            schema.execute(&format!("CREATE SCHEMA {}", schema.name));
            schema
        }

        fn url(&self) -> String {
            let separator = if self.server.contains('?') { '&' } else { '?' };
            format!("{}{separator}options=-c%20search_path%3D{}", self.server, self.name)
        }

        fn execute(&self, sql: &str) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            let done = runtime.block_on(async {
                let repo = Repo::new(Postgres::connect(&self.server).await?);
                repo.execute_raw(sql, []).await
            });
            done.expect("the server of ASSOC_POSTGRES_URL lets schemas be made");
        }
    }

    impl Drop for Schema {
        fn drop(&mut self) {
            self.execute(&format!("DROP SCHEMA {} CASCADE", self.name));
        }
    }

    #[test]
    fn the_same_report() {
        let schema = Schema::new();
        the_same_report_on_a_server(&schema.url());
    }
}

/// The program's report on a database that others may use is the one on SQLite.
fn the_same_report_on_a_server(url: &str) {
    let json = tempfile::NamedTempFile::new().unwrap();
    fs::write(json.path(), metadata(600)).unwrap();
    let json = json.path().to_str().unwrap();
    // Up to where times and SQL are shown.
    let beginning = |report: String| {
        let end = report.find("\nWhat the preloads did").or_else(|| report.find("\n  The tree ("));
        report[..end.expect("it is shown what the preloads did")].to_owned()
    };
    // Twice: the tables are made anew by each run.
    for arguments in [&["--metadata", json][..], &["--metadata", json, "--tree", "package-599", "--depth", "3"]] {
        let expected = beginning(crates(arguments).report());
        assert!(expected.len() > 500, "{expected}");
        let mut command = Command::new(program());
        command.args(["--database", "env:CRATES_SERVER_URL"]).args(arguments).current_dir(root());
        let output = command.env("CRATES_SERVER_URL", url).output().unwrap();
        assert_eq!(beginning(Run::of(output).report()), expected);
    }
    at_once("env:CRATES_SERVER_URL", |arguments| {
        let mut command = Command::new(program());
        command.args(arguments).current_dir(root()).env("CRATES_SERVER_URL", url).output().unwrap()
    });
}

/// What several runs report that share a database and have different graphs.
fn at_once(database: &str, run: impl Fn(&[&str]) -> Output + Sync) {
    let directory = tempfile::tempdir().unwrap();
    let inputs: Vec<(String, String)> = [300, 310, 320, 330, 340, 350]
        .into_iter()
        .map(|count| {
            let json = directory.path().join(format!("{count}.json"));
            fs::write(&json, metadata(count)).unwrap();
            (json.to_str().unwrap().to_owned(), format!("{count} packages, 1 of them in the workspace;"))
        })
        .collect();
    std::thread::scope(|scope| {
        for (json, expected) in &inputs {
            let run = &run;
            scope.spawn(move || {
                let mut arguments = vec!["--metadata", json];
                if !database.is_empty() {
                    arguments.extend(["--database", database]);
                }
                let report = Run::of(run(&arguments)).report();
                assert!(report.starts_with(expected), "{report}");
                assert_has(&report, &["  The graph (2 of 3 statements, "]);
            });
        }
    });
}

#[test]
fn runs_at_the_same_time() {
    let plain = |arguments: &[&str]| Command::new(program()).args(arguments).current_dir(root()).output().unwrap();
    // Each has a temporary one.
    at_once("", plain);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("crates.sqlite");
    at_once(path.to_str().unwrap(), plain);
    at_once(&format!("sqlite://{}", path.display()), plain);
}

#[test]
fn an_empty_project() {
    let json = r#"{"packages":[],"workspace_members":[],"resolve":{"nodes":[]}}"#;
    let report = crates_reading(&["--metadata=-"], json).report();
    assert_has(&report, &["0 packages", "Several versions of one package\n===============================\n  none\n"]);
    let page = page::Page::of(json);
    assert_eq!(page.nodes.len(), 0);
    assert_has(&page.html, &["<h1>0 packages, 0 dependencies, 1 statements</h1>"]);
}

#[test]
fn a_circle_of_development_dependencies() {
    let json = r#"{"packages":[
            {"id":"a","name":"a","version":"1.0.0","source":null,"license":null},
            {"id":"b","name":"b","version":"1.0.0","source":null,"license":null}],
        "workspace_members":["a"],
        "resolve":{"nodes":[
            {"id":"a","deps":[{"name":"b","pkg":"b","dep_kinds":[{"kind":"dev","target":null}]}]},
            {"id":"b","deps":[{"name":"a","pkg":"a"}]}]}}"#;
    let report = crates_reading(&["--metadata", "-"], json).report();
    assert_has(&report, &["2 packages", "others: 0; only for development: 1\n", "  2 without a licence expression\n"]);
    let tree = crates_reading(&["--metadata", "-", "--tree", "a"], json).report();
    assert!(tree.starts_with("a 1.0.0\n└── b 1.0.0 [dev]\n    └── a 1.0.0 (*)\n\n"), "{tree}");
    for depth in ["4", "32"] {
        let why = crates_reading(&["--metadata", "-", "--why", "a", "--depth", depth], json).report();
        assert!(why.starts_with("a 1.0.0 (workspace)\n└── b 1.0.0\n    └── a 1.0.0 (workspace) (*)\n\n"), "{why}");
    }
    assert_eq!(page::Page::of(json).nodes.len(), 2);
}

#[test]
fn no_such_manifest() {
    assert_eq!(crates(&["/nowhere/Cargo.toml"]).failure(1), "no manifest at `/nowhere/Cargo.toml`");
}

#[test]
fn a_broken_manifest() {
    let directory = tempfile::tempdir().unwrap();
    let manifest = directory.path().join("Cargo.toml");
    fs::write(&manifest, "[package\nname = 1\n").unwrap();
    let line = crates(&[manifest.to_str().unwrap()]).failure(1);
    assert!(line.starts_with("cargo metadata failed: "), "{line}");
}

#[test]
fn no_cargo() {
    let output = Command::new(program()).env("CARGO", "/nowhere/cargo").current_dir(root()).output().unwrap();
    assert_eq!(Run::of(output).failure(1), "cargo not found (looked for `/nowhere/cargo`)");
}

#[test]
fn an_unknown_package() {
    let tree = |name: &str| crates_reading(&["--metadata", "-", "--tree", name], &metadata(5)).failure(1);
    assert_eq!(tree("package3"), "no package `package3` here; did you mean `package-3` or `package-0` or `package-1`?");
    assert_eq!(tree("serde"), "no package `serde` here");
    assert_eq!(tree("package-1@3.0.0"), "no version 3.0.0 of `package-1` here, only 1.0.0, 2.0.0");
    let why = crates_reading(&["--metadata", "-", "--why", "serde"], &metadata(5)).failure(1);
    assert_eq!(why, "no package `serde` here");
}

#[test]
fn what_is_no_metadata() {
    let refused = |json: &str| crates_reading(&["--metadata", "-"], json).failure(1);
    assert_eq!(
        refused("{"),
        "stdin: not the output of `cargo metadata`: EOF while parsing an object at line 1 column 1"
    );
    let missing = refused("{}");
    assert!(missing.contains("missing field `packages`"), "{missing}");
    let without_graph = refused(r#"{"packages":[],"workspace_members":[],"resolve":null}"#);
    assert_eq!(without_graph, "stdin: there is no dependency graph in it: leave out `--no-deps`");
    let dangling = refused(r#"{"packages":[],"workspace_members":[],"resolve":{"nodes":[{"id":"ghost"}]}}"#);
    assert_eq!(dangling, "stdin: package `ghost` is referred to, but not there");
    let unreadable = crates(&["--metadata", "/nowhere.json"]).failure(1);
    assert!(unreadable.starts_with("cannot read `/nowhere.json`: "), "{unreadable}");
}

#[test]
fn databases_that_cannot_be_used() {
    let refused = |database: &str| run(&["--metadata", "-", "--database", database], &metadata(5)).failure(1);
    let no_driver = "no driver for `oracle:` URLs in this program; it knows `sqlite:`, `mysql:` and `postgres:`";
    assert_eq!(refused("oracle://ada:secret@localhost/crates"), no_driver);
    assert_eq!(refused("env:CRATES_TEST_URL"), no_driver);
    // Nobody listens there.
    let unreachable = refused("mysql://ada:secret@127.0.0.1:1/crates");
    assert!(unreachable.contains("no connection") && !unreachable.contains("secret"), "{unreachable}");
    let unset = refused("env:CRATES_TEST_NOT_SET");
    assert_eq!(unset, "environment variable `CRATES_TEST_NOT_SET`: environment variable not found");
    let missing = refused("/nowhere/crates.sqlite");
    assert!(missing.contains("cannot open `/nowhere/crates.sqlite`"), "{missing}");
    // A file of another program stays as it is.
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), "a letter, not a database").unwrap();
    refused(file.path().to_str().unwrap());
    assert_eq!(fs::read_to_string(file.path()).unwrap(), "a letter, not a database");
}

#[test]
fn help_and_usage() {
    let help = crates(&["--help"]).report();
    assert_has(&help, &["--keep ", "--color WHEN "]);
    assert_has(&help, &["Usage: cargo run --example crates", "--tree NAME", "--metadata FILE", "--database WHERE"]);
    assert_has(&help, &["--why NAME", "--html FILE", "--sql "]);
    let two = crates(&["--tree", "a", "--html", "b"]).failure(2);
    assert_eq!(two, "one of `--tree`, `--why` and `--html` at a time (see --help)");
    assert_eq!(crates(&["--bogus"]).failure(2), "unknown option `--bogus` (see --help)");
    assert_eq!(crates(&["--tree"]).failure(2), "`--tree` needs a value (see --help)");
    assert_eq!(crates(&["--top", "0"]).failure(2), "`--top` takes a number from 1 to 1000000, not `0` (see --help)");
    assert_eq!(
        crates(&["--color", "blue"]).failure(2),
        "`--color` takes `always`, `never` or `auto`, not `blue` (see --help)"
    );
    assert_eq!(
        crates(&["--keep"]).failure(2),
        "`--keep` is for a temporary database; that of `--database` stays (see --help)"
    );
    assert_eq!(crates(&["a", "b"]).failure(2), "one manifest at a time: `a` or `b` (see --help)");
}

#[test]
fn a_reader_that_goes_away() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), metadata(600)).unwrap();
    let mut command = Command::new(program());
    command.args(["--database", "sqlite::memory:", "--top", "100000", "--metadata"]).arg(file.path());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(Run::of(child.wait_with_output().unwrap()).report(), "");
}
