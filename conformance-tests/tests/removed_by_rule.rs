//! Handles remove members under every rule of `dependent`, with keys of several types, of one column and of two. Rows, counters, times
//! and memory are compared after every call, for associations to many and to one, on every backend.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use assoc_repo::prelude::*;
use backends::{MariaDb, SqliteFile};
use conformance_tests::Backend;

// Only some of them are of use here.
#[allow(dead_code)]
mod backends;

/// What becomes of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Its key is cleared.
    Cleared,
    /// It is deleted, and what depends on it stays.
    Deleted,
    /// It is destroyed, with what depends on it.
    Destroyed,
}

/// By which call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    Clear,
    DeleteAll,
    Delete,
    DeleteIds,
    Replace,
    SetIds,
    Remove,
    Destroy,
    DestroyIds,
    DestroyAll,
    Mark,
}

const CALLS: [Call; 11] = [
    Call::Clear,
    Call::DeleteAll,
    Call::Delete,
    Call::DeleteIds,
    Call::Replace,
    Call::SetIds,
    Call::Remove,
    Call::Destroy,
    Call::DestroyIds,
    Call::DestroyAll,
    Call::Mark,
];

impl Call {
    fn destroys(self) -> bool {
        matches!(self, Call::Destroy | Call::DestroyIds | Call::DestroyAll | Call::Mark)
    }

    fn is_silent(self) -> bool {
        matches!(self, Call::Clear | Call::DeleteAll)
    }

    fn takes_all(self) -> bool {
        matches!(self, Call::Clear | Call::DeleteAll | Call::DestroyAll)
    }

    fn fate(self, rule: &str) -> Fate {
        match rule {
            _ if self.destroys() => Fate::Destroyed,
            "destroy" if self.is_silent() => Fate::Deleted,
            "destroy" => Fate::Destroyed,
            "delete" => Fate::Deleted,
            _ => Fate::Cleared,
        }
    }
}

fn at(repo: &Repo, second: u64) -> Repo {
    repo.with_clock(move || SystemTime::UNIX_EPOCH + Duration::from_secs(second))
}

fn second(time: chrono::NaiveDateTime) -> i64 {
    time.and_utc().timestamp()
}

/// Owners with one type of key, whose association has one `dependent` rule.
macro_rules! ruled {
    ($($module:ident: $rule:tt, $primary:tt { $($key:ident: $type:ty),+ } $foreign:tt { $($column:ident: $own:ty),+ } |$number:ident| $made:expr;)+) => {
        $(mod $module {
            use super::*;

            #[derive(Model, Debug, Clone, PartialEq)]
            #[model(table = "owners", primary_key = $primary)]
            struct Owner {
                $($key: $type,)+
                name: String,
                #[column(counter_cache)]
                items_count: i64,
                #[column(updated_at)]
                updated_at: chrono::NaiveDateTime,
                #[has_many(foreign_key = $foreign, dependent = $rule)]
                items: HasMany<Item>,
                #[has_one(foreign_key = $foreign, dependent = $rule)]
                card: HasOne<Option<Card>>,
            }

            #[derive(Model, Debug, Clone, PartialEq)]
            #[model(table = "items")]
            struct Item {
                id: i64,
                $($column: $own,)+
                title: String,
                #[column(updated_at)]
                updated_at: chrono::NaiveDateTime,
                #[belongs_to(foreign_key = $foreign, counter_cache, touch)]
                owner: BelongsTo<Option<Owner>>,
                #[has_many(dependent = "destroy")]
                notes: HasMany<Note>,
            }

            #[derive(Model, Debug, Clone, PartialEq)]
            #[model(table = "cards")]
            struct Card {
                id: i64,
                $($column: $own,)+
                title: String,
                #[column(updated_at)]
                updated_at: chrono::NaiveDateTime,
                #[belongs_to(foreign_key = $foreign, touch)]
                owner: BelongsTo<Option<Owner>>,
                #[has_many(dependent = "destroy")]
                notes: HasMany<Note>,
            }

            #[derive(Model, Debug, Clone, PartialEq)]
            #[model(table = "notes")]
            struct Note {
                id: i64,
                item_id: Option<i64>,
                card_id: Option<i64>,
            }

            const RULE: &str = $rule;

            fn owner($number: u8) -> assoc_repo::Changeset<Owner> {
                let draft = Owner::build().set(Owner::NAME, format!("owner {}", $number));
                let make: fn(assoc_repo::Changeset<Owner>, u8) -> assoc_repo::Changeset<Owner> = |draft, $number| $made(draft);
                make(draft, $number)
            }

            steps!();
        })+

        fn every_rule(backend: &dyn Backend) {
            $({
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                let database = runtime.block_on(backend.fresh()).unwrap();
                let repo = Repo::from_driver(Arc::clone(database.driver()));
                if let Err(error) = runtime.block_on($module::run(repo)) {
                    panic!("{}, {}: {error:?}", backend.name(), stringify!($module));
                }
            })+
        }
    };
}

macro_rules! steps {
    () => {
        pub(super) async fn run(repo: Repo) -> Result<()> {
            repo.create_table::<Owner>().await?;
            repo.create_table::<Item>().await?;
            repo.create_table::<Card>().await?;
            repo.create_table::<Note>().await?;
            let early = at(&repo, 1);
            let item = |title: &str| Item::build().set(Item::TITLE, title).push(Item::NOTES, Note::build());
            let card = |title: &str| Card::build().set(Card::TITLE, title).push(Card::NOTES, Note::build());
            let draft = owner(1).push(Owner::ITEMS, ["a", "b", "c", "d"].map(item)).set_one(Owner::CARD, card("one"));
            let ada = early.insert(draft).await?;
            let bob =
                early.insert(owner(2).push(Owner::ITEMS, item("theirs")).set_one(Owner::CARD, card("theirs"))).await?;
            let loose = early.insert(Card::build().set(Card::TITLE, "loose")).await?;
            for call in CALLS {
                for loaded in [true, false] {
                    many(&repo, &ada, call, loaded).await?;
                }
            }
            for loaded in [true, false] {
                single(&repo, &ada, &loose, loaded).await?;
            }
            let fresh = repo.get_or_fail::<Owner>(bob.key(), Query::preload((Owner::ITEMS, Owner::CARD))).await?;
            assert_eq!((fresh.items()?.len(), second(fresh.updated_at)), (1, 1), "{RULE}: another owner's stay");
            assert!(fresh.card()?.is_some(), "{RULE}");
            Ok(())
        }

        fn is_linked(item: &Item, owner: &Owner) -> bool {
            let own = Item::DEF.key_in(item, foreign_key());
            own.is_some() && own == Owner::DEF.key_of(owner)
        }

        fn foreign_key() -> &'static [usize] {
            match Item::OWNER.def().linkage().unwrap() {
                assoc_core::metadata::Linkage::OwnerKey(key) => key.owner_columns,
                _ => panic!("a `belongs_to`"),
            }
        }

        async fn many(repo: &Repo, ada: &Owner, call: Call, loaded: bool) -> Result<()> {
            let said = format!("{RULE}, {call:?}, loaded: {loaded}");
            let tx = repo.begin().await?;
            let later = at(&tx, 20);
            let own: Vec<Item> = ada.items()?.to_vec();
            let mut owner = ada.clone();
            let mut items = later.association(&mut owner, Owner::ITEMS);
            if !loaded {
                items.reset();
            }
            match call {
                Call::Clear => items.clear().await?,
                Call::DeleteAll => assert_eq!(items.delete_all().await?, 4, "{said}"),
                Call::Delete => items.delete([&own[0], &own[2]]).await?,
                Call::DeleteIds => items.delete_ids([own[0].id, own[2].id]).await?,
                Call::Replace => items.replace([&own[3], &own[1]]).await?,
                Call::SetIds => items.set_ids([own[1].id, own[3].id]).await?,
                Call::Remove => {
                    let change = items.owner().change().remove(Owner::ITEMS, &own[0]).remove(Owner::ITEMS, &own[2]);
                    owner = later.update(change).await?;
                }
                Call::Destroy => items.destroy([&own[0], &own[2]]).await?,
                Call::DestroyIds => items.destroy_ids([own[2].id, own[0].id]).await?,
                Call::DestroyAll => assert_eq!(items.destroy_all().await?, 4, "{said}"),
                Call::Mark => {
                    let marked = [&own[0], &own[2]].map(|item| item.change().mark_for_destruction());
                    let change =
                        marked.into_iter().fold(items.owner().change(), |change, item| change.edit(Owner::ITEMS, item));
                    owner = later.update(change).await?;
                }
            }
            let fate = call.fate(RULE);
            let kept: &[usize] = if call.takes_all() { &[] } else { &[1, 3] };
            for (at, item) in own.iter().enumerate() {
                let stored = tx.get::<Item>(item.id, Query::new()).await?;
                let notes = tx.count(Query::filter(Note::ITEM_ID.eq(item.id))).await?;
                if kept.contains(&at) {
                    assert_eq!(stored.as_ref(), Some(&item.bare()), "{said}: {} stays as it is", item.title);
                    assert_eq!(notes, 1, "{said}");
                    continue;
                }
                assert_eq!(stored.is_some(), fate == Fate::Cleared, "{said}: {}", item.title);
                assert_eq!(notes, u64::from(fate != Fate::Destroyed), "{said}: what depends on {}", item.title);
                if let Some(stored) = stored {
                    assert!(!is_linked(&stored, ada) && second(stored.updated_at) == 1, "{said}: the key alone");
                }
            }
            let fresh = tx.get_or_fail::<Owner>(ada.key(), Query::preload(Owner::ITEMS)).await?;
            assert_eq!(fresh.items_count, kept.len() as i64, "{said}: counted");
            assert_eq!(second(fresh.updated_at), if fate == Fate::Destroyed { 20 } else { 1 }, "{said}: times");
            assert_eq!(
                (owner.items_count, owner.updated_at),
                (fresh.items_count, fresh.updated_at),
                "{said}: in memory"
            );
            if owner.items.is_loaded() {
                let ids = |owner: &Owner| {
                    let mut ids: Vec<i64> = owner.items().unwrap().iter().map(|item| item.id).collect();
                    ids.sort_unstable();
                    ids
                };
                assert_eq!(ids(&owner), ids(&fresh), "{said}: members in memory");
            }
            assert_eq!(tx.reset_counters(Owner::ITEMS).await?, 0, "{said}: counters");
            tx.rollback().await
        }

        // Replaced by a new one, by one that exists, and by none.
        async fn single(repo: &Repo, ada: &Owner, loose: &Card, loaded: bool) -> Result<()> {
            let old = ada.card()?.unwrap().clone();
            for by in ["new", "existing", "none", "created", "the same"] {
                let said = format!("{RULE}, by {by}, loaded: {loaded}");
                let tx = repo.begin().await?;
                let later = at(&tx, 20);
                let mut owner = ada.clone();
                let mut card = later.association(&mut owner, Owner::CARD);
                if !loaded {
                    card.reset();
                }
                let new = || Card::build().set(Card::TITLE, "new");
                match by {
                    "new" => card.set(new()).await?,
                    "existing" => card.set(loose).await?,
                    "created" => card.create(new()).await.map(drop)?,
                    "none" => card.clear().await?,
                    _ => card.set(&old).await?,
                }
                let fresh = tx.get_or_fail::<Owner>(ada.key(), Query::preload(Owner::CARD)).await?;
                let title = fresh.card()?.map(|card| card.title.clone());
                let expected = match by {
                    "none" => None,
                    "existing" => Some("loose"),
                    "the same" => Some("one"),
                    _ => Some("new"),
                };
                assert_eq!(title.as_deref(), expected, "{said}");
                let held = owner.card()?.map(|card| card.title.clone());
                assert_eq!(held, title, "{said}: in memory");
                let fate = match RULE {
                    _ if by == "the same" => None,
                    "destroy" => Some(Fate::Destroyed),
                    "delete" => Some(Fate::Deleted),
                    _ => Some(Fate::Cleared),
                };
                let stored = tx.get::<Card>(old.id, Query::new()).await?;
                let notes = tx.count(Query::filter(Note::CARD_ID.eq(old.id))).await?;
                assert_eq!(stored.is_some(), matches!(fate, None | Some(Fate::Cleared)), "{said}: the old one");
                assert_eq!(notes, u64::from(fate != Some(Fate::Destroyed)), "{said}: what depends on it");
                // What is deleted by a plain statement touches nothing; a row that is written, or destroyed, does.
                let touches = !matches!((by, fate), ("the same", _) | ("none", Some(Fate::Deleted)));
                assert_eq!(second(fresh.updated_at), if touches { 20 } else { 1 }, "{said}: times");
                assert_eq!(owner.updated_at, fresh.updated_at, "{said}: times in memory");
                let others = tx.count(Query::filter(Card::TITLE.eq("theirs"))).await?;
                assert_eq!(others, 1, "{said}");
                tx.rollback().await?;
            }
            Ok(())
        }
    };
}

/// The rules over one kind of key.
macro_rules! each_rule {
    ($($name:ident $rule:tt),+ $(,)?) => {
        ruled! {
            $($name: $rule, "id" { id: i64 } "owner_id" { owner_id: Option<i64> } |number| |draft| { let _ = number; draft };)+
            text_cleared: "nullify", "id" { id: String } "owner_id" { owner_id: Option<String> }
                |number| |draft: assoc_repo::Changeset<Owner>| draft.set(Owner::ID, format!("Ä \"{number}'"));
            text_destroyed: "destroy", "id" { id: String } "owner_id" { owner_id: Option<String> }
                |number| |draft: assoc_repo::Changeset<Owner>| draft.set(Owner::ID, format!("Ä \"{number}'"));
            uuid_cleared: "nullify", "id" { id: uuid::Uuid } "owner_id" { owner_id: Option<uuid::Uuid> }
                |number| |draft: assoc_repo::Changeset<Owner>| draft.set(Owner::ID, uuid::Uuid::from_u128(u128::from(number) << 60));
            uuid_deleted: "delete", "id" { id: uuid::Uuid } "owner_id" { owner_id: Option<uuid::Uuid> }
                |number| |draft: assoc_repo::Changeset<Owner>| draft.set(Owner::ID, uuid::Uuid::from_u128(u128::from(number) << 60));
            decimal_cleared: "nullify", "id" { id: rust_decimal::Decimal } "owner_id" { owner_id: Option<rust_decimal::Decimal> }
                |number| |draft: assoc_repo::Changeset<Owner>| draft.set(Owner::ID, rust_decimal::Decimal::new(i64::from(number) * 10 + 5, 1));
            two_cleared: "nullify", "room, code" { room: i32, code: String } "in_room, owner_code" { in_room: Option<i32>, owner_code: Option<String> }
                |number| |draft: assoc_repo::Changeset<Owner>| draft.set(Owner::ROOM, 7).set(Owner::CODE, format!("c{number}"));
            two_deleted: "delete", "room, code" { room: i32, code: String } "in_room, owner_code" { in_room: Option<i32>, owner_code: Option<String> }
                |number| |draft: assoc_repo::Changeset<Owner>| draft.set(Owner::ROOM, 7).set(Owner::CODE, format!("c{number}"));
            two_destroyed: "destroy", "room, code" { room: i32, code: String } "in_room, owner_code" { in_room: Option<i32>, owner_code: Option<String> }
                |number| |draft: assoc_repo::Changeset<Owner>| draft.set(Owner::ROOM, 7).set(Owner::CODE, format!("c{number}"));
        }
    };
}

each_rule! {
    cleared "nullify",
    deleted "delete",
    destroyed "destroy",
    restricted "restrict_with_error",
    refused "restrict_with_exception",
    left_to_the_database "database",
}

mod sqlite {
    use super::*;

    #[test]
    fn members_by_every_rule() {
        every_rule(&SqliteFile);
    }
}

mod mariadb {
    use super::*;

    #[test]
    fn members_by_every_rule() {
        every_rule(&MariaDb);
    }
}
