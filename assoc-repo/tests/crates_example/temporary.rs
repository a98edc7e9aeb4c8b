//! Where the database is, if the command line names none.

use super::*;

/// A run with a folder for temporary files, and what is in the folder afterwards.
fn run_in(folder: &Path, arguments: &[&str]) -> (Run, Vec<PathBuf>) {
    let json = tempfile::NamedTempFile::new().unwrap();
    fs::write(json.path(), metadata(20)).unwrap();
    let mut command = Command::new(program());
    command.arg("--metadata").arg(json.path()).args(arguments).current_dir(root());
    let output = command.env("TMPDIR", folder).env("TMP", folder).output().unwrap();
    (Run::of(output), left(folder))
}

fn left(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[track_caller]
fn last_line(report: &str) -> &str {
    report.lines().next_back().and_then(|line| line.strip_prefix("Database: ")).expect("it says where the database is")
}

#[test]
fn is_removed() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&[][..], &["--tree", "package-19"], &["--why", "package-0"]] {
        let (run, left) = run_in(folder.path(), arguments);
        assert_eq!(last_line(&run.report()), "a temporary file (--keep keeps it)");
        assert!(left.is_empty(), "{left:?}");
    }
    // Of a run that fails as well, also if it would have been kept.
    for arguments in [&["--tree", "serde"][..], &["--tree", "serde", "--keep"]] {
        let (run, left) = run_in(folder.path(), arguments);
        assert_eq!(run.failure(1), "no package `serde` here");
        assert!(left.is_empty(), "{left:?}");
    }
}

#[test]
fn is_kept_on_request() {
    let folder = tempfile::tempdir().unwrap();
    let (run, left) = run_in(folder.path(), &["--keep"]);
    let report = run.report();
    let database = last_line(&report);
    assert!(left.len() == 1 && Path::new(database).starts_with(&left[0]), "{database} in {left:?}");
    // It is a database like any other: the next run makes its tables anew.
    for _ in 0..2 {
        let (run, _) = run_in(folder.path(), &["--database", database, "--tree", "package-5"]);
        let tree = run.report();
        assert_eq!(last_line(&tree), database);
        assert!(report.starts_with("20 packages, 1 of them in the workspace; 108 dependencies\n"), "{report}");
    }
}

#[cfg(unix)]
#[test]
fn is_removed_by_an_interrupt() {
    let folder = tempfile::tempdir().unwrap();
    let json = tempfile::NamedTempFile::new().unwrap();
    fs::write(json.path(), metadata(2_000)).unwrap();
    let mut command = Command::new(program());
    command
        .arg("--metadata")
        .arg(json.path())
        .env("TMPDIR", folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    while left(folder.path()).is_empty() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    let signal = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(signal.success());
    let run = Run::of(child.wait_with_output().unwrap());
    assert_eq!((run.code, run.err.as_str()), (Some(130), ""), "{}", run.out);
    assert!(left(folder.path()).is_empty());
}
