//! The order of rows that came in another: by several statements, or from a database that was not asked for one.
//!
//! Databases that would sort the rows of a look-up by their keys are not asked to, where the order consists of integers: their
//! rows are grouped in memory, and those of a key sorted where they did not come in order.
//!
//! A statement sorts the rows it returns, but an association with more rows than one statement has binds for takes
//! several. Integers are compared here. All other types are for the database to compare, because only it knows its
//! collations. So the database sorts the keys of the rows by a sample sort. A few keys are pivots. Every statement
//! contains the pivots and says between which two of them each of its keys belongs. The keys between two pivots fit
//! into one statement, which sorts them. For n rows and c keys per statement that is about 2 n / c statements, of keys
//! alone.

use std::cmp::Ordering;
use std::collections::HashMap;

use assoc_core::driver::{KeySet, StatementRole};
use assoc_core::execution::RowKeys;
use assoc_core::execution::rows::{LinkRows, Rows};
use assoc_core::metadata::Direction;
use assoc_core::select::{KeyedSelect, Matching};
use assoc_core::{Error, Result, Value};

use super::fetch::{Fetched, Groups, LeadingSink, Run, position};
use super::index::KeyIndex;

impl Run<'_, '_> {
    /// Puts rows that came by several statements into the order of the select.
    pub(super) async fn order_across(&mut self, select: &KeyedSelect, fetched: &mut Fetched) -> Result<()> {
        let mut order: Vec<u32> = (0..position(fetched.rows.len())).collect();
        match select.order_in_memory() {
            Some(columns) => {
                let ranks = Ranks::of(&*fetched.rows, &columns);
                order.sort_by(|one, other| ranks.cmp(*one, *other));
            }
            None => {
                let ranks = self.ranks_in_database(select, &*fetched.rows).await?;
                order.sort_by_key(|row| ranks[*row as usize]);
            }
        }
        fetched.rows.reorder(&order);
        let mut place = vec![0; order.len()];
        for (at, row) in (0..).zip(&order) {
            place[*row as usize] = at;
        }
        if let Groups::Lists(lists) = &mut fetched.groups {
            for list in lists {
                list.iter_mut().for_each(|row| *row = place[*row as usize]);
                list.sort_unstable();
            }
        }
        Ok(())
    }

    // The rank of each row, as the database sorts their keys.
    async fn ranks_in_database(&mut self, select: &KeyedSelect, rows: &dyn Rows) -> Result<Vec<usize>> {
        let dialect = self.session.dialect_of(select.model);
        let primary_key = select.model.primary_key;
        let most = dialect.most_keys(primary_key.len());
        if primary_key.is_empty() || most < 4 {
            let what = format!(
                "an ordered association that leads to more rows of {} than one statement takes, without a primary key",
                select.model.name
            );
            return Err(Error::unsupported(dialect.name(), what));
        }
        let by_key = select.order_of_keys();
        let own = rows.keys(primary_key, 0);
        let keys = KeySet::distinct([&own]);
        let mut sorted: Vec<usize> = Vec::with_capacity(keys.len());
        // Parts of the keys, the first of them last.
        let mut parts: Vec<Vec<usize>> = vec![(0..keys.len()).collect()];
        while let Some(part) = parts.pop() {
            if part.len() <= most {
                sorted.extend(self.sorted_keys(&by_key, &keys, &part).await?);
                continue;
            }
            let mut between = Between::new(&part, most);
            for chunk in between.others.chunks(most - between.pivots.len()).map(<[usize]>::to_vec).collect::<Vec<_>>() {
                let with_pivots = [&between.pivots[..], &chunk].concat();
                between.add(self.sorted_keys(&by_key, &keys, &with_pivots).await?);
            }
            parts.extend(between.into_parts(most).into_iter().rev());
        }
        let mut ranks = vec![usize::MAX; keys.len()];
        for (rank, key) in sorted.into_iter().enumerate() {
            ranks[key] = rank;
        }
        // A row that is gone by now comes last.
        let rank = |key: Option<usize>| key.map_or(usize::MAX, |key| ranks[key]);
        Ok(KeyIndex::new(&keys).of_rows(&own).into_iter().map(rank).collect())
    }

    // Some of the keys, in the order of their rows.
    async fn sorted_keys(&mut self, by_key: &KeyedSelect, keys: &KeySet, part: &[usize]) -> Result<Vec<usize>> {
        let mut part = part.to_vec();
        part.sort_unstable();
        let own = match keys {
            KeySet::Ints(keys) => KeySet::Ints(part.iter().map(|at| keys[*at]).collect()),
            KeySet::Tuples(keys) => KeySet::Tuples(part.iter().map(|at| keys[*at].clone()).collect()),
        };
        let dialect = self.session.dialect_of(by_key.model);
        // The rows were read in several statements, and so they are sorted anew.
        let statement = by_key.statement(dialect, &own)?.in_role(StatementRole::Continued);
        let mut rows = LinkRows::of(by_key.model, by_key.model.primary_key.to_vec());
        let places: Vec<Option<usize>> = match by_key.matching(dialect) {
            Matching::ByValue => {
                self.session.query_at(by_key.model, &statement, &mut rows).await?;
                KeyIndex::new(&own).of_rows(&rows.keys(by_key.columns, 0))
            }
            Matching::ByOrdinal => {
                let mut ordinals = Vec::new();
                let mut sink = LeadingSink { rows: &mut rows, ordinals: Some(&mut ordinals), groups: None };
                self.session.query_at(by_key.model, &statement, &mut sink).await?;
                ordinals.into_iter().map(|ordinal| usize::try_from(ordinal).ok()).collect()
            }
        };
        Ok(places.into_iter().filter_map(|place| part.get(place?).copied()).collect())
    }
}

/// Keys that are being assigned to the gap between two pivots.
struct Between {
    pivots: Vec<usize>,
    others: Vec<usize>,
    // The place of each pivot in the order, once it was seen; and of each what comes before it, and behind the last.
    place: HashMap<usize, usize>,
    order: Vec<usize>,
    parts: Vec<Vec<usize>>,
}

impl Between {
    // Several times as many pivots as statements, evenly spaced, so that the keys between two of them fit into one
    // statement.
    fn new(keys: &[usize], most: usize) -> Self {
        let count = (keys.len().div_ceil(most) * 8).clamp(1, most / 2);
        let is_pivot = |at: usize| (at * count) / keys.len() != ((at + 1) * count) / keys.len();
        let (pivots, others): (Vec<(usize, usize)>, Vec<(usize, usize)>) =
            keys.iter().copied().enumerate().partition(|(at, _)| is_pivot(*at));
        let keys = |of: Vec<(usize, usize)>| of.into_iter().map(|(_, key)| key).collect();
        let (pivots, others): (Vec<usize>, Vec<usize>) = (keys(pivots), keys(others));
        let parts = vec![Vec::new(); pivots.len() + 1];
        Between { pivots, others, place: HashMap::new(), order: Vec::new(), parts }
    }

    // Sorted keys, the pivots among them.
    fn add(&mut self, sorted: Vec<usize>) {
        let mut part = 0;
        let first = self.order.is_empty();
        for key in sorted {
            if let Some(place) = self.place.get(&key) {
                part = place + 1;
            } else if first && self.pivots.contains(&key) {
                self.place.insert(key, self.order.len());
                self.order.push(key);
                part = self.order.len();
            } else {
                self.parts[part].push(key);
            }
        }
    }

    // Neighbouring gaps together, up to the number of keys of one statement.
    fn into_parts(self, most: usize) -> Vec<Vec<usize>> {
        let mut parts: Vec<Vec<usize>> = Vec::new();
        let pivots = self.order.into_iter().map(|pivot| vec![pivot]).chain([Vec::new()]);
        for piece in self.parts.into_iter().zip(pivots).flat_map(|(before, pivot)| [before, pivot]) {
            match parts.last_mut() {
                Some(last) if last.len() + piece.len() <= most => last.extend(piece),
                _ => parts.push(piece),
            }
        }
        parts
    }
}

/// Puts rows into the order of their keys, and those of each key into the order of columns that compare alike everywhere: as a
/// database that was asked for the order returns them, whatever order they came in.
pub(super) fn sort_by_key(fetched: &mut Fetched, columns: &[(usize, Direction)]) {
    let ranks = Ranks::of(&*fetched.rows, columns);
    if let Groups::Runs(runs) = &fetched.groups {
        let follows = |at: u32| ranks.cmp(at - 1, at).is_le();
        let filled = || runs.iter().filter(|(_, len)| *len > 0);
        if filled().is_sorted() && filled().all(|(start, len)| (start + 1..start + len).all(follows)) {
            return;
        }
    }
    let groups = std::mem::replace(&mut fetched.groups, Groups::Lists(Vec::new()));
    let mut order: Vec<u32> = Vec::with_capacity(fetched.rows.len());
    let mut runs = Vec::new();
    for mut list in groups.into_lists() {
        if !list.is_sorted_by(|one, other| ranks.cmp(*one, *other).is_le()) {
            list.sort_by(|one, other| ranks.cmp(*one, *other));
        }
        runs.push((position(order.len()), position(list.len())));
        order.extend(list);
    }
    fetched.groups = Groups::Runs(runs);
    fetched.rows.reorder(&order);
}

/// What rows are sorted by: the values of some columns, of which a row's are compared one after the other.
struct Ranks(Vec<(Numbers, Direction)>);

// The values of a column, row by row.
enum Numbers {
    Ints(Vec<Option<i64>>),
    Any(Vec<i128>),
}

impl Ranks {
    fn of(rows: &dyn Rows, columns: &[(usize, Direction)]) -> Self {
        let numbers = |column: usize| match rows.keys(&[column], 0) {
            RowKeys::Ints(keys) => Numbers::Ints(keys),
            RowKeys::Tuples(keys) => {
                Numbers::Any(keys.iter().map(|key| number(key.as_ref().map(|key| key.values()))).collect())
            }
        };
        Ranks(columns.iter().map(|(column, direction)| (numbers(*column), *direction)).collect())
    }

    fn cmp(&self, one: u32, other: u32) -> Ordering {
        let (one, other) = (one as usize, other as usize);
        let compared = self.0.iter().map(|(numbers, direction)| {
            let ascending = match numbers {
                Numbers::Ints(numbers) => numbers[one].cmp(&numbers[other]),
                Numbers::Any(numbers) => numbers[one].cmp(&numbers[other]),
            };
            if *direction == Direction::Desc { ascending.reverse() } else { ascending }
        });
        compared.fold(Ordering::Equal, Ordering::then)
    }
}

fn number(values: Option<&[Value<'static>]>) -> i128 {
    match values {
        Some([Value::Int(number)]) => i128::from(*number),
        Some([Value::UInt(number)]) => i128::from(*number),
        Some([Value::Bool(flag)]) => i128::from(*flag),
        _ => i128::MIN + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Sorts by the database that `rank` simulates, with statements of `most` keys.
    fn sorted(count: usize, most: usize, rank: impl Fn(usize) -> usize) -> (Vec<usize>, usize) {
        let mut statements = 0;
        let mut sort = |keys: &[usize]| {
            assert!(keys.len() <= most, "{} of {most}", keys.len());
            statements += 1;
            let mut keys = keys.to_vec();
            keys.sort_by_key(|key| rank(*key));
            keys
        };
        let mut all = Vec::new();
        let mut parts: Vec<Vec<usize>> = vec![(0..count).collect()];
        while let Some(part) = parts.pop() {
            if part.len() <= most {
                all.extend(sort(&part));
                continue;
            }
            let mut between = Between::new(&part, most);
            for chunk in between.others.clone().chunks(most - between.pivots.len()) {
                between.add(sort(&[&between.pivots[..], chunk].concat()));
            }
            parts.extend(between.into_parts(most).into_iter().rev());
        }
        (all, statements)
    }

    #[test]
    fn keys_of_several_statements_are_sorted_as_by_one() {
        for (count, most) in [(1, 4), (5, 4), (64, 4), (1_000, 64), (1_025, 1_024), (20_000, 1_024), (3_000, 16)] {
            for (name, rank) in [
                ("as it is", Box::new(|key| key) as Box<dyn Fn(usize) -> usize>),
                ("backwards", Box::new(move |key| count - key)),
                ("shuffled", Box::new(|key: usize| key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 7)),
                (
                    "nearly all alike",
                    Box::new(|key: usize| if key.is_multiple_of(97) { 0 } else { 1 } * 1_000_000 + key),
                ),
            ] {
                let (found, statements) = sorted(count, most, &rank);
                let mut expected: Vec<usize> = (0..count).collect();
                expected.sort_by_key(|key| rank(*key));
                assert!(found == expected, "{count} by {most}, {name}");
                if most >= 1_024 {
                    assert!(statements <= 3 * count.div_ceil(most) + 2, "{statements} for {count} by {most}, {name}");
                }
            }
        }
    }
}
