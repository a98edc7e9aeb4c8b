//! Models beside Diesel's `table!`: the compiler compares the two.
//!
//! `#[model(diesel = crate::schema::users)]` looks for each column of the model in the table's module, and for a field type that
//! [agrees](Agrees) with the column's type. The table may have more columns, if the model does not insert rows.
//!
//! ```
//! mod schema {
//!     diesel::table! {
//!         users (id) {
//!             id -> BigInt,
//!             name -> Text,
//!             email -> Nullable<Text>,
//!         }
//!     }
//! }
//!
//! use assoc_repo::prelude::*;
//!
//! #[derive(Model, Debug, Clone)]
//! #[model(diesel = crate::schema::users)]
//! pub struct User {
//!     pub id: i64,
//!     pub name: String,
//!     pub email: Option<String>,
//! }
//! # fn main() {}
//! ```
//!
//! A field that disagrees does not compile:
//!
//! ```compile_fail
//! mod schema {
//!     diesel::table! { users (id) { id -> BigInt, name -> Nullable<Text>, } }
//! }
//!
//! use assoc_repo::prelude::*;
//!
//! #[derive(Model, Debug, Clone)]
//! #[model(diesel = crate::schema::users)]
//! pub struct User {
//!     pub id: i64,
//!     // It can be NULL: `Option<String>`.
//!     pub name: String,
//! }
//! # fn main() {}
//! ```

use diesel::Column;
use diesel::expression::Expression;
use diesel::sql_types as sql;

/// A field's type that holds what a column of a type of Diesel's holds.
///
/// It is implemented for the types that Diesel itself reads from such a column. Implement it for a type of your own, such as
/// an enum that is stored as text:
///
/// ```
/// # use assoc_diesel::schema::Agrees;
/// pub enum Status { Draft, Published }
///
/// impl Agrees<diesel::sql_types::Text> for Status {}
/// ```
#[diagnostic::on_unimplemented(
    message = "a field of the type `{Self}` does not agree with a column of the type `{Sql}` in Diesel's `table!`",
    label = "the column is `{Sql}` in the `table!`",
    note = "`Nullable<…>` needs an `Option`, and integers need the same width: `Integer` is `i32`, `BigInt` is `i64`",
    note = "for a type of your own, write `impl assoc_diesel::schema::Agrees<…> for …`"
)]
pub trait Agrees<Sql> {}

/// Compiles if the field's type agrees with the column's. It does nothing. `#[model(diesel = …)]` calls it for each field.
///
/// ```
/// use assoc_diesel::schema::agree;
///
/// diesel::table! { users (id) { id -> BigInt, name -> Nullable<Text>, } }
///
/// agree::<users::id, i64>();
/// agree::<users::name, Option<String>>();
/// ```
/// ```compile_fail
/// # use assoc_diesel::schema::agree;
/// # diesel::table! { users (id) { id -> BigInt, name -> Nullable<Text>, } }
/// agree::<users::name, String>();
/// ```
pub const fn agree<C, Field>()
where
    C: Column,
    Field: Agrees<<C as Expression>::SqlType>,
{
}

impl<Field, Sql> Agrees<sql::Nullable<Sql>> for Option<Field>
where
    Sql: sql::SqlType<IsNull = sql::is_nullable::NotNull>,
    Field: Agrees<Sql>,
{
}

macro_rules! agree {
    ($($field:ty => $($sql:ty),+;)+) => {
        $($(impl Agrees<$sql> for $field {})+)+
    };
}

agree! {
    bool => sql::Bool;
    i8 => sql::TinyInt;
    i16 => sql::SmallInt;
    i32 => sql::Integer;
    i64 => sql::BigInt;
    f32 => sql::Float;
    f64 => sql::Double;
    String => sql::Text;
    Vec<u8> => sql::Binary;
}

#[cfg(feature = "chrono")]
agree! {
    chrono::NaiveDate => sql::Date;
    chrono::NaiveTime => sql::Time;
    chrono::NaiveDateTime => sql::Timestamp;
}

#[cfg(all(feature = "chrono", feature = "sqlite"))]
agree! {
    chrono::NaiveDateTime => sql::TimestamptzSqlite;
    chrono::DateTime<chrono::Utc> => sql::TimestamptzSqlite;
}

#[cfg(feature = "time")]
agree! {
    time::Date => sql::Date;
    time::Time => sql::Time;
    time::PrimitiveDateTime => sql::Timestamp;
}

#[cfg(feature = "rust_decimal")]
agree! {
    rust_decimal::Decimal => sql::Numeric;
}

#[cfg(feature = "serde_json")]
agree! {
    serde_json::Value => sql::Json;
}

#[cfg(feature = "postgres")]
agree! {
    String => sql::Citext;
}

#[cfg(all(feature = "chrono", feature = "postgres"))]
agree! {
    chrono::NaiveDateTime => sql::Timestamptz;
    chrono::DateTime<chrono::Utc> => sql::Timestamptz;
}

#[cfg(all(feature = "time", feature = "postgres"))]
agree! {
    time::PrimitiveDateTime => sql::Timestamptz;
    time::OffsetDateTime => sql::Timestamptz;
}

#[cfg(all(feature = "serde_json", feature = "postgres"))]
agree! {
    serde_json::Value => sql::Jsonb;
}

#[cfg(all(feature = "uuid", feature = "postgres"))]
agree! {
    uuid::Uuid => sql::Uuid;
}

// A UUID is 16 bytes on SQLite.
#[cfg(feature = "uuid")]
agree! {
    uuid::Uuid => sql::Binary;
}
