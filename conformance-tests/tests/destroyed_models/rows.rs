//! Rows at random, which refer to each other.

use std::collections::BTreeMap;

use assoc_core::metadata::{ColumnDef, ColumnDefault, FilledBy};
use assoc_core::{SqlType, Value};

use super::{Handle, Link, Row, Schema, Table, Tables};
use crate::random::Random;

/// Columns of types of the suite that take few texts, and one whose text decides what a callback does.
const TEXTS: [(&str, &str, [&str; 2]); 2] = [("sheets", "size", ["small", "large"]), ("pages", "text", ["kept", "a"])];

impl Schema {
    // A value of a column, seldom NULL.
    fn value(&self, random: &mut Random, table: &Table, column: &ColumnDef, number: usize) -> Value<'static> {
        let name = table.name.name;
        let referred = |link: &Link| link.to == name && link.to_columns.contains(&column.name);
        let alone = table.key == [column.name] || !table.key.contains(&column.name) && self.links.iter().any(referred);
        if column.default == ColumnDefault::Filled(FilledBy::CounterCache) {
            let may_be_negative = column.nullable && matches!(column.sql_type, SqlType::Int(_));
            return if may_be_negative && random.once_in(4) {
                Value::Null
            } else {
                Value::Int(40 + random.below(9) as i64)
            };
        }
        if column.nullable && random.once_in(5) {
            return Value::Null;
        }
        if let Some(compared) = self.compared.get(&(name, column.name)).filter(|_| !random.once_in(3)) {
            return random.pick(compared).clone();
        }
        if let Some((_, _, texts)) = TEXTS.iter().find(|known| (known.0, known.1) == (name, column.name)) {
            return Value::from(*random.pick(texts));
        }
        let number = if alone { number + 1 } else { 1 + random.below(4) };
        of_type(column.sql_type, number)
    }

    /// Rows of every table that refer to each other at random.
    pub(crate) fn random_rows(&self, random: &mut Random) -> Tables {
        let mut tables = Tables::default();
        for table in &self.tables {
            tables.0.insert(table.name.name, BTreeMap::new());
            for number in 0..1 + random.below(6) {
                let row: Row = table
                    .columns
                    .iter()
                    .filter(|column| !matches!(column.default, ColumnDefault::Generated(_)))
                    .map(|column| (column.name, self.value(random, table, column, number)))
                    .collect();
                if self.is_new(&tables, table, &row, None) {
                    tables.add(table.name.name, row);
                }
            }
        }
        let mut links = self.links.clone();
        random.shuffle(&mut links);
        for link in &links {
            let rows: Vec<Handle> = tables.rows(link.from).map(|(row, _)| row).collect();
            for row in rows {
                if !random.once_in(3) {
                    self.refer(random, &mut tables, link, row);
                }
            }
        }
        // Foreign keys are satisfied, whatever it takes.
        loop {
            let mut wrong = Vec::new();
            for link in &self.foreign_keys {
                wrong.extend(
                    tables
                        .rows(link.from)
                        .map(|(row, _)| row)
                        .filter(|row| self.dangles(&tables, link, *row))
                        .map(|row| (link, row)),
                );
            }
            let Some((link, row)) = (!wrong.is_empty()).then(|| *random.pick(&wrong)) else { return tables };
            if !self.refer(random, &mut tables, link, row) || random.once_in(20) {
                tables.remove(row);
            }
        }
    }

    fn is_new(&self, tables: &Tables, table: &Table, row: &Row, except: Option<Handle>) -> bool {
        table.key.is_empty()
            || !tables
                .rows(table.name.name)
                .any(|(at, other)| Some(at) != except && table.key.iter().all(|name| row[name] == other[name]))
    }

    // Makes a row refer to another one, or to none.
    fn refer(&self, random: &mut Random, tables: &mut Tables, link: &Link, row: Handle) -> bool {
        let table = self.table(link.from);
        let mut new = tables.row(row).clone();
        let column = |name: &str| table.columns.iter().find(|column| column.name == name).expect("a column");
        let may_be_null = link.columns.iter().all(|name| column(name).nullable);
        let targets: Vec<Handle> = tables.rows(link.to).map(|(row, _)| row).collect();
        if may_be_null && (targets.is_empty() || random.once_in(6)) {
            link.columns.iter().for_each(|name| _ = new.insert(name, Value::Null));
        } else if targets.is_empty() {
            return false;
        } else {
            let target = tables.row(*random.pick(&targets)).clone();
            for (from, to) in link.columns.iter().zip(&link.to_columns) {
                if target[to].is_null() && !column(from).nullable {
                    return false;
                }
                new.insert(from, target[to].clone());
            }
            if let Some((name, tag)) = link.named {
                new.insert(name, Value::from(tag));
            }
        }
        let fits = self.is_new(tables, table, &new, Some(row));
        if fits {
            *tables.row_mut(row) = new;
        }
        fits
    }
}

fn of_type(of: SqlType, number: usize) -> Value<'static> {
    let text = ["a", "b", "c", "d", "e", "f"][(number - 1) % 6];
    match of {
        SqlType::Bool => Value::Bool(number.is_multiple_of(2)),
        SqlType::Int(_) => Value::Int(number as i64),
        SqlType::UInt(_) => Value::UInt(number as u64),
        SqlType::Real(_) => Value::Real(number as f64),
        SqlType::Blob => Value::Blob(vec![number as u8; 4].into()),
        SqlType::Date => Value::Date(assoc_core::value::Date { year: 2001, month: 1, day: number as u8 }),
        SqlType::Time => Value::Text(format!("0{number}:00:00").into()),
        SqlType::DateTime => Value::Text(format!("2001-01-0{number} 10:00:00").into()),
        SqlType::Uuid => Value::Uuid([number as u8; 16]),
        SqlType::Decimal => Value::Decimal(format!("{number}.50").into()),
        SqlType::Json => Value::Json("[1]".into()),
        _ => Value::Text(text.into()),
    }
}
