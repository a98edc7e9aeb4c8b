//! The version that an edit form carries: what was written since the form was made is not overwritten.

use assoc_core::Result;
use assoc_repo::prelude::*;
use assoc_repo::{Changeset, Permit};
use conformance_harness::{Context, Level, cases};
use conformance_written_models::registry::{self, Account, Document, Entry};
use serde_json::json;

cases! { "form_versions", Level::Write;
    of_a_row,
    of_members,
    of_new_rows,
    wrong_ones,
}

fn permit() -> Permit<Document> {
    Permit::new().column(Document::TITLE).column(Document::VERSION)
}

async fn of_a_row(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    repo.create_table::<Document>().await?;
    let made = repo.insert(Document::build().set(Document::TITLE, "one")).await?;
    let form = |title: &str, version: i16| [("title", title.to_owned()), ("version", version.to_string())];
    let same = made.change().cast(form("two", made.version), &permit());
    let row = cx.step("as it was", repo.update(same)).await?;
    cx.require((row.version, &*row.title) == (1, "two"), "written")?;
    // Another form was made from the first version, and the row is read when it comes back.
    let late = row.change().cast(form("three", made.version), &permit());
    let error = cx.fails("an old form", repo.update(late)).await?;
    cx.require(error.is_stale(), "stale")?;
    let late = row.change().cast(form("two", made.version), &permit());
    let error = cx.fails("one that changes nothing", repo.update(late)).await?;
    cx.require(error.is_stale(), "stale")?;
    cx.require(Changeset::<Document>::refused_by(&error).is_some(), "handed back")?;
    // A form from the future was forged.
    let forged = row.change().cast(form("three", 9), &permit());
    let error = cx.fails("a forged one", repo.update(forged)).await?;
    cx.require(error.is_stale(), "stale")?;
    // Between reading and writing the database decides.
    repo.update(row.change().set(Document::TITLE, "by others")).await?;
    let raced = row.change().cast(form("three", row.version), &permit());
    let error = cx.fails("written meanwhile", repo.update(raced)).await?;
    cx.require(error.is_stale(), "stale")?;
    let without = [("title", "four")];
    let now = repo.get_or_fail::<Document>(made.id, Query::new()).await?;
    let row = cx.step("a form without version", repo.update(now.change().cast(without, &permit()))).await?;
    let unpermitted = row.change().cast(form("five", 0), &Permit::new().column(Document::TITLE));
    cx.step("one that is not permitted", repo.update(unpermitted)).await?;
    cx.rows("documents", "SELECT title, version FROM documents").await
}

async fn of_members(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    registry::fixture(&repo).await?;
    let account = repo.get_or_fail::<Account>(1, Query::preload(Account::ENTRIES)).await?;
    let permit = Permit::new().nested(
        Account::ENTRIES,
        Permit::new().column(Entry::TEXT).column(Entry::TENANT_ID).column(Entry::VERSION).allow_destroy(),
    );
    let input = json!({ "entries": [{ "id": 1, "text": "x", "version": 0 }, { "id": 2, "text": "y", "version": 0 }] });
    let bare = repo.get_or_fail::<Account>(account.id, Query::new()).await?;
    cx.step("as they were", repo.update(bare.change().cast(input.clone(), &permit))).await?;
    let error = cx.fails("an old form", repo.update(bare.change().cast(input.clone(), &permit))).await?;
    cx.require(error.is_stale(), "stale")?;
    // What the owner has loaded is older still: the database decides.
    let error = cx.fails("members in memory", repo.update(account.change().cast(input, &permit))).await?;
    cx.require(error.is_stale(), "stale")?;
    let input = json!({ "entries": [{ "id": 2, "_destroy": true, "version": 1 }, { "text": "new", "tenant_id": 1, "version": 7 }] });
    cx.step("destroyed and new", repo.update(bare.change().cast(input, &permit))).await?;
    cx.rows("entries", "SELECT text, version FROM entries ORDER BY text").await
}

async fn of_new_rows(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    repo.create_table::<Document>().await?;
    for version in ["", "7", "no number"] {
        let draft = Document::cast([("title", "new"), ("version", version)], &permit());
        let row = cx.step("inserted", repo.insert(draft)).await?;
        cx.require(row.version == 0, "the first version")?;
    }
    Ok(())
}

async fn wrong_ones(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    repo.create_table::<Document>().await?;
    let row = repo.insert(Document::build().set(Document::TITLE, "one")).await?;
    for version in [json!(null), json!(""), json!("x"), json!(1.5), json!(70000)] {
        let change = row.change().cast(json!({ "title": "two", "version": version }), &permit());
        let error = cx.fails("refused", repo.update(change)).await?;
        cx.require(!error.is_stale(), "a problem of the field")?;
    }
    cx.rows("documents", "SELECT title, version FROM documents").await
}
