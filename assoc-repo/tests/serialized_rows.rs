//! Rows in rows as JSON, and how deep they may lie in each other.
#![cfg(feature = "serde")]
// Helpers of tests fail as tests do.
#![allow(clippy::unwrap_used)]

use assoc_repo::prelude::*;

#[derive(Model, Clone, serde::Serialize)]
struct Node {
    id: i64,
    #[serde(skip_serializing_if = "BelongsTo::is_not_loaded")]
    #[belongs_to(foreign_key = "id")]
    parent: BelongsTo<Option<Node>>,
    #[serde(skip_serializing_if = "HasMany::is_not_loaded")]
    #[has_many(foreign_key = "id")]
    nodes: HasMany<Node>,
    #[serde(skip_serializing_if = "HasOne::is_not_loaded")]
    #[has_one(foreign_key = "id")]
    first: HasOne<Option<Node>>,
    #[serde(skip_serializing_if = "HasManyThrough::is_not_loaded")]
    #[has_many(through = "nodes", source = "nodes")]
    below: HasManyThrough<Node>,
}

fn node(id: i64) -> Node {
    Node {
        id,
        parent: BelongsTo::default(),
        nodes: HasMany::default(),
        first: HasOne::default(),
        below: HasManyThrough::default(),
    }
}

const HOLDERS: [fn(&mut Node, Node); 4] = [
    |outer, row| outer.nodes = HasMany::from(vec![row]),
    |outer, row| outer.first = HasOne::from(Some(row)),
    |outer, row| outer.parent = BelongsTo::from(Some(row)),
    |outer, row| outer.below = HasManyThrough::from(vec![row]),
];

fn nested(levels: i64, put: fn(&mut Node, Node)) -> Node {
    (1..=levels).fold(node(0), |row, id| {
        let mut outer = node(id);
        put(&mut outer, row);
        outer
    })
}

#[test]
fn loaded_rows_are_written_in_their_owners() {
    let [nodes, first, parent, below] = HOLDERS.map(|put| serde_json::to_string(&nested(2, put)).unwrap());
    assert_eq!(nodes, r#"{"id":2,"nodes":[{"id":1,"nodes":[{"id":0}]}]}"#);
    assert_eq!(first, r#"{"id":2,"first":{"id":1,"first":{"id":0}}}"#);
    assert_eq!(parent, r#"{"id":2,"parent":{"id":1,"parent":{"id":0}}}"#);
    assert_eq!(below, r#"{"id":2,"below":[{"id":1,"below":[{"id":0}]}]}"#);
}

// Tests run on stacks of 2 MiB.
#[test]
fn too_many_levels_are_an_error() {
    for put in HOLDERS {
        assert!(serde_json::to_string(&nested(512, put)).is_ok());
        for levels in [513, 50_000] {
            let error = serde_json::to_string(&nested(levels, put)).map_err(|error| error.to_string());
            let expected = "rows are loaded more than 512 levels deep in each other: serialise them as a list";
            assert_eq!(error, Err(expected.to_owned()));
        }
    }
}
