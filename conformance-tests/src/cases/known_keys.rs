//! What `before_validate` sees of the keys that other rows give: those that are known before anything is written.

use assoc_core::Result;
use assoc_repo::Changeset;
use assoc_repo::prelude::*;

use super::{Level, cases};
use crate::context::Context;
use crate::models::newsroom::{self, Edition, Letter, Posting, Reporter, Section, Story};

cases! { "known_keys", Level::Write;
    of_owners_that_exist,
    of_owners_whose_key_is_given,
    of_two_columns,
    with_a_type,
    of_rows_between,
    of_shared_drafts,
    of_rows_that_move,
    of_rows_that_are_saved_first,
    refused_rows_between,
}

fn section(code: &str) -> Changeset<Section> {
    Section::build().set(Section::CODE, code)
}

fn story(title: &str) -> Changeset<Story> {
    Story::build().set(Story::TITLE, title)
}

async fn stories(cx: &mut Context) -> Result<()> {
    cx.rows("stories", "SELECT title, seen FROM stories ORDER BY title").await
}

async fn of_owners_that_exist(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    newsroom::tables(&repo).await?;
    let mut arts = repo.insert(section("arts")).await?;
    let change = arts.change().push(Section::STORIES, [story("a"), story("b")]).push(Section::BRIEFS, story("c"));
    arts = cx.step("in a save", repo.update(change.set_one(Section::COVER, story("d")))).await?;
    let mut briefs = repo.association(&mut arts, Section::BRIEFS);
    cx.step("by a handle", briefs.create(story("e"))).await?;
    cx.step("pushed by a handle", briefs.push(story("f").set(Story::KIND, "brief"))).await?;
    let other = story("g").set(Story::SECTION_CODE, "sports");
    cx.step("the owner's key counts, and not another", repo.update(arts.change().push(Section::STORIES, other)))
        .await?;
    repo.association(&mut arts, Section::BRIEFS).replace([story("h")]).await?;
    stories(cx).await
}

async fn of_owners_whose_key_is_given(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    newsroom::tables(&repo).await?;
    let draft = section("arts").push(Section::STORIES, story("a").push(Story::LETTERS, Letter::build()));
    let draft = draft.push(Section::BRIEFS, story("b")).set_one(Section::COVER, story("c"));
    cx.step("by the program", repo.insert(draft)).await?;
    stories(cx).await?;
    cx.rows("letters of a story without number", "SELECT seen FROM letters").await
}

async fn of_two_columns(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    newsroom::tables(&repo).await?;
    let edition = |year: i32| Edition::build().set(Edition::YEAR, year).set(Edition::CODE, "a");
    let first = cx.step("new", repo.insert(edition(2001).push(Edition::STORIES, story("a")))).await?;
    cx.step("there", repo.update(first.change().push(Edition::STORIES, story("b")))).await?;
    cx.step("whom it belongs to", repo.insert(story("c").associate(Story::EDITION, &first))).await?;
    cx.step("and is saved first", repo.insert(story("d").associate(Story::EDITION, edition(2002)))).await?;
    stories(cx).await
}

async fn with_a_type(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    newsroom::tables(&repo).await?;
    let mut ada = repo.insert(Reporter::build().set(Reporter::NAME, "Ada")).await?;
    cx.step("a row that exists", repo.association(&mut ada, Reporter::LETTERS).create(Letter::build())).await?;
    let one = repo.insert(story("a")).await?;
    cx.step("of another type", repo.update(one.change().push(Story::LETTERS, Letter::build()))).await?;
    cx.rows("letters", "SELECT seen FROM letters ORDER BY seen").await
}

async fn of_rows_between(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    newsroom::tables(&repo).await?;
    let reporter = |name: &str| Reporter::build().set(Reporter::NAME, name);
    let ada = repo.insert(reporter("Ada")).await?;
    let mut arts = repo.insert(section("arts")).await?;
    let with = |section: Changeset<Section>, target: Changeset<Reporter>| {
        section.push_with(Section::REPORTERS, target, |posting: Changeset<Posting>| posting)
    };
    let change = arts.change().push_with(Section::REPORTERS, &ada, |posting: Changeset<Posting>| posting);
    arts = cx.step("with values", repo.update(change)).await?;
    arts = cx.step("of a new target", repo.update(with(arts.change(), reporter("Bob")))).await?;
    arts = cx.step("without values", repo.update(arts.change().push(Section::REPORTERS, &ada))).await?;
    cx.step("by a handle", repo.association(&mut arts, Section::REPORTERS).push(reporter("Cyd"))).await?;
    cx.rows("postings", "SELECT section_code, seen FROM postings ORDER BY id").await?;
    cx.step("replaced", repo.association(&mut arts, Section::REPORTERS).replace([reporter("Dan")])).await?;
    let mut built = repo.association(&arts, Section::REPORTERS).build()?;
    built = built.set(Reporter::NAME, "Eve");
    cx.step("built, and saved by itself", repo.insert(built)).await?;
    let news = cx.step("of a new owner", repo.insert(section("news").push(Section::REPORTERS, [&ada, &ada]))).await?;
    cx.require(news.reporters()?.len() == 2, "linked twice")?;
    cx.rows("postings", "SELECT section_code, seen FROM postings ORDER BY id").await
}

async fn of_shared_drafts(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    newsroom::tables(&repo).await?;
    let edition = repo.insert(Edition::build().set(Edition::YEAR, 2001).set(Edition::CODE, "a")).await?;
    let draft = story("a").shared();
    let news = section("news").push(Section::STORIES, draft.clone()).set_one(Section::COVER, draft.clone());
    let saved = cx.step("a row of two associations", repo.insert(news)).await?;
    cx.require(saved.stories()?.len() == 1, "once")?;
    let shared = story("b").shared();
    let steps = Section::build().set(Section::CODE, "arts").push(Section::STORIES, shared.clone());
    let both = edition.change().push(Edition::STORIES, shared);
    let outer = story("c").associate(Story::SECTION, steps).associate(Story::EDITION, both);
    cx.step("a row of two owners", repo.insert(outer)).await?;
    stories(cx).await
}

async fn of_rows_that_move(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    newsroom::tables(&repo).await?;
    let arts = repo.insert(section("arts").push(Section::STORIES, [story("a"), story("b")])).await?;
    let news = repo.insert(section("news")).await?;
    let [a, b] = [0, 1].map(|at| arts.stories().map(|stories| stories[at].clone()));
    let change = news.change().push(Section::STORIES, a?.change().set(Story::TITLE, "a, moved"));
    let news = cx.step("with a change of its own", repo.update(change)).await?;
    cx.step("without one: nothing is to be validated", repo.update(news.change().push(Section::STORIES, &b?))).await?;
    cx.rows("stories", "SELECT section_code, title, seen FROM stories ORDER BY title").await
}

async fn of_rows_that_are_saved_first(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    newsroom::tables(&repo).await?;
    cx.step("new", repo.insert(story("a").associate(Story::SECTION, section("arts")))).await?;
    let arts = repo.get_or_fail::<Section>("arts".to_owned(), Query::new()).await?;
    cx.step("there", repo.insert(story("b").associate(Story::SECTION, &arts))).await?;
    stories(cx).await
}

async fn refused_rows_between(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    newsroom::tables(&repo).await?;
    let ada = repo.insert(Reporter::build().set(Reporter::NAME, "Ada")).await?;
    let mut closed = repo.insert(section("closed")).await?;
    cx.fails(
        "with values",
        repo.update(closed.change().push_with(Section::REPORTERS, &ada, |posting: Changeset<Posting>| posting)),
    )
    .await?;
    cx.fails("without", repo.update(closed.change().push(Section::REPORTERS, &ada))).await?;
    cx.fails("by a handle", repo.association(&mut closed, Section::REPORTERS).replace([&ada])).await?;
    let postings = repo.count(Query::<Posting>::new()).await?;
    cx.require(postings == 0, "none is stored")
}
