//! Arrays of scalars: in a program they are JSON arrays.
//!
//! A decimal in an array is a JSON string, because a JSON number may be read as a float.

use std::fmt::Write;

use assoc_core::Value;

use super::{Kind, decode};
use crate::json::push_string;

/// How deep an array may be nested, as the server has it.
const DIMENSIONS: usize = 6;

/// Reads an array: the number of dimensions, whether there are `NULL`s, the type; of each dimension its length and its first
/// index; then the elements, each behind its length.
pub(super) fn read(bytes: &[u8], element: &Kind) -> Option<String> {
    let mut bytes = Bytes(bytes);
    let dimensions = usize::try_from(bytes.number()?).ok().filter(|dimensions| *dimensions <= DIMENSIONS)?;
    bytes.number()?;
    bytes.number()?;
    let mut lengths = Vec::with_capacity(dimensions);
    for _ in 0..dimensions {
        lengths.push(usize::try_from(bytes.number()?).ok()?);
        bytes.number()?;
    }
    let mut json = String::new();
    match &lengths[..] {
        [] => json.push_str("[]"),
        lengths => push_dimension(&mut json, &mut bytes, lengths, element)?,
    }
    Some(json)
}

fn push_dimension(json: &mut String, bytes: &mut Bytes<'_>, lengths: &[usize], element: &Kind) -> Option<()> {
    let [length, inner @ ..] = lengths else { return None };
    json.push('[');
    for at in 0..*length {
        if at > 0 {
            json.push(',');
        }
        if inner.is_empty() {
            push_element(json, bytes, element)?;
        } else {
            push_dimension(json, bytes, inner, element)?;
        }
    }
    json.push(']');
    Some(())
}

fn push_element(json: &mut String, bytes: &mut Bytes<'_>, element: &Kind) -> Option<()> {
    let length = bytes.number()?;
    if length < 0 {
        json.push_str("null");
        return Some(());
    }
    match decode(bytes.take(usize::try_from(length).ok()?)?, element)? {
        Value::Bool(flag) => json.push_str(if flag { "true" } else { "false" }),
        Value::Int(number) => json.push_str(&number.to_string()),
        // JSON has neither infinities nor NaN.
        Value::Real(number) if !number.is_finite() => return None,
        Value::Real(number) => json.push_str(&format!("{number:?}")),
        Value::Json(text) => json.push_str(&text),
        Value::Text(text) | Value::Decimal(text) => push_string(json, &text),
        Value::Uuid(uuid) => push_string(json, &assoc_core::value::hyphenated(&uuid)),
        Value::Blob(blob) => {
            json.push_str("\"\\\\x");
            // Writing to a String cannot fail.
            for byte in blob.iter() {
                let _ = write!(json, "{byte:02x}");
            }
            json.push('"');
        }
        other => push_string(json, &other.to_string()),
    }
    Some(())
}

struct Bytes<'b>(&'b [u8]);

impl<'b> Bytes<'b> {
    fn take(&mut self, length: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<i32> {
        Some(i32::from_be_bytes(self.take(4)?.try_into().ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_off_is_no_array() {
        let array: Vec<u8> = [1, 0, 23, 2, 1, 4, 7].iter().flat_map(|number: &i32| number.to_be_bytes()).collect();
        assert_eq!(read(&array, &Kind::Int(4)), None);
        let whole: Vec<u8> = [1, 0, 23, 2, 1, 4, 7, -1].iter().flat_map(|number: &i32| number.to_be_bytes()).collect();
        assert_eq!(read(&whole, &Kind::Int(4)).unwrap(), "[7,null]");
        assert_eq!(read(&[], &Kind::Text), None);
        assert_eq!(read(&[0xFF; 64], &Kind::Text), None);
    }
}
