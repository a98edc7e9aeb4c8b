//! Diesel over its own connection, and assoc over a pool of them.

use assoc_diesel::Pooled;
use assoc_repo::Repo;
use diesel::connection::SimpleConnection;
use diesel::r2d2::{ConnectionManager, CustomizeConnection, Pool};

use crate::by_diesel::shop::{Parcel, parcels};
use crate::ours::{Application, Loading, Ours};

crate::by_diesel::on_connection!(PgConnection);

/// Where the tables are.
const SETTINGS: &str = "SET search_path = assoc_peers";

pub(super) fn open(url: &str) -> Outcome<OnConnection> {
    let mut connection = PgConnection::establish(url)?;
    connection.batch_execute(SETTINGS)?;
    Ok(OnConnection(connection))
}

#[derive(Debug)]
struct Settings;

impl CustomizeConnection<PgConnection, diesel::r2d2::Error> for Settings {
    fn on_acquire(&self, connection: &mut PgConnection) -> Result<(), diesel::r2d2::Error> {
        connection.batch_execute(SETTINGS).map_err(diesel::r2d2::Error::QueryError)
    }
}

/// assoc over a pool, without a runtime.
pub(super) fn pooled(url: &str) -> Outcome<Ours> {
    let manager = ConnectionManager::<PgConnection>::new(url);
    let pool = Pool::builder().max_size(1).connection_customizer(Box::new(Settings)).build(manager)?;
    let reading = Repo::new(Pooled::new(pool)?);
    Ok(Ours {
        name: "assoc-diesel",
        loading: Loading::Preload,
        application: Application::Plain,
        reading,
        writing: None,
    })
}

crate::by_diesel::shop::shop_on_connection!(PgConnection);

pub(super) fn open_shop(url: &str) -> Outcome<ShopOnConnection> {
    let OnConnection(connection) = open(url)?;
    Ok(ShopOnConnection { connection, weight: 0 })
}

fn insert(connection: &mut PgConnection, weight: i64) -> QueryResult<Parcel> {
    let values = (parcels::code.eq("new"), parcels::weight.eq(weight));
    diesel::insert_into(parcels::table).values(values).get_result(connection)
}

fn insert_all(connection: &mut PgConnection, weights: std::ops::Range<i64>) -> QueryResult<Vec<Parcel>> {
    let values: Vec<_> = weights.map(|weight| (parcels::code.eq("new"), parcels::weight.eq(weight))).collect();
    diesel::insert_into(parcels::table).values(values).get_results(connection)
}
