//! Arrays of scalars: in a program they are JSON arrays.
//!
//! A decimal in an array is a JSON string, because a JSON number may be read as a float.

use serde_json::Value as Json;
use tokio_postgres::types::{Kind as TypeKind, Type};

/// The type of an array's elements.
pub(crate) fn element(kind: &Type) -> Option<&Type> {
    match kind.kind() {
        TypeKind::Array(element) => Some(element),
        _ => None,
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
}
