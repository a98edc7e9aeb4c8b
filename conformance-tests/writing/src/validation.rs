//! Rules of models, and what a violated constraint says about fields.

use assoc_core::Result;
use assoc_core::dialect::Upsert;
use assoc_repo::prelude::*;
use assoc_repo::{Changeset, on_conflict};
use conformance_harness::{Context, Level, cases};
use conformance_written_models::league::{self, Coach, Player, Stadium, Team};

cases! { "validation", Level::Write;
    whole_graph,
    every_call,
    unchanged_columns,
    unique_indexes,
    unique_in_graphs,
    unique_on_update,
    foreign_keys,
    not_null_and_checks,
    without_rules,
    in_transactions,
}

fn team(id: i64, name: &str) -> Changeset<Team> {
    build!(Team { id, name, region: "north", motto: "up" })
}

fn player(id: i64, number: i64) -> Changeset<Player> {
    build!(Player { id, number, name: "somebody" })
}

async fn tables(cx: &mut Context) -> Result<()> {
    for table in ["teams", "players", "stadiums"] {
        cx.rows(table, &format!("SELECT id, name FROM {table} ORDER BY id")).await?;
    }
    Ok(())
}

// The message, the fields, and whether the database has spoken.
fn refused<T>(cx: &mut Context, label: &str, result: Result<T>) -> Result<Error> {
    let Err(error) = result else { return Err(Error::other(format!("{label}: accepted"))) };
    cx.note(label, &error);
    let fields =
        error.field_errors().iter().map(|error| (error.path.clone(), error.code.clone(), error.params.clone()));
    let fields: Vec<_> = fields.collect();
    cx.show("fields", fields);
    cx.note("of the database", error.driver().is_some());
    Ok(error)
}

async fn whole_graph(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    league::tables(&repo).await?;
    let draft = build!(Team {
        id: 2,
        name: "O",
        region: "south",
        rank: 101,
        stadium: Stadium { id: 2, name: "Arena" },
        players: [
            Player { id: 3, number: 2, name: "Captain Cyd" },
            Player { id: 4, number: 3, name: "" },
            Player { id: 5, number: 4, name: "Dan" },
            Player { id: 6, number: 5 },
        ],
    });
    cx.fails("all problems before any SQL", repo.insert(draft)).await?;
    let second = team(3, "Rooks").push(Team::PLAYERS, build!(Player { id: 7, number: 1, name: "" }));
    cx.fails("of several", repo.insert_all([team(2, "Crows"), second])).await?;
    tables(cx).await
}

async fn every_call(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    league::tables(&repo).await?;
    cx.fails("insert", repo.insert(team(2, "x"))).await?;
    cx.fails("insert_all", repo.insert_all([team(2, "Crows"), team(3, "x")])).await?;
    let owls = repo.get_or_fail::<Team>(1, Query::new()).await?;
    cx.fails("update", repo.update(owls.change().set(Team::NAME, "x"))).await?;
    cx.fails("upsert", repo.upsert(team(1, "x"), on_conflict(Team::ID))).await?;
    let more = team(2, "Crows").rules(|rules| rules.exclusion(Team::NAME, ["Crows"]).message("is a bird too many"));
    let error = cx.fails("more rules on one changeset", repo.insert(more)).await?;
    let again = Changeset::<Team>::refused_by(&error).ok_or_else(|| Error::other("no changeset"))?;
    let saved = cx.step("and saved under another name", repo.insert(again.set(Team::NAME, "Rooks"))).await?;
    cx.show("saved", [saved]);
    tables(cx).await
}

async fn unchanged_columns(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    league::tables(&repo).await?;
    repo.execute_raw("UPDATE teams SET name = 'x', motto = NULL WHERE id = 1", []).await?;
    let owls = repo.get_or_fail::<Team>(1, Query::new()).await?;
    let owls = cx.step("another column", repo.update(owls.change().set(Team::RANK, 7))).await?;
    cx.show("written", [&owls]);
    cx.fails("the column itself", repo.update(owls.change().set(Team::NAME, "y"))).await?;
    let always = owls.change().set(Team::RANK, 8).rules(|rules| rules.always(|rules| rules.length(Team::NAME, 2..)));
    cx.fails("unless a rule says always", repo.update(always)).await?;
    cx.step("nothing to write is nothing to judge", repo.update(owls.change())).await?;
    Ok(())
}

async fn unique_indexes(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    league::tables(&repo).await?;
    let twice = repo.insert(team(2, "Owls")).await;
    let error = refused(cx, "two columns", twice)?;
    cx.require(error.is_unique_violation(), "it still says so")?;
    cx.require(Changeset::<Team>::refused_by(&error).is_some(), "the changeset comes back")?;
    let third = repo.insert_all([team(2, "Crows"), team(3, "Rooks"), team(4, "Owls")]).await;
    refused(cx, "one of several, which is there", third)?;
    let twins = repo.insert_all([team(2, "Crows"), team(3, "Rooks"), team(4, "Crows")]).await;
    refused(cx, "two of several", twins)?;
    let capabilities = repo.dialect().capabilities();
    if capabilities.insert_returning && capabilities.upsert != Upsert::Unsupported {
        let other = repo.upsert(team(2, "Owls"), on_conflict(Team::ID)).await;
        let error = other.err().ok_or_else(|| Error::other("upserted"))?;
        cx.require(error.is_unique_violation(), "another index than the one that was named")?;
    }
    // NULL is never taken.
    repo.insert_all([player(8, 9), player(9, 9)]).await?;
    let named = repo.insert(build!(Stadium { id: 2, name: "Nest" })).await;
    refused(cx, "a code of its own", named)?;
    tables(cx).await
}

async fn unique_in_graphs(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    league::tables(&repo).await?;
    let owls = repo.get_or_fail::<Team>(1, Query::new()).await?;
    let draft = owls.change().push(Team::PLAYERS, [player(3, 7), player(4, 2), player(5, 8)]);
    let result = repo.update(draft).await;
    refused(cx, "a member that is there", result)?;
    let draft = team(2, "Crows").push(Team::PLAYERS, [player(3, 7), player(4, 8), player(5, 7)]);
    let result = repo.insert(draft).await;
    refused(cx, "two new members", result)?;
    let draft = team(2, "Crows").set_one(Team::STADIUM, build!(Stadium { id: 2, name: "Nest" }));
    let result = repo.insert_all([team(3, "Rooks"), draft]).await;
    refused(cx, "below one of several", result)?;
    let draft =
        build!(Player { id: 9, number: 1, name: "x", team: Team { id: 2, name: "Owls", region: "north", motto: "m" } });
    let result = repo.insert(draft).await;
    refused(cx, "above", result)?;
    tables(cx).await
}

async fn unique_on_update(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    league::tables(&repo).await?;
    let players = repo.all(Query::<Player>::order_by(Player::ID.asc())).await?;
    let result = repo.update(players[1].change().set(Player::NUMBER, 1)).await;
    refused(cx, "one column of two", result)?;
    let owls = repo.get_or_fail::<Team>(1, Query::new()).await?;
    let edit = owls.change().edit(Team::PLAYERS, players[1].change().set(Player::NUMBER, 1));
    let result = repo.update(edit).await;
    refused(cx, "a member", result)?;
    let moved = repo.insert(player(3, 1)).await?;
    let result = repo.update(owls.change().push(Team::PLAYERS, &moved)).await;
    refused(cx, "a row that takes its owner's key", result)?;
    tables(cx).await
}

async fn foreign_keys(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    league::tables(&repo).await?;
    let with = |id: i64, coach: i64| player(id, id).set(Player::COACH_ID, coach);
    let result = repo.insert(with(3, 9)).await;
    let error = refused(cx, "insert", result)?;
    cx.require(error.is_foreign_key_violation(), "it still says so")?;
    let result = repo.insert_all([with(3, 1), with(4, 8), with(5, 1), with(6, 9)]).await;
    refused(cx, "two of several", result)?;
    let ada = repo.get_or_fail::<Player>(1, Query::new()).await?;
    let result = repo.update(ada.change().set(Player::COACH_ID, 7)).await;
    refused(cx, "update", result)?;
    let result = repo.insert(team(2, "Crows").push(Team::PLAYERS, [with(3, 1), with(4, 7)])).await;
    refused(cx, "members", result)?;
    tables(cx).await
}

async fn not_null_and_checks(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    league::tables(&repo).await?;
    let result = repo.insert(team(2, "Crows").set(Team::RANK, -1)).await;
    refused(cx, "a check", result)?;
    let result = repo.insert_all([team(2, "Crows"), team(3, "Rooks").set(Team::RANK, 0)]).await;
    refused(cx, "one of several", result)?;
    let error = repo.insert(build!(Coach { id: 2, name: None })).await.err();
    let error = error.ok_or_else(|| Error::other("accepted"))?;
    let fields: Vec<_> = error.field_errors().iter().map(ToString::to_string).collect();
    cx.show("a table that is stricter than its model", fields);
    cx.require(matches!(error.kind(), ErrorKind::Driver(_)), "the database's error")
}

async fn without_rules(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    league::tables(&repo).await?;
    let kim = || build!(Coach { id: 1, name: "Kim" });
    let error = cx.fails("a key that is there", repo.insert(kim())).await?;
    let fields: Vec<_> = error.field_errors().iter().map(ToString::to_string).collect();
    cx.show("fields", fields);
    let error = cx.fails("of several", repo.insert_all([build!(Coach { id: 2, name: "Lee" }), kim()])).await?;
    let fields: Vec<_> = error.field_errors().iter().map(ToString::to_string).collect();
    cx.show("fields without a position", fields);
    Ok(())
}

async fn in_transactions(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    league::tables(&repo).await?;
    let result: Result<Team> = repo
        .transaction(async |tx| {
            let refused = tx.insert_all([team(2, "Crows"), team(3, "Owls")]).await;
            let error = refused.err().ok_or_else(|| Error::other("accepted"))?;
            let said = error.field_errors().first().map(|error| error.path.clone());
            if said.as_deref() != Some("[1].name") {
                return Err(Error::other(format!("{error}")));
            }
            tx.insert(team(4, "Rooks")).await
        })
        .await;
    cx.show("the transaction goes on", [result?]);
    tables(cx).await
}
