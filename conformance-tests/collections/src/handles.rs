//! Handles that read: for associations of every kind, order and limit, every method of a collection agrees with loading it,
//! and what is loaded costs nothing.

use assoc_core::{LoadState, Result};
use assoc_repo::prelude::*;
use assoc_repo::{Changeset, Collection, OwnerRef, ToManyAssociation};
use conformance_harness::{Context, Level, cases};
use conformance_models::clinic::{self, Doctor, Physician};
use conformance_models::forum::{self, Member};
use conformance_models::options::{self, Customer};
use conformance_models::pictures::{self, Article, Category, Employee, Product};
use conformance_written_models::firms::{self, Client, Firm, Seal};
use conformance_written_models::guild::{self, Book, Group, Post, Shelf, Tag, User};

cases! { "handles", Level::Collection;
    f72_f76_f86_counted,
    f78_f79_found,
    f64_ids,
    f77_aggregates,
    f85_f107_queries,
    first_and_last,
    f55_f56_f84_loaded,
    parts_are_not_the_whole,
    f116_f142_extensions,
    owners_without_key,
    agree_with_conditions_and_limits,
    agree_through_others,
    agree_of_several_types,
    agree_by_sql,
}

fn user(name: &str) -> Changeset<User> {
    User::build().set(User::NAME, name)
}

fn post(title: &str) -> Changeset<Post> {
    Post::build().set(Post::TITLE, title)
}

// Ada with three posts, of which one is published; Bob with one.
async fn two_users(repo: &Repo) -> Result<(User, User)> {
    guild::tables(repo).await?;
    // All set the same columns, so that their keys are in this order.
    let posts = [("b", false), ("a", true), ("c", false)];
    let posts = posts.map(|(title, published)| post(title).set(Post::PUBLISHED, published));
    let ada = repo.insert(user("Ada").push(User::POSTS, posts)).await?;
    let bob = repo.insert(user("Bob").push(User::POSTS, post("d"))).await?;
    Ok((repo.get_or_fail(ada.id, Query::new()).await?, repo.get_or_fail(bob.id, Query::preload(User::POSTS)).await?))
}

async fn f72_f76_f86_counted(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let (mut ada, _) = two_users(&repo).await?;
    let cyd = repo.insert(user("Cyd")).await?;
    for (label, owner) in [("of three", &ada), ("of none", &cyd)] {
        let posts = repo.association(owner, User::POSTS);
        let count = cx.step(&format!("{label}, not loaded: count"), posts.count()).await?;
        let holds = cx_size(cx, label, &posts).await? == count;
        cx.require(holds, "size")?;
        let holds = cx.step("is_empty", posts.is_empty()).await? == (count == 0);
        cx.require(holds, "is_empty")?;
        let holds = cx.step("none", posts.none()).await? == (count == 0);
        cx.require(holds, "none")?;
        let holds = cx.step("any", posts.any()).await? == (count > 0);
        cx.require(holds, "any")?;
        let holds = cx.step("one", posts.one()).await? == (count == 1);
        cx.require(holds, "one")?;
        let holds = cx.step("many", posts.many()).await? == (count > 1);
        cx.require(holds, "many")?;
    }
    let mut posts = repo.association(&mut ada, User::POSTS);
    let len = cx.step("len loads", posts.len()).await?;
    cx.require(len == 3 && posts.state() == LoadState::Loaded, "three")?;
    cx.step("loaded: len", posts.len()).await?;
    cx.step("size", posts.size()).await?;
    cx.step("is_empty", posts.is_empty()).await?;
    cx.step("any", posts.any()).await?;
    cx.step("one", posts.one()).await?;
    cx.step("many", posts.many()).await?;
    cx.step("count asks all the same", posts.count()).await?;
    Ok(())
}

async fn cx_size<R: OwnerRef<Owner = User>, A: ToManyAssociation<User, Post>>(
    cx: &mut Context,
    label: &str,
    posts: &Collection<'_, R, Post, A>,
) -> Result<u64> {
    cx.step(&format!("{label}: size"), posts.size()).await
}

async fn f78_f79_found(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let (mut ada, bob) = two_users(&repo).await?;
    let theirs = bob.posts()?[0].clone();
    let mut posts = repo.association(&mut ada, User::POSTS);
    let all = posts.all().await?;
    for loaded in [false, true] {
        if loaded {
            posts.load().await?;
        }
        cx.note("loaded", loaded);
        let found = cx.step("find", posts.find(all[1].id)).await?;
        cx.require(found == all[1], "the post")?;
        let error = cx.fails("find another owner's", posts.find(theirs.id)).await?;
        cx.require(error.is_not_found(), "not found")?;
        let found = cx.step("find_all, in the order of the keys", posts.find_all([all[2].id, all[0].id])).await?;
        cx.require(found == [all[2].clone(), all[0].clone()], "both")?;
        cx.fails("find_all with one that is another's", posts.find_all([all[0].id, theirs.id])).await?;
        let none = cx.step("find_all of none", posts.find_all(Vec::<i64>::new())).await?;
        cx.require(none.is_empty(), "none")?;
        let holds = cx.step("contains", posts.contains(&all[0])).await?;
        cx.require(holds, "it does")?;
        let holds = !cx.step("contains another's", posts.contains(&theirs)).await?;
        cx.require(holds, "it does not")?;
        let holds = cx.step("exists", posts.exists(Post::TITLE.eq("a"))).await?;
        cx.require(holds, "it does")?;
        let holds = !cx.step("exists with another's title", posts.exists(Post::TITLE.eq("d"))).await?;
        cx.require(holds, "it does not")?;
    }
    // Keys of two columns.
    let book = |isbn: &str| Book::build().set(Book::ISBN, isbn);
    let shelf = Shelf::build().set(Shelf::ROOM, 3).set(Shelf::NUMBER, 8).push(Shelf::BOOKS, ["x", "y"].map(book));
    let shelf = repo.insert(shelf).await?;
    let bare = repo.get_or_fail::<Shelf>((3, 8), Query::new()).await?;
    let books = repo.association(&bare, Shelf::BOOKS);
    let found = cx.step("by keys of two columns", books.find_all([(3, "y".to_owned()), (3, "x".to_owned())])).await?;
    cx.show("books", found.iter().map(|book| &book.isbn));
    let ids = cx.step("their ids", books.ids()).await?;
    cx.require(ids == shelf.books()?.iter().map(|book| (book.room, book.isbn.clone())).collect::<Vec<_>>(), "ids")
}

async fn f64_ids(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let (mut ada, _) = two_users(&repo).await?;
    let mut posts = repo.association(&mut ada, User::POSTS);
    let ids = cx.step("not loaded", posts.ids()).await?;
    cx.require(ids == [1, 2, 3], "her own")?;
    posts.load().await?;
    let holds = cx.step("loaded", posts.ids()).await? == ids;
    cx.require(holds, "the same")?;
    let sorted = repo.association(&ada, User::SORTED_POSTS);
    let holds = cx.step("in the association's order", sorted.ids()).await? == [2, 1, 3];
    cx.require(holds, "by title")?;
    let tag = repo.insert(Tag::build().set(Tag::NAME, "t")).await?;
    let twice = repo.insert(post("twice").push(Post::TAGS, [&tag, &tag])).await?;
    let twice = repo.get_or_fail::<Post>(twice.id, Query::new()).await?;
    let tags = repo.association(&twice, Post::TAGS);
    let holds = cx.step("linked twice", tags.ids()).await? == [tag.id, tag.id];
    cx.require(holds, "as often")?;
    let holds = cx.step("distinct", tags.distinct()).await?.len() == 1;
    cx.require(holds, "once")?;
    let holds = cx.step("size", tags.size()).await? == 2;
    cx.require(holds, "two")
}

async fn f77_aggregates(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let (mut ada, _) = two_users(&repo).await?;
    let cyd = repo.insert(user("Cyd")).await?;
    let mut posts = repo.association(&mut ada, User::POSTS);
    posts.load().await?;
    let value = format!("{:?}", cx_one(cx, "sum", posts.sum(Post::ID)).await?);
    cx.note("sum", value);
    let value = format!("{:?}", cx_one(cx, "avg", posts.avg(Post::ID)).await?);
    cx.note("avg", value);
    let value = format!("{:?}", cx_one(cx, "min", posts.min(Post::TITLE)).await?);
    cx.note("min", value);
    let value = format!("{:?}", cx_one(cx, "max", posts.max(Post::TITLE)).await?);
    cx.note("max", value);
    let value = cx_one(cx, "count_distinct", posts.aggregate(Post::PUBLISHED.count_distinct())).await?;
    cx.note("distinct", value);
    let value = format!("{:?}", cx_one(cx, "pluck", posts.pluck((Post::TITLE, Post::PUBLISHED))).await?);
    cx.note("pluck", value);
    let none = repo.association(&cyd, User::POSTS);
    let holds = cx.step("of none", none.sum(Post::ID)).await?.is_none();
    cx.require(holds, "no sum")?;
    let groups = ["x", "y"].map(|name| Group::build().set(Group::NAME, name));
    let dan = repo.insert(user("Dan").push(User::GROUPS, groups)).await?;
    let groups = repo.association(&dan, User::GROUPS);
    let value = format!("{:?}", cx_one(cx, "max", groups.max(Group::NAME)).await?);
    cx.note("max behind a join model", value);
    let value = format!("{:?}", cx_one(cx, "pluck", groups.pluck(Group::NAME)).await?);
    cx.note("pluck", value);
    Ok(())
}

async fn cx_one<T>(cx: &mut Context, title: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
    cx.step(title, work).await
}

async fn f85_f107_queries(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let (ada, bob) = two_users(&repo).await?;
    let posts = repo.association(&ada, User::POSTS);
    let query = posts.query()?.filter(Post::TITLE.ne("a")).order_by(Post::TITLE.desc());
    let rows = cx.step("conditions and an order", repo.all(query)).await?;
    cx.show("posts", rows.iter().map(|post| &post.title));
    // A condition that is added by `or` does not lead to other owners.
    let query = posts.query()?.or_filter(Post::TITLE.eq("d"));
    let holds = cx.step("or another's", repo.count(query)).await? == 0;
    cx.require(holds, "not hers")?;
    let query = posts.query()?.filter(Post::TITLE.eq("a")).or_filter(Post::TITLE.eq("d"));
    let holds = cx.step("or one of hers", repo.count(query)).await? == 1;
    cx.require(holds, "one of hers")?;
    let published = repo.association(&ada, User::PUBLISHED_POSTS).query()?.or_filter(Post::TITLE.eq("b"));
    let holds = cx.step("nor out of its conditions", repo.count(published)).await? == 0;
    cx.require(holds, "not published")?;
    let query = posts.query()?.preload(Post::TAGS);
    let holds = cx.step("with a preload", repo.all(query)).await?.iter().all(|post| post.tags().is_ok());
    cx.require(holds, "loaded")?;
    let updated = cx.step("updated", repo.update_all(posts.query()?, [Post::PUBLISHED.to(true)])).await?;
    cx.require(updated == 3 && !repo.get_or_fail::<Post>(4, Query::new()).await?.published, "hers alone")?;
    let tags = ["s", "t"].map(|name| Tag::build().set(Tag::NAME, name));
    let tagged = repo.insert(post("tagged").push(Post::TAGS, tags)).await?;
    let tags = repo.association(&tagged, Post::TAGS);
    let query = tags.query()?.filter(Tag::NAME.eq("t"));
    let holds = cx.step("over a join table", repo.all(query)).await?.len() == 1;
    cx.require(holds, "one")?;
    let query = tags.query()?.or_filter(Tag::ID.gt(0));
    let holds = cx.step("and `or`", repo.exists(query)).await?;
    cx.require(holds, "its own")?;
    let destroyed = repo.association(&bob, User::POSTS).query()?;
    cx.step("destroyed", repo.destroy_all(destroyed)).await?;
    cx.rows("posts", "SELECT id, user_id, title FROM posts ORDER BY id").await
}

async fn first_and_last(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let (mut ada, _) = two_users(&repo).await?;
    let titles = |rows: &[Post]| rows.iter().map(|post| post.title.clone()).collect::<Vec<_>>().concat();
    let sorted = repo.association(&ada, User::SORTED_POSTS);
    let first = cx.step("first in its order", sorted.first()).await?;
    let last = cx.step("last in its order", sorted.last()).await?;
    cx.require(first.is_some_and(|post| post.title == "a") && last.is_some_and(|post| post.title == "c"), "by title")?;
    let holds = titles(&cx_one(cx, "two of them", sorted.take(2)).await?) == "ab";
    cx.require(holds, "two")?;
    let mut posts = repo.association(&mut ada, User::POSTS);
    let last = cx.step("by key without one", posts.last()).await?;
    cx.require(last.is_some_and(|post| post.title == "c"), "the last key")?;
    cx.require(posts.state() == LoadState::NotLoaded, "nothing is loaded")?;
    posts.load().await?;
    let first = cx.step("loaded", posts.first()).await?;
    let last = cx.step("loaded", posts.last()).await?;
    cx.require(first.is_some_and(|post| post.title == "b") && last.is_some_and(|post| post.title == "c"), "in memory")?;
    let holds = cx.step("none of them", posts.take(0)).await?.is_empty();
    cx.require(holds, "none")?;
    let holds = titles(&cx_one(cx, "more than there are", posts.take(9)).await?) == "bac";
    cx.require(holds, "all")
}

async fn f55_f56_f84_loaded(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let (mut ada, _) = two_users(&repo).await?;
    let mut posts = repo.association(&mut ada, User::POSTS);
    let holds = cx.step("all", posts.all()).await?.len() == 3;
    cx.require(holds, "three")?;
    cx.require(posts.target().is_none(), "nothing is kept")?;
    let holds = cx.step("load", posts.load()).await?.len() == 3;
    cx.require(holds, "three")?;
    cx.step("load again", posts.load()).await?;
    let holds = cx.step("all in memory", posts.all()).await?.len() == 3;
    cx.require(holds, "three")?;
    repo.insert(post("late").set(Post::USER_ID, posts.owner().id)).await?;
    cx.require(posts.all().await?.len() == 3, "a snapshot")?;
    let holds = cx.step("reload", posts.reload()).await?.len() == 4;
    cx.require(holds, "four")?;
    posts.reset();
    cx.require(posts.state() == LoadState::NotLoaded && posts.target().is_none(), "forgotten")?;
    cx.require(!ada.posts.is_loaded(), "in the owner")?;
    let cyd = repo.insert(user("Cyd")).await?;
    let holds = cx.step("none", repo.association(&cyd, User::POSTS).all()).await?.is_empty();
    cx.require(holds, "empty, and no error")
}

async fn parts_are_not_the_whole(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let (ada, _) = two_users(&repo).await?;
    let part = User::POSTS.filter(Post::TITLE.eq("a"));
    let mut ada = repo.get_or_fail::<User>(ada.id, Query::preload(part)).await?;
    cx.require(ada.posts.is_partial() && ada.posts()?.len() == 1, "a part")?;
    let mut posts = repo.association(&mut ada, User::POSTS);
    let holds = cx.step("size", posts.size()).await? == 3;
    cx.require(holds, "all")?;
    let holds = cx.step("ids", posts.ids()).await?.len() == 3;
    cx.require(holds, "all")?;
    let holds = cx.step("all", posts.all()).await?.len() == 3;
    cx.require(holds, "all")?;
    let holds = cx.step("find", posts.find(1)).await?.title == "b";
    cx.require(holds, "one that is not in the part")?;
    let holds = cx.step("many", posts.many()).await?;
    cx.require(holds, "many")?;
    let holds = cx.step("last", posts.last()).await?.is_some_and(|post| post.title == "c");
    cx.require(holds, "the last of all")?;
    cx.require(posts.state() == LoadState::Partial, "still a part")?;
    let holds = cx.step("load loads the whole", posts.load()).await?.len() == 3;
    cx.require(holds, "all")?;
    cx.require(ada.posts.state() == LoadState::Loaded, "loaded")
}

trait Titled {
    async fn titled(&self, title: &str) -> Result<Vec<Post>>;
    fn described(&self) -> String;
}

impl<R: OwnerRef<Owner = User>, A: ToManyAssociation<User, Post>> Titled for Collection<'_, R, Post, A> {
    async fn titled(&self, title: &str) -> Result<Vec<Post>> {
        self.repo().all(self.query()?.filter(Post::TITLE.eq(title))).await
    }

    fn described(&self) -> String {
        format!("{} of {}: {:?}", self.reflection().name, self.owner().name, self.target().map(|rows| rows.len()))
    }
}

async fn f116_f142_extensions(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let (mut ada, bob) = two_users(&repo).await?;
    let posts = repo.association(&mut ada, User::POSTS);
    let holds = cx.step("its own", posts.titled("b")).await?.len() == 1;
    cx.require(holds, "one")?;
    let holds = cx.step("another's", posts.titled("d")).await?.is_empty();
    cx.require(holds, "none")?;
    cx.note("it knows", posts.described());
    let published = repo.association(&ada, User::PUBLISHED_POSTS);
    let holds = cx.step("another association", published.titled("b")).await?.is_empty();
    cx.require(holds, "within its conditions")?;
    cx.note("it knows", published.described());
    cx.note("it knows", repo.association(&bob, User::POSTS).described());
    Ok(())
}

async fn owners_without_key(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    firms::tables(&repo).await?;
    // Clients without a firm belong to no firm.
    let loose = repo.insert(Client::build().set(Client::NAME, "loose")).await?;
    let mut firm = repo.insert(Firm::build()).await?;
    let clients = repo.association(&firm, Firm::CLIENTS);
    let nothing = async {
        let none = clients.all().await?.is_empty() && clients.ids().await?.is_empty() && clients.count().await? == 0;
        cx.require(none && clients.size().await? == 0 && clients.is_empty().await?, "no members")?;
        cx.require(clients.first().await?.is_none() && clients.last().await?.is_none(), "neither first nor last")?;
        cx.require(!clients.contains(&loose).await? && clients.find(loose.id).await.is_err(), "not this one")?;
        cx.require(!clients.exists(Client::NAME.eq("loose")).await?, "nor by a condition")?;
        cx.require(clients.sum(Client::ID).await?.is_none(), "no sum")?;
        cx.require(clients.aggregate(Client::ID.count()).await? == 0, "counted")?;
        cx.require(clients.pluck(Client::NAME).await?.is_empty(), "no columns")
    };
    let (result, statements) = repo.count_statements(nothing).await;
    result?;
    cx.require(statements == 0, "no statement")?;
    let queried = cx.step("a query of none", repo.all(clients.query()?)).await?;
    cx.require(queried.is_empty(), "none")?;
    let queried = cx.step("nor by `or`", repo.all(clients.query()?.or_filter(Client::ID.gt(0)))).await?;
    cx.require(queried.is_empty(), "none")?;
    cx.fails("build", std::future::ready(clients.build())).await?;
    let new = || Client::build().set(Client::NAME, "new");
    let mut clients = repo.association(&mut firm, Firm::CLIENTS);
    cx.fails("push", clients.push(&loose)).await?;
    cx.fails("push a new one", clients.push(new())).await?;
    cx.fails("create", clients.create(new())).await?;
    cx.fails("find_or_create_by", clients.find_or_create_by(Client::NAME.eq("loose"), new())).await?;
    cx.fails("replace", clients.replace([&loose])).await?;
    cx.fails("set_ids", clients.set_ids([loose.id])).await?;
    cx.fails("delete", clients.delete(&loose)).await?;
    cx.fails("destroy", clients.destroy(&loose)).await?;
    cx.fails("delete_all", clients.delete_all()).await?;
    cx.fails("destroy_all", clients.destroy_all()).await?;
    cx.require(clients.state() == LoadState::NotLoaded, "as before")?;
    let mut seal = repo.association(&mut firm, Firm::SEAL);
    let holds = cx.step("a single target", seal.get()).await?.is_none();
    cx.require(holds, "none")?;
    cx.fails("set", seal.create(Seal::build().set(Seal::WAX, "red"))).await?;
    cx.rows("clients", "SELECT id, firm_code, name FROM clients").await
}

fn keys_of<M: Model>(rows: &[M]) -> Vec<M::Key> {
    let mut keys = Vec::with_capacity(rows.len());
    for row in rows {
        keys.push(row.key());
    }
    keys
}

// Every method of a collection, not loaded and loaded, against what loading gives.
macro_rules! agrees {
    // Boxed, because all calls together would be a future larger than a stack.
    ($cx:expr, $repo:expr, $owner:expr, $association:expr) => {
        Box::pin(async {
            let owner = $owner.clone();
            let name = $association.def().qualified_name();
            let mut loaded = owner.clone();
            let mut handle = $repo.association(&mut loaded, $association);
            let rows: Vec<_> = handle.load().await?.into_iter().cloned().collect();
            let keys: Vec<_> = keys_of(&rows);
            let fresh = $repo.association(&owner, $association);
            let kept = $repo.association(&loaded, $association);
            let holds = |what: bool, method: &str| $cx.require(what, &format!("{name}: {method}"));
            let key_of = |row: Option<_>| -> Option<_> { row.map(|row: _| Model::key(&row)) };
            let all: Vec<_> = keys_of(&fresh.all().await?);
            holds(all == keys, "all")?;
            holds(fresh.ids().await? == keys, "ids")?;
            holds(fresh.count().await? == keys.len() as u64, "count")?;
            holds(fresh.size().await? == keys.len() as u64, "size")?;
            holds(fresh.is_empty().await? == keys.is_empty(), "is_empty")?;
            holds(fresh.any().await? != keys.is_empty(), "any")?;
            holds(fresh.one().await? == (keys.len() == 1), "one")?;
            holds(fresh.many().await? == (keys.len() > 1), "many")?;
            holds(key_of(fresh.first().await?) == keys.first().cloned(), "first")?;
            holds(key_of(fresh.last().await?) == keys.last().cloned(), "last")?;
            let two: Vec<_> = keys_of(&fresh.take(2).await?);
            holds(two == keys[..keys.len().min(2)], "take")?;
            let mut once = keys.clone();
            let mut at = 0;
            while at < once.len() {
                if once[..at].contains(&once[at]) {
                    once.remove(at);
                } else {
                    at += 1;
                }
            }
            let distinct: Vec<_> = keys_of(&fresh.distinct().await?);
            holds(distinct == once, "distinct")?;
            for row in &rows {
                holds(fresh.contains(row).await?, "contains")?;
                holds(fresh.find(row.key()).await?.key() == row.key(), "find")?;
            }
            // Rows of other owners.
            for row in $repo.all(Query::new()).await? {
                let own = keys.contains(&Model::key(&row));
                holds(fresh.contains(&row).await? == own, "contains no other")?;
                holds(fresh.find(Model::key(&row)).await.is_ok() == own, "finds no other")?;
                holds(kept.contains(&row).await? == own, "loaded contains no other")?;
            }
            if let Ok(query) = fresh.query() {
                let queried: Vec<_> = keys_of(&$repo.all(query).await?);
                holds(queried == keys, "query")?;
            }
            let in_memory = async {
                let all: Vec<_> = keys_of(&kept.all().await?);
                holds(all == keys && kept.ids().await? == keys && kept.size().await? == keys.len() as u64, "loaded")?;
                holds(key_of(kept.last().await?) == keys.last().cloned(), "loaded: last")?;
                holds(kept.many().await? == (keys.len() > 1) && kept.any().await? != keys.is_empty(), "loaded: many")
            };
            let (result, statements) = $repo.count_statements(in_memory).await;
            result?;
            holds(statements == 0, "no statement of what is loaded")?;
            Ok::<usize, Error>(rows.len())
        })
        .await?
    };
}

async fn agree_with_conditions_and_limits(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    options::fixture(&repo).await?;
    let mut seen = 0;
    for customer in repo.all(Query::<Customer>::new()).await? {
        seen += agrees!(cx, repo, customer, Customer::ORDERS);
        agrees!(cx, repo, customer, Customer::CONFIRMED_ORDERS);
        agrees!(cx, repo, customer, Customer::LARGEST_ORDERS);
        agrees!(cx, repo, customer, Customer::SECOND_AND_THIRD);
        agrees!(cx, repo, customer, Customer::ORDERS_WITH_CUSTOMER);
        agrees!(cx, repo, customer, Customer::VIP_ORDERS);
        agrees!(cx, repo, customer, Customer::NOTES);
        agrees!(cx, repo, customer, Customer::ALL_NOTES);
    }
    cx.require(seen > 3, "there are orders")
}

async fn agree_through_others(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    clinic::fixture(&repo).await?;
    let mut seen = 0;
    for physician in repo.all(Query::<Physician>::new()).await? {
        seen += agrees!(cx, repo, physician, Physician::PATIENTS);
        agrees!(cx, repo, physician, Physician::KNOWN_PATIENTS);
        agrees!(cx, repo, physician, Physician::FIRST_PATIENTS);
        agrees!(cx, repo, physician, Physician::COLLEAGUES_APPOINTMENTS);
        agrees!(cx, repo, physician, Physician::COLLEAGUES);
    }
    cx.require(seen > 3, "there are patients")?;
    for doctor in repo.all(Query::<Doctor>::new()).await? {
        agrees!(cx, repo, doctor, Doctor::TWO_PATIENTS);
        agrees!(cx, repo, doctor, Doctor::LAST_PATIENTS);
        agrees!(cx, repo, doctor, Doctor::THEIR_LOW_APPOINTMENTS);
        agrees!(cx, repo, doctor, Doctor::APPOINTMENTS_ELSEWHERE);
        agrees!(cx, repo, doctor, Doctor::PATIENTS_ELSEWHERE);
        agrees!(cx, repo, doctor, Doctor::PATIENTS_IN_TURN);
    }
    Ok(())
}

async fn agree_of_several_types(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    pictures::fixture(&repo).await?;
    let mut seen = 0;
    for employee in repo.all(Query::<Employee>::new()).await? {
        seen += agrees!(cx, repo, employee, Employee::PICTURES);
    }
    for product in repo.all(Query::<Product>::new()).await? {
        seen += agrees!(cx, repo, product, Product::PICTURES);
        seen += agrees!(cx, repo, product, Product::TAGS);
    }
    for article in repo.all(Query::<Article>::new()).await? {
        seen += agrees!(cx, repo, article, Article::TAGS);
        seen += agrees!(cx, repo, article, Article::CATEGORIES);
    }
    for category in repo.all(Query::<Category>::new()).await? {
        seen += agrees!(cx, repo, category, Category::ARTICLES);
    }
    cx.require(seen > 5, "there are some")
}

async fn agree_by_sql(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    forum::fixture(&repo).await?;
    let mut seen = 0;
    for member in repo.all(Query::<Member>::new()).await? {
        seen += agrees!(cx, repo, member, Member::POPULAR);
        seen += agrees!(cx, repo, member, Member::MENTIONS);
        seen += agrees!(cx, repo, member, Member::BEST_MENTIONS);
        let popular = repo.association(&member, Member::POPULAR);
        cx.require(popular.query().is_err() && popular.ids().await.is_ok(), "no query, but rows")?;
        cx.fails("a sum", popular.sum(conformance_models::forum::Message::SCORE)).await?;
    }
    cx.require(seen > 3, "there are some")
}
