//! Several statements that run together: whose the rows are, which error comes back, and what is told of each statement.

use assoc_core::driver::{
    Connection, IndependentQuery, RowSink, Statement, StatementKind, StatementWatch, TransactionMode,
};
use assoc_core::{DriverErrorKind, Error, Result, Value};
use conformance_harness::{Context, Level, cases, dropped_at};

use super::contract::{connection, integers, run};
use super::contract_errors::{IDS, MARKS, class, mark};

cases! { "contract_together", Level::Driver;
    each_to_its_sink,
    the_first_error,
    watched,
    refused_by_the_watch,
    inside_transactions,
    dropped_half_way,
}

/// What a driver tells of the statements, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Begins(usize),
    Ended(usize, bool),
}

#[derive(Default)]
struct Seen {
    told: Vec<Told>,
    refused: Option<usize>,
}

impl StatementWatch for Seen {
    fn begins(&mut self, at: usize) -> Result<()> {
        if self.refused == Some(at) {
            return Err(Error::other("refused"));
        }
        self.told.push(Told::Begins(at));
        Ok(())
    }

    fn ended(&mut self, at: usize, result: &Result<()>) {
        self.told.push(Told::Ended(at, result.is_ok()));
    }
}

/// The integers of a statement. Text is refused.
#[derive(Default)]
struct Integers(Vec<i64>);

impl RowSink for Integers {
    fn row(&mut self, values: &mut [Value<'_>]) -> Result<()> {
        match values {
            [Value::Int(int)] => self.0.push(*int),
            other => return Err(Error::other(format!("an integer is expected, not {other:?}"))),
        }
        Ok(())
    }
}

async fn together(
    connection: &mut dyn Connection,
    texts: &[&str],
    watch: &mut dyn StatementWatch,
) -> (Vec<Vec<i64>>, Result<()>) {
    let select = |sql: &&str| Statement::plain(*sql).of_kind(StatementKind::Select);
    let statements: Vec<Statement> = texts.iter().map(select).collect();
    let mut found: Vec<Integers> = texts.iter().map(|_| Integers::default()).collect();
    let queries = statements.iter().zip(&mut found).map(|(statement, sink)| IndependentQuery::new(statement, sink));
    let result = connection.query_together(queries.collect(), watch).await;
    (found.into_iter().map(|Integers(found)| found).collect(), result)
}

async fn with_marks(cx: &mut Context, count: u32) -> Result<Box<dyn Connection>> {
    let mut connection = connection(cx).await?;
    run(&mut *connection, MARKS, &[]).await?;
    for id in 1..=count {
        mark(&mut *connection, id).await?;
    }
    Ok(connection)
}

const REVERSED: &str = "SELECT id FROM marks ORDER BY id DESC";
const NONE: &str = "SELECT id FROM marks WHERE id < 0";
const TWO: &str = "SELECT id FROM marks WHERE id = 2";
// The sink refuses what it returns.
const TEXT: &str = "SELECT 'x' FROM marks WHERE id = 1";
const WRONG: &str = "SELECT nothing FROM marks";

async fn each_to_its_sink(cx: &mut Context) -> Result<()> {
    let mut connection = with_marks(cx, 3).await?;
    for mode in [None, Some(TransactionMode::Read), Some(TransactionMode::Write)] {
        if let Some(mode) = mode {
            connection.begin(mode).await?;
        }
        // Also where the texts are known.
        for _ in 0..2 {
            let texts = [IDS, TWO, NONE, REVERSED, TWO, NONE];
            let (found, result) = together(&mut *connection, &texts, &mut Seen::default()).await;
            result?;
            let expected: [&[i64]; 6] = [&[1, 2, 3], &[2], &[], &[3, 2, 1], &[2], &[]];
            cx.require(found == expected, "each sink has the rows of its statement, in order")?;
        }
        if mode.is_some() {
            connection.commit().await?;
        }
    }
    let (found, result) = together(&mut *connection, &[], &mut Seen::default()).await;
    cx.require(found.is_empty() && result.is_ok(), "no statements are no error")?;
    let (found, result) = together(&mut *connection, &[REVERSED], &mut Seen::default()).await;
    cx.require(found == [[3, 2, 1]] && result.is_ok(), "and one is as many")
}

async fn the_first_error(cx: &mut Context) -> Result<()> {
    let mut connection = with_marks(cx, 2).await?;
    for inside in [false, true] {
        for texts in [[IDS, WRONG, TEXT, TWO], [IDS, TEXT, TWO, TEXT], [WRONG, TWO, TEXT, WRONG]] {
            if inside {
                connection.begin(TransactionMode::Write).await?;
            }
            let (_, result) = together(&mut *connection, &texts, &mut Seen::default()).await;
            let is_wrong = texts.iter().find(|text| [WRONG, TEXT].contains(text)) == Some(&WRONG);
            let found = class(&result);
            let expected = is_wrong.then_some(DriverErrorKind::Statement);
            cx.require(result.is_err() && found == expected, "the error of the first that fails")?;
            if inside {
                connection.rollback().await?;
            }
            cx.require(integers(&mut *connection, IDS).await? == [1, 2], "the connection goes on")?;
        }
    }
    Ok(())
}

async fn watched(cx: &mut Context) -> Result<()> {
    let mut connection = with_marks(cx, 2).await?;
    for texts in [[IDS, TWO, NONE], [IDS, TEXT, TWO]] {
        let mut watch = Seen::default();
        let (_, result) = together(&mut *connection, &texts, &mut watch).await;
        let of = |wanted: &dyn Fn(&Told) -> Option<usize>| watch.told.iter().filter_map(wanted).collect::<Vec<_>>();
        let begun = of(&|told| if let Told::Begins(at) = told { Some(*at) } else { None });
        let ended = of(&|told| if let Told::Ended(at, _) = told { Some(*at) } else { None });
        cx.require(begun == [0, 1, 2] || result.is_err() && begun == [0, 1], "each begins once, in order")?;
        cx.require(ended.is_sorted() && ended.starts_with(&[0, 1]), "and ends, in order")?;
        let place = |wanted: Told| watch.told.iter().position(|told| *told == wanted);
        let begins_first = ended.iter().all(|at| {
            place(Told::Begins(*at)).is_some()
                && place(Told::Begins(*at)) < place(Told::Ended(*at, true)).or(place(Told::Ended(*at, false)))
        });
        cx.require(begins_first, "and begins before it ends")?;
        let failed = watch.told.contains(&Told::Ended(1, false));
        cx.require(failed == result.is_err() && (failed || ended == [0, 1, 2]), "how it ended is told as well")?;
    }
    Ok(())
}

async fn refused_by_the_watch(cx: &mut Context) -> Result<()> {
    let mut connection = with_marks(cx, 2).await?;
    for inside in [false, true] {
        if inside {
            connection.begin(TransactionMode::Write).await?;
            mark(&mut *connection, 3).await?;
        }
        for refused in 0..3 {
            let mut watch = Seen { refused: Some(refused), ..Seen::default() };
            let (found, result) = together(&mut *connection, &[TWO, TWO, TWO], &mut watch).await;
            cx.require(result.is_err_and(|error| error.to_string() == "refused"), "the watch's error")?;
            let expected: Vec<Vec<i64>> = (0..3).map(|at| if at < refused { vec![2] } else { vec![] }).collect();
            cx.require(found == expected, "those before it run, and neither it nor those after it")?;
            let mut watch = Seen { refused: Some(2), ..Seen::default() };
            let (_, result) = together(&mut *connection, &[TWO, TEXT, TWO], &mut watch).await;
            let is_of_sink = result.is_err_and(|error| error.to_string().contains("an integer"));
            cx.require(is_of_sink, "a failure before it comes first")?;
        }
        if inside {
            connection.commit().await?;
        }
    }
    cx.require(integers(&mut *connection, IDS).await? == [1, 2, 3], "a transaction goes on: the statement did not run")
}

// As after a single statement that fails.
async fn inside_transactions(cx: &mut Context) -> Result<()> {
    let mut connection = with_marks(cx, 2).await?;
    for (texts, may_end) in [([IDS, WRONG, TWO], true), ([IDS, TEXT, TWO], false)] {
        connection.begin(TransactionMode::Write).await?;
        mark(&mut *connection, 3).await?;
        let (_, result) = together(&mut *connection, &texts, &mut Seen::default()).await;
        cx.require(result.is_err(), "one has failed")?;
        let goes_on = mark(&mut *connection, 4).await.is_ok();
        let is_committed = connection.commit().await.is_ok();
        connection.rollback().await?;
        cx.require(goes_on == is_committed, "COMMIT fails where the transaction has refused a statement")?;
        cx.require(goes_on || may_end, "a sink that fails ends no transaction")?;
        let expected: &[i64] = if is_committed { &[1, 2, 3, 4] } else { &[1, 2] };
        cx.require(integers(&mut *connection, IDS).await? == expected, "all has taken effect, or nothing")?;
        run(&mut *connection, "DELETE FROM marks WHERE id > 2", &[]).await?;
        // A savepoint from before brings it back.
        connection.begin(TransactionMode::Write).await?;
        connection.savepoint(1).await?;
        let (_, result) = together(&mut *connection, &texts, &mut Seen::default()).await;
        cx.require(result.is_err(), "one has failed again")?;
        connection.rollback_to_savepoint(1).await?;
        let (found, result) = together(&mut *connection, &[IDS, TWO], &mut Seen::default()).await;
        cx.require(result.is_ok() && found == [vec![1, 2], vec![2]], "the transaction goes on")?;
        connection.commit().await?;
    }
    Ok(())
}

async fn dropped_half_way(cx: &mut Context) -> Result<()> {
    drop(with_marks(cx, 2).await?);
    for suspension in 0..6 {
        let mut careless = connection(cx).await?;
        careless.begin(TransactionMode::Write).await?;
        mark(&mut *careless, 3).await?;
        let _ = dropped_at(suspension, together(&mut *careless, &[IDS, TWO, REVERSED], &mut Seen::default())).await;
        // A driver may give the transaction up.
        let answer = integers(&mut *careless, "SELECT 7").await;
        cx.require(answer.map_or(true, |answer| answer == [7]), "no answer is another statement's")?;
        drop(careless);
        let mut next = connection(cx).await?;
        cx.require(integers(&mut *next, IDS).await? == [1, 2], "the transaction is undone")?;
        let _ = dropped_at(suspension, together(&mut *next, &[TWO, IDS, REVERSED], &mut Seen::default())).await;
        drop(next);
        let mut last = connection(cx).await?;
        cx.require(integers(&mut *last, "SELECT 8").await? == [8], "nor of the next to use the connection")?;
    }
    // How many of them were sent differs.
    drop(cx.recorder().take());
    Ok(())
}
