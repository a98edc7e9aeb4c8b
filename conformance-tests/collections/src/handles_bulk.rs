//! Handles over many rows: inserted and upserted without callbacks, read in pages, let go by their keys, found or built.

use assoc_core::{ErrorKind, LoadState, Result};
use assoc_repo::prelude::*;
use assoc_repo::{Changeset, on_conflict};
use conformance_harness::{Context, Level, cases};
use conformance_models::archive::{self, Desk, Paper};
use conformance_written_models::callbacks::{self as noisy, take};
use conformance_written_models::counted::{self, Article as CountedArticle, Comment as CountedComment};
use conformance_written_models::firms::{self, Client, Firm};
use conformance_written_models::guild::{self, Group, Membership, Post, Tag, User};
use conformance_written_models::studio::{self, Account};

cases! { "handles_bulk", Level::Collection;
    insert_all,
    insert_all_is_silent,
    upsert_all,
    upsert_all_is_refused,
    in_batches,
    find_or_build_by,
    f81_f130_built_and_saved_alone,
    f112_readonly,
    by_keys,
    the_last_ones,
    lists_that_may_lack_rows,
    follows_success_and_no_failure,
}

fn user(name: &str) -> Changeset<User> {
    User::build().set(User::NAME, name)
}

fn post(title: &str) -> Changeset<Post> {
    Post::build().set(Post::TITLE, title)
}

fn client(name: &str) -> Changeset<Client> {
    Client::build().set(Client::NAME, name)
}

async fn clients(cx: &mut Context) -> Result<()> {
    cx.rows("clients", "SELECT name, firm_code FROM clients ORDER BY name").await
}

async fn insert_all(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let mut ada = repo.insert(user("Ada")).await?;
    let bob = repo.insert(user("Bob")).await?;
    let mut handle = repo.association(&mut ada, User::PUBLISHED_POSTS);
    let theirs = post("c").set(Post::USER_ID, bob.id);
    let inserted = cx.step("not loaded", handle.insert_all([post("a"), post("b"), theirs])).await?;
    cx.show("posts", inserted.iter().map(|post| (&post.title, post.user_id == Some(1), post.published)));
    cx.require(handle.state() == LoadState::Partial, "what was added is a part")?;
    handle.load().await?;
    cx.step("loaded", handle.insert_all([post("d")])).await?;
    cx.require(handle.state() == LoadState::Loaded && handle.size().await? == 4, "four in memory")?;
    cx.step("none", handle.insert_all(Vec::<Changeset<Post>>::new())).await?;
    let error = cx.fails("one is wrong", handle.insert_all([post("e"), Post::build()])).await?;
    cx.note("problem", error);
    cx.fails("outside the conditions", handle.insert_all([post("e").set(Post::PUBLISHED, false)])).await?;
    cx.fails("a row that exists", handle.insert_all([inserted[0].change()])).await?;
    cx.require(handle.size().await? == 4, "none of them")?;
    let mut groups = repo.association(&mut ada, User::GROUPS);
    cx.step("behind a join model", groups.insert_all(["x", "y"].map(|name| Group::build().set(Group::NAME, name))))
        .await?;
    cx.rows("memberships", "SELECT user_id, group_id FROM memberships ORDER BY id").await
}

async fn insert_all_is_silent(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    noisy::tables(&repo).await?;
    let mut ada = repo.insert(noisy::Author::build().set(noisy::Author::NAME, "Ada")).await?;
    let _ = take(&repo);
    // The slug is made by a callback, unless it is there.
    let article =
        |title: &str| noisy::Article::build().set(noisy::Article::TITLE, title).set(noisy::Article::SLUG, title);
    let mut articles = repo.association(&mut ada, noisy::Author::ARTICLES);
    articles.create(article("told")).await?;
    cx.require(!take(&repo).is_empty(), "`create` runs callbacks")?;
    cx.step("insert_all", articles.insert_all(["One", "Two"].map(article))).await?;
    cx.show("callbacks", take(&repo));
    cx.step("delete_all", articles.delete_all()).await?;
    cx.show("callbacks", take(&repo));
    cx.rows("articles", "SELECT title, author_id FROM articles ORDER BY title").await
}

async fn upsert_all(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    firms::tables(&repo).await?;
    let mut firm = repo.insert(Firm::build().set(Firm::CODE, "one")).await?;
    let mut handle = repo.association(&mut firm, Firm::CLIENTS);
    let upserted =
        cx.step("two new ones", handle.upsert_all(["a", "b"].map(client), on_conflict(Client::NAME))).await?;
    cx.require(upserted.iter().all(|client| client.firm_code.as_deref() == Some("one")), "its own")?;
    cx.require(handle.state() == LoadState::NotLoaded, "not loaded, as before")?;
    handle.load().await?;
    let upserted =
        cx.step("one of them again", handle.upsert_all(["b", "c"].map(client), on_conflict(Client::NAME))).await?;
    cx.require(upserted[0].id == handle.all().await?[1].id, "the row that was there")?;
    cx.require(handle.state() == LoadState::Loaded && handle.size().await? == 3, "loaded, with the new one")?;
    cx.step("none", handle.upsert_all(Vec::<Changeset<Client>>::new(), on_conflict(Client::NAME))).await?;
    clients(cx).await
}

// Another owner's row stays with it, whatever is said of rows that are there.
async fn upsert_all_is_refused(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    firms::tables(&repo).await?;
    let mut one = repo.insert(Firm::build().set(Firm::CODE, "one")).await?;
    repo.insert(Firm::build().set(Firm::CODE, "other").push(Firm::CLIENTS, client("theirs"))).await?;
    let before = one.clone();
    let mut handle = repo.association(&mut one, Firm::CLIENTS);
    for (label, conflict) in [("updated", on_conflict(Client::NAME)), ("left", on_conflict(Client::NAME).or_nothing())]
    {
        let error = cx.fails(label, handle.upsert_all(["new", "theirs"].map(client), conflict)).await?;
        cx.require(matches!(error.kind(), ErrorKind::NotMember { .. }), "no member")?;
    }
    let stolen = on_conflict(Client::NAME).update(Client::FIRM_CODE);
    cx.fails("its key cannot be updated", handle.upsert_all([client("theirs")], stolen)).await?;
    let error =
        cx.fails("one is wrong", handle.upsert_all([client("x"), Client::build()], on_conflict(Client::NAME))).await?;
    cx.note("problem", error);
    clients(cx).await?;
    cx.require(one == before, "as before")?;
    // Rows that are counted: an upsert does not say which are new.
    counted::fixture(&repo).await?;
    let mut article = repo.get_or_fail::<CountedArticle>(1, Query::new()).await?;
    let mut comments = repo.association(&mut article, CountedArticle::COMMENTS);
    let error =
        comments.upsert_all([CountedComment::build().set(CountedComment::BODY, "x")], on_conflict(CountedComment::ID));
    let error = cx.fails("counted rows", error).await?;
    cx.note("remedy", error);
    // What it would leave unsaid is refused.
    let draft = Firm::build().set(Firm::CODE, "new").push(Firm::CLIENTS, client("lost"));
    cx.fails("an upsert with members", repo.upsert(draft, on_conflict(Firm::CODE))).await?;
    clients(cx).await
}

async fn in_batches(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let ada = repo.insert(user("Ada").push(User::POSTS, ["c", "a", "b", "d", "e"].map(post))).await?;
    repo.insert(user("Bob").push(User::POSTS, post("theirs"))).await?;
    let cyd = repo.insert(user("Cyd")).await?;
    let titles = async |mut pages: assoc_repo::Batches<Post>| {
        let mut titles = Vec::new();
        while let Some(page) = pages.next().await? {
            titles.push(page.into_iter().map(|post| post.title).collect::<String>());
        }
        Ok::<_, Error>(titles)
    };
    let handle = repo.association(&ada, User::POSTS);
    let pages = cx.step("by key", titles(handle.in_batches(2)?)).await?;
    cx.show("pages", pages);
    let pages = cx
        .step("in the association's order", titles(repo.association(&ada, User::SORTED_POSTS).in_batches(2)?))
        .await?;
    cx.show("pages", pages);
    let pages = cx.step("of none", titles(repo.association(&cyd, User::POSTS).in_batches(2)?)).await?;
    cx.require(pages.is_empty(), "no page")?;
    let mut rows = handle.stream()?;
    let mut count = 0;
    while let Some(row) = rows.next().await? {
        cx.require(row.user_id == Some(ada.id), "hers")?;
        count += 1;
    }
    cx.require(count == 5, "all of them")?;
    cx.require(handle.in_batches(0).is_err(), "no size")?;
    // Behind others: each link is a row, also of the same member.
    let group = repo.insert_all(["x", "y"].map(|name| Group::build().set(Group::NAME, name))).await?;
    let dan = repo.insert(user("Dan").push(User::GROUPS, [&group[0], &group[1], &group[0], &group[0]])).await?;
    let mut pages = repo.association(&dan, User::GROUPS).in_batches(3)?;
    let mut names = Vec::new();
    while let Some(page) = cx.step("a page of links", pages.next()).await? {
        names.push(page.into_iter().map(|group| group.name).collect::<String>());
    }
    cx.show("pages", names);
    Ok(())
}

async fn find_or_build_by(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let mut ada = repo.insert(user("Ada").push(User::POSTS, post("a").set(Post::PUBLISHED, true))).await?;
    repo.insert(user("Bob").push(User::POSTS, post("theirs").set(Post::PUBLISHED, true))).await?;
    let mut handle = repo.association(&mut ada, User::PUBLISHED_POSTS);
    handle.load().await?;
    let find = |title: &'static str| (Post::TITLE.eq(title), post(title));
    let (filter, draft) = find("a");
    let found = cx.step("found", handle.find_or_build_by(filter, draft)).await?;
    cx.require(!found.is_new() && !found.has_changes(), "the member, unchanged")?;
    let (filter, draft) = find("theirs");
    let built = cx.step("another owner has it", handle.find_or_build_by(filter, draft)).await?;
    cx.require(built.is_new(), "a new one")?;
    cx.show("built", [&built]);
    cx.step("pushed", handle.push([found.set(Post::TITLE, "A"), built])).await?;
    cx.rows("posts", "SELECT title, user_id, published FROM posts ORDER BY id").await
}

async fn f81_f130_built_and_saved_alone(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    const LINKS: &str = "SELECT post_id, tag_id FROM posts_tags ORDER BY post_id, tag_id";
    const MEMBERSHIPS: &str = "SELECT user_id, group_id, role FROM memberships ORDER BY id";
    let group = |name: &str, built: Changeset<Group>| built.set(Group::NAME, name);
    let mut ada = repo.insert(user("Ada")).await?;
    let groups = repo.association(&ada, User::GROUPS);
    let built = group("alone", groups.build()?);
    // Nothing is written by building; what is dropped never is.
    drop(group("dropped", groups.build()?));
    let saved = cx.step("behind a join model", repo.insert(built)).await?;
    cx.require(groups.ids().await? == [saved.id], "linked")?;
    let chaired = repo.association(&ada, User::CHAIRED_GROUPS);
    cx.step("with the conditions of the rows between", repo.insert(group("chaired", chaired.build()?))).await?;
    let several = [group("x", groups.build()?), group("y", groups.build()?)];
    cx.step("several", repo.insert_all(several)).await?;
    cx.rows("memberships", MEMBERSHIPS).await?;
    // Pushed, it is linked once; twice if it is pushed twice.
    let mut groups = repo.association(&mut ada, User::GROUPS);
    let built = group("pushed", groups.build()?);
    cx.step("pushed", groups.push(built)).await?;
    let built = group("shared", groups.build()?).shared();
    cx.step("shared, and pushed twice", groups.push([&built, &built])).await?;
    let built = group("with a role", groups.build()?);
    cx.step("pushed with a role", groups.push_with(built, |row: Changeset<Membership>| row.set(Membership::ROLE, "r")))
        .await?;
    let built = group("created", groups.build()?);
    cx.step("created", groups.create(built)).await?;
    let built = group("replaced", groups.build()?);
    cx.step("replaced", groups.replace(built)).await?;
    cx.require(groups.size().await? == 1, "one is left")?;
    cx.rows("memberships", MEMBERSHIPS).await?;
    // Built for one, pushed to another: it belongs to both.
    let mut bob = repo.insert(user("Bob")).await?;
    let built = group("both", repo.association(&ada, User::GROUPS).build()?);
    let created = cx.step("of two owners", repo.association(&mut bob, User::GROUPS).create(built)).await?;
    let of_ada = repo.association(&ada, User::GROUPS).contains(&created).await;
    repo.association(&mut ada, User::GROUPS).reload().await?;
    cx.require(of_ada.is_ok() && repo.association(&ada, User::GROUPS).contains(&created).await?, "both")?;
    // A join table has no model.
    let p = repo.insert(post("p")).await?;
    let tags = repo.association(&p, Post::TAGS);
    cx.step("of a join table", repo.insert(tags.build()?.set(Tag::NAME, "t"))).await?;
    cx.rows("posts_tags", LINKS).await?;
    // With members of its own.
    let nested = tags.build()?.set(Tag::NAME, "u").push(Tag::POSTS, post("q"));
    cx.step("with members", repo.insert(nested)).await?;
    cx.rows("posts_tags", LINKS).await?;
    cx.note("plan", repo.explain_save(&tags.build()?.set(Tag::NAME, "v"))?);
    // A tag is written with its link, or not at all.
    let mut failed = 0;
    loop {
        cx.recorder().fail_after(failed);
        let result = repo.insert(tags.build()?.set(Tag::NAME, "w")).await;
        cx.recorder().fail_no_more();
        if result.is_ok() {
            break;
        }
        failed += 1;
        cx.require(repo.count(Query::filter(Tag::NAME.eq("w"))).await? == 0 && failed < 9, "nothing is written")?;
    }
    cx.require(failed >= 2, "it fails at each statement")
}

// Targets of a read-only association are read and refuse to be changed, also by its handle.
async fn f112_readonly(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    archive::fixture(&repo).await?;
    let mut desk = repo.get_or_fail::<Desk>(1, Query::new()).await?;
    let mut filed = repo.association(&mut desk, Desk::FILED);
    for loaded in [false, true] {
        cx.note("loaded", loaded);
        if loaded {
            filed.load().await?;
        }
        let row = filed.first().await?.ok_or_else(|| Error::other("a paper"))?;
        let changed = || row.change().set(Paper::TITLE, "changed");
        let error = cx.fails("updated", repo.update(changed())).await?;
        cx.require(error.is_read_only(), "read-only")?;
        let error = cx.fails("pushed with a change", filed.push(changed())).await?;
        cx.note("refused", error);
        let error = cx.fails("destroyed", filed.destroy(&row)).await?;
        cx.note("refused", error);
    }
    cx.rows("papers", "SELECT id, title FROM papers ORDER BY id").await
}

async fn by_keys(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let mut ada = repo.insert(user("Ada").push(User::POSTS, ["a", "b", "c", "d"].map(post))).await?;
    let bob = repo.insert(user("Bob").push(User::POSTS, post("theirs"))).await?;
    let theirs = bob.posts()?[0].id;
    let own: Vec<i64> = ada.posts()?.iter().map(|post| post.id).collect();
    let mut handle = repo.association(&mut ada, User::POSTS);
    cx.step("loaded: deleted", handle.delete_ids([own[0]])).await?;
    cx.step("destroyed", handle.destroy_ids([own[1]])).await?;
    let error = cx.fails("another owner's", handle.delete_ids([own[2], theirs])).await?;
    cx.require(error.is_not_found(), "not found")?;
    handle.reset();
    let error = cx.fails("not loaded: another owner's", handle.destroy_ids([own[2], theirs])).await?;
    cx.require(error.is_not_found(), "not found")?;
    cx.step("deleted", handle.delete_ids([own[2]])).await?;
    cx.step("destroyed", handle.destroy_ids([own[3]])).await?;
    cx.step("none", handle.delete_ids(Vec::<i64>::new())).await?;
    cx.rows("posts", "SELECT title, user_id FROM posts ORDER BY id").await
}

async fn the_last_ones(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let ada = repo.insert(user("Ada").push(User::POSTS, ["c", "a", "b"].map(post))).await?;
    let mut bare = repo.get_or_fail::<User>(ada.id, Query::new()).await?;
    let titles = |rows: Vec<Post>| rows.into_iter().map(|post| post.title).collect::<String>();
    let mut handle = repo.association(&mut bare, User::POSTS);
    for loaded in [false, true] {
        if loaded {
            handle.load().await?;
        }
        let two = cx.step("two of three", handle.take_last(2)).await?;
        let all = cx.step("more than there are", handle.take_last(9)).await?;
        let none = cx.step("none", handle.take_last(0)).await?;
        cx.require(titles(two) == "ab" && titles(all) == "cab" && none.is_empty(), "in their order")?;
    }
    let sorted = repo.association(&ada, User::SORTED_POSTS);
    let two = cx.step("in the association's order", sorted.take_last(2)).await?;
    cx.require(titles(two) == "bc", "by title")
}

// What is in memory after a write is never more than what the association has.
async fn lists_that_may_lack_rows(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    studio::tables(&repo).await?;
    let account =
        |number: &str, credit: i64| Account::build().set(Account::NUMBER, number).set(Account::CREDIT, credit);
    let numbers = |rows: Vec<&Account>| rows.into_iter().map(|account| account.number.clone()).collect::<String>();
    let accounts = [account("a", 200), account("b", 50), account("c", 300)];
    let firm = studio::Firm::build().set(studio::Firm::NAME, "one").push(studio::Firm::ACCOUNTS, accounts);
    let mut firm = repo.insert(firm).await?;
    let own = firm.accounts()?.to_vec();
    // A condition that is no equality: a new row may not satisfy it.
    let mut good = repo.association(&mut firm, studio::Firm::GOOD_ACCOUNTS);
    good.load().await?;
    good.push(account("d", 10)).await?;
    cx.require(good.state() == LoadState::Partial, "nothing judges the condition in memory")?;
    let holds = cx.step("size", good.size()).await? == 2;
    cx.require(holds, "two satisfy it")?;
    let loaded = numbers(good.load().await?);
    cx.require(loaded == "ac", "those")?;
    good.delete(&own[0]).await?;
    cx.require(good.state() == LoadState::Loaded && good.size().await? == 1, "what is let go makes room for no other")?;
    // A limit: another row moves up.
    let mut two = repo.association(&mut firm, studio::Firm::TWO_ACCOUNTS);
    let loaded = numbers(two.load().await?);
    cx.require(loaded == "bc", "the first two")?;
    two.delete(&own[1]).await?;
    cx.require(two.state() == LoadState::Partial, "a part")?;
    let loaded = numbers(two.load().await?);
    cx.require(loaded == "cd", "the next one")?;
    two.push(account("e", 1)).await?;
    cx.require(two.state() == LoadState::Partial && two.size().await? == 2, "two at most")?;
    cx.rows("accounts", "SELECT number, firm_id FROM accounts ORDER BY number").await
}

// A failure at any statement leaves rows and owner as they were.
async fn follows_success_and_no_failure(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    firms::tables(&repo).await?;
    let firm = Firm::build().set(Firm::CODE, "one").push(Firm::CLIENTS, ["a", "b"].map(client));
    let firm = repo.insert(firm).await?;
    let own: Vec<i64> = firm.clients()?.iter().map(|client| client.id).collect();
    let mut failures = 0;
    for call in 0..6 {
        for loaded in [true, false] {
            for failed in 0..20 {
                let tx = repo.begin().await?;
                let mut owner = firm.clone();
                let mut handle = tx.association(&mut owner, Firm::CLIENTS);
                if !loaded {
                    handle.reset();
                }
                let before = handle.owner().clone();
                cx.recorder().fail_after(failed);
                let result = match call {
                    0 => handle.insert_all(["c", "d"].map(client)).await.map(|_| ()),
                    1 => handle.upsert_all(["b", "c"].map(client), on_conflict(Client::NAME)).await.map(|_| ()),
                    2 => handle.delete_ids([own[0]]).await,
                    3 => handle.destroy_ids([own[1]]).await,
                    4 => handle.delete_all().await.map(|_| ()),
                    _ => handle.find_or_create_by(Client::NAME.eq("e"), client("e")).await.map(|_| ()),
                };
                cx.recorder().fail_no_more();
                if matches!(result.as_ref().map_err(Error::kind), Err(ErrorKind::Unsupported { .. })) {
                    return result;
                }
                let done = result.is_ok();
                if done {
                    let whole = handle.state() == LoadState::Loaded;
                    let mut fresh = handle.owner().clone();
                    tx.association(&mut fresh, Firm::CLIENTS).reload().await?;
                    cx.require(!whole || *handle.owner() == fresh, &format!("call {call}: as in the database"))?;
                } else {
                    failures += 1;
                    cx.require(*handle.owner() == before, &format!("call {call}: the owner stays as it is"))?;
                }
                tx.rollback().await?;
                if done {
                    break;
                }
                cx.require(failed < 19, "it ends")?;
            }
        }
    }
    cx.require(failures >= 15, "each call fails at each statement")?;
    clients(cx).await
}
