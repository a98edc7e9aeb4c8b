//! A counter, found by the association whose rows it counts.

use super::Children;
use crate::error::{Error, Result};
use crate::metadata::association::{AssociationDef, KeyJoin, Linkage, Parent};
use crate::metadata::expr::Expr;
use crate::metadata::model::ModelDef;
use crate::sql::CounterDrift;

/// The counter of an association to many: a column of the owner that counts the rows that belong to it.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use assoc_core::counters::CountedCollection;
/// use assoc_core::metadata::Expr;
///
/// let counted = CountedCollection::of(Team::USERS.def())?;
/// assert_eq!((counted.model, counted.counter), (Team::DEF, Team::USERS_COUNT.index()));
/// // It counts exactly the users of a team, so it stands for their number.
/// assert!(CountedCollection::standing_for(Team::USERS.def()).is_some());
/// assert!(counted.drift(&Expr::always()).select(&StandardSql::default(), None)?.sql().contains("COUNT(counted.k0)"));
/// assert!(CountedCollection::of(User::POSTS.def()).is_err(), "posts are not counted");
/// # Ok::<(), assoc_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct CountedCollection {
    /// The owner's model.
    pub model: &'static ModelDef,
    /// The owner's columns that the rows refer to.
    pub key: &'static [usize],
    /// The counter.
    pub counter: usize,
    /// Which owners have one: the conditions of the `belongs_to`.
    pub conditions: Expr,
    /// The model of the rows that are counted.
    pub children: &'static ModelDef,
    /// The columns of theirs that refer to the owner.
    pub foreign_key: &'static [usize],
    /// Which of its rows count: those that name the owner's type.
    pub counted: Expr,
    /// Whether the column may stand for the number of rows (`counter_cache_active`).
    pub active: bool,
}

impl CountedCollection {
    /// The counter of an association: that of the `belongs_to` by which its rows belong to the owner. Of a through
    /// association the rows between are counted.
    ///
    /// # Errors
    /// When there is none, or several and the association does not say which is its own (`counter_cache = "…"`).
    pub fn of(association: &AssociationDef) -> Result<CountedCollection> {
        let model = (association.owner)();
        let (children, key) = match association.linkage()? {
            Linkage::TargetKey(key) => ((association.target)(), key),
            Linkage::JoinRecord(record) => (record.table, record.owner),
            Linkage::OwnerKey(_) | Linkage::OwnerKeyAndType { .. } | Linkage::ReadOnly(_) => {
                return Err(none(association, "its rows do not hold the key of one owner"));
            }
        };
        let mut parents: Vec<Parent> = Children::of(children).map(|children| children.parents).unwrap_or_default();
        parents.retain(|parent| counts(parent, model, key));
        if let Some(column) = association.options.counted_in {
            parents.retain(|parent| parent.counter == Some(column));
        }
        let mut counters: Vec<usize> = parents.iter().filter_map(|parent| parent.counter).collect();
        counters.dedup();
        let (Some(parent), [counter]) = (parents.pop(), &counters[..]) else {
            let reason = match (counters.len(), association.options.counted_in) {
                (0, Some(column)) => format!(
                    "no `belongs_to` of {} over this key counts in `{}`",
                    children.name, model.columns[column].field
                ),
                (0, None) => format!("no `belongs_to` of {} over this key has `counter_cache`", children.name),
                _ => format!(
                    "several counters of {} count its rows: say which is its own with `counter_cache = \"…\"`",
                    model.name
                ),
            };
            return Err(none(association, &reason));
        };
        let counted = match parent.named {
            Some(named) => Expr::tagged(&children.columns[named.column], named.tag),
            None => Expr::always(),
        };
        let active = parent.association.options.counter_cache.is_some_and(|cache| cache.active);
        let (key, foreign_key, conditions) = (parent.key, parent.foreign_key, parent.conditions);
        Ok(CountedCollection { model, key, counter: *counter, conditions, children, foreign_key, counted, active })
    }

    /// The counter that stands for the number of an association's rows: an active one that counts exactly the rows that the
    /// association has. So neither the association, nor the `belongs_to` that counts, nor a model on the way may leave rows out
    /// by a scope. Of a through association it is the counter of the rows between, which need not lead to a row: it counts only
    /// if the association names it (`counter_cache = "…"`).
    #[must_use]
    pub fn standing_for(association: &AssociationDef) -> Option<CountedCollection> {
        let ways = match association.linkage().ok()? {
            Linkage::TargetKey(_) => [Some(association), None],
            Linkage::JoinRecord(record) if association.options.counted_in.is_some() && record.target_type.is_none() => {
                [Some(association), record.rows]
            }
            _ => return None,
        };
        let source = association.kind.parts().map(|[_, source]| source);
        if !ways.into_iter().chain([source]).flatten().all(has_all_rows) {
            return None;
        }
        CountedCollection::of(association).ok().filter(|counted| counted.active && counted.conditions.is_always())
    }

    /// The look-up of the rows in which the counter is wrong, of those that satisfy a condition.
    #[must_use]
    pub fn drift<'a>(&'a self, filter: &'a Expr) -> CounterDrift<'a> {
        CounterDrift {
            model: self.model,
            key: self.key,
            counter: self.counter,
            filter,
            children: self.children,
            foreign_key: self.foreign_key,
            counted: &self.counted,
        }
    }
}

// Whether no scope leaves out a row that the key leads to.
fn has_all_rows(association: &AssociationDef) -> bool {
    let scope = association.scope();
    let is_whole = scope.filter.is_always() && !scope.chooses() && !scope.distinct;
    is_whole && association.options.owner_scope.is_none() && (association.target)().default_scope.is_none()
}

fn counts(parent: &Parent, model: &'static ModelDef, key: KeyJoin) -> bool {
    parent.counter.is_some()
        && parent.model == model
        && parent.key == key.owner_columns
        && parent.foreign_key == key.target_columns
        && parent.named == key.target_type
}

#[cold]
fn none(association: &AssociationDef, reason: &str) -> Error {
    let message = format!("`{}` has no counter: {reason}", association.qualified_name());
    Error::invalid_query((association.owner)().name, message)
}
