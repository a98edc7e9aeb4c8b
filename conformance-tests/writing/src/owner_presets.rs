//! What conditions that depend on the owner, and conditions of rows between, say of new rows.

use assoc_core::{FieldError, Result};
use assoc_repo::prelude::*;
use assoc_repo::{Changeset, Permit};
use conformance_harness::{Context, Level, cases};
use conformance_written_models::diary::{self, Article, Event, Person, Reading};
use serde_json::json;

cases! { "owner_presets", Level::Write;
    built_and_created,
    saved_with_the_owner,
    contradicted,
    rows_between,
    rows_between_by_owner,
    of_input,
}

async fn ada(repo: &Repo) -> Result<Person> {
    diary::tables(repo).await?;
    repo.insert(Person::build().set(Person::TENANT_ID, 7).set(Person::BIRTH_YEAR, 1815)).await
}

fn event(text: &str) -> Changeset<Event> {
    Event::build().set(Event::TEXT, text)
}

async fn events(cx: &mut Context) -> Result<()> {
    cx.rows("events", "SELECT person_id, year, main, text FROM events ORDER BY text").await
}

fn is_outside(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Invalid { errors, .. } if errors.iter().any(|error| error.code == FieldError::OUTSIDE_SCOPE))
}

async fn built_and_created(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let mut ada = ada(&repo).await?;
    {
        let mut events = repo.association(&mut ada, Person::EVENTS);
        let draft = events.build()?.set(Event::TEXT, "built");
        cx.step("built", events.push(draft)).await?;
        let made = cx.step("created", events.create(event("created"))).await?;
        cx.require(made.year == 1815, "the year is the owner's")?;
        events.load().await?;
        cx.require(events.target().is_some_and(|events| events.len() == 2), "the association sees them")?;
    }
    let draft = repo.association(&mut ada, Person::BIRTH).build()?.set(Event::TEXT, "birth");
    cx.step("of a has_one, built", repo.insert(draft)).await?;
    events(cx).await?;
    let held = repo.get_or_fail::<Person>(ada.id, Query::preload(Person::BIRTH)).await?;
    cx.require(held.birth()?.is_some_and(|birth| birth.text == "birth"), "it is seen")?;
    // What it has is said by a function, so nothing can be let go.
    let mut birth = repo.association(&mut ada, Person::BIRTH);
    cx.fails("of a has_one, replaced", birth.create(event("another"))).await.map(drop)
}

async fn saved_with_the_owner(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let ada = ada(&repo).await?;
    let ada = cx.step("pushed", repo.update(ada.change().push(Person::EVENTS, event("a")))).await?;
    // By what the owner is afterwards.
    let moved = ada.change().set(Person::BIRTH_YEAR, 1906).push(Person::EVENTS, event("b"));
    cx.step("with another year", repo.update(moved)).await?;
    // A new owner is no row yet that its scope could be asked about.
    let new = Person::build().set(Person::TENANT_ID, 1).set(Person::BIRTH_YEAR, 2000).push(Person::EVENTS, event("d"));
    cx.step("of a new owner", repo.insert(new)).await?;
    events(cx).await
}

async fn contradicted(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let mut ada = ada(&repo).await?;
    let other = || event("x").set(Event::YEAR, 1900);
    let error = cx.fails("a new row", repo.update(ada.change().push(Person::EVENTS, other()))).await?;
    cx.require(is_outside(&error), "outside")?;
    let stored = repo.insert(other()).await?;
    let error = cx.fails("a row that exists", repo.update(ada.change().push(Person::EVENTS, &stored))).await?;
    cx.require(is_outside(&error), "outside")?;
    let error = cx.fails("of a handle", repo.association(&mut ada, Person::EVENTS).create(other())).await?;
    cx.require(is_outside(&error), "outside")?;
    cx.step("the same", repo.update(ada.change().push(Person::EVENTS, event("y").set(Event::YEAR, 1815)))).await?;
    cx.step("without the condition", repo.update(ada.change().push(Person::ALL_EVENTS, other()))).await?;
    events(cx).await
}

async fn readings(cx: &mut Context) -> Result<()> {
    cx.rows(
        "readings",
        "SELECT r.person_id, r.skimmer, r.tenant_id, a.year, a.title FROM readings r JOIN articles a ON a.id = r.article_id \
         ORDER BY a.title",
    )
    .await
}

fn article(title: &str) -> Changeset<Article> {
    Article::build().set(Article::TITLE, title)
}

// The conditions of the rows between are copied to new ones.
async fn rows_between(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let mut ada = ada(&repo).await?;
    let stored = repo.insert(article("a")).await?;
    let ada_again = repo.update(ada.change().push(Person::SKIMMED, &stored)).await?;
    cx.step("created", repo.association(&mut ada, Person::SKIMMED).create(article("b"))).await?;
    let with =
        ada_again.change().push_with(Person::SKIMMED, article("c"), |reading| reading.set(Reading::TENANT_ID, 3));
    cx.step("with values", repo.update(with)).await?;
    let against = ada.change().push_with(Person::SKIMMED, article("d"), |reading| reading.set(Reading::SKIMMER, false));
    let error = cx.fails("that contradict", repo.update(against)).await?;
    cx.require(is_outside(&error), "outside")?;
    let new = Person::build().set(Person::TENANT_ID, 1).set(Person::BIRTH_YEAR, 1).push(Person::SKIMMED, article("e"));
    repo.insert(new).await?;
    readings(cx).await?;
    let held = repo.get_or_fail::<Person>(ada.id, Query::preload(Person::SKIMMED)).await?;
    cx.show("seen", held.skimmed()?.iter().map(|article| article.title.clone()));
    Ok(())
}

async fn rows_between_by_owner(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let mut ada = ada(&repo).await?;
    let stored = repo.insert(article("a").set(Article::YEAR, 1815)).await?;
    repo.update(ada.change().push(Person::OWN_ARTICLES, &stored)).await?;
    let made = repo.association(&mut ada, Person::OWN_ARTICLES).create(article("b")).await?;
    cx.require(made.year == 1815, "the year is the owner's")?;
    let against = ada.change().push_with(Person::OWN_ARTICLES, &stored, |reading| reading.set(Reading::TENANT_ID, 3));
    let error = cx.fails("another tenant", repo.update(against)).await?;
    cx.require(is_outside(&error), "outside")?;
    let later = repo.insert(article("c").set(Article::YEAR, 1900)).await?;
    let error = cx.fails("another year", repo.update(ada.change().push(Person::OWN_ARTICLES, &later))).await?;
    cx.require(is_outside(&error), "outside")?;
    readings(cx).await?;
    let held = repo.get_or_fail::<Person>(ada.id, Query::preload(Person::OWN_ARTICLES)).await?;
    cx.show("seen", held.own_articles()?.iter().map(|article| article.title.clone()));
    Ok(())
}

// Input cannot reach outside either.
async fn of_input(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let ada = ada(&repo).await?;
    let permit = Permit::new().nested(Person::EVENTS, Permit::new().column(Event::TEXT).column(Event::YEAR));
    let change = ada.change().cast(json!({ "events": [{ "text": "a" }, { "text": "b", "year": 1815 }] }), &permit);
    cx.step("preset", repo.update(change)).await?;
    let change = ada.change().cast(json!({ "events": [{ "text": "a" }, { "text": "c", "year": 1900 }] }), &permit);
    let error = cx.fails("outside", repo.update(change)).await?;
    cx.require(is_outside(&error), "outside")?;
    events(cx).await
}
