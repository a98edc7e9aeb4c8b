//! A page of orders with ten associations, four levels deep: twelve statements, and a turn for each level where the server takes
//! statements together.

// Helpers fail a test by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;
use std::time::Duration;

use assoc_repo::prelude::*;
use backends::{PostgreSql, SqliteFile};
use conformance_tests::Backend;
use shop::{Order, fill, page};

// Only some of it is of use here.
#[allow(dead_code)]
mod backends;
#[path = "../../assoc-postgres/tests/postgres/proxy.rs"]
mod proxy;
#[path = "turns/shop.rs"]
mod shop;

#[test]
fn the_plan_says_so() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let database = SqliteFile.fresh().await.unwrap();
        let repo = Repo::from_driver(Arc::clone(database.driver()));
        let plan = page().explain(&repo).unwrap();
        let last = plan.lines().last().unwrap();
        assert_eq!(
            last, "12 statements, 4 deep: 4 turns where a database takes independent statements together",
            "{plan}"
        );
        let other = Query::preload(Order::CUSTOMER).explain(&repo).unwrap();
        assert!(!other.contains("deep"), "{other}");
    });
}

mod mariadb {
    use assoc_core::driver::{Access, Driver, Statement};
    use assoc_mysql::mysql_async::{Opts, OptsBuilder};
    use assoc_mysql::{Builder, MySql};
    use backends::MariaDb;
    use proxy::Proxy;
    use std::net::ToSocketAddrs;

    use super::*;

    // Options of a database that is reached through a proxy.
    async fn through(proxy: &Proxy, server: &Opts, driver: &dyn Driver) -> Builder {
        let mut name = String::new();
        let mut sink = |values: &mut [Value<'_>]| {
            name = values.iter().map(|value| value.to_string().trim_matches('"').to_owned()).collect();
            Ok(())
        };
        let mut connection = driver.acquire(Access::Read).await.unwrap();
        connection.query(&Statement::plain("SELECT DATABASE()"), &mut sink).await.unwrap();
        let options = OptsBuilder::from_opts(server.clone()).db_name(Some(name)).prefer_socket(false);
        let options = options.ip_or_hostname(proxy.address.ip().to_string()).tcp_port(proxy.address.port());
        MySql::builder_from(options).max_connections(6)
    }

    #[test]
    fn fewer_turns_after_one_another_on_idle_connections() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let database = MariaDb.fresh().await.unwrap();
            let repo = Repo::from_driver(Arc::clone(database.driver()));
            fill(&repo).await.unwrap();
            let expected = repo.all(page()).await.unwrap();
            let server = Opts::from_url(&std::env::var("ASSOC_MYSQL_URL").unwrap()).unwrap();
            let address = (server.ip_or_hostname(), server.tcp_port()).to_socket_addrs().unwrap().next().unwrap();
            let proxy = Proxy::new(address, Duration::from_millis(4));
            let mut longest = Vec::new();
            for spare in [0, 1, 2, 5] {
                let builder = through(&proxy, &server, &**database.driver()).await;
                let driver = builder.spare_connections(spare).connect().await.unwrap();
                let mut idle = Vec::new();
                for _ in 0..6 {
                    idle.push(driver.acquire(Access::Read).await.unwrap());
                }
                drop(idle);
                let repo = Repo::new(driver);
                let mut least = usize::MAX;
                // The first runs prepare the texts.
                for run in 0..20 {
                    proxy.turns();
                    let (orders, statements) = repo.count_statements(repo.all(page())).await;
                    assert!(orders.unwrap() == expected, "the same with {spare} beside");
                    assert_eq!(statements, 12);
                    let turns = proxy.turns_of_each();
                    least = least.min(turns.iter().copied().max().unwrap_or_default());
                    // Each text is prepared once: it goes to the connection that has prepared it.
                    if spare == 5 && run > 0 {
                        assert_eq!(turns.iter().sum::<usize>(), 12, "{turns:?}");
                    }
                }
                // A transaction stays on its connection.
                let read = async |repo: &Repo| (repo.all(page()).await, proxy.turns_of_each());
                proxy.turns();
                let (orders, turns) = repo.transaction(async |tx| Ok::<_, Error>(read(tx).await)).await.unwrap();
                assert!(orders.unwrap() == expected, "inside a transaction");
                assert_eq!(turns.iter().filter(|turns| **turns > 0).count(), 1, "{turns:?}");
                longest.push(least);
            }
            // Alone 12; of the four levels, the widest has six statements.
            assert!(longest[0] == 12 && longest[1] <= 9 && longest[2] <= 8 && longest[3] == 4, "{longest:?}");
        });
    }
}

mod postgres {
    use std::net::ToSocketAddrs;

    use assoc_core::driver::{Access, Statement};
    use assoc_postgres::tokio_postgres::Config;
    use assoc_postgres::tokio_postgres::config::Host;
    use assoc_postgres::{Postgres, PostgresBuilder};
    use conformance_tests::Database;
    use proxy::Proxy;

    use super::*;

    // The schema of a database, reached through a proxy.
    async fn through_a_proxy(database: &Database) -> (Proxy, Postgres) {
        let mut schema = String::new();
        let mut sink = |values: &mut [Value<'_>]| {
            schema = values.iter().map(ToString::to_string).collect();
            Ok(())
        };
        let mut connection = database.driver().acquire(Access::Read).await.unwrap();
        connection.query(&Statement::plain("SELECT current_schema()"), &mut sink).await.unwrap();
        let server: Config = std::env::var("ASSOC_POSTGRES_URL").unwrap().parse().unwrap();
        let (Some(Host::Tcp(host)), Some(port)) = (server.get_hosts().first(), server.get_ports().first()) else {
            panic!("a server that is reached by TCP")
        };
        let address = (host.as_str(), *port).to_socket_addrs().unwrap().next().unwrap();
        let proxy = Proxy::new(address, Duration::from_millis(1));
        let mut config = Config::new();
        config.host(proxy.address.ip().to_string()).port(proxy.address.port());
        config.user(server.get_user().unwrap()).dbname(server.get_dbname().unwrap());
        config.options(format!("-c search_path={schema}")).ssl_mode(server.get_ssl_mode());
        if let Some(password) = server.get_password() {
            config.password(password);
        }
        (proxy, PostgresBuilder::from_config(config).max_connections(1).connect().await.unwrap())
    }

    #[test]
    fn a_turn_for_each_level() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let expected = runtime.block_on(async {
            let database = SqliteFile.fresh().await.unwrap();
            let repo = Repo::from_driver(Arc::clone(database.driver()));
            fill(&repo).await.unwrap();
            repo.all(page()).await.unwrap()
        });
        runtime.block_on(async {
            let database = PostgreSql.fresh().await.unwrap();
            fill(&Repo::from_driver(Arc::clone(database.driver()))).await.unwrap();
            let (proxy, driver) = through_a_proxy(&database).await;
            let repo = Repo::new(driver);
            let read = async |repo: &Repo| {
                proxy.turns();
                let (orders, statements) = repo.count_statements(repo.all(page())).await;
                assert!(orders.unwrap() == expected, "what SQLite returns");
                (statements, proxy.turns())
            };
            // What is not prepared is prepared first, also together.
            assert_eq!(read(&repo).await, (12, 8));
            assert_eq!(read(&repo).await, (12, 4));
            let inside = repo.transaction(async |tx| Ok::<_, Error>(read(tx).await)).await.unwrap();
            assert_eq!(inside, (12, 4), "also inside a transaction");
            let mut orders = repo.all(Query::<Order>::new()).await.unwrap();
            proxy.turns();
            repo.preload(&mut orders, shop::associations()).await.unwrap();
            assert_eq!(proxy.turns(), 3, "all but the root's statement");
            // A budget counts statements, however they are sent.
            let refused = repo.all(page().max_statements(5)).await.unwrap_err();
            assert!(matches!(refused.kind(), assoc_core::ErrorKind::TooManyStatements { limit: 5, .. }), "{refused}");
        });
    }
}
