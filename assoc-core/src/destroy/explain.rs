//! A plan in words: the tree of what depends on a row, and the statements for a single key each.

use std::fmt::Write;

use super::{DestroyEdge, DestroyNode, DestroyPlan, Effect};
use crate::counters;
use crate::dialect::Dialect;
use crate::error::Result;
use crate::key::{KeySet, KeyTuple};
use crate::metadata::expr::Expr;
use crate::metadata::model::ModelDef;
use crate::select::KeyedSelect;
use crate::sql::KeyedRows;
use crate::statement::Statement;
use crate::value::Value;

impl DestroyPlan {
    /// The plan as text: the tree of associations with what is done with their rows, then the statements in the order in
    /// which they run, each for a single key. Trees of rows need more of them: one for each level and table.
    ///
    /// # Errors
    /// When a statement cannot be written.
    pub fn explain(&self, dialect: &dyn Dialect) -> Result<String> {
        let mut out = format!("{} (destroyed)\n", self.nodes[0].model.name);
        self.explain_node(0, "", &mut vec![0], &mut out);
        out.push('\n');
        for (verb, model, statement) in self.sample_statements(dialect)? {
            // Writing to a String cannot fail.
            let _ = writeln!(out, "{verb} {model}: {}", statement.sql());
        }
        Ok(out)
    }

    fn explain_node(&self, at: usize, indent: &str, shown: &mut Vec<usize>, out: &mut String) {
        let edges = &self.nodes[at].edges;
        for (place, edge) in edges.iter().enumerate() {
            let edge = &self.edges[*edge];
            let (branch, below) = if place + 1 == edges.len() { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            let what = match &edge.effect {
                Effect::Restrict(rule) => format!("refuse: {rule}"),
                Effect::Clear { .. } => "cleared".to_owned(),
                Effect::Remove { .. } if edge.by_sql().is_some() => "unlinked by `delete_sql`".to_owned(),
                Effect::Remove { node } if self.nodes[*node].cascades => "destroyed".to_owned(),
                Effect::Remove { .. } => "deleted".to_owned(),
            };
            let (name, model) = (edge.association.name, edge.rows.model.name);
            let _ = write!(out, "{indent}{branch}{name}: {model} ({what}");
            match edge.effect {
                Effect::Remove { node } if shown.contains(&node) && !self.nodes[node].edges.is_empty() => {
                    out.push_str(", as above)\n");
                }
                Effect::Remove { node } => {
                    out.push_str(")\n");
                    shown.push(node);
                    self.explain_node(node, &format!("{indent}{below}"), shown, out);
                }
                _ => out.push_str(")\n"),
            }
        }
    }

    // What runs, in its order, with a verb and a model for each.
    fn sample_statements(&self, dialect: &dyn Dialect) -> Result<Vec<(&'static str, &'static str, Statement)>> {
        let always = Expr::always();
        let mut all = Vec::new();
        let root = &self.nodes[0];
        let by_key = |model: &'static ModelDef, filter| KeyedRows { model, columns: model.primary_key, filter };
        let sample = |model: &ModelDef| sample_keys(model.primary_key.len());
        if self.reads_root() {
            let select = KeyedSelect {
                only: Some(root.columns.clone()),
                filter: self.root_filter.clone(),
                ..KeyedSelect::new(root.model, root.model.primary_key)
            };
            all.push(("read", root.model.name, select.statement(dialect, &sample(root.model))?));
        }
        let mut order: Vec<usize> = (0..self.nodes.len()).collect();
        order.sort_by_key(|at| (self.nodes[*at].after, self.nodes[*at].rank));
        for edge in order.iter().flat_map(|at| &self.nodes[*at].edges).map(|edge| &self.edges[*edge]) {
            let (model, keys) = (edge.rows.model, sample_keys(edge.rows.key.target_columns.len()));
            match &edge.effect {
                Effect::Restrict(_) if edge.rows.targets.is_none() => {
                    all.push(("require no", model.name, edge.keyed_rows().exists(dialect, &keys)?));
                }
                Effect::Clear { read: false, .. } => {}
                // What the SQL of an owner and a target is, only the rows say.
                Effect::Remove { .. } if edge.by_sql().is_some() => {
                    all.push(("read", model.name, self.select(edge).statement(dialect, &keys)?));
                }
                Effect::Remove { node } if !self.nodes[*node].read && !self.shows_keyless(edge) => {}
                _ => all.push(("read", model.name, self.select(edge).statement(dialect, &keys)?)),
            }
        }
        // What is cleared stays, and is read in any case.
        let returned = |model: &'static ModelDef| {
            let children = self.followed.iter().find(|children| children.model == model)?;
            (dialect.capabilities().delete_returning && self.deletes_returning(model)).then_some(&children.columns[..])
        };
        let cleared = |model: &'static ModelDef| {
            self.edges.iter().any(|edge| edge.rows.model == model && matches!(edge.effect, Effect::Clear { .. }))
        };
        let keyed = self.followed.iter().filter(|children| !children.model.primary_key.is_empty());
        for children in keyed.filter(|children| returned(children.model).is_none() || cleared(children.model)) {
            all.push(counters::reading(dialect, children, children.model.primary_key)?);
        }
        let unread = |edge: &&DestroyEdge| {
            edge.by_sql().is_none() && matches!(edge.effect, Effect::Remove { node } if !self.nodes[node].read)
        };
        let delete_rows = |rows: KeyedRows<'_>, keys: &KeySet| -> Result<_> {
            let statement = match returned(rows.model) {
                Some(columns) => rows.delete_returning(dialect, keys, columns)?,
                None => rows.delete(dialect, keys)?,
            };
            Ok(("delete", rows.model.name, statement))
        };
        let delete =
            |edge: &DestroyEdge| delete_rows(edge.keyed_rows(), &sample_keys(edge.rows.key.target_columns.len()));
        let keyless = |edge: &&DestroyEdge| edge.rows.model.primary_key.is_empty();
        for edge in self.edges.iter().filter(unread).filter(keyless) {
            let children = self.followed.iter().find(|children| children.model == edge.rows.model);
            if let Some(children) = children.filter(|children| returned(children.model).is_none()) {
                all.push(counters::reading(dialect, children, edge.rows.key.target_columns)?);
            }
            all.push(delete(edge)?);
        }
        for edge in &self.edges {
            let Effect::Clear { columns, read } = &edge.effect else { continue };
            let model = edge.rows.model;
            let statement = if *read {
                by_key(model, &always).clear(dialect, &sample(model), columns)?
            } else {
                edge.keyed_rows().clear(dialect, &sample_keys(edge.rows.key.target_columns.len()), columns)?
            };
            all.push(("clear", model.name, statement));
        }
        for node in self.stages.iter().flat_map(|stage| &stage.nodes) {
            let DestroyNode { model, read, .. } = self.nodes[*node].clone();
            let own = self.edges.iter().filter(|edge| edge.effect == Effect::Remove { node: *node });
            for edge in own.filter(unread).filter(|edge| !keyless(edge)) {
                all.push(delete(edge)?);
            }
            if read {
                let filter = if *node == 0 { &self.root_filter } else { &always };
                all.push(delete_rows(by_key(model, filter), &sample(model))?);
            }
        }
        all.extend(counters::following(dialect, &self.followed)?);
        Ok(all)
    }
}

fn sample_keys(width: usize) -> KeySet {
    if width == 1 {
        return KeySet::Ints([1].into());
    }
    KeySet::Tuples(KeyTuple::new((1..=width as i64).map(Value::Int)).into_iter().collect())
}
