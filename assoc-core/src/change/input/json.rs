//! Input of `serde_json::Value`.

use serde_json::Value as Json;

use super::{Budget, Input, IntoInput, Limits, Node};
use crate::error::FieldError;

impl IntoInput for &Json {
    fn into_input(self, limits: Limits) -> Result<Input, FieldError> {
        of_json(self, 0, &mut Budget::new(limits))
    }
}

impl IntoInput for Json {
    fn into_input(self, limits: Limits) -> Result<Input, FieldError> {
        (&self).into_input(limits)
    }
}

fn of_json(json: &Json, depth: usize, budget: &mut Budget) -> Result<Input, FieldError> {
    let node = match json {
        Json::Null => Node::Null,
        Json::Bool(flag) => Node::Bool(*flag),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(int), _) => Node::Int(int),
            (_, Some(uint)) => Node::UInt(uint),
            _ => {
                let text = number.to_string();
                budget.take(depth, text.len())?;
                Node::Number(text)
            }
        },
        Json::String(text) => {
            budget.take(depth, text.len())?;
            return Ok(Input(Node::Text(text.clone())));
        }
        Json::Array(items) => {
            budget.take(depth + 1, 0)?;
            let items = items.iter().map(|item| of_json(item, depth + 1, budget));
            return Ok(Input(Node::List(items.collect::<Result<_, _>>()?)));
        }
        Json::Object(entries) => {
            budget.take(depth + 1, 0)?;
            let entries = entries.iter().map(|(key, value)| {
                budget.take(depth + 1, key.len())?;
                Ok((key.clone(), of_json(value, depth + 1, budget)?))
            });
            return Ok(Input(Node::Map(entries.collect::<Result<_, _>>()?)));
        }
    };
    budget.take(depth, 0)?;
    Ok(Input(node))
}
