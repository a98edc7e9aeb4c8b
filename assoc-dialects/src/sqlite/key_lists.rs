//! How keys are sent, as far as clients differ in what they can bind.

use assoc_core::Value;
use assoc_core::driver::BindList;
use assoc_core::sql::SqlWriter;

use super::{functions, is_decimal};
use crate::json::push_string;

/// How keys of one column and lists of values are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyLists {
    /// As one bind: a list that `rarray(?)` reads by a pointer. Any number of any values.
    Pointer,
    /// As one bind: a JSON array that `json_each(?)` reads. Integers and text; other values are binds.
    Json,
    /// As one bind for each, of which the last is repeated up to a power of two.
    Padded,
}

impl KeyLists {
    /// A list as one bind, if this client and these values allow it.
    pub(super) fn one_bind(self, list: BindList) -> Option<OneBind> {
        let are_decimals = matches!(&list, BindList::Values(values) if is_decimal(values.first()));
        let sent = match self {
            KeyLists::Pointer => Sent::Pointer(list),
            KeyLists::Json => Sent::Json(json_text(&list)?),
            KeyLists::Padded => return None,
        };
        Some(OneBind { sent, are_decimals })
    }
}

/// A list of values that is sent as one bind.
pub(super) struct OneBind {
    sent: Sent,
    are_decimals: bool,
}

enum Sent {
    Pointer(BindList),
    Json(String),
}

impl OneBind {
    /// The ordinal of a value, beside the column `value`.
    pub(super) fn ordinal(&self) -> &'static str {
        match self.sent {
            Sent::Pointer(_) => "rowid - 1",
            Sent::Json(_) => "key",
        }
    }

    /// Appends `IN (…)`.
    pub(super) fn write_in(self, writer: &mut SqlWriter<'_>) {
        let (before, behind) = if self.are_decimals { functions::DECIMAL_KEY } else { ("+", "") };
        writer.push("IN (SELECT ");
        writer.push(before);
        writer.push("value");
        writer.push(behind);
        writer.push(" FROM ");
        self.write_table(writer);
        writer.push(")");
    }

    /// Appends the list as a table.
    pub(super) fn write_table(self, writer: &mut SqlWriter<'_>) {
        match self.sent {
            Sent::Pointer(list) => {
                writer.push("rarray(");
                writer.bind_list(list);
            }
            Sent::Json(text) => {
                writer.push("json_each(");
                writer.bind(Value::Text(text.into()));
            }
        }
        writer.push(")");
    }
}

// The list as a JSON array. `None` if it holds what JSON does not have, or has in another form.
fn json_text(list: &BindList) -> Option<String> {
    let mut text = String::from("[");
    match list {
        BindList::Ints(ints) => {
            ints.iter().for_each(|number| push_part(&mut text, |text| text.push_str(&number.to_string())))
        }
        BindList::Values(values) => {
            for value in values.iter() {
                match value {
                    Value::Int(number) => push_part(&mut text, |text| text.push_str(&number.to_string())),
                    Value::Bool(flag) => push_part(&mut text, |text| text.push(if *flag { '1' } else { '0' })),
                    // SQLite ends a text of JSON at a NUL.
                    Value::Text(own) | Value::Decimal(own) if !own.contains('\0') => {
                        push_part(&mut text, |text| push_string(text, own));
                    }
                    Value::Date(_) | Value::Time(_) | Value::DateTime(_) => {
                        push_part(&mut text, |text| push_string(text, &value.to_string()));
                    }
                    _ => return None,
                }
            }
        }
        _ => return None,
    }
    text.push(']');
    Some(text)
}

fn push_part(text: &mut String, write: impl FnOnce(&mut String)) {
    if text.len() > 1 {
        text.push(',');
    }
    write(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(values: &[Value<'static>]) -> Option<String> {
        json_text(&BindList::Values(values.into()))
    }

    #[test]
    fn lists_become_json() {
        assert_eq!(
            json_text(&BindList::Ints([i64::MIN, 0, i64::MAX].into())).unwrap(),
            "[-9223372036854775808,0,9223372036854775807]"
        );
        assert_eq!(json(&["a\"b\\c\n".into(), "größe".into()]).unwrap(), "[\"a\\\"b\\\\c\\u000a\",\"größe\"]");
        assert_eq!(json(&[]).unwrap(), "[]");
    }

    #[test]
    fn what_json_has_not_is_bound_by_itself() {
        for value in [Value::Blob(vec![1].into()), Value::Real(0.5), Value::Null, "a\0b".into(), Value::Uuid([0; 16])] {
            assert_eq!(json(&[Value::Int(1), value]), None);
        }
    }
}
