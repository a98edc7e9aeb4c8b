//! Handles of associations whose rows between refuse to go, are one type of several, have callbacks, a version or a rule, or are
//! hidden by the repo.

use assoc_core::{Error, Result};
use assoc_repo::Changeset;
use assoc_repo::prelude::*;
use conformance_harness::{Context, Level, cases};
use conformance_written_models::orchestra::{
    self, Concert, Contract, Engagement, Ensemble, Lease, Musician, Pledge, Rehearsal,
};

cases! { "handles_between", Level::Collection;
    rows_that_refuse,
    rows_that_go_without_callbacks,
    one_type_of_several,
    f54_rows_with_callbacks,
    f54_rows_with_versions,
    f54_rows_that_refuse,
    f54_hidden_rows,
    f54_fails_at_each_statement,
}

const ENGAGEMENTS: &str = "SELECT musician_id, ensemble_id, part FROM engagements ORDER BY ensemble_id, part";
const ENSEMBLES: &str = "SELECT name, engagements_count FROM ensembles ORDER BY name";

fn concert(title: &str) -> Changeset<Concert> {
    Concert::build().set(Concert::TITLE, title)
}

fn ensemble(name: &str) -> Changeset<Ensemble> {
    Ensemble::build().set(Ensemble::NAME, name)
}

async fn ada(repo: &Repo) -> Result<Musician> {
    orchestra::tables(repo).await?;
    repo.insert(Musician::build().set(Musician::NAME, "Ada")).await
}

async fn unloaded(repo: &Repo) -> Result<Musician> {
    repo.get_or_fail::<Musician>(1, Query::new()).await
}

// Of three members the row between of one refuses. Each call that would destroy it changes nothing, neither rows, counters nor
// memory; loaded and not loaded.
async fn rows_that_refuse(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let mut ada = ada(&repo).await?;
    let mut ensembles = repo.association(&mut ada, Musician::ENSEMBLES);
    let all = ensembles.create_all(["quartet", "quintet"].map(ensemble)).await?;
    let kept = repo.insert(ensemble("trio")).await?;
    ensembles.push_with::<Engagement, _>(&kept, |row| row.set(Engagement::PART, "kept")).await?;
    for loaded in [false, true] {
        let mut owner = unloaded(&repo).await?;
        let mut ensembles = repo.association(&mut owner, Musician::ENSEMBLES);
        if loaded {
            ensembles.load().await?;
        }
        let before = ensembles.owner().clone();
        cx.note("loaded", loaded);
        cx.fails("delete", ensembles.delete([&all[0], &kept])).await?;
        cx.fails("destroy", ensembles.destroy([&all[0], &kept])).await?;
        cx.fails("delete_ids", ensembles.delete_ids([kept.id])).await?;
        cx.fails("destroy_ids", ensembles.destroy_ids([all[1].id, kept.id])).await?;
        cx.fails("destroy_all", ensembles.destroy_all()).await?;
        cx.fails("replace", ensembles.replace([ensemble("octet")])).await?;
        cx.fails("set_ids", ensembles.set_ids([all[0].id])).await?;
        cx.require(ensembles.owner() == &before, "the owner stays as it is")?;
    }
    cx.rows("engagements", ENGAGEMENTS).await?;
    cx.rows("ensembles", ENSEMBLES).await?;
    cx.fails("the owner", repo.destroy(&ada)).await?;
    cx.step("the others go", repo.association(&mut ada, Musician::ENSEMBLES).delete(&all)).await?;
    cx.rows("engagements", ENGAGEMENTS).await?;
    cx.rows("ensembles", ENSEMBLES).await
}

// What deletes links asks no row between.
async fn rows_that_go_without_callbacks(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let mut ada = ada(&repo).await?;
    let kept = repo.insert_all(["quartet", "trio"].map(ensemble)).await?;
    for ensemble in &kept {
        let mut ensembles = repo.association(&mut ada, Musician::ENSEMBLES);
        ensembles.push_with::<Engagement, _>(ensemble, |row| row.set(Engagement::PART, "kept")).await?;
    }
    let mut plain = repo.association(&mut ada, Musician::PLAIN_ENSEMBLES);
    cx.step("delete, without a rule", plain.delete(&kept[0])).await?;
    cx.fails("destroy asks them", plain.destroy(&kept[1])).await?;
    cx.rows("ensembles", ENSEMBLES).await?;
    let deleted = cx.step("delete_all", repo.association(&mut ada, Musician::ENSEMBLES).delete_all()).await?;
    cx.require(deleted == 1, "one link")?;
    cx.rows("engagements", ENGAGEMENTS).await?;
    cx.rows("ensembles", ENSEMBLES).await
}

// Rows of other types of the same table are no links, and stay.
async fn one_type_of_several(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let mut ada = ada(&repo).await?;
    const ROWS: &str = "SELECT kind, musician_id, concert_id FROM performances ORDER BY kind, concert_id";
    let concerts = repo.insert_all(["a", "b", "c"].map(concert)).await?;
    for concert in &concerts[..2] {
        let rehearsal = Rehearsal::build().set(Rehearsal::CONCERT_ID, concert.id).set(Rehearsal::MUSICIAN_ID, ada.id);
        repo.insert(rehearsal).await?;
    }
    let mut solos = repo.association(&mut ada, Musician::SOLO_CONCERTS);
    let none = solos.count().await? == 0 && solos.is_empty().await? && !solos.contains(&concerts[0]).await?;
    cx.require(none, "rehearsals are no solos")?;
    cx.fails("no member", solos.delete(&concerts[0])).await?;
    cx.step("pushed", solos.push([&concerts[0], &concerts[2]])).await?;
    cx.rows("rows", ROWS).await?;
    cx.step("created", solos.create(concert("d"))).await?;
    cx.step("built, and saved alone", repo.insert(solos.build()?.set(Concert::TITLE, "e"))).await?;
    solos.reload().await?;
    cx.require(solos.ids().await? == [1, 3, 4, 5], "four solos")?;
    cx.step("deleted", solos.delete(&concerts[0])).await?;
    cx.step("destroyed", solos.destroy_ids([4])).await?;
    cx.step("replaced", solos.replace([&concerts[1], &concerts[2]])).await?;
    cx.rows("rows", ROWS).await?;
    cx.step("by keys", solos.set_ids([2, 2])).await?;
    cx.rows("rows", ROWS).await?;
    cx.step("delete_all", solos.delete_all()).await?;
    cx.rows("rows", ROWS).await
}

async fn f54_rows_with_callbacks(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let mut ada = ada(&repo).await?;
    const CONTRACTS: &str = "SELECT musician_id, ensemble_id, role FROM contracts ORDER BY id";
    let ensembles = repo.insert_all(["quartet", "trio"].map(ensemble)).await?;
    let mut employer = repo.association(&mut ada, Musician::EMPLOYER);
    cx.step("none yet", employer.set(&ensembles[0])).await?;
    repo.execute_raw("UPDATE contracts SET role = 'first'", []).await?;
    cx.step("another row takes its place", employer.set(&ensembles[1])).await?;
    cx.rows("contracts", CONTRACTS).await?;
    repo.execute_raw("UPDATE contracts SET role = 'kept'", []).await?;
    let before = employer.owner().clone();
    cx.fails("a row that refuses", employer.set(&ensembles[0])).await?;
    cx.fails("for a new target", employer.create(ensemble("octet"))).await?;
    cx.fails("for none", employer.clear()).await?;
    cx.step("the same is no change", employer.set(&ensembles[1])).await?;
    cx.require(employer.owner() == &before, "the owner stays as it is")?;
    cx.rows("contracts", CONTRACTS).await?;
    cx.rows("ensembles", "SELECT name FROM ensembles ORDER BY name").await
}

async fn f54_rows_with_versions(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let mut ada = ada(&repo).await?;
    const LEASES: &str = "SELECT musician_id, concert_id, note, version FROM leases ORDER BY id";
    let concerts = repo.insert_all(["a", "b"].map(concert)).await?;
    let draft = Lease::build().set(Lease::CONCERT_ID, concerts[0].id).set(Lease::NOTE, "first");
    repo.association(&mut ada, Musician::LEASE).create(draft).await?;
    let mut leased = repo.association(&mut ada, Musician::LEASED);
    leased.load().await?;
    cx.step("another target", leased.set(&concerts[1])).await?;
    cx.require(leased.target().flatten().is_some_and(|concert| concert.title == "b"), "loaded")?;
    cx.rows("leases", LEASES).await?;
    cx.step("a new one", leased.create(concert("c"))).await?;
    cx.rows("leases", LEASES).await?;
    cx.step("none", leased.clear()).await?;
    cx.rows("leases", LEASES).await
}

// The rule of the association to the row between says what becomes of the row.
async fn f54_rows_that_refuse(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let mut ada = ada(&repo).await?;
    const PLEDGES: &str = "SELECT musician_id, concert_id, note FROM pledges ORDER BY id";
    let concerts = repo.insert_all(["a", "b"].map(concert)).await?;
    let draft = Pledge::build().set(Pledge::CONCERT_ID, concerts[0].id).set(Pledge::NOTE, "first");
    repo.association(&mut ada, Musician::PLEDGE).create(draft).await?;
    let mut pledged = repo.association(&mut ada, Musician::PLEDGED);
    cx.step("the row leads to another target", pledged.set(&concerts[1])).await?;
    cx.rows("pledges", PLEDGES).await?;
    let before = pledged.owner().clone();
    let result = pledged.clear().await;
    cx.note("cleared", result.as_ref().err().map_or_else(|| "yes".to_owned(), Error::to_string));
    cx.require(result.is_ok() || pledged.owner() == &before, "the owner stays as it is")?;
    cx.rows("pledges", PLEDGES).await?;
    cx.rows("concerts", "SELECT title FROM concerts ORDER BY title").await
}

// A repo that hides the row between, or the target: what it does not see it neither moves nor deletes.
async fn f54_hidden_rows(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let mut ada = ada(&repo).await?;
    const PLEDGES: &str = "SELECT musician_id, concert_id, note FROM pledges ORDER BY id";
    let concerts = repo.insert_all(["a", "b", "hidden"].map(concert)).await?;
    let draft = Pledge::build().set(Pledge::CONCERT_ID, concerts[2].id).set(Pledge::NOTE, "hidden");
    repo.association(&mut ada, Musician::PLEDGE).create(draft).await?;
    let no_target = repo.filtered(|model| (model == Concert::DEF).then(|| Concert::TITLE.ne("hidden").into_expr()));
    let no_row = repo.filtered(|model| {
        (model == Pledge::DEF).then(|| Pledge::NOTE.is_null().or(Pledge::NOTE.ne("hidden".to_owned())).into_expr())
    });
    for (title, repo) in [("a hidden target", &no_target), ("a hidden row between", &no_row)] {
        let mut owner = unloaded(repo).await?;
        let pledged = repo.association(&mut owner, Musician::PLEDGED);
        let none = pledged.get().await?.is_none() && !pledged.exists().await?;
        cx.require(none, "it is not seen")?;
        cx.note("of", title);
        let tx = repo.begin().await?;
        let mut owner = unloaded(&tx).await?;
        let mut pledged = tx.association(&mut owner, Musician::PLEDGED);
        let cleared = cx.step("cleared", pledged.clear()).await;
        cx.note("cleared", cleared.err().map_or_else(|| "yes".to_owned(), |error| error.to_string()));
        let set = cx.step("set", pledged.set(&concerts[0])).await;
        cx.note("set", set.err().map_or_else(|| "yes".to_owned(), |error| error.to_string()));
        let pledges: Vec<Pledge> = tx.query_raw("SELECT * FROM pledges ORDER BY concert_id", []).await?;
        let pledges: Vec<_> = pledges.iter().map(|row| (row.musician_id, row.concert_id, &row.note)).collect();
        cx.note("pledges", format!("{pledges:?}"));
        tx.rollback().await?;
    }
    let mut owner = unloaded(&no_target).await?;
    cx.fails("a target that is hidden", no_target.association(&mut owner, Musician::PLEDGED).set(&concerts[2])).await?;
    cx.rows("pledges", PLEDGES).await
}

async fn f54_fails_at_each_statement(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let mut ada = ada(&repo).await?;
    let ensembles = repo.insert_all(["quartet", "trio"].map(ensemble)).await?;
    repo.association(&mut ada, Musician::EMPLOYER).set(&ensembles[0]).await?;
    let draft = Contract::build().set(Contract::ENSEMBLE_ID, ensembles[1].id);
    cx.require(draft.is_new(), "a row between has a model of its own")?;
    let mut failures = 0;
    for call in 0..3 {
        for failed in 0..20 {
            let tx = repo.begin().await?;
            let mut owner = ada.clone();
            let mut employer = tx.association(&mut owner, Musician::EMPLOYER);
            cx.recorder().fail_after(failed);
            let result = match call {
                0 => employer.set(&ensembles[1]).await,
                1 => employer.create(ensemble("octet")).await.map(drop),
                _ => employer.clear().await,
            };
            cx.recorder().fail_no_more();
            tx.rollback().await?;
            if result.is_ok() {
                break;
            }
            failures += 1;
            cx.require(owner == ada && failed < 19, "the owner stays as it is")?;
        }
    }
    cx.require(failures >= 6, "each call fails at each statement")?;
    cx.rows("contracts", "SELECT musician_id, role FROM contracts").await
}
