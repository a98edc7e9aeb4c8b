//! Tables that store other values than the given ones, created by hand-written SQL.

use assoc_core::dialect::ColumnRole;
use assoc_core::metadata::ColumnDef;
use assoc_core::{DecodeError, Result};
use assoc_repo::core::ColumnType as Column_;
use assoc_repo::prelude::*;
use assoc_repo::{Repo, SqlType};

/// Columns of lower precision, another scale and a fixed length.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "measures", auto_increment = false)]
pub struct Measure {
    pub id: i64,
    pub price: rust_decimal::Decimal,
    pub at: chrono::NaiveDateTime,
    pub level: f64,
    pub code: String,
    pub note: Option<String>,
}

/// The same without a key.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "samples_taken")]
pub struct SampleTaken {
    pub sensor: i64,
    pub at: chrono::NaiveDateTime,
    pub level: f64,
}

/// A column that the database computes.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "articles_by_slug")]
pub struct Slugged {
    pub id: i64,
    pub amount: i64,
    #[column(generated = "amount * 2")]
    pub doubled: i64,
    pub parent_id: Option<i64>,
    #[belongs_to]
    pub parent: BelongsTo<Option<Slugged>>,
}

/// Triggers count its versions.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "versioned", read_back)]
pub struct Versioned {
    pub id: i64,
    #[column(length = 20)]
    pub name: String,
    #[column(default = "0")]
    pub version: i64,
}

/// Its default does not fit the field.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "narrow")]
pub struct Narrow {
    pub id: i64,
    #[column(length = 20)]
    pub name: Option<String>,
    #[column(default)]
    pub level: i8,
}

/// Its table, in which the default fits.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "narrow")]
pub struct Wide {
    pub id: i64,
    #[column(length = 20)]
    pub name: Option<String>,
    #[column(default = "300")]
    pub level: i64,
}

/// A value that panics when it is read.
#[derive(Debug, Clone, PartialEq)]
pub struct Fuse(pub i64);

impl Column_ for Fuse {
    const SQL_TYPE: SqlType = SqlType::Int(64);

    // What a careless decoder does.
    #[allow(clippy::panic)]
    fn from_value(value: &mut Value<'_>) -> std::result::Result<Self, DecodeError> {
        match value {
            Value::Int(number) if *number >= 0 => Ok(Fuse(*number)),
            value => panic!("{value} blows the fuse"),
        }
    }

    fn to_value(&self) -> Value<'_> {
        Value::Int(self.0)
    }
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "circuits")]
pub struct Circuit {
    pub id: i64,
    pub fuse: Fuse,
}

/// A tree whose rows refer to each other, with a constraint that says so.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "folders", auto_increment = false)]
pub struct Folder {
    pub id: i64,
    pub parent_id: Option<i64>,
    #[column(length = 20)]
    pub name: Option<String>,
    #[belongs_to]
    pub parent: BelongsTo<Option<Folder>>,
}

/// Makes the tables.
pub async fn tables(repo: &Repo) -> Result<()> {
    repo.create_table::<Slugged>().await?;
    repo.create_table::<Versioned>().await?;
    repo.create_table::<Wide>().await?;
    repo.create_table::<Circuit>().await?;
    // A float of single precision.
    let single =
        repo.dialect().column_type(&ColumnDef::new("level", "level", SqlType::Real(32), false), ColumnRole::Plain);
    let measures = format!(
        "CREATE TABLE measures (id BIGINT NOT NULL PRIMARY KEY, price DECIMAL(10, 2) NOT NULL, at TIMESTAMP(0) NOT NULL, level \
         {single} NOT NULL, code CHAR(8) NOT NULL, note VARCHAR(20))"
    );
    let samples = format!(
        "CREATE TABLE samples_taken (sensor BIGINT NOT NULL, at TIMESTAMP(0) NOT NULL, level {single} NOT NULL)"
    );
    for sql in [
        &*measures,
        &samples,
        "CREATE TABLE folders (id BIGINT NOT NULL PRIMARY KEY, parent_id BIGINT, name VARCHAR(20), FOREIGN KEY \
         (parent_id) REFERENCES folders (id))",
    ] {
        repo.execute_raw(sql, []).await?;
    }
    Ok(())
}
