//! The headers of the system's TLS library, which `native-tls` is compiled against: all features of the workspace are compiled.

use std::process::{Command, Stdio};

use crate::system::{self, Packages};

/// Installs them on Linux by the system's package manager, where they are absent. Other systems have the library in themselves.
pub(crate) fn provide() -> Result<(), String> {
    if !cfg!(target_os = "linux") || is_there() {
        return Ok(());
    }
    eprintln!("xtask: the headers of OpenSSL are missing, installing them");
    let packages = Packages {
        apt: &["pkg-config", "libssl-dev"],
        dnf: &["pkgconf-pkg-config", "openssl-devel"],
        brew: &["pkg-config", "openssl"],
    };
    system::install(&packages, "install the headers of OpenSSL")
}

fn is_there() -> bool {
    // What the crate that is compiled asks before `pkg-config`.
    if std::env::var_os("OPENSSL_DIR").is_some() {
        return true;
    }
    let found = Command::new("pkg-config").args(["--exists", "openssl"]).stderr(Stdio::null()).status();
    found.is_ok_and(|status| status.success())
}
