//! What the fuzz targets do, as functions: `cargo fuzz` calls them with inputs that it finds, `tests/bounded.rs` with the
//! corpus and some random ones. `fuzz/README.md` says how one is added.

pub mod preload_requests;
pub mod raw_sql;
pub mod stored_values;

/// A fuzz target.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name, which is that of its folder in `fuzz/corpus`.
    pub name: &'static str,
    /// What it does with an input. Panics where something is wrong.
    pub run: fn(&[u8]),
    /// Of the random inputs of a test run, it gets one in this many: planning takes longer than reading a value.
    pub every: u64,
}

/// All targets.
pub const TARGETS: &[Target] = &[
    Target { name: "preload_requests", run: preload_requests::run, every: 10 },
    Target { name: "raw_sql", run: raw_sql::run, every: 1 },
    Target { name: "stored_values", run: stored_values::run, every: 1 },
];
