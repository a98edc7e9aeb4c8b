//! What follows the rows of a plan, for its text.

use super::SavePlan;
use crate::counters::{Children, Timing};
use crate::metadata::association::KeySide;
use crate::metadata::model::ModelDef;
use crate::save::unlink::Unlink;
use crate::value::Value;

/// A model whose rows are written and followed.
pub(super) struct Written {
    pub(super) children: Children,
    /// How many of its rows exist and are read first.
    pub(super) locked: usize,
    /// For which of the parents something follows.
    pub(super) meant: Vec<bool>,
}

impl SavePlan {
    /// The models whose rows are written and followed.
    pub(super) fn written_children(&self, touches: bool) -> Vec<Written> {
        let mut all: Vec<Written> = Vec::new();
        for lookup in self.lookups.iter().filter(|lookup| lookup.removes()) {
            let Some(Written { children, locked, meant }) = entry(&mut all, lookup.table) else { continue };
            *locked += lookup.questions.len();
            let cleared = |column| match &lookup.unlink {
                Unlink::Nullify(columns) => columns.contains(&column),
                Unlink::Delete | Unlink::Destroy | Unlink::Refused(_) => true,
            };
            for (parent, meant) in children.parents.iter().zip(meant) {
                *meant |= touches && !parent.touched.is_empty() || parent.columns().any(cleared);
            }
        }
        for (row, planned) in self.rows.written() {
            let Some(Written { children, locked, meant }) = entry(&mut all, planned.model) else { continue };
            let is_set = |column: usize| self.rows.is_set(planned, column);
            let values = self.rows.values(planned);
            let exists = planned.base.is_some();
            *locked += usize::from(exists && children.is_read_first(touches, is_set));
            let timings = self.new_parents.timings.get(&row);
            for (place, (parent, meant)) in children.parents.iter().zip(meant).enumerate() {
                let timing = timings.and_then(|timings| timings.get(place));
                if parent.key_side == KeySide::Target {
                    *meant |= touches && timing == Some(&Timing::After);
                    continue;
                }
                // A column that is not given is one that another row gives, or the database.
                let is_null = |column: usize| matches!(&values[column], Some(Value::Null));
                let is_other = parent
                    .named
                    .is_some_and(|named| matches!(&values[named.column], Some(tag) if *tag != Value::from(named.tag)));
                *meant |= match exists {
                    true => parent.columns().any(is_set) || touches && !parent.touched.is_empty(),
                    false => {
                        let belongs = parent.columns().any(is_set) && !parent.columns().any(is_null) && !is_other;
                        belongs && timing != Some(&Timing::Inserted)
                    }
                };
            }
        }
        all
    }
}

fn entry<'a>(all: &'a mut Vec<Written>, model: &'static ModelDef) -> Option<&'a mut Written> {
    let known = all.iter().position(|known| known.children.model == model);
    let at = match known {
        Some(at) => at,
        None => {
            let children = Children::of(model)?;
            let meant = vec![false; children.parents.len()];
            all.push(Written { children, locked: 0, meant });
            all.len() - 1
        }
    };
    Some(&mut all[at])
}
