//! Models through serde: what `#[model(serde)]` writes, and what the derive's few lines per model call.
//!
//! A model is a struct of its columns, then its loaded associations, then its loaded aggregates. What is not loaded is left
//! out, and reading leaves out what is not there. So a graph can be read back as it was written. It is a tree, because rows own
//! what they hold: a row that leads back to its owner ends where nothing more is loaded.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, Visitor};
use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::column_type::ColumnType;
use crate::metadata::model::Model;
use crate::value::Value;

/// A model that serde knows by `#[model(serde)]`.
pub trait SerialModel: Model {
    /// The names: of the columns, in their order, then of what can be loaded.
    const NAMES: &'static [&'static str];

    /// Whether what can be loaded is not, or a column is never written.
    fn is_left_out(&self, at: usize) -> bool;

    /// What a column holds that is never written and never read.
    fn unread(at: usize) -> Option<Value<'static>>;

    /// Writes what is at a position.
    ///
    /// # Errors
    /// Those of the serialiser.
    fn write<S: SerializeStruct>(&self, at: usize, out: &mut S) -> Result<(), S::Error>;

    /// Reads what is at a position.
    ///
    /// # Errors
    /// Those of the deserialiser.
    fn read<'de, A: MapAccess<'de>>(at: usize, map: &mut A) -> Result<Part<Self>, A::Error>;
}

/// What was read for a position.
pub enum Part<M> {
    /// A column's value.
    Column(Value<'static>),
    /// What is loaded, to be put into the row when its columns are there.
    Loaded(Box<dyn FnOnce(&mut M)>),
}

/// Writes a row.
///
/// # Errors
/// Those of the serialiser. Also when rows are loaded more than 512 levels deep in each other.
pub fn serialize<M: SerialModel, S: Serializer>(row: &M, serializer: S) -> Result<S::Ok, S::Error> {
    let there = (0..M::NAMES.len()).filter(|at| !row.is_left_out(*at)).count();
    let mut out = serializer.serialize_struct(M::DEF.name, there)?;
    for (at, name) in M::NAMES.iter().enumerate() {
        if row.is_left_out(at) { out.skip_field(name)? } else { row.write(at, &mut out)? }
    }
    out.end()
}

/// Reads a row. Names that the model does not have are passed over.
///
/// # Errors
/// Those of the deserialiser. Also when a column is missing that has no empty value, or comes twice.
pub fn deserialize<'de, M: SerialModel, D: Deserializer<'de>>(deserializer: D) -> Result<M, D::Error> {
    deserializer.deserialize_struct(M::DEF.name, M::NAMES, RowVisitor(PhantomData))
}

/// Reads a column.
///
/// # Errors
/// Those of the deserialiser.
pub fn column<'de, M, V, A>(map: &mut A) -> Result<Part<M>, A::Error>
where
    V: ColumnType + Deserialize<'de>,
    A: MapAccess<'de>,
{
    map.next_value::<V>().map(|value| Part::Column(value.to_value().into_owned()))
}

/// Reads what can be loaded.
///
/// # Errors
/// Those of the deserialiser.
pub fn loaded<'de, M, H, A>(map: &mut A, put: fn(&mut M, H)) -> Result<Part<M>, A::Error>
where
    M: 'static,
    H: Deserialize<'de> + 'static,
    A: MapAccess<'de>,
{
    map.next_value::<H>().map(|held| Part::Loaded(Box::new(move |row: &mut M| put(row, held))))
}

/// What a column holds that serde leaves out.
#[must_use]
pub fn unread<V: ColumnType + Default>() -> Value<'static> {
    V::default().into_value()
}

/// Passes over what cannot be read back: it stays not loaded.
///
/// # Errors
/// Those of the deserialiser.
pub fn passed_over<'de, M, A: MapAccess<'de>>(map: &mut A) -> Result<Part<M>, A::Error> {
    map.next_value::<IgnoredAny>().map(|_| Part::Loaded(Box::new(|_: &mut M| {})))
}

/// Writes one part.
///
/// # Errors
/// Those of the serialiser.
pub fn part<M: SerialModel, S: SerializeStruct>(
    at: usize,
    value: &impl Serialize,
    out: &mut S,
) -> Result<(), S::Error> {
    match M::NAMES.get(at) {
        Some(name) => out.serialize_field(name, value),
        None => Ok(()),
    }
}

struct RowVisitor<M>(PhantomData<fn() -> M>);

impl<'de, M: SerialModel> Visitor<'de> for RowVisitor<M> {
    type Value = M;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a {}", M::DEF.name)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<M, A::Error> {
        let mut columns: Vec<Option<Value<'static>>> = vec![None; M::COLUMNS.len()];
        let mut loaded: Vec<Box<dyn FnOnce(&mut M)>> = Vec::new();
        while let Some(at) = map.next_key_seed(NameIn(M::NAMES))? {
            let Some(at) = at else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            match M::read(at, &mut map)? {
                Part::Loaded(put) => loaded.push(put),
                Part::Column(value) => {
                    if columns.get_mut(at).is_some_and(|column| column.replace(value).is_some()) {
                        return Err(A::Error::duplicate_field(M::NAMES[at]));
                    }
                }
            }
        }
        let mut values = Vec::with_capacity(columns.len());
        for (at, value) in columns.into_iter().enumerate() {
            match M::unread(at).or(value) {
                Some(value) => values.push(value),
                None if M::COLUMNS[at].nullable => values.push(Value::Null),
                None => return Err(A::Error::missing_field(M::NAMES[at])),
            }
        }
        let mut row = M::from_values(&mut values).map_err(A::Error::custom)?;
        loaded.into_iter().for_each(|put| put(&mut row));
        Ok(row)
    }
}

// The position of a name.
struct NameIn(&'static [&'static str]);

impl<'de> DeserializeSeed<'de> for NameIn {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<usize>, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for NameIn {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_str<E>(self, name: &str) -> Result<Option<usize>, E> {
        Ok(self.0.iter().position(|known| *known == name))
    }

    fn visit_bytes<E>(self, name: &[u8]) -> Result<Option<usize>, E> {
        Ok(self.0.iter().position(|known| known.as_bytes() == name))
    }
}
