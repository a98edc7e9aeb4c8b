//! Of which list a save knows that it is the whole, and of which it does not: what came back never says more than a fresh
//! read would.

use assoc_core::{LoadState, Result};
use assoc_repo::Changeset;
use assoc_repo::prelude::*;
use conformance_harness::{Context, Level, cases};
use conformance_models::workshop::{self, Bench, Maker, Mark, Order, Piece, Room, Shift, Tool};

cases! { "saved_lists", Level::Kind;
    links_from_both_sides,
    conditions_on_rows_between,
    conditions_on_targets,
    edited_and_replaced,
    moved_by_another_way,
    keys_that_are_not_unique,
    two_rows_of_one_target,
    many_rows,
}

fn maker(name: &str) -> Changeset<Maker> {
    Maker::build().set(Maker::NAME, name)
}

fn piece(name: &str) -> Changeset<Piece> {
    Piece::build().set(Piece::NAME, name)
}

fn room(name: &str) -> Changeset<Room> {
    Room::build().set(Room::NAME, name)
}

async fn links_from_both_sides(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    workshop::tables(&repo).await?;
    let own = Mark::build().set(Mark::NAME, "own");
    let draft = Mark::build().set(Mark::NAME, "of all").push(Mark::PIECES, piece("p").push(Piece::MARKS, own));
    let mark = cx.step("a mark with a piece, which has another mark", repo.insert(draft)).await?;
    let piece = &mark.pieces()?[0];
    cx.require(mark.pieces.state() == LoadState::Loaded, "the mark has this piece")?;
    cx.require(piece.marks.state() == LoadState::Partial, "the piece has the mark above as well")?;
    cx.rows("links", "SELECT mark_id, piece_id FROM marks_pieces ORDER BY mark_id").await
}

async fn conditions_on_rows_between(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    workshop::tables(&repo).await?;
    let led = |role: &'static str| {
        maker("Ada").push_with(Maker::LED_ROOMS, room("r"), move |shift| shift.set(Shift::ROLE, role))
    };
    cx.fails("a row between that the association does not see", repo.insert(led("guest"))).await?;
    let ada = cx.step("one that it sees", repo.insert(led("lead"))).await?;
    cx.require(ada.led_rooms()?.len() == 1, "loaded")
}

async fn conditions_on_targets(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    workshop::tables(&repo).await?;
    let rooms = ["a", "b", "c"].map(|name| room(name).set(Room::OPEN, name != "c"));
    let rooms = repo.insert_all(rooms).await?;
    let [a, b, c] = &rooms[..] else { return Ok(()) };
    let ada = repo.insert(maker("Ada")).await?;
    repo.insert_all(rooms.iter().map(|room| Shift::build().set(Shift::MAKER_ID, ada.id).set(Shift::ROOM_ID, room.id)))
        .await?;
    cx.fails("a room that is not open is no member", repo.update(ada.change().remove(Maker::OPEN_ROOMS, c))).await?;
    cx.step("one that is", repo.update(ada.change().remove(Maker::OPEN_ROOMS, a))).await?;
    let shifts = "SELECT maker_id, room_id FROM shifts ORDER BY room_id";
    cx.rows("shifts", shifts).await?;
    let new = room("d");
    cx.step("replaced: others are not concerned", repo.update(ada.change().replace(Maker::OPEN_ROOMS, [new]))).await?;
    cx.rows("shifts", shifts).await?;
    let again = ada.change().replace(Maker::OPEN_ROOMS, [b]);
    cx.step("by one that was let go", repo.update(again)).await?;
    cx.step("cleared", repo.update(ada.change().clear(Maker::OPEN_ROOMS))).await?;
    cx.rows("shifts", shifts).await
}

async fn edited_and_replaced(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    workshop::tables(&repo).await?;
    let ada = repo.insert(maker("Ada").push(Maker::PIECES, ["a", "b"].map(piece))).await?;
    let [a, b] = ada.pieces()? else { return Ok(()) };
    let change = ada.change().replace(Maker::PIECES, [a]).edit(Maker::PIECES, b.change().set(Piece::NAME, "B"));
    let saved = cx.step("one is edited and let go", repo.update(change)).await?;
    cx.show("pieces", saved.pieces()?.iter().map(|piece| &piece.name));
    cx.rows("pieces", "SELECT name, maker_id FROM pieces ORDER BY id").await
}

async fn moved_by_another_way(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    workshop::tables(&repo).await?;
    let draft = |name: &str| maker(name).push(Maker::OPEN_ROOMS, room("r"));
    let makers = repo.insert_all([draft("Ada"), draft("Bob")]).await?;
    let [ada, bob] = &makers[..] else { return Ok(()) };
    let shifts = repo.all(Query::<Shift>::order_by(Shift::ID.asc())).await?;
    let change = ada.change().push(Maker::SHIFTS, &shifts[1]).push(Maker::OPEN_ROOMS, room("s"));
    let saved = cx.step("a row between comes by another association", repo.update(change)).await?;
    cx.require(saved.open_rooms.state() == LoadState::Partial && saved.open_rooms()?.len() == 1, "what was given")?;
    let bob = repo.get_or_fail::<Maker>(bob.id, Query::preload(Maker::OPEN_ROOMS)).await?;
    cx.require(bob.open_rooms()?.is_empty(), "it is gone here")
}

async fn keys_that_are_not_unique(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    workshop::tables(&repo).await?;
    repo.insert(Order::build().set(Order::MAKER_CODE, "x")).await?;
    let draft = maker("Ada").set(Maker::CODE, "x").push(Maker::ORDERS, Order::build());
    let saved = cx.step("a new maker, for whom there is an order", repo.insert(draft)).await?;
    cx.require(saved.orders.state() == LoadState::Partial && saved.orders()?.len() == 1, "a part")
}

async fn two_rows_of_one_target(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    workshop::tables(&repo).await?;
    let bench = |name: &str| Bench::build().set(Bench::NAME, name);
    let draft = bench("first").associate(Bench::MAKER, maker("Ada").set_one(Maker::BENCH, bench("second")));
    let saved = cx.step("a maker with two benches", repo.insert(draft)).await?;
    let maker = saved.maker()?;
    cx.require(maker.is_some_and(|maker| !maker.bench.is_loaded()), "which one it has is for the database to say")?;
    cx.rows("benches", "SELECT name, maker_id FROM benches ORDER BY name").await
}

// Most of them are not read back where the database keeps what it is given, and are known all the same.
async fn many_rows(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    workshop::tables(&repo).await?;
    let tool = |at: i64| Tool::build().set(Tool::NAME, format!("t{at}"));
    let tools = repo.insert_all((0..5_000).map(tool)).await?;
    let fresh = repo.all(Query::<Tool>::order_by(Tool::ID.asc())).await?;
    cx.require(tools == fresh, "what came back is what is there")?;
    // Of several sets of columns, in turns.
    let maker = |at: i64| match at % 3 {
        0 => maker("plain"),
        _ => maker("with a code").set(Maker::CODE, format!("c{at}")),
    };
    let makers = repo.insert_all((0..3_000).map(maker)).await?;
    let fresh = repo.all(Query::<Maker>::order_by(Maker::ID.asc())).await?;
    let mut sorted = makers.clone();
    sorted.sort_by_key(|maker| maker.id);
    cx.require(
        sorted == fresh && makers.iter().enumerate().all(|(at, maker)| maker.code.is_some() == (at % 3 > 0)),
        "each",
    )
}
