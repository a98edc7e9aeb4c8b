//! Which nodes share a statement, and which rows are in memory already.

use super::{EdgeId, Plan, Root, Source, Step};
use crate::sql::{KeyedSelect, RowOrder};

impl Plan {
    /// Merges the one step an edge that planning began with. Nodes come parents first, so when an edge looks for a step
    /// to join, the steps of everything above it are settled.
    pub(super) fn assign_steps(&mut self) {
        self.choose_columns();
        let single = std::mem::take(&mut self.steps);
        let mut merged: Vec<Step> = Vec::new();
        for step in single {
            let served = step.serves[0];
            let feeder = self.feeder(served);
            let found = (0..merged.len()).find(|candidate| {
                step.may_be_shared()
                    && merged[*candidate].may_be_shared()
                    && same_rows(&merged[*candidate].select, &step.select)
                    && !feeder.is_some_and(|feeder| self.waits_for(&merged, feeder, *candidate))
            });
            let chosen = match found {
                Some(chosen) => {
                    let joined = &mut merged[chosen];
                    joined.serves.push(served);
                    joined.select.only = both(joined.select.only.take(), step.select.only);
                    chosen
                }
                None => {
                    merged.push(step);
                    merged.len() - 1
                }
            };
            self.set_step(served, chosen);
        }
        self.order_steps(merged);
        self.find_memory();
    }

    fn set_step(&mut self, EdgeId { node, edge }: EdgeId, chosen: usize) {
        if let Source::Step { step, .. } = &mut self.nodes[node].edges[edge].source {
            *step = chosen;
        }
    }

    // Of rows that only lead on, only the key columns are read; by primary key all of them, because rows in memory can
    // stand for them then.
    fn choose_columns(&mut self) {
        for at in 0..self.steps.len() {
            let child = self.edge(self.steps[at].serves[0]).child;
            let node = &self.nodes[child];
            if !node.links_only || self.steps[at].select.only.is_some() || self.steps[at].is_by_primary_key() {
                continue;
            }
            let mut only: Vec<usize> = self.steps[at].select.columns.to_vec();
            for edge in &node.edges {
                if let Source::Step { hop, .. } = edge.source {
                    only.extend(hop.owner_columns);
                }
                only.extend(edge.variant.map(|variant| variant.discriminator.column));
            }
            only.sort_unstable();
            only.dedup();
            self.steps[at].select.only = Some(only);
        }
    }

    // The step that fetches a node's rows; the root has none.
    fn step_of(&self, node: usize) -> Option<usize> {
        match self.edge(self.nodes[node].fetched_by?).source {
            Source::Step { step, .. } => Some(step),
            Source::Composed { .. } => None,
        }
    }

    // The step that has to run before an edge's own can.
    fn feeder(&self, served: EdgeId) -> Option<usize> {
        match self.edge(served).behind {
            Some(first) => self.step_of(self.edge(first).child),
            None => self.step_of(served.node),
        }
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
                above.extend(steps[step].serves.iter().filter_map(|served| self.feeder(*served)));
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
            let is_ready = |step: &usize| {
                !order.contains(step)
                    && steps[*step]
                        .serves
                        .iter()
                        .all(|served| self.feeder(*served).is_none_or(|feeder| order.contains(&feeder)))
            };
            let patient = |step: &usize| {
                steps[*step].is_by_primary_key()
                    && steps[*step].may_be_shared()
                    && (0..steps.len()).any(|other| {
                        other != *step
                            && !order.contains(&other)
                            && steps[other].select.model == steps[*step].select.model
                            && steps[other].gives_whole_rows()
                            && !self.waits_for(&steps, other, *step)
                    })
            };
            let ready: Vec<usize> = (0..steps.len()).filter(is_ready).collect();
            // The steps are acyclic, so one is always ready; the fallback keeps the loop finite in any case.
            let next = ready.iter().find(|step| !patient(step)).or(ready.first()).copied();
            order.push(next.unwrap_or(order.len()));
        }
        let mut place = vec![0; steps.len()];
        for (at, step) in order.iter().enumerate() {
            place[*step] = at;
        }
        for edge in self.nodes.iter_mut().flat_map(|node| &mut node.edges) {
            if let Source::Step { step, .. } = &mut edge.source {
                *step = place[*step];
            }
        }
        let mut steps: Vec<Option<Step>> = steps.into_iter().map(Some).collect();
        self.steps = order.into_iter().filter_map(|step| steps[step].take()).collect();
    }

    fn find_memory(&mut self) {
        for at in 0..self.steps.len() {
            let step = &self.steps[at];
            let select = &step.select;
            // Nor does anyone know what an owner's scope or the application's own code would say to a row in memory.
            // Rows in memory went through their own statement's filter and know no rank: they can stand for others only
            // where nothing but the row itself is asked for.
            let plain = select.filter.is_always() && select.per_owner.is_none() && select.row_order == RowOrder::Any;
            if !step.is_by_primary_key() || !plain || !step.may_be_shared() {
                continue;
            }
            let memory = (0..self.nodes.len())
                .filter(|node| self.nodes[*node].model == select.model)
                .filter(|node| match self.step_of(*node) {
                    Some(fetched_by) => fetched_by < at && self.steps[fetched_by].gives_whole_rows(),
                    None => {
                        self.root == Root::Fetched || step.serves.iter().any(|served| self.is_inverse_of_root(*served))
                    }
                })
                .collect();
            self.steps[at].memory = memory;
        }
    }

    // Whether an edge leads from the root's children straight back to the root.
    fn is_inverse_of_root(&self, served: EdgeId) -> bool {
        let Some(EdgeId { node: 0, edge: up }) = self.nodes[served.node].stored_by else { return false };
        let down = &self.nodes[0].edges[up];
        let back = self.edge(served);
        matches!(down.association.inverse(), Ok(Some(inverse)) if inverse == back.association)
    }
}

// Whether two selects fetch the same rows, whatever columns they read.
fn same_rows(one: &KeyedSelect, other: &KeyedSelect) -> bool {
    let whole = |select: &KeyedSelect| KeyedSelect { only: None, ..select.clone() };
    whole(one) == whole(other)
}

// The columns that serve both.
fn both(one: Option<Vec<usize>>, other: Option<Vec<usize>>) -> Option<Vec<usize>> {
    let mut all = one?;
    all.extend(other?);
    all.sort_unstable();
    all.dedup();
    Some(all)
}

impl Step {
    /// Whether the keys are the model's primary key, so that a row in memory can stand for the one in the database.
    fn is_by_primary_key(&self) -> bool {
        !self.select.columns.is_empty() && self.select.columns == self.select.model.primary_key
    }

    fn may_be_shared(&self) -> bool {
        self.by_owner.is_none() && self.loader.is_none()
    }

    /// Whether its rows can stand for the database's, all columns of them.
    fn gives_whole_rows(&self) -> bool {
        self.select.only.is_none() && self.loader.is_none()
    }
}
