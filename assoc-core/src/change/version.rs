//! The version that input was made from: the `lock_version` that an edit form carries.
//!
//! A form shows a row as it was when it was made, and the row in memory was read when the form came back. An update only compares
//! the version of the row in memory with the stored one, so what others have written in between would be overwritten. The version
//! of the form is another one then, and versions only grow: so it is known before any SQL.
//!
//! A member that goes has to have the version of the form as well, or else that of the struct that was given: the save compares it
//! with the stored one. The version of a member that was named by its key alone is not known, and none is compared.

use super::{ChildOp, Member, NamedBy, RowChange, same_value};
use crate::error::{Error, ErrorKind};
use crate::value::Value;

impl RowChange {
    /// Takes the version that input was made from. A new row has none.
    pub(super) fn expect_version(&mut self, version: Value<'static>) {
        if !self.is_new() {
            self.extra_mut().version = Some(version);
        }
    }

    /// The version that input was made from.
    pub(crate) fn expected_version(&self) -> Option<&Value<'static>> {
        self.extra.as_ref()?.version.as_ref()
    }

    /// Says that the members that go, of all that was said so far, were named by their keys: whatever version they have, they
    /// go.
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use std::sync::Arc;
    ///
    /// use assoc_core::change::{ChildOp, RowChange};
    ///
    /// let mut ada = RowChange::of(User::DEF, Arc::new(user(1, "Ada", None)));
    /// ada.change_members(User::POSTS.def(), ChildOp::Remove(Arc::new(post(7, 1, "On looms"))));
    /// ada.members_by_keys();
    /// assert!(ada.has_members());
    /// ```
    pub fn members_by_keys(&mut self) {
        self.children.iter_mut().for_each(|child| child.named_by = NamedBy::Key);
    }

    /// The error of the first row, of this one and its members, whose version is another than its input was made from.
    ///
    /// ```
    /// # use assoc_core::{ErrorKind, Model};
    /// use assoc_core::change::{IntoInput, Limits, PermitDef, RowChange};
    /// # #[derive(assoc_macros::Model, Clone)]
    /// # struct Page { id: i64, #[column(lock_version)] version: i64 }
    ///
    /// // The form was filled in when the page had its second version. It has its third.
    /// let mut permit = PermitDef::new();
    /// permit.column::<i64>("version", Page::VERSION.index());
    /// let mut change = RowChange::of(Page::DEF, std::sync::Arc::new(Page { id: 7, version: 3 }));
    /// change.cast(&[("version", "2")].into_input(Limits::default()).unwrap(), &permit);
    /// assert!(change.stale().is_some_and(|error| matches!(error.kind(), ErrorKind::Stale { .. })));
    /// ```
    #[must_use]
    pub fn stale(&self) -> Option<Error> {
        self.own_stale().or_else(|| {
            self.children.iter().find_map(|child| match &child.op {
                ChildOp::Edit(change) => change.stale(),
                ChildOp::Push { member, .. } => member.change().and_then(RowChange::stale),
                op => op.members().iter().filter_map(Member::change).find_map(RowChange::stale),
            })
        })
    }

    fn own_stale(&self) -> Option<Error> {
        let expected = self.expected_version()?;
        let (base, column) = (self.base.as_ref()?, self.model.lock_version()?);
        let known = self.model.rows.value(&**base, column);
        if self.marked || same_value(&self.model.columns[column], expected, &known) {
            return None;
        }
        let key = self.model.key_of(&**base).map_or_else(String::new, |key| key.to_string());
        Some(ErrorKind::Stale { model: self.model.name, key }.into())
    }
}
