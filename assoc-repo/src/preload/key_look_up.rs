//! A look-up by keys while it runs: which keys are asked for, and whose the rows are that come.

use assoc_core::driver::{Dialect, KeySet, RowSink, Statement};
use assoc_core::metadata::{Direction, ModelDef};
use assoc_core::planner::{Plan, Step};
use assoc_core::select::{KeyedSelect, Matching, RowOrder};
use assoc_core::{Error, Result, Value};

use super::existing::Owners;
use super::fetch::{Arrival, Fetched, FoundRows, LeadingSink, Run, missing_keys, place_in, places};
use super::index::KeyIndex;
use super::order;
use super::recursions::{Level, Levels, Reading, RowsBelow};

// Rows that are given to their keys at a time.
const ROWS_AT_A_TIME: usize = 1024;

// Rows that come before it is looked at how many more there may be.
const FIRST_ROWS: usize = 64;

/// A look-up by keys. Each chunk of the keys is a statement.
pub(super) struct KeyLookUp<'k> {
    plan: &'k Plan,
    step: &'k Step,
    select: &'k KeyedSelect,
    keys: &'k KeySet,
    index: KeyIndex<'k>,
    fetched: Fetched,
    // Those that no row in memory answers, and these in chunks.
    missing: KeySet,
    chunks: Vec<KeySet>,
    // How many keys the chunks before have.
    asked_for: usize,
    // How many rows they brought.
    rows_before: usize,
    // The ordinals of the keys of the rows since, where the statement selects them.
    by_ordinal: bool,
    ordinals: Vec<i64>,
    is_grouped: bool,
    // Where a row has its key, if the statements ask for other keys as well.
    key_place: Option<usize>,
    // By what the rows of each key are sorted here.
    sorted_by: Option<Vec<(usize, Direction)>>,
    level: Level,
    // How a recursion is read that it has begun.
    begun: Option<Levels>,
    // How many rows may come before more room is made for them.
    room: usize,
    // Whether the rows of the statement that runs are the target's and nothing else.
    is_plain: bool,
}

impl<'k> KeyLookUp<'k> {
    /// Takes what is in memory. What is missing then is to be asked for.
    pub(super) fn begin(run: &Run<'k, '_>, step: &'k Step, select: &'k KeyedSelect, keys: &'k KeySet) -> Result<Self> {
        let mut fetched = Fetched::empty(select, keys);
        let index = KeyIndex::new(keys);
        let dialect = run.session.dialect_of(select.model);
        let by_ordinal = select.matching(dialect) == Matching::ByOrdinal;
        let is_grouped = !select.rank_groups.is_empty();
        run.take_from_memory(step, &index, &mut fetched);
        let mut missing = missing_keys(keys, &fetched.groups);
        if let Some(rows) = run.begun.rows_for(step) {
            missing = take_from_recursion(run.plan, step, rows, &missing, &index, &mut fetched)?;
        }
        let level = run.begun.level(step, &missing, dialect);
        let chunk_size = match is_grouped || select.row_order == RowOrder::GloballyOrdered {
            // An order across keys holds within one statement only, and so do groups.
            true => dialect.most_keys(missing.width()),
            false => select.keys_per_statement(dialect),
        };
        if is_grouped && missing.len() > chunk_size {
            let what = format!("a grouped association that leads to more than {chunk_size} different rows");
            return Err(Error::unsupported(dialect.name(), what));
        }
        let mut chunks = missing.chunks(if level.reads_below() { missing.len() } else { chunk_size });
        let mut key_place = None;
        // A row of another key may be one that is in memory already.
        if let Some(ranges) =
            dialect.capabilities().key_ranges.filter(|_| missing.len() == keys.len() && !level.reads_below())
            && let Some(place) = select.place_of_key(dialect)
        {
            for chunk in &mut chunks {
                if let Some(filled) = ranges.filled(chunk) {
                    (*chunk, key_place) = (filled, Some(place));
                }
            }
        }
        Ok(KeyLookUp {
            plan: run.plan,
            step,
            select,
            keys,
            index,
            rows_before: fetched.rows.len(),
            fetched,
            missing,
            chunks,
            asked_for: 0,
            by_ordinal,
            ordinals: Vec::new(),
            is_grouped,
            key_place,
            sorted_by: select.sorted_in_memory(dialect),
            level,
            begun: None,
            room: FIRST_ROWS,
            is_plain: false,
        })
    }

    pub(super) fn model(&self) -> &'static ModelDef {
        self.select.model
    }

    /// The number of its statements.
    pub(super) fn parts(&self) -> usize {
        self.chunks.len()
    }

    pub(super) fn statement(&self, dialect: &dyn Dialect, part: usize) -> Result<Statement> {
        let chunk = &self.chunks[part];
        let statement = match &self.level {
            Level::First(Some(reading)) => reading.statement.clone(),
            Level::Alone | Level::First(None) => self.select.statement(dialect, chunk)?,
            Level::Below(role) => self.select.statement(dialect, chunk)?.in_role(*role),
        };
        Ok(statement.as_part(part))
    }

    /// Takes the rows of the next statement.
    pub(super) fn sink(&mut self) -> &mut dyn RowSink {
        self.is_plain = !(self.by_ordinal || self.is_grouped || self.key_place.is_some() || self.level.reads_below());
        // A flat list of links doubles whatever it is told, so nothing is counted for it.
        if self.is_plain && self.select.only.is_some() {
            return &mut *self.fetched.rows;
        }
        self
    }

    // A row that is not plain, or one for which room is to be made.
    #[inline(never)]
    fn other_row(&mut self, values: &mut [Value<'_>]) -> Result<()> {
        if let Level::First(Some(reading)) = &mut self.level {
            return RowSink::row(&mut *reading.rows, values);
        }
        if self.room == 0 {
            self.make_room();
        }
        self.room -= 1;
        if let Some(place) = self.key_place {
            let is_own = values.get(place).is_none_or(|key| may_be_among(&self.index, key));
            return if is_own { RowSink::row(&mut *self.fetched.rows, values) } else { Ok(()) };
        }
        let Fetched { rows, group_of, .. } = &mut self.fetched;
        let mut leading = LeadingSink {
            rows: &mut **rows,
            ordinals: self.by_ordinal.then_some(&mut self.ordinals),
            groups: self.is_grouped.then_some(group_of),
        };
        leading.row(values)
    }

    // Makes room for the rows that are expected after those that have come: as many a key as before. Rows come in the order of
    // the keys, as a rule; where they do not, the list grows by a quarter at least and by as much as it has at most. A list that
    // doubles whatever comes has room for twice its rows in the end.
    fn make_room(&mut self) {
        let rows = &mut self.fetched.rows;
        let known = rows.len();
        let (key, keys) = match self.by_ordinal {
            true => {
                let ordinal = self.ordinals.last().and_then(|ordinal| usize::try_from(*ordinal).ok());
                (ordinal.map(|ordinal| self.asked_for + ordinal), self.missing.len())
            }
            false => {
                let last = rows.keys_of(self.select.columns, known.saturating_sub(1)..known);
                (self.index.of_rows(&last).pop().flatten(), self.keys.len())
            }
        };
        let expected = (known as u64).saturating_mul(keys as u64) / (key.unwrap_or_default() as u64 + 1);
        let more = usize::try_from(expected).unwrap_or(usize::MAX).saturating_sub(known);
        // A few more than that: keys do not all have the same number of rows.
        self.room = more.saturating_add(known / 64).clamp(known / 4, known).max(FIRST_ROWS);
        rows.reserve(self.room);
    }

    /// Gives the rows of a statement to their keys. All have come.
    pub(super) fn took(&mut self, part: usize) -> Result<()> {
        match std::mem::replace(&mut self.level, Level::Alone) {
            Level::First(Some(reading)) => return self.took_levels(reading),
            Level::First(None) => self.begun = Some(Levels::OneByOne),
            level => self.level = level,
        }
        let arrival = if self.sorted_by.is_some() { Arrival::InAnyOrder } else { Arrival::AsGrouped };
        let (first, end) = (self.rows_before, self.fetched.rows.len());
        // Some at a time: keys and places of all rows would be as large as small rows are.
        for from in (first..end).step_by(ROWS_AT_A_TIME) {
            let to = end.min(from + ROWS_AT_A_TIME);
            let places = match self.by_ordinal {
                true => {
                    let place = |ordinal: &i64| {
                        let at = self.asked_for + usize::try_from(*ordinal).ok()?;
                        place_in(self.keys, &self.index, &self.missing, at)
                    };
                    self.ordinals.get(from - first..to - first).unwrap_or_default().iter().map(place).collect()
                }
                false => self.index.of_rows(&self.fetched.rows.keys_of(self.select.columns, from..to)),
            };
            self.fetched.assign(self.plan, self.step, from, &places, arrival)?;
        }
        self.rows_before = end;
        self.asked_for += self.chunks[part].len();
        self.ordinals.clear();
        Ok(())
    }

    fn took_levels(&mut self, reading: Reading) -> Result<()> {
        let rows = RowsBelow::new(reading, self.select.columns, &self.missing);
        take_from_recursion(self.plan, self.step, &rows, &self.missing, &self.index, &mut self.fetched)?;
        self.begun = Some(Levels::AtOnce(rows));
        Ok(())
    }

    /// The rows, where several statements have brought them and the order of each is not that of all.
    pub(super) fn out_of_order(&mut self) -> Option<(&'k KeyedSelect, &mut Fetched)> {
        let is_ordered = self.select.row_order == RowOrder::GloballyOrdered;
        (is_ordered && self.chunks.len() > 1).then_some((self.select, &mut self.fetched))
    }

    pub(super) fn finish(mut self) -> Fetched {
        if let Some(columns) = &self.sorted_by {
            order::sort_by_key(&mut self.fetched, columns);
        }
        self.fetched
    }

    /// How a recursion is read that it has begun.
    pub(super) fn begun(&mut self) -> Option<Levels> {
        self.begun.take()
    }

    pub(super) fn found_for(self, owners: &[Owners]) -> FoundRows {
        let (places, keys) = (places(self.keys, &self.index, owners), self.keys.len());
        FoundRows { fetched: self.finish(), keys, places }
    }
}

// Takes the rows that the statement of a recursion has read, and returns the keys that it did not come by.
fn take_from_recursion(
    plan: &Plan,
    step: &Step,
    rows: &RowsBelow,
    missing: &KeySet,
    index: &KeyIndex<'_>,
    fetched: &mut Fetched,
) -> Result<KeySet> {
    let (first, mut places) = (fetched.rows.len(), Vec::new());
    let others = rows.answer(missing, &mut *fetched.rows, |key| places.push(index.of_int(key)));
    // Each key's rows come together, in the order of the statement.
    fetched.assign(plan, step, first, &places, Arrival::AsGrouped)?;
    Ok(others)
}

// Whether a stored value is one of the keys. One in another form than an integer is read, and the error says what it is.
fn may_be_among(keys: &KeyIndex<'_>, stored: &Value<'_>) -> bool {
    let number = match stored {
        Value::Int(key) => Some(*key),
        Value::Text(text) => text.parse().ok(),
        // No integer, so no key.
        Value::Real(real) if real.fract() != 0.0 => return false,
        _ => None,
    };
    number.is_none_or(|key| keys.of_int(key).is_some())
}

/// Of rows as they are; of rows with the ordinal of the key, or the number of the group, before their columns; of rows that may have
/// other keys, and of those of several levels.
impl RowSink for KeyLookUp<'_> {
    fn row(&mut self, values: &mut [Value<'_>]) -> Result<()> {
        // Nearly all rows: this is all that is done for them before they are read.
        if self.is_plain && self.room > 0 {
            self.room -= 1;
            return RowSink::row(&mut *self.fetched.rows, values);
        }
        self.other_row(values)
    }
}
