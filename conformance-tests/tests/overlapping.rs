//! Two transactions that overlap, and write by handles of one owner: a call of each, for every pair of calls. Whatever the order in which
//! the database lets them through, counters are what is there, nothing of other owners changes, and each call is done, or refused because
//! the other one took its row. In serializable transactions what is there afterwards is what one call after the other would leave.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;
use std::time::Duration;

use assoc_repo::prelude::*;
use assoc_repo::{Changeset, IsolationLevel, RetryPolicy, TransactionOptions};
use backends::{MariaDb, PostgreSql, SqliteFile};
use conformance_tests::Backend;

// Only some of them are of use here.
#[allow(dead_code)]
mod backends;

#[derive(Model, Debug, Clone, PartialEq)]
struct Topic {
    id: i64,
    #[column(counter_cache)]
    posts_count: i64,
    #[column(counter_cache)]
    links_count: i64,
    #[column(updated_at)]
    updated_at: chrono::NaiveDateTime,
    #[has_many(dependent = "nullify")]
    posts: HasMany<Post>,
    #[has_one]
    summary: HasOne<Option<Summary>>,
    #[has_many]
    links: HasMany<Link>,
    #[has_many(through = "links", counter_cache = "links_count")]
    tags: HasManyThrough<Tag>,
}

#[derive(Model, Debug, Clone, PartialEq)]
struct Post {
    id: i64,
    topic_id: Option<i64>,
    title: String,
    #[belongs_to(counter_cache, touch)]
    topic: BelongsTo<Option<Topic>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "summaries")]
struct Summary {
    id: i64,
    topic_id: Option<i64>,
    title: String,
}

#[derive(Model, Debug, Clone, PartialEq)]
struct Link {
    id: i64,
    topic_id: i64,
    tag_id: i64,
    #[belongs_to(counter_cache)]
    topic: BelongsTo<Topic>,
    #[belongs_to(counter_cache)]
    tag: BelongsTo<Tag>,
}

#[derive(Model, Debug, Clone, PartialEq)]
struct Tag {
    id: i64,
    #[column(length = 20)]
    name: String,
    #[column(counter_cache)]
    links_count: i64,
    #[has_many]
    links: HasMany<Link>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    Create,
    PushFree,
    PushTheirs,
    Delete,
    Destroy,
    Replace,
    SetIds,
    Clear,
    DestroyAll,
    SetOne,
    ClearOne,
    PushTag,
    DeleteTag,
    ReplaceTags,
    ClearTags,
}

const CALLS: [Call; 15] = [
    Call::Create,
    Call::PushFree,
    Call::PushTheirs,
    Call::Delete,
    Call::Destroy,
    Call::Replace,
    Call::SetIds,
    Call::Clear,
    Call::DestroyAll,
    Call::SetOne,
    Call::ClearOne,
    Call::PushTag,
    Call::DeleteTag,
    Call::ReplaceTags,
    Call::ClearTags,
];

/// An owner with two posts, a summary and two tags; another owner's post, and one of none.
#[derive(Clone)]
struct World {
    topic: Topic,
    other: Topic,
    posts: Vec<Post>,
    free: Post,
    theirs: Post,
    tags: Vec<Tag>,
}

fn post(title: &str) -> Changeset<Post> {
    Post::build().set(Post::TITLE, title)
}

async fn world(repo: &Repo) -> Result<World> {
    for table in ["posts", "summaries", "links", "tags", "topics"] {
        repo.execute_raw(&format!("DELETE FROM {table}"), []).await?;
    }
    let tags = repo.insert_all(["s", "t", "u"].map(|name| Tag::build().set(Tag::NAME, name))).await?;
    let summary = Summary::build().set(Summary::TITLE, "old");
    let draft = Topic::build().push(Topic::POSTS, ["a", "b"].map(post)).set_one(Topic::SUMMARY, summary);
    let topic = repo.insert(draft.push(Topic::TAGS, [&tags[0], &tags[1]])).await?;
    let other = repo.insert(Topic::build().push(Topic::POSTS, post("theirs")).push(Topic::TAGS, &tags[0])).await?;
    let free = repo.insert(post("free")).await?;
    let (posts, theirs) = (topic.posts().unwrap().to_vec(), other.posts().unwrap()[0].clone());
    Ok(World { topic, other, posts, free, theirs, tags })
}

async fn run(repo: &Repo, world: &World, call: Call, who: &str) -> Result<()> {
    let mut topic = world.topic.clone();
    let World { posts, free, theirs, tags, .. } = world;
    match call {
        Call::Create => repo.association(&mut topic, Topic::POSTS).create(post(who)).await.map(drop),
        Call::PushFree => repo.association(&mut topic, Topic::POSTS).push(free).await,
        Call::PushTheirs => repo.association(&mut topic, Topic::POSTS).push(theirs).await,
        Call::Delete => repo.association(&mut topic, Topic::POSTS).delete(&posts[0]).await,
        Call::Destroy => repo.association(&mut topic, Topic::POSTS).destroy(&posts[0]).await,
        Call::Replace => {
            repo.association(&mut topic, Topic::POSTS).replace([posts[1].change(), post(who), free.change()]).await
        }
        Call::SetIds => repo.association(&mut topic, Topic::POSTS).set_ids([posts[0].id, free.id]).await,
        Call::Clear => repo.association(&mut topic, Topic::POSTS).clear().await,
        Call::DestroyAll => repo.association(&mut topic, Topic::POSTS).destroy_all().await.map(drop),
        Call::SetOne => {
            repo.association(&mut topic, Topic::SUMMARY).set(Summary::build().set(Summary::TITLE, who)).await
        }
        Call::ClearOne => repo.association(&mut topic, Topic::SUMMARY).clear().await,
        Call::PushTag => repo.association(&mut topic, Topic::TAGS).push(&tags[2]).await,
        Call::DeleteTag => repo.association(&mut topic, Topic::TAGS).delete(&tags[0]).await,
        Call::ReplaceTags => repo.association(&mut topic, Topic::TAGS).replace([&tags[1], &tags[2]]).await,
        Call::ClearTags => repo.association(&mut topic, Topic::TAGS).clear().await,
    }
}

/// What is there, by names: which post is whose, which summary, which tags.
async fn state(repo: &Repo, world: &World) -> Result<Vec<String>> {
    let whose = |topic: Option<i64>| match topic {
        Some(id) if id == world.topic.id => "own",
        Some(id) if id == world.other.id => "other's",
        Some(_) => "nowhere",
        None => "free",
    };
    let mut state = Vec::new();
    for post in repo.all(Query::<Post>::new()).await? {
        state.push(format!("post {} {}", post.title, whose(post.topic_id)));
    }
    for summary in repo.all(Query::<Summary>::new()).await? {
        state.push(format!("summary {} {}", summary.title, whose(summary.topic_id)));
    }
    for link in repo.all(Query::<Link>::preload(Link::TAG)).await? {
        state.push(format!("tag {} {}", link.tag().unwrap().name, whose(Some(link.topic_id))));
    }
    state.sort();
    Ok(state)
}

async fn require_true(repo: &Repo, world: &World, said: &str) -> Result<()> {
    let wrong = repo.reset_counters((Topic::POSTS, Topic::TAGS)).await? + repo.reset_counters(Tag::LINKS).await?;
    assert_eq!(wrong, 0, "{said}: counters");
    let theirs = repo.association(&world.other, Topic::TAGS).count().await?;
    assert_eq!(theirs, 1, "{said}: another owner's tags");
    Ok(())
}

// What one call after the other leaves, in both orders.
async fn one_after_the_other(repo: &Repo, first: Call, second: Call) -> Result<Vec<Vec<String>>> {
    let mut states = Vec::new();
    for swapped in [false, true] {
        let world = world(repo).await?;
        let calls = [(first, "one"), (second, "two")];
        let order = if swapped { [calls[1], calls[0]] } else { calls };
        for (call, who) in order {
            allowed(run(repo, &world, call, who).await, call)?;
        }
        states.push(state(repo, &world).await?);
    }
    Ok(states)
}

// A call may find that the other one took its row.
fn allowed(result: Result<()>, call: Call) -> Result<()> {
    match result {
        Err(error) if error.is_not_found() || matches!(error.kind(), assoc_core::ErrorKind::NotMember { .. }) => {
            let names_rows = matches!(
                call,
                Call::Delete
                    | Call::Destroy
                    | Call::PushFree
                    | Call::PushTheirs
                    | Call::Replace
                    | Call::SetIds
                    | Call::DeleteTag
            );
            if names_rows { Ok(()) } else { Err(error) }
        }
        other => other,
    }
}

async fn at_once(repo: &Repo, first: Call, second: Call, level: Option<IsolationLevel>) -> Result<()> {
    let said = format!("{first:?} beside {second:?}, {level:?}");
    let options = || {
        let options = TransactionOptions::new().retry(RetryPolicy::new(10));
        level.map_or(options, |level| options.isolation(level))
    };
    let world = Arc::new(world(repo).await?);
    // The first one may meet a deadlock as well, so it is run anew as a whole; it waits in the midst of each attempt.
    let task = |call: Call, who: &'static str, waits: bool| {
        let (repo, world, options) = (repo.clone(), Arc::clone(&world), options());
        tokio::spawn(async move {
            repo.transaction_with(options, async |tx| {
                // The transaction has read before the other one commits.
                tx.association(&world.topic, Topic::POSTS).count().await?;
                let result = run(tx, &world, call, who).await;
                if waits {
                    tokio::time::sleep(Duration::from_millis(15)).await;
                }
                result
            })
            .await
        })
    };
    let one = task(first, "one", true);
    tokio::time::sleep(Duration::from_millis(3)).await;
    let other = task(second, "two", false);
    let (one, other) = (one.await.unwrap(), other.await.unwrap());
    allowed(one, first).map_err(|error| Error::other(format!("{said}: {error}")))?;
    allowed(other, second).map_err(|error| Error::other(format!("{said}: {error}")))?;
    let left = state(repo, &world).await?;
    require_true(repo, &world, &said).await?;
    if level.is_some() {
        let expected = one_after_the_other(repo, first, second).await?;
        assert!(expected.contains(&left), "{said}: {left:#?}, and not one of {expected:#?}");
    }
    Ok(())
}

// Runs one of `every` pairs of calls, or all pairs with ASSOC_ALL_CASES. Each call comes first and second.
fn every_pair(backend: &dyn Backend, every: usize) {
    let every = if std::env::var_os("ASSOC_ALL_CASES").is_some() { 1 } else { every };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let database = backend.fresh().await.unwrap();
        let repo = Repo::from_driver(Arc::clone(database.driver()));
        repo.create_table::<Topic>().await.unwrap();
        repo.create_table::<Post>().await.unwrap();
        repo.create_table::<Summary>().await.unwrap();
        repo.create_table::<Link>().await.unwrap();
        repo.create_table::<Tag>().await.unwrap();
        let mut failed = Vec::new();
        for level in [None, Some(IsolationLevel::Serializable)] {
            for (row, first) in CALLS.into_iter().enumerate() {
                for second in CALLS.into_iter().skip(row % every).step_by(every) {
                    if let Err(error) = at_once(&repo, first, second, level).await {
                        failed.push(error.to_string());
                    }
                }
            }
        }
        assert!(failed.is_empty(), "{}: {failed:#?}", backend.name());
    });
}

mod sqlite {
    use super::*;

    #[test]
    fn every_pair_of_calls() {
        every_pair(&SqliteFile, 1);
    }
}

mod mariadb {
    use super::*;

    #[test]
    fn every_pair_of_calls() {
        every_pair(&MariaDb, 1);
    }
}

mod postgres {
    use super::*;

    /// Fewer, because each takes its time there.
    #[test]
    fn every_pair_of_calls() {
        every_pair(&PostgreSql, 4);
    }
}
