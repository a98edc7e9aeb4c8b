//! From requests to nodes and edges, one step each; `steps.rs` merges the steps afterwards.
//!
//! # What is loaded by default
//!
//! The scope of an association and the default scope of a model may include associations, whose own scopes may include
//! more, and such includes may form circles. So below each association that was asked for, an include is followed once
//! on its way: where the way of includes already has the association, it ends, and the association is not loaded there.
//! What was asked for always counts, and begins a new way. That is also what the reader of that association loads, and
//! it is finite whatever scopes include.

use std::collections::VecDeque;

use super::by_owner::{self, LookUp};
use super::by_way::{is_between_loaded, loaded_whole};
use super::grouping::check_group;
use super::loader::check_loader;
use super::wanted::Wanted;
use super::{ByOwner, Edge, EdgeId, Finish, JoinedEdge, Node, Plan, Root, Source, Step, VariantEdge};
use crate::error::{Error, ErrorKind, Result};
use crate::joins::{GROUPED, cannot_join, hops_of};
use crate::metadata::association::{AssociationDef, Cardinality, Hop, LoadState, Route, VariantDef};
use crate::metadata::join_table::{join_scope, order_of_links};
use crate::metadata::model::{Discriminator, ModelDef};
use crate::metadata::request::{Request, Shape, Strategy};
use crate::sql::{KeyedSelect, PerOwner, RowOrder, ascending_once};

/// Nodes whose own associations are still to be planned, each with the includes on the way to it.
type Pending = VecDeque<(usize, Vec<Request>, Vec<&'static AssociationDef>)>;

impl Plan {
    // Level by level, so that siblings keep the order they were asked for in.
    pub(super) fn add_all(&mut self, roots: Vec<Vec<Request>>) -> Result<()> {
        let mut pending: Pending = roots.into_iter().enumerate().map(|(at, own)| (at, own, Vec::new())).collect();
        while let Some((node, requests, way)) = pending.pop_front() {
            let siblings = loaded_whole(&requests);
            for request in requests {
                let association = request.association;
                // Below rows of another statement there is nothing to join to.
                let joined = request.strategy == Strategy::Joined && self.is_joined(node);
                if joined {
                    hops_of(association, &Shape::default(), None, &mut Vec::new())?;
                }
                if let Some(loader) = &request.loader {
                    check_loader(association, loader, &request.shape, joined)?;
                }
                let own = association.scope();
                let state =
                    if is_whole(association, &own, &request.shape) { LoadState::Loaded } else { LoadState::Partial };
                let reordered = !request.shape.order.is_empty();
                let asked = request.shape.clone();
                let mut shape = own.with(request.shape);
                let mut way = if request.included { way.clone() } else { Vec::new() };
                way.extend(request.included.then_some(association));
                let mut children = request.children;
                children.extend(shape.includes.drain(..).map(Request::into_include));
                let unscoped = shape.unscoped;
                let alone = !self.apart && !shape.filter.is_always() && !is_between_loaded(association, &siblings)?;
                let wanted = Wanted {
                    association,
                    shape,
                    state,
                    reordered,
                    hidden: false,
                    ranked: false,
                    links_only: false,
                    only_type: None,
                    joined,
                    loader: request.loader,
                    asked,
                    resolved: false,
                    alone,
                };
                let edges = self.add(node, wanted)?;
                for edge in &edges {
                    let model = self.nodes[self.nodes[node].edges[*edge].child].model;
                    children.extend(model.base_scope(unscoped).includes.into_iter().map(Request::into_include));
                }
                children.retain(|child| !(child.included && way.contains(&child.association)));
                let mut children = super::merge::merge(children)?;
                for edge in &edges {
                    let child = self.nodes[node].edges[*edge].child;
                    let model = self.nodes[child].model;
                    // Below a polymorphic association each type takes the requests that are its own.
                    let own: Vec<Request> = if edges.len() == 1 {
                        std::mem::take(&mut children)
                    } else {
                        children.extract_if(.., |request| (request.association.owner)() == model).collect()
                    };
                    pending.push_back((child, own, way.clone()));
                }
                if let Some(foreign) = children.first() {
                    return Err(ErrorKind::UnknownAssociation {
                        model: (association.owner)().name,
                        name: format!("{}.{}", association.name, foreign.association.name),
                        known: Vec::new(),
                    }
                    .into());
                }
            }
        }
        Ok(())
    }

    // Whether a node's rows come with the root's own statement.
    pub(super) fn is_joined(&self, node: usize) -> bool {
        match self.nodes[node].fetched_by {
            None => self.root == Root::Fetched,
            Some(edge) => matches!(self.edge(edge).source, Source::Joined { .. }),
        }
    }

    // Adds the edges of one association to a node: one, or one a type of a polymorphic one. Hidden edges it needs are
    // added before it.
    pub(super) fn add(&mut self, node: usize, wanted: Wanted) -> Result<Vec<usize>> {
        let association = wanted.association;
        let route = association.kind.route(association)?;
        check_group(association, &wanted.shape.group)?;
        if wanted.loader.is_some() && !matches!(route, Route::Direct(_)) {
            let message = format!(
                "`load_with` gives rows by a key of the owners, and `{}` is a {}: use it for the associations it goes \
                 through, or for one that leads to a single model by a key",
                association.name,
                association.association_macro()
            );
            return Err(Error::invalid_query((association.owner)().name, message));
        }
        if let (Some(scope), false) = (association.options.owner_scope, wanted.resolved) {
            by_owner::check(association, &route, wanted.hidden, wanted.ranked)?;
            if !matches!(route, Route::Direct(_)) {
                return Ok(vec![self.add_composed_by_owner(node, wanted, route, scope)?]);
            }
        }
        match route {
            Route::Direct(hop) => Ok(vec![self.add_direct(node, wanted, hop, (association.target)(), None)?]),
            Route::Found(finder) => Ok(vec![self.add_found(node, wanted, finder)?]),
            Route::Polymorphic { type_column, owner_columns, variants } => {
                self.add_polymorphic(node, &wanted, type_column, owner_columns, variants)
            }
            Route::Through { through, source, source_type } => {
                Ok(vec![self.add_through(node, wanted, through, source, source_type)?])
            }
            Route::JoinTable { table, links, targets } => {
                Ok(vec![self.add_join_table(node, wanted, table, links, targets)?])
            }
        }
    }

    pub(super) fn add_direct(
        &mut self,
        node: usize,
        wanted: Wanted,
        hop: Hop,
        model: &'static ModelDef,
        variant: Option<VariantEdge>,
    ) -> Result<usize> {
        let Wanted {
            association,
            shape,
            state,
            reordered,
            hidden,
            ranked,
            links_only,
            joined,
            loader,
            asked,
            resolved,
            ..
        } = wanted;
        if let Some(loader) = loader {
            return self.add_loader(node, association, hop, loader);
        }
        let select = direct_select(association, hop, model, shape, ranked, links_only)?;
        if joined && !select.group.is_empty() {
            return Err(cannot_join(association, GROUPED));
        }
        let edge = self.push_edge(node, association, hop, select, state, hidden, links_only, variant, joined);
        self.nodes[node].edges[edge].reordered = reordered;
        if let (Some(scope), false, Some(step)) = (association.options.owner_scope, resolved, self.steps.last_mut()) {
            step.by_owner = Some(ByOwner::new(association, scope, asked, LookUp::Key(hop, links_only)));
            // The scope is a function of whole owners.
            self.nodes[node].links_only = false;
        }
        Ok(edge)
    }

    #[allow(clippy::too_many_arguments)] // The one place edges with a step are made.
    pub(super) fn push_edge(
        &mut self,
        node: usize,
        association: &'static AssociationDef,
        hop: Hop,
        select: KeyedSelect,
        state: LoadState,
        hidden: bool,
        links_only: bool,
        variant: Option<VariantEdge>,
        joined: bool,
    ) -> usize {
        let child = self.nodes.len();
        let id = EdgeId { node, edge: self.nodes[node].edges.len() };
        self.nodes.push(Node {
            model: select.model,
            stored_by: (!hidden).then_some(id),
            fetched_by: Some(id),
            links_only,
            edges: Vec::new(),
        });
        self.nodes[node].edges.push(Edge {
            association,
            cardinality: association.kind.cardinality(),
            source: match joined {
                true => Source::Joined { joined: self.joined.len() },
                false => Source::Step { step: self.steps.len(), hop },
            },
            child,
            state,
            reordered: false,
            hidden,
            serves: None,
            behind: None,
            variant,
        });
        if joined {
            self.joined.push(JoinedEdge::new(id, select, hop));
            return id.edge;
        }
        let memory = Vec::new();
        self.steps.push(Step {
            select,
            serves: vec![id],
            memory,
            by_owner: None,
            finder: None,
            loader: None,
            way: None,
        });
        id.edge
    }

    fn add_polymorphic(
        &mut self,
        node: usize,
        wanted: &Wanted,
        type_column: usize,
        owner_columns: &'static [usize],
        variants: &'static [VariantDef],
    ) -> Result<Vec<usize>> {
        if wanted.shape.select.is_some() && wanted.only_type.is_none() {
            let message =
                format!("`{}` leads to several models, so there are no columns to `select`", wanted.association.name);
            return Err(Error::invalid_query((wanted.association.owner)().name, message));
        }
        let mut edges = Vec::with_capacity(variants.len());
        let chosen = variants.iter().filter(|variant| wanted.only_type.is_none_or(|tag| tag == variant.tag));
        for (at, variant) in chosen.enumerate() {
            let model = (variant.model)();
            let hop = variant.hop(owner_columns);
            let discriminator = Discriminator { column: type_column, tag: variant.tag };
            let variant = VariantEdge { discriminator, def: variant, all: variants, stores_absent: at == 0 };
            let (shape, asked) = (wanted.shape.clone(), wanted.asked.clone());
            let wanted = Wanted { shape, asked, loader: None, ..*wanted };
            edges.push(self.add_direct(node, wanted, hop, model, Some(variant))?);
        }
        if let (true, Some(tag)) = (edges.is_empty(), wanted.only_type) {
            let association = wanted.association;
            let tags: Vec<&str> = variants.iter().map(|variant| variant.tag).collect();
            let message = format!("`{}` has no type `{tag}`; its types are: {}", association.name, tags.join(", "));
            return Err(Error::invalid_query((association.owner)().name, message));
        }
        Ok(edges)
    }

    pub(super) fn add_through(
        &mut self,
        node: usize,
        wanted: Wanted,
        through: &'static AssociationDef,
        source: &'static AssociationDef,
        source_type: Option<&'static str>,
    ) -> Result<usize> {
        if let Some(edge) = self.add_by_way(node, &wanted, through, source, source_type)? {
            return Ok(edge);
        }
        let first = self.add(node, Wanted { joined: wanted.joined, ..Wanted::part(through) })?;
        let [first] = first[..] else { return Err(through_polymorphic(wanted.association, through)) };
        let between = self.nodes[node].edges[first].child;
        let Wanted { association, shape, .. } = &wanted;
        let ranked = wanted.ranked || !shape.order.is_empty();
        let onward = Wanted {
            ranked,
            links_only: wanted.links_only,
            only_type: source_type,
            joined: wanted.joined,
            ..Wanted::source(source, shape)
        };
        let second = self.add(between, onward)?;
        let [second] = second[..] else { return Err(through_polymorphic(association, source)) };
        let second = EdgeId { node: between, edge: second };
        self.compose(node, &wanted, first, second, ranked)
    }

    fn add_join_table(
        &mut self,
        node: usize,
        wanted: Wanted,
        table: &'static ModelDef,
        links: Hop,
        targets: Hop,
    ) -> Result<usize> {
        let association = wanted.association;
        let first = self.add_links(node, &wanted, table, links, targets)?;
        let between = self.nodes[node].edges[first].child;
        let ranked = wanted.ranked || !wanted.shape.order.is_empty();
        let target = Wanted {
            shape: Shape { distinct: false, limit: None, offset: None, group: Vec::new(), ..wanted.shape.clone() },
            hidden: true,
            ranked,
            loader: None,
            asked: Shape::default(),
            // The association's own, which its links are not asked for.
            resolved: true,
            ..wanted
        };
        let second = self.add_direct(between, target, targets, (association.target)(), None)?;
        // A link leads to one target, whatever the association's own cardinality.
        self.nodes[between].edges[second].cardinality = Cardinality::One;
        self.compose(node, &wanted, first, EdgeId { node: between, edge: second }, ranked)
    }

    pub(super) fn add_links(
        &mut self,
        node: usize,
        wanted: &Wanted,
        table: &'static ModelDef,
        links: Hop,
        targets: Hop,
    ) -> Result<usize> {
        let Wanted { association, hidden, joined, .. } = *wanted;
        let base = join_scope(association, table)?;
        let select = KeyedSelect {
            only: table.is_bare_join_table().then(|| (0..table.columns.len()).collect()),
            filter: base.filter,
            order: order_of_links(table, links, targets, base.order),
            row_order: RowOrder::ByKey,
            ..KeyedSelect::new(table, links.target_columns)
        };
        // Who only leads on to others needs no more than the keys.
        let keys_only = table.is_bare_join_table() || hidden;
        Ok(self.push_edge(node, association, links, select, LoadState::Loaded, true, keys_only, None, joined))
    }

    fn compose(&mut self, node: usize, wanted: &Wanted, first: usize, second: EdgeId, ranked: bool) -> Result<usize> {
        let child = self.edge(second).child;
        let grouped = !wanted.shape.group.is_empty();
        if grouped {
            self.rank_groups(wanted.association, child, &wanted.shape.group)?;
        }
        let id = EdgeId { node, edge: self.nodes[node].edges.len() };
        let Shape { distinct, limit, offset, .. } = wanted.shape;
        let links = self.nodes[node].edges[first].association;
        // A through association's first part is another association: it keeps no rows of a join table.
        let join_rows = links == wanted.association && !self.nodes[second.node].links_only;
        self.nodes[node].edges.push(Edge {
            association: wanted.association,
            cardinality: wanted.association.kind.cardinality(),
            source: Source::Composed {
                first: EdgeId { node, edge: first },
                second,
                finish: Finish { ranked, distinct, grouped, offset: offset.unwrap_or(0), limit, join_rows },
            },
            child,
            state: wanted.state,
            reordered: wanted.reordered,
            hidden: wanted.hidden,
            serves: None,
            behind: None,
            variant: None,
        });
        if !wanted.hidden {
            self.nodes[child].stored_by = Some(id);
            self.nodes[child].links_only = false;
            self.mark_serving(node, first, id.edge);
        }
        Ok(id.edge)
    }

    // Hidden edges of the same node work for the association that is stored in the end: owners that have it need none.
    pub(super) fn mark_serving(&mut self, node: usize, edge: usize, serves: usize) {
        self.nodes[node].edges[edge].serves = Some(serves);
        if let Source::Composed { first, .. } = self.nodes[node].edges[edge].source {
            self.mark_serving(node, first.edge, serves);
        }
    }
}

/// The look-up of an association by a key of its own.
pub(super) fn direct_select(
    association: &AssociationDef,
    hop: Hop,
    model: &'static ModelDef,
    shape: Shape,
    ranked: bool,
    links_only: bool,
) -> Result<KeyedSelect> {
    if shape.distinct {
        let message = format!("`distinct` on `{}` changes nothing: an owner reaches each row once", association.name);
        return Err(Error::invalid_query((association.owner)().name, message));
    }
    let base = model.base_scope(shape.unscoped);
    model.check_default_group(&base.group)?;
    let filter = hop.typed(model, base.filter.and(shape.filter));
    let row_order = match (ranked, hop.unique) {
        (true, _) => RowOrder::Ranked,
        (false, true) => RowOrder::Any,
        (false, false) => RowOrder::ByKey,
    };
    // What every read of the model begins with. It counts the rows of one owner, so of a unique key, which has one row, it
    // leaves that or none.
    let (limit, offset) = (shape.limit.or(base.limit), shape.offset.or(base.offset).filter(|offset| *offset > 0));
    let limited = if hop.unique { limit == Some(0) || offset.is_some() } else { limit.is_some() || offset.is_some() };
    // Rows that only lead on to others are held by nobody: of them the keys are read.
    let selected = if links_only { None } else { shape.select.or(base.select) };
    Ok(KeyedSelect {
        only: None,
        selected: selected.map(|columns| ascending_once(&columns)),
        filter,
        // A unique key has one row: an order would only be noise in the statement.
        order: match (row_order, shape.order.is_empty()) {
            (RowOrder::Any, _) => Vec::new(),
            (_, true) => base.order,
            (_, false) => shape.order,
        },
        row_order,
        // One row an owner is one of each group.
        group: if hop.unique { Vec::new() } else { shape.group },
        per_owner: limited.then(|| PerOwner { limit, offset: offset.unwrap_or(0) }),
        ..KeyedSelect::new(model, hop.target_columns)
    })
}

// Whether a request gives all that the association declares. Where that is a selection, another order selects other
// rows: the first of a `has_one`, of a group, the first few of an association with a limit.
fn is_whole(association: &AssociationDef, own: &Shape, asked: &Shape) -> bool {
    let single = || match association.kind.route(association) {
        Ok(Route::Direct(hop)) => !hop.unique && association.kind.cardinality() == Cardinality::One,
        Ok(Route::Polymorphic { .. }) => false,
        _ => association.kind.cardinality() == Cardinality::One,
    };
    // An owner's scope may cut as well.
    let cuts = own.limit.is_some() || own.offset.is_some() || association.options.owner_scope.is_some();
    let selects = || cuts || !own.group.is_empty() || single();
    asked.is_whole() && (asked.order.is_empty() || !selects())
}

pub(super) fn through_polymorphic(association: &AssociationDef, part: &AssociationDef) -> Error {
    let message = format!(
        "`{}` goes through the polymorphic `{}`: name the one type to follow with `source_type = \"…\"`",
        association.name, part.name
    );
    Error::invalid_query((association.owner)().name, message)
}
