//! New members of which nothing is said but their columns. Large saves consist of them.

use std::fmt;

use super::{Member, RowChange};
use crate::metadata::association::AssociationDef;
use crate::metadata::model::ModelDef;
use crate::value::Value;

/// New members of one association, pushed one after the other, of which nothing is said but their columns. Their values are in
/// one list, because there may be very many of them.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use assoc_core::change::{ChildOp, Member, RowChange};
///
/// let mut ada = RowChange::new(User::DEF);
/// let tag = |name| Member::Change(RowChange::with_values(Post::DEF, None, vec![None, None, Some(name)]));
/// ada.push_member(User::POSTS.def(), tag("On looms".into()), 1);
/// ada.push_member(User::POSTS.def(), tag("On engines".into()), 0);
///
/// let ChildOp::PushNew(posts) = &ada.children()[0].op else { panic!("new members") };
/// assert_eq!((posts.model(), posts.len(), posts.is_empty()), (Post::DEF, 2, false));
/// let titles: Vec<_> = posts.rows().map(|row| row[Post::TITLE.index()].clone()).collect();
/// assert_eq!(titles, [Some("On looms".into()), Some("On engines".into())]);
/// assert!(posts.members().all(|member| member.existing().is_none()));
/// ```
#[derive(Clone)]
pub struct NewMembers {
    model: &'static ModelDef,
    // Row by row, one entry for each column.
    values: Vec<Option<Value<'static>>>,
}

impl NewMembers {
    /// The first of such members; `None` if it is not one of them: something else is said of it, rules or callbacks of its
    /// model look at it, or the association does not save it.
    pub(super) fn begin(association: &AssociationDef, change: &mut RowChange, more: usize) -> Option<Self> {
        let model = change.model;
        let is_looked_at = model.rules.is_some() || model.callbacks.is_some() || model.discriminator.is_some();
        let is_saved = association.options.autosave != Some(false) && (association.target)() == model;
        if is_looked_at || !is_saved || change.values.is_empty() || !change.is_plain() {
            return None;
        }
        let mut members = NewMembers { model, values: Vec::with_capacity((1 + more) * change.values.len()) };
        members.values.append(&mut change.values);
        Some(members)
    }

    /// Adds a member. It answers `false` if the member is not such a one.
    #[inline]
    pub(super) fn push(&mut self, change: &mut RowChange) -> bool {
        let is_alike = std::ptr::eq(change.model, self.model) && change.is_plain();
        if is_alike {
            self.values.append(&mut change.values);
        }
        is_alike
    }

    /// Their model.
    #[must_use]
    pub fn model(&self) -> &'static ModelDef {
        self.model
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows().len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The values of each, one entry for each column.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[Option<Value<'static>>]> {
        self.values.chunks_exact(self.model.columns.len())
    }

    /// Each as a member that is given by itself.
    pub fn members(&self) -> impl Iterator<Item = Member> {
        self.rows().map(|values| self.member(values))
    }

    /// One of them as a member that is given by itself.
    pub(super) fn member(&self, values: &[Option<Value<'static>>]) -> Member {
        Member::Change(RowChange::with_values(self.model, None, values.to_vec()))
    }

    /// The values of all of them, given up.
    pub(crate) fn take_values(&mut self) -> Vec<Option<Value<'static>>> {
        std::mem::take(&mut self.values)
    }
}

impl fmt::Debug for NewMembers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.members()).finish()
    }
}
