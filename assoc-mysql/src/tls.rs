//! Detects whether mysql_async was built with TLS. The program decides that, not this crate, and without TLS
//! mysql_async panics when a connection requests it.
//!
//! [`SslOpts::with_client_identity`] exists with TLS only. Without it, the compiler calls a trait's method of the same
//! name, so the type of the result says which.

use assoc_core::{DriverError, DriverErrorKind, Result};
use mysql_async::{Opts, SslOpts};

struct Absent;

trait WithoutTls: Sized {
    #[allow(dead_code)] // Never called where mysql_async has TLS.
    fn with_client_identity(self, _: Option<()>) -> Absent {
        Absent
    }
}

impl WithoutTls for SslOpts {}

trait Answer {
    const HAS_TLS: bool;
}

impl Answer for Absent {
    const HAS_TLS: bool = false;
}

impl Answer for SslOpts {
    const HAS_TLS: bool = true;
}

fn says<A: Answer>(_: &A) -> bool {
    A::HAS_TLS
}

/// Refuses options that ask for TLS where there is none.
///
/// # Errors
/// [`DriverErrorKind::Unavailable`], naming the feature that is missing.
pub(crate) fn check(options: &Opts) -> Result<()> {
    if options.ssl_opts().is_none() || says(&SslOpts::default().with_client_identity(None)) {
        return Ok(());
    }
    let message = "the options ask for TLS, and mysql_async was built without it: enable its feature `native-tls-tls` or \
                   `rustls-tls` in the application's Cargo.toml";
    Err(DriverError::new(DriverErrorKind::Unavailable, message).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_asks_for_tls_names_the_feature() {
        let options = |url: &str| Opts::from_url(url).unwrap();
        assert!(check(&options("mysql://ada:secret@localhost/blog")).is_ok());
        for asking in ["require_ssl=true", "require_ssl=true&verify_ca=false"] {
            let asked = check(&options(&format!("mysql://ada:secret@localhost/blog?{asking}")));
            // With TLS in the build of the tests there is nothing to refuse.
            let Err(error) = asked else { continue };
            assert_eq!(error.driver().unwrap().kind(), DriverErrorKind::Unavailable);
            let shown = error.to_string();
            assert!(shown.contains("`native-tls-tls`") && shown.contains("`rustls-tls`"), "{shown}");
            assert!(!shown.contains("secret"), "{shown}");
        }
    }
}
