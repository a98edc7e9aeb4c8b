//! A total order of columns, and the condition that a row comes after a place in it.
//!
//! A place is the values that the database sorted a row by. They are selected beside the row (`carried.rs`) and compared as
//! the order compares them: `NULL` before or after the values, and an `ENUM` by its position in the list.

use assoc_core::driver::{Capabilities, Dialect};
use assoc_core::metadata::{ColumnRef, Comparison, Direction, Expr, ModelDef, Operand, OrderTerm};
use assoc_core::{Error, Result, SqlType, Value};

/// The columns that rows are sorted by, most significant first.
#[derive(Debug, Clone)]
pub(crate) struct Keyset {
    model: &'static ModelDef,
    columns: Vec<KeysetColumn>,
}

#[derive(Debug, Clone)]
struct KeysetColumn {
    column: ColumnRef,
    direction: Direction,
    nulls_last: bool,
    nullable: bool,
    // Whether it may be sorted by a number in place of its text, which is carried as well.
    listed: bool,
}

/// Whether the rows that are equal to a place come with those after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Equals {
    LeftOut,
    Included,
}

impl Keyset {
    /// The columns of an order; otherwise its first term that is no column.
    pub(crate) fn of<'o>(
        model: &'static ModelDef,
        order: &'o [OrderTerm],
        capabilities: &Capabilities,
    ) -> Result<Self, &'o Operand> {
        let column = |term: &'o OrderTerm| match &term.operand {
            Operand::Column(column) => Ok(KeysetColumn::new(model, column, term, capabilities)),
            other => Err(other),
        };
        Ok(Keyset { model, columns: order.iter().map(column).collect::<Result<_, _>>()? })
    }

    /// What is selected beside each row.
    pub(crate) fn carried(&self) -> Vec<Operand> {
        self.columns.iter().flat_map(KeysetColumn::carried).collect()
    }

    /// A number that another order does not have, but by chance. It is the same in every build of the program.
    pub(crate) fn fingerprint(&self) -> u64 {
        let mut hash = Fnv::default();
        hash.add(self.model.table.name);
        for column in &self.columns {
            for name in column.column.path.iter() {
                hash.add(name);
            }
            hash.add(column.column.name);
            hash.add(match (column.direction, column.nulls_last) {
                (Direction::Asc, false) => "^a",
                (Direction::Asc, true) => "a$",
                (Direction::Desc, false) => "^d",
                (Direction::Desc, true) => "d$",
            });
            hash.add(if column.listed { "listed" } else { "" });
        }
        hash.0
    }

    /// The condition that a row comes after a place, of which these are the values.
    ///
    /// `a >= x AND ((a > x) OR (a = x AND b > y) OR …)`, or with equal rows as well. The first part says nothing that the
    /// others do not, but an index on `a` begins there: without it SQLite reads the index from its beginning, or finds the
    /// whole rest and sorts it, for each page.
    ///
    /// # Errors
    /// When a value is longer than what the database sorts by.
    pub(crate) fn after(&self, dialect: &dyn Dialect, values: &[Value<'static>], equals: Equals) -> Result<Expr> {
        let capabilities = dialect.capabilities();
        let mut any = Vec::new();
        let mut begins = Expr::always();
        let several = self.columns.len() > 1 || equals == Equals::Included;
        let mut equal: Vec<Expr> = Vec::new();
        let mut carried = values.iter();
        for column in &self.columns {
            let (operand, value) = column.place(&mut carried);
            if let Some(most) = capabilities.sorted_length.filter(|most| is_longer(&value, *most)) {
                let (name, database) = (column.column.name, dialect.name());
                let message = format!(
                    "pages are sorted by `{name}`, which holds more than {most} characters, and {database} sorts by the \
                     first only: sort by another column"
                );
                return Err(Error::invalid_query(self.model.name, message));
            }
            let is_null = || Expr::IsNull(operand.clone());
            let compare = |op| Expr::Compare { left: operand.clone(), op, right: Operand::Stored(value.clone()) };
            let op = if column.direction == Direction::Asc { Comparison::Gt } else { Comparison::Lt };
            let nulls_follow = column.nulls_last;
            if several && equal.is_empty() && !value.is_null() && !(nulls_follow && column.nullable) {
                let op = if column.direction == Direction::Asc { Comparison::Ge } else { Comparison::Le };
                begins = compare(op);
            }
            let beyond = match (value.is_null(), nulls_follow) {
                (false, true) if column.nullable => Some(compare(op).or(is_null())),
                (false, _) => Some(compare(op)),
                (true, false) => Some(is_null().negated()),
                (true, true) => None,
            };
            if let Some(beyond) = beyond {
                let mut all = equal.clone();
                all.push(beyond);
                any.push(Expr::All(all));
            }
            equal.push(if value.is_null() { is_null() } else { compare(Comparison::Eq) });
        }
        if equals == Equals::Included {
            any.push(Expr::All(equal));
        }
        Ok(begins.and(Expr::Any(any)))
    }
}

impl KeysetColumn {
    fn new(model: &ModelDef, column: &ColumnRef, term: &OrderTerm, capabilities: &Capabilities) -> Self {
        let own = model.columns.iter().find(|known| column.path.is_empty() && known.name == column.name);
        KeysetColumn {
            column: column.clone(),
            direction: term.direction,
            nulls_last: capabilities.null_order.puts_last(term),
            // A joined table may have no row, so its columns may be `NULL`.
            nullable: own.is_none_or(|own| own.nullable),
            listed: capabilities.listed_text && own.is_none_or(|own| own.sql_type == SqlType::Text),
        }
    }

    fn carried(&self) -> impl Iterator<Item = Operand> {
        let number = self.listed.then(|| Operand::Number(self.column.clone()));
        [Operand::Column(self.column.clone())].into_iter().chain(number)
    }

    // The operand to compare with after a row, and the row's value of it.
    fn place(&self, carried: &mut std::slice::Iter<'_, Value<'static>>) -> (Operand, Value<'static>) {
        let value = carried.next().cloned().unwrap_or_default();
        let place = if self.listed { carried.next() } else { None };
        match place {
            Some(place @ (Value::Int(_) | Value::UInt(_))) => (Operand::Number(self.column.clone()), place.clone()),
            _ => (Operand::Column(self.column.clone()), value),
        }
    }
}

fn is_longer(value: &Value<'_>, most: usize) -> bool {
    match value {
        Value::Text(text) | Value::Json(text) => text.len() > most && text.chars().count() > most,
        Value::Blob(bytes) => bytes.len() > most,
        _ => false,
    }
}

/// FNV-1a of 64 bits. The hash of the standard library may be another one in its next version, and cursors live longer.
pub(crate) struct Fnv(pub(crate) u64);

impl Default for Fnv {
    fn default() -> Self {
        Fnv(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    // A text, and its end.
    fn add(&mut self, text: &str) {
        self.bytes(text.as_bytes());
        self.bytes(&[0]);
    }
}
