//! Random graphs of rows are destroyed, and the tables are what an independent model in memory says: with foreign keys and
//! without, on every backend. And a destroy whose n-th statement fails, for each n, leaves everything as before.
//!
//! `ASSOC_PROPERTY_SEED` begins elsewhere, `ASSOC_PROPERTY_CASES` sets the number of cases. A failure prints its seed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use assoc_repo::prelude::*;
use backends::{MariaDb, PostgreSql, SqliteFile};
use conformance_tests::{Backend, Recorded, Recorder};
use random::{Random, number};
use reference::{Outcome, Tables};
use schema::{Node, fill, make_tables, read};

// Only some of them are of use here.
#[allow(dead_code)]
mod backends;
#[path = "destroys/large.rs"]
mod large;
mod random;
#[path = "destroys/reference.rs"]
mod reference;
#[path = "destroys/schema.rs"]
mod schema;

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

    #[test]
    fn everything_at_once() {
        block_on(large::everything_at_once(&SqliteFile, 20_000));
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

    /// Beside 200,000 rows of others in each table, no statement of a destroy walks over a table.
    #[test]
    fn everything_at_once() {
        let plans = block_on(large::everything_at_once(&MariaDb, 200_000));
        if MariaDb.name() == "mysql" {
            insta::assert_snapshot!(plans, @r"
            SELECT id, reporter_id FROM stories: stories ref stories_of_reporter
            SELECT id, story_id FROM comments: comments range comments_of_story
            SELECT 1 FROM orders: orders range orders_of_story
            SELECT id, story_id, reader_id FROM comments: comments range PRIMARY
            SELECT id, story_id, reader_id FROM comments: comments range PRIMARY
            SELECT id, story_id, reader_id FROM comments: comments range PRIMARY
            DELETE FROM followings: followings range followed_by_one
            DELETE FROM followings: followings range followed_by_other
            UPDATE pictures: pictures range pictures_of_reporter
            DELETE FROM comments: comments range PRIMARY
            DELETE FROM comments: comments range PRIMARY
            DELETE FROM comments: comments range PRIMARY
            DELETE FROM stories: stories range PRIMARY
            DELETE FROM reporters: reporters range PRIMARY
            UPDATE readers: readers range PRIMARY
            ");
            return;
        }
        insta::assert_snapshot!(plans, @r"
        SELECT id, reporter_id FROM stories: stories ref stories_of_reporter
        SELECT id, story_id FROM comments: comments range comments_of_story
        SELECT 1 FROM orders: orders range orders_of_story
        DELETE FROM followings: followings range followed_by_one
        DELETE FROM followings: followings range followed_by_other
        UPDATE pictures: pictures range pictures_of_reporter
        DELETE FROM comments RETURNING: comments range PRIMARY
        DELETE FROM stories: stories range PRIMARY
        DELETE FROM reporters: reporters range PRIMARY
        UPDATE readers: readers range PRIMARY
        ");
    }

    #[test]
    fn statements_find_their_rows_by_an_index() {
        insta::assert_snapshot!(block_on(large::trees(&MariaDb, 200_000)), @r"
        SELECT id, parent_id, buddy_id FROM nodes: nodes const PRIMARY
        SELECT id, parent_id, buddy_id FROM nodes: nodes ref parent_id
        SELECT id, parent_id, buddy_id FROM nodes: nodes const PRIMARY
        SELECT id, node_id FROM items: items ref node_id
        SELECT id, keeper_id FROM items: items ref keeper_id
        SELECT 1 FROM guards: guards ref node_id
        SELECT id, subject_id FROM marks: marks ref subjects
        SELECT id, parent_id, buddy_id FROM nodes: nodes range parent_id
        SELECT id, node_id FROM items: items range node_id
        SELECT id, keeper_id FROM items: items range keeper_id
        SELECT 1 FROM guards: guards range node_id
        SELECT id, subject_id FROM marks: marks range subjects
        SELECT id, parent_id, buddy_id FROM nodes: nodes ref parent_id
        SELECT id, node_id FROM items: items ref node_id
        SELECT id, keeper_id FROM items: items ref keeper_id
        SELECT 1 FROM guards: guards ref node_id
        SELECT id, subject_id FROM marks: marks ref subjects
        SELECT id, item_id, part_of_id FROM parts: parts range item_id
        SELECT id, item_id FROM guards: guards range item_id
        SELECT id, subject_id FROM marks: marks range subjects
        SELECT id, parent_id, buddy_id FROM nodes: nodes ref parent_id
        SELECT id, node_id FROM items: items ref node_id
        SELECT id, keeper_id FROM items: items ref keeper_id
        SELECT id, node_id FROM guards: guards ref node_id
        SELECT id, subject_id FROM marks: marks ref subjects
        SELECT id, item_id, part_of_id FROM parts: parts ref item_id
        SELECT id, item_id FROM guards: guards ref item_id
        SELECT id, subject_id FROM marks: marks ref subjects
        DELETE FROM links: links range one_id
        DELETE FROM links: links range other_id
        UPDATE items: items range PRIMARY
        UPDATE marks: marks range PRIMARY
        DELETE FROM guards: guards range PRIMARY
        DELETE FROM parts: parts range PRIMARY
        DELETE FROM parts: parts range PRIMARY
        DELETE FROM marks: marks range PRIMARY
        DELETE FROM items: items range PRIMARY
        DELETE FROM nodes: nodes range PRIMARY
        DELETE FROM nodes: nodes range PRIMARY
        DELETE FROM nodes: nodes range PRIMARY
        DELETE FROM nodes: nodes range PRIMARY
        ");
    }
}

mod postgres {
    use super::*;

    #[test]
    fn random_graphs() {
        run(&PostgreSql, 150);
    }

    #[test]
    fn a_failure_at_each_statement() {
        fail_at_each_statement(&PostgreSql);
    }
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
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
