//! How the values of a type are read, also of one that the database defines.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use assoc_core::{Result, Value};
use assoc_dialects::postgres::binary::Kind;
use diesel::pg::PgConnection;

use super::{DynamicQuery, binds, rows};

/// The types that a database defines, by their number: those that were asked for.
#[derive(Debug, Default)]
pub(crate) struct Types(Mutex<HashMap<u32, Kind>>);

const ASK: &str = "SELECT CAST(typtype AS text), CAST(typcategory AS text), CAST(typelem AS bigint), CAST(typbasetype AS bigint), \
                   CAST(typname AS text) FROM pg_catalog.pg_type WHERE oid = $1";

impl Types {
    pub(super) fn kind(&self, number: u32, connection: &mut PgConnection) -> Result<Kind> {
        // Diesel does not tell a column from what is computed, and a mean may go on for ever. The native driver is told, and so it
        // rounds no column; here a column of more places than a decimal has is rounded too.
        match Kind::of_oid(number) {
            Some(Kind::Numeric) => return Ok(Kind::Quotient),
            Some(kind) => return Ok(kind),
            None => {}
        }
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&number).cloned();
        if let Some(kind) = known {
            return Ok(kind);
        }
        let kind = self.ask(number, connection)?;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(number, kind.clone());
        Ok(kind)
    }

    fn ask(&self, number: u32, connection: &mut PgConnection) -> Result<Kind> {
        let mut said = None;
        let mut sink = |values: &mut [Value<'_>]| {
            if let [
                Value::Text(kind),
                Value::Text(category),
                Value::Int(element),
                Value::Int(base),
                Value::Text(name),
            ] = values
            {
                let whole = |text: &str| text.to_owned();
                said = Some((whole(kind), whole(category), *element, *base, whole(name)));
            }
            Ok(())
        };
        let query = DynamicQuery { binds: vec![binds::number(number)], ..DynamicQuery::plain(ASK) };
        rows::read(connection, &query, &mut sink, self)?;
        let Some((kind, category, element, base, name)) = said else { return Ok(Kind::Unknown(number.to_string())) };
        let number_of = |number: i64| u32::try_from(number).unwrap_or_default();
        Ok(match (&*kind, &*category) {
            ("e", _) => Kind::Text,
            ("d", _) => self.kind(number_of(base), connection)?,
            (_, "A") => match self.kind(number_of(element), connection)? {
                Kind::Unknown(_) => Kind::Unknown(name),
                element => Kind::Array(Box::new(element)),
            },
            _ if name == "citext" => Kind::Text,
            _ => Kind::Unknown(name),
        })
    }
}
