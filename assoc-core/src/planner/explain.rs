//! The plan in words: the tree that was asked for, and the statements that load it.

use std::fmt::Write;

use super::{Plan, Root};
use crate::dialect::Dialect;
use crate::error::Result;
use crate::key::{KeySet, KeyTuple};
use crate::value::Value;

impl Plan {
    /// The plan as text: the tree of associations, each with the step that loads it, then the steps' statements for a
    /// single key. `root_sql` is the statement that fetches the root's rows, if one does.
    ///
    /// # Errors
    /// When a statement cannot be written.
    pub fn explain(&self, dialect: &dyn Dialect, root_sql: Option<&str>) -> Result<String> {
        let mut out = String::new();
        let root = self.nodes[0].model.name;
        match self.root {
            Root::Fetched => out.push_str(&format!("{root} [1]\n")),
            Root::Held => out.push_str(&format!("{root} (in hand)\n")),
        }
        self.explain_node(0, "", &mut out);
        let first = usize::from(self.root == Root::Fetched);
        if let Some(sql) = root_sql {
            out.push_str(&format!("\n[1] {sql}\n"));
        } else {
            out.push('\n');
        }
        for (at, step) in self.steps.iter().enumerate() {
            let sample = sample_keys(step.select.columns.len());
            let statement = step.select.statement(dialect, &sample)?;
            // Writing to a String cannot fail.
            let _ = writeln!(out, "[{}] {statement}", at + 1 + first);
        }
        Ok(out)
    }

    fn explain_node(&self, node: usize, indent: &str, out: &mut String) {
        let first = usize::from(self.root == Root::Fetched);
        let edges = &self.nodes[node].edges;
        for (at, edge) in edges.iter().enumerate() {
            let last = at + 1 == edges.len();
            let step = &self.steps[edge.step];
            let (branch, below) = if last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            let association = edge.association;
            let _ = write!(
                out,
                "{indent}{branch}{}: {} {} [{}]",
                association.name,
                association.association_macro(),
                (association.target)().name,
                edge.step + 1 + first
            );
            if step.serves.len() > 1 {
                let _ = write!(out, ", one statement for {} places", step.serves.len());
            }
            if !step.memory.is_empty() {
                out.push_str(", from memory where the row is known");
            }
            out.push('\n');
            self.explain_node(edge.child, &format!("{indent}{below}"), out);
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
