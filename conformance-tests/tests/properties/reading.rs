//! The properties of what stands beside preloads: readers of one owner, side loads, counts.

use assoc_core::metadata::{Operand, Request, ScopeDef};
use assoc_core::planner::{Plan, Root};
use assoc_core::{Aggregate, Association, ColumnList, Model, Preload, SqlType, TargetRow, ToOne, Value};
use assoc_repo::{BelongsTo, Columns, Query, ReadAssociation};

use crate::data::{Random, World};
use crate::graphs::{compare_row, masked, selected_of};
use crate::reference::Found;
use crate::trees::{Tree, request, show};

/// A request as the typed tree that `load` and `count_for` take.
fn typed<O, T, H>(token: Association<O, T, H>, world_request: &Request) -> Preload<O, T> {
    let Request { scope: shape, children, .. } = world_request;
    let mut preload = token.preload().filter(assoc_repo::Filter::new(shape.filter.clone()));
    preload = shape.order.iter().fold(preload, |preload, term| preload.order_by(Term(term.clone())));
    preload = shape.limit.into_iter().fold(preload, Preload::limit);
    preload = shape.offset.into_iter().fold(preload, Preload::offset);
    if let Some(columns) = &shape.select {
        preload = preload.select(Named(columns.clone()));
    }
    if !shape.group.is_empty() {
        preload = preload.group_by(Named(shape.group.clone()));
    }
    for (wanted, change) in [
        (shape.distinct, Preload::distinct as fn(Preload<O, T>) -> Preload<O, T>),
        (shape.unlimited, Preload::unlimited),
        (shape.unscoped, Preload::unscoped),
    ] {
        preload = if wanted { change(preload) } else { preload };
    }
    if children.is_empty() { preload } else { preload.with(Tree(children.to_vec())) }
}

/// Columns that are data already.
struct Named(Vec<usize>);

impl<M> ColumnList<M> for Named {
    fn indexes(self) -> Vec<usize> {
        self.0
    }
}

impl<M: Model> Columns<M> for Named {
    type Row = ();

    fn operands(self) -> Vec<Operand> {
        self.0.into_iter().map(|at| Operand::Column(M::DEF.columns[at].column_ref())).collect()
    }

    fn decode(_: &mut [Value<'_>], _: &assoc_repo::Selected) -> assoc_core::Result<()> {
        Ok(())
    }
}

struct Term(assoc_core::metadata::OrderTerm);

impl<M> assoc_core::IntoSort<M> for Term {
    fn into_terms(self) -> Vec<assoc_core::metadata::OrderTerm> {
        vec![self.0]
    }
}

fn compare<T: Model>(
    world: &World,
    what: &str,
    owner: Found<'_>,
    found: &[T],
    request: &Request,
) -> Result<(), String> {
    let expected = world.targets(owner, request.association, &request.scope, None);
    let mut below = request.clone().take_children();
    let shape = request.association.scope().with(request.scope.clone());
    below.extend(shape.includes);
    below.extend(T::DEF.base_scope(shape.unscoped).includes);
    let same = || {
        if found.len() != expected.len() {
            return Err(format!("found {} rows", found.len()));
        }
        let selected = selected_of(request.association, &request.scope);
        found.iter().zip(&expected).try_for_each(|(row, expected)| {
            let masked = masked(*expected, selected.as_deref());
            compare_row(world, row, Found { model: expected.model, row: &masked }, &below, &[], true)
        })
    };
    same().map_err(|difference| format!("{what} of {owner:?}: {difference}\n expected {expected:?}"))
}

/// A reader for each owner, one `load` and one `count_for` for all: all as the reference says.
pub(crate) async fn read<O, T, H>(
    world: &World,
    random: &mut Random,
    token: Association<O, T, H>,
) -> Result<usize, String>
where
    O: Model,
    T: Model,
    Association<O, T, H>: ReadAssociation<O, T, Read: IntoIterator<Item = T>>,
{
    let mut request = request(random, world, token.def(), random_depth(world), false);
    let asked = &mut request.scope;
    let rows: Vec<O> = world.repo.all(Query::<O>::unscoped()).await.unwrap();
    let all = world.all(O::DEF, true);
    let owner_of = |row: &O| {
        let same = |found: &&Found<'_>| {
            (0..O::DEF.columns.len()).all(|column| row.value(column).to_string() == found.row[column].to_string())
        };
        *all.iter().find(same).unwrap()
    };
    let mut reader = asked.clone();
    (reader.distinct, reader.unlimited, reader.group) = (false, false, Vec::new());
    let reader = Request { scope: reader, ..request.clone() };
    let context = |what: String| format!("{what}\n{}", show(std::slice::from_ref(&request), 1));
    let failed = |error: assoc_core::Error| context(error.to_string());
    Plan::new(O::DEF, Root::Existing, vec![request.clone()]).map_err(failed)?;
    for row in &rows {
        let ScopeDef { filter, order, limit, offset, unscoped, select, .. } = reader.scope.clone();
        let mut query =
            Query::<T>::new().filter(assoc_repo::Filter::new(filter)).preload(Tree(request.children.to_vec()));
        query = order.into_iter().fold(query, |query, term| query.order_by(Term(term)));
        query = limit.into_iter().fold(query, assoc_repo::Select::limit);
        query = offset.into_iter().fold(query, assoc_repo::Select::offset);
        query = select.into_iter().fold(query, |query, columns| query.select(Named(columns)));
        query = if unscoped { query.unscoped() } else { query };
        let found = world.repo.get_association(row, token, query).await.map_err(failed)?;
        let found: Vec<T> = found.into_iter().collect();
        compare(world, "the reader", owner_of(row), &found, &reader).map_err(context)?;
    }
    let mut several: Vec<O> = rows.iter().chain(rows.first()).cloned().collect();
    random.shuffle(&mut several);
    let loaded = world.repo.load_separately(&several, typed(token, &request)).await.map_err(failed)?;
    let counted = world.repo.count_for(&several, typed(token, &request)).await.map_err(failed)?;
    for ((row, found), count) in several.iter().zip(&loaded).zip(counted) {
        let owner = owner_of(row);
        compare(world, "the side load", owner, found, &request).map_err(context)?;
        if count != found.len() as u64 {
            return Err(context(format!("the count of {owner:?} is {count}, expected {}", found.len())));
        }
    }
    aggregates(world, &several, &loaded, typed(token, &request)).await.map_err(context)?;
    Ok(rows.len() + 1)
}

// One aggregate of each kind, of each column that is read as an integer, for all owners: as the loaded rows say.
async fn aggregates<O: Model, T: Model>(
    world: &World,
    owners: &[O],
    loaded: &[Vec<T>],
    asked: Preload<O, T>,
) -> Result<(), String> {
    // A selection leaves out columns in memory, not in the database.
    let shape = asked.request().association.scope().with(asked.request().scope.clone());
    if shape.select.is_some() || T::DEF.base_scope(shape.unscoped).select.is_some() {
        return Ok(());
    }
    for (at, column) in
        T::DEF.columns.iter().enumerate().filter(|(_, column)| matches!(column.sql_type, SqlType::Int(_)))
    {
        let column = assoc_core::Column::<T, Option<i64>>::new(at, column.name);
        let of_rows = |rows: &[T]| -> Vec<i64> {
            let value = |row: &T| match row.value(at) {
                Value::Int(value) => Some(value),
                _ => None,
            };
            rows.iter().filter_map(value).collect()
        };
        let computed = async |aggregate: Aggregate<T, Option<i64>>| {
            world.repo.aggregate_for(owners, asked.clone(), aggregate).await.map_err(|error| error.to_string())
        };
        // Sums that do not fit are errors of the database.
        let fits = |rows: &Vec<T>| {
            of_rows(rows).iter().try_fold(0i64, |sum, value| sum.checked_add(value.checked_abs()?)).is_some()
        };
        let adds = loaded.iter().all(fits);
        let sums = if adds { computed(column.sum()).await? } else { vec![None; owners.len()] };
        let (least, most) = (computed(column.min()).await?, computed(column.max()).await?);
        let counts =
            world.repo.aggregate_for(owners, asked.clone(), column.count()).await.map_err(|e| e.to_string())?;
        let different = world
            .repo
            .aggregate_for(owners, asked.clone(), column.count_distinct())
            .await
            .map_err(|e| e.to_string())?;
        for (owner, rows) in loaded.iter().enumerate() {
            let values = of_rows(rows);
            let sum = (adds && !values.is_empty()).then(|| values.iter().sum::<i64>());
            let distinct: std::collections::HashSet<i64> = values.iter().copied().collect();
            let expected =
                (sum, values.iter().min().copied(), values.iter().max().copied(), values.len(), distinct.len());
            let found = (sums[owner], least[owner], most[owner], counts[owner] as usize, different[owner] as usize);
            if found != expected {
                return Err(format!("{} of owner {owner}: {found:?}, expected {expected:?}", column.name()));
            }
        }
    }
    Ok(())
}

fn random_depth(world: &World) -> usize {
    world.tables.len() % 3
}

/// The reader of a polymorphic association.
pub(crate) async fn read_polymorphic<O, S>(
    world: &World,
    token: Association<O, S::Target, BelongsTo<S>>,
) -> Result<usize, String>
where
    O: Model,
    S: ToOne,
    S::Target: TargetRow,
{
    let rows: Vec<O> = world.repo.all(Query::<O>::unscoped()).await.unwrap();
    let def = token.def();
    for found in world.all(O::DEF, true) {
        let row = rows.iter().find(|row| row.value(0).to_string() == found.row[0].to_string()).unwrap();
        let read = world.repo.get_polymorphic(row, token).await.map_err(|error| error.to_string())?;
        let expected = world.targets(found, def, &ScopeDef::default(), None);
        let same = match (&read, &expected[..]) {
            (None, []) => Ok(()),
            (Some(read), [expected]) => {
                let target: &dyn std::any::Any = read;
                compare_row(world, crate::graphs::unwrapped(def, target), *expected, &[], &[], true)
            }
            _ => Err(format!("there is one: {}", read.is_some())),
        };
        same.map_err(|what| format!("the reader of {} of {found:?}: {what}, expected {expected:?}", def.name))?;
    }
    Ok(rows.len())
}
