//! New rows that need each other's keys are saved together, and rows that refer to each other are destroyed together.

use assoc_core::Result;
use assoc_core::metadata::Expr;
use assoc_repo::Changeset;
use assoc_repo::prelude::*;

use super::{Level, cases};
use crate::context::Context;
use crate::models::circles::{
    self, Bolt, Clerk, Court, Crew, Dancer, Nation, NumberedBolt, NumberedNut, Nut, Sailor, Town, Writ,
};

cases! { "circles", Level::Write;
    both_keys_may_be_null,
    one_key_may_be_null,
    of_three_models,
    of_one_table_with_callbacks,
    no_key_may_be_null,
    keys_that_the_program_makes,
    below_others_and_many,
    filtered,
    a_failure_at_each_statement,
    destroyed_with_foreign_keys,
    destroyed_where_no_key_may_be_null,
}

fn town(name: &str) -> Changeset<Town> {
    Town::build().set(Town::NAME, name)
}

fn nation(name: &str, capital: &str) -> Changeset<Nation> {
    let capital = town(capital).shared();
    Nation::build().set(Nation::NAME, name).associate(Nation::CAPITAL, &capital).set_one(Nation::SEAT, &capital)
}

async fn both_keys_may_be_null(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    circles::tables(&repo, true).await?;
    cx.note("plan", repo.explain_save(&nation("Utopia", "Amaurot"))?);
    let saved = cx.step("foreign keys are on", repo.insert(nation("Utopia", "Amaurot"))).await?;
    let seat = saved.seat()?.ok_or_else(|| Error::other("no seat"))?;
    let capital = saved.capital()?.ok_or_else(|| Error::other("no capital"))?;
    cx.require(capital.id == seat.id && saved.capital_id == Some(seat.id), "one town")?;
    cx.require(seat.nation_id == Some(saved.id) && capital.nation_id == Some(saved.id), "which knows its nation")?;
    let fresh: Nation = repo.get_or_fail(saved.id, Query::preload((Nation::CAPITAL, Nation::SEAT))).await?;
    cx.require(fresh == saved, "as a fresh read gives it")?;
    cx.show("saved", [&saved]);
    // From the other side.
    let lead = nation("Bensalem", "Renfusa").shared();
    let twin = town("Port").associate(Town::NATION, &lead);
    let saved = cx.step("from below", repo.insert(twin)).await?;
    cx.require(saved.nation_id.is_some(), "linked")?;
    cx.rows(
        "nations",
        "SELECT n.name, t.name, n.towns_count FROM nations n LEFT JOIN towns t ON t.id = n.capital_id ORDER BY n.id",
    )
    .await?;
    cx.rows("towns", "SELECT t.name, n.name FROM towns t LEFT JOIN nations n ON n.id = t.nation_id ORDER BY t.name")
        .await
}

async fn crew(repo: &Repo, name: &str) -> Result<Crew> {
    let sailors = ["captain", "mate"].map(|name| Sailor::build().set(Sailor::NAME, name));
    let crew = repo.insert(Crew::build().set(Crew::NAME, name).push(Crew::SAILORS, sailors)).await?;
    let captain = crew.sailors()?[0].clone();
    repo.update(crew.change().associate(Crew::CAPTAIN, &captain)).await
}

// A row that has to have another one is given it by any of the associations that it is shared by.
async fn one_key_may_be_null(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    circles::tables(&repo, true).await?;
    let captain = Sailor::build().set(Sailor::NAME, "captain").shared();
    let draft = Crew::build().set(Crew::NAME, "Argo").associate(Crew::CAPTAIN, &captain).push(Crew::SAILORS, &captain);
    let at_once = repo.insert(draft).await?;
    cx.require(at_once.captain_id == Some(at_once.sailors()?[0].id), "set at once")?;
    let crew = cx.step("one after the other", crew(&repo, "Argo")).await?;
    cx.require(crew.captain_id.is_some(), "set")?;
    cx.rows("crews", "SELECT c.name, s.name, s.crew_id = c.id FROM crews c JOIN sailors s ON s.id = c.captain_id").await
}

async fn of_three_models(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    circles::tables(&repo, true).await?;
    let clerk = Clerk::build().shared();
    let court = Court::build().associate(Court::CLERK, &clerk);
    let draft = Writ::build().associate(Writ::COURT, court).set_one(Writ::CLERK, &clerk);
    cx.note("plan", repo.explain_save(&draft)?);
    let writ = cx.step("a ring of three", repo.insert(draft)).await?;
    cx.show("saved", [&writ]);
    let fresh: Writ = repo.get_or_fail(writ.id, Query::preload((Writ::COURT.with(Court::CLERK), Writ::CLERK))).await?;
    cx.require(fresh.court_id == writ.court_id && writ.court_id.is_some(), "closed")?;
    let preview = repo.preview_destroy(&writ).await?;
    let done = cx.step("destroyed", repo.destroy(&writ)).await?;
    cx.note("done", &done);
    cx.require(preview == done, "the preview says what is done")?;
    cx.rows("left", "SELECT (SELECT COUNT(*) FROM writs), (SELECT COUNT(*) FROM courts), (SELECT COUNT(*) FROM clerks)")
        .await
}

fn dancers(one: &str, other: &str) -> Changeset<Dancer> {
    let other = Dancer::build().set(Dancer::NAME, other).shared();
    Dancer::build().set(Dancer::NAME, one).associate(Dancer::PARTNER, &other).set_one(Dancer::LED_BY, &other)
}

async fn of_one_table_with_callbacks(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    circles::tables(&repo, true).await?;
    let saved = cx.step("each is the other's", repo.insert(dancers("Ann", "Bob"))).await?;
    cx.require(saved.partner()?.is_some_and(|partner| partner.partner_id == Some(saved.id)), "both know it")?;
    cx.rows("callbacks ran once", "SELECT what, name FROM notes ORDER BY what, name").await?;
    cx.rows("dancers", "SELECT a.name, b.name FROM dancers a JOIN dancers b ON b.id = a.partner_id ORDER BY a.name")
        .await?;
    let saved = repo.get_or_fail::<Dancer>(saved.id, Query::new()).await?;
    cx.note("done", cx.repo().destroy(&saved).await?);
    cx.rows("once", "SELECT what, name FROM notes WHERE what = 'after_destroy' ORDER BY name").await?;
    // A ring of three rows, in both orders of ids.
    for names in [["a", "b", "c"], ["c", "b", "a"]] {
        let last = Dancer::build().set(Dancer::NAME, names[2]).shared();
        let middle = Dancer::build().set(Dancer::NAME, names[1]).associate(Dancer::PARTNER, &last);
        let first = Dancer::build().set(Dancer::NAME, names[0]).associate(Dancer::PARTNER, middle);
        let first = repo.insert(first.set_one(Dancer::LED_BY, &last)).await?;
        let sql = "SELECT a.name, b.name FROM dancers a JOIN dancers b ON b.id = a.partner_id ORDER BY a.name";
        cx.rows("ring", sql).await?;
        let first = repo.get_or_fail::<Dancer>(first.id, Query::new()).await?;
        cx.note("done", repo.destroy(&first).await?);
    }
    cx.rows("left", "SELECT COUNT(*) FROM dancers").await
}

async fn no_key_may_be_null(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    circles::tables(&repo, true).await?;
    let nut = Nut::build().shared();
    let draft = Bolt::build().associate(Bolt::NUT, &nut).set_one(Bolt::OTHER, &nut);
    let error = cx.fails("the database makes the keys", repo.insert(draft.clone())).await?;
    cx.require(!error.field_errors().is_empty(), "data")?;
    cx.require(Changeset::<Bolt>::refused_by(&error).is_some(), "the changeset comes back")?;
    let loop_of_two = Sailor::build().set(Sailor::NAME, "x");
    cx.step(
        "half of one is none",
        repo.insert(loop_of_two.associate(Sailor::CREW, Crew::build().set(Crew::NAME, "c"))),
    )
    .await?;
    cx.rows("bolts", "SELECT COUNT(*) FROM bolts").await
}

fn numbered() -> Changeset<NumberedBolt> {
    let nut = NumberedNut::build().set(NumberedNut::ID, 7).set(NumberedNut::BOLT_ID, 3).shared();
    let bolt = NumberedBolt::build().set(NumberedBolt::ID, 3);
    bolt.associate(NumberedBolt::NUT, &nut).set_one(NumberedBolt::OTHER, &nut)
}

// Keys that are known before can be written at once, unless the database checks them row by row.
async fn keys_that_the_program_makes(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    circles::tables(&repo, false).await?;
    let saved = cx.step("without foreign keys", repo.insert(numbered())).await?;
    cx.show("saved", [&saved]);
    cx.rows("bolts", "SELECT id, nut_id FROM bolts").await?;
    cx.rows("nuts", "SELECT id, bolt_id FROM nuts").await?;
    for table in
        ["nations", "towns", "crews", "sailors", "writs", "courts", "clerks", "dancers", "bolts", "nuts", "notes"]
    {
        repo.execute_raw(&format!("DROP TABLE {table}"), []).await?;
    }
    circles::tables(&repo, true).await?;
    let error = repo.insert(numbered()).await.err().ok_or_else(|| Error::other("saved"))?;
    cx.require(error.is_foreign_key_violation(), "with foreign keys that are checked at once")?;
    cx.rows("nothing is written", "SELECT COUNT(*) FROM bolts").await
}

async fn below_others_and_many(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    circles::tables(&repo, true).await?;
    let nations = (0..120).map(|at| {
        let (name, capital) = (format!("nation {at}"), format!("capital {at}"));
        nation(&name, &capital).push(Nation::TOWNS, town("other"))
    });
    let saved = cx.step("120 circles", repo.insert_all(nations)).await?;
    cx.require(saved.len() == 120 && saved.iter().all(|nation| nation.capital_id.is_some()), "all are closed")?;
    cx.rows(
        "each is its own",
        "SELECT COUNT(*), SUM(n.towns_count) FROM nations n JOIN towns t ON t.id = n.capital_id AND t.nation_id = n.id",
    )
    .await?;
    let fresh = repo.all(Query::<Nation>::order_by(Nation::ID.asc())).await?;
    cx.require(fresh.iter().zip(&saved).all(|(fresh, saved)| fresh.capital_id == saved.capital_id), "as it is stored")
}

async fn filtered(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    circles::tables(&repo, true).await?;
    let hidden = || Expr::Not(Box::new(Expr::equals("name", Value::from("hidden"))));
    let seen = repo.filtered(move |model| (model == Town::DEF).then(hidden));
    cx.step("a town that is seen", seen.insert(nation("a", "seen"))).await?;
    cx.fails("a hidden one", seen.insert(nation("b", "hidden"))).await?;
    cx.rows("nations", "SELECT name FROM nations").await
}

async fn a_failure_at_each_statement(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    circles::tables(&repo, true).await?;
    let mut failed = 0;
    loop {
        cx.recorder().fail_after(failed);
        let result = repo.insert(nation("Utopia", "Amaurot")).await;
        if cx.recorder().fail_no_more() {
            result?;
            break;
        }
        cx.require(result.is_err(), "it fails")?;
        let left = repo.count(Query::<Nation>::new()).await? + repo.count(Query::<Town>::new()).await?;
        cx.require(left == 0, "nothing is written")?;
        failed += 1;
    }
    cx.note("at each of", failed);
    cx.rows("at the end", "SELECT n.name, t.name FROM nations n JOIN towns t ON t.id = n.capital_id").await
}

async fn destroyed_with_foreign_keys(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    circles::tables(&repo, true).await?;
    let first = repo.insert(nation("Utopia", "Amaurot")).await?;
    let second = repo.insert(nation("Bensalem", "Renfusa")).await?;
    let third = repo.insert(nation("Erewhon", "Sunchildston")).await?;
    let crew = crew(&repo, "Argo").await?;
    let bare = |nation: &Nation| Nation { capital: BelongsTo::default(), seat: HasOne::default(), ..nation.clone() };
    let done = cx.step("the nation", repo.destroy(&bare(&first))).await?;
    cx.note("done", done);
    let capital = repo.get_or_fail::<Town>(second.capital_id.unwrap_or_default(), Query::new()).await?;
    let done = cx.step("the capital, which the nation forgets", repo.destroy(&capital)).await?;
    cx.note("done", done);
    let done = cx.step("both at once", repo.destroy_all(Query::filter(Nation::ID.eq(third.id)))).await?;
    cx.note("done", done);
    let crew = repo.get_or_fail::<Crew>(crew.id, Query::new()).await?;
    let done = cx.step("a crew with its captain", repo.destroy(&crew)).await?;
    cx.note("done", done);
    cx.rows("nations", "SELECT name, capital_id, towns_count FROM nations").await?;
    cx.rows("towns", "SELECT COUNT(*) FROM towns").await?;
    cx.rows("sailors", "SELECT COUNT(*) FROM sailors").await
}

async fn destroyed_where_no_key_may_be_null(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    circles::tables(&repo, false).await?;
    let saved = repo.insert(numbered()).await?;
    let done = cx.step("without foreign keys", repo.destroy(&saved)).await?;
    cx.note("done", done);
    cx.rows("left", "SELECT (SELECT COUNT(*) FROM bolts), (SELECT COUNT(*) FROM nuts)").await
}
