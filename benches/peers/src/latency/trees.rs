//! Trees of folders: put together from the rows of one statement, and their checksums.

use std::collections::HashMap;

use crate::data::sum;

/// A row of a tree.
pub(crate) struct Folder {
    pub(crate) id: i64,
    pub(crate) parent_id: Option<i64>,
    pub(crate) name: String,
}

/// A folder with those that are in it.
pub(crate) struct Node {
    folder: Folder,
    below: Vec<Node>,
}

/// The tree of rows that come in any order.
pub(crate) fn assembled(rows: Vec<Folder>, root: i64) -> Option<Node> {
    let mut below: HashMap<i64, Vec<Folder>> = HashMap::new();
    let mut top = None;
    for folder in rows {
        match folder.parent_id {
            _ if folder.id == root => top = Some(folder),
            Some(parent) => below.entry(parent).or_default().push(folder),
            None => {}
        }
    }
    top.map(|folder| node(folder, &mut below))
}

fn node(folder: Folder, rows: &mut HashMap<i64, Vec<Folder>>) -> Node {
    let mut own = rows.remove(&folder.id).unwrap_or_default();
    own.sort_unstable_by_key(|folder| folder.id);
    Node { below: own.into_iter().map(|folder| node(folder, rows)).collect(), folder }
}

/// What a tree adds to a checksum.
pub(crate) fn total(node: &Node) -> u64 {
    let own = sum(node.folder.parent_id.unwrap_or_default(), &[node.folder.id], &[&node.folder.name]);
    node.below.iter().fold(own, |all, node| all.wrapping_add(total(node)))
}
