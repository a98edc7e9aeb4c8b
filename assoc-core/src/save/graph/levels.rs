//! Which rows wait for which, and what can be written together.

use std::collections::HashMap;

use super::{PlannedRow, Step};
use crate::error::{ErrorKind, FieldError, Result};
use crate::metadata::model::ModelDef;

/// Gives each row its level, and the steps that write them: level by level, in each what exists before what is new, model by
/// model in the order in which they are met.
pub(super) fn arrange(root: &'static ModelDef, rows: &mut [PlannedRow]) -> Result<Vec<Step>> {
    let order = in_order_of_need(rows).ok_or_else(|| circle(root, rows))?;
    for at in order {
        let of_others = rows[at].awaits.iter().map(|awaited| rows[awaited.row as usize].level + 1);
        rows[at].level = of_others.max().unwrap_or(0);
    }
    let mut all: Vec<u32> = (0..rows.len() as u32).filter(|row| rows[*row as usize].is_written()).collect();
    all.sort_by_key(|row| {
        let row = &rows[*row as usize];
        (row.level, row.base.is_none())
    });
    let mut steps: Vec<Step> = Vec::new();
    let mut open: HashMap<(u32, bool, bool, usize), Vec<usize>> = HashMap::new();
    for row in all {
        let own = &rows[row as usize];
        // The address is a hint: a constant may exist at several.
        let key = (own.level, own.base.is_none(), own.unread, std::ptr::from_ref(own.model) as usize);
        let known = open.entry(key).or_default();
        if let Some(at) = known.first() {
            match &mut steps[*at] {
                Step::Update { rows, .. } | Step::Insert { rows, .. } => rows.push(row),
            }
            continue;
        }
        known.push(steps.len());
        steps.push(match own.base {
            Some(_) => Step::Update { model: own.model, rows: vec![row] },
            None => Step::Insert { model: own.model, rows: vec![row], unread: own.unread },
        });
    }
    Ok(steps)
}

// The rows, each after those it waits for. `None` if some wait for each other.
fn in_order_of_need(rows: &[PlannedRow]) -> Option<Vec<usize>> {
    let mut waiting: Vec<usize> = rows.iter().map(|row| row.awaits.len()).collect();
    // For each row those that wait for it, one list after the other, and where each begins.
    let mut begins = vec![0_usize; rows.len() + 1];
    for awaited in rows.iter().flat_map(|row| &row.awaits) {
        begins[awaited.row as usize + 1] += 1;
    }
    for at in 1..begins.len() {
        begins[at] += begins[at - 1];
    }
    let (mut next_of, mut all) = (begins.clone(), vec![0_usize; begins[rows.len()]]);
    for (at, row) in rows.iter().enumerate() {
        for awaited in &row.awaits {
            let next = &mut next_of[awaited.row as usize];
            all[*next] = at;
            *next += 1;
        }
    }
    let mut order: Vec<usize> = (0..rows.len()).filter(|at| waiting[*at] == 0).collect();
    let mut next = 0;
    while let Some(at) = order.get(next).copied() {
        next += 1;
        for other in &all[begins[at]..begins[at + 1]] {
            let left = &mut waiting[*other];
            *left -= 1;
            if *left == 0 {
                order.push(*other);
            }
        }
    }
    (order.len() == rows.len()).then_some(order)
}

#[cold]
fn circle(root: &'static ModelDef, rows: &[PlannedRow]) -> crate::Error {
    let mut models: Vec<&str> = rows.iter().filter(|row| !row.awaits.is_empty()).map(|row| row.model.name).collect();
    models.sort_unstable();
    models.dedup();
    let message = format!(
        "new rows need each other's keys ({}): save one of them first, and set its key with a second save",
        models.join(", ")
    );
    let error = FieldError::new(root.name, message).with_code(FieldError::CIRCLE);
    ErrorKind::Invalid { model: root.name, errors: vec![error] }.into()
}
