//! What a row does to the rows it belongs to: `counter_cache` and `touch` of a `belongs_to`; and to the row that belongs to it:
//! `touch` of a `has_one`.

use super::{AssociationDef, KeySide};
use crate::metadata::expr::Expr;
use crate::metadata::model::{ColumnDefault, Discriminator, FilledBy, ModelDef};

/// The option `counter_cache`.
///
/// ```
/// use assoc_core::metadata::CounterCache;
///
/// // Of a `belongs_to` of one model, whose third column may stand for the number of rows.
/// let cache = CounterCache::new(&[2], true);
/// assert_eq!((cache.columns, cache.active), (&[2][..], true));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct CounterCache {
    /// The columns that count, as indexes: one in each of the target's models, in their order.
    pub columns: &'static [usize],
    /// Whether the column may stand for the number of rows. One that is not active is kept up to date, but nothing reads it
    /// in place of a count: it may still have to be filled.
    pub active: bool,
}

impl CounterCache {
    /// Counts in these columns.
    #[must_use]
    pub const fn new(columns: &'static [usize], active: bool) -> Self {
        CounterCache { columns, active }
    }
}

/// The option `touch`.
///
/// ```
/// use assoc_core::metadata::Touch;
///
/// // Beside `updated_at` the fourth column of the only model.
/// assert_eq!(Touch::new(&[&[3]]).columns[0], [3]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Touch {
    /// The columns that are named, beside `updated_at`: for each of the target's models, in their order.
    pub columns: &'static [&'static [usize]],
}

impl Touch {
    /// Touches these columns and `updated_at`.
    #[must_use]
    pub const fn new(columns: &'static [&'static [usize]]) -> Self {
        Touch { columns }
    }
}

/// The rows of one model that rows of an association's owner belong to, and what follows in them; or those that belong to the
/// owner and are touched with it (`touch` of a `has_one`).
///
/// ```
#[doc = include_str!("../../../docs/blog.txt")]
/// let team = User::TEAM.def();
/// let parents = team.kind.parents(team);
/// assert_eq!((parents[0].model, parents[0].counter), (Team::DEF, Some(Team::USERS_COUNT.index())));
/// assert!(parents[0].columns().eq([User::TEAM_ID.index()]));
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Parent {
    /// The association.
    pub association: &'static AssociationDef,
    /// Which of the two holds the key: the row, or the one that follows it.
    pub key_side: KeySide,
    /// What the row must name to belong to this model.
    pub named: Option<Discriminator>,
    /// The row's columns that hold the parent's key; of a `has_one`, its columns that the other row refers to.
    pub foreign_key: &'static [usize],
    /// The parent's model.
    pub model: &'static ModelDef,
    /// The parent's columns that the key refers to; of a `has_one`, those that hold it.
    pub key: &'static [usize],
    /// The association's own conditions: which parents it leads to.
    pub conditions: Expr,
    /// The parent's column that counts the rows.
    pub counter: Option<usize>,
    /// The parent's columns that take the time at which a row changes, in ascending order.
    pub touched: Vec<usize>,
}

impl Parent {
    /// The parent in the model at `place` among those of the association. `None` if nothing follows in it.
    pub(super) fn of(
        association: &'static AssociationDef,
        place: usize,
        model: &'static ModelDef,
        key: &'static [usize],
        foreign_key: &'static [usize],
    ) -> Option<Parent> {
        let options = &association.options;
        let counter = options.counter_cache.and_then(|cache| cache.columns.get(place).copied());
        let mut touched = Vec::new();
        if let Some(touch) = options.touch {
            touched.extend(touch.columns.get(place).copied().unwrap_or_default());
            touched.extend(model.updated_at());
            touched.sort_unstable();
            touched.dedup();
        }
        if counter.is_none() && touched.is_empty() {
            return None;
        }
        let conditions = association.scope().filter;
        let key_side = KeySide::Owner;
        Some(Parent { association, key_side, named: None, foreign_key, model, key, conditions, counter, touched })
    }

    /// The rows of a `has_one`, which hold the key and satisfy these conditions.
    pub(super) fn holding_the_key(self, conditions: Expr) -> Parent {
        Parent { key_side: KeySide::Target, conditions, ..self }
    }

    /// Those that a row must name a type to belong to.
    pub(super) fn named(self, column: usize, tag: &'static str) -> Parent {
        Parent { named: Some(Discriminator { column, tag }), ..self }
    }

    /// The columns of a row that say which parent it has.
    pub fn columns(&self) -> impl Iterator<Item = usize> + use<'_> {
        self.foreign_key.iter().copied().chain(self.named.map(|named| named.column))
    }
}

impl ModelDef {
    /// The columns that hold the time of the last write.
    ///
    /// ```
    /// use assoc_core::Model;
    ///
    /// #[derive(assoc_macros::Model, Clone)]
    /// struct Page {
    ///     id: i64,
    ///     #[column(updated_at)]
    ///     changed_at: ::chrono::NaiveDateTime,
    /// }
    ///
    /// assert!(Page::DEF.updated_at().eq([Page::CHANGED_AT.index()]));
    /// ```
    pub fn updated_at(&self) -> impl Iterator<Item = usize> + use<'_> {
        let is_time = |at: &usize| self.columns[*at].default == ColumnDefault::Filled(FilledBy::UpdatedAt);
        (0..self.columns.len()).filter(is_time)
    }

    /// Whether rows of other tables follow when a row of this model changes: an association has `counter_cache` or `touch`.
    #[must_use]
    pub fn has_followed_parents(&self) -> bool {
        let follows = |association: &AssociationDef| {
            association.options.counter_cache.is_some() || association.options.touch.is_some()
        };
        self.associations.iter().any(follows)
    }
}
