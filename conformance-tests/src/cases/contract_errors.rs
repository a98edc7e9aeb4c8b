//! What an error means: its class, and what becomes of the transaction in which it happens.

use std::time::Duration;

use assoc_core::driver::{Access, Connection, IsolationLevel, TransactionMode};
use assoc_core::{DriverErrorKind, Error, Result};

use super::contract::{REFUSED, connection, constrained, integers, run};
use super::{Level, cases};
use crate::context::Context;
use crate::suspension::both;

cases! { "contract_errors", Level::Driver;
    begun_twice,
    inside_transactions,
    after_savepoints,
    in_snapshots,
    of_values,
    of_native_statements,
    rolled_back_twice,
    conflicts,
    lost_outside_transactions,
    lost_inside,
    lost_at_commit,
    lost_with_a_savepoint,
    transactions_that_statements_end,
    transactions_that_statements_leave,
}

pub(super) const MARKS: &str = "CREATE TABLE marks (id INTEGER NOT NULL PRIMARY KEY, n INTEGER)";
pub(super) const IDS: &str = "SELECT id FROM marks ORDER BY id";

pub(super) fn class<T>(outcome: &Result<T>) -> Option<DriverErrorKind> {
    outcome.as_ref().err().and_then(Error::driver).map(|driver| driver.kind())
}

pub(super) async fn mark(connection: &mut dyn Connection, id: u32) -> Result<()> {
    run(connection, &format!("INSERT INTO marks (id, n) VALUES ({id}, 0)"), &[]).await.map(|_| ())
}

// The second one would commit the first on some databases, and would be no transaction on others.
async fn begun_twice(cx: &mut Context) -> Result<()> {
    let mut connection = connection(cx).await?;
    run(&mut *connection, MARKS, &[]).await?;
    for mode in [TransactionMode::Write, TransactionMode::Read] {
        connection.begin(TransactionMode::Write).await?;
        mark(&mut *connection, 1).await?;
        cx.require(connection.begin(mode).await.is_err(), "a transaction does not begin inside another one")?;
        let isolated = connection.begin_isolated(mode, IsolationLevel::Serializable).await;
        cx.require(isolated.is_err(), "nor of an isolation level")?;
        connection.rollback().await?;
        cx.require(integers(&mut *connection, IDS).await?.is_empty(), "and nothing was committed by it")?;
    }
    connection.begin(TransactionMode::Write).await?;
    mark(&mut *connection, 2).await?;
    connection.commit().await?;
    cx.require(integers(&mut *connection, IDS).await? == [2], "and the next one is whole")
}

// The statement alone is undone, or the transaction is: which of them is the database's, but COMMIT says so.
async fn inside_transactions(cx: &mut Context) -> Result<()> {
    let mut connection = connection(cx).await?;
    constrained(&mut *connection).await?;
    run(&mut *connection, MARKS, &[]).await?;
    for (statement, kind) in REFUSED {
        connection.begin(TransactionMode::Write).await?;
        mark(&mut *connection, 1).await?;
        cx.require(class(&run(&mut *connection, statement, &[]).await) == Some(kind), "the class of the error")?;
        let goes_on = mark(&mut *connection, 2).await.is_ok();
        let is_committed = connection.commit().await.is_ok();
        connection.rollback().await?;
        cx.require(
            goes_on == is_committed,
            "COMMIT fails where the transaction has refused a statement, and only there",
        )?;
        let found = integers(&mut *connection, IDS).await?;
        let expected: &[i64] = if is_committed { &[1, 2] } else { &[] };
        cx.require(found == expected, "all that was reported as done has taken effect, or nothing")?;
        run(&mut *connection, "DELETE FROM marks", &[]).await?;
    }
    Ok(())
}

async fn after_savepoints(cx: &mut Context) -> Result<()> {
    let mut connection = connection(cx).await?;
    constrained(&mut *connection).await?;
    run(&mut *connection, MARKS, &[]).await?;
    for (statement, _) in REFUSED {
        connection.begin(TransactionMode::Write).await?;
        mark(&mut *connection, 1).await?;
        connection.savepoint(1).await?;
        mark(&mut *connection, 2).await?;
        cx.require(run(&mut *connection, statement, &[]).await.is_err(), "it is refused")?;
        connection.rollback_to_savepoint(1).await?;
        mark(&mut *connection, 3).await?;
        connection.commit().await?;
        cx.require(integers(&mut *connection, IDS).await? == [1, 3], "a savepoint from before the error undoes it")?;
        run(&mut *connection, "DELETE FROM marks", &[]).await?;
    }
    Ok(())
}

async fn in_snapshots(cx: &mut Context) -> Result<()> {
    let mut connection = connection(cx).await?;
    run(&mut *connection, MARKS, &[]).await?;
    mark(&mut *connection, 1).await?;
    for ends_with_commit in [false, true] {
        connection.begin(TransactionMode::Read).await?;
        cx.require(integers(&mut *connection, IDS).await? == [1], "read")?;
        let refused = integers(&mut *connection, "SELECT nothing FROM marks").await;
        cx.require(class(&refused) == Some(DriverErrorKind::Statement), "the class of the error")?;
        if ends_with_commit {
            // Of an aborted one it fails.
            let _ = connection.commit().await;
        }
        connection.rollback().await?;
        cx.require(integers(&mut *connection, IDS).await? == [1], "it is usable after it")?;
    }
    connection.begin(TransactionMode::Write).await?;
    mark(&mut *connection, 2).await?;
    connection.commit().await?;
    cx.require(integers(&mut *connection, IDS).await? == [1, 2], "also for writing")
}

async fn of_values(cx: &mut Context) -> Result<()> {
    let mut connection = connection(cx).await?;
    run(&mut *connection, MARKS, &[]).await?;
    for inside in [false, true] {
        if inside {
            connection.begin(TransactionMode::Write).await?;
        }
        let refused = run(&mut *connection, "INSERT INTO marks (id) VALUES ('x')", &[]).await;
        cx.require(class(&refused) == Some(DriverErrorKind::Value), "a key that is no number")?;
        if inside {
            connection.rollback().await?;
        }
        cx.require(integers(&mut *connection, IDS).await?.is_empty(), "it is usable after it")?;
    }
    Ok(())
}

async fn of_native_statements(cx: &mut Context) -> Result<()> {
    let failing = cx.native_sql("statements of further classes of errors that the suite knows of", |sql| {
        (!sql.failing.is_empty()).then_some(sql.failing)
    })?;
    let mut connection = connection(cx).await?;
    constrained(&mut *connection).await?;
    for (statement, kind) in failing {
        for inside in [false, true] {
            if inside {
                connection.begin(TransactionMode::Write).await?;
            }
            let found = class(&run(&mut *connection, statement, &[]).await);
            if found != Some(*kind) {
                return Err(Error::other(format!("`{statement}` is of the class {found:?} and not {kind:?}")));
            }
            if inside {
                connection.rollback().await?;
            }
            cx.require(integers(&mut *connection, "SELECT age FROM kids").await? == [1], "it is usable after it")?;
        }
    }
    Ok(())
}

async fn rolled_back_twice(cx: &mut Context) -> Result<()> {
    let mut connection = connection(cx).await?;
    run(&mut *connection, MARKS, &[]).await?;
    connection.begin(TransactionMode::Write).await?;
    mark(&mut *connection, 1).await?;
    connection.rollback().await?;
    connection.rollback().await?;
    mark(&mut *connection, 2).await?;
    cx.require(integers(&mut *connection, IDS).await? == [2], "what is undone already is undone")
}

pub(super) fn needs_two(cx: &mut Context) -> Result<()> {
    let alone = cx.repo().driver().pool_status().is_some_and(|status| status.max < 2);
    if alone { Err(cx.lacks("second connection")) } else { Ok(()) }
}

// Two transactions that wait for each other.
async fn conflicts(cx: &mut Context) -> Result<()> {
    needs_two(cx)?;
    if !matches!(cx.repo().dialect().capabilities().row_locks, assoc_core::dialect::RowLocks::Rows { .. }) {
        return Err(cx.lacks("locks on rows"));
    }
    let (mut one, mut other) = (connection(cx).await?, connection(cx).await?);
    run(&mut *one, MARKS, &[]).await?;
    mark(&mut *one, 1).await?;
    mark(&mut *one, 2).await?;
    one.begin(TransactionMode::Write).await?;
    other.begin(TransactionMode::Write).await?;
    run(&mut *one, "UPDATE marks SET n = 10 WHERE id = 1", &[]).await?;
    run(&mut *other, "UPDATE marks SET n = 20 WHERE id = 2", &[]).await?;
    let (first, second) = both(
        run(&mut *one, "UPDATE marks SET n = 10 WHERE id = 2", &[]),
        run(&mut *other, "UPDATE marks SET n = 20 WHERE id = 1", &[]),
    )
    .await;
    cx.require(first.is_ok() != second.is_ok(), "one of them fails")?;
    let (mut winner, mut loser, refused) = if first.is_ok() { (one, other, second) } else { (other, one, first) };
    cx.require(class(&refused) == Some(DriverErrorKind::Retryable), "it may be tried again")?;
    let goes_on = mark(&mut *loser, 3).await.is_ok();
    cx.require(loser.savepoint(1).await.is_ok() == goes_on, "savepoints are refused as statements are")?;
    winner.commit().await?;
    cx.require(loser.commit().await.is_ok() == goes_on, "and so is COMMIT")?;
    loser.rollback().await?;
    let found = integers(&mut *winner, IDS).await?;
    let expected: &[i64] = if goes_on { &[1, 2, 3] } else { &[1, 2] };
    cx.require(found == expected, "nothing takes effect outside of a transaction that is undone")?;
    loser.begin(TransactionMode::Write).await?;
    mark(&mut *loser, 4).await?;
    loser.commit().await?;
    cx.require(integers(&mut *loser, IDS).await?.contains(&4), "and it can be tried again")
}

// Ends a connection from another one, as a server does that shuts down.
async fn end(cx: &mut Context, victim: &mut dyn Connection) -> Result<()> {
    let (number, end) = cx.native_sql("statement that ends a connection", |sql| sql.ending_a_connection)?;
    let number = integers(victim, number).await?.first().copied().unwrap_or_default();
    let mut other = connection(cx).await?;
    run(&mut *other, &end.replace("{}", &number.to_string()), &[]).await?;
    // The server takes its time.
    tokio::time::sleep(Duration::from_millis(100)).await;
    Ok(())
}

// A connection that is to be lost, and its table.
async fn victim(cx: &mut Context) -> Result<Box<dyn Connection>> {
    cx.native_sql("statement that ends a connection", |sql| sql.ending_a_connection)?;
    needs_two(cx)?;
    let mut victim = connection(cx).await?;
    run(&mut *victim, MARKS, &[]).await?;
    Ok(victim)
}

async fn marks(cx: &Context) -> Result<Vec<i64>> {
    integers(&mut *connection(cx).await?, IDS).await
}

async fn lost_outside_transactions(cx: &mut Context) -> Result<()> {
    let mut victim = victim(cx).await?;
    end(cx, &mut *victim).await?;
    let outcome = integers(&mut *victim, IDS).await;
    let is_lost = class(&outcome) == Some(DriverErrorKind::ConnectionLost);
    cx.require(outcome.is_ok() || is_lost, "it is lost, or there is another one in its place")?;
    drop(victim);
    // As many as there can be: none of them is the one that was lost.
    for id in 1..=20 {
        mark(&mut *connection(cx).await?, id).await?;
    }
    // One that is begun after it was lost has lost nothing yet.
    let mut victim = connection(cx).await?;
    end(cx, &mut *victim).await?;
    match victim.begin(TransactionMode::Write).await {
        Ok(()) => {
            mark(&mut *victim, 21).await?;
            victim.commit().await?;
            cx.require(marks(cx).await?.len() == 21, "what it reports as done is done")
        }
        begun => cx.require(class(&begun) == Some(DriverErrorKind::ConnectionLost), "it is lost"),
    }
}

async fn lost_inside(cx: &mut Context) -> Result<()> {
    for mode in [TransactionMode::Write, TransactionMode::Read] {
        let mut victim = if mode == TransactionMode::Write { victim(cx).await? } else { connection(cx).await? };
        victim.begin(mode).await?;
        if mode == TransactionMode::Write {
            mark(&mut *victim, 1).await?;
        }
        end(cx, &mut *victim).await?;
        let outcome = integers(&mut *victim, IDS).await;
        cx.require(class(&outcome) == Some(DriverErrorKind::ConnectionLost), "the transaction is lost with it")?;
        cx.require(mark(&mut *victim, 2).await.is_err(), "later statements are refused")?;
        cx.require(victim.savepoint(1).await.is_err(), "and savepoints")?;
        cx.require(victim.commit().await.is_err(), "and COMMIT")?;
        victim.rollback().await?;
        drop(victim);
        cx.require(marks(cx).await?.is_empty(), "nothing has taken effect")?;
    }
    Ok(())
}

async fn lost_at_commit(cx: &mut Context) -> Result<()> {
    let mut victim = victim(cx).await?;
    victim.begin(TransactionMode::Write).await?;
    mark(&mut *victim, 1).await?;
    end(cx, &mut *victim).await?;
    let committed = class(&victim.commit().await);
    let is_lost = matches!(committed, Some(DriverErrorKind::ConnectionLost | DriverErrorKind::AmbiguousCommit));
    cx.require(is_lost, "COMMIT fails, and says that the connection is lost")?;
    victim.rollback().await?;
    drop(victim);
    cx.require(marks(cx).await?.is_empty(), "nothing has taken effect")
}

async fn lost_with_a_savepoint(cx: &mut Context) -> Result<()> {
    let mut victim = victim(cx).await?;
    victim.begin(TransactionMode::Write).await?;
    mark(&mut *victim, 1).await?;
    victim.savepoint(1).await?;
    end(cx, &mut *victim).await?;
    cx.require(victim.rollback_to_savepoint(1).await.is_err(), "the savepoint is lost as well")?;
    cx.require(mark(&mut *victim, 2).await.is_err(), "and the transaction")?;
    cx.require(victim.commit().await.is_err(), "which COMMIT says")?;
    victim.rollback().await?;
    drop(victim);
    cx.require(marks(cx).await?.is_empty(), "nothing has taken effect")
}

async fn transactions_that_statements_end(cx: &mut Context) -> Result<()> {
    let ending = cx.native_sql("statement that is known to end its transaction", |sql| {
        (!sql.ending_a_transaction.is_empty()).then_some(sql.ending_a_transaction)
    })?;
    let mut connection = connection(cx).await?;
    run(&mut *connection, MARKS, &[]).await?;
    for statement in ending {
        connection.begin(TransactionMode::Write).await?;
        mark(&mut *connection, 1).await?;
        // It may be refused itself.
        let _ = run(&mut *connection, statement, &[]).await;
        cx.require(mark(&mut *connection, 2).await.is_err(), "later statements are refused")?;
        cx.require(integers(&mut *connection, IDS).await.is_err(), "also those that read")?;
        cx.require(connection.savepoint(1).await.is_err(), "and savepoints")?;
        cx.require(connection.commit().await.is_err(), "and COMMIT")?;
        connection.rollback().await?;
        cx.require(!integers(&mut *connection, IDS).await?.contains(&2), "none has taken effect")?;
        run(&mut *connection, "DELETE FROM marks", &[]).await?;
    }
    Ok(())
}

async fn transactions_that_statements_leave(cx: &mut Context) -> Result<()> {
    let leaving = cx.native_sql("statement that is known to leave a transaction open", |sql| {
        (!sql.leaving_a_transaction.is_empty()).then_some(sql.leaving_a_transaction)
    })?;
    run(&mut *connection(cx).await?, MARKS, &[]).await?;
    for statement in leaving {
        let mut careless = connection(cx).await?;
        cx.require(run(&mut *careless, statement, &[]).await.is_err(), "it fails")?;
        mark(&mut *careless, 1).await?;
        drop(careless);
        cx.require(marks(cx).await? == [1], "and what follows is in no transaction")?;
        let mut next = connection(cx).await?;
        next.begin(TransactionMode::Write).await?;
        run(&mut *next, "DELETE FROM marks", &[]).await?;
        next.commit().await?;
    }
    let mut reader = cx.repo().driver().acquire(Access::Read).await?;
    cx.require(integers(&mut *reader, IDS).await?.is_empty(), "and so on")
}
