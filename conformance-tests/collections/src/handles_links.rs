//! Handles over links: back to the same model, over keys of text, with conditions, distinct, without keys.

use assoc_core::{LoadState, Result};
use assoc_repo::Changeset;
use assoc_repo::prelude::*;
use conformance_harness::{Context, Level, cases};
use conformance_written_models::counted::{Contract, Player, Team};
use conformance_written_models::guild::{self, Dog, Keeper};
use conformance_written_models::studio::{self, Artist, Follow, Style};

cases! { "handles_links", Level::Collection;
    f61_f63_multisets,
    f113_distinct,
    f103_conditions_of_rows_between,
    keys_of_text_in_a_join_table,
    f115_links_by_sql,
    without_keys,
    models_of_a_shared_table,
}

fn artist(name: &str) -> Changeset<Artist> {
    Artist::build().set(Artist::NAME, name)
}

async fn artists(repo: &Repo) -> Result<(Artist, Vec<Artist>)> {
    studio::tables(repo).await?;
    let own = repo.insert(artist("O'Ada")).await?;
    Ok((own, repo.insert_all(["Bo\"b", "Cyd"].map(artist)).await?))
}

async fn follows(cx: &mut Context) -> Result<()> {
    cx.rows("follows", "SELECT id, fan_name, star_name, skims FROM follows ORDER BY id").await
}

fn names(stars: &[std::sync::Arc<Artist>]) -> String {
    stars.iter().map(|star| star.name.as_str()).collect::<Vec<_>>().join(" ")
}

// Back to the same model, in one direction, over keys of text.
async fn f61_f63_multisets(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let (mut ada, others) = artists(&repo).await?;
    let (bob, cyd) = (&others[0], &others[1]);
    let mut stars = repo.association(&mut ada, Artist::STARS);
    cx.step("pushed twice", stars.push([bob, bob])).await?;
    cx.step("replaced by one", stars.replace([bob])).await?;
    follows(cx).await?;
    cx.step("one more of the same", stars.replace([bob, bob])).await?;
    follows(cx).await?;
    cx.step("the same", stars.replace([bob, bob])).await?;
    cx.step("others, in the order given", stars.replace([cyd, bob, cyd])).await?;
    cx.require(stars.state() == LoadState::Loaded, "whole")?;
    follows(cx).await?;
    cx.step("by keys", stars.set_ids([bob.name.as_str(), cyd.name.as_str(), bob.name.as_str()].map(str::to_owned)))
        .await?;
    follows(cx).await?;
    cx.note("in memory", names(ada.stars()?));
    let own = repo.association(&others[0], Artist::STARS);
    cx.require(own.all().await?.is_empty(), "nobody follows back")?;
    // Itself.
    let same = ada.clone();
    cx.step("itself", repo.association(&mut ada, Artist::STARS).push(&same)).await?;
    let all: Vec<Artist> = repo.association(&ada, Artist::STARS).distinct().await?;
    cx.require(all.len() == 3, "three")?;
    cx.step("new ones", repo.association(&mut ada, Artist::STARS).push(["Dan", "Eve"].map(artist))).await?;
    follows(cx).await
}

async fn f113_distinct(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let (mut ada, others) = artists(&repo).await?;
    let (bob, cyd) = (&others[0], &others[1]);
    let mut stars = repo.association(&mut ada, Artist::DIFFERENT_STARS);
    stars.load().await?;
    cx.step("pushed", stars.push([bob, cyd])).await?;
    cx.step("once more: another link", stars.push(bob)).await?;
    let memory = stars.ids().await?;
    cx.require(stars.state() == LoadState::Loaded && memory == [bob.name.clone(), cyd.name.clone()], "each once")?;
    stars.reload().await?;
    cx.require(stars.ids().await? == memory && stars.size().await? == 2, "as in the database")?;
    follows(cx).await?;
    cx.step("deleted: all its links", stars.delete(bob)).await?;
    cx.require(stars.ids().await? == [cyd.name.clone()], "one is left")?;
    let deleted = cx.step("delete_all", stars.delete_all()).await?;
    cx.require(deleted == 1, "one link")?;
    // Of a new owner.
    let new = repo.insert(artist("new").push(Artist::DIFFERENT_STARS, [bob, bob])).await?;
    cx.require(new.different_stars()?.len() == 1, "once")?;
    follows(cx).await
}

async fn f103_conditions_of_rows_between(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let (mut ada, others) = artists(&repo).await?;
    repo.association(&mut ada, Artist::STARS).push(&others).await?;
    let mut skimmed = repo.association(&mut ada, Artist::SKIMMED_STARS);
    cx.step("the row between has them", skimmed.push(&others[0])).await?;
    cx.step("also of a new one", skimmed.create(artist("Eve"))).await?;
    follows(cx).await?;
    let whole = |row: Changeset<Follow>| row.set(Follow::SKIMS, false);
    cx.fails("contradicted", skimmed.push_with(&others[1], whole)).await?;
    // Links that do not satisfy them are others'.
    cx.fails("deleted: not one of these", skimmed.delete(&others[1])).await?;
    cx.step("deleted", skimmed.delete(&others[0])).await?;
    let deleted = cx.step("all of these", skimmed.delete_all()).await?;
    cx.require(deleted == 1, "one")?;
    follows(cx).await
}

async fn keys_of_text_in_a_join_table(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let (mut ada, others) = artists(&repo).await?;
    const LINKS: &str = "SELECT artist_name, style_id FROM artists_styles ORDER BY artist_name, style_id";
    let style = |name: &str| Style::build().set(Style::NAME, name);
    let styles = repo.insert_all(["a", "b"].map(style)).await?;
    let mut bob = others[0].clone();
    repo.association(&mut bob, Artist::STYLES).push(&styles).await?;
    let mut handle = repo.association(&mut ada, Artist::STYLES);
    cx.step("pushed, one twice", handle.push([&styles[0], &styles[1], &styles[0]])).await?;
    cx.step("and a new one", handle.create(style("c"))).await?;
    cx.rows("links", LINKS).await?;
    // Equal rows without a key are not told apart: both go, and one is written anew.
    cx.step("replaced: one of two equal ones", handle.replace([&styles[0]])).await?;
    cx.rows("links", LINKS).await?;
    cx.step("two of them", handle.replace([&styles[0], &styles[0]])).await?;
    cx.fails("another's style", handle.find(styles[1].id)).await?;
    let deleted = cx.step("delete_all", handle.delete_all()).await?;
    cx.require(deleted == 2, "two links")?;
    cx.rows("links", LINKS).await
}

// Statements of the program link and unlink, with values as bind parameters.
async fn f115_links_by_sql(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let (mut ada, others) = artists(&repo).await?;
    const LINKS: &str = "SELECT artist_name, style_id, note FROM artists_styles ORDER BY artist_name, style_id, note";
    let style = |name: &str| Style::build().set(Style::NAME, name);
    let styles = repo.insert_all(["a", "b"].map(style)).await?;
    let mut bob = others[0].clone();
    repo.association(&mut bob, Artist::NOTED_STYLES).push(&styles).await?;
    let mut handle = repo.association(&mut ada, Artist::NOTED_STYLES);
    cx.step("linked, one twice", handle.push([&styles[0], &styles[1], &styles[0]])).await?;
    cx.step("a new one", handle.create(style("c'"))).await?;
    cx.step("built, and saved alone", repo.insert(handle.build()?.set(Style::NAME, "d"))).await?;
    cx.rows("links", LINKS).await?;
    handle.load().await?;
    cx.step("deleted: all links of the two at once", handle.delete(&styles[0])).await?;
    cx.fails("once more", handle.delete(&styles[0])).await?;
    cx.step("replaced", handle.replace([&styles[1], &styles[0]])).await?;
    cx.rows("links", LINKS).await?;
    let deleted = cx.step("delete_all", handle.delete_all()).await?;
    cx.require(deleted == 2 && handle.size().await? == 0 && handle.count().await? == 0, "two links")?;
    cx.rows("links", LINKS).await?;
    // With a new owner, in one save.
    let eve = artist("Eve").push(Artist::NOTED_STYLES, &styles[0]).push(Artist::NOTED_STYLES, style("e"));
    cx.step("of a new owner", repo.insert(eve)).await?;
    // A failure at any statement undoes all of them.
    let before = ada.clone();
    let mut failed = 0;
    loop {
        cx.recorder().fail_after(failed);
        let result = repo.association(&mut ada, Artist::NOTED_STYLES).push([&styles[0], &styles[1]]).await;
        cx.recorder().fail_no_more();
        if result.is_ok() {
            break;
        }
        failed += 1;
        let links = repo.association(&ada, Artist::NOTED_STYLES).count().await?;
        cx.require(ada == before && links == 0 && failed < 9, "nothing is written")?;
    }
    cx.require(failed == 2, "each link is a statement")?;
    cx.rows("links", LINKS).await
}

// Rows between that have a model and no key.
async fn without_keys(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    repo.create_table::<Player>().await?;
    repo.create_table::<Team>().await?;
    repo.create_table::<Contract>().await?;
    const CONTRACTS: &str = "SELECT player_id, team_id FROM contracts ORDER BY player_id, team_id";
    let teams = repo.insert_all([Team::build(), Team::build()]).await?;
    let mut player = repo.insert(Player::build()).await?;
    let other = repo.insert(Player::build().push(Player::TEAMS, &teams)).await?;
    let mut handle = repo.association(&mut player, Player::TEAMS);
    cx.step("pushed", handle.push([&teams[0], &teams[1], &teams[1]])).await?;
    cx.step("built, and saved alone", repo.insert(handle.build()?)).await?;
    handle.reload().await?;
    cx.step("deleted", handle.delete(&teams[1])).await?;
    cx.rows("contracts", CONTRACTS).await?;
    cx.step("destroyed: the row between", handle.destroy(&teams[0])).await?;
    cx.fails("one that is not linked", handle.delete(&teams[0])).await?;
    cx.rows("contracts", CONTRACTS).await?;
    cx.require(repo.reset_counters(Player::TEAMS).await? == 0, "the counters are true")?;
    cx.require(repo.get_or_fail::<Player>(other.id, Query::new()).await?.teams_count == 2, "another's stay")
}

// A row that is built or pushed by an association of one model is that model's.
async fn models_of_a_shared_table(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let mut keeper = repo.insert(Keeper::build().set(Keeper::NAME, "Ada")).await?;
    repo.execute_raw("INSERT INTO beasts (owner_id, kind, name) VALUES (1, 'cat', 'Tom')", []).await?;
    let mut dogs = repo.association(&mut keeper, Keeper::DOGS);
    cx.step("created", dogs.create(Dog::build().set(Dog::NAME, "Rex"))).await?;
    cx.step("inserted", dogs.insert_all([Dog::build().set(Dog::NAME, "Fido")])).await?;
    let holds = cx.step("counted", dogs.count()).await? == 2;
    cx.require(holds, "two dogs")?;
    let deleted = cx.step("delete_all", dogs.delete_all()).await?;
    cx.require(deleted == 2, "the cat stays")?;
    cx.rows("beasts", "SELECT owner_id, kind, name FROM beasts ORDER BY name").await
}
