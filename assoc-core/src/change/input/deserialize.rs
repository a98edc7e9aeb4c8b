//! Input of any format that serde reads.

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{Budget, Input, Limits, Node};
use crate::error::FieldError;

/// Within the default [`Limits`].
impl<'de> Deserialize<'de> for Input {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Seed { depth: 0, budget: &mut Budget::new(Limits::new()) }.deserialize(deserializer)
    }
}

struct Seed<'b> {
    depth: usize,
    budget: &'b mut Budget,
}

impl Seed<'_> {
    fn take<E: Error>(&mut self, bytes: usize) -> Result<(), E> {
        self.budget.take(self.depth, bytes).map_err(refused)
    }

    fn one<E: Error>(mut self, node: Node) -> Result<Input, E> {
        self.take(0)?;
        Ok(Input(node))
    }

    fn below(&mut self) -> Seed<'_> {
        Seed { depth: self.depth + 1, budget: self.budget }
    }
}

fn refused<E: Error>(error: FieldError) -> E {
    E::custom(error)
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Input;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Input, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Input;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("values, lists and objects")
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Input, E> {
        self.one(Node::Bool(flag))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Input, E> {
        self.one(Node::Int(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Input, E> {
        self.one(i64::try_from(number).map_or(Node::UInt(number), Node::Int))
    }

    fn visit_i128<E: Error>(self, number: i128) -> Result<Input, E> {
        self.one(Node::Number(number.to_string()))
    }

    fn visit_u128<E: Error>(self, number: u128) -> Result<Input, E> {
        self.one(Node::Number(number.to_string()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Input, E> {
        self.one(Node::Real(number))
    }

    fn visit_str<E: Error>(mut self, text: &str) -> Result<Input, E> {
        self.take(text.len())?;
        Ok(Input(Node::Text(text.to_owned())))
    }

    fn visit_bytes<E: Error>(mut self, bytes: &[u8]) -> Result<Input, E> {
        self.take(bytes.len())?;
        Ok(Input(Node::Bytes(bytes.to_vec())))
    }

    fn visit_none<E: Error>(self) -> Result<Input, E> {
        self.one(Node::Null)
    }

    fn visit_unit<E: Error>(self) -> Result<Input, E> {
        self.one(Node::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Input, D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(mut self, deserializer: D) -> Result<Input, D::Error> {
        // Counted, because a format may nest these without end.
        let mut below = self.below();
        below.take(0)?;
        below.deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<Input, A::Error> {
        self.below().take(0)?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self.below())? {
            list.push(item);
        }
        Ok(Input(Node::List(list)))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<Input, A::Error> {
        self.below().take(0)?;
        let mut map: Vec<(String, Input)> = Vec::new();
        while let Some(key) = entries.next_key::<String>()? {
            let mut below = self.below();
            below.take(key.len())?;
            let value = entries.next_value_seed(below)?;
            map.push((key, value));
        }
        // A number of serde_json with its feature `arbitrary_precision`.
        if let [(key, Input(Node::Text(text)))] = &mut map[..]
            && key == "$serde_json::private::Number"
        {
            return Ok(Input(Node::Number(std::mem::take(text))));
        }
        Ok(Input(Node::Map(map)))
    }
}
