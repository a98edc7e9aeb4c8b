//! Members that a default scope, a condition of a source or a type hides: what an association does not show it does not take.

use assoc_core::Result;
use assoc_repo::prelude::*;
use conformance_harness::{Context, Level, cases};
use conformance_written_models::followers::{self, Badge, Keeper};
use conformance_written_models::museum::{self, Exhibit, Room, Visit, Work};

cases! { "handles_hidden", Level::Collection;
    delete_all_takes_what_is_shown,
    destroy_all_takes_what_is_shown,
    replace_takes_what_is_shown,
    set_ids_takes_what_is_shown,
    saves_take_what_is_shown,
    one_in_place_of_a_hidden_one,
    named_rows,
    default_limits_are_seen,
    default_limits_refuse_writes_of_all,
    one_that_must_exist_is_looked_up_again,
}

async fn rooms(repo: &Repo) -> Result<[Room; 3]> {
    museum::fixture(repo).await?;
    let mut rooms = Vec::new();
    for id in 1..=3 {
        rooms.push(repo.get_or_fail::<Room>(id, Query::new()).await?);
    }
    let [east, west, north] = <[Room; 3]>::try_from(rooms).map_err(|_| assoc_core::Error::other("three rooms"))?;
    Ok([east, west, north])
}

// What is left, hidden or not.
async fn left(cx: &mut Context) -> Result<()> {
    cx.rows("exhibits", "SELECT room_id, name FROM exhibits ORDER BY id").await?;
    let placards = "SELECT placards.room_id, works.name, placards.taken_off FROM placards JOIN works ON works.id = placards.work_id \
                    ORDER BY placards.id";
    cx.rows("placards", placards).await?;
    let topics = "SELECT rooms_topics.room_id, topics.name FROM rooms_topics JOIN topics ON topics.id = rooms_topics.topic_id \
                  ORDER BY rooms_topics.room_id, topics.id";
    cx.rows("topics", topics).await
}

// The same call of each association: on rooms of their own where two have the same rows.
macro_rules! each {
    ($cx:ident, $repo:ident, |$members:ident| $call:expr) => {{
        let [mut east, mut west, mut north] = rooms(&$repo).await?;
        each!(@ $cx, $repo, east, EXHIBITS, $members, $call);
        each!(@ $cx, $repo, east, WORKS, $members, $call);
        each!(@ $cx, $repo, east, TOPICS, $members, $call);
        each!(@ $cx, $repo, west, STATUES, $members, $call);
        each!(@ $cx, $repo, west, LIT_WORKS, $members, $call);
        each!(@ $cx, $repo, north, ALL_EXHIBITS, $members, $call);
        each!(@ $cx, $repo, north, SCULPTURES, $members, $call);
        left($cx).await
    }};
    (@ $cx:ident, $repo:ident, $room:ident, $association:ident, $members:ident, $call:expr) => {{
        let mut $members = $repo.association(&mut $room, Room::$association);
        let count = $members.count().await?;
        $cx.step(concat!(stringify!($room), " ", stringify!($association)), $call).await?;
        let after = $members.count().await?;
        $cx.note("count before and after", format!("{count}, {after}"));
        let own = $members.target().is_none_or(|rows| rows.len() as u64 == after);
        $cx.require(own, "what is in memory is what is counted")?;
    }};
}

async fn delete_all_takes_what_is_shown(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    each!(cx, repo, |members| members.delete_all())
}

async fn destroy_all_takes_what_is_shown(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    each!(cx, repo, |members| members.destroy_all())
}

async fn replace_takes_what_is_shown(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    each!(cx, repo, |members| async {
        let first = members.take(1).await?;
        members.replace(&first).await
    })
}

async fn set_ids_takes_what_is_shown(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    each!(cx, repo, |members| members.set_ids([0_i64; 0]))
}

// A changeset says the same as a handle.
async fn saves_take_what_is_shown(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let [east, west, north] = rooms(&repo).await?;
    let exhibit = || Exhibit::build().set(Exhibit::NAME, "new").set(Exhibit::WITHDRAWN, false);
    let work = || Work::build().set(Work::NAME, "new").set(Work::LIT, true).set(Work::LENT, false);
    let change = east.change().replace(Room::EXHIBITS, [exhibit()]).replace(Room::WORKS, [work()]);
    cx.step("east", repo.update(change.clear(Room::TOPICS))).await?;
    cx.step("west", repo.update(west.change().clear(Room::STATUES).replace(Room::LIT_WORKS, [work()]))).await?;
    let change = north.change().replace(Room::ALL_EXHIBITS, [exhibit()]).clear(Room::SCULPTURES);
    cx.step("north", repo.update(change)).await?;
    left(cx).await
}

async fn one_in_place_of_a_hidden_one(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let [mut east, ..] = rooms(&repo).await?;
    repo.execute_raw("DELETE FROM exhibits WHERE room_id = 1 AND name <> 'cracked vase'", []).await?;
    let mut exhibit = repo.association(&mut east, Room::EXHIBIT);
    cx.require(exhibit.get().await?.is_none(), "it is hidden")?;
    let new = Exhibit::build().set(Exhibit::NAME, "new").set(Exhibit::WITHDRAWN, false);
    cx.step("a new one", exhibit.create(new)).await?;
    cx.step("none", exhibit.clear()).await?;
    left(cx).await
}

// A row that is named counts, also if a default scope of its model hides it. A row between that is hidden does not: it is not
// the row that is named.
async fn named_rows(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let [mut east, mut west, _] = rooms(&repo).await?;
    let cracked =
        repo.one(Query::new().unscoped().filter(Exhibit::NAME.eq("cracked vase").and(Exhibit::ROOM_ID.eq(1)))).await?;
    let cracked = cracked.ok_or_else(|| assoc_core::Error::other("a cracked vase"))?;
    cx.step("a hidden member", repo.association(&mut east, Room::EXHIBITS).delete(&cracked)).await?;
    let [lit, dim, lent, taken_off]: [Work; 4] = {
        let works = repo.all(Query::order_by(Work::ID.asc()).unscoped().filter(Work::ID.le(4))).await?;
        works.try_into().map_err(|_| assoc_core::Error::other("four works"))?
    };
    let mut works = repo.association(&mut east, Room::WORKS);
    cx.step("behind a shown row", works.delete(&lit)).await?;
    cx.step("a hidden member behind a shown row", works.delete(&lent)).await?;
    cx.fails("behind a hidden row", works.delete(&taken_off)).await?;
    cx.fails("no member for its source's condition", repo.association(&mut west, Room::LIT_WORKS).delete(&dim)).await?;
    let mut statues = repo.association(&mut west, Room::STATUES);
    cx.fails("of another type", statues.delete_ids([5])).await?;
    cx.fails("of another type, behind a row", repo.association(&mut west, Room::SCULPTURES).delete_ids([1])).await?;
    left(cx).await
}

// Which rows are members does not depend on what is asked of them.
async fn default_limits_are_seen(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let [mut east, ..] = rooms(&repo).await?;
    let visits = repo.association(&mut east, Room::VISITS);
    let names = |rows: Vec<Visit>| rows.into_iter().map(|visit| visit.visitor).collect::<Vec<_>>().join(" ");
    let all = cx.step("all", visits.all()).await?;
    cx.note("all", names(all));
    let taken = cx.step("take(1)", visits.take(1)).await?;
    cx.note("take(1)", names(taken));
    let taken = cx.step("take(5)", visits.take(5)).await?;
    cx.note("take(5)", names(taken));
    let last = cx.step("take_last(1)", visits.take_last(1)).await?;
    cx.note("take_last(1)", names(last));
    let first = cx.step("first", visits.first()).await?;
    cx.note("first", names(first.into_iter().collect()));
    let found = cx.step("find", visits.find(3)).await?;
    cx.note("find", found.visitor);
    cx.fails("find what the limit hides", visits.find(1)).await?;
    let hidden = repo.all(Query::order_by(Visit::ID.asc()).unscoped().limit(1)).await?;
    let contains = cx.step("contains", visits.contains(&hidden[0])).await?;
    cx.require(!contains, "it is hidden")?;
    let ada = Visit::VISITOR.eq("Ada");
    let exists = cx.step("exists", visits.exists(ada.clone())).await?;
    cx.require(!exists, "it is hidden")?;
    let many = cx.step("many", visits.many()).await?;
    cx.require(many && !visits.one().await?, "two")?;
    let count = cx.step("count", visits.count()).await?;
    cx.note("count", count);
    let ids = cx.step("ids", visits.ids()).await?;
    cx.note("ids", format!("{ids:?}"));
    let queried = cx.step("query", repo.all(visits.query()?.filter(ada))).await;
    cx.note("query", queried.map_or_else(|error| error.to_string(), names));
    let mut loaded = repo.association(&mut east, Room::VISITS);
    loaded.load().await?;
    cx.require(loaded.take(5).await?.len() == 2 && loaded.find(1).await.is_err(), "loaded as well")
}

async fn default_limits_refuse_writes_of_all(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let [mut east, ..] = rooms(&repo).await?;
    let mut visits = repo.association(&mut east, Room::VISITS);
    let hidden =
        [repo.one(Query::new().unscoped().filter(Visit::ID.eq(1))).await?].into_iter().flatten().collect::<Vec<_>>();
    cx.fails("delete_all", visits.delete_all()).await?;
    cx.fails("destroy_all", visits.destroy_all()).await?;
    cx.fails("replace", visits.replace(&hidden)).await?;
    cx.fails("set_ids", visits.set_ids([3])).await?;
    let found = visits.find(3).await?;
    cx.step("a row that is named", visits.delete(&found)).await?;
    cx.step("a new one", visits.create(Visit::build().set(Visit::VISITOR, "Dan"))).await?;
    cx.rows("visits", "SELECT id, room_id, visitor FROM visits WHERE id <= 3 ORDER BY id").await
}

// What a filter hid may be there for a repo without it, as the row of a foreign key may.
async fn one_that_must_exist_is_looked_up_again(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    followers::tables(&repo).await?;
    let named = repo.insert(Keeper::build().set(Keeper::NAME, "Ada")).await?;
    let hidden = repo.insert(Badge::build().set(Badge::TEXT, "lost").set(Badge::KEEPER_ID, named.id)).await?;
    let filtered = repo.filtered(move |model| (model == Badge::DEF).then(|| Badge::ID.ne(hidden.id).into_expr()));
    let query = || Query::preload(Keeper::BADGE);

    let mut keeper = cx.step("hidden", filtered.get_or_fail::<Keeper>(named.id, query())).await?;
    cx.require(keeper.badge().is_err(), "the filter hides it")?;
    cx.step("and still", filtered.preload(&mut keeper, Keeper::BADGE)).await?;
    cx.require(keeper.badge().is_err(), "it hides it as before")?;
    cx.step("without the filter", repo.preload(&mut keeper, Keeper::BADGE)).await?;
    cx.require(keeper.badge()?.text == "lost", "it is there")?;
    cx.step("it is loaded now", repo.preload(&mut keeper, Keeper::BADGE)).await?;

    repo.delete(keeper.badge()?).await?;
    let mut keeper = cx.step("missing", repo.get_or_fail::<Keeper>(named.id, query())).await?;
    repo.insert(Badge::build().set(Badge::TEXT, "new").set(Badge::KEEPER_ID, named.id)).await?;
    cx.step("written since", repo.preload(&mut keeper, Keeper::BADGE)).await?;
    cx.require(keeper.badge()?.text == "new", "it is there")
}
