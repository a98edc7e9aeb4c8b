//! Workspace tasks: test, bench, db.
fn main() {}
