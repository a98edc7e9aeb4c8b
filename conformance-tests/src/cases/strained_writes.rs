//! Writes of kinds that go together seldom: conditions of many types that new rows are given, rules that are not asked for, callbacks
//! far below each other, circles with rows that are shared.

use assoc_core::Result;
use assoc_repo::prelude::*;
use assoc_repo::{Changeset, Permit};
use serde_json::json;

use super::{Level, cases};
use crate::context::Context;
use crate::models::callbacks::{self, Article, Author};
use crate::models::circles::{self, Crew, Sailor};
use crate::models::newsroom::{self, Market, Posting, Price, Reporter, Section, Story, Topic};

cases! { "strained_writes", Level::Write;
    conditions_of_many_types,
    conditions_of_a_join_table,
    links_without_validation,
    only_new_members_are_added,
    built_and_forgotten,
    a_circle_with_a_shared_row,
    a_row_that_two_owners_require,
    saved_twice,
    links_from_both_sides,
}

fn opened() -> chrono::NaiveDateTime {
    Price::first_day().and_hms_opt(4, 5, 6).unwrap_or_default()
}

async fn conditions_of_many_types(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    newsroom::markets(&repo).await?;
    let mut market = repo.insert(Market::build().set(Market::OPENED_AT, opened())).await?;
    let decimal = |text: &str| text.parse::<rust_decimal::Decimal>().map_err(|error| Error::other(error.to_string()));
    let low = cx.step("a decimal", repo.association(&mut market, Market::LOW).create(Price::build())).await?;
    cx.require(low.amount == decimal("1.5")?, "preset")?;
    let same = Price::build().set(Price::AMOUNT, decimal("1.5")?);
    cx.step("of another scale", repo.association(&mut market, Market::LOW).create(same)).await?;
    let other = Price::build().set(Price::AMOUNT, decimal("1.51")?);
    cx.fails("another one", repo.association(&mut market, Market::LOW).create(other)).await?;
    let first = cx.step("a date", repo.association(&mut market, Market::FIRST).create(Price::build())).await?;
    cx.require(first.day == Some(Price::first_day()) && first.code.is_some(), "and a key of bytes")?;
    cx.require(first.bytes.as_deref() == Some(&[0, 255]), "and bytes")?;
    let first = Price::build().set(Price::DAY, Price::first_day());
    cx.step("in a save", repo.update(market.change().push(Market::FIRST, first))).await?;
    let opening = cx.step("a time", repo.association(&mut market, Market::OPENING).create(Price::build())).await?;
    cx.require(opening.at == Some(opened()), "the owner's")?;
    let later = Price::build().set(Price::AT, opened() + chrono::TimeDelta::seconds(1));
    cx.fails("another one", repo.association(&mut market, Market::OPENING).push(later)).await?;
    // What was written is seen by the association that it was written by.
    let all = Query::preload((Market::LOW, Market::FIRST, Market::OPENING));
    let fresh = repo.get_or_fail::<Market>(market.id, all).await?;
    let seen = [fresh.low()?.len(), fresh.first()?.len(), fresh.opening()?.len()];
    cx.require(seen == [2, 2, 1], "each sees its own")?;
    let mut low = repo.association(&mut market, Market::LOW);
    let found = low.find_or_create_by(Price::AMOUNT.eq(decimal("1.500")?), Price::build()).await?;
    cx.require(found.amount == decimal("1.5")? && low.count().await? == 2, "found by the same number")
}

async fn conditions_of_a_join_table(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    newsroom::tables(&repo).await?;
    let topic = |name: &str| Topic::build().set(Topic::NAME, name);
    let arts = Section::build().set(Section::CODE, "arts").push(Section::HOT_TOPICS, topic("a"));
    let mut arts = cx.step("of a new owner", repo.insert(arts)).await?;
    cx.step("by a handle", repo.association(&mut arts, Section::HOT_TOPICS).create(topic("b"))).await?;
    let built = repo.association(&arts, Section::HOT_TOPICS).build()?.set(Topic::NAME, "c");
    cx.step("built, and saved by itself", repo.insert(built)).await?;
    let cold = topic("d").set(Topic::HOT, false);
    cx.fails("contradicted", repo.association(&mut arts, Section::HOT_TOPICS).push(cold)).await?;
    cx.rows("topics", "SELECT name, hot FROM topics ORDER BY name").await?;
    cx.rows("links", "SELECT COUNT(*) FROM sections_topics").await
}

async fn links_without_validation(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    newsroom::tables(&repo).await?;
    let mut arts = repo.insert(Section::build().set(Section::CODE, "arts")).await?;
    let (topic, reporter) = (|| Topic::build().set(Topic::NAME, ""), || Reporter::build().set(Reporter::NAME, ""));
    cx.fails("a join table", repo.update(arts.change().push(Section::TOPICS, topic()))).await?;
    cx.fails("a join model", repo.update(arts.change().push(Section::REPORTERS, reporter()))).await?;
    let change = arts.change().push(Section::ANY_TOPICS, topic()).push(Section::ANY_REPORTERS, reporter());
    arts = cx.step("not asked for", repo.update(change)).await?;
    cx.step("by a handle", repo.association(&mut arts, Section::ANY_TOPICS).push(topic())).await?;
    let left = (repo.count(Query::<Topic>::new()).await?, repo.count(Query::<Posting>::new()).await?);
    cx.require(left == (2, 1), "stored")
}

// Of nested input, `before_add` and `after_add` run for the rows that are new.
async fn only_new_members_are_added(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    callbacks::tables(&repo).await?;
    let article = |title: &str| Article::build().set(Article::TITLE, title);
    let ada = Author::build().set(Author::NAME, "Ada").push(Author::ARTICLES, ["One", "Two"].map(article));
    let ada = repo.insert(ada).await?;
    let [one, two] = [0, 1].map(|at| ada.articles().map(|articles| articles[at].id));
    let _ = callbacks::take(&repo);
    let permit = Permit::new().nested(Author::ARTICLES, Permit::new().column(Article::TITLE).allow_destroy());
    let input = json!({ "articles": [
        { "id": one?, "title": "Uno" }, { "title": "Three" }, { "id": two?, "_destroy": true },
    ] });
    cx.step("input", repo.update(ada.change().cast(input, &permit))).await?;
    let told: Vec<String> = callbacks::take(&repo).into_iter().filter(|line| line.contains("add")).collect();
    for line in &told {
        cx.note("ran", line);
    }
    cx.require(told.len() == 3 && told.iter().all(|line| line.contains("Three")), "for the new one alone")
}

async fn built_and_forgotten(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    newsroom::tables(&repo).await?;
    let arts = repo.insert(Section::build().set(Section::CODE, "arts")).await?;
    drop(repo.association(&arts, Section::REPORTERS).build()?);
    let kept = repo.association(&arts, Section::REPORTERS).build()?.set(Reporter::NAME, "Ada");
    cx.step("the other one is saved", repo.insert(kept)).await?;
    let left = (repo.count(Query::<Reporter>::new()).await?, repo.count(Query::<Posting>::new()).await?);
    cx.require(left == (1, 1), "one, with its link")
}

// One key of the circle cannot be NULL, and the row is a member as well.
async fn a_circle_with_a_shared_row(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    circles::tables(&repo, true).await?;
    let sailor = |name: &str| Sailor::build().set(Sailor::NAME, name);
    let captain = sailor("Ada").shared();
    let crew = Crew::build().set(Crew::NAME, "red").associate(Crew::CAPTAIN, &captain);
    let crew = crew.push(Crew::SAILORS, [&captain]).push(Crew::SAILORS, sailor("Bob"));
    let crew = cx.step("in one save", repo.insert(crew)).await?;
    cx.require(crew.sailors()?.len() == 2 && crew.captain_id == Some(crew.sailors()?[0].id), "the captain is one")?;
    let next = sailor("Cyd").shared();
    let change = crew.change().associate(Crew::CAPTAIN, &next).push(Crew::SAILORS, [&next]);
    let crew = cx.step("of a crew that exists", repo.update(change)).await?;
    let captain = crew.captain()?.ok_or_else(|| Error::other("no captain"))?;
    cx.require(captain.name == "Cyd" && captain.crew_id == crew.id, "and is its own")?;
    cx.rows("sailors", "SELECT s.name, c.name FROM sailors s JOIN crews c ON c.id = s.crew_id ORDER BY s.name").await
}

// Neither key of a row between can be NULL, and each of its owners gives one.
async fn a_row_that_two_owners_require(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    newsroom::tables(&repo).await?;
    let posting = Posting::build().shared();
    let reporter = Reporter::build().set(Reporter::NAME, "Ada").push(Reporter::POSTINGS, &posting).shared();
    let arts = Section::build().set(Section::CODE, "arts").push(Section::POSTINGS, &posting);
    let letter = newsroom::Letter::build().associate(newsroom::Letter::SUBJECT, &reporter);
    cx.fails("one of two", repo.insert(arts.clone())).await?;
    let story = Story::build().set(Story::TITLE, "a").associate(Story::SECTION, arts).push(Story::LETTERS, letter);
    cx.fails("two owners of a letter", repo.insert(story)).await?;
    let arts = repo.insert(Section::build().set(Section::CODE, "arts")).await?;
    let change = arts.change().push(Section::POSTINGS, &posting);
    let both = change.push_with(Section::REPORTERS, &reporter, |of: Changeset<Posting>| of);
    let saved = cx.step("both", repo.update(both)).await?;
    cx.require(saved.postings()?.len() == 1, "one")?;
    cx.rows("postings", "SELECT p.section_code, r.name FROM postings p JOIN reporters r ON r.id = p.reporter_id").await
}

// The same changeset is plain data, and can be saved once more.
async fn saved_twice(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    newsroom::tables(&repo).await?;
    let arts = repo.insert(Section::build().set(Section::CODE, "arts")).await?;
    let draft = Story::build().set(Story::TITLE, "a");
    let change = arts.change().push(Section::STORIES, draft.clone());
    cx.step("once", repo.update(change.clone())).await?;
    cx.step("twice", repo.update(change)).await?;
    let stored: Vec<Changeset<Story>> = vec![draft.clone(), draft];
    cx.step("several of one draft", repo.insert_all(stored)).await?;
    cx.rows("stories", "SELECT title, section_code, seen FROM stories ORDER BY id").await
}

async fn links_from_both_sides(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    newsroom::tables(&repo).await?;
    let topic = repo.insert(Topic::build().set(Topic::NAME, "a")).await?;
    let mut arts = repo.insert(Section::build().set(Section::CODE, "arts").push(Section::TOPICS, &topic)).await?;
    cx.step("twice", repo.association(&mut arts, Section::TOPICS).push(&topic)).await?;
    let fresh = repo.get_or_fail::<Topic>(topic.id, Query::preload(Topic::SECTIONS)).await?;
    cx.require(fresh.sections()?.len() == 2 && arts.topics()?.len() == 2, "two links")?;
    cx.step("all links between the two", repo.association(&mut arts, Section::TOPICS).delete(&topic)).await?;
    cx.rows("links", "SELECT COUNT(*) FROM sections_topics").await
}
