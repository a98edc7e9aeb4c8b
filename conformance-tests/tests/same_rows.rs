//! Rows of one upsert that are the same row for the database, though their keys are written otherwise: they are refused, with
//! nothing written, on every backend. Which texts are equal is asked of the database, for each of its types.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use assoc_repo::prelude::*;
use assoc_repo::{Changeset, OnConflict, on_conflict};
use conformance_tests::{Backend, Database};
use random::Random;

#[allow(dead_code)]
mod backends;
mod random;

/// Found by its primary key, by a unique name, or by its shelf and place.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "books", primary_key = "code")]
struct Book {
    code: String,
    name: Option<String>,
    shelf_code: Option<String>,
    place: Option<i64>,
    title: Option<String>,
    pages: Option<i64>,
}

/// The same, whose updates are counted.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "books", primary_key = "code")]
struct Counted {
    code: String,
    name: Option<String>,
    shelf_code: Option<String>,
    place: Option<i64>,
    title: Option<String>,
    pages: Option<i64>,
    #[column(lock_version)]
    version: i64,
}

#[derive(Model, Debug, Clone)]
#[model(table = "shelves", primary_key = "code")]
struct Shelf {
    code: String,
    #[has_many(foreign_key = "shelf_code")]
    books: HasMany<Book>,
}

#[derive(Model, Debug, Clone)]
#[model(table = "words", auto_increment = false)]
struct Word {
    id: i64,
    text: String,
}

const WORDS: [&str; 9] = ["ada", "Ada", "ADA", "ada ", "adá", "bob", "Bob", "strase", "Straße"];

/// The types of text columns, each with what makes it.
fn types(backend: &dyn Backend, database: &Database) -> Vec<(Option<&'static str>, &'static str)> {
    let sql = database.native_sql();
    let mut types = vec![(None, sql.text_ignoring_case.unwrap())];
    match backend.name() {
        "postgres" => {
            let create = "CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level1', deterministic = false)";
            types.push((Some(create), "TEXT COLLATE loose"));
            types.push((None, "CHAR(20)"));
        }
        "sqlite" => types.push((None, "TEXT COLLATE RTRIM")),
        _ => types.push((None, "VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")),
    }
    types
}

/// Which words are equal, by the number of a class.
async fn classes(repo: &Repo) -> BTreeMap<&'static str, usize> {
    let words = WORDS.iter().zip(0..).map(|(text, id)| Word::build().set(Word::ID, id).set(Word::TEXT, *text));
    repo.insert_all(words).await.unwrap();
    let mut classes = BTreeMap::new();
    for word in WORDS {
        let equal = Query::filter(Word::TEXT.eq(word)).order_by(Word::ID.asc());
        classes.insert(word, usize::try_from(repo.pluck(Word::ID, equal).await.unwrap()[0]).unwrap());
    }
    classes
}

/// By which columns rows are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Code,
    Name,
    Place,
}

/// What is said of a row.
#[derive(Debug, Clone)]
struct Given {
    word: &'static str,
    place: i64,
    title: String,
    pages: Option<i64>,
}

macro_rules! changeset {
    ($model:ident, $given:expr, $by:expr, $at:expr) => {{
        let (given, at) = ($given, $at);
        // The primary key is another one each time, where rows are not found by it.
        let own = format!("own {at}");
        let code = if $by == By::Code { given.word.to_owned() } else { own };
        let mut row: Changeset<$model> =
            $model::build().set($model::CODE, code).set($model::TITLE, Some(given.title.clone()));
        if let Some(pages) = given.pages {
            row = row.set($model::PAGES, Some(pages));
        }
        match $by {
            By::Code => row,
            By::Name => row.set($model::NAME, Some(given.word.to_owned())),
            By::Place => row.set($model::SHELF_CODE, Some(given.word.to_owned())).set($model::PLACE, Some(given.place)),
        }
    }};
}

macro_rules! conflict {
    ($model:ident, $by:expr, $nothing:expr) => {{
        let conflict: OnConflict<$model> = match $by {
            By::Code => on_conflict($model::CODE),
            By::Name => on_conflict($model::NAME),
            By::Place => on_conflict(($model::SHELF_CODE, $model::PLACE)),
        };
        if $nothing { conflict.or_nothing() } else { conflict }
    }};
}

fn given(random: &mut Random, titled: &str) -> Vec<Given> {
    let count = 1 + random.below(5);
    let row = |at: usize| Given {
        word: WORDS[random.below(WORDS.len())],
        place: i64::try_from(random.below(2)).unwrap(),
        title: format!("{titled} {at}"),
        // Other columns make other statements.
        pages: random.once_in(3).then_some(7),
    };
    (0..count).map(row).collect()
}

fn key(given: &Given, by: By, classes: &BTreeMap<&str, usize>) -> (usize, i64) {
    (classes[given.word], if by == By::Place { given.place } else { 0 })
}

async fn stored(repo: &Repo) -> Vec<Book> {
    repo.all(Query::<Book>::new().order_by(Book::CODE.asc())).await.unwrap()
}

/// Judges one call: what it was given and answered, and the rows before and after.
#[derive(Default)]
struct Judged {
    refused: usize,
    done: usize,
}

impl Judged {
    async fn judge(
        &mut self,
        repo: &Repo,
        before: &[Book],
        (rows, by, model): (&[Given], By, &str),
        classes: &BTreeMap<&str, usize>,
        result: Result<Vec<Option<String>>>,
    ) {
        let keys: Vec<(usize, i64)> = rows.iter().map(|row| key(row, by, classes)).collect();
        let distinct: HashSet<&(usize, i64)> = keys.iter().collect();
        let after = stored(repo).await;
        let said = format!("{by:?} {rows:?}: {result:?}");
        if distinct.len() == rows.len() {
            let titles = result.unwrap_or_else(|error| panic!("{said}: {error}"));
            assert!(titles.len() == rows.len(), "{said}");
            self.done += 1;
            return;
        }
        let error = result.unwrap_err();
        let ErrorKind::SameRow { model: named, columns, rows: [one, other], keys: shown } = error.kind() else {
            panic!("{said}")
        };
        let wanted = match by {
            By::Code => vec!["code"],
            By::Name => vec!["name"],
            By::Place => vec!["shelf_code", "place"],
        };
        assert_eq!((*named, columns), (model, &wanted), "{said}");
        assert!(one < other && keys[*one] == keys[*other], "{said}");
        for (at, shown) in [one, other].into_iter().zip(shown) {
            assert!(shown.contains(&format!("{:?}", rows[*at].word)), "{shown}: {said}");
        }
        assert_eq!(before, after, "nothing is written: {said}");
        self.refused += 1;
    }
}

async fn fresh(backend: &dyn Backend, at: usize) -> Option<(Database, Repo)> {
    let database = backend.fresh().await.unwrap();
    let (create, text) = *types(backend, &database).get(at)?;
    let repo = Repo::from_driver(Arc::clone(database.driver()));
    if let Some(create) = create {
        repo.execute_raw(create, []).await.unwrap();
    }
    for sql in [
        format!(
            "CREATE TABLE books (code {text} NOT NULL PRIMARY KEY, name {text} UNIQUE, shelf_code {text}, place BIGINT, \
             title VARCHAR(99), pages BIGINT, version BIGINT NOT NULL DEFAULT 0, UNIQUE (shelf_code, place))"
        ),
        format!("CREATE TABLE shelves (code {text} NOT NULL PRIMARY KEY)"),
        format!("CREATE TABLE words (id BIGINT NOT NULL PRIMARY KEY, text {text} NOT NULL)"),
    ] {
        repo.execute_raw(&sql, []).await.unwrap();
    }
    Some((database, repo))
}

async fn of_repos(backend: &dyn Backend) {
    let mut at = 0;
    while let Some((_database, repo)) = fresh(backend, at).await {
        let classes = classes(&repo).await;
        let mut judged = Judged::default();
        for seed in 0..120 {
            let mut random = Random::new(seed);
            let by = [By::Code, By::Name, By::Place][random.below(3)];
            let nothing = random.once_in(3);
            repo.execute_raw("DELETE FROM books", []).await.unwrap();
            // Rows that are there, written in one way or the other.
            for (at, row) in given(&mut random, "before").iter().enumerate() {
                let row = changeset!(Book, row, by, format!("before {at}"));
                repo.upsert(row, conflict!(Book, by, false)).await.unwrap();
            }
            let before = stored(&repo).await;
            let rows = given(&mut random, "now");
            if random.once_in(2) {
                let all = rows.iter().enumerate().map(|(at, row)| changeset!(Book, row, by, at));
                let result = repo.upsert_all(all, conflict!(Book, by, nothing)).await;
                let result = result.map(|rows| rows.into_iter().map(|row| row.title).collect());
                judged.judge(&repo, &before, (&rows, by, "Book"), &classes, result).await;
            } else {
                // In a transaction that goes on.
                let all: Vec<_> = rows.iter().enumerate().map(|(at, row)| changeset!(Counted, row, by, at)).collect();
                let conflict = conflict!(Counted, by, nothing);
                let result = repo
                    .transaction(async |tx| {
                        let versions = tx.pluck(Counted::VERSION, Query::new()).await?;
                        let result = tx.upsert_all(all, conflict).await;
                        assert!(tx.count(Query::<Word>::new()).await? > 0, "it goes on");
                        Ok::<_, Error>((versions, result))
                    })
                    .await;
                let (versions, result) = result.unwrap();
                if let Ok(rows) = &result {
                    let most = i64::from(!nothing);
                    assert!(versions.iter().all(|version| *version == 0), "{versions:?}");
                    assert!(rows.iter().all(|row| (0..=most).contains(&row.version)), "once: {rows:?}");
                }
                let result = result.map(|rows| rows.into_iter().map(|row| row.title).collect());
                judged.judge(&repo, &before, (&rows, by, "Counted"), &classes, result).await;
            }
        }
        assert!(judged.refused > 20 && judged.done > 20, "{} and {}", judged.refused, judged.done);
        at += 1;
    }
    assert!(at > 1);
}

async fn of_handles(backend: &dyn Backend) {
    let (_database, repo) = fresh(backend, 0).await.unwrap();
    let mut shelf = repo.insert(Shelf::build().set(Shelf::CODE, "s")).await.unwrap();
    let book = |code: &str| Book::build().set(Book::CODE, code);
    let mut books = repo.association(&mut shelf, Shelf::BOOKS);
    let error = books.upsert_all([book("X"), book("y"), book("x")], on_conflict(Book::CODE)).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::SameRow { rows: [0, 2], .. }), "{error}");
    assert_eq!(
        error.to_string(),
        "Book: rows 0 and 2 are the same row by `code`: \"X\" and \"x\" are one key for the database; give each row once"
    );
    assert!(stored(&repo).await.is_empty());
    // One after the other is no such thing.
    for (code, title) in [("X", "first"), ("x", "second")] {
        let row = book(code).set(Book::TITLE, Some(title.to_owned()));
        let row = repo.upsert(row, on_conflict(Book::CODE)).await.unwrap();
        assert_eq!((row.code.as_str(), row.title.as_deref()), ("X", Some(title)));
    }
}

// Where all is as it was given, it costs what it cost.
async fn statements(backend: &dyn Backend) {
    let (_database, repo) = fresh(backend, 0).await.unwrap();
    let rows = || (0..20).map(|at| Counted::build().set(Counted::CODE, format!("b{at}")));
    for _ in 0..2 {
        let (rows, statements) = repo.count_statements(repo.upsert_all(rows(), on_conflict(Counted::CODE))).await;
        assert_eq!((rows.unwrap().len(), statements), (20, 1));
    }
}

backends::on_each_database!(of_repos, of_handles, statements);
