//! The plan in words: the tree of requested associations, and the statements that load it.

use std::fmt::Write;

use super::{AggregateSource, AggregateStep, Edge, EdgeId, Fetch, Plan, Root, Source, Step};
use crate::dialect::Dialect;
use crate::error::Result;
use crate::key::{KeySet, KeyTuple};
use crate::metadata::model::ModelDef;
use crate::metadata::request::{Request, ScopeDef};
use crate::value::Value;

/// Levels of a plan that are printed.
const EXPLAINED_LEVELS: usize = 300;

/// Steps of a plan whose turns are counted: each is compared with all before.
const MOST_STEPS_TO_COUNT: usize = 300;

impl Plan {
    /// The plan as text: the tree of associations, each with the step that loads it, then the steps' statements for a
    /// single key. Where a deep request goes on once there are rows, the tree says so. `root_sql` is the statement that fetches the root's rows, if one does.
    ///
    /// # Errors
    /// When a statement cannot be written.
    pub fn explain(&self, dialect: &dyn Dialect, root_sql: Option<&str>) -> Result<String> {
        self.explain_at(&|_| dialect, root_sql)
    }

    /// As `explain`, for models in several databases: each statement is in the dialect of its model's database.
    ///
    /// # Errors
    /// When a statement cannot be written.
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use assoc_core::IntoPreload;
    /// use assoc_core::planner::{Plan, Root};
    ///
    /// let (here, there) = (StandardSql::default(), StandardSql::default());
    /// let plan = Plan::new(User::DEF, Root::Existing, User::POSTS.into_requests())?;
    /// let text = plan.explain_at(&|model| if model == User::DEF { &here } else { &there }, None)?;
    /// assert!(text.starts_with("User (existing rows)") && text.contains("FROM posts"));
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    pub fn explain_at<'d>(
        &self,
        dialect_of: &dyn Fn(&'static ModelDef) -> &'d dyn Dialect,
        root_sql: Option<&str>,
    ) -> Result<String> {
        let mut out = String::new();
        for at in 0..self.roots {
            let root = self.nodes[at].model.name;
            match self.root {
                Root::Fetched => out.push_str(&format!("{root} [1]\n")),
                Root::Existing => out.push_str(&format!("{root} (existing rows)\n")),
            }
            self.explain_node(at, &mut out);
        }
        if let Some(sql) = root_sql {
            out.push_str(&format!("\n[1] {sql}\n"));
        } else {
            out.push('\n');
        }
        for (at, step) in self.steps.iter().enumerate() {
            for line in self.statements_of(step, dialect_of)? {
                // Writing to a String cannot fail.
                let _ = writeln!(out, "[{}] {line}", self.number(at));
            }
        }
        for (at, step) in self.aggregates.iter().enumerate() {
            for line in self.statements_of_aggregate(step, dialect_of)? {
                // Writing to a String cannot fail.
                let _ = writeln!(out, "[{}] {line}", self.number(self.steps.len() + at));
            }
        }
        let answered: Vec<bool> =
            self.steps.iter().map(|step| is_answered(step, dialect_of(step.select.model))).collect();
        self.explain_turns(&answered, &mut out);
        Ok(out)
    }

    // How long the statements wait for one another, where it is not for all before.
    fn explain_turns(&self, answered: &[bool], out: &mut String) {
        let are_counted = |step: &Step| matches!(step.fetch, Fetch::ByKey | Fetch::JoinChain(_));
        // Aggregates have statements of their own, each of which waits for the rows that it is computed beside.
        let is_counted = self.aggregates.is_empty() && self.steps.iter().all(are_counted);
        if self.steps.len() > MOST_STEPS_TO_COUNT || !is_counted {
            return;
        }
        let unsent = answered.iter().filter(|answered| **answered).count();
        let statements = self.number(self.steps.len()) - 1 - unsent;
        let (depth, turns) = (self.depth(answered), self.turns(answered));
        if turns == statements {
            return;
        }
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "\n{statements} statements, {depth} deep: {turns} turns where a database takes independent statements together"
        );
    }

    // What a step runs, a line for each statement.
    fn statements_of<'d>(
        &self,
        step: &Step,
        dialect_of: &dyn Fn(&'static ModelDef) -> &'d dyn Dialect,
    ) -> Result<Vec<String>> {
        let dialect = dialect_of(step.select.model);
        let keys = sample_keys(step.select.columns.len());
        let by_key = || match step.read_at_once(dialect) {
            Some(level) => step.select.levels_statement(dialect, &keys, level.onward, level.below + 1),
            None => step.select.statement(dialect, &keys),
        };
        let line = match &step.fetch {
            Fetch::ByKey if is_answered(step, dialect) => {
                let first = step.recursion.map_or(0, |level| self.number(level.first));
                format!("no statement: [{first}] has read these rows")
            }
            Fetch::ByKey | Fetch::OwnerScope(_) => {
                let if_needed = if step.memory.is_empty() { "" } else { "for rows not in memory: " };
                format!("{if_needed}{}", by_key()?)
            }
            Fetch::JoinChain(join_chain) => {
                join_chain.statement(&step.select, dialect, &sample_keys(join_chain.owner_columns.len()))?.to_string()
            }
            Fetch::OwnerScopeThrough(scope) => {
                let Some(onward) = scope.onward(&ScopeDef::default())? else { return Ok(Vec::new()) };
                let parts = onward.plan.steps.iter().map(|part| onward.plan.statements_of(part, dialect_of));
                return Ok(parts.collect::<Result<Vec<_>>>()?.concat());
            }
            Fetch::CustomSql(_) => "the SQL of the association's own".to_owned(),
            Fetch::Function(_) => {
                let association = self.edge(step.serves[0]).association.qualified_name();
                format!("no statement: the function given for {association}")
            }
        };
        Ok(vec![line])
    }

    fn explain_node(&self, node: usize, out: &mut String) {
        // Plans of deep requests are deep, so this does not recurse. The innermost comes last.
        let mut waiting = vec![(node, 0, String::new())];
        while let Some((node, from, indent)) = waiting.pop() {
            let edges: Vec<&Edge> = self.nodes[node].edges.iter().filter(|edge| !edge.hidden).collect();
            if from == 0 {
                self.explain_deferred(node, &indent, out);
                self.explain_aggregates(node, &indent, edges.is_empty(), out);
            }
            let Some(edge) = edges.get(from) else { continue };
            let (branch, below) = if from + 1 == edges.len() { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            self.explain_edge(edge, &format!("{indent}{branch}"), out);
            let inner = format!("{indent}{below}");
            waiting.push((node, from + 1, indent));
            if self.nodes[edge.child].level > EXPLAINED_LEVELS {
                // Writing to a String cannot fail.
                let _ = writeln!(out, "{inner}…");
                continue;
            }
            waiting.push((edge.child, 0, inner));
        }
    }

    // The aggregates beside the rows of a node.
    fn explain_aggregates(&self, node: usize, indent: &str, is_last: bool, out: &mut String) {
        let fields = self.aggregates.iter().enumerate().flat_map(|(at, step)| {
            step.fields.iter().filter(|field| field.node == node).map(move |field| (at, step, field))
        });
        let fields: Vec<_> = fields.collect();
        for (place, (at, step, field)) in fields.iter().enumerate() {
            let branch = if is_last && place + 1 == fields.len() { "└─ " } else { "├─ " };
            let how = match step.source {
                AggregateSource::ByKey { .. } => "",
                AggregateSource::JoinChain { .. } => ", joined to the rows between",
                AggregateSource::CustomSql { .. } => ", each distinct statement of its owners",
                AggregateSource::Rows(_) => ", of rows that are loaded for it",
            };
            // Writing to a String cannot fail.
            let _ = writeln!(
                out,
                "{indent}{branch}{}: {} of {} [{}]{how}",
                field.field.name,
                step.operands[field.operand].shown(),
                step.association.name,
                self.number(self.steps.len() + at),
            );
        }
    }

    // What computes an aggregate, a line for each statement.
    fn statements_of_aggregate<'d>(
        &self,
        step: &AggregateStep,
        dialect_of: &dyn Fn(&'static ModelDef) -> &'d dyn Dialect,
    ) -> Result<Vec<String>> {
        let dialect = dialect_of((step.association.target)());
        Ok(match &step.source {
            AggregateSource::ByKey { select, owner_columns, .. } => {
                vec![select.statement(dialect, &sample_keys(owner_columns.len()))?.to_string()]
            }
            AggregateSource::JoinChain { chain, .. } => {
                let keys = sample_keys(chain.owner_columns.len());
                vec![chain.aggregate_statement(dialect, &keys, &step.operands)?.to_string()]
            }
            AggregateSource::CustomSql { .. } => vec!["the SQL of the association's own, counted".to_owned()],
            AggregateSource::Rows(plan) => {
                let steps = plan.steps.iter().map(|step| plan.statements_of(step, dialect_of));
                steps.collect::<Result<Vec<_>>>()?.concat()
            }
        })
    }

    // What is planned when the node has rows.
    fn explain_deferred(&self, node: usize, indent: &str, out: &mut String) {
        let deferred = self.deferred.iter().filter(|deferred| deferred.node == node);
        let requests: Vec<&Request> = deferred.flat_map(|deferred| &deferred.requests).collect();
        for (at, request) in requests.iter().enumerate() {
            let branch = if at + 1 == requests.len() { "└─ " } else { "├─ " };
            let association = request.association;
            let levels = match request.levels {
                0 | 1 => String::new(),
                levels => format!(", {levels} levels more"),
            };
            // Writing to a String cannot fail.
            let _ = writeln!(
                out,
                "{indent}{branch}{}: {} {}{levels}: goes on from here if there are rows",
                association.name,
                association.association_kind(),
                (association.target)().name,
            );
        }
    }

    fn explain_edge(&self, edge: &Edge, branch: &str, out: &mut String) {
        let association = edge.association;
        let steps = self.steps_behind(edge);
        let mut numbers: Vec<String> = steps.iter().map(|step| self.number(*step).to_string()).collect();
        if steps.is_empty() {
            numbers.push("1".to_owned());
        }
        // Writing to a String cannot fail.
        let _ = write!(
            out,
            "{branch}{}: {} {} [{}]",
            association.name,
            association.association_kind(),
            self.nodes[edge.child].model.name,
            numbers.join(", ")
        );
        if steps.is_empty() {
            out.push_str(", by join");
        }
        if let [step] = steps[..] {
            let step = &self.steps[step];
            if step.serves.len() > 1 {
                let _ = write!(out, ", one statement for {} places", step.serves.len());
            }
            out.push_str(match step.fetch {
                Fetch::ByKey => "",
                Fetch::JoinChain(_) => ", joined to the rows between",
                Fetch::OwnerScope(_) | Fetch::OwnerScopeThrough(_) => ", anew for each distinct scope of its owners",
                Fetch::CustomSql(_) => ", each distinct statement of its owners",
                Fetch::Function(_) => ", by `load_with`",
            });
            if !step.memory.is_empty() {
                out.push_str(", from memory where the row is known");
            }
        }
        out.push('\n');
    }

    // The number a step's statement is printed with.
    fn number(&self, step: usize) -> usize {
        step + 1 + usize::from(self.root == Root::Fetched)
    }

    // The steps of an edge, in the order of its chain.
    fn steps_behind(&self, edge: &Edge) -> Vec<usize> {
        match edge.source {
            Source::Step { step, .. } => vec![step],
            Source::OwnerStep { step, behind } => {
                let before = |first: EdgeId| self.steps_behind(self.edge(first));
                let mut steps = behind.map_or_else(Vec::new, before);
                steps.push(step);
                steps
            }
            Source::Joined { .. } => Vec::new(),
            Source::Through { first, second, .. } => {
                let mut steps = self.steps_behind(self.edge(first));
                steps.extend(self.steps_behind(self.edge(second)));
                steps
            }
        }
    }
}

// Whether the first step of its recursion has read its rows.
fn is_answered(step: &Step, dialect: &dyn Dialect) -> bool {
    step.read_at_once(dialect).is_some_and(|level| level.above > 0)
}

// A single key: the statement's text as it is for one owner.
fn sample_keys(width: usize) -> KeySet {
    if width == 1 {
        KeySet::Ints([0].into())
    } else {
        KeySet::Tuples(KeyTuple::new(vec![Value::Int(0); width]).into_iter().collect())
    }
}
