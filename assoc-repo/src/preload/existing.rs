//! Walks the program's existing rows, from the root through the loaded associations. Finds the owners of an edge,
//! existing and fetched, with their keys.

use std::any::Any;

use assoc_core::execution::rows::{Rows, keys_of};
use assoc_core::execution::{KeyTuple, RowKeys};
use assoc_core::metadata::{AssociationDef, Chain, ScopeDef, UnknownType};
use assoc_core::planner::{Edge, EdgeId, Plan, Source, VariantEdge};
use assoc_core::{ErrorKind, LoadState, Model, Result, Value};

use super::fetch::Run;
use super::{NodeRows, stale};

/// The rows of roots when the application holds them.
pub(crate) trait Existing: Send + Sync {
    fn len(&self, root: usize) -> usize;
    fn keys(&self, root: usize, columns: &[usize]) -> RowKeys;
    fn visit<'a>(&'a self, root: usize, each: &mut dyn FnMut(&'a dyn Any));
    fn visit_mut<'a>(&'a mut self, root: usize, each: &mut dyn FnMut(&'a mut dyn Any));
}

/// The rows of one root, the only one.
pub(crate) enum ExistingRows<'r, M> {
    /// They take what is loaded for them.
    Taking(&'r mut [M]),
    /// They are only looked at.
    Lent(&'r [M]),
}

impl<M> ExistingRows<'_, M> {
    fn rows(&self) -> &[M] {
        match self {
            ExistingRows::Taking(rows) => rows,
            ExistingRows::Lent(rows) => rows,
        }
    }
}

impl<M: Model> Existing for ExistingRows<'_, M> {
    fn len(&self, _: usize) -> usize {
        self.rows().len()
    }

    fn keys(&self, _: usize, columns: &[usize]) -> RowKeys {
        keys_of(self.rows(), columns)
    }

    fn visit<'a>(&'a self, _: usize, each: &mut dyn FnMut(&'a dyn Any)) {
        self.rows().iter().for_each(|row| each(row));
    }

    fn visit_mut<'a>(&'a mut self, _: usize, each: &mut dyn FnMut(&'a mut dyn Any)) {
        if let ExistingRows::Taking(rows) = self {
            rows.iter_mut().for_each(|row| each(row));
        }
    }
}

/// Rows of a model that is not known at compile time.
pub(crate) struct ErasedRows(pub(crate) Box<dyn Rows>);

impl Existing for ErasedRows {
    fn len(&self, _: usize) -> usize {
        self.0.len()
    }

    fn keys(&self, _: usize, columns: &[usize]) -> RowKeys {
        self.0.keys(columns, 0)
    }

    fn visit<'a>(&'a self, _: usize, each: &mut dyn FnMut(&'a dyn Any)) {
        (0..self.0.len()).filter_map(|at| self.0.row(at)).for_each(each);
    }

    fn visit_mut<'a>(&'a mut self, _: usize, each: &mut dyn FnMut(&'a mut dyn Any)) {
        self.0.visit_mut(each);
    }
}

/// The rows of several roots, each with its rows.
impl Existing for Vec<Box<dyn Existing + '_>> {
    fn len(&self, root: usize) -> usize {
        self.get(root).map_or(0, |own| own.len(0))
    }

    fn keys(&self, root: usize, columns: &[usize]) -> RowKeys {
        self.get(root).map_or(RowKeys::Ints(Vec::new()), |own| own.keys(0, columns))
    }

    fn visit<'a>(&'a self, root: usize, each: &mut dyn FnMut(&'a dyn Any)) {
        if let Some(own) = self.get(root) {
            own.visit(0, each);
        }
    }

    fn visit_mut<'a>(&'a mut self, root: usize, each: &mut dyn FnMut(&'a mut dyn Any)) {
        if let Some(own) = self.get_mut(root) {
            own.visit_mut(0, each);
        }
    }
}

/// Calls `each` with each existing row of a node, in the order in which all parts of a preload count them. A node that
/// is not stored has no existing rows.
pub(crate) fn visit<'a>(plan: &Plan, root: &'a dyn Existing, node: usize, each: &mut dyn FnMut(&'a dyn Any)) {
    // Level by level: rows may lie deeper in each other than a stack is.
    let Some((begin, associations)) = associations_to(plan, node) else { return };
    let Some((last, above)) = associations.split_last() else { return root.visit(begin, each) };
    let last = Targets::of(plan, *last);
    let Some((first, above)) = above.split_first() else {
        return root.visit(begin, &mut |row| last.visit(row, each));
    };
    let first = Targets::of(plan, *first);
    let mut rows: Vec<&'a dyn Any> = Vec::new();
    root.visit(begin, &mut |row| first.visit(row, &mut |target| rows.push(target)));
    for edge in above.iter().map(|id| Targets::of(plan, *id)) {
        let mut targets = Vec::with_capacity(rows.len());
        rows.into_iter().for_each(|row| edge.visit(row, &mut |target| targets.push(target)));
        rows = targets;
    }
    rows.into_iter().for_each(|row| last.visit(row, each));
}

/// The same, to change them.
pub(crate) fn visit_mut<'a>(
    plan: &Plan,
    root: &'a mut dyn Existing,
    node: usize,
    each: &mut dyn FnMut(&'a mut dyn Any),
) {
    let Some((begin, associations)) = associations_to(plan, node) else { return };
    let Some((last, above)) = associations.split_last() else { return root.visit_mut(begin, each) };
    let last = Targets::of(plan, *last);
    let Some((first, above)) = above.split_first() else {
        return root.visit_mut(begin, &mut |row| last.visit_mut(row, each));
    };
    let first = Targets::of(plan, *first);
    let mut rows: Vec<&'a mut dyn Any> = Vec::new();
    root.visit_mut(begin, &mut |row| first.visit_mut(row, &mut |target| rows.push(target)));
    for edge in above.iter().map(|id| Targets::of(plan, *id)) {
        let mut targets = Vec::with_capacity(rows.len());
        rows.into_iter().for_each(|row| edge.visit_mut(row, &mut |target| targets.push(target)));
        rows = targets;
    }
    rows.into_iter().for_each(|row| last.visit_mut(row, each));
}

// The root above a node, and the edges from there to it; `None` if its rows are stored nowhere.
fn associations_to(plan: &Plan, node: usize) -> Option<(usize, Vec<EdgeId>)> {
    let (mut at, mut associations) = (node, Vec::new());
    while at >= plan.roots() {
        let id = plan.nodes()[at].stored_by?;
        associations.push(id);
        at = id.node;
    }
    associations.reverse();
    Some((at, associations))
}

/// The targets that owners keep of an edge.
struct Targets<'p> {
    edge: &'p Edge,
    keeping: Keeping,
}

impl<'p> Targets<'p> {
    fn of(plan: &'p Plan, id: EdgeId) -> Self {
        let edge = plan.edge(id);
        Targets { edge, keeping: Keeping::of(edge) }
    }

    fn visit<'a>(&self, owner: &'a dyn Any, each: &mut dyn FnMut(&'a dyn Any)) {
        if !self.keeping.keeps(owner) {
            return;
        }
        let slot = self.edge.association.field_access;
        match self.edge.variant {
            None => slot.visit(owner, each),
            Some(variant) => slot.visit(owner, &mut |target| {
                if let Some(row) = (variant.def.row)(target) {
                    each(row);
                }
            }),
        }
    }

    fn visit_mut<'a>(&self, owner: &'a mut dyn Any, each: &mut dyn FnMut(&'a mut dyn Any)) {
        if !self.keeping.keeps(owner) {
            return;
        }
        let slot = self.edge.association.field_access;
        match self.edge.variant {
            None => slot.visit_mut(owner, each),
            Some(variant) => slot.visit_mut(owner, &mut |target| {
                if let Some(row) = (variant.def.row_mut)(target) {
                    each(row);
                }
            }),
        }
    }
}

/// The owners of an edge that keep their loaded association: the request is for the whole association, and it is
/// loaded. A filtered or ordered association is loaded again, because nothing says that the existing rows had the same
/// filter and order. So is the target of a `belongs_to` whose owner does not refer to it any more.
pub(super) struct Keeping {
    // How its targets are reached; none where no owner keeps them.
    chain: Option<Chain>,
}

impl Keeping {
    pub(super) fn of(edge: &Edge) -> Self {
        match edge.state == LoadState::Loaded && !edge.reordered {
            true => Keeping::whole(edge.association),
            false => Keeping { chain: None },
        }
    }

    /// Of an association as it is declared.
    pub(super) fn whole(association: &'static AssociationDef) -> Self {
        // The plan has followed it already, so it holds together.
        Keeping { chain: Chain::scoped(association, ScopeDef::default()).ok() }
    }

    pub(super) fn keeps(&self, owner: &dyn Any) -> bool {
        self.chain.as_ref().is_some_and(|chain| stale::is_whole(owner, chain))
    }
}

/// The keys in some columns of the existing rows of a node below the root.
pub(crate) fn keys(plan: &Plan, root: &dyn Existing, node: usize, columns: &[usize]) -> RowKeys {
    if node < plan.roots() {
        return root.keys(node, columns);
    }
    let model = plan.nodes()[node].model;
    let mut keys = Vec::new();
    visit(plan, root, node, &mut |row| keys.push(model.key_in(row, columns)));
    RowKeys::Tuples(keys)
}

/// Each owner's key, `None` if it has none or does not take part, and whether the edge leaves it alone.
pub(super) struct Owners {
    pub(super) keys: RowKeys,
    pub(super) kept: Vec<bool>,
    // Owners whose rows are in memory already: nothing is looked up for them, but they take these rows. Empty if there
    // are none.
    pub(super) known: Vec<bool>,
    pub(super) forgotten: Vec<usize>,
}

impl Owners {
    /// Whether an owner keeps what it holds, or has its rows in memory.
    pub(super) fn takes_nothing_new(&self, at: usize) -> bool {
        let is = |marks: &[bool]| marks.get(at).copied().unwrap_or(false);
        is(&self.kept) || is(&self.known)
    }

    fn none() -> Self {
        Owners { keys: RowKeys::Ints(Vec::new()), kept: Vec::new(), known: Vec::new(), forgotten: Vec::new() }
    }
}

impl Run<'_, '_> {
    /// The owners of an edge.
    pub(super) fn owners_of(&self, id: EdgeId) -> Result<Owners> {
        let edge = self.plan.edge(id);
        // The plan's order guarantees that the owners' step has run.
        let Some(rows) = &self.nodes[id.node] else { return Ok(Owners::none()) };
        let mut kept = self.kept_owners(id);
        let columns = match edge.source {
            Source::Step { hop, .. } => hop.owner_columns,
            // The scope or SQL of an owner decides, not a key.
            Source::OwnerStep { .. } => &[],
            Source::Joined { .. } | Source::Through { .. } => return Ok(Owners::none()),
        };
        let mut keys = self.all_keys(rows, id.node, columns);
        kept.resize(keys.len(), false);
        forget(&mut keys, &kept);
        let known = self.reused.known(id, keys.len());
        forget(&mut keys, &known);
        let mut forgotten = Vec::new();
        if let Some(variant) = edge.variant {
            let tags = self.all_keys(rows, id.node, &[variant.discriminator.column]).into_tuples();
            if variant.stores_absent && !edge.hidden {
                forgotten = unknown_types(variant, &tags, &kept).map(|(at, _)| at).collect();
                if edge.association.options.unknown_type == UnknownType::Error {
                    self.refuse_unknown(rows, id, variant, &tags, &kept)?;
                }
            }
            let mine: Vec<Option<bool>> =
                tags.iter().map(|tag| Some(tag_of(tag.as_ref())? == variant.discriminator.tag)).collect();
            let others: Vec<bool> = mine.iter().map(|mine| *mine != Some(true)).collect();
            forget(&mut keys, &others);
            for (kept, mine) in kept.iter_mut().zip(mine) {
                *kept |= !mine.unwrap_or(variant.stores_absent);
            }
        }
        if let RowKeys::Tuples(tuples) = &keys
            && columns.len() == 1
            && let Some(ints) = as_ints(tuples)
        {
            keys = RowKeys::Ints(ints);
        }
        Ok(Owners { keys, kept, known, forgotten })
    }

    /// The existing owners whose association is in memory already, unless all is loaded again. A hidden edge uses the
    /// answer of the edge that it serves.
    pub(super) fn kept_owners(&self, id: EdgeId) -> Vec<bool> {
        let mut kept = Vec::new();
        let edge = self.plan.edge(id);
        let stored = match edge.serves {
            Some(serves) => Some(&self.plan.nodes()[id.node].edges[serves]),
            None => Some(edge).filter(|edge| !edge.hidden),
        };
        let existing = self.nodes[id.node].as_ref().is_some_and(|rows| rows.existing > 0);
        let (Some(root), Some(stored), true) = (self.existing, stored, existing) else { return kept };
        match self.reload {
            None => {
                let keeping = Keeping::of(stored);
                visit(self.plan, root, id.node, &mut |row| kept.push(keeping.keeps(row)));
            }
            Some(reload) if reload.is_only_where_loaded(id.node, stored.association) => {
                let field = stored.association.field_access;
                visit(self.plan, root, id.node, &mut |row| kept.push(field.state(row) != LoadState::Loaded));
            }
            Some(_) => {}
        }
        kept
    }

    // The keys in some columns of the rows of a node, existing and fetched.
    fn all_keys(&self, rows: &NodeRows, node: usize, columns: &[usize]) -> RowKeys {
        match self.existing {
            Some(root) if rows.existing > 0 => {
                let mut all = keys(self.plan, root, node, columns);
                all.extend(rows.fetched.keys(columns, 0));
                all
            }
            _ => rows.fetched.keys(columns, 0),
        }
    }

    fn refuse_unknown(
        &self,
        rows: &NodeRows,
        id: EdgeId,
        variant: VariantEdge,
        tags: &[Option<KeyTuple>],
        kept: &[bool],
    ) -> Result<()> {
        let Some((at, tag)) = unknown_types(variant, tags, kept).next() else { return Ok(()) };
        let model = self.plan.nodes()[id.node].model;
        let key = self.all_keys(rows, id.node, model.primary_key);
        Err(ErrorKind::UnknownType {
            model: model.name,
            key: key.show(at),
            association: self.plan.edge(id).association.name,
            tag: tag.to_owned(),
            known: variant.all.iter().map(|known| known.tag).collect(),
        }
        .into())
    }
}

fn forget(keys: &mut RowKeys, marks: &[bool]) {
    match keys {
        RowKeys::Ints(keys) => keys.iter_mut().zip(marks).filter(|(_, mark)| **mark).for_each(|(key, _)| *key = None),
        RowKeys::Tuples(keys) => keys.iter_mut().zip(marks).filter(|(_, mark)| **mark).for_each(|(key, _)| *key = None),
    }
}

pub(super) fn as_ints(tuples: &[Option<KeyTuple>]) -> Option<Vec<Option<i64>>> {
    tuples
        .iter()
        .map(|key| match key.as_ref().map(KeyTuple::values) {
            None => Some(None),
            Some([Value::Int(key)]) => Some(Some(*key)),
            Some(_) => None,
        })
        .collect()
}

// An empty tag names no type.
fn tag_of(tag: Option<&KeyTuple>) -> Option<&str> {
    match tag?.values() {
        [Value::Text(tag)] if !tag.is_empty() => Some(tag),
        _ => None,
    }
}

// The owners that name a type which the association does not know, and which.
fn unknown_types<'t>(
    variant: VariantEdge,
    tags: &'t [Option<KeyTuple>],
    kept: &'t [bool],
) -> impl Iterator<Item = (usize, &'t str)> {
    let known = move |tag: &str| variant.all.iter().any(|known| known.tag == tag);
    tags.iter().zip(kept).enumerate().filter_map(move |(at, (tag, kept))| {
        let tag = tag_of(tag.as_ref())?;
        (!kept && !known(tag)).then_some((at, tag))
    })
}
