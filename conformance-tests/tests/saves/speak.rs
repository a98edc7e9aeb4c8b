//! Random changes: new rows and changes of rows that exist, with things said of all their associations, some of which have
//! to be refused.

use std::collections::HashSet;
use std::sync::Arc;

use assoc_core::Value;
use assoc_core::change::{ChildOp, Member, Row, RowChange};
use assoc_core::metadata::{AssociationDef, Cardinality, ColumnDefault, Linkage, ModelDef};

use crate::random::Random;
use crate::tables::{Handle, Structs, Tables};

pub(crate) struct Speaker<'w> {
    pub(crate) random: &'w mut Random,
    pub(crate) tables: &'w Tables,
    pub(crate) structs: &'w Structs,
    pub(crate) labels: &'w mut i64,
    /// Rows of which something is said: each once, so that the order of what is said does not count.
    pub(crate) spoken: HashSet<Handle>,
    /// A new row that is given to several associations.
    pub(crate) shared: Option<Arc<RowChange>>,
}

fn text(text: impl Into<String>) -> Value<'static> {
    Value::Text(text.into().into())
}

impl Speaker<'_> {
    fn label(&mut self) -> i64 {
        *self.labels += 1;
        *self.labels
    }

    /// A new row, of which some columns are given by others.
    pub(crate) fn new_row(&mut self, model: &'static ModelDef, depth: usize, given: &[usize]) -> RowChange {
        let mut change = RowChange::new(model);
        let label = self.label();
        for (at, column) in model.columns.iter().enumerate().filter(|(at, _)| !given.contains(at)) {
            if column.default == ColumnDefault::AutoIncrement || matches!(column.default, ColumnDefault::Filled(_)) {
                continue;
            }
            let value = match column.name {
                "label" => text(format!("{} {label}", model.name)),
                "email" if self.random.once_in(2) => text(format!("m{}", label % 7)),
                "role" if self.random.once_in(2) => text(*self.random.pick(&["chair", "guest"])),
                "kind" if model.discriminator.is_none() && self.random.once_in(2) => {
                    text(*self.random.pick(&["avatar", "cover"]))
                }
                "published" | "open" if self.random.once_in(2) => Value::Bool(self.random.once_in(2)),
                "room" => Value::Int(1 + label % 3),
                "number" => Value::Int(label),
                "code" if model.name == "Country" => text(format!("c{label}")),
                "code" => Value::Int(label * 3),
                "isbn" => text(format!("i{label}")),
                _ => continue,
            };
            change.set(at, value);
        }
        self.speak(&mut change, depth, given);
        change
    }

    /// Changes of a row that exists.
    pub(crate) fn changed(&mut self, model: &'static ModelDef, row: Row, depth: usize, given: &[usize]) -> RowChange {
        let mut change = RowChange::of(model, row);
        let label = self.label();
        for (at, column) in model.columns.iter().enumerate().filter(|(at, _)| !given.contains(at)) {
            let value = match column.name {
                "label" if self.random.once_in(2) => text(format!("{} {label}", model.name)),
                "role" if self.random.once_in(3) => text(*self.random.pick(&["chair", "guest"])),
                "published" | "open" if self.random.once_in(3) => Value::Bool(self.random.once_in(2)),
                _ => continue,
            };
            change.set(at, value);
        }
        self.speak(&mut change, depth, given);
        change
    }

    /// A row that nothing is said of yet, which is spoken of now.
    fn unspoken(&mut self, model: &'static ModelDef) -> Option<Row> {
        let rows = self.structs.get(model.name)?;
        if rows.is_empty() {
            return None;
        }
        let row = Arc::clone(self.random.pick(rows));
        let handle = self.tables.find(model, &*row)?;
        self.spoken.insert(handle).then_some(row)
    }

    // A row that is a member, as a rule.
    fn unspoken_member(&mut self, association: &'static AssociationDef, owner: &Row) -> Option<Row> {
        let target = (association.target)();
        if self.random.once_in(6) {
            return self.unspoken(target);
        }
        let owner_key = |columns: &[usize]| (association.owner)().key_in(&**owner, columns);
        let rows = self.structs.get(target.name)?;
        let members: Vec<Row> = match association.linkage().ok()? {
            Linkage::TargetKey(key) => {
                let own = owner_key(key.owner_columns)?;
                rows.iter()
                    .filter(|row| target.key_in(&***row, key.target_columns).as_ref() == Some(&own))
                    .cloned()
                    .collect()
            }
            Linkage::JoinRecord(record) => {
                let names =
                    |columns: &[usize]| columns.iter().map(|at| record.table.columns[*at].name).collect::<Vec<_>>();
                let (here, there) = (names(record.owner.target_columns), names(record.target.owner_columns));
                let own = owner_key(record.owner.owner_columns)?;
                let links: Vec<Vec<Value<'static>>> = self
                    .tables
                    .rows(record.table.table.name)
                    .filter(|(_, row)| here.iter().zip(own.values()).all(|(name, value)| row[name] == *value))
                    .map(|(_, row)| there.iter().map(|name| row[name].clone()).collect())
                    .collect();
                let key = |row: &Row| target.key_in(&**row, record.target.target_columns);
                rows.iter()
                    .filter(|row| key(row).is_some_and(|key| links.iter().any(|link| link == key.values())))
                    .cloned()
                    .collect()
            }
            _ => return None,
        };
        let row = if members.is_empty() { return None } else { Arc::clone(self.random.pick(&members)) };
        let handle = self.tables.find(target, &*row)?;
        self.spoken.insert(handle).then_some(row)
    }

    fn speak(&mut self, change: &mut RowChange, depth: usize, given: &[usize]) {
        let model = change.model();
        let mut associations: Vec<&'static AssociationDef> = model.associations.iter().collect();
        self.random.shuffle(&mut associations);
        // Columns that an association of the row sets.
        let mut set: Vec<usize> = given.to_vec();
        let mut written: HashSet<&'static str> = HashSet::new();
        for association in associations {
            let is_to_be = |speaker: &mut Self| depth > 0 && speaker.random.once_in(if depth > 1 { 4 } else { 7 });
            match association.linkage().expect("a linkage") {
                Linkage::OwnerKey(key) => {
                    if key.owner_columns.iter().any(|column| set.contains(column)) {
                        continue;
                    }
                    let is_required = change.base().is_none() && !association.options.optional;
                    if (is_required || is_to_be(self))
                        && self.belong(change, association, (association.target)(), depth)
                    {
                        set.extend(key.owner_columns);
                    }
                }
                Linkage::OwnerKeyAndType { owner_columns, type_column, variants } => {
                    if set.contains(&type_column) || owner_columns.iter().any(|column| set.contains(column)) {
                        continue;
                    }
                    let variant = self.random.pick(variants);
                    if is_to_be(self) && self.belong(change, association, (variant.model)(), depth) {
                        set.extend(owner_columns);
                        set.push(type_column);
                    }
                }
                Linkage::TargetKey(key) => {
                    if !is_to_be(self) {
                        continue;
                    }
                    let mut columns = key.target_columns.to_vec();
                    columns.extend(key.target_type.map(|named| named.column));
                    // Two associations with the same rows would contradict each other.
                    let rows = (association.target)().table.name;
                    if written.insert(rows) {
                        self.members(change, association, depth - 1, &columns);
                    }
                }
                Linkage::JoinRecord(record) => {
                    if is_to_be(self) && written.insert(record.table.table.name) {
                        self.members(change, association, depth - 1, &[]);
                    }
                }
                Linkage::ReadOnly(_) => {}
                other => panic!("{other:?} is unknown"),
            }
        }
    }

    // Whom the row belongs to.
    fn belong(
        &mut self,
        change: &mut RowChange,
        association: &'static AssociationDef,
        target: &'static ModelDef,
        depth: usize,
    ) -> bool {
        let rows = self.structs.get(target.name).map_or(&[][..], Vec::as_slice);
        match self.random.below(5) {
            0 | 1 if !rows.is_empty() => {
                let row = self.random.pick(rows);
                change.associate(association, target, &**row);
                true
            }
            2 if association.options.optional && change.base().is_some() => {
                change.dissociate(association);
                true
            }
            3 => match self.unspoken(target) {
                Some(row) => {
                    let changed = self.changed(target, row, depth.saturating_sub(1), &[]);
                    change.associate_with(association, Member::Change(changed));
                    true
                }
                None => self.belong(change, association, target, depth),
            },
            _ => {
                let new = self.new_row(target, depth.saturating_sub(1), &[]);
                change.associate_with(association, Member::Change(new));
                true
            }
        }
    }

    fn members(&mut self, change: &mut RowChange, association: &'static AssociationDef, depth: usize, given: &[usize]) {
        let to_one = association.kind.cardinality() == Cardinality::One;
        if to_one {
            let op = match self.random.below(4) {
                0 => ChildOp::Replace(Vec::new()),
                1 => match change.base().cloned().and_then(|owner| self.unspoken_member(association, &owner)) {
                    Some(row) => ChildOp::Edit(Box::new(self.changed((association.target)(), row, depth, given))),
                    None => return,
                },
                _ => ChildOp::Replace(vec![self.member(association, depth, given)]),
            };
            return change.change_members(association, op);
        }
        // What a new owner cannot be told is refused, and that is another test.
        let owner = change.base().cloned();
        if let Some(owner) = owner.as_ref().filter(|_| self.random.once_in(4)) {
            let mut list = Vec::new();
            for _ in 0..self.random.below(3) {
                list.extend(
                    self.unspoken_member(association, owner)
                        .map(|row| Member::Row { model: (association.target)(), row }),
                );
            }
            for _ in 0..self.random.below(3) {
                list.push(self.member(association, depth, given));
            }
            change.change_members(association, ChildOp::Replace(list));
        }
        for _ in 0..1 + self.random.below(2) {
            let member = owner.as_ref().and_then(|owner| {
                let speaks = self.random.once_in(2);
                speaks.then(|| self.unspoken_member(association, owner)).flatten()
            });
            let op = match member {
                Some(row) if self.random.once_in(2) => ChildOp::Remove(row),
                Some(row) => ChildOp::Edit(Box::new(self.changed((association.target)(), row, depth, given))),
                None => {
                    let member = self.member(association, depth, given);
                    ChildOp::Push { join: self.join(association, &member), member }
                }
            };
            match op {
                ChildOp::Push { member, join: None } => change.push_member(association, member, 0),
                op => change.change_members(association, op),
            }
        }
    }

    // A member more: a new row, one that exists, one with changes.
    fn member(&mut self, association: &'static AssociationDef, depth: usize, given: &[usize]) -> Member {
        let target = (association.target)();
        if given.is_empty() && target.name == "Tag" && self.random.once_in(3) {
            let shared = match &self.shared {
                Some(shared) => Arc::clone(shared),
                None => Arc::new(self.new_row(target, 0, &[])),
            };
            self.shared = Some(Arc::clone(&shared));
            return Member::Shared(shared);
        }
        if self.random.once_in(2)
            && let Some(row) = self.unspoken(target)
        {
            if self.random.once_in(2) {
                return Member::Row { model: target, row };
            }
            return Member::Change(self.changed(target, row, depth, given));
        }
        Member::Change(self.new_row(target, depth, given))
    }

    // What is written to the row between.
    fn join(&mut self, association: &'static AssociationDef, _: &Member) -> Option<Box<RowChange>> {
        let Ok(Linkage::JoinRecord(record)) = association.linkage() else { return None };
        let column = record.table.columns.iter().position(|column| matches!(column.name, "role" | "level"))?;
        if self.random.once_in(2) {
            return None;
        }
        let mut join = RowChange::new(record.table);
        let value = match record.table.columns[column].name {
            "role" => text(*self.random.pick(&["chair", "guest"])),
            _ => Value::Int(self.random.below(5) as i64),
        };
        join.set(column, value);
        Some(Box::new(join))
    }
}
