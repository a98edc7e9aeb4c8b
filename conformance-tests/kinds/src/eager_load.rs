//! Loading by the query's statement, and the decision between that and a separate statement: the J rows of the
//! reference table.

use assoc_core::{ErrorKind, Result};
use assoc_repo::prelude::*;
use conformance_harness::{Context, Level, cases};
use conformance_models::blog::{self, Author, Comment, Post};
use conformance_models::clinic::{self, Document, Patient, Physician, Supplier};
use conformance_models::keys::{self, City, Country};
use conformance_models::options::{self, Customer, Order};
use conformance_models::pictures::{self, Article, Employee, Person, Picture, Tag};

cases! { "eager_load", Level::Kind;
    sorted_by_the_query,
    j1_one_statement,
    j3_conditions_filter_owners_and_targets,
    j4_with_an_inner_join,
    j6_limit_with_a_collection,
    j7_limit_with_a_single_target,
    limit_in_the_order_of_a_collection,
    j9_through,
    j9_join_tables,
    links_that_repeat,
    d1_limits_of_associations,
    d2_has_one_in_an_order,
    j11_with_a_preload,
    preloads_below,
    j13_polymorphic,
    text_keys,
    siblings_do_not_repeat,
    includes_choose,
    nobody,
    counts,
    counts_of_what_is_chosen,
    aggregates_of_a_page,
    aggregates_of_joined_columns,
    what_is_refused,
    equals_preload,
}

async fn j1_one_statement(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let query = Query::eager_load(Author::POSTS).order_by(Author::ID.asc());
    let authors = cx.step("J1: authors with posts", repo.all(query)).await?;
    cx.require(authors.iter().all(|author| author.posts.loaded().is_some() && !author.posts.is_partial()), "whole")?;
    cx.show("authors", authors);
    let tree = Author::POSTS.with((Post::COMMENTS.with(Comment::AUTHOR), Post::AUTHOR));
    let query = Query::eager_load((tree, Author::GRAVATAR)).order_by(Author::ID.asc());
    let authors = cx.step("three levels, still one", repo.all(query)).await?;
    cx.show("authors", authors);
    Ok(())
}

async fn j3_conditions_filter_owners_and_targets(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let approved = || Author::POSTS.joined(Post::COMMENTS.joined(Comment::APPROVED.eq(false)));
    let tree = || (Author::POSTS.with(Post::COMMENTS), Author::GRAVATAR);
    let query = Query::includes(tree()).filter(approved()).order_by(Author::ID.asc());
    let authors = cx.step("J3, F164: includes and a condition", repo.all(query)).await?;
    let [ann] = &authors[..] else { return cx.require(false, "one author") };
    cx.require(ann.posts.is_partial() && ann.posts()?[0].comments.is_partial(), "partial")?;
    cx.require(!ann.gravatar.is_partial(), "the sibling is whole")?;
    cx.show("authors", authors);
    let own = Query::eager_load(tree()).filter(Author::NAME.ne("Cyd")).order_by(Author::ID.asc());
    let authors = cx.step("a condition on the root leaves the rest whole", repo.all(own)).await?;
    cx.require(authors.iter().all(|author| !author.posts.is_partial()), "whole")?;
    cx.note("authors", authors.len());
    let raw = Query::eager_load(Author::POSTS).filter(Filter::raw("posts.title = ?", [Value::from("P2")]));
    let authors = cx.step("SQL of one's own may be about anything", repo.all(raw)).await?;
    cx.require(authors.iter().all(|author| author.posts.is_partial()), "partial")?;
    cx.show("authors", authors);
    Ok(())
}

async fn j4_with_an_inner_join(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let query = Query::includes(Author::POSTS).join(Author::POSTS).order_by(Author::ID.asc());
    let authors = cx.step("J4: joined inside", repo.all(query)).await?;
    cx.require(authors.iter().all(|author| !author.posts.is_partial()), "whole")?;
    cx.show("authors", authors);
    let query = Query::eager_load(Author::POSTS).join(Author::POSTS.with(Post::COMMENTS)).order_by(Author::ID.asc());
    let authors = cx.step("an inner join below leaves posts out", repo.all(query)).await?;
    cx.require(authors.iter().all(|author| author.posts.is_partial()), "partial")?;
    cx.show("authors", authors);
    Ok(())
}

async fn j6_limit_with_a_collection(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let query = || Query::eager_load(Author::POSTS).order_by(Author::ID.asc()).limit(2);
    let authors = cx.step("J6: two authors, not two rows", repo.all(query())).await?;
    cx.show("authors", authors);
    let authors = cx.step("the next", repo.all(query().offset(1))).await?;
    cx.show("authors", authors);
    let authors = cx.step("beyond the end", repo.all(query().offset(9))).await?;
    cx.show("authors", authors);
    let published = Author::POSTS.joined(Post::PUBLISHED.eq(true));
    let authors = cx.step("among those with a published post", repo.all(query().filter(published))).await?;
    cx.show("authors", authors);
    let by_name = Query::eager_load(Author::POSTS).join(Author::POSTS).order_by(Author::NAME.desc()).limit(1);
    let authors = cx.step("an inner join chooses owners", repo.all(by_name)).await?;
    cx.show("authors", authors);
    let one = cx.step("get", repo.get::<Author>(1, Query::eager_load(Author::POSTS))).await?;
    cx.show("author", one);
    let first = cx.step("the first", repo.get_by(Author::ID.gt(1), Query::eager_load(Author::POSTS))).await?;
    cx.show("author", first);
    Ok(())
}

async fn j7_limit_with_a_single_target(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let query = Query::eager_load(Post::AUTHOR.with(Author::MENTOR)).order_by(Post::ID.desc()).limit(2);
    let posts = cx.step("J7: a plain limit", repo.all(query)).await?;
    cx.show("posts", posts);
    Ok(())
}

async fn limit_in_the_order_of_a_collection(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let latest = || Query::eager_load(Author::POSTS).order_by(Author::POSTS.joined(Post::ID.desc()));
    let authors = cx.step("by their latest post", repo.all(latest())).await?;
    cx.note("authors", format!("{:?}", authors.iter().map(|author| author.id).collect::<Vec<_>>()));
    let authors = cx.step("the first of them", repo.all(latest().limit(1))).await?;
    cx.show("authors", authors);
    let by_mentor = Query::eager_load(Author::POSTS)
        .left_join(Author::MENTOR)
        .join(Author::POSTS)
        .order_by(Author::MENTOR.joined(Author::NAME.desc()))
        .limit(1);
    let authors = cx.step("by a single target", repo.all(by_mentor)).await?;
    cx.show("authors", authors);
    Ok(())
}

async fn j9_through(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    clinic::fixture(&repo).await?;
    let physicians =
        cx.step("J9: through", repo.all(Query::eager_load(Physician::PATIENTS).order_by(Physician::ID.asc()))).await?;
    cx.show("physicians", physicians);
    let both = Query::eager_load((Physician::APPOINTMENTS, Physician::PATIENTS)).order_by(Physician::ID.asc());
    let physicians = cx.step("with the rows on the way, joined once", repo.all(both)).await?;
    cx.show("physicians", physicians);
    let all = (Physician::KNOWN_PATIENTS, Physician::FIRST_PATIENTS, Physician::COLLEAGUES);
    let physicians = cx
        .step("in an order, with a limit, nested", repo.all(Query::eager_load(all).order_by(Physician::ID.asc())))
        .await?;
    cx.show("physicians", physicians);
    let documents = cx
        .step(
            "through has_many",
            repo.all(
                Query::eager_load((Document::PARAGRAPHS, Document::FIRST_PARAGRAPHS)).order_by(Document::ID.asc()),
            ),
        )
        .await?;
    cx.show("documents", documents);
    let suppliers = cx
        .step(
            "J9: has_one through",
            repo.all(Query::eager_load(Supplier::ACCOUNT_HISTORY).order_by(Supplier::ID.asc())),
        )
        .await?;
    cx.show("suppliers", suppliers);
    Ok(())
}

async fn j9_join_tables(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    pictures::fixture(&repo).await?;
    let people =
        cx.step("J9: friends", repo.all(Query::eager_load(Person::FRIENDS).order_by(Person::ID.asc()))).await?;
    cx.show("people", people);
    let query = Query::eager_load(Article::TAGS).order_by(Article::ID.asc());
    let articles = cx.step("as and through", repo.all(query)).await?;
    cx.show("articles", articles);
    let query = Query::eager_load(Tag::TAGGED_ARTICLES).order_by(Tag::ID.asc());
    let tags = cx.step("source_type", repo.all(query)).await?;
    cx.show("tags", tags);
    Ok(())
}

async fn links_that_repeat(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    pictures::fixture(&repo).await?;
    // One link is there twice, and siblings repeat every row.
    let all = (Article::CATEGORIES, Article::TAGGINGS);
    let query = Query::eager_load(all).order_by(Article::ID.asc());
    let articles = cx.step("a link that is there twice", repo.all(query)).await?;
    let preloaded = repo.all(Query::preload(all).order_by(Article::ID.asc())).await?;
    cx.require(articles == preloaded, "as by preload")?;
    cx.show("articles", articles);
    let query = Query::eager_load(Article::CATEGORIES).left_join(Article::TAGS).order_by(Article::ID.asc());
    let articles = cx.step("beside a join that loads nothing", repo.all(query)).await?;
    cx.note(
        "categories",
        format!("{:?}", articles.iter().map(|article| article.categories.loaded().map(<[_]>::len)).collect::<Vec<_>>()),
    );
    let two = Query::eager_load(Article::CATEGORIES.with(pictures::Category::ARTICLES)).order_by(Article::ID.asc());
    let error = cx.fails("two join tables, one of which repeats a link", repo.all(two)).await?;
    cx.require(matches!(error.kind(), ErrorKind::InvalidQuery { model: "Article", .. }), "an error says so")
}

async fn d1_limits_of_associations(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    options::fixture(&repo).await?;
    let all = (Customer::LARGEST_ORDERS, Customer::SECOND_AND_THIRD, Customer::CONFIRMED_ORDERS);
    let customers = cx.step("D1: per owner", repo.all(Query::eager_load(all).order_by(Customer::ID.asc()))).await?;
    let preloaded = repo.all(Query::preload(all).order_by(Customer::ID.asc())).await?;
    cx.require(customers == preloaded, "as by preload")?;
    cx.show("customers", customers);
    let shaped = Customer::ORDERS.filter(Order::CONFIRMED.eq(true)).order_by(Order::TOTAL.desc()).limit(1);
    let customers = cx.step("of a request", repo.all(Query::eager_load(shaped).order_by(Customer::ID.asc()))).await?;
    cx.require(customers.iter().all(|customer| customer.orders.is_partial()), "partial")?;
    cx.show("customers", customers);
    Ok(())
}

async fn d2_has_one_in_an_order(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    options::fixture(&repo).await?;
    let query = Query::eager_load(Customer::LARGEST_ORDER.with(Order::CUSTOMER)).order_by(Customer::ID.asc());
    let customers = cx.step("D2: the reader's row", repo.all(query)).await?;
    for customer in &customers {
        let read = repo.get_association(customer, Customer::LARGEST_ORDER, Query::preload(Order::CUSTOMER)).await?;
        cx.require(customer.largest_order()? == read.as_ref(), "the reader's")?;
    }
    cx.show("customers", customers);
    Ok(())
}

async fn j11_with_a_preload(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let query = Query::eager_load(Author::POSTS).preload(Author::GRAVATAR).order_by(Author::ID.asc());
    let authors = cx.step("J11: mixed", repo.all(query)).await?;
    cx.show("authors", authors);
    let query = Query::preload(Author::POSTS).eager_load(Author::POSTS.with(Post::COMMENTS)).order_by(Author::ID.asc());
    let authors = cx.step("asked for both ways: joined", repo.all(query)).await?;
    cx.note("authors", authors.len());
    Ok(())
}

async fn preloads_below(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let query = Query::includes(Author::POSTS.with((Post::COMMENTS, Post::AUTHOR)))
        .filter(Author::POSTS.joined(Post::PUBLISHED.eq(true)))
        .order_by(Author::ID.asc());
    let authors = cx.step("what nothing reaches into is loaded by key, below a join", repo.all(query)).await?;
    cx.show("authors", authors);
    Ok(())
}

async fn j13_polymorphic(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    pictures::fixture(&repo).await?;
    let error = cx.fails("J13: before any SQL", repo.all(Query::eager_load(Picture::IMAGEABLE))).await?;
    cx.require(matches!(error.kind(), ErrorKind::CannotJoin { association: "imageable", .. }), "typed")?;
    let nested = Employee::PICTURES.with(Picture::IMAGEABLE);
    cx.fails("below another", repo.all(Query::eager_load(nested))).await?;
    let nested = Employee::PICTURES.with(Picture::IMAGEABLE);
    let query =
        Query::includes(nested).filter(Employee::PICTURES.joined(Picture::ID.ge(1))).order_by(Employee::ID.asc());
    let employees = cx.step("includes need not join it", repo.all(query)).await?;
    cx.show("employees", employees);
    cx.fails("nor a scope by owner", repo.all(Query::eager_load(Customer::VIP_ORDERS))).await?;
    Ok(())
}

async fn text_keys(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    keys::tables(&repo).await?;
    let country = |code| Country::build().set(Country::CODE, code).set(Country::NAME, code);
    repo.insert_all([country("de"), country("at")]).await?;
    let city = |name, code| City::build().set(City::NAME, name).set(City::COUNTRY_CODE, Some(String::from(code)));
    repo.insert_all([city("wien", "at"), city("bonn", "de"), city("linz", "at")]).await?;
    let query = Query::eager_load(Country::CITIES).order_by(Country::CODE.asc()).limit(5);
    let countries = cx.step("text keys", repo.all(query)).await?;
    cx.show("countries", countries);
    let by_name = Country::CITIES.order_by(City::NAME.desc());
    let countries =
        cx.step("in the database's order", repo.all(Query::eager_load(by_name).order_by(Country::CODE.asc()))).await?;
    cx.show("countries", countries);
    Ok(())
}

async fn siblings_do_not_repeat(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let all = (Author::POSTS, Author::ARTICLES, Author::COMMENTS, Author::STUDENTS);
    let authors = cx.step("four collections", repo.all(Query::eager_load(all).order_by(Author::ID.asc()))).await?;
    let preloaded = repo.all(Query::preload(all).order_by(Author::ID.asc())).await?;
    cx.require(authors == preloaded, "as by preload")?;
    cx.show("authors", authors);
    Ok(())
}

async fn includes_choose(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let query = || Query::includes((Author::POSTS, Author::GRAVATAR)).order_by(Author::ID.asc());
    let authors = cx.step("nothing reaches into them: by key", repo.all(query())).await?;
    cx.note("authors", authors.len());
    let by_post = query().order_by(Author::POSTS.joined(Post::TITLE.asc()));
    let authors = cx.step("an order reaches into one", repo.all(by_post.clone())).await?;
    cx.require(authors.iter().all(|author| !author.posts.is_partial()), "an order leaves it whole")?;
    cx.note("authors", authors.len());
    let explained = repo.explain(&by_post)?;
    let tree: Vec<&str> = explained.lines().take_while(|line| !line.is_empty()).collect();
    cx.show("explained", tree);
    let either = Author::POSTS.joined(Post::ID.eq(3)).or(Author::GRAVATAR.joined(blog::Gravatar::ID.eq(1)));
    let authors = cx.step("a condition into both", repo.all(query().filter(either))).await?;
    cx.show("authors", authors);
    Ok(())
}

async fn nobody(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let query = Query::eager_load(Author::POSTS).preload(Author::GRAVATAR).filter(Author::ID.gt(99));
    let authors = cx.step("C31: no owners, nothing else runs", repo.all(query)).await?;
    cx.note("authors", authors.len());
    Ok(())
}

async fn counts(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let query = || Query::eager_load((Author::POSTS, Author::COMMENTS));
    let count = cx.step("owners, without any join", repo.count(query())).await?;
    cx.note("count", count);
    let of_ann = || query().filter(Author::POSTS.joined(Post::ID.le(3)));
    let count = cx.step("owners, each once", repo.count(of_ann())).await?;
    cx.note("count", count);
    let found = cx.step("exists", repo.exists(of_ann())).await?;
    cx.note("exists", found);
    let oldest = cx.step("an aggregate over owners, each once", repo.aggregate(Author::ID.sum(), of_ann())).await?;
    cx.note("sum", format!("{oldest:?}"));
    let mut pages = repo.in_batches(query(), 2)?;
    let mut sizes = Vec::new();
    while let Some(page) = pages.next().await? {
        sizes.push(page.iter().map(|author| author.posts().map_or(0, <[_]>::len)).collect::<Vec<_>>());
    }
    cx.note("batches", format!("{sizes:?}"));
    Ok(())
}

async fn aggregates_of_a_page(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    // Ann's are the first post and the last, so that which page there is depends on which of them counts.
    let last = Post::build().set(Post::AUTHOR_ID, Some(1)).set(Post::TITLE, "P5").set(Post::PUBLISHED, true);
    repo.insert(last).await?;
    let query = || Query::eager_load(Author::POSTS);
    let by_post = || query().order_by(Author::POSTS.joined(Post::ID.desc()));
    let published = Author::POSTS.joined(Post::PUBLISHED.eq(true));
    let approved = Author::POSTS.joined(Post::COMMENTS.joined(Comment::APPROVED.eq(true)));
    let deep = Query::eager_load(Author::POSTS.with(Post::COMMENTS)).filter(approved);
    let pages = [
        ("the author of the last post", by_post().limit(1)),
        ("the next", by_post().limit(1).offset(1)),
        ("beyond the end", by_post().limit(2).offset(3)),
        ("all but the first", by_post().offset(1)),
        ("of the first", query().order_by(Author::POSTS.joined(Post::ID.asc())).filter(published.clone()).limit(1)),
        ("by name, with a published post", query().order_by(Author::NAME.desc()).filter(published).limit(1)),
        ("two collections away", deep.order_by(Author::POSTS.joined(Post::ID.desc())).limit(1)),
        ("chosen by an inner join", query().join(Author::POSTS).order_by(Author::NAME.desc()).limit(1)),
        (
            "by a single target",
            query()
                .join(Author::POSTS)
                .left_join(Author::MENTOR)
                .order_by(Author::MENTOR.joined(Author::ID.desc()))
                .limit(1),
        ),
        (
            "beside a join of one's own",
            query()
                .raw_join("INNER JOIN comments ON comments.author_id = authors.id", [])
                .order_by(Author::NAME.asc())
                .limit(2),
        ),
    ];
    for (page, query) in pages {
        let ids: Vec<i64> = repo.all(query.clone()).await?.iter().map(|author| author.id).collect();
        let count = cx.step(page, repo.count(query.clone())).await?;
        let found = repo.exists(query.clone()).await?;
        let sum = repo.aggregate(Author::ID.sum(), query.clone()).await?;
        let last = repo.aggregate(Author::NAME.max(), query).await?;
        cx.note("authors, count, sum, last name", format!("{ids:?} {count} {sum:?} {last:?}"));
        cx.require(count == ids.len() as u64 && found != ids.is_empty(), "as many")?;
        cx.require(sum.unwrap_or_default() == ids.iter().sum::<i64>(), "the same")?;
    }
    Ok(())
}

async fn aggregates_of_joined_columns(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let ids = || Author::POSTS.joined(Post::ID).sum();
    let first = Query::join(Author::POSTS).order_by((Author::ID.asc(), Author::POSTS.joined(Post::ID.asc()))).limit(2);
    let sum = cx.step("of some joined rows", repo.aggregate(ids(), first)).await?;
    cx.note("sum", format!("{sum:?}"));
    let authors =
        cx.step("own columns of joined rows", repo.aggregate(Author::ID.sum(), Query::join(Author::POSTS))).await?;
    cx.note("sum", format!("{authors:?}"));
    let query = Query::join(Author::POSTS).distinct();
    cx.fails("distinct owners have no joined rows", repo.aggregate(ids(), query)).await?;
    let query = Query::eager_load(Author::POSTS).order_by(Author::ID.asc());
    cx.fails("nor have loaded ones", repo.aggregate(ids(), query.clone())).await?;
    cx.fails("nor a page of them", repo.aggregate(ids(), query.limit(1))).await?;
    cx.fails("nor if the query may choose", repo.aggregate(ids(), Query::includes(Author::POSTS))).await?;
    let error = cx.fails("not joined", repo.aggregate(ids(), Query::order_by(Author::ID.asc()).limit(1))).await?;
    cx.require(matches!(error.kind(), ErrorKind::NotJoined { model: "Author", .. }), "names the model")
}

async fn what_is_refused(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    cx.fails("groups", repo.all(Query::eager_load(Author::POSTS).group_by(Author::NAME))).await?;
    cx.fails("pluck loads nothing", repo.pluck(Author::NAME, Query::eager_load(Author::POSTS))).await?;
    let twice = Query::left_join(Author::POSTS.filter(Post::ID.gt(1))).eager_load(Author::POSTS);
    cx.fails("joined in another way", repo.all(twice)).await?;
    let budget = Query::eager_load(Author::POSTS).preload(Author::GRAVATAR).max_statements(1);
    cx.fails("more statements than allowed", repo.all(budget)).await?;
    Ok(())
}

async fn equals_preload(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let tree = || {
        (
            Author::MENTOR.with(Author::POSTS.with(Post::FIRST_COMMENT)),
            Author::STUDENTS.with((Author::GRAVATAR, Author::COMMENTS.with(Comment::POST.with(Post::AUTHOR)))),
            Author::POSTS.with(Post::COMMENTS.order_by(Comment::BODY.desc())),
        )
    };
    let joined = cx.step("one statement", repo.all(Query::eager_load(tree()).order_by(Author::ID.asc()))).await?;
    let preloaded = cx.step("one an association", repo.all(Query::preload(tree()).order_by(Author::ID.asc()))).await?;
    cx.require(joined == preloaded, "the same")?;
    cx.show("authors", joined);
    Ok(())
}

async fn counts_of_what_is_chosen(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let query = || Query::includes((Author::POSTS, Author::GRAVATAR));
    let count = cx.step("owners", repo.count(query())).await?;
    cx.note("count", count);
    let with_post = || query().filter(Author::POSTS.joined(Post::ID.le(3)));
    let count = cx.step("each once", repo.count(with_post())).await?;
    cx.note("count", count);
    let found = cx.step("exists", repo.exists(with_post())).await?;
    cx.note("exists", found);
    let count = cx.step("of a page", repo.count(with_post().order_by(Author::ID.asc()).limit(1))).await?;
    cx.note("count", count);
    Ok(())
}

async fn sorted_by_the_query(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let comment = |post: i64, author: Option<i64>, body| {
        let build = Comment::build().set(Comment::POST_ID, post).set(Comment::AUTHOR_ID, author);
        build.set(Comment::BODY, body).set(Comment::APPROVED, true)
    };
    repo.insert_all([comment(1, Some(1), "Cm"), comment(1, None, "Cz"), comment(1, Some(3), "Ca")]).await?;
    let posts = |authors: &[Author]| -> Result<Vec<Vec<i64>>> {
        authors.iter().map(|author| Ok(author.posts()?.iter().map(|post| post.id).collect())).collect()
    };
    let by_title = || Author::POSTS.joined(Post::TITLE.desc());
    for (title, query) in [
        ("the collection's own column", Query::eager_load(Author::POSTS).order_by((Author::ID.asc(), by_title()))),
        ("before the owner's", Query::eager_load(Author::POSTS).order_by((by_title(), Author::ID.asc()))),
        ("a page", Query::includes(Author::POSTS).order_by((Author::ID.asc(), by_title())).limit(2)),
        (
            "by an integer",
            Query::eager_load(Author::POSTS).order_by((Author::ID.asc(), Author::POSTS.joined(Post::ID.desc()))),
        ),
        (
            "the association's own order wins",
            Query::eager_load(Author::POSTS.order_by(Post::ID.asc())).order_by((Author::ID.asc(), by_title())),
        ),
        (
            "beside another join",
            Query::eager_load((Author::POSTS, Author::STUDENTS)).order_by((Author::ID.asc(), by_title())),
        ),
    ] {
        let authors = cx.step(title, repo.all(query)).await?;
        cx.note("posts", format!("{:?}", posts(&authors)?));
    }
    let deep = Query::eager_load(Author::POSTS.with(Post::COMMENTS.with(Comment::AUTHOR)))
        .order_by((Author::ID.asc(), Author::POSTS.joined(Post::COMMENTS.joined(Comment::BODY.desc()))));
    let authors = cx.step("two levels down", repo.all(deep)).await?;
    for author in &authors {
        for post in author.posts()? {
            cx.show("comments", post.comments()?.iter().map(|comment| comment.body.as_str()));
        }
    }
    let by_author = Author::POSTS.joined(Post::COMMENTS.joined(Comment::AUTHOR.joined(Author::NAME.desc())));
    let deep = Query::eager_load(Author::POSTS.with(Post::COMMENTS.with(Comment::AUTHOR)));
    let authors =
        cx.step("by the single target of a row", repo.all(deep.order_by((Author::ID.asc(), by_author)))).await?;
    for author in &authors {
        for post in author.posts()? {
            cx.show("comments", post.comments()?.iter().map(|comment| comment.body.as_str()));
        }
    }
    clinic::fixture(&repo).await?;
    let by_name = || Physician::PATIENTS.joined(Patient::NAME.desc());
    let query = Query::eager_load(Physician::PATIENTS).order_by((Physician::ID.asc(), by_name()));
    for physician in cx.step("through others", repo.all(query)).await? {
        cx.show("patients", physician.patients()?.iter().map(|patient| patient.name.as_str()));
    }
    let by_name = Physician::KNOWN_PATIENTS.joined(Patient::NAME.asc());
    let query = Query::eager_load(Physician::KNOWN_PATIENTS).order_by((Physician::ID.asc(), by_name));
    for physician in cx.step("through others, with an order of its own", repo.all(query)).await? {
        cx.show("patients", physician.known_patients()?.iter().map(|patient| patient.name.as_str()));
    }
    let has_one = Query::eager_load(Post::FIRST_COMMENT)
        .order_by((Post::ID.asc(), Post::FIRST_COMMENT.joined(Comment::BODY.desc())));
    let found = cx.step("which one a has_one chooses stays", repo.all(has_one)).await?;
    let first = found.iter().map(|post| Ok(post.first_comment()?.map(|comment| comment.id)));
    let first: Vec<Option<i64>> = first.collect::<Result<_>>()?;
    cx.show("first comments", first);
    Ok(())
}
