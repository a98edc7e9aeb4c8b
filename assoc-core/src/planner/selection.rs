//! `select` on an association: only some columns of its rows are read.
//!
//! What is left out is empty in the rows, so it has to be a column that may be empty, and none that anything goes by: not
//! the key by which rows find their owners, not the primary key, not the keys of what is loaded below. ActiveRecord
//! silently loads nothing where such a key is missing; here it is an error that names the column, before any SQL (D3).
//!
//! Rows with some columns never stand for whole ones: they are not taken from memory, and only look-ups of the same
//! columns share a statement. Rows that are nothing but links on the way to others need no columns of their own, so they
//! share whatever statement has their keys.
//!
//! A join selects what its places read of a table together; each gets its own columns of the rows. The same keys have to
//! be among them as by key, so that it is all the same to a request by which kind of statement it is loaded.

use crate::error::{Error, Result};
use crate::metadata::association::KeyJoin;
use crate::planner::{Edge, EdgeId, Plan, Source};
use crate::select::KeyedSelect;

impl Plan {
    /// The plan for root rows of which some columns were read: they stand for no whole rows.
    #[must_use]
    pub fn with_partial_root(mut self) -> Plan {
        for step in &mut self.steps {
            step.memory.retain(|node| *node != 0);
        }
        self
    }

    // That every selection has the columns it needs. Each step serves one edge still.
    pub(super) fn check_selections(&self) -> Result<()> {
        self.steps.iter().try_for_each(|step| self.check_selection(step.serves[0], &step.select))?;
        self.joined.iter().try_for_each(|joined| self.check_selection(joined.edge, &joined.select))
    }

    pub(super) fn check_selection(&self, served: EdgeId, select: &KeyedSelect) -> Result<()> {
        let Some(selected) = &select.selected else { return Ok(()) };
        let edge = self.edge(served);
        let child = &self.nodes[edge.child];
        let association = child.stored_by.map_or(edge.association, |stored| self.edge(stored).association);
        let model = select.model;
        let missing = |columns: &[usize]| columns.iter().copied().find(|column| !selected.contains(column));
        let refuse = |column: usize, why: String| {
            let name = model.columns[column].name;
            let message = format!("`select` on `{}` leaves out `{name}`, {why}: add it", association.qualified_name());
            Err(Error::invalid_query(model.name, message))
        };
        if let Some(column) = missing(select.columns) {
            return refuse(column, "the key that the association goes by".to_owned());
        }
        if let Some(hop) = self.hop_of(edge)
            && let Some(column) = hop.target_type.and_then(|named| missing(&[named.column]))
        {
            return refuse(column, "the type that the association goes by".to_owned());
        }
        if let Some(column) = missing(model.primary_key) {
            return refuse(column, "part of the primary key".to_owned());
        }
        for below in &child.edges {
            let Some(hop) = self.hop_of(below) else { continue };
            let by_type = below.variant.and_then(|variant| missing(&[variant.discriminator.column]));
            if let Some(column) = missing(hop.owner_columns).or(by_type) {
                let name = below.serves.map_or(below.association, |stored| child.edges[stored].association).name;
                return refuse(column, format!("the key that preloading `{name}` goes by"));
            }
        }
        model.check_left_out(selected)
    }

    // The key that an edge goes by by itself.
    fn hop_of(&self, edge: &Edge) -> Option<KeyJoin> {
        match edge.source {
            Source::Step { hop, .. } => Some(hop),
            Source::Joined { joined } => Some(self.joined[joined].hop),
            Source::OwnerStep { .. } | Source::Through { .. } => None,
        }
    }
}
