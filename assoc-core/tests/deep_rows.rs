//! Rows that hold rows that hold rows, 50,000 levels deep, as a self-join loaded to its end is: dropped, copied, compared and
//! shown on a stack of 2 MiB.

// Helpers of tests fail as tests do.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::thread;

use assoc_core::{BelongsTo, HasMany, HasManyThrough, HasOne};
use assoc_macros::Model;

const LEVELS: i64 = 50_000;

/// More columns than most models have: each level needs more stack.
#[derive(Model, Debug, Clone, PartialEq)]
struct Node {
    id: i64,
    parent_id: Option<i64>,
    name: String,
    title: Option<String>,
    summary: Option<String>,
    weight: f64,
    first: i64,
    second: i64,
    third: i64,
    fourth: i64,
    #[belongs_to]
    parent: BelongsTo<Option<Node>>,
    #[has_many(foreign_key = "parent_id")]
    children: HasMany<Node>,
    #[has_one(foreign_key = "parent_id")]
    heir: HasOne<Option<Node>>,
    #[has_many(through = "children", source = "children")]
    grandchildren: HasManyThrough<Node>,
}

fn node(id: i64) -> Node {
    Node {
        id,
        parent_id: None,
        name: String::new(),
        title: None,
        summary: None,
        weight: 0.0,
        first: 0,
        second: 0,
        third: 0,
        fourth: 0,
        parent: BelongsTo::default(),
        children: HasMany::default(),
        heir: HasOne::default(),
        grandchildren: HasManyThrough::default(),
    }
}

/// Nested rows, one in the other by the holder that `put` says.
fn nested(innermost: i64, put: fn(&mut Node, Node)) -> Node {
    let mut row = node(innermost);
    for id in 1..LEVELS {
        let mut outer = node(id);
        put(&mut outer, row);
        row = outer;
    }
    row
}

const HOLDERS: [(&str, fn(&mut Node, Node)); 5] = [
    ("has_many", |outer, row| outer.children = HasMany::from(vec![row])),
    ("has_one", |outer, row| outer.heir = HasOne::from(Some(row))),
    ("belongs_to", |outer, row| outer.parent = BelongsTo::from(Some(row))),
    ("through", |outer, row| outer.grandchildren = HasManyThrough::from(vec![row])),
    ("in turn", |outer, row| match row.id % 4 {
        0 => outer.children = HasMany::partial(vec![node(1), row, node(2)]),
        1 => outer.heir = HasOne::from(Some(row)),
        2 => outer.parent = BelongsTo::from(Some(row)),
        _ => outer.grandchildren = HasManyThrough::from(vec![row, node(3)]),
    }),
];

fn on_a_small_stack(test: fn(&str, fn(&mut Node, Node))) {
    for (name, put) in HOLDERS {
        let thread = thread::Builder::new().stack_size(2 << 20).spawn(move || test(name, put));
        assert!(thread.unwrap().join().is_ok(), "{name}");
    }
}

#[test]
fn are_dropped() {
    on_a_small_stack(|_, put| {
        drop(nested(0, put));
        // Taken out and dropped as a list, or while others share it.
        let mut row = nested(0, put);
        drop((row.children.take(), row.parent.shared(), row.heir.take()));
    });
}

#[test]
fn are_copied_and_compared() {
    on_a_small_stack(|name, put| {
        let row = nested(0, put);
        let copy = row.clone();
        assert!(copy == row, "{name}");
        assert!(nested(-1, put) != row, "{name}");
    });
}

#[test]
fn are_shown() {
    on_a_small_stack(|name, put| {
        let shown = format!("{:?}", nested(-77, put));
        assert!(shown.contains("Node { id: -77,"), "{name}");
        assert!(shown.matches("Node {").count() >= usize::try_from(LEVELS).unwrap(), "{name}");
    });
}

#[test]
fn panics_leave_nothing_behind() {
    on_a_small_stack(|name, put| {
        let row = nested(0, put);
        let result = std::panic::catch_unwind(|| {
            let _row = row.clone();
            panic!("while deep rows are alive");
        });
        assert!(result.is_err(), "{name}");
        assert!(row.clone() == row, "{name}");
    });
}
