//! Rows that were loaded as read-only are not written.

use std::any::Any;

use assoc_core::metadata::ModelDef;
use assoc_core::{ErrorKind, Model, Result};

/// Refuses to write a row that was loaded as read-only.
pub(crate) fn refuse_read_only<M: Model>(row: &M) -> Result<()> {
    refuse_read_only_row(M::DEF, row)
}

/// As [`refuse_read_only`], of a row whose model is known at run time.
pub(crate) fn refuse_read_only_row(model: &'static ModelDef, row: &dyn Any) -> Result<()> {
    match model.rows.origin(row) {
        Some(origin) if origin.is_read_only() => Err(ErrorKind::ReadOnly {
            model: model.name,
            key: model.key_of(row).map_or_else(|| "without key".to_owned(), |key| key.to_string()),
            association: origin.association().map(assoc_core::metadata::AssociationDef::qualified_name),
        }
        .into()),
        _ => Ok(()),
    }
}
