//! The cases.

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
use diesel::connection::{AnsiTransactionManager, Connection as _, SimpleConnection, TransactionManager};

use crate::served::{Served, depth};

#[derive(Model, Debug, Clone)]
#[model(diesel = crate::served::users)]
pub(crate) struct User {
    pub id: i64,
    pub name: String,
    #[has_many]
    pub posts: HasMany<Post>,
}

#[derive(Model, Debug, Clone)]
pub(crate) struct Post {
    pub id: i64,
    pub user_id: i64,
    pub title: String,
    #[belongs_to]
    pub user: BelongsTo<User>,
}

pub(crate) fn lent<D: Served>(connection: &mut D::Connection) -> (Lent, Repo) {
    let lent = Lent::of(connection).unwrap().with_patience(Duration::from_millis(50));
    (lent.clone(), Repo::new(lent))
}

pub(crate) fn named(name: &str) -> Changeset<User> {
    User::build().set(User::NAME, name)
}

/// Runs it with no transaction of Diesel's open, with one, and with a savepoint in one, and compares the depths.
#[track_caller]
fn at_each_depth<D: Served>(run: impl Fn(&mut D::Connection)) {
    for levels in 0..3 {
        let mut connection = D::connect();
        for _ in 0..levels {
            AnsiTransactionManager::begin_transaction(&mut *connection).unwrap();
        }
        run(&mut connection);
        assert_eq!(depth(&mut *connection), levels, "it left Diesel at another depth");
        for _ in 0..levels {
            AnsiTransactionManager::commit_transaction(&mut *connection).unwrap();
        }
        assert!(D::is_outside(&mut connection), "what Diesel counts is not what the database has");
    }
}

pub(crate) fn every_operation_keeps_the_depth<D: Served>() {
    at_each_depth::<D>(|connection| {
        let (lent, repo) = lent::<D>(connection);
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
        let refused = lent.block_on(connection, async {
            // PostgreSQL refuses all that follows a failure, up to the savepoint.
            repo.transaction(async |tx| tx.insert(named("Ada")).await.map(drop)).await.unwrap_err()
        });
        assert!(refused.is_unique_violation());
        let loaded = lent.block_on(connection, repo.all(Query::preload(User::POSTS))).unwrap();
        assert_eq!(loaded[0].posts().unwrap().len(), 1);
        assert_eq!(D::names(connection), ["Ada", "Cy"]);
    });
}

pub(crate) fn a_handle_that_outlives_its_loan_is_rolled_back_and_refused<D: Served>() {
    at_each_depth::<D>(|connection| {
        let (lent, repo) = lent::<D>(connection);
        let tx = lent
            .block_on(connection, async {
                let tx = repo.begin().await?;
                tx.insert(named("Ada")).await?;
                Ok::<_, Error>(tx)
            })
            .unwrap();
        assert_eq!(D::names(connection), [""; 0]);
        // In another loan, and outside of any.
        let later = lent.block_on(connection, tx.insert(named("Bob"))).unwrap_err();
        assert!(later.to_string().contains("begin and end a transaction within one `block_on`"), "{later}");
        let before = depth(connection);
        lent.block_on(connection, async { drop(tx) });
        assert_eq!(depth(connection), before);
        lent.block_on(connection, repo.insert(named("Cy"))).unwrap();
        assert_eq!(D::names(connection), ["Cy"]);
    });
}

pub(crate) fn a_panic_rolls_back<D: Served>() {
    at_each_depth::<D>(|connection| {
        let (lent, repo) = lent::<D>(connection);
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
        assert_eq!(D::names(connection), [""; 0]);
        lent.block_on(connection, repo.insert(named("Cy"))).unwrap();
    });
}

pub(crate) fn a_panic_in_a_sink_leaves_the_connection_usable<D: Served>() {
    at_each_depth::<D>(|connection| {
        let (lent, repo) = lent::<D>(connection);
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

pub(crate) fn a_dropped_future_rolls_back<D: Served>() {
    at_each_depth::<D>(|connection| {
        let (lent, repo) = lent::<D>(connection);
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
        assert_eq!(D::names(connection), ["Bob"]);
    });
}

const REMEDY: &str = "await it there instead of in a task or thread of its own, or use a `Pooled` driver";

pub(crate) fn another_thread_is_refused_with_the_remedy<D: Served>() {
    let mut connection = D::connect();
    let (lent, repo) = lent::<D>(&mut connection);
    let refused = lent.block_on(&mut *connection, async {
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
    assert_eq!(depth(&mut *connection), 0);
}

pub(crate) fn another_task_is_refused_with_the_remedy<D: Served>() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let mut connection = D::connect();
    let (lent, repo) = lent::<D>(&mut connection);
    let refused = lent.block_on(&mut *connection, async {
        // Also the handle of a transaction of this loan.
        let tx = repo.begin().await.unwrap();
        let handed_over = runtime.spawn(async move { tx.insert(named("Ada")).await.map(drop) }).await.unwrap();
        let repo = repo.clone();
        let spawned = runtime.spawn(async move { repo.count(Query::<User>::new()).await.map(drop) }).await.unwrap();
        [handed_over.unwrap_err().to_string(), spawned.unwrap_err().to_string()]
    });
    assert!(refused.iter().all(|message| message.contains(REMEDY)), "{refused:?}");
    assert_eq!(depth(&mut *connection), 0);
    assert_eq!(D::names(&mut connection), [""; 0]);
}

pub(crate) fn a_call_that_waits_for_itself_ends_with_the_remedy<D: Served>() {
    at_each_depth::<D>(|connection| {
        let (lent, repo) = lent::<D>(connection);
        let refused = lent.block_on(connection, async {
            repo.transaction(async |_| repo.count(Query::<User>::new()).await.map(drop)).await.unwrap_err()
        });
        assert_eq!(refused.driver().unwrap().kind(), DriverErrorKind::PoolTimeout);
        assert!(refused.to_string().contains("call the transaction's handle inside of it, not the repo"), "{refused}");
    });
}

pub(crate) fn another_driver_is_refused<D: Served>() {
    let mut connection = D::connect();
    let (lent, _) = lent::<D>(&mut connection);
    let (_, other) = self::lent::<D>(&mut connection);
    let refused = lent.block_on(&mut *connection, other.count(Query::<User>::new())).unwrap_err();
    assert!(refused.to_string().contains("lent to another driver"), "{refused}");
}

pub(crate) fn threads_share_a_repo<D: Served>() {
    let (lent, repo) = lent::<D>(&mut D::connect());
    std::thread::scope(|scope| {
        for name in ["Ada", "Bob", "Cy"] {
            let (lent, repo) = (&lent, &repo);
            scope.spawn(move || {
                let mut connection = D::connect();
                for _ in 0..20 {
                    let inserted = lent.block_on(&mut *connection, async {
                        repo.transaction(async |tx| {
                            tx.insert(named(name)).await?;
                            std::thread::yield_now();
                            tx.count(Query::<User>::new()).await
                        })
                        .await
                    });
                    assert_eq!(inserted.unwrap(), 1);
                    connection.batch_execute("DELETE FROM users").unwrap();
                }
            });
        }
    });
}

pub(crate) fn what_diesel_rolls_back_is_undone<D: Served>() {
    let mut connection = D::connect();
    let failed = connection.transaction::<(), TransactionError, _>(|connection| {
        lend(connection, async |driver| {
            let repo = Repo::new(driver);
            repo.transaction(async |tx| tx.insert(named("Ada")).await.map(drop)).await
        })?;
        assert_eq!(D::names(connection), ["Ada"]);
        Err(diesel::result::Error::RollbackTransaction)?
    });
    assert!(matches!(failed, Err(TransactionError::Diesel(_))));
    assert_eq!(D::names(&mut connection), [""; 0]);
}

pub(crate) fn errors_convert_both_ways<D: Served>() {
    let mut connection = D::connect();
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

    D::insert(&mut connection, "Ada").unwrap();
    let twice = D::insert(&mut connection, "Ada").unwrap_err();
    let refused = lend(&mut *connection, async |driver| {
        let repo = Repo::new(driver);
        repo.transaction(async |_| Err::<(), TransactionError>(twice.into())).await
    });
    let error = Error::from(refused.unwrap_err());
    assert!(error.is_unique_violation());
}

pub(crate) fn a_transaction_that_a_statement_ended_is_noticed<D: Served>() {
    let mut connection = D::connect();
    let (lent, _) = lent::<D>(&mut connection);
    lent.block_on(&mut *connection, async {
        let mut own = lent.acquire(Access::Write).await.unwrap();
        own.begin(TransactionMode::Write).await.unwrap();
        own.execute(&Statement::plain("ROLLBACK")).await.unwrap();
        let refused = own.execute(&Statement::plain("INSERT INTO users (name) VALUES ('Ada')")).await.unwrap_err();
        assert!(refused.to_string().contains("a statement in it has ended it"), "{refused}");
        assert!(own.commit().await.is_err());
    });
    assert_eq!(depth(&mut *connection), 0);
}
