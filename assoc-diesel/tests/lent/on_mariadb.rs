//! What only MySQL and MariaDB do: they end transactions by themselves, and COMMIT outside of one is no error for them.

mod mariadb {
    use assoc_core::DriverErrorKind;
    use assoc_core::driver::{Access, Driver, Statement};
    use assoc_diesel::{Lent, MysqlSession, TransactionError, lend};
    use assoc_repo::prelude::*;
    use diesel::connection::{Connection as _, SimpleConnection};

    use crate::cases::{User, lent, named};
    use crate::served::{OnMariaDb, Served, depth};

    #[test]
    fn a_setting_that_does_not_fit_is_named_with_its_remedy() {
        let mut connection = OnMariaDb::connect();
        for (spoilt, named, remedy) in [
            ("SET sql_mode = ''", "`sql_mode`", "STRICT_ALL_TABLES"),
            ("SET sql_mode = 'STRICT_ALL_TABLES,NO_BACKSLASH_ESCAPES'", "`sql_mode`", "NO_BACKSLASH_ESCAPES"),
            ("SET time_zone = '+05:00'", "`time_zone`", "SET time_zone = '+00:00'"),
            ("SET NAMES latin1", "`character_set_client", "SET NAMES utf8mb4"),
            ("SET sql_auto_is_null = 1", "`sql_auto_is_null`", "SET sql_auto_is_null = 0"),
        ] {
            MysqlSession.set_up(&mut connection).unwrap();
            assert!(Lent::of(&mut *connection).is_ok());
            connection.batch_execute(spoilt).unwrap();
            let refused = Lent::of(&mut *connection).unwrap_err().to_string();
            assert!(refused.contains(named) && refused.contains(remedy), "{refused}");
        }
    }

    #[test]
    fn the_server_tells_the_numbers_of_errors() {
        let mut connection = OnMariaDb::connect();
        let (lent, _) = lent::<OnMariaDb>(&mut connection);
        for (sql, number) in [
            ("CREATE TABLE odd (a NOTATYPE)", &["4161", "1064"][..]),
            ("SELECT nothing FROM users", &["1054"]),
            ("INSERT INTO users (id) VALUES (1)", &["1364"]),
            ("SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'odd', MYSQL_ERRNO = 4711", &["4711"]),
        ] {
            let refused = lent.block_on(&mut *connection, async {
                let mut own = lent.acquire(Access::Write).await.unwrap();
                own.execute(&Statement::plain(sql)).await.unwrap_err()
            });
            assert!(number.contains(&refused.driver().unwrap().code().unwrap_or_default()), "{sql}: {refused:?}");
        }
    }

    #[test]
    fn a_change_of_the_schema_ends_the_transaction_of_the_application() {
        let mut connection = OnMariaDb::connect();
        let (lent, repo) = lent::<OnMariaDb>(&mut connection);
        let done = connection.transaction::<(), TransactionError, _>(|connection| {
            let ended = lent.block_on(connection, async {
                let mut own = lent.acquire(Access::Write).await.unwrap();
                own.execute(&Statement::plain("CREATE TABLE beside (id INTEGER)")).await.unwrap_err()
            });
            assert!(ended.to_string().contains("a statement in it has ended it"), "{ended}");
            // It would take effect by itself.
            let later = lent.block_on(connection, repo.insert(named("Ada"))).unwrap_err();
            assert!(later.to_string().contains("the server has ended the transaction that Diesel has open"), "{later}");
            assert_eq!(depth(connection), 1);
            Err(ended.into())
        });
        assert!(done.unwrap_err().to_string().contains("a statement in it has ended it"));
        assert_eq!(depth(&mut *connection), 0);
        lent.block_on(&mut *connection, repo.insert(named("Bob"))).unwrap();
        assert_eq!(OnMariaDb::names(&mut connection), ["Bob"]);
    }

    #[test]
    fn a_deadlock_ends_the_transaction_of_the_application() {
        let mut one = OnMariaDb::connect();
        let (lent, repo) = lent::<OnMariaDb>(&mut one);
        lent.block_on(&mut *one, repo.insert_all(["Ada", "Bob"].map(named))).unwrap();
        let database = {
            let mut name = String::new();
            lent.block_on(&mut *one, async {
                let mut own = lent.acquire(Access::Read).await.unwrap();
                let mut sink = |values: &mut [Value<'_>]| {
                    if let [Value::Text(text)] = values {
                        name = text.to_string();
                    }
                    Ok(())
                };
                own.query(&Statement::plain("SELECT DATABASE()"), &mut sink).await.unwrap();
            });
            name
        };
        let both_have_a_row = std::sync::Barrier::new(2);
        let run = |connection: &mut diesel::MysqlConnection, own: i64, other: i64| {
            let done = connection.transaction::<(), TransactionError, _>(|connection| {
                connection.batch_execute(&format!("UPDATE users SET name = 'own {own}' WHERE id = {own}"))?;
                both_have_a_row.wait();
                lend(connection, async |driver| {
                    let repo = Repo::new(driver);
                    let all = repo.update_all(Query::filter(User::ID.eq(other)), [User::NAME.to(format!("of {own}"))]);
                    all.await.map(drop).map_err(TransactionError::from)
                })
            });
            let after = depth(connection);
            assert_eq!(after, 0);
            let count = lend(connection, async |driver| Repo::new(driver).count(Query::<User>::new()).await);
            assert_eq!(count.unwrap(), 2);
            done.map_err(Error::from)
        };
        let url = crate::served::url("ASSOC_MYSQL_URL");
        let outcomes = std::thread::scope(|scope| {
            let two = scope.spawn(|| {
                let mut two = diesel::MysqlConnection::establish(&url).unwrap();
                two.batch_execute(&format!("USE {database}")).unwrap();
                run(&mut two, 2, 1)
            });
            [run(&mut one, 1, 2), two.join().unwrap()]
        });
        let refused: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).collect();
        assert_eq!(refused.len(), 1, "{outcomes:?}");
        assert_eq!(refused[0].driver().unwrap().kind(), DriverErrorKind::Retryable);
    }
}
