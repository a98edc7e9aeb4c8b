//! What the members of a change are given by it, as far as that is known before anything is written: functions of the
//! application that look at a member before the save see it in the member's columns.
//!
//! The plan of the save gives members the same values once more, so nothing is decided here.

use std::sync::Arc;

use super::scope::presets_of_saved;
use super::{ChildChange, ChildOp, Member, RowChange};
use crate::metadata::association::{AssociationDef, Linkage};
use crate::metadata::model::{ColumnDefault, ModelDef};
use crate::value::Value;

/// What a member is given by its owner.
#[derive(Debug, Clone, Default)]
pub struct KnownValues {
    // Over what the member says itself.
    key: Vec<(usize, Value<'static>)>,
    // Only what a new member does not say itself.
    presets: Vec<(usize, Value<'static>)>,
}

impl RowChange {
    /// Gives the members that are part of this change the columns of its key that are known, with its type, and new ones what
    /// the conditions of the association say. Rows between are given the keys of both sides. Shared drafts are left out.
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use assoc_core::change::{ChildOp, Member, RowChange};
    ///
    /// let mut ada = RowChange::of(User::DEF, std::sync::Arc::new(user(1, "Ada", None)));
    /// ada.change_members(User::POSTS.def(), ChildOp::Replace(vec![Member::Change(RowChange::new(Post::DEF))]));
    /// ada.give_known_keys();
    /// let post = ada.children()[0].op.members()[0].change().expect("a new post");
    /// assert_eq!(post.changed(), [(Post::USER_ID.index(), 1_i64.into())]);
    /// ```
    pub fn give_known_keys(&mut self) {
        let mut known = KnownAssociations::default();
        for at in 0..self.children.len() {
            let association = self.children[at].association;
            if !brings_members(&self.children[at].op) {
                continue;
            }
            let Some(given) = known.of(self, association) else { continue };
            let ChildChange { op, .. } = &mut self.children[at];
            match op {
                ChildOp::Push { member, join } => {
                    if let (Some(join), Some(between)) = (join, &given.between) {
                        join.take_known(between.of_owner.clone());
                        join.take_known(between.of_target(member));
                    }
                    if let Member::Change(change) = member {
                        change.take_known(given.member.clone());
                    }
                }
                ChildOp::Replace(members) => {
                    for member in members {
                        if let Member::Change(change) = member {
                            change.take_known(given.member.clone());
                        }
                    }
                }
                _ => {}
            }
        }
    }

    /// The shared drafts among its members, each with what this change gives it.
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use std::sync::Arc;
    ///
    /// use assoc_core::change::{Member, RowChange};
    ///
    /// let draft = Arc::new(RowChange::new(Post::DEF));
    /// let mut ada = RowChange::of(User::DEF, Arc::new(user(1, "Ada", None)));
    /// ada.push_member(User::POSTS.def(), Member::Shared(draft.clone()), 0);
    /// let (shared, known) = ada.known_keys_of_shared().remove(0);
    /// assert!(Arc::ptr_eq(shared, &draft));
    /// // The draft is shared, so a copy takes what is known.
    /// let mut post = RowChange::clone(shared);
    /// post.take_known(known);
    /// assert_eq!(post.changed(), [(Post::USER_ID.index(), 1_i64.into())]);
    /// ```
    #[must_use]
    pub fn known_keys_of_shared(&self) -> Vec<(&Arc<RowChange>, KnownValues)> {
        let mut known = KnownAssociations::default();
        let mut found = Vec::new();
        for ChildChange { association, op, .. } in self.children.iter().filter(|child| brings_members(&child.op)) {
            for member in op.members() {
                if let Member::Shared(draft) = member
                    && let Some(given) = known.of(self, association)
                {
                    found.push((draft, given.member.clone()));
                }
            }
        }
        found
    }

    /// Takes what an owner gives. A row that exists is given nothing that it has already.
    ///
    /// See [`known_keys_of_shared`](Self::known_keys_of_shared), which says what is known.
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use assoc_core::change::{KnownValues, RowChange};
    ///
    /// let mut post = RowChange::new(Post::DEF);
    /// post.take_known(KnownValues::default());
    /// assert!(post.changed().is_empty());
    /// ```
    pub fn take_known(&mut self, known: KnownValues) {
        if !self.is_new() && !self.has_own_changes() {
            return;
        }
        for (column, value) in known.key {
            if self.differs(column, &value)
                && let Some(slot) = self.values.get_mut(column)
            {
                *slot = Some(value);
            }
        }
        if !self.is_new() {
            return;
        }
        for (column, value) in known.presets {
            if let Some(slot) = self.values.get_mut(column) {
                slot.get_or_insert(value);
            }
        }
    }
}

// Whether it is an operation on members that the owner gives its key.
fn brings_members(op: &ChildOp) -> bool {
    matches!(op, ChildOp::Push { .. } | ChildOp::Replace(_))
}

// What a change gives by its associations: very many members come by few of them.
#[derive(Default)]
struct KnownAssociations(Vec<(&'static AssociationDef, Option<GivenBy>)>);

impl KnownAssociations {
    // `None` of an association that cannot be written.
    fn of(&mut self, owner: &RowChange, association: &'static AssociationDef) -> Option<&GivenBy> {
        let at = self.0.iter().position(|(known, _)| std::ptr::eq(*known, association)).unwrap_or_else(|| {
            self.0.push((association, GivenBy::of(owner, association)));
            self.0.len() - 1
        });
        self.0[at].1.as_ref()
    }
}

// What an association gives its members, and the rows between.
struct GivenBy {
    member: KnownValues,
    between: Option<Between>,
}

struct Between {
    of_owner: KnownValues,
    // Its columns that take the target's key, and the target's.
    target: (&'static [usize], &'static [usize]),
}

impl GivenBy {
    fn of(owner: &RowChange, association: &'static AssociationDef) -> Option<Self> {
        let presets = |of: &'static AssociationDef| {
            let model = (of.target)();
            let presets = presets_of_saved(of, owner.base(), owner.values());
            let presets = presets.into_iter().filter(|preset| is_settable(model, preset.column));
            presets.map(|preset| (preset.column, preset.value)).collect()
        };
        match association.linkage().ok()? {
            Linkage::TargetKey(key) => {
                let mut given = known_key(owner, key.owner_columns, key.target_columns);
                given.extend(key.target_type.map(|named| (named.column, Value::from(named.tag))));
                Some(GivenBy { member: KnownValues { key: given, presets: presets(association) }, between: None })
            }
            Linkage::JoinRecord(record) => {
                let mut key = known_key(owner, record.owner.owner_columns, record.owner.target_columns);
                let types = [record.owner.target_type, record.target_type].into_iter().flatten();
                key.extend(types.map(|named| (named.column, Value::from(named.tag))));
                let of_owner = KnownValues { key, presets: record.rows.map(presets).unwrap_or_default() };
                let target = (record.target.owner_columns, record.target.target_columns);
                let member = KnownValues { key: Vec::new(), presets: presets(association) };
                Some(GivenBy { member, between: Some(Between { of_owner, target }) })
            }
            Linkage::OwnerKey(_) | Linkage::OwnerKeyAndType { .. } | Linkage::ReadOnly(_) => None,
        }
    }
}

impl Between {
    // What the target gives the row between.
    fn of_target(&self, member: &Member) -> KnownValues {
        let (columns, of) = self.target;
        let value = |of: usize| match member {
            Member::Row { model, row } => Some(model.rows.value(&**row, of).into_owned()),
            Member::Change(change) => change.final_value(of).map(Value::into_owned),
            Member::Shared(change) => change.final_value(of).map(Value::into_owned),
        };
        let known = columns.iter().zip(of).filter_map(|(column, of)| Some((*column, value(*of)?)));
        KnownValues { key: known.filter(|(_, value)| !value.is_null()).collect(), presets: Vec::new() }
    }
}

// The parts of a key that are known, each for a column of another row.
fn known_key(owner: &RowChange, of: &[usize], columns: &[usize]) -> Vec<(usize, Value<'static>)> {
    let value = |of: usize| owner.final_value(of).filter(|value| !value.is_null()).map(Value::into_owned);
    of.iter().zip(columns).filter_map(|(of, column)| Some((*column, value(*of)?))).collect()
}

// Whether a condition on a column can be met by setting it.
fn is_settable(model: &ModelDef, column: usize) -> bool {
    !matches!(model.columns[column].default, ColumnDefault::Generated(_)) && !model.is_counter(column)
}
