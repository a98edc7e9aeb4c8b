//! Compares rows with their loaded associations to the reference, through reflection: no code a model.

use std::any::Any;

use assoc_core::metadata::{AssociationDef, AssociationKind, Cardinality, ModelDef, Request, Route, ScopeDef};
use assoc_core::{LoadState, Value};

use crate::data::{Row, World};
use crate::people::{User, is_aligned};
use crate::reference::Found;

/// A row in memory is the one that was expected, and so is what a tree loaded below it. `fresh` rows hold nothing but
/// what the tree asked for.
pub(crate) fn compare_row(
    world: &World,
    row: &dyn Any,
    expected: Found<'_>,
    requests: &[Request],
    way: Way,
    fresh: bool,
) -> Result<(), String> {
    let model = expected.model;
    let values: Vec<String> =
        (0..model.columns.len()).map(|column| model.rows.value(row, column).to_string()).collect();
    if values.iter().zip(expected.row).any(|(found, expected)| *found != expected.to_string()) {
        return Err(format!("a row of {}: expected {expected:?}, found ({})", model.name, values.join(", ")));
    }
    for association in model.associations {
        match requests.iter().find(|request| request.association == association) {
            Some(request) => compare_association(world, row, expected, request, way, fresh)?,
            None if fresh && association.field_access.state(row) != LoadState::NotLoaded => {
                return Err(format!("{} of {expected:?} is loaded, nobody asked for it", association.qualified_name()));
            }
            None => {}
        }
    }
    Ok(())
}

fn compare_association(
    world: &World,
    row: &dyn Any,
    owner: Found<'_>,
    request: &Request,
    way: Way,
    fresh: bool,
) -> Result<(), String> {
    let association = request.association;
    let expected = world.targets(owner, association, &request.scope, None);
    let wrong = |what: String| Err(format!("{} of {owner:?}: {what}", association.qualified_name()));
    let state = if is_whole(request) { LoadState::Loaded } else { LoadState::Partial };
    if association.field_access.state(row) != state {
        return wrong(format!("expected {state:?}, found {:?}", association.field_access.state(row)));
    }
    let found = loaded(row, association);
    if found.len() != expected.len() {
        return wrong(format!("expected {expected:?}, found {}", show(association, &found)));
    }
    let selected = selected_of(association, &request.scope);
    if !row.downcast_ref::<User>().is_none_or(is_aligned) {
        return wrong("a row of a join table stands beside another target".to_owned());
    }
    for (target, expected) in found.iter().zip(&expected) {
        let masked = masked(*expected, selected.as_deref());
        let expected = &Found { model: expected.model, row: &masked };
        let (own, way) = below(request, way, expected.model);
        if let Err(what) = compare_row(world, *target, *expected, &own, &way, fresh) {
            return wrong(format!("{what}\n  among expected {:?}\n  found {}", expected, show(association, &found)));
        }
    }
    Ok(())
}

/// The columns that are read of an association's rows, if not all are.
pub(crate) fn selected_of(association: &AssociationDef, asked: &ScopeDef) -> Option<Vec<usize>> {
    let own = association.scope().with(asked.clone()).select;
    own.or_else(|| match association.kind.route(association) {
        Ok(Route::Through { source, .. }) => selected_of(source, &ScopeDef::default()),
        _ => None,
    })
}

/// A row with nothing in the columns that are not read.
pub(crate) fn masked(found: Found<'_>, selected: Option<&[usize]>) -> Row {
    let reads = |at: usize| selected.is_none_or(|selected| selected.contains(&at));
    found.row.iter().enumerate().map(|(at, value)| if reads(at) { value.clone() } else { Value::Null }).collect()
}

/// The rows of an association in memory, out of the enum where it is polymorphic.
pub(crate) fn loaded<'r>(row: &'r dyn Any, association: &AssociationDef) -> Vec<&'r dyn Any> {
    let mut found: Vec<&dyn Any> = Vec::new();
    association.field_access.visit(row, &mut |target| found.push(unwrapped(association, target)));
    found
}

/// A target out of the enum of a polymorphic association.
pub(crate) fn unwrapped<'r>(association: &AssociationDef, target: &'r dyn Any) -> &'r dyn Any {
    match association.kind.route(association) {
        Ok(Route::Polymorphic { variants, .. }) => {
            variants.iter().find_map(|variant| (variant.row)(target)).unwrap_or(target)
        }
        _ => target,
    }
}

fn show(association: &AssociationDef, rows: &[&dyn Any]) -> String {
    let one = |row: &&dyn Any| {
        let model = crate::trees::targets(association).into_iter().find(|model| is_of(*row, model));
        let model = model.unwrap_or_else(association.target);
        let values: Vec<String> =
            (0..model.columns.len()).map(|column| model.rows.value(*row, column).to_string()).collect();
        format!("{}({})", model.name, values.join(", "))
    };
    format!("[{}]", rows.iter().map(one).collect::<Vec<_>>().join(", "))
}

fn is_of(row: &dyn Any, model: &ModelDef) -> bool {
    row.type_id() == model.type_id()
}

/// Whether a loaded `belongs_to` of a tree refers to a row that does not exist.
pub(crate) fn dangles(model: &ModelDef, row: &dyn Any, requests: &[Request]) -> bool {
    requests.iter().filter(|request| (request.association.owner)() == model).any(|request| {
        let association = request.association;
        let columns = match association.kind.route(association) {
            Ok(Route::OwnerKey(hop) | Route::TargetKey(hop)) => hop.owner_columns.to_vec(),
            Ok(Route::Polymorphic { type_column, owner_columns, .. }) => {
                owner_columns.iter().copied().chain([type_column]).collect()
            }
            _ => Vec::new(),
        };
        let targets = loaded(row, association);
        let refers = columns.iter().all(|column| !model.rows.value(row, *column).is_null());
        let below = |target: &&dyn Any| {
            let own = crate::trees::targets(association).into_iter().find(|model| is_of(*target, model));
            own.is_some_and(|own| dangles(own, *target, &request.children))
        };
        association.association_kind() == AssociationKind::BelongsTo && refers && targets.is_empty()
            || targets.iter().any(below)
            || row_between_dangles(row, association)
    })
}

// The same of a row between that is in memory.
fn row_between_dangles(row: &dyn Any, association: &AssociationDef) -> bool {
    let Ok(Route::Through { through, source, source_type }) = association.kind.route(association) else { return false };
    // The columns of a row between that refer to the target, those that they refer to, and the column of the target's type.
    let (refers, referred, type_column) = match source.kind.route(source) {
        Ok(Route::OwnerKey(hop)) => (hop.owner_columns, hop.target_columns, None),
        Ok(Route::Polymorphic { type_column, owner_columns, .. }) => {
            (owner_columns, (association.target)().primary_key, Some(type_column))
        }
        _ => return false,
    };
    let key = |model: &ModelDef, row: &dyn Any, columns: &[usize]| -> Vec<String> {
        columns.iter().map(|column| model.rows.value(row, *column).to_string().to_lowercase()).collect()
    };
    let (between, target) = ((source.owner)(), (association.target)());
    let targets: Vec<_> = loaded(row, association).iter().map(|row| key(target, *row, referred)).collect();
    let leads_there = |row: &dyn Any| match (type_column, source_type) {
        (Some(column), Some(tag)) => between.rows.value(row, column) == Value::from(tag),
        _ => true,
    };
    let mut rows = loaded(row, through).into_iter().filter(|row| leads_there(*row));
    rows.any(|row| !targets.contains(&key(between, row, refers)))
}

/// Columns that only a single-column `belongs_to` of a model goes by.
pub(crate) fn foreign_keys(model: &ModelDef) -> Vec<usize> {
    let routes = || model.associations.iter().filter_map(|association| association.kind.route(association).ok());
    let others: Vec<usize> = routes()
        .flat_map(|route| match route {
            Route::TargetKey(hop) => hop.owner_columns,
            Route::JoinTable { links, .. } => links.owner_columns,
            _ => &[],
        })
        .chain(model.primary_key)
        .copied()
        .collect();
    let mut found: Vec<usize> = routes()
        .filter_map(|route| match route {
            Route::OwnerKey(hop) if hop.owner_columns.len() == 1 => Some(hop.owner_columns[0]),
            _ => None,
        })
        .filter(|column| !others.contains(column))
        .collect();
    found.dedup();
    found
}

/// Whether an association of the targets is the one that leads back from them, or goes through it.
pub(crate) fn begins_with_inverse(association: &AssociationDef, leads_to: &AssociationDef) -> bool {
    leads_to.inverse().ok().flatten().is_some_and(|inverse| inverse == association)
        || association.kind.parts().is_some_and(|[through, _]| begins_with_inverse(through, leads_to))
}

/// Whether the scopes of an association bring one that begins by leading back.
pub(crate) fn includes_inverse(association: &AssociationDef) -> bool {
    let of_targets = crate::trees::targets(association).into_iter().flat_map(|model| model.base_scope(false).includes);
    association
        .scope()
        .includes
        .into_iter()
        .chain(of_targets)
        .any(|child| begins_with_inverse(child.association, association))
}

/// Whether an association's targets depend on nothing of its owner but keys.
pub(crate) fn goes_by_keys(association: &AssociationDef) -> bool {
    if association.options.owner_scope.is_some() {
        return false;
    }
    match association.kind.route(association) {
        Ok(Route::Through { through, .. }) => goes_by_keys(through),
        Ok(Route::CustomSql(_)) | Err(_) => false,
        Ok(_) => true,
    }
}

/// The includes on the way to a place, since what was asked for last.
pub(crate) type Way<'w> = &'w [&'static AssociationDef];

/// What is loaded for the rows of a request that are of one model: what was asked for below it, and what scopes
/// include, once on its way.
fn below(request: &Request, way: Way, model: &'static ModelDef) -> (Vec<Request>, Vec<&'static AssociationDef>) {
    let shape = request.association.scope().with(request.scope.clone());
    let mut way = if request.included { way.to_vec() } else { Vec::new() };
    way.extend(request.included.then_some(request.association));
    let mut own = request.clone().take_children();
    own.extend(shape.includes);
    own.retain(|child| (child.association.owner)() == model);
    own.extend(model.base_scope(shape.unscoped).includes);
    own.retain(|child| !(child.included && way.contains(&child.association)));
    (own, way)
}

/// How many look-ups a tree needs if nothing is shared: each association by its hops.
pub(crate) fn hops(requests: &[Request], way: Way) -> usize {
    let below = |request: &Request| {
        let each = crate::trees::targets(request.association).into_iter().map(|model| below(request, way, model));
        each.map(|(own, way)| hops(&own, &way)).sum::<usize>()
    };
    requests.iter().map(|request| hops_of(request.association, None) + below(request)).sum()
}

fn hops_of(association: &AssociationDef, only_type: Option<&str>) -> usize {
    match association.kind.route(association).unwrap() {
        Route::Polymorphic { variants, .. } => {
            if only_type.is_some() {
                1
            } else {
                variants.len()
            }
        }
        Route::Through { through, source, source_type } => hops_of(through, None) + hops_of(source, source_type),
        Route::JoinTable { .. } => 2,
        _ => 1,
    }
}

/// Whether a request gives all that the association declares: another order changes that only where it chooses.
fn is_whole(request: &Request) -> bool {
    let Request { association, scope: shape, .. } = request;
    shape.is_whole() && (shape.order.is_empty() || !chooses(association))
}

/// Whether an association's order decides which rows it has.
pub(crate) fn chooses(association: &AssociationDef) -> bool {
    let scope = association.scope();
    let one = association.kind.cardinality() == Cardinality::One;
    let unique = match association.kind.route(association) {
        Ok(Route::OwnerKey(hop) | Route::TargetKey(hop)) => hop.unique,
        Ok(Route::Polymorphic { .. }) => true,
        _ => false,
    };
    let cuts = scope.limit.is_some() || scope.offset.is_some() || association.options.owner_scope.is_some();
    cuts || !scope.group.is_empty() || (one && !unique)
}

/// Whether an association has a scope that depends on the owner, or goes through one that has.
pub(crate) fn is_by_owner(association: &AssociationDef) -> bool {
    let parts = match association.kind.route(association) {
        Ok(Route::Through { through, source, .. }) => is_by_owner(through) || is_by_owner(source),
        _ => false,
    };
    parts || association.options.owner_scope.is_some()
}

/// Whether an association keeps the first row of each group, or one that it goes through does.
pub(crate) fn is_grouped(association: &AssociationDef) -> bool {
    let parts = match association.kind.route(association) {
        Ok(Route::Through { through, source, .. }) => is_grouped(through) || is_grouped(source),
        _ => false,
    };
    parts || !association.scope().group.is_empty()
}
