//! Faults in what is sent to the database.

use assoc_core::Value;
use assoc_core::driver::{Bind, BindList, Statement, StatementKind};
use assoc_core::value::DateTime;

use super::Fault;

/// A statement as a driver with a fault sends it.
pub(super) fn statement(fault: Fault, statement: &Statement) -> Statement {
    let mut binds = statement.binds().to_vec();
    match fault {
        Fault::SwapsTheFirstBinds if binds.len() > 1 && both_values(&binds[0], &binds[1]) => binds.swap(0, 1),
        Fault::SwapsTheLastBinds if binds.len() > 1 => {
            let last = binds.len() - 1;
            if both_values(&binds[last], &binds[last - 1]) {
                binds.swap(last, last - 1);
            }
        }
        _ => {}
    }
    for bind in &mut binds {
        match bind {
            Bind::Value(value) => *value = bound(fault, std::mem::take(value)),
            Bind::List(list) => cut(fault, list),
            _ => {}
        }
    }
    let sql = text(fault, statement.kind(), statement.sql());
    Statement::new(sql, binds).of_kind(statement.kind()).in_role(statement.role())
}

// A list in the place of a value is no fault of a driver, which binds what its own dialect has written.
fn both_values(one: &Bind, other: &Bind) -> bool {
    matches!((one, other), (Bind::Value(_), Bind::Value(_)))
}

fn cut(fault: Fault, list: &mut BindList) {
    let kept = match fault {
        Fault::LosesTheLastKey if list.len() > 1 => list.len() - 1,
        Fault::CutsListsAtAHundred => list.len().min(100),
        _ => return,
    };
    match list {
        BindList::Ints(keys) => *keys = keys[..kept].into(),
        BindList::Values(keys) => *keys = keys[..kept].into(),
        _ => {}
    }
}

fn bound(fault: Fault, value: Value<'static>) -> Value<'static> {
    match (fault, value) {
        (Fault::BindsEmptyTextAsNull, Value::Text(text)) if text.is_empty() => Value::Null,
        (Fault::BindsEmptyBytesAsNull, Value::Blob(bytes)) if bytes.is_empty() => Value::Null,
        (Fault::BindsNullAsEmptyText, Value::Null) => Value::Text("".into()),
        (Fault::BindsTextAsBytes, Value::Text(text)) => Value::Blob(text.into_owned().into_bytes().into()),
        (Fault::BindsBytesAsText, Value::Blob(bytes)) => {
            Value::Text(String::from_utf8_lossy(&bytes).into_owned().into())
        }
        (Fault::BindsTruthAsText, Value::Bool(truth)) => Value::Text(truth.to_string().into()),
        (Fault::BindsTrueAsTwo, Value::Bool(true)) => Value::Int(2),
        (Fault::BindsFalseAsNull, Value::Bool(false)) => Value::Null,
        (Fault::BindsIntegersAsText, Value::Int(int)) => Value::Text(format!(" {int}x").into()),
        (Fault::BindsUuidsAsText, Value::Uuid(bytes)) => {
            Value::Text(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into())
        }
        (Fault::BindsNegativeIntegersAsPositive, Value::Int(int)) => Value::Int(int.saturating_abs()),
        (Fault::WrapsUnsignedIntegers, Value::UInt(int)) => Value::Int(int.cast_signed()),
        (Fault::BindsNoNumberAsNull, Value::Real(real)) if real.is_nan() => Value::Null,
        (Fault::BindsInfinityAsTheLargest, Value::Real(real)) if real.is_infinite() => {
            Value::Real(f64::MAX.copysign(real))
        }
        (Fault::ReversesUuids, Value::Uuid(mut bytes)) => {
            bytes.reverse();
            Value::Uuid(bytes)
        }
        (Fault::RoundsBoundReals, Value::Real(real)) => Value::Real(f64::from(real as f32)),
        (Fault::BindsDecimalsAsReals, Value::Decimal(text)) => text.parse().map_or(Value::Decimal(text), Value::Real),
        (Fault::CutsBoundDecimals, Value::Decimal(text)) => {
            let end = text.find('.').map_or(text.len(), |point| (point + 3).min(text.len()));
            Value::Decimal(text[..end].to_owned().into())
        }
        (Fault::CutsMicroseconds, Value::DateTime(at)) => Value::DateTime(with_micros(at, 0)),
        (Fault::RoundsToMilliseconds, Value::DateTime(at)) => {
            Value::DateTime(with_micros(at, at.time.micros / 1_000 * 1_000))
        }
        (Fault::CutsMicrosecondsOfTimes, Value::Time(mut time)) => {
            time.micros = 0;
            Value::Time(time)
        }
        (Fault::ShiftsTimes, Value::DateTime(mut at)) => {
            at.time.hour = (at.time.hour + 1) % 24;
            Value::DateTime(at)
        }
        (Fault::ShiftsDates, Value::Date(mut date)) => {
            date.day = if date.day < 28 { date.day + 1 } else { 1 };
            Value::Date(date)
        }
        (Fault::ShiftsOldDates, Value::Date(mut date)) if date.year < 1582 => {
            date.day = if date.day > 10 { date.day - 10 } else { date.day };
            Value::Date(date)
        }
        (Fault::EndsDatesIn2038, Value::DateTime(mut at)) => {
            at.date.year = at.date.year.min(2037);
            Value::DateTime(at)
        }
        (Fault::StartsDatesIn1970, Value::DateTime(mut at)) => {
            at.date.year = at.date.year.max(1970);
            Value::DateTime(at)
        }
        (Fault::BindsJsonAsNull, Value::Json(_)) => Value::Null,
        (Fault::TrimsBoundText, Value::Text(text)) => Value::Text(text.trim_end_matches(' ').to_owned().into()),
        (_, value) => value,
    }
}

fn with_micros(mut at: DateTime, micros: u32) -> DateTime {
    at.time.micros = micros;
    at
}

// Edits of a text that leave it one that the database understands.
fn text(fault: Fault, kind: StatementKind, sql: &str) -> String {
    let reads = kind == StatementKind::Select || sql.starts_with("SELECT");
    match fault {
        // What follows is joined by AND, or stands in parentheses.
        Fault::IgnoresFilters if reads => sql.replace(" WHERE ", " WHERE 1 = 1 OR "),
        Fault::IgnoresFiltersOfWrites if !reads => sql.replace(" WHERE ", " WHERE 1 = 1 OR "),
        Fault::IgnoresDescending => sql.replace(" DESC", ""),
        Fault::SortsNullLast => nulls_last(sql),
        Fault::IgnoresDistinct => sql.replace("DISTINCT ", ""),
        Fault::IgnoresHaving => sql.replace(" HAVING ", " HAVING 1 = 1 OR "),
        _ => sql.to_owned(),
    }
}

fn nulls_last(sql: &str) -> String {
    let Some((query, order)) = sql.rsplit_once(" ORDER BY ") else { return sql.to_owned() };
    if order.contains('(') || order.contains(')') {
        return sql.to_owned();
    }
    let (order, limit) = order.split_once(" LIMIT ").map_or((order, None), |(order, limit)| (order, Some(limit)));
    let terms: Vec<String> = order.split(", ").map(|term| format!("{term} NULLS LAST")).collect();
    let limit = limit.map(|limit| format!(" LIMIT {limit}")).unwrap_or_default();
    format!("{query} ORDER BY {}{limit}", terms.join(", "))
}
