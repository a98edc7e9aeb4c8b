//! The cases.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use assoc_core::DriverErrorKind;
use assoc_core::driver::{Access, Driver, Statement, TransactionMode};
use assoc_diesel::Pooled;
use assoc_repo::prelude::*;
use diesel::connection::SimpleConnection;
use diesel::r2d2::{ConnectionManager, CustomizeConnection, Pool, R2D2Connection};
use tokio::runtime::{Builder, Runtime};

use crate::served::{Place, Served};

#[derive(Model, Debug, Clone)]
#[model(diesel = crate::served::users)]
pub(crate) struct User {
    pub id: i64,
    pub name: String,
}

/// A pool, and the place of its connections, which goes after it.
pub(crate) struct Pooling<D: Served>
where
    D::Connection: R2D2Connection,
{
    pool: Pool<ConnectionManager<D::Connection>>,
    _place: Place<D::Connection>,
}

impl<D: Served> std::ops::Deref for Pooling<D>
where
    D::Connection: R2D2Connection,
{
    type Target = Pool<ConnectionManager<D::Connection>>;

    fn deref(&self) -> &Self::Target {
        &self.pool
    }
}

/// Brings each connection of a pool to a place.
#[derive(Debug)]
struct Enter(String);

impl<C: SimpleConnection + 'static> CustomizeConnection<C, diesel::r2d2::Error> for Enter {
    fn on_acquire(&self, connection: &mut C) -> std::result::Result<(), diesel::r2d2::Error> {
        connection.batch_execute(&self.0).map_err(diesel::r2d2::Error::QueryError)
    }
}

pub(crate) fn pool<D: Served>(max: u32) -> Pooling<D>
where
    D::Connection: R2D2Connection,
{
    let place = D::connect_to_file();
    let pool = Pool::builder()
        .max_size(max)
        .connection_timeout(Duration::from_millis(500))
        .connection_customizer(Box::new(Enter(place.entered_by().to_owned())))
        .build(ConnectionManager::<D::Connection>::new(place.url()))
        .unwrap();
    Pooling { pool, _place: place }
}

pub(crate) fn runtimes() -> [Runtime; 2] {
    [
        Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap(),
        Builder::new_current_thread().enable_all().build().unwrap(),
    ]
}

fn count<D: Served>(pool: &Pooling<D>) -> usize
where
    D::Connection: R2D2Connection,
{
    D::names(&mut pool.get().unwrap()).len()
}

pub(crate) fn ada() -> assoc_repo::Changeset<User> {
    User::build().set(User::NAME, "Ada")
}

pub(crate) fn both_libraries_use_one_pool<D: Served>()
where
    D::Connection: R2D2Connection,
{
    for runtime in runtimes() {
        let pool = pool::<D>(2);
        let repo = Repo::new(Pooled::new(pool.clone()).unwrap());
        runtime.block_on(repo.insert(ada())).unwrap();
        assert_eq!(count::<D>(&pool), 1);
        pool.get().unwrap().batch_execute("INSERT INTO users (name) VALUES ('Bob')").unwrap();
        let users = runtime.block_on(repo.all(Query::<User>::new())).unwrap();
        assert_eq!(users.len(), 2);
    }
}

pub(crate) fn what_is_dropped_inside_a_transaction_is_rolled_back<D: Served>()
where
    D::Connection: R2D2Connection,
{
    for runtime in runtimes() {
        let pool = pool::<D>(1);
        let repo = Repo::new(Pooled::new(pool.clone()).unwrap());
        runtime.block_on(async {
            let tx = repo.begin().await.unwrap();
            tx.insert(ada()).await.unwrap();
            drop(tx);
            assert_eq!(repo.count(Query::<User>::new()).await.unwrap(), 0);
        });
        assert_eq!(count::<D>(&pool), 0);
        assert_eq!(pool.state().connections, 1);
    }
}

pub(crate) fn a_future_that_is_dropped_half_way_leaves_nothing<D: Served>()
where
    D::Connection: R2D2Connection,
{
    for runtime in runtimes() {
        let pool = pool::<D>(1);
        let driver = Pooled::new(pool.clone()).unwrap();
        runtime.block_on(async {
            let mut own = driver.acquire(Access::Write).await.unwrap();
            own.begin(TransactionMode::Write).await.unwrap();
            let insert = Statement::plain("INSERT INTO users (name) VALUES ('Ada')");
            {
                let mut half_way = pin!(own.execute(&insert));
                let _ = half_way.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            }
            // The connection is used on: the statement was waited for.
            let mut counted = Value::Null;
            let mut sink = |values: &mut [Value<'_>]| {
                counted = std::mem::take(&mut values[0]).into_owned();
                Ok(())
            };
            own.query(&Statement::plain("SELECT COUNT(*) FROM users"), &mut sink).await.unwrap();
            assert_eq!(counted, Value::Int(1));
            {
                let mut half_way = pin!(own.execute(&insert));
                let _ = half_way.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            }
            drop(own);
            drop(driver.acquire(Access::Write).await.unwrap());
        });
        assert_eq!(count::<D>(&pool), 0);
    }
}

pub(crate) fn a_panic_in_a_sink_costs_no_other_call<D: Served>()
where
    D::Connection: R2D2Connection,
{
    for runtime in runtimes() {
        let pool = pool::<D>(1);
        let driver = std::sync::Arc::new(Pooled::new(pool.clone()).unwrap());
        runtime.block_on(async {
            let careless = driver.clone();
            let panicked = tokio::spawn(async move {
                let mut own = careless.acquire(Access::Write).await.unwrap();
                own.begin(TransactionMode::Write).await.unwrap();
                own.execute(&Statement::plain("INSERT INTO users (name) VALUES ('Ada')")).await.unwrap();
                let mut sink = |_: &mut [Value<'_>]| panic!("on purpose");
                let _ = own.query(&Statement::plain("SELECT 1"), &mut sink).await;
            });
            assert!(panicked.await.is_err());
            drop(driver.acquire(Access::Write).await.unwrap());
        });
        assert_eq!(count::<D>(&pool), 0);
    }
}

pub(crate) fn waiting_has_the_time_limit_of_the_pool<D: Served>()
where
    D::Connection: R2D2Connection,
{
    for runtime in runtimes() {
        let pool = pool::<D>(1);
        let driver = Pooled::new(pool.clone()).unwrap();
        let refused = runtime.block_on(async {
            let _held = driver.acquire(Access::Write).await.unwrap();
            driver.acquire(Access::Read).await.err().unwrap()
        });
        assert_eq!(refused.driver().unwrap().kind(), DriverErrorKind::PoolTimeout);
        // Also where Diesel has the connection, and without a runtime.
        let _held = pool.get().unwrap();
        let refused = runtime.block_on(driver.acquire(Access::Read)).err().unwrap();
        assert_eq!(refused.driver().unwrap().kind(), DriverErrorKind::PoolTimeout);
        let mut acquire = driver.acquire(Access::Read);
        let Poll::Ready(refused) = acquire.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
            panic!("it blocks")
        };
        assert_eq!(refused.err().unwrap().driver().unwrap().kind(), DriverErrorKind::PoolTimeout);
    }
}
