//! Preloads by name, at run time: `posts.comments`, as in a JSON:API `?include=`.
//!
//! Names from the program's code go to [`Select::preload_path`]. Names from outside go through an [`Include`], which holds the
//! tree that is allowed, each association with its shape. It refuses all other names, and more paths than its limit, before
//! any statement runs.

use std::collections::HashSet;
use std::marker::PhantomData;

use assoc_core::metadata::{AssociationDef, Chain, ModelDef, Request};
use assoc_core::planner::{Plan, Root};
use assoc_core::{Error, ErrorKind, IncludeProblem, IntoPreload, InvalidInclude, Model, Result};

use crate::query::{Query, Select};

mod included;
mod wanted;

pub use included::Included;
pub use wanted::{Wanted, WantedPlace};

impl<M: Model> Query<M> {
    /// Begins a query with [`Select::preload_path`].
    ///
    /// # Errors
    /// When a name on the path does not exist.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let query = Query::<User>::preload_path("posts.user")?;
    /// let user = repo.one(query).await?.expect("a user");
    /// assert!(user.posts()?[0].user.is_loaded());
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn preload_path(path: &str) -> Result<Select<M>> {
        Self::new().preload_path(path)
    }
}

impl<M: Model> Select<M> {
    /// Loads associations named at run time, each below the one before: `"posts.comments"`. It costs what
    /// [`preload`](Self::preload) costs. For names from outside the program use [`Include`].
    ///
    /// # Errors
    /// [`ErrorKind::UnknownAssociation`] with the model and the names that exist, before any SQL.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct User { pub id: i64, #[has_many] pub posts: HasMany<Post> }
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct Post { pub id: i64, pub user_id: i64 }
    /// let query = Query::<User>::preload_path("posts")?;
    /// let error = Query::<User>::preload_path("postz").unwrap_err();
    /// assert_eq!(error.to_string(), "model User has no association `postz`; it has: posts");
    /// # Ok::<(), Error>(())
    /// ```
    pub fn preload_path(mut self, path: &str) -> Result<Self> {
        self.parts.preloads.push(request(M::DEF, path)?);
        Ok(self)
    }
}

// The request of a path. Every variant of a polymorphic association that knows the next name takes part. A path may have any
// length and come by a model again and again: what lies below a model at one name is one list, shared by all that lead there.
fn request(model: &'static ModelDef, path: &str) -> Result<Request> {
    let names: Vec<&str> = path.split('.').collect();
    // The models on which each name is looked up.
    let mut models: Vec<Vec<&'static ModelDef>> = vec![vec![model]];
    for name in &names[..names.len() - 1] {
        let mut next: Vec<&'static ModelDef> = Vec::new();
        for target in models.last().into_iter().flatten().filter_map(|model| targets(model, name).ok()).flatten() {
            if !next.contains(&target) {
                next.push(target);
            }
        }
        if next.is_empty() {
            break;
        }
        models.push(next);
    }
    let mut below: Vec<(&'static ModelDef, Request)> = Vec::new();
    for (at, models) in models.iter().enumerate().rev() {
        let is_last = at + 1 == names.len();
        let of_model = |model: &&'static ModelDef| {
            let association = model.association(names[at]).ok()?;
            let mut request = Request::new(association);
            if !is_last {
                let targets = targets_of(association).ok()?;
                let own = |target: &&'static ModelDef| below.iter().find(|(model, _)| model == target);
                request.children = targets.iter().filter_map(own).map(|(_, request)| request.clone()).collect();
                if request.children.is_empty() && !targets.is_empty() {
                    return None;
                }
            }
            Some((*model, request))
        };
        let requests: Vec<(&'static ModelDef, Request)> = models.iter().filter_map(of_model).collect();
        below = requests;
    }
    match below.pop() {
        Some((_, request)) => Ok(request),
        None => Err(refusal(model, &names)),
    }
}

fn targets(model: &'static ModelDef, name: &str) -> Result<Vec<&'static ModelDef>> {
    targets_of(model.association(name)?)
}

// Why there is no such path. The variant that knows the next name has the better message about what follows it.
fn refusal(mut model: &'static ModelDef, names: &[&str]) -> Error {
    for (at, name) in names.iter().enumerate() {
        let targets = match targets(model, name) {
            Ok(targets) => targets,
            Err(error) => return error,
        };
        let Some(next) = names.get(at + 1) else { break };
        let knows_next = targets.iter().rev().find(|target| target.association(next).is_ok());
        let Some(target) = knows_next.or(targets.first()) else { break };
        model = target;
    }
    Error::invalid_query(
        model.name,
        format!("`{}` leads nowhere", names.join(".").chars().take(100).collect::<String>()),
    )
}

/// What a client may request by name: associations with their shape, and what is allowed below each.
///
/// The allowed tree is a preload like any other. A client gets the parts of it that it names, with the conditions, orders and
/// limits that the program gave them. Aggregates are named by their fields.
///
/// ```
/// # use assoc_repo::prelude::*;
/// # use assoc_repo::Include;
/// # #[derive(Model, Debug, Clone)]
/// # pub struct User {
/// #     pub id: i64,
/// #     #[has_many] pub posts: HasMany<Post>,
/// #     pub posts_count: Aggregated<i64>,
/// # }
/// # #[derive(Model, Debug, Clone)]
/// # pub struct Post { pub id: i64, pub user_id: i64, pub published: bool, #[belongs_to] pub user: BelongsTo<User> }
/// let allowed = Include::<User>::of((
///     User::POSTS.filter(Post::PUBLISHED.eq(true)).order_by(Post::ID.desc()).limit(10).with(Post::USER),
///     User::POSTS.count_into(User::POSTS_COUNT),
/// ))?;
/// let query = Query::preload(allowed.parse("posts.user, posts_count")?);
///
/// let error = allowed.parse("posts.secrets").unwrap_err();
/// let ErrorKind::InvalidInclude(invalid) = error.kind() else { panic!("{error}") };
/// assert_eq!((invalid.path(), invalid.part(), invalid.allowed()), ("posts.secrets", "secrets", &["user".to_owned()][..]));
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Include<M> {
    tree: Vec<Request>,
    most: usize,
    deepest: usize,
    model: PhantomData<fn() -> M>,
}

impl<M: Model> Include<M> {
    /// Allows a tree of preloads and each part of it that begins at the top. Every association comes with what the tree says
    /// of it: conditions, order, limit, columns. `recursive` allows as many levels as it says.
    ///
    /// # Errors
    /// [`ErrorKind::ConflictingPreload`] when an association stands in one place with two shapes, and the errors of planning
    /// the tree.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// use assoc_repo::Include;
    ///
    /// let allowed = Include::<User>::of(User::POSTS.limit(2).with(Post::USER))?;
    /// let user = repo.one(Query::preload(allowed.parse("posts")?)).await?.expect("a user");
    /// assert_eq!(user.posts()?.len(), 2);
    /// assert!(allowed.parse("posts.user").is_ok() && allowed.parse("account").is_err());
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn of(tree: impl IntoPreload<M>) -> Result<Self> {
        let tree = tree.into_requests();
        // The plan refuses what no query could load.
        Plan::new(M::DEF, Root::Fetched, tree.clone())?;
        Ok(Include::with_tree(tree))
    }

    /// Allows these paths and the paths that they pass through, but not the paths below them.
    ///
    /// # Errors
    /// When a path names an association that does not exist.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_repo::Include;
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct User { pub id: i64, #[has_many] pub posts: HasMany<Post> }
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct Post { pub id: i64, pub user_id: i64, #[belongs_to] pub user: BelongsTo<User> }
    /// let allowed = Include::<User>::allow(["posts", "posts.user"])?;
    /// let query = Query::preload(allowed.parse("posts.user, posts")?);
    /// assert!(allowed.parse("posts.user.posts").is_err());
    /// # Ok::<(), Error>(())
    /// ```
    pub fn allow<P: Into<String>>(paths: impl IntoIterator<Item = P>) -> Result<Self> {
        let mut tree = Vec::new();
        for path in paths {
            tree.push(request(M::DEF, &path.into())?);
        }
        Ok(Include::with_tree(tree))
    }

    fn with_tree(tree: Vec<Request>) -> Self {
        Include { tree, most: 20, deepest: usize::MAX, model: PhantomData }
    }

    /// Limits the number of paths in one request; without this call the limit is 20.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// use assoc_repo::Include;
    ///
    /// let allowed = Include::<User>::of((User::POSTS, User::ACCOUNT))?.at_most(1);
    /// assert!(allowed.parse("posts").is_ok() && allowed.parse("posts, account").is_err());
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn at_most(mut self, paths: usize) -> Self {
        self.most = paths;
        self
    }

    /// Limits the levels of a path, even where deeper paths are allowed. This bound does not depend on what is allowed.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// use assoc_repo::Include;
    ///
    /// let allowed = Include::<User>::of(User::POSTS.with(Post::USER))?.at_most_levels(1);
    /// assert!(allowed.parse("posts").is_ok() && allowed.parse("posts.user").is_err());
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn at_most_levels(mut self, levels: usize) -> Self {
        self.deepest = levels;
        self
    }

    /// Reads a comma-separated list of paths. Empty parts of the list are skipped, so an empty list requests no association.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInclude`] for a name that is not allowed in its place, a path with an empty name, too many paths
    /// and too many levels. It names the part that is wrong and what is allowed there.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// use assoc_repo::Include;
    ///
    /// let allowed = Include::<User>::of((User::POSTS, User::ACCOUNT))?;
    /// let user = repo.one(Query::preload(allowed.parse("posts, account")?)).await?.expect("a user");
    /// assert!(user.posts.is_loaded() && user.account.is_loaded());
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn parse(&self, list: &str) -> Result<Included<M>> {
        self.paths(list.split(',').map(str::trim).filter(|path| !path.is_empty()))
    }

    /// Takes paths one by one: of a client that sends them as a list.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// use assoc_repo::Include;
    ///
    /// let allowed = Include::<User>::of((User::POSTS, User::ACCOUNT))?;
    /// let query = Query::preload(allowed.paths(["posts", "account"])?);
    /// assert!(repo.all(query).await?[0].account.is_loaded());
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn paths<'p>(&self, paths: impl IntoIterator<Item = &'p str>) -> Result<Included<M>> {
        let mut wanted = Wanted::new();
        for (at, path) in paths.into_iter().enumerate() {
            if at >= self.most {
                let problem = IncludeProblem::TooMany { most: self.most };
                return Err(invalid(path, path, problem));
            }
            let mut names = path.split('.');
            if let Some(name) = names.clone().nth(self.deepest) {
                let problem = IncludeProblem::TooDeep { most: self.deepest };
                return Err(invalid(path, name, problem));
            }
            if names.any(|name| name.trim().is_empty()) {
                return Err(invalid(path, "", IncludeProblem::EmptyName));
            }
            wanted.add_path(path);
        }
        self.choose(&wanted, Unknown::Refused)
    }

    /// Takes a tree of names that is built at run time, each of which must be allowed. The limit on paths counts its longest
    /// paths.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_repo::{Include, Wanted};
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct User { pub id: i64, #[has_many] pub posts: HasMany<Post> }
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct Post { pub id: i64, pub user_id: i64 }
    /// let allowed = Include::<User>::of(User::POSTS.limit(10))?;
    /// let query = Query::preload(allowed.pick(&Wanted::from_iter(["posts"]))?);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn pick(&self, wanted: &Wanted) -> Result<Included<M>> {
        self.within_limits(wanted)?;
        self.choose(wanted, Unknown::Refused)
    }

    /// As [`pick`](Self::pick), where names that are not allowed ask for nothing: for a GraphQL selection, which names columns
    /// as well as associations.
    ///
    /// # Errors
    /// For too many paths and too many levels, as [`parse`](Self::parse).
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// use assoc_repo::{Include, Wanted};
    ///
    /// let allowed = Include::<User>::of(User::POSTS)?;
    /// let selected = Wanted::from_iter(["posts.title", "id"]);
    /// assert!(allowed.pick(&selected).is_err());
    /// let query = Query::preload(allowed.pick_known(&selected)?);
    /// assert!(repo.all(query).await?[0].posts.is_loaded());
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn pick_known(&self, wanted: &Wanted) -> Result<Included<M>> {
        self.choose(wanted, Unknown::Skipped)
    }

    fn within_limits(&self, wanted: &Wanted) -> Result<()> {
        let paths = wanted.paths();
        if paths.len() > self.most {
            let path = &paths[self.most];
            let problem = IncludeProblem::TooMany { most: self.most };
            return Err(invalid(path, path, problem));
        }
        Ok(())
    }

    // The parts of the allowed tree that are wanted. Neither tree is walked by recursion: both may be of any depth.
    fn choose(&self, wanted: &Wanted, unknown: Unknown) -> Result<Included<M>> {
        // What is allowed at each place; `None` where a name is skipped.
        let mut found: Vec<Option<Found>> = vec![Some(Found { chosen: self.tree.clone(), level: 0 })];
        let mut above_of: Vec<usize> = vec![0];
        let mut picked = 0;
        for (at, above, name) in wanted.places() {
            above_of.push(above);
            let Some(place) = &mut found[above] else {
                found.push(None);
                continue;
            };
            let level = place.level + 1;
            let allowed = if above == 0 { place.chosen.clone() } else { below(&place.chosen) };
            let chosen = once(allowed.iter().filter(|request| name_of(request) == name));
            let refused = if chosen.is_empty() {
                let mut names: Vec<String> = allowed.iter().map(|request| name_of(request).to_owned()).collect();
                names.sort_unstable();
                names.dedup();
                Some(IncludeProblem::NotAllowed { allowed: names })
            } else {
                (level > self.deepest).then_some(IncludeProblem::TooDeep { most: self.deepest })
            };
            match (refused, unknown) {
                (Some(IncludeProblem::NotAllowed { .. }), Unknown::Skipped) => found.push(None),
                (Some(problem), _) => {
                    return Err(invalid(&wanted.path(at), name, problem));
                }
                (None, _) => {
                    picked += 1;
                    found.push(Some(Found { chosen, level }));
                }
            }
        }
        if unknown == Unknown::Skipped && picked > self.most {
            let problem = IncludeProblem::TooMany { most: self.most };
            return Err(invalid("", "", problem));
        }
        // From the ends to the root: what is below a place is complete before the place is.
        let mut wanted_below: Vec<Vec<Request>> = vec![Vec::new(); found.len()];
        for at in (1..found.len()).rev() {
            let Some(Found { chosen, .. }) = found[at].take() else { continue };
            let mut children = std::mem::take(&mut wanted_below[at]);
            children.reverse();
            let mut requests = with_children(chosen, &children, wanted.is_end(at))?;
            // The last comes first.
            requests.reverse();
            wanted_below[above_of[at]].extend(requests);
        }
        let mut requests = wanted_below.swap_remove(0);
        requests.reverse();
        Ok(Included { requests, model: PhantomData })
    }
}

fn invalid(path: &str, part: &str, problem: IncludeProblem) -> Error {
    ErrorKind::InvalidInclude(InvalidInclude::new(path, part, problem)).into()
}

/// What becomes of a name that is not allowed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unknown {
    Refused,
    Skipped,
}

/// What is allowed at a place: a request for each model that knows the name, or several for one.
struct Found {
    chosen: Vec<Request>,
    level: usize,
}

// What a client calls a request: the association, or the field that an aggregate goes to.
fn name_of(request: &Request) -> &'static str {
    let field = request.aggregate.as_ref().and_then(|aggregate| aggregate.field);
    field.map_or(request.association.name, |field| field.name)
}

// Requests with the same parts below them are one: a tree may hold one part in many places.
fn once<'r>(requests: impl Iterator<Item = &'r Request>) -> Vec<Request> {
    let mut kept: Vec<Request> = Vec::new();
    let mut known = HashSet::new();
    for request in requests {
        let model = (request.association.owner)().type_id();
        if known.insert((model, name_of(request), request.children.as_ptr(), request.levels)) {
            kept.push(request.clone());
        }
    }
    kept
}

// What is allowed below some requests.
fn below(requests: &[Request]) -> Vec<Request> {
    requests.iter().flat_map(|request| request.clone().take_children()).collect()
}

// The requests of one place, each association once, with those of the children that begin at its targets.
fn with_children(chosen: Vec<Request>, children: &[Request], is_end: bool) -> Result<Vec<Request>> {
    let mut requests: Vec<Request> = Vec::with_capacity(chosen.len());
    for mut request in chosen {
        let same = |known: &Request| known.association == request.association && known.aggregate == request.aggregate;
        if requests.iter().any(same) {
            continue;
        }
        let targets = targets_of(request.association)?;
        let own = |child: &&Request| targets.contains(&(child.association.owner)());
        request.children = children.iter().filter(own).cloned().collect();
        request.levels = 1;
        // Of a name that several models know, only those take part that know the names below it as well.
        if request.children.is_empty() && !children.is_empty() && !is_end {
            continue;
        }
        requests.push(request);
    }
    Ok(requests)
}

fn targets_of(association: &'static AssociationDef) -> Result<Vec<&'static ModelDef>> {
    Ok(Chain::keys(association)?.targets())
}
