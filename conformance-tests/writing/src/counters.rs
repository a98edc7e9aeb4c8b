//! Counter caches (F120, F154–F158): what is inserted, moved, let go and destroyed is counted in the rows it belongs to.

use std::time::SystemTime;

use assoc_core::Result;
use assoc_core::metadata::Expr;
use assoc_repo::Changeset;
use assoc_repo::prelude::*;
use conformance_harness::{Context, Level, cases};

use conformance_written_models::counted::{
    self, Article, Branch, Chair, Comment, Contract, Firm, Job, Mark, Player, Queue, Room, Shelf, Team, Volume, Worker,
    Writer,
};

cases! { "counters", Level::Write;
    f154_inserted_moved_destroyed,
    a_stale_struct_does_not_decide,
    many_rows_few_statements,
    f155_members_of_saves,
    inserted_with_their_counters,
    polymorphic,
    composite_keys,
    keys_of_text,
    self_joins,
    through_collections,
    keys_that_the_database_makes,
    conditions_of_the_association,
    dependents,
    f157_no_double_decrement,
    destroyed_twice,
    missing_parents,
    null_starts_at_nothing,
    f158_cannot_be_set,
    what_counts_nothing,
    f156_repair,
    repair_of_every_key,
    what_has_no_counter,
    added_by_hand,
    filtered_repos,
    plans,
    failures,
    rows_that_callbacks_change,
}

const WRITERS: &str = "SELECT id, articles_count, marks_count, said_count, version FROM writers ORDER BY id";
const ARTICLES: &str = "SELECT id, writer_id, comments_count, marks_count FROM articles ORDER BY id";

fn comment(article: i64) -> Changeset<Comment> {
    Comment::build().set(Comment::ARTICLE_ID, article).set(Comment::BODY, "fine")
}

fn article(title: &str) -> Changeset<Article> {
    Article::build().set(Article::TITLE, title)
}

/// A repo whose times every database stores as they are, so that none reads them back.
fn steady(cx: &Context) -> Repo {
    cx.repo().with_clock(|| SystemTime::UNIX_EPOCH)
}

/// What every counter says, and what is true.
async fn require_true(cx: &Context) -> Result<()> {
    let repo = cx.repo();
    let wrong = [
        repo.reset_counters(Writer::ARTICLES).await?,
        repo.reset_counters(Writer::MARKS).await?,
        repo.reset_counters(Writer::COMMENTS).await?,
        repo.reset_counters(Article::COMMENTS).await?,
        repo.reset_counters(Article::MARKS).await?,
    ];
    // A counter that is NULL is wrong until it was counted once.
    cx.require(wrong.iter().sum::<u64>() == 0, &format!("the counters are true: {wrong:?}"))
}

async fn f154_inserted_moved_destroyed(cx: &mut Context) -> Result<()> {
    let repo = steady(cx);
    counted::fixture(&repo).await?;
    let first = cx.step("insert", repo.insert(comment(1).set(Comment::AUTHOR_ID, 1))).await?;
    cx.rows("articles", ARTICLES).await?;
    let moved = cx.step("to another", repo.update(first.change().set(Comment::ARTICLE_ID, 2))).await?;
    cx.rows("articles", ARTICLES).await?;
    let moved = cx.step("of another author", repo.update(moved.change().set(Comment::AUTHOR_ID, 2))).await?;
    let moved = cx.step("of no author", repo.update(moved.change().set(Comment::AUTHOR_ID, None))).await?;
    cx.rows("writers", WRITERS).await?;
    let same = cx.step("only its text", repo.update(moved.change().set(Comment::BODY, "x"))).await?;
    cx.step("nothing", repo.update(same.change().set(Comment::BODY, "x"))).await?;
    cx.step("destroy", repo.destroy(&same)).await?;
    cx.rows("articles", ARTICLES).await?;
    let lost = repo.get_or_fail::<Article>(3, Query::new()).await?;
    let given = cx.step("a writer for an article", repo.update(lost.change().set(Article::WRITER_ID, 1))).await?;
    cx.step("and none", repo.update(given.change().dissociate(Article::WRITER))).await?;
    cx.rows("writers", WRITERS).await?;
    require_true(cx).await
}

// Whom a row belongs to is decided by the database.
async fn a_stale_struct_does_not_decide(cx: &mut Context) -> Result<()> {
    let repo = steady(cx);
    counted::fixture(&repo).await?;
    let stale = repo.insert(comment(1)).await?;
    repo.update(stale.change().set(Comment::ARTICLE_ID, 2)).await?;
    cx.step("from 2, though the struct says 1", repo.update(stale.change().set(Comment::ARTICLE_ID, 3))).await?;
    cx.rows("articles", ARTICLES).await?;
    cx.step("there already", repo.update(stale.change().set(Comment::ARTICLE_ID, 3))).await?;
    cx.step("destroyed by the old struct", repo.destroy(&stale)).await?;
    cx.rows("articles", ARTICLES).await?;
    require_true(cx).await
}

async fn many_rows_few_statements(cx: &mut Context) -> Result<()> {
    let repo = steady(cx);
    counted::fixture(&repo).await?;
    let articles = (0..40).map(|at| article("many").set(Article::WRITER_ID, if at % 3 == 0 { 1 } else { 2 }));
    let articles = cx.step("insert_all", repo.insert_all(articles)).await?;
    let comments = articles.iter().enumerate().flat_map(|(at, article)| vec![comment(article.id); 1 + at % 4]);
    let comments: Vec<_> = comments.collect();
    cx.note("comments", comments.len());
    repo.insert_all(comments).await?;
    cx.rows("sums", "SELECT comments_count, COUNT(*) FROM articles GROUP BY comments_count ORDER BY 1").await?;
    cx.rows("writers", WRITERS).await?;
    cx.step("destroy_all", repo.destroy_all(Query::filter(Article::COMMENTS_COUNT.gt(2)))).await?;
    cx.rows("writers", WRITERS).await?;
    require_true(cx).await
}

async fn f155_members_of_saves(cx: &mut Context) -> Result<()> {
    let repo = steady(cx);
    counted::fixture(&repo).await?;
    let ada = repo.get_or_fail::<Writer>(1, Query::preload(Writer::ARTICLES)).await?;
    let grace = repo.get_or_fail::<Writer>(2, Query::preload(Writer::ARTICLES)).await?;
    let own = &grace.articles()?[0];
    let change = ada.change().push(Writer::ARTICLES, article("new")).push(Writer::ARTICLES, own);
    cx.note("plan", repo.explain_save(&change)?);
    let saved = cx.step("pushed, one of another", repo.update(change)).await?;
    cx.require(saved.articles_count == 3, "the returned owner has its counter")?;
    cx.rows("writers", WRITERS).await?;
    // Comments are deleted when they are let go, and counted with their author as well.
    let article = &saved.articles()?[0];
    let said = ["a", "b", "c"].map(|body| Comment::build().set(Comment::BODY, body).set(Comment::AUTHOR_ID, 2));
    let article = cx.step("comments", repo.update(article.change().push(Article::COMMENTS, said))).await?;
    cx.require(article.comments_count == Some(3), "the returned owner has its counter")?;
    cx.rows("writers", WRITERS).await?;
    let (first, second) = (&article.comments()?[0], &article.comments()?[1]);
    let elsewhere = second.change().set(Comment::ARTICLE_ID, 3);
    let change = article.change().remove(Article::COMMENTS, first).edit(Article::COMMENTS, elsewhere);
    cx.note("plan", repo.explain_save(&change)?);
    let left = cx.step("one removed, one moved", repo.update(change)).await?;
    cx.require(left.comments_count == Some(1), "the returned owner has its counter")?;
    cx.rows("articles", ARTICLES).await?;
    let kept = repo.get_or_fail::<Article>(left.id, Query::preload(Article::COMMENTS)).await?;
    let replaced = kept.change().replace(Article::COMMENTS, [Comment::build().set(Comment::BODY, "only")]);
    let replaced = cx.step("replaced", repo.update(replaced)).await?;
    cx.require(replaced.comments_count == Some(1), "the returned owner has its counter")?;
    cx.step("cleared", repo.update(replaced.change().clear(Article::COMMENTS))).await?;
    cx.rows("articles", ARTICLES).await?;
    cx.rows("writers", WRITERS).await?;
    require_true(cx).await
}

async fn inserted_with_their_counters(cx: &mut Context) -> Result<()> {
    let repo = steady(cx);
    counted::fixture(&repo).await?;
    let said = |body: &str| Comment::build().set(Comment::BODY, body).set(Comment::AUTHOR_ID, 1);
    let draft = Writer::build().set(Writer::NAME, "Mary").push(
        Writer::ARTICLES,
        [
            article("one").push(Article::COMMENTS, ["a", "b"].map(said)),
            article("two").push(Article::COMMENTS, said("c")).push(Article::MARKS, Mark::build()),
        ],
    );
    cx.note("plan", repo.explain_save(&draft)?);
    let saved = cx.step("a graph", repo.insert(draft)).await?;
    let counts: Vec<_> =
        saved.articles()?.iter().map(|article| (article.comments_count, article.marks_count)).collect();
    cx.require(saved.articles_count == 2 && counts == [(Some(2), 0), (Some(1), 1)], "counted in what comes back")?;
    cx.rows("writers", WRITERS).await?;
    cx.rows("articles", ARTICLES).await?;
    // A new owner by `associate`, and one that is known by its key alone.
    let mary = Writer::build().set(Writer::NAME, "Mary's friend");
    let saved = cx.step("its new owner", repo.insert(article("x").associate(Article::WRITER, mary))).await?;
    cx.require(saved.writer()?.is_some_and(|writer| writer.articles_count == 1), "loaded with its counter")?;
    let shelves = Shelf::build().set(Shelf::ID, 7).set(Shelf::OPEN, true);
    repo.create_table::<Shelf>().await?;
    repo.insert(shelves).await?;
    require_true(cx).await
}

async fn polymorphic(cx: &mut Context) -> Result<()> {
    let repo = steady(cx);
    counted::fixture(&repo).await?;
    let writer = repo.get_or_fail::<Writer>(1, Query::new()).await?;
    // The same id, of another type.
    let article = repo.get_or_fail::<Article>(1, Query::new()).await?;
    let mark = cx.step("of a writer", repo.insert(Mark::build().associate(Mark::MARKABLE, &writer))).await?;
    cx.rows("writers", WRITERS).await?;
    let mark = cx.step("of the article", repo.update(mark.change().associate(Mark::MARKABLE, &article))).await?;
    cx.rows("writers", WRITERS).await?;
    cx.rows("articles", ARTICLES).await?;
    let mark = cx.step("of nothing", repo.update(mark.change().dissociate(Mark::MARKABLE))).await?;
    let unknown = mark.change().set(Mark::MARKABLE_ID, 1).set(Mark::MARKABLE_TYPE, "Stone".to_owned());
    let mark = cx.step("of an unknown type", repo.update(unknown)).await?;
    let back = mark.change().set(Mark::MARKABLE_TYPE, "Writer".to_owned());
    let mark = cx.step("its type alone", repo.update(back)).await?;
    cx.rows("writers", WRITERS).await?;
    cx.step("destroyed", repo.destroy(&mark)).await?;
    cx.rows("writers", WRITERS).await?;
    let pushed = repo.update(writer.change().push(Writer::MARKS, [Mark::build(), Mark::build()]));
    let pushed = cx.step("members", pushed).await?;
    cx.require(pushed.marks_count == 2, "counted")?;
    require_true(cx).await
}

async fn composite_keys(cx: &mut Context) -> Result<()> {
    let repo = steady(cx);
    repo.create_table::<Room>().await?;
    repo.create_table::<Chair>().await?;
    let rooms = [(1, 1), (1, 2), (2, 1)];
    let rooms = rooms.map(|(tenant, number)| Room::build().set(Room::TENANT_ID, tenant).set(Room::NUMBER, number));
    let rooms = repo.insert_all(rooms).await?;
    const ROOMS: &str = "SELECT tenant_id, number, chairs_count FROM rooms ORDER BY tenant_id, number";
    let chair =
        |tenant: i64, number: Option<i32>| Chair::build().set(Chair::TENANT_ID, tenant).set(Chair::ROOM_NUMBER, number);
    let chairs = [(1, Some(1)), (1, Some(1)), (1, Some(2)), (2, Some(1)), (2, None)];
    let chairs = cx.step("insert_all", repo.insert_all(chairs.map(|(tenant, number)| chair(tenant, number)))).await?;
    cx.rows("rooms", ROOMS).await?;
    cx.step("another room", repo.update(chairs[0].change().set(Chair::ROOM_NUMBER, 2))).await?;
    cx.step("another tenant's", repo.update(chairs[1].change().set(Chair::TENANT_ID, 2))).await?;
    cx.step("part of the key is NULL", repo.update(chairs[3].change().set(Chair::ROOM_NUMBER, None))).await?;
    cx.rows("rooms", ROOMS).await?;
    let saved = rooms[0].change().push(Room::CHAIRS, [Chair::build(), Chair::build()]);
    let saved = cx.step("members", repo.update(saved)).await?;
    cx.require(saved.chairs_count == 2, "0 in the database, 2 more")?;
    cx.rows("rooms", ROOMS).await?;
    cx.step("a room goes", repo.destroy(&rooms[1])).await?;
    cx.rows("rooms", ROOMS).await?;
    cx.require(repo.reset_counters(Room::CHAIRS).await? == 0, "true")
}

async fn keys_of_text(cx: &mut Context) -> Result<()> {
    let repo = steady(cx);
    repo.create_table::<Firm>().await?;
    repo.create_table::<Worker>().await?;
    let firms = repo.insert_all(["acme", "umbra"].map(|code| Firm::build().set(Firm::CODE, code))).await?;
    const FIRMS: &str = "SELECT code, staff_count FROM firms ORDER BY code";
    let worker = |code: &str| Worker::build().set(Worker::FIRM_CODE, code.to_owned());
    let workers = repo.insert_all(["acme", "acme", "umbra"].map(worker)).await?;
    cx.rows("firms", FIRMS).await?;
    repo.update(workers[0].change().set(Worker::FIRM_CODE, "umbra".to_owned())).await?;
    cx.rows("firms", FIRMS).await?;
    repo.destroy(&workers[2]).await?;
    let saved = repo.update(firms[0].change().push(Firm::WORKERS, Worker::build())).await?;
    cx.require(saved.staff_count == 1, "by what was known of the row")?;
    cx.rows("firms", FIRMS).await?;
    repo.destroy(&firms[1]).await?;
    cx.rows("firms", FIRMS).await?;
    // The owner's key changes in the same save, and a new member takes it.
    let renamed = firms[0].change().set(Firm::CODE, "zenith").push(Firm::WORKERS, Worker::build());
    repo.update(renamed).await?;
    cx.rows("firms", FIRMS).await?;
    cx.rows("workers", "SELECT firm_code, COUNT(*) FROM workers GROUP BY firm_code ORDER BY firm_code").await
}

async fn self_joins(cx: &mut Context) -> Result<()> {
    let repo = steady(cx);
    repo.create_table::<Branch>().await?;
    const BRANCHES: &str = "SELECT id, parent_id, branches_count FROM branches ORDER BY id";
    let leaf = Branch::build;
    let tree = leaf().push(Branch::BRANCHES, [leaf().push(Branch::BRANCHES, [leaf(), leaf()]), leaf()]);
    let tree = cx.step("a tree", repo.insert(tree)).await?;
    cx.require(tree.branches_count == 2 && tree.branches()?[0].branches_count == 2, "counted")?;
    cx.rows("branches", BRANCHES).await?;
    // With keys that are given, in one list.
    let keyed = |id: i64, parent: Option<i64>| leaf().set(Branch::ID, id).set(Branch::PARENT_ID, parent);
    let listed = [keyed(100, None), keyed(101, Some(100)), keyed(102, Some(101)), keyed(103, Some(101))];
    let listed = cx.step("insert_all", repo.insert_all(listed)).await?;
    let counts: Vec<_> = listed.iter().map(|branch| branch.branches_count).collect();
    cx.require(counts == [1, 2, 0, 0], "counted in those of the list")?;
    let moved = cx.step("moved below a sibling", repo.update(listed[2].change().set(Branch::PARENT_ID, 103))).await?;
    cx.rows("branches", BRANCHES).await?;
    cx.step("its own parent", repo.update(moved.change().set(Branch::PARENT_ID, 102))).await?;
    cx.rows("branches", BRANCHES).await?;
    let part = repo.get_or_fail::<Branch>(tree.branches()?[0].id, Query::new()).await?;
    cx.step("a part of the tree goes", repo.destroy(&part)).await?;
    cx.rows("branches", BRANCHES).await?;
    cx.require(repo.reset_counters(Branch::BRANCHES).await? == 0, "true")
}

async fn through_collections(cx: &mut Context) -> Result<()> {
    let repo = steady(cx);
    repo.create_table::<Player>().await?;
    repo.create_table::<Team>().await?;
    repo.create_table::<Contract>().await?;
    const PLAYERS: &str = "SELECT id, teams_count FROM players ORDER BY id";
    const TEAMS: &str = "SELECT id, contracts_count FROM teams ORDER BY id";
    let teams = repo.insert_all([Team::build(), Team::build(), Team::build()]).await?;
    let draft = Player::build().push(Player::TEAMS, &teams[0]).push(Player::TEAMS, Team::build());
    let player = cx.step("with teams", repo.insert(draft)).await?;
    cx.require(player.teams_count == 2, "counted")?;
    cx.require(player.teams()?.iter().all(|team| team.contracts_count == 1), "on the other side as well")?;
    cx.rows("players", PLAYERS).await?;
    cx.rows("teams", TEAMS).await?;
    let player = cx.step("another twice", repo.update(player.change().push(Player::TEAMS, [&teams[1]; 2]))).await?;
    cx.require(player.teams_count == 4, "links count")?;
    let left = cx.step("one let go", repo.update(player.change().remove(Player::TEAMS, &teams[1]))).await?;
    cx.rows("players", PLAYERS).await?;
    cx.rows("teams", TEAMS).await?;
    let replaced = left.change().replace(Player::TEAMS, [&teams[0], &teams[2]]);
    let replaced = cx.step("replaced", repo.update(replaced)).await?;
    cx.rows("players", PLAYERS).await?;
    cx.rows("teams", TEAMS).await?;
    cx.require(replaced.teams_count == 2, "the returned owner has its counter")?;
    cx.require(repo.reset_counters(Player::TEAMS).await? == 0, "true")?;
    cx.require(repo.reset_counters(Team::CONTRACTS).await? == 0, "true")?;
    cx.step("the player goes", repo.destroy(&replaced)).await?;
    cx.rows("teams", TEAMS).await?;
    let inactive = Contract::TEAM.def().options.counter_cache.map(|counter| counter.active);
    cx.require(inactive == Some(false), "what is not active says so")
}

// Whom a row belongs to may be the database's default.
async fn keys_that_the_database_makes(cx: &mut Context) -> Result<()> {
    let repo = steady(cx);
    repo.create_table::<Shelf>().await?;
    repo.create_table::<Volume>().await?;
    repo.insert_all([Shelf::build().set(Shelf::OPEN, true), Shelf::build().set(Shelf::OPEN, true)]).await?;
    cx.step("by default", repo.insert_all([Volume::build(), Volume::build()])).await?;
    cx.step("and given", repo.insert(Volume::build().set(Volume::SHELF_ID, 2))).await?;
    cx.rows("shelves", "SELECT id, volumes_count, lent_count FROM shelves ORDER BY id").await
}

async fn conditions_of_the_association(cx: &mut Context) -> Result<()> {
    let repo = steady(cx);
    repo.create_table::<Shelf>().await?;
    repo.create_table::<Volume>().await?;
    const SHELVES: &str = "SELECT id, volumes_count, lent_count FROM shelves ORDER BY id";
    repo.insert_all([true, false].map(|open| Shelf::build().set(Shelf::OPEN, open))).await?;
    let volumes = [1, 2, 2].map(|shelf: i64| Volume::build().set(Volume::SHELF_ID, shelf));
    let volumes = cx.step("open and closed", repo.insert_all(volumes)).await?;
    cx.rows("shelves", SHELVES).await?;
    cx.step("from closed to open", repo.update(volumes[1].change().set(Volume::SHELF_ID, 1))).await?;
    cx.rows("shelves", SHELVES).await?;
    cx.step("from open to closed", repo.update(volumes[0].change().set(Volume::SHELF_ID, 2))).await?;
    cx.rows("shelves", SHELVES).await?;
    cx.step("destroyed", repo.destroy_rows(&volumes)).await?;
    cx.rows("shelves", SHELVES).await
}

// Rows that go with others are counted in those that stay.
async fn dependents(cx: &mut Context) -> Result<()> {
    let repo = steady(cx);
    counted::fixture(&repo).await?;
    let comments = [(1, 1), (1, 2), (1, 2), (2, 1)];
    repo.insert_all(comments.map(|(article, author): (i64, i64)| comment(article).set(Comment::AUTHOR_ID, author)))
        .await?;
    let article = repo.get_or_fail::<Article>(1, Query::new()).await?;
    let mark = || Mark::build().associate(Mark::MARKABLE, &article);
    repo.insert_all([mark(), mark()]).await?;
    cx.rows("writers", WRITERS).await?;
    cx.note("preview", repo.preview_destroy(&article).await?);
    let report = cx.step("an article", repo.destroy(&article)).await?;
    cx.note("report", report);
    cx.rows("writers", WRITERS).await?;
    cx.rows("articles", ARTICLES).await?;
    // Its comments stay without author: their articles count them still.
    let writer = repo.get_or_fail::<Writer>(1, Query::new()).await?;
    cx.note("preview", repo.preview_destroy(&writer).await?);
    let report = cx.step("a writer", repo.destroy(&writer)).await?;
    cx.note("report", report);
    cx.rows("writers", WRITERS).await?;
    cx.rows("articles", ARTICLES).await?;
    cx.rows("comments", "SELECT id, article_id, author_id FROM comments ORDER BY id").await?;
    require_true(cx).await
}

async fn f157_no_double_decrement(cx: &mut Context) -> Result<()> {
    let repo = steady(cx);
    counted::fixture(&repo).await?;
    repo.insert_all([comment(1), comment(2)]).await?;
    let writer = repo.get_or_fail::<Writer>(1, Query::new()).await?;
    // What goes is not written: its articles and their comments count in nothing that stays.
    cx.step("the owner itself", repo.destroy(&writer)).await?;
    cx.rows("writers", WRITERS).await?;
    cx.rows("articles", ARTICLES).await?;
    let all = repo.all(Query::<Article>::new()).await?;
    cx.step("several", repo.destroy_rows(&all)).await?;
    cx.rows("writers", WRITERS).await
}

async fn destroyed_twice(cx: &mut Context) -> Result<()> {
    let repo = steady(cx);
    counted::fixture(&repo).await?;
    let both = repo.insert_all([comment(1), comment(1)]).await?;
    repo.destroy(&both[0]).await?;
    let error = cx.fails("once more", repo.destroy(&both[0])).await?;
    cx.require(error.is_not_found(), "gone")?;
    let error = cx.fails("with another", repo.destroy_rows(&both)).await?;
    cx.require(error.is_not_found(), "gone")?;
    let error = cx.fails("moving it", repo.update(both[0].change().set(Comment::ARTICLE_ID, 2))).await?;
    cx.require(error.is_not_found(), "gone")?;
    cx.rows("articles", ARTICLES).await
}

async fn missing_parents(cx: &mut Context) -> Result<()> {
    let repo = steady(cx);
    counted::fixture(&repo).await?;
    let error = cx.fails("inserted below nothing", repo.insert(comment(99))).await?;
    let named = matches!(
        error.kind(),
        ErrorKind::ParentMissing { model: "Comment", association: "article", parent: "Article", key } if key == "99"
    );
    cx.require(named, "the error names the parent")?;
    let own = repo.insert(comment(1)).await?;
    cx.fails("moved below nothing", repo.update(own.change().set(Comment::ARTICLE_ID, 99))).await?;
    cx.fails("one of many", repo.insert_all([1, 99, 2].map(comment))).await?;
    cx.rows("articles", ARTICLES).await?;
    // An orphan can be changed, moved and destroyed.
    repo.execute_raw("DELETE FROM articles WHERE id = 1", []).await?;
    let own = cx.step("an orphan is changed", repo.update(own.change().set(Comment::BODY, "x"))).await?;
    let own = cx.step("moved", repo.update(own.change().set(Comment::ARTICLE_ID, 2))).await?;
    repo.execute_raw("DELETE FROM articles WHERE id = 2", []).await?;
    cx.step("destroyed", repo.destroy(&own)).await?;
    cx.rows("articles", ARTICLES).await
}

async fn null_starts_at_nothing(cx: &mut Context) -> Result<()> {
    let repo = steady(cx);
    counted::fixture(&repo).await?;
    repo.execute_raw("UPDATE articles SET comments_count = NULL", []).await?;
    let three = repo.insert_all([1, 1, 2].map(comment)).await?;
    cx.rows("NULL counts as 0", ARTICLES).await?;
    let article = repo.get_or_fail::<Article>(3, Query::new()).await?;
    let saved = repo.update(article.change().push(Article::COMMENTS, Comment::build().set(Comment::BODY, "x"))).await?;
    cx.require(saved.comments_count == Some(1), "in what comes back as well")?;
    repo.execute_raw("UPDATE articles SET comments_count = NULL", []).await?;
    repo.destroy(&three[0]).await?;
    cx.rows("below 0", ARTICLES).await
}

async fn f158_cannot_be_set(cx: &mut Context) -> Result<()> {
    let repo = steady(cx);
    counted::fixture(&repo).await?;
    let error = cx.fails("of a new row", repo.insert(article("x").set(Article::COMMENTS_COUNT, 3))).await?;
    let code = |error: &Error| match error.kind() {
        ErrorKind::Invalid { errors, .. } => {
            errors.iter().map(|error| format!("{}: {}", error.path, error.code)).collect()
        }
        _ => Vec::new(),
    };
    cx.require(code(&error) == ["comments_count: counter_cache"], "it names the column")?;
    let own = repo.get_or_fail::<Article>(1, Query::new()).await?;
    let error = cx.fails("of a row that exists", repo.update(own.change().set(Article::COMMENTS_COUNT, 3))).await?;
    cx.require(code(&error) == ["comments_count: counter_cache"], "it names the column")?;
    let mut edited = own.clone();
    edited.comments_count = Some(7);
    let error = cx.fails("in an edited struct", repo.update(own.change_to(&edited))).await?;
    cx.require(code(&error) == ["comments_count: counter_cache"], "it names the column")?;
    let writer =
        Writer::build().set(Writer::NAME, "x").push(Writer::ARTICLES, article("x").set(Article::MARKS_COUNT, 1));
    let error = cx.fails("of a member", repo.insert(writer)).await?;
    cx.require(code(&error) == ["articles[0].marks_count: counter_cache"], "it names the path")?;
    // A bulk update is no changeset: it writes what it is told.
    cx.step("update_all", repo.update_all(Query::filter(Article::ID.eq(1)), [Article::COMMENTS_COUNT.to(4)])).await?;
    cx.rows("articles", ARTICLES).await
}

async fn what_counts_nothing(cx: &mut Context) -> Result<()> {
    let repo = steady(cx);
    counted::fixture(&repo).await?;
    let own = repo.insert_all([1, 1, 1].map(comment)).await?;
    cx.step("delete", repo.delete(&own[0])).await?;
    cx.step("delete_all", repo.delete_all(Query::filter(Comment::ID.eq(own[1].id)))).await?;
    cx.step("update_all", repo.update_all(Query::<Comment>::new(), [Comment::ARTICLE_ID.to(2)])).await?;
    let new = comment(3).set(Comment::ID, 50);
    cx.step("upsert", repo.upsert(new, assoc_repo::on_conflict(Comment::ID))).await?;
    let owner = article("x").set(Article::ID, 1);
    cx.step("upsert of an owner", repo.upsert(owner, assoc_repo::on_conflict(Article::ID))).await?;
    cx.rows("articles", ARTICLES).await
}

async fn f156_repair(cx: &mut Context) -> Result<()> {
    let repo = steady(cx);
    counted::fixture(&repo).await?;
    for row in ["(1, 'a')", "(1, 'b')", "(2, 'c')"] {
        repo.execute_raw(&format!("INSERT INTO comments (article_id, body) VALUES {row}"), []).await?;
    }
    repo.execute_raw("UPDATE articles SET comments_count = NULL WHERE id = 3", []).await?;
    repo.execute_raw("UPDATE articles SET marks_count = 9 WHERE id = 3", []).await?;
    let wrong = cx.step("of some", repo.reset_counters_of(Article::COMMENTS, [2, 3])).await?;
    cx.note("wrong", wrong);
    cx.rows("articles", ARTICLES).await?;
    let wrong = cx.step("of all", repo.reset_counters(Article::COMMENTS)).await?;
    cx.note("wrong", wrong);
    let wrong = cx.step("nothing is wrong", repo.reset_counters(Article::COMMENTS)).await?;
    cx.note("wrong", wrong);
    let wrong = cx.step("another counter", repo.reset_counters(Article::MARKS)).await?;
    cx.note("wrong", wrong);
    cx.rows("articles", ARTICLES).await?;
    cx.step("of no rows", repo.reset_counters_of(Article::COMMENTS, [0_i64; 0])).await?;
    repo.execute_raw("UPDATE articles SET comments_count = 5", []).await?;
    let wrong =
        cx.step("in a transaction", repo.transaction(async |tx| tx.reset_counters(Article::COMMENTS).await)).await?;
    cx.note("wrong", wrong);
    require_true(cx).await
}

async fn repair_of_every_key(cx: &mut Context) -> Result<()> {
    let repo = steady(cx);
    counted::fixture(&repo).await?;
    for (id, of) in [(1, "Writer"), (1, "essay"), (2, "essay"), (2, "Stone")] {
        let sql = format!("INSERT INTO marks (markable_id, markable_type) VALUES ({id}, '{of}')");
        repo.execute_raw(&sql, []).await?;
    }
    cx.note("polymorphic", repo.reset_counters(Writer::MARKS).await?);
    cx.note("polymorphic", repo.reset_counters(Article::MARKS).await?);
    cx.rows("writers", WRITERS).await?;
    cx.rows("articles", ARTICLES).await?;
    repo.create_table::<Room>().await?;
    repo.create_table::<Chair>().await?;
    repo.insert(Room::build().set(Room::TENANT_ID, 1).set(Room::NUMBER, 1)).await?;
    repo.insert(Room::build().set(Room::TENANT_ID, 2).set(Room::NUMBER, 1)).await?;
    repo.execute_raw("INSERT INTO chairs (tenant_id, room_number) VALUES (1, 1), (1, NULL), (2, 2)", []).await?;
    cx.note("composite", repo.reset_counters_of(Room::CHAIRS, [(1_i64, 1_i32), (2, 1)]).await?);
    cx.rows("rooms", "SELECT tenant_id, number, chairs_count FROM rooms ORDER BY tenant_id").await?;
    repo.create_table::<Branch>().await?;
    repo.insert_all([Branch::build(), Branch::build()]).await?;
    repo.execute_raw("UPDATE branches SET parent_id = 1", []).await?;
    cx.note("self-join", repo.reset_counters(Branch::BRANCHES).await?);
    cx.rows("branches", "SELECT id, parent_id, branches_count FROM branches ORDER BY id").await?;
    repo.create_table::<Firm>().await?;
    repo.create_table::<Worker>().await?;
    repo.insert_all(["a", "b"].map(|code| Firm::build().set(Firm::CODE, code))).await?;
    repo.execute_raw("INSERT INTO workers (firm_code) VALUES ('b'), ('b'), ('c'), (NULL)", []).await?;
    cx.note("by text", repo.reset_counters(Firm::WORKERS).await?);
    cx.rows("firms", "SELECT code, staff_count FROM firms ORDER BY code").await?;
    repo.create_table::<Player>().await?;
    repo.create_table::<Contract>().await?;
    repo.insert(Player::build()).await?;
    repo.execute_raw("INSERT INTO contracts (player_id, team_id) VALUES (1, 5), (1, 5)", []).await?;
    cx.note("through", repo.reset_counters(Player::TEAMS).await?);
    cx.rows("players", "SELECT id, teams_count FROM players").await
}

async fn what_has_no_counter(cx: &mut Context) -> Result<()> {
    let repo = steady(cx);
    cx.fails("its rows say nothing", repo.reset_counters(conformance_written_models::guild::User::POSTS)).await?;
    cx.fails("a join table", repo.reset_counters(conformance_written_models::guild::User::GROUPS)).await.map(drop)
}

async fn added_by_hand(cx: &mut Context) -> Result<()> {
    let repo = steady(cx);
    counted::fixture(&repo).await?;
    repo.execute_raw("UPDATE articles SET comments_count = NULL WHERE id = 1", []).await?;
    let rows = cx.step("several", repo.add_to_counter(Article::COMMENTS, [1, 2, 2, 99], 5)).await?;
    cx.note("rows", rows);
    cx.step("taken away", repo.add_to_counter(Article::COMMENTS, [2], -2)).await?;
    cx.step("of none", repo.add_to_counter(Article::COMMENTS, [0_i64; 0], 1)).await?;
    cx.step("nothing", repo.add_to_counter(Article::COMMENTS, [1], 0)).await?;
    cx.step("in bulk", repo.update_all(Query::<Article>::new(), [Article::MARKS_COUNT.add(2)])).await?;
    cx.rows("articles", ARTICLES).await?;
    // A counter that cannot be negative ends at 0.
    repo.add_to_counter(Writer::MARKS, [1], -1).await?;
    cx.rows("writers", WRITERS).await
}

async fn filtered_repos(cx: &mut Context) -> Result<()> {
    let repo = steady(cx);
    counted::fixture(&repo).await?;
    let own = repo.insert_all([1, 2].map(comment)).await?;
    // It sees the first article only, and all comments.
    let first = repo.filtered(|model| {
        let is_article = model.name == "Article";
        is_article.then(|| Expr::equals("id", Value::from(1)))
    });
    let is_outside = |error: &Error| matches!(error.kind(), ErrorKind::OutsideFilter { association: Some(name), .. } if name == "Comment.article");
    cx.step("what it sees", first.insert(comment(1))).await?;
    let error = cx.fails("below a hidden one", first.insert(comment(2))).await?;
    cx.require(is_outside(&error), "outside")?;
    let error = cx.fails("moved to a hidden one", first.update(own[0].change().set(Comment::ARTICLE_ID, 2))).await?;
    cx.require(is_outside(&error), "outside")?;
    let error = cx.fails("taken from a hidden one", first.update(own[1].change().set(Comment::ARTICLE_ID, 1))).await?;
    cx.require(is_outside(&error), "outside")?;
    let error = cx.fails("destroyed below a hidden one", first.destroy(&own[1])).await?;
    cx.require(is_outside(&error), "outside")?;
    cx.step("only its text", first.update(own[1].change().set(Comment::BODY, "x"))).await?;
    cx.rows("articles", ARTICLES).await?;
    let rows = cx.step("added by hand", first.add_to_counter(Article::COMMENTS, [1, 2], 1)).await?;
    cx.require(rows == 1, "what it sees")?;
    let wrong = cx.step("counted anew", first.reset_counters(Article::COMMENTS)).await?;
    cx.require(wrong == 1, "what it sees")?;
    let blind = repo.filtered(|model| (model.name == "Comment").then(|| Expr::equals("id", Value::from(1))));
    let error = cx.fails("without some that count", blind.reset_counters(Article::COMMENTS)).await?;
    cx.require(matches!(error.kind(), ErrorKind::OutsideFilter { .. }), "outside")?;
    cx.rows("articles", ARTICLES).await
}

async fn plans(cx: &mut Context) -> Result<()> {
    let repo = steady(cx);
    counted::fixture(&repo).await?;
    cx.note("insert", repo.explain_save(&comment(1))?);
    let own = repo.insert(comment(1)).await?;
    cx.note("move", repo.explain_save(&own.change().set(Comment::ARTICLE_ID, 2))?);
    cx.note(
        "tree",
        repo.explain_destroy::<Writer>()?.lines().take_while(|line| !line.is_empty()).collect::<Vec<_>>().join("\n"),
    );
    let plan = repo.explain_destroy::<Comment>()?;
    cx.require(
        plan.contains("update Article: UPDATE") && plan.contains("update Writer: UPDATE"),
        "what follows is shown",
    )
}

// Nothing has changed when the row itself cannot be written.
async fn failures(cx: &mut Context) -> Result<()> {
    let repo = steady(cx);
    counted::fixture(&repo).await?;
    let own = repo.insert(comment(1)).await?;
    cx.fails("a key that is taken", repo.insert(comment(2).set(Comment::ID, own.id))).await?;
    let many = [comment(1), comment(2).set(Comment::ID, own.id)];
    cx.fails("one of several", repo.insert_all(many)).await?;
    cx.rows("articles", ARTICLES).await?;
    let undone: Result<()> = repo
        .transaction(async |tx| {
            tx.insert(comment(1)).await?;
            tx.destroy(&own).await?;
            Err(Error::other("on purpose"))
        })
        .await;
    cx.require(undone.is_err(), "undone")?;
    cx.rows("articles", ARTICLES).await?;
    require_true(cx).await
}

// A callback has the last word on whom a row belongs to.
async fn rows_that_callbacks_change(cx: &mut Context) -> Result<()> {
    let repo = steady(cx);
    repo.create_table::<Queue>().await?;
    repo.create_table::<Job>().await?;
    const QUEUES: &str = "SELECT id, name, jobs_count FROM queues ORDER BY id";
    let job = |text: &str| Job::build().set(Job::TEXT, text);
    let queue = |name: &str| Queue::build().set(Queue::NAME, name);
    let queues = repo.insert_all(["first", "second"].map(queue)).await?;
    let mut jobs = Vec::new();
    for text in ["a", "urgent", "b"] {
        jobs.push(cx.step("insert", repo.insert(job(text).set(Job::QUEUE_ID, 2))).await?);
    }
    cx.rows("queues", QUEUES).await?;
    let third = queue("third").push(Queue::JOBS, ["c", "urgent"].map(job));
    cx.step("below a new one", repo.insert(third)).await?;
    cx.rows("queues", QUEUES).await?;
    let urgent = cx.step("update", repo.update(jobs[0].change().set(Job::TEXT, "urgent"))).await?;
    cx.rows("queues", QUEUES).await?;
    cx.step("of no queue, it was to be", repo.update(urgent.change().dissociate(Job::QUEUE))).await?;
    cx.rows("queues", QUEUES).await?;
    let second = repo.get_or_fail::<Queue>(2, Query::preload(Queue::JOBS)).await?;
    let removed = second.change().remove(Queue::JOBS, &second.jobs()?[0]).push(Queue::JOBS, job("d"));
    let second = cx.step("removed, and so destroyed", repo.update(removed)).await?;
    cx.require(second.jobs_count == 1, "the returned owner has its counter")?;
    cx.rows("queues", QUEUES).await?;
    cx.step("destroy", repo.destroy(&urgent)).await?;
    cx.rows("queues", QUEUES).await?;
    let kept = repo.insert(job("kept").set(Job::QUEUE_ID, 1)).await?;
    cx.require(repo.destroy(&kept).await.is_err(), "refused")?;
    cx.require(repo.destroy(&queues[0]).await.is_err(), "refused")?;
    cx.rows("queues", QUEUES).await?;
    let error = cx.fails("set by a callback", repo.insert(queue("forged"))).await?;
    let is_counter = matches!(error.kind(), ErrorKind::Invalid { errors, .. } if errors[0].code == "counter_cache");
    cx.require(is_counter, "a counter is never set")?;
    cx.require(repo.reset_counters(Queue::JOBS).await? == 0, "true")
}
