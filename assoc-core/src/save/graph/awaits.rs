//! The columns of a planned row that take values of other rows.

use std::ops::Deref;
use std::slice;

use super::Awaited;

/// The columns of a planned row that take their values of other planned rows. As a rule there is one, which needs no list: a
/// save may have very many rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Awaits(Columns);

#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum Columns {
    #[default]
    None,
    One(Awaited),
    Several(Vec<Awaited>),
}

impl Awaits {
    /// Adds a column.
    pub(super) fn push(&mut self, awaited: Awaited) {
        self.0 = match std::mem::take(&mut self.0) {
            Columns::None => Columns::One(awaited),
            Columns::One(first) => Columns::Several(vec![first, awaited]),
            Columns::Several(mut all) => {
                all.push(awaited);
                Columns::Several(all)
            }
        };
    }

    /// Takes out the columns that take their values of one row.
    pub(super) fn take_of(&mut self, row: u32) -> Vec<Awaited> {
        let (taken, left) = self.iter().partition(|awaited| awaited.row == row);
        let left: Vec<Awaited> = left;
        self.0 = Columns::None;
        left.into_iter().for_each(|awaited| self.push(awaited));
        taken
    }
}

impl Deref for Awaits {
    type Target = [Awaited];

    fn deref(&self) -> &[Awaited] {
        match &self.0 {
            Columns::None => &[],
            Columns::One(awaited) => slice::from_ref(awaited),
            Columns::Several(all) => all,
        }
    }
}

impl<'a> IntoIterator for &'a Awaits {
    type Item = &'a Awaited;
    type IntoIter = slice::Iter<'a, Awaited>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
