//! Random inserts, moves, saves of parents and destroys, against a model of the tables in memory: after each of them the
//! tables hold what the model says, every counter is what counting says, what came back is what a fresh read gives, and
//! what was refused left everything as it was. Some are made in transactions and savepoints that are undone.
//!
//! `ASSOC_PROPERTY_SEED` begins elsewhere, `ASSOC_PROPERTY_CASES` sets the number of calls. A failure prints the seed of its
//! database: with that as the first seed, it is the first to be looked at.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::pin::Pin;
use std::sync::Arc;

use assoc_repo::DestroyReport;
use assoc_repo::prelude::*;
use backends::{MariaDb, PostgreSql, SqliteInMemory};
use conformance_tests::Backend;
use random::{Random, number};
use reference::{Roots, Tables};
use schema::{File, Folder, House, Lock, Room, Share, Star, Tag, User, make_tables, read};

// Only some of them are of use here.
#[allow(dead_code)]
mod backends;
mod random;
#[path = "random_writes/reference.rs"]
mod reference;
#[path = "random_writes/schema.rs"]
mod schema;

/// How many calls a database sees.
const CALLS: u64 = 50;

type Outcome = std::result::Result<(), String>;

fn said(error: Error) -> String {
    format!("failed: {error}")
}

struct World {
    repo: Repo,
    tables: Tables,
    next: i64,
    // Structs that are never read again: what they say may be out of date.
    files: Vec<File>,
    done: BTreeMap<&'static str, u64>,
}

impl World {
    fn new_id(&mut self) -> i64 {
        self.next += 1;
        self.next
    }

    // One that exists, as a rule.
    fn some(random: &mut Random, ids: Vec<i64>) -> Option<i64> {
        (!ids.is_empty() && !random.once_in(4)).then(|| *random.pick(&ids))
    }

    async fn folder(&self, id: i64) -> std::result::Result<Folder, String> {
        self.repo.get_or_fail::<Folder>(id, Query::new()).await.map_err(said)
    }

    // What came back is what a fresh read gives.
    async fn require_fresh<M: Model<Key: From<i64>> + PartialEq + Debug>(&self, id: i64, saved: &M) -> Outcome {
        let fresh = self.repo.get_or_fail::<M>(id, Query::new()).await.map_err(said)?;
        if fresh == *saved { Ok(()) } else { Err(format!("came back as {saved:?}\nand is {fresh:?}")) }
    }

    async fn call(&mut self, random: &mut Random) -> Outcome {
        let before = self.tables.clone();
        let what = random.below(21);
        let (name, ended) = match what {
            20 => ("transaction", self.transaction(random).await),
            0..=4 => ("insert", self.insert(random).await),
            5..=8 => ("move", self.change(random).await),
            9..=11 => ("save of a parent", self.save_parent(random).await),
            12 => ("handle", self.by_handle(random).await),
            _ => ("destroy", self.destroy(random).await),
        };
        let (tables, counters) = read(&self.repo).await.map_err(said)?;
        let shown =
            |what: &str| format!("{name}: {what}\nbefore: {before:?}\nexpected: {:?}\nfound: {tables:?}", self.tables);
        ended.map_err(|what| shown(&what))?;
        if tables != self.tables {
            return Err(shown("the tables"));
        }
        let counted = tables.counters();
        let wrong: Vec<_> = counted.iter().filter(|(of, count)| counters.get(*of) != Some(count)).collect();
        if !wrong.is_empty() || counted.len() != counters.len() {
            return Err(shown(&format!("counted are {wrong:?}, and the rows say {counters:?}")));
        }
        *self.done.entry(name).or_default() += 1;
        Ok(())
    }

    // Some calls in a transaction, or in a savepoint of one: all of them are kept, or none.
    fn transaction<'a>(&'a mut self, random: &'a mut Random) -> Pin<Box<dyn Future<Output = Outcome> + 'a>> {
        Box::pin(async move {
            let (repo, before) = (self.repo.clone(), self.tables.clone());
            let (mut ended, undone) = (Ok(()), random.once_in(2));
            let transaction = repo.transaction(async |tx| {
                self.repo = tx.clone();
                for _ in 0..1 + random.below(4) {
                    ended = self.call(random).await;
                    if ended.is_err() {
                        break;
                    }
                }
                if undone { Err(Error::other("undone")) } else { Ok(()) }
            });
            let committed = transaction.await;
            self.repo = repo;
            ended?;
            match (committed, undone) {
                (Ok(()), false) => Ok(()),
                (Err(error), true) if error.to_string() == "undone" => {
                    self.tables = before;
                    *self.done.entry("undone").or_default() += 1;
                    Ok(())
                }
                (other, _) => Err(format!("the transaction: {other:?}")),
            }
        })
    }

    async fn insert(&mut self, random: &mut Random) -> Outcome {
        let id = self.new_id();
        let users: Vec<i64> = self.tables.users.iter().copied().collect();
        let folders: Vec<i64> = self.tables.folders.keys().copied().collect();
        let files: Vec<i64> = self.tables.files.keys().copied().collect();
        let (user, folder, file) =
            (Self::some(random, users), Self::some(random, folders.clone()), Self::some(random, files));
        match random.below(10) {
            0 => {
                let saved = self.repo.insert(User::build().set(User::ID, id)).await.map_err(said)?;
                self.tables.users.insert(id);
                self.require_fresh(id, &saved).await
            }
            1 | 2 => {
                let new =
                    Folder::build().set(Folder::ID, id).set(Folder::PARENT_ID, folder).set(Folder::OWNER_ID, user);
                let saved = self.repo.insert(new).await.map_err(said)?;
                self.tables.folders.insert(id, (folder, user));
                self.require_fresh(id, &saved).await
            }
            3 | 4 => {
                let Some(user) = user else { return Ok(()) };
                let ids: Vec<i64> = (0..1 + random.below(3)).map(|_| self.new_id()).collect();
                let new =
                    |id: &i64| File::build().set(File::ID, *id).set(File::FOLDER_ID, folder).set(File::OWNER_ID, user);
                let saved = self.repo.insert_all(ids.iter().map(new)).await.map_err(said)?;
                self.tables.files.extend(ids.iter().map(|id| (*id, (folder, user))));
                for file in &saved {
                    self.require_fresh(file.id, file).await?;
                }
                self.files.extend(saved);
                Ok(())
            }
            5 => {
                let on = folder.map(|id| ("Folder", id)).filter(|_| random.once_in(2)).or(file.map(|id| ("File", id)));
                let mut new = Star::build().set(Star::ID, id);
                if let Some((kind, on)) = on {
                    new = new.set(Star::STARRABLE_ID, on).set(Star::STARRABLE_TYPE, kind);
                }
                let saved = self.repo.insert(new).await.map_err(said)?;
                self.tables.stars.insert(id, on);
                self.require_fresh(id, &saved).await
            }
            6 => {
                // Few, or nothing could be destroyed.
                let user = user.filter(|_| random.once_in(5));
                let folder = folder.filter(|_| random.once_in(5));
                let new = Lock::build().set(Lock::ID, id).set(Lock::USER_ID, user).set(Lock::FOLDER_ID, folder);
                self.repo.insert(new.set(Lock::FILE_ID, file)).await.map_err(said)?;
                self.tables.locks.insert(id, [user, folder, file]);
                Ok(())
            }
            7 => {
                let some: Vec<i64> = folders.into_iter().filter(|_| random.once_in(3)).collect();
                let mut tag = Tag::build().set(Tag::ID, id);
                for folder in &some {
                    tag = tag.push(Tag::FOLDERS, &self.folder(*folder).await?);
                }
                self.repo.insert(tag).await.map_err(said)?;
                self.tables.tags.insert(id);
                self.tables.links.extend(some.iter().map(|folder| (*folder, id)));
                self.tables.links.sort_unstable();
                Ok(())
            }
            8 => {
                let (Some(user), Some(folder)) = (user, folder) else { return Ok(()) };
                let new = Share::build().set(Share::USER_ID, user).set(Share::FOLDER_ID, folder);
                let shares = self.repo.insert_all([new.clone(), new]).await;
                // Rows without a key cannot be read back, so such a database refuses them; nothing has changed then.
                if !self.repo.dialect().capabilities().insert_returning {
                    let refused = shares.is_err_and(|error| error.to_string().contains("needs a primary key"));
                    return if refused { Ok(()) } else { Err("rows without a key were not refused".to_owned()) };
                }
                shares.map_err(said)?;
                self.tables.shares.extend([(user, folder), (user, folder)]);
                self.tables.shares.sort_unstable();
                Ok(())
            }
            _ => {
                let tenant = 1 + random.below(2) as i64;
                let rooms: Vec<i64> = (0..random.below(3)).map(|_| self.new_id()).collect();
                let room = |room: &i64| Room::build().set(Room::ID, *room);
                let new = House::build().set(House::TENANT, tenant).set(House::NUMBER, id);
                let saved = self.repo.insert(new.push(House::ROOMS, rooms.iter().map(room))).await.map_err(said)?;
                self.tables.houses.insert((tenant, id));
                self.tables.rooms.extend(rooms.iter().map(|room| (*room, (tenant, Some(id)))));
                let counted = usize::from(saved.rooms_count);
                if counted == rooms.len() { Ok(()) } else { Err(format!("came back with {counted} rooms")) }
            }
        }
    }

    async fn change(&mut self, random: &mut Random) -> Outcome {
        let folders: Vec<i64> = self.tables.folders.keys().copied().collect();
        let folder = Self::some(random, folders.clone());
        match random.below(4) {
            0 | 1 if !self.files.is_empty() => {
                let old = random.pick(&self.files).clone();
                let users: Vec<i64> = self.tables.users.iter().copied().collect();
                let mut change = old.change().set(File::FOLDER_ID, folder);
                let owner = Self::some(random, users);
                if let Some(owner) = owner {
                    change = change.set(File::OWNER_ID, owner);
                }
                // A column that the struct holds already is not written, whatever the row holds.
                match (self.tables.files.get_mut(&old.id), self.repo.update(change).await) {
                    (Some(row), Ok(saved)) => {
                        row.0 = if folder == old.folder_id { row.0 } else { folder };
                        row.1 = owner.filter(|owner| *owner != old.owner_id).unwrap_or(row.1);
                        // Of a change that changes nothing the struct comes back as it is.
                        if folder == old.folder_id && owner.is_none_or(|owner| owner == old.owner_id) {
                            return Ok(());
                        }
                        // Nothing is added to its counter, so the number stays the one of the old struct.
                        let fresh = self.repo.get_or_fail::<File>(old.id, Query::new()).await.map_err(said)?;
                        let wanted = File { stars_count: old.stars_count, ..fresh };
                        if saved == wanted {
                            Ok(())
                        } else {
                            Err(format!("came back as {saved:?}, and not {wanted:?}"))
                        }
                    }
                    (None, Err(error)) if error.is_not_found() => Ok(()),
                    (None, Ok(_)) if folder == old.folder_id => Ok(()),
                    (known, other) => Err(format!("{known:?} became {:?}", other.map_err(said))),
                }
            }
            2 if !self.tables.stars.is_empty() => {
                let ids: Vec<i64> = self.tables.stars.keys().copied().collect();
                let star = self.repo.get_or_fail::<Star>(*random.pick(&ids), Query::new()).await.map_err(said)?;
                let (change, on) = match folder {
                    Some(id) => {
                        (star.change().associate(Star::STARRABLE, &self.folder(id).await?), Some(("Folder", id)))
                    }
                    None => (star.change().dissociate(Star::STARRABLE), None),
                };
                let saved = self.repo.update(change).await.map_err(said)?;
                self.tables.stars.insert(star.id, on);
                let now = (saved.starrable_type.as_deref(), saved.starrable_id);
                if now == (on.map(|on| on.0), on.map(|on| on.1)) { Ok(()) } else { Err(format!("{now:?}")) }
            }
            _ if !self.tables.rooms.is_empty() => {
                let ids: Vec<i64> = self.tables.rooms.keys().copied().collect();
                let room = self.repo.get_or_fail::<Room>(*random.pick(&ids), Query::new()).await.map_err(said)?;
                let houses: Vec<_> = self.tables.houses.iter().copied().collect();
                let house = if houses.is_empty() || random.once_in(4) { None } else { Some(*random.pick(&houses)) };
                let to = (house.map_or(room.tenant, |house| house.0), house.map(|house| house.1));
                let change = room.change().set(Room::TENANT, to.0).set(Room::HOUSE_NUMBER, to.1);
                let saved = self.repo.update(change).await.map_err(said)?;
                self.tables.rooms.insert(room.id, to);
                self.require_fresh(room.id, &saved).await
            }
            _ => Ok(()),
        }
    }

    async fn save_parent(&mut self, random: &mut Random) -> Outcome {
        let folders: Vec<i64> = self.tables.folders.keys().copied().collect();
        let users: Vec<i64> = self.tables.users.iter().copied().collect();
        if folders.is_empty() || users.is_empty() {
            return Ok(());
        }
        let owner = self.folder(*random.pick(&folders)).await?;
        let mut change = owner.change();
        let new = self.new_id();
        let author = *random.pick(&users);
        let file = File::build().set(File::ID, new).set(File::OWNER_ID, author);
        change = change.push(Folder::FILES, file);
        let files: Vec<i64> = self.tables.files.keys().copied().filter(|_| random.once_in(4)).collect();
        for id in &files {
            let file = self.repo.get_or_fail::<File>(*id, Query::new()).await.map_err(said)?;
            change = change.push(Folder::FILES, &file);
        }
        // A folder that is moved below another one.
        let child = Some(*random.pick(&folders)).filter(|child| *child != owner.id && random.once_in(2));
        if let Some(child) = child {
            change = change.push(Folder::FOLDERS, &self.folder(child).await?);
        }
        let star = random.once_in(3).then(|| self.new_id());
        if let Some(star) = star {
            change = change.push(Folder::STARS, Star::build().set(Star::ID, star));
        }
        let saved = self.repo.update(change).await.map_err(said)?;
        self.tables.files.insert(new, (Some(owner.id), author));
        for id in &files {
            self.tables.files.entry(*id).and_modify(|row| row.0 = Some(owner.id));
        }
        if let Some(child) = child {
            self.tables.folders.entry(child).and_modify(|row| row.0 = Some(owner.id));
        }
        if let Some(star) = star {
            self.tables.stars.insert(star, Some(("Folder", owner.id)));
        }
        // What was saved is loaded in it.
        let bare = self.folder(owner.id).await?;
        let counted = |row: &Folder| (row.parent_id, row.owner_id, row.folders_count, row.files_count, row.stars_count);
        if counted(&saved) == counted(&bare) { Ok(()) } else { Err(format!("came back as {saved:?}\nand is {bare:?}")) }
    }

    async fn by_handle(&mut self, random: &mut Random) -> Outcome {
        let folders: Vec<i64> = self.tables.folders.keys().copied().collect();
        let files: Vec<i64> = self.tables.files.keys().copied().filter(|_| random.once_in(3)).collect();
        if folders.is_empty() {
            return Ok(());
        }
        let mut owner = self.folder(*random.pick(&folders)).await?;
        let mut moved = Vec::new();
        for id in &files {
            moved.push(self.repo.get_or_fail::<File>(*id, Query::new()).await.map_err(said)?);
        }
        let repo = self.repo.clone();
        repo.association(&mut owner, Folder::FILES).push(&moved).await.map_err(said)?;
        for id in &files {
            self.tables.files.entry(*id).and_modify(|row| row.0 = Some(owner.id));
        }
        let fresh = self.folder(owner.id).await?;
        if owner.files_count == fresh.files_count {
            Ok(())
        } else {
            Err(format!("in hand: {}, stored: {}", owner.files_count, fresh.files_count))
        }
    }

    async fn destroy(&mut self, random: &mut Random) -> Outcome {
        let mut some = |ids: Vec<i64>| -> Vec<i64> {
            let first = random.below(ids.len());
            ids.into_iter().skip(first).take(1 + random.below(3) / 2).collect()
        };
        let tables = &self.tables;
        let users = some(tables.users.iter().copied().collect());
        let folders = some(tables.folders.keys().copied().collect());
        let files = some(tables.files.keys().copied().collect());
        let stars = some(tables.stars.keys().copied().collect());
        let locks = some(tables.locks.keys().copied().collect());
        let tags = some(tables.tags.iter().copied().collect());
        let rooms = some(tables.rooms.keys().copied().collect());
        let houses: Vec<_> = tables.houses.iter().copied().collect();
        let houses = if houses.is_empty() { houses } else { vec![*random.pick(&houses)] };
        let repo = self.repo.clone();
        let query = random.once_in(3);
        let (roots, done) = match random.below(12) {
            0 => (Roots::Users(users.clone()), rows(&repo, query, User::ID.is_in(users)).await),
            1..=4 => (Roots::Folders(folders.clone()), rows(&repo, query, Folder::ID.is_in(folders)).await),
            5 | 6 => (Roots::Files(files.clone()), rows(&repo, query, File::ID.is_in(files)).await),
            7 => (Roots::Stars(stars.clone()), rows(&repo, query, Star::ID.is_in(stars)).await),
            8 => (Roots::Locks(locks.clone()), rows(&repo, query, Lock::ID.is_in(locks)).await),
            9 => (Roots::Tags(tags.clone()), rows(&repo, query, Tag::ID.is_in(tags)).await),
            10 => {
                let filter = House::NUMBER.is_in(houses.iter().map(|house| house.1).collect::<Vec<_>>());
                (Roots::Houses(houses), rows(&repo, query, filter).await)
            }
            _ => (Roots::Rooms(rooms.clone()), rows(&repo, query, Room::ID.is_in(rooms)).await),
        };
        match (self.tables.destroyed(&roots), done) {
            (Some(left), Ok(())) => {
                self.tables = left;
                Ok(())
            }
            (None, Err(what)) if what == "restricted" => {
                *self.done.entry("refused").or_default() += 1;
                Ok(())
            }
            (expected, done) => Err(format!("destroying {roots:?}: {done:?}, expected {expected:?}")),
        }
    }
}

// Destroys the rows, and compares with what the preview of a single one says.
async fn rows<M: Model>(repo: &Repo, by_query: bool, filter: Filter<M>) -> Outcome {
    let rows = repo.all(Query::filter(filter.clone())).await.map_err(said)?;
    let preview = match &rows[..] {
        [row] => Some(repo.preview_destroy(row).await.map_err(said)?),
        _ => None,
    };
    let done: Result<DestroyReport> =
        if by_query { repo.destroy_all(Query::filter(filter)).await } else { repo.destroy_rows(&rows).await };
    match (done, preview) {
        (Ok(done), Some(preview)) if done != preview => Err(format!("done: {done}, and in the preview: {preview}")),
        (Err(error), Some(preview)) if error.is_restricted() && !preview.is_refused() => {
            Err(format!("{error}, but the preview says {preview}"))
        }
        (Err(error), _) if error.is_restricted() => Err("restricted".to_owned()),
        (Err(error), _) => Err(said(error)),
        (Ok(_), _) => Ok(()),
    }
}

fn run(backend: &dyn Backend, cases: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (cases, first) = (number("ASSOC_PROPERTY_CASES", cases), number("ASSOC_PROPERTY_SEED", 1));
    let mut done: BTreeMap<&str, u64> = BTreeMap::new();
    for seed in first..first + cases.div_ceil(CALLS) {
        let ended = runtime.block_on(async {
            let database = backend.fresh().await.map_err(said)?;
            let repo = Repo::from_driver(Arc::clone(database.driver()));
            make_tables(&repo).await.map_err(said)?;
            let (tables, next, files) = (Tables::default(), 0, Vec::new());
            let mut world = World { repo, tables, next, files, done: BTreeMap::new() };
            let mut random = Random::new(seed);
            for _ in 0..CALLS.min(cases) {
                world.call(&mut random).await?;
            }
            for (what, count) in world.done {
                *done.entry(what).or_default() += count;
            }
            Ok::<(), String>(())
        });
        if let Err(what) = ended {
            panic!("ASSOC_PROPERTY_SEED={seed}\n{what}");
        }
    }
    println!("{}: {done:?}", backend.name());
    let refused = done.get("refused").copied().unwrap_or_default();
    assert!(
        cases < 1_000 || refused > cases / 500 && done.get("destroy").is_some_and(|count| *count > cases / 5),
        "{done:?}"
    );
}

mod sqlite {
    use super::*;

    #[test]
    fn random_writes() {
        run(&SqliteInMemory, 10_000);
    }
}

mod mariadb {
    use super::*;

    /// Fewer, because each database takes its time there.
    #[test]
    fn random_writes() {
        run(&MariaDb, 500);
    }
}

mod postgres {
    use super::*;

    /// Fewer, because each database takes its time there.
    #[test]
    fn random_writes() {
        run(&PostgreSql, 500);
    }
}
