//! Whether a row that is written satisfies a filter, as far as its values tell.
//!
//! A filtered repo refuses to write rows that it would not see afterwards. Most filters (`tenant_id = 7`,
//! `deleted_at IS NULL`) are decided here by the values alone. What only the database knows (how a collation compares, what
//! an association leads to, what SQL of the application says) is [`Visibility::Unknown`], and the database is asked.

use std::cmp::Ordering;

use crate::metadata::association::Chain;
use crate::metadata::expr::{Comparison, Expr, Operand};
use crate::metadata::model::ModelDef;
use crate::value::Value;

/// Whether a row satisfies a filter.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use assoc_core::Value;
/// use assoc_core::execution::Visibility;
///
/// let long = (Post::ID.gt(7) & Post::TITLE.ne("")).into_expr();
/// let of = |id: i64, title: Option<&'static str>| {
///     Visibility::of(&long, Post::DEF, &|column| match column {
///         0 => Some(Value::Int(id)),
///         _ => title.map(Value::from),
///     })
/// };
/// assert_eq!(of(7, None), Visibility::Hidden);
/// // How a database compares texts, the program does not know.
/// assert_eq!(of(8, Some("A")), Visibility::Unknown);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Visibility {
    /// It does.
    Visible,
    /// It does not.
    Hidden,
    /// The values alone do not tell.
    Unknown,
}

/// The three truth values of SQL, and that it is not known which.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Truth {
    True,
    False,
    Null,
    Unknown,
}

impl Visibility {
    /// Whether a row of a model satisfies a filter; `value` gives the value of a column, `None` if it is not known.
    pub fn of<'v>(filter: &Expr, model: &ModelDef, value: &dyn Fn(usize) -> Option<Value<'v>>) -> Visibility {
        match truth(filter, model, value) {
            Truth::True => Visibility::Visible,
            // A condition that is NULL selects no row.
            Truth::False | Truth::Null => Visibility::Hidden,
            Truth::Unknown => Visibility::Unknown,
        }
    }
}

impl Expr {
    /// Whether what the condition says of a row of `model` may change with a column of it. Raw SQL does
    /// if it names the column.
    #[must_use]
    pub fn may_depend_on(&self, model: &ModelDef, column: usize) -> bool {
        let name = model.columns[column].name;
        let names = |operand: &Operand| operand.names_column(name);
        match self {
            Expr::All(parts) | Expr::Any(parts) => parts.iter().any(|part| part.may_depend_on(model, column)),
            Expr::Not(inner) => inner.may_depend_on(model, column),
            Expr::Compare { left, right, .. } => names(left) || names(right),
            Expr::In { operand, .. } | Expr::Between { operand, .. } | Expr::Like { operand, .. } => names(operand),
            Expr::IsNull(operand) => names(operand),
            Expr::Tagged { column, .. } => *column == name,
            Expr::Raw { sql, .. } => sql.to_lowercase().contains(&name.to_lowercase()),
            Expr::Related { association, filter, .. } => {
                let by_key = Chain::keys(association).is_ok_and(|chain| !chain.depends_on(column));
                // Rows of the same table may be looked at again further on.
                !by_key || *(association.target)() == *model || filter.looks_further()
            }
            Expr::Joined { .. } | Expr::Limited(_) | Expr::TooDeep => true,
        }
    }

    fn looks_further(&self) -> bool {
        match self {
            Expr::All(parts) | Expr::Any(parts) => parts.iter().any(Expr::looks_further),
            Expr::Not(inner) => inner.looks_further(),
            Expr::Related { .. } | Expr::Joined { .. } | Expr::Limited(_) | Expr::Raw { .. } | Expr::TooDeep => true,
            _ => false,
        }
    }
}

impl Operand {
    fn names_column(&self, name: &str) -> bool {
        self.columns().iter().any(|column| column.name == name)
    }
}

fn truth<'v>(filter: &Expr, model: &ModelDef, value: &dyn Fn(usize) -> Option<Value<'v>>) -> Truth {
    let known = |operand: &Operand| match operand {
        Operand::Column(column) if column.path.is_empty() => {
            let at = model.columns.iter().position(|known| known.name == column.name)?;
            value(at).map(Value::into_owned)
        }
        Operand::Value(value) => Some(value.clone()),
        _ => None,
    };
    match filter {
        Expr::All(parts) => connected(parts, Truth::False, Truth::True, model, value),
        Expr::Any(parts) => connected(parts, Truth::True, Truth::False, model, value),
        Expr::Not(inner) => match truth(inner, model, value) {
            Truth::True => Truth::False,
            Truth::False => Truth::True,
            other => other,
        },
        Expr::Compare { left, op, right } => match (known(left), known(right)) {
            // Written as `IS NULL`, and as its opposite.
            (Some(left), Some(Value::Null)) if matches!(right, Operand::Value(_)) => match op {
                Comparison::Eq => of(left.is_null()),
                Comparison::Ne => of(!left.is_null()),
                _ => Truth::False,
            },
            (Some(left), Some(right)) => compared(&left, *op, &right),
            _ => Truth::Unknown,
        },
        Expr::In { operand, values } => match known(operand) {
            None => Truth::Unknown,
            Some(found) => {
                let mut result = Truth::False;
                for value in values {
                    let one =
                        if value.is_null() { of(found.is_null()) } else { compared(&found, Comparison::Eq, value) };
                    match one {
                        Truth::True => return Truth::True,
                        Truth::Unknown => result = Truth::Unknown,
                        Truth::Null if result == Truth::False => result = Truth::Null,
                        Truth::Null | Truth::False => {}
                    }
                }
                result
            }
        },
        Expr::IsNull(operand) => known(operand).map_or(Truth::Unknown, |value| of(value.is_null())),
        Expr::Tagged { column, tag } => match known(&Operand::Column(crate::metadata::ColumnRef::own(column))) {
            Some(Value::Text(text)) => of(text == *tag),
            Some(Value::Null) => Truth::Null,
            _ => Truth::Unknown,
        },
        _ => Truth::Unknown,
    }
}

// `decides` is the value of one part that decides, `otherwise` what it is if no part does.
fn connected<'v>(
    parts: &[Expr],
    decides: Truth,
    otherwise: Truth,
    model: &ModelDef,
    value: &dyn Fn(usize) -> Option<Value<'v>>,
) -> Truth {
    let mut result = otherwise;
    for part in parts {
        match truth(part, model, value) {
            one if one == decides => return decides,
            Truth::Unknown => result = Truth::Unknown,
            Truth::Null if result != Truth::Unknown => result = Truth::Null,
            _ => {}
        }
    }
    result
}

fn of(holds: bool) -> Truth {
    if holds { Truth::True } else { Truth::False }
}

fn compared(left: &Value<'_>, op: Comparison, right: &Value<'_>) -> Truth {
    if left.is_null() || right.is_null() {
        return Truth::Null;
    }
    if let (Some(left), Some(right)) = (integer(left), integer(right)) {
        let order = left.cmp(&right);
        return of(match op {
            Comparison::Eq => order == Ordering::Equal,
            Comparison::Ne => order != Ordering::Equal,
            Comparison::Lt => order == Ordering::Less,
            Comparison::Le => order != Ordering::Greater,
            Comparison::Gt => order == Ordering::Greater,
            Comparison::Ge => order != Ordering::Less,
        });
    }
    // What is the same is equal by every collation. What differs may be.
    let same = match (left, right) {
        (Value::Text(left), Value::Text(right)) if left == right => true,
        (Value::Blob(left), Value::Blob(right)) if left == right => true,
        (Value::Uuid(left), Value::Uuid(right)) => left == right,
        (Value::Date(left), Value::Date(right)) => left == right,
        _ => return Truth::Unknown,
    };
    match op {
        Comparison::Eq => of(same),
        Comparison::Ne => of(!same),
        _ => Truth::Unknown,
    }
}

fn integer(value: &Value<'_>) -> Option<i128> {
    match value {
        Value::Int(number) => Some((*number).into()),
        Value::UInt(number) => Some((*number).into()),
        Value::Bool(flag) => Some((*flag).into()),
        _ => None,
    }
}
