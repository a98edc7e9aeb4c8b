//! What a rule checks.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::ops::Bound;
use std::sync::Arc;

use super::FinalValues;
use crate::error::FieldError;
use crate::metadata::association::AssociationDef;
use crate::value::Value;
use crate::value::decimal::DecimalNumber;

/// What a rule demands of a row.
#[derive(Clone)]
#[non_exhaustive]
pub enum Check {
    /// A value: neither `NULL` nor text of blanks alone.
    Present,
    /// The number of characters of text, or of bytes.
    Length {
        /// At least.
        min: Option<usize>,
        /// At most.
        max: Option<usize>,
    },
    /// A value between two others.
    Range {
        /// From here.
        from: Bound<Value<'static>>,
        /// Up to here.
        to: Bound<Value<'static>>,
    },
    /// A multiple of a whole number, plus a remainder.
    Multiple {
        /// The number.
        of: u64,
        /// What is left over.
        remainder: u64,
    },
    /// One of these values.
    Inclusion(Vec<Value<'static>>),
    /// None of these values.
    Exclusion(Vec<Value<'static>>),
    /// The same value as was entered a second time, if it was.
    Confirmation,
    /// What was entered under this name is `true`, if it was entered.
    Acceptance(Cow<'static, str>),
    /// The column is `true`.
    True,
    /// What a function finds in the value of the first column.
    Value(ValueCheck),
    /// What a function finds in the row.
    Row(RowCheck),
    /// The number of members that a changeset gives to an association.
    Members {
        /// The association.
        association: &'static AssociationDef,
        /// At least.
        min: Option<usize>,
        /// At most.
        max: Option<usize>,
    },
    /// No other row with the same values. The database checks it by a unique index; the rule says what its violation means.
    Unique {
        /// The name of the index, where the database reports that.
        index: Option<Cow<'static, str>>,
    },
    /// A target that exists. The database checks it by a foreign key; the rule says what its violation means.
    Exists {
        /// The association.
        association: &'static AssociationDef,
    },
    /// What the database checks by the constraint of this name; the rule says what its violation means.
    Database {
        /// The name.
        name: Cow<'static, str>,
    },
    /// The rule itself is wrong, for this reason.
    Broken(String),
}

/// A function that judges one value.
pub type ValueCheck = Arc<dyn Fn(&Value<'_>) -> Result<(), RuleError> + Send + Sync>;

/// A function that judges a row.
pub type RowCheck = Arc<dyn Fn(&dyn FinalValues) -> Vec<FieldError> + Send + Sync>;

/// What a function finds wrong with a value: a message, with a code and parameters if it says so. Texts are messages.
///
/// ```
/// use assoc_core::RuleError;
///
/// fn short(name: &String) -> Result<(), RuleError> {
///     if name.len() < 9 { Ok(()) } else { Err(RuleError::new("is long").with_code("long").with_param("max", 8)) }
/// }
/// assert!(short(&"Ada Lovelace".to_owned()).is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleError(FieldError);

impl RuleError {
    /// A problem in words that follow the field's name: "is long".
    pub fn new(message: impl Into<String>) -> Self {
        RuleError(FieldError::new(String::new(), message))
    }

    /// Sets the code.
    #[must_use]
    pub fn with_code(self, code: impl Into<Cow<'static, str>>) -> Self {
        RuleError(self.0.with_code(code))
    }

    /// Adds one parameter.
    #[must_use]
    pub fn with_param(self, name: impl Into<Cow<'static, str>>, value: impl fmt::Display) -> Self {
        RuleError(self.0.with_param(name, value))
    }

    fn at(self, path: &str) -> FieldError {
        FieldError { path: path.to_owned(), ..self.0 }
    }
}

impl From<&str> for RuleError {
    fn from(message: &str) -> Self {
        RuleError::new(message)
    }
}

impl From<String> for RuleError {
    fn from(message: String) -> Self {
        RuleError::new(message)
    }
}

impl Check {
    /// Adds what is wrong with a row by this check of some of its columns.
    pub(super) fn problems(&self, columns: &[usize], row: &dyn FinalValues, errors: &mut Vec<FieldError>) {
        match self {
            Check::Row(check) => return errors.extend(check(row)),
            Check::Members { association, min, max } => {
                if let Some(count) = row.members(association) {
                    errors.extend(count_problem(association.name, count, *min, *max));
                }
                return;
            }
            Check::Acceptance(name) => {
                if row.entered(name).is_some_and(|entered| !matches!(entered, Value::Bool(true))) {
                    errors.push(not_accepted(name));
                }
                return;
            }
            Check::Unique { .. } | Check::Exists { .. } | Check::Database { .. } => return,
            _ => {}
        }
        let Some(column) = columns.first().copied() else { return };
        let Some(def) = row.model().columns.get(column) else { return };
        let field = def.field;
        if let Check::Broken(reason) = self {
            errors.push(FieldError::new(field, format!("cannot be checked: {reason}")).with_code(FieldError::RULE));
            return;
        }
        let Some(value) = row.value(column) else { return };
        if let Check::Confirmation = self {
            let name = confirmation_name(field);
            if row.entered(&name).is_some_and(|entered| !entered.is_same(&value)) {
                let message = format!("does not match {field}");
                errors.push(
                    FieldError::new(name, message).with_code(FieldError::CONFIRMATION).with_param("column", field),
                );
            }
            return;
        }
        errors.extend(self.of_value(field, &value));
    }

    fn of_value(&self, field: &str, value: &Value<'_>) -> Vec<FieldError> {
        let error = |message: String, code| FieldError::new(field, message).with_code(code);
        if value.is_null() {
            return match self {
                Check::Present => vec![error("must not be blank".to_owned(), FieldError::BLANK)],
                Check::True => vec![not_accepted(field)],
                _ => Vec::new(),
            };
        }
        let one = match self {
            Check::Present => {
                let is_blank = matches!(value, Value::Text(text) if text.trim().is_empty());
                is_blank.then(|| error("must not be blank".to_owned(), FieldError::BLANK))
            }
            Check::Length { min, max } => length_problem(field, value, *min, *max),
            Check::Range { from, to } => {
                return [lower_problem(field, value, from), upper_problem(field, value, to)]
                    .into_iter()
                    .flatten()
                    .collect();
            }
            Check::Multiple { of, remainder } => multiple_problem(field, value, *of, *remainder),
            Check::Inclusion(values) => (!values.iter().any(|one| equal(one, value))).then(|| {
                let listed = values.iter().map(plain).collect::<Vec<_>>().join(", ");
                error(format!("must be one of: {listed}"), FieldError::INCLUSION).with_param("values", listed)
            }),
            Check::Exclusion(values) => values.iter().any(|one| equal(one, value)).then(|| {
                let value = plain(value);
                error(format!("must not be {value}"), FieldError::EXCLUSION).with_param("value", value)
            }),
            Check::True => (*value != Value::Bool(true)).then(|| not_accepted(field)),
            Check::Value(check) => check(value).err().map(|found| found.at(field)),
            _ => None,
        };
        one.into_iter().collect()
    }
}

/// The name under which a second entry of a field is found.
pub(crate) fn confirmation_name(field: &str) -> String {
    format!("{field}_confirmation")
}

fn not_accepted(name: &str) -> FieldError {
    FieldError::new(name, "must be accepted").with_code(FieldError::ACCEPTANCE)
}

// Without the quotes that distinguish text from numbers in other messages.
fn plain(value: &Value<'_>) -> String {
    match value {
        Value::Text(text) => text.to_string(),
        value => value.to_string(),
    }
}

fn length_problem(field: &str, value: &Value<'_>, min: Option<usize>, max: Option<usize>) -> Option<FieldError> {
    let (length, unit) = match value {
        Value::Text(text) => (text.chars().count(), "character"),
        Value::Blob(bytes) => (bytes.len(), "byte"),
        _ => return None,
    };
    size_problem(field, length, unit, min, max)
}

fn count_problem(name: &str, count: usize, min: Option<usize>, max: Option<usize>) -> Option<FieldError> {
    let what = |count: usize| if count == 1 { "1 member".to_owned() } else { format!("{count} members") };
    let error = |words: &str, limit: usize, code, param| {
        let message = format!("{words} {}", what(limit));
        FieldError::new(name, message).with_code(code).with_param(param, limit).with_param("count", count)
    };
    match (min, max) {
        (Some(min), _) if count < min => Some(error("needs at least", min, FieldError::TOO_FEW, "min")),
        (_, Some(max)) if count > max => Some(error("takes at most", max, FieldError::TOO_MANY, "max")),
        _ => None,
    }
}

fn size_problem(field: &str, size: usize, unit: &str, min: Option<usize>, max: Option<usize>) -> Option<FieldError> {
    let what = |count: usize| if count == 1 { format!("1 {unit}") } else { format!("{count} {unit}s") };
    let error = |message: String, code, param, limit: usize| {
        FieldError::new(field, message).with_code(code).with_param(param, limit).with_param("length", size)
    };
    match (min, max) {
        (Some(min), Some(max)) if min == max && size != min => {
            Some(error(format!("must have {}", what(min)), FieldError::WRONG_LENGTH, "is", min))
        }
        (Some(min), _) if size < min => {
            Some(error(format!("is too short: at least {}", what(min)), FieldError::TOO_SHORT, "min", min))
        }
        (_, Some(max)) if size > max => {
            Some(error(format!("is too long: at most {}", what(max)), FieldError::TOO_LONG, "max", max))
        }
        _ => None,
    }
}

fn lower_problem(field: &str, value: &Value<'_>, bound: &Bound<Value<'static>>) -> Option<FieldError> {
    let (limit, holds, words, code) = match bound {
        Bound::Unbounded => return None,
        Bound::Included(limit) => {
            (limit, compared(value, limit).is_some_and(Ordering::is_ge), "at least", FieldError::TOO_SMALL)
        }
        Bound::Excluded(limit) => {
            (limit, compared(value, limit).is_some_and(Ordering::is_gt), "greater than", FieldError::NOT_GREATER)
        }
    };
    bound_problem(field, limit, holds, words, code, "min")
}

fn upper_problem(field: &str, value: &Value<'_>, bound: &Bound<Value<'static>>) -> Option<FieldError> {
    let (limit, holds, words, code) = match bound {
        Bound::Unbounded => return None,
        Bound::Included(limit) => {
            (limit, compared(value, limit).is_some_and(Ordering::is_le), "at most", FieldError::TOO_LARGE)
        }
        Bound::Excluded(limit) => {
            (limit, compared(value, limit).is_some_and(Ordering::is_lt), "less than", FieldError::NOT_LESS)
        }
    };
    bound_problem(field, limit, holds, words, code, "max")
}

fn bound_problem(
    field: &str,
    limit: &Value<'static>,
    holds: bool,
    words: &str,
    code: &'static str,
    param: &'static str,
) -> Option<FieldError> {
    (!holds)
        .then(|| FieldError::new(field, format!("must be {words} {limit}")).with_code(code).with_param(param, limit))
}

fn multiple_problem(field: &str, value: &Value<'_>, of: u64, remainder: u64) -> Option<FieldError> {
    let number = integer(value)?;
    if of == 0 || number.rem_euclid(i128::from(of)) == i128::from(remainder) {
        return None;
    }
    let error = match (of, remainder) {
        (2, 1) => FieldError::new(field, "must be odd").with_code(FieldError::ODD),
        (2, 0) => FieldError::new(field, "must be even").with_code(FieldError::EVEN),
        _ => FieldError::new(field, format!("must be a multiple of {of}")).with_code(FieldError::MULTIPLE),
    };
    Some(error.with_param("of", of))
}

fn integer(value: &Value<'_>) -> Option<i128> {
    match value {
        Value::Int(number) => Some(i128::from(*number)),
        Value::UInt(number) => Some(i128::from(*number)),
        _ => None,
    }
}

fn equal(one: &Value<'_>, other: &Value<'_>) -> bool {
    one.is_same(other) || integer(one).is_some_and(|number| integer(other) == Some(number))
}

/// How two values of one column compare: exactly, also integers of different signs and decimals.
fn compared(one: &Value<'_>, other: &Value<'_>) -> Option<Ordering> {
    if let (Some(one), Some(other)) = (integer(one), integer(other)) {
        return Some(one.cmp(&other));
    }
    match (one, other) {
        (Value::Real(one), Value::Real(other)) => one.partial_cmp(other),
        (Value::Decimal(one), Value::Decimal(other)) => {
            Some(DecimalNumber::parse(one)?.cmp(&DecimalNumber::parse(other)?))
        }
        (Value::Date(one), Value::Date(other)) => Some(one.cmp(other)),
        (Value::Time(one), Value::Time(other)) => Some(micros(one).cmp(&micros(other))),
        (Value::DateTime(one), Value::DateTime(other)) => {
            Some(one.date.cmp(&other.date).then_with(|| micros(&one.time).cmp(&micros(&other.time))))
        }
        _ => None,
    }
}

fn micros(time: &crate::value::Time) -> i64 {
    let seconds = i64::from(time.hour) * 3_600 + i64::from(time.minute) * 60 + i64::from(time.second);
    let micros = seconds * 1_000_000 + i64::from(time.micros);
    if time.negative { -micros } else { micros }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Check::Present => f.write_str("Present"),
            Check::Length { min, max } => write!(f, "Length({min:?}, {max:?})"),
            Check::Range { from, to } => write!(f, "Range({from:?}, {to:?})"),
            Check::Multiple { of, remainder } => write!(f, "Multiple({of}, {remainder})"),
            Check::Inclusion(values) => f.debug_tuple("Inclusion").field(values).finish(),
            Check::Exclusion(values) => f.debug_tuple("Exclusion").field(values).finish(),
            Check::Confirmation => f.write_str("Confirmation"),
            Check::Acceptance(name) => write!(f, "Acceptance({name})"),
            Check::True => f.write_str("True"),
            Check::Value(_) => f.write_str("Value"),
            Check::Row(_) => f.write_str("Row"),
            Check::Members { association, min, max } => write!(f, "Members({}, {min:?}, {max:?})", association.name),
            Check::Unique { index } => write!(f, "Unique({index:?})"),
            Check::Exists { association } => write!(f, "Exists({})", association.name),
            Check::Database { name } => write!(f, "Database({name})"),
            Check::Broken(reason) => write!(f, "Broken({reason})"),
        }
    }
}
