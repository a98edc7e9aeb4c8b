//! Encrypted connections: to a server that has signed its certificate itself.

use std::time::Duration;

use assoc_core::driver::TransactionMode;
use assoc_core::{DriverErrorKind, Value};
use assoc_postgres::PostgresBuilder;
use assoc_postgres::tokio_postgres::config::SslMode;
use native_tls::TlsConnector;

use crate::support::{TestDb, acquire, one, pool_becomes, rows, status, try_rows};

const IS_ENCRYPTED: &str = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";

fn builder(db: &TestDb, mode: SslMode) -> PostgresBuilder {
    let mut config = db.config();
    config.ssl_mode(mode);
    PostgresBuilder::from_config(config).max_connections(1)
}

fn trusting() -> TlsConnector {
    TlsConnector::builder().danger_accept_invalid_certs(true).build().expect("a connector")
}

/// A server without TLS fails this test: start one with it, as `cargo xtask db postgres` does where there is `openssl`.
#[tokio::test]
async fn what_is_required_is_encrypted() {
    let db = TestDb::new().await;
    let driver = builder(&db, SslMode::Require).tls_connector(trusting()).connect().await.expect("a server with TLS");
    let mut connection = acquire(&driver).await;
    assert_eq!(one(&mut *connection, IS_ENCRYPTED).await, Value::Bool(true));
    // More than a record of TLS, in and out.
    let long = "ü".repeat(100_000);
    let found = rows(&mut *connection, "SELECT $1::text", [Value::Text(long.clone().into())]).await;
    assert_eq!(found, [[Value::Text(long.into())]]);
    connection.begin(TransactionMode::Write).await.unwrap();
    connection.rollback().await.unwrap();
}

#[tokio::test]
async fn what_is_disabled_is_not() {
    let db = TestDb::new().await;
    let driver = builder(&db, SslMode::Disable).connect().await.unwrap();
    assert_eq!(one(&mut *acquire(&driver).await, IS_ENCRYPTED).await, Value::Bool(false));
}

/// The system knows no certificate of this server.
#[tokio::test]
async fn an_unknown_certificate_is_refused() {
    let db = TestDb::new().await;
    let error = builder(&db, SslMode::Require).connect().await.unwrap_err();
    assert_eq!(error.driver().unwrap().kind(), DriverErrorKind::Unavailable, "{error}");
    assert!(error.to_string().to_lowercase().contains("certificate"), "{error}");
}

/// What tells the server to stop goes over a connection of the same kind.
#[tokio::test]
async fn a_dropped_statement_is_cancelled() {
    let db = TestDb::new().await;
    let driver = builder(&db, SslMode::Require).tls_connector(trusting()).connect().await.unwrap();
    let mut connection = acquire(&driver).await;
    let sleeps = try_rows(&mut *connection, "SELECT pg_sleep(30)", []);
    assert!(tokio::time::timeout(Duration::from_millis(100), sleeps).await.is_err());
    drop(connection);
    pool_becomes(&driver, |status| status.open == 0).await;
    let mut next = acquire(&driver).await;
    assert_eq!(one(&mut *next, IS_ENCRYPTED).await, Value::Bool(true));
    let running = "SELECT COUNT(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(30)' AND state = 'active'";
    for _ in 0..100 {
        if one(&mut *next, running).await == Value::Int(0) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the statement still runs: {:?}", status(&driver));
}
