//! Joins by association: what they repeat and leave out, the names of their tables, columns of joined associations.

use assoc_core::{ErrorKind, Result};
use assoc_repo::prelude::*;
use assoc_repo::{Aggregate, Value};
use conformance_harness::{Context, Level, cases};
use conformance_models::blog::{self, Author, Comment, Gravatar, Post};
use conformance_models::clinic::{self, Patient, Physician};
use conformance_models::keys::{self, Seat, Ticket};
use conformance_models::options::{self, Customer, Note, SpecialNote};
use conformance_models::pictures::{self, Article, Category, Employee, Keyword, Person, Picture, Product, Tag};

cases! { "joins", Level::Read;
    inner_and_left,
    nested,
    the_same_join_twice,
    columns,
    compared_columns,
    aliases,
    aliases_of_join_tables,
    joins_of_ones_own,
    conditions_go_into_on,
    scopes_and_discriminators,
    composite_keys,
    through_and_polymorphic,
    not_joined,
    cannot_be_joined,
    counts,
    rows_that_are_chosen,
    j5_join_and_preload,
    filters_of_a_repo,
    two_types_at_once,
    before_and_after,
}

fn names(authors: &[Author]) -> String {
    authors.iter().map(|author| &author.name[..]).collect::<Vec<_>>().join(" ")
}

async fn inner_and_left(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let by_post = || (Author::ID.asc(), Author::POSTS.joined(Post::ID.asc()));
    let authors = cx.step("an author a post", repo.all(Query::join(Author::POSTS).order_by(by_post()))).await?;
    cx.note("authors", names(&authors));
    let authors = cx.step("and those without", repo.all(Query::left_join(Author::POSTS).order_by(by_post()))).await?;
    cx.note("authors", names(&authors));
    let query = Query::join(Author::POSTS).distinct().order_by(Author::ID.asc());
    let authors = cx.step("each once", repo.all(query)).await?;
    cx.note("authors", names(&authors));
    let authors = cx.step("nothing to join, no join", repo.all(Query::join(()).order_by(Author::ID.asc()))).await?;
    cx.note("authors", names(&authors));
    Ok(())
}

async fn nested(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let approved = Author::POSTS.joined(Post::COMMENTS.joined(Comment::APPROVED.eq(true)));
    let by_comment = Author::POSTS.joined(Post::COMMENTS.joined(Comment::ID.asc()));
    let query = Query::join(Author::POSTS.with(Post::COMMENTS)).filter(approved).order_by(by_comment);
    let authors = cx.step("an author an approved comment", repo.all(query)).await?;
    cx.note("authors", names(&authors));
    let mentors = Author::MENTOR.with(Author::MENTOR);
    let query = Query::join(mentors).filter(Author::MENTOR.joined(Author::MENTOR.joined(Author::NAME.eq("Ann"))));
    let authors = cx.step("the mentor's mentor is Ann", repo.all(query)).await?;
    cx.note("authors", names(&authors));
    Ok(())
}

async fn the_same_join_twice(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let query = Query::left_join(Author::POSTS).join(Author::POSTS).order_by(Author::POSTS.joined(Post::ID.asc()));
    let authors = cx.step("outer and inner: one inner", repo.all(query)).await?;
    cx.note("authors", names(&authors));
    let query = Query::left_join(Author::POSTS)
        .join(Author::POSTS.with(Post::COMMENTS))
        .order_by(Author::POSTS.joined(Post::COMMENTS.joined(Comment::ID.asc())));
    let authors = cx.step("inner below outer: both inner", repo.all(query)).await?;
    cx.note("authors", names(&authors));
    let query = Query::join(Author::POSTS).left_join(Author::POSTS.filter(Post::PUBLISHED.eq(true)));
    let error = cx.fails("in two ways: an error", repo.all(query)).await?;
    cx.require(matches!(error.kind(), ErrorKind::InvalidQuery { .. }), "a query that cannot be built")
}

async fn columns(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let title = Author::POSTS.joined(Post::TITLE);
    let query = Query::join(Author::POSTS).order_by(title.clone().asc());
    let rows = cx.step("names and titles", repo.pluck((Author::NAME, title.clone()), query)).await?;
    cx.show("rows", rows);
    let query = Query::left_join(Author::POSTS).order_by((Author::ID.asc(), title.clone().desc()));
    let rows = cx.step("also of none", repo.pluck((Author::NAME, title.clone().optional()), query)).await?;
    cx.show("rows", rows);
    let posts = || Author::POSTS.joined(Post::ID);
    let query = Query::left_join(Author::POSTS)
        .group_by(Author::NAME)
        .having(posts().count().ge(1))
        .order_by(Author::NAME.desc());
    let columns = (Author::NAME, posts().count(), posts().max(), Author::POSTS.joined(Post::TITLE.count_distinct()));
    let rows = cx.step("grouped", repo.pluck(columns, query)).await?;
    cx.show("rows", rows);
    let query = Query::join(Author::POSTS).distinct().order_by(title.clone().desc());
    let rows = cx.step("distinct values", repo.pluck(title, query)).await?;
    cx.show("rows", rows);
    let sum = cx.step("an aggregate", repo.aggregate(posts().sum(), Query::join(Author::POSTS))).await?;
    cx.note("sum", format!("{sum:?}"));
    Ok(())
}

async fn compared_columns(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let own = Post::AUTHOR_ID.eq_column(Post::COMMENTS.joined(Comment::AUTHOR_ID));
    let query = Query::join(Post::COMMENTS).filter(own).order_by(Post::ID.asc());
    let posts = cx.step("posts that their author comments on", repo.all(query)).await?;
    cx.show("posts", posts);
    let later = Post::COMMENTS.joined(Comment::ID).gt_column(Post::AUTHOR.joined(Author::ID));
    let query =
        Query::join((Post::COMMENTS, Post::AUTHOR)).filter(later).order_by(Post::COMMENTS.joined(Comment::ID.asc()));
    let posts = cx.step("two joined columns", repo.pluck(Post::ID, query)).await?;
    cx.note("posts", format!("{posts:?}"));
    // The same words before and after `joined`.
    let body = || Post::COMMENTS.joined(Comment::BODY);
    for (title, outside, inside) in [
        ("a joined column and a value", body().eq("C3"), Post::COMMENTS.joined(Comment::BODY.eq("C3"))),
        ("and several", body().is_in(["C1", "C6"]), Post::COMMENTS.joined(Comment::BODY.is_in(["C1", "C6"]))),
        ("and a pattern", body().not_like("%5"), Post::COMMENTS.joined(Comment::BODY.not_like("%5"))),
    ] {
        let query = |filter| Query::join(Post::COMMENTS).filter(filter).order_by(Post::ID.asc());
        let posts = cx.step(title, repo.pluck(Post::ID, query(outside))).await?;
        cx.note("posts", format!("{posts:?}"));
        cx.require(posts == repo.pluck(Post::ID, query(inside)).await?, "as within the association")?;
    }
    Ok(())
}

async fn aliases(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    // Authors, three times: the root, the comments' authors, and the posts' authors again.
    let query = Query::join((Author::POSTS.with(Post::COMMENTS.with(Comment::AUTHOR)), Author::MENTOR))
        .filter(Author::POSTS.joined(Post::COMMENTS.joined(Comment::AUTHOR.joined(Author::NAME.eq("Ann")))));
    let authors = cx.step("F168: the association in the plural and its owner's table", repo.all(query)).await?;
    cx.note("authors", names(&authors));
    let query =
        Query::join((Author::POSTS, Author::ARTICLES, Author::STUDENTS.with((Author::POSTS, Author::ARTICLES))));
    let count = cx.step("F168: numbers from two on", repo.count(query)).await?;
    cx.note("rows", count);
    let query = Query::join(Author::MENTOR.with(Author::MENTOR.with(Author::MENTOR)));
    let count = cx.step("one association below itself", repo.count(query)).await?;
    cx.note("rows", count);
    Ok(())
}

async fn aliases_of_join_tables(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    pictures::fixture(&repo).await?;
    let query = Query::join(Person::FRIENDS.with(Person::FRIENDS)).order_by(Person::ID.asc());
    let people = cx.step("F169: friends of friends", repo.all(query)).await?;
    cx.show("people", people);
    let query = Query::join((Article::TAGS, Article::TAGGINGS.with(pictures::Tagging::TAG)));
    let count = cx.step("F169: a join model twice", repo.count(query)).await?;
    cx.note("rows", count);
    Ok(())
}

async fn joins_of_ones_own(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let own = "INNER JOIN comments ON comments.post_id = posts.id AND comments.body <> ?";
    let query = Query::join(Post::COMMENTS).raw_join(own, [Value::from("C1")]).filter(
        Post::COMMENTS.joined(Comment::BODY.eq("C1")).and(Filter::raw("comments.approved = ?", [Value::Bool(false)])),
    );
    let posts = cx.step("D9, F170: it keeps its name, the association gets another", repo.all(query)).await?;
    cx.show("posts", posts);
    let own = "LEFT JOIN authors AS comments ON comments.id = 0";
    let query = Query::join(Post::COMMENTS).raw_join(own, []).order_by(Post::COMMENTS.joined(Comment::ID.asc()));
    let posts = cx.step("an alias is a name as well", repo.pluck(Post::ID, query)).await?;
    cx.note("posts", format!("{posts:?}"));
    cx.fails("binds are counted", repo.all(Query::<Post>::raw_join("JOIN comments ON comments.id = ?", []))).await?;
    Ok(())
}

async fn conditions_go_into_on(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let unpublished = Author::POSTS.filter(Post::PUBLISHED.eq(false));
    let query =
        Query::left_join(unpublished).filter(Author::POSTS.joined(Post::ID.is_null())).order_by(Author::ID.asc());
    let authors = cx.step("authors without an unpublished post", repo.all(query)).await?;
    cx.note("authors", names(&authors));
    let authors = cx
        .step(
            "the same by a subquery",
            repo.all(Query::filter(Author::POSTS.none(Post::PUBLISHED.eq(false))).order_by(Author::ID.asc())),
        )
        .await?;
    cx.note("authors", names(&authors));
    let posts = cx
        .step("a subquery on a joined association", {
            let commented = Author::POSTS.joined(Post::COMMENTS.any(Comment::APPROVED.eq(true)));
            repo.all(Query::join(Author::POSTS).filter(commented).order_by(Author::POSTS.joined(Post::ID.asc())))
        })
        .await?;
    cx.note("authors", names(&posts));
    Ok(())
}

async fn scopes_and_discriminators(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    options::fixture(&repo).await?;
    let query = Query::left_join((Customer::NOTES, Customer::CONFIRMED_ORDERS)).order_by((
        Customer::ID.asc(),
        Customer::NOTES.joined(Note::ID.asc()),
        Customer::CONFIRMED_ORDERS.joined(options::Order::ID.asc()),
    ));
    let columns = (
        Customer::NAME,
        Customer::NOTES.joined(Note::ID).optional(),
        Customer::CONFIRMED_ORDERS.joined(options::Order::ID).optional(),
    );
    let rows = cx.step("default scope and conditions", repo.pluck(columns, query)).await?;
    cx.show("rows", rows);
    let query = Query::join((Customer::SPECIAL_NOTES, Customer::ALL_NOTES))
        .order_by((Customer::SPECIAL_NOTES.joined(SpecialNote::ID.asc()), Customer::ALL_NOTES.joined(Note::ID.asc())));
    let columns = (Customer::SPECIAL_NOTES.joined(SpecialNote::ID), Customer::ALL_NOTES.joined(Note::ID));
    let rows = cx.step("the type, aliased; unscoped", repo.pluck(columns, query)).await?;
    cx.show("rows", rows);
    let query = Query::left_join((Customer::ALL_NOTES, Customer::NOTES))
        .filter(Customer::ID.eq(2))
        .order_by((Customer::ALL_NOTES.joined(Note::ID.asc()), Customer::NOTES.joined(Note::ID.asc())));
    let columns = (Customer::ALL_NOTES.joined(Note::ID).optional(), Customer::NOTES.joined(Note::ID).optional());
    let rows = cx.step("the default scope of an aliased table", repo.pluck(columns, query)).await?;
    cx.show("rows", rows);
    Ok(())
}

async fn composite_keys(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    keys::tables(&repo).await?;
    let seat = |hall, number| Seat::build().set(Seat::HALL_ID, hall).set(Seat::NUMBER, number).set(Seat::NAME, "seat");
    repo.insert_all([seat(1, 1), seat(1, 2), seat(2, 1)]).await?;
    let ticket =
        |hall, number: Option<u16>| Ticket::build().set(Ticket::HALL_ID, hall).set(Ticket::SEAT_NUMBER, number);
    repo.insert_all([ticket(1, Some(1)), ticket(2, Some(1)), ticket(2, Some(2)), ticket(1, Some(1)), ticket(1, None)])
        .await?;
    let query = Query::left_join(Seat::TICKETS).order_by((
        Seat::HALL_ID.asc(),
        Seat::NUMBER.asc(),
        Seat::TICKETS.joined(Ticket::ID.asc()),
    ));
    let rows = cx
        .step(
            "both columns",
            repo.pluck((Seat::HALL_ID, Seat::NUMBER, Seat::TICKETS.joined(Ticket::ID).optional()), query),
        )
        .await?;
    cx.show("rows", rows);
    Ok(())
}

async fn through_and_polymorphic(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    clinic::fixture(&repo).await?;
    let query = Query::join(Physician::PATIENTS)
        .filter(Physician::PATIENTS.joined(Patient::NAME.like("%1")))
        .order_by(Physician::ID.asc());
    let physicians = cx.step("through a join model", repo.all(query)).await?;
    cx.show("physicians", physicians);
    let query = Query::join(Physician::COLLEAGUES).distinct().order_by(Physician::ID.asc());
    let physicians = cx.step("through a through, the same table again", repo.all(query)).await?;
    cx.show("physicians", physicians);
    pictures::fixture(&repo).await?;
    let query =
        Query::join(Employee::PICTURES).order_by((Employee::ID.asc(), Employee::PICTURES.joined(Picture::ID.asc())));
    let rows = cx.step("as", repo.pluck((Employee::NAME, Employee::PICTURES.joined(Picture::ID)), query)).await?;
    cx.show("rows", rows);
    let articles = Tag::TAGGED_ARTICLES.joined(Article::TITLE);
    let query = Query::join(Tag::TAGGED_ARTICLES).order_by((Tag::ID.asc(), articles.clone().asc()));
    let rows = cx.step("source_type", repo.pluck((Tag::NAME, articles), query)).await?;
    cx.show("rows", rows);
    let query =
        Query::join(Article::CATEGORIES).order_by((Article::ID.asc(), Article::CATEGORIES.joined(Category::ID.asc())));
    let rows = cx
        .step("a join table", repo.pluck((Article::TITLE, Article::CATEGORIES.joined(Category::NAME)), query))
        .await?;
    cx.show("rows", rows);
    Ok(())
}

async fn not_joined(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let by_title = Author::POSTS.joined(Post::TITLE.eq("Ann"));
    let error = cx.fails("a condition", repo.all(Query::filter(by_title.clone()))).await?;
    cx.require(matches!(error.kind(), ErrorKind::NotJoined { model: "Author", path } if path == "posts"), "names it")?;
    cx.fails("an order", repo.all(Query::order_by(Author::POSTS.joined(Post::TITLE.asc())))).await?;
    let further = Author::POSTS.joined(Post::COMMENTS.joined(Comment::ID.eq(1)));
    cx.fails("further away than what is joined", repo.all(Query::join(Author::POSTS).filter(further))).await?;
    let query = Query::join(Post::AUTHOR).filter(Post::AUTHOR.any(by_title));
    cx.fails("a subquery joins nothing", repo.all(query)).await?;
    cx.fails(
        "preloading does not join",
        repo.count(Query::preload(Author::POSTS).order_by(Author::POSTS.joined(Post::ID.asc())).limit(1)),
    )
    .await?;
    let query = Query::join(Author::POSTS).distinct().order_by(Author::POSTS.joined(Post::ID.asc()));
    cx.fails("distinct rows have several", repo.all(query)).await?;
    Ok(())
}

async fn cannot_be_joined(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    pictures::fixture(&repo).await?;
    let error = cx.fails("F165: polymorphic", repo.all(Query::join(Picture::IMAGEABLE))).await?;
    cx.require(
        matches!(error.kind(), ErrorKind::CannotJoin { model: "Picture", association: "imageable", .. }),
        "named",
    )?;
    cx.fails("by owner", repo.all(Query::left_join(Customer::VIP_ORDERS))).await?;
    let query = Query::join(Employee::PICTURES.limit(1));
    cx.fails("with a limit", repo.all(query)).await?;
    Ok(())
}

async fn counts(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let query = || Query::join(Author::POSTS);
    let count = cx.step("joined rows", repo.count(query())).await?;
    cx.note("count", count);
    let count = cx.step("authors", repo.count(query().distinct())).await?;
    cx.note("count", count);
    let count =
        cx.step("of a page", repo.count(query().order_by(Author::POSTS.joined(Post::ID.asc())).limit(2))).await?;
    cx.note("count", count);
    let titled = query().filter(Author::POSTS.joined(Post::TITLE.eq("P3")));
    let found = cx.step("exists", repo.exists(titled.clone())).await?;
    cx.note("exists", found);
    let names = cx.step("pluck rows", repo.pluck(Aggregate::<Author, i64>::count_all(), titled)).await?;
    cx.note("rows", format!("{names:?}"));
    Ok(())
}

async fn j5_join_and_preload(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let query = Query::join(Author::POSTS)
        .preload(Author::POSTS)
        .order_by((Author::ID.asc(), Author::POSTS.joined(Post::ID.asc())));
    let authors = cx.step("rows repeat, each with all posts", repo.all(query)).await?;
    cx.show("authors", authors);
    Ok(())
}

async fn filters_of_a_repo(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let published = repo.filtered(|model| {
        (model.table.name == "posts").then(|| assoc_core::metadata::Expr::equals("published", Value::Bool(true)))
    });
    let query = Query::left_join(Author::POSTS).order_by((Author::ID.asc(), Author::POSTS.joined(Post::ID.asc())));
    let columns = (Author::NAME, Author::POSTS.joined(Post::ID).optional());
    let rows = cx.step("joined rows are filtered", published.pluck(columns, query)).await?;
    cx.show("rows", rows);
    let query = Query::eager_load((Author::POSTS, Author::GRAVATAR)).order_by(Author::ID.asc());
    let authors = cx.step("and what is loaded by a join", published.all(query)).await?;
    cx.show("authors", &authors);
    let gravatars = authors.iter().filter_map(|author| author.gravatar().ok()?).map(|gravatar: &Gravatar| gravatar.id);
    cx.note("gravatars", format!("{:?}", gravatars.collect::<Vec<_>>()));
    Ok(())
}

async fn rows_that_are_chosen(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    options::fixture(&repo).await?;
    let total = Customer::LARGEST_ORDER.joined(options::Order::TOTAL);
    let query = Query::left_join(Customer::LARGEST_ORDER).order_by(Customer::ID.asc());
    let rows =
        cx.step("of a has_one the row it chooses", repo.pluck((Customer::NAME, total.optional()), query)).await?;
    cx.show("rows", rows);
    let small = Customer::LARGEST_ORDER.joined(options::Order::TOTAL.lt(50));
    let query = Query::includes(Customer::LARGEST_ORDER).filter(small.clone()).order_by(Customer::ID.asc());
    let customers = cx.step("a condition on it sees no other", repo.all(query)).await?;
    cx.show("customers", customers);
    let related = Query::filter(Customer::LARGEST_ORDER.any(options::Order::TOTAL.lt(50))).order_by(Customer::ID.asc());
    let customers = cx.step("nor does a subquery", repo.all(related)).await?;
    cx.note("customers", customers.len());
    let ids = Customer::LARGEST_ORDERS.joined(options::Order::ID);
    let query = Query::join(Customer::LARGEST_ORDERS).order_by((Customer::ID.asc(), ids.clone().asc()));
    let rows = cx.step("of a limit the first few", repo.pluck((Customer::NAME, ids), query)).await?;
    cx.show("rows", rows);
    let third = Customer::SECOND_AND_THIRD.joined(options::Order::TOTAL.ge(100));
    let query = Query::eager_load(Customer::SECOND_AND_THIRD).filter(third).order_by(Customer::ID.asc());
    let customers = cx.step("also where a condition reaches into what is loaded", repo.all(query)).await?;
    cx.require(customers.iter().all(|customer| customer.second_and_third.is_partial()), "partial")?;
    cx.show("customers", customers);
    Ok(())
}

// The same join model, once for each type.
async fn two_types_at_once(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    pictures::fixture(&repo).await?;
    let (article, product) = (Keyword::ARTICLES.joined(Article::TITLE), Keyword::PRODUCTS.joined(Product::NAME));
    let query = Query::left_join((Keyword::ARTICLES, Keyword::PRODUCTS)).order_by((
        Keyword::ID.asc(),
        article.clone().asc(),
        product.clone().asc(),
    ));
    let columns = (Keyword::NAME, article.optional(), product.optional());
    let rows = cx.step("articles and products", repo.pluck(columns, query)).await?;
    cx.show("rows", rows);
    let both = (Keyword::ARTICLES, Keyword::PRODUCTS);
    let joined = repo.all(Query::eager_load(both).order_by(Keyword::ID.asc()));
    let joined = cx.step("loaded by a join", joined).await?;
    let preloaded = repo.all(Query::preload(both).order_by(Keyword::ID.asc()));
    let preloaded = cx.step("preloaded", preloaded).await?;
    cx.require(joined == preloaded, "the same")
}

// A name in one's own SQL is taken, wherever in the query it stands.
async fn before_and_after(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let own = "INNER JOIN posts ON posts.author_id = authors.id AND posts.published = ?";
    let binds = || [Value::Bool(false)];
    let by_post = || Author::POSTS.joined(Post::ID.desc());
    let before = Query::raw_join(own, binds()).join(Author::POSTS).order_by(by_post());
    let before = cx.step("one's own first", repo.pluck(Author::POSTS.joined(Post::ID), before)).await?;
    let after = Query::join(Author::POSTS).raw_join(own, binds()).order_by(by_post());
    let after = cx.step("one's own last", repo.pluck(Author::POSTS.joined(Post::ID), after)).await?;
    cx.require(before == after, "the same")?;
    cx.note("posts of whoever has an unpublished one", format!("{after:?}"));
    Ok(())
}
