//! What a row that is updated or deleted must still be: seen by the repo, and of the version that is known.

use std::any::Any;

use assoc_core::execution::KeyTuple;
use assoc_core::metadata::{Expr, ModelDef};
use assoc_core::select::RootSelect;
use assoc_core::{Error, ErrorKind, Result, SqlType, Value};

use crate::row_guard::RowGuard;
use crate::session::Session;

/// A row as it is known, beside its key.
pub(crate) struct Known {
    /// What the row must satisfy.
    pub(crate) condition: Expr,
    // Of which the version is a part, if rows have one.
    seen: Expr,
    version: Option<(usize, Value<'static>)>,
}

impl Known {
    /// What is known of a row.
    pub(crate) fn of(model: &'static ModelDef, row: &dyn Any, guard: Option<&RowGuard<'_>>) -> Known {
        let seen = guard.map_or_else(Expr::always, |guard| guard.filter().clone());
        let version = model.lock_version().map(|column| (column, model.rows.value(row, column).into_owned()));
        let same = version.clone().map(|(column, value)| Expr::column_equals(&model.columns[column], value));
        let condition = seen.clone().and(same.unwrap_or_else(Expr::always));
        Known { condition, seen, version }
    }

    /// The version that an update gives the row.
    pub(crate) fn next_version(&self, model: &'static ModelDef) -> Result<Option<(usize, Value<'static>)>> {
        let Some((column, version)) = &self.version else { return Ok(None) };
        let (signed, unsigned) = match model.columns[*column].sql_type {
            SqlType::Int(bits) => (i64::MAX >> (64 - bits.clamp(1, 64)), 0),
            SqlType::UInt(bits) => (i64::MAX, u64::MAX >> (64 - bits.clamp(1, 64))),
            _ => (i64::MAX, u64::MAX),
        };
        let next = match version {
            Value::Int(version) if *version < signed => version.checked_add(1).map(Value::Int),
            Value::UInt(version) if *version < unsigned => version.checked_add(1).map(Value::UInt),
            _ => None,
        };
        next.map(|next| Some((*column, next))).ok_or_else(|| {
            let message = format!("`{}` holds {version}, after which there is no version", model.columns[*column].name);
            Error::invalid_query(model.name, message)
        })
    }

    /// Whether there is such a row, as it is known. 1 statement.
    pub(crate) async fn is_there(
        &self,
        session: &mut Session<'_>,
        model: &'static ModelDef,
        key: &KeyTuple,
    ) -> Result<bool> {
        exists(session, row(model, key, self.condition.clone())).await
    }

    /// Refuses that no row has been written: it is gone, or hidden, or has another version. 1 statement if rows have
    /// versions and none was written.
    pub(crate) async fn require_written(
        &self,
        session: &mut Session<'_>,
        model: &'static ModelDef,
        key: &KeyTuple,
        affected: u64,
    ) -> Result<()> {
        if affected > 0 {
            return Ok(());
        }
        if self.version.is_some() && exists(session, row(model, key, self.seen.clone())).await? {
            return Err(ErrorKind::Stale { model: model.name, key: key.to_string() }.into());
        }
        Err(ErrorKind::NotFound { model: model.name, key: key.to_string() }.into())
    }
}

fn row(model: &'static ModelDef, key: &KeyTuple, condition: Expr) -> RootSelect {
    let mut select = RootSelect::new(model);
    select.filter = model.base_scope(true).filter.and(condition);
    select.with_key(key.values().to_vec())
}

/// Whether a row is selected. 1 statement.
pub(super) async fn exists(session: &mut Session<'_>, select: RootSelect) -> Result<bool> {
    let statement = select.exists_statement(session.dialect())?;
    let mut exists = false;
    let mut sink = |_: &mut [Value<'_>]| {
        exists = true;
        Ok(())
    };
    session.query(&statement, &mut sink).await?;
    Ok(exists)
}
