//! Scopes as a program writes them: what a function named by `scope = f` receives and returns.

use std::fmt;
use std::marker::PhantomData;

use super::preload::IntoPreload;
use crate::metadata::request::{Request, ScopeDef};

/// Builds the scope of an association or model: what a function named by `scope = f` receives and returns.
///
/// ```
#[doc = include_str!("../../docs/users.txt")]
/// # use assoc_core::Scope;
/// fn latest(posts: Scope<Post>) -> Scope<Post> {
///     posts.filter(Post::STARS.gt(3)).order_by(Post::ID.desc()).limit(3)
/// }
/// # let _ = latest;
/// ```
pub struct Scope<T> {
    pub(crate) scope: ScopeDef,
    target: PhantomData<fn() -> T>,
}

impl<T> Clone for Scope<T> {
    fn clone(&self) -> Self {
        Scope { scope: self.scope.clone(), target: PhantomData }
    }
}

impl<T> PartialEq for Scope<T> {
    fn eq(&self, other: &Self) -> bool {
        self.scope == other.scope
    }
}

impl<T> fmt::Debug for Scope<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.scope, f)
    }
}

impl<T> Default for Scope<T> {
    fn default() -> Self {
        Scope::new()
    }
}

impl<T> Scope<T> {
    /// A scope of every row, in no declared order.
    ///
    /// ```
    #[doc = include_str!("../../docs/users.txt")]
    /// # use assoc_core::Scope;
    /// assert_eq!(Scope::<Post>::new(), Scope::default());
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Scope { scope: ScopeDef::default(), target: PhantomData }
    }

    /// Loads an association of the rows whenever the rows are loaded (F111), for one more statement per association.
    ///
    /// ```
    #[doc = include_str!("../../docs/users.txt")]
    /// # use assoc_core::Scope;
    /// fn with_user(posts: Scope<Post>) -> Scope<Post> { // for `#[has_many(scope = with_user)]`
    ///     posts.preload(Post::USER)
    /// }
    /// # assert_ne!(with_user(Scope::new()), Scope::new());
    /// ```
    #[must_use]
    pub fn preload(mut self, preload: impl IntoPreload<T>) -> Self {
        self.scope.includes.extend(preload.into_requests().into_iter().map(Request::into_include));
        self
    }

    /// The scope as data, for the planner.
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use assoc_core::Scope;
    ///
    /// let scope = Scope::<Post>::new().filter(Post::TITLE.ne("")).limit(3).into_def();
    /// assert_eq!((scope.limit, scope.filter), (Some(3), Post::TITLE.ne("").into_expr()));
    /// ```
    #[must_use]
    pub fn into_def(self) -> ScopeDef {
        self.scope
    }
}
