//! `load_with`: rows of an association from a function of the program.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use assoc_core::{Preload, Result};
use assoc_repo::prelude::*;

use super::{Level, cases};
use crate::context::Context;
use crate::key_order::KeyOrder;
use crate::models::blog::{self, Author, Comment, Gravatar, Post};
use crate::models::clinic::Physician;
use crate::models::keys::{self, Account, AccountId, Book, Booking, City, Country, Shelf};
use crate::models::options::{self, Customer};
use crate::models::pictures::{Article, Employee, Picture};

cases! { "load_with", Level::Kind;
    single_targets,
    below_and_beside_others,
    many_in_any_order,
    in_hand,
    own_sql,
    side_loads,
    scopes_are_not_asked,
    keys_of_any_type,
    other_side_of_a_polymorphic,
    explained,
    refused,
    failures,
    rows_at_hand_and_the_rest,
}

/// The keys with which the functions were called.
#[derive(Clone, Default)]
struct Asked(Arc<Mutex<Vec<String>>>);

impl Asked {
    fn note(&self, keys: &impl std::fmt::Debug) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{keys:?}"));
    }

    fn show(&self, cx: &mut Context) {
        let asked = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        cx.note("asked for", asked.join("; "));
    }
}

fn post(id: i64, author_id: i64) -> Post {
    Post {
        id,
        author_id: Some(author_id),
        title: format!("from elsewhere {id}"),
        published: true,
        author: BelongsTo::default(),
        comments: HasMany::default(),
        first_comment: HasOne::default(),
    }
}

fn gravatar(id: i64, author_id: i64) -> Gravatar {
    Gravatar { id, author_id, url: format!("cached {id}"), author: BelongsTo::default() }
}

/// Gravatars of all authors but Bob, two of Cyd, the last of them first.
fn gravatars(asked: &Asked) -> Preload<Author, Gravatar> {
    let asked = asked.clone();
    Author::GRAVATAR.load_with(move |keys: Vec<i64>| {
        asked.note(&keys);
        let mut found: Vec<Gravatar> =
            keys.into_iter().filter(|author| *author != 2).map(|author| gravatar(author * 10, author)).collect();
        found.extend(found.iter().any(|gravatar| gravatar.author_id == 3).then(|| gravatar(31, 3)));
        found.reverse();
        async { Ok::<_, io::Error>(found) }
    })
}

async fn single_targets(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let asked = Asked::default();
    let authors = cx.step("has_one: the first counts", repo.all_by_key(Query::preload(gravatars(&asked)))).await?;
    asked.show(cx);
    cx.require(authors.iter().all(|author| author.gravatar.is_loaded() && !author.gravatar.is_partial()), "loaded")?;
    cx.show("authors", authors);
    let from_memory = |keys: Vec<i64>| async move {
        let author = |id: i64| Author {
            id,
            name: format!("cached {id}"),
            mentor_id: None,
            mentor: BelongsTo::default(),
            students: HasMany::default(),
            gravatar: HasOne::default(),
            posts: HasMany::default(),
            comments: HasMany::default(),
            articles: HasMany::default(),
        };
        Ok::<_, Error>(keys.into_iter().map(author).collect())
    };
    let posts =
        cx.step("belongs_to: shared", repo.all_by_key(Query::preload(Post::AUTHOR.load_with(from_memory)))).await?;
    cx.require(
        posts[0].author.shared().zip(posts[1].author.shared()).is_some_and(|(one, other)| Arc::ptr_eq(&one, &other)),
        "one copy for both",
    )?;
    cx.show("posts", posts);
    Ok(())
}

async fn below_and_beside_others(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let asked = Asked::default();
    // Cached gravatars lead back to authors, who are in memory; the authors below posts are the database's.
    let tree = Post::AUTHOR.with(gravatars(&asked).with(Gravatar::AUTHOR)).with(Author::POSTS);
    let posts = cx.step("posts: author: (gravatar: author, posts)", repo.all_by_key(Query::preload(tree))).await?;
    asked.show(cx);
    cx.show("posts", posts);
    // The same function in two places: rows in memory do not stand for its rows, nor its rows for others.
    let cached = gravatars(&asked);
    let twice = (Post::AUTHOR.with(cached.clone()), Post::COMMENTS.with(Comment::AUTHOR.with(cached)));
    let posts = cx.step("in two branches", repo.all_by_key(Query::preload(twice))).await?;
    asked.show(cx);
    cx.require(posts.iter().all(|post| post.author.is_loaded() && post.comments.is_loaded()), "both")?;
    let none = Query::filter(Post::AUTHOR_ID.is_null()).preload(Post::AUTHOR.with(gravatars(&asked)));
    cx.step("no keys, no call", repo.all_by_key(none)).await?;
    asked.show(cx);
    Ok(())
}

async fn many_in_any_order(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let mixed = Author::POSTS.load_with(|keys: Vec<i64>| async move {
        let of = |round: i64| keys.iter().map(move |author| post(round * 10 + author, *author)).rev();
        Ok::<_, io::Error>(of(2).chain(of(1)).filter(|post| post.id != 23).collect())
    });
    let tree = mixed.with(Post::COMMENTS);
    let authors =
        cx.step("interleaved, in the function's order for each", repo.all_by_key(Query::preload(tree))).await?;
    cx.show("authors", authors);
    Ok(())
}

async fn in_hand(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let asked = Asked::default();
    let mut authors = repo.all_by_key(Query::preload(Author::GRAVATAR)).await?;
    cx.step("all are there", repo.preload(&mut authors, gravatars(&asked))).await?;
    asked.show(cx);
    authors[2].gravatar = HasOne::default();
    cx.step("one is missing", repo.preload(&mut authors, gravatars(&asked).with(Gravatar::AUTHOR))).await?;
    asked.show(cx);
    cx.show("authors", &authors);
    cx.step("reload asks for all", repo.reload(&mut authors, gravatars(&asked))).await?;
    asked.show(cx);
    cx.show("authors", &authors);
    Ok(())
}

async fn own_sql(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let by_sql = |repo: &Repo| {
        let repo = repo.clone();
        Author::POSTS.load_with(move |keys: Vec<i64>| {
            let repo = repo.clone();
            async move { repo.all(Query::filter(Post::AUTHOR_ID.is_in(keys)).order_by(Post::ID.desc())).await }
        })
    };
    let query = Query::preload(by_sql(&repo).with(Post::COMMENTS));
    let authors = cx.step("the function uses the repo", repo.all_by_key(query)).await?;
    cx.show("authors", &authors);
    let inside = repo.transaction(async |tx| {
        tx.insert(Post::build().set(Post::AUTHOR_ID, 3).set(Post::TITLE, "P5").set(Post::PUBLISHED, true)).await?;
        tx.all_by_key(Query::preload(by_sql(tx).with(Post::COMMENTS))).await
    });
    let authors = cx.step("and the transaction it is called in", inside).await?;
    cx.require(authors[2].posts()?.len() == 1, "its own rows are seen")?;
    cx.step("in hand as well", repo.preload(&mut authors[..1].to_vec(), by_sql(&repo))).await
}

async fn side_loads(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let asked = Asked::default();
    let authors = repo.all_by_key(Query::<Author>::new()).await?;
    let loaded = cx.step("load", repo.load_separately(&authors, gravatars(&asked))).await?;
    asked.show(cx);
    cx.show("gravatars", loaded);
    let counts =
        cx.step("count_for counts what the function gives", repo.count_for(&authors, gravatars(&asked))).await?;
    asked.show(cx);
    cx.note("counts", format!("{counts:?}"));
    Ok(())
}

// The returned rows are the association: neither its scope nor the owner's applies.
async fn scopes_are_not_asked(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    options::fixture(&repo).await?;
    let all = {
        let repo = repo.clone();
        move |keys: Vec<i64>| {
            let repo = repo.clone();
            async move { repo.all(Query::filter(options::Order::CUSTOMER_ID.is_in(keys))).await }
        }
    };
    let both = (
        Customer::LARGEST_ORDERS.load_with(all.clone()),
        Customer::VIP_ORDERS.load_with(all.clone()),
        Customer::ORDERS_WITH_CUSTOMER.load_with(all),
    );
    let customers = cx.step("a limit, a scope by owner, an include", repo.all_by_key(Query::preload(both))).await?;
    for customer in &customers {
        let counts = (customer.largest_orders()?.len(), customer.vip_orders()?.len());
        cx.note(&customer.name, format!("{counts:?}"));
        let included = customer.orders_with_customer()?.iter().all(|order| order.customer.is_loaded());
        cx.require(included, "what the scope includes is loaded below the function's rows")?;
    }
    Ok(())
}

async fn keys_of_any_type(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    keys::tables(&repo).await?;
    repo.insert(Shelf::build().set(Shelf::ROOM, 1).set(Shelf::CODE, "a").set(Shelf::LABEL, "A")).await?;
    repo.insert(Shelf::build().set(Shelf::ROOM, 2).set(Shelf::CODE, "a").set(Shelf::LABEL, "B")).await?;
    repo.insert(Country::build().set(Country::CODE, "de").set(Country::NAME, "Germany")).await?;
    repo.insert(Account::build().set(Account::ID, AccountId(7)).set(Account::OWNER, "Ada")).await?;
    let asked = Asked::default();
    let books = {
        let asked = asked.clone();
        Shelf::BOOKS.load_with(move |keys: Vec<(i64, String)>| {
            asked.note(&keys);
            let book = |(id, (room, code)): (i64, (i64, String))| Book {
                id,
                title: format!("{room} {code}"),
                room: Some(room),
                shelf_code: Some(code),
                shelf: BelongsTo::default(),
            };
            async move { Ok::<_, io::Error>((1..).zip(keys).map(book).collect()) }
        })
    };
    let shelves = cx.step("a tuple", repo.all(Query::preload(books).order_by(Shelf::ROOM.asc()))).await?;
    cx.show("shelves", shelves);
    let cities = {
        let asked = asked.clone();
        Country::CITIES.load_with(move |keys: Vec<String>| {
            asked.note(&keys);
            let city =
                |code| City { id: 1, name: "Berlin".into(), country_code: Some(code), country: BelongsTo::default() };
            async move { Ok::<_, io::Error>(keys.into_iter().map(city).collect()) }
        })
    };
    let countries = cx.step("a text", repo.all(Query::preload(cities))).await?;
    cx.show("countries", countries);
    let bookings = {
        let asked = asked.clone();
        Account::BOOKINGS.load_with(move |keys: Vec<AccountId>| {
            asked.note(&keys);
            let booking = |account_id| Booking { id: 1, account_id, amount: 5, account: BelongsTo::default() };
            async move { Ok::<_, io::Error>(keys.into_iter().map(booking).collect()) }
        })
    };
    let accounts = cx.step("a newtype", repo.all(Query::preload(bookings))).await?;
    cx.show("accounts", accounts);
    asked.show(cx);
    Ok(())
}

async fn other_side_of_a_polymorphic(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    repo.create_table::<Employee>().await?;
    repo.insert(Employee::build().set(Employee::NAME, "Ann")).await?;
    let of_type = |tag: &'static str| {
        Employee::PICTURES.load_with(move |keys: Vec<i64>| async move {
            let picture = |key| Picture {
                id: 1,
                imageable_id: Some(key),
                imageable_type: Some(tag.into()),
                imageable: BelongsTo::default(),
            };
            Ok::<_, io::Error>(keys.into_iter().map(picture).collect())
        })
    };
    let employees = cx.step("its own type", repo.all(Query::preload(of_type("Employee")))).await?;
    cx.show("employees", employees);
    cx.fails("the same key of another type", repo.all(Query::preload(of_type("product")))).await?;
    Ok(())
}

async fn explained(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let query = Query::preload(
        Author::POSTS.load_with(|_: Vec<i64>| async { Ok::<_, io::Error>(Vec::new()) }).with(Post::COMMENTS),
    );
    let text = query.explain(&repo)?;
    cx.note("plan", text.split("\n\n").next().unwrap_or_default());
    cx.note("step", text.lines().find(|line| line.starts_with("[2]")).unwrap_or_default());
    Ok(())
}

async fn refused(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let through = Physician::PATIENTS.load_with(|_: Vec<i64>| async { Ok::<_, io::Error>(Vec::new()) });
    cx.fails("through another", repo.all(Query::preload(through))).await?;
    let table = Article::CATEGORIES.load_with(|_: Vec<i64>| async { Ok::<_, io::Error>(Vec::new()) });
    cx.fails("by a join table", repo.all(Query::preload(table))).await?;
    let cached = || Author::POSTS.load_with(|_: Vec<i64>| async { Ok::<_, io::Error>(Vec::new()) });
    cx.fails("with a limit", repo.all(Query::preload(cached().limit(1)))).await?;
    cx.fails("by two functions", repo.all(Query::preload(cached()).preload(cached()))).await?;
    cx.fails("and without one", repo.all(Query::preload(cached()).preload(Author::POSTS))).await?;
    let wide = Author::POSTS.load_with(|_: Vec<(i64, i64)>| async { Ok::<_, io::Error>(Vec::new()) });
    cx.fails("a key of another width", repo.all(Query::preload(wide))).await?;
    Ok(())
}

async fn failures(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let mut authors = repo.all(Query::<Author>::new()).await?;
    let before = authors.clone();
    let own = || Author::POSTS.load_with(|_: Vec<i64>| async { Err(io::Error::other("the cache is cold")) });
    let error = cx.fails("an error of its own", repo.preload(&mut authors, (Author::GRAVATAR, own()))).await?;
    cx.require(matches!(error.kind(), ErrorKind::Loader { association: "posts", .. }), "it says where")?;
    let inner = {
        let repo = repo.clone();
        Author::POSTS.load_with(move |_: Vec<i64>| {
            let repo = repo.clone();
            async move { repo.get_or_fail::<Post>(99, Query::new()).await.map(|post| vec![post]) }
        })
    };
    let error = cx.fails("an error of the repo stays what it is", repo.preload(&mut authors, inner)).await?;
    cx.require(error.is_not_found(), "as it was")?;
    let foreign = Author::POSTS.load_with(|_: Vec<i64>| async { Ok::<_, io::Error>(vec![post(5, 99)]) });
    cx.fails("a row nobody asked for", repo.preload(&mut authors, foreign)).await?;
    let text = Author::POSTS.load_with(|_: Vec<Vec<u8>>| async { Ok::<_, io::Error>(Vec::new()) });
    cx.fails("keys of another type", repo.preload(&mut authors, text)).await?;
    cx.require(authors == before, "nothing changed in memory")?;
    let inside = repo.transaction(async |tx| {
        let failed = tx.all(Query::preload(own())).await.is_err();
        Ok((failed, tx.count(Query::<Author>::new()).await?))
    });
    let (failed, count) = cx.step("a transaction goes on", inside).await?;
    cx.require(failed && count == 3, "it does")
}

// Rows that the application has are its own, the others the database's; each row is there once.
async fn rows_at_hand_and_the_rest(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let at_hand = Arc::new(repo.all(Query::filter(Author::ID.eq(2))).await?);
    let tree = || {
        let (repo, at_hand) = (repo.clone(), Arc::clone(&at_hand));
        Post::AUTHOR.load_with(move |keys: Vec<i64>| {
            let (repo, at_hand) = (repo.clone(), Arc::clone(&at_hand));
            async move {
                let mut found: Vec<Author> = at_hand.iter().filter(|row| keys.contains(&row.id)).cloned().collect();
                let missing: Vec<i64> =
                    keys.into_iter().filter(|key| at_hand.iter().all(|row| row.id != *key)).collect();
                if !missing.is_empty() {
                    found.extend(repo.all(Query::filter(Author::ID.is_in(missing))).await?);
                }
                Ok::<_, Error>(found)
            }
        })
    };
    let posts = cx.step("one at hand, one not", repo.all(Query::preload(tree()).order_by(Post::ID.asc()))).await?;
    cx.show("authors", posts.iter().map(|post| post.author.loaded().flatten().map(|author| &author.name)));
    let query = Query::filter(Post::AUTHOR_ID.eq(2)).preload(tree());
    cx.step("all at hand", repo.all(query)).await?;
    let fresh = repo.all(Query::preload(Post::AUTHOR).order_by(Post::ID.asc())).await?;
    cx.require(posts == fresh, "the same as from the database alone")
}
