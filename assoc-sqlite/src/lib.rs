//! SQLite backend of assoc, on rusqlite.
