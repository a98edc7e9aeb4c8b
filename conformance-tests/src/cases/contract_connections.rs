//! How connections are handed out and given back, and how they hand over rows.

use std::time::Duration;

use assoc_core::driver::{Access, Bind, Statement, TransactionMode};
use assoc_core::{Error, Result, Value};
use assoc_repo::prelude::{Filter, Query};
use tokio::time::{sleep, timeout};

use super::contract::{connection, integers, run};
use super::{Level, cases};
use crate::context::Context;
use crate::models::blog::{self, Author};
use crate::suspension::{both, dropped_at};

cases! { "contract_connections", Level::Driver;
    waiting_for_one,
    given_back,
    statements_dropped_half_way,
    sinks_that_panic,
    sinks_that_take,
    every_column_of_every_row,
    savepoints_that_are_gone,
    as_many_binds_as_claimed,
    names_as_long_as_claimed,
    question_marks,
}

const MARKS: &str = "CREATE TABLE marks (id INTEGER NOT NULL PRIMARY KEY)";
const IDS: &str = "SELECT id FROM marks ORDER BY id";

async fn waiting_for_one(cx: &mut Context) -> Result<()> {
    const MOST: usize = 200;
    let repo = cx.repo();
    let mut held = Vec::new();
    while let Ok(acquired) = timeout(Duration::from_millis(300), repo.driver().acquire(Access::Write)).await {
        held.push(acquired?);
        if held.len() == MOST {
            return Err(cx.lacks("limit on connections"));
        }
    }
    cx.require(!held.is_empty(), "there is one")?;
    let next = async {
        let mut next = repo.driver().acquire(Access::Write).await?;
        integers(&mut *next, "SELECT 1").await
    };
    let give_back = async {
        sleep(Duration::from_millis(50)).await;
        held.pop();
    };
    let (next, ()) = both(next, give_back).await;
    cx.require(next? == [1], "it waits, and is handed the one that comes back")
}

async fn given_back(cx: &mut Context) -> Result<()> {
    run(&mut *connection(cx).await?, MARKS, &[]).await?;
    for id in 0..200_i64 {
        let mut connection = connection(cx).await?;
        match id % 4 {
            0 => {}
            1 => connection.begin(TransactionMode::Write).await?,
            2 => connection.begin(TransactionMode::Read).await?,
            _ => drop(run(&mut *connection, "SELEKT 1", &[]).await),
        }
    }
    let mut connection = connection(cx).await?;
    connection.begin(TransactionMode::Write).await?;
    run(&mut *connection, "INSERT INTO marks (id) VALUES (1)", &[]).await?;
    connection.commit().await?;
    cx.require(integers(&mut *connection, IDS).await? == [1], "none was lost, and none was in a transaction")
}

async fn statements_dropped_half_way(cx: &mut Context) -> Result<()> {
    run(&mut *connection(cx).await?, MARKS, &[]).await?;
    for suspension in 0..6 {
        let mut careless = connection(cx).await?;
        careless.begin(TransactionMode::Write).await?;
        run(&mut *careless, "INSERT INTO marks (id) VALUES (1)", &[]).await?;
        let _ = dropped_at(suspension, run(&mut *careless, "INSERT INTO marks (id) VALUES (2)", &[])).await;
        drop(careless);
        let mut next = connection(cx).await?;
        cx.require(integers(&mut *next, IDS).await?.is_empty(), "the transaction is undone")?;
        let _ = dropped_at(suspension, integers(&mut *next, "SELECT 7")).await;
        drop(next);
        let mut next = connection(cx).await?;
        cx.require(integers(&mut *next, "SELECT 8").await? == [8], "no answer is another statement's")?;
        let _ = dropped_at(suspension, next.begin(TransactionMode::Write)).await;
        drop(next);
        let mut next = connection(cx).await?;
        run(&mut *next, "INSERT INTO marks (id) VALUES (3)", &[]).await?;
        drop(next);
        let mut last = connection(cx).await?;
        cx.require(integers(&mut *last, IDS).await? == [3], "no connection is inside a transaction")?;
        run(&mut *last, "DELETE FROM marks", &[]).await?;
    }
    Ok(())
}

async fn sinks_that_panic(cx: &mut Context) -> Result<()> {
    run(&mut *connection(cx).await?, MARKS, &[]).await?;
    for inside in [false, true] {
        let mut careless = connection(cx).await?;
        if inside {
            careless.begin(TransactionMode::Write).await?;
            run(&mut *careless, "INSERT INTO marks (id) VALUES (1)", &[]).await?;
        }
        let panicking = tokio::spawn(async move {
            #[allow(clippy::panic)] // As a decoder of the program may.
            let mut sink = |_: &mut [Value<'_>]| -> Result<()> { panic!("a sink that panics") };
            careless.query(&Statement::plain("SELECT 1"), &mut sink).await
        });
        cx.require(panicking.await.is_err_and(|error| error.is_panic()), "the panic comes through")?;
        let mut next = connection(cx).await?;
        cx.require(integers(&mut *next, IDS).await?.is_empty(), "the transaction is undone")?;
        run(&mut *next, "INSERT INTO marks (id) VALUES (2)", &[]).await?;
        drop(next);
        let mut last = connection(cx).await?;
        cx.require(integers(&mut *last, IDS).await? == [2], "and no connection is inside one")?;
        run(&mut *last, "DELETE FROM marks", &[]).await?;
    }
    Ok(())
}

async fn sinks_that_take(cx: &mut Context) -> Result<()> {
    let mut connection = connection(cx).await?;
    run(
        &mut *connection,
        "CREATE TABLE words (id INTEGER NOT NULL PRIMARY KEY, word VARCHAR(20), more VARCHAR(20))",
        &[],
    )
    .await?;
    let mut expected = Vec::new();
    for id in 1..=7_usize {
        let (word, more) = ("w".repeat(id), "m".repeat(8 - id));
        run(&mut *connection, &format!("INSERT INTO words VALUES ({id}, '{word}', '{more}')"), &[]).await?;
        expected.push((Value::from(word), Value::from(more)));
    }
    for takes_all in [true, false] {
        let mut found = Vec::new();
        let mut sink = |values: &mut [Value<'_>]| {
            let [word, more] = values else { return Err(Error::other("two columns are expected")) };
            let word = std::mem::take(word).into_owned();
            let more = if takes_all { std::mem::take(more).into_owned() } else { more.clone().into_owned() };
            found.push((word, more));
            Ok(())
        };
        connection.query(&Statement::plain("SELECT word, more FROM words ORDER BY id"), &mut sink).await?;
        cx.require(found == expected, "what a sink takes out of a row is in no other row")?;
    }
    Ok(())
}

async fn every_column_of_every_row(cx: &mut Context) -> Result<()> {
    const ROWS: i64 = 2_500;
    let mut connection = connection(cx).await?;
    run(&mut *connection, MARKS, &[]).await?;
    for first in (1..=ROWS).step_by(500) {
        let values: Vec<String> = (first..first + 500).map(|id| format!("({id})")).collect();
        run(&mut *connection, &format!("INSERT INTO marks (id) VALUES {}", values.join(", ")), &[]).await?;
    }
    let statements = [
        ("SELECT id FROM marks ORDER BY id DESC", ROWS, 1),
        ("SELECT id, 'x', NULL, id FROM marks ORDER BY id DESC", ROWS, 4),
        ("SELECT id AS a, id AS a FROM marks WHERE id <= 1 ORDER BY id DESC", 1, 2),
        ("SELECT id, id FROM marks WHERE id < 1 ORDER BY id DESC", 0, 2),
    ];
    for (sql, rows, columns) in statements {
        let mut expected = (1..=rows).rev();
        let mut sink = |values: &mut [Value<'_>]| {
            let id = expected.next().ok_or_else(|| Error::other("more rows than there are"))?;
            let whole = values.len() == columns
                && values.first() == Some(&Value::Int(id))
                && (columns == 1 || values.last() == Some(&Value::Int(id)))
                && (columns != 4 || (values[1] == Value::from("x") && values[2].is_null()));
            if whole { Ok(()) } else { Err(Error::other(format!("row {id} is {values:?}"))) }
        };
        connection.query(&Statement::plain(sql), &mut sink).await?;
        cx.require(expected.next().is_none(), "every row")?;
    }
    let mut placeholder = String::new();
    cx.repo().dialect().placeholder(1, &mut placeholder);
    let by_bind = format!("SELECT id FROM marks WHERE id <= {placeholder} ORDER BY id DESC");
    let mut count = 0;
    let mut sink = |_: &mut [Value<'_>]| {
        count += 1;
        Ok(())
    };
    connection.query(&Statement::new(by_bind, vec![Bind::Value(Value::Int(1_234))]), &mut sink).await?;
    cx.require(count == 1_234, "also of a bound value")
}

async fn savepoints_that_are_gone(cx: &mut Context) -> Result<()> {
    let mut connection = connection(cx).await?;
    run(&mut *connection, MARKS, &[]).await?;
    connection.begin(TransactionMode::Write).await?;
    run(&mut *connection, "INSERT INTO marks (id) VALUES (1)", &[]).await?;
    connection.rollback_to_savepoint(1).await?;
    connection.savepoint(1).await?;
    run(&mut *connection, "INSERT INTO marks (id) VALUES (2)", &[]).await?;
    connection.release_savepoint(1).await?;
    connection.rollback_to_savepoint(1).await?;
    connection.savepoint(1).await?;
    connection.rollback_to_savepoint(1).await?;
    connection.rollback_to_savepoint(1).await?;
    run(&mut *connection, "INSERT INTO marks (id) VALUES (3)", &[]).await?;
    connection.commit().await?;
    cx.require(integers(&mut *connection, IDS).await? == [1, 2, 3], "to undo what is gone is no error")
}

// What a dialect claims is what its driver sends.
async fn as_many_binds_as_claimed(cx: &mut Context) -> Result<()> {
    const MOST: usize = 70_000;
    let repo = cx.repo();
    let count = repo.dialect().capabilities().max_binds.min(MOST);
    let mut connection = connection(cx).await?;
    run(&mut *connection, MARKS, &[]).await?;
    run(&mut *connection, "INSERT INTO marks (id) VALUES (1), (2)", &[]).await?;
    let mut sql = "SELECT COUNT(*) FROM marks WHERE id IN (".to_owned();
    for at in 1..=count {
        sql.push_str(if at == 1 { "" } else { ", " });
        repo.dialect().placeholder(at, &mut sql);
    }
    sql.push(')');
    let binds = (0..i64::try_from(count).unwrap_or_default()).map(|at| Bind::Value(Value::Int(2 - at)));
    let mut found = Vec::new();
    let mut sink = |values: &mut [Value<'_>]| {
        found.extend(values.iter().map(ToString::to_string));
        Ok(())
    };
    connection.query(&Statement::new(sql, binds.collect()), &mut sink).await?;
    cx.require(found == ["2"], "each of them is bound")
}

async fn names_as_long_as_claimed(cx: &mut Context) -> Result<()> {
    const MOST: usize = 1_000;
    let repo = cx.repo();
    let length = repo.dialect().capabilities().max_identifier.min(MOST);
    let quoted = |last: &str| {
        let mut sql = String::new();
        repo.dialect().quote(&format!("{}{last}", "n".repeat(length - 1)), &mut sql);
        sql
    };
    let (one, other, table) = (quoted("a"), quoted("b"), quoted("c"));
    let mut connection = connection(cx).await?;
    run(&mut *connection, &format!("CREATE TABLE {table} ({one} INTEGER, {other} INTEGER)"), &[]).await?;
    run(&mut *connection, &format!("INSERT INTO {table} ({one}, {other}) VALUES (1, 2)"), &[]).await?;
    let found = integers(&mut *connection, &format!("SELECT {other} AS {table} FROM {table} WHERE {one} = 1")).await?;
    cx.require(found == [2], "names that differ in their last byte are two")
}

// Only those outside of quotes and comments are placeholders.
async fn question_marks(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let mut name = String::new();
    repo.dialect().quote("name", &mut name);
    for condition in [
        format!("{name} <> '?' AND {name} = ?"),
        format!("{name} <> 'it''s ?' AND {name} = ?"),
        format!("/* is it ? */ {name} = ?"),
        format!("{name} = ? -- or is it ?\n"),
        format!("({name} = ?) /* ' */ AND {name} <> '/* ?'"),
        format!("{name} <> '--?' AND {name} = ?"),
    ] {
        let filter = Filter::raw(condition, [Value::from("Bob")]);
        let found = repo.pluck((Author::NAME,), Query::filter(filter)).await?;
        cx.require(found == [("Bob".to_owned(),)], "one placeholder")?;
    }
    Ok(())
}
