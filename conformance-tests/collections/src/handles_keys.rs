//! Handles over keys that are UUIDs and decimals, of rows that are their own members, of long chains of owners, and of
//! transactions that have ended.

use std::task::Poll;

use assoc_core::Result;
use assoc_repo::Changeset;
use assoc_repo::prelude::*;
use conformance_harness::{Context, Level, cases};
use conformance_models::ways::{self, Holder, Ledger};
use conformance_written_models::guild::{self, Account, Post, User};
use rust_decimal::Decimal;
use uuid::Uuid;

cases! { "handles_keys", Level::Collection;
    uuids,
    decimals,
    members_of_themselves,
    a_long_chain,
    ended_transactions,
    beside_each_other,
}

fn post(title: &str) -> Changeset<Post> {
    Post::build().set(Post::TITLE, title)
}

fn user(name: &str) -> Changeset<User> {
    User::build().set(User::NAME, name)
}

async fn uuids(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    ways::ledgers(&repo).await?;
    let id = Uuid::from_u128;
    let sorted = |mut keys: Vec<Uuid>| {
        keys.sort();
        keys
    };
    let mut empty = repo.get_or_fail::<Ledger>(id(3), Query::new()).await?;
    macro_rules! each {
        ($association:expr, $new:literal) => {{
            let mut handle = repo.association(&mut empty, $association);
            let known = repo.get_or_fail::<Holder>(id(11), Query::new()).await?;
            handle.push(&known).await?;
            let draft = Holder::build().set(Holder::ID, id($new)).set(Holder::NAME, "new").set(Holder::LIVING, true);
            handle.create(draft).await?;
            cx.require(sorted(handle.ids().await?) == [id(11), id($new)], "pushed and created")?;
            cx.require(handle.find(id($new)).await?.name == "new", "found")?;
            cx.require(handle.contains(&known).await?, "a member")?;
            handle.set_ids([id(12), id(11)]).await?;
            cx.require(sorted(handle.ids().await?) == [id(11), id(12)], "by keys")?;
            handle.reset();
            let both = handle.find_all([id(12), id(11)]).await?;
            cx.require(both[0].id == id(12) && both[1].id == id(11), "in the order of the keys")?;
            handle.delete_ids([id(12)]).await?;
            let gone = handle.delete_ids([id(12)]).await;
            cx.require(gone.is_err_and(|error| error.is_not_found()), "it is no member any more")?;
            handle.replace([&known, &known]).await?;
            cx.require(handle.count().await? == 2, "two links")?;
            cx.require(handle.delete_all().await? == 2 && handle.is_empty().await?, "none is left")?;
        }};
    }
    each!(Ledger::HOLDERS, 21);
    each!(Ledger::KEEPERS, 22);
    cx.require(repo.count(Query::<Holder>::new()).await? == 5, "the holders stay")
}

/// A price, which is its key.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "prices", primary_key = "amount", auto_increment = false)]
struct Price {
    #[column(precision = 20, scale = 4)]
    amount: Decimal,
    #[column(counter_cache)]
    goods_count: i64,
    #[has_many(foreign_key = "price_amount")]
    goods: HasMany<Good>,
    #[has_one(foreign_key = "price_amount")]
    first: HasOne<Option<Good>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "goods")]
struct Good {
    id: i64,
    #[column(precision = 20, scale = 4)]
    price_amount: Option<Decimal>,
    name: String,
    #[belongs_to(foreign_key = "price_amount", counter_cache)]
    price: BelongsTo<Option<Price>>,
}

// A number is one key however it is written: 1.5 and 1.50.
async fn decimals(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    repo.create_table::<Price>().await?;
    repo.create_table::<Good>().await?;
    let good = |name: &str| Good::build().set(Good::NAME, name);
    let price = |amount: Decimal| Price::build().set(Price::AMOUNT, amount);
    // A third price is near to the first one, in the seventeenth digit.
    let near = Decimal::new(10_000_000_000_000_001, 4);
    let first = Decimal::new(10_000_000_000_000_000, 4);
    let mut prices = repo.insert_all([price(first), price(near), price(Decimal::new(15, 1))]).await?;
    let names = |goods: Vec<Good>| {
        let mut names: Vec<String> = goods.into_iter().map(|good| good.name).collect();
        names.sort();
        names.concat()
    };
    for (at, price) in prices.iter_mut().enumerate() {
        let mut handle = repo.association(price, Price::GOODS);
        handle.push(["a", "b", "c"].map(|name| good(&format!("{name}{at}")))).await?;
        handle.reset();
        cx.require(names(handle.all().await?) == format!("a{at}b{at}c{at}"), "its own")?;
    }
    // The same number, written otherwise.
    let mut same = prices[2].clone();
    same.amount = Decimal::new(1500, 3);
    let mut handle = repo.association(&mut same, Price::GOODS);
    handle.reset();
    cx.require(names(handle.all().await?) == "a2b2c2", "by an equal number")?;
    handle.create(good("d2")).await?;
    let rows = handle.all().await?;
    handle.delete(&rows[0]).await?;
    handle.set_ids([rows[1].id, rows[2].id]).await?;
    cx.require(handle.owner().goods_count == 2, "counted")?;
    cx.require(handle.load().await?.len() == 2, "two")?;
    let moved = repo.association(&prices[0], Price::GOODS).all().await?;
    let mut handle = repo.association(&mut prices[1], Price::GOODS);
    handle.replace(&moved).await?;
    cx.require(handle.count().await? == 3 && handle.owner().goods_count == 3, "moved from the near one")?;
    let counts: Vec<i64> = repo.pluck(Price::GOODS_COUNT, Query::order_by(Price::AMOUNT.asc())).await?;
    cx.note("counters", format!("{counts:?}"));
    cx.require(repo.reset_counters(Price::GOODS).await? == 0, "the counters are true")?;
    repo.association(&mut prices[0], Price::FIRST).set(&moved[1]).await?;
    let back = repo.get_or_fail::<Good>(moved[1].id, Query::preload(Good::PRICE)).await?;
    cx.require(back.price()?.is_some_and(|price| price.amount == first), "a single target")?;
    cx.require(repo.reset_counters(Price::GOODS).await? == 0, "the counters are true")
}

// A row may be its own member; the owner is the same row.
async fn members_of_themselves(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    const USERS: &str = "SELECT name, mentor_id FROM users ORDER BY id";
    let mut ada = repo.insert(user("Ada")).await?;
    let own = ada.clone();
    let mut students = repo.association(&mut ada, User::STUDENTS);
    cx.step("pushed", students.push(&own)).await?;
    cx.rows("users", USERS).await?;
    cx.note("in memory", format!("{:?}", students.owner().mentor_id));
    cx.require(students.ids().await? == [own.id] && students.count().await? == 1, "a member")?;
    students.reset();
    let found = students.find(own.id).await?;
    cx.require(found.mentor_id == Some(own.id), "it leads to itself")?;
    cx.step("created beside it", students.create(user("Bob"))).await?;
    cx.step("deleted", students.delete(&found)).await?;
    cx.rows("users", USERS).await?;
    cx.note("in memory", format!("{:?}", students.owner().mentor_id));
    cx.require(students.owner().mentor_id.is_none(), "the struct of the owner loses the key as well")?;
    cx.require(students.count().await? == 1, "the other stays")?;
    let mut ada = repo.get_or_fail::<User>(own.id, Query::new()).await?;
    let copy = ada.clone();
    let mut mentor = repo.association(&mut ada, User::MENTOR);
    cx.step("its own mentor", mentor.set(&copy)).await?;
    cx.require(mentor.owner().mentor_id == Some(own.id), "the key")?;
    cx.rows("users", USERS).await?;
    cx.step("none", mentor.clear()).await?;
    cx.rows("users", USERS).await
}

// Each is the owner of the next one.
async fn a_long_chain(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let mut last = repo.insert(user("0")).await?;
    for at in 1..=150 {
        last = repo.association(&mut last, User::STUDENTS).create(user(&at.to_string())).await?;
    }
    cx.require(
        repo.association(&last, User::MENTOR).get().await?.is_some_and(|row| row.name == "149"),
        "the one above",
    )?;
    // The chain is closed to a ring, and opened elsewhere.
    let first = repo.get_or_fail::<User>(1, Query::new()).await?;
    repo.association(&mut last, User::STUDENTS).push(&first).await?;
    let mut middle = repo.one(Query::<User>::filter(User::NAME.eq("75"))).await?.ok_or_else(|| Error::other("75"))?;
    cx.require(repo.association(&mut middle, User::STUDENTS).delete_all().await? == 1, "one below it")?;
    let roots = repo.count(Query::<User>::filter(User::MENTOR_ID.is_null())).await?;
    cx.require(roots == 1, "a chain once more")?;
    let below = repo.association(&middle, User::STUDENTS).is_empty().await?;
    cx.require(below, "the end of the chain")
}

// Each call of a handle of a transaction that is over is refused, and the owner stays as it is.
async fn ended_transactions(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let ada = repo.insert(user("Ada").push(User::POSTS, ["a", "b"].map(post))).await?;
    let bare = repo.get_or_fail::<User>(ada.id, Query::new()).await?;
    let row = ada.posts()?[0].clone();
    for is_committed in [true, false] {
        let tx = repo.begin().await?;
        let left = Repo::clone(&tx);
        if is_committed {
            tx.commit().await?
        } else {
            tx.rollback().await?
        }
        let mut owner = bare.clone();
        let mut posts = left.association(&mut owner, User::POSTS);
        let ended = [
            ("load", posts.load().await.map(|_| ())),
            ("all", posts.all().await.map(drop)),
            ("count", posts.count().await.map(drop)),
            ("size", posts.size().await.map(drop)),
            ("first", posts.first().await.map(drop)),
            ("find", posts.find(row.id).await.map(drop)),
            ("ids", posts.ids().await.map(drop)),
            ("exists", posts.exists(Post::TITLE.eq("a")).await.map(drop)),
            ("pluck", posts.pluck(Post::TITLE).await.map(drop)),
            ("push", posts.push(post("c")).await),
            ("create", posts.create(post("c")).await.map(drop)),
            ("insert_all", posts.insert_all([post("c")]).await.map(drop)),
            ("find_or_create_by", posts.find_or_create_by(Post::TITLE.eq("c"), post("c")).await.map(drop)),
            ("delete", posts.delete(&row).await),
            ("delete_ids", posts.delete_ids([row.id]).await),
            ("destroy", posts.destroy(&row).await),
            ("destroy_all", posts.destroy_all().await.map(drop)),
            ("delete_all", posts.delete_all().await.map(drop)),
            ("replace", posts.replace([&row]).await),
            ("set_ids", posts.set_ids([row.id]).await),
        ];
        let mut account = left.association(&mut owner, User::ACCOUNT);
        let number = || Account::build().set(Account::NUMBER, "1");
        let of_one = [
            ("load", account.load().await.map(|_| ())),
            ("get", account.get().await.map(drop)),
            ("exists", account.exists().await.map(drop)),
            ("set", account.set(number()).await),
            ("create", account.create(number()).await.map(drop)),
            ("clear", account.clear().await),
        ];
        for (call, result) in ended.into_iter().chain(of_one) {
            match result {
                Err(error) if matches!(error.kind(), ErrorKind::Transaction { .. }) => {}
                Err(error) => return Err(error),
                Ok(()) => cx.require(false, call)?,
            }
        }
        cx.require(owner == bare, "as before")?;
    }
    let posts = repo.association(&ada, User::POSTS).count().await?;
    cx.require(posts == 2, "nothing is written")
}

// Polls both until both have ended.
async fn both<T>(one: impl Future<Output = Result<T>>, other: impl Future<Output = Result<T>>) -> Result<()> {
    let (mut one, mut other) = (std::pin::pin!(one), std::pin::pin!(other));
    let mut ended: [Option<Result<()>>; 2] = [None, None];
    std::future::poll_fn(|cx| {
        if ended[0].is_none()
            && let Poll::Ready(result) = one.as_mut().poll(cx)
        {
            ended[0] = Some(result.map(drop));
        }
        if ended[1].is_none()
            && let Poll::Ready(result) = other.as_mut().poll(cx)
        {
            ended[1] = Some(result.map(drop));
        }
        if ended.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    ended.into_iter().flatten().collect()
}

// Handles of two owners, of one repo, in one task: neither waits for the other to end.
async fn beside_each_other(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let mut users = repo.insert_all(["Ada", "Bob"].map(user)).await?;
    let [ada, bob] = &mut users[..] else { return Err(Error::other("two users")) };
    let (mut hers, mut his) = (repo.association(ada, User::POSTS), repo.association(bob, User::POSTS));
    for at in 0..10 {
        let one = hers.create(post(&format!("a{at}")));
        let other = his.create(post(&format!("b{at}")));
        both(one, other).await?;
    }
    cx.require(hers.count().await? == 10 && his.count().await? == 10, "each has its own")?;
    let (hers_held, his_held) = (hers.target().map(|rows| rows.len()), his.target().map(|rows| rows.len()));
    cx.require((hers_held, his_held) == (Some(10), Some(10)), "in memory as well")
}
