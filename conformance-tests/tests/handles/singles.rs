//! Calls of a single target.

use std::collections::HashSet;

use assoc_core::LoadState;
use assoc_repo::prelude::*;
use assoc_repo::{Singular, ToOneAssociation, WritableTarget};

use crate::collections::{Scene, same};
use crate::given::{Given, Labelled};
use crate::kinds::Link;
use crate::memory::{Expected, check, check_others, remembered};
use crate::tables::{Cells, Refusal, Tables, cells, label, read};

#[derive(Debug)]
enum Write<T> {
    Set(Given<T>),
    Create(Given<T>),
    Clear,
}

fn named<T: Labelled>(row: &T) -> String {
    label(&cells(T::DEF, row))
}

fn judge<T: Labelled>(scene: &Scene<'_, T>, own: &Cells, write: &Write<T>) -> Result<(Tables, Expected), Refusal> {
    let (kind, owner) = (scene.kind, scene.owner.as_str());
    let mut after = scene.tables.clone();
    let members: Vec<String> = scene.tables.members(kind, &scene.row()).into_iter().map(label).collect();
    let given = match write {
        Write::Set(given) | Write::Create(given) => Some(given),
        Write::Clear => None,
    };
    let labelled = given.map(|given| given.enter(&mut after, kind)).transpose()?;
    if let Link::Owner { column, is_required } = kind.link {
        // Nothing is cleared that is `NULL` in the row in hand.
        match &labelled {
            None if own[column].is_null() && !is_required => {}
            Some(labelled) => after.link(kind, owner, labelled),
            None => after.let_go(kind, owner, "", false)?,
        }
    } else {
        // As often as it is linked, but for one link to the target that stays.
        let mut kept = false;
        for member in &members {
            if Some(member) == labelled.as_ref() && !kept {
                kept = true;
                continue;
            }
            match kind.link {
                Link::Between { .. } => after.unlink(kind, owner, member, 1),
                _ => after.let_go(kind, owner, member, false)?,
            }
        }
        if let Some(labelled) = labelled.as_ref().filter(|_| !kept) {
            after.link(kind, owner, labelled);
        }
    }
    after.count();
    let rows: Vec<String> = labelled.into_iter().collect();
    Ok((after, Expected { state: LoadState::Loaded, written: rows.iter().cloned().collect::<HashSet<_>>(), rows }))
}

async fn run<O: Labelled, T: Labelled, A: ToOneAssociation<O, T> + WritableTarget<O, T>>(
    handle: &mut Singular<'_, &mut O, T, A>,
    write: &Write<T>,
    by_row: bool,
) -> assoc_repo::prelude::Result<()> {
    match write {
        Write::Set(Given::Row(row)) if by_row => handle.set(row).await,
        Write::Set(given) => handle.set(given.changeset()).await,
        Write::Create(given) => {
            let created = handle.create(given.changeset()).await?;
            match given {
                Given::New { label, .. } if *label == named(&created) => Ok(()),
                _ => Err(Error::other(format!("created {created:?}"))),
            }
        }
        Write::Clear => handle.clear().await,
    }
}

/// One call.
pub(crate) async fn call<O, T, A>(
    scene: &mut Scene<'_, T>,
    repo: &Repo,
    handle: &mut Singular<'_, &mut O, T, A>,
) -> std::result::Result<(), String>
where
    O: Labelled,
    T: Labelled,
    A: ToOneAssociation<O, T> + WritableTarget<O, T>,
{
    let rows = repo.all(Query::<T>::new()).await.map_err(|error| error.to_string())?;
    if scene.random.once_in(3) {
        return reading(scene, repo, handle).await;
    }
    let write = match scene.random.below(5) {
        0 => Write::Clear,
        1 => Write::Create(scene.new_given()),
        2 => Write::Set(scene.new_given()),
        _ => match scene.some_row(&rows, &[]) {
            Some(row) => Write::Set(Given::Row(row)),
            None => Write::Clear,
        },
    };
    scene.log.push(format!("{} of {}: {write:?}", scene.kind.name, scene.owner));
    let (owner, before) = (handle.owner().clone(), remembered(handle.owner()));
    let own = cells(O::DEF, &owner);
    let stale: HashSet<String> = match &write {
        Write::Set(given) => scene.once(given).into_iter().collect(),
        _ => HashSet::new(),
    };
    let was_fresh = scene.tables.row(scene.kind.owner, &scene.owner) == Some(&own);
    let expected = judge(scene, &own, &write);
    let by_row = scene.random.once_in(2);
    let result = Box::pin(run(handle, &write, by_row)).await;
    let actual = read(repo, &scene.tables, Some(scene.kind)).await.map_err(|error| error.to_string())?;
    match (expected, result) {
        (Ok((tables, memory)), Ok(())) => {
            same(scene.kind, &tables, &actual)?;
            let after = remembered(handle.owner());
            check((&before[scene.kind.name], &after[scene.kind.name]), &memory, &stale, &actual, scene.kind)?;
            let now = cells(O::DEF, handle.owner());
            check_others(scene.kind, (&before, &after), (&own, &now), (&scene.tables, &actual))?;
            let there = actual.row(scene.kind.owner, &scene.owner);
            if was_fresh && there != Some(&now) {
                return Err(format!("the owner is {now:?}, and in the table {there:?}"));
            }
            scene.outcomes.written += 1;
        }
        (Err(why), result) => scene.judge_refusal(&why, result, &actual, (&owner, handle.owner()))?,
        (Ok(_), Err(error)) => return Err(error.to_string()),
    }
    scene.go_on(rows, actual);
    Ok(())
}

async fn reading<O, T, A>(
    scene: &mut Scene<'_, T>,
    repo: &Repo,
    handle: &mut Singular<'_, &mut O, T, A>,
) -> std::result::Result<(), String>
where
    O: Labelled,
    T: Labelled,
    A: ToOneAssociation<O, T>,
{
    let kind = scene.kind;
    let before = remembered(handle.owner());
    let memory = &before[kind.name];
    let is_whole = memory.state == LoadState::Loaded;
    // The owner in hand says which key it is.
    let owner = match kind.link {
        Link::Owner { .. } => cells(O::DEF, handle.owner()),
        _ => scene.row(),
    };
    let members: Vec<String> = scene.tables.members(kind, &owner).into_iter().map(label).collect();
    let held: Vec<String> = memory.rows.iter().map(label).collect();
    let choice = scene.random.below(5);
    scene.log.push(format!("{} of {}: read {choice}", kind.name, scene.owner));
    let seen = if is_whole && choice != 3 { &held } else { &members };
    let work = async {
        let found: Option<String> = match choice {
            0 => handle.get().await?.as_ref().map(named),
            1 => {
                let there = handle.exists().await?;
                return if there == seen.is_empty() {
                    Err(Error::other(format!("exists: {there}, {seen:?}")))
                } else {
                    Ok(())
                };
            }
            2 => handle.load().await?.map(named),
            3 => handle.reload().await?.map(named),
            _ => {
                handle.reset();
                return Ok(());
            }
        };
        let by_old_way = choice == 2 && kind.way().is_some_and(|way| before[way].state != LoadState::NotLoaded);
        let holds = match &found {
            _ if by_old_way => true,
            Some(found) => seen.contains(found),
            None => seen.is_empty(),
        };
        if holds { Ok(()) } else { Err(Error::other(format!("read {choice}: {found:?} and not of {seen:?}"))) }
    };
    let (result, statements) = repo.count_statements(work).await;
    result.map_err(|error| error.to_string())?;
    // Loading behind a row between is a preload of both.
    let costs = match choice {
        3 => 1 + usize::from(kind.way().is_some()),
        _ if is_whole => 0,
        2 => 1 + usize::from(kind.way().is_some()),
        _ => 1,
    };
    if statements > costs {
        return Err(format!("{statements} statements of read {choice}"));
    }
    let after = remembered(handle.owner());
    for (name, memory) in &after {
        let may_change = choice >= 2 && (*name == kind.name || kind.way() == Some(*name));
        if before[name] != *memory && !may_change {
            return Err(format!("{name} has changed by a call that reads: {memory:?}"));
        }
    }
    if matches!(choice, 2 | 3) && after[kind.name].state != LoadState::Loaded {
        return Err("not loaded".to_owned());
    }
    scene.outcomes.read += 1;
    Ok(())
}
