//! Rows on their way from the thread that reads them to the task that waits for them.
//!
//! Short texts travel in one buffer for all rows of a parcel, and the task makes its own of them. A text that is allocated on
//! one thread and freed on another costs the allocator more than copying it does.

use std::sync::{Arc, Mutex, PoisonError};

use assoc_core::driver::{AnswerColumn, RowSink};
use assoc_core::{Result, Value};
use tokio::sync::mpsc;

use super::offload::cancelled;

/// How many parcels wait for the task: it bounds the memory.
pub(super) const IN_TRANSIT: usize = 2;

// A parcel is large enough that waking the other side costs little for each row. The first one is small, so that both sides
// work soon; the next are twice as large each.
const FIRST_CELLS: usize = 1_024;
// A task that unpacks as many takes about a quarter of a millisecond, in which other tasks of its thread stand still.
const MOST_CELLS: usize = 8_192;
const MOST_BYTES: usize = 256 * 1024;

// A longer text moves as it is: copying it twice costs more than freeing it on another thread.
const SHORT: usize = 512;

/// What passes between the two threads.
pub(super) enum Parcel {
    /// The names of the columns, and which are computed. Once, before the rows, where the sink wants them.
    Columns(Vec<(String, bool)>),
    Rows(Rows, Arc<Emptied>),
}

/// What was unpacked, to be packed again: buffers stay in the processor's cache, and no thread frees what another allocated.
#[derive(Default)]
pub(super) struct Emptied(Mutex<Vec<Rows>>);

impl Emptied {
    fn take(&self) -> Rows {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    fn put(&self, mut rows: Rows) {
        rows.clear();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(rows);
    }
}

// Values one after the other, in as few bytes as they need: what one processor has written and another reads is what a statement
// on another thread costs most.
#[derive(Default)]
pub(super) struct Rows {
    columns: usize,
    cells: Vec<Cell>,
    /// The numbers, and the lengths of what is in a buffer.
    words: Vec<u64>,
    texts: String,
    bytes: Vec<u8>,
    others: Vec<Value<'static>>,
}

#[derive(Clone, Copy)]
enum Cell {
    Null,
    Int,
    Real,
    Text,
    Blob,
    Other,
}

impl Parcel {
    pub(super) fn unpack(self, sink: &mut dyn RowSink) -> Result<()> {
        match self {
            Parcel::Columns(columns) => {
                let columns =
                    columns.iter().map(|(name, is_computed)| AnswerColumn { name, is_computed: *is_computed });
                sink.columns(&columns.collect::<Vec<_>>())
            }
            Parcel::Rows(mut rows, emptied) => {
                rows.unpack(sink)?;
                emptied.put(rows);
                Ok(())
            }
        }
    }
}

impl Rows {
    fn clear(&mut self) {
        self.cells.clear();
        self.words.clear();
        self.texts.clear();
        self.bytes.clear();
        self.others.clear();
    }

    fn push(&mut self, value: &mut Value<'_>) {
        let cell = match value {
            Value::Null => Cell::Null,
            Value::Int(number) => {
                self.words.push(number.cast_unsigned());
                Cell::Int
            }
            Value::Real(number) => {
                self.words.push(number.to_bits());
                Cell::Real
            }
            Value::Text(text) if text.len() <= SHORT => {
                self.words.push(text.len() as u64);
                self.texts.push_str(text);
                Cell::Text
            }
            Value::Blob(blob) if blob.len() <= SHORT => {
                self.words.push(blob.len() as u64);
                self.bytes.extend_from_slice(blob);
                Cell::Blob
            }
            other => {
                self.others.push(std::mem::take(other).into_owned());
                Cell::Other
            }
        };
        self.cells.push(cell);
    }

    // Each length is one that `push` has noted with its text, so that no split is beyond the end or within a letter.
    fn unpack(&mut self, sink: &mut dyn RowSink) -> Result<()> {
        let (mut texts, mut bytes) = (&*self.texts, &*self.bytes);
        let mut words = self.words.iter().copied();
        let mut others = self.others.drain(..);
        let mut row = Vec::with_capacity(self.columns);
        for cell in &self.cells {
            row.push(match cell {
                Cell::Null => Value::Null,
                Cell::Int => Value::Int(words.next().unwrap_or_default().cast_signed()),
                Cell::Real => Value::Real(f64::from_bits(words.next().unwrap_or_default())),
                Cell::Text => {
                    let (text, rest) = texts.split_at(words.next().unwrap_or_default() as usize);
                    texts = rest;
                    Value::Text(text.into())
                }
                Cell::Blob => {
                    let (blob, rest) = bytes.split_at(words.next().unwrap_or_default() as usize);
                    bytes = rest;
                    Value::Blob(blob.into())
                }
                Cell::Other => others.next().unwrap_or_default(),
            });
            if row.len() == self.columns {
                sink.row(&mut row)?;
                row.clear();
            }
        }
        Ok(())
    }
}

/// Packs rows into parcels on the thread that reads them.
pub(super) struct Packing {
    sender: mpsc::Sender<Parcel>,
    wants_columns: bool,
    rows: Rows,
    emptied: Arc<Emptied>,
    /// With how many values the next parcel is full.
    most: usize,
    /// The bytes of the texts that move as they are.
    moved: usize,
}

impl Packing {
    pub(super) fn new(sender: mpsc::Sender<Parcel>, wants_columns: bool) -> Self {
        Packing { sender, wants_columns, rows: Rows::default(), emptied: Arc::default(), most: FIRST_CELLS, moved: 0 }
    }

    /// What is packed and not sent.
    pub(super) fn into_rest(self) -> Parcel {
        Parcel::Rows(self.rows, self.emptied)
    }

    fn send(&mut self) -> Result<()> {
        let rows = std::mem::replace(&mut self.rows, self.emptied.take());
        self.moved = 0;
        self.most = (self.most * 2).min(MOST_CELLS);
        self.sender.blocking_send(Parcel::Rows(rows, Arc::clone(&self.emptied))).map_err(|_| cancelled())
    }
}

impl RowSink for Packing {
    fn wants_columns(&self) -> bool {
        self.wants_columns
    }

    fn columns(&mut self, columns: &[AnswerColumn<'_>]) -> Result<()> {
        let columns = columns.iter().map(|column| (column.name.to_owned(), column.is_computed)).collect();
        self.sender.blocking_send(Parcel::Columns(columns)).map_err(|_| cancelled())
    }

    fn row(&mut self, values: &mut [Value<'_>]) -> Result<()> {
        let rows = &mut self.rows;
        rows.columns = values.len();
        for value in values {
            rows.push(value);
        }
        let bytes = rows.texts.len() + rows.bytes.len() + self.moved;
        if rows.cells.len() >= self.most || bytes >= MOST_BYTES {
            self.send()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: usize = 6;

    /// Rows of each kind of value, with texts of all lengths around the longest that travels in a buffer.
    fn rows(count: usize) -> Vec<Vec<Value<'static>>> {
        let text = |length: usize| Value::Text("ü".repeat(length / 2).into());
        let blob = |length: usize| Value::Blob(vec![0xFF; length].into());
        let row = |at: usize| {
            let length = [0, 2, 60, SHORT - 2, SHORT, SHORT + 2, 5_000][at % 7];
            vec![
                Value::Int(i64::MIN + at as i64),
                text(length),
                if at.is_multiple_of(3) { Value::Null } else { blob(length) },
                Value::Real(f64::from_bits(at as u64)),
                Value::Decimal("0.1".into()),
                text(at % 11 * 2),
            ]
        };
        (0..count).map(row).collect()
    }

    #[test]
    fn rows_arrive_as_they_were_packed() {
        for count in [0, 1, FIRST_CELLS / COLUMNS, FIRST_CELLS, 3 * MOST_CELLS] {
            let (sender, mut parcels) = mpsc::channel(count + 1);
            let mut packing = Packing::new(sender, false);
            for mut row in rows(count) {
                packing.row(&mut row).unwrap();
            }
            let mut arrived = Vec::new();
            let mut sink = |values: &mut [Value<'_>]| {
                arrived.push(values.iter().map(|value| value.clone().into_owned()).collect::<Vec<_>>());
                Ok(())
            };
            let mut sent = 0;
            while let Ok(parcel) = parcels.try_recv() {
                parcel.unpack(&mut sink).unwrap();
                sent += 1;
            }
            packing.into_rest().unpack(&mut sink).unwrap();
            assert!(arrived == rows(count), "{count} rows");
            // Otherwise the test sees a single parcel.
            assert_eq!(sent > 1, count >= FIRST_CELLS, "{count} rows in {sent} parcels");
        }
    }

    #[test]
    fn an_emptied_parcel_carries_nothing_of_its_last_rows() {
        let (sender, mut parcels) = mpsc::channel(100);
        let mut packing = Packing::new(sender, false);
        let mut arrived = 0;
        for mut row in rows(FIRST_CELLS) {
            packing.row(&mut row).unwrap();
            while let Ok(parcel) = parcels.try_recv() {
                let mut sink = |values: &mut [Value<'_>]| {
                    assert_eq!(values[0], Value::Int(i64::MIN + arrived));
                    arrived += 1;
                    Ok(())
                };
                parcel.unpack(&mut sink).unwrap();
            }
        }
        assert!(arrived > i64::try_from(FIRST_CELLS / COLUMNS).unwrap());
        assert_eq!(packing.emptied.0.lock().unwrap().len(), 1, "two parcels take turns");
    }
}
