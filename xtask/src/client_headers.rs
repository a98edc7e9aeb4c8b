//! The system's libpq, which Diesel's PostgreSQL connections are linked with: all features of the workspace are compiled.

use std::process::{Command, Stdio};

use crate::system::{self, Packages};

/// Installs it by the system's package manager, where it is absent.
pub(crate) fn provide() -> Result<(), String> {
    if is_there() {
        return Ok(());
    }
    eprintln!("xtask: libpq is missing, installing it");
    let packages = Packages { apt: &["libpq-dev"], dnf: &["libpq-devel"], brew: &["libpq"] };
    system::install(&packages, "install libpq with its headers")
}

fn is_there() -> bool {
    // What the crate that is linked asks before `pg_config`.
    if std::env::var_os("PQ_LIB_DIR").is_some() {
        return true;
    }
    let found = Command::new("pg_config").arg("--libdir").stdout(Stdio::null()).stderr(Stdio::null()).status();
    found.is_ok_and(|status| status.success())
}
