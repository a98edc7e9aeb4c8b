//! Accounts of tenants with entries, seats of halls, animals of one table: what bulk writes are about. Tickets, stamps and
//! documents: columns that the repo fills in.

use assoc_core::Result;
use assoc_repo::Repo;
use assoc_repo::prelude::*;
use rust_decimal::Decimal;

/// Numbers of every kind.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "accounts")]
pub struct Account {
    pub id: i64,
    pub tenant_id: i64,
    #[column(length = 40)]
    pub name: String,
    #[column(precision = 12, scale = 2)]
    pub balance: Decimal,
    pub fine: Option<Decimal>,
    pub level: i8,
    pub points: u16,
    pub visits: i64,
    pub rate: f64,
    pub maybe: Option<i32>,
    pub parent_id: Option<i64>,
    #[belongs_to]
    pub parent: BelongsTo<Option<Account>>,
    #[has_many(foreign_key = "parent_id")]
    pub children: HasMany<Account>,
    #[has_many]
    pub entries: HasMany<Entry>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "entries")]
pub struct Entry {
    pub id: i64,
    pub tenant_id: i64,
    pub account_id: Option<i64>,
    pub text: String,
    #[column(lock_version)]
    pub version: i32,
    #[belongs_to]
    pub account: BelongsTo<Option<Account>>,
}

/// A key of two columns.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "hall_seats", primary_key = "hall_id, number")]
pub struct Seat {
    pub hall_id: i64,
    pub number: i64,
    pub tenant_id: i64,
    pub price: i64,
}

/// No key at all.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "log_lines")]
pub struct LogLine {
    pub text: String,
    pub account_id: Option<i64>,
    #[belongs_to]
    pub account: BelongsTo<Option<Account>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "animals")]
pub struct Animal {
    pub id: i64,
    #[column(length = 20)]
    pub kind: String,
    pub age: i64,
    pub hidden: bool,
}

fn shown(scope: Scope<Dog>) -> Scope<Dog> {
    scope.filter(Dog::HIDDEN.eq(false))
}

/// Dogs among the animals, without those that are hidden.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "animals", discriminator = "kind", tag = "dog", default_scope = shown)]
pub struct Dog {
    pub id: i64,
    pub kind: String,
    pub age: i64,
    pub hidden: bool,
}

/// Makes the tables and fills them: accounts 1 to 3 of tenant 1, 4 and 5 of tenant 2.
pub async fn fixture(repo: &Repo) -> Result<()> {
    repo.create_table::<Account>().await?;
    repo.create_table::<Entry>().await?;
    repo.create_table::<Seat>().await?;
    repo.create_table::<Animal>().await?;
    let account = |tenant: i64, name: &str, parent: Option<i64>| {
        Account::build()
            .set(Account::TENANT_ID, tenant)
            .set(Account::NAME, name)
            .set(Account::BALANCE, Decimal::new(1_050, 2))
            .set(Account::FINE, parent.map(|_| Decimal::new(1, 10)))
            .set(Account::LEVEL, 100)
            .set(Account::POINTS, 10)
            .set(Account::VISITS, i64::MAX - 10)
            .set(Account::RATE, 0.5)
            .set(Account::MAYBE, parent.map(|_| 7))
            .set(Account::PARENT_ID, parent)
    };
    repo.insert_all([
        account(1, "a1", None),
        account(1, "a2", Some(1)),
        account(1, "a3", Some(1)),
        account(2, "a4", None),
        account(2, "a5", Some(4)),
    ])
    .await?;
    let entry = |tenant: i64, account: i64, text: &str| {
        Entry::build().set(Entry::TENANT_ID, tenant).set(Entry::ACCOUNT_ID, account).set(Entry::TEXT, text)
    };
    repo.insert_all([entry(1, 1, "e1"), entry(1, 1, "e2"), entry(1, 2, "e3"), entry(2, 4, "e4")]).await?;
    let seats = [(1, 1, 1), (1, 2, 1), (2, 1, 2), (2, 2, 2)];
    repo.insert_all(seats.map(|(hall, number, tenant)| {
        let seat = Seat::build().set(Seat::HALL_ID, hall).set(Seat::NUMBER, number);
        seat.set(Seat::TENANT_ID, tenant).set(Seat::PRICE, 10)
    }))
    .await?;
    let animals = [("dog", 1, false), ("dog", 2, true), ("cat", 3, false), ("Dog", 4, false)];
    repo.insert_all(animals.map(|(kind, age, hidden)| {
        Animal::build().set(Animal::KIND, kind).set(Animal::AGE, age).set(Animal::HIDDEN, hidden)
    }))
    .await?;
    Ok(())
}

fn new_key() -> uuid::Uuid {
    use std::sync::atomic::{AtomicU64, Ordering};
    static LAST: AtomicU64 = AtomicU64::new(0);
    uuid::Uuid::from_u128(u128::from(LAST.fetch_add(1, Ordering::Relaxed)) + 1)
}

/// A key that the application makes.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "tickets")]
pub struct Ticket {
    #[column(default_with = new_key)]
    pub id: uuid::Uuid,
    pub title: String,
    #[column(default_with = "default_label")]
    pub label: Option<String>,
}

fn default_label() -> &'static str {
    "none"
}

/// Times of every type.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "stamps")]
pub struct Stamp {
    pub id: i64,
    pub title: String,
    #[column(created_at)]
    pub created_on: chrono::NaiveDate,
    #[column(created_at)]
    pub chrono_created: chrono::DateTime<chrono::Utc>,
    #[column(updated_at)]
    pub chrono_local: chrono::NaiveDateTime,
    #[column(updated_at)]
    pub time_updated: time::OffsetDateTime,
    #[column(updated_at)]
    pub time_local: Option<time::PrimitiveDateTime>,
    #[column(updated_at)]
    pub jiff_updated: jiff::Timestamp,
    #[column(updated_at)]
    pub jiff_local: Option<jiff::civil::DateTime>,
}

/// A version.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "documents")]
pub struct Document {
    pub id: i64,
    pub tenant_id: Option<i64>,
    pub title: String,
    #[column(lock_version)]
    pub version: i16,
}

/// A unique name beside the key, and another one.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "members_of_clubs")]
pub struct Member {
    pub id: i64,
    pub tenant_id: i64,
    #[column(length = 40)]
    pub email: String,
    #[column(length = 40)]
    pub nick: Option<String>,
    pub points: i64,
    #[column(created_at)]
    pub created_at: chrono::DateTime<chrono::Utc>,
    #[column(updated_at)]
    pub updated_at: chrono::DateTime<chrono::Utc>,
    #[column(lock_version)]
    pub version: i32,
}

/// Makes the table of members, with its unique indexes.
pub async fn members(repo: &Repo) -> Result<()> {
    repo.create_table::<Member>().await?;
    repo.execute_raw("CREATE UNIQUE INDEX members_email ON members_of_clubs(email)", []).await?;
    repo.execute_raw("CREATE UNIQUE INDEX members_nick ON members_of_clubs(nick)", []).await?;
    Ok(())
}
