//! Several writes as one value: named steps, of which later ones see what earlier ones gave, run in one transaction.
//!
//! Steps are functions that can be called again, not once: a [`Multi`] can be run again by a transaction that is retried.
//! What a step gives has its type in the [`Step`] that adding it returns, so that reading a result needs neither a name nor
//! a cast, and a result of another type does not compile.

use std::any::Any;
use std::collections::HashSet;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use assoc_core::driver::BoxFuture;
use assoc_core::{Assignment, Error, ErrorKind, Model, Result};

use crate::callbacks::Firing;
use crate::changeset::{Changeset, IntoChangeset};
use crate::one_row::OneRow;
use crate::query::Select;
use crate::repo::Repo;

mod results;

pub use results::StepResults;

/// Several writes as one value. [`Repo::run`] runs them in one transaction, in the order in which they were added.
///
/// ```
/// # use assoc_repo::prelude::*;
/// # use assoc_repo::Multi;
/// # use assoc_sqlite::Sqlite;
/// # #[derive(Model, Debug, Clone)]
/// # pub struct User { pub id: i64, pub name: String }
/// # #[derive(Model, Debug, Clone)]
/// # pub struct Post { pub id: i64, pub user_id: i64, pub title: String, #[belongs_to] pub user: BelongsTo<User> }
/// # pollster::block_on(async {
/// # let repo = Repo::new(Sqlite::memory()?);
/// # repo.create_table::<User>().await?;
/// # repo.create_table::<Post>().await?;
/// let mut multi = Multi::new();
/// let user = multi.insert("user", User::build().set(User::NAME, "Ada"));
/// let post = multi.insert_with("post", move |done| {
///     Ok(Post::build().associate(Post::USER, done.get(user)?).set(Post::TITLE, "On engines"))
/// });
/// let posts = multi.run("posts", move |tx, done| {
///     Box::pin(async move { tx.count(Query::filter(Post::USER_ID.eq(done.get(user)?.id))).await })
/// });
/// assert_eq!(multi.to_string(), "1. user: insert User\n2. post: insert Post\n3. posts: run\n");
///
/// let done = repo.run(&multi).await?;
/// assert_eq!(done.get(post)?.user_id, done.get(user)?.id);
/// assert_eq!(*done.get(posts)?, 1);
/// # Ok::<(), Error>(()) }).unwrap();
/// ```
pub struct Multi {
    id: u64,
    steps: Vec<Entry>,
}

/// A step of a [`Multi`], by which its result is found.
pub struct Step<T> {
    multi: u64,
    index: usize,
    result: PhantomData<fn() -> T>,
}

impl<T> Clone for Step<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Step<T> {}

impl<T> fmt::Debug for Step<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Step").field(&self.index).finish()
    }
}

/// What a step does, for listings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StepKind {
    /// Inserts a row of a model.
    Insert(&'static str),
    /// Inserts rows of a model.
    InsertAll(&'static str),
    /// Updates a row of a model.
    Update(&'static str),
    /// Deletes a row of a model.
    Delete(&'static str),
    /// Updates the rows of a query of a model.
    UpdateAll(&'static str),
    /// Deletes the rows of a query of a model.
    DeleteAll(&'static str),
    /// Runs a function.
    Run,
}

impl fmt::Display for StepKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StepKind::Insert(model) => write!(f, "insert {model}"),
            StepKind::InsertAll(model) => write!(f, "insert all {model}"),
            StepKind::Update(model) => write!(f, "update {model}"),
            StepKind::Delete(model) => write!(f, "delete {model}"),
            StepKind::UpdateAll(model) => write!(f, "update all {model}"),
            StepKind::DeleteAll(model) => write!(f, "delete all {model}"),
            StepKind::Run => f.write_str("run"),
        }
    }
}

type AnyResult = Box<dyn Any + Send + Sync>;
type Work = Arc<dyn for<'a> Fn(&'a Repo, &'a StepResults) -> BoxFuture<'a, Result<AnyResult>> + Send + Sync>;
type Check = Box<dyn Fn() -> Result<()> + Send + Sync>;

struct Entry {
    name: String,
    kind: StepKind,
    // Finds what can be found before anything runs.
    check: Option<Check>,
    work: Work,
}

impl Default for Multi {
    fn default() -> Self {
        Multi::new()
    }
}

impl fmt::Debug for Multi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.steps()).finish()
    }
}

/// The steps, one a line: `1. user: insert User`.
impl fmt::Display for Multi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.steps().enumerate().try_for_each(|(at, (name, kind))| writeln!(f, "{}. {name}: {kind}", at + 1))
    }
}

impl Multi {
    /// Without steps.
    ///
    /// ```
    /// use assoc_repo::Multi;
    ///
    /// assert_eq!(Multi::new().to_string(), "");
    /// ```
    #[must_use]
    pub fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Multi { id: NEXT.fetch_add(1, Ordering::Relaxed), steps: Vec::new() }
    }

    /// The steps in their order: what would run, without running it.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// use assoc_repo::Multi;
    ///
    /// let mut multi = Multi::new();
    /// multi.insert("post", Post::build().set(Post::TITLE, "Cards"));
    /// let names: Vec<&str> = multi.steps().map(|(name, _)| name).collect();
    /// assert_eq!(names, ["post"]);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn steps(&self) -> impl Iterator<Item = (&str, StepKind)> {
        self.steps.iter().map(|step| (step.name.as_str(), step.kind))
    }

    /// Runs a function of the transaction's repo and what earlier steps gave.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// use assoc_repo::Multi;
    ///
    /// let mut multi = Multi::new();
    /// let count = multi.run("count", |tx, _| Box::pin(async move { tx.count(Query::<Post>::new()).await }));
    /// assert_eq!(*repo.run(&multi).await?.get(count)?, 3);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    // The function gives a boxed future, because only that is known to be `Send` for any lifetime.
    pub fn run<T: Send + Sync + 'static>(
        &mut self,
        name: impl Into<String>,
        work: impl for<'a> Fn(&'a Repo, &'a StepResults) -> BoxFuture<'a, Result<T>> + Send + Sync + 'static,
    ) -> Step<T> {
        self.add(name.into(), StepKind::Run, None, work)
    }

    /// Inserts a row. What is wrong with the changeset is found before anything runs.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// use assoc_repo::Multi;
    ///
    /// let mut multi = Multi::new();
    /// multi.insert("post", Post::build().set(Post::TITLE, "Cards"));
    /// multi.insert("untitled", Post::build());
    /// assert!(repo.run(&multi).await.is_err()); // before any SQL
    /// assert_eq!(repo.count(Query::<Post>::new()).await?, 3);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn insert<M: Model>(&mut self, name: impl Into<String>, changeset: impl IntoChangeset<M>) -> Step<M> {
        let changeset = changeset.into_changeset();
        let check = checked(&changeset, Firing::Callbacks);
        self.add(name.into(), StepKind::Insert(M::DEF.name), Some(check), move |tx, _| tx.insert(changeset.clone()))
    }

    /// Inserts a row of a changeset that is made of what earlier steps gave.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// use assoc_repo::Multi;
    ///
    /// let mut multi = Multi::new();
    /// let group = multi.insert("group", Group::build().set(Group::NAME, "Weavers"));
    /// let user = user.id;
    /// let member = multi.insert_with("member", move |done| {
    ///     let member = Membership::build().set(Membership::USER_ID, user);
    ///     Ok(member.associate(Membership::GROUP, done.get(group)?))
    /// });
    /// let done = repo.run(&multi).await?;
    /// assert_eq!(done.get(member)?.group_id, done.get(group)?.id);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn insert_with<M: Model>(
        &mut self,
        name: impl Into<String>,
        build: impl Fn(&StepResults) -> Result<Changeset<M>> + Send + Sync + 'static,
    ) -> Step<M> {
        self.add(name.into(), StepKind::Insert(M::DEF.name), None, move |tx, done| match build(done) {
            Ok(changeset) => tx.insert(changeset),
            Err(error) => Box::pin(async { Err(error) }),
        })
    }

    /// Inserts rows. What is wrong with the changesets is found before anything runs.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// use assoc_repo::Multi;
    ///
    /// let mut multi = Multi::new();
    /// let posts = multi.insert_all("posts", ["Cards", "Drums"].map(|title| Post::build().set(Post::TITLE, title)));
    /// assert_eq!(repo.run(&multi).await?.get(posts)?[1].title, "Drums");
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn insert_all<M: Model>(
        &mut self,
        name: impl Into<String>,
        changesets: impl IntoIterator<Item: IntoChangeset<M>>,
    ) -> Step<Vec<M>> {
        let changesets: Vec<Changeset<M>> = changesets.into_iter().map(IntoChangeset::into_changeset).collect();
        let checks: Vec<Check> = changesets.iter().map(|changeset| checked(changeset, Firing::Silent)).collect();
        let check: Check = Box::new(move || checks.iter().try_for_each(|check| check()));
        self.add(name.into(), StepKind::InsertAll(M::DEF.name), Some(check), move |tx, _| {
            tx.insert_all(changesets.clone())
        })
    }

    /// Updates a row. What is wrong with the changeset is found before anything runs.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// use assoc_repo::Multi;
    ///
    /// let post = repo.get_or_fail::<Post>(1, Query::new()).await?;
    /// let mut multi = Multi::new();
    /// let step = multi.update("post", post.change().set(Post::STARS, 4));
    /// assert_eq!(repo.run(&multi).await?.get(step)?.stars, 4);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn update<M: Model>(&mut self, name: impl Into<String>, changeset: impl IntoChangeset<M>) -> Step<M> {
        let changeset = changeset.into_changeset();
        let check = checked(&changeset, Firing::Callbacks);
        self.add(name.into(), StepKind::Update(M::DEF.name), Some(check), move |tx, _| tx.update(changeset.clone()))
    }

    /// Updates a row by a changeset that is made of what earlier steps gave.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// use assoc_repo::Multi;
    ///
    /// let mut multi = Multi::new();
    /// let post = multi.insert("post", Post::build().set(Post::TITLE, "Cards"));
    /// let rated = multi.update_with("rated", move |done| Ok(done.get(post)?.change().set(Post::STARS, 4)));
    /// assert_eq!(repo.run(&multi).await?.get(rated)?.stars, 4);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn update_with<M: Model>(
        &mut self,
        name: impl Into<String>,
        change: impl Fn(&StepResults) -> Result<Changeset<M>> + Send + Sync + 'static,
    ) -> Step<M> {
        self.add(name.into(), StepKind::Update(M::DEF.name), None, move |tx, done| match change(done) {
            Ok(changeset) => tx.update(changeset),
            Err(error) => Box::pin(async { Err(error) }),
        })
    }

    /// Deletes a row.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// use assoc_repo::Multi;
    ///
    /// let post = repo.get_or_fail::<Post>(1, Query::new()).await?;
    /// let mut multi = Multi::new();
    /// multi.delete("post", &post);
    /// repo.run(&multi).await?;
    /// assert!(repo.get::<Post>(1, Query::new()).await?.is_none());
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn delete<M: OneRow>(&mut self, name: impl Into<String>, row: &M) -> Step<()> {
        let row = Arc::new(row.clone());
        self.add(name.into(), StepKind::Delete(M::DEF.name), None, move |tx, _| {
            let row = Arc::clone(&row);
            Box::pin(async move { tx.delete(&*row).await })
        })
    }

    /// Updates the rows of a query; gives their number.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// use assoc_repo::Multi;
    ///
    /// let mut multi = Multi::new();
    /// let rated = multi.update_all("rated", Query::filter(Post::STARS.lt(5)), [Post::STARS.add(1)]);
    /// assert_eq!(*repo.run(&multi).await?.get(rated)?, 2);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn update_all<M: Model>(
        &mut self,
        name: impl Into<String>,
        query: Select<M>,
        assignments: impl IntoIterator<Item = Assignment<M>>,
    ) -> Step<u64> {
        let assignments: Vec<Assignment<M>> = assignments.into_iter().collect();
        self.add(name.into(), StepKind::UpdateAll(M::DEF.name), None, move |tx, _| {
            tx.update_all(query.clone(), assignments.clone())
        })
    }

    /// Deletes the rows of a query; gives their number.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// use assoc_repo::Multi;
    ///
    /// let mut multi = Multi::new();
    /// let deleted = multi.delete_all("unrated", Query::filter(Post::STARS.eq(0)));
    /// assert_eq!(*repo.run(&multi).await?.get(deleted)?, 1);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn delete_all<M: Model>(&mut self, name: impl Into<String>, query: Select<M>) -> Step<u64> {
        self.add(name.into(), StepKind::DeleteAll(M::DEF.name), None, move |tx, _| tx.delete_all(query.clone()))
    }

    fn add<T: Send + Sync + 'static>(
        &mut self,
        name: String,
        kind: StepKind,
        check: Option<Check>,
        work: impl for<'a> Fn(&'a Repo, &'a StepResults) -> BoxFuture<'a, Result<T>> + Send + Sync + 'static,
    ) -> Step<T> {
        let step = Step { multi: self.id, index: self.steps.len(), result: PhantomData };
        self.steps.push(Entry { name, kind, check, work: erased(work) });
        step
    }

    // What can be found before anything runs.
    fn check(&self) -> Result<()> {
        let mut names = HashSet::new();
        for step in &self.steps {
            if !names.insert(&step.name) {
                let twice = ErrorKind::Transaction("two steps have this name: a step is known by its own");
                return Err(failed(step, twice.into()));
            }
            if let Some(check) = &step.check {
                check().map_err(|error| failed(step, error))?;
            }
        }
        Ok(())
    }
}

fn erased<T: Send + Sync + 'static>(
    work: impl for<'a> Fn(&'a Repo, &'a StepResults) -> BoxFuture<'a, Result<T>> + Send + Sync + 'static,
) -> Work {
    Arc::new(move |tx, done| {
        let result = work(tx, done);
        Box::pin(async move { Ok(Box::new(result.await?) as AnyResult) })
    })
}

// What `before_validate` may mend is looked at when the step runs.
fn checked<M: Model>(changeset: &Changeset<M>, firing: Firing) -> Check {
    let row = changeset.as_row_change().clone();
    Box::new(move || if firing.validates(&row) { Ok(()) } else { row.check() })
}

fn failed(step: &Entry, source: Error) -> Error {
    ErrorKind::Step { step: step.name.clone(), source: Box::new(source) }.into()
}

impl Repo {
    /// Runs the steps of a [`Multi`] in one transaction, in their order; on a transaction's repo in a savepoint. Costs what
    /// the steps cost.
    ///
    /// # Errors
    /// [`ErrorKind::Step`] with the step's name and its error; what was written is undone. Changesets that are known
    /// beforehand are checked before anything runs. And those of BEGIN and COMMIT.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// use assoc_repo::Multi;
    ///
    /// let mut multi = Multi::new();
    /// multi.delete_all("posts", Query::<Post>::new());
    /// multi.run("refused", |_, _| Box::pin(async { Err::<(), _>(Error::other("not today")) }));
    /// let error = repo.run(&multi).await.unwrap_err();
    /// assert!(matches!(error.kind(), ErrorKind::Step { step, .. } if step == "refused"));
    /// assert_eq!(repo.count(Query::<Post>::new()).await?, 3); // undone
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub async fn run(&self, multi: &Multi) -> Result<StepResults> {
        multi.check()?;
        let transaction = self.begin().await?;
        let mut done = StepResults { multi: multi.id, results: Vec::with_capacity(multi.steps.len()) };
        for step in &multi.steps {
            match (step.work)(&transaction, &done).await {
                Ok(result) => done.results.push(result),
                Err(error) => {
                    // As in `transaction`.
                    let _ = transaction.rollback().await;
                    return Err(failed(step, error));
                }
            }
        }
        transaction.commit().await?;
        Ok(done)
    }
}
