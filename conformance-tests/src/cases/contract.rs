//! What a driver has to do, asked of its connections themselves.

use assoc_core::driver::{
    Access, AnswerColumn, Bind, Connection, ExecResult, KeySet, RowSink, Statement, TransactionMode,
};
use assoc_core::execution::KeyTuple;
use assoc_core::{DriverErrorKind, Result, Value, sql};
use assoc_repo::prelude::*;

use super::{Level, cases};
use crate::context::Context;
use crate::models::blog::{self, Author};
use crate::models::kinds::Sample;

cases! { "contract", Level::Driver;
    names_with_quotes,
    integers_at_their_bounds,
    texts_of_every_length,
    bytes_of_every_length,
    reals_as_they_are,
    affected_rows,
    ids_of_inserted_rows,
    names_of_columns,
    sinks_that_fail,
    texts_that_failed_before,
    classes_of_errors,
    errors_at_commit,
    savepoints,
    snapshots,
    dropped_inside,
    lists_of_keys,
}

pub(super) async fn connection(cx: &Context) -> Result<Box<dyn Connection>> {
    cx.repo().driver().acquire(Access::Write).await
}

pub(super) async fn run(connection: &mut dyn Connection, sql: &str, binds: &[Value<'static>]) -> Result<ExecResult> {
    connection.execute(&Statement::new(sql, binds.iter().cloned().map(Bind::Value).collect())).await
}

pub(super) async fn integers(connection: &mut dyn Connection, sql: &str) -> Result<Vec<i64>> {
    let mut found = Vec::new();
    let mut sink = |values: &mut [Value<'_>]| {
        found.extend(values.iter().filter_map(|value| match value {
            Value::Int(int) => Some(*int),
            Value::UInt(int) => i64::try_from(*int).ok(),
            _ => None,
        }));
        Ok(())
    };
    connection.query(&Statement::plain(sql), &mut sink).await?;
    Ok(found)
}

async fn names_with_quotes(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let quoted = |name: &str| {
        let mut sql = String::new();
        repo.dialect().quote(name, &mut sql);
        sql
    };
    let names = ["a\"b", "c`d", "select", "two words", "e[f]", "Größe", "it's", "a;b--c", "\"\"", "%?"];
    let columns: Vec<String> = names.iter().map(|name| format!("{} INTEGER", quoted(name))).collect();
    let table = quoted("the \"table\" `of` names");
    let mut connection = connection(cx).await?;
    run(&mut *connection, &format!("CREATE TABLE {table} ({})", columns.join(", ")), &[]).await?;
    let list = names.map(quoted).join(", ");
    let numbers: Vec<String> = (1..=names.len()).map(|at| at.to_string()).collect();
    run(&mut *connection, &format!("INSERT INTO {table} ({list}) VALUES ({})", numbers.join(", ")), &[]).await?;
    for (name, number) in names.iter().zip(1..) {
        let name = quoted(name);
        let found = integers(&mut *connection, &format!("SELECT {name} FROM {table} WHERE {name} = {number}")).await?;
        cx.require(found == [number], "a name with quotes is one name")?;
    }
    Ok(())
}

fn sample() -> assoc_repo::Changeset<Sample> {
    let numbers = Sample::build().set(Sample::TINY, 0i8).set(Sample::SMALL, 0i16).set(Sample::MEDIUM, 0);
    let numbers = numbers.set(Sample::BIG, 0).set(Sample::BYTE, 0u8).set(Sample::WORD, 0u16).set(Sample::LONG, 0u32);
    let others = numbers.set(Sample::REAL, 0.0).set(Sample::SINGLE, 0.0f32).set(Sample::FLAG, false);
    others.set(Sample::TEXT, "").set(Sample::BYTES, Vec::new()).set(Sample::RESERVED_WORD, 0)
}

async fn stored(cx: &Context, changeset: assoc_repo::Changeset<Sample>) -> Result<Sample> {
    let inserted = cx.repo().insert(changeset).await?;
    let read = cx.repo().get_or_fail::<Sample>(inserted.id, Query::new()).await?;
    cx.require(inserted == read, "what insert returns is what is read")?;
    Ok(read)
}

async fn integers_at_their_bounds(cx: &mut Context) -> Result<()> {
    cx.repo().create_table::<Sample>().await?;
    let signed = |bits: u32| {
        let (low, high) = (i64::MIN >> (64 - bits), i64::MAX >> (64 - bits));
        [low, low + 1, -129, -128, -1, 0, 1, 127, 128, 255, 256, high - 1, high]
            .into_iter()
            .filter(move |int| (low..=high).contains(int))
    };
    for int in signed(8) {
        let tiny = i8::try_from(int).unwrap_or_default();
        cx.require(stored(cx, sample().set(Sample::TINY, tiny)).await?.tiny == tiny, "8 bits")?;
    }
    for int in signed(16) {
        let small = i16::try_from(int).unwrap_or_default();
        cx.require(stored(cx, sample().set(Sample::SMALL, small)).await?.small == small, "16 bits")?;
    }
    for int in signed(32).chain([-32_769, 32_768, 65_535, 65_536]) {
        let medium = i32::try_from(int).unwrap_or_default();
        cx.require(stored(cx, sample().set(Sample::MEDIUM, medium)).await?.medium == medium, "32 bits")?;
    }
    let around = [1 << 31, (1 << 31) - 1, 1 << 32, (1 << 32) - 1, (1 << 53) + 1, -(1 << 53) - 1, -(1 << 31) - 1];
    for big in signed(64).chain(around) {
        cx.require(stored(cx, sample().set(Sample::BIG, big)).await?.big == big, "64 bits")?;
        let found = cx.repo().count(Query::filter(Sample::BIG.eq(big))).await?;
        cx.require(found > 0, "found by itself")?;
    }
    for int in [0u32, 1, 127, 128, 255, 256, 65_535, 65_536, (1 << 31) - 1, 1 << 31, u32::MAX - 1, u32::MAX] {
        let row = sample().set(Sample::LONG, int).set(Sample::BYTE, int as u8).set(Sample::WORD, int as u16);
        let read = stored(cx, row).await?;
        let same = (read.long, read.byte, read.word) == (int, int as u8, int as u16);
        cx.require(same, "unsigned ones")?;
    }
    Ok(())
}

const LENGTHS: [usize; 12] = [0, 1, 2, 254, 255, 256, 257, 65_534, 65_535, 65_536, 65_537, 1 << 20];

async fn texts_of_every_length(cx: &mut Context) -> Result<()> {
    cx.repo().create_table::<Sample>().await?;
    for length in LENGTHS {
        let text = "x".repeat(length);
        cx.require(stored(cx, sample().set(Sample::TEXT, text.clone())).await?.text == text, "its whole length")?;
    }
    for text in [
        " ",
        "   ",
        "a ",
        " a",
        "\ta\t",
        "a\n",
        "\r\n",
        "MiXeD",
        "ä",
        "ÄÖÜß",
        "€",
        "𝄞",
        "e\u{301}",
        "\u{feff}a",
        "'",
        "''",
        "\\",
        "\\'",
        "\"",
        "`",
        "%",
        "_",
        "?",
        ":a",
        "$1",
        "--",
        "/*",
        "NULL",
        "0",
        "01",
        "1e3",
        "true",
        "\u{1}",
        "\u{7f}",
    ] {
        let row = sample().set(Sample::TEXT, text).set(Sample::MAYBE_TEXT, text);
        let read = stored(cx, row).await?;
        cx.require(read.text == text && read.maybe_text.as_deref() == Some(text), "character by character")?;
    }
    let read = stored(cx, sample().set(Sample::MAYBE_TEXT, "")).await?;
    cx.require(read.maybe_text.as_deref() == Some(""), "an empty text is not NULL")?;
    let read = stored(cx, sample()).await?;
    cx.require(read.maybe_text.is_none() && read.maybe_flag.is_none(), "NULL is NULL")?;
    let read = stored(cx, sample().set(Sample::MAYBE_FLAG, false).set(Sample::MAYBE_NUMBER, 0)).await?;
    cx.require(read.maybe_flag == Some(false) && read.maybe_number == Some(0), "false and 0 are not NULL")
}

async fn bytes_of_every_length(cx: &mut Context) -> Result<()> {
    cx.repo().create_table::<Sample>().await?;
    for length in LENGTHS {
        let bytes: Vec<u8> = (0..length).map(|at| (at % 256) as u8).collect();
        cx.require(stored(cx, sample().set(Sample::BYTES, bytes.clone())).await?.bytes == bytes, "its whole length")?;
    }
    for bytes in [&[0u8][..], &[0, 0], &[1, 0], &[32], &[1, 32], &[255, 254], &[0xc3], b"text"] {
        let row = sample().set(Sample::BYTES, bytes).set(Sample::MAYBE_BYTES, bytes.to_vec());
        let read = stored(cx, row).await?;
        cx.require(read.bytes == bytes && read.maybe_bytes.as_deref() == Some(bytes), "byte by byte")?;
    }
    let read = stored(cx, sample().set(Sample::MAYBE_BYTES, Vec::new())).await?;
    cx.require(read.maybe_bytes.as_deref() == Some(&[][..]), "an empty blob is not NULL")
}

async fn reals_as_they_are(cx: &mut Context) -> Result<()> {
    cx.repo().create_table::<Sample>().await?;
    for real in [
        0.1 + 0.2,
        1.0 / 3.0,
        -1.0 / 3.0,
        f64::MIN_POSITIVE,
        f64::MAX,
        f64::MIN,
        f64::EPSILON,
        1e-200,
        9_007_199_254_740_993.0,
        1e300,
    ] {
        let read = stored(cx, sample().set(Sample::REAL, real)).await?.real;
        cx.require(read.to_bits() == real.to_bits(), "bit by bit")?;
    }
    Ok(())
}

async fn affected_rows(cx: &mut Context) -> Result<()> {
    blog::fixture(&cx.repo()).await?;
    let mut connection = connection(cx).await?;
    let all = integers(&mut *connection, "SELECT COUNT(*) FROM authors").await?;
    let same = run(&mut *connection, "UPDATE authors SET name = name", &[]).await?.affected;
    cx.require(i64::try_from(same).is_ok_and(|same| all == [same]), "rows that matched, also where nothing changed")?;
    let none = run(&mut *connection, "UPDATE authors SET name = name WHERE 1 = 0", &[]).await?.affected;
    cx.require(none == 0, "none")?;
    let gone = run(&mut *connection, "DELETE FROM posts WHERE id IN (1, 2, 1000)", &[]).await?.affected;
    cx.note("gone", gone);
    Ok(())
}

async fn ids_of_inserted_rows(cx: &mut Context) -> Result<()> {
    blog::tables(&cx.repo()).await?;
    let mut connection = connection(cx).await?;
    for name in ["a", "b", "c"] {
        let insert = format!("INSERT INTO authors (name) VALUES ('{name}')");
        let made = run(&mut *connection, &insert, &[]).await?;
        cx.require(made.affected == 1, "one row")?;
        let ids = integers(&mut *connection, &format!("SELECT id FROM authors WHERE name = '{name}'")).await?;
        cx.require(made.last_insert_id.is_none_or(|id| ids == [id]), "the id that the database made")?;
    }
    Ok(())
}

#[derive(Default)]
struct Named {
    names: Vec<String>,
    calls: usize,
    rows: usize,
}

impl RowSink for Named {
    fn row(&mut self, _: &mut [Value<'_>]) -> Result<()> {
        self.rows += 1;
        if self.calls == 0 { Err(Error::other("a row before the columns")) } else { Ok(()) }
    }

    fn wants_columns(&self) -> bool {
        true
    }

    fn columns(&mut self, columns: &[AnswerColumn<'_>]) -> Result<()> {
        self.calls += 1;
        self.names = columns.iter().map(|column| column.name.to_owned()).collect();
        Ok(())
    }
}

async fn names_of_columns(cx: &mut Context) -> Result<()> {
    blog::fixture(&cx.repo()).await?;
    let mut connection = connection(cx).await?;
    for (condition, some) in [("1 = 1", true), ("1 = 0", false)] {
        let mut sink = Named::default();
        let select = format!("SELECT id, name AS called, mentor_id FROM authors WHERE {condition}");
        connection.query(&Statement::plain(select), &mut sink).await?;
        cx.require(sink.names == ["id", "called", "mentor_id"] && sink.calls == 1, "the names, once")?;
        cx.require((sink.rows > 0) == some, "and the rows")?;
    }
    Ok(())
}

async fn sinks_that_fail(cx: &mut Context) -> Result<()> {
    blog::fixture(&cx.repo()).await?;
    let mut connection = connection(cx).await?;
    for inside in [false, true] {
        if inside {
            connection.begin(TransactionMode::Write).await?;
        }
        let mut rows = 0;
        let mut sink = |_: &mut [Value<'_>]| {
            rows += 1;
            if rows == 2 { Err(Error::other("enough")) } else { Ok(()) }
        };
        let failed = connection.query(&Statement::plain("SELECT id FROM authors"), &mut sink).await;
        cx.require(failed.is_err_and(|error| error.to_string().contains("enough")), "the sink's error")?;
        cx.require(rows == 2, "no row after it")?;
        cx.require(!integers(&mut *connection, "SELECT id FROM authors").await?.is_empty(), "and it is usable")?;
    }
    connection.rollback().await
}

async fn texts_that_failed_before(cx: &mut Context) -> Result<()> {
    blog::tables(&cx.repo()).await?;
    let mut connection = connection(cx).await?;
    let mut placeholders = [String::new(), String::new()];
    placeholders.iter_mut().zip(1..).for_each(|(text, at)| cx.repo().dialect().placeholder(at, text));
    let insert = format!("INSERT INTO authors (id, name) VALUES ({})", placeholders.join(", "));
    let row = |id: i64| [Value::Int(id), Value::Text("x".into())];
    run(&mut *connection, &insert, &row(1)).await?;
    let twice = run(&mut *connection, &insert, &row(1)).await.err();
    cx.require(twice.is_some_and(|error| error.is_unique_violation()), "a violation")?;
    run(&mut *connection, &insert, &row(2)).await?;
    cx.require(integers(&mut *connection, "SELECT id FROM authors ORDER BY id").await? == [1, 2], "the same text again")
}

pub(super) async fn constrained(connection: &mut dyn Connection) -> Result<()> {
    for table in [
        "CREATE TABLE parents (id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(20) NOT NULL, code INTEGER UNIQUE)",
        "CREATE TABLE kids (id INTEGER NOT NULL PRIMARY KEY, parent_id INTEGER, age INTEGER, CHECK (age >= 0), \
         FOREIGN KEY (parent_id) REFERENCES parents (id))",
        "INSERT INTO parents (id, name, code) VALUES (1, 'a', 1)",
        "INSERT INTO kids (id, parent_id, age) VALUES (1, 1, 1)",
    ] {
        run(connection, table, &[]).await?;
    }
    Ok(())
}

/// Statements about [`constrained`] tables that every database refuses, with the classes of their errors.
pub(super) const REFUSED: [(&str, DriverErrorKind); 9] = [
    ("INSERT INTO parents (id, name, code) VALUES (1, 'b', 2)", DriverErrorKind::UniqueViolation),
    ("INSERT INTO parents (id, name, code) VALUES (2, 'b', 1)", DriverErrorKind::UniqueViolation),
    ("UPDATE parents SET name = NULL", DriverErrorKind::NotNullViolation),
    ("INSERT INTO kids (id, parent_id) VALUES (2, 7)", DriverErrorKind::ForeignKeyViolation),
    ("DELETE FROM parents WHERE id = 1", DriverErrorKind::ForeignKeyViolation),
    ("UPDATE kids SET age = -1", DriverErrorKind::CheckViolation),
    ("SELEKT 1", DriverErrorKind::Statement),
    ("SELECT nothing FROM parents", DriverErrorKind::Statement),
    ("DELETE FROM nowhere", DriverErrorKind::Statement),
];

async fn classes_of_errors(cx: &mut Context) -> Result<()> {
    let mut connection = connection(cx).await?;
    constrained(&mut *connection).await?;
    for (statement, kind) in REFUSED {
        for inside in [false, true] {
            if inside {
                connection.begin(TransactionMode::Write).await?;
            }
            let error = run(&mut *connection, statement, &[]).await.err();
            let found = error.as_ref().and_then(Error::driver).map(|driver| driver.kind());
            if !inside {
                cx.note(statement, found.map_or_else(|| "no error".to_owned(), |kind| kind.to_string()));
            }
            cx.require(found == Some(kind), "the class of the error")?;
            let shows = error.as_ref().and_then(Error::driver).and_then(|driver| driver.sql());
            cx.require(shows.is_some_and(|sql| sql.contains(&statement[..6])), "its statement")?;
            if inside {
                connection.rollback().await?;
            }
            cx.require(integers(&mut *connection, "SELECT age FROM kids").await? == [1], "the connection is usable")?;
        }
    }
    Ok(())
}

async fn errors_at_commit(cx: &mut Context) -> Result<()> {
    let mut connection = connection(cx).await?;
    run(&mut *connection, "CREATE TABLE parents (id INTEGER NOT NULL PRIMARY KEY)", &[]).await?;
    let deferred = "CREATE TABLE kids (id INTEGER NOT NULL PRIMARY KEY, parent_id INTEGER, FOREIGN KEY (parent_id) \
                    REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED)";
    if run(&mut *connection, deferred, &[]).await.is_err() {
        return Err(cx.lacks("deferred constraints"));
    }
    connection.begin(TransactionMode::Write).await?;
    run(&mut *connection, "INSERT INTO kids (id, parent_id) VALUES (1, 7)", &[]).await?;
    let error = connection.commit().await.err();
    let kind = error.as_ref().and_then(Error::driver).map(|driver| driver.kind());
    cx.require(kind == Some(DriverErrorKind::ForeignKeyViolation), "the COMMIT fails, and says why")?;
    let _ = connection.rollback().await;
    cx.require(integers(&mut *connection, "SELECT id FROM kids").await?.is_empty(), "nothing has taken effect")?;
    connection.begin(TransactionMode::Write).await?;
    run(&mut *connection, "INSERT INTO parents (id) VALUES (7)", &[]).await?;
    run(&mut *connection, "INSERT INTO kids (id, parent_id) VALUES (1, 7)", &[]).await?;
    connection.commit().await?;
    cx.require(integers(&mut *connection, "SELECT id FROM kids").await? == [1], "and the next one does not")
}

async fn savepoints(cx: &mut Context) -> Result<()> {
    let mut connection = connection(cx).await?;
    run(&mut *connection, "CREATE TABLE marks (id INTEGER NOT NULL PRIMARY KEY)", &[]).await?;
    let ids = "SELECT id FROM marks ORDER BY id";
    connection.begin(TransactionMode::Write).await?;
    run(&mut *connection, "INSERT INTO marks (id) VALUES (1)", &[]).await?;
    connection.savepoint(1).await?;
    run(&mut *connection, "INSERT INTO marks (id) VALUES (2)", &[]).await?;
    connection.savepoint(2).await?;
    run(&mut *connection, "INSERT INTO marks (id) VALUES (3)", &[]).await?;
    connection.rollback_to_savepoint(2).await?;
    cx.require(integers(&mut *connection, ids).await? == [1, 2], "what was done since")?;
    connection.rollback_to_savepoint(2).await?;
    cx.require(integers(&mut *connection, ids).await? == [1, 2], "again")?;
    connection.savepoint(2).await?;
    run(&mut *connection, "INSERT INTO marks (id) VALUES (4)", &[]).await?;
    connection.release_savepoint(2).await?;
    cx.require(integers(&mut *connection, ids).await? == [1, 2, 4], "a released one keeps it")?;
    connection.rollback_to_savepoint(1).await?;
    cx.require(integers(&mut *connection, ids).await? == [1], "the outer one undoes the inner one")?;
    connection.savepoint(1).await?;
    run(&mut *connection, "INSERT INTO marks (id) VALUES (5)", &[]).await?;
    connection.release_savepoint(1).await?;
    connection.commit().await?;
    cx.require(integers(&mut *connection, ids).await? == [1, 5], "committed")?;
    connection.begin(TransactionMode::Write).await?;
    run(&mut *connection, "INSERT INTO marks (id) VALUES (6)", &[]).await?;
    connection.rollback().await?;
    drop(connection);
    let mut connection = self::connection(cx).await?;
    cx.require(integers(&mut *connection, ids).await? == [1, 5], "rolled back")
}

async fn snapshots(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let driver = repo.driver();
    if driver.pool_status().is_some_and(|status| status.max < 2) {
        return Err(cx.lacks("second connection"));
    }
    let mut writer = connection(cx).await?;
    run(&mut *writer, "CREATE TABLE marks (id INTEGER NOT NULL PRIMARY KEY)", &[]).await?;
    let mut reader = driver.acquire(Access::Read).await?;
    reader.begin(TransactionMode::Read).await?;
    let ids = "SELECT id FROM marks";
    cx.require(integers(&mut *reader, ids).await?.is_empty(), "before")?;
    run(&mut *writer, "INSERT INTO marks (id) VALUES (1)", &[]).await?;
    cx.require(integers(&mut *writer, ids).await? == [1], "written")?;
    cx.require(integers(&mut *reader, ids).await?.is_empty(), "one state until the end")?;
    reader.commit().await?;
    cx.require(integers(&mut *reader, ids).await? == [1], "and the next one after it")
}

async fn dropped_inside(cx: &mut Context) -> Result<()> {
    let mut first = connection(cx).await?;
    run(&mut *first, "CREATE TABLE marks (id INTEGER NOT NULL PRIMARY KEY)", &[]).await?;
    first.begin(TransactionMode::Write).await?;
    run(&mut *first, "INSERT INTO marks (id) VALUES (1)", &[]).await?;
    drop(first);
    let mut next = connection(cx).await?;
    cx.require(integers(&mut *next, "SELECT id FROM marks").await?.is_empty(), "it is undone")?;
    next.begin(TransactionMode::Write).await?;
    run(&mut *next, "INSERT INTO marks (id) VALUES (2)", &[]).await?;
    next.commit().await?;
    drop(next);
    let mut last = connection(cx).await?;
    cx.require(integers(&mut *last, "SELECT id FROM marks").await? == [2], "and the next transaction is one of its own")
}

// By every length around those to which lists are padded.
async fn lists_of_keys(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::tables(&repo).await?;
    repo.insert_all((1..=1_100_i64).map(|id| Author::build().set(Author::ID, id).set(Author::NAME, "x"))).await?;
    let dialect = repo.dialect();
    let most = dialect.keys_per_condition(1);
    let mut connection = connection(cx).await?;
    for length in
        [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 65, 99, 101, 127, 129, 255, 257, 511, 513, 1_023, 1_025]
    {
        let keys = KeySet::from_iter((1..=length).filter_map(|id| KeyTuple::new([Value::Int(id)])));
        let mut found = Vec::new();
        for chunk in keys.chunks(most) {
            let by = Author::DEF.primary_key;
            let select = sql::select_by(dialect, Author::DEF, by, by, &chunk, &assoc_core::metadata::Expr::always())?;
            let mut sink = |values: &mut [Value<'_>]| {
                found.extend(values.iter().filter_map(|id| if let Value::Int(id) = id { Some(*id) } else { None }));
                Ok(())
            };
            connection.query(&select, &mut sink).await?;
        }
        found.sort_unstable();
        cx.require(found == (1..=length).collect::<Vec<_>>(), "each key once")?;
    }
    Ok(())
}
