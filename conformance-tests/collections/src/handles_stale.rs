//! Structs whose counter is another number than the database's: every call adds the same to both, so the struct stays as far off
//! as it was. What a call reads again anyway has the database's number.

use std::time::{Duration, SystemTime};

use assoc_core::Result;
use assoc_repo::Changeset;
use assoc_repo::prelude::*;
use conformance_harness::{Context, Level, cases};
use conformance_written_models::counted::{
    self, Article, Chair, Comment, Contract, Player, Room, Shelf, Team, Volume, Writer,
};

cases! { "handles_stale", Level::Collection;
    f155_by_each_call,
    f155_by_saves,
    of_the_other_side,
    by_keys_alone,
    that_cannot_be_negative,
    through_others,
    of_some_rows,
    with_times_that_are_rounded,
}

fn steady(cx: &Context) -> Repo {
    cx.repo().with_clock(|| SystemTime::UNIX_EPOCH)
}

fn comment(body: &str) -> Changeset<Comment> {
    Comment::build().set(Comment::BODY, body)
}

/// Ten more than what the database says.
const OFF: i64 = 10;

// The first article with three comments, another's and one of no counter's business, in a struct that says ten more.
async fn stale(repo: &Repo) -> Result<Article> {
    repo.execute_raw("DELETE FROM comments", []).await?;
    repo.execute_raw("UPDATE articles SET comments_count = 0, title = 'On looms' WHERE id = 1", []).await?;
    repo.execute_raw("UPDATE articles SET comments_count = 0 WHERE id = 2", []).await?;
    repo.insert_all(["a", "b", "c"].map(|body| comment(body).set(Comment::ARTICLE_ID, 1))).await?;
    repo.insert(comment("other").set(Comment::ARTICLE_ID, 2)).await?;
    let mut article = repo.get_or_fail::<Article>(1, Query::new()).await?;
    article.comments_count = article.comments_count.map(|count| count + OFF);
    Ok(article)
}

async fn told(cx: &mut Context, repo: &Repo, call: &str, article: &Article) -> Result<()> {
    let stored = repo.get_or_fail::<Article>(1, Query::new()).await?.comments_count.unwrap_or_default();
    let held = article.comments_count.unwrap_or_default();
    cx.note(call, format!("database {stored}, memory {held}"));
    cx.require(held == stored + OFF, "as far off as it was")
}

// The article that a comment holds, if it does.
async fn given(cx: &mut Context, repo: &Repo, call: &str, comment: &Comment) -> Result<()> {
    match comment.article() {
        Ok(article) => told(cx, repo, call, article).await,
        Err(_) => {
            cx.note(call, "not loaded");
            Ok(())
        }
    }
}

async fn f155_by_each_call(cx: &mut Context) -> Result<()> {
    let repo = steady(cx);
    counted::fixture(&repo).await?;
    for call in [
        "push",
        "push another's",
        "create",
        "create_all",
        "insert_all",
        "find_or_create_by",
        "delete",
        "delete_ids",
        "destroy",
        "destroy_ids",
        "destroy_all",
        "delete_all",
        "clear",
        "replace",
        "set_ids",
    ] {
        let mut article = stale(&repo).await?;
        let mut handle = repo.association(&mut article, Article::COMMENTS);
        let rows = handle.all().await?;
        match call {
            "push" => handle.push([comment("d"), comment("e")]).await?,
            "push another's" => {
                let other = repo
                    .association(&repo.get_or_fail::<Article>(2, Query::new()).await?, Article::COMMENTS)
                    .first()
                    .await?;
                handle.push(&other.ok_or_else(|| Error::other("a comment"))?).await?;
            }
            "create" => drop(handle.create(comment("d")).await?),
            "create_all" => drop(handle.create_all([comment("d"), comment("e")]).await?),
            "insert_all" => drop(handle.insert_all([comment("d"), comment("e")]).await?),
            "find_or_create_by" => drop(handle.find_or_create_by(Comment::BODY.eq("d"), comment("d")).await?),
            "delete" => handle.delete([&rows[0], &rows[1]]).await?,
            "delete_ids" => handle.delete_ids([rows[0].id, rows[1].id]).await?,
            "destroy" => handle.destroy([&rows[0], &rows[1]]).await?,
            "destroy_ids" => handle.destroy_ids([rows[0].id]).await?,
            "destroy_all" => drop(handle.destroy_all().await?),
            "delete_all" => drop(handle.delete_all().await?),
            "clear" => handle.clear().await?,
            "replace" => handle.replace([rows[0].change(), comment("d")]).await?,
            _ => handle.set_ids([rows[1].id]).await?,
        }
        told(cx, &repo, call, &article).await?;
    }
    Ok(())
}

// Also where the same save writes columns of the owner, and a database returns the row that it has updated.
async fn f155_by_saves(cx: &mut Context) -> Result<()> {
    let repo = steady(cx);
    counted::fixture(&repo).await?;
    type Say = fn(Changeset<Article>, &[Comment]) -> Changeset<Article>;
    let calls: [(&str, Say); 8] = [
        ("nothing but its title", |change, _| change.set(Article::TITLE, "x")),
        ("push", |change, _| change.push(Article::COMMENTS, comment("d"))),
        ("push, and its title", |change, _| change.set(Article::TITLE, "x").push(Article::COMMENTS, comment("d"))),
        ("remove", |change, rows| change.remove(Article::COMMENTS, &rows[0])),
        ("edit", |change, rows| {
            change.set(Article::TITLE, "x").edit(Article::COMMENTS, rows[0].change().mark_for_destruction())
        }),
        ("moved away", |change, rows| change.edit(Article::COMMENTS, rows[0].change().set(Comment::ARTICLE_ID, 2))),
        ("replace", |change, rows| {
            change.set(Article::TITLE, "x").replace(Article::COMMENTS, [rows[0].change(), comment("d")])
        }),
        ("clear", |change, _| change.set(Article::TITLE, "x").clear(Article::COMMENTS)),
    ];
    for (call, say) in calls {
        let article = stale(&repo).await?;
        let rows = repo.association(&article, Article::COMMENTS).all().await?;
        let saved = repo.update(say(article.change(), &rows)).await?;
        told(cx, &repo, call, &saved).await?;
    }
    Ok(())
}

// A row that is given to what belongs to it comes back with what was added to it.
async fn of_the_other_side(cx: &mut Context) -> Result<()> {
    let repo = steady(cx);
    counted::fixture(&repo).await?;
    let article = stale(&repo).await?;
    let saved = repo.insert(comment("d").associate(Comment::ARTICLE, &article)).await?;
    given(cx, &repo, "inserted", &saved).await?;
    let article = stale(&repo).await?;
    let other =
        repo.association(&repo.get_or_fail::<Article>(2, Query::new()).await?, Article::COMMENTS).first().await?;
    let mut other = other.ok_or_else(|| Error::other("a comment"))?;
    repo.association(&mut other, Comment::ARTICLE).set(&article).await?;
    given(cx, &repo, "set", &other).await?;
    let article = stale(&repo).await?;
    let other =
        repo.association(&repo.get_or_fail::<Article>(2, Query::new()).await?, Article::COMMENTS).first().await?;
    let other = other.ok_or_else(|| Error::other("a comment"))?;
    let change = other.change().set(Comment::BODY, "moved").associate(Comment::ARTICLE, &article);
    given(cx, &repo, "associate", &repo.update(change).await?).await?;
    // No struct holds the row that is left.
    let mut writer = repo.get_or_fail::<Writer>(1, Query::new()).await?;
    writer.said_count = Some(5);
    let mut said = repo.association(&article, Article::COMMENTS).first().await?.ok_or_else(|| Error::other("one"))?;
    let mut handle = repo.association(&mut said, Comment::AUTHOR);
    handle.set(&writer).await?;
    let held = said.author()?.and_then(|writer| writer.said_count);
    cx.note("set", format!("memory {held:?}"));
    cx.rows("writers", "SELECT id, said_count FROM writers ORDER BY id").await?;
    repo.association(&mut said, Comment::AUTHOR).clear().await?;
    cx.require(said.author()?.is_none() && writer.said_count == Some(5), "what is left stays as it is in memory")?;
    cx.rows("writers", "SELECT id, said_count FROM writers ORDER BY id").await
}

// They change no struct: the struct is as far off as before, and by what was written.
async fn by_keys_alone(cx: &mut Context) -> Result<()> {
    let repo = steady(cx);
    counted::fixture(&repo).await?;
    let article = stale(&repo).await?;
    let held = article.comments_count;
    const COUNT: &str = "SELECT comments_count FROM articles WHERE id = 1";
    let added = repo.insert(comment("d").set(Comment::ARTICLE_ID, 1)).await?;
    cx.rows("inserted", COUNT).await?;
    repo.update(added.change().set(Comment::ARTICLE_ID, 2)).await?;
    cx.rows("moved", COUNT).await?;
    repo.add_to_counter(Article::COMMENTS, [1], 4).await?;
    cx.rows("added", COUNT).await?;
    repo.reset_counters_of(Article::COMMENTS, [1]).await?;
    cx.rows("counted anew", COUNT).await?;
    cx.require(article.comments_count == held, "the struct is not theirs")?;
    let mut fresh = repo.get_or_fail::<Article>(1, Query::new()).await?;
    cx.require(fresh.comments_count == Some(3), "reading it again makes it true")?;
    repo.association(&mut fresh, Article::COMMENTS).create(comment("e")).await?;
    cx.require(fresh.comments_count == Some(4), "and it stays true")
}

// Each of the two ends at 0.
async fn that_cannot_be_negative(cx: &mut Context) -> Result<()> {
    let repo = steady(cx);
    repo.create_table::<Room>().await?;
    repo.create_table::<Chair>().await?;
    repo.insert(Room::build().set(Room::TENANT_ID, 1).set(Room::NUMBER, 7)).await?;
    for (stored, held) in [(3, 1), (1, 3), (0, 9), (9, 0)] {
        repo.execute_raw("DELETE FROM chairs", []).await?;
        let chair = || Chair::build().set(Chair::TENANT_ID, 1).set(Chair::ROOM_NUMBER, 7);
        let chairs = repo.insert_all([chair(), chair(), chair()]).await?;
        repo.execute_raw(&format!("UPDATE rooms SET chairs_count = {stored}"), []).await?;
        let mut room = repo.get_or_fail::<Room>((1, 7), Query::new()).await?;
        room.chairs_count = held;
        let mut handle = repo.association(&mut room, Room::CHAIRS);
        handle.delete([&chairs[0], &chairs[1]]).await?;
        handle.push([Chair::build()]).await?;
        let fresh = repo.get_or_fail::<Room>((1, 7), Query::new()).await?.chairs_count;
        cx.note(&format!("{stored} and {held}"), format!("database {fresh}, memory {}", room.chairs_count));
        let by_hand = |count: u32| count.saturating_sub(2) + 1;
        cx.require(
            fresh == by_hand(stored) && room.chairs_count == by_hand(held),
            "two less, not below 0, and one more",
        )?;
    }
    Ok(())
}

// The owner's counter and those of the targets, which count the same links.
async fn through_others(cx: &mut Context) -> Result<()> {
    let repo = steady(cx);
    repo.create_table::<Player>().await?;
    repo.create_table::<Team>().await?;
    repo.create_table::<Contract>().await?;
    let mut teams = repo.insert_all([Team::build(), Team::build()]).await?;
    let mut player = repo.insert(Player::build()).await?;
    player.teams_count = OFF;
    teams[0].contracts_count = OFF;
    let mut handle = repo.association(&mut player, Player::TEAMS);
    handle.push(&teams).await?;
    handle.push(&teams[0]).await?;
    let held =
        handle.target().unwrap_or_default().iter().map(|team| team.contracts_count.to_string()).collect::<Vec<_>>();
    cx.note("pushed", format!("owner {}, targets {}", handle.owner().teams_count, held.join(" ")));
    cx.rows("teams", "SELECT id, contracts_count FROM teams ORDER BY id").await?;
    cx.require(handle.owner().teams_count == OFF + 3, "three more")?;
    handle.delete(&teams[0]).await?;
    cx.require(handle.owner().teams_count == OFF + 1, "two less")?;
    handle.replace([&teams[1], &teams[1]]).await?;
    let held =
        handle.target().unwrap_or_default().iter().map(|team| team.contracts_count.to_string()).collect::<Vec<_>>();
    cx.note("replaced", format!("owner {}, targets {}", handle.owner().teams_count, held.join(" ")));
    cx.rows("teams", "SELECT id, contracts_count FROM teams ORDER BY id").await?;
    cx.rows("players", "SELECT teams_count FROM players").await
}

// Whether a counter with a condition counts in a row, the database says: such a row is read, and has its number.
async fn of_some_rows(cx: &mut Context) -> Result<()> {
    let repo = steady(cx);
    repo.create_table::<Shelf>().await?;
    repo.create_table::<Volume>().await?;
    repo.insert_all([true, false].map(|open| Shelf::build().set(Shelf::OPEN, open))).await?;
    for id in [1, 2] {
        let mut shelf = repo.get_or_fail::<Shelf>(id, Query::new()).await?;
        (shelf.volumes_count, shelf.lent_count) = (OFF, OFF);
        let mut handle = repo.association(&mut shelf, Shelf::VOLUMES);
        cx.step("created", handle.create_all([Volume::build(), Volume::build()])).await?;
        let fresh = repo.get_or_fail::<Shelf>(id, Query::new()).await?;
        cx.note("all", format!("database {}, memory {}", fresh.volumes_count, shelf.volumes_count));
        cx.note("of open ones", format!("database {}, memory {}", fresh.lent_count, shelf.lent_count));
        cx.require(shelf.volumes_count == fresh.volumes_count + OFF, "added")?;
        cx.require(shelf.lent_count == fresh.lent_count, "read")?;
    }
    Ok(())
}

// A time that a database stores otherwise is read again, and the counter beside it is not.
async fn with_times_that_are_rounded(cx: &mut Context) -> Result<()> {
    let repo = cx.repo().with_clock(|| SystemTime::UNIX_EPOCH + Duration::new(1, 123_456_789));
    counted::fixture(&repo).await?;
    let mut writer = repo.get_or_fail::<Writer>(1, Query::new()).await?;
    writer.articles_count += OFF;
    let mut handle = repo.association(&mut writer, Writer::ARTICLES);
    handle.create(Article::build().set(Article::TITLE, "new")).await?;
    let first = handle.first().await?.ok_or_else(|| Error::other("an article"))?;
    handle.destroy(&first).await?;
    handle.push([Article::build().set(Article::TITLE, "x"), Article::build().set(Article::TITLE, "y")]).await?;
    let fresh = repo.get_or_fail::<Writer>(1, Query::new()).await?;
    cx.note("articles", format!("database {}, memory {}", fresh.articles_count, writer.articles_count));
    cx.require(writer.articles_count == fresh.articles_count + OFF, "as far off as it was")?;
    cx.require(writer.updated_at == fresh.updated_at, "its time is the stored one")
}
