//! Every case on every backend of the workspace. This test owns the goldens: it is what writes them, through `insta`.

// Helpers fail a test by panicking.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::panic::{AssertUnwindSafe, catch_unwind};

use assoc_core::dialect::NullOrder;
use backends::{MariaDb, PostgreSql, SqliteFile};
use conformance_tests::{Backend, Level, Outcome, Transcript, all, execute, golden};
use rstest::rstest;

mod backends;

mod sqlite {
    use super::*;

    #[rstest]
    fn suite(
        #[values(Level::Driver, Level::Read, Level::Kind, Level::Write, Level::Collection, Level::Transaction)]
        level: Level,
    ) {
        judge(&SqliteFile, level);
    }
}

mod mariadb {
    use super::*;

    #[rstest]
    fn suite(
        #[values(Level::Driver, Level::Read, Level::Kind, Level::Write, Level::Collection, Level::Transaction)]
        level: Level,
    ) {
        judge(&MariaDb, level);
    }
}

mod postgres {
    use super::*;

    #[rstest]
    fn suite(
        #[values(Level::Driver, Level::Read, Level::Kind, Level::Write, Level::Collection, Level::Transaction)]
        level: Level,
    ) {
        judge(&PostgreSql, level);
    }
}

fn judge(backend: &dyn Backend, level: Level) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut failed = Vec::new();
    let (mut passed, mut skipped) = (0, 0);
    for case in all().filter(|case| case.level == level) {
        let transcript = match runtime.block_on(execute(backend, case)) {
            Ok(Outcome::Ran(transcript)) => transcript,
            Ok(Outcome::Skipped(lacking)) => {
                println!("skipped {}: no {lacking}", case.id);
                skipped += 1;
                continue;
            }
            Err(error) => {
                println!("{}: {error}", case.id);
                failed.push(case.id);
                continue;
            }
        };
        let compared = catch_unwind(AssertUnwindSafe(|| {
            compare_behaviour(case.id, &transcript);
            compare_sql(backend.name(), case.id, &transcript.sql);
        }));
        match compared {
            Ok(()) => passed += 1,
            Err(_) => failed.push(case.id),
        }
    }
    println!("{} {}: {passed} passed, {} failed, {skipped} skipped", backend.name(), level.name(), failed.len());
    assert!(failed.is_empty(), "{} failed on {failed:?}", backend.name());
}

// Where `NULL` is the largest value some cases have goldens of their own, and no case that is the same.
fn compare_behaviour(case: &str, transcript: &Transcript) {
    let text = &transcript.behaviour;
    let base = golden::behaviour(case, NullOrder::Smallest);
    if transcript.nulls == NullOrder::Smallest || base.is_none_or(|base| base == text.trim_end()) {
        let own = golden::sql(&golden::folder().join(golden::NULLS_LAST), case);
        assert!(
            transcript.nulls == NullOrder::Smallest || own.is_none(),
            "goldens/{}/{case}.snap is to be removed: it says the same as the other",
            golden::NULLS_LAST
        );
        return compare("behaviour", case, text);
    }
    compare(golden::NULLS_LAST, case, text);
}

// What equals the golden of another backend has none of this one.
fn compare_sql(backend: &str, case: &str, text: &str) {
    let base = golden::base(backend).and_then(|base| golden::sql(&golden::folder().join(base), case));
    if base.as_deref() == Some(text.trim_end()) {
        assert!(
            golden::sql(&golden::folder().join(backend), case).is_none(),
            "goldens/{backend}/{case}.snap is to be removed: the golden that it differed from is the same now"
        );
        return;
    }
    compare(backend, case, text);
}

fn compare(folder: &str, case: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(golden::folder().join(folder));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(case, text));
}

#[test]
fn every_golden_has_its_case() {
    for folder in std::fs::read_dir(golden::folder()).unwrap() {
        for file in std::fs::read_dir(folder.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let known = all().any(|case| case.id == name);
            assert!(known, "{} belongs to no case", path.display());
        }
    }
}

#[test]
fn case_names_are_unique() {
    let mut names: Vec<_> = all().map(|case| case.id).collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
}
