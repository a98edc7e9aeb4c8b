//! What a limit per owner costs on SQLite, beside the plain window form: `cargo run --release -p assoc-repo --example
//! limit_per_owner`.
//!
//! 200 owners with 1,000 rows each, the latest five wanted. The window numbers every row; the preload seeks in the index
//! for each owner and stops after five.

use std::time::{Duration, Instant};

use assoc_repo::prelude::*;
use assoc_sqlite::Sqlite;

#[derive(Model, Debug, Clone)]
#[model(table = "owners")]
struct Owner {
    id: i64,
    #[has_many]
    entries: HasMany<Entry>,
}

#[derive(Model, Debug, Clone)]
#[model(table = "entries")]
struct Entry {
    id: i64,
    owner_id: i64,
    at: i64,
    body: String,
    #[belongs_to]
    owner: BelongsTo<Owner>,
}

const OWNERS: i64 = 200;
const ROWS: i64 = 1_000;
const ROUNDS: usize = 21;
const WINDOW: &str = "SELECT id, owner_id, at, body FROM \
    (SELECT *, ROW_NUMBER() OVER (PARTITION BY owner_id ORDER BY at DESC, id) AS place FROM entries) \
    WHERE place <= 5 ORDER BY owner_id, place";

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn main() -> Result<()> {
    pollster::block_on(async {
        let repo = Repo::new(Sqlite::memory()?);
        repo.create_table::<Owner>().await?;
        repo.create_table::<Entry>().await?;
        repo.execute_raw("CREATE INDEX entries_by_owner_and_time ON entries (owner_id, at)", []).await?;
        repo.transaction(async |tx| {
            tx.insert_all((0..OWNERS).map(|_| Owner::build())).await?;
            let entries = (0..OWNERS * ROWS).map(|n| {
                Entry::build()
                    .set(Entry::OWNER_ID, n % OWNERS + 1)
                    .set(Entry::AT, n * 7_919 % (OWNERS * ROWS))
                    .set(Entry::BODY, format!("{n:060}"))
            });
            tx.insert_all(entries).await.map(|_| ())
        })
        .await?;

        let latest = Query::preload(Owner::ENTRIES.order_by(Entry::AT.desc()).limit(5));
        let (mut seeks, mut windows) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let start = Instant::now();
            let owners = repo.all(latest.clone()).await?;
            seeks.push(start.elapsed());
            let start = Instant::now();
            let numbered = repo.query_raw::<Entry>(WINDOW, []).await?;
            windows.push(start.elapsed());
            let mut same = numbered.iter().map(|entry| entry.id);
            for owner in &owners {
                if !owner.entries()?.iter().all(|entry| same.next() == Some(entry.id)) {
                    return Err(Error::other("the two forms disagree"));
                }
            }
        }
        let (seek, window) = (median(seeks), median(windows));
        println!("preload with a limit  {seek:?}");
        println!("plain window          {window:?}");
        println!("ratio                 1 : {:.0}", window.as_secs_f64() / seek.as_secs_f64());
        Ok(())
    })
}
