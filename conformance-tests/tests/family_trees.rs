//! Trees of one model whose rows depend on each other, written by handles at random: members are added, moved below others and into rings,
//! removed, destroyed with all below them, deleted without; counters and rows are what an in-memory model says after each call.
//!
//! `ASSOC_PROPERTY_SEED` begins elsewhere, `ASSOC_PROPERTY_CASES` sets the number of cases. A failure prints its seed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use assoc_core::{FieldError, LoadState};
use assoc_repo::prelude::*;
use backends::{MariaDb, SqliteInMemory};
use conformance_tests::Backend;
use random::{Random, number};

// Only some of them are of use here.
#[allow(dead_code)]
mod backends;
mod random;

/// The foreign key is that of `parent`, by its inverse.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "people")]
struct Person {
    id: i64,
    parent_id: Option<i64>,
    #[column(counter_cache)]
    children_count: i64,
    #[belongs_to(counter_cache = "children_count")]
    parent: BelongsTo<Option<Person>>,
    #[has_many(inverse_of = "parent", dependent = "destroy")]
    children: HasMany<Person>,
}

/// Each person's parent, who may be gone.
type People = BTreeMap<i64, Option<i64>>;

fn children(people: &People, of: i64) -> Vec<i64> {
    people.iter().filter(|(_, parent)| **parent == Some(of)).map(|(id, _)| *id).collect()
}

/// Some people, and all below them.
fn with_all_below(people: &People, some: &[i64]) -> BTreeSet<i64> {
    let mut all = BTreeSet::new();
    let mut open = some.to_vec();
    while let Some(next) = open.pop() {
        if people.contains_key(&next) && all.insert(next) {
            open.extend(children(people, next));
        }
    }
    all
}

fn destroy(people: &mut People, some: &[i64]) {
    for gone in with_all_below(people, some) {
        people.remove(&gone);
    }
}

async fn stored(repo: &Repo) -> Result<People> {
    let all = repo.all(Query::<Person>::new()).await?;
    let people: People = all.iter().map(|person| (person.id, person.parent_id)).collect();
    for person in &all {
        let count = children(&people, person.id).len() as i64;
        assert_eq!(person.children_count, count, "the counter of {}: {people:?}", person.id);
    }
    Ok(people)
}

async fn grow(repo: &Repo, seed: u64) -> Result<usize> {
    let mut random = Random::new(seed);
    let mut refused = 0;
    repo.create_table::<Person>().await?;
    let mut people = People::new();
    for step in 0..40 {
        let ids: Vec<i64> = people.keys().copied().collect();
        if ids.len() < 4 {
            let roots = repo.insert_all([Person::build(), Person::build(), Person::build()]).await?;
            people.extend(roots.iter().map(|person| (person.id, None)));
            continue;
        }
        let of = *random.pick(&ids);
        let mut owner = repo.get_or_fail::<Person>(of, Query::new()).await?;
        if random.once_in(2) {
            repo.association(&mut owner, Person::CHILDREN).load().await?;
        }
        let own = children(&people, of);
        let some: Vec<i64> = ids.iter().copied().filter(|_| random.once_in(4)).collect();
        let other = *random.pick(&ids);
        let mut rows = Vec::new();
        for id in some.iter().chain([&other]) {
            rows.push(repo.get_or_fail::<Person>(*id, Query::new()).await?);
        }
        let other_row = rows.pop().unwrap();
        let is_in_a_ring = with_all_below(&people, &own).contains(&of);
        let mut expected = people.clone();
        let before = owner.clone();
        let mut owner_needed = false;
        let mut below = repo.association(&mut owner, Person::CHILDREN);
        let what = random.below(12);
        let result: Result<()> = match what {
            0 | 1 => below.create(Person::build()).await.map(|created| {
                expected.insert(created.id, Some(of));
            }),
            2 => {
                let draft = Person::build().push(Person::CHILDREN, [Person::build(), Person::build()]);
                below.create(draft).await.map(|created| {
                    expected.insert(created.id, Some(of));
                    expected.extend(created.children().unwrap().iter().map(|child| (child.id, Some(created.id))));
                })
            }
            // Below itself, and above what is above it, as well.
            3 => {
                expected.extend(some.iter().map(|id| (*id, Some(of))));
                below.push(&rows).await
            }
            4 => {
                destroy(&mut expected, &[other]);
                below.delete(&other_row).await
            }
            5 => {
                destroy(&mut expected, &[other]);
                below.destroy(&other_row).await
            }
            6 => {
                destroy(&mut expected, &own);
                below.destroy_all().await.map(drop)
            }
            7 => {
                for id in &own {
                    expected.remove(id);
                }
                below.clear().await
            }
            8 => {
                let gone: Vec<i64> = own.iter().copied().filter(|id| !some.contains(id)).collect();
                // In a ring, the owner is below what goes. It cannot be destroyed and have members.
                let destroys_owner = with_all_below(&people, &gone).contains(&of);
                owner_needed = destroys_owner && !some.is_empty();
                // What is below those that go goes as well, unless it is moved by the same call.
                expected.extend(some.iter().map(|id| (*id, Some(of))));
                destroy(&mut expected, &gone);
                below.replace(&rows).await
            }
            9 => repo.destroy(&other_row).await.map(|_| destroy(&mut expected, &[other])),
            10 => {
                expected.insert(of, Some(other));
                repo.association(&mut owner, Person::PARENT).set(&other_row).await
            }
            _ => {
                expected.insert(of, None);
                repo.association(&mut owner, Person::PARENT).clear().await
            }
        };
        let now = stored(repo).await?;
        let said = || {
            format!("seed {seed}, step {step}, call {what} of {of}, other {other}, some {some:?}\nbefore {people:?}")
        };
        match result {
            Ok(()) => {
                assert!(!owner_needed, "the owner has members and is destroyed, {}", said());
                assert_eq!(now, expected, "{}", said());
                if let Some(fresh) = repo.get::<Person>(of, Query::new()).await?.filter(|_| what != 9) {
                    let held = (owner.parent_id, owner.children_count);
                    assert_eq!(held, (fresh.parent_id, fresh.children_count), "in memory, {}", said());
                    if owner.children.state() == LoadState::Loaded {
                        let held: BTreeSet<i64> = owner.children().unwrap().iter().map(|child| child.id).collect();
                        assert_eq!(held, children(&now, of).into_iter().collect(), "in memory, {}", said());
                    }
                }
            }
            Err(error) => {
                let is_needed = error.field_errors().iter().any(|of| of.code == FieldError::OWNER_DESTROYED);
                assert!(!is_needed || owner_needed, "{error:?}, {}", said());
                // One that is to be a member depends on one that goes.
                let is_dropped = error.field_errors().iter().any(|of| of.code == FieldError::DESTROYED);
                assert!(!is_dropped || what == 8, "{error:?}, {}", said());
                let is_known = is_needed
                    || is_dropped
                    || error.is_not_found()
                    || matches!(error.kind(), ErrorKind::NotMember { .. });
                let names_rows = matches!(what, 4 | 5 | 8);
                assert!(is_known && (names_rows || is_in_a_ring), "{error:?}, {}", said());
                assert_eq!(now, people, "{error}, {}", said());
                assert!(what == 9 || owner == before, "the owner stays as it is, {}", said());
                refused += 1;
            }
        }
        people = now;
    }
    Ok(refused)
}

fn many(backend: &dyn Backend, default: u64) {
    let first = number("ASSOC_PROPERTY_SEED", 1);
    let cases = number("ASSOC_PROPERTY_CASES", default);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut refused = 0;
    for seed in first..first + cases {
        let outcome = runtime.block_on(async {
            let database = backend.fresh().await?;
            grow(&Repo::from_driver(Arc::clone(database.driver())), seed).await
        });
        refused += outcome.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    }
    assert!(cases < 10 || refused > 0, "no call met a row that is no member");
}

mod sqlite {
    use super::*;

    #[test]
    fn random_calls() {
        many(&SqliteInMemory, 200);
    }
}

mod mariadb {
    use super::*;

    #[test]
    fn random_calls() {
        many(&MariaDb, 20);
    }
}
