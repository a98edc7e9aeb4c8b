//! A counter, found by the association whose rows it counts.

use super::Children;
use crate::error::{Error, Result};
use crate::metadata::association::{AssociationDef, KeyJoin, Linkage, Parent};
use crate::metadata::expr::Expr;
use crate::metadata::model::ModelDef;
use crate::sql::CounterDrift;

/// The counter of an association to many: a column of the owner that counts the rows that belong to it.
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
}

impl CountedCollection {
    /// The counter of an association: that of the `belongs_to` by which its rows belong to the owner. Of a through
    /// association the rows between are counted.
    ///
    /// # Errors
    /// When there is none, or several and the association does not say which is its own (`counter_cache = "…"`).
    pub fn of(association: &'static AssociationDef) -> Result<CountedCollection> {
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
        let (key, foreign_key, conditions) = (parent.key, parent.foreign_key, parent.conditions);
        Ok(CountedCollection { model, key, counter: *counter, conditions, children, foreign_key, counted })
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

fn counts(parent: &Parent, model: &'static ModelDef, key: KeyJoin) -> bool {
    parent.counter.is_some()
        && parent.model == model
        && parent.key == key.owner_columns
        && parent.foreign_key == key.target_columns
        && parent.named == key.target_type
}

#[cold]
fn none(association: &'static AssociationDef, reason: &str) -> Error {
    let message = format!("`{}` has no counter: {reason}", association.qualified_name());
    Error::invalid_query((association.owner)().name, message)
}
