//! Counters are what `COUNT(*)` says: after random inserts, moves, saves of graphs and destroys, and after many tasks have
//! written below the same rows at once, none of which may end in a deadlock.
//!
//! `ASSOC_PROPERTY_SEED` begins elsewhere, `ASSOC_PROPERTY_CASES` sets the number of cases. A failure prints its seed.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use assoc_repo::prelude::*;
use backends::{MariaDb, PostgreSql, SqliteFile};
use conformance_tests::Backend;
use random::{Random, number};

// Only some of them are of use here.
#[allow(dead_code)]
mod backends;
mod random;

#[derive(Model, Debug, Clone, PartialEq)]
pub struct Topic {
    pub id: i64,
    pub parent_id: Option<i64>,
    #[column(counter_cache)]
    pub topics_count: i64,
    #[column(counter_cache)]
    pub posts_count: u32,
    #[column(counter_cache)]
    pub stars_count: Option<i32>,
    #[column(updated_at)]
    pub updated_at: chrono::NaiveDateTime,
    #[belongs_to(counter_cache, touch)]
    pub parent: BelongsTo<Option<Topic>>,
    #[has_many(foreign_key = "parent_id", dependent = "destroy")]
    pub topics: HasMany<Topic>,
    #[has_many(dependent = "nullify")]
    pub posts: HasMany<Post>,
    #[has_many(as = "starrable", dependent = "delete")]
    pub stars: HasMany<Star>,
}

#[derive(Model, Debug, Clone, PartialEq)]
pub struct Author {
    pub id: i64,
    #[column(counter_cache)]
    pub posts_count: i64,
    #[column(counter_cache)]
    pub notes_count: i64,
    #[has_many(dependent = "destroy")]
    pub posts: HasMany<Post>,
    #[has_many(dependent = "delete")]
    pub notes: HasMany<Note>,
}

#[derive(Model, Debug, Clone, PartialEq)]
pub struct Post {
    pub id: i64,
    pub topic_id: Option<i64>,
    pub author_id: i64,
    pub text: String,
    #[column(counter_cache)]
    pub notes_count: i64,
    #[column(counter_cache)]
    pub stars_count: i64,
    #[belongs_to(counter_cache, touch)]
    pub topic: BelongsTo<Option<Topic>>,
    #[belongs_to(counter_cache)]
    pub author: BelongsTo<Author>,
    #[has_many(dependent = "destroy")]
    pub notes: HasMany<Note>,
    #[has_many(as = "starrable", dependent = "nullify")]
    pub stars: HasMany<Star>,
}

#[derive(Model, Debug, Clone, PartialEq)]
pub struct Note {
    pub id: i64,
    pub post_id: Option<i64>,
    pub author_id: Option<i64>,
    #[belongs_to(counter_cache)]
    pub post: BelongsTo<Option<Post>>,
    #[belongs_to(counter_cache)]
    pub author: BelongsTo<Option<Author>>,
}

#[derive(Polymorphic, Debug, Clone, PartialEq)]
pub enum Starrable {
    Topic(Topic),
    Post(Post),
}

#[derive(Model, Debug, Clone, PartialEq)]
pub struct Star {
    pub id: i64,
    pub starrable_id: Option<i64>,
    #[column(length = 20)]
    pub starrable_type: Option<String>,
    #[belongs_to(polymorphic, counter_cache)]
    pub starrable: BelongsTo<Option<Starrable>>,
}

mod sqlite {
    use super::*;

    #[test]
    fn random_changes() {
        run(&SqliteFile, 120);
    }

    #[test]
    fn many_tasks() {
        write_at_once(&SqliteFile, tokio::runtime::Builder::new_multi_thread().worker_threads(4));
    }

    #[test]
    fn many_tasks_in_one_thread() {
        write_at_once(&SqliteFile, &mut tokio::runtime::Builder::new_current_thread());
    }
}

mod mariadb {
    use super::*;

    #[test]
    fn random_changes() {
        run(&MariaDb, 12);
    }

    #[test]
    fn many_tasks() {
        write_at_once(&MariaDb, tokio::runtime::Builder::new_multi_thread().worker_threads(4));
    }

    #[test]
    fn many_tasks_in_one_thread() {
        write_at_once(&MariaDb, &mut tokio::runtime::Builder::new_current_thread());
    }
}

mod postgres {
    use super::*;

    #[test]
    fn random_changes() {
        run(&PostgreSql, 12);
    }

    #[test]
    fn many_tasks() {
        write_at_once(&PostgreSql, tokio::runtime::Builder::new_multi_thread().worker_threads(4));
    }

    #[test]
    fn many_tasks_in_one_thread() {
        write_at_once(&PostgreSql, &mut tokio::runtime::Builder::new_current_thread());
    }
}

fn run(backend: &dyn Backend, cases: u64) {
    let first = number("ASSOC_PROPERTY_SEED", 1);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for seed in first..first + number("ASSOC_PROPERTY_CASES", cases) {
        let outcome = runtime.block_on(async {
            let database = backend.fresh().await.unwrap();
            let repo = Repo::from_driver(Arc::clone(database.driver()));
            change(&repo, seed).await
        });
        outcome.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    }
}

async fn make_tables(repo: &Repo) -> Result<()> {
    repo.create_table::<Topic>().await?;
    repo.create_table::<Author>().await?;
    repo.create_table::<Post>().await?;
    repo.create_table::<Note>().await?;
    repo.create_table::<Star>().await
}

fn post(random: &mut Random, topics: &[Topic], authors: &[Author]) -> assoc_repo::Changeset<Post> {
    let topic = if random.once_in(4) || topics.is_empty() { None } else { Some(random.pick(topics).id) };
    Post::build().set(Post::TOPIC_ID, topic).set(Post::AUTHOR_ID, random.pick(authors).id).set(Post::TEXT, "new")
}

/// Runs 25 random calls, and compares all counters after each.
async fn change(repo: &Repo, seed: u64) -> Result<()> {
    let mut random = Random::new(seed);
    make_tables(repo).await?;
    repo.insert_all([Topic::build(), Topic::build(), Topic::build()]).await?;
    repo.insert_all([Author::build(), Author::build()]).await?;
    // Structs that are never read again: what they say may be out of date.
    let mut old_posts: Vec<Post> = Vec::new();
    for step in 0..25 {
        let topics = repo.all(Query::<Topic>::new()).await?;
        let authors = repo.all(Query::<Author>::new()).await?;
        let posts = repo.all(Query::<Post>::new()).await?;
        let notes = repo.all(Query::<Note>::new()).await?;
        let stars = repo.all(Query::<Star>::new()).await?;
        let what = random.below(16);
        let result: Result<()> = match what {
            _ if authors.is_empty() => repo.insert(Author::build()).await.map(drop),
            0 => {
                let many: Vec<_> = (0..1 + random.below(6)).map(|_| post(&mut random, &topics, &authors)).collect();
                repo.insert_all(many).await.map(|rows| old_posts.extend(rows))
            }
            1 => {
                let parent = if topics.is_empty() { None } else { Some(random.pick(&topics).id) };
                let below = (0..random.below(3)).map(|_| {
                    let author = authors[0].id;
                    Topic::build().push(Topic::POSTS, Post::build().set(Post::AUTHOR_ID, author).set(Post::TEXT, "g"))
                });
                let below: Vec<_> = below.collect();
                let graph = Topic::build().set(Topic::PARENT_ID, parent).push(Topic::TOPICS, below);
                let saved = repo.insert(graph).await?;
                let fresh = repo.get_or_fail::<Topic>(saved.id, Query::new()).await?;
                assert_eq!(saved.topics_count, fresh.topics_count, "seed {seed}, step {step}");
                Ok(())
            }
            2 | 3 if !old_posts.is_empty() => {
                let old = random.pick(&old_posts).clone();
                let topic = if random.once_in(4) || topics.is_empty() { None } else { Some(random.pick(&topics).id) };
                let mut moved = old.change().set(Post::TOPIC_ID, topic);
                if random.once_in(2) {
                    moved = moved.set(Post::AUTHOR_ID, random.pick(&authors).id);
                }
                if random.once_in(2) {
                    moved = moved.set(Post::TEXT, format!("moved {step}"));
                }
                repo.update(moved).await.map(drop)
            }
            4 if !posts.is_empty() => {
                let owner = random.pick(&posts);
                let author = random.pick(&authors).id;
                let mut change = owner.change().push(Post::NOTES, Note::build().set(Note::AUTHOR_ID, author));
                if !notes.is_empty() {
                    change = change.push(Post::NOTES, random.pick(&notes));
                }
                if random.once_in(2) {
                    change = change.push(Post::STARS, Star::build());
                }
                let saved = repo.update(change).await?;
                let fresh = repo.get_or_fail::<Post>(saved.id, Query::new()).await?;
                assert_eq!(saved.notes_count, fresh.notes_count, "seed {seed}, step {step}");
                assert_eq!(saved.stars_count, fresh.stars_count, "seed {seed}, step {step}");
                Ok(())
            }
            5 if !topics.is_empty() => {
                let owner = random.pick(&topics);
                let own = repo.all(Query::filter(Post::TOPIC_ID.eq(owner.id))).await?;
                let mut change = owner.change();
                match random.below(3) {
                    0 => change = change.clear(Topic::POSTS),
                    1 => {
                        let kept: Vec<_> = posts.iter().filter(|_| random.once_in(3)).collect();
                        change = change.replace(Topic::POSTS, kept);
                    }
                    _ => {
                        for row in own.iter().filter(|_| random.once_in(2)) {
                            change = change.remove(Topic::POSTS, row);
                        }
                        let new = Post::build().set(Post::AUTHOR_ID, authors[0].id).set(Post::TEXT, "p");
                        change = change.push(Topic::POSTS, new);
                    }
                }
                let saved = repo.update(change).await?;
                let fresh = repo.get_or_fail::<Topic>(saved.id, Query::new()).await?;
                assert_eq!(saved.posts_count, fresh.posts_count, "seed {seed}, step {step}");
                Ok(())
            }
            6 if !topics.is_empty() && !posts.is_empty() => {
                let star = match random.once_in(2) {
                    true => Star::build().associate(Star::STARRABLE, random.pick(&topics)),
                    false => Star::build().associate(Star::STARRABLE, random.pick(&posts)),
                };
                repo.insert(star).await.map(drop)
            }
            7 if !stars.is_empty() => {
                let star = random.pick(&stars).change();
                let star = match random.below(3) {
                    0 => star.dissociate(Star::STARRABLE),
                    1 if !topics.is_empty() => star.associate(Star::STARRABLE, random.pick(&topics)),
                    _ if !posts.is_empty() => star.associate(Star::STARRABLE, random.pick(&posts)),
                    _ => star,
                };
                repo.update(star).await.map(drop)
            }
            8 if !notes.is_empty() => repo.destroy(random.pick(&notes)).await.map(drop),
            9 if !posts.is_empty() => {
                let some: Vec<_> = posts.iter().filter(|_| random.once_in(3)).collect();
                repo.destroy_rows(some).await.map(drop)
            }
            10 if !topics.is_empty() && random.once_in(2) => repo.destroy(random.pick(&topics)).await.map(drop),
            11 if random.once_in(3) => repo.destroy(random.pick(&authors)).await.map(drop),
            12 if topics.len() > 1 => {
                let (one, other) = (random.pick(&topics), random.pick(&topics));
                repo.update(one.change().set(Topic::PARENT_ID, other.id)).await.map(drop)
            }
            13 if !posts.is_empty() => {
                let id = random.pick(&posts).id;
                repo.destroy_all(Query::filter(Note::POST_ID.eq(id))).await.map(drop)
            }
            14 if !stars.is_empty() => repo.destroy(random.pick(&stars)).await.map(drop),
            _ => repo.insert_all([Topic::build(), Topic::build()]).await.map(drop),
        };
        match result {
            Ok(()) => {}
            // By an old struct.
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(Error::other(format!("step {step}, {what}: {error}"))),
        }
        require_true(repo).await.map_err(|error| Error::other(format!("step {step}, {what}: {error}")))?;
    }
    Ok(())
}

/// Every counter is what a query of its own says, written by hand.
async fn require_true(repo: &Repo) -> Result<()> {
    let of = |owner: &str, counter: &str, child: &str, condition: &str| {
        format!(
            "SELECT '{owner}.{counter}', o.id, COALESCE(o.{counter}, -99), (SELECT COUNT(*) FROM {child} c WHERE {condition}) \
             FROM {owner} o WHERE COALESCE(o.{counter}, 0) <> (SELECT COUNT(*) FROM {child} c WHERE {condition})"
        )
    };
    let checks = [
        of("topics", "topics_count", "topics", "c.parent_id = o.id"),
        of("topics", "posts_count", "posts", "c.topic_id = o.id"),
        of("topics", "stars_count", "stars", "c.starrable_type = 'Topic' AND c.starrable_id = o.id"),
        of("authors", "posts_count", "posts", "c.author_id = o.id"),
        of("authors", "notes_count", "notes", "c.author_id = o.id"),
        of("posts", "notes_count", "notes", "c.post_id = o.id"),
        of("posts", "stars_count", "stars", "c.starrable_type = 'Post' AND c.starrable_id = o.id"),
    ];
    for sql in checks {
        let mut wrong: Vec<String> = Vec::new();
        let mut sink = |values: &mut [Value<'_>]| {
            wrong.push(values.iter().map(ToString::to_string).collect::<Vec<_>>().join(" | "));
            Ok(())
        };
        let statement = assoc_core::driver::Statement::plain(sql);
        let mut connection = repo.driver().acquire(assoc_core::driver::Access::Read).await?;
        connection.query(&statement, &mut sink).await?;
        drop(connection);
        if !wrong.is_empty() {
            return Err(Error::other(format!("wrong counters: {wrong:?}")));
        }
    }
    Ok(())
}

/// 50 tasks write below 5 shared rows: they insert, move between the five, and destroy, single rows and several. Nothing is
/// retried, so no call may fail.
fn write_at_once(backend: &dyn Backend, runtime: &mut tokio::runtime::Builder) {
    const TASKS: u64 = 50;
    const CALLS: usize = 200;
    let runtime = runtime.enable_all().build().unwrap();
    runtime.block_on(async {
        let database = backend.fresh().await.unwrap();
        let repo = Repo::from_driver(Arc::clone(database.driver()));
        make_tables(&repo).await.unwrap();
        if backend.name() != "sqlite" {
            // A foreign key makes a server lock the row that is referred to.
            for sql in [
                "ALTER TABLE posts ADD FOREIGN KEY (topic_id) REFERENCES topics (id)",
                "ALTER TABLE posts ADD FOREIGN KEY (author_id) REFERENCES authors (id)",
            ] {
                repo.execute_raw(sql, []).await.unwrap();
            }
        }
        let root = repo.insert(Topic::build()).await.unwrap();
        let topics: Vec<i64> = repo
            .insert_all((0..5).map(|_| Topic::build().set(Topic::PARENT_ID, root.id)))
            .await
            .unwrap()
            .iter()
            .map(|topic| topic.id)
            .collect();
        let authors: Vec<i64> =
            repo.insert_all([Author::build(), Author::build()]).await.unwrap().iter().map(|author| author.id).collect();
        let tasks: Vec<_> = (0..TASKS)
            .map(|task| {
                let (repo, topics, authors) = (repo.clone(), topics.clone(), authors.clone());
                tokio::spawn(async move {
                    let mut random = Random::new(task + 1);
                    let mut own: Vec<Post> = Vec::new();
                    for call in 0..CALLS {
                        let new = |random: &mut Random| {
                            Post::build()
                                .set(Post::TOPIC_ID, *random.pick(&topics))
                                .set(Post::AUTHOR_ID, *random.pick(&authors))
                                .set(Post::TEXT, "x")
                        };
                        let result = match random.below(10) {
                            // Whatever needs rows that there are not yet inserts one.
                            0..=3 => repo.insert(new(&mut random)).await.map(|row| own.push(row)),
                            4 => {
                                let rows: Vec<_> = (0..3).map(|_| new(&mut random)).collect();
                                repo.insert_all(rows).await.map(|rows| own.extend(rows))
                            }
                            5 | 6 if !own.is_empty() => {
                                let at = random.below(own.len());
                                let moved = own[at].change().set(Post::TOPIC_ID, *random.pick(&topics));
                                repo.update(moved).await.map(|row| own[at] = row)
                            }
                            7 | 8 if !own.is_empty() => {
                                let row = own.swap_remove(random.below(own.len()));
                                repo.destroy(&row).await.map(drop)
                            }
                            9 if own.len() > 1 => {
                                let rows = own.split_off(own.len() - 2);
                                repo.destroy_rows(&rows).await.map(drop)
                            }
                            _ => repo.insert(new(&mut random)).await.map(|row| own.push(row)),
                        };
                        if let Err(error) = result {
                            return Err(format!("task {task}, call {call}: {error}"));
                        }
                    }
                    Ok(own.len())
                })
            })
            .collect();
        let mut left = 0;
        let mut failed = Vec::new();
        for task in tasks {
            match task.await.unwrap() {
                Ok(own) => left += own,
                Err(error) => failed.push(error),
            }
        }
        assert!(failed.is_empty(), "{} tasks failed: {failed:#?}", failed.len());
        require_true(&repo).await.unwrap();
        let counted: u32 = repo.all(Query::<Topic>::new()).await.unwrap().iter().map(|topic| topic.posts_count).sum();
        assert_eq!(counted as usize, left);
    });
}
