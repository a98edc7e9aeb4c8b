//! The plan in words: the tree that was asked for, and the statements that load it.

use std::fmt::Write;

use super::{Edge, Plan, Root, Source};
use crate::dialect::Dialect;
use crate::error::Result;
use crate::key::{KeySet, KeyTuple};
use crate::metadata::model::ModelDef;
use crate::metadata::request::Shape;
use crate::value::Value;

impl Plan {
    /// The plan as text: the tree of associations, each with the step that loads it, then the steps' statements for a
    /// single key. `root_sql` is the statement that fetches the root's rows, if one does.
    ///
    /// # Errors
    /// When a statement cannot be written.
    pub fn explain(&self, dialect: &dyn Dialect, root_sql: Option<&str>) -> Result<String> {
        self.explain_at(&|_| dialect, root_sql)
    }

    /// The same with models in several databases: the statements about each are in its own dialect.
    ///
    /// # Errors
    /// When a statement cannot be written.
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
                Root::Held => out.push_str(&format!("{root} (in hand)\n")),
            }
            self.explain_node(at, "", &mut out);
        }
        if let Some(sql) = root_sql {
            out.push_str(&format!("\n[1] {sql}\n"));
        } else {
            out.push('\n');
        }
        for (at, step) in self.steps.iter().enumerate() {
            if step.loader.is_some() {
                let association = self.edge(step.serves[0]).association.qualified_name();
                let _ = writeln!(out, "[{}] no statement: the function given for {association}", self.number(at));
                continue;
            }
            if step.finder.is_some() {
                let _ = writeln!(out, "[{}] the SQL of the association's own", self.number(at));
                continue;
            }
            let by_owner = step.by_owner.as_ref().map(|by_owner| by_owner.onward(&Shape::default()));
            if let Some(onward) = by_owner.transpose()?.flatten() {
                for part in &onward.plan.steps {
                    let statement = {
                        let sample = sample_keys(part.select.columns.len());
                        part.select.statement(dialect_of(part.select.model), &sample)?
                    };
                    let _ = writeln!(out, "[{}] {statement}", self.number(at));
                }
                continue;
            }
            let dialect = dialect_of(step.select.model);
            let statement = match &step.way {
                Some(way) => way.statement(&step.select, dialect, &sample_keys(way.owner_columns.len()))?,
                None => step.select.statement(dialect, &sample_keys(step.select.columns.len()))?,
            };
            // Writing to a String cannot fail.
            let if_needed = if step.memory.is_empty() { "" } else { "for rows not in memory: " };
            let _ = writeln!(out, "[{}] {if_needed}{statement}", self.number(at));
        }
        Ok(out)
    }

    fn explain_node(&self, node: usize, indent: &str, out: &mut String) {
        let edges: Vec<&Edge> = self.nodes[node].edges.iter().filter(|edge| !edge.hidden).collect();
        for (at, edge) in edges.iter().enumerate() {
            let (branch, below) = if at + 1 == edges.len() { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            let association = edge.association;
            let steps = self.steps_behind(edge);
            let mut numbers: Vec<String> = steps.iter().map(|step| self.number(*step).to_string()).collect();
            if steps.is_empty() {
                numbers.push("1".to_owned());
            }
            // Writing to a String cannot fail.
            let _ = write!(
                out,
                "{indent}{branch}{}: {} {} [{}]",
                association.name,
                association.association_macro(),
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
                if step.loader.is_some() {
                    out.push_str(", by `load_with`");
                }
                if step.way.is_some() {
                    out.push_str(", joined to the rows between");
                }
                if step.by_owner.is_some() {
                    out.push_str(", anew for each distinct scope of its owners");
                }
                if step.finder.is_some() {
                    out.push_str(", each distinct statement of its owners");
                }
                if !step.memory.is_empty() {
                    out.push_str(", from memory where the row is known");
                }
            }
            out.push('\n');
            self.explain_node(edge.child, &format!("{indent}{below}"), out);
        }
    }

    // The number a step's statement is printed with.
    fn number(&self, step: usize) -> usize {
        step + 1 + usize::from(self.root == Root::Fetched)
    }

    // The steps of an edge, in the order of its way.
    fn steps_behind(&self, edge: &Edge) -> Vec<usize> {
        match edge.source {
            Source::Step { step, .. } => {
                let mut steps = edge.behind.map_or_else(Vec::new, |first| self.steps_behind(self.edge(first)));
                steps.push(step);
                steps
            }
            Source::Joined { .. } => Vec::new(),
            Source::Composed { first, second, .. } => {
                let mut steps = self.steps_behind(self.edge(first));
                steps.extend(self.steps_behind(self.edge(second)));
                steps
            }
        }
    }
}

// A single key: the statement's text as it is for one owner.
fn sample_keys(width: usize) -> KeySet {
    if width == 1 {
        KeySet::Ints([0].into())
    } else {
        KeySet::Tuples(KeyTuple::new(vec![Value::Int(0); width]).into_iter().collect())
    }
}
