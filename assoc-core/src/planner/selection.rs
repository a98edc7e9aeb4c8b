//! `select` on an association: only some columns of its rows are read.
//!
//! The fields of the columns that it leaves out are empty, so they must be `Option`s, and no key may be among these
//! columns: neither the key that assigns rows to owners, nor the primary key, nor the keys of the associations below.
//! ActiveRecord silently loads nothing where such a key is missing; here it is an error before any SQL that names the
//! column (D3).
//!
//! Rows with some columns never replace complete ones: they are not taken from memory, and only look-ups of the same
//! columns share a statement. Intermediate rows need only their keys, so they share any statement that reads these
//! keys.
//!
//! A joined table's columns are selected once for all its edges, and each edge reads its columns of them. They must
//! include the same keys as a look-up by key, so that a request is valid or not whichever kind of statement loads it.

use crate::error::{Error, Result};
use crate::metadata::association::{Chain, KeyJoin};
use crate::planner::{Edge, EdgeId, Plan, Source};
use crate::select::KeyedSelect;

impl Plan {
    /// The plan for root rows of which some columns were read: they stand for no whole rows.
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use assoc_core::IntoPreload;
    /// use assoc_core::planner::{Plan, Root};
    ///
    /// // A post's author is looked for among the users that were fetched, unless they lack columns.
    /// let plan = Plan::new(User::DEF, Root::Fetched, User::POSTS.with(Post::USER).into_requests())?;
    /// assert!(plan.steps().iter().any(|step| step.memory.contains(&0)));
    /// assert!(plan.with_partial_root().steps().iter().all(|step| !step.memory.contains(&0)));
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    #[must_use]
    pub fn with_partial_root(mut self) -> Plan {
        for step in &mut self.steps {
            step.memory.retain(|node| *node != 0);
        }
        self.partial_root = true;
        self
    }

    // That every selection has the columns it needs. Each step from this one on serves one edge still.
    pub(super) fn check_selections(&self, from: usize) -> Result<()> {
        self.steps[from..].iter().try_for_each(|step| self.check_selection(step.serves[0], &step.select))?;
        let joined = if from == 0 { &self.joined[..] } else { &[] };
        joined.iter().try_for_each(|joined| self.check_selection(joined.edge, &joined.select))
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
        // What is planned later needs its keys now.
        for deferred in self.deferred.iter().filter(|deferred| deferred.node == edge.child) {
            for request in &deferred.requests {
                if let Some(column) = missing(&Chain::keys(request.association)?.owner_columns()) {
                    return refuse(column, format!("the key that preloading `{}` goes by", request.association.name));
                }
            }
        }
        for (_, request) in self.asked.iter().filter(|(node, _)| *node == edge.child) {
            if let Some(column) = missing(&Chain::keys(request.association)?.owner_columns()) {
                return refuse(column, format!("the key that an aggregate of `{}` goes by", request.association.name));
            }
        }
        model.check_left_out(selected)
    }

    // The key of an edge that loads by a key itself.
    fn hop_of(&self, edge: &Edge) -> Option<KeyJoin> {
        match edge.source {
            Source::Step { hop, .. } => Some(hop),
            Source::Joined { joined } => Some(self.joined[joined].hop),
            Source::OwnerStep { .. } | Source::Through { .. } => None,
        }
    }
}
