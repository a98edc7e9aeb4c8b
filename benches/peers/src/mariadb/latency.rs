//! The peers behind a proxy.

use std::sync::Arc;

use mysql_async::Conn;
use mysql_async::prelude::Queryable;
use tokio::runtime::Builder;

use super::shop::HandShop;
use super::{DATABASES, Written, fill_all, open_usual, with_database};
use crate::Outcome;
use crate::data::Shape;
use crate::latency::ours::OurShop;
use crate::latency::tables::{Counting, statements};
use crate::latency::{Caller, Options, address_of, measure, with_address};
use crate::workload::Inputs;

/// How many connections of assoc are open: its own and the five that it uses beside it.
const CONNECTIONS: usize = 6;

/// Measures.
pub(crate) fn run(options: &Options) -> Outcome<()> {
    let url = std::env::var("ASSOC_MYSQL_URL")?;
    let server = address_of(&url, 3306)?;
    let inputs = Inputs::new(Shape::default());
    let runtime = Arc::new(Builder::new_current_thread().enable_all().build()?);
    let cleaner = runtime.block_on(async {
        let mut conn: Conn = fill_all(&url, Shape::default(), &inputs).await?;
        conn.query_drop(format!("USE {}", DATABASES[0])).await?;
        for statement in statements(Counting::AutoIncrement) {
            conn.query_drop(statement).await?;
        }
        conn.query_drop(format!("USE {}", DATABASES[1])).await?;
        Ok::<_, Box<dyn std::error::Error>>(conn)
    })?;
    let mut store = Written { cleaner, runtime: Arc::clone(&runtime) };
    measure(options, server, inputs, &mut store, |address| {
        let url = with_address(&url, address)?;
        let [reading, writing] = DATABASES.map(|database| with_database(&url, database));
        // mysql_async would change to the server's socket, past the proxy.
        let by_network = |url: &str| format!("{url}{}prefer_socket=false", if url.contains('?') { '&' } else { '?' });
        let mut callers = Vec::new();
        if options.has("hand") {
            let url = by_network(&reading);
            let shop = Box::new(HandShop::open(&url, Arc::clone(&runtime))?);
            callers
                .extend(open_usual("hand", &url, &by_network(&writing), &runtime)?.map(|usual| Caller { usual, shop }));
        }
        if options.has("assoc") {
            let url = by_network(&reading);
            let driver = runtime.block_on(async { assoc_mysql::MySql::builder(&url)?.connect().await })?;
            let shop = Box::new(OurShop::open(assoc_repo::Repo::new(driver), Arc::clone(&runtime), CONNECTIONS)?);
            callers.extend(
                open_usual("assoc", &url, &by_network(&writing), &runtime)?.map(|usual| Caller { usual, shop }),
            );
        }
        #[cfg(feature = "diesel-mysql")]
        if options.has("diesel") {
            let shop = Box::new(super::diesel::open_shop(&reading)?);
            callers.extend(open_usual("diesel", &reading, &writing, &runtime)?.map(|usual| Caller { usual, shop }));
        }
        Ok(callers)
    })
}
