//! `upsert`: rows that may be there already.

use std::time::{Duration, SystemTime};

use assoc_core::Result;
use assoc_core::metadata::Expr;
use assoc_repo::prelude::*;
use assoc_repo::{Changeset, on_conflict};
use conformance_harness::{Context, Level, cases};
use conformance_written_models::registry::{self, Dog, Member, Seat};

cases! { "upserts", Level::Write;
    inserts_or_updates,
    chosen_columns,
    or_nothing,
    many,
    many_in_any_order,
    times_and_versions,
    composite_keys,
    by_the_primary_key,
    what_is_refused,
    other_unique_indexes,
    equal_by_collation,
    another_model_of_the_table,
    filtered,
}

const MEMBERS: &str = "SELECT tenant_id, email, nick, points, version FROM members_of_clubs ORDER BY email";

fn member(email: &str, points: i64) -> Changeset<Member> {
    Member::build().set(Member::TENANT_ID, 1).set(Member::EMAIL, email).set(Member::POINTS, points)
}

fn at(repo: &Repo, second: u64) -> Repo {
    repo.with_clock(move || SystemTime::UNIX_EPOCH + Duration::from_secs(second))
}

async fn inserts_or_updates(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    registry::members(&repo).await?;
    let first = cx.step("insert", repo.upsert(member("a", 1), on_conflict(Member::EMAIL))).await?;
    let again = member("a", 2).set(Member::NICK, "x");
    let second = cx.step("update", repo.upsert(again, on_conflict(Member::EMAIL))).await?;
    cx.require(second.id == first.id && second.points == 2, "the same row")?;
    cx.require(repo.get_or_fail::<Member>(second.id, Query::new()).await? == second, "as it is stored")?;
    cx.rows("members", MEMBERS).await
}

async fn chosen_columns(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    registry::members(&repo).await?;
    repo.insert(member("a", 1).set(Member::NICK, "x")).await?;
    let row = member("a", 5).set(Member::NICK, "y");
    let kept = cx.step("points alone", repo.upsert(row, on_conflict(Member::EMAIL).update(Member::POINTS))).await?;
    cx.require(kept.points == 5 && kept.nick.as_deref() == Some("x"), "the nick stays")?;
    let row = member("b", 6).set(Member::NICK, "z");
    let new = cx
        .step("a new row has all", repo.upsert(row, on_conflict(Member::EMAIL).update((Member::POINTS, Member::NICK))))
        .await?;
    cx.require(new.nick.as_deref() == Some("z"), "inserted whole")?;
    cx.rows("members", MEMBERS).await
}

async fn or_nothing(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    registry::members(&repo).await?;
    let first = repo.insert(member("a", 1)).await?;
    let kept = cx.step("it is there", repo.upsert(member("a", 2), on_conflict(Member::EMAIL).or_nothing())).await?;
    cx.require(kept == first, "as it was")?;
    let all = [member("a", 3), member("b", 3)];
    let rows = cx.step("one of two is there", repo.upsert_all(all, on_conflict(Member::EMAIL).or_nothing())).await?;
    cx.require(rows[0] == first && rows[1].points == 3, "one kept, one new")?;
    let only_key = Seat::build().set(Seat::HALL_ID, 1).set(Seat::NUMBER, 1).set(Seat::TENANT_ID, 1).set(Seat::PRICE, 3);
    repo.create_table::<Seat>().await?;
    cx.step("insert", repo.upsert(only_key, on_conflict((Seat::HALL_ID, Seat::NUMBER)).or_nothing())).await?;
    cx.rows("members", MEMBERS).await
}

async fn many(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    registry::members(&repo).await?;
    repo.insert_all((0..300).map(|n| member(&format!("m{n:03}"), n))).await?;
    let again = (0..600).rev().map(|n| member(&format!("m{n:03}"), n + 1_000));
    let rows = repo.upsert_all(again, on_conflict(Member::EMAIL)).await?;
    let right =
        rows.iter().zip((0..600).rev()).all(|(row, n)| row.points == n + 1_000 && row.email == format!("m{n:03}"));
    cx.require(rows.len() == 600 && right, "in the given order")?;
    let stored = repo.all(Query::order_by(Member::EMAIL.desc())).await?;
    cx.require(stored == rows, "as they are stored")?;
    let versions = rows.iter().filter(|row| row.version == 1).count();
    cx.note("of which were there", versions);
    Ok(())
}

async fn many_in_any_order(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    registry::members(&repo).await?;
    let none = cx.step("none", repo.upsert_all(Vec::<Changeset<Member>>::new(), on_conflict(Member::EMAIL))).await?;
    cx.require(none.is_empty(), "no rows")?;
    repo.insert(member("b", 1).set(Member::NICK, "nb")).await?;
    let all = [
        member("c", 2),
        member("b", 2).set(Member::NICK, "new"),
        member("a", 2),
        member("d", 2).set(Member::NICK, "nd"),
    ];
    let rows = cx.step("two sets of columns", repo.upsert_all(all, on_conflict(Member::EMAIL))).await?;
    cx.note("emails", rows.iter().map(|row| row.email.as_str()).collect::<Vec<_>>().join(" "));
    let failed = [member("e", 1), member("f", 1).set(Member::NICK, "nd")];
    let error = repo.upsert_all(failed, on_conflict(Member::EMAIL)).await.map(drop).err();
    cx.require(error.is_some_and(|error| error.is_unique_violation()), "all or none")?;
    cx.rows("members", MEMBERS).await
}

async fn times_and_versions(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    registry::members(&repo).await?;
    let first = at(&repo, 10).upsert(member("a", 1), on_conflict(Member::EMAIL)).await?;
    cx.require(first.version == 0 && first.created_at == first.updated_at, "as an insert")?;
    let later = at(&repo, 20);
    let second = later.upsert(member("a", 2), on_conflict(Member::EMAIL).update(Member::POINTS)).await?;
    cx.note("seconds", format!("{} {}", second.created_at.timestamp(), second.updated_at.timestamp()));
    cx.require(second.version == 1, "as an update")?;
    let kept = at(&repo, 30).upsert(member("a", 3), on_conflict(Member::EMAIL).or_nothing()).await?;
    cx.require(kept == second, "nothing moves")?;
    let error = cx.fails("the first is stale", repo.update(first.change().set(Member::POINTS, 9))).await?;
    cx.require(error.is_stale(), "stale")
}

async fn composite_keys(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    registry::fixture(&repo).await?;
    let seat = |hall: i64, number: i64, price: i64| {
        let seat = Seat::build().set(Seat::HALL_ID, hall).set(Seat::NUMBER, number);
        seat.set(Seat::TENANT_ID, 1).set(Seat::PRICE, price)
    };
    let seats = [seat(1, 2, 99), seat(3, 1, 98), seat(1, 1, 97)];
    let conflict = on_conflict((Seat::HALL_ID, Seat::NUMBER)).update(Seat::PRICE);
    let rows = cx.step("keys of two columns", repo.upsert_all(seats, conflict)).await?;
    cx.show("seats", rows);
    cx.rows("seats", "SELECT hall_id, number, tenant_id, price FROM hall_seats ORDER BY hall_id, number").await
}

async fn by_the_primary_key(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    registry::members(&repo).await?;
    let first = repo.insert(member("a", 1)).await?;
    let row = member("renamed", 2).set(Member::ID, first.id);
    let renamed = cx.step("update", repo.upsert(row, on_conflict(Member::ID))).await?;
    cx.require(renamed.id == first.id && renamed.email == "renamed", "found by its key")?;
    cx.rows("members", MEMBERS).await
}

async fn what_is_refused(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    registry::members(&repo).await?;
    let row = repo.insert(member("a", 1)).await?;
    cx.fails("an existing row", repo.upsert(row.change().set(Member::POINTS, 2), on_conflict(Member::EMAIL))).await?;
    cx.fails("what is missing", repo.upsert(Member::build().set(Member::EMAIL, "a"), on_conflict(Member::EMAIL)))
        .await?;
    cx.fails("a conflict without value", repo.upsert(member("a", 1), on_conflict(Member::ID))).await?;
    let conflict = || on_conflict(Member::EMAIL);
    cx.fails("an update without value", repo.upsert(member("a", 1), conflict().update(Member::NICK))).await?;
    cx.fails("an update of the conflict", repo.upsert(member("a", 1), conflict().update(Member::EMAIL))).await?;
    cx.fails("a row twice", repo.upsert_all([member("b", 1), member("c", 1), member("b", 2)], conflict())).await?;
    cx.rows("members", MEMBERS).await
}

async fn other_unique_indexes(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    registry::members(&repo).await?;
    repo.insert(member("a", 1).set(Member::NICK, "x")).await?;
    let row = || member("b", 2).set(Member::NICK, "x");
    match repo.upsert(row(), on_conflict(Member::EMAIL)).await {
        Err(error) if error.is_unique_violation() => {}
        Err(error) => return Err(error),
        Ok(_) => return Err(Error::other("a violation of the other index was none")),
    }
    let error = repo.upsert_all([row(), member("c", 2)], on_conflict(Member::EMAIL)).await.map(drop).err();
    cx.require(error.is_some_and(|error| error.is_unique_violation()), "of one of several too")?;
    cx.rows("untouched", MEMBERS).await?;
    cx.step("named", repo.upsert(row(), on_conflict(Member::NICK))).await?;
    cx.rows("members", MEMBERS).await
}

// What the database calls equal is there, whatever its bytes are.
async fn equal_by_collation(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    registry::members(&repo).await?;
    let ignores_case = {
        repo.insert(member("Case", 1)).await?;
        repo.count(Query::filter(Member::EMAIL.eq("case"))).await? == 1
    };
    let row = repo.upsert(member("case", 2), on_conflict(Member::EMAIL)).await?;
    let expected = if ignores_case { ("Case", 1) } else { ("case", 0) };
    cx.require((row.email.as_str(), row.version) == expected && row.points == 2, "as its index compares")?;
    let all = repo.upsert_all([member("new", 3), member("CASE", 3)], on_conflict(Member::EMAIL).or_nothing()).await?;
    let expected = if ignores_case { ("Case", 2) } else { ("CASE", 3) };
    cx.require((all[1].email.as_str(), all[1].points) == expected, "as its index compares")
}

async fn another_model_of_the_table(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    registry::fixture(&repo).await?;
    let dog = |id: i64| Dog::build().set(Dog::ID, id).set(Dog::AGE, 50).set(Dog::HIDDEN, false);
    cx.step("a dog", repo.upsert(dog(1), on_conflict(Dog::ID))).await?;
    cx.step("a hidden dog", repo.upsert(dog(2), on_conflict(Dog::ID))).await?;
    let error = repo.upsert(dog(3), on_conflict(Dog::ID)).await.map(drop).err();
    cx.require(error.is_some_and(|error| error.is_unique_violation()), "a cat is no dog")?;
    cx.rows("animals", "SELECT id, kind, age FROM animals ORDER BY id").await
}

async fn filtered(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    registry::members(&repo).await?;
    let other = member("theirs", 1).set(Member::TENANT_ID, 2);
    repo.insert_all([member("ours", 1), other]).await?;
    let one = repo.filtered(|model| Some(Expr::equals(model.column("tenant_id").ok()?.name, Value::from(1))));
    cx.step("its own", one.upsert(member("ours", 2), on_conflict(Member::EMAIL))).await?;
    let outside = |error: &Error| matches!(error.kind(), ErrorKind::OutsideFilter { .. });
    let error = cx.fails("another's", one.upsert(member("theirs", 2), on_conflict(Member::EMAIL))).await?;
    cx.require(outside(&error), "outside")?;
    let error =
        cx.fails("reading another's", one.upsert(member("theirs", 2), on_conflict(Member::EMAIL).or_nothing())).await?;
    cx.require(outside(&error), "outside")?;
    let taking = on_conflict(Member::EMAIL).update((Member::TENANT_ID, Member::POINTS));
    let error = cx.fails("taking another's", one.upsert(member("theirs", 2), taking)).await?;
    cx.require(outside(&error), "outside")?;
    let error = cx
        .fails("for another", one.upsert(member("new", 2).set(Member::TENANT_ID, 2), on_conflict(Member::EMAIL)))
        .await?;
    cx.require(outside(&error), "outside")?;
    let error = cx
        .fails("of several one", one.upsert_all([member("new", 2), member("theirs", 2)], on_conflict(Member::EMAIL)))
        .await?;
    cx.require(outside(&error), "outside")?;
    cx.rows("members", MEMBERS).await
}
