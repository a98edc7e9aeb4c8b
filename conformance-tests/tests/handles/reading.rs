//! Calls that read a collection: what is in memory is the answer where it is the whole, and the tables otherwise.

use std::collections::BTreeMap;

use assoc_core::LoadState;
use assoc_repo::prelude::*;
use assoc_repo::{Collection, ToManyAssociation, WritableMany};

use crate::collections::Scene;
use crate::given::Labelled;
use crate::kinds::Link;
use crate::memory::remembered;
use crate::tables::{cells, label};

fn named<T: Labelled>(rows: &[T]) -> Vec<String> {
    rows.iter().map(|row| label(&cells(T::DEF, row))).collect()
}

fn sorted(mut labels: Vec<String>) -> Vec<String> {
    labels.sort();
    labels
}

fn order_of(value: &Value<'_>) -> String {
    match value {
        Value::Int(number) => format!("{number:020}"),
        other => other.to_string(),
    }
}

fn agree<V: PartialEq + std::fmt::Debug>(what: &str, found: V, wanted: &V) -> std::result::Result<(), String> {
    if found == *wanted { Ok(()) } else { Err(format!("{what}: {found:?} and not {wanted:?}")) }
}

/// One call that reads. It writes nothing, and changes what is in memory only if it says so.
pub(crate) async fn read<O, T, A>(
    scene: &mut Scene<'_, T>,
    repo: &Repo,
    handle: &mut Collection<'_, &mut O, T, A>,
    rows: &[T],
) -> std::result::Result<(), String>
where
    O: Labelled,
    T: Labelled,
    A: ToManyAssociation<O, T> + WritableMany<O, T>,
{
    let kind = scene.kind;
    let by_label: BTreeMap<String, &T> = rows.iter().map(|row| (label(&cells(T::DEF, row)), row)).collect();
    let owner = scene.row();
    let mut members: Vec<String> = scene.tables.members(kind, &owner).into_iter().map(label).collect();
    // Without an order of its own, an association is read by primary key.
    members.sort_by_cached_key(|labelled| {
        let row = scene.tables.row(kind.target, labelled);
        T::DEF.primary_key_names().map(|name| row.map(|row| order_of(&row[name]))).collect::<Vec<_>>()
    });
    // Over rows between that have a key, in the order of these.
    if matches!(kind.link, Link::Between { .. }) && remembered(handle.owner())[kind.name].state != LoadState::Loaded {
        let all = named(&handle.all().await.map_err(|error| error.to_string())?);
        agree("all", sorted(all.clone()), &sorted(members))?;
        members = all;
    }
    if kind.is_sorted {
        members.sort_by(|one, other| other.cmp(one));
    }
    let before = remembered(handle.owner());
    let memory = &before[kind.name];
    let is_whole = memory.state == LoadState::Loaded;
    let seen: Vec<String> = if is_whole { memory.rows.iter().map(label).collect() } else { members.clone() };
    let count = seen.len() as u64;
    // What is not loaded is counted by the counter in the struct, which another struct of the owner does not change.
    let own = cells(O::DEF, handle.owner());
    let counted = match own.get("items_count") {
        // A number below 0, which it has if another struct has added what this one takes away, stands for none.
        Some(Value::Int(number)) if kind.name == "counted" && !is_whole => u64::try_from(*number).unwrap_or(count),
        _ => count,
    };
    let some = rows.get(scene.random.below(rows.len()));
    let by_old_way = kind.way().is_some_and(|way| before[way].state != LoadState::NotLoaded);
    let choice = scene.random.below(24);
    scene.log.push(format!("{} of {}: read {choice}, {:?}", kind.name, scene.owner, memory.state));
    let mut changes = false;
    // Whether it costs nothing where all is in memory.
    let mut is_free = true;
    let work = async {
        match choice {
            0 => agree("size", handle.size().await?, &counted),
            1 => {
                is_free = false;
                agree("count", handle.count().await?, &(members.len() as u64))
            }
            2 if counted == 1 => agree("none", handle.none().await?, &false),
            2 => agree("is_empty", handle.is_empty().await?, &(counted == 0)),
            3 => agree("any", handle.any().await?, &(counted > 0)),
            4 => agree("one", handle.one().await?, &(counted == 1)),
            5 => agree("many", handle.many().await?, &(counted > 1)),
            6 => {
                changes = true;
                let len = handle.len().await? as u64;
                if by_old_way { Ok(()) } else { agree("len", len, &count) }
            }
            7 => {
                let ids = handle.ids().await?;
                let wanted = seen.iter().map(|labelled| by_label.get(labelled).map(|row| row.key()));
                match wanted.collect::<Option<Vec<_>>>() {
                    Some(wanted) => {
                        let same = ids.len() == wanted.len() && wanted.iter().all(|key| ids.contains(key));
                        agree("ids", same, &true)
                    }
                    None => Ok(()),
                }
            }
            8 => agree("all", sorted(named(&handle.all().await?)), &sorted(seen.clone())),
            9 if is_whole => agree(
                "first",
                named(&handle.first().await?.into_iter().collect::<Vec<_>>()),
                &seen.iter().take(1).cloned().collect(),
            ),
            9 => agree(
                "first",
                named(&handle.first().await?.into_iter().collect::<Vec<_>>()),
                &members.iter().take(1).cloned().collect(),
            ),
            10 => agree(
                "last",
                named(&handle.last().await?.into_iter().collect::<Vec<_>>()),
                &seen.last().cloned().into_iter().collect(),
            ),
            11 => agree("take", named(&handle.take(2).await?), &seen.iter().take(2).cloned().collect()),
            12 => match some {
                Some(row) => {
                    let found = handle.find(row.key()).await;
                    let is_there = seen.contains(&named(std::slice::from_ref(row))[0]);
                    agree("find", found.is_ok(), &is_there).and_then(|()| match found {
                        Err(error) if !error.is_not_found() => Err(error.to_string()),
                        _ => Ok(()),
                    })
                }
                None => Ok(()),
            },
            13 => {
                let mut wanted: Vec<&T> = seen.iter().filter_map(|one| by_label.get(one).copied()).collect();
                wanted.reverse();
                let found = handle.find_all(wanted.iter().map(|row| row.key())).await?;
                agree("find_all", named(&found), &wanted.iter().map(|row| label(&cells(T::DEF, *row))).collect())
            }
            14 => match some {
                Some(row) => {
                    agree("contains", handle.contains(row).await?, &seen.contains(&named(std::slice::from_ref(row))[0]))
                }
                None => Ok(()),
            },
            15 => match some {
                Some(row) => {
                    is_free = false;
                    let labelled = named(std::slice::from_ref(row)).remove(0);
                    agree("exists", handle.exists(T::LABEL.eq(&*labelled)).await?, &members.contains(&labelled))
                }
                None => Ok(()),
            },
            16 => {
                is_free = false;
                agree("pluck", sorted(handle.pluck(T::LABEL).await?), &sorted(members.clone()))
            }
            17 => {
                changes = true;
                let loaded: Vec<T> = handle.load().await?.into_iter().cloned().collect();
                if by_old_way {
                    return Ok(());
                }
                agree("load", sorted(named(&loaded)), &sorted(seen.clone()))
            }
            18 => {
                (changes, is_free) = (true, false);
                let loaded: Vec<T> = handle.reload().await?.into_iter().cloned().collect();
                agree("reload", sorted(named(&loaded)), &sorted(members.clone()))
            }
            19 => {
                let last = seen.len().saturating_sub(2);
                agree("take_last", named(&handle.take_last(2).await?), &seen[last..].to_vec())
            }
            20 => {
                is_free = false;
                let mut pages = handle.in_batches(2)?;
                let mut found = Vec::new();
                while let Some(page) = pages.next().await? {
                    if page.is_empty() || page.len() > 2 {
                        return Err(Error::other(format!("a page of {}", page.len())));
                    }
                    found.extend(named(&page));
                }
                agree("in_batches", sorted(found), &sorted(members.clone()))
            }
            21 => {
                is_free = false;
                let mut stream = handle.stream()?;
                let mut found = Vec::new();
                while let Some(row) = stream.next().await? {
                    found.extend(named(&[row]));
                }
                agree("stream", sorted(found), &sorted(members.clone()))
            }
            22 => {
                let mut once = sorted(seen.clone());
                once.dedup();
                agree("distinct", sorted(named(&handle.distinct().await?)), &once)
            }
            _ => {
                changes = true;
                handle.reset();
                agree("reset", handle.state(), &LoadState::NotLoaded)
            }
        }
        .map_err(Error::other)
    };
    let (result, statements) = repo.count_statements(work).await;
    result.map_err(|error| error.to_string())?;
    if is_whole && is_free && statements > 0 {
        return Err(format!("{statements} statements of what is in memory"));
    }
    // Loading again reads the rows between as well, if the owner holds them.
    let reads_between = matches!(kind.link, Link::Between { .. }) && matches!(choice, 6 | 17 | 18);
    // Each page is a statement, and the last may be empty.
    let pages = if matches!(choice, 20 | 21) { members.len() / 2 + 1 } else { 0 };
    if statements > 1 + usize::from(reads_between) + pages {
        return Err(format!("{statements} statements"));
    }
    let after = remembered(handle.owner());
    for (name, memory) in &after {
        if before[name] != *memory && !(changes && *name == kind.name || reads_between) {
            return Err(format!("{name} has changed by a call that reads: {memory:?}"));
        }
    }
    if matches!(choice, 6 | 17 | 18) && after[kind.name].state != LoadState::Loaded {
        return Err("not loaded".to_owned());
    }
    scene.outcomes.read += 1;
    Ok(())
}
