//! Steps whose rows come from a function of the application ([`Loader`]).

use super::build::{Columns, LoadedBy, NewEdge, Role};
use super::grouping::check_group;
use super::{Fetch, Plan};
use crate::error::{Error, Result};
use crate::joins::cannot_join;
use crate::metadata::association::{Chain, LoadState};
use crate::metadata::loader::Loader;
use crate::metadata::request::ScopeDef;
use crate::select::KeyedSelect;

impl Plan {
    // The select says whose rows they are and which of their columns hold the key; it is never written.
    pub(super) fn add_loader(&mut self, node: usize, chain: &Chain, loader: Loader) -> Result<usize> {
        let association = chain.association;
        check_group(chain)?;
        let Some(hop) = chain.as_key().map(|hop| hop.key) else {
            let message = format!(
                "`load_with` gives rows by a key of the owners, and `{}` is a {}: use it for the associations it goes \
                 through, or for one that leads to a single model by a key",
                association.name,
                association.association_kind()
            );
            return Err(Error::invalid_query((association.owner)().name, message));
        };
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
        let role = Role::Stored { state: LoadState::Loaded, reordered: false, may_join: false };
        let (columns, by) = (Columns::OfRows, LoadedBy::Key(hop, Fetch::Function(loader)));
        Ok(self.push_edge(node, NewEdge { association, role, columns, variant: None, select, by }))
    }
}

/// Refuses what cannot go together with a function.
pub(super) fn check_loader(chain: &Chain, loader: &Loader, joined: bool) -> Result<()> {
    let association = chain.association;
    let model = (association.owner)().name;
    if joined {
        return Err(cannot_join(association, "takes its rows from a function (`load_with`)"));
    }
    if chain.requested != ScopeDef::default() {
        let message = format!(
            "`{}` is loaded with a function: what it returns is taken as it is, so filter, sort and cut in there",
            association.name
        );
        return Err(Error::invalid_query(model, message));
    }
    let target = (association.target)();
    // Requests are data: one may have been put together by hand. A polymorphic association is refused with the others.
    if loader.target() != target && chain.as_key().is_some() {
        let message =
            format!("`{}` leads to {}, and its function gives {}", association.name, target.name, loader.target().name);
        return Err(Error::invalid_query(model, message));
    }
    Ok(())
}
