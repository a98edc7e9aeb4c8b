//! Comparisons, and the SQL that makes them compare the represented values: [`Comparable`].
//!
//! Where an index needs another form than the comparison, a condition on such a column has two parts: a rough one, with
//! floats around the value, and the exact one. The exact part drops rows that only the rough one lets through. No row
//! is lost, because the floats are a few steps further apart than the error of any conversion. An order has both as
//! well: the rough form never falls where the number rises, so the exact one decides between neighbours only.

use super::SqlWriter;
use crate::column_type::SqlType;
use crate::dialect::{Comparable, ExactText};
use crate::error::Result;
use crate::metadata::expr::{ColumnRef, Comparison, Operand};
use crate::metadata::model::{ColumnDef, ModelDef};
use crate::value::Value;
use crate::value::decimal::{DecimalNumber, ROUGHLY};

type Around = (&'static str, &'static str);

impl SqlWriter<'_> {
    /// What a column stores, as far as the query knows.
    pub(super) fn type_of(&self, column: &ColumnRef) -> Option<SqlType> {
        column.sql_type.or_else(|| {
            let model = self.joined.root.filter(|_| self.joined.prefix.is_empty() && column.path.is_empty())?;
            model.columns.iter().find(|known| known.name == column.name).map(|known| known.sql_type)
        })
    }

    /// How what an operand gives is compared, if not as it is.
    pub(super) fn comparable_of(&self, operand: &Operand) -> Option<Comparable> {
        use crate::metadata::expr::AggregateFunction::{Avg, Max, Min, Sum};
        let sql_type = match operand {
            Operand::Column(column) => self.type_of(column)?,
            Operand::Aggregate { function: Sum | Avg | Min | Max, column: Some(column), .. } => self.type_of(column)?,
            Operand::Value(Value::Decimal(_)) => SqlType::Decimal,
            _ => return None,
        };
        self.dialect.comparable(sql_type)
    }

    /// Writes something with text around it.
    pub(super) fn wrapped(
        &mut self,
        around: Option<Around>,
        write: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<()> {
        let (before, behind) = around.unwrap_or_default();
        self.push(before);
        write(self)?;
        self.push(behind);
        Ok(())
    }

    /// Appends an operand in the form in which it is compared, sorted and grouped.
    pub(super) fn comparable_operand(&mut self, operand: &Operand) -> Result<()> {
        let around = self.comparable_of(operand).map(|form| match operand {
            Operand::Value(_) => form.value(),
            _ => form.column(),
        });
        self.wrapped(around, |writer| writer.operand(operand))
    }

    /// Appends a value that a column or a key is compared with.
    ///
    /// The dialect says what stands around a decimal, which SQLite, for one, compares as text:
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use assoc_core::Value;
    /// use assoc_core::sql::SqlWriter;
    ///
    /// let dialect = StandardSql::default();
    /// let mut writer = SqlWriter::new(&dialect);
    /// let price = Value::Decimal("9.50".into());
    /// writer.compared_column("price", Some(&price));
    /// writer.push(" < ");
    /// writer.compared_value(&price);
    /// // Here nothing has to.
    /// assert_eq!(writer.finish().sql(), "price < ?");
    /// ```
    pub fn compared_value(&mut self, value: &Value<'static>) {
        let form = if matches!(value, Value::Decimal(_)) { self.dialect.comparable(SqlType::Decimal) } else { None };
        self.value_as(value, form);
    }

    /// Appends a column of the query's model in the form in which it is compared with a value.
    ///
    /// See [`compared_value`](Self::compared_value) for both sides of a comparison.
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use assoc_core::sql::SqlWriter;
    ///
    /// let dialect = StandardSql::default();
    /// let mut writer = SqlWriter::new(&dialect);
    /// writer.qualify("posts");
    /// writer.compared_column("id", Some(&7_i64.into()));
    /// assert_eq!(writer.finish().sql(), "posts.id");
    /// ```
    pub fn compared_column(&mut self, column: &str, value: Option<&Value<'static>>) {
        let is_decimal = matches!(value, Some(Value::Decimal(_)));
        self.own_column_as(column, if is_decimal { self.dialect.comparable(SqlType::Decimal) } else { None });
    }

    fn own_column_as(&mut self, column: &str, form: Option<Comparable>) {
        let (before, behind) = form.map(Comparable::column).unwrap_or_default();
        self.push(before);
        self.own_column(column);
        self.push(behind);
    }

    fn value_as(&mut self, value: &Value<'static>, form: Option<Comparable>) {
        let (before, behind) = form.filter(|_| !value.is_null()).map(Comparable::value).unwrap_or_default();
        self.push(before);
        self.bind(value.clone());
        self.push(behind);
    }

    fn rough(&mut self, around: Around, operand: &Operand, sign: &str, value: f64) -> Result<()> {
        self.wrapped(Some(around), |writer| writer.operand(operand))?;
        self.push(sign);
        self.bind(Value::Real(value));
        Ok(())
    }

    pub(super) fn comparison(&mut self, left: &Operand, op: Comparison, right: &Operand) -> Result<()> {
        let form = self.comparable_of(left).or_else(|| self.comparable_of(right));
        let bounds = match (left, right) {
            (Operand::Column(_), Operand::Value(value)) => form.and_then(Comparable::index).zip(bounds_of(value)),
            (Operand::Column(_), Operand::Stored(value)) => {
                form.and_then(Comparable::index).zip(bounds_of_stored(value))
            }
            _ => None,
        };
        let mut rough = true;
        match (bounds, op) {
            (Some((around, (low, high))), Comparison::Eq) => {
                self.push("(");
                self.rough(around, left, " BETWEEN ", low)?;
                self.push(" AND ");
                self.bind(Value::Real(high));
            }
            (Some((around, (_, high))), Comparison::Lt | Comparison::Le) => {
                self.push("(");
                self.rough(around, left, " <= ", high)?;
            }
            (Some((around, (low, _))), Comparison::Gt | Comparison::Ge) => {
                self.push("(");
                self.rough(around, left, " >= ", low)?;
            }
            _ => rough = false,
        }
        self.push(if rough { " AND " } else { "" });
        self.side(left, form)?;
        self.push(" ");
        self.push(op.sql());
        self.push(" ");
        self.side(right, form)?;
        self.push(if rough { ")" } else { "" });
        Ok(())
    }

    // One side of a comparison by this form.
    fn side(&mut self, operand: &Operand, form: Option<Comparable>) -> Result<()> {
        match operand {
            Operand::Value(value) => {
                self.value_as(value, form);
                Ok(())
            }
            operand => self.wrapped(form.map(Comparable::column), |writer| writer.operand(operand)),
        }
    }

    pub(super) fn between(&mut self, operand: &Operand, low: &Value<'static>, high: &Value<'static>) -> Result<()> {
        if matches!((low, high), (Value::Text(_), Value::Text(_))) {
            // With an index on the column MariaDB takes `BETWEEN` for an equality where the session's collation calls both
            // ends equal, whatever the column's says.
            self.push("(");
            self.comparison(operand, Comparison::Ge, &Operand::Value(low.clone()))?;
            self.push(" AND ");
            self.comparison(operand, Comparison::Le, &Operand::Value(high.clone()))?;
            self.push(")");
            return Ok(());
        }
        let form = self.comparable_of(operand).or_else(|| self.comparable_of(&Operand::Value(low.clone())));
        let index = form.and_then(Comparable::index).filter(|_| matches!(operand, Operand::Column(_)));
        let bounds = index.zip(bounds_of(low).zip(bounds_of(high)));
        if let Some((around, ((low, _), (_, high)))) = bounds {
            self.push("(");
            self.rough(around, operand, " BETWEEN ", low)?;
            self.push(" AND ");
            self.bind(Value::Real(high));
            self.push(" AND ");
        }
        self.side(operand, form)?;
        self.push(" BETWEEN ");
        self.value_as(low, form);
        self.push(" AND ");
        self.value_as(high, form);
        self.push(if bounds.is_some() { ")" } else { "" });
        Ok(())
    }

    /// Appends that an operand is one of several values, none of which is `NULL`.
    pub(super) fn one_of(&mut self, operand: &Operand, values: &[Value<'static>]) -> Result<()> {
        let form = self.comparable_of(operand).or_else(|| self.comparable_of(&Operand::Value(values[0].clone())));
        let index = form.and_then(Comparable::index).filter(|_| matches!(operand, Operand::Column(_)));
        self.one_of_as(form, index, values, |writer| writer.operand(operand))
    }

    fn one_of_as(
        &mut self,
        form: Option<Comparable>,
        index: Option<Around>,
        values: &[Value<'static>],
        column: impl Fn(&mut Self) -> Result<()>,
    ) -> Result<()> {
        let dialect = self.dialect;
        let near = index.zip(neighbours_of(values));
        if let Some((around, near)) = &near {
            self.push("(");
            self.wrapped(Some(*around), &column)?;
            self.push(" ");
            dialect.write_in_list(self, near);
            self.push(" AND ");
        }
        self.wrapped(form.map(Comparable::column), column)?;
        self.push(" ");
        dialect.write_in_list(self, values);
        self.push(if near.is_some() { ")" } else { "" });
        Ok(())
    }

    /// Appends a condition that a column of the query's model is one of several values, in the form that values of its
    /// type need.
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use assoc_core::sql::SqlWriter;
    ///
    /// let dialect = StandardSql::default();
    /// let mut writer = SqlWriter::new(&dialect);
    /// writer.own_column_in("id", &[1_i64.into(), 2_i64.into(), 3_i64.into()]);
    /// let statement = writer.finish();
    /// // The list has the length of a power of two: the last value is there twice.
    /// assert_eq!(statement.sql(), "id IN (?, ?, ?, ?)");
    /// assert_eq!(statement.binds()[2], statement.binds()[3]);
    /// ```
    pub fn own_column_in(&mut self, column: &str, values: &[Value<'static>]) {
        let form = values.first().and_then(|value| self.comparable_of(&Operand::Value(value.clone())));
        // Writing a column's name cannot fail.
        let _ = self.one_of_as(form, form.and_then(Comparable::index), values, |writer| {
            writer.own_column(column);
            Ok(())
        });
    }

    /// Appends a column of the query's model in the form in which its values are compared.
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use assoc_core::sql::SqlWriter;
    ///
    /// let dialect = StandardSql::default();
    /// let mut writer = SqlWriter::new(&dialect);
    /// writer.push("GROUP BY ");
    /// writer.comparable_column(&Post::COLUMNS[Post::TITLE.index()]);
    /// assert_eq!(writer.finish().sql(), "GROUP BY title");
    /// ```
    pub fn comparable_column(&mut self, column: &ColumnDef) {
        self.own_column_as(column.name, self.dialect.comparable(column.sql_type));
    }

    /// Appends a condition that a column of the query's model equals a value.
    pub(super) fn own_column_equals(&mut self, column: &ColumnDef, value: &Value<'static>) {
        let left = Operand::Column(column.column_ref());
        // A column of the query's model can always be named.
        let _ = self.comparison(&left, Comparison::Eq, &Operand::Value(value.clone()));
    }

    /// Appends that two columns of a type are equal: the left one is looked for by an index if there is one.
    pub(super) fn columns_equal(&mut self, sql_type: SqlType, left: impl Fn(&mut Self), right: impl Fn(&mut Self)) {
        let form = self.dialect.comparable(sql_type).filter(|form| !form.leaves_columns());
        let around = |writer: &mut Self, (before, behind): Around, column: &dyn Fn(&mut Self)| {
            writer.push(before);
            column(writer);
            writer.push(behind);
        };
        let column = form.map(Comparable::column).unwrap_or_default();
        if let Some(index) = form.and_then(Comparable::index) {
            self.push("(");
            around(self, index, &left);
            for (connector, sign) in [(" BETWEEN ", " - "), (" AND ", " + ")] {
                self.push(connector);
                around(self, index, &right);
                self.push(sign);
                self.push("ABS(");
                around(self, index, &right);
                self.push(&format!(") * {ROUGHLY:e}"));
            }
            self.push(" AND ");
        }
        around(self, column, &left);
        self.push(" = ");
        around(self, column, &right);
        self.push(if form.and_then(Comparable::index).is_some() { ")" } else { "" });
    }

    /// Appends that a column holds a type tag.
    pub(super) fn holds_tag(&mut self, column: impl Fn(&mut Self), tag: &'static str) {
        let form = self.dialect.exact_text();
        if form.is_some_and(ExactText::needs_equality) {
            self.push("(");
            column(self);
            self.push(" = ");
            self.bind(Value::from(tag));
            self.push(" AND ");
        }
        let [(before_column, behind_column), (before_value, behind_value)] =
            form.map(ExactText::around).unwrap_or_default();
        self.push(before_column);
        column(self);
        self.push(behind_column);
        self.push(" = ");
        self.push(before_value);
        self.bind(Value::from(tag));
        self.push(behind_value);
        self.push(if form.is_some_and(ExactText::needs_equality) { ")" } else { "" });
    }

    /// Appends a column as an index has it.
    pub(crate) fn index_column(&mut self, model: &ModelDef, column: usize) {
        let column = &model.columns[column];
        let (before, behind) = self.dialect.comparable(column.sql_type).and_then(Comparable::index).unwrap_or_default();
        self.push(before);
        self.identifier(column.name);
        self.push(behind);
    }
}

fn number_of(value: &Value<'_>) -> Option<DecimalNumber> {
    match value {
        Value::Decimal(text) => DecimalNumber::parse(text),
        Value::Int(number) => DecimalNumber::parse(&number.to_string()),
        _ => None,
    }
}

fn bounds_of(value: &Value<'_>) -> Option<(f64, f64)> {
    number_of(value).map(|number| number.bounds())
}

// As a database that has no decimals gives them back: text and floats stand for numbers too.
fn bounds_of_stored(value: &Value<'_>) -> Option<(f64, f64)> {
    match value {
        Value::Text(text) => DecimalNumber::parse(text).map(|number| number.bounds()),
        Value::Real(number) => DecimalNumber::of_real(*number).map(|number| number.bounds()),
        value => bounds_of(value),
    }
}

// The floats that are near enough to one of some numbers.
fn neighbours_of(values: &[Value<'static>]) -> Option<Vec<Value<'static>>> {
    let mut near = Vec::with_capacity(values.len() * 5);
    for value in values {
        let float: f64 = number_of(value)?.to_string().parse().ok()?;
        let (below, above) = (float.next_down(), float.next_up());
        let steps = [below.next_down(), below, float, above, above.next_up()];
        near.extend(steps.into_iter().filter(|step| float != 0.0 || *step == 0.0).map(Value::Real));
    }
    Some(near)
}
