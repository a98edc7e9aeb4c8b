//! Links that `delete_sql` takes away when their owner is destroyed: by itself, by what it depends on, beside another association
//! of the same table, and with what fails.

use assoc_core::{Error, Result};
use assoc_repo::Changeset;
use assoc_repo::prelude::*;
use conformance_harness::{Context, Level, cases};
use conformance_written_models::orchestra::{self, Musician, Piece};
use conformance_written_models::studio::{self, Artist, Style};

cases! { "links_by_sql", Level::Write;
    f115_owner_destroyed,
    owners_far_below,
    beside_another_association,
    leading_nowhere,
    fails_at_each_statement,
    previewed_and_explained,
}

const LINKS: &str = "SELECT musician_id, piece_id, note FROM musicians_pieces ORDER BY musician_id, piece_id";

fn musician(name: &str) -> Changeset<Musician> {
    Musician::build().set(Musician::NAME, name)
}

// Two musicians with pieces, of which they share one, and one that has a piece twice.
async fn musicians(repo: &Repo) -> Result<(Musician, Musician, Vec<Piece>)> {
    orchestra::tables(repo).await?;
    let pieces = repo.insert_all(["Fugue", "O'Carolan"].map(|title| Piece::build().set(Piece::TITLE, title))).await?;
    let twice = [&pieces[0], &pieces[1], &pieces[1]];
    let ada = repo.insert(musician("Ada").push(Musician::PIECES, twice)).await?;
    let bob = repo.insert(musician("Bob").push(Musician::PIECES, &pieces[1])).await?;
    Ok((ada, bob, pieces))
}

async fn f115_owner_destroyed(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let (ada, bob, pieces) = musicians(&repo).await?;
    let report = cx.step("destroyed", repo.destroy(&ada)).await?;
    cx.note("report", report);
    cx.rows("links", LINKS).await?;
    cx.rows("musicians", "SELECT name FROM musicians").await?;
    cx.fails("once more", repo.destroy(&ada)).await?;
    let cyd = repo.insert(musician("Cyd")).await?;
    let report = cx.step("several, of which one has none", repo.destroy_rows([&bob, &cyd])).await?;
    cx.note("report", report);
    cx.rows("links", LINKS).await?;
    repo.insert(musician("Dan").push(Musician::PIECES, &pieces)).await?;
    let report = cx.step("of a query", repo.destroy_all(Query::filter(Musician::NAME.eq("Dan")))).await?;
    cx.note("report", report);
    cx.rows("notes", "SELECT note FROM musicians_pieces ORDER BY note").await?;
    // The other side has no `delete_sql`, so its links are deleted by their key.
    let kept = repo.insert(musician("Eve").push(Musician::PIECES, &pieces)).await?;
    cx.step("a target", repo.destroy(&pieces[0])).await?;
    let left = repo.association(&kept, Musician::PIECES).count().await?;
    cx.require(left == 1, "one is left")
}

// Owners that go because of others, in one transaction with them.
async fn owners_far_below(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let (ada, bob, pieces) = musicians(&repo).await?;
    let pupil = musician("Cyd").set(Musician::MENTOR_ID, bob.id).push(Musician::PIECES, &pieces[0]);
    repo.insert(pupil).await?;
    repo.update(bob.change().set(Musician::MENTOR_ID, ada.id)).await?;
    let report = cx.step("three levels", repo.destroy(&ada)).await?;
    cx.note("report", report);
    cx.rows("links", LINKS).await?;
    cx.rows("musicians", "SELECT name FROM musicians").await?;
    // By a save that destroys members.
    let mut dan = repo.insert(musician("Dan")).await?;
    let mut pupils = repo.association(&mut dan, Musician::PUPILS);
    let eve = pupils.create(musician("Eve").push(Musician::PIECES, &pieces[1])).await?;
    cx.step("by a handle of their owner", pupils.delete(&eve)).await?;
    cx.rows("notes", "SELECT note FROM musicians_pieces ORDER BY note").await
}

// What one association keeps, another one of the same table may delete.
async fn beside_another_association(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    studio::tables(&repo).await?;
    let style = |name: &str| Style::build().set(Style::NAME, name);
    let draft = Artist::build().set(Artist::NAME, "O'Ada").push(Artist::NOTED_STYLES, ["a", "b"].map(style));
    let ada = repo.insert(draft).await?;
    let bob = repo.insert(Artist::build().set(Artist::NAME, "Bob").push(Artist::STYLES, style("c"))).await?;
    let report = cx.step("destroyed", repo.destroy(&ada)).await?;
    cx.note("report", report);
    let links = "SELECT artist_name, style_id FROM artists_styles";
    cx.rows("links of others", links).await?;
    cx.step("destroyed", repo.destroy(&bob)).await?;
    cx.rows("links", links).await
}

// A link without a target has no row to give to the SQL.
async fn leading_nowhere(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let (ada, bob, _) = musicians(&repo).await?;
    repo.execute_raw("DELETE FROM pieces WHERE title = 'Fugue'", []).await?;
    cx.step("one of two leads nowhere", repo.destroy(&ada)).await?;
    cx.rows("links", LINKS).await?;
    let without = repo.filtered(|model| (model == Piece::DEF).then(|| Piece::TITLE.eq("none").into_expr()));
    cx.step("to a target that the repo hides", without.destroy(&bob)).await?;
    cx.rows("links", LINKS).await
}

async fn fails_at_each_statement(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let (ada, _, _) = musicians(&repo).await?;
    let mut failures = 0;
    for failed in 0..30 {
        cx.recorder().fail_after(failed);
        let result = repo.destroy(&ada).await;
        cx.recorder().fail_no_more();
        if result.is_ok() {
            break;
        }
        failures += 1;
        let links = repo.association(&ada, Musician::PIECES).count().await?;
        let musicians = repo.count(Query::<Musician>::new()).await?;
        cx.require(links == 3 && musicians == 2 && failed < 29, "all is as before")?;
    }
    cx.require(failures >= 5, "it fails at each statement")?;
    // Inside of a transaction that goes on.
    let bob = repo.one(Query::filter(Musician::NAME.eq("Bob"))).await?.ok_or_else(|| Error::other("Bob"))?;
    let tx = repo.begin().await?;
    let inner = tx.begin().await?;
    inner.destroy(&bob).await?;
    inner.rollback().await?;
    let links = tx.association(&bob, Musician::PIECES).count().await?;
    tx.commit().await?;
    cx.require(links == 1, "a savepoint undoes it")?;
    cx.rows("links", LINKS).await
}

async fn previewed_and_explained(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let (ada, _, _) = musicians(&repo).await?;
    let preview = repo.preview_destroy(&ada).await?;
    cx.note("preview", preview);
    let plan = repo.explain_destroy::<Musician>()?;
    let tree: Vec<&str> = plan.lines().take_while(|line| !line.is_empty()).collect();
    cx.note("plan", tree.join("\n"));
    cx.require(
        !plan.contains("DELETE FROM \"musicians_pieces\"") && !plan.contains("DELETE FROM `musicians_pieces`"),
        "no DELETE",
    )
}
