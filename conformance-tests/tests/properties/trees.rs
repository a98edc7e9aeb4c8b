//! Random preload trees, as data: tokens are typed, and these are made from reflection.

use assoc_core::execution::RequestList;
use assoc_core::joins::hops_of;
use assoc_core::metadata::{
    AssociationDef, Cardinality, Chain, ColumnRef, Comparison, Direction, Expr, ModelDef, Nulls, Operand, OrderTerm,
    Request, Route, ScopeDef, Strategy,
};
use assoc_core::planner::{Plan, Root};
use assoc_core::{IntoPreload, Value};

use crate::data::{Random, World};

/// Requests that are data already.
#[derive(Clone)]
pub(crate) struct Tree(pub(crate) Vec<Request>);

impl<O> IntoPreload<O> for Tree {
    fn into_requests(self) -> Vec<Request> {
        self.0
    }
}

/// The models an association leads to: several of a polymorphic one.
pub(crate) fn targets(def: &AssociationDef) -> Vec<&'static ModelDef> {
    match def.kind.route(def) {
        Ok(Route::Polymorphic { variants, .. }) => variants.iter().map(|variant| (variant.model)()).collect(),
        _ => vec![(def.target)()],
    }
}

fn is_polymorphic(def: &AssociationDef) -> bool {
    matches!(def.kind.route(def), Ok(Route::Polymorphic { .. }))
}

/// A tree for rows of a model: each association of a level once.
pub(crate) fn tree(
    random: &mut Random,
    world: &World,
    model: &'static ModelDef,
    depth: usize,
    whole: bool,
) -> Vec<Request> {
    let mut requests = Vec::new();
    let most = if depth == 4 { 1 + random.below(4) } else { random.below(4).min(depth) };
    // What the model includes by itself may not be asked for in another way.
    let included = model.base_scope(false).includes;
    let free = |association: &&AssociationDef| !included.iter().any(|known| known.association == *association);
    let mut chosen: Vec<&'static AssociationDef> = model.associations.iter().filter(free).collect();
    random.shuffle(&mut chosen);
    for association in chosen.into_iter().take(most) {
        requests.push(request(random, world, association, depth - 1, whole));
    }
    requests
}

/// A request of one association, with a random shape unless the whole is asked for.
pub(crate) fn request(
    random: &mut Random,
    world: &World,
    association: &'static AssociationDef,
    depth: usize,
    whole: bool,
) -> Request {
    let shaped = !(whole || random.once_in(2));
    let mut shape = if shaped { shape(random, world, association) } else { ScopeDef::default() };
    let mut children = Vec::new();
    if depth > 0 {
        let included = association.scope().includes;
        for target in targets(association) {
            let own = tree(random, world, target, depth, whole);
            // What the association includes by itself may not be asked for in another way.
            children.extend(
                own.into_iter().filter(|child| !included.iter().any(|known| known.association == child.association)),
            );
        }
    }
    if shaped && !is_polymorphic(association) && random.once_in(3) {
        shape.select = Some(selection(random, association, &shape, &children));
    }
    Request { scope: shape, children: children.into(), ..Request::new(association) }
}

/// The request and those below it as joined ones, where a join can follow them. Two tables without keys in one statement
/// may be one too many.
pub(crate) fn joined(request: Request, random: &mut Random, keyless: &mut usize) -> Request {
    let alone = Request { children: RequestList::new(), strategy: Strategy::Joined, ..request.clone() };
    let hops = Chain::scoped(request.association, ScopeDef::default()).and_then(|chain| hops_of(&chain));
    let joinable = hops.is_ok() && Plan::new((request.association.owner)(), Root::Fetched, vec![alone]).is_ok();
    let hops = hops.unwrap_or_default();
    let without_key = hops.iter().filter(|hop| hop.model.primary_key.is_empty()).count();
    if !joinable || *keyless + without_key > 1 || random.once_in(6) {
        return request;
    }
    *keyless += without_key;
    let children = request.children.into_iter().map(|child| joined(child, random, keyless)).collect();
    Request { strategy: Strategy::Joined, children, ..request }
}

/// Some columns of an association's rows: all that are needed, and some of the others.
fn selection(random: &mut Random, association: &AssociationDef, asked: &ScopeDef, children: &[Request]) -> Vec<usize> {
    let target = (association.target)();
    let mut needed = [target.primary_key, &by_key(association)].concat();
    let shape = association.scope().with(asked.clone());
    let included = shape.includes.into_iter().chain(target.base_scope(shape.unscoped).includes);
    for child in included.chain(children.iter().cloned()) {
        needed.extend(owner_key(child.association));
    }
    let column = |at: usize| !target.columns[at].nullable || needed.contains(&at);
    let mut columns: Vec<usize> = (0..target.columns.len()).filter(|at| column(*at) || random.once_in(2)).collect();
    random.shuffle(&mut columns);
    columns
}

// The columns of the target that an association goes by.
fn by_key(association: &AssociationDef) -> Vec<usize> {
    match association.kind.route(association).unwrap() {
        Route::OwnerKey(hop) | Route::TargetKey(hop) => {
            hop.target_columns.iter().copied().chain(hop.target_type.map(|named| named.column)).collect()
        }
        Route::Through { source, .. } => by_key(source),
        Route::JoinTable { targets, .. } => targets.target_columns.to_vec(),
        _ => Vec::new(),
    }
}

// The columns of the owner that an association goes by.
fn owner_key(association: &AssociationDef) -> Vec<usize> {
    match association.kind.route(association).unwrap() {
        Route::OwnerKey(hop) | Route::TargetKey(hop) | Route::JoinTable { links: hop, .. } => {
            hop.owner_columns.to_vec()
        }
        Route::Through { through, .. } => owner_key(through),
        Route::Polymorphic { type_column, owner_columns, .. } => [owner_columns, &[type_column]].concat(),
        _ => Vec::new(),
    }
}

fn shape(random: &mut Random, world: &World, association: &'static AssociationDef) -> ScopeDef {
    let mut shape = ScopeDef::default();
    let target = (association.target)();
    let through = matches!(association.kind.route(association), Ok(Route::Through { .. } | Route::JoinTable { .. }));
    // Rows of several scopes have neither order nor groups in common.
    let parts_by_owner = crate::graphs::is_by_owner(association) && association.options.owner_scope.is_none();
    // The types of a polymorphic association have no column in common but the key.
    if !is_polymorphic(association) {
        if random.once_in(3) {
            shape.filter = condition(random, world, target, 2);
        }
        if random.once_in(2) && !parts_by_owner {
            shape.order = order(random, target);
        }
    }
    let one = association.kind.cardinality() == Cardinality::One;
    if random.once_in(if one { 6 } else { 3 }) {
        shape.limit = Some(random.below(4) as u64);
    }
    if random.once_in(if one { 8 } else { 4 }) {
        shape.offset = Some(random.below(3) as u64);
    }
    shape.distinct = through && random.once_in(4);
    if !one && !parts_by_owner && !is_polymorphic(association) && random.once_in(4) {
        shape.group = (0..1 + random.below(2)).map(|_| random.below(target.columns.len())).collect();
    }
    shape.unlimited = random.once_in(6);
    shape.unscoped = random.once_in(6);
    shape
}

fn own(name: &'static str) -> Operand {
    Operand::Column(ColumnRef::own(name))
}

pub(crate) fn order(random: &mut Random, model: &'static ModelDef) -> Vec<OrderTerm> {
    let count = 1 + random.below(2);
    (0..count)
        .map(|_| OrderTerm {
            operand: own(random.pick(model.columns).name),
            direction: if random.once_in(2) { Direction::Asc } else { Direction::Desc },
            nulls: *random.pick(&[Nulls::AsDatabase, Nulls::First, Nulls::Last]),
        })
        .collect()
}

/// A condition on columns of a model.
pub(crate) fn condition(random: &mut Random, world: &World, model: &'static ModelDef, depth: usize) -> Expr {
    if depth > 0 && random.once_in(3) {
        let parts = (0..1 + random.below(2)).map(|_| condition(random, world, model, depth - 1)).collect();
        return match random.below(3) {
            0 => Expr::All(parts),
            1 => Expr::Any(parts),
            _ => Expr::Not(Box::new(Expr::All(parts))),
        };
    }
    let column = random.pick(model.columns);
    let operand = own(column.name);
    let mut value = || world.value(random, model, column);
    let (one, other) = (value(), value());
    let present = |value: Value<'static>| if value.is_null() { Value::Int(0) } else { value };
    match random.below(6) {
        0 => Expr::IsNull(operand),
        1 => Expr::In { operand, values: vec![one, other] },
        2 if column.sql_type.is_integer() => Expr::Between { operand, low: present(one), high: present(other) },
        _ => {
            use Comparison::{Eq, Ge, Gt, Le, Lt, Ne};
            let op = if one.is_null() { *random.pick(&[Eq, Ne]) } else { *random.pick(&[Eq, Ne, Lt, Le, Gt, Ge, Ne]) };
            Expr::Compare { left: operand, op, right: Operand::Value(one) }
        }
    }
}

/// A tree in words.
pub(crate) fn show(requests: &[Request], indent: usize) -> String {
    let mut out = String::new();
    for Request { association, scope: shape, children, strategy, .. } in requests {
        out.push_str(&format!("{}{}", "  ".repeat(indent), association.qualified_name()));
        if *strategy != Strategy::Keyed {
            out.push_str(&format!(" {strategy:?}"));
        }
        if *shape != ScopeDef::default() {
            let ScopeDef { filter, order, limit, offset, distinct, unlimited, unscoped, select, group, .. } = shape;
            let order: Vec<String> = order
                .iter()
                .map(|term| match &term.operand {
                    Operand::Column(column) => format!("{} {:?} {:?}", column.name, term.direction, term.nulls),
                    other => format!("{other:?} {:?}", term.direction),
                })
                .collect();
            out.push_str(&format!(
                " limit={limit:?} offset={offset:?} distinct={distinct} unlimited={unlimited} unscoped={unscoped} \
                 order={order:?} select={select:?} group={group:?} filter={filter:?}"
            ));
        }
        out.push('\n');
        out.push_str(&show(children, indent + 1));
    }
    out
}

/// The upper levels of a tree.
pub(crate) fn upper(requests: &[Request], levels: usize) -> Vec<Request> {
    let cut = |request: &Request| Request {
        children: if levels > 1 { upper(&request.children, levels - 1).into() } else { RequestList::new() },
        ..request.clone()
    };
    requests.iter().map(cut).collect()
}

/// A tree without what has to be loaded anew each time: shaped requests, and what is below them.
pub(crate) fn only_whole(requests: &[Request]) -> Vec<Request> {
    let whole = requests.iter().filter(|request| request.scope == ScopeDef::default());
    whole.map(|request| Request { children: only_whole(&request.children).into(), ..request.clone() }).collect()
}

/// A tree whose whole requests are in the order of their associations: what is in memory and whole stays as it is.
pub(crate) fn in_own_order(requests: Vec<Request>) -> Vec<Request> {
    let in_own_order = |mut request: Request| {
        if request.scope.is_whole() && !crate::graphs::chooses(request.association) {
            request.scope.order.clear();
        }
        request.children = in_own_order(request.children.into_vec()).into();
        request
    };
    requests.into_iter().map(in_own_order).collect()
}
