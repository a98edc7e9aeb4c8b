//! Workspace tasks, run as `cargo xtask <task>`. Each task is a module with a `run` that answers the exit code.

use std::process::ExitCode;

mod bench;
mod crates;
mod db;
mod features;
mod guide;
mod layers;
mod mutants;
mod package;
mod report_cards;
mod runner;
mod server;
mod system;
mod system_libraries;
mod test;
mod workspace;

/// What a task answers: its exit code, or why it could not be carried out.
type Outcome = Result<ExitCode, String>;

const USAGE: &str = "\
Usage: cargo xtask <task>

  bench [<database>...] [--peers <name,...>] [--rounds <n>] [--gaps] [--scattered] [<workload>...]
                                    measure against SQL by hand: on sqlite (the default), mariadb, postgres, or all.
                                    A full run is kept in docs/benchmarks (docs/performance.md). Private servers are started.
                                    SeaORM, which takes long to compile, is a peer where PostgreSQL is measured, and with
                                    --peers all on all of them. --gaps leaves out one row in ten, --scattered inserts rows in a
                                    random order of their owners. Workloads are W1 to W11.
  bench --instructions [--bless] [<workload>...]
                                    count the instructions of each workload on SQLite by callgrind, and tell what changed
                                    by more than 2 % against benches/peers/baseline. --bless stores them there.
  bench --memory [<workload>...]    resident memory and allocations of each workload on SQLite.
  bench compile [--peers <name,...>] [--rounds <n>]
                                    processor time of compiling programs of assoc and Diesel (--peers all: and SeaORM): from
                                    nothing, all of 30 and 100 models, and after one of them was edited; and their crates.
  bench [mariadb] [postgres] --latency [--rounds <n>] [<workload or case>...]
                                    what distance costs: W1 to W10, page, saves (inserts, updates), transaction (transaction-3,
                                    transaction-20), insert_all and trees (tree-narrow, tree, tree-wide) through a proxy that
                                    delays by 0, 0.2, 1 and 5 ms there and back, with the turns that each took.
  bench [sqlite] [mariadb] --concurrency [--seconds <n>] [<mix>...]
                                    1 to 256 tasks at once: requests a second, how long they take, processors used. The
                                    mixes are gets, pages and mixed (80 % gets, 15 % pages, 5 % writes).
  db mysql [--server <where>] -- <command> [args...]
                                    run a command against a private MariaDB server: its URL is in ASSOC_MYSQL_URL.
                                    If that is set already, the command runs against the server it names.
                                    <where> is another server: the URL of one, a `mysqld` program, or the folder
                                    that MySQL was unpacked into.
  db postgres -- <command> [args...]
                                    the same with a private PostgreSQL server and ASSOC_POSTGRES_URL.
  db all -- <command> [args...]     the same with both.
  features                          makes docs/features.md of docs/features.in.md and the cases of the conformance suite;
                                    fails when a row has neither a case nor a reason.
  guide                             writes the SQL below the examples of docs/guide, which the examples record, and the copy of the
                                    chapters that assoc_repo's rustdoc shows (assoc-repo/guide).
  layers                            whether the imports of the core follow the order of its layers (docs/design/house.md).
  mutants [--all] [<fault>...]      plants faults in a driver and reports the first case of the conformance suite that
                                    fails for each (--all: every case), and which faults no case notices: on SQLite, and on
                                    MariaDB if ASSOC_MYSQL_URL is set. Without faults, all of them; on both databases the
                                    report is kept in conformance-tests/mutants.txt.
  package                           packages all crates, builds the template backend outside of the workspace from the
                                    packages, under other names, and runs the conformance suite on it.
  report-cards [--mysql <where>] [<card>...]
                                    runs the conformance suite on SQLite, MariaDB and PostgreSQL (and on the MySQL at
                                    <where> of `db`), each by its driver and through Diesel, and writes
                                    docs/report-cards and the badges of the README. With names, these cards only.
  test [--quick | --with-mysql <where>]
                                    everything that is checked before a change is accepted, with all tests on SQLite
                                    and on private MariaDB and PostgreSQL servers (or those of ASSOC_MYSQL_URL and
                                    ASSOC_POSTGRES_URL). --quick leaves out the servers, the packages, and whether the dependencies resolve beside those of other crates.
                                    --with-mysql runs the tests of MariaDB again on a real MySQL, at <where> of `db`.
";

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let task = args.next();
    let rest: Vec<String> = args.collect();
    let outcome = match task.as_deref() {
        Some("bench") => bench::run(&rest),
        Some("db") => db::run(&rest),
        Some("features") => features::run(&rest),
        Some("guide") => guide::run(&rest),
        Some("layers") => test::layers().map(ExitCode::from),
        Some("mutants") => mutants::run(&rest),
        Some("package") => package::run(&rest),
        Some("report-cards") => report_cards::run(&rest),
        Some("test") => test::run(&rest),
        Some("help" | "--help" | "-h") | None => {
            print!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        Some(other) => Err(format!("there is no task `{other}`\n\n{USAGE}")),
    };
    outcome.unwrap_or_else(|message| {
        eprintln!("xtask: {message}");
        ExitCode::from(2)
    })
}
