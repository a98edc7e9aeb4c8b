//! Associations through others of structs that hold the rows between: these are used, with the targets below them, and
//! what a struct holds agrees with itself.

use std::sync::Arc;

use assoc_core::{IntoPreload, Model, Result};
use assoc_repo::Repo;
use assoc_repo::prelude::*;

use super::{Level, cases};
use crate::context::Context;
use crate::key_order::KeyOrder;
use crate::models::blog::{self, Columnist, Comment, Post};
use crate::models::clinic::{
    self, Appointment, Doctor, Paragraph, Patient, Physician, Section, Supplier, SupplierAccount,
};
use crate::models::join_rows::{self, Playlist, Song};
use crate::models::library::{self, Loan, Reader};
use crate::models::nested::{self, Essay, Labelling, Portfolio, Showing, Subscriber, Subscription, Theme, Writer};
use crate::models::pictures::{self, Article, Tag, Tagging};
use crate::models::ways::{Critic, Remark};

cases! { "rows_between", Level::Kind;
    statement_counts,
    kinds,
    nested_kinds,
    scopes,
    one_request,
    memory_counts,
    reload_reads_all,
    parts_are_not_the_whole,
    changed_keys,
    disagreement_is_noticed,
    shared_targets,
    below_targets,
    some_owners_only,
    failure_changes_nothing,
}

/// Preloads on structs that a first preload has given something: what is held then is what one query would give, and it
/// costs this number of statements.
async fn after<M: Model + PartialEq + std::fmt::Debug>(
    cx: &mut Context,
    title: &str,
    first: impl IntoPreload<M> + Clone,
    then: impl IntoPreload<M> + Clone,
    expected: u64,
) -> Result<()> {
    let repo = cx.repo();
    let mut rows = repo.all_by_key(Query::<M>::new().preload(first.clone())).await?;
    let (result, statements) = repo.count_statements(repo.preload(&mut rows, then.clone())).await;
    result?;
    cx.note(title, format!("{statements} statements"));
    cx.require(statements as u64 == expected, &format!("{title}: {statements} statements, not {expected}"))?;
    let fresh = repo.all_by_key(Query::<M>::new().preload(first).preload(then.clone())).await?;
    cx.require(rows == fresh, &format!("{title}: the same as by one query\n{rows:#?}\n{fresh:#?}"))?;
    let (result, statements) = repo.count_statements(repo.preload(&mut rows, then)).await;
    result?;
    cx.require(statements == 0 && rows == fresh, &format!("{title}: nothing is missing then, {statements} statements"))
}

async fn statement_counts(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let comments = Columnist::POSTS.with(Post::COMMENTS);
    after(cx, "nothing: comments through posts", (), Columnist::POST_COMMENTS, 2).await?;
    after(cx, "posts: comments through posts", Columnist::POSTS, Columnist::POST_COMMENTS, 1).await?;
    after(cx, "posts: both", Columnist::POSTS, (Columnist::POSTS, Columnist::POST_COMMENTS), 1).await?;
    let both = (comments.clone(), Columnist::POST_COMMENTS);
    after(cx, "posts: both, and comments of posts", Columnist::POSTS, both.clone(), 1).await?;
    after(cx, "posts and their comments: comments", comments.clone(), Columnist::POST_COMMENTS, 0).await?;
    after(cx, "posts and their comments: both", comments, both, 0).await
}

async fn kinds(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    clinic::fixture(&repo).await?;
    let patients = Physician::APPOINTMENTS.with(Appointment::PATIENT);
    after(cx, "a join model", Physician::APPOINTMENTS, Physician::PATIENTS, 1).await?;
    after(cx, "and its targets", patients, Physician::PATIENTS, 0).await?;
    let history = Supplier::ACCOUNT.with(SupplierAccount::HISTORY);
    after(cx, "has_one through has_one", Supplier::ACCOUNT, Supplier::ACCOUNT_HISTORY, 1).await?;
    after(cx, "and its target", history, Supplier::ACCOUNT_HISTORY, 0).await?;
    let document = Paragraph::SECTION.with(Section::DOCUMENT);
    after(cx, "has_one through belongs_to", Paragraph::SECTION, Paragraph::DOCUMENT, 1).await?;
    after(cx, "and its target", document, Paragraph::DOCUMENT, 0).await?;
    pictures::fixture(&repo).await?;
    let articles = Tag::TAGGINGS.with(Tagging::TAGGABLE);
    after(cx, "one type of a polymorphic belongs_to", Tag::TAGGINGS, Tag::TAGGED_ARTICLES, 1).await?;
    after(cx, "and its targets", articles, Tag::TAGGED_ARTICLES, 0).await?;
    let tags = Article::TAGGINGS.with(Tagging::TAG);
    after(cx, "the other side of a polymorphic belongs_to", Article::TAGGINGS, Article::TAGS, 1).await?;
    after(cx, "and its targets", tags, Article::TAGS, 0).await?;
    library::fixture(&repo).await?;
    // A key without a row is looked up again, from whatever row it comes.
    let mut bob =
        repo.get_or_fail::<Reader>("b'2".to_owned(), Query::preload(Reader::LOANS.with(Loan::VOLUME))).await?;
    cx.step("a loan of what is in no catalogue", repo.preload(&mut bob, Reader::VOLUMES)).await?;
    cx.step("again", repo.preload(&mut bob, Reader::VOLUMES)).await?;
    cx.require(bob.volumes()?.len() == 2, "the other two")?;
    repo.execute_raw("DELETE FROM loans WHERE isbn = '9-?'", []).await?;
    after(cx, "text keys", Reader::LOANS.with(Loan::VOLUME), Reader::VOLUMES, 0).await?;
    after(cx, "rows between in an order", Reader::LATEST_LOANS, Reader::LATEST_VOLUMES, 1).await?;
    let last = Reader::LAST_LOAN.with((Loan::VOLUME, Loan::STAMP));
    after(cx, "the first of several", last, (Reader::LAST_VOLUME, Reader::LAST_STAMP), 0).await?;
    join_rows::fixture(&repo).await?;
    after(cx, "through a join table", Playlist::SONGS, Playlist::WRITERS, 2).await?;
    after(cx, "and on by one with rows", Playlist::SONGS.with(Song::WRITERS), Playlist::WRITERS, 0).await
}

async fn nested_kinds(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    nested::fixture(&repo).await?;
    let labels = Writer::ESSAYS.with(Essay::LABELS);
    let labellings = Writer::ESSAYS.with(Essay::LABELLINGS.with(Labelling::LABEL));
    after(cx, "has_many, then through: nothing of the second", Writer::ESSAYS, Writer::ESSAY_LABELS, 2).await?;
    after(cx, "the second", labels, Writer::ESSAY_LABELS, 0).await?;
    after(cx, "its parts", labellings, Writer::ESSAY_LABELS, 0).await?;
    let letters = Writer::SUBSCRIBERS.with(Subscriber::LETTERS);
    let subscribers = Writer::SUBSCRIPTIONS.with(Subscription::SUBSCRIBER.with(Subscriber::LETTERS));
    after(cx, "through, then has_many: the first", Writer::SUBSCRIBERS, Writer::SUBSCRIBER_LETTERS, 1).await?;
    after(cx, "the first part of the first", Writer::SUBSCRIPTIONS, Writer::SUBSCRIBER_LETTERS, 2).await?;
    after(cx, "both", letters, Writer::SUBSCRIBER_LETTERS, 0).await?;
    after(cx, "all parts", subscribers, Writer::SUBSCRIBER_LETTERS, 0).await?;
    let themes = Writer::ESSAYS.with(Essay::THEMES);
    after(cx, "has_many, then a join table", themes, Writer::ESSAY_THEMES, 0).await?;
    let lists = Writer::SUBSCRIBERS.with(Subscriber::LISTS);
    after(cx, "through, then a join table", lists, Writer::SUBSCRIBER_LISTS, 0).await?;
    after(cx, "a join table, then has_many", Essay::THEMES, Essay::THEME_REMARKS, 1).await?;
    after(cx, "and these", Essay::THEMES.with(Theme::REMARKS), Essay::THEME_REMARKS, 0).await?;
    let galleries = Writer::PORTFOLIO.with(Portfolio::SHOWINGS.with(Showing::GALLERY));
    after(cx, "has_one, then through", galleries, Writer::PORTFOLIO_GALLERIES, 0).await?;
    let agency = Writer::PORTFOLIO.with(Portfolio::AGENCY);
    after(cx, "has_one, then has_one through", agency, Writer::PORTFOLIO_AGENCY, 0).await?;
    let writer = Essay::WRITER.with(Writer::SUBSCRIBERS);
    after(cx, "belongs_to, then through", Essay::WRITER, Essay::WRITER_SUBSCRIBERS, 2).await?;
    after(cx, "and these", writer, Essay::WRITER_SUBSCRIBERS, 0).await
}

// What an association says of its targets, it says of those in the database.
async fn scopes(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let comments = Critic::POSTS.with(Post::COMMENTS);
    after(cx, "a condition: one statement joins all", (), Critic::APPROVED_COMMENTS, 1).await?;
    after(cx, "a condition: by the posts that are there", comments.clone(), Critic::APPROVED_COMMENTS, 1).await?;
    after(cx, "an order and a limit", comments, Critic::LAST_APPROVED, 1).await?;
    let firsts = Critic::FIRST_POSTS.with(Post::COMMENTS);
    after(cx, "a limit on the way", firsts, Critic::FIRST_APPROVED, 1).await?;
    let commenters = Critic::POSTS.with(Post::COMMENTS.with(Comment::AUTHOR));
    after(cx, "a condition at the end of a long way", commenters, Critic::OTHER_COMMENTERS, 1).await?;
    let distinct = Columnist::POSTS.with(Post::COMMENTS.with(Comment::AUTHOR));
    after(cx, "each once", distinct, Columnist::DIFFERENT_COMMENTERS, 0).await?;
    clinic::fixture(&repo).await?;
    let patients = Physician::APPOINTMENTS.with(Appointment::PATIENT);
    after(cx, "a limit", patients.clone(), Physician::FIRST_PATIENTS, 0).await?;
    after(cx, "each once, in an order", patients, Physician::KNOWN_PATIENTS, 1).await?;
    let patients = Doctor::APPOINTMENTS.with(Appointment::PATIENT);
    after(cx, "a scope that looks at the owner", patients, Doctor::PATIENTS_IN_TURN, 2).await?;
    let asked = Physician::PATIENTS.filter(Patient::NAME.ne("Pt1"));
    let mut physicians = repo.all_by_key(Query::preload(Physician::APPOINTMENTS.with(Appointment::PATIENT))).await?;
    let loading = repo.preload(&mut physicians, asked.clone());
    cx.step("a condition of the request", loading).await?;
    let fresh = repo.all_by_key(Query::preload(asked)).await?;
    let same = physicians.iter().zip(&fresh).all(|(one, other)| one.patients == other.patients);
    cx.require(same, "the same as by one query")?;
    Ok(())
}

// In one query, what it joins is not read again.
async fn one_request(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let joined = Query::eager_load(Columnist::POSTS).preload(Columnist::POST_COMMENTS);
    let columnists = cx.step("posts joined, comments through posts preloaded", repo.all_by_key(joined)).await?;
    let fresh = repo.all_by_key(Query::preload((Columnist::POSTS, Columnist::POST_COMMENTS))).await?;
    cx.require(columnists == fresh, "the same as by preloading both")?;
    let both = Query::eager_load(Columnist::POSTS.with(Post::COMMENTS)).preload(Columnist::POST_COMMENTS);
    let columnists = cx.step("all joined", repo.all_by_key(both)).await?;
    let same = columnists.iter().zip(&fresh).all(|(one, other)| one.post_comments == other.post_comments);
    cx.require(same, "the same comments")?;
    // A condition leaves a part of the posts: that is not what the association goes through.
    let some = Query::eager_load(Columnist::POSTS)
        .filter(Columnist::POSTS.joined(Post::PUBLISHED.eq(true)))
        .preload(Columnist::POST_COMMENTS);
    let columnists = cx.step("some posts joined", repo.all_by_key(some)).await?;
    cx.require(columnists.iter().all(|columnist| columnist.posts.is_partial()), "a part")?;
    let comments =
        columnists.iter().map(|columnist| columnist.post_comments.loaded().map_or(0, <[_]>::len)).sum::<usize>();
    cx.note("comments", comments);
    Ok(())
}

async fn ids(repo: &Repo, columnist: i64, preload: impl IntoPreload<Columnist>) -> Result<Columnist> {
    repo.get_or_fail::<Columnist>(columnist, Query::<Columnist>::new().preload(preload)).await
}

fn of_posts(columnist: &Columnist) -> Vec<i64> {
    let posts = columnist.posts.loaded().unwrap_or_default().iter();
    posts.flat_map(|post| post.comments.loaded().unwrap_or_default()).map(|comment| comment.id).collect()
}

fn through_posts(columnist: &Columnist) -> Vec<i64> {
    columnist.post_comments.loaded().unwrap_or_default().iter().map(|comment| comment.id).collect()
}

// The database moved on; the struct agrees with itself.
async fn memory_counts(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let mut bob = ids(&repo, 2, Columnist::POSTS.with(Post::COMMENTS)).await?;
    let moved = repo.get_or_fail::<Comment>(4, Query::new()).await?;
    repo.update(moved.change().set(Comment::POST_ID, 1)).await?;
    cx.step("comment 4 has left post 3", repo.preload(&mut bob, Columnist::POST_COMMENTS)).await?;
    cx.require(through_posts(&bob) == [3, 4, 5] && of_posts(&bob) == [3, 4, 5], "as the posts have it")?;
    // What is changed in memory counts as well, and so does a list that lost a row.
    let mut bob = ids(&repo, 2, Columnist::POSTS.with(Post::COMMENTS)).await?;
    if let Some(comments) =
        bob.posts.loaded_mut().and_then(|posts| posts.first_mut()).and_then(|post| post.comments.loaded_mut())
    {
        comments.retain(|comment| comment.id != 5);
        comments[0].body = "changed".to_owned();
    }
    cx.step("a comment is taken out", repo.preload(&mut bob, Columnist::POST_COMMENTS)).await?;
    cx.require(through_posts(&bob) == [3], "without it")?;
    cx.require(bob.post_comments()?.iter().any(|comment| comment.body == "changed"), "as it is in memory")?;
    // A row between without targets in memory leads to those in the database.
    let mut ann = ids(&repo, 1, Columnist::POSTS.with(Post::COMMENTS)).await?;
    if let Some(posts) = ann.posts.loaded_mut() {
        let _ = posts[0].comments.take();
    }
    cx.step("a post without its comments", repo.preload(&mut ann, Columnist::POST_COMMENTS)).await?;
    cx.require(through_posts(&ann) == [1, 2, 4], "those of the database")
}

async fn reload_reads_all(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let all = (Columnist::POSTS.with(Post::COMMENTS), Columnist::POST_COMMENTS);
    let mut bob = ids(&repo, 2, all).await?;
    let comment = Comment::build().set(Comment::POST_ID, 3).set(Comment::BODY, "new").set(Comment::APPROVED, true);
    let new = repo.insert(comment).await?;
    let post = Post::build().set(Post::AUTHOR_ID, Some(2)).set(Post::TITLE, "new").set(Post::PUBLISHED, true);
    repo.insert(post).await?;
    cx.step("preload keeps", repo.preload(&mut bob, Columnist::POST_COMMENTS)).await?;
    cx.require(through_posts(&bob) == of_posts(&bob), "in memory both are as they were")?;
    cx.step("reload reads posts and comments", repo.reload(&mut bob, Columnist::POST_COMMENTS)).await?;
    cx.require(through_posts(&bob).contains(&new.id), "the new comment")?;
    cx.require(bob.posts()?.len() == 2, "and the posts that lead to it")?;
    let mut other = ids(&repo, 2, Columnist::POST_COMMENTS).await?;
    cx.step("posts that nothing asked for stay not loaded", repo.reload(&mut other, Columnist::POST_COMMENTS)).await?;
    cx.require(!other.posts.is_loaded(), "not loaded")
}

async fn parts_are_not_the_whole(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let whole = through_posts(&ids(&repo, 2, Columnist::POST_COMMENTS).await?);
    let published = Columnist::POSTS.filter(Post::PUBLISHED.eq(false));
    let mut bob = ids(&repo, 2, published.with(Post::COMMENTS)).await?;
    cx.step("some posts", repo.preload(&mut bob, Columnist::POST_COMMENTS)).await?;
    cx.require(through_posts(&bob) == whole, "all comments")?;
    let mut bob = ids(&repo, 2, Columnist::POSTS.limit(0)).await?;
    cx.step("no posts, by a limit", repo.preload(&mut bob, Columnist::POST_COMMENTS)).await?;
    cx.require(through_posts(&bob) == whole, "all comments")?;
    let mut bob = ids(&repo, 2, Columnist::POSTS.with(Post::COMMENTS.limit(1))).await?;
    cx.step("some comments of all posts", repo.preload(&mut bob, Columnist::POST_COMMENTS)).await?;
    cx.require(through_posts(&bob) == whole, "all comments")?;
    let mut bob = ids(&repo, 2, ()).await?;
    bob.posts = HasMany::partial(Vec::new());
    cx.step("none, and not known to be all", repo.preload(&mut bob, Columnist::POST_COMMENTS)).await?;
    cx.require(through_posts(&bob) == whole, "all comments")?;
    let mut bob = ids(&repo, 2, Columnist::POST_COMMENTS).await?;
    let some = Columnist::POST_COMMENTS.filter(Comment::ID.eq(3));
    cx.step("a part of it replaces the whole", repo.preload(&mut bob, some)).await?;
    cx.step("and is not the whole", repo.preload(&mut bob, Columnist::POST_COMMENTS)).await?;
    cx.require(through_posts(&bob) == whole && !bob.post_comments.is_partial(), "all comments")
}

async fn changed_keys(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    // Neither the remark nor its posts show whose they are: the association remembers.
    let mut remark = repo.get_or_fail::<Remark>(1, Query::preload(Remark::AUTHORS_POSTS)).await?;
    cx.step("the same key", repo.preload(&mut remark, Remark::AUTHORS_POSTS)).await?;
    remark.author_id = Some(1);
    cx.step("another key", repo.preload(&mut remark, Remark::AUTHORS_POSTS)).await?;
    cx.require(remark.authors_posts()?.iter().all(|post| post.author_id == Some(1)), "the other's posts")?;
    cx.note("posts", remark.authors_posts()?.len());
    remark.author_id = Some(3);
    cx.step("the key of one who has none", repo.preload(&mut remark, Remark::AUTHORS_POSTS)).await?;
    cx.require(remark.authors_posts()?.is_empty(), "none")?;
    remark.author_id = Some(2);
    cx.step("and back", repo.preload(&mut remark, Remark::AUTHORS_POSTS)).await?;
    cx.require(remark.authors_posts()?.len() == 1, "one")?;
    let mut remark = repo.get_or_fail::<Remark>(1, Query::preload(Remark::AUTHOR)).await?;
    remark.author_id = Some(1);
    cx.step("a row between of another key", repo.preload(&mut remark, Remark::AUTHORS_POSTS)).await?;
    cx.require(remark.authors_posts()?.len() == 2, "is not used")?;
    // The key of the struct itself.
    let mut columnist = ids(&repo, 2, (Columnist::POSTS.with(Post::COMMENTS), Columnist::POST_COMMENTS)).await?;
    columnist.id = 1;
    cx.step("another primary key", repo.preload(&mut columnist, (Columnist::POSTS, Columnist::POST_COMMENTS))).await?;
    cx.require(through_posts(&columnist) == [1, 2] && columnist.posts()?.len() == 2, "what belongs to it")?;
    let mut columnist = ids(&repo, 2, Columnist::POSTS.with(Post::COMMENTS)).await?;
    columnist.id = 1;
    cx.step("rows between of another owner", repo.preload(&mut columnist, Columnist::POST_COMMENTS)).await?;
    cx.require(through_posts(&columnist) == [1, 2], "are not used")?;
    clinic::fixture(&repo).await?;
    let mut paragraph = repo.get_or_fail::<Paragraph>(1, Query::preload(Paragraph::DOCUMENT)).await?;
    paragraph.section_id = 3;
    cx.step("has_one through", repo.preload(&mut paragraph, Paragraph::DOCUMENT)).await?;
    cx.require(paragraph.document()?.map(|document| document.id) == Some(2), "the other's document")?;
    pictures::fixture(&repo).await?;
    let mut article = repo.get_or_fail::<Article>(1, Query::preload((Article::TAGS, Article::CATEGORIES))).await?;
    article.id = 99;
    cx.step("by a join table", repo.preload(&mut article, (Article::TAGS, Article::CATEGORIES))).await?;
    cx.require(article.tags()?.is_empty() && article.categories()?.is_empty(), "it has none")
}

// What was loaded at different times may disagree, until the association through others is asked for.
async fn disagreement_is_noticed(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    clinic::fixture(&repo).await?;
    let mut physician = repo.get_or_fail::<Physician>(2, Query::preload(Physician::PATIENTS)).await?;
    let appointment = Appointment::build().set(Appointment::PHYSICIAN_ID, 2).set(Appointment::ROOM, 9);
    repo.insert(appointment.set(Appointment::PATIENT_ID, Some(3))).await?;
    repo.preload(&mut physician, Physician::APPOINTMENTS).await?;
    cx.step("an appointment more", repo.preload(&mut physician, Physician::PATIENTS)).await?;
    cx.require(physician.patients()?.iter().map(|patient| patient.id).eq([1, 3]), "and its patient")?;
    cx.step("now they agree", repo.preload(&mut physician, Physician::PATIENTS)).await?;
    if let Some(appointments) = physician.appointments.loaded_mut() {
        appointments.retain(|appointment| appointment.patient_id != Some(1));
    }
    cx.step("an appointment less", repo.preload(&mut physician, Physician::PATIENTS)).await?;
    cx.require(physician.patients()?.iter().map(|patient| patient.id).eq([3]), "without its patient")?;
    if let Some(appointments) = physician.appointments.loaded_mut() {
        appointments.iter_mut().for_each(|appointment| appointment.patient_id = Some(2));
    }
    cx.step("a key of a row between", repo.preload(&mut physician, Physician::PATIENTS)).await?;
    cx.require(physician.patients()?.iter().all(|patient| patient.id == 2), "its patient")
}

async fn shared_targets(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    clinic::fixture(&repo).await?;
    let mut physicians = repo.all_by_key(Query::preload(Physician::APPOINTMENTS.with(Appointment::PATIENT))).await?;
    cx.step("patients", repo.preload(&mut physicians, Physician::PATIENTS)).await?;
    let first = |at: usize, id: i64| {
        let patients = physicians[at].patients.loaded().unwrap_or_default();
        patients.iter().find(|patient| patient.id == id).map(Arc::as_ptr)
    };
    cx.require(first(0, 1).is_some() && first(0, 1) == first(1, 1), "one copy for all who have it")
}

async fn below_targets(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    clinic::fixture(&repo).await?;
    let tree = Physician::APPOINTMENTS.with(Appointment::PATIENT.with(Patient::APPOINTMENTS));
    let patients = Physician::PATIENTS.with(Patient::APPOINTMENTS);
    after(cx, "what targets hold comes along", tree.clone(), patients.clone(), 0).await?;
    after(cx, "what they do not hold is read", Physician::APPOINTMENTS.with(Appointment::PATIENT), patients, 1).await?;
    let deeper = Physician::PATIENTS.with(Patient::PHYSICIANS);
    after(cx, "another association through others", tree, deeper, 1).await
}

async fn some_owners_only(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let mut columnists = repo.all_by_key(Query::<Columnist>::new()).await?;
    repo.preload(&mut columnists[..1], Columnist::POSTS.with(Post::COMMENTS)).await?;
    repo.preload(&mut columnists[1..2], Columnist::POSTS).await?;
    cx.step("all, some, nothing in memory", repo.preload(&mut columnists, Columnist::POST_COMMENTS)).await?;
    let fresh = repo.all_by_key(Query::preload(Columnist::POST_COMMENTS)).await?;
    let same = columnists.iter().zip(&fresh).all(|(one, other)| one.post_comments == other.post_comments);
    cx.require(same, "the same as by one query")?;
    cx.require(columnists[2].posts.loaded().is_none(), "nobody asked for these posts")?;
    let mut critics = repo.all_by_key(Query::<Critic>::new()).await?;
    repo.preload(&mut critics[..1], Critic::POSTS).await?;
    cx.step("with a condition", repo.preload(&mut critics, Critic::APPROVED_COMMENTS)).await?;
    let fresh = repo.all_by_key(Query::preload(Critic::APPROVED_COMMENTS)).await?;
    let same = critics.iter().zip(&fresh).all(|(one, other)| one.approved_comments == other.approved_comments);
    cx.require(same, "the same as by one query")?;
    Ok(())
}

async fn failure_changes_nothing(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let mut columnists = repo.all(Query::preload(Columnist::POSTS)).await?;
    let before = columnists.clone();
    cx.recorder().fail_after(0);
    cx.fails("the statement fails", repo.preload(&mut columnists, Columnist::POST_COMMENTS)).await?;
    cx.require(columnists == before, "nothing changed in memory")
}
