//! What is loaded in the rows that a save returns.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use super::{Path, PlannedRows};
use crate::change::{Row, has_every_row, is_plain};
use crate::key::KeyTuple;
use crate::metadata::association::{AssociationDef, Cardinality, Linkage, LoadState};
use crate::metadata::model::ModelDef;

/// The rows that one path of associations leads to from the saved rows, each once.
pub struct LoadedGroup {
    /// The group of the owners, and the association. `None` of the saved rows themselves.
    pub parent: Path,
    /// The rows' model.
    pub model: &'static ModelDef,
    /// The rows.
    pub rows: Vec<LoadedRow>,
    /// The owners among the rows of the parent's group of whom something was said, by position.
    pub owners: Vec<LoadedOwner>,
    known: HashMap<Identity, u32, BuildHasherDefault<IdentityHasher>>,
    // For each position in the parent's group, which of the owners it is.
    owner_at: Vec<Option<u32>>,
}

/// A row that is loaded.
#[derive(Clone)]
#[non_exhaustive]
pub enum LoadedRow {
    /// One that is planned.
    Planned(u32),
    /// One that exists, and to which nothing is written.
    Existing(Row),
}

/// What was said of the members of one owner.
pub struct LoadedOwner {
    /// The owner's position.
    pub owner: u32,
    /// The rows that became its members, or stayed so, by position. Each once, or as often as it is linked.
    pub rows: Vec<u32>,
    /// The planned rows that link them, as far as the save inserts them.
    pub links: Vec<u32>,
    /// Members that were edited, by position.
    pub edited: Vec<u32>,
    /// Rows that are its members no longer.
    pub removed: Vec<Row>,
    /// What is known of its members afterwards; `None` if nothing was known of the others, so that the state stays.
    pub state: Option<LoadState>,
}

impl LoadedOwner {
    // Adds a row. The first makes room for as many as are expected.
    pub(super) fn add(&mut self, place: u32, expected: usize) {
        if self.rows.is_empty() {
            self.rows.reserve_exact(expected);
        }
        self.rows.push(place);
    }

    // The same of a planned row that links one.
    pub(super) fn add_link(&mut self, link: u32, expected: usize) {
        if self.links.is_empty() {
            self.links.reserve_exact(expected);
        }
        self.links.push(link);
    }
}

/// What makes two loaded rows one.
#[derive(PartialEq, Eq, Hash)]
enum Identity {
    Planned(u32),
    // By its address.
    Existing(usize),
}

impl Identity {
    fn of(row: &Row) -> Self {
        Identity::Existing(Arc::as_ptr(row).cast::<()>() as usize)
    }
}

/// Hashes numbers and addresses that the process has made, so that no input makes them collide.
#[derive(Default)]
struct IdentityHasher(u64);

impl Hasher for IdentityHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64((*byte).into()));
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(number.into());
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0 ^ number).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29);
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }
}

impl LoadedGroup {
    pub(super) fn new(parent: Path, model: &'static ModelDef) -> Self {
        LoadedGroup {
            parent,
            model,
            rows: Vec::new(),
            owners: Vec::new(),
            known: HashMap::default(),
            owner_at: Vec::new(),
        }
    }

    // The position of a row, which is added if it is new.
    pub(super) fn place(&mut self, row: LoadedRow) -> u32 {
        let identity = match &row {
            LoadedRow::Planned(at) => Identity::Planned(*at),
            // The row is kept here, so its address stays its own.
            LoadedRow::Existing(row) => Identity::of(row),
        };
        let rows = &mut self.rows;
        *self.known.entry(identity).or_insert_with(|| {
            rows.push(row);
            rows.len() as u32 - 1
        })
    }

    // The position of a row that exists, which is added if it is new.
    pub(super) fn place_existing(&mut self, row: &Row) -> u32 {
        let rows = &mut self.rows;
        *self.known.entry(Identity::of(row)).or_insert_with(|| {
            rows.push(LoadedRow::Existing(Arc::clone(row)));
            rows.len() as u32 - 1
        })
    }

    // The position of a row that is met once.
    pub(super) fn place_new(&mut self, row: LoadedRow) -> u32 {
        self.rows.push(row);
        self.rows.len() as u32 - 1
    }

    /// Whether a list that was whole is so no longer, once these rows were given to it and taken from it: because it has not
    /// every row that its key leads to, it may not see what was given, or see another row in place of what was taken.
    ///
    /// ```
    #[doc = include_str!("../../../docs/blog.txt")]
    /// use assoc_core::change::{Member, RowChange};
    /// use assoc_core::save::SavePlan;
    ///
    /// let mut ada = RowChange::with_values(User::DEF, None, vec![None, Some("Ada".into()), None]);
    /// ada.push_member(User::POSTS.def(), Member::Change(RowChange::new(Post::DEF)), 0);
    /// let plan = SavePlan::new(User::DEF, vec![ada])?;
    /// // The association has all rows of its key, so what was given to it is what it reads.
    /// let posts = plan.groups().iter().find(|group| group.parent.is_some()).expect("the posts");
    /// assert!(posts.owners.iter().all(|owner| !posts.may_lack(owner)));
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    #[must_use]
    pub fn may_lack(&self, loaded: &LoadedOwner) -> bool {
        let Some((_, association)) = self.parent else { return false };
        if association.kind.cardinality() == Cardinality::One || loaded.state.is_some() {
            return false;
        }
        if loaded.rows.is_empty() && loaded.edited.is_empty() {
            return !loaded.removed.is_empty() && association.chooses_rows();
        }
        let between = match association.linkage() {
            Ok(Linkage::JoinRecord(record)) => record.rows,
            _ => None,
        };
        ![Some(association), between].into_iter().flatten().all(has_every_row)
    }

    pub(super) fn owner(&mut self, owner: u32) -> &mut LoadedOwner {
        let owners = &mut self.owners;
        // As a rule it is the one of which something was said before.
        if let Some(at) = owners.len().checked_sub(1).filter(|at| owners[*at].owner == owner) {
            return &mut owners[at];
        }
        let place = owner as usize;
        if self.owner_at.len() <= place {
            self.owner_at.resize(place + 1, None);
        }
        let at = *self.owner_at[place].get_or_insert_with(|| {
            owners.push(LoadedOwner {
                owner,
                rows: Vec::new(),
                links: Vec::new(),
                edited: Vec::new(),
                removed: Vec::new(),
                state: None,
            });
            owners.len() as u32 - 1
        });
        &mut owners[at as usize]
    }
}

/// Settles which lists are known to be whole: those of new owners and replaced ones, unless the save gives an owner rows by
/// another way as well, or the association has an order or conditions of which the plan cannot say how they judge.
pub(super) fn settle(rows: &PlannedRows, groups: &mut [LoadedGroup]) {
    let mut counts: HashMap<*const AssociationDef, Linked> = HashMap::new();
    for at in 1..groups.len() {
        let Some((parent, association)) = groups[at].parent else { continue };
        let linked = counts.entry(association).or_insert_with(|| Linked::of(association, rows));
        for place in 0..groups[at].owners.len() {
            let LoadedOwner { owner, rows: own, state, .. } = &groups[at].owners[place];
            if *state != Some(LoadState::Loaded) {
                continue;
            }
            let (others, is_known) = match &groups[parent].rows[*owner as usize] {
                LoadedRow::Planned(planned) => {
                    let is_new = rows[*planned as usize].base.is_none();
                    (linked.count(*planned) > own.len(), !is_new || linked.by_primary_key)
                }
                LoadedRow::Existing(_) => (false, true),
            };
            // If several rows are linked to an owner, an association to one loads the first row that is read.
            let is_one = association.kind.cardinality() == Cardinality::One;
            // No order and no condition says anything of no rows.
            let is_plain = linked.is_plain || own.is_empty();
            groups[at].owners[place].state = match (others, is_known && is_plain) {
                (true, _) if is_one => Some(LoadState::NotLoaded),
                (false, true) => Some(LoadState::Loaded),
                _ => Some(LoadState::Partial),
            };
        }
    }
}

/// How many planned rows are linked to an owner, by whatever way.
struct Linked {
    is_plain: bool,
    // No row has the key of a new owner yet. Other columns than the primary key may have a value that is there already.
    by_primary_key: bool,
    // For each planned row.
    by_row: Vec<u32>,
    by_key: HashMap<KeyTuple, usize>,
    keys: HashMap<u32, KeyTuple>,
}

impl Linked {
    fn of(association: &'static AssociationDef, rows: &PlannedRows) -> Self {
        let mut linked = Linked {
            is_plain: is_plain(association),
            by_primary_key: true,
            by_row: Vec::new(),
            by_key: HashMap::new(),
            keys: HashMap::new(),
        };
        let (table, key) = match association.linkage() {
            Ok(Linkage::TargetKey(key)) => ((association.target)(), key),
            Ok(Linkage::JoinRecord(record)) => {
                linked.is_plain &= record.rows.is_none_or(is_plain);
                (record.table, record.owner)
            }
            // One target, whatever else is written.
            _ => {
                linked.is_plain = true;
                return linked;
            }
        };
        let owners = (association.owner)().primary_key;
        linked.by_primary_key =
            key.owner_columns.len() == owners.len() && owners.iter().all(|own| key.owner_columns.contains(own));
        linked.by_row.resize(rows.len(), 0);
        // The other side of a join table has its columns in another order, and another model its own. `None` of a model of
        // another table, or without the columns.
        let mut columns_of: Vec<(&'static ModelDef, Option<Vec<usize>>)> = Vec::new();
        for row in rows.iter() {
            let is_known = |known: &(&'static ModelDef, _)| std::ptr::eq(known.0, row.model);
            let known = columns_of.iter().position(is_known).unwrap_or_else(|| {
                let is_there = row.model.table == table.table;
                let columns = is_there.then(|| columns_in(row.model, table, key.target_columns)).flatten();
                columns_of.push((row.model, columns));
                columns_of.len() - 1
            });
            let Some(columns) = &columns_of[known].1 else { continue };
            let awaited = row.awaits.iter().find(|awaited| awaited.column == columns[0]);
            if let Some(awaited) = awaited {
                linked.by_row[awaited.row as usize] += 1;
            } else if let Some(key) =
                KeyTuple::new(columns.iter().map(|column| rows.values(row)[*column].clone().unwrap_or_default()))
            {
                *linked.by_key.entry(key).or_default() += 1;
            }
        }
        if !linked.by_key.is_empty() {
            let owner = (association.owner)();
            for (at, row) in rows.iter().enumerate().filter(|(_, row)| row.model == owner) {
                let values = key.owner_columns.iter().map(|column| match (&rows.values(row)[*column], &row.base) {
                    (Some(value), _) => value.clone(),
                    (None, Some(base)) => owner.rows.value(&**base, *column).into_owned(),
                    (None, None) => crate::Value::Null,
                });
                if let Some(key) = KeyTuple::new(values) {
                    linked.keys.insert(at as u32, key);
                }
            }
        }
        linked
    }

    fn count(&self, owner: u32) -> usize {
        let by_key = self.keys.get(&owner).and_then(|key| self.by_key.get(key)).copied().unwrap_or(0);
        self.by_row.get(owner as usize).map_or(0, |count| *count as usize) + by_key
    }
}

// Columns of one model of a table as another model of it has them. `None` if it lacks one.
fn columns_in(model: &ModelDef, of: &ModelDef, columns: &[usize]) -> Option<Vec<usize>> {
    let place = |column: &usize| model.columns.iter().position(|own| own.name == of.columns[*column].name);
    columns.iter().map(place).collect()
}
