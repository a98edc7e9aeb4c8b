//! From input to the value of a column.
//!
//! Text converts to every type: JSON writes dates, UUIDs and exact decimals as text, and all fields of a form are text.
//! Numbers and booleans of JSON do not convert to text, because such input is more often a mistake. No conversion rounds,
//! cuts or wraps a value.

use std::fmt::Write;

use super::{Input, Node};
use crate::column_type::SqlType;
use crate::value::decimal::DecimalNumber;
use crate::value::{Date, DateTime, Time, Value, parse_uuid};

/// Why the input does not convert to the type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mismatch {
    /// It is empty, and the column needs a value.
    Empty,
    /// It is of another type.
    Type,
}

/// The value of a column of this type.
pub(crate) fn convert(input: &Input, sql_type: SqlType, nullable: bool) -> Result<Value<'static>, Mismatch> {
    let nothing = || if nullable { Ok(Value::Null) } else { Err(Mismatch::Empty) };
    match &input.0 {
        Node::Null if sql_type == SqlType::Json && !nullable => return Ok(Value::Json("null".into())),
        Node::Null => return nothing(),
        // An empty field of a form stands for `NULL`, except in a column of text that cannot be `NULL`.
        Node::Field(text) if sql_type == SqlType::Text => {
            return if text.is_empty() && nullable { Ok(Value::Null) } else { Ok(Value::Text(text.clone().into())) };
        }
        Node::Field(text) if (nullable || sql_type != SqlType::Blob) && text.trim().is_empty() => return nothing(),
        _ => {}
    }
    typed(&input.0, sql_type).ok_or(Mismatch::Type)
}

fn typed(node: &Node, sql_type: SqlType) -> Option<Value<'static>> {
    let text = || match node {
        Node::Text(text) | Node::Field(text) => Some(text.trim()),
        _ => None,
    };
    match sql_type {
        SqlType::Bool => yes_or_no(node).map(Value::Bool),
        SqlType::Int(_) | SqlType::UInt(_) => integer(node),
        SqlType::Real(_) => real(node).filter(|number| number.is_finite()).map(Value::Real),
        SqlType::Decimal => decimal(node),
        SqlType::Text => match node {
            Node::Text(text) => Some(Value::Text(text.clone().into())),
            _ => None,
        },
        SqlType::Blob => bytes(node).map(|bytes| Value::Blob(bytes.into())),
        SqlType::Date => Date::parse(text()?).map(Value::Date),
        SqlType::Time => Time::parse(text()?).map(Value::Time),
        SqlType::DateTime => DateTime::parse(text()?).map(Value::DateTime),
        SqlType::Uuid => match node {
            Node::Bytes(bytes) => <[u8; 16]>::try_from(&bytes[..]).ok().map(Value::Uuid),
            _ => parse_uuid(text()?).map(Value::Uuid),
        },
        SqlType::Json => Some(Value::Json(match node {
            // A field contains a document; text of JSON is one.
            Node::Field(text) => text.clone().into(),
            node => {
                let mut json = String::new();
                write_json(node, &mut json);
                json.into()
            }
        })),
    }
}

/// A boolean, as JSON and as forms have it.
pub(super) fn yes_or_no(node: &Node) -> Option<bool> {
    match node {
        Node::Bool(flag) => Some(*flag),
        Node::Int(number) => [false, true].get(usize::try_from(*number).ok()?).copied(),
        Node::Text(text) | Node::Field(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" | "on" | "yes" => Some(true),
            "false" | "0" | "off" | "no" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

fn integer(node: &Node) -> Option<Value<'static>> {
    let of_text = |text: &str| {
        let signed = text.parse::<i64>().ok().map(Value::Int);
        signed.or_else(|| text.parse::<u64>().ok().map(Value::UInt))
    };
    match node {
        Node::Int(number) => Some(Value::Int(*number)),
        Node::UInt(number) => Some(Value::UInt(*number)),
        // A whole number is one, however it is written.
        Node::Number(text) => of_text(&DecimalNumber::parse(text)?.to_string()),
        Node::Real(number) => of_text(&DecimalNumber::of_real(*number)?.to_string()),
        Node::Text(text) | Node::Field(text) => of_text(text.trim()),
        _ => None,
    }
}

fn real(node: &Node) -> Option<f64> {
    match node {
        Node::Int(number) => Some(*number as f64),
        Node::UInt(number) => Some(*number as f64),
        Node::Real(number) => Some(*number),
        Node::Number(text) => text.parse().ok(),
        Node::Text(text) | Node::Field(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn decimal(node: &Node) -> Option<Value<'static>> {
    let text = match node {
        Node::Int(number) => number.to_string(),
        Node::UInt(number) => number.to_string(),
        Node::Real(number) => DecimalNumber::of_real(*number)?.to_string(),
        Node::Number(text) => text.clone(),
        Node::Text(text) | Node::Field(text) => text.trim().to_owned(),
        _ => return None,
    };
    DecimalNumber::parse(&text)?;
    Some(Value::Decimal(text.into()))
}

fn bytes(node: &Node) -> Option<Vec<u8>> {
    match node {
        Node::Bytes(bytes) => Some(bytes.clone()),
        Node::Text(text) | Node::Field(text) => Some(text.clone().into_bytes()),
        Node::List(items) => items
            .iter()
            .map(|item| match item.0 {
                Node::Int(byte) => u8::try_from(byte).ok(),
                _ => None,
            })
            .collect(),
        _ => None,
    }
}

fn write_json(node: &Node, out: &mut String) {
    // Writing to a String cannot fail.
    match node {
        Node::Null => out.push_str("null"),
        Node::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Node::Int(number) => {
            let _ = write!(out, "{number}");
        }
        Node::UInt(number) => {
            let _ = write!(out, "{number}");
        }
        Node::Real(number) if number.is_finite() => {
            let _ = write!(out, "{number:?}");
        }
        Node::Real(_) => out.push_str("null"),
        Node::Number(text) => out.push_str(text),
        Node::Text(text) | Node::Field(text) => write_text(text, out),
        Node::Bytes(bytes) => {
            let numbers: Vec<String> = bytes.iter().map(ToString::to_string).collect();
            let _ = write!(out, "[{}]", numbers.join(","));
        }
        Node::List(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_json(&item.0, out);
            }
            out.push(']');
        }
        Node::Map(entries) => {
            out.push('{');
            for (at, (key, value)) in entries.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_text(key, out);
                out.push(':');
                write_json(&value.0, out);
            }
            out.push('}');
        }
    }
}

fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => {
                out.push('\\');
                out.push(letter);
            }
            letter if u32::from(letter) < 0x20 => {
                let _ = write!(out, "\\u{:04x}", u32::from(letter));
            }
            letter => out.push(letter),
        }
    }
    out.push('"');
}
