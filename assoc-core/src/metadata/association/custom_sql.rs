//! Lists with a statement of their own (`finder_sql`): the application says in SQL which rows an owner has.
//!
//! The statement replaces the look-up by key, so nothing that works from keys works for such an association: it has no
//! inverse, no other association goes through it, no condition looks into it, no join follows it. Conditions, orders and
//! limits can be put on top of it, and preloads below it.

use std::any::Any;
use std::borrow::Cow;

use super::dependent::DependentRows;
use super::{AssociationBehavior, AssociationDef, AssociationKind, Cardinality, Linkage, Route};
use crate::error::Result;
use crate::value::Value;

/// SQL of the application's own, with its binds.
///
/// ```
/// use assoc_core::{RawSql, Value};
///
/// let sql = RawSql::new("SELECT id, title FROM posts WHERE user_id = ? ORDER BY title", [Value::Int(7)]);
/// assert_eq!(sql.binds(), [Value::Int(7)]);
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RawSql {
    sql: Cow<'static, str>,
    binds: Vec<Value<'static>>,
}

impl RawSql {
    /// Each `?` of the text outside quotes and comments takes the next bind; values never enter the text.
    pub fn new(sql: impl Into<Cow<'static, str>>, binds: impl IntoIterator<Item = Value<'static>>) -> Self {
        RawSql { sql: sql.into(), binds: binds.into_iter().collect() }
    }

    /// The text.
    #[must_use]
    pub fn sql(&self) -> &str {
        &self.sql
    }

    /// The binds.
    #[must_use]
    pub fn binds(&self) -> &[Value<'static>] {
        &self.binds
    }
}

/// The statements of an association that has its own.
#[derive(Debug, Clone, Copy)]
pub struct CustomSql {
    /// The one that finds an owner's rows: exactly the target's columns, in their order.
    pub find: fn(&dyn Any) -> RawSql,
    /// The one that counts them, if that is another than counting what the first finds.
    pub count: Option<fn(&dyn Any) -> RawSql>,
}

/// `has_many` or `has_and_belongs_to_many` with a statement of its own.
#[derive(Debug, Clone, Copy)]
pub struct CustomSqlKind {
    /// The statement.
    pub custom_sql: CustomSql,
    /// Which of the two.
    pub declared_as: AssociationKind,
}

impl AssociationBehavior for CustomSqlKind {
    fn association_kind(&self) -> AssociationKind {
        self.declared_as
    }

    fn cardinality(&self) -> Cardinality {
        Cardinality::Many
    }

    fn route(&self, _: &AssociationDef) -> Result<Route> {
        Ok(Route::CustomSql(self.custom_sql))
    }

    fn linkage(&self, _: &AssociationDef) -> Result<Linkage> {
        Ok(Linkage::ReadOnly("SQL says which rows an owner has (`finder_sql`)".into()))
    }

    fn dependents(&self, _: &AssociationDef) -> Result<Vec<DependentRows>> {
        // The derive takes no `dependent` beside `finder_sql`.
        Ok(Vec::new())
    }
}
