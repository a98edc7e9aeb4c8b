//! Ranges instead of lists, for look-ups by keys that are near each other.

use assoc_core::Value;
use assoc_core::dialect::KeyRanges;
use assoc_core::driver::KeySet;
use assoc_core::sql::SqlWriter;

/// SQLite makes a tree of the keys of a list before it reads a row. For few keys that costs nothing measurable, and the statement has
/// the same text whatever they are. A row that is stepped over costs about half of what it costs to read it, so that a quarter of
/// them costs what the tree does.
pub(super) const KEY_RANGES: KeyRanges = KeyRanges { from: 64, gaps_percent: 25 };

/// The first and the last of integers without a gap, as the keys of a whole table often are.
pub(super) fn gapless(keys: &KeySet, from: usize) -> Option<(i64, i64)> {
    let KeySet::Ints(keys) = keys else { return None };
    let (first, last) = (*keys.first()?, *keys.last()?);
    (keys.len() >= from && last.abs_diff(first) == keys.len() as u64 - 1).then_some((first, last))
}

/// The casts make it a comparison of numbers, also where the column is one of text.
pub(super) fn write_range(writer: &mut SqlWriter<'_>, column: &str, first: i64, last: i64) {
    writer.own_column(column);
    writer.push(" BETWEEN CAST(");
    writer.bind(Value::Int(first));
    writer.push(" AS INTEGER) AND CAST(");
    writer.bind(Value::Int(last));
    writer.push(" AS INTEGER)");
}
