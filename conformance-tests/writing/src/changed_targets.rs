//! Whether a row belongs to another row than before: in a changeset.

use assoc_core::Result;
use assoc_repo::prelude::*;
use conformance_harness::{Context, Level, cases};
use conformance_written_models::counted::{self, Article, Mark, Writer};

cases! { "changed_targets", Level::Write;
    of_changesets,
    polymorphic,
}

async fn of_changesets(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    counted::fixture(&repo).await?;
    let article = repo.get_or_fail::<Article>(1, Query::new()).await?;
    let writers = repo.all(Query::<Writer>::order_by(Writer::ID.asc())).await?;
    let change = || article.change();
    let asked = [
        ("nothing", change(), false),
        ("another column", change().set(Article::TITLE, "x"), false),
        ("the same row", change().associate(Article::WRITER, &writers[0]), false),
        ("another row", change().associate(Article::WRITER, &writers[1]), true),
        ("the key", change().set(Article::WRITER_ID, 2), true),
        ("a new row", change().associate(Article::WRITER, Writer::build().set(Writer::NAME, "new")), true),
        ("a changed row", change().associate(Article::WRITER, writers[0].change().set(Writer::NAME, "x")), false),
        ("none", change().dissociate(Article::WRITER), true),
        ("another, and the same again", change().set(Article::WRITER_ID, 2).set(Article::WRITER_ID, 1), false),
        ("a new row of none", Article::build().set(Article::TITLE, "x"), false),
        ("a new row of one", Article::build().associate(Article::WRITER, &writers[0]), true),
    ];
    for (what, change, changes) in asked {
        cx.require(change.changes_target(Article::WRITER) == changes, what)?;
    }
    Ok(())
}

async fn polymorphic(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    counted::fixture(&repo).await?;
    let writer = repo.get_or_fail::<Writer>(1, Query::new()).await?;
    let article = repo.get_or_fail::<Article>(1, Query::new()).await?;
    let mark = repo.insert(Mark::build().associate(Mark::MARKABLE, &writer)).await?;
    cx.require(!mark.change().associate(Mark::MARKABLE, &writer).changes_target(Mark::MARKABLE), "the same row")?;
    // One key, and another type.
    cx.require(mark.change().associate(Mark::MARKABLE, &article).changes_target(Mark::MARKABLE), "another type")?;
    cx.require(mark.change().dissociate(Mark::MARKABLE).changes_target(Mark::MARKABLE), "none")
}
