//! Locks on the rows of a query that joins others, and conditions on groups of a query that names none.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use assoc_core::dialect::RowLocks;
use assoc_repo::prelude::*;
use conformance_tests::Backend;

#[allow(dead_code)]
mod backends;

#[derive(Model, Debug, Clone)]
#[model(table = "jobs", auto_increment = false)]
struct Job {
    id: i64,
    worker_id: Option<i64>,
    #[belongs_to]
    worker: BelongsTo<Option<Worker>>,
}

#[derive(Model, Debug, Clone)]
#[model(table = "workers", auto_increment = false)]
struct Worker {
    id: i64,
    #[has_many]
    jobs: HasMany<Job>,
}

async fn filled(backend: &dyn Backend) -> (conformance_tests::Database, Repo) {
    let database = backend.fresh().await.unwrap();
    let repo = Repo::from_driver(Arc::clone(database.driver()));
    repo.create_table::<Worker>().await.unwrap();
    repo.create_table::<Job>().await.unwrap();
    repo.insert(Worker::build().set(Worker::ID, 1)).await.unwrap();
    let job = |id: i64, worker: Option<i64>| Job::build().set(Job::ID, id).set(Job::WORKER_ID, worker);
    repo.insert_all([job(1, None), job(2, Some(1)), job(3, None)]).await.unwrap();
    (database, repo)
}

async fn of_the_own_rows(backend: &dyn Backend) {
    let (_database, repo) = filled(backend).await;
    let free = || Query::left_join(Job::WORKER).filter(Job::WORKER.joined(Worker::ID.is_null()));
    let tx = repo.begin().await.unwrap();
    let jobs = tx.all(free().order_by(Job::ID.asc()).for_update()).await.unwrap();
    assert_eq!(jobs.iter().map(|job| job.id).collect::<Vec<_>>(), [1, 3]);
    let shared = tx.all(Query::join(Job::WORKER).for_share()).await.unwrap();
    assert_eq!(shared.len(), 1);

    // Another transaction can lock what was only joined, where the statement says whose rows it locks.
    if matches!(repo.dialect().capabilities().row_locks, RowLocks::Rows { skips: true, names_table: true }) {
        let other = repo.begin().await.unwrap();
        let workers = other.all(Query::<Worker>::new().for_update().skip_locked()).await.unwrap();
        assert_eq!(workers.len(), 1);
        assert!(other.all(free().for_update().skip_locked()).await.unwrap().is_empty());
        other.rollback().await.unwrap();
    }

    let error = tx.pluck(Job::ID.max(), Query::new().for_update()).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::InvalidQuery { .. }), "{error}");
    // Groups are no rows, also where each is one.
    let error = tx.all(Query::<Job>::group_by(Job::ID).for_update()).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::InvalidQuery { .. }), "{error}");
    for query in [Query::<Job>::group_by(Job::WORKER_ID), Query::having(Job::ID.count().gt(1))] {
        let (read, statements) = repo.count_statements(tx.all(query.for_update())).await;
        assert!(matches!(read.unwrap_err().kind(), ErrorKind::NotGrouped { .. }));
        assert_eq!(statements, 0);
    }
    tx.rollback().await.unwrap();
}

async fn conditions_on_all_rows(backend: &dyn Backend) {
    let (_database, repo) = filled(backend).await;
    for (most, groups) in [(3, 1), (2, 0)] {
        let query = || Query::<Job>::having(Job::ID.count().le(most));
        assert_eq!(repo.pluck(Job::ID.count(), query()).await.unwrap().len(), groups);
        assert_eq!(repo.count(query()).await.unwrap(), groups as u64);
        assert_eq!(repo.exists(query()).await.unwrap(), groups == 1);
    }
}

backends::on_each_database!(of_the_own_rows, conditions_on_all_rows);
