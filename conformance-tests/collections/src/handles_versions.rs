//! Members with a `lock_version` that go: a struct that is older than its row is refused by whatever call takes it away; what is
//! named by its key, or by nothing, goes. And rows between that need more than two keys.

use assoc_core::Result;
use assoc_repo::prelude::*;
use assoc_repo::{Changeset, Permit};
use conformance_harness::{Context, Level, cases};
use conformance_written_models::binders::{self, Binder, Filing, Folder, Label, Note, Sheet, Slip, Topic};
use serde_json::json;

cases! { "handles_versions", Level::Collection;
    f66_f69_by_each_call,
    by_each_rule,
    by_keys_and_all,
    of_single_targets,
    written_by_callbacks,
    of_forms,
    behind_rows_between,
    f60_links_that_need_more,
    links_given_by_others,
}

const SHEETS: &str = "SELECT name, binder_id, version FROM sheets ORDER BY name";

async fn sheet(repo: &Repo, name: &str) -> Result<Sheet> {
    let sheet = repo.one(Query::filter(Sheet::NAME.eq(name))).await?;
    sheet.ok_or_else(|| Error::other(format!("no sheet {name}")))
}

// A sheet that is older than its row.
async fn old_sheet(repo: &Repo, name: &str) -> Result<Sheet> {
    let old = sheet(repo, name).await?;
    let now = repo.update(old.change().set(Sheet::NAME, "written meanwhile")).await?;
    repo.update(now.change().set(Sheet::NAME, name)).await?;
    Ok(old)
}

async fn f66_f69_by_each_call(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    binders::fixture(&repo).await?;
    let (old, fresh) = (old_sheet(&repo, "a").await?, sheet(&repo, "b").await?);
    for loaded in [false, true] {
        let mut binder = repo.get_or_fail::<Binder>(1, Query::new()).await?;
        let mut sheets = repo.association(&mut binder, Binder::SHEETS);
        if loaded {
            sheets.load().await?;
        }
        let before = sheets.owner().clone();
        cx.note("loaded", loaded);
        let errors = [
            cx.fails("delete", sheets.delete(&old)).await?,
            cx.fails("one of several", sheets.delete([&fresh, &old])).await?,
            cx.fails("destroy", sheets.destroy([&fresh, &old])).await?,
            cx.fails("a fresh one as well", sheets.delete([&sheet(&repo, "a").await?, &old])).await?,
        ];
        cx.note("error", &errors[0]);
        cx.require(errors.iter().all(Error::is_stale), "stale")?;
        cx.require(sheets.owner() == &before, "the owner stays as it is")?;
        let change = || before.change().set(Binder::NAME, "red").remove(Binder::SHEETS, &fresh);
        let errors = [
            cx.fails("remove", repo.update(change().remove(Binder::SHEETS, &old))).await?,
            cx.fails("marked", repo.update(change().edit(Binder::SHEETS, old.change().mark_for_destruction()))).await?,
        ];
        cx.require(errors.iter().all(Error::is_stale), "stale")?;
        let refused = Changeset::<Binder>::refused_by(&errors[0]);
        cx.require(refused.is_some(), "handed back")?;
    }
    cx.rows("sheets", SHEETS).await?;
    let mut binder = repo.get_or_fail::<Binder>(1, Query::new()).await?;
    let mut sheets = repo.association(&mut binder, Binder::SHEETS);
    cx.step("as they are: delete", sheets.delete([&sheet(&repo, "a").await?, &fresh])).await?;
    cx.step("as it is: destroy", sheets.destroy(&sheet(&repo, "c").await?)).await?;
    cx.rows("sheets", SHEETS).await
}

async fn by_each_rule(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let binder = binders::fixture(&repo).await?;
    macro_rules! refused {
        ($($model:ident $association:ident $field:ident, $sql:literal;)+) => {$(
            let old = binder.$field()?.to_vec();
            repo.update(old[0].change().set($model::NAME, "A")).await?;
            let mut owner = binder.clone();
            let mut members = repo.association(&mut owner, Binder::$association);
            let error = cx.fails(concat!(stringify!($association), " delete"), members.delete(&old[..2])).await?;
            cx.require(error.is_stale(), "stale")?;
            let error = cx.fails("destroy", members.destroy(&old[..2])).await?;
            cx.require(error.is_stale(), "stale")?;
            cx.rows(stringify!($field), $sql).await?;
            cx.step("delete another", members.delete(&old[1])).await?;
            cx.step("destroy another", members.destroy(&old[2])).await?;
            cx.show("what is left in the list", owner.$field()?.iter().map(|row| (&row.name, row.version)));
            cx.rows(stringify!($field), $sql).await?;
        )+};
    }
    refused! {
        Sheet SHEETS sheets, "SELECT name, binder_id, version FROM sheets ORDER BY id";
        Slip SLIPS slips, "SELECT name, binder_id, version FROM slips ORDER BY id";
        Folder FOLDERS folders, "SELECT name, binder_id, version FROM folders ORDER BY id";
        Note NOTES notes, "SELECT name, stuck_to_id, version FROM notes ORDER BY id";
    }
    cx.rows("tabs", "SELECT folder_id FROM tabs ORDER BY id").await
}

// Who names a row by its key, or all rows, has seen none: the rows go, whatever is loaded.
async fn by_keys_and_all(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let binder = binders::fixture(&repo).await?;
    repo.update_all(Query::<Sheet>::new(), [Sheet::VERSION.to(7)]).await?;
    repo.update_all(Query::<Folder>::new(), [Folder::VERSION.to(7)]).await?;
    let own = || binder.clone();
    let mut owner = own();
    let mut sheets = repo.association(&mut owner, Binder::SHEETS);
    cx.step("delete_ids", sheets.delete_ids([1])).await?;
    cx.step("destroy_ids", sheets.destroy_ids([2])).await?;
    cx.step("set_ids", sheets.set_ids([1])).await?;
    cx.step("replace", sheets.replace([] as [&Sheet; 0])).await?;
    cx.rows("sheets", SHEETS).await?;
    let mut owner = own();
    let mut folders = repo.association(&mut owner, Binder::FOLDERS);
    cx.step("delete_ids, destroyed", folders.delete_ids([1])).await?;
    cx.step("destroy_all", folders.destroy_all()).await?;
    let mut owner = own();
    cx.step("delete_all", repo.association(&mut owner, Binder::SLIPS).delete_all()).await?;
    repo.update_all(Query::<Note>::new(), [Note::VERSION.to(7)]).await?;
    cx.step("with its owner", repo.destroy(&binder)).await?;
    cx.rows("notes", "SELECT name, stuck_to_id, version FROM notes ORDER BY id").await
}

async fn of_single_targets(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    const LABELS: &str = "SELECT name, binder_id, version FROM labels ORDER BY id";
    let binder = binders::fixture(&repo).await?;
    let Some(old) = binder.label()?.cloned() else { return cx.require(false, "a label") };
    let now = repo.update(old.change().set(Label::NAME, "b")).await?;
    let removed = |label: &Label| binder.change().remove(Binder::LABEL, label);
    let marked = |label: &Label| binder.change().edit(Binder::LABEL, label.change().mark_for_destruction());
    for change in [removed(&old), marked(&old)] {
        let error = cx.fails("an old struct", repo.update(change)).await?;
        cx.require(error.is_stale(), "stale")?;
    }
    cx.rows("labels", LABELS).await?;
    cx.step("as it is", repo.update(marked(&now))).await?;
    cx.rows("labels", LABELS).await?;
    // What another one replaces is what the database has, whatever is loaded.
    let mut owner = repo.update(binder.change().set_one(Binder::LABEL, Label::build().set(Label::NAME, "c"))).await?;
    repo.update_all(Query::<Label>::new(), [Label::VERSION.to(7_u32)]).await?;
    let mut label = repo.association(&mut owner, Binder::LABEL);
    cx.step("set", label.set(Label::build().set(Label::NAME, "d"))).await?;
    repo.update_all(Query::<Label>::new(), [Label::VERSION.to(7_u32)]).await?;
    cx.step("clear", label.clear()).await?;
    cx.rows("labels", LABELS).await
}

// A callback of the same save writes to the row before it goes: no other program has changed it.
async fn written_by_callbacks(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let binder = binders::fixture(&repo).await?;
    let folders = binder.folders()?.to_vec();
    let mut owner = binder.clone();
    cx.step("before_destroy", repo.association(&mut owner, Binder::FOLDERS).destroy(&folders[0])).await?;
    let mut numbered = repo.association(&mut owner, Binder::NUMBERED_FOLDERS);
    cx.step("before_remove", numbered.delete(&folders[1])).await?;
    repo.update(folders[2].change().set(Folder::NAME, "later")).await?;
    let error = cx.fails("written by others", numbered.delete(&folders[2])).await?;
    cx.require(error.is_stale(), "stale")?;
    cx.rows("folders", "SELECT name, version FROM folders").await
}

async fn of_forms(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let binder = binders::fixture(&repo).await?;
    let sheets = Permit::new().column(Sheet::NAME).column(Sheet::VERSION).allow_destroy();
    let permit = Permit::new().nested(Binder::SHEETS, sheets);
    repo.update(binder.sheets()?[0].change().set(Sheet::NAME, "A")).await?;
    let form = |version: serde_json::Value| {
        let input = json!({"sheets": [{"id": 1, "_destroy": true, "version": version}, {"id": 2, "_destroy": true}]});
        binder.change().cast(input, &permit)
    };
    let error = cx.fails("an old form", repo.update(form(json!(0)))).await?;
    cx.require(error.is_stale(), "stale")?;
    let error = cx.fails("no number", repo.update(form(json!("x")))).await?;
    cx.note("error", &error);
    cx.rows("sheets", SHEETS).await?;
    cx.step("as it was", repo.update(form(json!(1)))).await?;
    cx.rows("sheets", SHEETS).await?;
    let by_key = json!({"sheets": [{"id": 3, "_destroy": true}]});
    repo.update_all(Query::<Sheet>::new(), [Sheet::VERSION.to(7)]).await?;
    cx.step("by its key", repo.update(binder.change().cast(by_key, &permit))).await?;
    cx.rows("sheets", SHEETS).await
}

// The rows between go, of which no struct was given. Given as members of their own association, they are compared.
async fn behind_rows_between(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let mut binder = binders::fixture(&repo).await?;
    let topics = repo.insert_all(["looms", "engines"].map(|name| Topic::build().set(Topic::NAME, name))).await?;
    for topic in &topics {
        let mut of_binder = repo.association(&mut binder, Binder::TOPICS);
        of_binder.push_with::<Filing, _>(topic, |filing| filing.set(Filing::DRAWER, "top")).await?;
    }
    let filings = repo.all(Query::<Filing>::new().order_by(Filing::ID.asc())).await?;
    repo.update_all(Query::<Topic>::new(), [Topic::VERSION.to(7)]).await?;
    repo.update_all(Query::<Filing>::new(), [Filing::VERSION.to(7)]).await?;
    let error = cx.fails("the row itself", repo.association(&mut binder, Binder::FILINGS).destroy(&filings[0])).await?;
    cx.require(error.is_stale(), "stale")?;
    let mut of_binder = repo.association(&mut binder, Binder::TOPICS);
    cx.step("delete", of_binder.delete(&topics[0])).await?;
    cx.step("destroy", of_binder.destroy(&topics[1])).await?;
    of_binder.push_with::<Filing, _>(&topics[0], |filing| filing.set(Filing::DRAWER, "low")).await?;
    let form = topics[0].change().cast([("version", "5")], &Permit::new().column(Topic::VERSION));
    let marked = binder.change().edit(Binder::TOPICS, form.mark_for_destruction());
    cx.step("marked, with the version of a form", repo.update(marked)).await?;
    cx.rows("filings", "SELECT topic_id FROM filings").await?;
    cx.rows("topics", "SELECT name, version FROM topics ORDER BY id").await
}

// A row between that has no drawer is refused before any SQL, by whatever call would make it.
async fn f60_links_that_need_more(cx: &mut Context) -> Result<()> {
    const FILINGS: &str = "SELECT topic_id, drawer FROM filings ORDER BY id";
    let repo = cx.repo();
    let mut binder = binders::fixture(&repo).await?;
    let stored = repo.insert(Topic::build().set(Topic::NAME, "looms")).await?;
    let new = || Topic::build().set(Topic::NAME, "engines");
    let before = binder.clone();
    let mut topics = repo.association(&mut binder, Binder::TOPICS);
    let built = topics.build()?.set(Topic::NAME, "built");
    let errors = [
        cx.fails("push_with", topics.push_with::<Filing, _>(&stored, |filing| filing)).await?,
        cx.fails("push", topics.push(&stored)).await?,
        cx.fails("push of a new one", topics.push(new())).await?,
        cx.fails("create", topics.create(new())).await?,
        cx.fails("replace by a stored one", topics.replace([&stored])).await?,
        cx.fails("replace by a new one", topics.replace([new()])).await?,
        cx.fails("set_ids", topics.set_ids([stored.id])).await?,
        cx.fails("built", repo.insert(built)).await?,
        cx.fails("of a new owner", repo.insert(Binder::build().set(Binder::NAME, "red").push(Binder::TOPICS, new())))
            .await?,
    ];
    for error in &errors {
        let ErrorKind::Invalid { errors, .. } = error.kind() else { return cx.require(false, "invalid") };
        cx.show("problems", errors.iter().map(|error| (&error.path, &error.code)));
    }
    cx.require(topics.owner() == &before, "the owner stays as it is")?;
    cx.require(Changeset::<Binder>::refused_by(&errors[1]).is_some(), "handed back")?;
    let explained = repo.explain_save(&before.change().push(Binder::TOPICS, &stored));
    cx.require(explained.is_err(), "refused by the plan as well")?;
    cx.rows("filings", FILINGS).await?;
    cx.step("with a drawer", topics.push_with::<Filing, _>(&stored, |filing| filing.set(Filing::DRAWER, "top")))
        .await?;
    // It is linked already: no row is made.
    cx.step("replaced by itself", topics.replace([&stored])).await?;
    cx.step("set_ids, the same", topics.set_ids([stored.id])).await?;
    cx.fails("one more", topics.replace([stored.change(), new()])).await?;
    cx.rows("filings", FILINGS).await
}

// What the conditions of the association say, or a callback, need not be given.
async fn links_given_by_others(cx: &mut Context) -> Result<()> {
    const FILINGS: &str = "SELECT topic_id, drawer FROM filings ORDER BY id";
    let repo = cx.repo();
    let mut binder = binders::fixture(&repo).await?;
    let topic = |name: &str| Topic::build().set(Topic::NAME, name);
    cx.step("by a condition", repo.association(&mut binder, Binder::FIRST_TOPICS).push(topic("a"))).await?;
    cx.step("by a callback", repo.association(&mut binder, Binder::STAMPED_TOPICS).push(topic("b"))).await?;
    cx.rows("filings", FILINGS).await
}
