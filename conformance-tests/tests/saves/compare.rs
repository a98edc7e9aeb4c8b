//! Saving, and comparing what came back with a fresh read.

use std::any::Any;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use assoc_core::change::{Row, RowChange};
use assoc_core::metadata::{AssociationDef, Expr, Linkage, ModelDef};
use assoc_core::{Filter, LoadState};
use assoc_repo::Changeset;
use assoc_repo::prelude::*;

use crate::tables::cells;

/// Saves changes, and says how what came back differs from a fresh read, if it does.
pub(crate) async fn save<M: Model>(repo: &Repo, changes: Vec<RowChange>) -> Result<Option<String>> {
    let mut typed = changes.into_iter().map(|change| {
        Changeset::<M>::refused_by(&Error::other("typed").with_refused(change)).expect("a change of this model")
    });
    let saved = match typed.len() {
        1 => {
            let change = typed.next().expect("one");
            match change.as_row_change().base() {
                Some(_) => vec![repo.update(change).await?],
                None => vec![repo.insert(change).await?],
            }
        }
        _ => repo.insert_all(typed).await?,
    };
    for row in &saved {
        let mut paths = BTreeSet::new();
        loaded_paths(M::DEF, row, "", &mut paths);
        let fresh = fresh(repo, row, paths.iter()).await?;
        if let Err(difference) = compare(M::DEF, row, &fresh) {
            return Ok(Some(difference));
        }
    }
    Ok(None)
}

/// The row as it is, with associations loaded.
pub(crate) async fn load<M: Model>(repo: &Repo, row: Row, paths: Vec<String>) -> Result<Row> {
    let row = row.downcast::<M>().expect("a row of this model");
    Ok(Arc::new(fresh(repo, &*row, paths.iter()).await?))
}

async fn fresh<M: Model>(repo: &Repo, row: &M, paths: impl Iterator<Item = &String>) -> Result<M> {
    let mut query = Query::<M>::new();
    for path in paths {
        query = query.preload_path(path)?;
    }
    let own =
        M::DEF.primary_key.iter().map(|at| Expr::column_equals(&M::DEF.columns[*at], row.value(*at).into_owned()));
    let mut found = repo.all(query.filter(Filter::new(Expr::all_of(own.collect())))).await?;
    found.pop().ok_or_else(|| Error::other("a saved row is not there"))
}

fn target_of(association: &'static AssociationDef, owner: &dyn Any) -> Option<&'static ModelDef> {
    match association.linkage() {
        Ok(Linkage::OwnerKeyAndType { type_column, variants, .. }) => {
            let tag = (association.owner)().rows.value(owner, type_column).into_owned();
            variants.iter().find(|variant| Value::from(variant.tag) == tag).map(|variant| (variant.model)())
        }
        _ => Some((association.target)()),
    }
}

fn visited<'r>(association: &'static AssociationDef, owner: &'r dyn Any) -> Vec<&'r dyn Any> {
    let mut rows = Vec::new();
    association.field_access.visit(owner, &mut |row| rows.push(row));
    rows
}

fn loaded_paths(model: &'static ModelDef, row: &dyn Any, above: &str, paths: &mut BTreeSet<String>) {
    for association in model.associations {
        if association.field_access.state(row) == LoadState::NotLoaded {
            continue;
        }
        let path = format!("{above}{}", association.name);
        let Some(target) = target_of(association, row) else { continue };
        for member in visited(association, row) {
            loaded_paths(target, member, &format!("{path}."), paths);
        }
        paths.insert(path);
    }
}

/// Whether a row that came back is as a fresh read gives it, as far as it says that it is all of it.
fn compare(model: &'static ModelDef, saved: &dyn Any, fresh: &dyn Any) -> Result<(), String> {
    let (own, there) = (cells(model, saved), cells(model, fresh));
    if own != there {
        return Err(format!("{} came back as {own:?}, and is {there:?}", model.name));
    }
    for association in model.associations {
        let state = association.field_access.state(saved);
        let Some(target) = target_of(association, saved) else { continue };
        if state == LoadState::NotLoaded {
            continue;
        }
        let name = association.qualified_name();
        // As often as each is linked.
        let mut all: HashMap<_, Vec<&dyn Any>> = HashMap::new();
        for row in visited(association, fresh) {
            all.entry(target.key_of(row)).or_default().push(row);
        }
        for row in visited(association, saved) {
            let same = all.get_mut(&target.key_of(row)).and_then(Vec::pop);
            let Some(same) = same else {
                return Err(format!("{name} of {own:?} has {:?}, which is no member", cells(target, row)));
            };
            compare(target, row, same)?;
        }
        if state == LoadState::Loaded && all.values().any(|rows| !rows.is_empty()) {
            let missing: Vec<_> = all.values().flatten().map(|row| cells(target, *row)).collect();
            return Err(format!("{name} of {own:?} is not whole, and says so: {missing:?}"));
        }
    }
    Ok(())
}
