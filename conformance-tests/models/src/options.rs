//! Associations and models with scopes.

use assoc_core::Result;
use assoc_repo::Repo;
use assoc_repo::prelude::*;

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "customers")]
pub struct Customer {
    pub id: i64,
    pub name: String,
    pub vip_from: i64,
    #[has_many]
    pub orders: HasMany<Order>,
    #[has_many(filter = Order::CONFIRMED.eq(true))]
    pub confirmed_orders: HasMany<Order>,
    #[has_many(scope = largest)]
    pub largest_orders: HasMany<Order>,
    #[has_many(order = Order::ID.asc(), limit = 2, offset = 1)]
    pub second_and_third: HasMany<Order>,
    #[has_one(order = [Order::TOTAL.desc(), Order::ID.desc()])]
    pub largest_order: HasOne<Option<Order>>,
    #[has_many(include = Order::CUSTOMER)]
    pub orders_with_customer: HasMany<Order>,
    #[has_many(scope_by_owner = above_own_threshold)]
    pub vip_orders: HasMany<Order>,
    #[has_many]
    pub notes: HasMany<Note>,
    #[has_many(scope = even_hidden)]
    pub all_notes: HasMany<Note>,
    #[has_many]
    pub special_notes: HasMany<SpecialNote>,
}

fn largest(orders: Scope<Order>) -> Scope<Order> {
    orders.order_by(Order::TOTAL.desc()).limit(2)
}

fn above_own_threshold(customer: &Customer, orders: Scope<Order>) -> Scope<Order> {
    orders.filter(Order::TOTAL.ge(customer.vip_from))
}

fn even_hidden(notes: Scope<Note>) -> Scope<Note> {
    notes.unscoped()
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "orders")]
pub struct Order {
    pub id: i64,
    pub customer_id: Option<i64>,
    pub total: i64,
    pub confirmed: bool,
    #[belongs_to]
    pub customer: BelongsTo<Option<Customer>>,
}

/// A model with a default scope.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "notes", default_scope = visible)]
pub struct Note {
    pub id: i64,
    pub customer_id: i64,
    #[column(length = 20)]
    pub kind: Option<String>,
    pub hidden: bool,
    #[belongs_to]
    pub customer: BelongsTo<Customer>,
}

fn visible(notes: Scope<Note>) -> Scope<Note> {
    notes.filter(Note::HIDDEN.eq(false)).order_by(Note::ID.desc())
}

/// One of two models that share a table (D18, F102 of the reference's C29 and C30).
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "notes", discriminator = "kind", tag = "special")]
pub struct SpecialNote {
    pub id: i64,
    pub customer_id: i64,
    #[column(length = 20)]
    pub kind: Option<String>,
    pub hidden: bool,
    #[belongs_to]
    pub customer: BelongsTo<Customer>,
}

/// Customers, by their last notes.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "customers")]
pub struct NoteTaker {
    pub id: i64,
    pub name: String,
    #[has_many(foreign_key = "customer_id")]
    pub last_notes: HasMany<LastNote>,
}

/// A model whose default scope has a limit and brings an association.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "notes", default_scope = last)]
pub struct LastNote {
    pub id: i64,
    pub customer_id: i64,
    pub hidden: bool,
    #[belongs_to(foreign_key = "customer_id")]
    pub taker: BelongsTo<NoteTaker>,
}

fn last(notes: Scope<LastNote>) -> Scope<LastNote> {
    notes.order_by(LastNote::ID.desc()).limit(1).preload(LastNote::TAKER)
}

/// Customers and orders that bring each other: a circle.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "customers", default_scope = with_purchases)]
pub struct Buyer {
    pub id: i64,
    pub name: String,
    #[has_many(foreign_key = "customer_id")]
    pub purchases: HasMany<Purchase>,
}

fn with_purchases(buyers: Scope<Buyer>) -> Scope<Buyer> {
    buyers.preload(Buyer::PURCHASES)
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "orders", default_scope = with_buyer)]
pub struct Purchase {
    pub id: i64,
    pub customer_id: Option<i64>,
    pub total: i64,
    #[belongs_to(foreign_key = "customer_id")]
    pub buyer: BelongsTo<Option<Buyer>>,
}

fn with_buyer(purchases: Scope<Purchase>) -> Scope<Purchase> {
    purchases.preload(Purchase::BUYER)
}

/// All notes but the first.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "notes", default_scope = but_the_first)]
pub struct LaterNote {
    pub id: i64,
    pub hidden: bool,
}

fn but_the_first(notes: Scope<LaterNote>) -> Scope<LaterNote> {
    notes.order_by(LaterNote::ID.asc()).offset(1)
}

/// Rows that refer to notes whose default scopes count.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "notes")]
pub struct Pointer {
    pub id: i64,
    #[belongs_to(foreign_key = "id")]
    pub last: BelongsTo<Option<LastNote>>,
    #[belongs_to(foreign_key = "id")]
    pub later: BelongsTo<Option<LaterNote>>,
    #[belongs_to(foreign_key = "id")]
    pub visible: BelongsTo<Option<Note>>,
}

/// Makes the tables and fills them.
pub async fn fixture(repo: &Repo) -> Result<()> {
    repo.create_table::<Customer>().await?;
    repo.create_table::<Order>().await?;
    repo.create_table::<Note>().await?;
    repo.insert_all(
        [("Ann", 100), ("Bob", 20), ("Cyd", 0)]
            .map(|(name, from): (&str, i64)| Customer::build().set(Customer::NAME, name).set(Customer::VIP_FROM, from)),
    )
    .await?;
    let order = |customer: Option<i64>, total: i64, confirmed| {
        Order::build().set(Order::CUSTOMER_ID, customer).set(Order::TOTAL, total).set(Order::CONFIRMED, confirmed)
    };
    // The largest of Ann's are equal, so that the primary key decides; Cyd has none.
    repo.insert_all([
        order(Some(1), 30, true),
        order(Some(2), 10, false),
        order(Some(1), 120, false),
        order(Some(1), 120, true),
        order(Some(2), 40, true),
        order(None, 999, true),
        order(Some(1), 5, true),
    ])
    .await?;
    let note = |customer: i64, kind: Option<&str>, hidden| {
        Note::build()
            .set(Note::CUSTOMER_ID, customer)
            .set(Note::KIND, kind.map(str::to_owned))
            .set(Note::HIDDEN, hidden)
    };
    repo.insert_all([
        note(1, None, false),
        note(1, None, true),
        note(2, Some("special"), true),
        note(1, Some("special"), false),
    ])
    .await?;
    Ok(())
}
