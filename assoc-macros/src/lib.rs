//! Derives for assoc: Model and ColumnType.
