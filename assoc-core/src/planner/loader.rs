//! Steps whose rows come from a function of the application ([`Loader`]).

use super::Plan;
use crate::error::{Error, Result};
use crate::joins::cannot_join;
use crate::metadata::association::{AssociationDef, Hop, LoadState, Route};
use crate::metadata::loader::Loader;
use crate::metadata::request::Shape;
use crate::sql::KeyedSelect;

impl Plan {
    // The select says whose rows they are and which of their columns hold the key; it is never written.
    pub(super) fn add_loader(
        &mut self,
        node: usize,
        association: &'static AssociationDef,
        hop: Hop,
        loader: Loader,
    ) -> Result<usize> {
        if loader.key_width() != hop.owner_columns.len() {
            let message = format!(
                "the function given to `load_with` for `{}` takes keys of {} columns, and the association's has {}",
                association.name,
                loader.key_width(),
                hop.owner_columns.len()
            );
            return Err(Error::invalid_query((association.owner)().name, message));
        }
        let select = KeyedSelect::new((association.target)(), hop.target_columns);
        let edge = self.push_edge(node, association, hop, select, LoadState::Loaded, false, false, None, false);
        if let Some(step) = self.steps.last_mut() {
            step.loader = Some(loader);
        }
        Ok(edge)
    }
}

/// Refuses what cannot go together with a function.
pub(super) fn check_loader(association: &AssociationDef, loader: &Loader, shape: &Shape, joined: bool) -> Result<()> {
    let model = (association.owner)().name;
    if joined {
        return Err(cannot_join(association, "takes its rows from a function (`load_with`)"));
    }
    if *shape != Shape::default() {
        let message = format!(
            "`{}` is loaded with a function: what it returns is taken as it is, so filter, sort and cut in there",
            association.name
        );
        return Err(Error::invalid_query(model, message));
    }
    let target = (association.target)();
    // Requests are data: one may have been put together by hand. A polymorphic association is refused with the others.
    if loader.target() != target && matches!(association.kind.route(association), Ok(Route::Direct(_))) {
        let message =
            format!("`{}` leads to {}, and its function gives {}", association.name, target.name, loader.target().name);
        return Err(Error::invalid_query(model, message));
    }
    Ok(())
}
