//! The graph in memory: who reaches whom. Built from preloaded packages, so it causes no statement.

use std::collections::HashMap;

use assoc_repo::AssociationNotLoaded;
use assoc_repo::prelude::*;

use crate::models::{Dependency, Package};

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

/// All packages by name, with what [`Graph::new`] needs of them: one tree of associations, loaded with one statement a level.
pub(crate) fn query() -> Select<Package> {
    let by_name = Query::order_by([Package::NAME.asc(), Package::VERSION.asc()]);
    by_name.preload(Package::DEPENDENCIES.with(Dependency::REQUIRED))
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

    /// The packages that one needs, directly.
    pub(crate) fn required(&self, at: usize) -> &[usize] {
        &self.required[at]
    }

    /// The packages that need one, directly.
    pub(crate) fn dependents(&self, at: usize) -> &[usize] {
        &self.dependents[at]
    }

    /// How many steps the longest way to each package has, from the packages `starts` or from one that these do not reach.
    /// Of a circle of development dependencies, the edge that closes it counts as no step.
    pub(crate) fn layers(&self, starts: &[usize]) -> Vec<usize> {
        let order = self.before_their_dependencies(starts);
        let mut places = vec![0; order.len()];
        for (place, at) in order.iter().enumerate() {
            places[*at] = place;
        }
        let mut layers = vec![0; order.len()];
        for at in &order {
            for required in self.required[*at].iter().filter(|required| places[**required] > places[*at]) {
                layers[*required] = layers[*required].max(layers[*at] + 1);
            }
        }
        layers
    }

    /// All packages, each before what it needs: a walk into the depth, in which a package is done after its dependencies,
    /// read backwards.
    fn before_their_dependencies(&self, starts: &[usize]) -> Vec<usize> {
        let mut seen = vec![false; self.required.len()];
        let mut done = Vec::with_capacity(self.required.len());
        for start in starts.iter().copied().chain(0..self.required.len()) {
            if std::mem::replace(&mut seen[start], true) {
                continue;
            }
            let mut way = vec![(start, self.required[start].iter())];
            while let Some((at, next)) = way.last_mut() {
                match next.next() {
                    Some(next) if std::mem::replace(&mut seen[*next], true) => {}
                    Some(next) => way.push((*next, self.required[*next].iter())),
                    None => {
                        done.push(*at);
                        way.pop();
                    }
                }
            }
        }
        done.reverse();
        done
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
