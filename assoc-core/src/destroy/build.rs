//! From the declarations of models to a plan.

use super::follow;
use super::order::{links, ranks, stages};
use super::{DestroyEdge, DestroyNode, DestroyPlan, Effect, Reading};
use crate::counters::Children;
use crate::error::{Error, Result};
use crate::metadata::association::{AssociationDef, Dependent, DependentRows};
use crate::metadata::expr::Expr;
use crate::metadata::filter_hook::{FilterHook, filtered};
use crate::metadata::model::{ModelDef, TableRef, ascending_once};

/// Tables by their name and key: nodes of one table share rows.
#[derive(Default)]
struct Tables(Vec<(TableRef, Vec<&'static str>)>);

impl Tables {
    fn number(&mut self, model: &ModelDef) -> usize {
        let table = (model.table, model.primary_key_names().collect());
        self.0.iter().position(|known| *known == table).unwrap_or_else(|| {
            self.0.push(table);
            self.0.len() - 1
        })
    }
}

pub(super) fn plan(model: &'static ModelDef, reading: Reading, filters: Option<&FilterHook>) -> Result<DestroyPlan> {
    let mut builder = Builder { filters, tables: Tables::default(), nodes: Vec::new(), edges: Vec::new() };
    builder.node(model, true);
    // Nodes that are found are followed in turn.
    let mut at = 0;
    while at < builder.nodes.len() {
        builder.follow(at)?;
        at += 1;
    }
    let root_filter = builder.visible(model, model.base_scope(true).filter)?;
    let Builder { mut nodes, mut edges, .. } = builder;
    if !edges.is_empty() {
        model.require_primary_key("`destroy`")?;
    }
    for edge in edges.iter().filter(|edge| edge.tells()) {
        if let Effect::Remove { node } = edge.effect {
            nodes[edge.from].whole = true;
            nodes[node].whole = true;
        }
    }
    for edge in edges.iter().filter(|edge| edge.by_sql().is_some()) {
        nodes[edge.from].whole = true;
    }
    ranks(&mut nodes, &edges);
    mark_after(&mut nodes, &edges);
    let all_links = links(&nodes);
    let stages = stages(&nodes, &edges, &all_links);
    let followed = follow::children(&nodes, &edges);
    for table in 0..nodes.iter().map(|node| node.table + 1).max().unwrap_or(0) {
        let in_waves =
            stages.iter().any(|stage| stage.in_waves && stage.nodes.iter().any(|at| nodes[*at].table == table));
        settle(table, in_waves, reading, &followed, &mut nodes, &mut edges)?;
    }
    for DestroyEdge { rows, effect, .. } in &mut edges {
        let removed = nodes.iter().any(|node| node.model.table == rows.model.table);
        let has_key = !rows.model.primary_key.is_empty();
        if let Effect::Clear { read, .. } = effect {
            let is_followed = followed.iter().any(|children| children.model == rows.model);
            *read = has_key && (removed || is_followed || reading == Reading::All || finds_by_reading(rows));
        }
    }
    let waves = |node: usize| stages.iter().any(|stage| stage.in_waves && stage.nodes.contains(&node));
    let together = |one: usize, other: usize| {
        stages.iter().any(|stage| stage.nodes.contains(&one) && stage.nodes.contains(&other))
    };
    let links: Vec<_> = all_links.into_iter().filter(|link| waves(link.from) && together(link.from, link.to)).collect();
    for (at, node) in nodes.iter_mut().enumerate() {
        let by_edges = node.edges.iter().flat_map(|edge| edges[*edge].owner_columns());
        let holding = links.iter().filter(|link| link.from == at).flat_map(|link| &link.columns);
        let referred = links.iter().filter(|link| link.to == at).flat_map(|link| &link.to_columns);
        // Which rows between lead to certain targets is found by the keys that they hold.
        let targets = edges.iter().filter(|edge| edge.effect == Effect::Remove { node: at });
        let targets = targets.filter_map(|edge| edge.rows.targets.as_ref()).flat_map(|of| of.key.owner_columns);
        if node.whole {
            node.columns = (0..node.model.columns.len()).collect();
            continue;
        }
        // Whether a row that was given is still the same, its version says.
        let version = node.model.lock_version().filter(|_| at == 0);
        let columns: Vec<usize> = node
            .model
            .primary_key
            .iter()
            .chain(holding)
            .chain(referred)
            .chain(targets)
            .copied()
            .chain(by_edges)
            .chain(version)
            .collect();
        node.columns = ascending_once(&columns);
    }
    Ok(DestroyPlan { nodes, edges, links, stages, root_filter, followed })
}

struct Builder<'f> {
    filters: Option<&'f FilterHook>,
    tables: Tables,
    nodes: Vec<DestroyNode>,
    edges: Vec<DestroyEdge>,
}

impl Builder<'_> {
    fn node(&mut self, model: &'static ModelDef, cascades: bool) -> usize {
        let known = self.nodes.iter().position(|node| node.model == model && node.cascades == cascades);
        known.unwrap_or_else(|| {
            let table = self.tables.number(model);
            let (columns, edges) = (Vec::new(), Vec::new());
            let whole = cascades && model.has_destroy_callbacks();
            self.nodes.push(DestroyNode {
                model,
                table,
                cascades,
                read: false,
                whole,
                columns,
                edges,
                rank: 0,
                after: false,
            });
            self.nodes.len() - 1
        })
    }

    fn follow(&mut self, from: usize) -> Result<()> {
        let DestroyNode { model, cascades, .. } = self.nodes[from];
        if !cascades {
            return Ok(());
        }
        for association in model.associations {
            for rows in association.kind.dependents(association)? {
                self.add(from, association, rows)?;
            }
        }
        Ok(())
    }

    fn add(&mut self, from: usize, association: &'static AssociationDef, mut rows: DependentRows) -> Result<()> {
        require_keys(association, &rows)?;
        rows.filter = self.visible(rows.model, rows.filter)?;
        if let Some(targets) = &mut rows.targets {
            let filter = std::mem::take(&mut targets.filter);
            targets.filter = self.visible(targets.model, filter)?;
        }
        let mut known = self.nodes[from].edges.iter().map(|edge| &self.edges[*edge]);
        if known.any(|edge| is_same((edge.association, &edge.rows), (association, &rows))) {
            return Ok(());
        }
        let effect = match rows.rule {
            // The schema does it.
            Dependent::Database => return Ok(()),
            Dependent::Restrict(rule) => Effect::Restrict(rule),
            Dependent::Nullify => Effect::Clear { columns: rows.cleared_columns(association)?, read: false },
            Dependent::Destroy => Effect::Remove { node: self.node(rows.model, true) },
            Dependent::Delete => Effect::Remove { node: self.node(rows.model, false) },
        };
        self.nodes[from].edges.push(self.edges.len());
        self.edges.push(DestroyEdge { association, from, rows, effect });
        Ok(())
    }

    // A condition with a hook's filters.
    fn visible(&self, model: &'static ModelDef, filter: Expr) -> Result<Expr> {
        match self.filters {
            Some(hook) => filtered(hook, model, filter),
            None => Ok(filter),
        }
    }
}

// Whether two associations say the same of the same rows: several over one join table do.
fn is_same((of, one): (&AssociationDef, &DependentRows), (of_other, other): (&AssociationDef, &DependentRows)) -> bool {
    let names = |rows: &DependentRows| -> Vec<&str> {
        rows.key.target_columns.iter().map(|column| rows.model.columns[*column].name).collect()
    };
    one.rule == other.rule
        && one.model.table == other.model.table
        && one.key.owner_columns == other.key.owner_columns
        && names(one) == names(other)
        && one.owner_type == other.owner_type
        && one.filter == other.filter
        && of.options.delete_sql.is_none()
        && of_other.options.delete_sql.is_none()
        && one.targets.is_none()
        && other.targets.is_none()
        // What depends on destroyed rows, their model says.
        && (one.rule != Dependent::Destroy || one.model == other.model)
}

// Which nodes have rows that go after others, because those refer to them.
fn mark_after(nodes: &mut [DestroyNode], edges: &[DestroyEdge]) {
    let mut changed = true;
    while changed {
        changed = false;
        for edge in edges {
            let Effect::Remove { node } = edge.effect else { continue };
            if !nodes[node].after && (edge.is_after() || nodes[edge.from].after) {
                nodes[node].after = true;
                changed = true;
            }
        }
    }
}

// Decides whether the plan reads the keys of a table's rows, or finds the rows by the keys of their owners.
fn settle(
    table: usize,
    in_waves: bool,
    reading: Reading,
    followed: &[Children],
    nodes: &mut [DestroyNode],
    edges: &mut [DestroyEdge],
) -> Result<()> {
    let of_table: Vec<usize> = (0..nodes.len()).filter(|at| nodes[*at].table == table).collect();
    let Some(first) = of_table.first().map(|at| &nodes[*at]) else { return Ok(()) };
    let (model, key) = (first.model, &first.model.primary_key);
    let removes = |edge: &DestroyEdge| matches!(edge.effect, Effect::Remove { node } if of_table.contains(&node));
    let has_key = !key.is_empty();
    let has_dependents = of_table.iter().any(|at| !nodes[*at].edges.is_empty());
    let is_followed = of_table.iter().any(|at| followed.iter().any(|children| children.model == nodes[*at].model));
    if has_dependents && !has_key {
        model.require_primary_key("destroying what depends on rows")?;
    }
    if of_table.contains(&0) && nodes[0].whole {
        model.require_primary_key("running the callbacks of destroyed rows")?;
    }
    let is_table = |rows: &DependentRows| rows.model.table == model.table;
    let others = edges.iter().filter(|edge| is_table(&edge.rows) && !removes(edge));
    let others_decide = others.clone().any(|edge| match edge.effect {
        Effect::Clear { .. } => true,
        // Rows that go before an owner do not refuse that it goes.
        Effect::Restrict(_) => nodes[edge.from].after,
        Effect::Remove { .. } => false,
    });
    let differing = of_table.iter().any(|at| nodes[*at].cascades != nodes[of_table[0]].cascades);
    let by_condition = edges.iter().filter(|edge| removes(edge)).any(|edge| finds_by_reading(&edge.rows));
    let read = reading == Reading::All
        || has_dependents
        || is_followed
        || in_waves
        || of_table.contains(&0)
        || others_decide
        || of_table.iter().any(|at| nodes[*at].whole)
        || differing
        || by_condition;
    for at in &of_table {
        nodes[*at].read = read && has_key;
    }
    Ok(())
}

/// Whether a condition on rows is such that their keys are read before anything is done with them: it looks into other
/// tables, which not every database allows in an `UPDATE` or `DELETE`.
fn finds_by_reading(rows: &DependentRows) -> bool {
    rows.targets.is_some() || looks_elsewhere(&rows.filter)
}

fn looks_elsewhere(filter: &Expr) -> bool {
    match filter {
        Expr::All(parts) | Expr::Any(parts) => parts.iter().any(looks_elsewhere),
        Expr::Not(inner) => looks_elsewhere(inner),
        Expr::Related { .. } | Expr::Joined { .. } | Expr::Limited(_) | Expr::Raw { .. } => true,
        _ => false,
    }
}

/// Refuses rows without primary key that are found by the targets they lead to.
fn require_keys(association: &AssociationDef, rows: &DependentRows) -> Result<()> {
    if rows.targets.is_none() || !rows.model.primary_key.is_empty() {
        return Ok(());
    }
    let message = format!(
        "the association `{}` has `dependent = \"{}\"` and a condition on its targets, and the rows between have no primary \
         key to tell them apart: give `{}` one, or leave out the condition",
        association.qualified_name(),
        rows.rule.name(),
        rows.model.name
    );
    Err(Error::invalid_query((association.owner)().name, message))
}
