//! Classes of errors that a connection is brought to first: what it may not write, what takes too long, what does not fit.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use assoc_core::driver::{Connection, TransactionMode};
use assoc_core::{DriverErrorKind, Error, Result};
use tokio::time::sleep;

use super::contract::{connection, constrained, integers, run};
use super::contract_errors::{IDS, MARKS, class, mark, needs_two};
use super::{Level, cases};
use crate::context::Context;
use crate::native_sql::FailingState;
use crate::suspension::both;

cases! { "contract_states", Level::Driver;
    read_only,
    time_limits,
    full_disks,
    interrupted,
}

async fn read_only(cx: &mut Context) -> Result<()> {
    fails_in_states(cx, DriverErrorKind::ReadOnly, "statement that makes a connection read-only").await
}

async fn time_limits(cx: &mut Context) -> Result<()> {
    fails_in_states(cx, DriverErrorKind::TimeLimit, "statement that limits the time of others").await
}

async fn full_disks(cx: &mut Context) -> Result<()> {
    fails_in_states(cx, DriverErrorKind::DiskFull, "statement that limits the size of a database").await
}

// Some databases answer such a statement with rows.
async fn natively(connection: &mut dyn Connection, statements: &[&str]) -> Result<()> {
    for statement in statements {
        integers(connection, statement).await?;
    }
    Ok(())
}

async fn fails_in_states(cx: &mut Context, kind: DriverErrorKind, what: &'static str) -> Result<()> {
    let states: Vec<FailingState> = cx.native_sql(what, |sql| {
        let states = sql.failing_states.iter().filter(|state| state.kind == kind).copied();
        Some(states.collect::<Vec<_>>()).filter(|states| !states.is_empty())
    })?;
    let mut connection = connection(cx).await?;
    constrained(&mut *connection).await?;
    run(&mut *connection, MARKS, &[]).await?;
    for (id, state) in (1..).zip(states) {
        for inside in [false, true] {
            natively(&mut *connection, state.before).await?;
            // Where nothing can be written, a transaction that writes may not even begin.
            let begun = if inside { connection.begin(TransactionMode::Write).await } else { Ok(()) };
            let found = match begun {
                Ok(()) => class(&run(&mut *connection, state.statement, &[]).await),
                Err(error) => class::<()>(&Err(error)),
            };
            if inside {
                connection.rollback().await?;
            }
            natively(&mut *connection, state.after).await?;
            if found != Some(kind) {
                return Err(Error::other(format!("`{}` is of the class {found:?} and not {kind:?}", state.statement)));
            }
            mark(&mut *connection, 2 * id + u32::from(inside)).await?;
        }
    }
    cx.require(integers(&mut *connection, "SELECT age FROM kids").await? == [1], "it has changed nothing")?;
    cx.require(integers(&mut *connection, IDS).await?.first() == Some(&2), "and the connection is usable after it")
}

// Also inside a transaction: the statement alone is undone, or the transaction is, and COMMIT says so.
async fn interrupted(cx: &mut Context) -> Result<()> {
    let (number, interrupt, long) =
        cx.native_sql("statement that interrupts another connection's", |sql| sql.interrupting)?;
    needs_two(cx)?;
    let (mut victim, mut other) = (connection(cx).await?, connection(cx).await?);
    constrained(&mut *victim).await?;
    run(&mut *victim, MARKS, &[]).await?;
    let number = integers(&mut *victim, number).await?.first().copied().unwrap_or_default();
    let interrupt = interrupt.replace("{}", &number.to_string());
    for inside in [false, true] {
        if inside {
            victim.begin(TransactionMode::Write).await?;
            mark(&mut *victim, 1).await?;
        }
        let is_done = AtomicBool::new(false);
        let waits = async {
            let outcome = integers(&mut *victim, long).await;
            is_done.store(true, Ordering::Relaxed);
            outcome
        };
        let interrupts = async {
            // What has not begun is not interrupted.
            for _ in 0..100 {
                sleep(Duration::from_millis(100)).await;
                if is_done.load(Ordering::Relaxed) {
                    break;
                }
                run(&mut *other, &interrupt, &[]).await?;
            }
            Ok::<_, Error>(())
        };
        let (outcome, sent) = both(waits, interrupts).await;
        sent?;
        cx.require(class(&outcome) == Some(DriverErrorKind::Interrupted), "the class of the error")?;
        if inside {
            let goes_on = mark(&mut *victim, 2).await.is_ok();
            let is_committed = victim.commit().await.is_ok();
            victim.rollback().await?;
            cx.require(goes_on == is_committed, "COMMIT fails where the transaction has refused a statement")?;
            let found = integers(&mut *victim, IDS).await?;
            let expected: &[i64] = if is_committed { &[1, 2] } else { &[] };
            cx.require(found == expected, "all that was reported as done has taken effect, or nothing")?;
        }
        cx.require(integers(&mut *victim, "SELECT age FROM kids").await? == [1], "it is usable after it")?;
    }
    Ok(())
}
