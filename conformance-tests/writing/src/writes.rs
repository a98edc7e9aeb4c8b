//! Flat writes: insert, insert in batches, update, delete, raw SQL.

use assoc_core::Result;
use assoc_repo::prelude::*;
use conformance_harness::{Context, Level, cases};
use conformance_models::blog::{self, Author, Comment, Post};

cases! { "writes", Level::Write;
    insert,
    insert_without_what_is_required,
    insert_all_in_batches,
    insert_all_of_different_columns,
    insert_all_is_all_or_nothing,
    update_writes_what_changed,
    update_of_what_is_gone,
    update_keeps_associations,
    delete,
    associate,
    raw,
}

const AUTHORS: &str = "SELECT id, name, mentor_id FROM authors ORDER BY id";

async fn insert(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::tables(&repo).await?;
    let ann = cx.step("the database makes the key", repo.insert(Author::build().set(Author::NAME, "Ann"))).await?;
    cx.show("author", [&ann]);
    let own = Author::build().set(Author::ID, 10).set(Author::NAME, "Own key").set(Author::MENTOR_ID, ann.id);
    let own = cx.step("a key of one's own", repo.insert(own)).await?;
    cx.show("author", [&own]);
    cx.rows("authors", AUTHORS).await
}

async fn insert_without_what_is_required(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::tables(&repo).await?;
    let error = cx.fails("two columns missing", repo.insert(Post::build())).await?;
    cx.require(matches!(error.kind(), ErrorKind::Invalid { errors, .. } if errors.len() == 2), "both are named")?;
    let ann = repo.insert(Author::build().set(Author::NAME, "Ann")).await?;
    cx.fails("a change is not a new row", repo.insert(ann.change())).await?;
    cx.fails("a new row is not a change", repo.update(Author::build().set(Author::NAME, "x"))).await?;
    Ok(())
}

async fn insert_all_in_batches(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::tables(&repo).await?;
    let none = cx.step("nothing", repo.insert_all(Vec::<assoc_repo::Changeset<Author>>::new())).await?;
    cx.require(none.is_empty(), "no rows")?;
    let authors = repo.insert_all((0..2_345).map(|n| Author::build().set(Author::NAME, format!("author {n}")))).await?;
    let right = authors.iter().enumerate().all(|(n, author)| author.name == format!("author {n}"));
    cx.require(authors.len() == 2_345 && right, "in the given order")?;
    let stored = repo.all(Query::order_by(Author::ID.asc())).await?;
    cx.require(stored == authors, "as they are stored")
}

async fn insert_all_of_different_columns(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::tables(&repo).await?;
    let plain = |name| Author::build().set(Author::NAME, name);
    let all = [plain("a"), plain("b").set(Author::MENTOR_ID, 1), plain("c").set(Author::MENTOR_ID, 1), plain("d")];
    let authors = cx.step("a statement for each set of columns", repo.insert_all(all)).await?;
    // Without ids: which statement comes first depends on how many rows a statement takes.
    cx.show("authors", authors.iter().map(|author| (&author.name, author.mentor_id)));
    Ok(())
}

async fn insert_all_is_all_or_nothing(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::tables(&repo).await?;
    let named = |id: i64| Author::build().set(Author::ID, id).set(Author::NAME, format!("{id}"));
    let error = repo.insert_all((1..=3_000).map(named).chain([named(7)])).await.map(|_| ()).err();
    cx.require(error.is_some_and(|error| error.is_unique_violation()), "the last one is a duplicate")?;
    cx.note("rows", repo.count(Query::<Author>::new()).await?);
    Ok(())
}

async fn update_writes_what_changed(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let bob = repo.get_or_fail::<Author>(2, Query::new()).await?;
    let same = cx.step("nothing differs", repo.update(bob.change().set(Author::NAME, "Bob"))).await?;
    cx.require(same == bob, "the same row")?;
    let rob =
        cx.step("one column", repo.update(bob.change().set(Author::NAME, "Rob").set(Author::MENTOR_ID, 1))).await?;
    cx.show("author", [&rob]);
    let free = cx.step("to NULL", repo.update(rob.change().set(Author::MENTOR_ID, None))).await?;
    cx.show("author", [&free]);
    let again = cx
        .step("the same value counts the row", repo.execute_raw("UPDATE authors SET name = 'Rob' WHERE id = 2", []))
        .await?;
    cx.note("affected", again.affected);
    cx.rows("authors", AUTHORS).await
}

async fn update_of_what_is_gone(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let bob = repo.get_or_fail::<Author>(2, Query::new()).await?;
    repo.delete(&bob).await?;
    let error = cx.fails("the row was deleted", repo.update(bob.change().set(Author::NAME, "Rob"))).await?;
    cx.require(error.is_not_found(), "not found")
}

async fn update_keeps_associations(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let cyd = repo.get_or_fail::<Author>(3, Query::preload((Author::MENTOR, Author::POSTS))).await?;
    let renamed = repo.update(cyd.change().set(Author::NAME, "Cy")).await?;
    cx.require(renamed.mentor.is_loaded() && renamed.posts.is_loaded(), "what is loaded stays")?;
    let moved = repo.update(renamed.change().set(Author::MENTOR_ID, 1)).await?;
    cx.require(!moved.mentor.is_loaded() && moved.posts.is_loaded(), "except what went by the changed key")
}

async fn delete(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let bob = repo.get_or_fail::<Author>(2, Query::new()).await?;
    cx.step("F153: a row, no dependents", repo.delete(&bob)).await?;
    let error = cx.fails("again", repo.delete(&bob)).await?;
    cx.require(error.is_not_found(), "it is gone")?;
    cx.rows("authors", AUTHORS).await?;
    cx.rows("posts", "SELECT id, author_id FROM posts ORDER BY id").await
}

async fn associate(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let bob = repo.get_or_fail::<Author>(2, Query::new()).await?;
    let post = Post::build().associate(Post::AUTHOR, &bob).set(Post::TITLE, "by Bob").set(Post::PUBLISHED, true);
    let post = cx.step("F177: the key comes from the object", repo.insert(post)).await?;
    cx.require(post.author_id == Some(2), "Bob's")?;
    let post = cx.step("F41: and goes with it", repo.update(post.change().dissociate(Post::AUTHOR))).await?;
    cx.require(post.author_id.is_none(), "nobody's")?;
    let comment = repo.get_or_fail::<Comment>(1, Query::new()).await?;
    cx.fails("D17: a required one cannot be cleared", repo.update(comment.change().dissociate(Comment::POST))).await?;
    Ok(())
}

async fn raw(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let sql = "UPDATE authors SET name = ? WHERE id IN (?, ?)";
    let done =
        cx.step("binds", repo.execute_raw(sql, [Value::Text("x?".into()), Value::Int(1), Value::Int(2)])).await?;
    cx.note("affected", done.affected);
    cx.fails("too many binds", repo.execute_raw("DELETE FROM authors", [Value::Int(1)])).await?;
    cx.rows("authors", AUTHORS).await
}
