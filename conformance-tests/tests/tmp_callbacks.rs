//! Exploration.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use assoc_repo::prelude::*;
use assoc_repo::{CallbackContext, Callbacks, Change, callbacks};
use backends::{MariaDb, PostgreSql, SqliteInMemory};
use conformance_tests::Backend;
#[allow(dead_code)]
mod backends;

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "cb_a", callbacks)]
struct A {
    id: i64,
    b_id: Option<i64>,
    #[column(length = 20)]
    name: String,
    #[column(counter_cache)]
    bs_count: i64,
    #[column(updated_at)]
    updated_at: chrono::NaiveDateTime,
    #[column(lock_version)]
    version: i64,
    #[belongs_to(touch)]
    b: BelongsTo<Option<B>>,
    #[has_many(dependent = "destroy")]
    bs: HasMany<B>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "cb_b")]
struct B {
    id: i64,
    a_id: Option<i64>,
    #[column(length = 20)]
    name: String,
    #[column(updated_at)]
    updated_at: chrono::NaiveDateTime,
    #[belongs_to(touch, counter_cache = "bs_count")]
    a: BelongsTo<Option<A>>,
}

static WHAT: AtomicU32 = AtomicU32::new(0);
fn is(what: u32) -> bool {
    WHAT.load(Ordering::Relaxed) == what
}

#[callbacks]
impl Callbacks for A {
    async fn before_save(a: &mut Change<Self>, cx: &CallbackContext<'_>) -> Result<()> {
        if is(1) && let Some(row) = a.row() {
            // Its own row, by the other way.
            cx.repo().update_all(Query::filter(A::ID.eq(row.id)), [A::NAME.to("by all")]).await?;
        }
        if is(2) && let Some(row) = a.row() && row.name != "again" {
            WHAT.store(0, Ordering::Relaxed);
            cx.repo().update(row.change().set(A::NAME, "again")).await?;
        }
        if is(3) && let Some(row) = a.row() {
            WHAT.store(0, Ordering::Relaxed);
            cx.repo().destroy(row).await?;
        }
        Ok(())
    }
    async fn after_save(a: &Self, cx: &CallbackContext<'_>) -> Result<()> {
        if is(4) {
            WHAT.store(0, Ordering::Relaxed);
            cx.repo().destroy(a).await?;
        }
        if is(5) {
            WHAT.store(0, Ordering::Relaxed);
            let inner = cx.repo().transaction(async |tx| {
                tx.insert(B::build().set(B::NAME, "undone").associate(B::A, a)).await?;
                Err::<(), _>(Error::other("undo"))
            }).await;
            assert_eq!(inner.unwrap_err().to_string(), "undo");
        }
        if is(6) {
            WHAT.store(0, Ordering::Relaxed);
            cx.repo().insert(B::build().set(B::NAME, "kept").associate(B::A, a)).await?;
        }
        if is(9) {
            WHAT.store(0, Ordering::Relaxed);
            cx.repo().update_all(Query::filter(A::ID.eq(a.id)), [A::ID.to(99)]).await?;
        }
        Ok(())
    }
    async fn before_destroy(a: &Self, cx: &CallbackContext<'_>) -> Result<()> {
        if is(7) {
            WHAT.store(0, Ordering::Relaxed);
            cx.repo().destroy(a).await?;
        }
        if is(8) {
            cx.repo().update(a.change().set(A::NAME, "changed")).await?;
        }
        Ok(())
    }
    async fn after_commit(a: &Self, cx: &CallbackContext<'_>) -> Result<()> {
        if is(10) {
            WHAT.store(0, Ordering::Relaxed);
            cx.repo().update(a.change().set(A::NAME, "after commit")).await?;
            return Err(Error::other("after"));
        }
        Ok(())
    }
}

async fn go(backend: &dyn Backend) {
    let database = backend.fresh().await.unwrap();
    let repo = Repo::from_driver(Arc::clone(database.driver()));
    repo.create_table::<A>().await.unwrap();
    repo.create_table::<B>().await.unwrap();
    for what in 1..=10 {
        WHAT.store(0, Ordering::Relaxed);
        repo.execute_raw("DELETE FROM cb_a", []).await.unwrap();
        repo.execute_raw("DELETE FROM cb_b", []).await.unwrap();
        let a = repo.insert(A::build().set(A::ID, 1).set(A::NAME, "a")).await.unwrap();
        let b = repo.insert(B::build().set(B::ID, 1).set(B::NAME, "b").associate(B::A, &a)).await.unwrap();
        let a = repo.get_or_fail::<A>(1, Query::new()).await.unwrap();
        let a = repo.update(a.change().associate(A::B, &b)).await.unwrap();
        let a = repo.get_or_fail::<A>(a.id, Query::preload(A::BS)).await.unwrap();
        WHAT.store(what, Ordering::Relaxed);
        let result = if matches!(what, 7 | 8) {
            repo.destroy(&a).await.map(|report| report.to_string())
        } else {
            repo.update(a.change().set(A::NAME, "changed")).await.map(|a| format!("{a:?}"))
        };
        println!("{} {what}: {result:?}\n    a: {:?}\n    b: {:?}", backend.name(), repo.all(Query::<A>::new()).await.unwrap(), repo.all(Query::<B>::new()).await.unwrap());
    }
    // A circle of touches.
    WHAT.store(0, Ordering::Relaxed);
    repo.execute_raw("DELETE FROM cb_a", []).await.unwrap();
    repo.execute_raw("DELETE FROM cb_b", []).await.unwrap();
    let a = repo.insert(A::build().set(A::ID, 1).set(A::NAME, "a")).await.unwrap();
    let b = repo.insert(B::build().set(B::ID, 1).set(B::NAME, "b").associate(B::A, &a)).await.unwrap();
    let a = repo.update(a.change().associate(A::B, &b)).await.unwrap();
    let mut b = repo.get_or_fail::<B>(1, Query::new()).await.unwrap();
    let late = repo.with_clock(|| std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(5_000_000_000));
    println!("{:?}", late.update(b.change().set(B::NAME, "c")).await);
    println!("a {:?}\nb {:?}", repo.all(Query::<A>::new()).await.unwrap(), repo.all(Query::<B>::new()).await.unwrap());
    let _ = (&a, &mut b);
}

fn run(backend: &dyn Backend) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(go(backend));
}
mod sqlite {
    #[test]
    fn it() { super::run(&super::SqliteInMemory); }
}
mod mariadb {
    #[test]
    fn it() { super::run(&super::MariaDb); }
}
mod postgres {
    #[test]
    fn it() { super::run(&super::PostgreSql); }
}
