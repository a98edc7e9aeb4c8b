//! Connections over TLS. The URL of the server says whether all tests use it:
//! `mysql://…?require_ssl=true&verify_ca=false&verify_identity=false`, with mysql_async's feature `native-tls-tls`. `cargo xtask test
//! --with-mysql` runs them once more so.

use assoc_core::{DriverErrorKind, Value};
use assoc_mysql::mysql_async::{Opts, SslOpts};

use crate::support::{TestDb, acquire, one, rows};

fn is_asked() -> bool {
    let url = std::env::var("ASSOC_MYSQL_URL").unwrap_or_default();
    Opts::from_url(&url).is_ok_and(|options| options.ssl_opts().is_some())
}

#[tokio::test]
async fn every_connection_is_encrypted_where_the_options_ask_for_it() {
    let db = TestDb::new().await;
    let driver = db.driver().await;
    let (mut first, mut second) = (acquire(&driver).await, acquire(&driver).await);
    for connection in [&mut first, &mut second] {
        let found = rows(&mut **connection, "SHOW SESSION STATUS LIKE 'Ssl_cipher'", []).await;
        let cipher = found[0][1].to_string();
        assert_eq!(cipher.len() > 2, is_asked(), "{cipher}");
    }
}

/// MySQL makes certificates when it is set up, whose authority only its folder knows.
#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_refused_and_of_a_known_one_is_taken() {
    if !is_asked() {
        println!("skipped: TLS, which ASSOC_MYSQL_URL does not ask for");
        return;
    }
    let db = TestDb::new().await;
    let with = |tls: SslOpts| db.builder().options(move |options| options.ssl_opts(tls.clone()));
    let unknown = with(SslOpts::default()).connect().await.unwrap_err();
    assert_eq!(unknown.driver().unwrap().kind(), DriverErrorKind::Unavailable, "{unknown}");
    let driver = db.driver().await;
    let folder = one(&mut *acquire(&driver).await, "SELECT @@datadir").await;
    let Value::Text(folder) = folder else { panic!("{folder:?}") };
    let authority = std::path::Path::new(&*folder).join("ca.pem");
    if !authority.is_file() {
        println!("skipped: {} cannot be read from here", authority.display());
        return;
    }
    let known = SslOpts::default().with_root_certs(vec![authority.into()]).with_danger_skip_domain_validation(true);
    let driver = with(known).connect().await.unwrap();
    assert_eq!(one(&mut *acquire(&driver).await, "SELECT 1").await, Value::Int(1));
}
