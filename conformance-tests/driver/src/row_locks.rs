//! `for_update`, `for_share` and `skip_locked`.

use assoc_core::Result;
use assoc_core::dialect::RowLocks;
use assoc_repo::prelude::*;
use conformance_harness::{Context, Level, cases};
use conformance_models::blog::{self, Author, Post};

cases! { "row_locks", Level::Transaction;
    in_a_transaction,
    outside_of_one,
    where_there_are_no_rows,
    workers_take_different_rows,
}

async fn in_a_transaction(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let tx = repo.begin().await?;
    let query = || Query::filter(Author::ID.le(2)).order_by(Author::ID.asc());
    let locked = cx.step("for update", tx.all(query().for_update())).await?;
    cx.note("rows", locked.len());
    let locked = cx.step("for share, first row", tx.all(query().limit(1).for_share())).await?;
    cx.note("rows", locked.len());
    let locked = cx.step("skipping", tx.all(query().for_update().skip_locked())).await?;
    cx.note("rows", locked.len());
    let locked = cx.step("skipping alone", tx.all(query().skip_locked())).await?;
    cx.note("rows", locked.len());
    let one = cx.step("by key", tx.get::<Author>(3, Query::new().for_update())).await?;
    cx.require(one.is_some_and(|author| author.name == "Cyd"), "found")?;
    let with_posts = cx.step("with preloads", tx.all(query().preload(Author::POSTS).for_update())).await?;
    cx.require(with_posts.iter().all(|author| author.posts.is_loaded()), "loaded")?;
    let names = cx.step("columns", tx.pluck(Author::NAME, query().for_update())).await?;
    cx.note("names", names.join(" "));
    let ann = &locked[0];
    let posts = cx.step("of an owner", tx.get_association(ann, Author::POSTS, Query::new().for_update())).await?;
    cx.note("posts", posts.len());
    tx.commit().await
}

async fn outside_of_one(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let query = Query::<Author>::new;
    let error = cx.fails("all", repo.all(query().for_update())).await?;
    cx.require(matches!(error.kind(), ErrorKind::Transaction(_)), "a transaction is missing")?;
    cx.fails("get", repo.get::<Author>(1, query().for_share())).await?;
    cx.fails("one", repo.one(query().skip_locked())).await?;
    cx.fails("pluck", repo.pluck(Author::NAME, query().for_update())).await?;
    let options = assoc_repo::TransactionOptions::new().read_only();
    let tx = repo.begin_with(options).await?;
    cx.fails("in one that only reads", tx.all(query().for_update())).await?;
    tx.rollback().await
}

async fn where_there_are_no_rows(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let tx = repo.begin().await?;
    let query = || Query::<Author>::new().for_update();
    cx.fails("count", tx.count(query())).await?;
    cx.fails("exists", tx.exists(query())).await?;
    cx.fails("aggregate", tx.aggregate(Author::ID.max(), query())).await?;
    cx.fails("a loading join", tx.all(query().eager_load(Author::POSTS))).await?;
    cx.fails("delete_all", tx.delete_all(query())).await?;
    cx.fails("update_all", tx.update_all(query(), [Author::NAME.to("x")])).await?;
    if tx.dialect().capabilities().row_locks != RowLocks::OfWriters {
        // Where nothing is written nothing is wrong.
        let distinct = tx.all(query().distinct()).await;
        cx.require(distinct.is_err(), "distinct rows are none of the table's")?;
    }
    tx.rollback().await
}

async fn workers_take_different_rows(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    if !matches!(repo.dialect().capabilities().row_locks, RowLocks::Rows { .. }) {
        // A second writer waits for the first; there is never a row that others have locked.
        return Ok(());
    }
    let waiting = || Query::<Post>::new().limit(1).for_update().skip_locked();
    let (one, two) = (repo.begin().await?, repo.begin().await?);
    let first = one.all(waiting()).await?;
    let second = two.all(waiting()).await?;
    cx.require(first.len() == 1 && second.len() == 1 && first[0].id != second[0].id, "a row each")?;
    one.rollback().await?;
    two.rollback().await
}
