//! Conditions, evaluated on rows in memory as SQL does.

use std::cmp::Ordering;

use assoc_core::Value;
use assoc_core::metadata::{Comparison, Expr, Operand};

use crate::tables::Row;

/// Whether a row satisfies a condition.
pub(crate) fn holds(condition: &Expr, row: &Row) -> bool {
    truth(condition, row) == Some(true)
}

// `None` is what SQL calls unknown.
fn truth(condition: &Expr, row: &Row) -> Option<bool> {
    let all = |parts: &[Expr], wanted: bool| {
        let parts: Vec<Option<bool>> = parts.iter().map(|part| truth(part, row)).collect();
        match parts.contains(&Some(!wanted)) {
            true => Some(!wanted),
            false => parts.into_iter().collect::<Option<Vec<bool>>>().map(|_| wanted),
        }
    };
    match condition {
        Expr::All(parts) => all(parts, true),
        Expr::Any(parts) => all(parts, false),
        Expr::Not(inner) => truth(inner, row).map(|holds| !holds),
        Expr::Compare { left, op, right } => {
            let (left, right) = (value(left, row), value(right, row));
            if right.is_null() && matches!(op, Comparison::Eq | Comparison::Ne) {
                return Some(left.is_null() == (*op == Comparison::Eq));
            }
            let order = order(&left, &right)?;
            Some(match op {
                Comparison::Eq => order == Ordering::Equal,
                Comparison::Ne => order != Ordering::Equal,
                Comparison::Lt => order == Ordering::Less,
                Comparison::Le => order != Ordering::Greater,
                Comparison::Gt => order == Ordering::Greater,
                Comparison::Ge => order != Ordering::Less,
            })
        }
        Expr::IsNull(operand) => Some(value(operand, row).is_null()),
        Expr::Tagged { column, tag } => Some(matches!(&row[column], Value::Text(text) if text == tag)),
        other => panic!("no condition of what depends on rows is this one: {other:?}"),
    }
}

fn value(operand: &Operand, row: &Row) -> Value<'static> {
    match operand {
        Operand::Column(column) if column.path.is_empty() => row[column.name].clone(),
        Operand::Value(value) => value.clone(),
        other => panic!("no operand of what depends on rows is this one: {other:?}"),
    }
}

fn order(left: &Value<'_>, right: &Value<'_>) -> Option<Ordering> {
    let number = |value: &Value<'_>| match value {
        Value::Bool(value) => Some(i128::from(*value)),
        Value::Int(value) => Some(i128::from(*value)),
        Value::UInt(value) => Some(i128::from(*value)),
        _ => None,
    };
    match (left, right) {
        (Value::Null, _) | (_, Value::Null) => None,
        (Value::Text(left), Value::Text(right)) => Some(left.cmp(right)),
        _ => match (number(left), number(right)) {
            (Some(left), Some(right)) => Some(left.cmp(&right)),
            _ => panic!("{left:?} and {right:?} are compared by no condition of what depends on rows"),
        },
    }
}
