//! The goldens that ship with this crate, read for comparison. They are written only inside the workspace, by the
//! snapshot test that owns them.

use std::path::{Path, PathBuf};

use assoc_core::dialect::NullOrder;

/// Where the goldens lie.
#[must_use]
pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("goldens")
}

/// The behaviour golden of a case, if there is one, for a database that puts `NULL`s here in an order.
#[must_use]
pub fn behaviour(case: &str, nulls: NullOrder) -> Option<String> {
    let of = |folder_of: &str| read(folder().join(folder_of).join(format!("{case}.snap")));
    let nulls_last = if nulls == NullOrder::Largest { of(NULLS_LAST) } else { None };
    nulls_last.or_else(|| of("behaviour"))
}

/// The folder with the behaviour of the cases that differ where `NULL` is the largest value.
pub const NULLS_LAST: &str = "behaviour-nulls-last";

/// The SQL overlay of a case in a backend's folder, if there is one.
#[must_use]
pub fn sql(overlay: &Path, case: &str) -> Option<String> {
    read(overlay.join(format!("{case}.snap")))
}

/// The SQL golden of a case that ships with this crate, for a backend of the workspace.
#[must_use]
pub fn shipped(backend: &str, case: &str) -> Option<String> {
    sql(&folder().join(backend), case).or_else(|| sql(&folder().join(base(backend)?), case))
}

/// The backend whose goldens hold for this one as well, where it has none. MySQL's are kept where they differ from
/// MariaDB's.
#[must_use]
pub fn base(backend: &str) -> Option<&'static str> {
    (backend == "mysql").then_some("mariadb")
}

/// Records the SQL of a case. What is accepted already stays: beside it comes `….snap.new`, for `cargo insta review`.
///
/// # Errors
/// When the file cannot be written.
pub fn record(overlay: &Path, case: &str, sql: &str) -> std::io::Result<()> {
    std::fs::create_dir_all(overlay)?;
    let accepted = overlay.join(format!("{case}.snap"));
    let path = if accepted.exists() { overlay.join(format!("{case}.snap.new")) } else { accepted };
    std::fs::write(path, format!("---\nsource: conformance-tests\n---\n{}\n", sql.trim_end()))
}

fn read(path: PathBuf) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?.replace("\r\n", "\n");
    // A snapshot file is a header between two lines of dashes, then the text.
    let (_, rest) = text.strip_prefix("---\n")?.split_once("\n---\n")?;
    Some(rest.trim_end().to_owned())
}

/// The lines in which two texts differ, for a report.
#[must_use]
pub fn difference(golden: &str, found: &str) -> String {
    let (golden, found): (Vec<&str>, Vec<&str>) =
        (golden.trim_end().lines().collect(), found.trim_end().lines().collect());
    let mut out = String::new();
    for at in 0..golden.len().max(found.len()) {
        let (expected, actual) = (golden.get(at), found.get(at));
        if expected != actual {
            out.push_str(&format!(
                "line {}:\n  - {}\n  + {}\n",
                at + 1,
                expected.unwrap_or(&""),
                actual.unwrap_or(&"")
            ));
        }
    }
    out
}
