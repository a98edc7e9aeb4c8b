//! Arrays of scalars: in a program they are JSON arrays.
//!
//! A decimal in an array is a JSON string, because a JSON number may be read as a float.

use std::fmt::Write;

use assoc_core::Value;
use serde_json::Value as Json;
use tokio_postgres::types::{Kind as TypeKind, Type};

use crate::read::{Kind, decode};

/// How deep an array may be nested, as the server has it.
const DIMENSIONS: usize = 6;

/// The type of an array's elements.
pub(crate) fn element(kind: &Type) -> Option<&Type> {
    match kind.kind() {
        TypeKind::Array(element) => Some(element),
        _ => None,
    }
}

/// Reads an array: the number of dimensions, whether there are `NULL`s, the type; of each dimension its length and its first
/// index; then the elements, each behind its length.
pub(crate) fn read(bytes: &[u8], element: &Kind) -> Option<String> {
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
        Value::Real(number) => json.push_str(&serde_json::Number::from_f64(number)?.to_string()),
        Value::Json(text) => json.push_str(&text),
        Value::Text(text) | Value::Decimal(text) => json.push_str(&Json::from(&*text).to_string()),
        Value::Uuid(uuid) => json.push_str(&Json::from(assoc_core::value::hyphenated(&uuid)).to_string()),
        Value::Blob(blob) => {
            json.push_str("\"\\\\x");
            // Writing to a String cannot fail.
            for byte in blob.iter() {
                let _ = write!(json, "{byte:02x}");
            }
            json.push('"');
        }
        other => json.push_str(&Json::from(other.to_string()).to_string()),
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

/// The text that the server reads as an array: of a JSON array. `None` where the text is no JSON array, or one of its elements
/// is an array or an object that the array's type has no place for.
pub(crate) fn literal(json: &str, element: &Type) -> Option<String> {
    let json: Json = serde_json::from_str(json).ok()?;
    let keeps_json = matches!(*element, Type::JSON | Type::JSONB);
    let mut text = String::new();
    push_array(&mut text, json.as_array()?, keeps_json)?;
    Some(text)
}

fn push_array(text: &mut String, elements: &[Json], keeps_json: bool) -> Option<()> {
    text.push('{');
    for (at, element) in elements.iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        match element {
            Json::Null => text.push_str("NULL"),
            _ if keeps_json => push_quoted(text, &element.to_string()),
            Json::Bool(flag) => text.push(if *flag { 't' } else { 'f' }),
            Json::Number(number) => text.push_str(&number.to_string()),
            Json::String(string) => push_quoted(text, string),
            Json::Array(inner) => push_array(text, inner, keeps_json)?,
            Json::Object(_) => return None,
        }
    }
    text.push('}');
    Some(())
}

/// An element in quotes.
pub(crate) fn push_quoted(text: &mut String, element: &str) {
    text.push('"');
    for c in element.chars() {
        if matches!(c, '"' | '\\') {
            text.push('\\');
        }
        text.push(c);
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_becomes_literals() {
        let of = |json, element: &Type| literal(json, element);
        assert_eq!(of("[1, null, -2]", &Type::INT4).unwrap(), "{1,NULL,-2}");
        assert_eq!(
            of(r#"["a\"b", "", "NULL", "{,}", "\\"]"#, &Type::TEXT).unwrap(),
            r#"{"a\"b","","NULL","{,}","\\"}"#
        );
        assert_eq!(of("[[true], [false]]", &Type::BOOL).unwrap(), "{{t},{f}}");
        assert_eq!(of(r#"[{"a": 1}]"#, &Type::JSONB).unwrap(), r#"{"{\"a\":1}"}"#);
        assert_eq!(of("[]", &Type::TEXT).unwrap(), "{}");
        for refused in ["{}", "1", r#"[{"a": 1}]"#, "["] {
            assert_eq!(of(refused, &Type::TEXT), None, "{refused}");
        }
    }

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
