//! Which nodes share a statement, and which rows are in memory already.

use super::{Plan, Root, Step};

impl Plan {
    /// Merges the one step a node that planning began with. Nodes come parents first, so when a node looks for a step
    /// to join, the steps of everything above it are settled.
    pub(super) fn assign_steps(&mut self) {
        let single = std::mem::take(&mut self.steps);
        let mut merged: Vec<Step> = Vec::new();
        for step in single {
            let (node, edge) = step.serves[0];
            let feeder = self.step_of(node);
            let found = (0..merged.len()).find(|candidate| {
                merged[*candidate].select == step.select
                    && !feeder.is_some_and(|feeder| self.waits_for(&merged, feeder, *candidate))
            });
            let chosen = match found {
                Some(chosen) => {
                    merged[chosen].serves.push((node, edge));
                    chosen
                }
                None => {
                    merged.push(step);
                    merged.len() - 1
                }
            };
            self.nodes[node].edges[edge].step = chosen;
        }
        self.order_steps(merged);
        self.find_memory();
    }

    // The step that fetches a node's rows; the root has none.
    fn step_of(&self, node: usize) -> Option<usize> {
        let (parent, edge) = self.nodes[node].parent?;
        Some(self.nodes[parent].edges[edge].step)
    }

    // Whether step `waiting` can only run after step `other`, or is it.
    fn waits_for(&self, steps: &[Step], waiting: usize, other: usize) -> bool {
        let mut seen = vec![false; steps.len()];
        let mut above = vec![waiting];
        while let Some(step) = above.pop() {
            if step == other {
                return true;
            }
            if !std::mem::replace(&mut seen[step], true) {
                above.extend(steps[step].serves.iter().filter_map(|(node, _)| self.step_of(*node)));
            }
        }
        false
    }

    // Puts the steps into an order in which each comes after those that feed it, otherwise as they were asked for, and
    // look-ups that can profit from rows in memory as late as possible: among the ready steps one that no other
    // step's rows could still serve goes first.
    fn order_steps(&mut self, steps: Vec<Step>) {
        let mut order: Vec<usize> = Vec::with_capacity(steps.len());
        while order.len() < steps.len() {
            let ready: Vec<usize> = (0..steps.len())
                .filter(|step| !order.contains(step))
                .filter(|step| {
                    steps[*step]
                        .serves
                        .iter()
                        .all(|(node, _)| self.step_of(*node).is_none_or(|feeder| order.contains(&feeder)))
                })
                .collect();
            let patient = |step: &usize| {
                steps[*step].is_by_primary_key()
                    && (0..steps.len()).any(|other| {
                        other != *step
                            && !order.contains(&other)
                            && steps[other].select.model == steps[*step].select.model
                            && !self.waits_for(&steps, other, *step)
                    })
            };
            // The steps are acyclic, so one is always ready; the fallback keeps the loop finite in any case.
            let next = ready.iter().find(|step| !patient(step)).or(ready.first()).copied();
            order.push(next.unwrap_or(order.len()));
        }
        let mut place = vec![0; steps.len()];
        for (at, step) in order.iter().enumerate() {
            place[*step] = at;
        }
        for node in &mut self.nodes {
            for edge in &mut node.edges {
                edge.step = place[edge.step];
            }
        }
        let mut steps: Vec<Option<Step>> = steps.into_iter().map(Some).collect();
        self.steps = order.into_iter().filter_map(|step| steps[step].take()).collect();
    }

    fn find_memory(&mut self) {
        for at in 0..self.steps.len() {
            let step = &self.steps[at];
            if !step.is_by_primary_key() || !step.select.filter.is_always() {
                continue;
            }
            let memory = (0..self.nodes.len())
                .filter(|node| self.nodes[*node].model == step.select.model)
                .filter(|node| match self.step_of(*node) {
                    Some(fetched_by) => fetched_by < at,
                    None => {
                        self.root == Root::Fetched || step.serves.iter().any(|served| self.is_inverse_of_root(*served))
                    }
                })
                .collect();
            self.steps[at].memory = memory;
        }
    }

    // Whether an edge leads from the root's children straight back to the root.
    fn is_inverse_of_root(&self, (node, edge): (usize, usize)) -> bool {
        let Some((0, up)) = self.nodes[node].parent else { return false };
        let down = &self.nodes[0].edges[up];
        let back = &self.nodes[node].edges[edge];
        matches!(down.association.inverse(), Ok(Some(inverse)) if inverse == back.association)
    }
}

impl Step {
    /// Whether the keys are the model's primary key, so that a row in memory can stand for the one in the database.
    fn is_by_primary_key(&self) -> bool {
        self.select.columns == self.select.model.primary_key
    }
}
