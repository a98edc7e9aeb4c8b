//! Which associations that may be joined are: those that a condition, an order or a join of the query refers to.

use super::merge::merge;
use crate::error::Result;
use crate::metadata::request::{Request, Strategy};

/// Settles what is left to choose in requests for rows of one model: an association is joined if one of these paths leads
/// through it. What no path leads to stays as it is and is loaded by key.
///
/// # Errors
/// When two requests ask for one association with different scopes.
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
