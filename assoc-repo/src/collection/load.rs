//! Loading a collection into its owner.

use assoc_core::{Model, Result};

use super::Collection;
use crate::association_handle::ToManyAssociation;

impl<O: Model, T: Model, A: ToManyAssociation<O, T>> Collection<'_, &mut O, T, A> {
    /// Loads the members into the owner, and answers with them. Loaded: no statement. Otherwise, also if a part is loaded, the
    /// statements of a [preload](crate::Repo::preload): 1, or fewer where rows are in memory already.
    ///
    /// # Errors
    /// As [`Repo::preload`](crate::Repo::preload). The owner stays as it is then.
    pub async fn load(&mut self) -> Result<Vec<&T>> {
        self.handle.load().await?;
        Ok(self.target().unwrap_or_default())
    }

    /// Loads the members into the owner again, even if they are loaded, and answers with them. It costs 1 statement; behind
    /// others also those of the rows between that the owner holds.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub async fn reload(&mut self) -> Result<Vec<&T>> {
        self.handle.reload().await?;
        Ok(self.target().unwrap_or_default())
    }

    /// Forgets the members in memory: the association is not loaded then. It costs no statement.
    pub fn reset(&mut self) {
        self.handle.reset();
    }

    /// The number of members, which are loaded for it. Loaded: no statement. Otherwise those of [`load`](Self::load).
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub async fn len(&mut self) -> Result<usize> {
        Ok(self.load().await?.len())
    }
}
