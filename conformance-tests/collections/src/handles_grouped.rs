//! Handles of associations that read one row of each group, or that have an order: what each question asks, and which order an
//! added one comes after.

use assoc_core::{ErrorKind, Result};
use assoc_repo::Changeset;
use assoc_repo::prelude::*;
use conformance_harness::{Context, Level, cases};
use conformance_models::magazine::{self, Article, Author};
use conformance_written_models::firms::{self, Client, Firm};
use conformance_written_models::guild::{self, Group, Membership, Post, User};

cases! { "handles_grouped", Level::Collection;
    read,
    single_rows_are_written,
    never_all,
    added_orders,
    added_orders_behind_others,
    added_orders_after_a_default_scope,
    without_an_order,
}

fn titles(articles: &[Article]) -> String {
    articles.iter().map(|article| &*article.title).collect::<Vec<_>>().join(" ")
}

// Ann's longest article of each section, loaded and not loaded.
async fn read(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    magazine::fixture(&repo).await?;
    for loaded in [false, true] {
        let mut ann = repo.get_or_fail::<Author>(1, Query::new()).await?;
        let mut handle = repo.association(&mut ann, Author::LONGEST_ARTICLES);
        cx.note("loaded", loaded);
        if loaded {
            cx.step("load", handle.load()).await?;
        }
        let all = cx.step("all", handle.all()).await?;
        cx.note("members", titles(&all));
        let count = cx.step("count", handle.count()).await?;
        let size = cx.step("size", handle.size()).await?;
        let len = cx.step("len", handle.len()).await?;
        cx.require([count, size, len as u64] == [all.len() as u64; 3], "as many as there are groups")?;
        let ids = cx.step("ids", handle.ids()).await?;
        cx.require(ids.iter().eq(all.iter().map(|article| &article.id)), "their keys")?;
        let first = cx.step("first", handle.first()).await?;
        let last = cx.step("last", handle.last()).await?;
        cx.require(first.as_ref() == all.first() && last.as_ref() == all.last(), "the ends")?;
        let two = cx.step("take", handle.take(2)).await?;
        let last_two = cx.step("take_last", handle.take_last(2)).await?;
        cx.require(two == all[..2] && last_two == all[all.len() - 2..], "the ends")?;
        let found = cx.step("find", handle.find(all[1].id)).await?;
        cx.require(found == all[1], "a member")?;
        // A row of hers that is not the longest of its section.
        let others: Vec<Article> = repo.association(handle.owner(), Author::ARTICLES).all().await?;
        let other = others.iter().find(|row| !ids.contains(&row.id)).ok_or_else(|| Error::other("another"))?;
        let error = cx.fails("find another of hers", handle.find(other.id)).await?;
        cx.require(error.is_not_found(), "no member")?;
        let contains = cx.step("contains", handle.contains(&all[0])).await?;
        let another = cx.step("contains another of hers", handle.contains(other)).await?;
        cx.require(contains && !another, "members alone")?;
        let any = cx.step("any", handle.any()).await?;
        let one = cx.step("one", handle.one()).await?;
        let many = cx.step("many", handle.many()).await?;
        cx.require(any && !one && many, "several")?;
        let exists = cx.step("exists", handle.exists(Article::TITLE.eq(all[0].title.clone()))).await?;
        let hidden = cx.step("exists another of hers", handle.exists(Article::TITLE.eq(other.title.clone()))).await?;
        cx.require(exists && !hidden, "members alone")?;
        cx.fails("pluck", handle.pluck(Article::TITLE)).await?;
        cx.fails("sum", handle.sum(Article::PAGES)).await?;
        cx.fails("query", async { handle.query() }).await?;
        cx.fails("in_batches", async { handle.in_batches(2).map(drop) }).await?;
    }
    // Behind others, and of an owner with none.
    let ann = repo.get_or_fail::<Author>(1, Query::new()).await?;
    let topics = repo.association(&ann, Author::LONGEST_TOPICS);
    let all = cx.step("behind others", topics.all()).await?;
    let count = cx.step("count", topics.count()).await?;
    cx.require(count == all.len() as u64, "as many")?;
    let cyd = repo.get_or_fail::<Author>(3, Query::new()).await?;
    let none = repo.association(&cyd, Author::LONGEST_ARTICLES);
    let empty = none.is_empty().await? && none.first().await?.is_none() && none.count().await? == 0;
    cx.require(empty, "none")
}

// A single row is added and let go as one of all her articles.
async fn single_rows_are_written(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    magazine::fixture(&repo).await?;
    const ARTICLES: &str = "SELECT title, author_id FROM articles ORDER BY id";
    let mut ann = repo.get_or_fail::<Author>(1, Query::new()).await?;
    let mut handle = repo.association(&mut ann, Author::LONGEST_ARTICLES);
    handle.load().await?;
    let draft = Article::build().set(Article::TITLE, "tempest").set(Article::SECTION, "news".to_owned());
    let new = cx.step("create", handle.create(draft.set(Article::PAGES, 30))).await?;
    cx.note("a part, because groups choose among rows", format!("{:?}", handle.state()));
    let all = cx.step("all", handle.all()).await?;
    cx.require(all.iter().any(|row| row.id == new.id), "it is the longest")?;
    cx.step("delete", handle.delete(&new)).await?;
    cx.note("members", titles(&handle.all().await?));
    let first = handle.first().await?.ok_or_else(|| Error::other("a member"))?;
    cx.step("destroy", handle.destroy(&first)).await?;
    cx.note("members", titles(&handle.all().await?));
    cx.rows("articles", ARTICLES).await
}

// It never has all rows of its owner.
async fn never_all(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    magazine::fixture(&repo).await?;
    let mut ann = repo.get_or_fail::<Author>(1, Query::preload(Author::LONGEST_ARTICLES)).await?;
    let before = ann.clone();
    let mut handle = repo.association(&mut ann, Author::LONGEST_ARTICLES);
    let new = || Article::build().set(Article::TITLE, "new");
    let errors = [
        cx.fails("clear", handle.clear()).await?,
        cx.fails("delete_all", handle.delete_all()).await?,
        cx.fails("destroy_all", handle.destroy_all()).await?,
        cx.fails("replace", handle.replace(new())).await?,
        cx.fails("set_ids", handle.set_ids([1])).await?,
    ];
    let typed = |error: &Error| matches!(error.kind(), ErrorKind::InvalidQuery { .. } | ErrorKind::Invalid { .. });
    cx.require(errors.iter().all(typed) && ann == before, "refused, and as before")?;
    cx.rows("articles", "SELECT title, author_id FROM articles ORDER BY id").await
}

// An added order comes after the association's own, and decides between rows that it calls equal.
async fn added_orders(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let post = |title: &str, published: bool| Post::build().set(Post::TITLE, title).set(Post::PUBLISHED, published);
    let posts = [post("b", false), post("a", true), post("b", true), post("a", false)];
    let mut ada = repo.insert(User::build().set(User::NAME, "Ada").push(User::POSTS, posts)).await?;
    let handle = repo.association(&mut ada, User::SORTED_POSTS);
    let shown =
        |posts: &[Post]| posts.iter().map(|post| format!("{}{}", post.title, post.id)).collect::<Vec<_>>().join(" ");
    let own = cx.step("its own", repo.all(handle.query()?)).await?;
    cx.note("posts", shown(&own));
    let added = cx.step("and by key, backwards", repo.all(handle.query()?.order_by(Post::ID.desc()))).await?;
    cx.note("posts", shown(&added));
    cx.require(shown(&added) == "a4 a2 b3 b1", "it decides between equal titles")?;
    let same = cx.step("the other way round", repo.all(handle.query()?.order_by(Post::TITLE.desc()))).await?;
    cx.note("posts", shown(&same));
    let page = handle.query()?.order_by(Post::ID.desc()).limit(3).offset(1);
    let page = cx.step("a page of it", repo.all(page)).await?;
    cx.note("posts", shown(&page));
    cx.require(added[1..] == page[..], "in the same order")?;
    // Another order alone is asked of the association without one.
    let of_all = repo.association(handle.owner(), User::POSTS);
    let newest = cx.step("of the other association", repo.all(of_all.query()?.order_by(Post::ID.desc()))).await?;
    cx.note("posts", shown(&newest));
    cx.require(shown(&newest) == "a4 b3 a2 b1", "backwards by key")?;
    let titled = cx.step("and by title", repo.all(of_all.query()?.order_by(Post::TITLE.desc()))).await?;
    cx.require(shown(&titled) == "b1 b3 a2 a4", "by title, then by key")?;
    let page = repo.page(of_all.query()?.order_by(Post::TITLE.desc()), Page::first(3)).await;
    cx.note("pages of it", page.is_ok());
    let mut batches = repo.in_batches(of_all.query()?.order_by(Post::TITLE.desc()), 3)?;
    let first = cx.step("in batches", batches.next()).await?.unwrap_or_default();
    cx.require(shown(&first) == "b1 b3 a2", "in the same order")?;
    // A limit stays the association's: the order sorts within its members.
    firms::tables(&repo).await?;
    let clients = ["c", "a", "b"].map(|name| Client::build().set(Client::NAME, name));
    let firm = repo.insert(Firm::build().set(Firm::CODE, "one").push(Firm::CLIENTS, clients)).await?;
    let first = repo.association(&firm, Firm::FIRST_CLIENTS);
    let found = cx.step("of two", repo.all(first.query()?.order_by(Client::ID.asc()))).await?;
    cx.show("clients", found.iter().map(|client| &client.name));
    Ok(())
}

/// A user of the same tables, whose associations have orders that leave rows equal.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "users")]
struct Reader {
    id: i64,
    name: String,
    #[has_many(foreign_key = "user_id")]
    posts: HasMany<TitledPost>,
    #[has_many(foreign_key = "user_id")]
    memberships: HasMany<Membership>,
    #[has_many(foreign_key = "user_id", order = Membership::ROLE.asc())]
    ranks: HasMany<Membership>,
    #[has_many(through = "memberships")]
    groups: HasManyThrough<Group>,
    #[has_many(through = "memberships", source = "group", order = Group::NAME.asc())]
    named_groups: HasManyThrough<Group>,
    #[has_many(through = "ranks", source = "group")]
    ranked_groups: HasManyThrough<Group>,
}

/// A post whose default scope has an order.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "posts", default_scope = by_title)]
struct TitledPost {
    id: i64,
    user_id: Option<i64>,
    title: String,
}

fn by_title(posts: Scope<TitledPost>) -> Scope<TitledPost> {
    posts.order_by(TitledPost::TITLE.asc())
}

async fn reader(repo: &Repo) -> Result<Reader> {
    guild::tables(repo).await?;
    repo.insert_all(["b", "a", "b"].map(|name| Group::build().set(Group::NAME, name))).await?;
    let ada = repo.insert(Reader::build().set(Reader::NAME, "Ada")).await?;
    for (group, role) in [(1, "chair"), (2, "guest"), (3, "chair"), (1, "guest")] {
        let row = Membership::build().set(Membership::USER_ID, ada.id).set(Membership::GROUP_ID, group);
        repo.insert(row.set(Membership::ROLE, role.to_owned())).await?;
    }
    for title in ["b", "a", "b", "a"] {
        repo.insert(TitledPost::build().set(TitledPost::TITLE, title).set(TitledPost::USER_ID, ada.id)).await?;
    }
    Ok(ada)
}

// An order of the targets comes first, then that of the rows between, then the added one. Without any, the rows between are in
// the order of their keys.
async fn added_orders_behind_others(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let mut ada = reader(&repo).await?;
    let keys = |groups: &[Group]| groups.iter().map(|group| group.id).collect::<Vec<_>>();
    let named = repo.association(&ada, Reader::NAMED_GROUPS);
    let found = cx.step("by name", repo.all(named.query()?.order_by(Group::ID.desc()))).await?;
    cx.require(keys(&found) == [2, 3, 1, 1], "the added order decides between equal names")?;
    let ranked = repo.association(&ada, Reader::RANKED_GROUPS);
    let found =
        cx.step("by rank", repo.all(ranked.query()?.order_by(Group::NAME.desc()).order_by(Group::ID.desc()))).await?;
    cx.require(keys(&found) == [3, 1, 1, 2], "the added orders decide between equal ranks")?;
    for loaded in [false, true] {
        let mut groups = repo.association(&mut ada, Reader::GROUPS);
        if loaded {
            groups.load().await?;
        }
        let (first, last) = (groups.first().await?, groups.last().await?);
        cx.require(first.is_some_and(|group| group.id == 1) && last.is_some_and(|group| group.id == 1), "the ends")?;
        cx.require(keys(&groups.take(2).await?) == [1, 2], "the first links")?;
        cx.require(keys(&groups.take_last(2).await?) == [3, 1], "the last links")?;
        let mut named = repo.association(&mut ada, Reader::NAMED_GROUPS);
        if loaded {
            named.load().await?;
        }
        cx.require(named.first().await?.is_some_and(|group| group.name == "a"), "the first name")?;
        cx.require(named.last().await?.is_some_and(|group| group.name == "b"), "the last name")?;
        let mut ranked = repo.association(&mut ada, Reader::RANKED_GROUPS);
        if loaded {
            ranked.load().await?;
        }
        cx.require(keys(&ranked.take(1).await?) != [2], "a chair")?;
    }
    Ok(())
}

// The order of the members' default scope is the association's, if it has none itself.
async fn added_orders_after_a_default_scope(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let mut ada = reader(&repo).await?;
    let keys = |posts: &[TitledPost]| posts.iter().map(|post| post.id).collect::<Vec<_>>();
    let posts = repo.association(&ada, Reader::POSTS);
    let found = cx.step("added", repo.all(posts.query()?.order_by(TitledPost::ID.desc()))).await?;
    cx.require(keys(&found) == [4, 2, 3, 1], "it decides between equal titles")?;
    let found = cx.step("in its place", repo.all(posts.query()?.order_by(TitledPost::TITLE.desc()))).await?;
    cx.require(found[0].title == "a" && found[3].title == "b", "it takes no other's place")?;
    for loaded in [false, true] {
        let mut posts = repo.association(&mut ada, Reader::POSTS);
        if loaded {
            posts.load().await?;
        }
        let first = cx.step("first", posts.first()).await?;
        let last = cx.step("last", posts.last()).await?;
        cx.require(first.is_some_and(|post| post.id == 2), "the first title, of the first key")?;
        cx.require(last.is_some_and(|post| post.id == 3), "the last title, of the last key")?;
        cx.require(
            keys(&posts.take(3).await?) == [2, 4, 1] && keys(&posts.take_last(3).await?) == [4, 1, 3],
            "so are more",
        )?;
    }
    Ok(())
}

// Without an order the first and the last are those by the primary key, whatever the order in which they were written.
async fn without_an_order(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let post = |title: &str| Post::build().set(Post::TITLE, title);
    let mut ada = repo.insert(User::build().set(User::NAME, "Ada")).await?;
    let rows = repo.insert_all(["z", "y", "x", "w"].map(post)).await?;
    let mut handle = repo.association(&mut ada, User::POSTS);
    for at in [2, 0, 3, 1] {
        handle.push(&rows[at]).await?;
    }
    handle.reset();
    let named = |post: Option<Post>| post.map(|post| post.title).unwrap_or_default();
    let first = cx.step("first", handle.first()).await?;
    cx.note("is", named(first));
    let last = cx.step("last", handle.last()).await?;
    cx.note("is", named(last));
    let changed = |post: &Post| -> Changeset<Post> { post.change().set(Post::TITLE, "changed") };
    repo.update(changed(&rows[0])).await?;
    let first = handle.take(2).await?;
    let last = handle.take_last(2).await?;
    cx.require(first[0].id == rows[0].id && last[1].id == rows[3].id, "a change moves none")?;
    // Loaded, they are where they are in the list.
    handle.load().await?;
    let ends = (handle.first().await?, handle.last().await?);
    cx.require(ends.0.is_some_and(|row| row.id == rows[0].id), "the first of the list")?;
    cx.require(ends.1.is_some_and(|row| row.id == rows[3].id), "the last of the list")
}
