//! Handles under strain: many keys, rows and owners that are gone meanwhile, several handles of one row, futures that are dropped.

use assoc_core::{LoadState, Result};
use assoc_repo::Changeset;
use assoc_repo::prelude::*;
use conformance_harness::{Context, Level, cases, dropped_at};
use conformance_models::options::{self, Customer, Order};
use conformance_written_models::guild::{
    self, Account, Book, Comment, Company, Group, Picture, Post, Shelf, Tag, User,
};

cases! { "handles_strained", Level::Collection;
    many_keys,
    owners_that_are_gone,
    rows_that_are_gone,
    two_handles_of_one_row,
    references_are_written_whole,
    inverses_of_new_members,
    dropped_futures,
    conditions_on_limited_members,
}

fn post(title: &str) -> Changeset<Post> {
    Post::build().set(Post::TITLE, title)
}

async fn ada(repo: &Repo) -> Result<User> {
    guild::tables(repo).await?;
    repo.insert(User::build().set(User::NAME, "Ada").push(User::POSTS, ["a", "b"].map(post))).await
}

async fn unloaded(repo: &Repo) -> Result<User> {
    repo.get_or_fail::<User>(1, Query::new()).await
}

// What was answered, for the golden.
fn told<T>(result: &Result<T>) -> String {
    match result {
        Ok(_) => "done".to_owned(),
        Err(error) => error.to_string(),
    }
}

// More keys than one statement takes, of one column and of two.
async fn many_keys(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let mut ada = ada(&repo).await?;
    let mut posts = repo.association(&mut ada, User::POSTS);
    posts.reset();
    let missing = posts.find_all(1..=70_000_i64).await;
    cx.require(missing.is_err_and(|error| error.is_not_found()), "most of 70,000 are not there")?;
    posts.insert_all((0..2_500).map(|at| post(&format!("{at}")))).await?;
    posts.reset();
    let all = posts.ids().await?;
    let found = posts.find_all(all.iter().rev().copied()).await?;
    cx.require(found.len() == 2_502 && found[0].id == all[2_501], "in the order of the keys")?;
    let again = posts.find_all([all[5], all[1], all[5]]).await?;
    cx.require(again.iter().map(|post| post.id).eq([all[5], all[1], all[5]]), "as often as it is named")?;
    posts.set_ids(all[1_000..].iter().copied()).await?;
    cx.require(posts.count().await? == 1_502 && posts.len().await? == 1_502, "the others have no user")?;
    posts.delete_ids(all[2_000..].iter().copied()).await?;
    cx.require(posts.count().await? == 1_000 && posts.size().await? == 1_000, "a thousand is left")?;
    let room = Shelf::build().set(Shelf::ROOM, 1).set(Shelf::NUMBER, 7);
    let mut shelf = repo.insert(room).await?;
    let mut books = repo.association(&mut shelf, Shelf::BOOKS);
    let isbns: Vec<String> = (0..300).map(|at| format!("{at:03}")).collect();
    books.insert_all(isbns.iter().map(|isbn| Book::build().set(Book::ISBN, &**isbn))).await?;
    books.reset();
    let keys = || isbns.iter().map(|isbn| (1_i64, isbn.clone()));
    cx.require(books.find_all(keys()).await?.len() == 300, "all by both columns")?;
    let other = books.find_all([(2_i64, "000".to_owned())]).await;
    cx.require(other.is_err_and(|error| error.is_not_found()), "another room's")?;
    books.set_ids(keys().skip(100)).await?;
    cx.require(books.count().await? == 200, "two hundred are left")
}

// The owner's row is deleted, and the program does not know.
async fn owners_that_are_gone(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let mut ada = ada(&repo).await?;
    let company = repo.insert(Company::build().set(Company::NAME, "one")).await?;
    let group = repo.insert(Group::build().set(Group::NAME, "Poets")).await?;
    let before = ada.clone();
    repo.execute_raw("DELETE FROM users", []).await?;
    let tx = repo.begin().await?;
    let result = tx.association(&mut ada, User::COMPANY).set(&company).await;
    cx.note("a key of its own", told(&result));
    cx.require(result.is_err_and(|error| error.is_not_found()) && ada == before, "it is not found")?;
    let result = tx.association(&mut ada, User::COMPANY).create(Company::build().set(Company::NAME, "two")).await;
    cx.note("with a new target", told(&result));
    cx.require(result.is_err() && ada == before, "the owner stays as it is")?;
    let companies = tx.count(Query::<Company>::new()).await?;
    cx.require(companies == 1, "the new target is undone")?;
    // Rows that hold its key are its members all the same, as long as no foreign key of the schema says otherwise.
    let result = tx.association(&mut ada, User::POSTS).push(post("c")).await;
    cx.note("a member", told(&result));
    let result = tx.association(&mut ada, User::GROUPS).push(&group).await;
    cx.note("a link", told(&result));
    let count = tx.association(&ada, User::POSTS).count().await?;
    cx.note("members", count);
    tx.rollback().await
}

async fn rows_that_are_gone(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let mut ada = ada(&repo).await?;
    let loaded = ada.clone();
    let gone = repo.association(&ada, User::POSTS).find(1).await?;
    let mut kept = repo.get_or_fail::<Post>(2, Query::new()).await?;
    let tag = repo.insert(Tag::build().set(Tag::NAME, "gone")).await?;
    repo.execute_raw("DELETE FROM tags", []).await?;
    repo.execute_raw("DELETE FROM posts WHERE id = 1", []).await?;
    let mut posts = repo.association(&mut ada, User::POSTS);
    for (title, result) in [
        ("delete", posts.delete(&gone).await),
        ("destroy", posts.destroy(&gone).await),
        ("delete_ids", posts.delete_ids([1]).await),
        ("set_ids", posts.set_ids([1, 2]).await),
        ("a change of it", posts.push(gone.change().set(Post::TITLE, "x")).await),
        ("replace", posts.replace([gone.change().set(Post::TITLE, "x")]).await),
    ] {
        cx.note(title, told(&result));
        match result {
            Err(error) if error.is_not_found() => {}
            // A lacking capability, or a fault.
            Err(error) => return Err(error),
            Ok(_) => cx.require(false, title)?,
        }
    }
    cx.require(ada == loaded, "the owner stays as it is, with a row that is gone")?;
    let mut posts = repo.association(&mut ada, User::POSTS);
    cx.require(posts.reload().await?.len() == 1, "and without it once it is loaded again")?;
    cx.rows("posts", "SELECT title, user_id FROM posts").await?;
    // A link needs no row to lead to.
    let mut tags = repo.association(&mut kept, Post::TAGS);
    let result = tags.push(&tag).await;
    cx.note("a link to a row that is gone", told(&result));
    tags.reload().await?;
    cx.require(tags.is_empty().await?, "leads nowhere")?;
    let mut account = repo.association(&mut ada, User::ACCOUNT);
    let first = account.create(Account::build().set(Account::NUMBER, "1")).await?;
    repo.execute_raw("DELETE FROM accounts", []).await?;
    let result = account.set(first.change().set(Account::NUMBER, "2")).await;
    cx.note("a target", told(&result));
    cx.require(result.is_err_and(|error| error.is_not_found()), "it is gone")?;
    account.clear().await?;
    cx.require(account.target() == Some(None), "nothing to let go")
}

// Each sees what the other has written once it asks the database; what each holds is what it has written itself.
async fn two_handles_of_one_row(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    ada(&repo).await?;
    let (mut one, mut other) = (unloaded(&repo).await?, unloaded(&repo).await?);
    let (mut first, mut second) = (repo.association(&mut one, User::POSTS), repo.association(&mut other, User::POSTS));
    first.load().await?;
    second.create(post("c")).await?;
    cx.require(second.state() == LoadState::Partial && second.size().await? == 3, "a part is not the whole")?;
    cx.require(first.size().await? == 2 && first.count().await? == 3, "what is loaded is old")?;
    // A replacement compares with the rows in the database.
    first.replace([post("d")]).await?;
    cx.require(first.ids().await?.len() == 1 && second.count().await? == 1, "one is left")?;
    let old = second.target().map(|rows| rows.len());
    cx.require(old == Some(1), "what the other has added is in its memory")?;
    let gone = second.delete_ids(first.ids().await?).await;
    cx.note("what the first has added", told(&gone));
    cx.require(first.count().await? == 0, "both are of one owner")?;
    let result = first.delete_ids(first.ids().await?).await;
    cx.note("once more, from memory", told(&result));
    cx.require(result.is_err_and(|error| error.is_not_found()), "it is no member any more")?;
    cx.rows("posts", "SELECT title, user_id FROM posts ORDER BY title").await
}

// Key and type are one reference: two writers never make a third one of them.
async fn references_are_written_whole(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    ada(&repo).await?;
    let users = repo.insert_all(["Bob", "Cyd"].map(|name| User::build().set(User::NAME, name))).await?;
    let post = repo.get_or_fail::<Post>(2, Query::new()).await?;
    let draft = Picture::build().set(Picture::NAME, "p").associate(Picture::SUBJECT, &users[0]);
    let picture = repo.insert(draft).await?;
    const PICTURES: &str = "SELECT subject_id, subject_type FROM pictures";
    let mut stale = picture.clone();
    let mut other = picture.clone();
    repo.association(&mut other, Picture::SUBJECT).set(&post).await?;
    cx.step("by a struct that says another type", repo.association(&mut stale, Picture::SUBJECT).set(&users[1]))
        .await?;
    cx.rows("pictures", PICTURES).await?;
    repo.association(&mut other, Picture::SUBJECT).set(&users[0]).await?;
    let stale = repo.get_or_fail::<Picture>(picture.id, Query::new()).await?;
    repo.association(&mut other, Picture::SUBJECT).set(&post).await?;
    let change = stale.change().associate(Picture::SUBJECT, User::build().set(User::NAME, "Dan"));
    let saved = cx.step("with a new target", repo.update(change)).await?;
    cx.require(saved.subject_type.as_deref() == Some("User"), "a user")?;
    cx.rows("pictures", "SELECT users.name, subject_type FROM pictures JOIN users ON users.id = subject_id").await?;
    let same = saved.clone();
    cx.step(
        "the same is no change",
        repo.update(same.change().associate(Picture::SUBJECT, &User { id: 4, ..users[0].clone() })),
    )
    .await?;
    cx.rows("pictures", PICTURES).await
}

// What is added leads back to its owner, if at all, and to no other row.
async fn inverses_of_new_members(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    ada(&repo).await?;
    let mut owner = unloaded(&repo).await?;
    let mut posts = repo.association(&mut owner, User::POSTS);
    let created = posts.create(post("c")).await?;
    posts.push(post("d")).await?;
    let back = |post: &Post| match post.user() {
        Ok(user) => user.map_or_else(|| "none".to_owned(), |user| user.name.clone()),
        Err(_) => "not loaded".to_owned(),
    };
    cx.note("created", back(&created));
    let held: Vec<String> = posts.target().unwrap_or_default().into_iter().map(back).collect();
    cx.note("in memory", held.join(", "));
    let both = posts.all().await?;
    cx.note("read", both.iter().map(back).collect::<Vec<_>>().join(", "));
    let mut loaded =
        repo.one(Query::preload(User::POSTS.with(Post::USER))).await?.ok_or_else(|| Error::other("Ada"))?;
    let mut posts = repo.association(&mut loaded, User::POSTS);
    let first = posts.first().await?.ok_or_else(|| Error::other("a post"))?;
    cx.note("loaded with it", back(&first));
    posts.replace([first.change(), post("e")]).await?;
    let held: Vec<String> = posts.target().unwrap_or_default().into_iter().map(back).collect();
    cx.note("replaced", held.join(", "));
    cx.require(held.iter().all(|name| name == "Ada" || name == "not loaded"), "no other row")
}

// All or nothing in the database, and nothing in memory; the next call works.
async fn dropped_futures(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let ada = ada(&repo).await?;
    let spare = repo.insert(post("spare").push(Post::COMMENTS, Comment::build().set(Comment::BODY, "c"))).await?;
    let mut dropped = 0;
    for call in 0..7 {
        for suspension in 0..500 {
            let tx = repo.begin().await?;
            let mut owner = ada.clone();
            let done = {
                let mut posts = tx.association(&mut owner, User::POSTS);
                match call {
                    0 => {
                        dropped_at(suspension, posts.push([post("c"), post("d")])).await.map(|result| result.map(drop))
                    }
                    1 => dropped_at(suspension, posts.set_ids([spare.id])).await,
                    2 => dropped_at(suspension, posts.replace([post("c")])).await,
                    3 => dropped_at(suspension, posts.destroy_all()).await.map(|result| result.map(drop)),
                    4 => dropped_at(suspension, posts.find_or_create_by(Post::TITLE.eq("x"), post("x")))
                        .await
                        .map(|result| result.map(drop)),
                    5 => dropped_at(suspension, posts.delete_ids([1])).await,
                    _ => {
                        let mut account = tx.association(&mut owner, User::ACCOUNT);
                        let new = Account::build().set(Account::NUMBER, "1");
                        dropped_at(suspension, account.create(new)).await.map(|result| result.map(drop))
                    }
                }
            };
            let finished = done.is_some();
            if let Some(result) = done {
                result?;
            } else {
                dropped += 1;
                cx.require(owner == ada, "the owner stays as it is")?;
            }
            // A driver may give the connection up at a write that was interrupted.
            let _ = tx.rollback().await;
            let posts: Vec<String> = repo.association(&ada, User::POSTS).pluck(Post::TITLE).await?;
            cx.require(posts == ["a", "b"] && repo.count(Query::<Post>::new()).await? == 3, "nothing is written")?;
            if finished {
                break;
            }
            cx.require(suspension < 499, "it ends")?;
        }
    }
    // Of a database within the process no future need ever wait.
    cx.require(dropped < 7 * 499, "each ends")
}

// Which rows are members does not depend on what is asked about them.
async fn conditions_on_limited_members(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    options::fixture(&repo).await?;
    let mut ann = repo.get_or_fail::<Customer>(1, Query::new()).await?;
    for with_second in [true, false] {
        let own = if with_second { Customer::SECOND_AND_THIRD } else { Customer::LARGEST_ORDERS };
        let members: Vec<i64> = repo.association(&ann, own).all().await?.iter().map(|order| order.id).collect();
        cx.show("members", &members);
        let orders: Vec<Order> = repo.all(Query::<Order>::new().order_by(Order::ID.asc())).await?;
        for order in &orders {
            let (handle, filter) = (repo.association(&mut ann, own), Order::ID.eq(order.id));
            let is_member = members.contains(&order.id);
            cx.require(handle.exists(filter.clone()).await? == is_member, "exists")?;
            cx.require(handle.contains(order).await? == is_member, "contains")?;
            let found = handle.find_or_build_by(filter, Order::build().set(Order::TOTAL, 1)).await?;
            cx.require(found.is_new() != is_member, "find_or_build_by")?;
        }
        cx.step("exists", repo.association(&ann, own).exists(Order::TOTAL.eq(120))).await?;
        cx.step("any", repo.association(&ann, own).any()).await?;
    }
    let count = repo.count(Query::<Order>::new()).await?;
    let mut handle = repo.association(&mut ann, Customer::SECOND_AND_THIRD);
    let draft = || Order::build().set(Order::TOTAL, 120).set(Order::CONFIRMED, false);
    let found = cx.step("find_or_create_by", handle.find_or_create_by(Order::TOTAL.eq(120), draft())).await?;
    cx.require(
        found.id == 3 && repo.count(Query::<Order>::new()).await? == count,
        "the first in the association's order",
    )
}
