//! Random graphs of rows are destroyed, and the tables are what an independent model in memory says: with foreign keys and
//! without, on every backend. And a destroy whose n-th statement fails, for each n, leaves everything as before.
//!
//! `ASSOC_PROPERTY_SEED` begins elsewhere, `ASSOC_PROPERTY_CASES` sets the number of cases. A failure prints its seed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use assoc_repo::prelude::*;
use backends::{MariaDb, SqliteFile};
use conformance_tests::{Backend, Recorded, Recorder};
use random::Random;
use reference::{Outcome, Tables};
use schema::{Node, fill, make_tables, read};

// Only some of them are of use here.
#[allow(dead_code)]
mod backends;
mod random;
#[path = "destroys/reference.rs"]
mod reference;
#[path = "destroys/schema.rs"]
mod schema;

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).ok().and_then(|value| value.parse().ok()).unwrap_or(otherwise)
}

mod sqlite {
    use super::*;

    #[test]
    fn random_graphs() {
        run(&SqliteFile, 1_500);
    }

    #[test]
    fn a_failure_at_each_statement() {
        fail_at_each_statement(&SqliteFile);
    }
}

mod mariadb {
    use super::*;

    #[test]
    fn random_graphs() {
        run(&MariaDb, 150);
    }

    #[test]
    fn a_failure_at_each_statement() {
        fail_at_each_statement(&MariaDb);
    }

    /// Beside thousands of rows of others, no statement of a destroy walks over a table.
    #[test]
    fn statements_find_their_rows_by_an_index() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let database = MariaDb.fresh().await.unwrap();
            let recorder = Recorder::default();
            let repo = Repo::new(Recorded::new(Arc::clone(database.driver()), recorder.clone()));
            make_tables(&repo, true).await.unwrap();
            repo.execute_raw("CREATE INDEX subjects ON marks (subject_type, subject_id)", []).await.unwrap();
            fill(&repo, &Tables::three_levels()).await.unwrap();
            for sql in [
                "INSERT INTO nodes (id) SELECT seq + 100 FROM seq_1_to_20000",
                "UPDATE nodes SET parent_id = id - 1 WHERE id > 101 AND id % 3 > 0",
                "INSERT INTO items (id, node_id, keeper_id) SELECT seq + 100, seq + 100, seq + 100 FROM seq_1_to_20000",
                "INSERT INTO parts (id, item_id) SELECT seq + 100, seq + 100 FROM seq_1_to_20000",
                "INSERT INTO guards (id, node_id, item_id, active) SELECT seq + 100, seq + 100, seq + 100, 1 FROM \
                 seq_1_to_20000",
                "INSERT INTO marks (id, subject_id, subject_type) SELECT seq + 100, seq + 100, IF(seq % 2 = 0, 'Node', \
                 'Item') FROM seq_1_to_20000",
                "INSERT INTO links (one_id, other_id) SELECT seq + 100, seq + 100 FROM seq_1_to_20000",
                "ANALYZE TABLE nodes, items, parts, guards, marks, links",
            ] {
                repo.execute_raw(sql, []).await.unwrap();
            }
            let root = repo.get_or_fail::<Node>(1, Query::new()).await.unwrap();
            let _ = recorder.take();
            repo.destroy(&root).await.unwrap();
            let mut verbs = std::collections::BTreeMap::<String, usize>::new();
            for (sql, _) in recorder.take() {
                // Keys are numbers, what stands alone or is compared exactly is a type.
                let bound = sql.replace("= ?", "= 'Node'").replace("CAST(?", "CAST('Node'").replace('?', "1");
                let explained = format!("EXPLAIN {bound}");
                let statement = assoc_core::driver::Statement::plain(explained);
                let mut sink = |values: &mut [Value<'_>]| {
                    let access = match &values[3] {
                        Value::Text(access) => access.to_string(),
                        _ => "NULL".to_owned(),
                    };
                    // An impossible condition needs no table at all.
                    let found =
                        access == "NULL" || ["const", "eq_ref", "ref", "range", "index_merge"].contains(&&*access);
                    assert!(found, "{sql}: {values:?}");
                    Ok(())
                };
                repo.driver()
                    .acquire(assoc_core::driver::Access::Write)
                    .await
                    .unwrap()
                    .query(&statement, &mut sink)
                    .await
                    .unwrap();
                *verbs.entry(sql.split(' ').next().unwrap_or_default().to_owned()).or_default() += 1;
            }
            assert!(verbs.keys().eq(["DELETE", "SELECT", "UPDATE"]), "{verbs:?}");
        });
    }
}

fn run(backend: &dyn Backend, cases: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (cases, first) = (number("ASSOC_PROPERTY_CASES", cases), number("ASSOC_PROPERTY_SEED", 1));
    let mut outcomes = [0; 3];
    for foreign_keys in [false, true] {
        let database = runtime.block_on(backend.fresh()).unwrap();
        let repo = Repo::from_driver(Arc::clone(database.driver()));
        runtime.block_on(make_tables(&repo, foreign_keys)).unwrap();
        for seed in first..first + cases / 2 {
            match runtime.block_on(case(&repo, seed, foreign_keys)) {
                Ok(outcome) => outcomes[outcome] += 1,
                Err(what) => panic!("ASSOC_PROPERTY_SEED={seed} foreign keys: {foreign_keys}\n{what}"),
            }
        }
    }
    println!(
        "{}: {} done, {} restricted, {} held by foreign keys",
        backend.name(),
        outcomes[0],
        outcomes[1],
        outcomes[2]
    );
    assert!(outcomes.iter().all(|cases| *cases > 0), "every outcome is among the cases");
}

// 0 if rows went, 1 if others refused, 2 if a foreign key did.
async fn case(repo: &Repo, seed: u64, foreign_keys: bool) -> Result<usize, String> {
    let mut random = Random::new(seed);
    let before = Tables::random(&mut random, foreign_keys);
    let shown = |what: &str| format!("{what}\nbefore: {before:#?}");
    fill(repo, &before).await.map_err(|error| shown(&error.to_string()))?;
    let roots: Vec<Node> =
        repo.all(Query::order_by(Node::ID.asc())).await.map_err(|error| shown(&error.to_string()))?;
    if roots.is_empty() {
        return Ok(0);
    }
    let first = random.below(roots.len());
    let roots = &roots[first..(first + 1 + random.below(2)).min(roots.len())];
    let ids: Vec<i64> = roots.iter().map(|root| root.id).collect();
    let expected = before.destroyed(&ids);
    let preview = match roots {
        [root] => Some(repo.preview_destroy(root).await.map_err(|error| shown(&format!("preview: {error}")))?),
        _ => None,
    };
    let done = repo.destroy_rows(roots).await;
    let after = read(repo).await.map_err(|error| shown(&error.to_string()))?;
    let wrong = |what: String| Err(shown(&format!("destroying {ids:?}: {what}\nafter: {after:#?}")));
    match (expected, done) {
        (Outcome::Restricted, Err(error)) if error.is_restricted() => {
            if after != before || preview.is_some_and(|preview| !preview.is_refused()) {
                return wrong("refused, but not as it should be".to_owned());
            }
            Ok(1)
        }
        (Outcome::Restricted, other) => wrong(format!("should be refused: {other:?}")),
        (Outcome::Done { tables, .. }, Err(error)) if foreign_keys && tables.dangles() => {
            if after != before || !error.is_foreign_key_violation() {
                return wrong(format!("a foreign key should hold it: {error}"));
            }
            Ok(2)
        }
        (Outcome::Done { tables, destroyed, deleted, nullified }, Ok(report)) => {
            let sum = |of: fn(&assoc_repo::DestroyedModel) -> u64| report.models().iter().map(of).sum::<u64>();
            let counted = (sum(|model| model.destroyed), sum(|model| model.deleted), sum(|model| model.nullified));
            if tables != after {
                return wrong(format!("expected {tables:#?}"));
            }
            if counted != (destroyed, deleted, nullified) || preview.is_some_and(|preview| preview != report) {
                return wrong(format!("reported {report}, expected {destroyed}, {deleted}, {nullified}"));
            }
            Ok(0)
        }
        (Outcome::Done { .. }, Err(error)) => wrong(format!("failed: {error}")),
    }
}

fn fail_at_each_statement(backend: &dyn Backend) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let database = backend.fresh().await.unwrap();
        let recorder = Recorder::default();
        let repo = Repo::new(Recorded::new(Arc::clone(database.driver()), recorder.clone()));
        make_tables(&repo, true).await.unwrap();
        let before = Tables::three_levels();
        fill(&repo, &before).await.unwrap();
        let root = repo.get_or_fail::<Node>(1, Query::new()).await.unwrap();
        let mut failed = 0;
        // One more than it needs: then COMMIT fails, and then nothing does.
        loop {
            recorder.fail_after(failed);
            match repo.destroy(&root).await {
                Err(error) => assert!(error.driver().is_some(), "{error}"),
                Ok(report) => {
                    assert!(report.models().len() >= 5, "{report}");
                    break;
                }
            }
            assert_eq!(read(&repo).await.unwrap(), before, "the statement {failed} failed");
            failed += 1;
        }
        assert!(failed >= 10, "{failed} statements");
        // What is left of the budget of statements until one fails is not for what follows.
        recorder.fail_after(usize::MAX);
        fill(&repo, &before).await.unwrap();
        recorder.fail_commit();
        assert!(repo.destroy(&root).await.is_err());
        assert_eq!(read(&repo).await.unwrap(), before, "COMMIT failed");
        // Inside a transaction it is undone alone.
        repo.transaction(async |tx| {
            recorder.fail_after(failed - 1);
            assert!(tx.destroy(&root).await.is_err());
            recorder.fail_after(usize::MAX);
            Ok::<_, Error>(())
        })
        .await
        .unwrap();
        assert_eq!(read(&repo).await.unwrap(), before, "the transaction goes on without it");
        let status = repo.pool_status().unwrap();
        assert_eq!(status.open, status.idle, "every connection is back");
    });
}
