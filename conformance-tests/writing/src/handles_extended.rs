//! What an application adds to handles: extensions for associations of several models, members from untrusted input, targets of
//! several types, and members that are destroyed later.

use std::sync::{Arc, Mutex, PoisonError};

use assoc_core::{ErrorKind, Result};
use assoc_repo::prelude::*;
use assoc_repo::{Changeset, Collection, DestroyLater, OwnerRef, ToManyAssociation, WritableMany};
use conformance_harness::{Context, Level, cases};
use conformance_written_models::guild::{self, Company, Group, Picture, Post, Subject, Tag, User};

cases! { "handles_extended", Level::Write;
    f116_of_several_models,
    f142_owner_reflection_and_target,
    f48_f80_cast,
    delegated_types,
    destroyed_later,
}

/// A model whose rows have a name.
trait Named: Model {
    const NAME: Column<Self, String>;
}

impl Named for Group {
    const NAME: Column<Self, String> = Group::NAME;
}

impl Named for Tag {
    const NAME: Column<Self, String> = Tag::NAME;
}

impl Named for User {
    const NAME: Column<Self, String> = User::NAME;
}

/// An extension of every association to such a model.
trait FindOrCreateByName<T> {
    async fn find_or_create_by_name(&mut self, name: &str) -> Result<T>;
}

impl<O: Model, T: Named, A: ToManyAssociation<O, T> + WritableMany<O, T>> FindOrCreateByName<T>
    for Collection<'_, &mut O, T, A>
{
    async fn find_or_create_by_name(&mut self, name: &str) -> Result<T> {
        self.find_or_create_by(T::NAME.eq(name), T::build().set(T::NAME, name)).await
    }
}

/// An extension of every association, of whatever handle.
trait Described {
    fn described(&self) -> String;
}

impl<R: OwnerRef, T: Model, A: ToManyAssociation<R::Owner, T>> Described for Collection<'_, R, T, A> {
    fn described(&self) -> String {
        let owner = R::Owner::DEF.key_of(self.owner()).map(|key| key.to_string()).unwrap_or_default();
        let target = self.target().map_or_else(|| "not loaded".to_owned(), |rows| format!("{} rows", rows.len()));
        format!("{} of {owner}: {target}", self.reflection().qualified_name())
    }
}

fn user(name: &str) -> Changeset<User> {
    User::build().set(User::NAME, name)
}

async fn f116_of_several_models(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let mut ada = repo.insert(user("Ada")).await?;
    let mut post = repo.insert(Post::build().set(Post::TITLE, "p")).await?;
    let mut company = repo.insert(Company::build().set(Company::NAME, "c")).await?;
    let mut groups = repo.association(&mut ada, User::GROUPS);
    let created = cx.step("behind a join model: created", groups.find_or_create_by_name("poets")).await?;
    let found = cx.step("found", groups.find_or_create_by_name("poets")).await?;
    cx.require(created.id == found.id, "one group")?;
    let mut tags = repo.association(&mut post, Post::TAGS);
    let created = cx.step("over a join table: created", tags.find_or_create_by_name("rust")).await?;
    let found = cx.step("found", tags.find_or_create_by_name("rust")).await?;
    cx.require(created.id == found.id, "one tag")?;
    let mut users = repo.association(&mut company, Company::USERS);
    let created = cx.step("by key: created", users.find_or_create_by_name("Bob")).await?;
    cx.require(created.company_id == Some(users.owner().id), "the company's")?;
    // Ada is there, and is not the company's.
    let other = cx.step("another owner's does not count", users.find_or_create_by_name("Ada")).await?;
    cx.require(other.id != ada.id, "another one")?;
    cx.rows("users", "SELECT name, company_id FROM users ORDER BY id").await
}

async fn f142_owner_reflection_and_target(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let groups = ["x", "y"].map(|name| Group::build().set(Group::NAME, name));
    let mut ada = repo.insert(user("Ada").push(User::GROUPS, groups)).await?;
    cx.note("loaded", repo.association(&ada, User::GROUPS).described());
    cx.note("another one", repo.association(&ada, User::POSTS).described());
    let mut posts = repo.association(&mut ada, User::POSTS);
    cx.step("of a handle that writes", posts.create(Post::build().set(Post::TITLE, "p"))).await?;
    cx.note("it knows", posts.described());
    Ok(())
}

async fn f48_f80_cast(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let mut ada = repo.insert(user("Ada")).await?;
    let bob = repo.insert(user("Bob")).await?;
    let permit = permit!(Post { title });
    let mut posts = repo.association(&mut ada, User::PUBLISHED_POSTS);
    // What is not permitted is left out: neither the owner nor the conditions can be said otherwise.
    let input = [("title", "cast"), ("user_id", "2"), ("published", "false")];
    let draft = posts.build()?.cast(input, &permit);
    let created = cx.step("a member", posts.create(draft)).await?;
    cx.require(created.user_id == Some(posts.owner().id) && created.published, "hers, and published")?;
    let draft = posts.build()?.cast([("title", "")], &permit).rules(|rules| rules.length(Post::TITLE, 1..));
    let error = cx.fails("one that is wrong", posts.create(draft)).await?;
    cx.note("problem", error.to_string());
    cx.require(posts.count().await? == 1, "as before")?;
    let mut ada = repo.get_or_fail::<User>(ada.id, Query::new()).await?;
    let account = repo.association(&mut ada, User::ACCOUNT).build()?;
    let draft = account.cast([("number", "7"), ("user_id", "2")], &permit!(guild::Account { number }));
    let created = cx.step("a single target", repo.association(&mut ada, User::ACCOUNT).create(draft)).await?;
    cx.require(created.user_id == Some(ada.id) && bob.id != ada.id, "hers")?;
    cx.rows("posts", "SELECT title, user_id, published FROM posts").await
}

async fn delegated_types(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    guild::tables(&repo).await?;
    let picture = |name: &str| Picture::build().set(Picture::NAME, name);
    let post = Post::build().set(Post::TITLE, "new");
    let of_post = cx.step("built with its target", repo.insert(picture("p").associate(Picture::SUBJECT, post))).await?;
    repo.insert(picture("u").associate(Picture::SUBJECT, user("Ada"))).await?;
    repo.insert(picture("none")).await?;
    let subject = of_post.subject()?;
    cx.require(subject.is_some_and(Subject::is_post) && !subject.is_some_and(Subject::is_user), "predicates")?;
    let title = subject.and_then(Subject::as_post).map(|post| post.title.clone());
    cx.require(title.as_deref() == Some("new") && subject.and_then(Subject::as_user).is_none(), "accessors")?;
    let of_posts = Query::filter(Picture::SUBJECT.of_type(Subject::POST)).preload(Picture::SUBJECT);
    let found = cx.step("of one type", repo.all(of_posts)).await?;
    cx.show("pictures", found.iter().map(|picture| &picture.name));
    let others = Query::filter(Picture::SUBJECT.of_type(Subject::USER).not());
    let found = cx
        .step("of another: rows of none are left out, as SQL does", repo.all(others.order_by(Picture::ID.asc())))
        .await?;
    cx.show("pictures", found.iter().map(|picture| &picture.name));
    let users = repo.association(&of_post, Picture::SUBJECT);
    let read = cx.step("by a handle", users.get()).await?;
    cx.require(read.as_ref().is_some_and(Subject::is_post), "the post")
}

/// Its letters are destroyed later, of whatever kind they are.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "mailboxes")]
struct Mailbox {
    id: i64,
    name: String,
    #[has_many]
    letters: HasMany<Letter>,
    #[has_and_belongs_to_many]
    labels: HasAndBelongsToMany<Tag>,
}

/// All rows of a table that another model shares.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "letters")]
struct Letter {
    id: i64,
    mailbox_id: i64,
    #[column(length = 20)]
    kind: String,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "letters", discriminator = "kind", tag = "parcel")]
struct Parcel {
    id: i64,
    mailbox_id: i64,
    #[column(length = 20)]
    kind: String,
}

type Jobs = Arc<Mutex<Vec<DestroyLater<Mailbox, Letter>>>>;

// Hands the letters over and destroys the mailbox.
async fn closed(tx: &Repo, mailbox: &Mailbox, batch: usize, jobs: &Jobs) -> Result<usize> {
    let jobs = Arc::clone(jobs);
    let letters = tx.association(mailbox, Mailbox::LETTERS);
    let count = letters
        .destroy_later(batch, move |job| {
            jobs.lock().unwrap_or_else(PoisonError::into_inner).push(job);
            std::future::ready(Ok(()))
        })
        .await?;
    tx.destroy(mailbox).await?;
    Ok(count)
}

async fn destroyed_later(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    repo.create_table::<Mailbox>().await?;
    repo.create_table::<Letter>().await?;
    repo.execute_raw("CREATE TABLE mailboxes_tags (mailbox_id BIGINT NOT NULL, tag_id BIGINT NOT NULL)", []).await?;
    let letter = |mailbox: &Mailbox| Letter::build().set(Letter::MAILBOX_ID, mailbox.id).set(Letter::KIND, "card");
    let mailbox = |name: &str| Mailbox::build().set(Mailbox::NAME, name);
    let (one, empty) = (repo.insert(mailbox("one")).await?, repo.insert(mailbox("empty")).await?);
    repo.insert_all([letter(&one), letter(&one)]).await?;
    repo.insert(Parcel::build().set(Parcel::MAILBOX_ID, one.id)).await?;
    let jobs = Jobs::default();
    let told = || std::mem::take(&mut *jobs.lock().unwrap_or_else(PoisonError::into_inner));

    let error = cx.fails("outside of a transaction", closed(&repo, &one, 2, &jobs)).await?;
    cx.require(matches!(error.kind(), ErrorKind::Transaction(_)) && told().is_empty(), "refused")?;

    let tx = repo.begin().await?;
    let count = cx.step("rolled back", closed(&tx, &one, 2, &jobs)).await?;
    tx.rollback().await?;
    cx.require(count == 3 && told().is_empty(), "nothing is handed over")?;

    let tx = repo.begin().await?;
    let inner = tx.begin().await?;
    closed(&inner, &one, 2, &jobs).await?;
    inner.rollback().await?;
    tx.commit().await?;
    cx.require(told().is_empty(), "nor of a savepoint that is undone")?;

    let tx = repo.begin().await?;
    let count = cx.step("of an owner without any", closed(&tx, &empty, 2, &jobs)).await?;
    tx.commit().await?;
    cx.require(count == 0 && told().is_empty(), "no empty job")?;

    let tx = repo.begin().await?;
    cx.step("committed", closed(&tx, &one, 2, &jobs)).await?;
    cx.require(told().is_empty(), "not before the commit")?;
    tx.commit().await?;
    let jobs_there = told();
    let sizes: Vec<usize> = jobs_there.iter().map(|job| job.keys.len()).collect();
    cx.require(sizes == [2, 1], "in batches, of all kinds")?;
    cx.require(jobs_there.iter().all(|job| job.model() == Letter::DEF && job.owner == one.id), "they say whose")?;
    cx.rows("letters", "SELECT kind FROM letters ORDER BY id").await?;
    for job in jobs_there {
        let is_gone = repo.get::<Mailbox>(job.owner, Query::new()).await?.is_none();
        cx.require(is_gone, "the owner is gone")?;
        cx.step("the job", repo.destroy_all(Query::filter(Letter::ID.is_in(job.keys)))).await?;
    }
    cx.rows("letters", "SELECT COUNT(*) FROM letters").await?;

    let tx = repo.begin().await?;
    let labels = tx.association(&one, Mailbox::LABELS);
    cx.fails("rows between go with their owner", labels.destroy_later(2, |_| std::future::ready(Ok(())))).await?;
    tx.rollback().await
}
