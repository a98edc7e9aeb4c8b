//! Rules of models and of changesets: what they find, when they run, and how problems are worded. Nothing here touches a
//! database.

#![allow(clippy::unwrap_used)]

use std::ops::Bound;

use assoc_repo::prelude::*;
use assoc_repo::{Changeset, FieldError, RuleError};

#[derive(Model, Debug, Clone)]
#[model(rules = Self::rules)]
struct Author {
    id: i64,
    name: String,
    nick: Option<String>,
    age: Option<u8>,
    price: rust_decimal::Decimal,
    weight: f32,
    born: chrono::NaiveDate,
    data: Vec<u8>,
    role: String,
    level: i32,
    terms: Option<bool>,
    email: Option<String>,
    site: Option<String>,
    #[column(default)]
    score: i64,
    #[has_many]
    books: HasMany<Book>,
    #[has_one]
    desk: HasOne<Option<Desk>>,
}

#[derive(Model, Debug, Clone)]
#[model(rules = "Book::rules")]
struct Book {
    id: i64,
    author_id: i64,
    title: String,
}

#[derive(Model, Debug, Clone)]
struct Desk {
    id: i64,
    author_id: i64,
}

impl Author {
    fn rules(rules: Rules<Author>) -> Rules<Author> {
        let day = |year| chrono::NaiveDate::from_ymd_opt(year, 1, 1).unwrap();
        rules
            .length(Author::NAME, 2..=5)
            .required(Author::NICK)
            .range(Author::AGE, 18..=120)
            .range(Author::PRICE, rust_decimal::Decimal::new(1, 1)..)
            .greater(Author::WEIGHT, 0.5)
            .range(Author::BORN, day(1900)..day(2000))
            .length(Author::DATA, 2..3)
            .inclusion(Author::ROLE, ["author", "editor"])
            .exclusion(Author::LEVEL, [13])
            .odd(Author::LEVEL)
            .accepted(Author::TERMS)
            .email(Author::EMAIL)
            .url(Author::SITE)
            .range(Author::SCORE, 1..)
            .confirmation(Author::NICK)
            .acceptance("conditions")
            .members(Author::BOOKS, 1..=2)
            .custom(Author::NAME, |name| {
                if name.starts_with('x') { Err(RuleError::new("begins with x").with_code("x")) } else { Ok(()) }
            })
            .row((Author::AGE, Author::LEVEL), |row| {
                let is_too_low = row.get(Author::AGE)?? < 20 && row.get(Author::LEVEL)? > 3;
                is_too_low.then(|| FieldError::new("level", "is for older ones").with_code("age"))
            })
    }
}

impl Book {
    fn rules(rules: Rules<Book>) -> Rules<Book> {
        rules.format(Book::TITLE, r"^\p{Lu}").message("begins with a capital").code("capital")
    }
}

fn book(title: &str) -> Changeset<Book> {
    Book::build().set(Book::TITLE, title)
}

fn good() -> Changeset<Author> {
    Author::build()
        .set(Author::NAME, "Ädä")
        .set(Author::NICK, "ada")
        .set(Author::AGE, 36)
        .set(Author::PRICE, rust_decimal::Decimal::new(10, 2))
        .set(Author::WEIGHT, 0.6)
        .set(Author::BORN, chrono::NaiveDate::from_ymd_opt(1999, 12, 31).unwrap())
        .set(Author::DATA, vec![0, 255])
        .set(Author::ROLE, "editor")
        .set(Author::LEVEL, 7)
        .set(Author::TERMS, true)
        .push(Author::BOOKS, book("Notes"))
}

fn found(changeset: &Changeset<Author>) -> Vec<String> {
    changeset.errors().into_iter().map(|error| format!("{} {}", error.path, error.code)).collect()
}

fn row() -> Author {
    Author {
        id: 1,
        name: "A".into(),
        nick: None,
        age: Some(3),
        price: rust_decimal::Decimal::ZERO,
        weight: 0.0,
        born: chrono::NaiveDate::from_ymd_opt(2020, 1, 1).unwrap(),
        data: Vec::new(),
        role: "none".into(),
        level: 2,
        terms: None,
        email: None,
        site: None,
        score: 0,
        books: HasMany::default(),
        desk: HasOne::default(),
    }
}

#[test]
fn each_rule_finds_its_problem_and_nothing_else() {
    assert_eq!(found(&good()), [""; 0]);
    let date = |year, month, day| chrono::NaiveDate::from_ymd_opt(year, month, day).unwrap();
    let cases: Vec<(Changeset<Author>, &[&str])> = vec![
        (good().set(Author::NAME, "A"), &["name too_short"]),
        (good().set(Author::NAME, "ÄÖÜßéø"), &["name too_long"]),
        (good().set(Author::NAME, "ÄÖÜßé"), &[]),
        (good().set(Author::NAME, "xavi"), &["name x"]),
        (good().set(Author::NICK, None), &["nick blank"]),
        (good().set(Author::NICK, " \t\u{a0}"), &["nick blank"]),
        (good().set(Author::AGE, 17), &["age too_small", "level age"]),
        (good().set(Author::AGE, 19).set(Author::LEVEL, 3), &[]),
        (good().set(Author::AGE, 121), &["age too_large"]),
        (good().set(Author::AGE, None), &[]),
        (good().set(Author::PRICE, rust_decimal::Decimal::new(999_999, 7)), &["price too_small"]),
        (good().set(Author::WEIGHT, 0.5), &["weight not_greater"]),
        (good().set(Author::WEIGHT, f32::NAN), &["weight not_greater"]),
        (good().set(Author::BORN, date(2000, 1, 1)), &["born not_less"]),
        (good().set(Author::BORN, date(1899, 12, 31)), &["born too_small"]),
        (good().set(Author::DATA, vec![1]), &["data wrong_length"]),
        (good().set(Author::ROLE, "Editor"), &["role inclusion"]),
        (good().set(Author::LEVEL, 13), &["level exclusion"]),
        (good().set(Author::LEVEL, -3), &[]),
        (good().set(Author::LEVEL, -4), &["level odd"]),
        (good().set(Author::TERMS, false), &["terms acceptance"]),
        (good().set(Author::TERMS, None), &["terms acceptance"]),
        (good().set(Author::EMAIL, "ada@example.org"), &[]),
        (good().set(Author::EMAIL, "ada@example"), &["email email"]),
        (good().set(Author::EMAIL, "Ada <ada@example.org>"), &["email email"]),
        (good().set(Author::SITE, "https://example.org/a?b"), &[]),
        (good().set(Author::SITE, "javascript:alert(1)"), &["site url"]),
        (good().set(Author::SITE, " https://example.org"), &["site url"]),
        (good().set(Author::SCORE, 0), &["score too_small"]),
        (good().confirm(Author::NICK, "ada"), &[]),
        (good().confirm(Author::NICK, "Ada"), &["nick_confirmation confirmation"]),
        (good().accept("conditions", true), &[]),
        (good().accept("conditions", false), &["conditions acceptance"]),
        (good().push(Author::BOOKS, book("small")), &["books[1].title format"]),
        (good().push(Author::BOOKS, [book("B"), book("C")]), &["books too_many"]),
        (good().clear(Author::BOOKS), &["books too_few"]),
    ];
    for (at, (changeset, problems)) in cases.iter().enumerate() {
        let problems: Vec<String> = problems.iter().map(|problem| problem.replace("format", "capital")).collect();
        assert_eq!(found(changeset), problems, "case {at}: {changeset:?}");
    }
}

#[test]
fn of_a_row_that_exists_what_does_not_change_is_not_judged() {
    let row = row();
    assert_eq!(found(&row.change()), [""; 0]);
    assert_eq!(found(&row.change().set(Author::AGE, 3)), [""; 0], "the same value");
    assert_eq!(found(&row.change().set(Author::AGE, 4)), ["age too_small"]);
    // A rule of two columns sees both as soon as one changes.
    assert_eq!(found(&row.change().set(Author::LEVEL, 5)), ["level age"]);
    assert_eq!(found(&row.change().push(Author::BOOKS, [book("B"), book("C"), book("D")])), [""; 0]);
    assert_eq!(found(&row.change().replace(Author::BOOKS, [book("B"), book("C"), book("D")])), ["books too_many"]);
    assert_eq!(found(&row.change().accept("conditions", false)), ["conditions acceptance"]);
}

#[test]
fn occasions_and_conditions() {
    let rules = |rules: Rules<Author>| {
        rules
            .always(|rules| rules.length(Author::NAME, 100..))
            .on_insert(|rules| rules.length(Author::NAME, 200..))
            .on_update(|rules| rules.length(Author::NAME, 300..))
            .when(|row| row.get(Author::LEVEL) == Some(9), |rules| rules.length(Author::NAME, 400..))
            .when(
                |row| row.before().is_some_and(|before| before.level == 2),
                |rules| rules.always(|rules| rules.length(Author::NAME, 500..)),
            )
    };
    let limits = |changeset: Changeset<Author>| -> Vec<String> {
        let errors = changeset.rules(rules).errors().into_iter();
        errors.filter(|error| error.path == "name").map(|error| error.param("min").unwrap().to_owned()).collect()
    };
    assert_eq!(limits(good()), ["100", "200"]);
    assert_eq!(limits(good().set(Author::LEVEL, 9)), ["100", "200", "400"]);
    assert_eq!(limits(row().change()), [""; 0], "nothing is written");
    assert_eq!(limits(row().change().set(Author::LEVEL, 3)), ["100", "300", "500"]);
    assert_eq!(limits(row().change().set(Author::NAME, "Bob").set(Author::LEVEL, 9)), ["100", "300", "400", "500"]);
}

#[test]
fn words_codes_and_parameters() {
    let messages: Vec<String> = good()
        .set(Author::NAME, "A")
        .set(Author::AGE, 200)
        .set(Author::ROLE, "king")
        .set(Author::LEVEL, 13)
        .confirm(Author::NICK, "x")
        .clear(Author::BOOKS)
        .errors()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        messages,
        [
            "name is too short: at least 2 characters",
            "age must be at most 120",
            "role must be one of: author, editor",
            "level must not be 13",
            "nick_confirmation does not match nick",
            "books needs at least 1 member",
        ]
    );
    let open = good().rules(|rules| {
        rules.range(Author::AGE, (Bound::Excluded(40), Bound::Excluded(50))).message("is no age").code("no_age")
    });
    let error = &open.errors()[0];
    assert_eq!((error.to_string().as_str(), &*error.code, error.param("min")), ("age is no age", "no_age", Some("40")));
    let german = error.clone().translated(|error| Some(format!("ist falsch ({})", error.param("min")?)));
    assert_eq!(german.to_string(), "age ist falsch (40)");
}

#[test]
fn a_broken_pattern_refuses_every_row() {
    let broken = good().rules(|rules| rules.format(Author::NAME, "("));
    let error = &broken.errors()[0];
    assert_eq!((&*error.path, &*error.code), ("name", FieldError::RULE));
    assert!(error.message.contains("`(` is no regular expression"), "{error}");
}

#[test]
fn problems_are_json() {
    let error = FieldError::new("posts[1].title", "is too short").with_code(FieldError::TOO_SHORT).with_param("min", 3);
    let json = serde_json::to_value(&error).unwrap();
    let expected = serde_json::json!({
        "path": "posts[1].title", "code": "too_short", "params": {"min": "3"}, "message": "is too short",
    });
    assert_eq!(json, expected);
}

mod renamed {
    pub(crate) use assoc_repo as orm;
}

// The names of models and fields may come of another macro, and the crate may have another name.
macro_rules! named {
    ($model:ident, $field:ident, $value:expr) => {
        renamed::orm::build!($model { $field: $value })
    };
}

#[test]
fn literals_by_other_names() {
    let name = "Ada";
    let draft = named!(Author, name, name);
    assert_eq!(draft.value_of(Author::NAME), Some(&Value::from("Ada")));
    let draft = "a variable of the caller, which the macro's own does not hide";
    let built = renamed::orm::build!(Author { name: draft, books: [Book { title: draft }], ..named!(Author, age, 7) });
    assert_eq!(built.value_of(Author::NAME), Some(&Value::from(draft)));
    assert_eq!(built.value_of(Author::AGE), Some(&Value::Int(7)));
    let permit = renamed::orm::permit!(Author { name, books: Book { title } });
    let cast = Author::cast([("name", "Eda"), ("age", "7")], &permit);
    assert_eq!((cast.value_of(Author::NAME), cast.value_of(Author::AGE)), (Some(&Value::from("Eda")), None));
}
