//! What a driver and its dialect claim, where no other case needs it to be true.

use assoc_core::driver::{IsolationLevel, TransactionMode};
use assoc_core::{DriverErrorKind, ErrorKind, Result, Value};
use assoc_repo::prelude::*;

use super::contract::{connection, integers, run};
use super::contract_errors::{MARKS, class, mark, needs_two};
use super::{Level, cases};
use crate::context::Context;
use crate::models::blog::{self, Author};
use crate::suspension::both;

cases! { "contract_claims", Level::Driver;
    as_if_one_after_the_other,
    orders_of_long_values,
    writes_by_conditions_on_the_same_table,
    question_marks_in_native_syntax,
}

// Each transaction reads what the other writes. Whatever ran first, the second one would have seen it.
async fn as_if_one_after_the_other(cx: &mut Context) -> Result<()> {
    needs_two(cx)?;
    if !matches!(cx.repo().dialect().capabilities().row_locks, assoc_core::dialect::RowLocks::Rows { .. }) {
        return Err(cx.lacks("locks on rows"));
    }
    let (mut one, mut other) = (connection(cx).await?, connection(cx).await?);
    run(&mut *one, MARKS, &[]).await?;
    mark(&mut *one, 1).await?;
    mark(&mut *one, 2).await?;
    for connection in [&mut one, &mut other] {
        match connection.begin_isolated(TransactionMode::Write, IsolationLevel::Serializable).await {
            Err(error) if matches!(error.kind(), ErrorKind::Unsupported { .. }) => {
                return Err(cx.lacks("isolation level of transactions"));
            }
            begun => begun?,
        }
    }
    for connection in [&mut one, &mut other] {
        let sum = integers(&mut **connection, "SELECT n FROM marks ORDER BY id").await?;
        cx.require(sum == [0, 0], "neither has written")?;
    }
    let (first, second) = both(
        run(&mut *one, "UPDATE marks SET n = 1 WHERE id = 1", &[]),
        run(&mut *other, "UPDATE marks SET n = 1 WHERE id = 2", &[]),
    )
    .await;
    let mut outcomes = Vec::new();
    for (connection, written) in [(&mut one, first), (&mut other, second)] {
        let outcome = match written {
            Ok(_) => connection.commit().await,
            Err(error) => Err(error),
        };
        outcomes.push(outcome.map_or_else(|error| class::<()>(&Err(error)), |()| None));
        connection.rollback().await?;
    }
    let failed: Vec<_> = outcomes.into_iter().flatten().collect();
    cx.require(failed == [DriverErrorKind::Retryable], "one of them is done, and the other may be tried again")
}

// Where a database compares only the beginning of a value, pages would lose rows whose values begin alike.
async fn orders_of_long_values(cx: &mut Context) -> Result<()> {
    const LENGTH: usize = 3_000;
    #[derive(Model, Debug, Clone, PartialEq)]
    #[model(table = "long_texts")]
    struct LongText {
        id: i64,
        body: String,
    }
    let repo = cx.repo();
    repo.create_table::<LongText>().await?;
    let body = |last: char| format!("{}{last}", "x".repeat(LENGTH));
    repo.insert_all(('a'..='f').rev().map(|last| LongText::build().set(LongText::BODY, body(last)))).await?;
    for size in [1, 2, 4] {
        let mut batches = repo.in_batches(Query::order_by(LongText::BODY.asc()), size)?;
        let mut found = Vec::new();
        let ended = loop {
            match batches.next().await {
                Ok(Some(page)) => found.extend(page.into_iter().filter_map(|text| text.body.chars().last())),
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        if repo.dialect().capabilities().sorted_length.is_some_and(|most| most < LENGTH) {
            let is_refused = ended.is_err_and(|error| matches!(error.kind(), ErrorKind::InvalidQuery { .. }));
            cx.require(is_refused, "an order that is not of whole values is refused")?;
        } else {
            ended?;
            cx.require(found.iter().copied().eq('a'..='f'), "the pages are the whole, in order")?;
        }
    }
    Ok(())
}

// Not every database lets a write read the table that it writes.
async fn writes_by_conditions_on_the_same_table(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::tables(&repo).await?;
    let mut mentor = None;
    for name in ["Ann", "Bob", "Cyd"] {
        let author = Author::build().set(Author::NAME, name).set(Author::MENTOR_ID, mentor);
        mentor = Some(repo.insert(author).await?.id);
    }
    let students_of = |name: &str| Query::filter(Author::MENTOR.any(Author::NAME.eq(name)));
    let written = repo.update_all(students_of("Ann"), [Author::NAME.to("Bea")]).await?;
    let deleted = repo.delete_all(students_of("Bea")).await?;
    cx.require((written, deleted) == (1, 1), "one each")?;
    let names = repo.pluck(Author::NAME, Query::order_by(Author::ID.asc())).await?;
    cx.require(names == ["Ann", "Bea"], "those that were meant")
}

async fn question_marks_in_native_syntax(cx: &mut Context) -> Result<()> {
    let conditions = cx.native_sql("syntax that hides question marks", |sql| {
        (!sql.hiding_question_marks.is_empty()).then_some(sql.hiding_question_marks)
    })?;
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    for condition in conditions {
        let filter = Filter::raw(*condition, [Value::from("Bob")]);
        let found = repo.pluck((Author::NAME,), Query::filter(filter)).await?;
        cx.require(found == [("Bob".to_owned(),)], condition)?;
    }
    Ok(())
}
