//! Aggregates beside rows: one grouped statement computes them for all owners.
//!
//! A plan's aggregates are computed when all its rows are there, and decoded at once, so that nothing can fail while rows are
//! attached. `count_for` and `aggregate_for` compute a single one for owners of the program.

use std::any::Any;
use std::collections::HashMap;

use assoc_core::driver::{KeySet, Statement, StatementKind};
use assoc_core::execution::RowKeys;
use assoc_core::metadata::{AggregateFunction, AggregateValues, CustomSql, Expr, ModelDef, Operand};
use assoc_core::planner::{AggregateSource, AggregateStep, Cut, Plan, counts_rows};
use assoc_core::select::KeyedSelect;
use assoc_core::sql::SqlWriter;
use assoc_core::{Error, RawSql, Result, Value};

use super::existing::{self, ErasedRows, Existing, as_ints};
use super::fetch::RootRows;
use super::fold::Fold;
use super::{Fetched, NodeRows, parts, places_of};
use crate::session::Session;

/// What was computed for some owners.
pub(crate) struct Computed {
    // Which of the groups each owner's is; its operands are `empty` without one.
    places: Vec<Option<usize>>,
    groups: Vec<Vec<Value<'static>>>,
    empty: Vec<Value<'static>>,
}

impl Computed {
    /// The value of an operand for an owner.
    pub(crate) fn value(&self, owner: usize, operand: usize) -> Value<'static> {
        let group = self.places.get(owner).copied().flatten().and_then(|place| self.groups.get(place));
        group.filter(|group| !group.is_empty()).unwrap_or(&self.empty).get(operand).cloned().unwrap_or_default()
    }
}

/// Computes all aggregates of a plan and gives them to its nodes.
pub(super) async fn run(
    session: &mut Session<'_>,
    plan: &Plan,
    existing: Option<&dyn Existing>,
    nodes: &mut [Option<NodeRows>],
) -> Result<()> {
    for step in plan.aggregates() {
        let mut given: Vec<(usize, Box<dyn AggregateValues>)> = Vec::new();
        {
            let parts: Vec<NodeOwners<'_>> = step
                .nodes()
                .into_iter()
                .filter_map(|node| Some(NodeOwners { plan, root: existing, node, rows: nodes[node].as_ref()? }))
                .collect();
            let owners = OwnersOfNodes(parts);
            if owners.len(0) == 0 {
                continue;
            }
            let computed = compute(session, step, &owners).await?;
            for field in &step.fields {
                let mut start = 0;
                for part in &owners.0 {
                    let count = part.len();
                    if part.node == field.node {
                        let mut values = field.field.slot.new_values();
                        for owner in start..start + count {
                            let decoded = values.push(&mut computed.value(owner, field.operand));
                            decoded.map_err(|mismatch| mismatch.at((field.field.owner)().name, field.field.name))?;
                        }
                        given.push((field.node, values));
                    }
                    start += count;
                }
            }
        }
        for (node, values) in given {
            if let Some(rows) = &mut nodes[node] {
                rows.given.push(values);
            }
        }
    }
    Ok(())
}

/// Computes the aggregates of a step for owners.
pub(crate) async fn compute(
    session: &mut Session<'_>,
    step: &AggregateStep,
    owners: &dyn Existing,
) -> Result<Computed> {
    let empty: Vec<Value<'static>> = step.operands.iter().map(of_no_rows).collect();
    let target = (step.association.target)();
    match &step.source {
        AggregateSource::ByKey { select, owner_columns, cut } => {
            let asked = Grouped { target, operands: &step.operands, cut: *cut };
            let statement = |session: &Session<'_>, keys: &KeySet| select.statement(session.dialect_of(target), keys);
            grouped(session, asked, owners.keys(0, owner_columns), empty, &statement).await
        }
        AggregateSource::JoinChain { chain, cut } => {
            let asked = Grouped { target, operands: &step.operands, cut: *cut };
            let statement = |session: &Session<'_>, keys: &KeySet| {
                chain.aggregate_statement(session.dialect_of(target), keys, &step.operands)
            };
            grouped(session, asked, owners.keys(0, chain.owner_columns), empty, &statement).await
        }
        AggregateSource::CustomSql { custom_sql, filter } => {
            counted_by_sql(session, step, owners, *custom_sql, filter, empty).await
        }
        AggregateSource::Rows(plan) => by_rows(session, step, owners, plan, empty).await,
    }
}

// Of an owner without rows.
fn of_no_rows(operand: &Operand) -> Value<'static> {
    match operand {
        Operand::Aggregate { function: AggregateFunction::Count, .. } => Value::Int(0),
        _ => Value::Null,
    }
}

/// What statements compute.
struct Grouped<'s> {
    target: &'static ModelDef,
    operands: &'s [Operand],
    cut: Cut,
}

// Runs the statements for all keys. They select the ordinal of a key, then the aggregates over the rows with that key.
async fn grouped(
    session: &mut Session<'_>,
    asked: Grouped<'_>,
    keys: RowKeys,
    empty: Vec<Value<'static>>,
    statement: &(dyn Fn(&Session<'_>, &KeySet) -> Result<Statement> + Sync),
) -> Result<Computed> {
    let Grouped { target, operands, cut } = asked;
    let keys = match keys {
        RowKeys::Tuples(tuples) => as_ints(&tuples).map_or(RowKeys::Tuples(tuples), RowKeys::Ints),
        ints @ RowKeys::Ints(_) => ints,
    };
    let set = KeySet::distinct([&keys]);
    let mut groups: Vec<Vec<Value<'static>>> = vec![Vec::new(); set.len()];
    let mut start = 0;
    let size = session.dialect_of(target).keys_per_statement(set.width());
    for (part, chunk) in set.chunks(size).iter().enumerate() {
        let statement = statement(session, chunk)?.as_part(part);
        let mut sink = |values: &mut [Value<'_>]| {
            let Some((Value::Int(ordinal), values)) = values.split_first_mut() else {
                return Err(Error::invalid_query(target.name, "the statement did not say which key a group has"));
            };
            if let Some(group) = usize::try_from(*ordinal).ok().and_then(|at| groups.get_mut(start + at)) {
                let owned =
                    values.iter_mut().zip(operands).map(|(value, operand)| match std::mem::take(value).into_owned() {
                        Value::Int(count) if counts_rows(operand) => {
                            Value::Int(i64::try_from(cut.of(count.unsigned_abs())).unwrap_or(i64::MAX))
                        }
                        value => value,
                    });
                *group = owned.collect();
            }
            Ok(())
        };
        session.query_at(target, &statement, &mut sink).await?;
        start += chunk.len();
    }
    Ok(Computed { places: places_of(&set, &keys), groups, empty })
}

// By the association's counting statement, if the request adds nothing to the association; otherwise by counting the rows
// that its SQL finds.
async fn counted_by_sql(
    session: &mut Session<'_>,
    step: &AggregateStep,
    owners: &dyn Existing,
    custom_sql: CustomSql,
    filter: &Expr,
    empty: Vec<Value<'static>>,
) -> Result<Computed> {
    let target = (step.association.target)();
    let select = KeyedSelect { filter: filter.clone(), ..KeyedSelect::new(target, &[]) };
    let own_count = custom_sql.count.filter(|_| select.filter.is_always());
    let mut texts: Vec<RawSql> = Vec::with_capacity(owners.len(0));
    owners.visit(0, &mut |owner| texts.push(own_count.unwrap_or(custom_sql.find)(owner)));
    // Binds can be compared but not hashed; their printed form serves as the key.
    let mut known: HashMap<String, usize> = HashMap::new();
    let (mut places, mut groups) = (Vec::with_capacity(texts.len()), Vec::new());
    for raw in texts {
        let shown = format!("{raw:?}");
        let place = match known.get(&shown) {
            Some(place) => *place,
            None => {
                let dialect = session.dialect_of(target);
                let statement = match own_count {
                    Some(_) => {
                        let mut writer = SqlWriter::of_kind(dialect, StatementKind::Raw);
                        writer.raw_statement(raw.sql(), raw.binds())?;
                        writer.finish_within_limit()?
                    }
                    None => select.count_custom_sql(dialect, &raw)?,
                };
                let mut count = None;
                let mut sink = |values: &mut [Value<'_>]| {
                    count = match values {
                        [Value::Int(number)] => Some(*number),
                        [Value::UInt(number)] => i64::try_from(*number).ok(),
                        _ => None,
                    };
                    Ok(())
                };
                session.query_at(target, &statement, &mut sink).await?;
                let name = step.association.name;
                let message = format!("the SQL that counts `{name}` has to give one number");
                let owner = (step.association.owner)().name;
                let count = count.ok_or_else(|| Error::invalid_query(owner, message))?;
                groups.push(vec![Value::Int(count); step.operands.len()]);
                known.insert(shown, groups.len() - 1);
                groups.len() - 1
            }
        };
        places.push(Some(place));
    }
    Ok(Computed { places, groups, empty })
}

// Loads the rows for copies of the owners, and aggregates what each has.
async fn by_rows(
    session: &mut Session<'_>,
    step: &AggregateStep,
    owners: &dyn Existing,
    plan: &Plan,
    empty: Vec<Value<'static>>,
) -> Result<Computed> {
    let association = step.association;
    let mut copies = (association.owner)().rows.new_rows();
    owners.visit(0, &mut |owner| copies.push_bare(owner));
    let mut copies = ErasedRows(copies);
    // A plan that loads rows has no aggregates, so this ends.
    let loaded = Box::pin(parts::fetch(session, plan, RootRows::Existing(&copies), None)).await?;
    Fetched(loaded).attach(plan, &mut copies);
    let mut groups = Vec::with_capacity(owners.len(0));
    let mut failed = None;
    copies.visit(0, &mut |owner| {
        let mut folds: Vec<Fold<'_>> = step.operands.iter().map(|operand| Fold::new(association, operand)).collect();
        association.field_access.visit(owner, &mut |row| {
            for fold in &mut folds {
                if failed.is_none() {
                    failed = fold.add(row).err();
                }
            }
        });
        let values = folds.into_iter().map(|fold| {
            fold.finish().unwrap_or_else(|error| {
                failed.get_or_insert(error);
                Value::Null
            })
        });
        groups.push(values.collect::<Vec<_>>());
    });
    match failed {
        Some(error) => Err(error),
        None => Ok(Computed { places: (0..groups.len()).map(Some).collect(), groups, empty }),
    }
}

/// The rows of a node as owners: those that the application holds, then those that were fetched.
struct NodeOwners<'a> {
    plan: &'a Plan,
    root: Option<&'a dyn Existing>,
    node: usize,
    rows: &'a NodeRows,
}

impl<'a> NodeOwners<'a> {
    fn held(&self) -> Option<&'a dyn Existing> {
        self.root.filter(|_| self.rows.existing > 0)
    }

    fn len(&self) -> usize {
        self.rows.existing + self.rows.fetched.len()
    }

    fn keys(&self, columns: &[usize]) -> RowKeys {
        let fetched = self.rows.fetched.keys(columns, 0);
        match self.held() {
            None => fetched,
            Some(root) => {
                let mut all = existing::keys(self.plan, root, self.node, columns);
                all.extend(fetched);
                all
            }
        }
    }

    fn visit(&self, each: &mut dyn FnMut(&'a dyn Any)) {
        if let Some(root) = self.held() {
            existing::visit(self.plan, root, self.node, each);
        }
        (0..self.rows.fetched.len()).filter_map(|at| self.rows.fetched.row(at)).for_each(each);
    }
}

/// The rows of several nodes, one after the other. They are only looked at.
struct OwnersOfNodes<'a>(Vec<NodeOwners<'a>>);

impl Existing for OwnersOfNodes<'_> {
    fn len(&self, _: usize) -> usize {
        self.0.iter().map(NodeOwners::len).sum()
    }

    fn keys(&self, _: usize, columns: &[usize]) -> RowKeys {
        let mut parts = self.0.iter();
        let mut all = parts.next().map_or(RowKeys::Ints(Vec::new()), |part| part.keys(columns));
        parts.for_each(|part| all.extend(part.keys(columns)));
        all
    }

    fn visit<'a>(&'a self, _: usize, each: &mut dyn FnMut(&'a dyn Any)) {
        self.0.iter().for_each(|part| part.visit(each));
    }

    fn visit_mut<'a>(&'a mut self, _: usize, _: &mut dyn FnMut(&'a mut dyn Any)) {}
}
