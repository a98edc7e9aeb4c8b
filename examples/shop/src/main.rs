//! `cargo run --example shop -- [database URL] [address]`: migrates the database, fills it if it is empty, and serves it.

use shop::{database, router, seed};

const USAGE: &str = "\
usage: cargo run --example shop -- [database URL] [address]

  database URL   sqlite:shop.db, mysql://user:password@host/shop, postgres://user:password@host/shop
                 default: sqlite::memory:, which is gone when the program ends
  address        default: 127.0.0.1:3000; port 0 takes a free one";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (url, address) = match &arguments[..] {
        [] => ("sqlite::memory:", "127.0.0.1:3000"),
        [option] if option == "--help" => {
            println!("{USAGE}");
            return Ok(());
        }
        [url] => (&**url, "127.0.0.1:3000"),
        [url, address] => (&**url, &**address),
        _ => return Err(USAGE.into()),
    };
    let repo = database::open(url).await?;
    seed::unless_filled(&repo).await?;
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("The shop is open at http://{}/?shop=tea", listener.local_addr()?);
    axum::serve(listener, router(repo)).await?;
    Ok(())
}
