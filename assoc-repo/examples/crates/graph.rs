//! The graph in memory: who reaches whom. Built from preloaded packages, so it causes no statement.

use std::collections::HashMap;

use assoc_repo::AssociationNotLoaded;

use crate::models::Package;

/// Edges between packages, which are meant by their position.
pub(crate) struct Graph {
    required: Vec<Vec<usize>>,
    dependents: Vec<Vec<usize>>,
}

/// What a package means for the graph.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Weight {
    /// How many packages name it as a dependency.
    pub(crate) direct_dependents: usize,
    /// How many cannot be built without it.
    pub(crate) dependents: usize,
    /// How many it brings in.
    pub(crate) dependencies: usize,
}

impl Graph {
    /// The graph of these packages, whose `dependencies` and their `required` have to be loaded.
    pub(crate) fn new(packages: &[Package]) -> Result<Graph, AssociationNotLoaded> {
        let positions: HashMap<i64, usize> =
            packages.iter().enumerate().map(|(at, package)| (package.id, at)).collect();
        let mut graph =
            Graph { required: vec![Vec::new(); packages.len()], dependents: vec![Vec::new(); packages.len()] };
        for (at, package) in packages.iter().enumerate() {
            for dependency in package.dependencies()? {
                if let Some(required) = positions.get(&dependency.required()?.id) {
                    graph.required[at].push(*required);
                }
            }
            // Needed for the build and at run time, it is two rows and one edge.
            graph.required[at].sort_unstable();
            graph.required[at].dedup();
        }
        for (at, required) in graph.required.iter().enumerate() {
            for required in required {
                graph.dependents[*required].push(at);
            }
        }
        Ok(graph)
    }

    pub(crate) fn edges(&self) -> usize {
        self.required.iter().map(Vec::len).sum()
    }

    /// The weight of every package.
    pub(crate) fn weights(&self) -> Vec<Weight> {
        let dependents = reach(&self.dependents);
        let dependencies = reach(&self.required);
        let weight = |at: usize| Weight {
            direct_dependents: self.dependents[at].len(),
            dependents: dependents[at],
            dependencies: dependencies[at],
        };
        (0..self.required.len()).map(weight).collect()
    }
}

/// How many others each node reaches. A walk from every node: quadratic, and still milliseconds for a thousand packages.
/// Development dependencies make circles, so a node may reach itself, which is not counted.
fn reach(edges: &[Vec<usize>]) -> Vec<usize> {
    let mut visited_from = vec![usize::MAX; edges.len()];
    let mut waiting = Vec::new();
    let mut reached = Vec::with_capacity(edges.len());
    for start in 0..edges.len() {
        visited_from[start] = start;
        waiting.push(start);
        let mut count = 0;
        while let Some(at) = waiting.pop() {
            for next in &edges[at] {
                if visited_from[*next] != start {
                    visited_from[*next] = start;
                    waiting.push(*next);
                    count += 1;
                }
            }
        }
        reached.push(count);
    }
    reached
}
