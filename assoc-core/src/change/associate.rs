//! Saying something of associations: whom a row belongs to, and which members it has.

use std::any::Any;

use super::link::{self, OwnerKey};
use super::{ChildChange, ChildOp, Member, NewMembers, RowChange};
use crate::error::FieldError;
use crate::metadata::association::AssociationDef;
use crate::metadata::model::ModelDef;
use crate::value::Value;

impl RowChange {
    // An iterator may say any number.
    const MOST_EXPECTED: usize = 1_000;

    /// Makes the row belong to a row of `target`: its key columns take the target's key, and of a polymorphic association
    /// its type.
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use std::sync::Arc;
    ///
    /// use assoc_core::change::RowChange;
    ///
    /// let mut ada = RowChange::of(User::DEF, Arc::new(user(1, "Ada", Some(5))));
    /// assert!(!ada.changes_target(User::TEAM.def()));
    /// let team = Team { id: 6, users_count: 0, users: Default::default() };
    /// ada.associate(User::TEAM.def(), Team::DEF, &team);
    /// assert_eq!(ada.changed(), [(User::TEAM_ID.index(), 6_i64.into())]);
    /// assert!(ada.changes_target(User::TEAM.def()) && !ada.has_members());
    /// ```
    pub fn associate(&mut self, association: &'static AssociationDef, target: &'static ModelDef, row: &dyn Any) {
        let op = match OwnerKey::of(association) {
            Some(own) => own.lead_to(association, target, row),
            None => no_key_here(association),
        };
        self.children.retain(|child| child.association != association);
        if let ChildOp::Associate { key } = &op {
            for (column, value) in key {
                if let Some(slot) = self.values.get_mut(*column) {
                    *slot = Some(value.clone());
                }
                // Two associations that need different values contradict each other; what was refused is overridden.
                self.override_column(*column, |op| !op.is_association());
            }
        }
        self.children.push(ChildChange::new(association, op));
    }

    /// Makes the row belong to no row: clears the columns of the association's key that can be `NULL`, are not part of
    /// the row's primary key, and are used by no other association (over other columns). If there is no such column,
    /// saving fails unless a later call sets the key again.
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use std::sync::Arc;
    ///
    /// use assoc_core::change::RowChange;
    ///
    /// let mut ada = RowChange::of(User::DEF, Arc::new(user(1, "Ada", Some(5))));
    /// ada.dissociate(User::TEAM.def());
    /// assert_eq!(ada.changed(), [(User::TEAM_ID.index(), assoc_core::Value::Null)]);
    ///
    /// // A post always has its author.
    /// let mut post = RowChange::of(Post::DEF, Arc::new(post(7, 1, "On looms")));
    /// post.dissociate(Post::USER.def());
    /// assert!(post.check().is_err());
    /// ```
    pub fn dissociate(&mut self, association: &'static AssociationDef) {
        self.children.retain(|child| child.association != association);
        for column in link::clearable(self.model, association) {
            if let Some(slot) = self.values.get_mut(column) {
                *slot = Some(Value::Null);
            }
            self.override_column(column, |_| true);
        }
        self.children.push(ChildChange::new(association, ChildOp::Dissociate));
    }

    /// Makes the row belong to a row that is saved first: a new one, or one with changes.
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use assoc_core::change::{Member, RowChange};
    ///
    /// let mut ada = RowChange::new(User::DEF);
    /// ada.set(User::NAME.index(), "Ada".into());
    /// // The team is inserted first: its key is not known yet.
    /// ada.associate_with(User::TEAM.def(), Member::Change(RowChange::new(Team::DEF)));
    /// assert!(ada.has_members() && ada.changes_target(User::TEAM.def()));
    /// assert_eq!(ada.values()[User::TEAM_ID.index()], None);
    /// ```
    pub fn associate_with(&mut self, association: &'static AssociationDef, target: Member) {
        if !self.takes(association, &target) {
            return;
        }
        self.wants |= target.change().is_some_and(|change| change.wants);
        let op = match OwnerKey::of(association) {
            Some(own) => match own.lead_to_change(association, &target) {
                Ok(key) => {
                    for column in own.columns() {
                        let known = key.iter().find(|(at, _)| *at == column).map(|(_, value)| value.clone());
                        if let Some(slot) = self.values.get_mut(column) {
                            *slot = known;
                        }
                        self.override_column(column, |op| !op.is_association());
                    }
                    ChildOp::AssociateWith { target, key }
                }
                Err(error) => ChildOp::Refused(Box::new(error)),
            },
            None => no_key_here(association),
        };
        self.children.retain(|child| child.association != association);
        self.children.push(ChildChange::new(association, op));
    }

    /// Says something of the members of an association whose key is not in this row. Replacing all members takes back what
    /// was said of them before.
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use assoc_core::change::{ChildOp, RowChange};
    ///
    /// let mut ada = RowChange::of(User::DEF, std::sync::Arc::new(user(1, "Ada", None)));
    /// ada.change_members(User::POSTS.def(), ChildOp::Clear);
    /// assert!(matches!(ada.children()[0].op, ChildOp::Clear));
    /// assert!(ada.has_members() && ada.changed().is_empty());
    /// ```
    pub fn change_members(&mut self, association: &'static AssociationDef, op: ChildOp) {
        self.change_members_at(association, op, None);
    }

    /// Adds a member to an association whose key is not in this row. The caller adds at least `more` members after it.
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use assoc_core::change::{ChildOp, Member, RowChange};
    ///
    /// let mut ada = RowChange::new(User::DEF);
    /// for (title, more) in [("On looms", 1), ("On engines", 0)] {
    ///     let mut post = RowChange::new(Post::DEF);
    ///     post.set(Post::TITLE.index(), title.into());
    ///     ada.push_member(User::POSTS.def(), Member::Change(post), more);
    /// }
    /// // New members of which nothing else is said are one entry.
    /// assert!(matches!(ada.children(), [only] if matches!(&only.op, ChildOp::PushNew(posts) if posts.len() == 2)));
    /// ```
    #[inline]
    pub fn push_member(&mut self, association: &'static AssociationDef, mut member: Member, more: usize) {
        if let Some(change) = member.change() {
            let (depth, wants) = (change.depth, change.wants);
            if !self.takes_below(association, depth) {
                return;
            }
            self.wants |= wants;
        }
        if let Member::Change(change) = &mut member {
            if let Some(ChildChange { association: last, op: ChildOp::PushNew(members), .. }) = self.children.last_mut()
                && std::ptr::eq(*last, association)
                && members.push(change)
            {
                return;
            }
            if let Some(members) = NewMembers::begin(association, change, more.min(Self::MOST_EXPECTED)) {
                let op = ChildOp::PushNew(members);
                self.children.push(ChildChange::new(association, op));
                return;
            }
        }
        self.make_room(more);
        let op = ChildOp::Push { member, join: None };
        self.children.push(ChildChange::new(association, op));
    }

    // Members come in numbers.
    fn make_room(&mut self, more: usize) {
        let known = self.children.len();
        if known == self.children.capacity() {
            let rest = if more == 0 { 4 + 2 * known } else { 1 + more.min(Self::MOST_EXPECTED) };
            self.children.reserve(rest);
        }
    }

    // The same, of a member that stood at a place of the input.
    pub(super) fn change_members_at(
        &mut self,
        association: &'static AssociationDef,
        op: ChildOp,
        place: Option<usize>,
    ) {
        let fits = match &op {
            ChildOp::Find(wanted) => self.takes_below(association, wanted.change.depth),
            ChildOp::Edit(change) => self.takes_below(association, change.depth),
            ChildOp::Push { member, join } => {
                let join = join.as_ref().is_none_or(|join| self.takes_below(association, join.depth));
                join && self.takes(association, member)
            }
            ChildOp::Replace(members) => members.iter().all(|member| self.takes(association, member)),
            _ => true,
        };
        if !fits {
            return;
        }
        if matches!(op, ChildOp::Replace(_) | ChildOp::Clear) {
            self.children.retain(|child| child.association != association);
        }
        self.wants |= match &op {
            ChildOp::Find(_) => true,
            ChildOp::Edit(change) => change.wants,
            ChildOp::Push { member, .. } => member.change().is_some_and(|change| change.wants),
            op => op.members().iter().filter_map(Member::change).any(|change| change.wants),
        };
        self.make_room(0);
        self.children.push(ChildChange { place, ..ChildChange::new(association, op) });
    }

    // Whether a member can be a part of this change: below it are not too many levels already.
    fn takes(&mut self, association: &'static AssociationDef, member: &Member) -> bool {
        member.change().is_none_or(|change| self.takes_below(association, change.depth))
    }

    fn takes_below(&mut self, association: &'static AssociationDef, depth: u16) -> bool {
        if depth >= Self::MAX_DEPTH {
            let message = format!("is nested more than {} levels deep: save it in parts", Self::MAX_DEPTH);
            self.errors.push(FieldError::new(association.name, message).with_code(FieldError::TOO_DEEP));
            return false;
        }
        self.depth = self.depth.max(depth + 1);
        true
    }

    pub(super) fn override_column(&mut self, column: usize, which: impl Fn(&ChildOp) -> bool) {
        for child in self.children.iter_mut().filter(|child| which(&child.op)) {
            if OwnerKey::of(child.association).is_some_and(|own| own.contains(column)) {
                child.overridden.push(column);
            }
        }
    }
}

fn no_key_here(association: &AssociationDef) -> ChildOp {
    let message = "has no key in this row that could be set";
    ChildOp::Refused(Box::new(FieldError::new(association.name, message).with_code(FieldError::READ_ONLY)))
}
