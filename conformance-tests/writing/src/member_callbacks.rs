//! Callbacks of associations: `before_add`, `after_add`, `before_remove` and `after_remove`, as far as saves and destroys run
//! them.

use assoc_core::Result;
use assoc_repo::Changeset;
use assoc_repo::prelude::*;
use conformance_harness::{Context, Level, cases};
use conformance_written_models::callbacks::{self as models, Article, Author, Club, Label, refuse, take};

cases! { "member_callbacks", Level::Write;
    f132_f133_f135_added,
    f136_not_again,
    f132_removed,
    replaced,
    f134_refused,
    f137_owner_destroyed,
    through_and_join_tables,
    d7_silent,
    by_key_of_another_owner,
}

fn author(name: &str) -> Changeset<Author> {
    Author::build().set(Author::NAME, name)
}

fn article(title: &str) -> Changeset<Article> {
    Article::build().set(Article::TITLE, title)
}

// What concerns members, and what is around it.
fn show(cx: &mut Context, label: &str, also: &[&str]) {
    let lines = take(&cx.repo());
    let of_members = |line: &&String| {
        let point = line.split(' ').next().unwrap_or_default();
        point.contains("_add") || point.contains("_remove") || also.contains(&point)
    };
    cx.show(label, lines.iter().filter(of_members));
}

async fn contents(cx: &mut Context) -> Result<()> {
    cx.rows("articles", "SELECT title, author_id IS NULL FROM articles ORDER BY title").await
}

async fn f132_f133_f135_added(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    models::tables(&repo).await?;
    let around = ["Article.before_save", "Article.after_insert", "Article.after_update", "Author.after_insert"];
    let draft = author("Ada").push(Author::ARTICLES, ["One", "Two"].map(article));
    let ada = cx.step("of a new owner", repo.insert(draft)).await?;
    show(cx, "around the INSERT", &around);
    let loose = repo.insert(article("Loose")).await?;
    let _ = take(&repo);
    cx.step("of one that exists", repo.update(ada.change().push(Author::ARTICLES, &loose))).await?;
    show(cx, "around the UPDATE", &around);
    contents(cx).await
}

async fn f136_not_again(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    models::tables(&repo).await?;
    let ada = repo.insert(author("Ada").push(Author::ARTICLES, article("One"))).await?;
    let _ = take(&repo);
    let ada = repo.update(ada.change().set(Author::NAME, "Ada L")).await?;
    show(cx, "the owner is saved", &[]);
    let edited = ada.articles()?[0].change().set(Article::TITLE, "Uno");
    let ada = repo.update(ada.change().edit(Author::ARTICLES, edited)).await?;
    show(cx, "a member is edited", &[]);
    let ada = repo.update(ada.change().push(Author::ARTICLES, ada.articles()?)).await?;
    show(cx, "what is a member already is given once more", &[]);
    let same = ada.articles()?[0].change().set(Article::TITLE, "One");
    repo.update(ada.change().replace(Author::ARTICLES, [same])).await?;
    show(cx, "it stays one", &[]);
    contents(cx).await
}

async fn f132_removed(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    models::tables(&repo).await?;
    let ada = repo.insert(author("Ada").push(Author::ARTICLES, ["One", "Two", "Three"].map(article))).await?;
    let _ = take(&repo);
    let around = ["Article.before_destroy", "Article.after_destroy"];
    let ada = cx.step("let go", repo.update(ada.change().remove(Author::ARTICLES, &ada.articles()?[0]))).await?;
    show(cx, "around the DELETE", &around);
    let marked = ada.articles()?[0].change().mark_for_destruction();
    cx.step("marked", repo.update(ada.change().edit(Author::ARTICLES, marked))).await?;
    show(cx, "around the DELETE", &around);
    contents(cx).await
}

async fn replaced(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    models::tables(&repo).await?;
    let ada = repo.insert(author("Ada").push(Author::ARTICLES, ["One", "Two"].map(article))).await?;
    let _ = take(&repo);
    let kept = &ada.articles()?[1];
    let change = ada.change().replace(Author::ARTICLES, [kept]).push(Author::ARTICLES, article("Three"));
    cx.step("one stays", repo.update(change)).await?;
    show(cx, "removed, then added", &[]);
    contents(cx).await
}

async fn f134_refused(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    models::tables(&repo).await?;
    let ada = repo.insert(author("Ada").push(Author::ARTICLES, ["One", "Two"].map(article))).await?;
    for point in
        ["Author.before_remove", "Author.after_remove", "Author.before_add", "Author.before_add_2", "Author.after_add"]
    {
        let _ = take(&repo);
        refuse(&repo, point);
        let change = ada.change().replace(Author::ARTICLES, [article("Three")]);
        let error = repo.update(change).await.err().ok_or_else(|| Error::other("refused in vain"))?;
        cx.note(point, &error);
        cx.require(Changeset::<Author>::refused_by(&error).is_some(), "handed back")?;
        show(cx, "until then", &[]);
        contents(cx).await?;
    }
    Ok(())
}

async fn f137_owner_destroyed(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    models::tables(&repo).await?;
    let ada = repo.insert(author("Ada").push(Author::ARTICLES, ["One", "Two"].map(article))).await?;
    let bob = repo.insert(author("Bob").push(Author::ARTICLES, article("Three"))).await?;
    let _ = take(&repo);
    cx.step("several owners", repo.destroy_rows([&ada, &bob])).await?;
    let around = ["Author.before_destroy", "Author.after_destroy", "Article.before_destroy", "Article.after_destroy"];
    show(cx, "each with its members", &around);
    contents(cx).await
}

async fn through_and_join_tables(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    models::tables(&repo).await?;
    let club = |name: &str| Club::build().set(Club::NAME, name);
    let label = |name: &str| Label::build().set(Label::NAME, name);
    let chess = repo.insert(club("chess")).await?;
    let red = repo.insert(label("red")).await?;
    let around = ["Membership.before_insert", "Membership.after_insert", "Membership.before_destroy"];
    let draft = author("Ada").push(Author::CLUBS, &chess).push(Author::CLUBS, club("go"));
    let draft = draft.push(Author::LABELS, &red).push(Author::LABELS, [label("new")]).push(Author::LABELS, &red);
    let ada = cx.step("linked", repo.insert(draft)).await?;
    show(cx, "around the rows between", &around);
    let go = &ada.clubs()?[1];
    let change = ada.change().replace(Author::CLUBS, [go.as_ref()]).remove(Author::LABELS, &red);
    let ada = cx.step("let go", repo.update(change)).await?;
    show(cx, "around the rows between", &around);
    // A link whose club is gone.
    repo.delete_all(Query::<Club>::new()).await?;
    cx.step("a link that leads nowhere", repo.update(ada.change().replace(Author::CLUBS, [club("new")]))).await?;
    show(cx, "of what is there", &around);
    cx.rows("memberships", "SELECT COUNT(*) FROM memberships").await?;
    cx.rows("links", "SELECT COUNT(*) FROM authors_labels").await
}

async fn d7_silent(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    models::tables(&repo).await?;
    let red = repo.insert(Label::build().set(Label::NAME, "red")).await?;
    let draft = author("Ada").push(Author::ARTICLES, ["One", "Two"].map(article)).push(Author::LABELS, &red);
    let ada = repo.insert(draft).await?;
    let _ = take(&repo);
    let change = ada.change().clear(Author::ARTICLES).clear(Author::LABELS);
    cx.step("cleared", repo.update(change)).await?;
    cx.require(take(&repo).is_empty(), "nothing has run")?;
    let draft = author("Bob").push(Author::ARTICLES, article("Three").set(Article::SLUG, "three"));
    cx.step("insert_all", repo.insert_all([draft])).await?;
    cx.require(take(&repo).is_empty(), "nothing has run")?;
    contents(cx).await
}

async fn by_key_of_another_owner(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    models::tables(&repo).await?;
    let ada = repo.insert(author("Ada").push(Author::ARTICLES, article("One"))).await?;
    let bob = repo.insert(author("Bob")).await?;
    let _ = take(&repo);
    // Moved from one owner to the other: it becomes a member there, and no owner lets it go.
    cx.step("moved", repo.update(bob.change().push(Author::ARTICLES, ada.articles()?))).await?;
    show(cx, "added", &[]);
    contents(cx).await
}
