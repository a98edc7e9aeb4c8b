//! Columns that the repo fills in: times, versions, values that the application makes.

use std::time::{Duration, SystemTime};

use assoc_core::Result;
use assoc_core::metadata::Expr;
use assoc_repo::prelude::*;
use conformance_harness::{Context, Level, cases};
use conformance_written_models::registry::{self, Account, Document, Entry, Stamp, Ticket};

cases! { "filled_columns", Level::Write;
    times,
    times_that_are_given,
    fractions_of_a_second,
    bulk_updates_leave_times,
    versions,
    versions_of_rows_that_are_gone,
    versions_cannot_be_set,
    keys_of_the_application,
    members_that_are_saved,
}

fn at(repo: &Repo, micros: u64) -> Repo {
    repo.with_clock(move || SystemTime::UNIX_EPOCH + Duration::from_micros(micros))
}

const SECOND: u64 = 1_000_000;

async fn times(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    repo.create_table::<Stamp>().await?;
    let first = at(&repo, 10 * SECOND);
    let stamp = cx.step("insert", first.insert(Stamp::build().set(Stamp::TITLE, "one"))).await?;
    cx.show("stamp", [&stamp]);
    let many = cx
        .step("insert_all", first.insert_all(["two", "three"].map(|title| Stamp::build().set(Stamp::TITLE, title))))
        .await?;
    cx.require(many.iter().all(|row| row.jiff_updated == stamp.jiff_updated), "all at one time")?;
    let later = at(&repo, 200_000 * SECOND);
    let same = cx.step("nothing differs", later.update(stamp.change().set(Stamp::TITLE, "one"))).await?;
    cx.require(same == stamp, "and no time moves")?;
    let changed = cx.step("update", later.update(stamp.change().set(Stamp::TITLE, "changed"))).await?;
    cx.show("stamp", [&changed]);
    cx.require(repo.get_or_fail::<Stamp>(1, Query::new()).await? == changed, "as it is stored")?;
    let moved = cx
        .step("in a transaction", later.transaction(async |tx| tx.insert(Stamp::build().set(Stamp::TITLE, "tx")).await))
        .await?;
    cx.require(moved.jiff_updated == changed.jiff_updated, "by the same clock")
}

async fn times_that_are_given(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    repo.create_table::<Stamp>().await?;
    let given = jiff::Timestamp::from_second(5).map_err(Error::other)?;
    let now = at(&repo, 10 * SECOND);
    let stamp = now
        .insert(Stamp::build().set(Stamp::TITLE, "one").set(Stamp::JIFF_UPDATED, given).set(Stamp::TIME_LOCAL, None))
        .await?;
    cx.require(stamp.jiff_updated == given && stamp.time_local.is_none(), "what is given stays")?;
    cx.require(stamp.time_updated.unix_timestamp() == 10, "the others are filled in")?;
    let kept =
        at(&repo, 20 * SECOND).update(stamp.change().set(Stamp::TITLE, "x").set(Stamp::JIFF_UPDATED, given)).await?;
    cx.require(kept.jiff_updated == given, "also if it is the same")?;
    cx.require(kept.time_updated.unix_timestamp() == 20 && kept.chrono_created.timestamp() == 10, "the others move")
}

async fn fractions_of_a_second(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    repo.create_table::<Stamp>().await?;
    let stamp = at(&repo, 1_234_567).insert(Stamp::build().set(Stamp::TITLE, "one")).await?;
    cx.show("microseconds", [&stamp]);
    cx.require(repo.get_or_fail::<Stamp>(1, Query::new()).await? == stamp, "as it is stored")?;
    let before = repo.with_clock(|| SystemTime::UNIX_EPOCH - Duration::from_micros(1));
    let update = before.update(stamp.change().set(Stamp::TITLE, "two"));
    let stamp = cx.step("before 1970", update).await?;
    cx.show("microseconds", [&stamp]);
    cx.require(repo.get_or_fail::<Stamp>(1, Query::new()).await? == stamp, "as it is stored")
}

async fn bulk_updates_leave_times(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    repo.create_table::<Stamp>().await?;
    repo.create_table::<Document>().await?;
    let now = at(&repo, 10 * SECOND);
    now.insert(Stamp::build().set(Stamp::TITLE, "one")).await?;
    now.insert(Document::build().set(Document::TITLE, "one")).await?;
    let later = at(&repo, 20 * SECOND);
    cx.step("as in Rails", later.update_all(Query::new(), [Stamp::TITLE.to("two")])).await?;
    cx.step("a version too", later.update_all(Query::new(), [Document::TITLE.to("two")])).await?;
    let stamp = repo.get_or_fail::<Stamp>(1, Query::new()).await?;
    cx.require(stamp.title == "two" && stamp.jiff_updated.as_second() == 10, "the time stays")?;
    cx.step("unless they are assigned", later.update_all(Query::new(), [Document::VERSION.add(1)])).await?;
    cx.rows("documents", "SELECT title, version FROM documents").await
}

async fn versions(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    repo.create_table::<Document>().await?;
    let first = cx.step("insert", repo.insert(Document::build().set(Document::TITLE, "one"))).await?;
    cx.require(first.version == 0, "the first version is 0")?;
    let second = cx.step("update", repo.update(first.change().set(Document::TITLE, "two"))).await?;
    cx.require(second.version == 1, "one more")?;
    let error = cx.fails("a stale row", repo.update(first.change().set(Document::TITLE, "lost"))).await?;
    let named = matches!(error.kind(), ErrorKind::Stale { model: "Document", key } if key == "1");
    cx.require(named && error.is_stale(), "it names model and key")?;
    let error = cx.fails("deleting a stale row", repo.delete(&first)).await?;
    cx.require(error.is_stale(), "stale as well")?;
    let unchanged = cx.step("nothing differs", repo.update(first.change().set(Document::TITLE, "one"))).await?;
    cx.require(unchanged.version == 0, "nothing is written, so nothing is lost")?;
    cx.rows("documents", "SELECT id, title, version FROM documents").await?;
    let filtered = repo.filtered(|model| Some(Expr::equals(model.column("title").ok()?.name, Value::from("two"))));
    let error = cx.fails("hidden is not stale", filtered.delete(&first)).await?;
    cx.require(error.is_stale(), "a row that is seen, and has another version")?;
    let other = repo.filtered(|model| Some(Expr::equals(model.column("title").ok()?.name, Value::from("no"))));
    let error = cx.fails("hidden", other.delete(&second)).await?;
    cx.require(error.is_not_found(), "not found")?;
    cx.step("delete", repo.delete(&second)).await
}

async fn versions_of_rows_that_are_gone(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    repo.create_table::<Document>().await?;
    let row = repo.insert(Document::build().set(Document::TITLE, "one")).await?;
    repo.delete(&row).await?;
    let error = cx.fails("update", repo.update(row.change().set(Document::TITLE, "two"))).await?;
    cx.require(error.is_not_found(), "gone is not stale")?;
    let error = cx.fails("delete", repo.delete(&row)).await?;
    cx.require(error.is_not_found(), "gone is not stale")?;
    let last = repo.insert(Document::build().set(Document::TITLE, "x").set(Document::VERSION, i16::MAX)).await?;
    cx.fails("after the last version", repo.update(last.change().set(Document::TITLE, "y"))).await?;
    cx.rows("documents", "SELECT title, version FROM documents").await
}

async fn versions_cannot_be_set(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    repo.create_table::<Document>().await?;
    let row = repo.insert(Document::build().set(Document::TITLE, "one").set(Document::VERSION, 7)).await?;
    cx.require(row.version == 7, "of a new row it can be")?;
    let error = cx.fails("of an existing row", repo.update(row.change().set(Document::VERSION, 1))).await?;
    cx.require(
        matches!(error.kind(), ErrorKind::Invalid { errors, .. } if errors[0].code == "lock_version"),
        "its code",
    )
}

async fn keys_of_the_application(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    repo.create_table::<Ticket>().await?;
    let one = cx.step("insert", repo.insert(Ticket::build().set(Ticket::TITLE, "one"))).await?;
    cx.require(one.label.as_deref() == Some("none"), "a value for an Option")?;
    let titles = ["two", "three", "four"];
    let many =
        cx.step("insert_all", repo.insert_all(titles.map(|title| Ticket::build().set(Ticket::TITLE, title)))).await?;
    cx.require(many.iter().map(|ticket| &*ticket.title).eq(titles), "in the given order")?;
    let mut keys: Vec<_> = many.iter().chain([&one]).map(|ticket| ticket.id).collect();
    keys.dedup();
    cx.require(keys.len() == 4, "a key each")?;
    let own = uuid::Uuid::from_u128(u128::MAX);
    let given =
        repo.insert(Ticket::build().set(Ticket::ID, own).set(Ticket::TITLE, "x").set(Ticket::LABEL, None)).await?;
    cx.require(given.id == own && given.label.is_none(), "what is given stays")
}

// Rows that are saved with their owner are filled in, and versions of them checked, as of others.
async fn members_that_are_saved(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    registry::fixture(&repo).await?;
    let account = repo.get_or_fail::<Account>(1, Query::preload(Account::ENTRIES)).await?;
    let (first, second) = (&account.entries()?[0], &account.entries()?[1]);
    let entry = Entry::build().set(Entry::TENANT_ID, 1).set(Entry::TEXT, "new");
    let saved = account
        .change()
        .edit(Account::ENTRIES, first.change().set(Entry::TEXT, "same"))
        .edit(Account::ENTRIES, second.change().set(Entry::TEXT, "same"))
        .push(Account::ENTRIES, entry);
    let saved = repo.update(saved).await?;
    let versions: Vec<_> = saved.entries()?.iter().map(|entry| (entry.text.as_str(), entry.version)).collect();
    cx.require(versions == [("same", 1), ("same", 1), ("new", 0)], "counted and begun")?;
    // Of two one is stale: nothing is written.
    let fresh = saved.entries()?[1].change().set(Entry::TEXT, "lost");
    let stale =
        saved.change().edit(Account::ENTRIES, fresh).edit(Account::ENTRIES, first.change().set(Entry::TEXT, "lost"));
    let error = repo.update(stale).await.map(drop).err();
    cx.require(error.is_some_and(|error| error.is_stale()), "stale")?;
    cx.rows("entries", "SELECT text, version FROM entries WHERE account_id = 1 ORDER BY id").await
}
