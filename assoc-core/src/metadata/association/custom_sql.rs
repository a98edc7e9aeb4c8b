//! Lists with hand-written SQL (`finder_sql`), which says which rows an owner has.
//!
//! The statement replaces the look-up by key, so nothing that works from keys works for such an association: it has no
//! inverse, no through association uses it, no condition considers its targets, and no join includes it. Preloads can
//! add conditions, orders and limits on top of it, and associations below it.

use std::any::Any;
use std::borrow::Cow;

use super::dependent::DependentRows;
use super::{AssociationBehavior, AssociationDef, AssociationKind, Cardinality, Linkage, Route};
use crate::error::Result;
use crate::value::Value;

/// Hand-written SQL with its binds.
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
    /// Makes SQL with its binds. Each `?` of the text outside quotes and comments takes the next bind; values never
    /// enter the text.
    pub fn new(sql: impl Into<Cow<'static, str>>, binds: impl IntoIterator<Item = Value<'static>>) -> Self {
        RawSql { sql: sql.into(), binds: binds.into_iter().collect() }
    }

    /// The text.
    ///
    /// ```
    /// assert_eq!(assoc_core::RawSql::new("SELECT * FROM posts", []).sql(), "SELECT * FROM posts");
    /// ```
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

/// The hand-written statements of an association.
#[derive(Debug, Clone, Copy)]
pub struct CustomSql {
    /// The statement that finds an owner's rows. It selects exactly the target's columns, in their order.
    pub find: fn(&dyn Any) -> RawSql,
    /// The statement that counts them. Without it the repo counts the rows that the first statement finds.
    pub count: Option<fn(&dyn Any) -> RawSql>,
}

/// Hand-written SQL of an owner and a target: it links them, or unlinks them.
pub type LinkSql = fn(&dyn Any, &dyn Any) -> RawSql;

/// `has_many` or `has_and_belongs_to_many` with hand-written SQL.
#[derive(Debug, Clone, Copy)]
pub struct CustomSqlKind {
    /// The statement.
    pub custom_sql: CustomSql,
    /// The declared kind.
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
