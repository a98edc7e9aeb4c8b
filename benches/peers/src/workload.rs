//! The workloads, and what they are given.

use std::sync::Arc;

use crate::data::{self, Shape};
use crate::ours;

/// What is measured; docs/performance.md tells what each does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Workload {
    W1,
    W2,
    W3,
    W4,
    W5,
    W6,
    W7,
    W8,
    W9,
    W10,
    W11,
}

use Workload::{W1, W2, W3, W4, W5, W6, W7, W8, W9, W10, W11};

pub(crate) const WORKLOADS: [Workload; 11] = [W1, W2, W3, W4, W5, W6, W7, W8, W9, W10, W11];

impl Workload {
    /// Whether it inserts, into an empty database.
    pub(crate) fn writes(self) -> bool {
        matches!(self, W8 | W11)
    }

    /// The workload of a name such as `W10`.
    pub(crate) fn named(name: &str) -> Option<Workload> {
        WORKLOADS.into_iter().find(|workload| format!("{workload:?}") == name)
    }
}

/// What the workloads are given, made before the clock starts.
pub(crate) struct Inputs {
    pub(crate) keys: Vec<i64>,
    pub(crate) new_users: Vec<data::NewUser>,
    // What an application has read before: the tags that new posts are linked to.
    pub(crate) tags: Vec<Arc<ours::Tag>>,
}

impl Inputs {
    pub(crate) fn new(shape: Shape) -> Inputs {
        let new_users = data::new_users();
        let tags = data::tags().into_iter().map(|(id, name)| Arc::new(ours::Tag { id, name })).collect();
        Inputs { keys: data::keys(shape), new_users, tags }
    }
}
