//! Decides which nodes share a statement, and which rows are in memory already.

use super::{EdgeId, Fetch, Plan, Root, Source, Step};
use crate::select::{KeyedSelect, RowOrder};

impl Plan {
    /// Merges the one step an edge that planning began with, of the steps from one on: those before are settled, as their
    /// nodes are. Nodes come parents first, so when an edge looks for a step to join, the steps of everything above it are
    /// settled.
    pub(super) fn assign_steps(&mut self, first: usize) {
        let single = self.steps.split_off(first);
        let mut merged: Vec<Step> = Vec::new();
        let mut reads: Vec<Reads> = Vec::new();
        for step in single {
            let served = step.serves[0];
            let own = self.reads(&step);
            // The steps that have to run before this one can: it can join none of them.
            let mut waits_for: Option<Vec<bool>> = None;
            let found = (0..merged.len()).find_map(|candidate| {
                let may = merged[candidate].fetch.is_shared_with(&step.fetch)
                    && same_rows(&merged[candidate].select, &step.select)
                    && !waits_for.get_or_insert_with(|| self.above(first, &merged, self.feeder(first, served)))
                        [candidate];
                may.then(|| reads[candidate].joined(&own)).flatten().map(|joined| (candidate, joined))
            });
            let chosen = match found {
                Some((chosen, joined)) => {
                    let into = &mut merged[chosen];
                    into.serves.push(served);
                    if into.select.rank_groups.is_empty() {
                        into.select.rank_groups = step.select.rank_groups;
                    }
                    reads[chosen] = joined;
                    chosen
                }
                None => {
                    merged.push(step);
                    reads.push(own);
                    merged.len() - 1
                }
            };
            self.set_step(served, first + chosen);
        }
        for (step, reads) in merged.iter_mut().zip(reads) {
            step.choose_columns(reads);
        }
        if merged.len() > 1 {
            self.order_steps(first, merged);
        } else {
            self.steps.append(&mut merged);
        }
        self.find_memory(first);
        self.find_recursions(first);
    }

    /// How many steps, from one on, can run together: they are look-ups by the keys of all owners, and none needs rows of
    /// another, neither as its owners nor to find keys in them. At least one.
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use assoc_core::IntoPreload;
    /// use assoc_core::planner::{Plan, Root};
    ///
    /// // Neither needs rows of the other: they run together.
    /// let plan = Plan::new(User::DEF, Root::Existing, (User::TEAM, User::POSTS).into_requests())?;
    /// assert_eq!((plan.steps().len(), plan.independent_from(0)), (2, 2));
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    #[must_use]
    pub fn independent_from(&self, first: usize) -> usize {
        let steps = &self.steps[first..];
        let is_independent = |(at, step): &(usize, &Step)| {
            matches!(step.fetch, Fetch::ByKey | Fetch::JoinChain(_))
                && steps[..*at].iter().all(|before| !self.needs(step, before))
        };
        steps.iter().enumerate().take_while(is_independent).count().max(1)
    }

    // Whether a step needs rows of another.
    fn needs(&self, step: &Step, other: &Step) -> bool {
        let gives = |node: usize| other.serves.iter().any(|id| self.edge(*id).child == node);
        let is_fed = |served: &EdgeId| {
            let behind = match self.edge(*served).source {
                Source::OwnerStep { behind: Some(first), .. } => self.edge(first).child,
                _ => served.node,
            };
            gives(behind)
        };
        step.serves.iter().any(is_fed) || step.memory.iter().any(|node| gives(*node))
    }

    /// How many statements have to wait for one another at most, with that of the root. Answered steps have
    /// their rows from the first of their recursion.
    pub(super) fn depth(&self, answered: &[bool]) -> usize {
        let root = usize::from(self.root == Root::Fetched);
        let mut levels: Vec<usize> = Vec::with_capacity(self.steps.len());
        for (at, step) in self.steps.iter().enumerate() {
            let before = self.steps.iter().zip(&levels).filter(|(other, _)| self.needs(step, other));
            let own = usize::from(!answered[at]);
            levels.push(own + before.map(|(_, level)| *level).max().unwrap_or(root));
        }
        levels.into_iter().max().unwrap_or(root)
    }

    /// How many turns the statements take where those that are independent are sent together.
    pub(super) fn turns(&self, answered: &[bool]) -> usize {
        let (mut next, mut turns) = (0, usize::from(self.root == Root::Fetched));
        while next < self.steps.len() {
            let together = next..next + self.independent_from(next);
            next = together.end;
            turns += usize::from(answered[together].contains(&false));
        }
        turns
    }

    fn set_step(&mut self, EdgeId { node, edge }: EdgeId, chosen: usize) {
        if let Some(step) = self.nodes[node].edges[edge].source.step_mut() {
            *step = chosen;
        }
    }

    // What a step that serves one edge reads.
    fn reads(&self, step: &Step) -> Reads {
        let node = &self.nodes[self.edge(step.serves[0]).child];
        if let Some(only) = &step.select.only {
            return Reads::Links(only.clone());
        }
        if !node.links_only {
            return Reads::Rows(step.select.selected.clone());
        }
        let mut keys: Vec<usize> = step.select.columns.to_vec();
        for edge in &node.edges {
            if let Source::Step { hop, .. } = edge.source {
                keys.extend(hop.owner_columns);
            }
            keys.extend(edge.variant.map(|variant| variant.discriminator.column));
        }
        if step.select.row_order == RowOrder::GloballyOrdered {
            // An order across several statements is told by the primary key.
            keys.extend(step.select.model.primary_key);
        }
        keys.sort_unstable();
        keys.dedup();
        Reads::Links(keys)
    }

    // The step that fetches a node's rows; the root has none.
    fn step_of(&self, node: usize) -> Option<usize> {
        match self.edge(self.nodes[node].fetched_by?).source {
            Source::Step { step, .. } | Source::OwnerStep { step, .. } => Some(step),
            Source::Joined { .. } | Source::Through { .. } => None,
        }
    }

    // The step that has to run before an edge's own can, counted from the first that is not settled. Those have run.
    fn feeder(&self, first: usize, served: EdgeId) -> Option<usize> {
        let step = match self.edge(served).source {
            Source::OwnerStep { behind: Some(first), .. } => self.step_of(self.edge(first).child),
            Source::OwnerStep { behind: None, .. }
            | Source::Step { .. }
            | Source::Joined { .. }
            | Source::Through { .. } => self.step_of(served.node),
        };
        step?.checked_sub(first)
    }

    // Which steps run before a step can, and that one.
    fn above(&self, first: usize, steps: &[Step], waiting: Option<usize>) -> Vec<bool> {
        let mut seen = vec![false; steps.len()];
        let mut above: Vec<usize> = waiting.into_iter().collect();
        while let Some(step) = above.pop() {
            if !std::mem::replace(&mut seen[step], true) {
                above.extend(steps[step].serves.iter().filter_map(|served| self.feeder(first, *served)));
            }
        }
        seen
    }

    // Puts the steps into an order in which each comes after those that feed it, otherwise as they were asked for, and
    // look-ups that can profit from rows in memory as late as possible: among the ready steps one that no other
    // step's rows could still serve goes first.
    fn order_steps(&mut self, first: usize, steps: Vec<Step>) {
        let feeders: Vec<Vec<usize>> = steps
            .iter()
            .map(|step| step.serves.iter().filter_map(|served| self.feeder(first, *served)).collect())
            .collect();
        let looks_up: Vec<bool> =
            steps.iter().map(|step| step.is_by_primary_key() && step.asks_for_all_owners()).collect();
        let gives: Vec<bool> = steps.iter().map(Step::reads_whole_rows).collect();
        let mut above: Vec<Option<Vec<bool>>> = vec![None; steps.len()];
        let mut order: Vec<usize> = Vec::with_capacity(steps.len());
        let mut placed = vec![false; steps.len()];
        // Those that are ready, in the order they were asked for in.
        let mut ready: Vec<usize> = Vec::new();
        let mut waiting: Vec<usize> = (0..steps.len()).collect();
        while order.len() < steps.len() {
            waiting.retain(|step| {
                let is_ready = feeders[*step].iter().all(|feeder| placed[*feeder]);
                if is_ready {
                    ready.push(*step);
                }
                !is_ready
            });
            ready.sort_unstable();
            let mut patient = |step: &usize| {
                looks_up[*step]
                    && (0..steps.len()).any(|other| {
                        other != *step
                            && !placed[other]
                            && gives[other]
                            && steps[other].select.model == steps[*step].select.model
                            && !above[other].get_or_insert_with(|| self.above(first, &steps, Some(other)))[*step]
                    })
            };
            // The steps are acyclic, so one is always ready; the fallback keeps the loop finite in any case.
            let at = ready.iter().position(|step| !patient(step)).unwrap_or(0);
            if ready.is_empty() {
                ready.extend(waiting.pop());
            }
            let next = ready.remove(at);
            placed[next] = true;
            order.push(next);
        }
        let mut place = vec![0; steps.len()];
        for (at, step) in order.iter().enumerate() {
            place[*step] = first + at;
        }
        // Edges of the nodes that this part of the plan began at, and of its own.
        let served: Vec<EdgeId> = steps.iter().flat_map(|step| step.serves.iter().copied()).collect();
        for EdgeId { node, edge } in served {
            if let Some(step) = self.nodes[node].edges[edge].source.step_mut() {
                *step = place[*step - first];
            }
        }
        let mut steps: Vec<Option<Step>> = steps.into_iter().map(Some).collect();
        self.steps.extend(order.into_iter().filter_map(|step| steps[step].take()));
    }

    fn find_memory(&mut self, first: usize) {
        // Later parts of a plan look into its beginning and into the part before: planning stays linear.
        let (second, before) = match self.parts[..] {
            [second, .., before, _] => (second, before),
            _ => (0, 0),
        };
        for at in first..self.steps.len() {
            let step = &self.steps[at];
            let select = &step.select;
            // Rows in memory passed the filter of their statement and have no place in another order, so they can
            // replace only the rows of a plain look-up. Whether a row in memory satisfies an owner's scope,
            // hand-written SQL or a function is unknown.
            let plain = select.filter.is_always()
                && select.per_owner.is_none()
                && select.row_order == RowOrder::Any
                && select.rank_groups.is_empty();
            if !step.is_by_primary_key() || !plain || !step.reads_whole_rows() {
                continue;
            }
            let memory = (0..second)
                .chain(before..self.nodes.len())
                .filter(|node| !(self.partial_root && *node == 0))
                .filter(|node| self.nodes[*node].model == select.model && !self.is_joined_part(*node))
                .filter(|node| match self.step_of(*node) {
                    Some(fetched_by) => fetched_by < at && self.steps[fetched_by].reads_whole_rows(),
                    None => {
                        let leads_back = |served: &EdgeId| self.inverse_root(*served) == Some(*node);
                        let known = self.root == Root::Fetched || self.available.contains(node);
                        known || step.serves.iter().any(leads_back)
                    }
                })
                .collect();
            self.steps[at].memory = memory;
        }
    }

    // Whether the root's statement fetches a node's rows and reads only keys or some columns of them.
    fn is_joined_part(&self, node: usize) -> bool {
        let source = self.nodes[node].fetched_by.map(|fetched_by| self.edge(fetched_by).source);
        let Some(Source::Joined { joined }) = source else { return false };
        self.nodes[node].links_only || self.joined[joined].select.selected.is_some()
    }

    // The root to which an edge leads straight back from its children.
    fn inverse_root(&self, served: EdgeId) -> Option<usize> {
        let EdgeId { node, edge: up } = self.nodes[served.node].stored_by.filter(|down| down.node < self.roots)?;
        let down = &self.nodes[node].edges[up];
        let back = self.edge(served);
        matches!(down.association.inverse(), Ok(Some(inverse)) if inverse == back.association).then_some(node)
    }
}

// Whether two selects fetch the same rows, whatever columns they read. Groups do not matter to selects that need none.
fn same_rows(one: &KeyedSelect, other: &KeyedSelect) -> bool {
    let KeyedSelect { model, columns, only: _, selected: _, filter, order, row_order, group, per_owner, rank_groups } =
        one;
    let same_groups = rank_groups.is_empty() || other.rank_groups.is_empty() || *rank_groups == other.rank_groups;
    same_groups
        && *model == other.model
        && *columns == other.columns
        && *row_order == other.row_order
        && *per_owner == other.per_owner
        && *group == other.group
        && *order == other.order
        && *filter == other.filter
}

impl Step {
    // Only the key columns are read of rows that only refer to others. A look-up by primary key reads all columns,
    // because rows in memory can replace its rows then.
    fn choose_columns(&mut self, reads: Reads) {
        (self.select.only, self.select.selected) = match reads {
            Reads::Rows(selected) => (None, selected),
            Reads::Links(_) if self.is_by_primary_key() => (None, None),
            Reads::Links(keys) => (Some(keys), None),
        };
    }

    // Whether a row of the step can replace the row in the database. An owner's scope may select columns, and
    // hand-written SQL may select anything.
    fn reads_whole_rows(&self) -> bool {
        self.select.only.is_none() && self.select.selected.is_none() && self.asks_for_all_owners()
    }

    /// Whether the keys are the model's primary key, so that a row in memory can replace the one in the database.
    fn is_by_primary_key(&self) -> bool {
        !matches!(self.fetch, Fetch::JoinChain(_))
            && !self.select.columns.is_empty()
            && self.select.columns == self.select.model.primary_key
    }

    // Whether one statement serves all of its owners, by their keys.
    fn asks_for_all_owners(&self) -> bool {
        match self.fetch {
            Fetch::ByKey | Fetch::JoinChain(_) => true,
            Fetch::OwnerScope(_) | Fetch::OwnerScopeThrough(_) | Fetch::CustomSql(_) | Fetch::Function(_) => false,
        }
    }

    /// Whether the number of its statements depends on the owners: on their scopes, or on their SQL.
    #[must_use]
    pub fn depends_on_owners(&self) -> bool {
        match self.fetch {
            Fetch::OwnerScope(_) | Fetch::OwnerScopeThrough(_) | Fetch::CustomSql(_) => true,
            Fetch::ByKey | Fetch::JoinChain(_) | Fetch::Function(_) => false,
        }
    }
}

impl Fetch {
    // Whether two steps with the same select may be one.
    fn is_shared_with(&self, other: &Fetch) -> bool {
        match (self, other) {
            (Fetch::ByKey, Fetch::ByKey) => true,
            (Fetch::JoinChain(one), Fetch::JoinChain(other)) => one == other,
            // What an owner says is known only then; a function is called for one association.
            _ => false,
        }
    }
}

impl Source {
    fn step_mut(&mut self) -> Option<&mut usize> {
        match self {
            Source::Step { step, .. } | Source::OwnerStep { step, .. } => Some(step),
            Source::Joined { .. } | Source::Through { .. } => None,
        }
    }
}

/// What one statement reads of its rows.
#[derive(Debug, Clone, PartialEq)]
enum Reads {
    /// Rows that someone holds: all columns, or those selected.
    Rows(Option<Vec<usize>>),
    /// Intermediate rows: at least these keys.
    Links(Vec<usize>),
}

impl Reads {
    /// What serves both; `None` if nothing does.
    fn joined(&self, other: &Reads) -> Option<Reads> {
        match (self, other) {
            (Reads::Links(one), Reads::Links(other)) => {
                let mut all = [one.as_slice(), other].concat();
                all.sort_unstable();
                all.dedup();
                Some(Reads::Links(all))
            }
            (Reads::Links(keys), rows @ Reads::Rows(selected)) | (rows @ Reads::Rows(selected), Reads::Links(keys)) => {
                let has = |key: &usize| selected.as_ref().is_none_or(|selected| selected.contains(key));
                keys.iter().all(has).then(|| rows.clone())
            }
            (one, other) => (one == other).then(|| one.clone()),
        }
    }
}
