//! Diesel over its own connection, and assoc over pools of them.

use assoc_diesel::{MysqlSession, Pooled};
use assoc_repo::Repo;
use diesel::r2d2::{ConnectionManager, Pool};

use crate::by_diesel::shop::{Parcel, parcels};
use crate::ours::{Application, Loading, Ours};

crate::by_diesel::on_connection!(MysqlConnection);

pub(super) fn open(url: &str) -> Outcome<OnConnection> {
    Ok(OnConnection(MysqlConnection::establish(url)?))
}

/// assoc over pools, without a runtime.
pub(super) fn pooled(reading: &str, writing: &str) -> Outcome<Ours> {
    let repo = |url: &str| -> Outcome<Repo> {
        let manager = ConnectionManager::<MysqlConnection>::new(url);
        let pool = Pool::builder().max_size(1).connection_customizer(Box::new(MysqlSession)).build(manager)?;
        Ok(Repo::new(Pooled::new(pool)?))
    };
    let (reading, writing) = (repo(reading)?, Some(repo(writing)?));
    Ok(Ours { name: "assoc-diesel", loading: Loading::Preload, application: Application::Plain, reading, writing })
}

crate::by_diesel::shop::shop_on_connection!(MysqlConnection);

pub(super) fn open_shop(url: &str) -> Outcome<ShopOnConnection> {
    Ok(ShopOnConnection { connection: MysqlConnection::establish(url)?, weight: 0 })
}

#[diesel::declare_sql_function]
extern "SQL" {
    /// The key that the connection's last insert has made.
    fn last_insert_id() -> diesel::sql_types::BigInt;
}

// There is no `RETURNING` for MariaDB: the row is read back.
fn insert(connection: &mut MysqlConnection, weight: i64) -> QueryResult<Parcel> {
    let values = (parcels::code.eq("new"), parcels::weight.eq(weight));
    diesel::insert_into(parcels::table).values(values).execute(connection)?;
    parcels::table.filter(parcels::id.eq(last_insert_id())).first(connection)
}

fn insert_all(connection: &mut MysqlConnection, weights: std::ops::Range<i64>) -> QueryResult<Vec<Parcel>> {
    let count = weights.end - weights.start;
    let values: Vec<_> = weights.map(|weight| (parcels::code.eq("new"), parcels::weight.eq(weight))).collect();
    connection.transaction(|connection| {
        diesel::insert_into(parcels::table).values(values).execute(connection)?;
        parcels::table.order(parcels::id.desc()).limit(count).load(connection)
    })
}
