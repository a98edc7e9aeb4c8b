//! Random sequences of calls of handles, of every kind that can be written, against a model of the tables in memory: after
//! each call the tables hold what was said, and so does the owner; what was refused left both as they were.
//!
//! Each sequence has two copies of one owner, with what is loaded, loaded in part and not loaded, outside of transactions and
//! within them, and within savepoints that begin between two calls and are undone. `ASSOC_PROPERTY_SEED` begins elsewhere, `ASSOC_PROPERTY_CASES` sets the number of sequences. A failure prints
//! the seed of its sequence, and its calls.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use assoc_repo::prelude::*;
use assoc_repo::{
    Collection, MembersWithKey, Singular, ToManyAssociation, ToOneAssociation, WritableMany, WritableTarget,
};
use backends::{MariaDb, PostgreSql, SqliteInMemory};
use collections::{Scene, same};
use conformance_tests::Backend;
use given::Labelled;
use kinds::kind;
use random::{Random, number};
use schema::*;
use tables::{Tables, empty, make_tables, read};

// Only some of them are of use here.
#[allow(dead_code)]
mod backends;
#[path = "handles/collections.rs"]
mod collections;
#[path = "handles/given.rs"]
mod given;
#[path = "handles/kinds.rs"]
mod kinds;
#[path = "handles/memory.rs"]
mod memory;
#[path = "handles/polymorphic.rs"]
mod polymorphic;
mod random;
#[path = "handles/reading.rs"]
mod reading;
#[path = "handles/schema.rs"]
mod schema;
#[path = "handles/singles.rs"]
mod singles;
#[path = "handles/tables.rs"]
mod tables;
#[path = "handles/upserts.rs"]
mod upserts;

type OpenMany<O, T, A> = for<'r, 'o> fn(&'r Repo, &'o mut O) -> Collection<'r, &'o mut O, T, A>;
type OpenOne<O, T, A> = for<'r, 'o> fn(&'r Repo, &'o mut O) -> Singular<'r, &'o mut O, T, A>;
type Ended = std::result::Result<(), String>;

#[derive(Debug, Default)]
pub(crate) struct Outcomes {
    read: u64,
    written: u64,
    refused: u64,
    rolled_back: u64,
    upserted: u64,
    savepoints: u64,
}

pub(crate) fn is_refusal(error: &Error) -> bool {
    error.is_not_found()
        || error.is_restricted()
        || matches!(error.kind(), ErrorKind::Invalid { .. } | ErrorKind::NotMember { .. })
}

// Owners with some members of every kind, and rows that have no owner.
async fn populate(repo: &Repo, random: &mut Random) -> Result<()> {
    let mut owners = Vec::new();
    for label in ["a", "b", "c"] {
        owners.push(repo.insert(Owner::build().set(Owner::LABEL, label)).await?);
    }
    let some = |random: &mut Random| (!random.once_in(3)).then(|| owners[random.below(2)].id);
    for at in 0..5 {
        let item = Item::build()
            .set(Item::LABEL, format!("i{at}"))
            .set(Item::OPEN, random.once_in(2))
            .set(Item::PLAIN_ID, some(random))
            .set(Item::NULLIFIED_ID, some(random))
            .set(Item::DELETED_ID, some(random))
            .set(Item::DESTROYED_ID, some(random))
            .set(Item::RESTRICTED_ID, some(random).filter(|_| random.once_in(3)))
            .set(Item::COUNTED_ID, some(random));
        let item = repo.insert(item).await?;
        if random.once_in(3) {
            repo.insert(Remark::build().set(Remark::LABEL, format!("r{at}")).set(Remark::ITEM_ID, item.id)).await?;
        }
        if random.once_in(5) {
            repo.insert(Stamp::build().set(Stamp::LABEL, format!("s{at}")).set(Stamp::ITEM_ID, item.id)).await?;
        }
        let kind = *random.pick(&["Owner", "item"]);
        let note = Note::build().set(Note::LABEL, format!("n{at}")).set(Note::OPEN, random.once_in(2));
        let note = match some(random) {
            Some(id) => note.set(Note::SUBJECT_ID, id).set(Note::SUBJECT_TYPE, kind),
            None => note,
        };
        repo.insert(note).await?;
        let card = Card::build()
            .set(Card::LABEL, format!("c{at}"))
            .set(Card::PLAIN_ID, some(random).filter(|_| random.once_in(2)))
            .set(Card::DELETED_ID, some(random).filter(|_| random.once_in(2)))
            .set(Card::DESTROYED_ID, some(random).filter(|_| random.once_in(2)));
        repo.insert(card).await?;
        let part = Part::build().set(Part::LABEL, format!("p{at}")).set(Part::OWNER_ID, owners[random.below(2)].id);
        repo.insert(part).await?;
    }
    for at in 0..3 {
        let group = Group::build().set(Group::LABEL, format!("g{at}")).set(Group::OPEN, random.once_in(2));
        let group = repo.insert(group).await?;
        let tag = repo.insert(Tag::build().set(Tag::LABEL, format!("t{at}"))).await?;
        for _ in 0..random.below(4) {
            let membership = Membership::build()
                .set(Membership::OWNER_ID, owners[random.below(2)].id)
                .set(Membership::GROUP_ID, group.id)
                .set(Membership::ROLE, random.pick(&[Some("chair"), Some("guest"), None]).map(str::to_owned));
            repo.insert(membership).await?;
            let sql = "INSERT INTO owners_tags (owner_id, tag_id) VALUES (?, ?)";
            repo.execute_raw(sql, [owners[random.below(2)].id.into(), tag.id.into()]).await?;
        }
        if random.once_in(3) {
            let seat = Seat::build().set(Seat::OWNER_ID, owners[random.below(2)].id).set(Seat::CLUB_ID, group.id);
            repo.insert(seat).await?;
        }
        let chief = repo.insert(Owner::build().set(Owner::LABEL, format!("o{at}")).set(Owner::CHIEF_ID, some(random)));
        let chief = chief.await?;
        let sql = "INSERT INTO friends (this_id, other_id) VALUES (?, ?)";
        repo.execute_raw(sql, [owners[random.below(2)].id.into(), chief.id.into()]).await?;
    }
    for (room, number) in [(1, 1), (1, 2), (2, 1)] {
        let shelf = Shelf::build().set(Shelf::ROOM, room).set(Shelf::NUMBER, number);
        repo.insert(shelf.set(Shelf::LABEL, format!("s{room}{number}"))).await?;
        for at in 0..2 {
            let name = format!("b{room}{number}{at}");
            let book = Book::build().set(Book::ROOM, room).set(Book::ISBN, &*name).set(Book::LABEL, &*name);
            let number = (!random.once_in(3)).then_some(number);
            repo.insert(book.set(Book::SHELF_NUMBER, number)).await?;
        }
    }
    Ok(())
}

struct World<'w> {
    repo: &'w Repo,
    random: Random,
    labels: u64,
    outcomes: &'w mut Outcomes,
}

// A copy of an owner, with something loaded.
async fn copy<O: Labelled>(
    world: &mut World<'_>,
    name: &str,
    label: &str,
    partial: Option<fn() -> Select<O>>,
) -> Result<O> {
    let mut query = match (world.random.below(3), partial) {
        (0, Some(partial)) => partial(),
        (0, None) | (1, _) => Query::new().preload_path(name)?,
        _ => Query::new(),
    };
    for association in O::DEF.associations {
        if association.name != name && world.random.once_in(4) {
            query = query.preload_path(association.name)?;
        }
    }
    world.repo.one(query.filter(O::LABEL.eq(label))).await?.ok_or_else(|| Error::other("no such owner"))
}

// Calls of one association, by two copies of its owner.
macro_rules! sequence {
    ($name:ident, [$($bound:tt)+], $open:ident, $call:path) => {
        async fn $name<O, T, A>(
            world: &mut World<'_>,
            of: (&'static str, &'static str),
            open: $open<O, T, A>,
            partial: Option<fn() -> Select<O>>,
        ) -> Ended
        where
            O: Labelled,
            T: Labelled,
            A: $($bound)+,
        {
            let kind = kind(of.0, of.1).expect("a kind");
            let told = |error: Error| error.to_string();
            let mut counted = read(world.repo, &Tables::default(), None).await.map_err(told)?;
            let tables = counted.clone();
            counted.count();
            same(kind, &counted, &tables)?;
            let label = label_of(of.0, &tables, &mut world.random);
            let mut copies = Vec::new();
            for _ in 0..2 {
                copies.push(copy::<O>(world, of.1, &label, partial).await.map_err(told)?);
            }
            let calls = 3 + world.random.below(6);
            let mut scene = Scene::<T> {
                kind,
                owner: label,
                tables,
                random: &mut world.random,
                labels: &mut world.labels,
                stale: Vec::new(),
                log: Vec::new(),
                outcomes: world.outcomes,
            };
            let mut done = 0;
            while done < calls {
                let at = usize::from(scene.random.once_in(3));
                let more = 1 + scene.random.below(3);
                done += more;
                let result = match scene.random.below(6) {
                    // Undone: the structs are those from before the savepoint.
                    0 => {
                        let (before, mut owner) = (scene.tables.clone(), copies[at].clone());
                        scene.log.push("begin".to_owned());
                        let tx = world.repo.begin().await.map_err(told)?;
                        let result = $name::steps(&mut scene, &tx, &mut owner, open, more).await;
                        tx.rollback().await.map_err(told)?;
                        scene.log.push("rollback".to_owned());
                        scene.tables = before;
                        scene.stale.clear();
                        scene.outcomes.rolled_back += 1;
                        let actual = read(world.repo, &scene.tables, None).await.map_err(told)?;
                        result.and_then(|()| same(kind, &scene.tables, &actual))
                    }
                    1 => {
                        scene.log.push("begin".to_owned());
                        let tx = world.repo.begin().await.map_err(told)?;
                        let result = $name::steps(&mut scene, &tx, &mut copies[at], open, more).await;
                        tx.commit().await.map_err(told)?;
                        scene.log.push("commit".to_owned());
                        let actual = read(world.repo, &scene.tables, None).await.map_err(told)?;
                        result.and_then(|()| same(kind, &scene.tables, &actual))
                    }
                    _ => $name::steps(&mut scene, world.repo, &mut copies[at], open, more).await,
                };
                if let Err(what) = result {
                    return Err(format!("{}\nafter:\n{}", what, scene.log.join("\n")));
                }
            }
            Ok(())
        }

        mod $name {
            use super::*;

            // Calls of one handle.
            pub(super) async fn steps<O, T, A>(
                scene: &mut Scene<'_, T>,
                repo: &Repo,
                owner: &mut O,
                open: $open<O, T, A>,
                calls: usize,
            ) -> Ended
            where
                O: Labelled,
                T: Labelled,
                A: $($bound)+,
            {
                let mut left = calls;
                while left > 0 {
                    if repo.in_transaction() && scene.random.once_in(4) {
                        left -= 1;
                        Box::pin(inner(scene, repo, owner, open)).await?;
                        continue;
                    }
                    let mut handle = open(repo, owner);
                    for _ in 0..1 + scene.random.below(left) {
                        left -= 1;
                        $call(scene, repo, &mut handle).await?;
                    }
                }
                Ok(())
            }

            // Calls within a savepoint, which is undone or kept. What is undone leaves the owner in memory as it was before.
            async fn inner<O, T, A>(
                scene: &mut Scene<'_, T>,
                repo: &Repo,
                owner: &mut O,
                open: $open<O, T, A>,
            ) -> Ended
            where
                O: Labelled,
                T: Labelled,
                A: $($bound)+,
            {
                let told = |error: Error| error.to_string();
                let (before, mut copy) = (scene.tables.clone(), owner.clone());
                scene.log.push("savepoint".to_owned());
                let tx = repo.begin().await.map_err(told)?;
                let calls = 1 + scene.random.below(2);
                steps(scene, &tx, &mut copy, open, calls).await?;
                if scene.random.once_in(3) {
                    tx.commit().await.map_err(told)?;
                    scene.log.push("released".to_owned());
                    *owner = copy;
                } else {
                    tx.rollback().await.map_err(told)?;
                    scene.log.push("undone".to_owned());
                    scene.tables = before;
                    scene.stale.clear();
                }
                scene.outcomes.savepoints += 1;
                let actual = read(repo, &scene.tables, None).await.map_err(told)?;
                same(scene.kind, &scene.tables, &actual)
            }
        }
    };
}

fn label_of(table: &str, tables: &Tables, random: &mut Random) -> String {
    match table {
        "owners" => "a".to_owned(),
        _ => {
            let rows = tables.rows(table);
            tables::label(&rows[random.below(rows.len())])
        }
    }
}

sequence!(of_many, [ToManyAssociation<O, T> + WritableMany<O, T>], OpenMany, collections::call);
sequence!(of_keyed, [ToManyAssociation<O, T> + WritableMany<O, T> + MembersWithKey<O, T>], OpenMany, upserts::call);
sequence!(of_one, [ToOneAssociation<O, T> + WritableTarget<O, T>], OpenOne, singles::call);

// One sequence of an association that is chosen by chance.
macro_rules! choose {
    ($world:ident; $($sort:ident $many:ident $owner:ident::$token:ident $table:literal of $target:ident;)+ - $($one:ident $sole:ident::$single:ident $base:literal;)+) => {{
        let names = [$(stringify!($many),)+ $(stringify!($one),)+];
        let chosen = $world.random.below(names.len());
        let mut at = 0;
        $(
            if at == chosen {
                let partial: fn() -> Select<$owner> =
                    || Query::preload($owner::$token.filter($target::LABEL.like("k%").or($target::LABEL.like("%0"))));
                let of = ($table, stringify!($many));
                return Box::pin($sort($world, of, |repo, owner| repo.association(owner, $owner::$token), Some(partial))).await.map_err(|what| format!("{}: {what}", of.1));
            }
            at += 1;
        )+
        $(
            if at == chosen {
                let of = ($base, stringify!($one));
                return Box::pin(of_one($world, of, |repo, owner| repo.association(owner, $sole::$single), None)).await.map_err(|what| format!("{}: {what}", of.1));
            }
            at += 1;
        )+
        let _ = at;
        Ok(())
    }};
}

// One sequence of a polymorphic `belongs_to`, by two copies of its owner.
async fn of_subject(world: &mut World<'_>) -> Ended {
    let told = |error: Error| error.to_string();
    let tables = read(world.repo, &Tables::default(), None).await.map_err(told)?;
    let note = label_of("notes", &tables, &mut world.random);
    let mut copies = Vec::new();
    for _ in 0..2 {
        copies.push(copy::<Note>(world, "subject", &note, None).await.map_err(told)?);
    }
    let calls = 3 + world.random.below(6);
    let mut scene = polymorphic::Scene {
        note,
        tables,
        random: &mut world.random,
        labels: &mut world.labels,
        log: Vec::new(),
        outcomes: world.outcomes,
    };
    for _ in 0..calls {
        let at = usize::from(scene.random.once_in(3));
        let result = if scene.random.once_in(4) {
            // Undone: the structs are those from before the savepoint.
            let (before, mut note) = (scene.tables.clone(), copies[at].clone());
            let tx = world.repo.begin().await.map_err(told)?;
            let inner = tx.begin().await.map_err(told)?;
            let result = scene.call(&inner, &mut note).await;
            if scene.random.once_in(2) { inner.rollback().await } else { inner.commit().await }.map_err(told)?;
            tx.rollback().await.map_err(told)?;
            scene.log.push("rollback".to_owned());
            scene.tables = before;
            scene.outcomes.rolled_back += 1;
            let actual = read(world.repo, &scene.tables, None).await.map_err(told)?;
            let is_same = if actual == scene.tables { Ok(()) } else { Err("not undone".to_owned()) };
            result.and(is_same)
        } else {
            scene.call(world.repo, &mut copies[at]).await
        };
        if let Err(what) = result {
            return Err(format!("subject: {what}\nafter:\n{}", scene.log.join("\n")));
        }
    }
    Ok(())
}

async fn sequence(world: &mut World<'_>) -> Ended {
    if world.random.once_in(15) {
        return Box::pin(of_subject(world)).await;
    }
    choose! { world;
        of_keyed reports Owner::REPORTS "owners" of Owner;
        of_keyed plain Owner::PLAIN "owners" of Item;
        of_keyed opened Owner::OPENED "owners" of Item;
        of_keyed sorted Owner::SORTED "owners" of Item;
        of_keyed nullified Owner::NULLIFIED "owners" of Item;
        of_keyed deleted Owner::DELETED "owners" of Item;
        of_keyed destroyed Owner::DESTROYED "owners" of Item;
        of_keyed restricted Owner::RESTRICTED "owners" of Item;
        of_keyed counted Owner::COUNTED "owners" of Item;
        of_keyed parts Owner::PARTS "owners" of Part;
        of_keyed notes Owner::NOTES "owners" of Note;
        of_many groups Owner::GROUPS "owners" of Group;
        of_many chaired Owner::CHAIRED "owners" of Group;
        of_many open_groups Owner::OPEN_GROUPS "owners" of Group;
        of_many left_groups Owner::LEFT_GROUPS "owners" of Group;
        of_many tags Owner::TAGS "owners" of Tag;
        of_many friends Owner::FRIENDS "owners" of Owner;
        of_many books Shelf::BOOKS "shelves" of Book;
        -
        card Owner::CARD "owners";
        deleted_card Owner::DELETED_CARD "owners";
        destroyed_card Owner::DESTROYED_CARD "owners";
        cover Owner::COVER "owners";
        club Owner::CLUB "owners";
        chief Owner::CHIEF "owners";
        plain Item::PLAIN "items";
        counted Item::COUNTED "items";
        owner Part::OWNER "parts";
    }
}

/// How many sequences begin with the same rows, one after the other.
const SEQUENCES: u64 = 8;

/// How many seeds a database sees.
const SEEDS: u64 = 50;

fn run(backend: &dyn Backend, cases: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (cases, first) = (number("ASSOC_PROPERTY_CASES", cases), number("ASSOC_PROPERTY_SEED", 1));
    let mut outcomes = Outcomes::default();
    let mut can_upsert = true;
    let mut seed = first;
    let end = first + cases.div_ceil(SEQUENCES);
    while seed < end {
        let ended = runtime.block_on(async {
            let told = |error: Error| error.to_string();
            let database = backend.fresh().await.map_err(told)?;
            let repo = Repo::from_driver(Arc::clone(database.driver()));
            can_upsert = upserts::returns_upserts(&repo);
            make_tables(&repo).await.map_err(told)?;
            for _ in 0..SEEDS.min(end - seed) {
                let mut world = World { repo: &repo, random: Random::new(seed), labels: 0, outcomes: &mut outcomes };
                empty(&repo).await.map_err(told)?;
                populate(&repo, &mut world.random).await.map_err(told)?;
                for _ in 0..SEQUENCES {
                    sequence(&mut world).await?;
                }
                seed += 1;
            }
            Ok::<(), String>(())
        });
        if let Err(what) = ended {
            panic!("ASSOC_PROPERTY_SEED={seed}\n{what}");
        }
    }
    println!("{}: {outcomes:?}", backend.name());
    let Outcomes { read, written, refused, rolled_back, upserted, savepoints } = outcomes;
    let are_all = read > cases / 2 && written > cases && refused > cases / 4 && rolled_back > cases / 4;
    if !can_upsert {
        println!("skipped: upserts that return rows");
    }
    let are_all = are_all && (upserted > cases / 20 || !can_upsert) && savepoints > cases / 10;
    assert!(cases < 200 || are_all, "{outcomes:?}");
}

mod sqlite {
    use super::*;

    #[test]
    fn random_calls() {
        run(&SqliteInMemory, 2_000);
    }
}

mod mariadb {
    use super::*;

    /// Fewer, because each statement takes its time there.
    #[test]
    fn random_calls() {
        run(&MariaDb, 200);
    }
}

mod postgres {
    use super::*;

    /// Fewer, because each statement takes its time there.
    #[test]
    fn random_calls() {
        run(&PostgreSql, 200);
    }
}
