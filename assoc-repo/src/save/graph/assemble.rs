//! What was saved, loaded in the rows that come back.

use std::any::Any;
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use assoc_core::destroy::DestroyPlan;
use assoc_core::execution::rows::Rows;
use assoc_core::execution::{Children, FilledBy, KeyTuple, Links};
use assoc_core::metadata::{
    AssociationDef, Cardinality, Chain, ColumnDefault, DefaultScope, Linkage, ModelDef, TableRef,
};
use assoc_core::save::{LoadedGroup, LoadedOwner, LoadedRow, SavePlan, Unlink};
use assoc_core::{Error, LoadState, Result};

use super::Run;
use super::beside::JoinRows;
use super::follow::Adjusted;

/// The saved rows, in the order in which they were given.
pub(super) fn assemble(plan: &SavePlan, run: Run<'_>, adjusted: &Adjusted) -> Result<Box<dyn Rows>> {
    let groups = plan.groups();
    let stale = Stale::of(plan, run.destroys);
    let mut beside: Vec<Option<JoinRows>> = groups.iter().map(|group| JoinRows::of(group, &run)).collect();
    let mut lists = lists(plan, run);
    for (group, list) in groups.iter().zip(&mut lists) {
        if let Some(list) = list {
            adjusted.set(group.model, &mut **list)?;
        }
    }
    // Groups come after those of their owners, so in reverse every group is complete before it moves on.
    for at in (1..groups.len()).rev() {
        let group = &groups[at];
        let Some((parent, association)) = group.parent else { continue };
        let (before, own) = lists.split_at_mut(at);
        let Some(children) = own[0].take() else { continue };
        let Some(owners) = before[parent].as_mut() else { continue };
        attach(plan, group, association, &mut **owners, children, beside[at].take())?;
    }
    for (group, list) in groups.iter().zip(&mut lists) {
        if let Some(list) = list {
            stale.forget(group, groups, &mut **list);
        }
    }
    lists[0].take().ok_or_else(|| Error::invalid_query("save", "nothing was saved"))
}

// The rows of each group.
fn lists(plan: &SavePlan, mut run: Run<'_>) -> Vec<Option<Box<dyn Rows>>> {
    let groups = plan.groups();
    let place = |run: &Run<'_>, row: &LoadedRow| match row {
        LoadedRow::Planned(row) => run.places[*row as usize],
        _ => None,
    };
    // How many groups need rows of a list.
    let mut users: Vec<u32> = vec![0; run.lists.len()];
    for group in groups {
        let mut used: Vec<u32> = Vec::new();
        for (list, _) in group.rows.iter().filter_map(|row| place(&run, row)) {
            // As a rule all are of one list, or the next ones are of the same.
            if used.last() != Some(&list) {
                used.push(list);
            }
        }
        used.sort_unstable();
        used.dedup();
        used.into_iter().for_each(|list| users[list as usize] += 1);
    }
    let mut lists = Vec::with_capacity(groups.len());
    for group in groups {
        let first = group.rows.first().and_then(|row| place(&run, row)).map(|(list, _)| list);
        let whole = first.filter(|list| {
            users[*list as usize] == 1
                && run.lists[*list as usize].len() == group.rows.len()
                && group.rows.iter().enumerate().all(|(at, row)| place(&run, row) == Some((*list, at as u32)))
        });
        if let Some(list) = whole {
            let taken = std::mem::replace(&mut run.lists[list as usize], group.model.rows.new_rows());
            lists.push(Some(taken));
            continue;
        }
        let mut rows = group.model.rows.new_rows();
        for row in &group.rows {
            match row {
                LoadedRow::Existing(row) => rows.push_whole(&**row),
                LoadedRow::Planned(planned) => {
                    let Some(row) = run.row(*planned) else { continue };
                    rows.push_whole(row);
                    if run.places[*planned as usize].is_none() {
                        // Nothing was written because it was so already.
                        let at = rows.len() - 1;
                        let values = plan.rows().values(&plan.rows()[*planned as usize]).iter().enumerate();
                        let is_time = |column: usize| {
                            group.model.columns[column].default == ColumnDefault::Filled(FilledBy::UpdatedAt)
                        };
                        let values = values.filter(|(column, _)| !is_time(*column));
                        if let Some(row) = rows.owners().owner(at) {
                            for (column, value) in values {
                                if let Some(value) = value {
                                    let _ = group.model.rows.set_value(row, column, &mut value.clone());
                                }
                            }
                        }
                    }
                }
                _ => {}
            }
        }
        lists.push(Some(rows));
    }
    lists
}

fn attach(
    plan: &SavePlan,
    group: &LoadedGroup,
    association: &'static AssociationDef,
    owners: &mut dyn Rows,
    mut children: Box<dyn Rows>,
    beside: Option<JoinRows>,
) -> Result<()> {
    let target = group.model;
    let slot = association.field_access;
    let linkage = association.linkage()?;
    let is_linked = matches!(linkage, Linkage::JoinRecord(_));
    let mut positions: Vec<Cow<'_, [u32]>> = vec![Cow::Borrowed(&[]); owners.len()];
    let mut states: Vec<Option<LoadState>> = vec![None; owners.len()];
    let mut others: Option<Others> = None;
    for loaded in &group.owners {
        let at = loaded.owner as usize;
        // Of a new owner nothing was known, and what is new is known.
        let is_new = match &plan.groups()[group.parent.map_or(0, |(parent, _)| parent)].rows[at] {
            LoadedRow::Planned(row) => plan.rows()[*row as usize].base.is_none(),
            _ => false,
        };
        if is_new && loaded.state.is_some() && loaded.edited.is_empty() {
            positions[at] = Cow::Borrowed(&loaded.rows);
            states[at] = loaded.state;
            continue;
        }
        let Some(owner) = Rows::row(owners, at) else { continue };
        let known = slot.state(owner);
        let mut before: Vec<&dyn Any> = Vec::new();
        let state = match loaded.state {
            Some(state) => state,
            None if known == LoadState::NotLoaded && loaded.rows.is_empty() && loaded.edited.is_empty() => continue,
            None if known == LoadState::NotLoaded => LoadState::Partial,
            None => {
                slot.visit(owner, &mut |row| before.push(row));
                known
            }
        };
        if is_new {
            positions[at] = Cow::Owned(merged(target, &[], loaded, is_linked, &mut *children));
            states[at] = loaded.state;
            continue;
        }
        let others = others.get_or_insert_with(|| Others::of(plan, association, &linkage));
        if loaded.state.is_some() && others.move_links {
            // A link that a replacement has kept may be another owner's by now.
            states[at] = Some(LoadState::NotLoaded);
            continue;
        }
        let rests_on_more = loaded.state.is_none() || !loaded.edited.is_empty();
        if rests_on_more && others.may_have_changed(group, loaded, &before) {
            // Only what this association was given is known to be a member.
            let no_longer = loaded.rows.is_empty();
            positions[at] = Cow::Borrowed(&loaded.rows);
            states[at] = Some(if no_longer { LoadState::NotLoaded } else { LoadState::Partial });
            continue;
        }
        let rows = merged(target, &before, loaded, is_linked, &mut *children);
        positions[at] = Cow::Owned(rows);
        let lacks = state == LoadState::Loaded && group.may_lack(loaded);
        states[at] = Some(if lacks { LoadState::Partial } else { state });
    }
    if is_linked && association.scope().distinct {
        positions.iter_mut().for_each(|own| keep_distinct(target, own.to_mut(), &*children));
    }
    let mut beside = beside;
    if let Some(beside) = beside.as_mut().filter(|_| slot.keeps_join_rows()) {
        beside.keep_held(slot, owners);
    }
    for (at, state) in states.iter().enumerate() {
        if let (Some(_), Some(owner)) = (state, owners.owners().owner(at)) {
            slot.clear(owner);
        }
    }
    if slot.keeps_join_rows() {
        if let Some(beside) = beside {
            beside.attach(slot, owners, children, &positions, &states);
        }
        return Ok(());
    }
    let links = links_of(association, &positions);
    let variant = match linkage {
        Linkage::OwnerKeyAndType { variants, .. } => variants.iter().find(|variant| (variant.model)() == target),
        _ => None,
    };
    let wanted = |state: LoadState| states.contains(&Some(state));
    if let Some(variant) = variant {
        let shared = (variant.share)(children);
        for state in [LoadState::Loaded, LoadState::Partial].into_iter().filter(|state| wanted(*state)) {
            let skip = |at: usize| states[at] != Some(state);
            slot.attach(owners.owners(), Children::Shared(&*shared), &links, &skip, state);
        }
        return Ok(());
    }
    let skip = |at: usize| states[at] != Some(LoadState::Partial);
    match (wanted(LoadState::Loaded), wanted(LoadState::Partial)) {
        (false, false) => {}
        (false, true) => {
            slot.attach(owners.owners(), Children::Owned(children), &links, &skip, LoadState::Partial);
        }
        (true, partial) => {
            if partial {
                slot.attach(owners.owners(), Children::Lent(&*children), &links, &skip, LoadState::Partial);
            }
            let skip = |at: usize| states[at] != Some(LoadState::Loaded);
            slot.attach(owners.owners(), Children::Owned(children), &links, &skip, LoadState::Loaded);
        }
    }
    Ok(())
}

// Which rows each owner has, from their positions.
fn links_of(association: &AssociationDef, positions: &[Cow<'_, [u32]>]) -> Links {
    let is_many = association.kind.cardinality() == Cardinality::Many;
    // As a rule the rows lie in the order of their owners.
    if is_many
        && positions.iter().flat_map(|own| &**own).copied().eq(0..positions.iter().map(|own| own.len() as u32).sum())
    {
        return Links::Runs(positions.iter().map(|own| own.len() as u32).collect());
    }
    let (mut all, mut ends) = (Vec::new(), Vec::with_capacity(positions.len()));
    for own in positions {
        all.extend_from_slice(own);
        ends.push(all.len() as u32);
    }
    if is_many { Links::Many { rows: all, ends } } else { Links::first_of(&all, &ends) }
}

/// What the save writes by other ways to the rows that an association leads to: then what was loaded before may be out of
/// date.
struct Others {
    // Rows that the association sees may have become members, or be members no longer.
    disturb: bool,
    // Rows between that exist are written by themselves.
    move_links: bool,
    // Rows that exist and are written, by their keys.
    written: HashMap<(TableRef, KeyTuple), u32>,
}

impl Others {
    fn of(plan: &SavePlan, association: &'static AssociationDef, linkage: &Linkage) -> Self {
        let (links, targets) = match linkage {
            Linkage::TargetKey(_) => (None, Some((association.target)().table)),
            Linkage::JoinRecord(record) => {
                // Conditions on targets decide as well which of them are seen.
                let judges = !record.conditions_on_targets(association, DefaultScope::Kept).is_always();
                (Some(record.table.table), judges.then(|| (association.target)().table))
            }
            _ => (None, None),
        };
        let is_own =
            |parent: &Option<(usize, &'static AssociationDef)>| parent.is_some_and(|(_, known)| known == association);
        let (mut own, mut given): (HashSet<u32>, usize) = (HashSet::new(), 0);
        for group in plan.groups().iter().filter(|group| is_own(&group.parent)) {
            given += group.owners.iter().map(|owner| owner.rows.len()).sum::<usize>();
            own.extend(group.rows.iter().filter_map(|row| match row {
                LoadedRow::Planned(row) => Some(*row),
                _ => None,
            }));
        }
        let mut written = HashMap::new();
        let (mut linked, mut disturb, mut move_links) = (0, false, false);
        for (at, row) in plan.rows().written() {
            let table = row.model.table;
            disturb |= targets == Some(table) && !own.contains(&at);
            if links == Some(table) {
                linked += 1;
                move_links |= row.base.is_some();
            }
            if let Some(key) = row.base.as_ref().and_then(|base| row.model.key_of(&**base)) {
                written.insert((table, key), at);
            }
        }
        disturb |= linked > given || move_links;
        let removes = |table| links == Some(table) || targets == Some(table);
        disturb |= plan
            .lookups()
            .iter()
            .any(|lookup| lookup.removes() && removes(lookup.table.table) && lookup.association != association);
        Others { disturb, move_links, written }
    }

    // Also a row that went to another owner by the same association, or is written in another place.
    fn may_have_changed(&self, group: &LoadedGroup, loaded: &LoadedOwner, before: &[&dyn Any]) -> bool {
        let is_here = |planned: u32| {
            loaded.rows.iter().chain(&loaded.edited).any(|place| match group.rows[*place as usize] {
                LoadedRow::Planned(row) => row == planned,
                _ => false,
            })
        };
        let elsewhere = |row: &&dyn Any| {
            let key = group.model.key_of(*row).map(|key| (group.model.table, key));
            key.and_then(|key| self.written.get(&key)).is_some_and(|planned| !is_here(*planned))
        };
        self.disturb || before.iter().any(elsewhere)
    }
}

// A distinct list has each row once, however often it is linked.
fn keep_distinct(target: &'static ModelDef, positions: &mut Vec<u32>, children: &dyn Rows) {
    let mut seen: HashSet<KeyTuple> = HashSet::new();
    let key = |at: &u32| target.key_of(Rows::row(children, *at as usize)?);
    positions.retain(|at| key(at).is_none_or(|key| seen.insert(key)));
}

// What was loaded, with what was changed in its place, without what was let go, and what was added at the end. A row that
// links lead to is added as often as it was given.
fn merged(
    target: &'static ModelDef,
    before: &[&dyn Any],
    loaded: &LoadedOwner,
    is_linked: bool,
    children: &mut dyn Rows,
) -> Vec<u32> {
    if before.is_empty() && loaded.edited.is_empty() {
        return loaded.rows.clone();
    }
    let key = |row: &dyn Any| target.key_of(row);
    let gone: HashSet<KeyTuple> = loaded.removed.iter().filter_map(|row| key(&**row)).collect();
    let by_key = |positions: &[u32], children: &dyn Rows| -> HashMap<KeyTuple, u32> {
        positions.iter().filter_map(|at| Some((key(Rows::row(children, *at as usize)?)?, *at))).collect()
    };
    let edited = by_key(&loaded.edited, children);
    let given = by_key(&loaded.rows, children);
    let mut placed: HashSet<u32> = HashSet::new();
    let mut rows = Vec::with_capacity(before.len() + loaded.rows.len());
    for row in before {
        let own = key(*row);
        if own.as_ref().is_some_and(|own| gone.contains(own)) {
            continue;
        }
        let edited = own.as_ref().and_then(|own| edited.get(own));
        match edited.or_else(|| own.as_ref().and_then(|own| given.get(own))) {
            Some(at) => {
                // What is linked once more is a member once more.
                if !is_linked || edited.is_some() {
                    placed.insert(*at);
                }
                rows.push(*at);
            }
            None => {
                children.push_whole(*row);
                rows.push(children.len() as u32 - 1);
            }
        }
    }
    let in_place = placed.clone();
    for at in loaded.rows.iter().filter(|at| !in_place.contains(at)) {
        let own = Rows::row(children, *at as usize).and_then(&key);
        let at = own.and_then(|own| edited.get(&own)).unwrap_or(at);
        placed.insert(*at);
        rows.push(*at);
    }
    // After a replacement, an edited row that is not among the new members is none.
    if loaded.state.is_none() {
        rows.extend(loaded.edited.iter().filter(|at| !placed.contains(at)));
    }
    rows
}

/// The tables in which the save wrote: what was loaded of them by other associations may be out of date.
struct Stale {
    written: HashSet<TableRef>,
}

impl Stale {
    fn of(plan: &SavePlan, destroys: &[DestroyPlan]) -> Self {
        let rows = plan.written_models().into_iter().map(|model| model.table);
        let removes = plan.lookups().iter().filter(|lookup| lookup.removes());
        let removes = removes.filter(|lookup| !matches!(lookup.unlink, Unlink::Refused(_)));
        // What is destroyed takes rows of other tables with it.
        let nodes = destroys.iter().flat_map(DestroyPlan::nodes).map(|node| node.model.table);
        let edges = destroys.iter().flat_map(DestroyPlan::edges).map(|edge| edge.rows.model.table);
        let removed = removes.map(|lookup| lookup.table.table).chain(nodes).chain(edges);
        Stale { written: rows.chain(removed).collect() }
    }

    // Forgets what other associations had loaded in rows that exist.
    fn forget(&self, group: &LoadedGroup, groups: &[LoadedGroup], list: &mut dyn Rows) {
        let spoken_of: HashSet<&str> = groups
            .iter()
            .filter_map(|other| other.parent)
            .filter(|(parent, _)| std::ptr::eq(&groups[*parent], group))
            .map(|(_, association)| association.name)
            .collect();
        for association in group.model.associations.iter().filter(|association| !spoken_of.contains(association.name)) {
            let reads = || {
                Chain::keys(association)
                    .is_ok_and(|chain| chain.hops().iter().any(|hop| self.written.contains(&hop.model.table)))
            };
            let mut is_stale = None;
            for at in 0..list.len() {
                let Some(row) = list.owners().owner(at) else { break };
                if association.field_access.state(row) != LoadState::NotLoaded && *is_stale.get_or_insert_with(reads) {
                    association.field_access.clear(row);
                }
            }
        }
    }
}
