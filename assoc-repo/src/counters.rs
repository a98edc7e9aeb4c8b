//! Writing the counters and times that follow rows. What follows is decided by the core ([`ParentChanges`]); here it is run:
//! the rows that change are read under a lock, and those they belong to are written in the order that all transactions keep.

use std::collections::{HashMap, HashSet};

use assoc_core::counters::{Children, ParentChanges, ParentGroup, ParentRow};
use assoc_core::driver::KeySet;
use assoc_core::execution::{KeyTuple, filtered};
use assoc_core::metadata::{AssociationDef, Expr, ModelDef, Parent, TableRef};
use assoc_core::select::KeyedSelect;
use assoc_core::value::DateTime;
use assoc_core::{ErrorKind, Result, Value};

use crate::destroy::{StoredRow, read_rows, stored};
use crate::repo::Repo;
use crate::session::Session;

mod calls;
mod reset;

pub use calls::{CountedMany, Counters};

const UNSEEN: &str = "leads to a row that is hidden from this repo by its filter, or is not there, so that its counter cannot \
                      follow: write it with a repo that is not filtered so";

/// The rows in which something has followed.
pub(crate) struct Followed {
    /// When.
    pub(crate) now: DateTime,
    /// By models and keys.
    pub(crate) groups: Vec<ParentGroup>,
    /// By model, how many rows were written.
    pub(crate) written: Vec<(&'static ModelDef, u64)>,
}

impl Followed {
    pub(crate) fn nothing(now: DateTime) -> Followed {
        Followed { now, groups: Vec::new(), written: Vec::new() }
    }

    fn note(&mut self, model: &'static ModelDef, rows: u64) {
        match self.written.iter_mut().find(|(known, _)| *known == model) {
            Some((_, count)) => *count += rows,
            None => self.written.push((model, rows)),
        }
    }
}

/// What follows rows of a model by a handle of a repo. `None` if nothing does.
///
/// # Errors
/// When it would be in another database.
pub(crate) fn children_of(repo: &Repo, mut children: Children) -> Result<Option<Children>> {
    if !repo.touches {
        children.parents.iter_mut().for_each(|parent| parent.touched.clear());
    }
    let mut follows = false;
    for parent in children.parents.iter().filter(|parent| parent.counter.is_some() || !parent.touched.is_empty()) {
        repo.require_here(parent.model)?;
        repo.require_condition(parent.model, &parent.conditions)?;
        follows = true;
    }
    Ok(follows.then_some(children))
}

/// Whether rows that are read are locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lock {
    /// Until the transaction ends: they are about to change.
    Taken,
    /// Nothing is written.
    None,
}

/// Whether what follows is written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Mode<'g> {
    /// It is. Rows that go are gone.
    Write,
    /// The rows are counted, but for those that would be gone by then.
    Count(&'g GoingRows),
}

/// The keys of rows that would go, by their tables.
#[derive(Debug, Default)]
pub(crate) struct GoingRows(HashMap<TableRef, HashSet<KeyTuple>>);

impl GoingRows {
    pub(crate) fn add(&mut self, model: &ModelDef, key: KeyTuple) {
        self.0.entry(model.table).or_default().insert(key);
    }
}

impl Mode<'_> {
    // Whether a row that is still there would be gone.
    fn is_going(self, model: &ModelDef, key: &KeyTuple) -> bool {
        match self {
            Mode::Write => false,
            Mode::Count(GoingRows(going)) => going.get(&model.table).is_some_and(|keys| keys.contains(key)),
        }
    }

    // Whether rows found by these columns would be gone.
    fn is_going_by(self, model: &ModelDef, columns: &[usize], key: &KeyTuple) -> bool {
        columns == model.primary_key && self.is_going(model, key)
    }

    fn lock(self) -> Lock {
        match self {
            Mode::Write => Lock::Taken,
            Mode::Count(_) => Lock::None,
        }
    }
}

/// Reads what has to be known of rows that change, by the keys that they hold in some columns, and locks them. 1 statement
/// for each chunk of keys.
pub(crate) async fn read_locked(
    session: &mut Session<'_>,
    children: &Children,
    by: &[usize],
    keys: &KeySet,
    filter: &Expr,
) -> Result<Vec<StoredRow>> {
    read_children(session, children, by, keys, filter, Lock::Taken).await
}

/// As [`read_locked`], perhaps without a lock.
pub(crate) async fn read_children(
    session: &mut Session<'_>,
    children: &Children,
    by: &[usize],
    keys: &KeySet,
    filter: &Expr,
    lock: Lock,
) -> Result<Vec<StoredRow>> {
    let mut found = Vec::new();
    let (model, columns) = (children.model, &children.columns);
    let mut sink = |values: &mut [Value<'_>]| {
        found.push(stored(model, columns, values));
        Ok(())
    };
    match lock {
        Lock::Taken => session.query_locked(model, columns, by, keys, filter, &mut sink).await?,
        Lock::None => session.query_keyed(model, columns, by, keys, filter, &mut sink).await?,
    }
    Ok(found)
}

// A row that this call has touched: its table, the columns by which it was found, and its values of these columns.
type TouchedRow = ((&'static str, &'static [usize]), KeyTuple);

/// Writes what follows, and what is touched with the rows in which it does. For each model 1 statement for each chunk of
/// keys, and 1 that reads which rows its own are touched with.
pub(crate) async fn apply(
    repo: &Repo,
    session: &mut Session<'_>,
    mut changes: ParentChanges,
    now: DateTime,
    mode: Mode<'_>,
) -> Result<Followed> {
    let mut followed = Followed::nothing(now);
    // Rows that this call has touched: a circle of models touches each row once.
    let mut touched: HashSet<TouchedRow> = HashSet::new();
    while let Some(mut group) = changes.take_next() {
        repo.require_here(group.model)?;
        rename(session, &mut group).await?;
        let place = (group.model.table.name, group.key);
        for (key, row) in &mut group.rows {
            if !row.touched.is_empty() && touched.contains(&(place, key.clone())) {
                row.touched.clear();
            }
        }
        session.skip_touched(&mut group);
        let (model, by) = (group.model, group.key);
        group.rows.retain(|key, row| {
            !(row.counters.is_empty() && row.touched.is_empty() || mode.is_going_by(model, by, key))
        });
        if group.rows.is_empty() {
            followed.groups.push(group);
            continue;
        }
        let visible = match &repo.filters {
            Some(hook) => filtered(hook, group.model, Expr::always())?,
            None => Expr::always(),
        };
        if changes.touches() {
            touch_upwards(session, &mut group, &visible, &touched, mode).await?;
        }
        let keys = group.keys();
        let dialect = session.dialect();
        let mut rows = 0;
        for (part, chunk) in keys.chunks(group.keys_per_statement(dialect)).into_iter().enumerate() {
            if let Mode::Count(_) = mode {
                rows += count_staying(session, &group, &chunk, &visible, mode).await?;
                continue;
            }
            let statement = group.statement(dialect, &chunk, &visible, now)?.as_part(part);
            let affected = session.execute(&statement).await?.affected;
            rows += affected;
            let is_whole = group.key == group.model.primary_key && affected == chunk.len() as u64;
            if is_whole || group.key != group.model.primary_key && visible.is_always() {
                session.note_touched(&group, &chunk, now);
            }
            if affected < chunk.len() as u64 {
                require_parents(session, &group, &chunk, &visible).await?;
            }
        }
        followed.note(group.model, rows);
        if changes.touches() {
            let moved: Vec<KeyTuple> =
                group.rows.iter().filter(|(_, row)| !row.touched.is_empty()).map(|(key, _)| key.clone()).collect();
            touch_with(repo, session, &group, &moved, &visible, mode, &mut changes).await?;
            touched.extend(moved.into_iter().map(|key| (place, key)));
        }
        followed.groups.push(group);
    }
    Ok(followed)
}

// One statement touches the rows of a tree and the rows below them, in the order of their keys. Statements level by level would
// lock the rows in another order. The rows above are read without a lock, so another transaction may change them meanwhile.
async fn touch_upwards(
    session: &mut Session<'_>,
    group: &mut ParentGroup,
    visible: &Expr,
    touched: &HashSet<TouchedRow>,
    mode: Mode<'_>,
) -> Result<()> {
    let Some(mut above) = Children::touching(group.model) else { return Ok(()) };
    above.parents.retain(|parent| is_of(group, parent));
    if above.parents.is_empty() {
        return Ok(());
    }
    let place = (group.model.table.name, group.key);
    let filter = group.conditions.clone().and(visible.clone());
    let moved = group.rows.iter().filter(|(_, row)| !row.touched.is_empty());
    let mut known: HashSet<KeyTuple> = moved.map(|(key, _)| key.clone()).collect();
    let mut last: Vec<KeyTuple> = known.iter().cloned().collect();
    while !last.is_empty() {
        // What was touched earlier in the transaction has touched those above it.
        session.skip_touched(group);
        last.retain(|key| group.rows.get(key).is_some_and(|row| !row.touched.is_empty()));
        if last.is_empty() {
            break;
        }
        let rows = read_children(session, &above, group.key, &KeySet::from_iter(last), &filter, Lock::None).await?;
        last = Vec::new();
        for (row, parent) in rows.iter().flat_map(|row| above.parents.iter().map(move |parent| (row, parent))) {
            let Some(key) = above.parent_key(parent, row) else { continue };
            let goes = above.key(row).is_some_and(|own| mode.is_going(group.model, &own));
            if goes || mode.is_going_by(group.model, group.key, &key) {
                continue;
            }
            if !touched.contains(&(place, key.clone())) && known.insert(key.clone()) {
                group.rows.entry(key.clone()).or_default().touched.extend(&parent.touched);
                last.push(key);
            }
        }
    }
    rename(session, group).await
}

// Whether a parent is one of the rows of a group.
fn is_of(group: &ParentGroup, parent: &Parent) -> bool {
    parent.model == group.model && parent.key == group.key && parent.conditions == group.conditions
}

// What is touched with rows that were touched. They are locked already, so reading them waits for nothing.
async fn touch_with(
    repo: &Repo,
    session: &mut Session<'_>,
    group: &ParentGroup,
    moved: &[KeyTuple],
    visible: &Expr,
    mode: Mode<'_>,
    changes: &mut ParentChanges,
) -> Result<()> {
    let Some(mut above) = Children::touching(group.model).filter(|_| !moved.is_empty()) else { return Ok(()) };
    above.parents.retain(|parent| !is_of(group, parent));
    for parent in &above.parents {
        repo.require_here(parent.model)?;
    }
    if above.parents.is_empty() {
        return Ok(());
    }
    let keys = KeySet::from_iter(moved.iter().cloned());
    let filter = group.conditions.clone().and(visible.clone());
    let rows = read_children(session, &above, group.key, &keys, &filter, mode.lock()).await?;
    for row in rows {
        if above.key(&row).is_some_and(|key| mode.is_going(group.model, &key)) {
            continue;
        }
        // Nothing is counted: the row was there before, and belongs to the same rows.
        changes.change(&above, Some(&row), Some(&row), |_, is_new| is_new);
    }
    Ok(())
}

// Keys that the database calls equal though they are written otherwise are made one.
async fn rename(session: &mut Session<'_>, group: &mut ParentGroup) -> Result<()> {
    let dialect = session.dialect();
    if group.key.iter().all(|column| dialect.is_byte_comparable(group.model.columns[*column].sql_type)) {
        return Ok(());
    }
    let select = KeyedSelect { only: Some(group.key.to_vec()), ..KeyedSelect::new(group.model, group.key) };
    let found = read_rows(session, &select, &group.keys()).await?;
    let known = found.into_iter().map(|(key, row)| (key, KeyTuple::of_row(row))).collect();
    group.rename(&known);
    Ok(())
}

// Decides about rows that were not met.
#[cold]
async fn require_parents(session: &mut Session<'_>, group: &ParentGroup, keys: &KeySet, visible: &Expr) -> Result<()> {
    // A row that is only touched may be missing: a `has_one` need not have one.
    let matters = |row: &ParentRow| {
        row.is_given || row.linked_by.is_some() || row.counted_by.is_some() && !row.counters.is_empty()
    };
    if !keys.tuples().iter().any(|key| group.rows.get(key).is_some_and(matters)) {
        return Ok(());
    }
    let always = Expr::always();
    let there = keys_of(session, group, keys, &always).await?;
    let seen = if visible.is_always() { None } else { Some(keys_of(session, group, keys, visible).await?) };
    for key in keys.tuples() {
        let Some(row) = group.rows.get(&key) else { continue };
        let is_seen = seen.as_ref().is_none_or(|seen| seen.contains(&key));
        let exists = there.contains(&key);
        if exists && is_seen {
            continue;
        }
        if row.is_given {
            return Err(ErrorKind::NotFound { model: group.model.name, key: key.to_string() }.into());
        }
        match (row.linked_by, row.counted_by.filter(|_| !row.counters.is_empty())) {
            (Some(association), _) if seen.is_none() => return Err(missing(group, association, &key)),
            (Some(association), _) | (None, Some(association)) if exists || row.linked_by.is_some() => {
                let (model, association) = ((association.owner)().name, Some(association.qualified_name()));
                return Err(ErrorKind::OutsideFilter { model, association, reason: UNSEEN }.into());
            }
            _ => {}
        }
    }
    Ok(())
}

fn missing(group: &ParentGroup, association: &'static AssociationDef, key: &KeyTuple) -> assoc_core::Error {
    ErrorKind::ParentMissing {
        model: (association.owner)().name,
        association: association.name,
        parent: group.model.name,
        key: key.to_string(),
    }
    .into()
}

// How many rows a statement would write once those that go are gone.
async fn count_staying(
    session: &mut Session<'_>,
    group: &ParentGroup,
    keys: &KeySet,
    visible: &Expr,
    mode: Mode<'_>,
) -> Result<u64> {
    let model = group.model;
    let columns = if model.primary_key.is_empty() { group.key } else { model.primary_key };
    let mut count = 0;
    let mut sink = |values: &mut [Value<'_>]| {
        let going = KeyTuple::of_row(stored(model, columns, values));
        count += u64::from(!mode.is_going_by(model, columns, &going));
        Ok(())
    };
    let filter = group.conditions.clone().and(visible.clone());
    session.query_keyed(model, columns, group.key, keys, &filter, &mut sink).await?;
    Ok(count)
}

async fn keys_of(
    session: &mut Session<'_>,
    group: &ParentGroup,
    keys: &KeySet,
    filter: &Expr,
) -> Result<HashSet<KeyTuple>> {
    let mut found = HashSet::new();
    let mut sink = |values: &mut [Value<'_>]| {
        found.insert(KeyTuple::of_row(stored(group.model, group.key, values)));
        Ok(())
    };
    session.query_keyed(group.model, group.key, group.key, keys, filter, &mut sink).await?;
    Ok(found)
}

/// What columns of a row that is known hold once something has followed in it.
pub(crate) fn followed_values<'v>(
    followed: &Followed,
    model: &'static ModelDef,
    key: impl Fn(&[usize]) -> Option<KeyTuple>,
    before: impl Fn(usize) -> Value<'v>,
) -> Vec<(usize, Value<'static>)> {
    let mut values: HashMap<usize, Value<'static>> = HashMap::new();
    for group in followed.groups.iter().filter(|group| group.model == model) {
        let Some(key) = key(group.key) else { continue };
        let known = |column: usize| values.get(&column).cloned();
        let now =
            group.values(&key, followed.now, |column| known(column).unwrap_or_else(|| before(column).into_owned()));
        values.extend(now);
    }
    values.into_iter().collect()
}
