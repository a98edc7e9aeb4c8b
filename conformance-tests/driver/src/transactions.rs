//! Transactions and savepoints.

use std::time::Duration;

use assoc_core::Result;
use assoc_repo::prelude::*;
use conformance_harness::{Context, Level, cases};
use conformance_models::blog::{self, Author, Post};

cases! { "transactions", Level::Transaction;
    commit,
    error_rolls_back,
    drop_rolls_back,
    by_hand,
    nested,
    nested_dropped,
    used_after_its_end,
    reads_see_its_writes,
    failed_batch_inside,
    a_failed_statement_that_was_swallowed,
    a_failed_commit,
    boundaries_as_sql,
    an_error_of_the_application,
    many_tasks,
    two_hundred_tasks_on_one_pool,
}

async fn names(cx: &mut Context) -> Result<()> {
    cx.rows("authors", "SELECT name FROM authors ORDER BY id").await
}

fn author(name: &str) -> assoc_repo::Changeset<Author> {
    Author::build().set(Author::NAME, name)
}

async fn commit(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::tables(&repo).await?;
    let posts = cx
        .step(
            "two rows",
            repo.transaction(async |tx| {
                let ann = tx.insert(author("Ann")).await?;
                tx.insert(Post::build().associate(Post::AUTHOR, &ann).set(Post::TITLE, "t").set(Post::PUBLISHED, true))
                    .await?;
                tx.get_association(&ann, Author::POSTS, Query::new()).await
            }),
        )
        .await?;
    cx.note("posts", posts.len());
    names(cx).await
}

async fn error_rolls_back(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::tables(&repo).await?;
    let work = repo.transaction(async |tx| {
        tx.insert(author("Ann")).await?;
        Err::<(), _>(Error::other("no"))
    });
    cx.fails("the closure's error comes back", work).await?;
    let work = repo.transaction(async |tx| {
        tx.insert(author("Ann").set(Author::ID, 1)).await?;
        tx.insert(author("Ann").set(Author::ID, 1)).await
    });
    cx.fails("so does the database's", work).await?;
    names(cx).await
}

async fn drop_rolls_back(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::tables(&repo).await?;
    for _ in 0..20 {
        let tx = repo.begin().await?;
        tx.insert(author("Ann")).await?;
        drop(tx);
    }
    names(cx).await?;
    cx.step("the repo is fine", repo.insert(author("Bob"))).await?;
    names(cx).await
}

async fn by_hand(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::tables(&repo).await?;
    let tx = repo.begin().await?;
    tx.insert(author("Ann")).await?;
    tx.commit().await?;
    let tx = repo.begin().await?;
    tx.insert(author("Bob")).await?;
    tx.rollback().await?;
    names(cx).await
}

async fn nested(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::tables(&repo).await?;
    repo.transaction(async |tx| {
        tx.insert(author("outer")).await?;
        let refused = tx
            .transaction(async |inner| {
                inner.insert(author("undone")).await?;
                inner.transaction(async |third| third.insert(author("undone too")).await).await?;
                Err::<(), _>(Error::other("no"))
            })
            .await;
        if refused.is_ok() {
            return Err(Error::other("the inner transaction succeeded"));
        }
        tx.transaction(async |inner| inner.insert(author("kept")).await).await
    })
    .await?;
    names(cx).await
}

async fn nested_dropped(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::tables(&repo).await?;
    let tx = repo.begin().await?;
    tx.insert(author("first")).await?;
    let inner = tx.begin().await?;
    inner.insert(author("undone")).await?;
    drop(inner);
    tx.insert(author("second")).await?;
    tx.commit().await?;
    names(cx).await
}

async fn used_after_its_end(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::tables(&repo).await?;
    let tx = repo.begin().await?;
    let handle: Repo = (*tx).clone();
    tx.commit().await?;
    cx.fails("a clone of an ended transaction", handle.insert(author("late"))).await?;
    let tx = repo.begin().await?;
    let inner = tx.begin().await?;
    cx.fails("commit with a nested one open", tx.commit()).await?;
    drop(inner);
    names(cx).await
}

async fn reads_see_its_writes(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::tables(&repo).await?;
    let tx = repo.begin().await?;
    let ann = tx.insert(author("Ann")).await?;
    tx.insert(Post::build().associate(Post::AUTHOR, &ann).set(Post::TITLE, "t").set(Post::PUBLISHED, true)).await?;
    let found = cx.step("preload inside", tx.get::<Author>(ann.id, Query::preload(Author::POSTS))).await?;
    cx.show("author", found);
    // A database in memory has a single connection, which the transaction holds: there is no outside to look from.
    if repo.pool_status().is_none_or(|pool| pool.max > 1) {
        cx.require(repo.count(Query::<Author>::new()).await? == 0, "others do not see it yet")?;
    }
    tx.rollback().await
}

async fn failed_batch_inside(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::tables(&repo).await?;
    let rows = || (0..3_000).map(|n| author("x").set(Author::ID, n % 2_999 + 1));
    repo.transaction(async |tx| {
        tx.insert(author("kept").set(Author::ID, 9_999)).await?;
        match tx.insert_all(rows()).await {
            Ok(_) => Err(Error::other("a duplicate was accepted")),
            Err(_) => Ok(()),
        }
    })
    .await?;
    names(cx).await
}

// What a database makes of an error inside a transaction differs: some undo the statement, some abort the transaction.
// What is committed is everything that was reported as done, or nothing and an error.
async fn a_failed_statement_that_was_swallowed(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::tables(&repo).await?;
    repo.insert(author("twin").set(Author::ID, 1)).await?;
    cx.keys_go_on(&["authors"]).await?;
    for reads in [false, true] {
        let tx = repo.begin().await?;
        tx.insert(author("before")).await?;
        let failed = if reads {
            tx.query_raw::<Author>("SELECT id, name, nothing FROM authors", []).await.is_err()
        } else {
            tx.insert(author("twin").set(Author::ID, 1)).await.is_err()
        };
        cx.require(failed, "the statement fails")?;
        let after = tx.insert(author("after")).await.is_ok();
        let committed = tx.commit().await.is_ok();
        let others = Query::filter(Author::NAME.ne("twin")).order_by(Author::ID.asc());
        let found = repo.pluck((Author::NAME,), others).await?;
        let found: Vec<String> = found.into_iter().map(|(name,)| name).collect();
        let expected: &[&str] = match (committed, after) {
            (true, true) => &["before", "after"],
            (true, false) => &["before"],
            (false, _) => &[],
        };
        cx.require(found == expected, "all that was reported as done, or an error and nothing")?;
        repo.execute_raw("DELETE FROM authors WHERE name <> 'twin'", []).await?;
    }
    // With a savepoint around it every database goes on.
    repo.transaction(async |tx| {
        tx.insert(author("kept")).await?;
        let failed = tx.transaction(async |inner| inner.insert(author("twin").set(Author::ID, 1)).await).await;
        cx.require(failed.is_err_and(|error| error.is_unique_violation()), "classified")?;
        tx.insert(author("kept too")).await
    })
    .await?;
    names(cx).await
}

// A connection that breaks before COMMIT was sent: an error, and nothing is kept.
async fn a_failed_commit(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::tables(&repo).await?;
    let tx = repo.begin().await?;
    tx.insert(author("lost")).await?;
    cx.recorder().fail_commit();
    cx.fails("commit", tx.commit()).await?;
    let work = repo.transaction(async |tx| {
        tx.insert(author("lost")).await?;
        cx.recorder().fail_commit();
        Ok::<_, Error>(())
    });
    cx.require(work.await.is_err(), "the closure's Ok is not believed")?;
    repo.insert(author("the repo is fine")).await?;
    names(cx).await
}

async fn boundaries_as_sql(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::tables(&repo).await?;
    let texts =
        ["BEGIN", "begin transaction", "START TRANSACTION", "COMMIT", "ROLLBACK", "/* c */ BEGIN", "SAVEPOINT a"];
    for sql in texts {
        cx.fails(&format!("{sql} outside"), repo.execute_raw(sql, [])).await?;
        cx.fails(&format!("{sql} as a query"), repo.query_raw::<Author>(sql, [])).await?;
        repo.insert(author(&format!("after {sql}"))).await?;
    }
    let tx = repo.begin().await?;
    tx.insert(author("kept")).await?;
    for sql in &texts[..6] {
        cx.fails(&format!("{sql} inside"), tx.execute_raw(sql, [])).await?;
    }
    tx.execute_raw("SAVEPOINT mine", []).await?;
    tx.insert(author("undone")).await?;
    tx.execute_raw("ROLLBACK TO SAVEPOINT mine", []).await?;
    tx.commit().await?;
    names(cx).await
}

#[derive(Debug)]
enum AppError {
    TooMany(u64),
    Database(Error),
}

impl From<Error> for AppError {
    fn from(error: Error) -> Self {
        AppError::Database(error)
    }
}

async fn an_error_of_the_application(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::tables(&repo).await?;
    let add = |repo: Repo, name: &'static str, most: u64| async move {
        repo.transaction(async |tx| {
            tx.insert(author(name)).await?;
            let inner = tx
                .transaction(async |inner| Err::<(), _>(AppError::TooMany(inner.count(Query::<Author>::new()).await?)));
            match inner.await {
                Err(AppError::TooMany(found)) if found <= most => Ok(()),
                other => other,
            }
        })
        .await
    };
    // In a task: the future is Send.
    let done = tokio::spawn(add(repo.clone(), "kept", 1)).await.map_err(Error::other)?;
    cx.require(matches!(done, Ok(())), "it is kept")?;
    let refused = add(repo.clone(), "undone", 1).await;
    cx.require(matches!(refused, Err(AppError::TooMany(2))), "the application's error comes back as it is")?;
    let failed: std::result::Result<(), AppError> = repo
        .transaction(async |tx| {
            tx.insert(author("undone").set(Author::ID, 1)).await?;
            Ok(())
        })
        .await;
    cx.require(
        matches!(failed, Err(AppError::Database(error)) if error.is_unique_violation()),
        "the database's is converted",
    )?;
    // And that of BEGIN.
    let tx = repo.begin().await?;
    let handle: Repo = (*tx).clone();
    tx.rollback().await?;
    let late: std::result::Result<(), AppError> = handle.transaction(async |_| Ok(())).await;
    cx.require(matches!(late, Err(AppError::Database(_))), "so is that of BEGIN")?;
    names(cx).await
}

async fn many_tasks(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::tables(&repo).await?;
    let tasks: Vec<_> = (0..50)
        .map(|n| {
            let repo = repo.clone();
            tokio::spawn(async move {
                repo.transaction(async |tx| {
                    let made = tx.insert(author(&format!("task {n}"))).await?;
                    tx.insert(
                        Post::build()
                            .associate(Post::AUTHOR, &made)
                            .set(Post::TITLE, "t")
                            .set(Post::PUBLISHED, n % 2 == 0),
                    )
                    .await?;
                    tx.get::<Author>(made.id, Query::preload(Author::POSTS)).await
                })
                .await
            })
        })
        .collect();
    for task in tasks {
        let found = task.await.map_err(Error::other)??;
        cx.require(found.is_some_and(|author| author.posts().is_ok_and(|posts| posts.len() == 1)), "each saw its own")?;
    }
    cx.note("authors", repo.count(Query::<Author>::new()).await?);
    Ok(())
}

async fn two_hundred_tasks_on_one_pool(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::tables(&repo).await?;
    let tasks: Vec<_> = (0..200)
        .map(|n| {
            let repo = repo.clone();
            tokio::spawn(async move {
                let within = || repo.pool_status().is_none_or(|pool| pool.open <= pool.max);
                let tx = repo.begin().await?;
                let name = format!("task {n}");
                let made = tx.insert(author(&name)).await?;
                let held = within();
                match n % 4 {
                    0 => tx.rollback().await?,
                    // Forgotten: rolled back behind our back.
                    1 => drop(tx),
                    _ => tx.commit().await?,
                }
                let found = repo.get::<Author>(made.id, Query::preload((Author::POSTS, Author::MENTOR))).await?;
                // A key that was rolled back may be another task's by now.
                let kept = found.is_some_and(|author| author.name == name);
                Ok::<_, Error>(held && within() && kept == (n % 4 > 1))
            })
        })
        .collect();
    for task in tasks {
        cx.require(task.await.map_err(Error::other)??, "each saw its own, and the pool kept within its limit")?;
    }
    cx.note("authors", repo.count(Query::<Author>::new()).await?);
    // What was forgotten may still be cleaned up in the background.
    let all_back = || repo.pool_status().is_none_or(|pool| pool.open == pool.idle);
    for _ in 0..500 {
        if all_back() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    cx.require(all_back(), "no connection leaks")
}
