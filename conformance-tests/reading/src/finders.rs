//! Associations with hand-written SQL: `finder_sql` and `counter_sql`.

use assoc_core::Result;
use assoc_repo::prelude::*;
use conformance_harness::{Context, Level, cases};
use conformance_models::forum::{self, Member, Message};

cases! { "finders", Level::Read;
    reader_and_preload,
    of_a_join_table,
    with_more_on_top,
    declared_on_top,
    below_them,
    in_hand,
    counts,
    filters_of_a_repo,
    refused,
}

fn in_order() -> assoc_repo::Select<Member> {
    Query::order_by(Member::ID.asc())
}

fn ids<'a>(messages: impl IntoIterator<Item = &'a Message>) -> Vec<i64> {
    messages.into_iter().map(|message| message.id).collect()
}

async fn reader_and_preload(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    forum::fixture(&repo).await?;
    let members = cx.step("F114: equal SQL and binds run once", repo.all(in_order().preload(Member::POPULAR))).await?;
    cx.require(members.iter().all(|member| !member.popular.is_partial()), "the whole of the association")?;
    for member in &members {
        let title = format!("by the reader, for {}", member.name);
        let read = cx.step(&title, repo.get_association(member, Member::POPULAR, Query::new())).await?;
        cx.require(member.popular()? == read, "what the preload gave")?;
        cx.show("messages", read);
    }
    let members = cx.step("in its own order", repo.all(in_order().preload(Member::MENTIONS))).await?;
    cx.show("ids", members.iter().map(|member| ids(member.mentions().unwrap_or_default())));
    Ok(())
}

async fn of_a_join_table(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    forum::fixture(&repo).await?;
    let tree = Member::SHARED_MENTIONS.with(Message::MEMBER);
    let members = cx.step("a has_and_belongs_to_many", repo.all(in_order().preload(tree))).await?;
    for member in members {
        let read = repo.get_association(&member, Member::SHARED_MENTIONS, Query::new()).await?;
        cx.require(ids(&read) == ids(member.shared_mentions()?.iter().map(|message| &**message)), "the reader agrees")?;
        cx.show(&member.name, ids(&read));
    }
    Ok(())
}

async fn with_more_on_top(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    forum::fixture(&repo).await?;
    let members = repo.all(in_order()).await?;
    for (title, tree, query) in [
        ("a limit keeps its order", Member::MENTIONS.limit(2), Query::limit(2)),
        ("and so does an offset", Member::MENTIONS.offset(1), Query::offset(1)),
        ("a condition", Member::MENTIONS.filter(Message::SCORE.ge(2)), Query::filter(Message::SCORE.ge(2))),
        (
            "an order and a limit",
            Member::POPULAR.order_by(Message::SCORE.asc()).limit(2).offset(1),
            Query::order_by(Message::SCORE.asc()).limit(2).offset(1),
        ),
        (
            "a condition on an association of the rows",
            Member::POPULAR.filter(Message::MEMBER.any(Member::NAME.ne("ann"))),
            Query::filter(Message::MEMBER.any(Member::NAME.ne("ann"))),
        ),
        (
            "some columns",
            Member::POPULAR.select((Message::ID, Message::MEMBER_ID, Message::SCORE)),
            Query::select((Message::ID, Message::MEMBER_ID, Message::SCORE)),
        ),
    ] {
        let loaded = cx.step(title, repo.load_separately(&members, tree)).await?;
        cx.show("ids", loaded.iter().map(ids));
        for (member, loaded) in members.iter().zip(loaded) {
            let read = repo.get_association(member, Member::POPULAR, query.clone()).await?;
            let other = repo.get_association(member, Member::MENTIONS, query.clone()).await?;
            cx.require(read == loaded || other == loaded, "the reader agrees")?;
        }
    }
    let mut members = members;
    repo.preload(&mut members, Member::MENTIONS.limit(2)).await?;
    cx.require(members.iter().all(|member| member.mentions.is_partial()), "partial")
}

async fn declared_on_top(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    forum::fixture(&repo).await?;
    let members = cx.step("condition, order and limit", repo.all(in_order().preload(Member::BEST_MENTIONS))).await?;
    cx.require(members.iter().all(|member| !member.best_mentions.is_partial()), "the whole of the association")?;
    for member in members {
        let read = repo.get_association(&member, Member::BEST_MENTIONS, Query::new()).await?;
        cx.require(member.best_mentions()? == read, "the reader agrees")?;
        cx.show(&member.name, ids(member.best_mentions()?));
    }
    Ok(())
}

async fn below_them(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    forum::fixture(&repo).await?;
    let tree = Member::POPULAR.with(Message::MEMBER.with(Member::MENTIONS.limit(1)));
    let members = cx.step("their authors, and who mentions those", repo.all(in_order().preload(tree))).await?;
    for member in &members {
        for message in member.popular()? {
            let author = message.member()?;
            cx.note(
                &format!("{} {}", member.name, message.id),
                format!("{} {:?}", author.name, ids(author.mentions()?)),
            );
        }
    }
    Ok(())
}

async fn in_hand(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    forum::fixture(&repo).await?;
    let mut members = repo.all(in_order()).await?;
    cx.step("one", repo.preload(&mut members[0], Member::POPULAR)).await?;
    cx.step("those that miss it", repo.preload(&mut members, Member::POPULAR.with(Message::MEMBER))).await?;
    cx.show("ids", members.iter().map(|member| ids(member.popular().unwrap_or_default())));
    let authors = members.iter().flat_map(|member| member.popular().unwrap_or_default());
    cx.require(authors.clone().all(|message| message.member.is_loaded()), "authors of all")?;
    cx.step("all is there", repo.preload(&mut members, Member::POPULAR.with(Message::MEMBER))).await?;
    cx.step("anew", repo.reload(&mut members, Member::POPULAR)).await?;
    Ok(())
}

async fn counts(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    forum::fixture(&repo).await?;
    let members = repo.all(in_order()).await?;
    for (title, tree) in [
        ("by SQL of its own", Member::POPULAR.preload()),
        ("by what is found", Member::MENTIONS.preload()),
        ("with a condition on top", Member::POPULAR.filter(Message::SCORE.lt(5))),
        ("cut", Member::POPULAR.limit(2)),
        ("as declared", Member::BEST_MENTIONS.preload()),
    ] {
        let counts = cx.step(title, repo.count_for(&members, tree)).await?;
        cx.note("counts", format!("{counts:?}"));
    }
    Ok(())
}

async fn filters_of_a_repo(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    forum::fixture(&repo).await?;
    let some = repo.filtered(|model| (model.name == "Message").then(|| Message::SCORE.ne(5).into_expr()));
    let members = cx.step("hold for SQL of its own too", some.all(in_order().preload(Member::POPULAR))).await?;
    cx.show("ids", members.iter().map(|member| ids(member.popular().unwrap_or_default())));
    let counts = cx.step("counted", some.count_for(&members, Member::POPULAR)).await?;
    cx.note("counts", format!("{counts:?}"));
    Ok(())
}

async fn refused(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    forum::fixture(&repo).await?;
    let mut members = repo.all(in_order()).await?;
    cx.fails("distinct", repo.preload(&mut members, Member::POPULAR.distinct())).await?;
    cx.fails("a group", repo.count_for(&members, Member::POPULAR.group_by(Message::MEMBER_ID))).await?;
    let any = Query::filter(Member::POPULAR.any(Message::SCORE.gt(1)));
    cx.fails("a condition on its rows", repo.all(any)).await?;
    cx.fails("a join", repo.all(in_order().eager_load(Member::POPULAR))).await?;
    cx.fails("columns without the key", repo.preload(&mut members, Member::POPULAR.select(Message::SCORE))).await?;
    cx.fails("another number of binds", repo.preload(&mut members, Member::BROKEN)).await?;
    cx.require(members.iter().all(|member| !member.broken.is_loaded()), "nothing is changed in memory")
}
