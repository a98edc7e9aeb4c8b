//! SQLite's SQL.
use std::borrow::Cow;
use assoc_core::dialect::*;
use assoc_core::*;

/// SQLite's SQL.
#[derive(Debug, Clone)]
pub struct SqliteDialect { capabilities: Capabilities, uuid_as_text: bool }
impl SqliteDialect {
    pub(crate) fn of(_conn: &rusqlite::Connection, uuid_as_text: bool) -> Self { SqliteDialect { capabilities: Capabilities::default(), uuid_as_text } }
}
impl Dialect for SqliteDialect {
    fn name(&self) -> &'static str { "SQLite" }
    fn capabilities(&self) -> &Capabilities { &self.capabilities }
    fn quote(&self, identifier: &str, sql: &mut String) { sql.push('"'); sql.push_str(identifier); sql.push('"'); }
    fn column_type(&self, _: &ColumnDef, _: ColumnRole) -> Cow<'static, str> { "TEXT".into() }
}
