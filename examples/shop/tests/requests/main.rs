//! Requests to the shop, on each database: what they answer, and how many statements they run.
//!
//! SQLite is always there. The cases run on MariaDB and PostgreSQL as well where `ASSOC_MYSQL_URL` and `ASSOC_POSTGRES_URL` say
//! where to find them, as `cargo xtask db all -- cargo test -p shop` does; otherwise they are listed as ignored. So is the page in
//! a browser where there is no Chromium.

// A case fails by panicking.
#![allow(clippy::expect_used, clippy::panic)]

mod browser;
mod database;
mod orders;
mod products;
mod shop;
mod tenants;

use std::future::Future;
use std::pin::Pin;

use libtest_mimic::{Arguments, Completion, Failed, Trial};

use database::{Kind, Temporary};
use shop::TestShop;

/// A case, which panics where the shop does not do what it should.
type Case = fn(TestShop) -> Pin<Box<dyn Future<Output = ()>>>;

/// Cases by the names of their functions.
macro_rules! cases {
    ($($module:ident: $($case:ident),+;)+) => {
        &[$($((concat!(stringify!($module), "_", stringify!($case)), |shop| Box::pin($module::$case(shop)))),+),+]
    };
}

const CASES: &[(&str, Case)] = cases! {
    products: listed, searched, by_pages, included, created, reviewed, deleted_softly, in_a_tree;
    orders: created, refused, checked_out, not_sold, sold_out, bought_at_once, shown_as_a_page, noted, of_a_customer;
    tenants: named, apart, told_nothing;
};

fn main() {
    let mut trials = Vec::new();
    for kind in [Kind::Sqlite, Kind::MariaDb, Kind::PostgreSql] {
        for (name, case) in CASES {
            trials.push(Trial::ignorable_test(format!("{}::{name}", kind.name()), move || on(kind, *case)));
        }
    }
    trials.push(Trial::ignorable_test("browser::order_page", || match browser::program() {
        Some(program) => blocking(browser::order_page(program)),
        None => Ok(Completion::ignored_with("no chromium, chromium-browser or google-chrome is installed")),
    }));
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn on(kind: Kind, case: Case) -> Result<Completion, Failed> {
    let Some(server) = kind.server() else {
        return Ok(Completion::ignored_with(format!("{} is not set", kind.variable())));
    };
    blocking(async move {
        let temporary = Temporary::create(kind, &server).await;
        case(TestShop::open(temporary.url()).await).await;
        temporary.remove().await;
    })
}

fn blocking(work: impl Future<Output = ()>) -> Result<Completion, Failed> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(work);
    Ok(Completion::Completed)
}
