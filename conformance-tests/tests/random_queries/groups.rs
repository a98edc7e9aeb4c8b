//! Groups with aggregates, conditions on them, and orders by them.

use std::cmp::Ordering;

use assoc_core::{Aggregate, Column, ColumnType, Filter, Sort};
use assoc_repo::Query;
use assoc_repo::prelude::*;
use rust_decimal::Decimal;

use crate::Random;
use crate::schema::{Item, Key, Shop, Sorted};
use crate::terms::{Term, Test, in_order, shown_terms};
use crate::world::World;

/// A group in memory.
pub(crate) struct Group {
    key: Key,
    second: Key,
    items: Vec<Item>,
}

type Row = (i64, Option<Decimal>, Option<f64>, i64);

fn values(items: &[Item], of: fn(&Item) -> Key) -> Vec<Key> {
    items.iter().map(of).filter(|key| *key != Key::Null).collect()
}

fn least(items: &[Item], of: fn(&Item) -> Key) -> Key {
    values(items, of).into_iter().min_by(|a, b| a.compare(b).unwrap()).unwrap_or(Key::Null)
}

fn most(items: &[Item], of: fn(&Item) -> Key) -> Key {
    values(items, of).into_iter().max_by(|a, b| a.compare(b).unwrap()).unwrap_or(Key::Null)
}

fn different(items: &[Item], of: fn(&Item) -> Key) -> i64 {
    let mut found: Vec<Key> = Vec::new();
    for value in values(items, of) {
        if !found.iter().any(|known| known.compare(&value) == Some(Ordering::Equal)) {
            found.push(value);
        }
    }
    found.len() as i64
}

fn sum(items: &[Item]) -> Option<Decimal> {
    let prices: Vec<Decimal> = items.iter().filter_map(|item| item.price).collect();
    (!prices.is_empty()).then(|| prices.iter().sum())
}

/// An aggregate that groups are sorted by and compared with.
struct Measure {
    name: &'static str,
    sort: fn() -> Sort<Item>,
    key: fn(&Group) -> Key,
    having: fn(&mut Random) -> (Filter<Item>, Key, Comparison),
}

#[derive(Clone, Copy, Debug)]
enum Comparison {
    Greater,
    AtMost,
    Equal,
    Different,
    Null,
}

fn having<V: ColumnType + Sorted>(
    aggregate: Aggregate<Item, V>,
    random: &mut Random,
) -> (Filter<Item>, Key, Comparison) {
    let value = loop {
        let value = V::some(random);
        if value.key() != Key::Null {
            break value;
        }
    };
    let key = value.key();
    match random.below(5) {
        0 => (aggregate.gt(value), key, Comparison::Greater),
        1 => (aggregate.le(value), key, Comparison::AtMost),
        2 => (aggregate.eq(value), key, Comparison::Equal),
        3 => (aggregate.ne(value), key, Comparison::Different),
        _ => (aggregate.is_null(), key, Comparison::Null),
    }
}

macro_rules! measures {
    ($($name:literal: $aggregate:expr, $key:expr;)+) => {
        vec![$(Measure {
            name: $name,
            sort: || $aggregate.asc(),
            key: $key,
            having: |random| having($aggregate, random),
        }),+]
    };
}

fn measures() -> Vec<Measure> {
    measures! {
        "count": Aggregate::<Item, i64>::count_all(), |group| Key::Int(group.items.len() as i64);
        "levels": Item::LEVEL.count(), |group| Key::Int(values(&group.items, |item| item.level.key()).len() as i64);
        "shops": Item::SHOP_ID.count_distinct(), |group| Key::Int(different(&group.items, |item| item.shop_id.key()));
        "states": Item::STATE.count_distinct(), |group| Key::Int(different(&group.items, |item| item.state.key()));
        "prices": Item::PRICE.sum(), |group| sum(&group.items).key();
        "price": Item::PRICE.max(), |group| most(&group.items, |item| item.price.key());
        "weight": Item::WEIGHT.min(), |group| least(&group.items, |item| item.weight.key());
        "ratio": Item::RATIO.max(), |group| most(&group.items, |item| item.ratio.key());
        "name": Item::NAME.min(), |group| least(&group.items, |item| item.name.key());
        "remark": Item::REMARK.max(), |group| most(&group.items, |item| item.remark.key());
        "state": Item::STATE.max(), |group| most(&group.items, |item| item.state.key());
        "level": Item::LEVEL.min(), |group| least(&group.items, |item| item.level.key());
        "due": Item::DUE.max(), |group| most(&group.items, |item| item.due.key());
        "made": Item::MADE.min(), |group| least(&group.items, |item| item.made.key());
        "id": Item::ID.max(), |group| most(&group.items, |item| item.id.key());
    }
}

fn holds(found: &Key, value: &Key, comparison: Comparison) -> bool {
    let compared = found.compare(value);
    match comparison {
        Comparison::Greater => compared.is_some_and(Ordering::is_gt),
        Comparison::AtMost => compared.is_some_and(Ordering::is_le),
        Comparison::Equal => compared.is_some_and(Ordering::is_eq),
        Comparison::Different => compared.is_some_and(Ordering::is_ne),
        Comparison::Null => *found == Key::Null,
    }
}

pub(crate) async fn groups(world: &mut World, random: &mut Random) -> Result<usize, String> {
    match random.below(10) {
        0 => grouped(world, random, Item::STATE, |item| item.state).await,
        1 => grouped(world, random, Item::LEVEL, |item| item.level).await,
        2 => grouped(world, random, Item::PRICE, |item| item.price).await,
        3 => grouped(world, random, Item::WEIGHT, |item| item.weight).await,
        4 => grouped(world, random, Item::RATIO, |item| item.ratio).await,
        5 => grouped(world, random, Item::REMARK, |item| item.remark.clone()).await,
        6 => grouped(world, random, Item::DUE, |item| item.due).await,
        7 => grouped(world, random, Item::FLAG, |item| item.flag).await,
        8 => grouped(world, random, Item::MADE, |item| item.made).await,
        _ => grouped(world, random, Item::SHOP_ID, |item| item.shop_id).await,
    }
}

async fn grouped<V: ColumnType + Sorted + PartialEq + std::fmt::Debug>(
    world: &World,
    random: &mut Random,
    column: Column<Item, V>,
    value: fn(&Item) -> V,
) -> Result<usize, String> {
    let two = random.once_in(3);
    let shops = random.once_in(2);
    let mut query = Query::<Item>::new();
    if shops {
        query = query.left_join(Item::SHOP);
    }
    let mut items = world.items.clone();
    let mut shown = String::new();
    if random.once_in(3) {
        let test = Test::<Item, Item>::on_rows(random);
        items.retain(|item| test.matches(item));
        query = query.filter(test.filter);
        shown = test.shown;
    }
    let second = Item::SHOP.joined(Shop::NAME).optional();
    query = match (two, shops) {
        (true, true) => query.group_by((column, second)),
        (true, false) => query.group_by((column, Item::SOLD)),
        (false, _) => query.group_by(column),
    };
    let mut groups: Vec<Group> = Vec::new();
    for item in items {
        let key = value(&item).key();
        let second = match (two, shops) {
            (true, true) => world.shop(&item).map_or(Key::Null, |shop| shop.name.key()),
            (true, false) => item.sold.key(),
            (false, _) => Key::Null,
        };
        let equal = |a: &Key, b: &Key| *a == Key::Null && *b == Key::Null || a.compare(b) == Some(Ordering::Equal);
        match groups.iter_mut().find(|group| equal(&group.key, &key) && equal(&group.second, &second)) {
            Some(group) => group.items.push(item),
            None => groups.push(Group { key, second, items: vec![item] }),
        }
    }
    let measures = measures();
    for _ in 0..random.below(3) {
        let measure = &measures[random.below(measures.len())];
        let (filter, value, comparison) = (measure.having)(random);
        query = query.having(filter);
        groups.retain(|group| holds(&(measure.key)(group), &value, comparison));
        shown += &format!("\nhaving {} {comparison:?} {value:?}", measure.name);
    }
    let nulls = world.null_order;
    let mut terms: Vec<Term<Item, Group>> = Vec::new();
    for _ in 0..1 + random.below(2) {
        let measure = &measures[random.below(measures.len())];
        terms.push(Term::some(random, nulls, measure.name, (measure.sort)(), measure.key));
    }
    shown += &format!("\norder {}", shown_terms(&terms));
    query = query.order_by(terms.iter().map(|term| term.sort.clone()).collect::<Vec<_>>());
    // Between equal groups, the columns of the group decide.
    terms.push(Term::ascending(nulls, "key", column.asc(), |group: &Group| group.key.clone()));
    terms.push(Term::ascending(nulls, "second", column.asc(), |group: &Group| group.second.clone()));
    groups.sort_by(|a, b| in_order(&terms, a, b));
    if random.once_in(3) {
        let (limit, offset) = (random.below(4), random.below(3));
        query = query.limit(limit as u64).offset(offset as u64);
        groups = groups.into_iter().skip(offset).take(limit).collect();
        shown += &format!("\nlimit {limit} offset {offset}");
    }
    let sql = query.explain(&world.repo).unwrap_or_default();
    let failed = |error: Error| format!("{error}\n{}\n{shown}\n{sql}", column.name());
    let columns = (
        column,
        Aggregate::<Item, i64>::count_all(),
        Item::PRICE.sum(),
        Item::WEIGHT.avg(),
        Item::STATE.count_distinct(),
        Item::PRICE.avg(),
    );
    let (rows, statements) = world.repo.count_statements(world.repo.pluck(columns, query)).await;
    let rows = rows.map_err(failed)?;
    let mut wrong = statements != 1 || rows.len() != groups.len();
    for ((key, count, prices, mean, states, price), group) in rows.iter().zip(&groups) {
        let row: Row = (*count, *prices, *mean, *states);
        let weights: Vec<f64> = group.items.iter().filter_map(|item| item.weight).collect();
        let expected_mean = (!weights.is_empty()).then(|| weights.iter().sum::<f64>() / weights.len() as f64);
        let near = match (row.2, expected_mean) {
            (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * b.abs().max(1e-9),
            (a, b) => a == b,
        };
        let expected_price = sum(&group.items)
            .map(|sum| sum / Decimal::from(group.items.iter().filter(|item| item.price.is_some()).count()));
        let price_near = match (price, expected_price) {
            (Some(a), Some(b)) => (*a - b).abs() < Decimal::new(1, 9),
            (a, b) => *a == b,
        };
        let same_key = key.key().compare(&group.key).map_or(key.key() == group.key, Ordering::is_eq);
        wrong |= !same_key
            || row.0 != group.items.len() as i64
            || row.1 != sum(&group.items)
            || !near
            || !price_near
            || row.3 != different(&group.items, |item| item.state.key());
    }
    if wrong {
        let expected: Vec<_> = groups
            .iter()
            .map(|group| {
                (
                    &group.key,
                    &group.second,
                    group.items.len(),
                    sum(&group.items),
                    different(&group.items, |item| item.state.key()),
                )
            })
            .collect();
        return Err(format!(
            "{statements} statements, {}\nfound {rows:?}\nexpected {expected:?}\n{shown}\n{sql}",
            column.name()
        ));
    }
    Ok(1)
}
