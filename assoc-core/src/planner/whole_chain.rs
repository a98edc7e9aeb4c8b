//! Decides when one statement joins the whole chain of an association: not where other requests load the intermediate
//! rows anyway.

use super::{Fetch, Plan};
use crate::metadata::association::AssociationDef;

impl Plan {
    /// Whether a statement that joins the tables of a chain has a condition in SQL of the application's, which a hook put
    /// there. Of the steps from one on.
    pub(super) fn joins_raw(&self, from: usize) -> bool {
        self.steps[from..].iter().any(|step| match &step.fetch {
            Fetch::JoinChain(join_chain) => join_chain.has_raw(),
            Fetch::ByKey
            | Fetch::OwnerScope(_)
            | Fetch::OwnerScopeThrough(_)
            | Fetch::CustomSql(_)
            | Fetch::Function(_) => false,
        })
    }
}

/// Whether other requests load the intermediate rows of an association anyway: directly, or as a part of another
/// association.
pub(super) fn is_between_loaded(association: &AssociationDef, siblings: &[&'static AssociationDef]) -> bool {
    let Some([through, _]) = association.kind.parts() else { return false };
    siblings.iter().any(|sibling| {
        let by_itself = *sibling == through;
        match sibling.kind.parts() {
            None => by_itself,
            // One with a condition is one statement over all tables.
            Some([between, _]) => (between == through || by_itself) && sibling.scope().filter.is_always(),
        }
    })
}
