//! Rows whose own keys a save changes: what follows in them follows in the row, whichever key it has by then.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use assoc_repo::prelude::*;
use conformance_tests::Backend;

#[allow(dead_code)]
mod backends;

#[derive(Model, Debug, Clone)]
#[model(table = "nodes", auto_increment = false)]
struct Node {
    id: i64,
    parent_id: Option<i64>,
    #[column(counter_cache)]
    children_count: i64,
    #[belongs_to(counter_cache = "children_count")]
    parent: BelongsTo<Option<Node>>,
    #[has_many(foreign_key = "parent_id")]
    children: HasMany<Node>,
}

fn node(id: i64, parent: Option<i64>) -> assoc_repo::Changeset<Node> {
    Node::build().set(Node::ID, id).set(Node::PARENT_ID, parent)
}

async fn counters_follow(backend: &dyn Backend) {
    let database = backend.fresh().await.unwrap();
    let repo = Repo::from_driver(Arc::clone(database.driver()));
    repo.create_table::<Node>().await.unwrap();
    let counts = || repo.pluck((Node::ID, Node::CHILDREN_COUNT), Query::order_by(Node::ID.asc()));

    // Its own parent, before and afterwards.
    let own = repo.insert(node(1, None)).await.unwrap();
    let own = repo.update(own.change().set(Node::PARENT_ID, 1)).await.unwrap();
    let own = repo.update(own.change().set(Node::ID, 10).set(Node::PARENT_ID, 10)).await.unwrap();
    assert_eq!((own.children_count, counts().await.unwrap()), (1, vec![(10, 1)]));
    let own = repo.update(own.change().set(Node::ID, 11).set(Node::PARENT_ID, None)).await.unwrap();
    assert_eq!((own.children_count, counts().await.unwrap()), (0, vec![(11, 0)]));

    // Members that go while their owner takes another key.
    let owner = repo.insert(node(20, None).push(Node::CHILDREN, [node(21, None), node(22, None)])).await.unwrap();
    let owner = repo.update(owner.change().set(Node::ID, 30).clear(Node::CHILDREN)).await.unwrap();
    assert_eq!(owner.children_count, 0);
    assert_eq!(counts().await.unwrap(), [(11, 0), (21, 0), (22, 0), (30, 0)]);

    // And members that come.
    let owner = repo.update(owner.change().set(Node::ID, 40).push(Node::CHILDREN, node(41, None))).await.unwrap();
    assert_eq!((owner.children_count, owner.children().unwrap()[0].parent_id), (1, Some(40)));
    assert_eq!(counts().await.unwrap(), [(11, 0), (21, 0), (22, 0), (40, 1), (41, 0)]);
}

backends::on_each_database!(counters_follow);
