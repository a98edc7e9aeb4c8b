//! The guards of a filtered repo for all models of a save.

use std::any::TypeId;
use std::collections::HashMap;

use assoc_core::save::SavePlan;
use assoc_core::{ModelDef, Result, RowKeys};

use crate::repo::Repo;
use crate::row_guard::RowGuard;
use crate::session::Session;

/// For each model of a plan its guard. None of a repo that is not filtered.
pub(super) struct Guards<'r>(HashMap<TypeId, RowGuard<'r>>);

impl<'r> Guards<'r> {
    pub(super) fn of(repo: &'r Repo, plan: &SavePlan) -> Result<Self> {
        let mut guards = HashMap::new();
        for model in plan.models() {
            if !guards.contains_key(&model.type_id())
                && let Some(guard) = RowGuard::of(repo, model)?
            {
                guards.insert(model.type_id(), guard);
            }
        }
        Ok(Guards(guards))
    }

    pub(super) fn get(&self, model: &ModelDef) -> Option<&RowGuard<'r>> {
        self.0.get(&model.type_id())
    }

    /// Refuses links to rows that the repo does not see: rows that exist and are not written themselves. 1 statement for
    /// each filtered model that has such rows, for as many keys as a statement takes.
    pub(super) async fn check_linked(&self, session: &mut Session<'_>, plan: &SavePlan) -> Result<()> {
        for guard in self.0.values() {
            let rows = plan.rows().iter().filter(|row| guard.is_of(row.model) && !row.is_written());
            let keys = rows.filter_map(|row| row.base.as_deref().map(|base| row.model.key_of(base)));
            guard.check_linked(session, RowKeys::Tuples(keys.collect())).await?;
        }
        Ok(())
    }
}
