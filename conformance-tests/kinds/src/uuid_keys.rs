//! Keys that are UUIDs, on every hop: drivers give them back as bytes or as text, and links are read without a model.

use assoc_core::Result;
use assoc_repo::prelude::*;
use conformance_harness::{Context, Level, cases};
use conformance_models::ways::{self, Holder, Ledger, LedgerEntry};

cases! { "uuid_keys", Level::Kind;
    through,
    join_table,
    by_way,
    joined,
    in_hand,
}

fn names(holders: &[std::sync::Arc<Holder>]) -> Vec<&str> {
    holders.iter().map(|holder| holder.name.as_str()).collect()
}

async fn through(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    ways::ledgers(&repo).await?;
    let query = Query::preload(Ledger::HOLDERS).order_by(Ledger::ID.asc());
    for ledger in cx.step("ledgers preload holders", repo.all(query)).await? {
        cx.show(&ledger.name, names(ledger.holders()?));
        let read = repo.get_association(&ledger, Ledger::HOLDERS, Query::new()).await?;
        cx.require(ledger.holders()?.iter().map(|row| &**row).eq(&read), "preload and reader agree")?;
    }
    let query = Query::preload((Ledger::HOLDERS, Ledger::ENTRIES.with(LedgerEntry::HOLDER))).order_by(Ledger::ID.asc());
    let ledgers = cx.step("and the entries", repo.all(query)).await?;
    cx.show("ledgers", ledgers);
    Ok(())
}

async fn join_table(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    ways::ledgers(&repo).await?;
    let query = Query::preload(Ledger::KEEPERS).order_by(Ledger::ID.asc());
    for ledger in cx.step("ledgers preload keepers", repo.all(query)).await? {
        cx.show(&ledger.name, names(ledger.keepers()?));
        let read = repo.get_association(&ledger, Ledger::KEEPERS, Query::new()).await?;
        cx.require(ledger.keepers()?.iter().map(|row| &**row).eq(&read), "preload and reader agree")?;
    }
    Ok(())
}

async fn by_way(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    ways::ledgers(&repo).await?;
    let query = Query::preload(Ledger::LIVING_HOLDERS).order_by(Ledger::ID.asc());
    for ledger in cx.step("ledgers preload living holders", repo.all(query)).await? {
        cx.show(&ledger.name, names(ledger.living_holders()?));
    }
    Ok(())
}

async fn joined(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    ways::ledgers(&repo).await?;
    let query = Query::eager_load((Ledger::HOLDERS, Ledger::KEEPERS)).order_by(Ledger::ID.asc());
    for ledger in cx.step("ledgers eager load both", repo.all(query)).await? {
        cx.show(&ledger.name, [names(ledger.holders()?), names(ledger.keepers()?)]);
    }
    Ok(())
}

async fn in_hand(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    ways::ledgers(&repo).await?;
    let mut ledgers = repo.all(Query::preload(Ledger::ENTRIES).order_by(Ledger::ID.asc())).await?;
    cx.step("more for ledgers in hand", repo.preload(&mut ledgers, (Ledger::HOLDERS, Ledger::LIVING_HOLDERS))).await?;
    for ledger in &ledgers {
        cx.show(&ledger.name, [names(ledger.holders()?), names(ledger.living_holders()?)]);
    }
    let counts = cx.step("counted", repo.count_for(&ledgers, Ledger::HOLDERS)).await?;
    cx.show("counts", counts);
    Ok(())
}
