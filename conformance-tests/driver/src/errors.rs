//! What is refused, and how it is said.

use assoc_core::{DriverErrorKind, Result};
use assoc_repo::prelude::*;
use conformance_harness::{Context, Level, cases};
use conformance_models::blog::{self, Author, Post};
use conformance_models::pictures::{Article, Category};

cases! { "errors", Level::Driver;
    unknown_names,
    wrong_type_in_the_database,
    unique_violation,
    not_null_violation,
    statement_refused,
    no_table_is_made,
    the_repo_stays_usable,
}

async fn unknown_names(cx: &mut Context) -> Result<()> {
    let error = Author::DEF.association("postz").map(|_| ()).err();
    cx.note("association", error.map(|error| error.to_string()).unwrap_or_default());
    let error = Author::DEF.column("nam").map(|_| ()).err();
    cx.note("column", error.map(|error| error.to_string()).unwrap_or_default());
    Ok(())
}

async fn wrong_type_in_the_database(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let sql = "SELECT id, NULL, mentor_id FROM authors WHERE id = 1";
    cx.fails("NULL where there must be text", repo.query_raw::<Author>(sql, [])).await?;
    let sql = "SELECT 'x', name, mentor_id FROM authors WHERE id = 1";
    cx.fails("text where there must be a number", repo.query_raw::<Author>(sql, [])).await?;
    Ok(())
}

async fn unique_violation(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let twin = Author::build().set(Author::ID, 1).set(Author::NAME, "Ann again");
    let error = cx.fails("the key is taken", repo.insert(twin)).await?;
    cx.require(error.is_unique_violation(), "classified")
}

async fn not_null_violation(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let sql = "UPDATE authors SET name = NULL WHERE id = 1";
    let error = cx.fails("a column that cannot be NULL", repo.execute_raw(sql, [])).await?;
    cx.require(
        error.driver().map(assoc_core::DriverError::kind) == Some(DriverErrorKind::NotNullViolation),
        "classified",
    )
}

async fn statement_refused(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let error = cx.fails("no such table", repo.all(Query::<Post>::new())).await?;
    let driver = error.driver().ok_or_else(|| Error::other("not a driver error"))?;
    cx.require(driver.sql().is_some_and(|sql| sql.starts_with("SELECT")), "it carries the statement")?;
    cx.require(std::error::Error::source(driver).is_some(), "and the driver's own error")
}

// Neither a read nor a write, nor a preload over a join table, makes the table that it does not find.
async fn no_table_is_made(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let refused = |error: &Error| error.driver().map(assoc_core::DriverError::kind) == Some(DriverErrorKind::Statement);
    for round in ["first", "again"] {
        let read = cx.fails(&format!("reading, {round}"), repo.all(Query::<Article>::new())).await?;
        let article = Article::build().set(Article::TITLE, "A1");
        let written = cx.fails(&format!("writing, {round}"), repo.insert(article)).await?;
        let counted = cx.fails(&format!("counting, {round}"), repo.count(Query::<Article>::new())).await?;
        cx.require([read, written, counted].iter().all(refused), "the database's own error")?;
    }
    // This would fail if the table were there.
    repo.create_table::<Article>().await?;
    let articles = cx.step("a table that was asked for", repo.all(Query::<Article>::new())).await?;
    cx.require(articles.is_empty(), "nothing was written")?;
    repo.insert(Article::build().set(Article::TITLE, "A1")).await?;
    let with_categories = || Query::<Article>::preload(Article::CATEGORIES);
    let error = cx.fails("no join table", repo.all(with_categories())).await?;
    cx.require(refused(&error), "the database's own error")?;
    let error = cx.fails("nor the target's", repo.all(Query::<Category>::new())).await?;
    cx.require(refused(&error), "the database's own error")?;
    cx.fails("and still none", repo.all(with_categories())).await?;
    Ok(())
}

async fn the_repo_stays_usable(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    for _ in 0..20 {
        let _ = repo.all(Query::filter(Filter::<Author>::raw("nonsense(", []))).await;
        let _ = repo.query_raw::<Author>("SELECT id, NULL, mentor_id FROM authors", []).await;
    }
    let authors = cx.step("after forty failures", repo.all(Query::<Author>::preload(Author::POSTS))).await?;
    cx.note("authors", authors.len());
    Ok(())
}
