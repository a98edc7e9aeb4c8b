//! Rows of a join table beside their targets: `HasAndBelongsToMany<Tag, PostTag>`.
//!
//! A join table with more columns than the two keys may have a model. The field's type names the model as its second
//! parameter. The association's first statement, which reads the links anyway, then reads the join rows as well. They
//! lie beside the targets, the first join row with the first target, whatever the order, limit or filter. They are for
//! reading. To change them, or to load their associations, declare the join table as an ordinary model and use
//! `#[has_many(through = "…")]`.

use std::any::Any;
use std::sync::Arc;

use crate::metadata::model::Model;
use crate::row_traits::RowTraits;

/// The join rows of one owner's targets; `None` for an association without a join model. The type is one pointer wide,
/// because every through association has the field and few use it.
#[allow(clippy::box_collection)]
pub(super) type JoinRowList<J> = Option<Box<Vec<J>>>;

/// What lies beside each target: nothing (`()`), or a row of the join table, whose type is a model.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a model, so it cannot be the rows of a join table",
    label = "the second parameter is the model of the join table's rows",
    note = "add `#[derive(Model)]` to `{Self}`"
)]
pub trait JoinRow: super::sealed::JoinRow + Clone + Send + Sync + 'static {
    /// Copies of the rows at some positions of a `Vec`: `None` if it is a `Vec` of another type, or too short.
    #[doc(hidden)]
    fn copied(rows: &dyn Any, positions: &[u32]) -> Option<Vec<Self>>;

    /// Whether the association has no join model.
    #[doc(hidden)]
    const ABSENT: bool;

    /// The functions of the join row's `PartialEq` and `Debug`, where it has them.
    #[doc(hidden)]
    const ROW_TRAITS: RowTraits<Self>;
}

impl JoinRow for () {
    const ABSENT: bool = true;
    const ROW_TRAITS: RowTraits<()> = RowTraits::NOTHING;

    fn copied(_: &dyn Any, _: &[u32]) -> Option<Vec<()>> {
        None
    }
}

impl<M: Model> JoinRow for M {
    const ABSENT: bool = false;
    const ROW_TRAITS: RowTraits<M> = <M as Model>::ROW_TRAITS;

    fn copied(rows: &dyn Any, positions: &[u32]) -> Option<Vec<M>> {
        let rows = rows.downcast_ref::<Vec<M>>()?;
        positions.iter().map(|at| rows.get(*at as usize).cloned()).collect()
    }
}

/// Targets, each with its row of the join table: what `post.tags_with_join_rows()` gives.
#[derive(Debug)]
pub struct WithJoinRows<'a, T, J> {
    targets: std::slice::Iter<'a, Arc<T>>,
    join_rows: std::slice::Iter<'a, J>,
}

impl<'a, T, J> WithJoinRows<'a, T, J> {
    pub(super) fn new(targets: &'a [Arc<T>], join_rows: &'a [J]) -> Self {
        WithJoinRows { targets: targets.iter(), join_rows: join_rows.iter() }
    }
}

impl<T, J> Clone for WithJoinRows<'_, T, J> {
    fn clone(&self) -> Self {
        WithJoinRows { targets: self.targets.clone(), join_rows: self.join_rows.clone() }
    }
}

impl<'a, T, J> Iterator for WithJoinRows<'a, T, J> {
    type Item = (&'a T, &'a J);

    fn next(&mut self) -> Option<Self::Item> {
        Some((&**self.targets.next()?, self.join_rows.next()?))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.targets.size_hint()
    }
}

impl<T, J> DoubleEndedIterator for WithJoinRows<'_, T, J> {
    fn next_back(&mut self) -> Option<Self::Item> {
        // Both iterators have one length, so their ends are one pair.
        Some((&**self.targets.next_back()?, self.join_rows.next_back()?))
    }
}

impl<T, J> ExactSizeIterator for WithJoinRows<'_, T, J> {}

/// Targets with their join rows, to add and remove pairs: what `loaded_with_join_rows_mut` gives.
#[derive(Debug)]
pub struct WithJoinRowsMut<'a, T, J> {
    targets: &'a mut Vec<Arc<T>>,
    join_rows: &'a mut Vec<J>,
}

impl<'a, T, J> WithJoinRowsMut<'a, T, J> {
    pub(super) fn new(targets: &'a mut Vec<Arc<T>>, join_rows: &'a mut Vec<J>) -> Self {
        WithJoinRowsMut { targets, join_rows }
    }

    /// The number of pairs.
    ///
    /// ```
    /// # use assoc_core::{HasManyThrough, Model};
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # struct Tag { id: i64 }
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # struct PostTag { post_id: i64, tag_id: i64, note: String }
    /// # let pairs = vec![(Tag { id: 7 }, PostTag { post_id: 1, tag_id: 7, note: "first".into() })];
    /// let mut tags = HasManyThrough::from(pairs);
    /// assert_eq!(tags.loaded_with_join_rows_mut().unwrap().len(), 1);
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.targets.len()
    }

    /// Whether there are no pairs.
    ///
    /// ```
    /// # use assoc_core::{HasManyThrough, Model};
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # struct Tag { id: i64 }
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # struct PostTag { post_id: i64, tag_id: i64, note: String }
    /// # let pairs = vec![(Tag { id: 7 }, PostTag { post_id: 1, tag_id: 7, note: "first".into() })];
    /// let mut tags = HasManyThrough::from(pairs);
    /// assert!(!tags.loaded_with_join_rows_mut().unwrap().is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }

    /// Appends a target with its row of the join table.
    ///
    /// ```
    /// # use assoc_core::{HasManyThrough, Model};
    /// # use assoc_core as assoc_repo;
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # struct Tag { id: i64 }
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # struct PostTag { post_id: i64, tag_id: i64, note: String }
    /// let mut tags: HasManyThrough<Tag, PostTag> = HasManyThrough::from(Vec::new());
    /// if let Some(mut tags) = tags.loaded_with_join_rows_mut() {
    ///     tags.push(Tag { id: 7 }, PostTag { post_id: 1, tag_id: 7, note: "first".into() });
    /// }
    /// assert_eq!(tags.loaded().map(|tags| tags.len()), Some(1));
    /// ```
    pub fn push(&mut self, target: impl Into<Arc<T>>, join_row: J) {
        self.targets.push(target.into());
        self.join_rows.push(join_row);
    }

    /// Removes the pair at a position and returns it; `None` if there is no such position.
    ///
    /// ```
    /// # use assoc_core::{HasManyThrough, Model};
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # struct Tag { id: i64 }
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # struct PostTag { post_id: i64, tag_id: i64, note: String }
    /// # let pairs = vec![(Tag { id: 7 }, PostTag { post_id: 1, tag_id: 7, note: "first".into() })];
    /// let mut tags = HasManyThrough::from(pairs);
    /// let (tag, link) = tags.loaded_with_join_rows_mut().unwrap().remove(0).unwrap();
    /// assert_eq!((tag.id, link.tag_id), (7, 7));
    /// ```
    pub fn remove(&mut self, at: usize) -> Option<(Arc<T>, J)> {
        (at < self.targets.len()).then(|| (self.targets.remove(at), self.join_rows.remove(at)))
    }

    /// Keeps the pairs for which `keep` returns `true`. `keep` may change a join row.
    ///
    /// ```
    /// # use assoc_core::{HasManyThrough, Model};
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # struct Tag { id: i64 }
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # struct PostTag { post_id: i64, tag_id: i64, note: String }
    /// # let pairs = vec![(Tag { id: 7 }, PostTag { post_id: 1, tag_id: 7, note: "first".into() })];
    /// let mut tags = HasManyThrough::from(pairs);
    /// tags.loaded_with_join_rows_mut().unwrap().retain(|_, link| !link.note.is_empty());
    /// assert_eq!(tags.get().unwrap().len(), 1);
    /// ```
    pub fn retain(&mut self, mut keep: impl FnMut(&T, &mut J) -> bool) {
        let mut kept = Vec::with_capacity(self.targets.len());
        let mut targets = self.targets.iter();
        self.join_rows.retain_mut(|join_row| {
            let keeps = targets.next().is_some_and(|target| keep(target, join_row));
            kept.push(keeps);
            keeps
        });
        let mut kept = kept.into_iter();
        self.targets.retain(|_| kept.next().unwrap_or(false));
    }
}
