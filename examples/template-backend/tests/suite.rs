//! The conformance suite on this backend: `cargo test -p template-backend --test suite`.

use std::path::PathBuf;

use assoc_core::driver::BoxFuture;
use assoc_core::{Error, Result};
use conformance_tests::{Backend, Database};
use template_backend::Template;

struct TemplateFile;

impl Backend for TemplateFile {
    fn name(&self) -> &'static str {
        "template"
    }

    fn version(&self) -> String {
        format!("SQLite {}", rusqlite::version())
    }

    // `--bless` records the SQL of each case here.
    fn overlay(&self) -> Option<PathBuf> {
        Some(concat!(env!("CARGO_MANIFEST_DIR"), "/goldens").into())
    }

    fn fresh(&self) -> BoxFuture<'_, Result<Database>> {
        Box::pin(async {
            let folder = tempfile::tempdir().map_err(Error::other)?;
            let driver = Template::open(folder.path().join("suite.db"))?;
            Ok(Database::new(driver).on_drop(move || drop(folder)))
        })
    }
}

fn main() -> std::process::ExitCode {
    conformance_tests::run(TemplateFile)
}
