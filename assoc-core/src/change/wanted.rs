//! Members that input names by their keys: rows that have to be found before they can be changed.
//!
//! The rules and the planner need the rows of all members. So the executor first asks for the
//! [next members](RowChange::next_wanted) whose owners are known, looks them up among the rows of their owners, and
//! [settles](RowChange::settle) them. Then it can look up the members below.

use super::link::OwnerKey;
use super::{ChildOp, Member, NamedBy, Row, RowChange};
use crate::error::Result;
use crate::metadata::association::{AssociationDef, Cardinality, Linkage};
use crate::metadata::model::ModelDef;
use crate::value::Value;

/// A member to be found.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Which member of the owner.
    pub which: Which,
    /// What is done with it.
    pub then: Then,
    /// What is written to it.
    pub change: RowChange,
}

/// Which member of the owner is wanted.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Which {
    /// The one with these values in the columns of its primary key that are not the owner's key as well.
    Key(Vec<(usize, Value<'static>)>),
    /// The only one, of an association to one.
    TheOne,
}

/// What is done with a member that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Then {
    /// It is changed.
    Edit,
    /// It is changed, and a new one takes its place if there is none.
    EditOrAdd,
    /// It is taken away: destroyed, if it holds its owner's key; otherwise the link to it is.
    Remove,
}

/// Members of one owner that can be looked up.
pub struct NextWanted<'c> {
    /// The owner.
    pub owner: &'c Row,
    /// The association.
    pub association: &'static AssociationDef,
    /// Which member.
    pub which: &'c Which,
}

impl RowChange {
    /// Changes of a row that exists and is still to be found.
    #[must_use]
    pub(super) fn of_wanted(model: &'static ModelDef) -> Self {
        let mut change = RowChange::with_base(model, None);
        change.is_wanted = true;
        change
    }

    /// Whether members have to be found before the change can be saved.
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use std::sync::Arc;
    ///
    /// use assoc_core::change::{ChildOp, RowChange, Then, Wanted, Which};
    ///
    /// let mut post = RowChange::of(Post::DEF, Arc::new(post(7, 1, "On looms")));
    /// assert!(!post.wants());
    /// let (which, change) = (Which::Key(vec![(Comment::ID.index(), 4_i64.into())]), RowChange::new(Comment::DEF));
    /// post.change_members(Post::COMMENTS.def(), ChildOp::Find(Box::new(Wanted { which, then: Then::Remove, change })));
    /// assert!(post.wants());
    /// ```
    #[must_use]
    pub fn wants(&self) -> bool {
        self.wants
    }

    /// The members to be found whose owners are known.
    ///
    /// See [`settle`](Self::settle), which takes what was found.
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use assoc_core::change::RowChange;
    ///
    /// assert!(RowChange::new(Post::DEF).next_wanted().is_empty());
    /// ```
    #[must_use]
    pub fn next_wanted(&self) -> Vec<NextWanted<'_>> {
        let mut next = Vec::new();
        self.collect_wanted(&mut next);
        next
    }

    fn collect_wanted<'c>(&'c self, next: &mut Vec<NextWanted<'c>>) {
        if !self.wants {
            return;
        }
        for child in &self.children {
            match (&child.op, &self.base) {
                (ChildOp::Find(wanted), Some(owner)) => {
                    next.push(NextWanted { owner, association: child.association, which: &wanted.which });
                }
                (ChildOp::Edit(change), _) => change.collect_wanted(next),
                (ChildOp::Push { join: Some(join), .. }, _) if join.wants => join.collect_wanted(next),
                _ => {}
            }
            for change in child.op.members().iter().filter_map(Member::change) {
                change.collect_wanted(next);
            }
        }
    }

    /// Gives the members whose owners are known the rows that `found` answers: `None` if there is no such member.
    ///
    /// # Errors
    /// Those of `found`. It is not asked about a missing member whose place a new one takes.
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use std::sync::Arc;
    ///
    /// use assoc_core::change::{ChildOp, Row, RowChange, Then, Wanted, Which};
    ///
    /// let mut post = RowChange::of(Post::DEF, Arc::new(post(7, 1, "On looms")));
    /// let (which, change) = (Which::Key(vec![(Comment::ID.index(), 4_i64.into())]), RowChange::new(Comment::DEF));
    /// post.change_members(Post::COMMENTS.def(), ChildOp::Find(Box::new(Wanted { which, then: Then::Remove, change })));
    /// // An executor looks all of them up by one statement.
    /// let wanted: Vec<_> = post.next_wanted().iter().map(|next| next.association.qualified_name()).collect();
    /// assert_eq!(wanted, ["Post.comments"]);
    ///
    /// let found: Row = Arc::new(Comment { id: 4, post_id: 7, body: "!".into() });
    /// post.settle(&mut |_, _, _| Ok(Some(found.clone())))?;
    /// assert!(!post.wants() && matches!(post.children()[0].op, ChildOp::Remove(_) | ChildOp::Edit(_)));
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    pub fn settle(
        &mut self,
        found: &mut dyn FnMut(&Row, &'static AssociationDef, &Wanted) -> Result<Option<Row>>,
    ) -> Result<()> {
        if !self.wants {
            return Ok(());
        }
        let mut targets = Vec::new();
        for child in &mut self.children {
            let association = child.association;
            match (&mut child.op, &self.base) {
                (ChildOp::Find(wanted), Some(owner)) => {
                    let row = found(owner, association, wanted)?;
                    let op = std::mem::replace(&mut child.op, ChildOp::Dissociate);
                    let ChildOp::Find(wanted) = op else { continue };
                    if wanted.then == Then::Remove {
                        child.named_by = NamedBy::Key;
                    }
                    match (*wanted).settled(association, row) {
                        Settled::Op(op) => child.op = op,
                        Settled::Target(target) => targets.push((association, target)),
                    }
                }
                (ChildOp::Edit(change), _) => change.settle(found)?,
                (ChildOp::Push { member, join }, _) => {
                    member.settle(found)?;
                    if let Some(join) = join {
                        join.settle(found)?;
                    }
                }
                (ChildOp::AssociateWith { target, .. }, _) => target.settle(found)?,
                (ChildOp::Replace(members), _) => members.iter_mut().try_for_each(|member| member.settle(found))?,
                _ => {}
            }
        }
        // A row that the owner refers to sets columns of the owner.
        for (association, target) in targets {
            match target {
                Some(target) => self.associate_with(association, Member::Change(target)),
                None => self.dissociate(association),
            }
        }
        self.wants = self.children.iter().any(|child| match &child.op {
            ChildOp::Find(_) => true,
            ChildOp::Edit(change) => change.wants,
            op => op.members().iter().filter_map(Member::change).any(|change| change.wants),
        });
        Ok(())
    }
}

impl Member {
    fn settle(
        &mut self,
        found: &mut dyn FnMut(&Row, &'static AssociationDef, &Wanted) -> Result<Option<Row>>,
    ) -> Result<()> {
        // A shared draft is a new row, below which nothing is to be found.
        if let Member::Change(change) = self { change.settle(found) } else { Ok(()) }
    }
}

/// What becomes of a wanted member.
enum Settled {
    /// This is said of the association.
    Op(ChildOp),
    /// The owner refers to this row, or to none.
    Target(Option<RowChange>),
}

impl Wanted {
    fn settled(self, association: &'static AssociationDef, row: Option<Row>) -> Settled {
        let Wanted { then, mut change, .. } = self;
        let is_new = row.is_none();
        change.is_wanted = false;
        change.base.clone_from(&row);
        if is_new {
            change.set_discriminator();
        }
        let is_referred_to = OwnerKey::of(association).is_some();
        match (then, row) {
            (Then::Remove, _) if is_referred_to => Settled::Target(None),
            (Then::Remove, Some(row)) => match association.linkage() {
                Ok(Linkage::JoinRecord(_)) => Settled::Op(ChildOp::Remove(row)),
                _ => {
                    change.mark_for_destruction();
                    Settled::Op(ChildOp::Edit(Box::new(change)))
                }
            },
            _ if is_referred_to => Settled::Target(Some(change)),
            (_, Some(_)) => Settled::Op(ChildOp::Edit(Box::new(change))),
            (_, None) if association.kind.cardinality() == Cardinality::One => {
                Settled::Op(ChildOp::Replace(vec![Member::Change(change)]))
            }
            (_, None) => Settled::Op(ChildOp::Push { member: Member::Change(change), join: None }),
        }
    }
}
