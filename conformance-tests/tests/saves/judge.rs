//! What a save comes to, worked out row by row in memory: from the documentation, not from the plan.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use assoc_core::Value;
use assoc_core::change::{ChildChange, ChildOp, Member, Row, RowChange};
use assoc_core::metadata::{
    AssociationDef, ColumnDefault, Comparison, Dependent, Discriminator, Expr, JoinRecord, KeyJoin, Linkage, ModelDef,
    Operand,
};

use crate::tables::{Cells, Handle, Tables, unknown};

pub(crate) struct Judge<'t> {
    before: &'t Tables,
    after: Tables,
    // Why nothing may be written.
    refused: Option<String>,
    // Links that a replacement keeps, so that it adds none, by association and both ends.
    kept: HashMap<(&'static str, Handle, Handle), usize>,
    let_go: HashSet<Handle>,
    shared: HashMap<usize, Handle>,
    unknowns: usize,
}

// What a change says of associations, member by member.
fn said(change: &RowChange) -> Vec<(&'static AssociationDef, ChildOp)> {
    let each = |child: &ChildChange| match &child.op {
        ChildOp::PushNew(new) => {
            new.members().map(|member| (child.association, ChildOp::Push { member, join: None })).collect()
        }
        op => vec![(child.association, op.clone())],
    };
    change.children().iter().flat_map(each).collect()
}

/// The tables afterwards, or why they stay as they are.
pub(crate) fn judge(before: &Tables, changes: &[RowChange]) -> Result<Tables, String> {
    let mut judge = Judge {
        before,
        after: before.clone(),
        refused: None,
        kept: HashMap::new(),
        let_go: HashSet::new(),
        shared: HashMap::new(),
        unknowns: 0,
    };
    changes.iter().for_each(|change| judge.look_up(change));
    changes.iter().for_each(|change| {
        judge.write(change, &Cells::new(), &Cells::new());
    });
    judge.refused.map_or(Ok(judge.after), Err)
}

/// The columns that an association's own conditions say the value of.
pub(crate) fn equalities(association: &AssociationDef) -> Cells {
    let mut found = Cells::new();
    if let Some(scope) = association.options.scope {
        collect(
            &(association.target)().columns.iter().map(|column| column.name).collect::<Vec<_>>(),
            &scope().filter,
            &mut found,
        );
    }
    found
}

fn collect(names: &[&'static str], filter: &Expr, found: &mut Cells) {
    match filter {
        Expr::All(parts) => parts.iter().for_each(|part| collect(names, part, found)),
        Expr::Compare { left: Operand::Column(column), op: Comparison::Eq, right: Operand::Value(value) } => {
            let name = names.iter().find(|name| **name == column.name).expect("a column of the target");
            found.insert(name, value.clone());
        }
        other => panic!("the conditions of these models are equalities: {other:?}"),
    }
}

fn name(model: &ModelDef, column: usize) -> &'static str {
    model.columns[column].name
}

fn typed(model: &ModelDef, types: &[Option<Discriminator>], cells: &mut Cells) {
    for named in types.iter().flatten() {
        cells.insert(name(model, named.column), Value::from(named.tag));
    }
}

fn holds(row: &Cells, wanted: &Cells) -> bool {
    wanted.iter().all(|(name, value)| row[name] == *value)
}

impl Judge<'_> {
    fn refuse(&mut self, why: String) {
        self.refused.get_or_insert(why);
    }

    // The row of a struct, which is there.
    fn find(&self, model: &'static ModelDef, row: &Row) -> Handle {
        self.before.find(model, &**row).expect("a row of the tables")
    }

    // The columns of a key, with the owner's values; `None` if one is NULL.
    fn key(model: &ModelDef, target: &ModelDef, key: KeyJoin, owner: &Cells) -> Option<Cells> {
        let pairs = key.target_columns.iter().zip(key.owner_columns);
        let cells: Cells = pairs.map(|(to, from)| (name(target, *to), owner[name(model, *from)].clone())).collect();
        (!cells.values().any(Value::is_null)).then_some(cells)
    }

    // What is asked of the tables before anything is written.
    fn look_up(&mut self, change: &RowChange) {
        let model = change.model();
        for (association, op) in said(change) {
            if let ChildOp::AssociateWith { target, .. } = &op {
                target.change().into_iter().for_each(|target| self.look_up(target));
                continue;
            }
            let owner = change.base().map(|row| self.find(model, row));
            match association.linkage().expect("a linkage") {
                Linkage::TargetKey(key) => self.look_up_targets(association, key, owner, &op, change),
                Linkage::JoinRecord(record) => self.look_up_links(association, &record, owner, &op),
                _ => {}
            }
            for member in op.members() {
                member.change().into_iter().for_each(|member| self.look_up(member));
            }
            if let ChildOp::Edit(member) = &op {
                self.look_up(member);
            }
        }
    }

    // A row as the conditions of an association have to see it.
    fn require_seen(&mut self, association: &'static AssociationDef, member: &Member) {
        let model = member.model();
        for (column, wanted) in equalities(association) {
            let at = model.columns.iter().position(|known| known.name == column).expect("a column");
            let said = member.change().and_then(|change| change.values()[at].clone());
            let there = member.existing().map(|row| model.rows.value(&**row, at).into_owned());
            if let Some(value) = said.or(there)
                && value != wanted
            {
                self.refuse(format!("{}: {column} is {value}", association.qualified_name()));
            }
        }
    }

    fn look_up_targets(
        &mut self,
        association: &'static AssociationDef,
        key: KeyJoin,
        owner: Option<Handle>,
        op: &ChildOp,
        change: &RowChange,
    ) {
        let (model, target) = ((association.owner)(), (association.target)());
        let by = owner.map(|owner| Self::key(model, target, key, self.before.row(owner)));
        // A new owner's key is what the change says, unless the database makes it.
        let known = |column: &usize| change.values()[*column].as_ref().is_some_and(|value| !value.is_null());
        let can_be_empty =
            |column: &usize| model.columns[*column].nullable && model.columns[*column].default == ColumnDefault::None;
        let is_empty = match &by {
            Some(by) => by.is_none(),
            None => key.owner_columns.iter().any(|column| can_be_empty(column) && !known(column)),
        };
        if is_empty {
            return self.refuse(format!("{}: the owner has no key", association.qualified_name()));
        }
        for member in op.members() {
            self.require_seen(association, member);
        }
        if let ChildOp::Edit(member) = op {
            self.require_seen(association, &Member::Change((**member).clone()));
        }
        let Some(mut by) = by.flatten() else { return };
        typed(target, &[key.target_type, target.discriminator], &mut by);
        by.extend(equalities(association));
        let members: Vec<Handle> =
            self.before.rows(target.table.name).filter(|(_, row)| holds(row, &by)).map(|(handle, _)| handle).collect();
        let (gone, at_all) = match op {
            ChildOp::Edit(member) => {
                let row = self.find(target, member.base().expect("a row that exists"));
                if !members.contains(&row) {
                    self.refuse(format!("{}: an edited row is no member", association.qualified_name()));
                }
                return;
            }
            ChildOp::Remove(row) => {
                let row = self.find(target, row);
                if !members.contains(&row) {
                    self.refuse(format!("{}: a row that is let go is no member", association.qualified_name()));
                }
                (vec![row], true)
            }
            ChildOp::Replace(list) => {
                let stay: Vec<Handle> =
                    list.iter().filter_map(Member::existing).map(|row| self.find(target, row)).collect();
                (members.into_iter().filter(|row| !stay.contains(row)).collect(), false)
            }
            _ => return,
        };
        let clearable = |column: &usize| target.columns[*column].nullable && !target.primary_key.contains(column);
        let mut columns: Vec<usize> = key.target_columns.iter().copied().filter(clearable).collect();
        let deletes = association.options.dependent == Some(Dependent::Delete);
        if columns.is_empty() && !deletes && (at_all || !gone.is_empty()) {
            self.refuse(format!("{}: a row cannot be let go", association.qualified_name()));
        }
        columns.extend(key.target_type.map(|named| named.column).filter(clearable));
        for row in gone {
            if deletes {
                self.after.remove(row);
                self.let_go.insert(row);
            } else {
                for column in &columns {
                    self.after.row_mut(row).insert(name(target, *column), Value::Null);
                }
            }
        }
    }

    fn look_up_links(
        &mut self,
        association: &'static AssociationDef,
        record: &JoinRecord,
        owner: Option<Handle>,
        op: &ChildOp,
    ) {
        let (model, target, table) = ((association.owner)(), (association.target)(), record.table);
        for member in op.members() {
            self.require_seen(association, member);
        }
        if let ChildOp::Edit(member) = op {
            self.require_seen(association, &Member::Change((**member).clone()));
        }
        if let (ChildOp::Push { join: Some(join), .. }, Some(rows)) = (op, record.rows) {
            self.require_seen(rows, &Member::Change((**join).clone()));
        }
        let Some(owner) = owner else { return };
        let mut by = Self::key(model, table, record.owner, self.before.row(owner)).expect("an owner with a key");
        typed(table, &[record.owner.target_type, record.target_type], &mut by);
        by.extend(record.rows.map(equalities).unwrap_or_default());
        let links: Vec<(Handle, Cells)> = self
            .before
            .rows(table.table.name)
            .filter(|(_, row)| holds(row, &by))
            .map(|(handle, row)| (handle, row.clone()))
            .collect();
        let leads = |link: &Cells, row: &Cells| {
            record
                .target
                .owner_columns
                .iter()
                .zip(record.target.target_columns)
                .all(|(from, to)| link[name(table, *from)] == row[name(target, *to)])
        };
        // Conditions on targets limit which links count.
        let seen = |link: &Cells| {
            let wanted = equalities(association);
            wanted.is_empty()
                || self.before.rows(target.table.name).any(|(_, row)| leads(link, row) && holds(row, &wanted))
        };
        let to = |row: &Row| {
            let row = self.before.row(self.find(target, row)).clone();
            links.iter().filter(|(_, link)| leads(link, &row) && seen(link)).map(|(link, _)| *link).collect::<Vec<_>>()
        };
        match op {
            ChildOp::Edit(member) if to(member.base().expect("a row that exists")).is_empty() => {
                self.refuse(format!("{}: an edited row is no member", association.qualified_name()));
            }
            ChildOp::Edit(_) => {}
            ChildOp::Remove(row) => {
                let gone = to(row);
                if gone.is_empty() {
                    self.refuse(format!("{}: a row that is let go is no member", association.qualified_name()));
                }
                for link in gone {
                    self.after.remove(link);
                    self.let_go.insert(link);
                }
            }
            ChildOp::Replace(list) => {
                let mut wanted: HashMap<Handle, usize> = HashMap::new();
                for row in list.iter().filter_map(Member::existing) {
                    *wanted.entry(self.find(target, row)).or_default() += 1;
                }
                let mut stay: HashSet<Handle> = HashSet::new();
                let mut kept = Vec::new();
                for (member, count) in wanted {
                    let row = self.before.row(member).clone();
                    let own: Vec<Handle> = links
                        .iter()
                        .filter(|(_, link)| leads(link, &row) && seen(link))
                        .map(|(link, _)| *link)
                        .take(count)
                        .collect();
                    kept.push((member, own.len()));
                    stay.extend(own);
                }
                let gone: Vec<Handle> = links
                    .iter()
                    .filter(|(handle, link)| !stay.contains(handle) && seen(link))
                    .map(|(handle, _)| *handle)
                    .collect();
                for (member, count) in kept {
                    self.kept.insert((association.name, owner, member), count);
                }
                for link in gone {
                    self.after.remove(link);
                    self.let_go.insert(link);
                }
            }
            _ => {}
        }
    }

    fn unknown(&mut self) -> Value<'static> {
        self.unknowns += 1;
        unknown(self.unknowns)
    }

    fn new_row(&mut self, model: &'static ModelDef) -> Cells {
        let mut row = Cells::new();
        for column in model.columns {
            let value = match column.default {
                ColumnDefault::AutoIncrement | ColumnDefault::Filled(_) => self.unknown(),
                ColumnDefault::None => Value::Null,
                _ => Value::Bool(false),
            };
            row.insert(column.name, value);
        }
        row
    }

    // Writes a row and everything that is said of its members.
    fn write(&mut self, change: &RowChange, given: &Cells, presets: &Cells) -> Handle {
        let model = change.model();
        let mut own = Cells::new();
        for (column, value) in change.changed() {
            own.insert(name(model, column), value);
        }
        for (association, op) in said(change) {
            if let ChildOp::AssociateWith { target, .. } = &op {
                let to = self.member(target, &Cells::new(), &Cells::new());
                if self.refused.is_some() {
                    continue;
                }
                let (columns, theirs): (&[usize], &[usize]) = match association.linkage().expect("a linkage") {
                    Linkage::OwnerKey(key) => (key.owner_columns, key.target_columns),
                    Linkage::OwnerKeyAndType { owner_columns, type_column, variants } => {
                        let variant = variants
                            .iter()
                            .find(|variant| (variant.model)() == target.model())
                            .expect("a variant of this model");
                        own.insert(name(model, type_column), Value::from(variant.tag));
                        (owner_columns, variant.key)
                    }
                    _ => panic!("no key in the row"),
                };
                for (column, of) in columns.iter().zip(theirs) {
                    let value = self.after.row(to)[name(target.model(), *of)].clone();
                    own.insert(name(model, *column), value);
                }
            }
        }
        own.extend(given.clone());
        let handle = match change.base() {
            Some(row) => {
                let handle = self.find(model, row);
                if self.let_go.contains(&handle) {
                    self.refuse("a row that goes is written".to_owned());
                } else {
                    self.after.row_mut(handle).extend(own);
                }
                handle
            }
            None => {
                let mut row = self.new_row(model);
                row.extend(presets.clone());
                row.extend(own);
                self.after.add(model.table.name, row)
            }
        };
        if self.refused.is_some() {
            return handle;
        }
        for (association, op) in said(change) {
            match association.linkage().expect("a linkage") {
                Linkage::TargetKey(key) => {
                    let target = (association.target)();
                    let Some(mut given) = Self::key(model, target, key, self.after.row(handle)) else { continue };
                    typed(target, &[key.target_type], &mut given);
                    for member in op.members() {
                        self.member(member, &given, &equalities(association));
                    }
                }
                Linkage::JoinRecord(record) => {
                    for member in op.members() {
                        let join = match &op {
                            ChildOp::Push { join, .. } => join.as_deref(),
                            _ => None,
                        };
                        self.link(association, &record, handle, member, join);
                    }
                }
                _ => {}
            }
            if let ChildOp::Edit(member) = &op {
                self.write(member, &Cells::new(), &Cells::new());
            }
        }
        handle
    }

    fn member(&mut self, member: &Member, given: &Cells, presets: &Cells) -> Handle {
        match member {
            Member::Row { model, row } => {
                let handle = self.find(model, row);
                if self.let_go.contains(&handle) {
                    self.refuse("a row that goes is given to another".to_owned());
                } else {
                    self.after.row_mut(handle).extend(given.clone());
                }
                handle
            }
            Member::Change(change) => self.write(change, given, presets),
            Member::Shared(change) => {
                let address = Arc::as_ptr(change) as usize;
                if let Some(handle) = self.shared.get(&address) {
                    return *handle;
                }
                let handle = self.write(change, given, presets);
                self.shared.insert(address, handle);
                handle
            }
            other => panic!("{other:?} is unknown"),
        }
    }

    fn link(
        &mut self,
        association: &'static AssociationDef,
        record: &JoinRecord,
        owner: Handle,
        member: &Member,
        join: Option<&RowChange>,
    ) {
        let (model, target, table) = ((association.owner)(), (association.target)(), record.table);
        let to = self.member(member, &Cells::new(), &equalities(association));
        if self.refused.is_some() {
            return;
        }
        if let Some(left) = self.kept.get_mut(&(association.name, owner, to)).filter(|left| **left > 0) {
            *left -= 1;
            return;
        }
        let mut row = self.new_row(table);
        row.extend(record.rows.map(equalities).unwrap_or_default());
        for (column, value) in join.map(RowChange::changed).unwrap_or_default() {
            row.insert(name(table, column), value);
        }
        row.extend(Self::key(model, table, record.owner, self.after.row(owner)).expect("an owner with a key"));
        for (from, of) in record.target.owner_columns.iter().zip(record.target.target_columns) {
            row.insert(name(table, *from), self.after.row(to)[name(target, *of)].clone());
        }
        typed(table, &[record.owner.target_type, record.target_type], &mut row);
        self.after.add(table.table.name, row);
    }
}
