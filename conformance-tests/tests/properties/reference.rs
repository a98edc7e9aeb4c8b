//! What an association leads to, worked out owner by owner over rows in memory: no planner, no SQL, no sharing.

use std::any::Any;
use std::cmp::Ordering;

use assoc_core::Value;
use assoc_core::driver::RowSink;
use assoc_core::metadata::{
    AssociationDef, Cardinality, Comparison, Direction, Expr, KeyJoin, ModelDef, Nulls, Operand, OrderTerm, Route,
    ScopeDef,
};

use crate::data::{Row, World, ignores_case};

/// A row as a row of one model.
#[derive(Clone, Copy)]
pub(crate) struct Found<'w> {
    pub(crate) model: &'static ModelDef,
    pub(crate) row: &'w Row,
}

impl Found<'_> {
    /// What a function says of the row as its model's struct.
    fn with_struct<T>(self, say: impl Fn(&dyn Any) -> T) -> T {
        let mut rows = self.model.rows.new_rows();
        RowSink::row(&mut *rows, &mut self.row.clone()).unwrap();
        say(rows.row(0).unwrap())
    }
}

impl PartialEq for Found<'_> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.row, other.row)
    }
}

impl std::fmt::Debug for Found<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let values: Vec<String> = self.row.iter().map(ToString::to_string).collect();
        write!(f, "{}({})", self.model.name, values.join(", "))
    }
}

impl World {
    /// All rows of a model that its discriminator and default scope let through, in the order of a query's.
    pub(crate) fn all(&self, model: &'static ModelDef, unscoped: bool) -> Vec<Found<'_>> {
        let base = model.base_scope(unscoped);
        self.rows_of(model).filter(|found| holds(&base.filter, *found) == Some(true)).collect()
    }

    fn rows_of(&self, model: &'static ModelDef) -> impl Iterator<Item = Found<'_>> {
        self.table(model).iter().map(move |row| Found { model, row })
    }

    /// The targets of an association of one owner.
    pub(crate) fn targets<'w>(
        &'w self,
        owner: Found<'w>,
        def: &'static AssociationDef,
        asked: &ScopeDef,
        only_type: Option<&str>,
    ) -> Vec<Found<'w>> {
        let by_owner = def.options.owner_scope.map(|scope| owner.with_struct(scope)).unwrap_or_default();
        let shape = def.scope().with(by_owner).with(asked.clone());
        let mut found = match def.kind.route(def).unwrap() {
            Route::OwnerKey(hop) | Route::TargetKey(hop) => self.by_key(owner, hop, (def.target)(), &shape),
            Route::Polymorphic { type_column, owner_columns, variants } => {
                let variant = variants.iter().find(|variant| owner.row[type_column] == Value::from(variant.tag));
                let wanted = variant.filter(|variant| only_type.is_none_or(|only| only == variant.tag));
                wanted.map_or(Vec::new(), |variant| {
                    let target_columns = variant.key;
                    let hop = KeyJoin { owner_columns, target_columns, unique: true, target_type: None };
                    self.by_key(owner, hop, (variant.model)(), &shape)
                })
            }
            Route::Through { through, source, source_type } => {
                let mut onward = ScopeDef::default();
                (onward.filter, onward.order) = (shape.filter.clone(), shape.order.clone());
                onward.unscoped = shape.unscoped;
                let between = self.targets(owner, through, &ScopeDef::default(), None);
                between.into_iter().flat_map(|link| self.targets(link, source, &onward, source_type)).collect()
            }
            Route::JoinTable { table, links, targets } => {
                let mut links = self.by_key(owner, links, table, &ScopeDef::default());
                // The order that the rows of the table have by themselves stands before.
                let base = table.base_scope(false);
                links.sort_by(|a, b| {
                    let own = in_order(*a, *b, &base.order);
                    if own.is_ne() {
                        return own;
                    }
                    let by = |at: &usize| compare(&a.row[*at], &b.row[*at], false);
                    targets.owner_columns.iter().map(by).find(|way| way.is_ne()).unwrap_or(Ordering::Equal)
                });
                let mut onward = shape.clone();
                (onward.limit, onward.offset) = (None, None);
                let onward = |link: Found<'w>| self.by_key(link, targets, (def.target)(), &onward);
                links.into_iter().flat_map(onward).collect()
            }
            other => panic!("unknown route {other:?}"),
        };
        let direct = matches!(
            def.kind.route(def).unwrap(),
            Route::OwnerKey(_) | Route::TargetKey(_) | Route::Polymorphic { .. }
        );
        if !direct && !shape.order.is_empty() {
            found.sort_by(|a, b| in_order(*a, *b, &shape.order));
        }
        if shape.distinct {
            let mut seen: Vec<Found<'_>> = Vec::new();
            found.retain(|row| {
                !seen.contains(row) && {
                    seen.push(*row);
                    true
                }
            });
        }
        if !shape.group.is_empty() {
            let target = (def.target)();
            let equal = |a: Found<'_>, b: Found<'_>| {
                shape.group.iter().all(|at| {
                    let any_case = ignores_case(target.table.name, target.columns[*at].name);
                    compare(&a.row[*at], &b.row[*at], any_case).is_eq()
                })
            };
            let mut firsts: Vec<Found<'_>> = Vec::new();
            found.retain(|row| {
                let first = !firsts.iter().any(|known| equal(*known, *row));
                firsts.extend(first.then_some(*row));
                first
            });
        }
        let one = def.kind.cardinality() == Cardinality::One;
        // A default scope's limit is one for each owner.
        let base = match def.kind.route(def).unwrap() {
            Route::OwnerKey(_) | Route::TargetKey(_) => (def.target)().base_scope(shape.unscoped),
            _ => ScopeDef::default(),
        };
        let most = shape.limit.or(base.limit).unwrap_or(u64::MAX).min(if one { 1 } else { u64::MAX });
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        found.into_iter().skip(shape.offset.or(base.offset).unwrap_or(0) as usize).take(most).collect()
    }

    // Rows whose key is the owner's, filtered and in order.
    fn by_key<'w>(
        &'w self,
        owner: Found<'w>,
        hop: KeyJoin,
        model: &'static ModelDef,
        shape: &ScopeDef,
    ) -> Vec<Found<'w>> {
        let base = model.base_scope(shape.unscoped);
        let same = |target: &Found<'_>| {
            hop.owner_columns.iter().zip(hop.target_columns).all(|(own, other)| {
                let (own, value) = (&owner.row[*own], &target.row[*other]);
                let any_case = ignores_case(model.table.name, model.columns[*other].name);
                !own.is_null() && !value.is_null() && compare(own, value, any_case).is_eq()
            })
        };
        let typed =
            |target: &Found<'_>| hop.target_type.is_none_or(|named| target.row[named.column] == Value::from(named.tag));
        let passes = |target: &Found<'_>| {
            holds(&base.filter, *target) == Some(true) && holds(&shape.filter, *target) == Some(true)
        };
        let mut found: Vec<Found<'_>> = self.rows_of(model).filter(same).filter(typed).filter(passes).collect();
        let order = if shape.order.is_empty() { &base.order } else { &shape.order };
        found.sort_by(|a, b| in_order(*a, *b, order));
        found
    }
}

/// The order of two rows: the terms', then the primary key's.
pub(crate) fn in_order(a: Found<'_>, b: Found<'_>, order: &[OrderTerm]) -> Ordering {
    let model = a.model;
    let by = |column: usize| {
        compare(&a.row[column], &b.row[column], ignores_case(model.table.name, model.columns[column].name))
    };
    for term in order {
        let at = column(model, &term.operand);
        let way = by(at);
        let nulls = (a.row[at].is_null(), b.row[at].is_null());
        let way = match (term.nulls, nulls) {
            (Nulls::First, nulls) if nulls.0 != nulls.1 => return nulls.1.cmp(&nulls.0),
            (Nulls::Last, nulls) if nulls.0 != nulls.1 => return nulls.0.cmp(&nulls.1),
            _ => way,
        };
        let way = if term.direction == Direction::Desc { way.reverse() } else { way };
        if way.is_ne() {
            return way;
        }
    }
    model.primary_key.iter().map(|column| by(*column)).find(|way| way.is_ne()).unwrap_or(Ordering::Equal)
}

fn column(model: &ModelDef, operand: &Operand) -> usize {
    match operand {
        Operand::Column(column) => model.columns.iter().position(|known| known.name == column.name).unwrap(),
        other => panic!("{other:?} is no column"),
    }
}

// SQLite's order of values: NULL, numbers, text, bytes.
fn compare(a: &Value<'_>, b: &Value<'_>, any_case: bool) -> Ordering {
    let number = |value: &Value<'_>| match value {
        Value::Int(number) => Some(*number),
        Value::Bool(flag) => Some(i64::from(*flag)),
        _ => None,
    };
    let class = |value: &Value<'_>| match value {
        Value::Null => 0,
        Value::Int(_) | Value::Bool(_) => 1,
        Value::Text(_) => 2,
        _ => 3,
    };
    match (a, b) {
        (Value::Text(a), Value::Text(b)) if any_case => a.to_ascii_lowercase().cmp(&b.to_ascii_lowercase()),
        (Value::Text(a), Value::Text(b)) => a.cmp(b),
        (Value::Blob(a), Value::Blob(b)) => a.cmp(b),
        _ => class(a).cmp(&class(b)).then(number(a).cmp(&number(b))),
    }
}

/// Whether a condition holds; `None` is SQL's unknown.
pub(crate) fn holds(expr: &Expr, found: Found<'_>) -> Option<bool> {
    let model = found.model;
    let read = |operand: &Operand| {
        let column = column(model, operand);
        (&found.row[column], ignores_case(model.table.name, model.columns[column].name))
    };
    let compared = |operand: &Operand, value: &Value<'_>| {
        let (own, any_case) = read(operand);
        (!own.is_null() && !value.is_null()).then(|| compare(own, value, any_case))
    };
    match expr {
        Expr::All(parts) => {
            let parts: Vec<_> = parts.iter().map(|part| holds(part, found)).collect();
            if parts.contains(&Some(false)) { Some(false) } else { (!parts.contains(&None)).then_some(true) }
        }
        Expr::Any(parts) => {
            let parts: Vec<_> = parts.iter().map(|part| holds(part, found)).collect();
            if parts.contains(&Some(true)) { Some(true) } else { (!parts.contains(&None)).then_some(false) }
        }
        Expr::Not(inner) => holds(inner, found).map(|holds| !holds),
        Expr::IsNull(operand) => Some(read(operand).0.is_null()),
        Expr::Compare { left, op: Comparison::Eq, right: Operand::Value(Value::Null) } => Some(read(left).0.is_null()),
        Expr::Compare { left, op: Comparison::Ne, right: Operand::Value(Value::Null) } => Some(!read(left).0.is_null()),
        Expr::Compare { left, op, right: Operand::Value(value) } => compared(left, value).map(|way| match op {
            Comparison::Eq => way.is_eq(),
            Comparison::Ne => way.is_ne(),
            Comparison::Lt => way.is_lt(),
            Comparison::Le => way.is_le(),
            Comparison::Gt => way.is_gt(),
            Comparison::Ge => way.is_ge(),
        }),
        Expr::In { operand, values } => {
            // `x IN (…) OR x IS NULL` if there is a NULL among the values.
            let present: Vec<_> = values.iter().filter(|value| !value.is_null()).collect();
            let null = (present.len() < values.len()).then(|| read(operand).0.is_null());
            let listed = match present.is_empty() {
                true => Some(false),
                false if read(operand).0.is_null() => None,
                false => Some(present.iter().any(|value| compared(operand, value).is_some_and(Ordering::is_eq))),
            };
            match null {
                None => listed,
                Some(true) => Some(true),
                Some(false) => listed,
            }
        }
        Expr::Between { operand, low, high } => {
            Some(compared(operand, low)?.is_ge() && compared(operand, high)?.is_le())
        }
        // A tag is exactly this text, whatever the column's collation.
        Expr::Tagged { column, tag } => {
            let column = model.columns.iter().position(|known| known.name == *column).unwrap();
            match &found.row[column] {
                Value::Null => None,
                value => Some(matches!(value, Value::Text(text) if text == tag)),
            }
        }
        other => panic!("{other:?} is not worked out in memory"),
    }
}
