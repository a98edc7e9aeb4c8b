//! The system's libraries, with their headers, that clients of the servers are compiled and linked with: all features of the
//! workspace are compiled.

use std::process::{Command, Stdio};

use crate::system::{self, Packages};

/// A library of the system.
pub(crate) struct SystemLibrary {
    name: &'static str,
    // Names the library's place, and is asked before the probe by the crate that is compiled.
    variable: &'static str,
    // A command that succeeds where the library is.
    probe: &'static [&'static str],
    packages: Packages,
    // Whether other systems have it in themselves.
    is_only_linux: bool,
}

/// OpenSSL, which `native-tls` is compiled against.
const TLS: SystemLibrary = SystemLibrary {
    name: "OpenSSL",
    variable: "OPENSSL_DIR",
    probe: &["pkg-config", "--exists", "openssl"],
    packages: Packages {
        apt: &["pkg-config", "libssl-dev"],
        dnf: &["pkgconf-pkg-config", "openssl-devel"],
        brew: &["pkg-config", "openssl"],
    },
    is_only_linux: true,
};

/// libpq, which Diesel's PostgreSQL connections are linked with.
pub(crate) const LIBPQ: SystemLibrary = SystemLibrary {
    name: "libpq",
    variable: "PQ_LIB_DIR",
    probe: &["pg_config", "--libdir"],
    packages: Packages { apt: &["libpq-dev"], dnf: &["libpq-devel"], brew: &["libpq"] },
    is_only_linux: false,
};

/// MySQL's client library, of MariaDB or of MySQL, which Diesel's MySQL connections are linked with.
pub(crate) const MYSQL_CLIENT: SystemLibrary = SystemLibrary {
    name: "the client library of MariaDB or MySQL",
    variable: "MYSQLCLIENT_LIB_DIR",
    probe: &["sh", "-c", "pkg-config --exists libmariadb || pkg-config --exists mysqlclient || mysql_config --libs"],
    packages: Packages {
        apt: &["pkg-config", "libmariadb-dev"],
        dnf: &["pkgconf-pkg-config", "mariadb-connector-c-devel"],
        brew: &["pkg-config", "mysql-client"],
    },
    is_only_linux: false,
};

/// All that the workspace needs.
pub(crate) const LIBRARIES: [SystemLibrary; 3] = [TLS, LIBPQ, MYSQL_CLIENT];

impl SystemLibrary {
    /// Installs it by the system's package manager, where it is absent.
    pub(crate) fn provide(&self) -> Result<(), String> {
        if self.is_only_linux && !cfg!(target_os = "linux") || self.is_there() {
            return Ok(());
        }
        let name = self.name;
        eprintln!("xtask: {name} is missing, installing it");
        system::install(&self.packages, &format!("install {name} with its headers"))
    }

    fn is_there(&self) -> bool {
        let [program, arguments @ ..] = self.probe else { return false };
        let mut probe = Command::new(program);
        probe.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
        std::env::var_os(self.variable).is_some() || probe.status().is_ok_and(|status| status.success())
    }
}
