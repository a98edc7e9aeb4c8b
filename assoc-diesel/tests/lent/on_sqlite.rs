//! What only SQLite does.

use assoc_core::DriverErrorKind;
use assoc_core::driver::{Access, Driver, Statement};
use assoc_diesel::TransactionError;
use assoc_repo::prelude::*;
use diesel::connection::Connection as _;

use crate::cases::{Post, lent};
use crate::served::{OnSqlite, Served, depth};

#[test]
fn a_deferred_foreign_key_fails_the_commit_and_leaves_the_depth() {
    let mut connection = OnSqlite::connect();
    let (lent, repo) = lent::<OnSqlite>(&mut connection);
    let orphan = || Post::build().set(Post::USER_ID, 99).set(Post::TITLE, "orphan");
    let refused = lent.block_on(&mut *connection, async {
        repo.transaction(async |tx| tx.insert(orphan()).await.map(drop)).await.unwrap_err()
    });
    assert!(refused.is_foreign_key_violation(), "{refused}");
    assert_eq!(depth(&mut *connection), 0);
    // Inside Diesel's transaction it is Diesel's COMMIT that fails.
    let refused = connection.transaction::<(), TransactionError, _>(|connection| {
        lent.block_on(connection, async { repo.transaction(async |tx| tx.insert(orphan()).await.map(drop)).await })?;
        Ok(())
    });
    assert!(Error::from(refused.unwrap_err()).is_foreign_key_violation());
    assert_eq!(depth(&mut *connection), 0);
}

#[test]
fn the_transaction_of_the_application_that_a_statement_ended_is_noticed() {
    let mut connection = OnSqlite::connect();
    let (lent, _) = lent::<OnSqlite>(&mut connection);
    // A statement ends the transaction that the application has begun. Diesel's COMMIT fails then, also without this crate.
    let committed = connection.transaction::<(), TransactionError, _>(|connection| {
        lent.block_on(connection, async {
            let mut own = lent.acquire(Access::Write).await?;
            let ended = own.execute(&Statement::plain("ROLLBACK")).await.unwrap_err();
            assert!(ended.to_string().contains("a statement in it has ended it"), "{ended}");
            Ok::<(), Error>(())
        })?;
        Ok(())
    });
    assert!(committed.is_err());
    assert_eq!(OnSqlite::names(&mut connection), [""; 0]);
}

#[test]
fn text_that_is_not_utf8_is_refused() {
    let mut connection = OnSqlite::connect();
    let (lent, _) = lent::<OnSqlite>(&mut connection);
    let refused = lent.block_on(&mut *connection, async {
        let mut own = lent.acquire(Access::Read).await?;
        let mut sink = |_: &mut [Value<'_>]| Ok(());
        own.query(&Statement::plain("SELECT CAST(x'ff41' AS TEXT) AS name"), &mut sink).await
    });
    let error = refused.unwrap_err();
    assert_eq!(error.driver().unwrap().kind(), DriverErrorKind::Value);
    assert!(error.to_string().contains("column `name` holds text that is not UTF-8"), "{error}");
}
