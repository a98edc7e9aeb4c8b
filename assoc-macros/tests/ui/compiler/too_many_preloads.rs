
use assoc_core::{BelongsTo, HasMany, IntoPreload};
use assoc_macros::Model;

#[derive(Model, Clone)]
struct Node {
    id: i64,
    node_id: i64,
    #[belongs_to]
    node: BelongsTo<Node>,
    #[has_many]
    nodes: HasMany<Node>,
}

fn preload(_: impl IntoPreload<Node>) {}

fn main() {
    let node = Node::NODE;
    preload((node, node, node, node, node, node, node, node, node, node, node, node));
    preload(((node, node, node, node, node, node), (node, node, node, node, node, node, node)));
    preload((node, node, node, node, node, node, node, node, node, node, node, node, node));
}
