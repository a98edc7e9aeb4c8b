//! Which columns have one value in a group, without a database.

#![allow(clippy::unwrap_used, clippy::panic)]

use assoc_core::joins::{JoinKind, Joins};
use assoc_core::metadata::{ColumnRef, Operand, OrderTerm, Request};
use assoc_core::select::{RootSelect, keep_order_of_groups};
use assoc_core::{BelongsTo, ColumnOf, ErrorKind, Filter, GroupedUse, HasMany, Model, Sort, Value};
use assoc_macros::Model;

#[derive(Model, Debug, Clone)]
struct Hall {
    id: i64,
    name: String,
    #[has_many]
    seats: HasMany<Seat>,
}

#[derive(Model, Debug, Clone)]
#[model(primary_key = "hall_id, number")]
struct Seat {
    hall_id: i64,
    number: i64,
    color: String,
    price: i64,
    #[belongs_to]
    hall: BelongsTo<Hall>,
}

/// A model without a key.
#[derive(Model, Debug, Clone)]
struct Visit {
    name: String,
    seat: i64,
}

fn own(name: &'static str) -> Operand {
    Operand::Column(ColumnRef::own(name))
}

fn seats(group: &[&'static str]) -> RootSelect {
    RootSelect { group: group.iter().map(|name| own(name)).collect(), ..RootSelect::new(Seat::DEF) }
}

fn refused(select: &RootSelect) -> Option<(String, GroupedUse)> {
    match select.require_grouped() {
        Ok(()) => None,
        Err(error) => match error.kind() {
            ErrorKind::NotGrouped { model: "Seat" | "Visit", column, asked } => Some((column.clone(), *asked)),
            other => panic!("{other}"),
        },
    }
}

fn of(column: &str, asked: GroupedUse) -> Option<(String, GroupedUse)> {
    Some((column.to_owned(), asked))
}

fn having(group: &[&'static str], filter: Filter<Seat>) -> RootSelect {
    RootSelect { operands: Some(Vec::new()), having: filter.into_expr(), ..seats(group) }
}

#[test]
fn whole_rows_need_the_whole_key() {
    assert_eq!(refused(&seats(&[])), None, "no groups");
    assert_eq!(refused(&seats(&["number", "color", "hall_id"])), None);
    assert_eq!(refused(&seats(&["hall_id"])), of("number", GroupedUse::Row));
    assert_eq!(refused(&seats(&["color", "price", "number"])), of("hall_id", GroupedUse::Row));
    // Without a key it is every column.
    let visits = |group| refused(&RootSelect { group, ..RootSelect::new(Visit::DEF) });
    assert_eq!(visits(vec![own("name")]), of("seat", GroupedUse::Row));
    assert_eq!(visits(vec![own("seat"), own("name")]), None);
}

#[test]
fn values_are_grouped_or_of_a_grouped_key() {
    let read = |group: &[&'static str], operands: Vec<Operand>| {
        refused(&RootSelect { operands: Some(operands), ..seats(group) })
    };
    let most = || Seat::PRICE.max().into_operand();
    assert_eq!(read(&["color"], vec![own("color"), most(), Operand::Value(Value::Null)]), None);
    assert_eq!(read(&["color"], vec![own("color"), own("price")]), of("price", GroupedUse::Value));
    assert_eq!(read(&["hall_id", "number"], vec![own("color"), most()]), None);
    assert_eq!(read(&["hall_id"], vec![own("color")]), of("color", GroupedUse::Value));
    // An aggregate makes one group of all rows.
    assert_eq!(read(&[], vec![most()]), None);
    assert_eq!(read(&[], vec![own("color"), own("price")]), None);
    assert_eq!(read(&[], vec![most(), own("color")]), of("color", GroupedUse::Value));
}

#[test]
fn orders_and_conditions() {
    let sorted = |group: &[&'static str], sort: Sort<Seat>| {
        refused(&RootSelect { operands: Some(Vec::new()), order: vec![sort.into_term()], ..seats(group) })
    };
    assert_eq!(sorted(&["color"], Seat::COLOR.desc()), None);
    assert_eq!(sorted(&["color"], Seat::PRICE.sum().desc()), None);
    assert_eq!(sorted(&["color"], Seat::PRICE.asc()), of("price", GroupedUse::Order));
    assert_eq!(sorted(&["number", "hall_id"], Seat::PRICE.asc()), None);
    assert_eq!(sorted(&["color"], Sort::raw("price", [])), None, "the database judges it");

    let many = || Seat::NUMBER.count().gt(3);
    assert_eq!(refused(&having(&["color"], many().and(Seat::COLOR.ne("red")))), None);
    let refused_for = |filter| refused(&having(&["color"], filter));
    assert_eq!(refused_for(many().or(Seat::PRICE.eq(3).not())), of("price", GroupedUse::Condition));
    assert_eq!(refused_for(Seat::HALL.any(Hall::NAME.eq("A"))), of("hall_id", GroupedUse::Condition));
    assert_eq!(refused_for(Filter::raw("price > 3", [])), None);
    assert_eq!(refused(&having(&["hall_id"], Seat::HALL.any(Hall::NAME.eq("A")))), None);
    assert_eq!(refused(&having(&["hall_id", "number"], Seat::PRICE.between(1, 3))), None);
    // Groups by hand-written SQL may be by anything.
    let raw = Sort::<Seat>::raw("lower(color)", []).into_term().operand;
    assert_eq!(refused(&RootSelect { group: vec![raw], ..RootSelect::new(Seat::DEF) }), None);
}

#[test]
fn joined_tables_have_keys_of_their_own() {
    let mut joins = Joins::default();
    joins.join(&Request::new(Seat::HALL.def()), JoinKind::Inner, None).unwrap();
    let hall = || Seat::HALL.joined(Hall::ID).into_operand();
    let name = || Seat::HALL.joined(Hall::NAME);
    let read = |group: Vec<Operand>, operands: Vec<Operand>| {
        let select = RootSelect { joins: joins.clone(), group, operands: Some(operands), ..RootSelect::new(Seat::DEF) };
        refused(&select)
    };
    assert_eq!(read(vec![hall()], vec![name().into_operand(), hall()]), None);
    // Keys that are equal are columns of two tables.
    assert_eq!(read(vec![hall()], vec![own("hall_id")]), of("hall_id", GroupedUse::Value));
    assert_eq!(read(vec![own("hall_id")], vec![name().into_operand()]), of("hall.name", GroupedUse::Value));
    assert_eq!(read(vec![own("hall_id"), own("number")], vec![hall()]), of("hall.id", GroupedUse::Value));
}

#[test]
fn no_first_of_one_row() {
    let most = RootSelect {
        operands: Some(vec![Seat::PRICE.max().into_operand()]),
        order: vec![Seat::COLOR.asc().into_term()],
        ..RootSelect::new(Seat::DEF)
    };
    assert_eq!(refused(&most), None, "one row in any order");
    let error = RootSelect { limit: Some(3), ..most }.require_grouped().unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::InvalidQuery { model: "Seat", .. }), "{error}");
}

#[test]
fn declared_orders_leave_out_what_groups_do_not_have() {
    let declared = || vec![Seat::PRICE.asc().into_term(), Seat::COLOR.desc().into_term()];
    let kept = |group: &[Operand], asked: &[OrderTerm]| {
        let mut order = declared();
        keep_order_of_groups(Seat::DEF, group, &mut order, asked);
        order.into_iter().map(|term| term.operand.shown().into_owned()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(kept(&[], &[]), "price color");
    assert_eq!(kept(&[own("color")], &[]), "color");
    assert_eq!(kept(&[own("hall_id")], &[]), "");
    assert_eq!(kept(&[own("hall_id"), own("number")], &[]), "price color");
    // What was asked for stays, to be refused.
    assert_eq!(kept(&[own("color")], &[Seat::PRICE.asc().into_term()]), "price color");
}
