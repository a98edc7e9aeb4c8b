//! `upsert_all` of members that hold their owner's key: a row that is there is found by its label.

use std::collections::HashSet;

use assoc_core::LoadState;
use assoc_core::dialect::Upsert;
use assoc_repo::prelude::*;
use assoc_repo::{Changeset, Collection, MembersWithKey, ToManyAssociation, WritableMany, on_conflict};

use crate::collections::{Scene, same};
use crate::given::{Given, Labelled};
use crate::kinds::Link;
use crate::memory::{Expected, check, check_others, remembered};
use crate::tables::{Refusal, Tables, cells, label, read};

// New rows, and some of labels that are there, each label once. All say the same columns.
fn rows<T: Labelled>(scene: &mut Scene<'_, T>) -> Vec<Given<T>> {
    let has_open = T::DEF.columns.iter().any(|column| column.name == "open");
    let there: Vec<String> = scene.tables.rows(scene.kind.target).iter().map(label).collect();
    let mut givens: Vec<Given<T>> = Vec::new();
    for _ in 0..1 + scene.random.below(3) {
        let is_known = !there.is_empty() && scene.random.once_in(2);
        let label = if is_known { there[scene.random.below(there.len())].clone() } else { scene.new_label() };
        let open = has_open.then(|| !scene.random.once_in(4));
        let is_given = |given: &Given<T>| matches!(given, Given::New { label: other, .. } if *other == label);
        if !givens.iter().any(is_given) {
            givens.push(Given::New { label, open });
        }
    }
    if scene.random.once_in(12) {
        givens.push(Given::Wrong);
    }
    givens
}

fn judge<T: Labelled>(
    scene: &Scene<'_, T>,
    givens: &[Given<T>],
    state: LoadState,
) -> Result<(Tables, Expected), Refusal> {
    let (kind, owner) = (scene.kind, scene.owner.as_str());
    let Link::Target { columns, tag, .. } = &kind.link else { return Err("no key".to_owned()) };
    let mut after = scene.tables.clone();
    let own = scene.row();
    for given in givens {
        let Given::New { label, open } = given else { return Err("a row without a label".to_owned()) };
        let contradicts = open.is_some_and(|open| kind.conditions.iter().any(|(_, value)| *value != Value::Bool(open)));
        if contradicts {
            return Err(format!("{label} contradicts the conditions"));
        }
        match scene.tables.row(kind.target, label) {
            None => {
                given.enter(&mut after, kind)?;
                after.link(kind, owner, label);
            }
            Some(row) => {
                let is_own = columns.iter().all(|(column, of)| !row[column].is_null() && row[column] == own[of])
                    && tag.is_none_or(|(column, tag)| row[column] == Value::from(tag));
                if !is_own {
                    return Err(format!("{label} is another owner's"));
                }
                if let Some(open) = open {
                    after.set(kind.target, label, "open", Value::Bool(*open));
                }
            }
        }
    }
    after.count();
    // What is loaded is loaded again; a part is forgotten.
    let rows = if state == LoadState::Loaded {
        let mut rows: Vec<String> = after.members(kind, &own).into_iter().map(label).collect();
        rows.sort();
        rows
    } else {
        Vec::new()
    };
    let state = if state == LoadState::Loaded { LoadState::Loaded } else { LoadState::NotLoaded };
    Ok((after, Expected { state, written: HashSet::from_iter(rows.iter().cloned()), rows }))
}

/// Whether the backend has upserts that return rows.
pub(crate) fn returns_upserts(repo: &Repo) -> bool {
    let capabilities = repo.dialect().capabilities();
    capabilities.upsert != Upsert::Unsupported && capabilities.insert_returning
}

/// One call: an upsert at times, another one otherwise.
pub(crate) async fn call<O, T, A>(
    scene: &mut Scene<'_, T>,
    repo: &Repo,
    handle: &mut Collection<'_, &mut O, T, A>,
) -> std::result::Result<(), String>
where
    O: Labelled,
    T: Labelled,
    A: ToManyAssociation<O, T> + WritableMany<O, T> + MembersWithKey<O, T>,
{
    // The row of a handle's owner is written by none of its calls.
    // An upsert does not say which rows are new, so it counts none.
    let is_possible = scene.kind.target != scene.kind.owner && scene.kind.name != "counted" && returns_upserts(repo);
    if !is_possible || !scene.random.once_in(6) {
        return crate::collections::call(scene, repo, handle).await;
    }
    let told = |error: Error| error.to_string();
    let stale = repo.all(Query::<T>::new()).await.map_err(told)?;
    let givens = rows(scene);
    scene.log.push(format!("{} of {}: upsert_all {givens:?}", scene.kind.name, scene.owner));
    let (owner, before) = (handle.owner().clone(), remembered(handle.owner()));
    let own = cells(O::DEF, &owner);
    let expected = judge(scene, &givens, before[scene.kind.name].state);
    let changesets: Vec<Changeset<T>> = givens.iter().map(Given::changeset).collect();
    let result = Box::pin(handle.upsert_all(changesets, on_conflict(T::LABEL))).await;
    let actual = read(repo, &scene.tables, Some(scene.kind)).await.map_err(told)?;
    match (expected, result) {
        (Ok((tables, memory)), Ok(upserted)) => {
            same(scene.kind, &tables, &actual)?;
            let labels: Vec<String> = upserted.iter().map(|row| label(&cells(T::DEF, row))).collect();
            let given: Vec<&str> = givens.iter().map(|given| given.label().unwrap_or_default()).collect();
            if labels != given {
                return Err(format!("upserted {labels:?} and not {given:?}"));
            }
            let mut after = remembered(handle.owner());
            if let Some(memory) = after.get_mut(scene.kind.name) {
                memory.rows.sort_by_key(label);
            }
            check((&before[scene.kind.name], &after[scene.kind.name]), &memory, &HashSet::new(), &actual, scene.kind)?;
            let now = cells(O::DEF, handle.owner());
            check_others(scene.kind, (&before, &after), (&own, &now), (&scene.tables, &actual))?;
            scene.outcomes.written += 1;
            scene.outcomes.upserted += 1;
        }
        (Err(why), result) => scene.judge_refusal(&why, result.map(drop), &actual, (&owner, handle.owner()))?,
        (Ok(_), Err(error)) => return Err(error.to_string()),
    }
    scene.go_on(stale, actual);
    Ok(())
}
