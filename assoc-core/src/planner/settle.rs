//! Which associations that may be joined are: those that a condition, an order or a join of the query refers to.

use super::merge::merge;
use crate::error::Result;
use crate::metadata::request::{Request, Strategy};

/// Settles what is left to choose in requests for rows of one model: an association is joined if one of these paths leads
/// through it. What no path leads to stays as it is and is loaded by key.
///
/// # Errors
/// When two requests ask for one association with different scopes.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use assoc_core::IntoPreload;
/// use assoc_core::metadata::Strategy;
/// use assoc_core::planner::settled;
///
/// // `includes((User::TEAM, User::POSTS))`, and a condition on the posts.
/// let requests = (User::TEAM, User::POSTS).into_requests().into_iter();
/// let requests = requests.map(|request| request.with_strategy(Strategy::Auto)).collect();
/// let settled = settled(requests, &[&["posts"]])?;
/// let joined = settled.iter().filter(|request| request.strategy == Strategy::Joined);
/// assert_eq!(joined.map(|request| request.association.name).collect::<Vec<_>>(), ["posts"]);
/// # Ok::<(), assoc_core::Error>(())
/// ```
pub fn settled(requests: Vec<Request>, referred_to: &[&[&'static str]]) -> Result<Vec<Request>> {
    let settle = |mut request: Request| {
        let through = referred_to.iter().filter_map(|path| path.split_first());
        let through = through.filter(|(name, _)| **name == request.association.name);
        let onward: Vec<&[&'static str]> = through.map(|(_, onward)| onward).collect();
        if onward.is_empty() {
            return Ok(request);
        }
        if request.strategy == Strategy::Auto {
            request.strategy = Strategy::Joined;
        }
        // As deep as the longest of the paths, each of whose names is a table of the statement.
        if onward.iter().any(|path| !path.is_empty()) {
            request.children = settled(request.take_children(), &onward)?.into();
        }
        Ok(request)
    };
    merge(requests)?.into_iter().map(settle).collect()
}
