//! Walking over a tree of changes.

use std::sync::Arc;

use super::{ChildChange, ChildOp, Member, RowChange};
use crate::metadata::association::AssociationDef;
use crate::metadata::model::ModelDef;

impl RowChange {
    /// The changes of members that are part of this one, to be looked at and changed in place. A shared draft is none of
    /// them: its owners have it together. Members of [`ChildOp::PushNew`] are none: no callback looks at them.
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use assoc_core::change::{ChildOp, Member, RowChange};
    ///
    /// let mut ada = RowChange::new(User::DEF);
    /// ada.change_members(User::POSTS.def(), ChildOp::Replace(vec![Member::Change(RowChange::new(Post::DEF))]));
    /// for (_, post) in ada.nested_mut() {
    ///     post.set(Post::TITLE.index(), "Untitled".into());
    /// }
    /// assert_eq!(ada.children()[0].op.members()[0].change().map(|post| post.changed().len()), Some(1));
    /// ```
    pub fn nested_mut(&mut self) -> Vec<(&'static AssociationDef, &mut RowChange)> {
        let mut nested: Vec<(&'static AssociationDef, &mut RowChange)> = Vec::new();
        for ChildChange { association, op, .. } in &mut self.children {
            match op {
                ChildOp::AssociateWith { target: Member::Change(change), .. } => nested.push((association, change)),
                ChildOp::Edit(change) => nested.push((association, change)),
                ChildOp::Push { member, join } => {
                    if let Member::Change(change) = member {
                        nested.push((association, change));
                    }
                    nested.extend(join.as_deref_mut().map(|join| (*association, join)));
                }
                ChildOp::Replace(members) => nested.extend(members.iter_mut().filter_map(|member| match member {
                    Member::Change(change) => Some((*association, change)),
                    _ => None,
                })),
                _ => {}
            }
        }
        nested
    }

    /// The shared drafts among its members, to be replaced in place.
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use std::sync::Arc;
    ///
    /// use assoc_core::change::{Member, RowChange};
    ///
    /// let mut ada = RowChange::new(User::DEF);
    /// ada.push_member(User::POSTS.def(), Member::Shared(Arc::new(RowChange::new(Post::DEF))), 0);
    /// for (_, draft) in ada.shared_mut() {
    ///     Arc::make_mut(draft).set(Post::TITLE.index(), "Untitled".into());
    /// }
    /// assert_eq!(ada.children()[0].op.members()[0].change().map(|post| post.changed().len()), Some(1));
    /// ```
    pub fn shared_mut(&mut self) -> Vec<(&'static AssociationDef, &mut Arc<RowChange>)> {
        let mut shared: Vec<(&'static AssociationDef, &mut Arc<RowChange>)> = Vec::new();
        for ChildChange { association, op, .. } in &mut self.children {
            let members: &mut [Member] = match op {
                ChildOp::AssociateWith { target: member, .. } | ChildOp::Push { member, .. } => {
                    std::slice::from_mut(member)
                }
                ChildOp::Replace(members) => members,
                _ => &mut [],
            };
            shared.extend(members.iter_mut().filter_map(|member| match member {
                Member::Shared(change) => Some((*association, change)),
                _ => None,
            }));
        }
        shared
    }

    /// Whether the model of the row, or of a row that is part of the change, satisfies a condition.
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use assoc_core::change::{ChildOp, Member, RowChange};
    ///
    /// let mut ada = RowChange::new(User::DEF);
    /// ada.change_members(User::POSTS.def(), ChildOp::Replace(vec![Member::Change(RowChange::new(Post::DEF))]));
    /// assert!(ada.any_model(&|model| model == Post::DEF) && !ada.any_model(&|model| model == Tag::DEF));
    /// ```
    #[must_use]
    pub fn any_model(&self, is: &dyn Fn(&'static ModelDef) -> bool) -> bool {
        is(self.model)
            || self.children.iter().any(|child| {
                if let ChildOp::PushNew(members) = &child.op {
                    return is(members.model());
                }
                let members = child.op.members().iter().filter_map(Member::change);
                let others = match &child.op {
                    ChildOp::Edit(change) => Some(&**change),
                    ChildOp::Push { join, .. } => join.as_deref(),
                    _ => None,
                };
                members.chain(others).any(|change| change.any_model(is))
            })
    }
}
