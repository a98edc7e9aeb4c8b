//! Which rows wait for which, and what can be written together.

use std::collections::HashMap;

use super::circles::Circles;
use super::{Closing, PlannedRow, PlannedRows, Step};
use crate::error::{ErrorKind, FieldError, Result};
use crate::metadata::model::ModelDef;

// So few are compared faster than one is hashed.
const FEW: usize = 8;

/// Gives each row its level, and the steps that write them: level by level, in each what exists before what is new, model by
/// model in the order in which they are met. Of rows that need each other's keys some take one only once all are written.
pub(super) fn arrange(root: &'static ModelDef, rows: &mut PlannedRows) -> Result<(Vec<Step>, Vec<Closing>)> {
    let rise = |rows: &mut PlannedRows, at: usize| {
        let of_others = rows[at].awaits.iter().map(|awaited| rows[awaited.row as usize].level + 1);
        rows[at].level = of_others.max().unwrap_or(0);
    };
    let mut closings = Vec::new();
    // As a rule each row waits for rows before it.
    let in_order = (0..rows.len()).all(|at| {
        rise(rows, at);
        rows[at].awaits.iter().all(|awaited| (awaited.row as usize) < at)
    });
    if !in_order {
        let order;
        (order, closings) = in_order_of_need(rows).ok_or_else(|| circle(root, rows))?;
        order.into_iter().for_each(|at| rise(rows, at));
    }
    // Rows of one level, model and kind are written together. There are few such sets, and as a rule a row belongs to that of
    // the row before it.
    let mut sets: Vec<(StepKey, Step)> = Vec::new();
    let mut at_key: HashMap<StepKey, usize> = HashMap::new();
    let mut last = 0;
    for (row, own) in rows.written() {
        let key = StepKey::of(own);
        if sets.get(last).is_none_or(|(known, _)| *known != key) {
            // An owner comes between the members of two.
            let few = sets.iter().take(FEW).position(|(known, _)| *known == key);
            last = few.unwrap_or_else(|| {
                *at_key.entry(key).or_insert_with(|| {
                    let step = match own.base {
                        Some(_) => Step::Update { model: own.model, rows: Vec::new() },
                        None => Step::Insert { model: own.model, rows: Vec::new(), unread: own.unread },
                    };
                    sets.push((key, step));
                    sets.len() - 1
                })
            });
        }
        match &mut sets[last].1 {
            Step::Update { rows, .. } | Step::Insert { rows, .. } => rows.push(row),
        }
    }
    sets.sort_by_key(|(key, _)| (key.level, key.is_new));
    Ok((sets.into_iter().map(|(_, step)| step).collect(), closings))
}

/// What rows that are written together have in common.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct StepKey {
    level: u32,
    is_new: bool,
    unread: bool,
    // The address is a hint: a constant may exist at several.
    model: usize,
}

impl StepKey {
    fn of(row: &PlannedRow) -> Self {
        StepKey {
            level: row.level,
            is_new: row.base.is_none(),
            unread: row.unread,
            model: std::ptr::from_ref(row.model) as usize,
        }
    }
}

// The rows, each after those it waits for. Where some wait for each other, one of them waits no longer; `None` if none can.
fn in_order_of_need(rows: &mut PlannedRows) -> Option<(Vec<usize>, Vec<Closing>)> {
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
    let mut circles = Circles::default();
    let mut next = 0;
    loop {
        while let Some(at) = order.get(next).copied() {
            next += 1;
            for other in &all[begins[at]..begins[at + 1]] {
                if circles.are_open(*other, at) {
                    continue;
                }
                let left = &mut waiting[*other];
                *left -= 1;
                if *left == 0 {
                    order.push(*other);
                }
            }
        }
        if order.len() == rows.len() {
            return Some((order, circles.into_closings()));
        }
        let (row, columns) = circles.open_one(rows, &order)?;
        waiting[row] -= columns;
        if waiting[row] == 0 {
            order.push(row);
        }
    }
}

#[cold]
fn circle(root: &'static ModelDef, rows: &PlannedRows) -> crate::Error {
    let mut models: Vec<&str> = rows.iter().filter(|row| !row.awaits.is_empty()).map(|row| row.model.name).collect();
    models.sort_unstable();
    models.dedup();
    let message = format!(
        "new rows need each other's keys ({}), and no column that holds one can be NULL until both are stored: make one an \
         `Option`, or give the rows keys of your own",
        models.join(", ")
    );
    let error = FieldError::new(root.name, message).with_code(FieldError::CIRCLE);
    ErrorKind::Invalid { model: root.name, errors: vec![error] }.into()
}
