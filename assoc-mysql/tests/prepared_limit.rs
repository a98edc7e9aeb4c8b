//! The server's limit of prepared statements, which all its connections share: by itself, so that no other test meets it.

// Helpers fail a test by panicking, as the test itself does.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "mysql/support.rs"]
#[allow(dead_code)]
mod support;

use assoc_core::Value;
use support::{TestDb, acquire, one, rows, run};

#[tokio::test]
async fn a_server_without_room_for_prepared_statements_still_answers() {
    let db = TestDb::new().await;
    let admin = db.builder().statement_cache(0).connect().await.unwrap();
    let mut admin = acquire(&admin).await;
    let limit = one(&mut *admin, "SELECT @@GLOBAL.max_prepared_stmt_count").await;
    let driver = db.driver().await;
    let mut connection = acquire(&driver).await;
    let mut other = acquire(&driver).await;
    run(&mut *admin, "SET GLOBAL max_prepared_stmt_count = 20").await;
    let answered = async {
        for n in 0..60 {
            let found = rows(&mut *connection, &format!("SELECT ? + {n}"), [Value::Int(1)]).await;
            assert_eq!(found[0][0].to_string(), (n + 1).to_string());
        }
        // The first connection has all of them. Without binds a statement runs as text.
        assert_eq!(rows(&mut *other, "SELECT 7", []).await, [[Value::Int(7)]]);
        // And the texts that it has kept run on.
        for n in 0..60 {
            let found = rows(&mut *connection, &format!("SELECT ? + {n}"), [Value::Int(2)]).await;
            assert_eq!(found[0][0].to_string(), (n + 2).to_string());
        }
    };
    let answered = std::panic::AssertUnwindSafe(answered);
    let outcome = futures_util::FutureExt::catch_unwind(answered).await;
    run(&mut *admin, &format!("SET GLOBAL max_prepared_stmt_count = {limit}")).await;
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}
