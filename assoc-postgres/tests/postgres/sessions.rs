//! What a program leaves in a session is gone when the next one has it.

use assoc_core::Value;

use crate::support::{TestDb, acquire, backend_pid, one, rows, run, text, try_rows};

#[tokio::test]
async fn a_session_begins_anew() {
    let db = TestDb::new().await;
    let driver = db.builder().max_connections(1).connect().await.unwrap();
    let mut connection = acquire(&driver).await;
    let pid = backend_pid(&mut *connection).await;
    for sql in [
        "SET search_path = pg_catalog",
        "SET TIME ZONE 'Asia/Tokyo'",
        "SET standard_conforming_strings = off",
        "SELECT set_config('my.variable', 'left behind', false)",
        "SELECT pg_advisory_lock(12)",
        "CREATE TEMPORARY TABLE left_behind (id int)",
        "LISTEN news",
        "DECLARE left_cursor CURSOR WITH HOLD FOR SELECT 1",
    ] {
        run(&mut *connection, sql).await;
    }
    drop(connection);
    let mut connection = acquire(&driver).await;
    assert_eq!(backend_pid(&mut *connection).await, pid);
    assert_eq!(one(&mut *connection, "SHOW search_path").await, text(&format!("{},public", db.name)));
    assert_eq!(one(&mut *connection, "SHOW TimeZone").await, text("UTC"));
    assert_eq!(one(&mut *connection, "SHOW standard_conforming_strings").await, text("on"));
    let variable = one(&mut *connection, "SELECT current_setting('my.variable', true)").await;
    assert!(variable == Value::Null || variable == text(""), "{variable:?}");
    assert_eq!(
        one(&mut *connection, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()")
            .await,
        Value::Int(0)
    );
    assert!(try_rows(&mut *connection, "SELECT * FROM left_behind", []).await.is_err());
    assert!(rows(&mut *connection, "SELECT pg_listening_channels()", []).await.is_empty());
    assert!(rows(&mut *connection, "SELECT name FROM pg_cursors WHERE name = 'left_cursor'", []).await.is_empty());
}

#[tokio::test]
async fn tables_are_found_in_the_search_path() {
    let db = TestDb::new().await;
    let driver = db.driver().await;
    let mut connection = acquire(&driver).await;
    run(&mut *connection, "CREATE TABLE t (id int)").await;
    assert_eq!(
        one(&mut *connection, "SELECT 't'::regclass::oid = to_regclass(current_schema() || '.t')::oid").await,
        Value::Bool(true)
    );
    assert_eq!(one(&mut *connection, "SELECT current_schema()::text").await, text(&db.name));
}
