//! What a client may have of what it asked for.

use std::marker::PhantomData;

use assoc_core::IntoPreload;
use assoc_core::metadata::Request;

/// Associations that a client requested and may have. Pass it to [`Query::preload`](crate::Query::preload).
#[derive(Debug, Clone)]
pub struct Included<M> {
    pub(super) requests: Vec<Request>,
    pub(super) model: PhantomData<fn() -> M>,
}

impl<M> Included<M> {
    /// Whether nothing was asked for.
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// use assoc_repo::Include;
    ///
    /// let allowed = Include::<User>::of(User::POSTS)?;
    /// assert!(allowed.parse("")?.is_empty() && !allowed.parse("posts")?.is_empty());
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }
}

impl<M> IntoPreload<M> for Included<M> {
    fn into_requests(self) -> Vec<Request> {
        self.requests
    }
}
