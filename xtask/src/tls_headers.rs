//! The headers of the system's TLS library, which `native-tls` is compiled against: all features of the workspace are compiled.

use std::process::{Command, Stdio};

use crate::server::{as_root, find, succeed};

/// Installs them on Linux by the system's package manager, where they are absent. Other systems have the library in themselves.
pub(crate) fn provide() -> Result<(), String> {
    if !cfg!(target_os = "linux") || is_there() {
        return Ok(());
    }
    eprintln!("xtask: the headers of OpenSSL are missing, installing them");
    if find(&["apt-get"]).is_some() {
        let script = "set -e; export DEBIAN_FRONTEND=noninteractive; \
            install='apt-get install -y --no-install-recommends pkg-config libssl-dev'; $install || { apt-get update; $install; }";
        return succeed(as_root("sh").args(["-c", script]));
    }
    if find(&["dnf"]).is_some() {
        return succeed(as_root("dnf").args(["install", "-y", "pkgconf-pkg-config", "openssl-devel"]));
    }
    Err("the headers of OpenSSL are missing and there is no package manager known here: install them".to_owned())
}

fn is_there() -> bool {
    // What the crate that is compiled asks before `pkg-config`.
    if std::env::var_os("OPENSSL_DIR").is_some() {
        return true;
    }
    let found = Command::new("pkg-config").args(["--exists", "openssl"]).stderr(Stdio::null()).status();
    found.is_ok_and(|status| status.success())
}
