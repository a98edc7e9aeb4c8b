//! The counter of the owner that stands for the number of members.

use assoc_core::counters::CountedCollection;
use assoc_core::{Model, Value};

use super::Collection;
use crate::association_handle::{OwnerRef, ToManyAssociation};

impl<R: OwnerRef, T: Model, A: ToManyAssociation<R::Owner, T>> Collection<'_, R, T, A> {
    /// The number of members that the owner's counter cache says. `None` if the database has to be asked: there is no counter
    /// of exactly these rows, it is not active (`counter_cache_active = false`), it holds no number, or the repo hides rows.
    pub(super) fn counted(&self) -> Option<u64> {
        let counted = CountedCollection::standing_for(self.reflection())?;
        if let Some(hook) = &self.handle.repo.filters
            && [counted.children, T::DEF].into_iter().any(|model| hook(model).is_some())
        {
            return None;
        }
        // An owner without a key has no members, also if its counter says otherwise.
        R::Owner::DEF.key_in(self.owner(), counted.key)?;
        match self.owner().value(counted.counter) {
            Value::Int(number) => u64::try_from(number).ok(),
            Value::UInt(number) => Some(number),
            _ => None,
        }
    }
}
