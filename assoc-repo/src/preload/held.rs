//! Walking the rows an application holds, from the root through the associations that are loaded.

use std::any::Any;

use assoc_core::planner::{Edge, Plan};
use assoc_core::rows::keys_of;
use assoc_core::{AssociationDef, KeyTuple, LoadState, Macro, Model, Route, RowKeys, Value};

/// The rows of roots when the application holds them.
pub(crate) trait Held: Send + Sync {
    fn len(&self, root: usize) -> usize;
    fn keys(&self, root: usize, columns: &[usize]) -> RowKeys;
    fn visit<'a>(&'a self, root: usize, each: &mut dyn FnMut(&'a dyn Any));
    fn visit_mut<'a>(&'a mut self, root: usize, each: &mut dyn FnMut(&'a mut dyn Any));
}

/// The rows of one root, the only one.
pub(crate) enum HeldRows<'r, M> {
    /// They take what is loaded for them.
    Taking(&'r mut [M]),
    /// They are only looked at.
    Lent(&'r [M]),
}

impl<M> HeldRows<'_, M> {
    fn rows(&self) -> &[M] {
        match self {
            HeldRows::Taking(rows) => rows,
            HeldRows::Lent(rows) => rows,
        }
    }
}

impl<M: Model> Held for HeldRows<'_, M> {
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
        if let HeldRows::Taking(rows) = self {
            rows.iter_mut().for_each(|row| each(row));
        }
    }
}

/// The rows of several roots, each with its own.
impl Held for Vec<Box<dyn Held + '_>> {
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

/// Calls back with each held row of a node, in the order that all parts of a preload count them. Rows that are stored
/// nowhere are never held.
pub(crate) fn visit<'a>(plan: &Plan, root: &'a dyn Held, node: usize, each: &mut dyn FnMut(&'a dyn Any)) {
    if node < plan.roots() {
        return root.visit(node, each);
    }
    let Some(id) = plan.nodes()[node].stored_by else { return };
    let edge = plan.edge(id);
    let slot = edge.association.slot;
    visit(plan, root, id.node, &mut |row| {
        if keeps(row, edge) {
            match edge.variant {
                None => slot.visit(row, each),
                Some(variant) => slot.visit(row, &mut |target| {
                    if let Some(row) = (variant.def.row)(target) {
                        each(row);
                    }
                }),
            }
        }
    });
}

/// The same, to change them.
pub(crate) fn visit_mut<'a>(plan: &Plan, root: &'a mut dyn Held, node: usize, each: &mut dyn FnMut(&'a mut dyn Any)) {
    if node < plan.roots() {
        return root.visit_mut(node, each);
    }
    let Some(id) = plan.nodes()[node].stored_by else { return };
    let edge = plan.edge(id);
    let slot = edge.association.slot;
    visit_mut(plan, root, id.node, &mut |row| {
        if keeps(row, edge) {
            match edge.variant {
                None => slot.visit_mut(row, each),
                Some(variant) => slot.visit_mut(row, &mut |target| {
                    if let Some(row) = (variant.def.row_mut)(target) {
                        each(row);
                    }
                }),
            }
        }
    });
}

/// Whether an owner keeps what it holds: the whole association was asked for and is there. One that is filtered or
/// asked for in an order is loaded anew, because nothing says that what is held went through the same; and so is the
/// target of a `belongs_to` that the owner does not refer to any more.
pub(crate) fn keeps(owner: &dyn Any, wanted: &Edge) -> bool {
    wanted.state == LoadState::Loaded
        && !wanted.reordered
        && wanted.association.slot.state(owner) == LoadState::Loaded
        && !is_stale(owner, wanted.association)
}

// Whether the key of a `belongs_to` is another one than that of the target in memory. A key whose row was not there is
// worth another look.
fn is_stale(owner: &dyn Any, association: &'static AssociationDef) -> bool {
    if association.association_macro() != Macro::BelongsTo {
        return is_behind_stale(owner, association);
    }
    let model = (association.owner)();
    let own = |columns: &[usize]| model.key_in(owner, columns);
    let mut target = None;
    match association.kind.route(association) {
        Ok(Route::Direct(hop)) => {
            let leads_to = (association.target)();
            association.slot.visit(owner, &mut |row| target = leads_to.key_in(row, hop.target_columns));
            !same(own(hop.owner_columns), target)
        }
        Ok(Route::Polymorphic { type_column, owner_columns, variants }) => {
            let mut tag = None;
            association.slot.visit(owner, &mut |row| {
                for variant in variants {
                    if let Some(row) = (variant.row)(row) {
                        (tag, target) = (Some(variant.tag), (variant.model)().key_in(row, variant.key));
                    }
                }
            });
            // An empty tag names no type.
            let named = own(&[type_column]).filter(|named| named.values() != [Value::from("")]);
            let refers_to = own(owner_columns).filter(|_| named.is_some());
            let other_type = named.zip(tag).is_some_and(|(named, tag)| named.values() != [Value::from(tag)]);
            other_type || !same(refers_to, target)
        }
        _ => false,
    }
}

// Whether targets are there that the owner cannot lead to any more: what they are reached through is another row than it
// was. That row's key is known only while the row is in memory, or if there is none.
fn is_behind_stale(owner: &dyn Any, association: &'static AssociationDef) -> bool {
    let Ok(Route::Through { through, .. }) = association.kind.route(association) else { return false };
    let has = |association: &AssociationDef| {
        let mut found = false;
        association.slot.visit(owner, &mut |_| found = true);
        found
    };
    if leads_nowhere(owner, through) {
        return has(association);
    }
    has(through) && is_stale(owner, through)
}

// Whether the way begins with a `belongs_to` that has no key.
fn leads_nowhere(owner: &dyn Any, association: &'static AssociationDef) -> bool {
    match association.kind.route(association) {
        Ok(Route::Direct(hop)) => {
            association.association_macro() == Macro::BelongsTo
                && (association.owner)().key_in(owner, hop.owner_columns).is_none()
        }
        Ok(Route::Through { through, .. }) => leads_nowhere(owner, through),
        _ => false,
    }
}

// Text may match by rules of the database's own. What differs in case or blanks only counts as the same; at worst
// another difference costs a look-up that was not needed.
fn same(one: Option<KeyTuple>, other: Option<KeyTuple>) -> bool {
    let folded = |text: &str| text.trim_end().to_lowercase();
    match (one, other) {
        (Some(one), Some(other)) => {
            one == other
                || one.values().iter().zip(other.values()).all(|pair| match pair {
                    (Value::Text(one), Value::Text(other)) => folded(one) == folded(other),
                    (one, other) => one == other,
                })
        }
        (one, other) => one.is_none() && other.is_none(),
    }
}

/// The keys that held rows of a node below the root have in some of their columns.
pub(crate) fn keys(plan: &Plan, root: &dyn Held, node: usize, columns: &[usize]) -> RowKeys {
    if node < plan.roots() {
        return root.keys(node, columns);
    }
    let model = plan.nodes()[node].model;
    let mut keys = Vec::new();
    visit(plan, root, node, &mut |row| keys.push(model.key_in(row, columns)));
    RowKeys::Tuples(keys)
}
