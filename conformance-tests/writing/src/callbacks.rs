//! Callbacks of models: what runs when, in which order, with what it knows; refusals; and the table of the guide.

use assoc_core::Result;
use assoc_repo::prelude::*;
use assoc_repo::{Changeset, Multi, on_conflict};
use conformance_harness::{Context, KeyOrder, Level, cases};

use conformance_written_models::callbacks::{
    self as models, Article, Audit, Author, Book, Club, Coin, Label, Membership, Page, Profile, Purse, Remark, Sale,
    refuse, refuse_none, take,
};

cases! { "callbacks", Level::Write;
    one_row,
    graph,
    before_changes_the_change,
    the_published_table,
    refusals_of_a_save,
    refusals_of_a_destroy,
    destroy_in_order,
    after_the_transaction,
    told_once_a_row,
    failing_after_commit,
    callbacks_that_write,
    without_end,
    a_destroy_follows_what_callbacks_write,
    shared_drafts,
    many_rows,
    rows_that_are_not_told_apart,
}

fn author(name: &str) -> Changeset<Author> {
    Author::build().set(Author::NAME, name)
}

fn article(title: &str) -> Changeset<Article> {
    Article::build().set(Article::TITLE, title)
}

fn remark(body: &str) -> Changeset<Remark> {
    Remark::build().set(Remark::BODY, body)
}

fn show(cx: &mut Context, label: &str) {
    let lines = take(&cx.repo());
    cx.note(label, format!("{} callbacks", lines.len()));
    for line in lines {
        cx.note("  ran", line);
    }
}

async fn contents(cx: &mut Context) -> Result<()> {
    for (label, sql) in [
        ("authors", "SELECT name FROM authors ORDER BY name"),
        ("articles", "SELECT title, slug, author_id IS NULL FROM articles ORDER BY title"),
        ("remarks", "SELECT body FROM remarks ORDER BY body"),
        ("profiles", "SELECT motto, author_id IS NULL FROM profiles ORDER BY motto"),
        ("memberships", "SELECT role FROM memberships ORDER BY role"),
        ("labels of authors", "SELECT COUNT(*) FROM authors_labels"),
    ] {
        cx.rows(label, sql).await?;
    }
    Ok(())
}

// An author with everything.
fn whole(club: &Club) -> Changeset<Author> {
    author("Ada")
        .push(Author::ARTICLES, article("One").push(Article::REMARKS, ["fine", "well"].map(remark)))
        .push(Author::ARTICLES, article("Two"))
        .set_one(Author::PROFILE, Profile::build().set(Profile::MOTTO, "on"))
        .push(Author::CLUBS, club)
        .push(Author::LABELS, Label::build().set(Label::NAME, "new"))
}

async fn stored(cx: &Context) -> Result<Author> {
    let repo = cx.repo();
    let club = repo.insert(Club::build().set(Club::NAME, "chess")).await?;
    let stored = repo.insert(whole(&club)).await?;
    let _ = take(&repo);
    Ok(stored)
}

async fn one_row(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    models::tables(&repo).await?;
    let row = cx.step("insert", repo.insert(article("One"))).await?;
    show(cx, "order");
    let row = cx.step("update", repo.update(row.change().set(Article::TITLE, "Two"))).await?;
    cx.require(row.slug == "two", "the row as it was stored")?;
    show(cx, "order");
    let same = cx.step("of nothing", repo.update(row.change().set(Article::TITLE, "Two"))).await?;
    cx.require(same == row, "nothing is changed")?;
    show(cx, "order");
    cx.step("destroy", repo.destroy(&row)).await?;
    show(cx, "order");
    contents(cx).await
}

async fn graph(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    models::tables(&repo).await?;
    let club = repo.insert(Club::build().set(Club::NAME, "chess")).await?;
    let ada = cx.step("insert", repo.insert(whole(&club))).await?;
    show(cx, "batch by batch");
    let fresh = repo.get_or_fail::<Author>(ada.id, Query::preload((Author::ARTICLES, Author::CLUBS))).await?;
    let bare = |author: &Author| -> Result<Vec<Article>> { Ok(author.articles()?.iter().map(Model::bare).collect()) };
    cx.require(bare(&fresh)? == bare(&ada)? && fresh.clubs == ada.clubs, "a fresh read")?;
    let change = ada
        .change()
        .set(Author::NAME, "Ada L")
        .edit(Author::ARTICLES, ada.articles()?[0].change().push(Article::REMARKS, remark("late")))
        .edit(Author::ARTICLES, ada.articles()?[1].change().set(Article::TITLE, "Three"));
    cx.step("update", repo.update(change)).await?;
    show(cx, "an article that only leads to a remark has none");
    contents(cx).await
}

async fn before_changes_the_change(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    models::tables(&repo).await?;
    // Without its own value, a column that is required is given one before problems are looked for.
    let row = cx.step("a required column", repo.insert(article("One"))).await?;
    cx.require(row.slug == "one", "set")?;
    let _ = take(&repo);
    let draft = author("Ada").push(Author::ARTICLES, [article("Two"), article("?")]);
    let error = cx.fails("a problem of a member", repo.insert(draft.clone())).await?;
    cx.note("error", &error);
    cx.require(matches!(error.kind(), ErrorKind::Invalid { .. }), "as data")?;
    let back = Changeset::<Author>::refused_by(&error).ok_or_else(|| Error::other("not handed back"))?;
    cx.require(format!("{back:?}") == format!("{draft:?}"), "as it was given")?;
    show(cx, "all are asked");
    let mut multi = Multi::new();
    multi.insert("article", article("Four"));
    cx.step("as a step of several", repo.run(&multi)).await?;
    contents(cx).await
}

// Which callbacks a call has run: the points alone.
fn points(cx: &mut Context, call: &str) {
    let lines = take(&cx.repo());
    let name = |line: &String| line.split(' ').next().unwrap_or_default().to_owned();
    let mut points: Vec<String> = lines.iter().map(name).collect();
    points.dedup();
    cx.note(call, if points.is_empty() { "nothing".to_owned() } else { points.join(", ") });
}

async fn the_published_table(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    models::tables(&repo).await?;
    let clubs = repo.insert_all(["chess", "go"].map(|name| Club::build().set(Club::NAME, name))).await?;
    let one = repo.insert(article("One")).await?;
    points(cx, "insert");
    let one = repo.update(one.change().set(Article::TITLE, "Uno")).await?;
    points(cx, "update");
    let ada = repo.insert(author("Ada").push(Author::ARTICLES, article("Two"))).await?;
    points(cx, "insert with a new member");
    let ada = repo.update(ada.change().push(Author::ARTICLES, &one)).await?;
    points(cx, "update that links a row");
    let ada = repo.update(ada.change().push(Author::CLUBS, &clubs[0])).await?;
    points(cx, "update that adds a row between");
    let ada = repo.update(ada.change().remove(Author::CLUBS, &clubs[0])).await?;
    points(cx, "update that takes away a row between");
    let drafts = [article("a").set(Article::SLUG, "a"), article("b").set(Article::SLUG, "b")];
    let rows = repo.insert_all(drafts).await?;
    points(cx, "insert_all");
    let draft = author("Bob").push(Author::ARTICLES, article("Cee").set(Article::SLUG, "c"));
    repo.insert_all([draft]).await?;
    points(cx, "insert_all with members");
    repo.upsert(article("a").set(Article::SLUG, "A"), on_conflict(Article::TITLE)).await?;
    points(cx, "upsert");
    repo.update_all(Query::<Article>::new(), [Article::SLUG.to("s")]).await?;
    points(cx, "update_all");
    repo.delete(&rows[0]).await?;
    points(cx, "delete");
    repo.delete_all(Query::filter(Article::ID.eq(rows[1].id))).await?;
    points(cx, "delete_all");
    let remarked = repo.insert(article("Three").push(Article::REMARKS, remark("fine"))).await?;
    let _ = take(&repo);
    repo.destroy(&remarked).await?;
    points(cx, "destroy, with a dependent");
    let rows = [article("Four"), article("Five")].map(|row| repo.insert(row));
    let mut stored = Vec::new();
    for row in rows {
        stored.push(row.await?);
    }
    let _ = take(&repo);
    repo.destroy_rows(&stored[..1]).await?;
    points(cx, "destroy_rows");
    repo.destroy_all(Query::filter(Article::ID.eq(stored[1].id))).await?;
    points(cx, "destroy_all");
    let ada = repo.update(ada.change().remove(Author::ARTICLES, &ada.articles()?[0])).await?;
    points(cx, "update that lets go of a member that is destroyed");
    let marked = ada.articles()?[0].change().mark_for_destruction();
    let ada = repo.update(ada.change().edit(Author::ARTICLES, marked)).await?;
    points(cx, "update with a member that is marked for destruction");
    let ada = repo.update(ada.change().push(Author::ARTICLES, article("Six"))).await?;
    let _ = take(&repo);
    let ada = repo.update(ada.change().clear(Author::ARTICLES)).await?;
    points(cx, "update that clears");
    let mut multi = Multi::new();
    multi.insert("new", article("Seven"));
    multi.update("changed", ada.change().set(Author::NAME, "Ada L"));
    repo.run(&multi).await?;
    points(cx, "the steps of several");
    repo.preview_destroy(&repo.get_or_fail::<Author>(ada.id + 1, Query::new()).await?).await?;
    points(cx, "preview_destroy");
    contents(cx).await
}

// Every callback of a save refuses in turn: nothing is stored, and the change comes back.
async fn refusals_of_a_save(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    models::tables(&repo).await?;
    let ada = stored(cx).await?;
    let club = repo.insert(Club::build().set(Club::NAME, "go")).await?;
    let change = || -> Result<Changeset<Author>> {
        Ok(ada
            .change()
            .set(Author::NAME, "Ada L")
            .push(Author::ARTICLES, article("New").push(Article::REMARKS, remark("late")))
            .edit(Author::ARTICLES, ada.articles()?[0].change().set(Article::TITLE, "First"))
            .remove(Author::ARTICLES, &ada.articles()?[1])
            .push(Author::CLUBS, &club)
            .push(Author::LABELS, Label::build().set(Label::NAME, "newer")))
    };
    let before = counted(&repo).await?;
    // What would run, is found out by a save that is undone.
    let undone: Result<()> = repo
        .transaction(async |tx| {
            tx.update(change()?).await?;
            Err(Error::other("undone"))
        })
        .await;
    cx.require(undone.is_err(), "undone")?;
    let mut all: Vec<String> =
        take(&repo).iter().filter_map(|line| line.split(' ').next().map(str::to_owned)).collect();
    all.retain(|point| !point.ends_with("after_rollback"));
    let mut points: Vec<String> = Vec::new();
    all.into_iter().for_each(|point| {
        if !points.contains(&point) {
            points.push(point)
        }
    });
    cx.note("callbacks", points.join(", "));
    for point in &points {
        refuse(&repo, point);
        let given = change()?;
        let error =
            repo.update(given.clone()).await.err().ok_or_else(|| Error::other(format!("{point} refused in vain")))?;
        cx.require(error.to_string() == format!("{point} refuses"), "the error of the callback")?;
        cx.require(!refuse_none(&repo), "it has run")?;
        let back = Changeset::<Author>::refused_by(&error).ok_or_else(|| Error::other("not handed back"))?;
        cx.require(format!("{back:?}") == format!("{given:?}"), "handed back")?;
        cx.require(counted(&repo).await? == before, &format!("{point}: the tables are as before"))?;
        cx.require(repo.pool_status().is_none_or(|pool| pool.idle == pool.open), "the pool is as before")?;
        // Whatever was written is told that it was undone.
        let lines = take(&repo);
        let written =
            lines.iter().filter(|line| line.contains(".after_insert") || line.contains(".after_update")).count();
        let undone = lines.iter().filter(|line| line.contains(".after_rollback")).count();
        cx.require(undone >= written, "after_rollback")?;
    }
    let saved = repo.update(change()?).await?;
    cx.require(saved.name == "Ada L", "none refuses")?;
    contents(cx).await
}

async fn counted(repo: &Repo) -> Result<Vec<String>> {
    let mut rows = Vec::new();
    rows.push(format!("{:?}", repo.all(Query::<Author>::new().order_by(Author::ID.asc())).await?));
    rows.push(format!("{:?}", repo.all(Query::<Article>::new().order_by(Article::ID.asc())).await?));
    rows.push(format!("{:?}", repo.all(Query::<Remark>::new().order_by(Remark::ID.asc())).await?));
    rows.push(format!("{:?}", repo.all(Query::<Profile>::new().order_by(Profile::ID.asc())).await?));
    rows.push(format!("{:?}", repo.all(Query::<Membership>::new().order_by(Membership::ID.asc())).await?));
    rows.push(format!("{:?}", repo.all(Query::<Label>::new().order_by(Label::ID.asc())).await?));
    let links = repo.count_for(&repo.all_by_key(Query::<Author>::new()).await?, Author::LABELS).await?;
    rows.push(format!("{links:?}"));
    Ok(rows)
}

async fn refusals_of_a_destroy(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    models::tables(&repo).await?;
    let ada = stored(cx).await?;
    let before = counted(&repo).await?;
    let points = [
        "Author.before_destroy",
        "Author.before_remove",
        "Article.before_destroy",
        "Profile.before_destroy",
        "Remark.before_destroy",
        "Remark.after_destroy",
        "Profile.after_destroy",
        "Article.after_destroy",
        "Author.after_remove",
        "Author.after_remove_2",
        "Author.after_destroy",
    ];
    for point in points {
        refuse(&repo, point);
        let error = repo.destroy(&ada).await.err().ok_or_else(|| Error::other(format!("{point} refused in vain")))?;
        cx.require(error.to_string() == format!("{point} refuses"), "the error of the callback")?;
        cx.require(!refuse_none(&repo), "it has run")?;
        cx.require(counted(&repo).await? == before, &format!("{point}: the tables are as before"))?;
        cx.require(repo.pool_status().is_none_or(|pool| pool.idle == pool.open), "the pool is as before")?;
        let _ = take(&repo);
    }
    repo.destroy(&ada).await?;
    contents(cx).await
}

async fn destroy_in_order(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    models::tables(&repo).await?;
    let ada = stored(cx).await?;
    repo.delete_all(Query::<Membership>::new()).await?;
    let report = cx.step("with what depends on it", repo.destroy(&ada)).await?;
    cx.note("report", report);
    show(cx, "owners before dependents, and back");
    contents(cx).await
}

async fn after_the_transaction(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    models::tables(&repo).await?;
    repo.transaction(async |tx| {
        tx.insert(article("kept")).await?;
        let undone: Result<()> = tx
            .transaction(async |tx| {
                tx.insert(article("undone")).await?;
                Err(Error::other("the savepoint is undone"))
            })
            .await;
        assert!(undone.is_err());
        tx.transaction(async |tx| tx.insert(article("inner")).await).await?;
        Ok::<_, Error>(())
    })
    .await?;
    let lines =
        take(&repo).into_iter().filter(|line| line.contains(".after_commit") || line.contains(".after_rollback"));
    cx.show("told", lines.collect::<Vec<_>>());
    let undone: Result<()> = repo
        .transaction(async |tx| {
            tx.insert(article("nothing")).await?;
            Err(Error::other("all is undone"))
        })
        .await;
    cx.require(undone.is_err(), "undone")?;
    let lines =
        take(&repo).into_iter().filter(|line| line.contains(".after_commit") || line.contains(".after_rollback"));
    cx.show("told", lines.collect::<Vec<_>>());
    contents(cx).await
}

async fn told_once_a_row(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    models::tables(&repo).await?;
    repo.transaction(async |tx| {
        let row = tx.insert(article("One")).await?;
        let row = tx.update(row.change().set(Article::TITLE, "Two")).await?;
        tx.insert(article("Other")).await?;
        tx.update(row.change().set(Article::TITLE, "Three")).await?;
        let gone = tx.insert(article("Gone")).await?;
        tx.destroy(&gone).await
    })
    .await?;
    let lines = take(&repo).into_iter().filter(|line| line.contains(".after_commit"));
    cx.show("once, as the rows are at last", lines.collect::<Vec<_>>());
    Ok(())
}

async fn failing_after_commit(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    models::tables(&repo).await?;
    refuse(&repo, "Article.after_commit");
    let error = cx.fails("insert", repo.insert(article("One"))).await?;
    cx.require(matches!(error.kind(), ErrorKind::AfterTransaction { committed: true, failed: 1, .. }), "apart")?;
    cx.require(Changeset::<Article>::refused_by(&error).is_none(), "what is stored is not handed back")?;
    let stored = repo.get_or_fail::<Article>(1, Query::new()).await?;
    refuse(&repo, "Article.after_commit");
    let error = cx.fails("destroy", repo.destroy(&stored)).await?;
    cx.require(matches!(error.kind(), ErrorKind::AfterTransaction { committed: true, .. }), "apart")?;
    contents(cx).await
}

async fn callbacks_that_write(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    models::books(&repo).await?;
    let book = repo.insert(Book::build().set(Book::NAME, "b").set(Book::PAGES, 0)).await?;
    let page = |text: &str| Page::build().set(Page::TEXT, text);
    let saved = cx.step("new pages", repo.update(book.change().push(Book::SHEETS, ["x", "yz"].map(page)))).await?;
    cx.require(saved.pages == 2, "what a callback wrote to the owner")?;
    let fresh = repo.get_or_fail::<Book>(book.id, Query::preload(Book::SHEETS)).await?;
    cx.require(fresh.sheets()? == saved.sheets()?, "and to the rows themselves")?;
    cx.show("pages", saved.sheets()?.iter().map(|page| (&page.text, &page.digest)));
    Ok(())
}

async fn without_end(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    models::books(&repo).await?;
    let page = repo.insert(Page::build().set(Page::TEXT, "x")).await?;
    let error = repo.update(page.change().set(Page::TEXT, "again")).await.err();
    let error = error.ok_or_else(|| Error::other("it has an end"))?;
    cx.note("error", &error);
    cx.require(matches!(error.kind(), ErrorKind::CallbackDepth { model: "Page", .. }), "typed")?;
    cx.rows("pages", "SELECT text FROM pages").await
}

async fn a_destroy_follows_what_callbacks_write(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    models::books(&repo).await?;
    let page = |text: &str| Page::build().set(Page::TEXT, text);
    let sale = |amount: i64| Sale::build().set(Sale::AMOUNT, amount);
    let draft = Book::build().set(Book::NAME, "b").set(Book::PAGES, 0);
    let draft = draft.push(Book::SHEETS, ["kept", "gone"].map(page)).push(Book::SALES, [3, 4].map(sale));
    let book = repo.insert(draft).await?;
    let report = cx.step("destroy", repo.destroy(&book)).await?;
    cx.note("report", report);
    cx.rows("pages", "SELECT text, book_id IS NULL FROM pages ORDER BY text").await?;
    cx.rows("sales", "SELECT amount FROM sales ORDER BY amount").await?;
    let audits = repo.all(Query::<Audit>::new().order_by(Audit::AMOUNT.asc())).await?;
    cx.show("every sale was written down, the one of the callback too", audits.iter().map(|audit| audit.amount));
    Ok(())
}

async fn shared_drafts(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    models::tables(&repo).await?;
    let shared = article("Shared").shared();
    let draft = author("Ada").push(Author::ARTICLES, &shared).push(Author::ARTICLES, &shared);
    let ada = cx.step("given twice", repo.insert(draft)).await?;
    cx.require(ada.articles()?.len() == 1 && ada.articles()?[0].slug == "shared", "one row")?;
    show(cx, "its callbacks run once");
    Ok(())
}

async fn many_rows(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    models::tables(&repo).await?;
    let articles = (0..40).map(|at| article(&format!("t{at}")).push(Article::REMARKS, remark("r")));
    let ada = author("Ada").push(Author::ARTICLES, articles);
    let ada = cx.step("in batches", repo.insert(ada)).await?;
    let lines = take(&repo);
    let count = |what: &str| lines.iter().filter(|line| line.starts_with(what)).count();
    cx.note("before_save", count("Article.before_save"));
    cx.note("after_commit", count("Article.after_commit"));
    cx.require(
        ada.articles()?.iter().all(|article| article.remarks.loaded().is_some_and(|all| all.len() == 1)),
        "each its own",
    )?;
    cx.step("and destroyed so", repo.destroy(&ada)).await?;
    let lines = take(&repo);
    let count = |what: &str| lines.iter().filter(|line| line.starts_with(what)).count();
    cx.note("before_destroy", (count("Article.before_destroy"), count("Remark.before_destroy")).0);
    cx.note("after_destroy", count("Remark.after_destroy"));
    contents(cx).await
}

// Where rows that were inserted together are not told apart, they are inserted once more, one by one; their callbacks have run
// already.
async fn rows_that_are_not_told_apart(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    repo.create_table::<Purse>().await?;
    repo.create_table::<Coin>().await?;
    let _ = take(&repo);
    let coin = |thousandths: i64| Coin::build().set(Coin::AMOUNT, rust_decimal::Decimal::new(thousandths, 3));
    let purse = repo.insert(Purse::build().push(Purse::COINS, [2003, 1001, 1002, 3004].map(coin))).await?;
    let rounded = purse.coins()?.iter().map(|coin| coin.amount.round_dp(2).to_string());
    cx.show("coins in their order", rounded.collect::<Vec<_>>());
    cx.show("each once", take(&repo));
    cx.rows("coins", "SELECT COUNT(*) FROM coins").await
}
