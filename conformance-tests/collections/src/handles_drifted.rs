//! Handles of owners whose counter cache is wrong beforehand: each call adds to the counter what it has really written, one that
//! cannot be negative ends at 0, and memory says what the database says.

use std::time::SystemTime;

use assoc_core::Result;
use assoc_repo::prelude::*;
use conformance_harness::{Context, Level, cases};
use conformance_written_models::counted::{self, Article, Chair, Comment, Contract, Mark, Player, Room, Team, Writer};

cases! { "handles_drifted", Level::Collection;
    f155_of_a_signed_counter,
    f155_of_a_counter_that_cannot_be_negative,
    of_several_types,
    through_others,
    beyond_the_largest_number,
}

fn steady(cx: &Context) -> Repo {
    cx.repo().with_clock(|| SystemTime::UNIX_EPOCH)
}

const CALLS: [&str; 7] = ["delete", "delete_ids", "destroy", "replace", "set_ids", "delete_all", "destroy_all"];

// What each call makes of three members, of which one stays if the call lets it.
macro_rules! called {
    ($call:expr, $handle:expr) => {{
        let rows = $handle.all().await?;
        match $call {
            "delete" => $handle.delete([&rows[0], &rows[1]]).await?,
            "delete_ids" => $handle.delete_ids([rows[0].id, rows[1].id]).await?,
            "destroy" => $handle.destroy([&rows[0], &rows[1]]).await?,
            "replace" => $handle.replace([&rows[2]]).await?,
            "set_ids" => $handle.set_ids([rows[2].id]).await?,
            "delete_all" => drop($handle.delete_all().await?),
            _ => drop($handle.destroy_all().await?),
        }
    }};
}

async fn f155_of_a_signed_counter(cx: &mut Context) -> Result<()> {
    let repo = steady(cx);
    counted::fixture(&repo).await?;
    for stored in [1, 30] {
        for call in CALLS {
            repo.execute_raw("DELETE FROM comments", []).await?;
            let comment = |body: &str| Comment::build().set(Comment::BODY, body).set(Comment::ARTICLE_ID, 1);
            repo.insert_all(["a", "b", "c"].map(comment)).await?;
            repo.execute_raw(&format!("UPDATE articles SET comments_count = {stored} WHERE id = 1"), []).await?;
            let mut article = repo.get_or_fail::<Article>(1, Query::new()).await?;
            let mut comments = repo.association(&mut article, Article::COMMENTS);
            called!(call, comments);
            let count = comments.count().await?;
            // A number below 0 stands for no number of rows.
            comments.reset();
            let size = comments.size().await?;
            let fresh = repo.get_or_fail::<Article>(1, Query::new()).await?;
            cx.require(article.comments_count == fresh.comments_count, "memory and database agree")?;
            cx.note(
                &format!("{stored}, {call}"),
                format!("counter {:?}, size {size}, count {count}", fresh.comments_count),
            );
        }
    }
    cx.require(repo.reset_counters(Article::COMMENTS).await? == 1, "which `reset_counters` mends")
}

async fn f155_of_a_counter_that_cannot_be_negative(cx: &mut Context) -> Result<()> {
    let repo = steady(cx);
    repo.create_table::<Room>().await?;
    repo.create_table::<Chair>().await?;
    repo.insert(Room::build().set(Room::TENANT_ID, 1).set(Room::NUMBER, 7)).await?;
    for stored in [1, 30] {
        for call in CALLS {
            repo.execute_raw("DELETE FROM chairs", []).await?;
            let chair = || Chair::build().set(Chair::TENANT_ID, 1).set(Chair::ROOM_NUMBER, 7);
            repo.insert_all([chair(), chair(), chair()]).await?;
            repo.execute_raw(&format!("UPDATE rooms SET chairs_count = {stored}"), []).await?;
            let mut room = repo.get_or_fail::<Room>((1, 7), Query::new()).await?;
            let mut chairs = repo.association(&mut room, Room::CHAIRS);
            called!(call, chairs);
            let count = chairs.count().await?;
            let fresh = repo.get_or_fail::<Room>((1, 7), Query::new()).await?;
            cx.require(room.chairs_count == fresh.chairs_count, "memory and database agree")?;
            cx.note(&format!("{stored}, {call}"), format!("counter {}, count {count}", fresh.chairs_count));
        }
    }
    // In plain calls as by a handle, and in the sum of many.
    repo.execute_raw("DELETE FROM chairs", []).await?;
    repo.insert(Room::build().set(Room::TENANT_ID, 1).set(Room::NUMBER, 8)).await?;
    let chair = |number: i32| Chair::build().set(Chair::TENANT_ID, 1).set(Chair::ROOM_NUMBER, number);
    let chairs = repo.insert_all([chair(7), chair(7), chair(8)]).await?;
    repo.execute_raw("UPDATE rooms SET chairs_count = 1 WHERE number = 7", []).await?;
    let moved = repo.insert(chair(7)).await?;
    repo.execute_raw("UPDATE rooms SET chairs_count = 0 WHERE number = 7", []).await?;
    cx.step("moved", repo.update(moved.change().set(Chair::ROOM_NUMBER, 8))).await?;
    cx.rows("rooms", "SELECT number, chairs_count FROM rooms ORDER BY number").await?;
    cx.step("destroyed below both", repo.destroy_rows(&chairs)).await?;
    cx.rows("rooms", "SELECT number, chairs_count FROM rooms ORDER BY number").await?;
    cx.step("by hand", repo.add_to_counter(Room::CHAIRS, [(1, 8)], -7)).await?;
    cx.rows("rooms", "SELECT number, chairs_count FROM rooms ORDER BY number").await
}

async fn of_several_types(cx: &mut Context) -> Result<()> {
    let repo = steady(cx);
    counted::fixture(&repo).await?;
    let mut writer = repo.get_or_fail::<Writer>(1, Query::new()).await?;
    let mut marks = repo.association(&mut writer, Writer::MARKS);
    let rows = marks.create_all([Mark::build(), Mark::build(), Mark::build()]).await?;
    repo.execute_raw("UPDATE writers SET marks_count = 1 WHERE id = 1", []).await?;
    // The struct says 3, the database 1: each call adds the same to both, and neither falls below 0.
    cx.step("two are deleted", marks.delete([&rows[0], &rows[1]])).await?;
    cx.note("in memory", marks.owner().marks_count);
    cx.rows("writers", "SELECT id, marks_count FROM writers ORDER BY id").await?;
    cx.step("the last one is destroyed", marks.destroy(&rows[2])).await?;
    cx.note("in memory", marks.owner().marks_count);
    cx.rows("writers", "SELECT id, marks_count FROM writers ORDER BY id").await
}

async fn through_others(cx: &mut Context) -> Result<()> {
    let repo = steady(cx);
    repo.create_table::<Player>().await?;
    repo.create_table::<Team>().await?;
    repo.create_table::<Contract>().await?;
    let teams = repo.insert_all([Team::build(), Team::build()]).await?;
    let mut player = repo.insert(Player::build().push(Player::TEAMS, [&teams[0], &teams[0], &teams[1]])).await?;
    repo.execute_raw("UPDATE players SET teams_count = 1", []).await?;
    repo.execute_raw("UPDATE teams SET contracts_count = 10", []).await?;
    player.teams_count = 1;
    let mut handle = repo.association(&mut player, Player::TEAMS);
    cx.step("both links to one", handle.delete(&teams[0])).await?;
    let stored = repo.get_or_fail::<Player>(1, Query::new()).await?.teams_count;
    cx.require(handle.owner().teams_count == stored, "memory and database agree")?;
    cx.note("counter", stored);
    // What is below 0 stands for no number.
    handle.reset();
    let size = cx.step("size", handle.size()).await?;
    cx.require(size == 1, "one is left")?;
    cx.step("the last one", handle.replace(Vec::<&Team>::new())).await?;
    cx.note("counter", handle.owner().teams_count);
    cx.rows("teams", "SELECT id, contracts_count FROM teams ORDER BY id").await
}

// A number that its column cannot hold is refused by the database: nothing is written, and memory stays as it is.
async fn beyond_the_largest_number(cx: &mut Context) -> Result<()> {
    let repo = steady(cx);
    counted::fixture(&repo).await?;
    repo.execute_raw("UPDATE writers SET marks_count = 65534 WHERE id = 1", []).await?;
    let mut writer = repo.get_or_fail::<Writer>(1, Query::new()).await?;
    let mut marks = repo.association(&mut writer, Writer::MARKS);
    marks.push(Mark::build()).await?;
    let before = marks.owner().clone();
    cx.require(before.marks_count == 65_535, "one more")?;
    let failed = marks.push([Mark::build(), Mark::build()]).await;
    cx.note("refused by the database", failed.is_err_and(|error| error.driver().is_some()));
    cx.require(writer == before, "the owner stays as it is")?;
    cx.rows("writers", "SELECT id, marks_count FROM writers ORDER BY id").await?;
    cx.rows("marks", "SELECT COUNT(*) FROM marks").await
}
