//! Preloads as a program writes them: `User::POSTS.with(Post::COMMENTS)`.

use std::fmt;
use std::marker::PhantomData;

use super::association::Association;
use crate::metadata::request::Request;

/// A preload of an association of model `O` to `T`: `User::POSTS`, `User::POSTS.with(Post::COMMENTS)`.
pub struct Preload<O, T> {
    pub(crate) request: Request,
    types: PhantomData<fn() -> (O, T)>,
}

impl<O, T> Clone for Preload<O, T> {
    fn clone(&self) -> Self {
        Preload { request: self.request.clone(), types: PhantomData }
    }
}

impl<O, T> PartialEq for Preload<O, T> {
    fn eq(&self, other: &Self) -> bool {
        self.request == other.request
    }
}

impl<O, T> fmt::Debug for Preload<O, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.request, f)
    }
}

impl<O, T, H> From<Association<O, T, H>> for Preload<O, T> {
    fn from(association: Association<O, T, H>) -> Self {
        association.preload()
    }
}

impl<O, T> Preload<O, T> {
    /// The preload as data, for the planner.
    ///
    /// ```
    #[doc = include_str!("../../docs/users.txt")]
    /// let preload = User::POSTS.limit(3);
    /// assert_eq!(preload.request().scope.limit, Some(3));
    /// ```
    #[must_use]
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// Loads an association of the targets as well, for one more statement per association. Several calls add up, and
    /// preloads nest to any depth.
    ///
    /// ```
    #[doc = include_str!("../../docs/users.txt")]
    /// let tree = User::POSTS.filter(Post::STARS.gt(3)).with(Post::USER);
    /// # let _ = tree;
    /// ```
    #[must_use]
    pub fn with(mut self, child: impl IntoPreload<T>) -> Self {
        self.request.children.extend(child.into_requests());
        self
    }

    /// Leaves out the limit and offset that the association declares.
    ///
    /// ```
    #[doc = include_str!("../../docs/users.txt")]
    /// let all = User::POSTS.unlimited(); // where the association is declared with a limit
    /// # assert!(all.request().scope.unlimited);
    /// ```
    #[must_use]
    pub fn unlimited(mut self) -> Self {
        self.request.scope.unlimited = true;
        self
    }
}

impl<O> Preload<O, O> {
    /// Loads the same association below itself, at most `levels` levels in all and at least one. The tree ends at the first
    /// empty level. Pass `usize::MAX` for all levels: the costs depend on the levels that have rows.
    ///
    /// Statements: one a level on SQLite. On the other databases one recursive statement for each 32 levels, where at least three
    /// levels are asked for, the key is a signed integer, the association is a `belongs_to` or a `has_many` without a limit for each
    /// owner, and at most 256 keys begin; one a level otherwise.
    /// A recursion of more than 32 levels over rows that lead back to themselves fails with
    /// [`ErrorKind::PreloadTooDeep`](crate::ErrorKind::PreloadTooDeep).
    ///
    /// ```
    /// # use assoc_core::{HasMany, Preload};
    /// #[derive(assoc_macros::Model, Clone)]
    /// struct Category {
    ///     id: i64,
    ///     parent_id: Option<i64>,
    ///     #[has_many(foreign_key = "parent_id")]
    ///     children: HasMany<Category>,
    /// }
    ///
    /// // At most three levels: three statements.
    /// let tree = Category::CHILDREN.order_by(Category::ID.asc()).recursive(3);
    /// # assert_eq!(tree.request().children.len(), 1);
    /// ```
    #[must_use]
    pub fn recursive(mut self, levels: usize) -> Self {
        if levels > 1 {
            let below = Request { levels: levels - 1, ..self.request.clone() };
            self.request.children.push(below);
        }
        self
    }
}

impl<O, H> Association<O, O, H> {
    /// Loads the same association below itself: [`Preload::recursive`].
    ///
    /// ```
    /// # use assoc_core::{HasMany, Preload};
    /// #[derive(assoc_macros::Model, Clone)]
    /// struct Category {
    ///     id: i64,
    ///     parent_id: Option<i64>,
    ///     #[has_many(foreign_key = "parent_id")]
    ///     children: HasMany<Category>,
    /// }
    ///
    /// let tree = Category::CHILDREN.recursive(usize::MAX);
    /// # assert_eq!(tree, Preload::from(Category::CHILDREN).recursive(usize::MAX));
    /// ```
    #[must_use]
    pub fn recursive(self, levels: usize) -> Preload<O, O> {
        self.preload().recursive(levels)
    }
}

impl<O, T, H> Association<O, T, H> {
    /// Begins a preload tree with this association.
    ///
    /// ```
    #[doc = include_str!("../../docs/users.txt")]
    /// let tree = User::POSTS.preload().with(Post::USER);
    /// assert_eq!(tree, User::POSTS.with(Post::USER));
    /// ```
    #[must_use]
    pub fn preload(self) -> Preload<O, T> {
        Preload { request: Request::new(self.def()), types: PhantomData }
    }

    /// Loads an association of the targets as well: `User::POSTS.with(Post::COMMENTS)`.
    ///
    /// ```
    #[doc = include_str!("../../docs/users.txt")]
    /// let tree = User::POSTS.with(Post::USER); // one statement more, or rows in memory
    /// # let _ = tree;
    /// ```
    #[must_use]
    pub fn with(self, child: impl IntoPreload<T>) -> Preload<O, T> {
        self.preload().with(child)
    }
}

/// What can be preloaded for rows of model `O`: an association, a tree below one, or a tuple of up to twelve of these.
///
/// A program can implement it for another type that stands for preloads, as `Include` of `assoc-repo` does for a
/// client's list of names.
///
/// A type of the program that stands for preloads:
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use assoc_core::IntoPreload;
/// use assoc_core::metadata::Request;
///
/// /// What the page of a user shows.
/// struct UserPage;
///
/// impl IntoPreload<User> for UserPage {
///     fn into_requests(self) -> Vec<Request> {
///         (User::TEAM, User::POSTS.with(Post::COMMENTS)).into_requests()
///     }
/// }
///
/// let names = UserPage.into_requests().into_iter().map(|request| request.association.name);
/// assert_eq!(names.collect::<Vec<_>>(), ["team", "posts"]);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be preloaded for `{O}`",
    label = "neither an association of `{O}` nor a tuple of at most twelve",
    note = "preloads are association tokens of the model they are asked for: `Query::preload(User::POSTS.with(Post::COMMENTS))`",
    note = "a tuple holds at most twelve preloads: for more, put tuples into the tuple or call `preload` once more"
)]
pub trait IntoPreload<O> {
    /// The preloads as data, for the planner.
    fn into_requests(self) -> Vec<Request>;
}

impl<O, T, H> IntoPreload<O> for Association<O, T, H> {
    fn into_requests(self) -> Vec<Request> {
        vec![self.preload().request]
    }
}

impl<O, T> IntoPreload<O> for Preload<O, T> {
    fn into_requests(self) -> Vec<Request> {
        vec![self.request]
    }
}

/// Preloads nothing.
impl<O> IntoPreload<O> for () {
    fn into_requests(self) -> Vec<Request> {
        Vec::new()
    }
}

impl<O, P: IntoPreload<O>> IntoPreload<O> for Option<P> {
    fn into_requests(self) -> Vec<Request> {
        self.map_or_else(Vec::new, IntoPreload::into_requests)
    }
}

impl<O, P: IntoPreload<O>> IntoPreload<O> for Vec<P> {
    fn into_requests(self) -> Vec<Request> {
        self.into_iter().flat_map(IntoPreload::into_requests).collect()
    }
}

macro_rules! several {
    ($($name:ident $index:tt),+) => {
        impl<O, $($name: IntoPreload<O>),+> IntoPreload<O> for ($($name,)+) {
            fn into_requests(self) -> Vec<Request> {
                let mut all = Vec::new();
                $(all.extend(self.$index.into_requests());)+
                all
            }
        }
    };
}

several!(A 0, B 1);
several!(A 0, B 1, C 2);
several!(A 0, B 1, C 2, D 3);
several!(A 0, B 1, C 2, D 3, E 4);
several!(A 0, B 1, C 2, D 3, E 4, F 5);
several!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
several!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
several!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8);
several!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9);
several!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10);
several!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11);
