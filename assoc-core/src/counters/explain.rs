//! What follows, in words and as statements.

use std::fmt::Write;

use super::{Children, ParentChanges, ParentGroup};
use crate::dialect::Dialect;
use crate::error::Result;
use crate::key::{KeySet, KeyTuple};
use crate::metadata::expr::Expr;
use crate::metadata::model::ModelDef;
use crate::sql;
use crate::statement::Statement;
use crate::value::{DateTime, Value};

/// The statements that read rows which change, each for a single key.
pub(crate) fn reading(
    dialect: &dyn Dialect,
    children: &Children,
    by: &[usize],
) -> Result<(&'static str, &'static str, Statement)> {
    let (model, keys) = (children.model, sample_keys(by.len()));
    let statement = sql::select_locked(dialect, model, &children.columns, by, &keys, &Expr::always())?;
    Ok(("read the parents of", model.name, statement))
}

/// The statements that write what follows when rows of some models are gone, each for a single key.
pub(crate) fn following<'c>(
    dialect: &dyn Dialect,
    gone: impl IntoIterator<Item = &'c Children>,
) -> Result<Vec<(&'static str, &'static str, Statement)>> {
    let mut changes = ParentChanges::new(true);
    for children in gone {
        changes.sample(children, -1);
    }
    let mut all = Vec::new();
    let mut read: Vec<&'static ModelDef> = Vec::new();
    while let Some(group) = changes.take_next() {
        let (in_tree, above) = above(&group, &mut read);
        if let Some(in_tree) = in_tree {
            all.push(reading(dialect, &in_tree, group.key)?);
        }
        let now = DateTime::from_unix_micros(0);
        all.push(("update", group.model.name, group.statement(dialect, &group.keys(), &Expr::always(), now)?));
        if let Some(above) = above {
            all.push(reading(dialect, &above, group.key)?);
            changes.sample(&above, 0);
        }
    }
    Ok(all)
}

/// What follows when rows of some models are written, a line for each statement: parents of the models, those at which each
/// answer is yes. Times follow with `touches` only.
pub(crate) fn lines<'c>(touches: bool, written: impl IntoIterator<Item = (&'c Children, Vec<bool>)>) -> Vec<String> {
    let mut changes = ParentChanges::new(touches);
    for (children, meant) in written {
        let mut children = children.clone();
        let mut meant = meant.into_iter();
        children.parents.retain(|_| meant.next().unwrap_or(false));
        changes.sample(&children, 1);
    }
    let mut all = Vec::new();
    let mut read: Vec<&'static ModelDef> = Vec::new();
    while let Some(group) = changes.take_next() {
        let mut columns: Vec<usize> =
            group.rows.values().flat_map(|row| row.counters.keys().chain(&row.touched)).copied().collect();
        columns.sort_unstable();
        columns.dedup();
        let (in_tree, above) = above(&group, &mut read);
        let read = format!("SELECT {}: what they belong to", group.model.table);
        if in_tree.is_some() {
            all.push(read.clone());
        }
        all.push(format!("UPDATE {} ({}): those that rows belong to", group.model.table, names(group.model, &columns)));
        if let Some(above) = above {
            all.push(read);
            changes.sample(&above, 0);
        }
    }
    all
}

// What is touched with the rows of a group, once for a model: rows of the same tree, and others.
fn above(group: &ParentGroup, read: &mut Vec<&'static ModelDef>) -> (Option<Children>, Option<Children>) {
    let is_touched = group.rows.values().any(|row| !row.touched.is_empty());
    let Some(above) = Children::touching(group.model).filter(|_| is_touched && !read.contains(&group.model)) else {
        return (None, None);
    };
    read.push(group.model);
    let of = |same: bool| {
        let mut above = above.clone();
        above.parents.retain(|parent| (parent.model == group.model) == same);
        (!above.parents.is_empty()).then_some(above)
    };
    (of(true), of(false))
}

fn names(model: &ModelDef, columns: &[usize]) -> String {
    let mut names = String::new();
    for (at, column) in columns.iter().enumerate() {
        // Writing to a String cannot fail.
        let _ = write!(names, "{}{}", if at > 0 { ", " } else { "" }, model.columns[*column].name);
    }
    names
}

impl ParentChanges {
    // A row of each model belongs to the row with key 1 of each parent.
    fn sample(&mut self, children: &Children, amount: i64) {
        for parent in &children.parents {
            for key in sample_keys(parent.key.len()).tuples() {
                self.follow(parent, key, Some(amount).filter(|amount| *amount != 0), false);
            }
        }
    }
}

fn sample_keys(width: usize) -> KeySet {
    if width == 1 {
        return KeySet::Ints([1].into());
    }
    KeySet::Tuples(KeyTuple::new((1..=width as i64).map(Value::Int)).into_iter().collect())
}
