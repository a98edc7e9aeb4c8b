//! What the library refuses on a backend that lacks a capability.

use assoc_core::dialect::{KeyedWrite, PerOwnerLimit, RowLocks, Upsert};
use assoc_core::driver::Dialect;
use assoc_core::{Error, ErrorKind};

/// The capability that a backend lacks and for whose want the library gives this error; `None` for any other error.
pub fn refusal(dialect: &dyn Dialect, error: &Error) -> Option<&'static str> {
    let capabilities = dialect.capabilities();
    if let ErrorKind::TooManyBinds { limit, .. } = error.kind() {
        return (*limit == capabilities.max_binds).then_some("statement with as many binds");
    }
    let text = error.to_string();
    let lacks: [(bool, &[&str], &'static str); 8] = [
        (
            capabilities.per_owner_limit == PerOwnerLimit::Unsupported,
            &["support a limit per owner", "support a condition on the rows that"],
            "limit per owner",
        ),
        (
            !capabilities.row_values,
            &["support a condition on the rows that", "support a subselect of keys of several columns"],
            "row values",
        ),
        (!capabilities.window_functions, &["it needs window functions"], "window functions"),
        (capabilities.row_locks == RowLocks::Unsupported, &["support locks on rows"], "locks on rows"),
        (
            matches!(capabilities.row_locks, RowLocks::Rows { skips: false, .. }),
            &["support leaving out rows that others have locked"],
            "locks that others are skipped by",
        ),
        (
            capabilities.upsert == Upsert::Unsupported || !capabilities.insert_returning,
            &["support `upsert` of rows that are given back"],
            "upserts that return rows",
        ),
        (
            !capabilities.update_returning || capabilities.keyed_write == KeyedWrite::Join,
            &["support rows returned by an update"],
            "UPDATE … RETURNING",
        ),
        (
            !capabilities.insert_returning,
            &["a database that does not return inserted rows", "the database made no key for the inserted row"],
            "INSERT … RETURNING",
        ),
    ];
    let says = |words: &&str| text.contains(*words);
    lacks.into_iter().find(|(lacks, words, _)| *lacks && words.iter().any(says)).map(|(.., what)| what)
}
