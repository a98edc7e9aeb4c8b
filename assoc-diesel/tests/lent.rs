//! What a lent connection promises: Diesel is at the depth of transactions that it had, whatever becomes of the future and of
//! what it handed out.

// Helpers fail a test by panicking.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use assoc_core::DriverErrorKind;
use assoc_core::driver::{Access, Driver, Statement, TransactionMode};
use assoc_diesel::{Lent, TransactionError, lend};
use assoc_repo::Changeset;
use assoc_repo::prelude::*;
use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::prelude::{Connection as _, QueryDsl, RunQueryDsl, SqliteConnection};

diesel::table! { users (id) { id -> BigInt, name -> Text, } }

#[derive(Model, Debug, Clone)]
#[model(diesel = crate::users)]
pub struct User {
    pub id: i64,
    pub name: String,
    #[has_many]
    pub posts: HasMany<Post>,
}

#[derive(Model, Debug, Clone)]
pub struct Post {
    pub id: i64,
    pub user_id: i64,
    pub title: String,
    #[belongs_to]
    pub user: BelongsTo<User>,
}

fn connection() -> SqliteConnection {
    let mut connection = SqliteConnection::establish(":memory:").unwrap();
    connection
        .batch_execute(
            "PRAGMA foreign_keys = ON;
             CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE);
             CREATE TABLE posts (id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT NOT NULL,
                                 user_id INTEGER NOT NULL REFERENCES users(id) DEFERRABLE INITIALLY DEFERRED)",
        )
        .unwrap();
    connection
}

fn lent() -> (Lent, Repo) {
    let lent = Lent::sqlite().with_patience(Duration::from_millis(50));
    (lent.clone(), Repo::new(lent))
}

fn depth(connection: &mut SqliteConnection) -> u32 {
    let status =
        <AnsiTransactionManager as TransactionManager<SqliteConnection>>::transaction_manager_status_mut(connection);
    status.transaction_depth().unwrap().map_or(0, std::num::NonZero::get)
}

fn names(connection: &mut SqliteConnection) -> Vec<String> {
    users::table.select(users::name).order(users::id).load(connection).unwrap()
}

fn named(name: &str) -> Changeset<User> {
    User::build().set(User::NAME, name)
}

/// Runs it with no transaction of Diesel's open, with one, and with a savepoint in one, and compares the depths.
#[track_caller]
fn at_each_depth(run: impl Fn(&mut SqliteConnection)) {
    for levels in 0..3 {
        let mut connection = connection();
        for _ in 0..levels {
            AnsiTransactionManager::begin_transaction(&mut connection).unwrap();
        }
        run(&mut connection);
        assert_eq!(depth(&mut connection), levels, "it left Diesel at another depth");
        for _ in 0..levels {
            AnsiTransactionManager::commit_transaction(&mut connection).unwrap();
        }
        // What Diesel counts is what SQLite has.
        connection.batch_execute("BEGIN; ROLLBACK").unwrap();
    }
}

#[test]
fn every_operation_keeps_the_depth() {
    at_each_depth(|connection| {
        let (lent, repo) = lent();
        let ada = lent.block_on(connection, repo.insert(named("Ada"))).unwrap();
        let done = lent.block_on(connection, async {
            repo.transaction(async |tx| {
                tx.insert(Post::build().associate(Post::USER, &ada).set(Post::TITLE, "first")).await?;
                let undone = tx
                    .transaction(async |inner| {
                        inner.insert(named("Bob")).await?;
                        Err::<(), _>(Error::other("on purpose"))
                    })
                    .await;
                assert!(undone.is_err());
                tx.transaction(async |inner| inner.insert(named("Cy")).await.map(drop)).await
            })
            .await
        });
        done.unwrap();
        let refused = lent.block_on(connection, repo.insert(named("Ada"))).unwrap_err();
        assert!(refused.is_unique_violation());
        let loaded = lent.block_on(connection, repo.all(Query::preload(User::POSTS))).unwrap();
        assert_eq!(loaded[0].posts().unwrap().len(), 1);
        assert_eq!(names(connection), ["Ada", "Cy"]);
    });
}

#[test]
fn a_handle_that_outlives_its_loan_is_rolled_back_and_refused() {
    at_each_depth(|connection| {
        let (lent, repo) = lent();
        let tx = lent
            .block_on(connection, async {
                let tx = repo.begin().await?;
                tx.insert(named("Ada")).await?;
                Ok::<_, Error>(tx)
            })
            .unwrap();
        assert_eq!(names(connection), [""; 0]);
        // In another loan, and outside of any.
        let later = lent.block_on(connection, tx.insert(named("Bob"))).unwrap_err();
        assert!(later.to_string().contains("begin and end a transaction within one `block_on`"), "{later}");
        let before = depth(connection);
        lent.block_on(connection, async { drop(tx) });
        assert_eq!(depth(connection), before);
        lent.block_on(connection, repo.insert(named("Cy"))).unwrap();
        assert_eq!(names(connection), ["Cy"]);
    });
}

#[test]
fn a_panic_rolls_back() {
    at_each_depth(|connection| {
        let (lent, repo) = lent();
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            lent.block_on(connection, async {
                repo.transaction(async |tx| {
                    tx.insert(named("Ada")).await?;
                    tx.transaction(async |inner| {
                        inner.insert(named("Bob")).await?;
                        panic!("on purpose");
                        #[allow(unreachable_code)]
                        Ok::<(), Error>(())
                    })
                    .await
                })
                .await
            })
        }));
        assert!(panicked.is_err());
        assert_eq!(names(connection), [""; 0]);
        lent.block_on(connection, repo.insert(named("Cy"))).unwrap();
    });
}

#[test]
fn a_panic_in_a_sink_leaves_the_connection_usable() {
    at_each_depth(|connection| {
        let (lent, repo) = lent();
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            lent.block_on(connection, async {
                let mut own = lent.acquire(Access::Write).await.unwrap();
                own.begin(TransactionMode::Write).await.unwrap();
                let mut sink = |_: &mut [Value<'_>]| panic!("on purpose");
                let _ = own.query(&Statement::plain("SELECT 1"), &mut sink).await;
            });
        }));
        assert!(panicked.is_err());
        assert_eq!(lent.block_on(connection, repo.count(Query::<User>::new())).unwrap(), 0);
    });
}

#[test]
fn a_dropped_future_rolls_back() {
    at_each_depth(|connection| {
        let (lent, repo) = lent();
        lent.block_on(connection, async {
            {
                let mut half_way = pin!(repo.transaction(async |tx| {
                    tx.insert(named("Ada")).await?;
                    std::future::pending::<()>().await;
                    Ok::<(), Error>(())
                }));
                let mut context = Context::from_waker(Waker::noop());
                assert!(half_way.as_mut().poll(&mut context).is_pending());
            }
            // Within the same loan the connection is free, and at the depth that it had.
            assert_eq!(repo.count(Query::<User>::new()).await.unwrap(), 0);
            repo.insert(named("Bob")).await.unwrap();
        });
        assert_eq!(names(connection), ["Bob"]);
    });
}

const REMEDY: &str = "await it there instead of in a task or thread of its own, or use a `Pooled` driver";

#[test]
fn another_thread_is_refused_with_the_remedy() {
    let (lent, repo) = lent();
    let mut connection = connection();
    let refused = lent.block_on(&mut connection, async {
        let repo = repo.clone();
        std::thread::spawn(move || {
            let mut context = Context::from_waker(Waker::noop());
            let mut count = Box::pin(async move { repo.count(Query::<User>::new()).await });
            match count.as_mut().poll(&mut context) {
                std::task::Poll::Ready(result) => result.unwrap_err().to_string(),
                std::task::Poll::Pending => "it waits".to_owned(),
            }
        })
        .join()
        .unwrap()
    });
    assert!(refused.contains(REMEDY), "{refused}");
    assert_eq!(depth(&mut connection), 0);
}

#[test]
fn another_task_is_refused_with_the_remedy() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (lent, repo) = lent();
    let mut connection = connection();
    let refused = lent.block_on(&mut connection, async {
        // Also the handle of a transaction of this loan.
        let tx = repo.begin().await.unwrap();
        let handed_over = runtime.spawn(async move { tx.insert(named("Ada")).await.map(drop) }).await.unwrap();
        let repo = repo.clone();
        let spawned = runtime.spawn(async move { repo.count(Query::<User>::new()).await.map(drop) }).await.unwrap();
        [handed_over.unwrap_err().to_string(), spawned.unwrap_err().to_string()]
    });
    assert!(refused.iter().all(|message| message.contains(REMEDY)), "{refused:?}");
    assert_eq!(depth(&mut connection), 0);
    assert_eq!(names(&mut connection), [""; 0]);
}

#[test]
fn a_call_that_waits_for_itself_ends_with_the_remedy() {
    at_each_depth(|connection| {
        let (lent, repo) = lent();
        let refused = lent.block_on(connection, async {
            repo.transaction(async |_| repo.count(Query::<User>::new()).await.map(drop)).await.unwrap_err()
        });
        assert_eq!(refused.driver().unwrap().kind(), DriverErrorKind::PoolTimeout);
        assert!(refused.to_string().contains("call the transaction's handle inside of it, not the repo"), "{refused}");
    });
}

#[test]
fn another_driver_is_refused() {
    let (lent, _) = lent();
    let (_, other) = self::lent();
    let refused = lent.block_on(&mut connection(), other.count(Query::<User>::new())).unwrap_err();
    assert!(refused.to_string().contains("lent to another driver"), "{refused}");
}

#[test]
fn threads_share_a_repo() {
    let (lent, repo) = lent();
    std::thread::scope(|scope| {
        for name in ["Ada", "Bob", "Cy"] {
            let (lent, repo) = (&lent, &repo);
            scope.spawn(move || {
                let mut connection = connection();
                for _ in 0..20 {
                    let inserted = lent.block_on(&mut connection, async {
                        repo.transaction(async |tx| {
                            tx.insert(named(name)).await?;
                            std::thread::yield_now();
                            tx.count(Query::<User>::new()).await
                        })
                        .await
                    });
                    assert_eq!(inserted.unwrap(), 1);
                    diesel::delete(users::table).execute(&mut connection).unwrap();
                }
            });
        }
    });
}

#[test]
fn what_diesel_rolls_back_is_undone() {
    let mut connection = connection();
    let failed = connection.transaction::<(), TransactionError, _>(|connection| {
        lend(connection, async |driver| {
            let repo = Repo::new(driver);
            repo.transaction(async |tx| tx.insert(named("Ada")).await.map(drop)).await
        })?;
        assert_eq!(names(connection), ["Ada"]);
        Err(diesel::result::Error::RollbackTransaction)?
    });
    assert!(matches!(failed, Err(TransactionError::Diesel(_))));
    assert_eq!(names(&mut connection), [""; 0]);
}

#[test]
fn errors_convert_both_ways() {
    let mut connection = connection();
    let refused = connection.transaction::<(), diesel::result::Error, _>(|connection| {
        let inserted = lend(connection, async |driver| {
            let repo = Repo::new(driver);
            repo.insert(named("Ada")).await?;
            repo.insert(named("Ada")).await?;
            Ok::<(), TransactionError>(())
        });
        Ok(inserted?)
    });
    let diesel::result::Error::QueryBuilderError(source) = refused.unwrap_err() else { panic!("another error") };
    assert!(source.downcast_ref::<Error>().unwrap().is_unique_violation());

    connection.batch_execute("INSERT INTO users (name) VALUES ('Ada')").unwrap();
    let refused = lend(&mut connection, async |driver| {
        let repo = Repo::new(driver);
        repo.transaction(async |_| {
            let twice = diesel::result::Error::DatabaseError(
                diesel::result::DatabaseErrorKind::UniqueViolation,
                Box::new("UNIQUE constraint failed: users.name".to_owned()),
            );
            Err::<(), TransactionError>(twice.into())
        })
        .await
    });
    let error = Error::from(refused.unwrap_err());
    assert!(error.is_unique_violation());
    assert_eq!(error.driver().unwrap().columns(), ["name"]);
}

#[test]
fn a_deferred_foreign_key_fails_the_commit_and_leaves_the_depth() {
    let mut connection = connection();
    let (lent, repo) = lent();
    let orphan = || Post::build().set(Post::USER_ID, 99).set(Post::TITLE, "orphan");
    let refused = lent.block_on(&mut connection, async {
        repo.transaction(async |tx| tx.insert(orphan()).await.map(drop)).await.unwrap_err()
    });
    assert!(refused.is_foreign_key_violation(), "{refused}");
    assert_eq!(depth(&mut connection), 0);
    // Inside Diesel's transaction it is Diesel's COMMIT that fails.
    let refused = connection.transaction::<(), TransactionError, _>(|connection| {
        lent.block_on(connection, async { repo.transaction(async |tx| tx.insert(orphan()).await.map(drop)).await })?;
        Ok(())
    });
    assert!(Error::from(refused.unwrap_err()).is_foreign_key_violation());
    assert_eq!(depth(&mut connection), 0);
}

#[test]
fn a_transaction_that_a_statement_ended_is_noticed() {
    let mut connection = connection();
    let (lent, _) = lent();
    lent.block_on(&mut connection, async {
        let mut own = lent.acquire(Access::Write).await.unwrap();
        own.begin(TransactionMode::Write).await.unwrap();
        own.execute(&Statement::plain("ROLLBACK")).await.unwrap();
        let refused = own.execute(&Statement::plain("INSERT INTO users (name) VALUES ('Ada')")).await.unwrap_err();
        assert!(refused.to_string().contains("a statement in it has ended it"), "{refused}");
        assert!(own.commit().await.is_err());
    });
    assert_eq!(depth(&mut connection), 0);
    // A statement ends the transaction that the application has begun. Diesel's COMMIT fails then, also without this crate.
    let committed = connection.transaction::<(), TransactionError, _>(|connection| {
        lent.block_on(connection, async {
            let mut own = lent.acquire(Access::Write).await?;
            let ended = own.execute(&Statement::plain("ROLLBACK")).await.unwrap_err();
            assert!(ended.to_string().contains("a statement in it has ended it"), "{ended}");
            Ok::<(), Error>(())
        })?;
        Ok(())
    });
    assert!(committed.is_err());
    assert_eq!(names(&mut connection), [""; 0]);
}

#[test]
fn text_that_is_not_utf8_is_refused() {
    let mut connection = connection();
    let (lent, _) = lent();
    let refused = lent.block_on(&mut connection, async {
        let mut own = lent.acquire(Access::Read).await?;
        let mut sink = |_: &mut [Value<'_>]| Ok(());
        own.query(&Statement::plain("SELECT CAST(x'ff41' AS TEXT) AS name"), &mut sink).await
    });
    let error = refused.unwrap_err();
    assert_eq!(error.driver().unwrap().kind(), DriverErrorKind::Value);
    assert!(error.to_string().contains("column `name` holds text that is not UTF-8"), "{error}");
}
