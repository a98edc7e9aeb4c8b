//! `cargo run --example crates`: what is in a Rust project's dependency graph.
//!
//! Reads the output of `cargo metadata`, stores it in a database and reports from there. A tour of the library on real
//! data, in this order:
//!
//! * `models.rs`: tables as structs, with associations
//! * `import.rs`: packages with what belongs to them, saved by their associations in one transaction
//! * `report.rs`, `tree.rs`, `why.rs`: queries with nested preloads: fixed, built at run time, recursive
//! * `html.rs`: a page from one preload, with `picture.rs`, which places the packages
//! * `measure.rs`: what a preload is going to do, and what it did
//! * `database.rs`: choosing a driver; `turn.rs`: one run at a time
//!
//! `program.rs` does one after the other. The rest has little to do with the library: `metadata.rs` runs cargo, `graph.rs` counts,
//! `cli.rs`, `terminal.rs`, `progress.rs` and `failure.rs` talk to the user.

mod cli;
mod database;
mod failure;
mod graph;
mod html;
mod import;
mod measure;
mod metadata;
mod models;
mod picture;
mod place;
mod program;
mod progress;
mod report;
mod terminal;
mod tree;
mod turn;
mod why;

fn main() -> std::process::ExitCode {
    program::main()
}
