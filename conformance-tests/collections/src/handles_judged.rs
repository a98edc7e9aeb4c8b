//! Rows between of which nothing is said but whom they link: the rules of their model judge them as those that are given.

use assoc_core::Result;
use assoc_repo::prelude::*;
use conformance_harness::{Context, Level, cases};
use conformance_written_models::choirs::{self, Choir, Seat, Singer};

cases! { "handles_judged", Level::Collection;
    f60_rules_of_links,
    f60_links_that_are_not_judged,
    f60_links_prompted_by_a_callback,
}

const SEATS: &str = "SELECT singer_id, part FROM seats ORDER BY id";

async fn singers(repo: &Repo) -> Result<Vec<Singer>> {
    repo.all(Query::new().order_by(Singer::ID.asc())).await
}

fn show(cx: &mut Context, error: &Error) -> Result<()> {
    let ErrorKind::Invalid { model, errors } = error.kind() else { return cx.require(false, "invalid") };
    cx.show(&format!("problems of {model}"), errors.iter().map(|error| (&error.path, &error.code)));
    Ok(())
}

// By each call that would make such a row, before any SQL writes.
async fn f60_rules_of_links(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let mut choir = choirs::fixture(&repo).await?;
    let all = singers(&repo).await?;
    let [ada, ben, ..] = &*all else { return cx.require(false, "four singers") };
    let new = || Singer::build().set(Singer::NAME, "Eve");
    let before = choir.clone();
    let mut handle = repo.association(&mut choir, Choir::SINGERS);
    let errors = [
        cx.fails("push", handle.push(ben)).await?,
        cx.fails("one of several", handle.push([ada, ben])).await?,
        cx.fails("push_with", handle.push_with::<Seat, _>(ben, |seat| seat)).await?,
        cx.fails("replace", handle.replace([ada, ben])).await?,
        cx.fails("set_ids", handle.set_ids([ben.id])).await?,
        cx.fails("of a new owner", repo.insert(Choir::build().set(Choir::NAME, "South").push(Choir::SINGERS, ben)))
            .await?,
        cx.fails("a single one", repo.association(&mut choir, Choir::SOLOIST).set(ben)).await?,
    ];
    for error in &errors {
        show(cx, error)?;
    }
    let mut loud = repo.association(&mut choir, Choir::LOUD_SINGERS);
    let built = loud.build()?.set(Singer::NAME, "Eve");
    let errors = [
        cx.fails("what a condition says", loud.push(ada)).await?,
        cx.fails("create", loud.create(new())).await?,
        cx.fails("insert_all", loud.insert_all([new()])).await?,
        cx.fails("built", repo.insert(built)).await?,
    ];
    for error in &errors {
        show(cx, error)?;
    }
    cx.require(choir == before, "the owner stays as it is")?;
    let explained = repo.explain_save(&before.change().push(Choir::SINGERS, ben));
    cx.require(explained.is_err(), "refused by the plan as well")?;
    cx.rows("nothing is written", SEATS).await?;
    let mut handle = repo.association(&mut choir, Choir::SINGERS);
    cx.step("push of a valid one", handle.push(ada)).await?;
    cx.step("of a new one, whose key no rule knows", handle.push(new())).await?;
    cx.rows("seats", SEATS).await
}

// By an association that says so, and where the row is there already.
async fn f60_links_that_are_not_judged(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let mut choir = choirs::fixture(&repo).await?;
    let all = singers(&repo).await?;
    cx.step("validate = false", repo.association(&mut choir, Choir::GUESTS).push(&all[1])).await?;
    cx.step("linked already", repo.association(&mut choir, Choir::SINGERS).replace([&all[1]])).await?;
    cx.rows("seats", SEATS).await
}

// Rules judge what `before_validate` leaves; where no callbacks run, what is there without.
async fn f60_links_prompted_by_a_callback(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let mut choir = choirs::fixture(&repo).await?;
    let all = singers(&repo).await?;
    let mut prompted = repo.association(&mut choir, Choir::PROMPTED_SINGERS);
    for at in [2, 3] {
        let error = cx.fails(all[at].name.as_str(), prompted.push(&all[at])).await?;
        show(cx, &error)?;
    }
    let error = cx.fails("one of several", prompted.replace([&all[0], &all[2]])).await?;
    show(cx, &error)?;
    let error = cx.fails("insert_all", prompted.insert_all([Singer::build().set(Singer::NAME, "Eve")])).await?;
    show(cx, &error)?;
    cx.rows("nothing is written", SEATS).await?;
    cx.step("Ada", prompted.push(&all[0])).await?;
    cx.rows("seats", SEATS).await
}
