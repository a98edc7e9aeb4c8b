//! From one association to edges, one step each; `levels.rs` goes through the requests, and `steps.rs` merges the steps afterwards.

use super::grouping::check_group;
use super::owner_scope::check_owner_scope;
use super::{
    Edge, EdgeId, Fetch, JoinChain, JoinedEdge, Node, OwnerLimits, OwnerScope, Plan, Source, Step, VariantEdge,
};
use crate::error::{Error, Result};
use crate::joins::{GROUPED, cannot_join};
use crate::metadata::association::{
    AssociationDef, Cardinality, Chain, ChainHop, ChainParts, KeyJoin, LoadState, VariantDef,
};
use crate::metadata::model::ascending_once;
use crate::select::{KeyedSelect, PerOwner, RowOrder};

/// One association being planned, at one place.
#[derive(Clone, Copy)]
pub(super) struct PlanRequest<'c> {
    pub(super) chain: &'c Chain,
    pub(super) role: Role,
    pub(super) columns: Columns,
    // Rows are merged with those of other keys afterwards, so their order must hold across keys.
    pub(super) globally_ordered: bool,
    // The root's statement joins it.
    pub(super) joined: bool,
}

/// What becomes of an association's rows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Owners hold them.
    Stored {
        state: LoadState,
        // The request names an order.
        reordered: bool,
        // No sibling loads the rows between, so one statement may join them.
        may_join: bool,
    },
    /// They are intermediate rows of a through association.
    Through,
}

impl Role {
    fn is_through(self) -> bool {
        self == Role::Through
    }
}

/// What is read of an association's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Columns {
    /// Whole rows, or the columns that the scope selects.
    OfRows,
    /// The keys that refer to other rows.
    Keys,
}

impl<'c> PlanRequest<'c> {
    /// A part of an association through others: nothing but keys is needed of it.
    pub(super) fn part(chain: &'c Chain) -> Self {
        PlanRequest { chain, role: Role::Through, columns: Columns::Keys, globally_ordered: false, joined: false }
    }
}

/// A new edge, with what loads its rows.
pub(super) struct NewEdge {
    pub(super) association: &'static AssociationDef,
    pub(super) role: Role,
    pub(super) columns: Columns,
    pub(super) variant: Option<VariantEdge>,
    pub(super) select: KeyedSelect,
    pub(super) by: LoadedBy,
}

/// What loads the rows of a new edge.
pub(super) enum LoadedBy {
    /// A step by a key of the owners.
    Key(KeyJoin, Fetch),
    /// A step by what each owner says, behind another edge of its node where it goes through others.
    Owner(Fetch, Option<EdgeId>),
    /// The root's statement, which joins their table by this key.
    Root(KeyJoin),
}

impl Plan {
    // Adds the edges of one association to a node: one, or one a type of a polymorphic one. Hidden edges it needs are
    // added before it.
    pub(super) fn add(&mut self, node: usize, requested: PlanRequest<'_>) -> Result<Vec<usize>> {
        if !requested.chain.scope.group.is_empty() {
            check_group(requested.chain)?;
        }
        if let Some(scope) = requested.chain.owner_scope() {
            check_owner_scope(requested)?;
            if requested.chain.as_key().is_none() {
                return Ok(vec![self.add_owner_scope_through(node, requested, scope)?]);
            }
        }
        match &requested.chain.parts {
            ChainParts::Key(hop) => Ok(vec![self.add_hop(node, requested, hop, None)?]),
            ChainParts::ByType { hops, all, only_type } => self.add_types(node, requested, hops, all, *only_type),
            ChainParts::Through { through, source } => Ok(vec![self.add_through(node, requested, through, source)?]),
            ChainParts::JoinTable { rows, targets } => Ok(vec![self.add_join_table(node, requested, rows, targets)?]),
            ChainParts::CustomSql(custom_sql) => Ok(vec![self.add_custom_sql(node, requested, *custom_sql)?]),
        }
    }

    // An association by a key, or one type of it.
    fn add_hop(
        &mut self,
        node: usize,
        requested: PlanRequest<'_>,
        hop: &ChainHop,
        variant: Option<VariantEdge>,
    ) -> Result<usize> {
        let PlanRequest { chain, role, columns, globally_ordered, joined, .. } = requested;
        let association = chain.association;
        let select = keyed_select(hop, globally_ordered, columns)?;
        if joined && !select.group.is_empty() {
            return Err(cannot_join(association, GROUPED));
        }
        let by = match chain.owner_scope() {
            _ if joined => LoadedBy::Root(hop.key),
            // The scope is a function of whole owners.
            Some(scope) => {
                self.nodes[node].links_only = false;
                let scope = OwnerScope::new(association, scope, chain.requested.clone(), columns);
                LoadedBy::Key(hop.key, Fetch::OwnerScope(scope))
            }
            None => LoadedBy::Key(hop.key, Fetch::ByKey),
        };
        Ok(self.push_edge(node, NewEdge { association, role, columns, variant, select, by }))
    }

    // The one place edges with a step are made.
    pub(super) fn push_edge(&mut self, node: usize, new: NewEdge) -> usize {
        let NewEdge { association, role, columns, variant, select, by } = new;
        let child = self.nodes.len();
        let id = EdgeId { node, edge: self.nodes[node].edges.len() };
        self.nodes.push(Node {
            model: select.model,
            stored_by: (!role.is_through()).then_some(id),
            fetched_by: Some(id),
            links_only: columns == Columns::Keys,
            level: self.nodes[node].level + usize::from(!role.is_through()),
            edges: Vec::new(),
        });
        let step = self.steps.len();
        let source = match by {
            LoadedBy::Key(hop, fetch) => {
                self.steps.push(Step { select, serves: vec![id], memory: Vec::new(), fetch, recursion: None });
                Source::Step { step, hop }
            }
            LoadedBy::Owner(fetch, behind) => {
                self.steps.push(Step { select, serves: vec![id], memory: Vec::new(), fetch, recursion: None });
                Source::OwnerStep { step, behind }
            }
            LoadedBy::Root(hop) => {
                self.joined.push(JoinedEdge::new(id, select, hop));
                Source::Joined { joined: self.joined.len() - 1 }
            }
        };
        let cardinality = association.kind.cardinality();
        self.nodes[node].edges.push(Edge::new(association, cardinality, source, child, role, variant));
        id.edge
    }

    fn add_types(
        &mut self,
        node: usize,
        requested: PlanRequest<'_>,
        hops: &[ChainHop],
        all: &'static [VariantDef],
        only_type: Option<&'static str>,
    ) -> Result<Vec<usize>> {
        let association = requested.chain.association;
        if requested.chain.scope.select.is_some() && only_type.is_none() {
            let message =
                format!("`{}` leads to several models, so there are no columns to `select`", association.name);
            return Err(Error::invalid_query((association.owner)().name, message));
        }
        let mut edges = Vec::with_capacity(hops.len());
        for hop in hops {
            let variant = hop.owner_type.zip(hop.variant).map(|(discriminator, def)| VariantEdge {
                discriminator,
                def,
                all,
                stores_absent: edges.is_empty(),
            });
            edges.push(self.add_hop(node, requested, hop, variant)?);
        }
        if let (true, Some(tag)) = (edges.is_empty(), only_type) {
            let tags: Vec<&str> = all.iter().map(|variant| variant.tag).collect();
            let message = format!("`{}` has no type `{tag}`; its types are: {}", association.name, tags.join(", "));
            return Err(Error::invalid_query((association.owner)().name, message));
        }
        Ok(edges)
    }

    fn add_through(
        &mut self,
        node: usize,
        requested: PlanRequest<'_>,
        through: &Chain,
        source: &Chain,
    ) -> Result<usize> {
        if let Some(edge) = self.add_join_chain(node, requested)? {
            return Ok(edge);
        }
        let PlanRequest { chain, role, columns, joined, .. } = requested;
        let globally_ordered = requested.globally_ordered || !chain.scope.order.is_empty();
        let first = self.add_only(node, chain, PlanRequest { joined, ..PlanRequest::part(through) })?;
        let between = self.nodes[node].edges[first].child;
        let onward = PlanRequest { globally_ordered, columns, joined, ..PlanRequest::part(source) };
        let second = EdgeId { node: between, edge: self.add_only(between, chain, onward)? };
        self.compose(node, Composing { chain, role, globally_ordered }, first, second)
    }

    // Adds the one edge of a part.
    pub(super) fn add_only(&mut self, node: usize, whole: &Chain, part: PlanRequest<'_>) -> Result<usize> {
        let association = part.chain.association;
        match self.add(node, part)?[..] {
            [edge] => Ok(edge),
            _ => {
                let whole = whole.association;
                let message = format!(
                    "`{}` goes through the polymorphic `{}`: name the one type to follow with `source_type = \"…\"`",
                    whole.name, association.name
                );
                Err(Error::invalid_query((whole.owner)().name, message))
            }
        }
    }

    fn add_join_table(
        &mut self,
        node: usize,
        requested: PlanRequest<'_>,
        rows: &ChainHop,
        targets: &ChainHop,
    ) -> Result<usize> {
        let PlanRequest { chain, role, joined, .. } = requested;
        let first =
            self.add_join_rows(node, rows, if role.is_through() { Columns::Keys } else { Columns::OfRows }, joined);
        let between = self.nodes[node].edges[first].child;
        let globally_ordered = requested.globally_ordered || !chain.scope.order.is_empty();
        let second = self.add_targets_of_join_rows(between, requested, targets, globally_ordered)?;
        let second = EdgeId { node: between, edge: second };
        self.compose(node, Composing { chain, role, globally_ordered }, first, second)
    }

    // The rows of a join table. The keys are enough where the association keeps no join rows.
    pub(super) fn add_join_rows(&mut self, node: usize, rows: &ChainHop, columns: Columns, joined: bool) -> usize {
        let table = rows.model;
        let bare = table.is_bare_join_table();
        let select = KeyedSelect {
            only: bare.then(|| (0..table.columns.len()).collect()),
            filter: rows.scope.filter.clone(),
            order: rows.scope.order.clone(),
            row_order: RowOrder::ByKey,
            ..KeyedSelect::new(table, rows.key.target_columns)
        };
        let columns = if bare { Columns::Keys } else { columns };
        let by = if joined { LoadedBy::Root(rows.key) } else { LoadedBy::Key(rows.key, Fetch::ByKey) };
        let (association, role) = (rows.association, Role::Through);
        self.push_edge(node, NewEdge { association, role, columns, variant: None, select, by })
    }

    pub(super) fn add_targets_of_join_rows(
        &mut self,
        between: usize,
        requested: PlanRequest<'_>,
        targets: &ChainHop,
        globally_ordered: bool,
    ) -> Result<usize> {
        let PlanRequest { columns, joined, .. } = requested;
        let select = keyed_select(targets, globally_ordered, columns)?;
        let by = if joined { LoadedBy::Root(targets.key) } else { LoadedBy::Key(targets.key, Fetch::ByKey) };
        let (association, role) = (targets.association, Role::Through);
        let edge = self.push_edge(between, NewEdge { association, role, columns, variant: None, select, by });
        // A row of the join table refers to one target, whatever the association's cardinality.
        self.nodes[between].edges[edge].cardinality = Cardinality::One;
        Ok(edge)
    }

    fn compose(&mut self, node: usize, whole: Composing<'_>, first: usize, second: EdgeId) -> Result<usize> {
        let Composing { chain: Chain { association, scope, .. }, role, globally_ordered } = whole;
        let association = *association;
        let child = self.edge(second).child;
        let grouped = !scope.group.is_empty();
        if grouped {
            self.rank_groups(association, child, &scope.group)?;
        }
        let id = EdgeId { node, edge: self.nodes[node].edges.len() };
        // A through association's first part is another association: it keeps no rows of a join table.
        let join_rows = self.nodes[node].edges[first].association == association && !self.nodes[second.node].links_only;
        let limits = OwnerLimits {
            globally_ordered,
            distinct: scope.distinct,
            grouped,
            offset: scope.offset.unwrap_or(0),
            limit: scope.limit,
            join_rows,
        };
        let plain = !globally_ordered
            && !grouped
            && !scope.unscoped
            && scope.select.is_none()
            && scope.filter.is_always()
            && scope.order.is_empty();
        let source = Source::Through { first: EdgeId { node, edge: first }, second, limits, plain };
        let cardinality = association.kind.cardinality();
        self.nodes[node].edges.push(Edge::new(association, cardinality, source, child, role, None));
        if !role.is_through() {
            self.nodes[child].stored_by = Some(id);
            self.nodes[child].level = self.nodes[node].level + 1;
            self.nodes[child].links_only = false;
            self.mark_serving(node, first, id.edge);
        }
        Ok(id.edge)
    }

    // Hidden edges of the same node work for the association that is stored in the end: owners that have it need none.
    pub(super) fn mark_serving(&mut self, node: usize, edge: usize, serves: usize) {
        self.nodes[node].edges[edge].serves = Some(serves);
        if let Source::Through { first, .. } = self.nodes[node].edges[edge].source {
            self.mark_serving(node, first.edge, serves);
        }
    }

    // One statement that joins all tables of the chain, if there is one that can and should.
    fn add_join_chain(&mut self, node: usize, requested: PlanRequest<'_>) -> Result<Option<usize>> {
        let PlanRequest { chain, role, columns, joined, .. } = requested;
        let Role::Stored { may_join: true, .. } = role else { return Ok(None) };
        if joined {
            return Ok(None);
        }
        let Some(join_chain) = JoinChain::of(chain).filter(JoinChain::is_by_keys) else { return Ok(None) };
        let Some(target) = chain.hops().pop() else { return Ok(None) };
        let select = keyed_select(target, !chain.scope.order.is_empty(), columns)?;
        let hop = KeyJoin {
            owner_columns: join_chain.owner_columns,
            target_columns: select.columns,
            unique: false,
            target_type: None,
        };
        let by = LoadedBy::Key(hop, Fetch::JoinChain(Box::new(join_chain)));
        let new = NewEdge { association: chain.association, role, columns, variant: None, select, by };
        Ok(Some(self.push_edge(node, new)))
    }
}

/// What two edges one after the other are composed for.
struct Composing<'c> {
    chain: &'c Chain,
    role: Role,
    globally_ordered: bool,
}

impl Edge {
    fn new(
        association: &'static AssociationDef,
        cardinality: Cardinality,
        source: Source,
        child: usize,
        role: Role,
        variant: Option<VariantEdge>,
    ) -> Self {
        let (state, reordered, hidden) = match role {
            Role::Stored { state, reordered, .. } => (state, reordered, false),
            Role::Through => (LoadState::Loaded, false, true),
        };
        Edge { association, cardinality, source, child, state, reordered, hidden, serves: None, variant }
    }
}

/// The look-up of the rows of one table by their key.
pub(super) fn keyed_select(hop: &ChainHop, globally_ordered: bool, columns: Columns) -> Result<KeyedSelect> {
    let scope = &hop.scope;
    if scope.distinct {
        let association = hop.association;
        let message = format!("`distinct` on `{}` changes nothing: an owner reaches each row once", association.name);
        return Err(Error::invalid_query((association.owner)().name, message));
    }
    let unique = hop.key.unique;
    let row_order = match (globally_ordered, unique) {
        (true, _) => RowOrder::GloballyOrdered,
        (false, true) => RowOrder::Any,
        (false, false) => RowOrder::ByKey,
    };
    // A limit counts the rows of one owner, so of a unique key, which has one row, it leaves that or none.
    let (limit, offset) = (scope.limit, scope.offset.filter(|offset| *offset > 0));
    let limited = if unique { limit == Some(0) || offset.is_some() } else { limit.is_some() || offset.is_some() };
    let selected = match columns {
        Columns::Keys => None,
        Columns::OfRows => scope.select.as_deref().map(ascending_once),
    };
    Ok(KeyedSelect {
        only: None,
        selected,
        filter: hop.condition(),
        // A unique key has one row: an order would only be noise in the statement.
        order: if row_order == RowOrder::Any { Vec::new() } else { scope.order.clone() },
        row_order,
        // An owner with one row has one row of each group.
        group: if unique { Vec::new() } else { scope.group.clone() },
        per_owner: limited.then(|| PerOwner { limit, offset: offset.unwrap_or(0) }),
        ..KeyedSelect::new(hop.model, hop.key.target_columns)
    })
}
