//! Through associations with a condition: one statement joins the whole chain.

use assoc_core::{Result, Value};
use assoc_repo::prelude::*;
use conformance_harness::{Context, Level, cases};
use conformance_models::blog::{Author, Comment, Post};
use conformance_models::ways::{self, Critic, Duel, Rack};

cases! { "by_way", Level::Kind;
    c36_one_statement_for_the_way,
    rows_between_that_are_loaded_anyway,
    two_of_them,
    targets_are_shared,
    distinct_ordered_and_limited,
    nested,
    has_one,
    asked_for,
    parts_that_choose,
    sql_of_ones_own,
    in_hand_and_aside,
    merged,
    below_them,
    filters_of_the_repo,
    composite_and_text_keys,
    more_keys_than_one_statement_takes,
    explained,
}

fn bodies<C: std::ops::Deref<Target = Comment>>(comments: &[C]) -> Vec<&str> {
    comments.iter().map(|comment| comment.body.as_str()).collect()
}

fn names(authors: &[std::sync::Arc<Author>]) -> Vec<&str> {
    authors.iter().map(|author| author.name.as_str()).collect()
}

// Each critic's association is what its reader gives.
macro_rules! agree {
    ($cx:ident, $critics:ident, $token:ident, $accessor:ident) => {
        for critic in &$critics {
            let read = $cx.repo().get_association(critic, Critic::$token, Query::new()).await?;
            $cx.require(critic.$accessor()?.iter().map(|row| &**row).eq(&read), "preload and reader agree")?;
        }
    };
}

async fn c36_one_statement_for_the_way(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    ways::criticism(&repo).await?;
    let query = Query::preload(Critic::APPROVED_COMMENTS).order_by(Critic::ID.asc());
    let critics = cx.step("C36: critics preload approved comments", repo.all(query)).await?;
    agree!(cx, critics, APPROVED_COMMENTS, approved_comments);
    cx.show("critics", critics);
    Ok(())
}

async fn rows_between_that_are_loaded_anyway(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    ways::criticism(&repo).await?;
    let query = Query::preload((Critic::POSTS, Critic::APPROVED_COMMENTS)).order_by(Critic::ID.asc());
    let critics = cx.step("the posts as well", repo.all(query)).await?;
    agree!(cx, critics, APPROVED_COMMENTS, approved_comments);
    let query = Query::preload((Critic::APPROVED_COMMENTS, Critic::COMMENTS)).order_by(Critic::ID.asc());
    let critics = cx.step("all comments as well", repo.all(query)).await?;
    agree!(cx, critics, APPROVED_COMMENTS, approved_comments);
    agree!(cx, critics, COMMENTS, comments);
    let some = Critic::POSTS.filter(Post::PUBLISHED.eq(true));
    let query = Query::preload((some, Critic::APPROVED_COMMENTS)).order_by(Critic::ID.asc());
    let critics = cx.step("some of the posts are not those between", repo.all(query)).await?;
    agree!(cx, critics, APPROVED_COMMENTS, approved_comments);
    Ok(())
}

async fn two_of_them(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    ways::criticism(&repo).await?;
    let query = Query::preload((Critic::APPROVED_COMMENTS, Critic::REFUSED_COMMENTS)).order_by(Critic::ID.asc());
    let critics = cx.step("approved and refused", repo.all(query)).await?;
    for critic in &critics {
        cx.show(&critic.name, [bodies(critic.approved_comments()?), bodies(critic.refused_comments()?)]);
    }
    Ok(())
}

async fn targets_are_shared(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    ways::criticism(&repo).await?;
    let query = Query::preload(Critic::OTHER_COMMENTERS).order_by(Critic::ID.asc());
    let critics = cx.step("commenters, several times each", repo.all(query)).await?;
    agree!(cx, critics, OTHER_COMMENTERS, other_commenters);
    let (ann, bob) = (critics[0].other_commenters()?, critics[1].other_commenters()?);
    let cyd = ann.iter().find(|author| author.name == "Cyd");
    let again = bob.iter().find(|author| author.name == "Cyd");
    let shared = cyd.zip(again).is_some_and(|(one, other)| std::sync::Arc::ptr_eq(one, other));
    cx.require(shared, "one author, one instance")?;
    for critic in &critics {
        cx.show(&critic.name, names(critic.other_commenters()?));
    }
    Ok(())
}

async fn distinct_ordered_and_limited(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    ways::criticism(&repo).await?;
    let query = Query::preload((Critic::OTHERS_BY_NAME, Critic::LAST_APPROVED)).order_by(Critic::ID.asc());
    let critics = cx.step("each once by name; the last two", repo.all(query)).await?;
    agree!(cx, critics, OTHERS_BY_NAME, others_by_name);
    agree!(cx, critics, LAST_APPROVED, last_approved);
    for critic in &critics {
        cx.show(&critic.name, [names(critic.others_by_name()?), bodies(critic.last_approved()?)]);
    }
    let query = Query::preload(Critic::LAST_APPROVED.offset(1).limit(1).order_by(Comment::ID.asc()));
    for critic in cx.step("a page of each", repo.all(query.order_by(Critic::ID.asc()))).await? {
        cx.show(&critic.name, bodies(critic.last_approved()?));
    }
    Ok(())
}

async fn nested(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    ways::criticism(&repo).await?;
    let query = Query::preload(Critic::APPROVED_COMMENTERS).order_by(Critic::ID.asc());
    let critics = cx.step("both conditions, three tables", repo.all(query)).await?;
    agree!(cx, critics, APPROVED_COMMENTERS, approved_commenters);
    for critic in &critics {
        cx.show(&critic.name, names(critic.approved_commenters()?));
    }
    Ok(())
}

async fn has_one(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    ways::criticism(&repo).await?;
    let query = Query::preload(Critic::LATEST_ANSWER).order_by(Critic::ID.asc());
    let critics = cx.step("the first approved answer to the latest post", repo.all(query)).await?;
    for critic in &critics {
        let read = repo.get_association(critic, Critic::LATEST_ANSWER, Query::new()).await?;
        cx.require(critic.latest_answer()?.cloned() == read, "preload and reader agree")?;
        cx.show(&critic.name, critic.latest_answer()?.map(|comment| &comment.body));
    }
    Ok(())
}

async fn asked_for(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    ways::criticism(&repo).await?;
    let query = Query::preload(Critic::COMMENTS.filter(Comment::BODY.gt("C4"))).order_by(Critic::ID.asc());
    let critics = cx.step("a condition of the request", repo.all(query)).await?;
    cx.require(critics.iter().all(|critic| critic.comments.is_partial()), "partial")?;
    for critic in &critics {
        cx.show(&critic.name, bodies(critic.comments()?));
    }
    Ok(())
}

async fn parts_that_choose(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    ways::criticism(&repo).await?;
    let query = Query::preload(Critic::FIRST_APPROVED).order_by(Critic::ID.asc());
    let critics = cx.step("the rows between have a limit: part by part", repo.all(query)).await?;
    agree!(cx, critics, FIRST_APPROVED, first_approved);
    for critic in &critics {
        cx.show(&critic.name, bodies(critic.first_approved()?));
    }
    Ok(())
}

async fn sql_of_ones_own(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    ways::criticism(&repo).await?;
    let query = Query::preload(Critic::BY_SQL).order_by(Critic::ID.asc());
    for critic in cx.step("a condition written for one table: part by part", repo.all(query)).await? {
        cx.show(&critic.name, bodies(critic.by_sql()?));
        let read = repo.get_association(&critic, Critic::BY_SQL, Query::new()).await?;
        cx.require(critic.by_sql()?.iter().map(|row| &**row).eq(&read), "preload and reader agree")?;
    }
    // Every intermediate table has an `id`.
    let first = || Filter::<Comment>::raw("id < ?", [Value::Int(5)]);
    let ann = repo.get_or_fail::<Critic>(1, Query::new()).await?;
    let read = repo.get_association(&ann, Critic::COMMENTS, Query::filter(first()));
    let read = cx.step("a reader's", read).await?;
    cx.show("read", bodies(&read.iter().collect::<Vec<_>>()));
    let asked = Query::preload(Critic::COMMENTS.filter(first())).order_by(Critic::ID.asc());
    let critics = cx.step("a request's", repo.all(asked)).await?;
    cx.show("asked for", bodies(critics[0].comments()?));
    let filtered = repo.filtered(|model| {
        (model.name != "Critic").then(|| Filter::<Comment>::raw("id <> ?", [Value::Int(1)]).into_expr())
    });
    let query = Query::preload(Critic::APPROVED_COMMENTS).order_by(Critic::ID.asc());
    for critic in cx.step("one of the repo's, on every table", filtered.all(query)).await? {
        cx.show(&critic.name, bodies(critic.approved_comments()?));
        let read = filtered.get_association(&critic, Critic::APPROVED_COMMENTS, Query::new()).await?;
        cx.require(critic.approved_comments()?.iter().map(|row| &**row).eq(&read), "preload and reader agree")?;
        let counts = filtered.count_for(std::slice::from_ref(&critic), Critic::APPROVED_COMMENTS).await?;
        cx.require(counts == [read.len() as u64], "and are counted")?;
    }
    Ok(())
}

async fn in_hand_and_aside(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    ways::criticism(&repo).await?;
    let mut critics = repo.all(Query::new().order_by(Critic::ID.asc())).await?;
    cx.step("in hand", repo.preload(&mut critics, Critic::APPROVED_COMMENTS)).await?;
    cx.step("loaded already", repo.preload(&mut critics, Critic::APPROVED_COMMENTS)).await?;
    for critic in &critics {
        cx.show(&critic.name, bodies(critic.approved_comments()?));
    }
    let aside = cx.step("aside", repo.load_separately(&critics, Critic::REFUSED_COMMENTS)).await?;
    cx.show("refused", aside.iter().map(|own| own.iter().map(|comment| comment.body.clone()).collect::<Vec<_>>()));
    let counts = cx.step("counted", repo.count_for(&critics, Critic::APPROVED_COMMENTS)).await?;
    cx.show("counts", counts);
    Ok(())
}

async fn merged(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    ways::criticism(&repo).await?;
    let tree = (
        Duel::FIRST.with(Critic::APPROVED_COMMENTS.with(Comment::AUTHOR)),
        Duel::SECOND.with(Critic::APPROVED_COMMENTS),
    );
    let query = Query::preload(tree).order_by(Duel::ID.asc());
    for duel in cx.step("the same look-up at two places is one", repo.all(query)).await? {
        let authors = |critic: &Critic| -> Result<Vec<Option<String>>> {
            let comments = critic.approved_comments()?.iter();
            comments.map(|comment| Ok(comment.author()?.map(|author| author.name.clone()))).collect()
        };
        cx.show("first", authors(duel.first()?)?);
        cx.show("second", bodies(duel.second()?.approved_comments()?));
    }
    Ok(())
}

async fn below_them(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    ways::criticism(&repo).await?;
    let tree = Critic::LAST_APPROVED.with((Comment::AUTHOR.with(Author::GRAVATAR), Comment::POST));
    let critics =
        cx.step("below rows that are kept only", repo.all(Query::preload(tree).order_by(Critic::ID.asc()))).await?;
    cx.show("critics", critics);
    Ok(())
}

async fn filters_of_the_repo(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    ways::criticism(&repo).await?;
    let some = repo.filtered(|model| match model.name {
        "Post" => Some(Post::ID.ne(3).into_expr()),
        "Comment" => Some(Comment::ID.ne(8).into_expr()),
        _ => None,
    });
    let query = Query::preload(Critic::APPROVED_COMMENTS).order_by(Critic::ID.asc());
    for critic in cx.step("a hook filters every table", some.all(query)).await? {
        cx.show(&critic.name, bodies(critic.approved_comments()?));
        let read = some.get_association(&critic, Critic::APPROVED_COMMENTS, Query::new()).await?;
        cx.require(critic.approved_comments()?.iter().map(|row| &**row).eq(&read), "preload and reader agree")?;
    }
    Ok(())
}

async fn composite_and_text_keys(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    ways::loans(&repo).await?;
    let query = Query::preload(Rack::OPEN_LOANS).order_by(Rack::ROOM.asc()).order_by(Rack::CODE.asc());
    for rack in cx.step("shelves preload open loans", repo.all(query)).await? {
        cx.show(&format!("{}{}", rack.room, rack.code), rack.open_loans()?.iter().map(|loan| loan.id));
        let read = repo.get_association(&rack, Rack::OPEN_LOANS, Query::new()).await?;
        cx.require(rack.open_loans()?.iter().map(|row| &**row).eq(&read), "preload and reader agree")?;
    }
    Ok(())
}

async fn more_keys_than_one_statement_takes(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    ways::criticism(&repo).await?;
    repo.insert_all((4..=2_503).map(|n| Author::build().set(Author::NAME, format!("author {n}")))).await?;
    repo.insert_all(
        (4..=2_503)
            .map(|n| Post::build().set(Post::AUTHOR_ID, Some(n)).set(Post::TITLE, "post").set(Post::PUBLISHED, true)),
    )
    .await?;
    repo.insert_all((5..=2_504).map(|n| {
        Comment::build()
            .set(Comment::POST_ID, n)
            .set(Comment::AUTHOR_ID, Some(2))
            .set(Comment::BODY, format!("on {n}"))
            .set(Comment::APPROVED, n % 2 == 0)
    }))
    .await?;
    let critics = repo
        .all(Query::preload((Critic::APPROVED_COMMENTS, Critic::OTHER_COMMENTERS)).order_by(Critic::ID.asc()))
        .await?;
    let counts = |of: fn(&Critic) -> usize| critics.iter().map(of).sum::<usize>();
    let approved = counts(|critic| critic.approved_comments().map_or(0, <[_]>::len));
    cx.note("approved comments", approved.to_string());
    let last = &critics[2_502];
    cx.note("the last critic", format!("{:?} {:?}", last.id, bodies(last.approved_comments()?)));
    let bob = &critics[1_000].other_commenters()?[0];
    let shared = critics[3..].iter().all(|critic| {
        critic.other_commenters().is_ok_and(|own| own.len() == 1 && std::sync::Arc::ptr_eq(&own[0], bob))
    });
    cx.require(shared, "one author, one instance, across statements")
}

async fn explained(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    ways::criticism(&repo).await?;
    let plan = repo.explain(&Query::preload((Critic::APPROVED_COMMENTS, Critic::COMMENTERS)))?;
    cx.note("tree", plan.lines().take_while(|line| !line.is_empty()).collect::<Vec<_>>().join("\n"));
    Ok(())
}
