//! Preloads by name, at run time: `posts.comments`, as in a JSON:API `?include=`.
//!
//! Names from the program's code go to [`Select::preload_path`]. Names from outside go through an [`Include`], which
//! knows the allowed paths. It refuses all other paths, and more paths than its limit, before any statement runs.

use std::marker::PhantomData;

use assoc_core::metadata::{Chain, ModelDef, Request};
use assoc_core::{Error, ErrorKind, IntoPreload, Model, Result};

use crate::query::{Query, Select};

impl<M: Model> Query<M> {
    /// Begins a query with [`Select::preload_path`].
    ///
    /// # Errors
    /// When a name on the path does not exist.
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
        self.preloads.push(request(M::DEF, path)?);
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
                let targets = Chain::keys(association).ok()?.targets();
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
    Ok(Chain::keys(model.association(name)?)?.targets())
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

/// The associations that a client may request by name.
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
#[derive(Debug, Clone)]
pub struct Include<M> {
    // In their order. They also allow what they pass.
    paths: Vec<String>,
    most: usize,
    deepest: usize,
    model: PhantomData<fn() -> M>,
}

impl<M: Model> Include<M> {
    /// Allows these paths and the paths that they pass through, but not the paths below them.
    ///
    /// # Errors
    /// When a path names an association that does not exist.
    pub fn allow<P: Into<String>>(paths: impl IntoIterator<Item = P>) -> Result<Self> {
        let mut allowed = Vec::new();
        for path in paths {
            let path: String = path.into();
            request(M::DEF, &path)?;
            allowed.push(path);
        }
        allowed.sort_unstable();
        allowed.dedup();
        Ok(Include { paths: allowed, most: 20, deepest: usize::MAX, model: PhantomData })
    }

    /// Limits the number of paths in one request; without this call the limit is 20.
    #[must_use]
    pub fn at_most(mut self, paths: usize) -> Self {
        self.most = paths;
        self
    }

    /// Limits the levels of a path, even where deeper paths are allowed. This bound does not depend on the list of
    /// allowed paths.
    #[must_use]
    pub fn at_most_levels(mut self, levels: usize) -> Self {
        self.deepest = levels;
        self
    }

    /// Reads a comma-separated list of paths. Empty parts are skipped, so an empty list requests no association.
    ///
    /// # Errors
    /// [`ErrorKind::UnknownAssociation`] with the allowed paths for a path that is not allowed, and
    /// [`ErrorKind::InvalidQuery`] for too many paths or levels.
    pub fn parse(&self, list: &str) -> Result<Included<M>> {
        let requested: Vec<&str> = list.split(',').map(str::trim).filter(|path| !path.is_empty()).collect();
        if requested.len() > self.most {
            let message =
                format!("{} associations are asked for at once; at most {} may be", requested.len(), self.most);
            return Err(Error::invalid_query(M::DEF.name, message));
        }
        let levels = |path: &&&str| path.split('.').count();
        if let Some(path) = requested.iter().find(|path| levels(path) > self.deepest) {
            let path: String = path.chars().take(100).collect();
            let message =
                format!("`{path}` is deeper than {} levels, which is all that may be asked for", self.deepest);
            return Err(Error::invalid_query(M::DEF.name, message));
        }
        let mut requests = Vec::with_capacity(requested.len());
        for path in requested {
            if !self.allows(path) {
                let known = M::DEF.associations.iter().map(|association| association.name);
                return Err(ErrorKind::UnknownAssociation {
                    model: M::DEF.name,
                    name: path.chars().take(100).collect(),
                    known: known.filter(|name| self.allows(name)).collect(),
                }
                .into());
            }
            requests.push(request(M::DEF, path)?);
        }
        Ok(Included { requests, model: PhantomData })
    }

    // Whether a path is allowed, or passed by one that is.
    fn allows(&self, path: &str) -> bool {
        let passes =
            |allowed: &str| allowed.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        // Names have no character before the dot that separates them, so a path is followed by those that go on from it.
        let at = self.paths.partition_point(|allowed| allowed.as_str() < path);
        self.paths.get(at).is_some_and(|allowed| passes(allowed))
    }
}

/// Associations that a client requested and may have. Pass it to [`Query::preload`].
#[derive(Debug, Clone)]
pub struct Included<M> {
    requests: Vec<Request>,
    model: PhantomData<fn() -> M>,
}

impl<M> IntoPreload<M> for Included<M> {
    fn into_requests(self) -> Vec<Request> {
        self.requests
    }
}
