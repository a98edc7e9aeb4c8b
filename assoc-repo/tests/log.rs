//! The statement log: one `tracing` event a statement, and counts that go to the right future.

// Helpers of tests fail as tests do.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

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
        assert!(fields["error"].contains("nowhere"), "{fields:?}");
    }
    assert_eq!(logged(Level::INFO, async { drop(repo.all(Query::<User>::new()).await) }), []);
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
    let begun = repo.count_statements(async { repo.transaction(async |_| Ok(())).await.unwrap() }).await;
    assert_eq!(begun.1, 0, "BEGIN and COMMIT are no statements");
}
