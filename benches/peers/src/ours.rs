//! The same workloads through assoc, as an application writes them.

use std::hint::black_box;
use std::sync::Arc;

use assoc_repo::Repo;
use assoc_repo::prelude::*;
use tokio::runtime::Runtime;

use crate::Outcome;
use crate::data::{NewPost, NewUser, PAGE, sum, tags_of};
use crate::rounds::Peer;
use crate::workload::{Inputs, Workload};

#[derive(Model, Debug, Clone)]
pub struct User {
    pub id: i64,
    pub name: String,
    pub email: String,
    pub age: i64,
    pub created_at: String,
    #[has_many]
    pub posts: HasMany<Post>,
    #[has_one]
    pub profile: HasOne<Option<Profile>>,
    #[has_many(through = "posts", source = "comments")]
    pub comments: HasManyThrough<Comment>,
}

#[derive(Model, Debug, Clone)]
pub struct Post {
    pub id: i64,
    pub user_id: i64,
    pub title: String,
    pub body: String,
    pub published: bool,
    #[belongs_to]
    pub user: BelongsTo<User>,
    #[has_many]
    pub comments: HasMany<Comment>,
    #[has_and_belongs_to_many]
    pub tags: HasAndBelongsToMany<Tag>,
}

#[derive(Model, Debug, Clone)]
pub struct Tag {
    pub id: i64,
    pub name: String,
}

#[derive(Model, Debug, Clone)]
pub struct Comment {
    pub id: i64,
    pub post_id: i64,
    pub author_id: i64,
    pub body: String,
    #[belongs_to]
    pub post: BelongsTo<Post>,
}

#[derive(Model, Debug, Clone)]
pub struct Profile {
    pub id: i64,
    pub user_id: i64,
    pub bio: String,
}

impl User {
    fn sum(&self, owner: i64) -> u64 {
        sum(owner, &[self.id, self.age], &[&self.name, &self.email, &self.created_at])
    }
}

impl Post {
    fn sum(&self, owner: i64) -> u64 {
        sum(owner, &[self.id, self.user_id, self.published.into()], &[&self.title, &self.body])
    }
}

impl Comment {
    fn sum(&self, owner: i64) -> u64 {
        sum(owner, &[self.id, self.post_id, self.author_id], &[&self.body])
    }
}

/// What an application is, to a driver.
#[derive(Clone)]
pub(crate) enum Application {
    /// One without a runtime.
    Plain,
    /// The thread that the runtime has.
    #[cfg(any(feature = "mariadb", feature = "postgres"))]
    InRuntime(Arc<Runtime>),
    /// A task of the runtime: that is where servers run their handlers.
    Task(Arc<Runtime>),
}

/// How associations to one row are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loading {
    /// By a preload, which is a statement of its own.
    Preload,
    /// With their owners, by a join. This is the form that W6 has by hand.
    Join,
}

impl Loading {
    /// The peer that reads so over the database's own driver.
    #[cfg(any(feature = "mariadb", feature = "postgres"))]
    pub(crate) fn peer(self) -> &'static str {
        match self {
            Loading::Preload => "assoc",
            Loading::Join => "assoc-joined",
        }
    }
}

/// assoc over a driver.
pub(crate) struct Ours {
    pub(crate) name: &'static str,
    pub(crate) loading: Loading,
    pub(crate) application: Application,
    pub(crate) reading: Repo,
    /// Where the workloads that write do it.
    pub(crate) writing: Option<Repo>,
}

impl Peer for Ours {
    fn name(&self) -> &'static str {
        self.name
    }

    fn does(&self, workload: Workload) -> bool {
        match self.loading {
            Loading::Preload => !workload.writes() || self.writing.is_some(),
            Loading::Join => workload == Workload::W6,
        }
    }

    fn run(&mut self, workload: Workload, inputs: &Arc<Inputs>, check: bool) -> Outcome<u64> {
        let writing = self.writing.as_ref().filter(|_| workload.writes());
        let repo = writing.unwrap_or(&self.reading);
        let loading = self.loading;
        Ok(match &self.application {
            Application::Plain => pollster::block_on(run(repo, workload, loading, inputs, check))?,
            #[cfg(any(feature = "mariadb", feature = "postgres"))]
            Application::InRuntime(runtime) => runtime.block_on(run(repo, workload, loading, inputs, check))?,
            Application::Task(runtime) => {
                let (repo, inputs) = (repo.clone(), Arc::clone(inputs));
                let task = async move { run(&repo, workload, loading, &inputs, check).await };
                runtime.block_on(async { tokio::spawn(task).await })??
            }
        })
    }
}

/// Runs a workload.
async fn run(repo: &Repo, workload: Workload, loading: Loading, inputs: &Inputs, check: bool) -> Result<u64> {
    match workload {
        Workload::W1 => gets(repo, &inputs.keys, check).await,
        Workload::W2 => users_posts(repo, check).await,
        Workload::W3 => graph(repo, Query::preload(User::POSTS.with(Post::COMMENTS)), check).await,
        Workload::W4 => posts_user(repo, check).await,
        Workload::W6 => users_profile(repo, loading, check).await,
        Workload::W8 => insert(repo, &inputs.new_users).await,
        Workload::W11 => insert_linked(repo, &inputs.new_users, &inputs.tags).await,
        Workload::W9 => {
            let page = Query::filter(User::ID.between(PAGE.0, PAGE.1));
            graph(repo, page.preload(User::POSTS.with(Post::COMMENTS)), check).await
        }
        Workload::W5 => posts_tags(repo, check).await,
        Workload::W7 => users_comments(repo, check).await,
        Workload::W10 => latest_comments(repo, check).await,
    }
}

async fn gets(repo: &Repo, keys: &[i64], check: bool) -> Result<u64> {
    let mut total = 0_u64;
    for key in keys {
        let user = repo.get_or_fail::<User>(*key, Query::new()).await?;
        if check {
            total = total.wrapping_add(user.sum(0));
        }
        black_box(&user);
    }
    Ok(total)
}

async fn users_posts(repo: &Repo, check: bool) -> Result<u64> {
    let users = repo.all(Query::preload(User::POSTS).order_by(User::ID.asc())).await?;
    black_box(&users);
    let mut total = 0_u64;
    if check {
        for user in &users {
            total = total.wrapping_add(user.sum(0));
            total = user.posts()?.iter().fold(total, |total, post| total.wrapping_add(post.sum(user.id)));
        }
    }
    Ok(total)
}

async fn graph(repo: &Repo, query: assoc_repo::Select<User>, check: bool) -> Result<u64> {
    let users = repo.all(query.order_by(User::ID.asc())).await?;
    black_box(&users);
    let mut total = 0_u64;
    if check {
        for user in &users {
            total = total.wrapping_add(user.sum(0));
            for post in user.posts()? {
                total = total.wrapping_add(post.sum(user.id));
                total = post.comments()?.iter().fold(total, |total, own| total.wrapping_add(own.sum(post.id)));
            }
        }
    }
    Ok(total)
}

async fn posts_user(repo: &Repo, check: bool) -> Result<u64> {
    let posts = repo.all(Query::preload(Post::USER).order_by(Post::ID.asc())).await?;
    black_box(&posts);
    let mut total = 0_u64;
    if check {
        for post in &posts {
            total = total.wrapping_add(post.sum(0)).wrapping_add(post.user()?.sum(post.id));
        }
    }
    Ok(total)
}

async fn users_profile(repo: &Repo, loading: Loading, check: bool) -> Result<u64> {
    let query = match loading {
        Loading::Preload => Query::preload(User::PROFILE),
        Loading::Join => Query::eager_load(User::PROFILE),
    };
    let users = repo.all(query.order_by(User::ID.asc())).await?;
    black_box(&users);
    let mut total = 0_u64;
    if check {
        for user in &users {
            let own = user.profile()?.map_or(0, |own| sum(user.id, &[own.id, own.user_id], &[&own.bio]));
            total = total.wrapping_add(user.sum(0)).wrapping_add(own);
        }
    }
    Ok(total)
}

async fn posts_tags(repo: &Repo, check: bool) -> Result<u64> {
    let posts = repo.all(Query::preload(Post::TAGS).order_by(Post::ID.asc())).await?;
    black_box(&posts);
    let mut total = 0_u64;
    if check {
        for post in &posts {
            total = total.wrapping_add(post.sum(0));
            for tag in post.tags()? {
                total = total.wrapping_add(sum(post.id, &[tag.id], &[&tag.name]));
            }
        }
    }
    Ok(total)
}

async fn users_comments(repo: &Repo, check: bool) -> Result<u64> {
    let users = repo.all(Query::preload(User::COMMENTS).order_by(User::ID.asc())).await?;
    black_box(&users);
    let mut total = 0_u64;
    if check {
        for user in &users {
            total = total.wrapping_add(user.sum(0));
            total = user.comments()?.iter().fold(total, |total, own| total.wrapping_add(own.sum(user.id)));
        }
    }
    Ok(total)
}

async fn latest_comments(repo: &Repo, check: bool) -> Result<u64> {
    let latest = Post::COMMENTS.order_by(Comment::ID.desc()).limit(3);
    let posts = repo.all(Query::filter(Post::ID.le(1_000)).preload(latest).order_by(Post::ID.asc())).await?;
    black_box(&posts);
    let mut total = 0_u64;
    if check {
        for post in &posts {
            total = total.wrapping_add(post.sum(0));
            total = post.comments()?.iter().fold(total, |total, own| total.wrapping_add(own.sum(post.id)));
        }
    }
    Ok(total)
}

async fn insert(repo: &Repo, new: &[NewUser]) -> Result<u64> {
    let post = |post: &NewPost| {
        Post::build()
            .set(Post::TITLE, post.title.as_str())
            .set(Post::BODY, post.body.as_str())
            .set(Post::PUBLISHED, post.published)
    };
    let user = |user: &NewUser| {
        User::build()
            .set(User::NAME, user.name.as_str())
            .set(User::EMAIL, user.email.as_str())
            .set(User::AGE, user.age)
            .set(User::CREATED_AT, user.created_at.as_str())
            .push(User::POSTS, user.posts.iter().map(post))
    };
    let users = repo.insert_all(new.iter().map(user)).await?;
    black_box(&users);
    Ok(0)
}

async fn insert_linked(repo: &Repo, new: &[NewUser], tags: &[Arc<Tag>]) -> Result<u64> {
    let mut number = 0;
    let mut post = |post: &NewPost| {
        number += 1;
        Post::build()
            .set(Post::TITLE, post.title.as_str())
            .set(Post::BODY, post.body.as_str())
            .set(Post::PUBLISHED, post.published)
            .push(Post::TAGS, tags_of(number - 1).map(|at| &tags[at]))
    };
    let user = |user: &NewUser| {
        User::build()
            .set(User::NAME, user.name.as_str())
            .set(User::EMAIL, user.email.as_str())
            .set(User::AGE, user.age)
            .set(User::CREATED_AT, user.created_at.as_str())
            .push(User::POSTS, user.posts.iter().map(&mut post))
    };
    let users = repo.insert_all(new.iter().map(user)).await?;
    black_box(&users);
    Ok(0)
}
