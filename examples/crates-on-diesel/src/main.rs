//! The example `crates` of `assoc-repo` on connections of Diesel's: everything but the choice of the driver is the same.
//!
//! ```text
//! cargo run -p crates-on-diesel
//! cargo run -p crates-on-diesel --features postgres -- --database postgres://ada@localhost/crates
//! ```

#[path = "../../../assoc-repo/examples/crates/cli.rs"]
mod cli;
mod database;
#[path = "../../../assoc-repo/examples/crates/failure.rs"]
mod failure;
#[path = "../../../assoc-repo/examples/crates/graph.rs"]
mod graph;
#[path = "../../../assoc-repo/examples/crates/html.rs"]
mod html;
#[path = "../../../assoc-repo/examples/crates/import.rs"]
mod import;
#[path = "../../../assoc-repo/examples/crates/measure.rs"]
mod measure;
#[path = "../../../assoc-repo/examples/crates/metadata.rs"]
mod metadata;
#[path = "../../../assoc-repo/examples/crates/models.rs"]
mod models;
#[path = "../../../assoc-repo/examples/crates/picture.rs"]
mod picture;
#[path = "../../../assoc-repo/examples/crates/place.rs"]
mod place;
#[path = "../../../assoc-repo/examples/crates/program.rs"]
mod program;
#[path = "../../../assoc-repo/examples/crates/progress.rs"]
mod progress;
#[path = "../../../assoc-repo/examples/crates/report.rs"]
mod report;
#[path = "../../../assoc-repo/examples/crates/terminal.rs"]
mod terminal;
#[path = "../../../assoc-repo/examples/crates/tree.rs"]
mod tree;
#[path = "../../../assoc-repo/examples/crates/turn.rs"]
mod turn;
#[path = "../../../assoc-repo/examples/crates/why.rs"]
mod why;

fn main() -> std::process::ExitCode {
    program::main()
}
