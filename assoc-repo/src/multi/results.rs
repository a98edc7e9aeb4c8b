//! What the steps gave.

use std::fmt;

use assoc_core::{Error, ErrorKind, Result};

use super::{AnyResult, Step};

#[cfg(doc)]
use super::Multi;

/// What the steps of a [`Multi`] gave.
pub struct StepResults {
    pub(super) multi: u64,
    pub(super) results: Vec<AnyResult>,
}

impl fmt::Debug for StepResults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StepResults").field("steps", &self.results.len()).finish_non_exhaustive()
    }
}

impl StepResults {
    /// What a step gave.
    ///
    /// # Errors
    /// When the step has not run yet, or is of another [`Multi`].
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// use assoc_repo::Multi;
    ///
    /// let mut multi = Multi::new();
    /// let post = multi.insert("post", Post::build().set(Post::TITLE, "Cards"));
    /// let done = repo.run(&multi).await?;
    /// assert_eq!(done.get(post)?.title, "Cards");
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn get<T: Send + Sync + 'static>(&self, step: Step<T>) -> Result<&T> {
        self.check(step)?;
        self.results.get(step.index).and_then(|result| result.downcast_ref()).ok_or_else(not_yet)
    }

    /// What a step gave, taken out.
    ///
    /// # Errors
    /// As [`get`](Self::get), and when it was taken out before.
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// use assoc_repo::Multi;
    ///
    /// let mut multi = Multi::new();
    /// let step = multi.insert("post", Post::build().set(Post::TITLE, "Cards"));
    /// let mut done = repo.run(&multi).await?;
    /// let post: Post = done.take(step)?;
    /// assert!(post.title == "Cards" && done.get(step).is_err());
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn take<T: Send + Sync + 'static>(&mut self, step: Step<T>) -> Result<T> {
        self.check(step)?;
        let Some(slot) = self.results.get_mut(step.index).filter(|result| result.is::<T>()) else {
            return Err(not_yet());
        };
        let taken = std::mem::replace(slot, Box::new(()));
        taken.downcast().map(|result| *result).map_err(|_| not_yet())
    }

    fn check<T>(&self, step: Step<T>) -> Result<()> {
        if step.multi == self.multi {
            return Ok(());
        }
        Err(ErrorKind::Transaction("the step is of another `Multi`: its result is among those of that one").into())
    }
}

#[cold]
fn not_yet() -> Error {
    ErrorKind::Transaction("the step has no result here: it comes later, or the result was taken out").into()
}
