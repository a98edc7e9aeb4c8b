//! Conditions on associations that choose among their rows: what a database without much writes, and what is refused.

use std::borrow::Cow;

use assoc_core::dialect::{Capabilities, ColumnRole, Dialect};

use assoc_core::metadata::ColumnDef;
use assoc_core::sql::SqlWriter;
use assoc_core::{BelongsTo, Error, ErrorKind, Filter, HasMany, HasManyThrough, HasOne, Scope};
use assoc_macros::Model;

/// Standard SQL and nothing else: no row values, no limit per owner.
#[derive(Debug, Default)]
struct Plain(Capabilities);

impl Dialect for Plain {
    fn name(&self) -> &'static str {
        "plain"
    }

    fn capabilities(&self) -> &Capabilities {
        &self.0
    }

    fn quote(&self, identifier: &str, sql: &mut String) {
        sql.push_str(identifier);
    }

    fn column_type(&self, _: &ColumnDef, _: ColumnRole) -> Cow<'static, str> {
        "ANY".into()
    }
}

#[derive(Model, Debug, Clone)]
struct Hall {
    id: i64,
    #[has_one(order = Seat::PRICE.desc())]
    best_seat: HasOne<Option<Seat>>,
    #[has_many(limit = 2)]
    first_seats: HasMany<Seat>,
    #[has_many(scope = none)]
    no_seats: HasMany<Seat>,
    #[has_many]
    marks: HasMany<Mark>,
    #[has_one]
    mark: HasOne<Option<Mark>>,
    #[has_many(through = "first_seats", source = "marks", distinct, limit = 3)]
    first_marks: HasManyThrough<Mark>,
}

fn none(seats: Scope<Seat>) -> Scope<Seat> {
    seats.limit(0)
}

#[derive(Model, Debug, Clone)]
#[model(primary_key = "hall_id, number")]
struct Seat {
    hall_id: i64,
    number: i64,
    price: i64,
    #[has_many(foreign_key = "hall_id, number")]
    marks: HasMany<Mark>,
}

/// Without a key of its own there is no first one.
#[derive(Model, Debug, Clone)]
struct Mark {
    hall_id: i64,
    number: i64,
}

#[derive(Model, Debug, Clone)]
#[model(default_scope = with_owner)]
struct Dog {
    id: i64,
    owner_id: i64,
    #[belongs_to(foreign_key = "owner_id")]
    owner: BelongsTo<Owner>,
}

fn with_owner(dogs: Scope<Dog>) -> Scope<Dog> {
    dogs.filter(Dog::OWNER.associated())
}

#[derive(Model, Debug, Clone)]
#[model(default_scope = with_dogs)]
struct Owner {
    id: i64,
    #[has_many]
    dogs: HasMany<Dog>,
}

fn with_dogs(owners: Scope<Owner>) -> Scope<Owner> {
    owners.filter(Owner::DOGS.associated())
}

fn written<M>(filter: Filter<M>) -> Result<String, Error> {
    let dialect = Plain::default();
    let mut writer = SqlWriter::new(&dialect);
    writer.condition(&filter.into_expr())?;
    Ok(writer.finish().sql().to_owned())
}

#[test]
fn a_composite_key_is_compared_column_by_column() {
    let sql = written(Hall::BEST_SEAT.any(Seat::NUMBER.eq(1))).unwrap();
    let first = |alias, column| {
        format!(
            "related_1.{column} = (SELECT {alias}.{column} FROM seats AS {alias} WHERE {alias}.hall_id = halls.id \
             ORDER BY {alias}.price DESC, {alias}.hall_id, {alias}.number LIMIT 1)"
        )
    };
    let expected = format!(
        "EXISTS (SELECT 1 FROM seats AS related_1 WHERE related_1.hall_id = halls.id AND ({} AND {} AND \
         (related_1.number = ?)))",
        first("related_2", "hall_id"),
        first("related_3", "number")
    );
    assert_eq!(sql, expected);
}

#[test]
fn whether_there_is_any_needs_no_choice() {
    let sql = written(Hall::BEST_SEAT.missing()).unwrap();
    assert_eq!(sql, "NOT (EXISTS (SELECT 1 FROM seats AS related_1 WHERE related_1.hall_id = halls.id))");
    assert_eq!(written(Hall::FIRST_SEATS.associated()).unwrap(), sql[5..sql.len() - 1]);
    // Of nothing there is none.
    assert_eq!(written(Hall::NO_SEATS.associated()).unwrap(), "1 = 0");
}

#[test]
fn what_cannot_be_expressed_is_refused() {
    let error = written(Hall::FIRST_SEATS.any(Seat::NUMBER.eq(1))).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Unsupported { backend: "plain", .. }), "{error:?}");
    assert!(error.to_string().contains("`Hall.first_seats`"), "{error}");
    let error = written(Hall::FIRST_MARKS.any(Mark::NUMBER.eq(1))).unwrap_err();
    assert!(error.to_string().contains("needs an `order`"), "{error}");
    let error = written(Hall::MARK.any(Mark::NUMBER.eq(1))).unwrap_err();
    assert!(error.to_string().contains("needs a primary key"), "{error}");
    // Nothing of theirs is chosen.
    written(Hall::MARKS.any(Mark::NUMBER.eq(1))).unwrap();
}

#[test]
fn scopes_that_lead_back_to_themselves_are_refused() {
    let error = written(Owner::DOGS.any(Dog::ID.gt(1))).unwrap_err();
    assert!(error.to_string().contains("lead back to themselves"), "{error}");
}

#[test]
fn a_list_of_keys_is_walked_through_by_reference() {
    let numbers = vec![1_i64, 2];
    let above = |number: &i64| Seat::PRICE.ge(number);
    assert_eq!(Seat::NUMBER.is_in(&numbers), Seat::NUMBER.is_in([1, 2]));
    assert_eq!(above(&numbers[0]), Seat::PRICE.ge(1));
}
