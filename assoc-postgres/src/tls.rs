//! How a session reaches its server: encrypted by the system's TLS library, or in plain text.

use assoc_core::{Error, Result};
use tokio_postgres::{CancelToken, Client};

use crate::error;
use crate::options::PostgresBuilder;

#[cfg(feature = "native-tls")]
type Encryption = postgres_native_tls::MakeTlsConnector;
#[cfg(not(feature = "native-tls"))]
type Encryption = tokio_postgres::NoTls;

/// What stops the statement that a session's server is running, over a connection like the session's.
#[derive(Clone)]
pub(crate) struct Cancel {
    token: CancelToken,
    encryption: Encryption,
}

impl Cancel {
    pub(crate) async fn send(self) -> Result<()> {
        self.token.cancel_query(self.encryption).await.map_err(Error::other)
    }
}

/// Connects as the URL's `sslmode` says.
pub(crate) async fn connect(options: &PostgresBuilder) -> Result<(Client, Cancel)> {
    let encryption = encryption(options)?;
    #[allow(clippy::clone_on_copy)] // Without the feature it can be copied.
    let (client, connection) = options.config.connect(encryption.clone()).await.map_err(error::of_connect)?;
    // It ends with the client, and what it fails with is the failure of the client's calls.
    tokio::spawn(async move { drop(connection.await) });
    let token = client.cancel_token();
    Ok((client, Cancel { token, encryption }))
}

#[cfg(feature = "native-tls")]
fn encryption(options: &PostgresBuilder) -> Result<Encryption> {
    let connector = match &options.connector {
        Some(connector) => connector.clone(),
        None => native_tls::TlsConnector::new().map_err(Error::other)?,
    };
    Ok(Encryption::new(connector))
}

// One form of the function with and without the feature.
#[cfg(not(feature = "native-tls"))]
#[allow(clippy::unnecessary_wraps)]
fn encryption(_: &PostgresBuilder) -> Result<Encryption> {
    Ok(tokio_postgres::NoTls)
}
