//! Handles of owners with a counter cache: it stands for the number of members where it counts exactly these, and follows
//! what the handle writes.

use std::time::SystemTime;

use assoc_core::Result;
use assoc_core::metadata::Expr;
use assoc_repo::prelude::*;
use assoc_repo::{Changeset, Collection, OwnerRef, ToManyAssociation};
use conformance_harness::{Context, Level, cases};

use conformance_written_models::counted::{
    self, Article, Branch, Chair, Comment, Contract, Player, Room, Shelf, Team, Volume, Writer,
};

cases! { "handles_counted", Level::Collection;
    f73_f74_read,
    f76_inactive,
    f155_follows_what_is_written,
    only_of_exactly_these_rows,
    wrong_counters,
    through_others,
}

fn steady(cx: &Context) -> Repo {
    cx.repo().with_clock(|| SystemTime::UNIX_EPOCH)
}

fn comment(body: &str) -> Changeset<Comment> {
    Comment::build().set(Comment::BODY, body)
}

// How many statements the six questions take together, of what is not loaded.
async fn asked<R: OwnerRef, T: Model, A: ToManyAssociation<R::Owner, T>>(
    cx: &mut Context,
    label: &str,
    handle: Collection<'_, R, T, A>,
    expected: u64,
) -> Result<()> {
    let work = async {
        let count = handle.size().await?;
        let agree = handle.is_empty().await? == (count == 0)
            && handle.any().await? == (count > 0)
            && handle.none().await? == (count == 0)
            && handle.one().await? == (count == 1)
            && handle.many().await? == (count > 1);
        Ok::<_, Error>((count, agree))
    };
    let (count, agree) = cx.step(&format!("{label}: size, is_empty, any, none, one, many"), work).await?;
    cx.require(agree && count == expected, label)?;
    let counted = cx.step("count", handle.count()).await?;
    cx.note("counted", counted);
    Ok(())
}

async fn f73_f74_read(cx: &mut Context) -> Result<()> {
    let repo = steady(cx);
    counted::fixture(&repo).await?;
    let article = repo.get_or_fail::<Article>(1, Query::new()).await?;
    asked(cx, "new", repo.association(&article, Article::COMMENTS), 0).await?;
    repo.insert(comment("one").set(Comment::ARTICLE_ID, 1)).await?;
    // Nobody has counted yet.
    repo.execute_raw("UPDATE articles SET comments_count = NULL WHERE id = 1", []).await?;
    let article = repo.get_or_fail::<Article>(1, Query::new()).await?;
    asked(cx, "NULL", repo.association(&article, Article::COMMENTS), 1).await?;
    repo.reset_counters(Article::COMMENTS).await?;
    let article = repo.get_or_fail::<Article>(1, Query::new()).await?;
    asked(cx, "one", repo.association(&article, Article::COMMENTS), 1).await?;
    // The number in the struct is what it was when it was read.
    repo.insert(comment("two").set(Comment::ARTICLE_ID, 1)).await?;
    asked(cx, "as it was read", repo.association(&article, Article::COMMENTS), 1).await?;
    // What is loaded counts more than the counter.
    let mut article = article;
    let mut comments = repo.association(&mut article, Article::COMMENTS);
    comments.load().await?;
    let holds = cx.step("loaded", comments.size()).await? == 2;
    cx.require(holds, "two in memory")?;
    let part = Article::COMMENTS.filter(Comment::BODY.eq("two"));
    let article = repo.get_or_fail::<Article>(1, Query::preload(part)).await?;
    asked(cx, "a part in memory", repo.association(&article, Article::COMMENTS), 2).await?;
    // Keys of two columns, of several types, of trees.
    repo.create_table::<Room>().await?;
    repo.create_table::<Chair>().await?;
    repo.create_table::<Branch>().await?;
    let room = Room::build().set(Room::TENANT_ID, 1).set(Room::NUMBER, 7).push(Room::CHAIRS, Chair::build());
    repo.insert(room).await?;
    let room = repo.get_or_fail::<Room>((1, 7), Query::new()).await?;
    asked(cx, "two columns", repo.association(&room, Room::CHAIRS), 1).await?;
    let writer = repo.get_or_fail::<Writer>(1, Query::new()).await?;
    asked(cx, "of several types", repo.association(&writer, Writer::MARKS), 0).await?;
    let tree = repo.insert(Branch::build().push(Branch::BRANCHES, [Branch::build(), Branch::build()])).await?;
    let tree = repo.get_or_fail::<Branch>(tree.id, Query::new()).await?;
    asked(cx, "a tree", repo.association(&tree, Branch::BRANCHES), 2).await?;
    Ok(())
}

async fn f76_inactive(cx: &mut Context) -> Result<()> {
    let repo = steady(cx);
    repo.create_table::<Player>().await?;
    repo.create_table::<Team>().await?;
    repo.create_table::<Contract>().await?;
    let team = repo.insert(Team::build()).await?;
    repo.insert(Player::build().push(Player::TEAMS, &team)).await?;
    let team = repo.get_or_fail::<Team>(team.id, Query::new()).await?;
    cx.require(team.contracts_count == 1, "it is kept up to date")?;
    // But it does not stand for the number.
    asked(cx, "not active", repo.association(&team, Team::CONTRACTS), 1).await?;
    Ok(())
}

async fn f155_follows_what_is_written(cx: &mut Context) -> Result<()> {
    let repo = steady(cx);
    counted::fixture(&repo).await?;
    let mut article = repo.get_or_fail::<Article>(1, Query::new()).await?;
    let other = repo.get_or_fail::<Article>(2, Query::new()).await?;
    for loaded in [false, true] {
        cx.note("loaded", loaded);
        repo.association(&mut article, Article::COMMENTS).delete_all().await?;
        let theirs = repo.insert(comment("theirs").set(Comment::ARTICLE_ID, other.id)).await?;
        let mut comments = repo.association(&mut article, Article::COMMENTS);
        comments.reset();
        if loaded {
            comments.load().await?;
        }
        let mut calls = 0;
        let mut holds = async |comments: &assoc_repo::Collection<'_, &mut Article, Comment, _>, number: i64| {
            calls += 1;
            let own = comments.owner().comments_count;
            // Once, and not twice: the counter, the database, and what a handle says.
            let fresh = repo.get_or_fail::<Article>(1, Query::new()).await?.comments_count;
            let (size, statements) = repo.count_statements(comments.size()).await;
            let agree = own == Some(number) && fresh == own && size? == number as u64 && statements == 0;
            let counted = comments.count().await? == number as u64;
            if agree && counted { Ok(()) } else { Err(Error::other(format!("call {calls}: {own:?}, {fresh:?}"))) }
        };
        comments.push(["a", "b"].map(comment)).await?;
        holds(&comments, 2).await?;
        let created = comments.create(comment("c")).await?;
        holds(&comments, 3).await?;
        comments.insert_all(["d", "e"].map(comment)).await?;
        holds(&comments, 5).await?;
        // Another article's comment moves.
        comments.push(&theirs).await?;
        holds(&comments, 6).await?;
        comments.delete(&created).await?;
        holds(&comments, 5).await?;
        let first = comments.all().await?;
        comments.destroy(&first[0]).await?;
        holds(&comments, 4).await?;
        comments.replace([&first[1], &first[2]]).await?;
        holds(&comments, 2).await?;
        comments.set_ids([first[1].id]).await?;
        holds(&comments, 1).await?;
        comments.destroy_all().await?;
        holds(&comments, 0).await?;
        comments.push(comment("f")).await?;
        // What fails counts nothing.
        cx.fails("refused", comments.push([comment("g"), Comment::build()])).await?;
        holds(&comments, 1).await?;
        let deleted = comments.delete_all().await?;
        cx.require(deleted == 1, "one was deleted")?;
        holds(&comments, 0).await?;
    }
    cx.rows("articles", "SELECT id, comments_count FROM articles ORDER BY id").await
}

// A counter that counts other rows than the association has is no number of its members.
async fn only_of_exactly_these_rows(cx: &mut Context) -> Result<()> {
    let repo = steady(cx);
    counted::fixture(&repo).await?;
    repo.insert_all(["one", "two"].map(|body| comment(body).set(Comment::ARTICLE_ID, 1))).await?;
    let article = repo.get_or_fail::<Article>(1, Query::new()).await?;
    // Of a repo that hides rows, or might.
    let hidden = repo.filtered(|model| Some(Expr::equals(model.column("body").ok()?.name, Value::from("one"))));
    asked(cx, "a repo that hides some", hidden.association(&article, Article::COMMENTS), 1).await?;
    // Of an owner that does not satisfy the condition of the `belongs_to` that counts.
    repo.create_table::<Shelf>().await?;
    repo.create_table::<Volume>().await?;
    let shelf = repo.insert(Shelf::build().set(Shelf::OPEN, false)).await?;
    repo.insert(Volume::build().set(Volume::SHELF_ID, shelf.id)).await?;
    let shelf = repo.get_or_fail::<Shelf>(shelf.id, Query::new()).await?;
    cx.show("its counters", [(shelf.volumes_count, shelf.lent_count)]);
    asked(cx, "which of two counters is said", repo.association(&shelf, Shelf::VOLUMES), 1).await?;
    asked(cx, "one with a condition", repo.association(&shelf, Shelf::LENT_VOLUMES), 1).await?;
    Ok(())
}

async fn wrong_counters(cx: &mut Context) -> Result<()> {
    let repo = steady(cx);
    counted::fixture(&repo).await?;
    repo.insert_all(["one", "two", "three"].map(|body| comment(body).set(Comment::ARTICLE_ID, 1))).await?;
    // The number of deleted rows is subtracted, and not what the counter says.
    repo.execute_raw("UPDATE articles SET comments_count = 30 WHERE id = 1", []).await?;
    let mut article = repo.get_or_fail::<Article>(1, Query::new()).await?;
    let mut comments = repo.association(&mut article, Article::COMMENTS);
    cx.require(comments.size().await? == 30, "what the counter says")?;
    let deleted = cx.step("deleted", comments.delete_all()).await?;
    cx.require(deleted == 3, "three")?;
    cx.require(article.comments_count == Some(27), "less three")?;
    // One below nothing is no number.
    repo.execute_raw("UPDATE articles SET comments_count = -2 WHERE id = 1", []).await?;
    let article = repo.get_or_fail::<Article>(1, Query::new()).await?;
    asked(cx, "below nothing", repo.association(&article, Article::COMMENTS), 0).await?;
    cx.rows("articles", "SELECT id, comments_count FROM articles ORDER BY id").await
}

async fn through_others(cx: &mut Context) -> Result<()> {
    let repo = steady(cx);
    repo.create_table::<Player>().await?;
    repo.create_table::<Team>().await?;
    repo.create_table::<Contract>().await?;
    const COUNTERS: &str =
        "SELECT 0 AS id, teams_count AS n FROM players UNION ALL SELECT id, contracts_count FROM teams ORDER BY id";
    let teams = repo.insert_all([Team::build(), Team::build(), Team::build()]).await?;
    let mut player = repo.insert(Player::build()).await?;
    let mut handle = repo.association(&mut player, Player::TEAMS);
    cx.step("pushed, one twice", handle.push([&teams[0], &teams[0], &teams[1]])).await?;
    cx.rows("counters", COUNTERS).await?;
    let bare = repo.get_or_fail::<Player>(1, Query::new()).await?;
    // The association names its counter.
    asked(cx, "links", repo.association(&bare, Player::TEAMS), 3).await?;
    let mut handle = repo.association(&mut player, Player::TEAMS);
    cx.step("deleted: both links", handle.delete(&teams[0])).await?;
    cx.rows("counters", COUNTERS).await?;
    cx.step("replaced", handle.replace([&teams[2], &teams[1], &teams[1]])).await?;
    cx.rows("counters", COUNTERS).await?;
    cx.step("destroyed", handle.destroy(&teams[1])).await?;
    cx.rows("counters", COUNTERS).await?;
    let deleted = cx.step("all of them", handle.delete_all()).await?;
    cx.require(deleted == 1, "one link was left")?;
    cx.require(player.teams_count == 0 && player.teams()?.is_empty(), "none")?;
    cx.rows("counters", COUNTERS).await
}
