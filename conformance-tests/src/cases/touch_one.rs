//! `touch` of a `has_one`: a row whose owner is written is touched with it.

use std::time::{Duration, SystemTime};

use assoc_core::Result;
use assoc_core::metadata::Expr;
use assoc_repo::prelude::*;

use super::{Level, cases};
use crate::context::Context;
use crate::key_order::KeyOrder;
use crate::models::followers::{self, Album, Badge, Desk, Keeper, Lamp, Locker, Photo, Wagon};

cases! { "touch_one", Level::Write;
    owner_inserted_changed_destroyed,
    replaced_in_a_save,
    polymorphic,
    composite_keys_and_conditions,
    chains_and_rings,
    without_touching,
    hidden_rows,
}

fn at(repo: &Repo, second: u64) -> Repo {
    repo.with_clock(move || SystemTime::UNIX_EPOCH + Duration::from_secs(second))
}

fn second(time: chrono::NaiveDateTime) -> i64 {
    time.and_utc().timestamp()
}

async fn times(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    for keeper in repo.all_by_key(Query::<Keeper>::new()).await? {
        cx.note("times", format!("keeper {}: {}", keeper.name, second(keeper.updated_at)));
    }
    for badge in repo.all_by_key(Query::<Badge>::new()).await? {
        let (owner, seen) = (badge.keeper_id, badge.seen_at.map(second));
        cx.note("times", format!("badge of {owner:?}: {}, seen {seen:?}", second(badge.updated_at)));
    }
    for locker in repo.all_by_key(Query::<Locker>::new()).await? {
        cx.note("times", format!("locker: {}", second(locker.updated_at)));
    }
    for photo in repo.all_by_key(Query::<Photo>::new()).await? {
        cx.note("times", format!("photo of {:?}: {}", photo.subject_type, second(photo.updated_at)));
    }
    Ok(())
}

async fn ada(repo: &Repo) -> Result<Keeper> {
    followers::tables(repo).await?;
    let early = at(repo, 1);
    let draft = Keeper::build()
        .set(Keeper::NAME, "Ada")
        .set_one(Keeper::BADGE, Badge::build().set(Badge::TEXT, "A"))
        .set_one(Keeper::LOCKER, Locker::build());
    early.insert(draft).await
}

async fn owner_inserted_changed_destroyed(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let keeper = ada(&repo).await?;
    times(cx).await?;
    let same = keeper.change().set(Keeper::NAME, "Ada");
    let keeper = cx.step("nothing is written", at(&repo, 10).update(same)).await?;
    times(cx).await?;
    let change = keeper.change().set(Keeper::NAME, "Ada L.");
    let mut keeper = cx.step("changed", at(&repo, 20).update(change)).await?;
    times(cx).await?;
    cx.step("touched by hand", at(&repo, 30).touch(&mut keeper)).await?;
    times(cx).await?;
    let free = at(&repo, 31).insert(Badge::build().set(Badge::TEXT, "free")).await?;
    let draft = Keeper::build().set(Keeper::NAME, "Bob").set_one(Keeper::BADGE, &free);
    let bob = cx.step("a new owner of a row that exists", at(&repo, 40).insert(draft)).await?;
    cx.require(bob.badge()?.seen_at.map(second) == Some(40), "it comes back touched")?;
    times(cx).await?;
    cx.step("a new owner of none", at(&repo, 50).insert(Keeper::build().set(Keeper::NAME, "Cyd"))).await?;
    // Its badge stays, and belongs to nobody; its locker goes with it.
    let shown = repo.explain_destroy::<Keeper>()?;
    cx.require(shown.contains("seen_at"), &shown)?;
    cx.step("destroyed", at(&repo, 60).destroy(&keeper)).await?;
    times(cx).await
}

async fn replaced_in_a_save(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let keeper = ada(&repo).await?;
    let change = keeper.change().set_one(Keeper::BADGE, Badge::build().set(Badge::TEXT, "B"));
    let keeper = cx.step("another badge", at(&repo, 10).update(change)).await?;
    times(cx).await?;
    let badge = keeper.badge()?.clone();
    let change = keeper.change().set(Keeper::NAME, "A").edit(Keeper::BADGE, badge.change().set(Badge::TEXT, "C"));
    let keeper = cx.step("both are written", at(&repo, 20).update(change)).await?;
    let stored = repo.get_or_fail::<Badge>(badge.id, Query::new()).await?;
    let held = keeper.badge()?;
    cx.require((held.updated_at, held.seen_at) == (stored.updated_at, stored.seen_at), "as it is stored")?;
    times(cx).await
}

// Rows of two types with one key are never mixed up.
async fn polymorphic(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let keeper = ada(&repo).await?;
    let early = at(&repo, 2);
    let draft = Album::build().set(Album::TITLE, "Looms").set_one(Album::PHOTO, Photo::build());
    let album = early.insert(draft).await?;
    cx.require(album.id == keeper.id, "one key")?;
    let keeper = early.update(keeper.change().set_one(Keeper::PHOTO, Photo::build())).await?;
    cx.step("the album", at(&repo, 10).update(album.change().set(Album::TITLE, "Engines"))).await?;
    times(cx).await?;
    cx.step("the keeper", at(&repo, 20).update(keeper.change().set(Keeper::NAME, "A"))).await?;
    times(cx).await?;
    cx.step("destroyed", at(&repo, 30).destroy(&album)).await?;
    times(cx).await
}

async fn composite_keys_and_conditions(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    followers::tables(&repo).await?;
    let early = at(&repo, 1);
    let desk = |tenant: i64| {
        let desk = Desk::build().set(Desk::TENANT_ID, tenant).set(Desk::NUMBER, 1).set(Desk::TEXT, "desk");
        desk.set_one(Desk::LAMP, Lamp::build().set(Lamp::LIT, true))
    };
    let desks = early.insert_all([desk(1), desk(2)]).await?;
    let dark = Lamp::build().set(Lamp::TENANT_ID, 1).set(Lamp::DESK_NUMBER, 1).set(Lamp::LIT, false);
    early.insert(dark).await?;
    let lamps = async |cx: &mut Context| {
        for lamp in cx.repo().all_by_key(Query::<Lamp>::new()).await? {
            let (of, lit) = ((lamp.tenant_id, lamp.desk_number), lamp.lit);
            cx.note("lamp", format!("{of:?}, lit {lit}: {}", second(lamp.updated_at)));
        }
        Ok::<_, Error>(())
    };
    let both = desks.iter().map(|desk| desk.change().set(Desk::TEXT, "x"));
    for change in both.take(1) {
        cx.step("one desk", at(&repo, 10).update(change)).await?;
    }
    lamps(cx).await?;
    cx.step("destroyed", at(&repo, 20).destroy(&desks[0])).await?;
    lamps(cx).await?;
    cx.step("the other", at(&repo, 30).destroy(&desks[1])).await?;
    lamps(cx).await
}

async fn chains_and_rings(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    followers::tables(&repo).await?;
    let early = at(&repo, 1);
    let wagon = |id: i64, after: Option<i64>| {
        Wagon::build().set(Wagon::ID, id).set(Wagon::AFTER_ID, after).set(Wagon::LOAD, "coal")
    };
    let wagons = early.insert_all([wagon(1, None), wagon(2, Some(1)), wagon(3, Some(2)), wagon(4, Some(3))]).await?;
    let all = async |cx: &mut Context| {
        for wagon in cx.repo().all_by_key(Query::<Wagon>::new()).await? {
            cx.note("wagon", format!("{}: {}", wagon.id, second(wagon.updated_at)));
        }
        Ok::<_, Error>(())
    };
    let change = wagons[1].change().set(Wagon::LOAD, "ore");
    cx.step("those behind the second", at(&repo, 10).update(change)).await?;
    all(cx).await?;
    early.update_all(Query::filter(Wagon::ID.eq(1)), [Wagon::AFTER_ID.to(4)]).await?;
    let change = wagons[2].change().set(Wagon::LOAD, "salt");
    cx.step("a ring", at(&repo, 20).update(change)).await?;
    all(cx).await
}

async fn without_touching(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let keeper = ada(&repo).await?;
    let quiet = at(&repo, 10).no_touching();
    let keeper = cx.step("changed", quiet.update(keeper.change().set(Keeper::NAME, "A"))).await?;
    times(cx).await?;
    cx.step("destroyed", quiet.destroy(&keeper)).await?;
    times(cx).await
}

// A filtered repo touches what it sees.
async fn hidden_rows(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let keeper = ada(&repo).await?;
    let blind = at(&repo, 10).filtered(|model| (model.name == "Badge").then(|| Expr::equals("text", Value::from("B"))));
    cx.step("changed", blind.update(keeper.change().set(Keeper::NAME, "A"))).await?;
    times(cx).await
}
