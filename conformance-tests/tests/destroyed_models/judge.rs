//! What a destroy comes to, worked out row by row in memory: from the declarations and the guide, not from a plan.

use std::collections::{BTreeMap, BTreeSet};

use assoc_core::Value;
use assoc_core::metadata::{
    AssociationDef, AssociationKind, ColumnDefault, Dependent, Discriminator, Expr, FilledBy, KeyJoin, Linkage,
    ModelDef,
};

use crate::conditions::holds;
use crate::tables::{Handle, NOW, Row, Tables, same_key};
use crate::writes;

/// What becomes of the tables.
#[derive(Debug)]
pub(crate) enum Outcome {
    Done(Settled),
    Restricted,
}

/// Tables afterwards, and how many rows went or lost a key.
#[derive(Debug)]
pub(crate) struct Settled {
    pub(crate) tables: Tables,
    pub(crate) destroyed: u64,
    pub(crate) deleted: u64,
    pub(crate) nullified: u64,
    /// What `delete_sql` has made of the tables before any row goes.
    pub(crate) unlinked: Tables,
    /// The models that went as destroyed rows.
    pub(crate) models: BTreeSet<&'static str>,
}

struct Judge<'t> {
    before: &'t Tables,
    // When each row goes: later than the row that refers to it and takes it along. Destroyed, or only deleted.
    gone: BTreeMap<Handle, (usize, bool)>,
    // As rows of which models.
    gone_as: Vec<(&'static ModelDef, Handle)>,
    visited: Vec<(&'static ModelDef, Handle)>,
    cleared: Vec<(&'static ModelDef, Handle, Vec<&'static str>)>,
    // Links with `delete_sql`, each with its owner and target.
    by_sql: Vec<(&'static ModelDef, Handle, Handle, Handle)>,
    // Owner, association and the rows that refuse, with the phase in which they do.
    refusing: Vec<(usize, Handle, bool)>,
}

/// Destroys rows of a model.
pub(crate) fn judge(before: &Tables, model: &'static ModelDef, roots: &[Handle]) -> Outcome {
    let mut judge = Judge {
        before,
        gone: BTreeMap::new(),
        gone_as: Vec::new(),
        visited: Vec::new(),
        cleared: Vec::new(),
        by_sql: Vec::new(),
        refusing: Vec::new(),
    };
    let mut next: Vec<(&'static ModelDef, Handle, bool)> = roots.iter().map(|root| (model, *root, true)).collect();
    let mut phase = 0;
    while !next.is_empty() {
        let mut later = Vec::new();
        while let Some((model, row, destroyed)) = next.pop() {
            judge.go(model, row, destroyed, phase, &mut next, &mut later);
        }
        next = later;
        phase += 1;
    }
    let refuses = |(phase, row, keyed): &(usize, Handle, bool)| {
        !keyed || judge.gone.get(row).is_none_or(|(gone, _)| gone >= phase)
    };
    if judge.refusing.iter().any(refuses) {
        return Outcome::Restricted;
    }
    Outcome::Done(judge.settle())
}

fn name(model: &ModelDef, column: usize) -> &'static str {
    model.columns[column].name
}

fn names(model: &ModelDef, columns: &[usize]) -> Vec<&'static str> {
    columns.iter().map(|column| name(model, *column)).collect()
}

fn is_tagged(model: &ModelDef, named: Option<Discriminator>, row: &Row) -> bool {
    named.is_none_or(
        |Discriminator { column, tag }| matches!(&row[name(model, column)], Value::Text(text) if text == tag),
    )
}

/// Whether a row of its table is one of the model.
pub(crate) fn is_of(model: &ModelDef, row: &Row) -> bool {
    is_tagged(model, model.discriminator, row)
}

fn conditions(association: &AssociationDef) -> Expr {
    association.options.scope.map_or(Expr::always(), |scope| scope().filter)
}

impl Judge<'_> {
    // Rows of a model whose columns hold these values.
    fn find(&self, model: &'static ModelDef, columns: &[usize], key: &[Value<'static>]) -> Vec<Handle> {
        if key.iter().any(Value::is_null) {
            return Vec::new();
        }
        let fits = |row: &Row| columns.iter().zip(key).all(|(at, value)| same_key(&row[name(model, *at)], value));
        let rows = self.before.rows(model.table.name);
        rows.filter(|(_, row)| fits(row) && is_of(model, row)).map(|(handle, _)| handle).collect()
    }

    fn values(&self, model: &ModelDef, row: Handle, columns: &[usize]) -> Vec<Value<'static>> {
        columns.iter().map(|column| self.before.row(row)[name(model, *column)].clone()).collect()
    }

    // The rows that hold a key of the owner's, with the type beside it.
    fn holding(&self, owner: &'static ModelDef, row: Handle, model: &'static ModelDef, key: KeyJoin) -> Vec<Handle> {
        let mut found = self.find(model, key.target_columns, &self.values(owner, row, key.owner_columns));
        found.retain(|row| is_tagged(model, key.target_type, self.before.row(*row)));
        found
    }

    fn go(
        &mut self,
        model: &'static ModelDef,
        row: Handle,
        destroyed: bool,
        phase: usize,
        next: &mut Vec<(&'static ModelDef, Handle, bool)>,
        later: &mut Vec<(&'static ModelDef, Handle, bool)>,
    ) {
        let known = self.gone.entry(row).or_insert((phase, false));
        known.1 |= destroyed;
        if !self.gone_as.contains(&(model, row)) {
            self.gone_as.push((model, row));
        }
        if !destroyed || self.visited.contains(&(model, row)) {
            return;
        }
        self.visited.push((model, row));
        for association in model.associations {
            let target = (association.target)();
            let rule = association.options.dependent;
            let Ok(linkage) = association.linkage() else { continue };
            let of_join_table = association.kind.association_kind() == AssociationKind::HasAndBelongsToMany
                && matches!(linkage, Linkage::JoinRecord(_));
            if rule.is_none() && !of_join_table {
                continue;
            }
            let mut found: Vec<(&'static ModelDef, Handle)> = Vec::new();
            let mut key: Option<(&[usize], Option<Discriminator>)> = None;
            let mut after = false;
            match linkage {
                Linkage::TargetKey(join) => {
                    found.extend(self.holding(model, row, target, join).into_iter().map(|row| (target, row)));
                    key = Some((join.target_columns, join.target_type));
                }
                Linkage::OwnerKey(join) => {
                    let of = self.find(target, join.target_columns, &self.values(model, row, join.owner_columns));
                    found.extend(of.into_iter().map(|row| (target, row)));
                    after = true;
                }
                Linkage::OwnerKeyAndType { owner_columns, type_column, variants } => {
                    let tag = &self.before.row(row)[name(model, type_column)];
                    let named = variants.iter().find(|variant| matches!(tag, Value::Text(tag) if tag == variant.tag));
                    if let Some(variant) = named {
                        let target = (variant.model)();
                        let of = self.find(target, variant.key, &self.values(model, row, owner_columns));
                        found.extend(of.into_iter().map(|row| (target, row)));
                    }
                    after = true;
                }
                Linkage::JoinRecord(record) => {
                    let table = record.table;
                    found.extend(self.holding(model, row, table, record.owner).into_iter().map(|row| (table, row)));
                    key = Some((record.owner.target_columns, record.owner.target_type));
                    if of_join_table {
                        // Of a table that joins rows with others of the same table, both sides.
                        if target.table == model.table {
                            let own = self.values(model, row, record.owner.owner_columns);
                            let of = self.find(table, record.target.owner_columns, &own);
                            found.extend(of.into_iter().map(|row| (table, row)));
                        }
                    } else {
                        let [through, source] = association.kind.parts().expect("a through association");
                        found.retain(|(_, row)| {
                            let link = self.before.row(*row);
                            let limits = conditions(source).and(conditions(association));
                            let leads = || {
                                let to = self.values(table, *row, record.target.owner_columns);
                                let targets = self.find(target, record.target.target_columns, &to);
                                targets.iter().any(|row| holds(&limits, self.before.row(*row)))
                            };
                            is_tagged(table, record.target_type, link)
                                && holds(&conditions(through), link)
                                && (limits.is_always() && target.discriminator.is_none() || leads())
                        });
                    }
                }
                other => panic!("{}: {other:?} depends on nothing", association.qualified_name()),
            }
            if association.options.delete_sql.is_some()
                && let Ok(Linkage::JoinRecord(record)) = association.linkage()
            {
                for (table, link) in found.drain(..) {
                    let to = self.values(table, link, record.target.owner_columns);
                    let targets = self.find(target, record.target.target_columns, &to);
                    self.by_sql.extend(targets.first().map(|to| (model, row, *to, link)));
                }
            }
            if !matches!(association.linkage(), Ok(Linkage::JoinRecord(_))) {
                found.retain(|(_, row)| holds(&conditions(association), self.before.row(*row)));
            }
            for (of, row) in found {
                let to = if after { &mut *later } else { &mut *next };
                match rule {
                    _ if of_join_table => to.push((of, row, false)),
                    Some(Dependent::Destroy) => to.push((of, row, true)),
                    Some(Dependent::Delete) => to.push((of, row, false)),
                    Some(Dependent::Restrict(_)) => self.refusing.push((phase, row, !of.primary_key.is_empty())),
                    Some(Dependent::Nullify) => {
                        let (columns, named) = key.expect("a key that the row holds");
                        self.cleared.push((of, row, cleared(of, columns, named)));
                    }
                    _ => {}
                }
            }
        }
    }

    fn settle(self) -> Settled {
        let mut unlinked = self.before.clone();
        for (model, owner, target, link) in &self.by_sql {
            writes::unlink(model, self.before.row(*owner), self.before.row(*target), unlinked.row_mut(*link));
        }
        let by_sql: BTreeSet<Handle> = self.by_sql.iter().map(|(_, _, _, link)| *link).collect();
        let mut tables = unlinked.clone();
        let (mut destroyed, mut deleted) =
            (0, by_sql.iter().filter(|link| !self.gone.contains_key(link)).count() as u64);
        for (row, (_, as_destroyed)) in &self.gone {
            *(if *as_destroyed { &mut destroyed } else { &mut deleted }) += 1;
            tables.remove(*row);
        }
        let mut lost: BTreeMap<Handle, Vec<&'static str>> = BTreeMap::new();
        for (_, row, columns) in self.cleared.iter().filter(|(_, row, _)| !self.gone.contains_key(row)) {
            lost.entry(*row).or_default().extend(columns);
        }
        for (row, columns) in &lost {
            for column in columns {
                tables.row_mut(*row).insert(column, Value::Null);
            }
        }
        let mut follow = Follow { judge: &self, tables, touched: Vec::new() };
        for (model, row) in &self.gone_as {
            follow.changed(model, *row, None);
        }
        let mut done: Vec<(&ModelDef, Handle)> = Vec::new();
        for (model, row, _) in &self.cleared {
            if !self.gone.contains_key(row) && !done.contains(&(*model, *row)) {
                done.push((*model, *row));
                let after = follow.tables.row(*row).clone();
                follow.changed(model, *row, Some(&after));
            }
        }
        let mut tables = follow.tables;
        for (model, row) in &self.visited {
            writes::destroyed(&mut tables, model, self.before.row(*row));
        }
        let models = self.visited.iter().map(|(model, _)| model.name).collect();
        Settled { tables, destroyed, deleted, nullified: lost.len() as u64, unlinked, models }
    }
}

// The columns that a row gives up to belong to no owner.
fn cleared(model: &ModelDef, key: &[usize], named: Option<Discriminator>) -> Vec<&'static str> {
    let named = named.map(|named| named.column);
    let used_elsewhere = |column: usize| {
        model.associations.iter().any(|other| match other.linkage() {
            Ok(Linkage::OwnerKey(join)) => join.owner_columns != key && join.owner_columns.contains(&column),
            Ok(Linkage::OwnerKeyAndType { owner_columns, type_column, .. }) => {
                (owner_columns != key || named.is_some_and(|named| named != type_column))
                    && (owner_columns.contains(&column) || type_column == column)
            }
            _ => false,
        })
    };
    let can = |column: &usize| {
        model.columns[*column].nullable && !model.primary_key.contains(column) && !used_elsewhere(*column)
    };
    names(model, &key.iter().copied().chain(named).filter(can).collect::<Vec<_>>())
}

/// What follows rows that went or lost a key, in rows that stay.
struct Follow<'j, 't> {
    judge: &'j Judge<'t>,
    tables: Tables,
    touched: Vec<(&'static ModelDef, Handle)>,
}

impl Follow<'_, '_> {
    // The rows that a row belongs to by an association, as the row was: with their models and places in it.
    fn parents(&self, association: &AssociationDef, row: &Row) -> Vec<(&'static ModelDef, usize, Handle)> {
        let model = (association.owner)();
        let key = |columns: &[usize]| -> Vec<Value<'static>> {
            columns.iter().map(|column| row[name(model, *column)].clone()).collect()
        };
        let Ok(linkage) = association.linkage() else { return Vec::new() };
        let (target, place, found) = match linkage {
            Linkage::OwnerKey(join) => {
                let target = (association.target)();
                (target, 0, self.judge.find(target, join.target_columns, &key(join.owner_columns)))
            }
            Linkage::OwnerKeyAndType { owner_columns, type_column, variants } => {
                let tag = &row[name(model, type_column)];
                let is_named =
                    |variant: &assoc_core::metadata::VariantDef| matches!(tag, Value::Text(tag) if tag == variant.tag);
                let Some(place) = variants.iter().position(is_named) else { return Vec::new() };
                let target = (variants[place].model)();
                (target, place, self.judge.find(target, variants[place].key, &key(owner_columns)))
            }
            _ => return Vec::new(),
        };
        let limits = conditions(association);
        let stays = |row: &Handle| !self.judge.gone.contains_key(row) && holds(&limits, self.judge.before.row(*row));
        found.into_iter().filter(stays).map(|row| (target, place, row)).collect()
    }

    // A row of a model went, or is another now.
    fn changed(&mut self, model: &'static ModelDef, row: Handle, after: Option<&Row>) {
        let before = self.judge.before.row(row);
        let follows = |of: &&AssociationDef| of.options.counter_cache.is_some() || of.options.touch.is_some();
        for association in model.associations.iter().filter(follows) {
            let old = self.parents(association, before);
            let new = after.map(|after| self.parents(association, after)).unwrap_or_default();
            if let Some(cache) = association.options.counter_cache {
                for (of, place, parent) in old.iter().filter(|known| !new.contains(known)) {
                    let counter = name(of, cache.columns[*place]);
                    let count = match &self.tables.row(*parent)[counter] {
                        Value::Int(count) => *count,
                        _ => 0,
                    };
                    self.tables.row_mut(*parent).insert(counter, Value::Int(count - 1));
                }
            }
            for (of, place, parent) in old.iter().chain(&new) {
                self.touch(association, of, *place, *parent);
            }
        }
        self.touch_single(model, row);
    }

    // The rows that belong to it as its only ones, and follow.
    fn touch_single(&mut self, model: &'static ModelDef, row: Handle) {
        for association in model.associations {
            if let Ok(Linkage::TargetKey(key)) = association.linkage()
                && association.options.touch.is_some()
            {
                let target = (association.target)();
                let limits = conditions(association);
                for to in self.judge.holding(model, row, target, key) {
                    if !self.judge.gone.contains_key(&to) && holds(&limits, self.judge.before.row(to)) {
                        self.touch(association, target, 0, to);
                    }
                }
            }
        }
    }

    fn touch(&mut self, association: &AssociationDef, model: &'static ModelDef, place: usize, row: Handle) {
        let Some(touch) = association.options.touch else { return };
        let updated = |at: &usize| model.columns[*at].default == ColumnDefault::Filled(FilledBy::UpdatedAt);
        let named = touch.columns.get(place).copied().unwrap_or_default().iter().copied();
        let columns: Vec<usize> = named.chain((0..model.columns.len()).filter(updated)).collect();
        for column in &columns {
            self.tables.row_mut(row).insert(name(model, *column), Value::Text(NOW.into()));
        }
        if columns.is_empty() || self.touched.contains(&(model, row)) {
            return;
        }
        self.touched.push((model, row));
        let now = self.tables.row(row).clone();
        for association in model.associations.iter().filter(|association| association.options.touch.is_some()) {
            for (of, place, parent) in self.parents(association, &now) {
                self.touch(association, of, place, parent);
            }
        }
        self.touch_single(model, row);
    }
}
