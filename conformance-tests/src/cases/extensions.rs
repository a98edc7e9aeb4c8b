//! Extensions of associations (F116): traits of the program, implemented for the types of tokens and preloads.

use assoc_core::Result;
use assoc_repo::prelude::*;

use super::{Level, cases};
use crate::context::Context;
use crate::key_order::KeyOrder;
use crate::models::options::{self, Customer, Order};

cases! { "extensions", Level::Kind;
    on_associations,
    on_shaped_preloads,
    with_owner_and_repo,
    of_one_association_alone,
}

type Orders = Association<Customer, Order, HasMany<Order>>;

/// Reusable selections: on the association, and on what was made of it.
trait Selections: Into<Preload<Customer, Order>> {
    fn above(self, total: i64) -> Preload<Customer, Order> {
        self.into().filter(Order::TOTAL.gt(total))
    }

    fn latest(self, count: u64) -> Preload<Customer, Order> {
        self.into().order_by(Order::ID.desc()).limit(count)
    }
}

impl<P: Into<Preload<Customer, Order>>> Selections for P {}

/// What is worked out for one owner, with a repo.
trait Totals {
    async fn total(self, repo: &Repo, customer: &Customer) -> Result<i64>;
    fn heading(self, customer: &Customer) -> String;
}

impl Totals for Orders {
    async fn total(self, repo: &Repo, customer: &Customer) -> Result<i64> {
        let orders = repo.get_association(customer, self, Query::new()).await?;
        Ok(orders.iter().map(|order| order.total).sum())
    }

    fn heading(self, customer: &Customer) -> String {
        let loaded: &dyn std::any::Any = customer;
        let state = self.def().field_access.state(loaded);
        format!("{} {} of {}: {state:?}", self.def().association_kind(), self.name(), customer.name)
    }
}

/// A separate type for the token, whose methods other associations of customers to orders do not have.
struct Confirmed(Orders);

const CONFIRMED: Confirmed = Confirmed(Customer::CONFIRMED_ORDERS);

impl Confirmed {
    async fn count(&self, repo: &Repo, customers: &[Customer]) -> Result<u64> {
        Ok(repo.count_for(customers, self.0).await?.into_iter().sum())
    }
}

fn totals(customer: &Customer, orders: &[Order]) -> String {
    format!("{} {:?}", customer.name, orders.iter().map(|order| order.total).collect::<Vec<_>>())
}

async fn on_associations(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    options::fixture(&repo).await?;
    let query = || Query::<Customer>::order_by(Customer::ID.asc());
    for customer in cx.step("the latest two", repo.all(query().preload(Customer::ORDERS.latest(2)))).await? {
        cx.note("orders", totals(&customer, customer.orders()?));
    }
    let confirmed = query().preload(Customer::CONFIRMED_ORDERS.above(20));
    for customer in cx.step("of another association of these types", repo.all(confirmed)).await? {
        cx.note("orders", totals(&customer, customer.confirmed_orders()?));
    }
    Ok(())
}

async fn on_shaped_preloads(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    options::fixture(&repo).await?;
    let mut customers = repo.all(Query::<Customer>::order_by(Customer::ID.asc())).await?;
    let tree = Customer::ORDERS.filter(Order::CONFIRMED.eq(true)).above(10).latest(1).with(Order::CUSTOMER);
    cx.step("one extension after the other, on structs in hand", repo.preload(&mut customers, tree)).await?;
    for customer in &customers {
        cx.note("orders", totals(customer, customer.orders()?));
    }
    Ok(())
}

async fn with_owner_and_repo(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    options::fixture(&repo).await?;
    for customer in repo.all_by_key(Query::preload(Customer::ORDERS)).await? {
        let title = Customer::ORDERS.heading(&customer);
        let total = cx.step(&title, Customer::ORDERS.total(&repo, &customer)).await?;
        cx.note("total", total);
        cx.note("confirmed", Customer::CONFIRMED_ORDERS.heading(&customer));
    }
    Ok(())
}

async fn of_one_association_alone(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    options::fixture(&repo).await?;
    let customers = repo.all(Query::<Customer>::new()).await?;
    let count = cx.step("by its newtype", CONFIRMED.count(&repo, &customers)).await?;
    cx.note("confirmed", count);
    Ok(())
}
