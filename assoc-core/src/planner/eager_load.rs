//! Associations that the root's statement loads: their tables among its joins, and the limits of a join.

use std::borrow::Cow;

use super::{EdgeId, Plan, Source};
use crate::error::Result;
use crate::joins::{JoinHop, JoinKind, Joins, Sharing, limited_rows};
use crate::metadata::association::{Cardinality, KeyJoin, LoadState};
use crate::metadata::expr::{ColumnRef, Direction, Operand, OrderTerm};
use crate::select::{KeyedSelect, LoadedEdge, QueryOrder, RootSelect};

/// An edge whose rows come with the root's.
#[derive(Debug, Clone)]
pub struct JoinedEdge {
    /// The edge.
    pub edge: EdgeId,
    /// Which rows an owner has, and in which order.
    pub select: KeyedSelect,
    /// The key of the join.
    pub hop: KeyJoin,
    /// Its table among the statement's joins.
    pub table: usize,
    /// The query's order, as far as it sorts the rows of this association.
    pub order: Option<QueryOrder>,
}

impl JoinedEdge {
    pub(super) fn new(edge: EdgeId, select: KeyedSelect, hop: KeyJoin) -> Self {
        JoinedEdge { edge, select, hop, table: usize::MAX, order: None }
    }
}

impl Plan {
    /// The edges whose rows come with the root's, those nearer to it first.
    #[must_use]
    pub fn joined(&self) -> &[JoinedEdge] {
        &self.joined
    }

    /// The joined edges as a statement sees them.
    pub(super) fn loaded_edges(&self) -> Vec<LoadedEdge<'_>> {
        let joined = self.joined.iter();
        joined
            .map(|JoinedEdge { edge, select, hop, table, order }| {
                let keys_only = self.nodes[self.edge(*edge).child].links_only;
                LoadedEdge { table: *table, select, hop: *hop, keys_only, order: order.as_ref() }
            })
            .collect()
    }

    /// Adds the tables of joined edges to a statement's joins, and marks the edges of which the statement's conditions
    /// leave only some rows.
    ///
    /// # Errors
    /// When one of them is joined already with other options.
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use assoc_core::IntoPreload;
    /// use assoc_core::joins::Joins;
    /// use assoc_core::metadata::{Request, Strategy};
    /// use assoc_core::planner::{Plan, Root};
    /// use assoc_core::select::RootSelect;
    ///
    /// let posts = Request::new(User::POSTS.def()).with_strategy(Strategy::Joined);
    /// let mut plan = Plan::new(User::DEF, Root::Fetched, vec![posts])?;
    /// assert_eq!((plan.joined().len(), plan.steps().len()), (1, 0), "the root's statement loads them");
    /// let mut joins = Joins::default();
    /// plan.join_into(&mut joins, &RootSelect::new(User::DEF))?;
    /// assert_eq!(joins.find(&["posts"]), Some(0));
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    pub fn join_into(&mut self, joins: &mut Joins, query: &RootSelect) -> Result<()> {
        let mut stored = Vec::new();
        self.joined_paths(0, &mut stored);
        // For each node the path of its rows and their table.
        let mut places: Vec<Option<(Vec<&'static str>, Option<usize>)>> = vec![None; self.nodes.len()];
        places[0] = Some((Vec::new(), None));
        let mut chains = Vec::new();
        let mut sharing = if joins.is_empty() { Sharing::WhateverIsChosen } else { Sharing::OfOneChoice };
        query.visit_paths(&mut |path| {
            if !path.is_empty() {
                sharing = Sharing::OfOneChoice;
            }
        });
        for (id, chain) in &stored {
            let Some((above, from)) = places[id.node].clone() else { continue };
            let edge = self.edge(*id);
            let association = edge.association;
            let child = edge.child;
            let path = [&above[..], &[association.name]].concat();
            let hops: Vec<JoinHop> = chain.iter().map(|joined| self.join_hop(*joined)).collect();
            let owner = self.nodes[id.node].model;
            let tables = joins.add_sharing(from, owner, &path, association, hops, JoinKind::Left, sharing)?;
            for (joined, table) in chain.iter().zip(&tables) {
                self.joined[*joined].table = *table;
            }
            places[child] = Some((path, tables.last().copied()));
            chains.push((*id, tables));
        }
        for (id, chain) in &stored {
            // The order may look at tables below, so it comes when all are there.
            if let Some((path, _)) = &places[self.edge(*id).child] {
                self.order_by_query(*id, chain, path, joins, query);
            }
        }
        self.limit_where_it_shows(joins, query, &chains);
        self.mark_partial(joins, query, &chains);
        Ok(())
    }

    // An order by the rows of a collection sorts the collection as well, unless the association has an order or a
    // limit.
    fn order_by_query(
        &mut self,
        id: EdgeId,
        chain: &[usize],
        path: &[&'static str],
        joins: &Joins,
        query: &RootSelect,
    ) {
        let Some(last) = chain.last().copied() else { return };
        let JoinedEdge { select, table, .. } = &self.joined[last];
        let (model, table) = (select.model, *table);
        let edge = self.edge(id);
        let counts = match edge.source {
            Source::Through { limits, .. } => limits.limit.is_some() || limits.offset > 0 || limits.globally_ordered,
            _ => false,
        };
        if edge.cardinality == Cardinality::One || counts || !select.order.is_empty() || model.primary_key.is_empty() {
            return;
        }
        let sorts = |term: &&OrderTerm| {
            let Operand::Column(column) = &term.operand else { return false };
            let mut next = joins.find(&column.path);
            while let Some(at) = next.filter(|at| *at != table) {
                let between = &joins.tables()[at];
                next = between.from.filter(|_| !between.multiplies());
            }
            next.is_some()
        };
        let mut terms: Vec<OrderTerm> = query.order.iter().filter(sorts).cloned().collect();
        if terms.is_empty() {
            return;
        }
        let is_own = |term: &OrderTerm| matches!(&term.operand, Operand::Column(column) if column.path == path);
        let own = terms.iter().all(is_own);
        let path: Cow<'static, [&'static str]> = if own { Cow::Borrowed(&[]) } else { path.to_vec().into() };
        if own {
            for term in &mut terms {
                if let Operand::Column(column) = &mut term.operand {
                    column.path = path.clone();
                }
            }
        }
        for column in model.primary_key {
            let operand = Operand::Column(ColumnRef { path: path.clone(), ..model.columns[*column].column_ref() });
            if !terms.iter().any(|term| term.operand == operand) {
                terms.push(OrderTerm::new(operand, Direction::Asc));
            }
        }
        self.joined[last].order = Some(if own { QueryOrder::Own(terms) } else { QueryOrder::Joined(terms) });
        if let Source::Through { limits, .. } = &mut self.nodes[id.node].edges[id.edge].source {
            limits.globally_ordered = true;
        }
    }

    fn join_hop(&self, joined: usize) -> JoinHop {
        let JoinedEdge { edge, select, hop, .. } = &self.joined[joined];
        let planned = self.edge(*edge);
        JoinHop {
            plural: planned.association.plural,
            model: select.model,
            // The type is part of the condition.
            hop: KeyJoin { target_type: None, ..*hop },
            owner_type: planned.variant.map(|variant| variant.discriminator),
            filter: select.filter.clone(),
            limited: limited_rows(
                planned.association,
                *hop,
                select.model,
                &select.filter,
                select.order.clone(),
                planned.cardinality == Cardinality::One,
                select.per_owner.and_then(|cut| cut.limit),
                select.per_owner.map_or(0, |cut| cut.offset),
            ),
        }
    }

    // The stored edges that are joined, each before those below it, with the joined edges of its chain.
    fn joined_paths(&self, node: usize, all: &mut Vec<(EdgeId, Vec<usize>)>) {
        for (edge, planned) in self.nodes[node].edges.iter().enumerate().filter(|(_, edge)| !edge.hidden) {
            let id = EdgeId { node, edge };
            let mut chain = Vec::new();
            self.collect_chain(id, &mut chain);
            if !chain.is_empty() {
                all.push((id, chain));
                self.joined_paths(planned.child, all);
            }
        }
    }

    fn collect_chain(&self, id: EdgeId, chain: &mut Vec<usize>) {
        match self.edge(id).source {
            Source::Joined { joined } => chain.push(joined),
            Source::Through { first, second, .. } => {
                self.collect_chain(first, chain);
                self.collect_chain(second, chain);
            }
            Source::Step { .. } | Source::OwnerStep { .. } => {}
        }
    }

    // Rows that an association does not choose are left out after loading; a condition or an order must not see them
    // before.
    fn limit_where_it_shows(&mut self, joins: &mut Joins, query: &RootSelect, chains: &[(EdgeId, Vec<usize>)]) {
        let mut referred_to = Vec::new();
        query.visit_paths(&mut |path| referred_to.extend(joins.find(path)));
        let inner = joins.tables().iter().filter(|table| table.kind == JoinKind::Inner);
        referred_to.extend(inner.filter_map(|table| table.from));
        for table in chains.iter().flat_map(|(_, chain)| chain) {
            if referred_to.iter().any(|other| joins.is_below(*other, *table)) {
                joins.choose(*table);
            }
        }
        for joined in &mut self.joined {
            if joins.tables().get(joined.table).is_some_and(|table| table.limits_rows) {
                joined.select.per_owner = None;
            }
        }
    }

    // A condition on a joined table leaves owners only the rows that satisfy it, and so does an inner join below it. A
    // hand-written join may leave out any rows.
    fn mark_partial(&mut self, joins: &Joins, query: &RootSelect, chains: &[(EdgeId, Vec<usize>)]) {
        let mut restricted = Vec::new();
        query.visit_condition_paths(&mut |path| restricted.extend(joins.find(path)));
        let anything = !joins.raw().is_empty() || query.filter.has_raw() || query.having.has_raw();
        for (id, chain) in chains {
            let Some(first) = chain.first() else { continue };
            let by_condition = restricted.iter().any(|table| joins.is_below(*table, *first));
            let by_inner_join = joins.tables().iter().enumerate().any(|(at, table)| {
                table.kind == JoinKind::Inner
                    && !chain.contains(&at)
                    && table.from.is_some_and(|from| joins.is_below(from, *first))
            });
            if anything || by_condition || by_inner_join {
                self.nodes[id.node].edges[id.edge].state = LoadState::Partial;
            }
        }
    }
}
