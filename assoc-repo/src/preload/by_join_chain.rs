//! Associations whose statement joins the whole chain: each row of its result is a target with the key of the owner
//! that reaches it.
//!
//! A target that several owners reach, or that one owner reaches several times, is decoded once. Rows come owner by
//! owner in the order of the association, so distinct, offset and limit apply list by list.

use assoc_core::driver::{Dialect, KeySet, RowSink, Statement};
use assoc_core::execution::KeyTuple;
use assoc_core::execution::rows::Rows;
use assoc_core::joins::{JoinChain, OwnerLimits};
use assoc_core::metadata::ModelDef;
use assoc_core::planner::{Plan, Step};
use assoc_core::select::Matching;
use assoc_core::{ColumnType, Error, ErrorKind, Result, SqlType, Value};

use super::existing::Owners;
use super::fetch::{Fetched, FoundRows, Groups, Run, new_rows};
use super::index::{KeyIndex, RowDedup};
use super::through::{PerOwnerRows, Targets};

/// A look-up whose statements join the chain, while it runs.
pub(super) struct ChainLookUp<'k> {
    plan: &'k Plan,
    step: &'k Step,
    join_chain: &'k JoinChain,
    keys: &'k KeySet,
    chunks: Vec<KeySet>,
    reached: Reached<'k>,
}

impl<'k> ChainLookUp<'k> {
    pub(super) fn begin(run: &Run<'k, '_>, step: &'k Step, join_chain: &'k JoinChain, keys: &'k KeySet) -> Self {
        let dialect = run.session.dialect_of(join_chain.target);
        let reached = Reached {
            target: join_chain.target,
            key_types: match join_chain.matching(dialect) {
                Matching::ByOrdinal => None,
                Matching::ByValue => Some(join_chain.key_types()),
            },
            keys: KeyIndex::new(keys),
            first_key: 0,
            rows: new_rows(&step.select),
            repeats: join_chain.repeats_targets(),
            dedup: RowDedup::default(),
            lists: vec![Vec::new(); keys.len()],
            stray: None,
        };
        let chunks = keys.chunks(join_chain.keys_per_statement(dialect, keys.width()));
        ChainLookUp { plan: run.plan, step, join_chain, keys, chunks, reached }
    }

    pub(super) fn model(&self) -> &'static ModelDef {
        self.join_chain.target
    }

    /// The number of its statements.
    pub(super) fn parts(&self) -> usize {
        self.chunks.len()
    }

    pub(super) fn statement(&self, dialect: &dyn Dialect, part: usize) -> Result<Statement> {
        Ok(self.join_chain.statement(&self.step.select, dialect, &self.chunks[part])?.as_part(part))
    }

    /// Takes the rows of the next statement.
    pub(super) fn sink(&mut self) -> &mut dyn RowSink {
        &mut self.reached
    }

    /// All rows of a statement have come.
    pub(super) fn took(&mut self, part: usize) {
        self.reached.first_key += self.chunks[part].len();
    }

    pub(super) fn found_for(self, owners: &[Owners]) -> Result<FoundRows> {
        let Reached { mut rows, mut lists, stray, keys: index, .. } = self.reached;
        let join_chain = self.join_chain;
        if let Some(key) = stray {
            let association = self.plan.edge(self.step.serves[0]).association;
            let (model, target) = ((association.owner)().name, join_chain.target.name);
            return Err(ErrorKind::UnmatchedRow { model, association: association.name, target, key }.into());
        }
        // They are in the association's order already.
        let limits = OwnerLimits { globally_ordered: false, ..join_chain.limits };
        let mut per_owner = PerOwnerRows::new(limits, join_chain.cardinality, Targets::new(rows.len(), &[]));
        for (at, list) in lists.iter_mut().enumerate() {
            *list = per_owner.finish(at, list, |row| *row).to_vec();
        }
        keep_what_is_held(&mut *rows, &mut lists);
        let places = owners.iter().map(|owners| index.of_rows(&owners.keys)).collect();
        let fetched = Fetched { rows, groups: Groups::Lists(lists), group_of: Vec::new() };
        Ok(FoundRows { fetched, keys: self.keys.len(), places })
    }
}

/// The sink of a statement that joins the chain.
struct Reached<'k> {
    target: &'static ModelDef,
    // The types of the key's columns, which come before the target's; `None` if the key's ordinal does.
    key_types: Option<Vec<SqlType>>,
    keys: KeyIndex<'k>,
    // The place of the chunk's first key.
    first_key: usize,
    rows: Box<dyn Rows>,
    // Whether a target may come several times, and the targets that came.
    repeats: bool,
    dedup: RowDedup,
    // The targets of each key.
    lists: Vec<Vec<u32>>,
    // The key of a row that belongs to no owner.
    stray: Option<String>,
}

impl Reached<'_> {
    fn place(&self, leading: &mut [Value<'_>]) -> Result<Option<usize>> {
        let Some(types) = &self.key_types else {
            let Some(ordinal) = leading.first_mut() else { return Ok(None) };
            let ordinal = i64::from_value(ordinal).map_err(|mismatch| mismatch.at("preload", "ordinal"))?;
            let place = usize::try_from(ordinal).ok().map(|ordinal| self.first_key + ordinal);
            return Ok(place.filter(|place| *place < self.lists.len()));
        };
        if let [Value::Int(key)] = leading {
            return Ok(self.keys.of_int(*key));
        }
        let values = leading.iter_mut().zip(types).map(|(value, of)| of.stored(std::mem::take(value).into_owned()));
        Ok(KeyTuple::new(values).and_then(|key| self.keys.of_tuple(&key)))
    }
}

impl RowSink for Reached<'_> {
    fn row(&mut self, values: &mut [Value<'_>]) -> Result<()> {
        let width = self.key_types.as_ref().map_or(1, Vec::len);
        let Some((leading, row)) = values.split_at_mut_checked(width) else {
            return Err(Error::invalid_query("preload", "the statement returned a row without columns"));
        };
        let Some(place) = self.place(leading)? else {
            let key = self.target.primary_key.iter().map(|at| row.get(*at).cloned().unwrap_or_default().into_owned());
            self.stray.get_or_insert_with(|| KeyTuple::of_row(key).to_string());
            return Ok(());
        };
        let (at, is_new) =
            if self.repeats { self.dedup.position(row, self.target.primary_key) } else { self.dedup.next() };
        if is_new {
            RowSink::row(&mut *self.rows, row)?;
        }
        self.lists[place].push(at);
        Ok(())
    }
}

// Drops rows that no list has any more, so that nothing is loaded below them.
fn keep_what_is_held(rows: &mut dyn Rows, lists: &mut [Vec<u32>]) {
    let mut existing = vec![false; rows.len()];
    lists.iter().flatten().for_each(|row| existing[*row as usize] = true);
    if existing.iter().all(|existing| *existing) {
        return;
    }
    rows.keep(&existing);
    let moved: Vec<u32> = existing
        .iter()
        .scan(0, |before, existing| {
            let place = *before;
            *before += u32::from(*existing);
            Some(place)
        })
        .collect();
    lists.iter_mut().flatten().for_each(|row| *row = moved[*row as usize]);
}
