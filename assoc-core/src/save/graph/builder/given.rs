//! What a planned row is given by another one: values of its key columns, and what conditions say.

use std::collections::HashSet;
use std::rc::Rc;

use super::Builder;
use crate::change::{Preset, presets_of_saved};
use crate::error::{FieldError, Result};
use crate::metadata::association::{AssociationDef, JoinRecord};
use crate::save::graph::{Awaited, Awaits};
use crate::value::Value;

/// What a row is given by the one whose member it is.
#[derive(Default)]
pub(super) struct Given {
    pub(super) values: Vec<(usize, Value<'static>)>,
    pub(super) awaits: Awaits,
    // Only what a new row does not say itself.
    pub(super) presets: Option<Rc<[Preset]>>,
}

/// What the conditions of associations say of members: very many members come by few associations.
#[derive(Default)]
pub(super) struct Conditions {
    known: Vec<KnownPresets>,
    // How often rows that exist were given values, on which conditions may depend.
    regiven: u64,
}

struct KnownPresets {
    association: &'static AssociationDef,
    // The owner that exists, and whose conditions these are.
    owner: Option<(u32, u64)>,
    presets: Option<Rc<[Preset]>>,
}

/// Columns of planned rows: a bit for each of the first columns of a row, because there are many rows.
#[derive(Default)]
pub(super) struct GivenColumns {
    near: Vec<u64>,
    far: HashSet<(u32, usize)>,
}

impl GivenColumns {
    // Whether it is a new one.
    fn insert(&mut self, row: u32, column: usize) -> bool {
        if column >= 64 {
            return self.far.insert((row, column));
        }
        let at = row as usize;
        if self.near.len() <= at {
            self.near.resize(at + 1, 0);
        }
        let known = self.near[at] >> column & 1 == 1;
        self.near[at] |= 1 << column;
        !known
    }

    fn contains(&self, row: u32, column: usize) -> bool {
        match column {
            0..64 => self.near.get(row as usize).is_some_and(|bits| bits >> column & 1 == 1),
            _ => self.far.contains(&(row, column)),
        }
    }
}

impl Builder {
    // Sets what another row gives, over what a row says itself. A row to which several give takes the same of all of them.
    pub(super) fn give(&mut self, row: u32, mut given: Given) -> Result<()> {
        let (own, values) = self.rows.parts_mut(row);
        self.conditions.regiven += u64::from(own.base.is_some());
        let mut contradicted = None;
        for (column, value) in given.values.drain(..) {
            let is_awaited = own.awaits.iter().any(|awaited| awaited.column == column);
            let is_first = self.given.insert(row, column);
            if is_awaited || !is_first && values[column].as_ref() != Some(&value) {
                contradicted = Some(column);
            }
            values[column] = Some(value);
        }
        for awaited in given.awaits.iter().copied() {
            match own.awaits.iter().find(|known| known.column == awaited.column) {
                Some(known) if *known == awaited => {}
                Some(_) => contradicted = Some(awaited.column),
                None => {
                    if self.given.contains(row, awaited.column) {
                        contradicted = Some(awaited.column);
                    }
                    values[awaited.column] = None;
                    own.awaits.push(awaited);
                }
            }
        }
        if own.base.is_none() {
            for Preset { column, value } in given.presets.iter().flat_map(|presets| presets.iter()) {
                if own.awaits.iter().any(|awaited| awaited.column == *column) {
                    continue;
                }
                values[*column].get_or_insert_with(|| value.clone());
            }
        }
        if given.values.capacity() > 0 {
            self.spare = given.values;
        }
        let Some(column) = contradicted else { return Ok(()) };
        let (name, field) = (own.model.name, own.model.columns[column].field);
        let message = format!("is given two values of `{field}`: a row that holds the key of its owner has one owner");
        Err(self.invalid(FieldError::new(name, message).with_code(FieldError::CONTRADICTION)))
    }

    // What the conditions of an association of a row say of its members.
    pub(super) fn presets(&mut self, owner: u32, association: &'static AssociationDef) -> Option<Rc<[Preset]>> {
        let row = &self.rows[owner as usize];
        // An owner that is new is no row yet, so that no condition depends on it.
        let depends = association.options.owner_scope.is_some() && row.base.is_some();
        let owner = depends.then_some((owner, self.conditions.regiven));
        let known = &mut self.conditions.known;
        let place = known
            .iter()
            .position(|known| std::ptr::eq(known.association, association) && known.owner.is_some() == owner.is_some());
        if let Some(known) = place.map(|at| &known[at]).filter(|known| known.owner == owner) {
            return known.presets.clone();
        }
        let presets = presets_of_saved(association, row.base.as_ref(), self.rows.values(row));
        let presets: Option<Rc<[Preset]>> = (!presets.is_empty()).then(|| presets.into());
        let found = KnownPresets { association, owner, presets: presets.clone() };
        match place {
            Some(at) => known[at] = found,
            None => known.push(found),
        }
        presets
    }

    // What a row between is given by its owner: what its conditions say, and the types that it names.
    pub(super) fn given_to_link(&mut self, owner: u32, record: &JoinRecord) -> Given {
        let presets = record.rows.and_then(|rows| self.presets(owner, rows));
        let mut given = Given { values: std::mem::take(&mut self.spare), presets, ..Given::default() };
        let types = [record.owner.target_type, record.target_type].into_iter().flatten();
        given.values.extend(types.map(|named| (named.column, Value::from(named.tag))));
        given
    }

    // Takes the values of another row's columns, each for one of its own: as they are, if the row exists.
    pub(super) fn take_key(&self, row: u32, of: &[usize], columns: &[usize], given: &mut Given) {
        let from = &self.rows[row as usize];
        for (of, column) in of.iter().copied().zip(columns.iter().copied()) {
            match (&from.base, &self.rows.values(from)[of]) {
                (None, _) => given.awaits.push(Awaited { column, row, of }),
                (Some(_), Some(value)) => given.values.push((column, value.clone())),
                (Some(base), None) => given.values.push((column, from.model.rows.value(&**base, of).into_owned())),
            }
        }
    }
}
