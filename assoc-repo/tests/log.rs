//! The statement log: one `tracing` event a statement, and counts that go to the right future.

// Helpers of tests fail as tests do.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use assoc_repo::DriverErrorKind;
use assoc_repo::core::DriverError;
use assoc_repo::core::driver::{Access, BoxFuture, Connection, ExecResult, RowSink, Statement, TransactionMode};
use assoc_repo::prelude::*;
use assoc_sqlite::Sqlite;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber, span};

#[derive(Model, Debug, Clone)]
pub(crate) struct User {
    pub(crate) id: i64,
    pub(crate) name: String,
    #[has_many]
    pub(crate) posts: HasMany<Post>,
}

#[derive(Model, Debug, Clone)]
pub(crate) struct Post {
    pub(crate) id: i64,
    pub(crate) user_id: i64,
    #[belongs_to]
    pub(crate) user: BelongsTo<User>,
}

async fn blog() -> Repo {
    let repo = Repo::new(Sqlite::memory().unwrap());
    repo.create_table::<User>().await.unwrap();
    repo.create_table::<Post>().await.unwrap();
    for id in 1..=2 {
        repo.insert(User::build().set(User::ID, id).set(User::NAME, "Ada")).await.unwrap();
        repo.insert(Post::build().set(Post::USER_ID, id)).await.unwrap();
    }
    repo
}

/// An event: its level and its fields, as text.
type Logged = (Level, BTreeMap<&'static str, String>);

/// Keeps the events of the log's target.
#[derive(Clone)]
struct Log {
    level: Level,
    events: Arc<Mutex<Vec<Logged>>>,
}

struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "assoc::statement" && *metadata.level() <= self.level
    }

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields(BTreeMap::new());
        event.record(&mut fields);
        self.events.lock().unwrap().push((*event.metadata().level(), fields.0));
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

/// What is logged by work that stays on this thread.
fn logged(level: Level, work: impl Future<Output = ()>) -> Vec<Logged> {
    let log = Log { level, events: Arc::default() };
    tracing::subscriber::with_default(log.clone(), || pollster::block_on(work));
    std::mem::take(&mut *log.events.lock().unwrap())
}

#[test]
fn one_event_a_statement() {
    let repo = pollster::block_on(blog());
    let events = logged(Level::DEBUG, async {
        repo.all(Query::filter(User::NAME.eq("a secret")).or_filter(User::ID.gt(0)).preload(User::POSTS))
            .await
            .unwrap();
    });
    assert_eq!(events.len(), 2, "{events:?}");
    for (level, fields) in &events {
        assert_eq!(*level, Level::DEBUG);
        assert_eq!(fields.keys().copied().collect::<Vec<_>>(), ["binds", "micros", "sql"]);
        assert!(fields["sql"].starts_with("SELECT ") && fields["micros"].parse::<u64>().is_ok(), "{fields:?}");
        assert_eq!(fields["binds"], "2");
    }
    assert!(!format!("{events:?}").contains("a secret"), "values are never logged");
}

#[test]
fn a_failure_is_a_warning() {
    let repo = pollster::block_on(blog());
    // Also where successes are not logged.
    for level in [Level::WARN, Level::TRACE] {
        let events = logged(level, async {
            repo.execute_raw("DELETE FROM nowhere WHERE id = ?", [Value::Int(1)]).await.unwrap_err();
        });
        let [(level, fields)] = &events[..] else { panic!("one event, not {events:?}") };
        assert_eq!((*level, fields["binds"].as_str()), (Level::WARN, "1"));
        assert_eq!(fields["sql"], "DELETE FROM nowhere WHERE id = ?");
        assert_eq!(fields["error"], "statement refused");
        assert_eq!((&*fields["code"], &*fields["message"]), ("SQLITE_ERROR", "no such table: nowhere"));
    }
    assert_eq!(logged(Level::INFO, async { drop(repo.all(Query::<User>::new()).await) }), []);
}

/// An error whose message repeats a value, as some databases' do.
struct Telling;

impl assoc_repo::core::driver::Driver for Telling {
    fn dialect(&self) -> &dyn assoc_repo::core::driver::Dialect {
        static SQLITE: std::sync::OnceLock<Sqlite> = std::sync::OnceLock::new();
        SQLITE.get_or_init(|| Sqlite::memory().unwrap()).dialect()
    }

    fn acquire(&self, _: Access) -> BoxFuture<'_, Result<Box<dyn Connection>>> {
        Box::pin(async { Ok(Box::new(Telling) as Box<dyn Connection>) })
    }
}

impl Telling {
    fn fails<'a, T: Send + 'a>() -> BoxFuture<'a, Result<T>> {
        let told = DriverError::new(DriverErrorKind::UniqueViolation, "Duplicate entry 's3cr3t' for key 'by_email'");
        let told = told.with_code("1062").with_table("users").with_constraint("by_email");
        Box::pin(async { Err(told.into()) })
    }
}

impl Connection for Telling {
    fn query<'a>(&'a mut self, _: &'a Statement, sink: &'a mut dyn RowSink) -> BoxFuture<'a, Result<()>> {
        Box::pin(async { sink.row(&mut [Value::Text("s3cr3t".into()), Value::Text("s3cr3t".into())]) })
    }

    fn execute<'a>(&'a mut self, _: &'a Statement) -> BoxFuture<'a, Result<ExecResult>> {
        Telling::fails()
    }

    fn begin(&mut self, _: TransactionMode) -> BoxFuture<'_, Result<()>> {
        Telling::fails()
    }

    fn commit(&mut self) -> BoxFuture<'_, Result<()>> {
        Telling::fails()
    }

    fn rollback(&mut self) -> BoxFuture<'_, Result<()>> {
        Telling::fails()
    }

    fn savepoint(&mut self, _: u32) -> BoxFuture<'_, Result<()>> {
        Telling::fails()
    }

    fn release_savepoint(&mut self, _: u32) -> BoxFuture<'_, Result<()>> {
        Telling::fails()
    }

    fn rollback_to_savepoint(&mut self, _: u32) -> BoxFuture<'_, Result<()>> {
        Telling::fails()
    }
}

#[test]
fn no_value_gets_into_the_log() {
    let repo = Repo::new(Telling);
    let events = logged(Level::TRACE, async {
        let error = repo.execute_raw("UPDATE users SET email = ?", [Value::from("s3cr3t")]).await.unwrap_err();
        assert!(error.to_string().contains("s3cr3t"), "the error itself says it all: {error}");
        // A value that does not fit its field.
        let error = repo.query_raw::<User>("SELECT id, name FROM users", []).await.unwrap_err();
        assert!(error.to_string().contains("s3cr3t"), "{error}");
    });
    let [(_, refused), (_, misfit)] = &events[..] else { panic!("two events, not {events:?}") };
    assert_eq!(refused["error"], "unique constraint violated");
    assert_eq!((&*refused["code"], &*refused["table"], &*refused["constraint"]), ("1062", "users", "by_email"));
    assert_eq!(misfit["error"], "column `User.id` cannot be read as a 64-bit integer");
    assert!(!format!("{events:?}").contains("s3cr3t"), "{events:?}");
}

#[test]
fn long_statements_are_cut() {
    let repo = pollster::block_on(blog());
    let sql = format!("SELECT nothing WHERE 1 IN ({})", vec!["1"; 50_000].join(", "));
    let mut longest = 0;
    let events = logged(Level::TRACE, async {
        let error = repo.execute_raw(&sql, []).await.unwrap_err();
        repo.execute_raw(&sql.replace("nothing", "0"), []).await.unwrap();
        // Each level of sources as well, as error reporters print them.
        let mut source: Option<&dyn std::error::Error> = Some(&error);
        while let Some(next) = source {
            // The text, and in `Debug` that of the source as well.
            longest = longest.max(next.to_string().len()).max(format!("{next:?}").len() / 2);
            source = next.source();
        }
    });
    assert!((2_000..2_500).contains(&longest), "{longest}");
    for (_, fields) in &events {
        assert!(fields["sql"].len() < 2_100, "{}", fields["sql"].len());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_budget_bounds_all_calls_of_a_future() {
    let repo = blog().await;
    let exceeded = |result: Result<()>, most: usize| match result {
        Err(error) => {
            assert!(matches!(error.kind(), ErrorKind::TooManyStatements { limit, .. } if *limit == most), "{error}")
        }
        Ok(()) => panic!("more than {most} ran"),
    };
    // Reads, preloads, writes and raw SQL, on the repo, in transactions, and on another repo.
    let other = blog().await;
    let work = async || {
        repo.all(Query::<User>::preload(User::POSTS)).await?;
        repo.transaction(async |tx| {
            let user = tx.insert(User::build().set(User::NAME, "Bob")).await?;
            tx.transaction(async |inner| inner.update(user.change().set(User::NAME, "Bo")).await).await
        })
        .await?;
        other.execute_raw("DELETE FROM users WHERE id = ?", [Value::Int(9)]).await?;
        repo.count(Query::<User>::new()).await
    };
    let (done, statements) = repo.count_statements(work()).await;
    done.unwrap();
    assert_eq!(statements, 6);
    assert!(repo.statement_budget(6, work()).await.unwrap().is_ok());
    for most in 0..6 {
        let (result, ran) = repo.count_statements(repo.statement_budget(most, work())).await;
        exceeded(result.map(drop), most);
        assert_eq!(ran, most, "what is one too many does not run");
        // The call's own error is the same.
        let budget = repo.statement_budget(most, async {
            let error = work().await.unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::TooManyStatements { limit, .. } if *limit == most), "{error}");
        });
        exceeded(budget.await, most);
    }
    // Budgets nest; the smallest that is used up refuses.
    let nested = repo.statement_budget(10, repo.statement_budget(2, work())).await.unwrap();
    exceeded(nested.map(drop), 2);
    // Those of other futures are of no interest, whichever is polled when.
    let (three, one) = tokio::join!(
        repo.statement_budget(3, async {
            for _ in 0..3 {
                repo.count(Query::<User>::new()).await.unwrap();
                tokio::task::yield_now().await;
            }
        }),
        repo.statement_budget(1, repo.count(Query::<User>::new())),
    );
    assert!(three.is_ok() && one.is_ok());
    // A transaction whose statement was refused goes on if it may.
    let done = repo.statement_budget(2, async {
        repo.transaction(async |tx| {
            tx.insert(User::build().set(User::NAME, "kept")).await?;
            tx.insert_all((0..5_000).map(|_| User::build().set(User::NAME, "undone"))).await.unwrap_err();
            Ok::<_, Error>(())
        })
        .await
    });
    exceeded(done.await.map(drop), 2);
    assert!(repo.exists(Query::filter(User::NAME.eq("kept"))).await.unwrap());
    assert!(!repo.exists(Query::filter(User::NAME.eq("undone"))).await.unwrap());
}

#[test]
fn transactions_are_logged_by_their_statements() {
    let repo = pollster::block_on(blog());
    let events = logged(Level::DEBUG, async {
        repo.transaction(async |tx| tx.insert(User::build().set(User::NAME, "Bob")).await).await.unwrap();
    });
    assert_eq!(events.len(), 1, "{events:?}");
    assert!(events[0].1["sql"].starts_with("INSERT "), "{events:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_future_counts_its_own() {
    let repo = blog().await;
    let tasks: Vec<_> = (0..40)
        .map(|task: usize| {
            let repo = repo.clone();
            tokio::spawn(async move {
                let ((), counted) = repo
                    .count_statements(async {
                        for _ in 0..task {
                            repo.all(Query::<User>::preload(User::POSTS)).await.unwrap();
                            tokio::task::yield_now().await;
                        }
                    })
                    .await;
                (task, counted)
            })
        })
        .collect();
    for task in tasks {
        let (task, counted) = task.await.unwrap();
        assert_eq!(counted, 2 * task);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counts_nest_and_end_with_their_future() {
    let repo = blog().await;
    let read = || async { drop(repo.all(Query::<User>::new()).await.unwrap()) };
    let (inner, outer) = repo
        .count_statements(async {
            read().await;
            let (_, inner) = repo.count_statements(async { tokio::join!(read(), read()) }).await;
            let elsewhere = repo.clone();
            // Handed to another task: not counted.
            tokio::spawn(async move { elsewhere.all(Query::<User>::new()).await }).await.unwrap().unwrap();
            inner
        })
        .await;
    assert_eq!((inner, outer), (2, 3));
    // Two counters polled in turn by one task.
    let (one, two) = tokio::join!(
        repo.count_statements(async { read().await }),
        repo.count_statements(async {
            read().await;
            read().await;
        })
    );
    assert_eq!((one.1, two.1), (1, 2));
    let begun = repo.count_statements(async { repo.transaction(async |_| Ok::<_, Error>(())).await.unwrap() }).await;
    assert_eq!(begun.1, 0, "BEGIN and COMMIT are no statements");
}
