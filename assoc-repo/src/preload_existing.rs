//! Loads associations of loaded structs: of one model, or of several models by one request.

use assoc_core::driver::Access;
use assoc_core::driver::BoxFuture;
use assoc_core::metadata::Request;
use assoc_core::planner::{Plan, Root, RootRequest};
use assoc_core::{IntoPreload, Model, Result};

use crate::preload::{self, Existing, ExistingRows, Reload};
use crate::read::{in_snapshot, with_plan};
use crate::repo::Repo;

impl Repo {
    /// Loads associations of loaded structs: a struct, an `Option`, a slice or a `Vec`. An association that is loaded
    /// already stays and costs nothing; a filtered preload always runs. An association through others uses the rows
    /// between that a struct holds. It costs at most 1 statement per association and level. If a statement fails, the
    /// structs stay unchanged.
    ///
    /// # Errors
    /// When the request contradicts itself (before any SQL), a row cannot be read, or the database fails.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_sqlite::Sqlite;
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct User { pub id: i64, pub name: String, #[has_many] pub posts: HasMany<Post> }
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct Post { pub id: i64, pub user_id: i64 }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<User>().await?;
    /// # repo.create_table::<Post>().await?;
    /// let mut user = repo.insert(User::build().set(User::NAME, "Ada")).await?;
    /// repo.preload(&mut user, User::POSTS).await?;
    /// assert!(user.posts()?.is_empty());
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn preload<'a, O: Model>(
        &'a self,
        target: &'a mut (impl PreloadTarget<O> + ?Sized),
        preload: impl IntoPreload<O>,
    ) -> BoxFuture<'a, Result<()>> {
        let (rows, requests) = (target.rows(), preload.into_requests());
        Box::pin(async move { self.preload_rows(rows, requests).await })
    }

    /// Loads associations of loaded structs again, even if they are loaded already. For an association through others it
    /// also loads the rows between again, where a struct holds them. It costs 1 statement per association and level.
    ///
    /// # Errors
    /// As [`preload`](Self::preload).
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// repo.preload(&mut user, User::POSTS).await?;
    /// repo.insert(Post::build().associate(Post::USER, &user).set(Post::TITLE, "Cards")).await?;
    ///
    /// repo.preload(&mut user, User::POSTS).await?; // loaded already: no statement
    /// assert_eq!(user.posts()?.len(), 3);
    /// repo.reload(&mut user, User::POSTS).await?; // 1 statement
    /// assert_eq!(user.posts()?.len(), 4);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn reload<'a, O: Model>(
        &'a self,
        target: &'a mut (impl PreloadTarget<O> + ?Sized),
        preload: impl IntoPreload<O>,
    ) -> BoxFuture<'a, Result<()>> {
        let (rows, requests) = (target.rows(), preload.into_requests());
        Box::pin(async move { self.reload_rows(rows, requests).await })
    }

    pub(crate) async fn reload_rows<O: Model>(&self, rows: &mut [O], requests: Vec<Request>) -> Result<()> {
        let root = RootRequest { model: O::DEF, requests, available: false };
        self.load_roots(vec![root], &mut ExistingRows::Taking(rows), true).await
    }

    /// Begins to load associations of structs of several models by one request: [`Together`].
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let mut posts = repo.all(Query::<Post>::new()).await?;
    /// repo.together()
    ///     .preload(&mut user, User::ACCOUNT)
    ///     .preload(&mut posts, Post::USER)
    ///     .run()
    ///     .await?;
    /// assert!(user.account()?.is_some() && posts[0].user()?.is_some());
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn together(&self) -> Together<'_, 'static> {
        Together { repo: self, roots: Vec::new(), existing: Vec::new() }
    }

    pub(crate) async fn preload_rows<O: Model>(&self, rows: &mut [O], requests: Vec<Request>) -> Result<()> {
        let root = RootRequest { model: O::DEF, requests, available: false };
        self.load_roots(vec![root], &mut ExistingRows::Taking(rows), false).await
    }

    // Plans and loads associations of existing rows.
    pub(crate) async fn load_roots(
        &self,
        mut roots: Vec<RootRequest>,
        existing: &mut (dyn Existing + '_),
        force: bool,
    ) -> Result<()> {
        let reload = force.then(|| {
            let mut reload = Reload::default();
            for (at, root) in roots.iter_mut().enumerate() {
                reload.add_rows_between(existing, at, &mut root.requests);
            }
            reload
        });
        let mut plan = self.context().plan(Root::Existing, roots.clone())?;
        if (0..roots.len()).all(|root| existing.len(root) == 0) {
            return Ok(());
        }
        if reload.is_none() {
            let by_hops = preload::joined_in_vain(&plan, existing);
            if !by_hops.is_empty() {
                plan = self.context().plan_by_hops(Root::Existing, roots, &by_hops)?;
            }
        }
        self.load_existing(&plan, existing, reload.as_ref()).await
    }

    // Loads the associations of a plan into existing rows.
    async fn load_existing(
        &self,
        plan: &Plan,
        existing: &mut (dyn Existing + '_),
        reload: Option<&Reload>,
    ) -> Result<()> {
        // Existing rows need no connection. A request whose first step reads another database takes none of this one.
        let aggregated = plan.aggregates().first().map(|step| (step.association.target)());
        let first = plan.steps().first().map(|step| step.select.model).or(aggregated);
        let first = first.unwrap_or(plan.nodes()[0].model);
        let repo = self.in_database_of(first);
        let mut session = repo.session(Access::Read).await?;
        // A single statement is a snapshot by itself. Scopes and statements per owner are several.
        let fetched = match plan.steps() {
            [step] if plan.deferred().is_empty() && plan.aggregates().is_empty() && !step.depends_on_owners() => {
                preload::fetch_existing(&mut session, plan, existing, reload).await
            }
            _ => {
                in_snapshot(&mut session, async |session| {
                    preload::fetch_existing(session, plan, existing, reload).await
                })
                .await
            }
        };
        // Rows are attached after the end of the snapshot, which may fail as well.
        fetched.map_err(|error| with_plan(self, error, plan, None))?.attach(plan, existing);
        Ok(())
    }
}

mod sealed {
    use assoc_core::Model;

    pub trait PreloadTarget<O> {}
    impl<O: Model> PreloadTarget<O> for O {}
    impl<O: Model> PreloadTarget<O> for [O] {}
    impl<O: Model> PreloadTarget<O> for Vec<O> {}
    impl<O: Model> PreloadTarget<O> for Option<O> {}
}

/// Structs whose associations can be loaded: a model, or an `Option`, `Vec` or slice of it.
///
/// Rows in another collection are a slice of it, or are loaded one by one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` holds no rows of the model whose associations are named",
    label = "neither a model nor a `Vec`, a slice or an `Option` of one",
    note = "the association is one of the rows' own model: `repo.preload(&mut users, User::POSTS)`"
)]
pub trait PreloadTarget<O>: sealed::PreloadTarget<O> + Send {
    /// The structs.
    fn rows(&mut self) -> &mut [O];
}

impl<O: Model> PreloadTarget<O> for O {
    fn rows(&mut self) -> &mut [O] {
        std::slice::from_mut(self)
    }
}

impl<O: Model> PreloadTarget<O> for [O] {
    fn rows(&mut self) -> &mut [O] {
        self
    }
}

impl<O: Model> PreloadTarget<O> for Vec<O> {
    fn rows(&mut self) -> &mut [O] {
        self
    }
}

impl<O: Model> PreloadTarget<O> for Option<O> {
    fn rows(&mut self) -> &mut [O] {
        self.as_mut_slice()
    }
}

/// Loaded structs of several models, and the associations to load for each: [`Repo::together`].
///
/// All of them are one request. Look-ups that several models need are one statement: it reads authors of comments and
/// authors of posts at once, and the same holds for the associations below. A row that several others refer to is read
/// once and shared.
///
/// ```
/// # use assoc_repo::prelude::*;
/// # use assoc_sqlite::Sqlite;
/// # #[derive(Model, Debug, Clone)]
/// # pub struct User { pub id: i64, pub name: String }
/// # #[derive(Model, Debug, Clone)]
/// # pub struct Post { pub id: i64, pub user_id: i64, #[belongs_to] pub user: BelongsTo<User> }
/// # #[derive(Model, Debug, Clone)]
/// # pub struct Avatar { pub id: i64, pub user_id: i64, #[belongs_to] pub user: BelongsTo<User> }
/// # pollster::block_on(async {
/// # let repo = Repo::new(Sqlite::memory()?);
/// # repo.create_table::<User>().await?;
/// # repo.create_table::<Post>().await?;
/// # repo.create_table::<Avatar>().await?;
/// # let ada = repo.insert(User::build().set(User::NAME, "Ada")).await?;
/// # let mut posts = repo.insert_all([Post::build().set(Post::USER_ID, ada.id)]).await?;
/// # let mut avatar = repo.insert(Avatar::build().set(Avatar::USER_ID, ada.id)).await?;
/// let loading = repo.together().preload(&mut posts, Post::USER).preload(&mut avatar, Avatar::USER).run();
/// let (done, statements) = repo.count_statements(loading).await;
/// done?;
/// assert_eq!(statements, 1);
/// assert_eq!(posts[0].user()?.name, avatar.user()?.name);
/// # Ok::<(), Error>(()) }).unwrap();
/// ```
#[must_use = "nothing is loaded before it runs"]
pub struct Together<'r, 'h> {
    repo: &'r Repo,
    roots: Vec<RootRequest>,
    existing: Vec<Box<dyn Existing + 'h>>,
}

impl<'r, 'h> Together<'r, 'h> {
    /// Adds structs and the associations to load for them, as [`Repo::preload`] takes them.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let mut posts = repo.all(Query::<Post>::new()).await?;
    /// repo.together().preload(&mut user, User::ACCOUNT).preload(&mut posts, Post::USER).run().await?;
    /// assert!(user.account.is_loaded() && posts[0].user.is_loaded());
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn preload<'a, O: Model>(
        self,
        target: &'a mut (impl PreloadTarget<O> + ?Sized),
        preload: impl IntoPreload<O>,
    ) -> Together<'r, 'a>
    where
        'h: 'a,
    {
        let root = RootRequest { model: O::DEF, requests: preload.into_requests(), available: false };
        self.with(root, Box::new(ExistingRows::Taking(target.rows())))
    }

    /// Offers rows that the program considers up to date. Where the request looks up one of them by its primary key,
    /// without a condition, it copies that row and does not query the database. It looks up other rows as usual, and
    /// also collections, associations with conditions, and models that [`Repo::filtered`] filters. The copy has no
    /// associations.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_sqlite::Sqlite;
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct User { pub id: i64, pub name: String }
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct Post { pub id: i64, pub user_id: i64, #[belongs_to] pub user: BelongsTo<User> }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<User>().await?;
    /// # repo.create_table::<Post>().await?;
    /// # let ada = repo.insert(User::build().set(User::NAME, "Ada")).await?;
    /// # let mut posts = repo.insert_all([Post::build().set(Post::USER_ID, ada.id)]).await?;
    /// let users = [ada];
    /// let loading = repo.together().available(&users).preload(&mut posts, Post::USER).run();
    /// let (done, statements) = repo.count_statements(loading).await;
    /// done?;
    /// assert_eq!((statements, &*posts[0].user()?.name), (0, "Ada"));
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn available<'a, M: Model>(self, rows: &'a [M]) -> Together<'r, 'a>
    where
        'h: 'a,
    {
        let root = RootRequest { model: M::DEF, requests: Vec::new(), available: true };
        self.with(root, Box::new(ExistingRows::Lent(rows)))
    }

    fn with<'a>(self, root: RootRequest, rows: Box<dyn Existing + 'a>) -> Together<'r, 'a>
    where
        'h: 'a,
    {
        let Together { repo, mut roots, existing } = self;
        roots.push(root);
        let mut existing: Vec<Box<dyn Existing + 'a>> =
            existing.into_iter().map(|own| own as Box<dyn Existing + 'a>).collect();
        existing.push(rows);
        Together { repo, roots, existing }
    }

    /// Loads the associations. An association that is loaded already stays and costs nothing. It costs at most 1
    /// statement per association and level, and fewer where several of the structs need the same rows. If a statement
    /// fails, the structs stay unchanged.
    ///
    /// # Errors
    /// As [`Repo::preload`].
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let loading = repo.together().preload(&mut user, User::POSTS);
    /// let (done, statements) = repo.count_statements(loading.run()).await;
    /// done?;
    /// assert_eq!((user.posts()?.len(), statements), (3, 1));
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub async fn run(self) -> Result<()> {
        self.load(false).await
    }

    /// Loads all associations again, even if they are loaded already. It costs at most 1 statement per association and
    /// level.
    ///
    /// # Errors
    /// As [`Repo::preload`].
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// repo.preload(&mut user, User::POSTS).await?;
    /// repo.delete_all(Query::filter(Post::STARS.eq(0))).await?;
    /// repo.together().preload(&mut user, User::POSTS).reload().await?;
    /// assert_eq!(user.posts()?.len(), 2);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub async fn reload(self) -> Result<()> {
        self.load(true).await
    }

    async fn load(mut self, force: bool) -> Result<()> {
        self.repo.load_roots(self.roots, &mut self.existing, force).await
    }
}

impl std::fmt::Debug for Together<'_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let models: Vec<&str> = self.roots.iter().map(|root| root.model.name).collect();
        f.debug_struct("Together").field("models", &models).finish_non_exhaustive()
    }
}
