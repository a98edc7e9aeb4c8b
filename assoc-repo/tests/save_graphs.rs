//! Random graphs of changes against a model of the tables in memory: after each save the tables hold what was said, what
//! came back is what a fresh read gives, and what was refused left everything as it was.
//!
//! `ASSOC_PROPERTY_SEED` begins elsewhere, `ASSOC_PROPERTY_CASES` sets the number of saves.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use assoc_core::LoadState;
use assoc_repo::Changeset;
use assoc_repo::prelude::*;
use assoc_sqlite::Sqlite;

#[derive(Model, Debug, Clone, PartialEq)]
pub struct User {
    pub id: i64,
    pub name: String,
    #[has_many]
    pub posts: HasMany<Post>,
    #[has_one]
    pub account: HasOne<Option<Account>>,
    #[has_many]
    pub memberships: HasMany<Membership>,
    #[has_many(through = "memberships")]
    pub groups: HasManyThrough<Group>,
}

#[derive(Model, Debug, Clone, PartialEq)]
pub struct Account {
    pub id: i64,
    pub user_id: Option<i64>,
    pub number: String,
}

#[derive(Model, Debug, Clone, PartialEq)]
pub struct Post {
    pub id: i64,
    pub user_id: Option<i64>,
    pub title: String,
    #[belongs_to]
    pub user: BelongsTo<Option<User>>,
    #[has_and_belongs_to_many]
    pub tags: HasAndBelongsToMany<Tag>,
}

#[derive(Model, Debug, Clone, PartialEq)]
pub struct Tag {
    pub id: i64,
    pub name: String,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "posts_tags")]
pub struct PostTag {
    pub post_id: i64,
    pub tag_id: i64,
}

#[derive(Model, Debug, Clone, PartialEq)]
pub struct Membership {
    pub id: i64,
    pub user_id: i64,
    pub group_id: i64,
    #[belongs_to]
    pub group: BelongsTo<Group>,
}

#[derive(Model, Debug, Clone, PartialEq)]
pub struct Group {
    pub id: i64,
    pub name: String,
}

async fn tables(repo: &Repo) -> Result<()> {
    repo.create_table::<User>().await?;
    repo.create_table::<Account>().await?;
    repo.create_table::<Post>().await?;
    repo.create_table::<Tag>().await?;
    repo.create_table::<PostTag>().await?;
    repo.create_table::<Membership>().await?;
    repo.create_table::<Group>().await
}

/// The tables by the rows' names, which are never used twice.
#[derive(Debug, Clone, PartialEq, Default)]
struct Tables {
    users: BTreeSet<String>,
    posts: BTreeMap<String, Option<String>>,
    accounts: BTreeMap<String, Option<String>>,
    tags: BTreeSet<String>,
    groups: BTreeSet<String>,
    // Links, sorted: as many as there are.
    tagged: Vec<(String, String)>,
    members: Vec<(String, String)>,
}

impl Tables {
    async fn read(repo: &Repo) -> Result<Tables> {
        let users: BTreeMap<i64, String> =
            repo.all(Query::<User>::new()).await?.into_iter().map(|row| (row.id, row.name)).collect();
        let posts = repo.all(Query::<Post>::new()).await?;
        let titles: BTreeMap<i64, String> = posts.iter().map(|row| (row.id, row.title.clone())).collect();
        let tags: BTreeMap<i64, String> =
            repo.all(Query::<Tag>::new()).await?.into_iter().map(|row| (row.id, row.name)).collect();
        let groups: BTreeMap<i64, String> =
            repo.all(Query::<Group>::new()).await?.into_iter().map(|row| (row.id, row.name)).collect();
        let owner = |id: Option<i64>| id.map(|id| users[&id].clone());
        let mut tagged: Vec<_> = repo
            .all(Query::<PostTag>::new())
            .await?
            .into_iter()
            .map(|row| (titles[&row.post_id].clone(), tags[&row.tag_id].clone()))
            .collect();
        tagged.sort();
        let mut members: Vec<_> = repo
            .all(Query::<Membership>::new())
            .await?
            .into_iter()
            .map(|row| (users[&row.user_id].clone(), groups[&row.group_id].clone()))
            .collect();
        members.sort();
        let accounts = repo.all(Query::<Account>::new()).await?;
        Ok(Tables {
            posts: posts.iter().map(|row| (row.title.clone(), owner(row.user_id))).collect(),
            accounts: accounts.iter().map(|row| (row.number.clone(), owner(row.user_id))).collect(),
            users: users.values().cloned().collect(),
            tags: tags.values().cloned().collect(),
            groups: groups.values().cloned().collect(),
            tagged,
            members,
        })
    }
}

struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((value ^ (value >> 31)) % below.max(1) as u64) as usize
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        if from.is_empty() { None } else { from.get(self.next(from.len())) }
    }
}

/// What the saves so far have said, and names for new rows.
struct World {
    repo: Repo,
    said: Tables,
    names: usize,
}

impl World {
    fn name(&mut self, kind: &str) -> String {
        self.names += 1;
        format!("{kind} {}", self.names)
    }

    // A post with tags, some of them new, and what is said by it.
    async fn post(&mut self, random: &mut Random, said: &mut Tables, owner: &str) -> Result<Changeset<Post>> {
        let title = self.name("post");
        said.posts.insert(title.clone(), Some(owner.to_owned()));
        let known = self.repo.all(Query::<Tag>::new()).await?;
        let mut draft = Post::build().set(Post::TITLE, title.clone());
        for _ in 0..random.next(3) {
            match random.pick(&known).filter(|_| !self.names.is_multiple_of(3)) {
                Some(tag) => {
                    said.tagged.push((title.clone(), tag.name.clone()));
                    draft = draft.push(Post::TAGS, tag);
                }
                None => {
                    let name = self.name("tag");
                    said.tags.insert(name.clone());
                    said.tagged.push((title.clone(), name.clone()));
                    draft = draft.push(Post::TAGS, Tag::build().set(Tag::NAME, name));
                }
            }
        }
        Ok(draft)
    }

    fn account(&mut self, said: &mut Tables, owner: &str) -> Changeset<Account> {
        said.accounts.values_mut().filter(|own| own.as_deref() == Some(owner)).for_each(|own| *own = None);
        let number = self.name("account");
        said.accounts.insert(number.clone(), Some(owner.to_owned()));
        Account::build().set(Account::NUMBER, number)
    }

    // What is said of a user's associations, one thing after the other; whether it has to be refused.
    async fn speak(
        &mut self,
        random: &mut Random,
        said: &mut Tables,
        mut draft: Changeset<User>,
        owner: &str,
        exists: bool,
    ) -> Result<(Changeset<User>, bool)> {
        let posts = self.repo.all(Query::<Post>::new()).await?;
        let groups = self.repo.all(Query::<Group>::new()).await?;
        let accounts = self.repo.all(Query::<Account>::new()).await?;
        let mut refused = false;
        // Each row is spoken of once, so that the order of what is said of others does not count.
        let mut spoken: BTreeSet<String> = BTreeSet::new();
        if exists && random.next(5) == 0 {
            let keep: Vec<&Post> = posts.iter().filter(|_| random.next(3) == 0).collect();
            said.posts.values_mut().filter(|own| own.as_deref() == Some(owner)).for_each(|own| *own = None);
            for post in &keep {
                said.posts.insert(post.title.clone(), Some(owner.to_owned()));
            }
            draft = draft.replace(User::POSTS, keep.iter().copied());
            let new = self.post(random, said, owner).await?;
            draft = draft.push(User::POSTS, new);
            spoken.extend(posts.iter().map(|post| post.title.clone()));
        }
        for _ in 0..random.next(4) {
            match (random.next(4), random.pick(&posts).filter(|post| !spoken.contains(&post.title))) {
                (1, Some(post)) => {
                    spoken.insert(post.title.clone());
                    said.posts.insert(post.title.clone(), Some(owner.to_owned()));
                    draft = draft.push(User::POSTS, post);
                }
                (2, Some(post)) if exists => {
                    spoken.insert(post.title.clone());
                    let own = said.posts.remove(&post.title).flatten();
                    refused |= own.as_deref() != Some(owner);
                    let title = self.name("post");
                    said.posts.insert(title.clone(), own);
                    said.tagged.iter_mut().filter(|(of, _)| *of == post.title).for_each(|(of, _)| *of = title.clone());
                    draft = draft.edit(User::POSTS, post.change().set(Post::TITLE, title));
                }
                (3, Some(post)) if exists => {
                    spoken.insert(post.title.clone());
                    let own = said.posts.insert(post.title.clone(), None).flatten();
                    refused |= own.as_deref() != Some(owner);
                    draft = draft.remove(User::POSTS, post);
                }
                _ => draft = draft.push(User::POSTS, self.post(random, said, owner).await?),
            }
        }
        match (random.next(6), random.pick(&accounts)) {
            (0, Some(account)) => {
                said.accounts.values_mut().filter(|own| own.as_deref() == Some(owner)).for_each(|own| *own = None);
                said.accounts.insert(account.number.clone(), Some(owner.to_owned()));
                draft = draft.set_one(User::ACCOUNT, account);
            }
            (1, _) => draft = draft.set_one(User::ACCOUNT, self.account(said, owner)),
            (2, _) => {
                said.accounts.values_mut().filter(|own| own.as_deref() == Some(owner)).for_each(|own| *own = None);
                draft = draft.clear(User::ACCOUNT);
            }
            _ => {}
        }
        let mut linked: Vec<String> =
            said.members.iter().filter(|(own, _)| own == owner).map(|(_, group)| group.clone()).collect();
        match random.next(6) {
            0 if exists => {
                // A multiset: some of those that are there, some of them twice.
                let wanted: Vec<&Group> = (0..random.next(4)).filter_map(|_| random.pick(&groups)).collect();
                said.members.retain(|(own, _)| own != owner);
                said.members.extend(wanted.iter().map(|group| (owner.to_owned(), group.name.clone())));
                draft = draft.replace(User::GROUPS, wanted.iter().copied());
            }
            1 if exists && !groups.is_empty() => {
                let Some(group) = random.pick(&groups) else { return Ok((draft, refused)) };
                refused |= !linked.contains(&group.name);
                said.members.retain(|link| *link != (owner.to_owned(), group.name.clone()));
                linked.retain(|name| *name != group.name);
                draft = draft.remove(User::GROUPS, group);
            }
            2 | 3 => {
                let name = self.name("group");
                said.groups.insert(name.clone());
                said.members.push((owner.to_owned(), name.clone()));
                draft = draft.push(User::GROUPS, Group::build().set(Group::NAME, name));
                if let Some(group) = random.pick(&groups) {
                    said.members.push((owner.to_owned(), group.name.clone()));
                    draft = draft.push(User::GROUPS, group);
                }
            }
            _ => {}
        }
        Ok((draft, refused))
    }

    async fn save(&mut self, random: &mut Random) -> Result<()> {
        let users = self.repo.all(Query::<User>::new()).await?;
        let mut said = self.said.clone();
        let existing = random.pick(&users).filter(|_| !self.names.is_multiple_of(4)).cloned();
        let saved = match existing {
            None => {
                let name = self.name("user");
                said.users.insert(name.clone());
                let draft = User::build().set(User::NAME, name.clone());
                let (draft, _) = self.speak(random, &mut said, draft, &name, false).await?;
                self.repo.insert(draft).await?
            }
            Some(mut user) => {
                // What is loaded or not makes no difference to what is written.
                if random.next(2) == 0 {
                    let all = Query::preload(User::POSTS).preload(User::GROUPS).preload(User::ACCOUNT);
                    user = self.repo.get_or_fail::<User>(user.id, all).await?;
                }
                let name = user.name.clone();
                let (draft, refused) = self.speak(random, &mut said, user.change(), &name, true).await?;
                match (self.repo.update(draft.clone()).await, refused) {
                    (Ok(user), false) => user,
                    (Err(error), true) if error.is_not_found() => {
                        assert_eq!(Tables::read(&self.repo).await?, self.said, "refused: {draft:?}");
                        return Ok(());
                    }
                    (other, _) => panic!("refused {refused}: {draft:?}\n{other:?}"),
                }
            }
        };
        said.tagged.sort();
        said.members.sort();
        assert_eq!(Tables::read(&self.repo).await?, said);
        self.said = said;
        self.compare(&saved).await
    }

    // What came back is what a fresh read gives, as far as it says that it is all of it.
    async fn compare(&self, saved: &User) -> Result<()> {
        let all = Query::preload(User::POSTS.with(Post::TAGS)).preload(User::GROUPS).preload(User::ACCOUNT);
        let fresh = self.repo.get_or_fail::<User>(saved.id, all).await?;
        assert_eq!(fresh.name, saved.name);
        let ids = |posts: &[Post]| {
            let mut ids: Vec<_> = posts.iter().map(|post| (post.id, post.user_id, post.title.clone())).collect();
            ids.sort();
            ids
        };
        let (own, all) = (ids(saved.posts.loaded().unwrap_or_default()), ids(fresh.posts()?));
        match saved.posts.state() {
            LoadState::Loaded => assert_eq!(own, all),
            _ => assert!(own.iter().all(|post| all.contains(post)), "{own:?} of {all:?}"),
        }
        for post in saved.posts.loaded().unwrap_or_default() {
            let Some(tags) = post.tags.loaded().filter(|_| post.tags.state() == LoadState::Loaded) else { continue };
            let fresh = fresh.posts()?.iter().find(|fresh| fresh.id == post.id).unwrap();
            let ids = |tags: &[Arc<Tag>]| {
                let mut ids: Vec<_> = tags.iter().map(|tag| (tag.id, tag.name.clone())).collect();
                ids.sort();
                ids
            };
            assert_eq!(ids(tags), ids(fresh.tags()?));
        }
        let ids = |groups: &[Arc<Group>]| {
            let mut ids: Vec<_> = groups.iter().map(|group| group.id).collect();
            ids.sort_unstable();
            ids
        };
        let (own, all) = (ids(saved.groups.loaded().unwrap_or_default()), ids(fresh.groups()?));
        match saved.groups.state() {
            LoadState::Loaded => assert_eq!(own, all),
            _ => assert!(own.iter().all(|group| all.contains(group)), "{own:?} of {all:?}"),
        }
        if saved.account.state() == LoadState::Loaded {
            assert_eq!(saved.account()?, fresh.account()?);
        }
        Ok(())
    }
}

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).ok().and_then(|value| value.parse().ok()).unwrap_or(otherwise)
}

#[test]
fn tables_hold_what_was_said() {
    let cases = number("ASSOC_PROPERTY_CASES", 1_000);
    let first = number("ASSOC_PROPERTY_SEED", 1);
    for seed in first..first + cases.div_ceil(20) {
        let saved = std::panic::catch_unwind(|| {
            pollster::block_on(async {
                let repo = Repo::new(Sqlite::memory()?);
                tables(&repo).await?;
                let mut random = Random(seed);
                let mut world = World { repo, said: Tables::default(), names: 0 };
                for _ in 0..20 {
                    world.save(&mut random).await?;
                }
                Ok::<(), Error>(())
            })
        });
        match saved {
            Ok(Ok(())) => {}
            Ok(Err(error)) => panic!("ASSOC_PROPERTY_SEED={seed}: {error}"),
            Err(_) => panic!("ASSOC_PROPERTY_SEED={seed}"),
        }
    }
}
