//! The peers behind a proxy.

use std::sync::Arc;

use assoc_postgres::PostgresBuilder;
use tokio::runtime::Builder;

use super::shop::HandShop;
use super::{SCHEMAS, Written, config, fill_all, open_usual};
use crate::Outcome;
use crate::data::Shape;
use crate::latency::ours::OurShop;
use crate::latency::tables::{Counting, statements};
use crate::latency::{Caller, Options, address_of, measure, with_address};
use crate::workload::Inputs;

/// Measures.
pub(crate) fn run(options: &Options) -> Outcome<()> {
    let url = std::env::var("ASSOC_POSTGRES_URL")?;
    let server = address_of(&url, 5432)?;
    let inputs = Inputs::new(Shape::default());
    let runtime = Arc::new(Builder::new_current_thread().enable_all().build()?);
    let cleaner = runtime.block_on(async {
        let client = fill_all(&url, Shape::default(), &inputs).await?;
        let tables = statements(Counting::Identity).join("; ");
        client.batch_execute(&format!("SET search_path = {}; {tables}; ANALYZE", SCHEMAS[0])).await?;
        client.batch_execute(&format!("SET search_path = {}", SCHEMAS[1])).await?;
        Ok::<_, Box<dyn std::error::Error>>(client)
    })?;
    let mut store = Written { cleaner, runtime: Arc::clone(&runtime) };
    measure(options, server, inputs, &mut store, |address| {
        let url = with_address(&url, address)?;
        let reading = config(&url, SCHEMAS[0])?;
        let mut callers = Vec::new();
        if options.has("hand") {
            let shop = Box::new(HandShop::open(&reading, Arc::clone(&runtime))?);
            callers.extend(open_usual("hand", &url, &runtime)?.map(|usual| Caller { usual, shop }));
        }
        if options.has("assoc") {
            let driver = runtime.block_on(async { PostgresBuilder::from_config(reading).connect().await })?;
            let shop = Box::new(OurShop::open(assoc_repo::Repo::new(driver), Arc::clone(&runtime), 1)?);
            callers.extend(open_usual("assoc", &url, &runtime)?.map(|usual| Caller { usual, shop }));
        }
        #[cfg(feature = "diesel-postgres")]
        if options.has("diesel") {
            let shop = Box::new(super::diesel::open_shop(&url)?);
            callers.extend(open_usual("diesel", &url, &runtime)?.map(|usual| Caller { usual, shop }));
        }
        Ok(callers)
    })
}
