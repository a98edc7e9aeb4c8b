//! The targets together with their rows of the join table.

use std::sync::Arc;

use super::{HasManyThrough, Targets, list_with_join_rows};
use crate::error::NotLoadedReason;
use crate::holder::cell::Cell;
use crate::holder::join_rows::{WithJoinRows, WithJoinRowsMut};
use crate::holder::{Taken, TargetRow};
use crate::metadata::model::Model;

impl<T, J: Model> HasManyThrough<T, J> {
    /// The targets, each with its row of the join table.
    ///
    /// # Errors
    /// The association is not loaded. The derived accessor (`post.tags_with_join_rows()`) adds the names to this error.
    ///
    /// ```
    /// # use assoc_core::{HasManyThrough, Model};
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # struct Tag { id: i64 }
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # struct PostTag { post_id: i64, tag_id: i64, note: String }
    /// # let pairs = vec![(Tag { id: 7 }, PostTag { post_id: 1, tag_id: 7, note: "first".into() })];
    /// let tags = HasManyThrough::from(pairs);
    /// for (tag, link) in tags.get_with_join_rows().unwrap() {
    ///     assert_eq!((tag.id, &*link.note), (7, "first"));
    /// }
    /// ```
    pub fn get_with_join_rows(&self) -> Result<WithJoinRows<'_, T, J>, NotLoadedReason> {
        self.loaded_with_join_rows().ok_or(NotLoadedReason::NotRequested)
    }

    /// The targets, each with its row of the join table; `None` if the association is not loaded.
    ///
    /// ```
    /// # use assoc_core::{HasManyThrough, Model};
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # struct Tag { id: i64 }
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # struct PostTag { post_id: i64, tag_id: i64, note: String }
    /// # let pairs = vec![(Tag { id: 7 }, PostTag { post_id: 1, tag_id: 7, note: "first".into() })];
    /// let tags = HasManyThrough::from(pairs);
    /// assert_eq!(tags.loaded_with_join_rows().map(|pairs| pairs.len()), Some(1));
    /// ```
    #[must_use]
    pub fn loaded_with_join_rows(&self) -> Option<WithJoinRows<'_, T, J>> {
        self.loaded().zip(self.join_rows()).map(|(rows, join_rows)| WithJoinRows::new(rows, join_rows))
    }

    /// The rows of the join table, in the order of the targets; `None` if the association is not loaded.
    ///
    /// ```
    /// # use assoc_core::{HasManyThrough, Model};
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # struct Tag { id: i64 }
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # struct PostTag { post_id: i64, tag_id: i64, note: String }
    /// # let pairs = vec![(Tag { id: 7 }, PostTag { post_id: 1, tag_id: 7, note: "first".into() })];
    /// let tags = HasManyThrough::from(pairs);
    /// assert_eq!(tags.join_rows().unwrap()[0].note, "first");
    /// ```
    #[must_use]
    pub fn join_rows(&self) -> Option<&[J]> {
        self.0.value().map(|list| list.get().map_or(&[][..], Targets::join_rows))
    }

    /// Takes the targets and their join rows out and leaves the association not loaded. `into()` makes a holder of them
    /// again, in the state that it had.
    ///
    /// ```
    /// # use assoc_core::{HasManyThrough, Model};
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # struct Tag { id: i64 }
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # struct PostTag { post_id: i64, tag_id: i64, note: String }
    /// # let pairs = vec![(Tag { id: 7 }, PostTag { post_id: 1, tag_id: 7, note: "first".into() })];
    /// let mut tags = HasManyThrough::from(pairs);
    /// let pairs = tags.take_with_join_rows().unwrap();
    /// assert!(pairs[0].1.note == "first" && !tags.is_loaded());
    /// tags = pairs.into();
    /// assert!(tags.is_loaded());
    /// ```
    pub fn take_with_join_rows(&mut self) -> Option<Taken<Vec<(Arc<T>, J)>>> {
        self.1 = None;
        self.0.take(|list| {
            let targets = list.into_inner().unwrap_or_default();
            targets.rows.into_iter().zip(*targets.join_rows.unwrap_or_default()).collect()
        })
    }
}

impl<T: TargetRow, J: Model> HasManyThrough<T, J> {
    /// The targets with their join rows, to add and remove pairs in memory; `None` if the association is not loaded.
    /// The state stays: a partly loaded association is still partly loaded. This writes nothing to the database.
    ///
    /// ```
    /// # use assoc_core::{HasManyThrough, Model};
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # struct Tag { id: i64 }
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # struct PostTag { post_id: i64, tag_id: i64, note: String }
    /// # let pairs = vec![(Tag { id: 7 }, PostTag { post_id: 1, tag_id: 7, note: "first".into() })];
    /// let mut tags = HasManyThrough::from(pairs);
    /// tags.loaded_with_join_rows_mut().unwrap().retain(|tag, _| tag.id != 7);
    /// assert!(tags.get().unwrap().is_empty());
    /// ```
    #[must_use]
    pub fn loaded_with_join_rows_mut(&mut self) -> Option<WithJoinRowsMut<'_, T, J>> {
        let targets = self.0.value_mut()?.get_or_default();
        Some(WithJoinRowsMut::new(&mut targets.rows, targets.join_rows.get_or_insert_default()))
    }

    /// A partly loaded association with its join rows, as after a filter or a limit: pairs may be missing.
    ///
    /// ```
    /// # use assoc_core::{HasManyThrough, Model};
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # struct Tag { id: i64 }
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # struct PostTag { post_id: i64, tag_id: i64, note: String }
    /// # let pairs = vec![(Tag { id: 7 }, PostTag { post_id: 1, tag_id: 7, note: "first".into() })];
    /// assert!(HasManyThrough::partial_with_join_rows(pairs).is_partial());
    /// ```
    #[must_use]
    pub fn partial_with_join_rows(pairs: Vec<(T, J)>) -> Self {
        let pairs = pairs.into_iter().map(|(target, join_row)| (Arc::new(target), join_row));
        HasManyThrough(Cell::Partial(list_with_join_rows(pairs)), None)
    }
}
