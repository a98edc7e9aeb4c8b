//! A destroy of many rows beside many more: what is in the tables afterwards, how many statements it takes, and how the
//! database finds the rows of each.

use std::sync::{Arc, Mutex, PoisonError};

use assoc_core::Result;
use assoc_core::driver::{Access, BoxFuture, Connection, ExecResult, RowSink, Statement};
use assoc_repo::prelude::*;
use conformance_tests::{Backend, Interceptor, Wrapped};

use crate::reference::Tables;
use crate::schema::{Node, fill as fill_nodes, make_tables as make_nodes};

/// Stories with comments, whose readers are counted; pictures that stay; links with other reporters, on both sides.
#[derive(Model, Debug, Clone)]
#[model(table = "reporters")]
struct Reporter {
    id: i64,
    #[has_many(dependent = "destroy")]
    stories: HasMany<Story>,
    #[has_many(dependent = "nullify")]
    pictures: HasMany<Picture>,
    #[has_and_belongs_to_many(join_table = "followings", foreign_key = "one_id", association_foreign_key = "other_id")]
    followed: HasAndBelongsToMany<Reporter>,
}

#[derive(Model, Debug, Clone)]
#[model(table = "stories")]
struct Story {
    id: i64,
    reporter_id: i64,
    #[column(counter_cache)]
    comments_count: i64,
    #[has_many(dependent = "destroy")]
    comments: HasMany<Comment>,
    #[has_many(dependent = "restrict_with_error")]
    orders: HasMany<Order>,
}

#[derive(Model, Debug, Clone)]
#[model(table = "comments")]
struct Comment {
    id: i64,
    story_id: i64,
    reader_id: i64,
    #[belongs_to(counter_cache)]
    story: BelongsTo<Story>,
    #[belongs_to(counter_cache)]
    reader: BelongsTo<Reader>,
}

#[derive(Model, Debug, Clone)]
#[model(table = "readers")]
struct Reader {
    id: i64,
    #[column(counter_cache)]
    comments_count: i64,
}

#[derive(Model, Debug, Clone)]
#[model(table = "pictures")]
struct Picture {
    id: i64,
    reporter_id: Option<i64>,
}

#[derive(Model, Debug, Clone)]
#[model(table = "orders")]
struct Order {
    id: i64,
    story_id: i64,
}

/// The reporter who is destroyed. Others have lower and higher ids.
const ROOT: i64 = 300_000;

/// What stands for the statements of a destroy: each with the plan of the database, for the values that are bound.
#[derive(Debug, Clone, Default)]
struct Explained(Arc<Mutex<Option<Vec<(String, Vec<String>)>>>>);

impl Explained {
    fn start(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Vec::new());
    }

    fn take(&self) -> Vec<(String, Vec<String>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default()
    }

    async fn explain(&self, inner: &mut dyn Connection, statement: &Statement) -> Result<()> {
        if self.0.lock().unwrap_or_else(PoisonError::into_inner).is_none() {
            return Ok(());
        }
        let sqlite = statement.sql().contains('"');
        let explain = if sqlite { "EXPLAIN QUERY PLAN" } else { "EXPLAIN FORMAT=TRADITIONAL" };
        let asked = Statement::new(format!("{explain} {}", statement.sql()), statement.binds().to_vec());
        let mut plan = Vec::new();
        let mut sink = |values: &mut [Value<'_>]| {
            let shown = |at: usize| values.get(at).map(|value| value.to_string().replace('"', "")).unwrap_or_default();
            // The table, how it is read, by which index. SQLite says it in one sentence, and MySQL has the partitions between.
            let more = usize::from(values.len() == 12);
            let server = || format!("{} {} {}", shown(2), shown(3 + more), shown(5 + more));
            plan.push(if sqlite { shown(3) } else { server() });
            Ok(())
        };
        inner.query(&asked, &mut sink).await?;
        if let Some(all) = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            all.push((statement.sql().to_owned(), plan));
        }
        Ok(())
    }
}

impl Interceptor for Explained {
    fn query<'a>(
        &'a self,
        inner: &'a mut dyn Connection,
        statement: &'a Statement,
        sink: &'a mut dyn RowSink,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            self.explain(inner, statement).await?;
            inner.query(statement, sink).await
        })
    }

    fn execute<'a>(
        &'a self,
        inner: &'a mut dyn Connection,
        statement: &'a Statement,
    ) -> BoxFuture<'a, Result<ExecResult>> {
        Box::pin(async move {
            self.explain(inner, statement).await?;
            inner.execute(statement).await
        })
    }
}

/// `SELECT … FROM` the numbers from 1 to this one, as `seq`.
fn numbers(backend: &dyn Backend, most: i64) -> String {
    match backend.name() {
        "mariadb" => format!("seq_1_to_{most}"),
        // A recursion ends after 1,000 steps here.
        "mysql" => {
            let digits = "(SELECT 0 AS d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL \
                          SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9)";
            let (names, sum): (Vec<_>, Vec<_>) =
                (0..6).map(|at| (format!("{digits} AS t{at}"), format!("{} * t{at}.d", 10_i64.pow(at)))).unzip();
            format!(
                "(SELECT seq FROM (SELECT 1 + {} AS seq FROM {}) AS counted WHERE seq <= {most}) AS numbers",
                sum.join(" + "),
                names.join(", ")
            )
        }
        _ => format!(
            "(WITH RECURSIVE counted (seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM counted WHERE seq < {most}) SELECT \
             seq FROM counted) AS numbers"
        ),
    }
}

async fn make_tables(repo: &Repo) -> Result<()> {
    for sql in [
        "CREATE TABLE reporters (id BIGINT PRIMARY KEY)",
        "CREATE TABLE readers (id BIGINT PRIMARY KEY, comments_count BIGINT NOT NULL)",
        "CREATE TABLE stories (id BIGINT PRIMARY KEY, reporter_id BIGINT NOT NULL, comments_count BIGINT NOT NULL, \
         FOREIGN KEY (reporter_id) REFERENCES reporters (id))",
        "CREATE TABLE comments (id BIGINT PRIMARY KEY, story_id BIGINT NOT NULL, reader_id BIGINT NOT NULL, FOREIGN KEY \
         (story_id) REFERENCES stories (id), FOREIGN KEY (reader_id) REFERENCES readers (id))",
        "CREATE TABLE pictures (id BIGINT PRIMARY KEY, reporter_id BIGINT NULL, FOREIGN KEY (reporter_id) REFERENCES \
         reporters (id))",
        "CREATE TABLE orders (id BIGINT PRIMARY KEY, story_id BIGINT NOT NULL, FOREIGN KEY (story_id) REFERENCES stories \
         (id))",
        "CREATE TABLE followings (one_id BIGINT NOT NULL, other_id BIGINT NOT NULL, FOREIGN KEY (one_id) REFERENCES \
         reporters (id), FOREIGN KEY (other_id) REFERENCES reporters (id))",
        // MariaDB has an index for each foreign key anyway, and takes these for it.
        "CREATE INDEX stories_of_reporter ON stories (reporter_id)",
        "CREATE INDEX comments_of_story ON comments (story_id)",
        "CREATE INDEX comments_of_reader ON comments (reader_id)",
        "CREATE INDEX pictures_of_reporter ON pictures (reporter_id)",
        "CREATE INDEX orders_of_story ON orders (story_id)",
        "CREATE INDEX followed_by_one ON followings (one_id)",
        "CREATE INDEX followed_by_other ON followings (other_id)",
    ] {
        repo.execute_raw(sql, []).await?;
    }
    Ok(())
}

/// A reporter with 1,000 stories of 10 comments by 500 readers, 1,000 pictures and 3,000 links, and as many `others` in each
/// table, each with one row of everything.
async fn fill(repo: &Repo, backend: &dyn Backend, others: i64) -> Result<()> {
    let half = others / 2;
    // Below and above the root.
    let other = format!("CASE WHEN seq <= {half} THEN seq ELSE seq + 600000 END");
    let (all, from) = (numbers(backend, others), |most| numbers(backend, most));
    let inserts = [
        format!("reporters (id) SELECT {other} FROM {all}"),
        format!("reporters (id) VALUES ({ROOT})"),
        format!("readers (id, comments_count) SELECT seq, CASE WHEN seq <= 500 THEN 21 ELSE 1 END FROM {all}"),
        format!("stories (id, reporter_id, comments_count) SELECT {other}, {other}, 1 FROM {all}"),
        format!("stories (id, reporter_id, comments_count) SELECT {ROOT} + seq, {ROOT}, 10 FROM {}", from(1_000)),
        format!("comments (id, story_id, reader_id) SELECT {other}, {other}, seq FROM {all}"),
        format!(
            "comments (id, story_id, reader_id) SELECT {ROOT} + seq, {ROOT} + 1 + seq % 1000, 1 + seq % 500 FROM {}",
            from(10_000)
        ),
        format!("pictures (id, reporter_id) SELECT {other}, {other} FROM {all}"),
        format!("pictures (id, reporter_id) SELECT {ROOT} + seq, {ROOT} FROM {}", from(1_000)),
        format!("orders (id, story_id) SELECT {other}, {other} FROM {all}"),
        format!("followings (one_id, other_id) SELECT {other}, 1 + seq % {half} FROM {all}"),
        // The root stands on either side, and its id is the higher one and the lower one.
        format!("followings (one_id, other_id) SELECT {ROOT}, seq FROM {}", from(750)),
        format!("followings (one_id, other_id) SELECT seq, {ROOT} FROM {}", from(750)),
        format!("followings (one_id, other_id) SELECT {ROOT}, 600000 + {half} + seq FROM {}", from(750)),
        format!("followings (one_id, other_id) SELECT 600000 + {half} + seq, {ROOT} FROM {}", from(750)),
    ];
    repo.transaction(async |tx| {
        for insert in &inserts {
            tx.execute_raw(&format!("INSERT INTO {insert}"), []).await?;
        }
        Ok::<_, Error>(())
    })
    .await
}

async fn numbers_in(repo: &Repo, sql: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut sink = |values: &mut [Value<'_>]| {
        found.push(values.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "));
        Ok(())
    };
    let mut connection = repo.driver().acquire(Access::Read).await.unwrap();
    connection.query(&Statement::plain(sql), &mut sink).await.unwrap();
    found
}

// Each row of a plan that walks over a table, or over an index.
fn walks(backend: &dyn Backend, plans: &[(String, Vec<String>)]) -> Vec<String> {
    let is_walk = |row: &&String| match backend.name() {
        // A list of keys is read as a whole.
        "sqlite" => row.starts_with("SCAN") && !row.contains("VIRTUAL TABLE"),
        _ => {
            let access = row.split(' ').nth(1).unwrap_or_default();
            // An impossible condition needs no table at all.
            !["const", "eq_ref", "ref", "range", "index_merge", "NULL"].contains(&access)
        }
    };
    let of = |(sql, plan): &(String, Vec<String>)| -> Vec<String> {
        plan.iter().filter(is_walk).map(|row| format!("{row}: {}", &sql[..sql.len().min(120)])).collect()
    };
    plans.iter().flat_map(of).collect()
}

// `DELETE FROM comments: comments range PRIMARY`, with the database's plan.
fn shown(plans: &[(String, Vec<String>)]) -> String {
    let short = |sql: &str| {
        let end = sql.find(" WHERE").or_else(|| sql.find(" SET")).unwrap_or(sql.len());
        sql[..end].replace(['`', '"'], "")
    };
    let line = |(sql, plan): &(String, Vec<String>)| {
        let verb = short(sql);
        let verb = verb.split(" SET").next().unwrap_or_default().to_owned();
        let ending = if sql.contains("RETURNING") { " RETURNING" } else { "" };
        format!("{verb}{ending}: {}\n", plan.join("; "))
    };
    plans.iter().map(line).collect()
}

/// Destroys the reporter, looks at all tables, and answers with the plans of the statements.
pub(crate) async fn everything_at_once(backend: &dyn Backend, others: i64) -> String {
    let database = backend.fresh().await.unwrap();
    let explained = Explained::default();
    let repo = Repo::new(Wrapped::new(Arc::clone(database.driver()), explained.clone()));
    make_tables(&repo).await.unwrap();
    fill(&repo, backend, others).await.unwrap();
    let analyze = "reporters, readers, stories, comments, pictures, orders, followings";
    let analyze = if backend.name() != "sqlite" { format!("ANALYZE TABLE {analyze}") } else { "ANALYZE".to_owned() };
    repo.execute_raw(&analyze, []).await.unwrap();
    let root = repo.get_or_fail::<Reporter>(ROOT, Query::new()).await.unwrap();

    // A single order far below refuses all of it, and nothing has changed.
    let last = ROOT + 1_000;
    repo.execute_raw(&format!("INSERT INTO orders (id, story_id) VALUES ({ROOT}, {last})"), []).await.unwrap();
    assert!(repo.destroy(&root).await.unwrap_err().is_restricted());
    repo.execute_raw(&format!("DELETE FROM orders WHERE id = {ROOT}"), []).await.unwrap();

    explained.start();
    let (report, statements) = repo.count_statements(repo.destroy(&root)).await;
    let plans = explained.take();
    let report = report.unwrap().to_string();
    assert_eq!(
        report,
        "Reporter: 1 destroyed; Story: 1000 destroyed; followings: 3000 deleted; Comment: 10000 destroyed; Picture: 1000 \
         nullified; Reader: 500 updated"
    );
    // The readers of the deleted comments are read beforehand where the DELETE does not return them.
    let parts = 10_000_usize.div_ceil(repo.dialect().keys_per_condition(1));
    let most = 9 + if repo.dialect().capabilities().delete_returning { parts } else { 2 * parts };
    assert!(statements <= most, "{statements} statements: {}", shown(&plans));
    assert_eq!(plans.len(), statements);
    assert_eq!(walks(backend, &plans), Vec::<String>::new());
    for (sql, expected) in [
        (format!("SELECT COUNT(*), SUM(id = {ROOT}) FROM reporters"), format!("{others} 0")),
        (format!("SELECT COUNT(*), SUM(reporter_id = {ROOT}) FROM stories"), format!("{others} 0")),
        ("SELECT MIN(comments_count), MAX(comments_count) FROM stories".to_owned(), "1 1".to_owned()),
        (
            format!("SELECT COUNT(*), SUM(story_id BETWEEN {ROOT} AND {ROOT} + 1000) FROM comments"),
            format!("{others} 0"),
        ),
        ("SELECT COUNT(*), MIN(comments_count), MAX(comments_count) FROM readers".to_owned(), format!("{others} 1 1")),
        ("SELECT COUNT(*), SUM(reporter_id IS NULL) FROM pictures".to_owned(), format!("{} 1000", others + 1_000)),
        ("SELECT COUNT(*) FROM orders".to_owned(), format!("{others}")),
        (
            format!("SELECT COUNT(*), SUM(one_id = {ROOT}) + SUM(other_id = {ROOT}) FROM followings"),
            format!("{others} 0"),
        ),
    ] {
        assert_eq!(numbers_in(&repo, &sql).await, [expected], "{sql}");
    }
    shown(&plans)
}

/// Destroys a tree with what depends on it by every rule, beside many others, in both orders of the ids; answers with the
/// plans of the statements.
pub(crate) async fn trees(backend: &dyn Backend, others: i64) -> String {
    let database = backend.fresh().await.unwrap();
    let explained = Explained::default();
    let repo = Repo::new(Wrapped::new(Arc::clone(database.driver()), explained.clone()));
    make_nodes(&repo, true).await.unwrap();
    repo.execute_raw("CREATE INDEX subjects ON marks (subject_type, subject_id)", []).await.unwrap();
    fill_nodes(&repo, &Tables::three_levels()).await.unwrap();
    let all = numbers(backend, others);
    let inserts = [
        format!("nodes (id) SELECT seq + 100 FROM {all}"),
        format!("items (id, node_id, keeper_id) SELECT seq + 100, seq + 100, seq + 100 FROM {all}"),
        format!("parts (id, item_id) SELECT seq + 100, seq + 100 FROM {all}"),
        format!("guards (id, node_id, item_id, active) SELECT seq + 100, seq + 100, seq + 100, 1 FROM {all}"),
        format!(
            "marks (id, subject_id, subject_type) SELECT seq + 100, seq + 100, CASE WHEN seq % 2 = 0 THEN 'Node' ELSE \
             'Item' END FROM {all}"
        ),
        format!("links (one_id, other_id) SELECT seq + 100, seq + 100 FROM {all}"),
    ];
    // Three levels of which the owner has the lowest id, and three of which it has the highest.
    let trees = [
        "INSERT INTO nodes (id, parent_id) VALUES (21, NULL), (22, 21), (23, 21), (24, 22), (25, 23)",
        "INSERT INTO nodes (id, parent_id) VALUES (39, NULL), (38, 39), (37, 39)",
        "INSERT INTO nodes (id, parent_id) VALUES (36, 38), (35, 37)",
    ];
    repo.transaction(async |tx| {
        for insert in &inserts {
            tx.execute_raw(&format!("INSERT INTO {insert}"), []).await?;
        }
        tx.execute_raw("UPDATE nodes SET parent_id = id - 1 WHERE id > 101 AND id % 3 > 0", []).await?;
        for insert in trees {
            tx.execute_raw(insert, []).await?;
        }
        Ok::<_, Error>(())
    })
    .await
    .unwrap();
    repo.execute_raw("ANALYZE TABLE nodes, items, parts, guards, marks, links", []).await.unwrap();
    let mut all = String::new();
    for id in [1, 21, 39] {
        let root = repo.get_or_fail::<Node>(id, Query::new()).await.unwrap();
        explained.start();
        repo.destroy(&root).await.unwrap();
        let plans = explained.take();
        assert_eq!(walks(backend, &plans), Vec::<String>::new());
        if id == 1 {
            all = shown(&plans);
        }
    }
    assert_eq!(numbers_in(&repo, "SELECT id FROM nodes WHERE id < 100").await, ["6"]);
    all
}
