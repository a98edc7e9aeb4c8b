//! What follows from rows that change, summed for each row they belong to.

use std::any::TypeId;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::Children;
use crate::change::timestamp;
use crate::dialect::Dialect;
use crate::error::Result;
use crate::key::{KeySet, KeyTuple};
use crate::metadata::association::{AssociationDef, KeySide, Parent};
use crate::metadata::expr::Expr;
use crate::metadata::model::ModelDef;
use crate::sql::{FollowedColumn, FollowedRows, Moved, ends_at};
use crate::statement::Statement;
use crate::value::{DateTime, Value};

/// What follows in the rows of all models.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use assoc_core::counters::{Children, ParentChanges};
/// use assoc_core::execution::KeyTuple;
/// use assoc_core::value::{Date, DateTime, Time};
///
/// // Grace moves from team 5 to team 6, and Ada, of team 6, is gone.
/// let users = Children::of(User::DEF).expect("a team counts its users");
/// let row = |id: i64, team: i64| users.row(|column| if column == 0 { id.into() } else { team.into() });
/// let mut changes = ParentChanges::new(true);
/// changes.change(&users, Some(&row(1, 5)), Some(&row(1, 6)), |_, _| true);
/// changes.count_removed(&users, Some(&row(2, 6)), None);
/// assert!(changes.touches() && !changes.is_empty());
/// assert_eq!(changes.models().collect::<Vec<_>>(), [Team::DEF]);
///
/// // The sum of team 6 is 0: only team 5 is written.
/// let teams = changes.take_next().expect("team 5");
/// # let date = Date { year: 2024, month: 2, day: 29 };
/// # let now = DateTime { date, time: Time { negative: false, hour: 12, minute: 0, second: 0, micros: 0 } };
/// # let (always, dialect) = (assoc_core::metadata::Expr::always(), StandardSql::default());
/// let statement = teams.statement(&dialect, &teams.keys(), &always, now)?;
/// assert_eq!(statement.sql(), "UPDATE teams SET users_count = COALESCE(users_count - ?, ?) WHERE id IN (?)");
/// assert!(changes.take_next().is_none());
///
/// // Counters and times that the program itself names, and what turns out to be so already.
/// let team = |id: i64| KeyTuple::of_row([id.into()]);
/// changes.count(Team::DEF, Team::PRIMARY_KEY, Team::USERS_COUNT.index(), &[(team(5), 2), (team(6), 1)]);
/// changes.touch(Team::DEF, team(5), []);
/// changes.retain(|_, key, _| *key == team(5));
/// assert_eq!(changes.take_next().map(|teams| teams.keys().len()), Some(1));
/// # Ok::<(), assoc_core::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct ParentChanges {
    without_touches: bool,
    groups: Vec<ParentGroup>,
    ranks: HashMap<TypeId, usize>,
}

/// The rows of one model, found by one key, in which something follows.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use std::collections::HashMap;
///
/// use assoc_core::counters::ParentChanges;
/// use assoc_core::execution::KeyTuple;
/// # use assoc_core::value::{Date, DateTime, Time};
/// # let date = Date { year: 2024, month: 2, day: 29 };
/// # let now = DateTime { date, time: Time { negative: false, hour: 12, minute: 0, second: 0, micros: 0 } };
///
/// let team = |id: i64| KeyTuple::of_row([id.into()]);
/// let mut changes = ParentChanges::new(true);
/// let counter = Team::USERS_COUNT.index();
/// changes.count(Team::DEF, Team::PRIMARY_KEY, counter, &[(team(5), 2), (team(6), 1)]);
/// let mut teams = changes.take_next().expect("two teams");
/// assert!(teams.keys().len() <= teams.keys_per_statement(&StandardSql::default()));
/// // The owners that the program holds take the same values.
/// assert_eq!(teams.values(&team(5), now, |_| 10_i64.into()), [(counter, 12_i64.into())]);
/// // No time was moved before in the same transaction.
/// teams.leave_out(|_| None);
/// // To the database both are one team.
/// teams.rename(&HashMap::from([(team(6), team(5))]));
/// assert_eq!(teams.values(&team(5), now, |_| 10_i64.into()), [(counter, 13_i64.into())]);
/// ```
#[derive(Debug)]
pub struct ParentGroup {
    /// The model.
    pub model: &'static ModelDef,
    /// The columns by which the rows are found.
    pub key: &'static [usize],
    /// The conditions of the associations that lead to them.
    pub conditions: Expr,
    /// The rows by their keys.
    pub rows: HashMap<KeyTuple, ParentRow>,
    /// Rows whose times the same transaction has moved before, with the columns and when.
    pub touched_before: HashMap<KeyTuple, BTreeMap<usize, DateTime>>,
    rank: usize,
}

/// What follows in one row.
#[derive(Debug, Clone, Default)]
pub struct ParentRow {
    /// What is added to its counters.
    pub counters: BTreeMap<usize, i64>,
    /// The columns that take the time of the change.
    pub touched: BTreeSet<usize>,
    /// An association by which a row is to belong to it that did not before: it must exist then.
    pub linked_by: Option<&'static AssociationDef>,
    /// An association by which it is counted.
    pub counted_by: Option<&'static AssociationDef>,
    /// Whether it was itself to be touched: it must exist then.
    pub is_given: bool,
}

impl ParentRow {
    fn is_untouched(&self) -> bool {
        self.counters.is_empty() && self.touched.is_empty()
    }

    fn add(&mut self, counter: usize, amount: i64) {
        let sum = self.counters.entry(counter).or_default();
        *sum = sum.saturating_add(amount);
        if *sum == 0 {
            self.counters.remove(&counter);
        }
    }
}

impl ParentChanges {
    /// Nothing yet. Without `touches` no time will move.
    #[must_use]
    pub fn new(touches: bool) -> Self {
        ParentChanges { without_touches: !touches, ..ParentChanges::default() }
    }

    /// Whether times move.
    #[must_use]
    pub fn touches(&self) -> bool {
        !self.without_touches
    }

    /// Whether nothing follows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.groups.iter().all(|group| group.rows.is_empty())
    }

    /// Takes in a row that was inserted (`before` is `None`), changed, or is gone (`after` is `None`). Parents for which
    /// `is_meant` answers no are left out, each by its place and whether it is the new one.
    pub fn change(
        &mut self,
        children: &Children,
        before: Option<&[Value<'static>]>,
        after: Option<&[Value<'static>]>,
        is_meant: impl Fn(usize, bool) -> bool,
    ) {
        for (place, parent) in children.parents.iter().enumerate() {
            let of = |row: Option<&[Value<'static>]>| row.and_then(|row| children.parent_key(parent, row));
            let (old, new) = (of(before), of(after));
            let moves = old != new;
            for (key, is_new) in [(old, false), (new, true)] {
                let Some(key) = key.filter(|_| is_meant(place, is_new)) else { continue };
                self.follow(parent, key, moves.then_some(if is_new { 1 } else { -1 }), moves && is_new);
            }
        }
    }

    /// Takes in a row that a plain statement takes away from its parents: counters follow it, and no time moves.
    pub fn count_removed(
        &mut self,
        children: &Children,
        before: Option<&[Value<'static>]>,
        after: Option<&[Value<'static>]>,
    ) {
        let without_touches = std::mem::replace(&mut self.without_touches, true);
        self.change(children, before, after, |_, _| true);
        self.without_touches = without_touches;
    }

    pub(super) fn follow(&mut self, parent: &Parent, key: KeyTuple, amount: Option<i64>, is_linked: bool) {
        let counted = parent.counter.zip(amount);
        let touched = if self.without_touches { &[][..] } else { &parent.touched };
        if counted.is_none() && touched.is_empty() {
            return;
        }
        let group = self.group(parent.model, parent.key, &parent.conditions);
        let row = group.rows.entry(key).or_default();
        if let Some((counter, amount)) = counted {
            row.add(counter, amount);
            row.counted_by = Some(parent.association);
        }
        row.touched.extend(touched);
        if is_linked && parent.key_side == KeySide::Owner {
            row.linked_by = Some(parent.association);
        }
    }

    /// Moves the times of a row that is touched with another, found by its primary key.
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use assoc_core::counters::ParentChanges;
    /// use assoc_core::execution::KeyTuple;
    ///
    /// let parent = User::TEAM.def().kind.parents(User::TEAM.def()).remove(0);
    /// let mut changes = ParentChanges::new(true);
    /// changes.touch_with(&parent, KeyTuple::of_row([5_i64.into()]));
    /// // The association has `counter_cache` alone, so no time moves.
    /// assert!(changes.take_next().is_none());
    /// ```
    pub fn touch_with(&mut self, parent: &Parent, row: KeyTuple) {
        if !self.without_touches {
            let group = self.group(parent.model, parent.model.primary_key, &Expr::always());
            group.rows.entry(row).or_default().touched.extend(&parent.touched);
        }
    }

    /// Adds to a counter of some rows.
    pub fn count(&mut self, model: &'static ModelDef, key: &'static [usize], counter: usize, rows: &[(KeyTuple, i64)]) {
        let group = self.group(model, key, &Expr::always());
        for (key, amount) in rows {
            group.rows.entry(key.clone()).or_default().add(counter, *amount);
        }
    }

    /// Moves times of a row that must exist.
    pub fn touch(&mut self, model: &'static ModelDef, row: KeyTuple, columns: impl IntoIterator<Item = usize>) {
        if !self.without_touches {
            let group = self.group(model, model.primary_key, &Expr::always());
            let row = group.rows.entry(row).or_default();
            row.touched.extend(columns);
            row.is_given = true;
        }
    }

    fn group(&mut self, model: &'static ModelDef, key: &'static [usize], conditions: &Expr) -> &mut ParentGroup {
        let is_same = |group: &ParentGroup| group.model == model && group.key == key && group.conditions == *conditions;
        let at = self.groups.iter().position(is_same).unwrap_or_else(|| {
            let rank = rank(model, &mut self.ranks);
            let (conditions, rows) = (conditions.clone(), HashMap::new());
            let touched_before = HashMap::new();
            self.groups.push(ParentGroup { model, key, conditions, rows, touched_before, rank });
            self.groups.len() - 1
        });
        &mut self.groups[at]
    }

    /// Leaves out what is already so, or is no longer there.
    pub fn retain(&mut self, mut keep: impl FnMut(&ParentGroup, &KeyTuple, &mut ParentRow) -> bool) {
        for group in &mut self.groups {
            let mut rows = std::mem::take(&mut group.rows);
            rows.retain(|key, row| keep(group, key, row));
            group.rows = rows;
        }
    }

    /// Makes keys others, as `names` says of each group of rows.
    pub fn rename(&mut self, names: impl Fn(&ParentGroup) -> HashMap<KeyTuple, KeyTuple>) {
        for group in &mut self.groups {
            let names = names(group);
            if !names.is_empty() {
                group.rename(&names);
            }
        }
    }

    /// The models in which something follows.
    pub fn models(&self) -> impl Iterator<Item = &'static ModelDef> {
        self.groups.iter().map(|group| group.model)
    }

    /// The rows that are written next, in the order that all transactions keep. `None` if there are no more.
    pub fn take_next(&mut self) -> Option<ParentGroup> {
        for group in &mut self.groups {
            group.rows.retain(|_, row| !row.is_untouched());
        }
        self.groups.retain(|group| !group.rows.is_empty());
        let order = |group: &ParentGroup| {
            (std::cmp::Reverse(group.rank), group.model.table.schema, group.model.table.name, group.key)
        };
        let first = (0..self.groups.len()).min_by_key(|at| order(&self.groups[*at]))?;
        Some(self.groups.remove(first))
    }
}

impl ParentGroup {
    /// The keys of the rows, in their order.
    #[must_use]
    pub fn keys(&self) -> KeySet {
        KeySet::from_iter(self.rows.keys().cloned())
    }

    /// How many keys one statement takes.
    #[must_use]
    pub fn keys_per_statement(&self, dialect: &dyn Dialect) -> usize {
        let columns: BTreeSet<usize> =
            self.rows.values().flat_map(|row| row.counters.keys().chain(&row.touched)).copied().collect();
        FollowedRows::keys_per_statement(dialect, self.key.len(), columns.len())
    }

    /// The statement that changes the rows with some of the keys, of those that satisfy a condition.
    ///
    /// # Errors
    /// When the condition cannot be written, or there are too many keys.
    ///
    /// See [`ParentChanges`], which collects what the statement writes.
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use assoc_core::counters::ParentChanges;
    /// use assoc_core::execution::KeyTuple;
    /// # use assoc_core::value::{Date, DateTime, Time};
    /// # let date = Date { year: 2024, month: 2, day: 29 };
    /// # let now = DateTime { date, time: Time { negative: false, hour: 12, minute: 0, second: 0, micros: 0 } };
    ///
    /// let mut changes = ParentChanges::new(true);
    /// let team = KeyTuple::of_row([5_i64.into()]);
    /// changes.count(Team::DEF, Team::PRIMARY_KEY, Team::USERS_COUNT.index(), &[(team, 2)]);
    /// let teams = changes.take_next().expect("a team");
    /// let visible = Team::USERS_COUNT.ge(0).into_expr(); // A repo's filter.
    /// let statement = teams.statement(&StandardSql::default(), &teams.keys(), &visible, now)?;
    /// assert!(statement.sql().ends_with("WHERE id IN (?) AND (users_count >= ?)"));
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    pub fn statement(&self, dialect: &dyn Dialect, keys: &KeySet, visible: &Expr, now: DateTime) -> Result<Statement> {
        let mut counted: BTreeMap<usize, BTreeMap<i64, Vec<KeyTuple>>> = BTreeMap::new();
        let mut touched: BTreeMap<usize, Vec<KeyTuple>> = BTreeMap::new();
        for key in keys.tuples() {
            let Some(row) = self.rows.get(&key) else { continue };
            for (counter, amount) in &row.counters {
                counted.entry(*counter).or_default().entry(*amount).or_default().push(key.clone());
            }
            for column in &row.touched {
                touched.entry(*column).or_default().push(key.clone());
            }
        }
        let counted = counted.into_iter().map(|(column, amounts)| {
            let moved =
                amounts.into_iter().map(|(amount, keys)| (Moved::By(amount), KeySet::from_iter(keys))).collect();
            FollowedColumn { column, moved }
        });
        let touched = touched.into_iter().map(|(column, keys)| {
            let time = timestamp(self.model.columns[column].sql_type, now);
            FollowedColumn { column, moved: vec![(Moved::To(time), KeySet::from_iter(keys))] }
        });
        let columns: Vec<FollowedColumn> = counted.chain(touched).collect();
        let filter = self.conditions.clone().and(visible.clone());
        FollowedRows { model: self.model, key: self.key, keys, filter: &filter }.update(dialect, &columns)
    }

    /// Leaves out times that were moved before. Rows that are touched for themselves are not looked at.
    pub fn leave_out<'t>(&mut self, before: impl Fn(&KeyTuple) -> Option<&'t BTreeMap<usize, DateTime>>) {
        for (key, row) in self.rows.iter_mut().filter(|(_, row)| !row.is_given && !row.touched.is_empty()) {
            for (column, time) in before(key).into_iter().flatten() {
                if row.touched.remove(column) {
                    self.touched_before.entry(key.clone()).or_default().insert(*column, *time);
                }
            }
        }
        self.rows.retain(|_, row| !row.is_untouched());
    }

    /// What columns of a row hold afterwards, by what they held.
    pub fn values<'v>(
        &self,
        key: &KeyTuple,
        now: DateTime,
        before: impl Fn(usize) -> Value<'v>,
    ) -> Vec<(usize, Value<'static>)> {
        let earlier = self.touched_before.get(key).into_iter().flatten();
        let earlier = earlier.map(|(column, time)| (*column, timestamp(self.model.columns[*column].sql_type, *time)));
        let mut values: Vec<(usize, Value<'static>)> = earlier.collect();
        if let Some(row) = self.rows.get(key) {
            values.extend(row.values(self.model, now, before));
        }
        values
    }

    /// Makes the keys those that the database has, where it calls others equal to them.
    pub fn rename(&mut self, stored: &HashMap<KeyTuple, KeyTuple>) {
        for (key, row) in std::mem::take(&mut self.rows) {
            let known = self.rows.entry(stored.get(&key).unwrap_or(&key).clone()).or_default();
            for (counter, amount) in row.counters {
                known.add(counter, amount);
            }
            known.touched.extend(row.touched);
            known.linked_by = known.linked_by.or(row.linked_by);
            known.counted_by = known.counted_by.or(row.counted_by);
            known.is_given |= row.is_given;
        }
        self.rows.retain(|_, row| !row.is_untouched());
    }
}

impl ParentRow {
    fn values<'v>(
        &self,
        model: &'static ModelDef,
        now: DateTime,
        before: impl Fn(usize) -> Value<'v>,
    ) -> Vec<(usize, Value<'static>)> {
        let counted = self.counters.iter().map(|(column, amount)| {
            let def = &model.columns[*column];
            // A field of an unsigned type may give its number as a signed one.
            let sum = match before(*column) {
                Value::Int(count) => Value::Int(ends_at(def, count.saturating_add(*amount))),
                Value::UInt(count) => Value::UInt(count.saturating_add_signed(*amount)),
                _ => Value::Int(ends_at(def, *amount)),
            };
            (*column, sum)
        });
        let touched = self.touched.iter().map(|column| (*column, timestamp(model.columns[*column].sql_type, now)));
        counted.chain(touched).collect()
    }
}

/// How many models one after the other are touched with a model's rows. In a circle each counts once.
fn rank(model: &'static ModelDef, known: &mut HashMap<TypeId, usize>) -> usize {
    if let Some(rank) = known.get(&model.type_id()) {
        return *rank;
    }
    known.insert(model.type_id(), 0);
    let parents = Children::touching(model).map(|children| children.parents).unwrap_or_default();
    let above = parents.iter().map(|parent| rank(parent.model, known) + 1).max().unwrap_or(0);
    known.insert(model.type_id(), above);
    above
}
